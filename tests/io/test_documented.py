"""Readers and writers in the shape that python-can's manual teaches: subclasses, streams, keywords."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

import cantools_cli as can
from cantools_cli import plugins
from cantools_cli.frame.message import Message
from cantools_cli.io import MESSAGE_READERS, MESSAGE_WRITERS
from cantools_cli.io.base import BaseIOHandler, FileIOMessageWriter, MessageReader, MessageWriter
from cantools_cli.io.formats import open_reader, open_writer

TEXT_FORMATS = [name for name, form in plugins.writable().items() if not form.is_binary]
LINE = "(1.000000) can0 123#0102\n"


def message(number: int = 1, **fields: Any) -> Message:
    return Message(timestamp=float(number), arbitration_id=number, is_extended_id=False, **fields)


class LineWriter(FileIOMessageWriter):
    """Implements what the manual asks for, and nothing else."""

    def on_message_received(self, msg: Message) -> None:
        self.file.write(f"{msg.arbitration_id}\n")


class LineReader(MessageReader):
    """Iterates over the open file."""

    def __iter__(self) -> Iterator[Message]:
        for line in self.file:
            yield message(int(line))


# --- subclasses ---------------------------------------------------------------------------------------------


def test_a_writer_that_takes_messages_only_has_its_file_open(tmp_path: Path) -> None:
    with LineWriter(tmp_path / "a.txt", "w") as writer:
        writer(message(1))
        writer.on_message_received(message(2))
        writer.file.flush()
        assert writer.file_size() == 4
        writer.write(can.MessageBatch([message(3)]))
    assert writer.file.closed
    assert (tmp_path / "a.txt").read_text() == "1\n2\n3\n"


def test_a_writer_without_a_file_of_its_own_is_a_listener() -> None:
    class Collector(MessageWriter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(None, *args, **kwargs)
            self.seen: list[int] = []

        def on_message_received(self, msg: Message) -> None:
            self.seen.append(msg.arbitration_id)

    with Collector(anything=1) as writer:
        writer(message(5))
        writer.on_batch_received(can.MessageBatch([message(6)]))
    assert (writer.seen, writer.file) == ([5, 6], None)


def test_a_reader_that_iterates_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("7\n8\n")
    with LineReader(tmp_path / "a.txt", "r") as reader:
        assert [one.arbitration_id for one in reader] == [7, 8]
    assert reader.file.closed
    with LineReader(str(tmp_path / "a.txt")) as reader:
        assert [len(batch) for batch in reader.batches()] == [2]


@pytest.mark.parametrize("kind", [MessageReader, MessageWriter, FileIOMessageWriter])
def test_a_subclass_implements_something(kind: type[Any], tmp_path: Path) -> None:
    class Nothing(kind):
        pass

    with pytest.raises(TypeError, match=r"^Nothing implements neither (__iter__|on_message_received) nor"):
        Nothing(tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_a_handler_opens_its_path(tmp_path: Path) -> None:
    with BaseIOHandler(tmp_path / "a", "wt") as handler:
        handler.file.write("ä")
    assert handler.file.closed
    assert (tmp_path / "a").read_bytes() == "ä".encode()
    with BaseIOHandler(tmp_path / "a", "rb") as handler:
        assert handler.file.read() == "ä".encode()
    assert BaseIOHandler(None).file is None


def test_messages_reach_a_subclass_that_overrides_only_them(tmp_path: Path) -> None:
    class Odd(can.CSVWriter):
        def on_message_received(self, msg: Message) -> None:
            if msg.arbitration_id % 2:
                super().on_message_received(msg)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "writer_class", lambda name: Odd)
        with open_writer(tmp_path / "a.csv", "odd") as writer:
            writer.write(can.MessageBatch([message(1), message(2), message(3)]))
    with can.CSVReader(tmp_path / "a.csv") as reader:
        assert [one.arbitration_id for one in reader] == [1, 3]


# --- other distributions' classes, and a program's own ------------------------------------------------------


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = {
        "reader": {".asc": f"{__name__}:LineReader"},
        "writer": {".asc": f"{__name__}:LineWriter"},
    }
    monkeypatch.setattr(plugins, "entry_points_of", lambda kind: targets[kind])


@pytest.mark.usefixtures("entry_points")
def test_entry_points_win_over_our_suffixes(tmp_path: Path) -> None:
    with can.Logger(tmp_path / "a.ASC") as writer:
        assert type(writer) is LineWriter
        writer(message(9))
    with can.LogReader(tmp_path / "a.ASC") as reader:
        assert type(reader) is LineReader
        assert [one.arbitration_id for one in reader] == [9]
    with pytest.raises(FileNotFoundError):
        can.LogReader(tmp_path / "b.asc")
    assert (MESSAGE_WRITERS[".asc"], MESSAGE_READERS[".asc"]) == (LineWriter, LineReader)


@pytest.mark.usefixtures("entry_points")
def test_commands_take_them_for_the_suffix_with_its_dot(tmp_path: Path) -> None:
    from cantools_cli.io.formats import parse_format

    assert parse_format("asc", writing=True)[0] == "asc"
    name, _ = parse_format(".asc", writing=True)
    with open_writer(tmp_path / "a.asc", name) as writer:
        writer.write(can.MessageBatch([message(3)]))
    with open_reader(tmp_path / "a.asc", parse_format(".asc", writing=False)[0]) as reader:
        assert [one.arbitration_id for batch in reader.batches() for one in batch] == [3]


def test_a_program_sets_classes_of_its_own(tmp_path: Path) -> None:
    assert MESSAGE_WRITERS[".csv"] is can.CSVWriter
    assert can.Logger.message_writers is MESSAGE_WRITERS
    assert can.LogReader.message_readers is MESSAGE_READERS
    assert {".asc", ".blf", ".csv", ".db", ".log", ".mf4", ".trc", ".txt"} <= {*MESSAGE_WRITERS}
    assert MESSAGE_READERS.get(".nothing") is None
    MESSAGE_WRITERS[".lines"] = LineWriter
    MESSAGE_READERS[".lines"] = LineReader
    try:
        with can.Logger(tmp_path / "a.lines") as writer:
            writer(message(4))
        with can.LogReader(tmp_path / "a.lines") as reader:
            assert [one.arbitration_id for one in reader] == [4]
    finally:
        del MESSAGE_WRITERS[".lines"], MESSAGE_READERS[".lines"]
    with pytest.raises(ValueError, match=r'unknown log format "\.lines"'):
        can.Logger(tmp_path / "b.lines")


# --- the open file ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".asc", ".blf", ".csv", ".log", ".mf4", ".trc", ".txt"])
def test_the_file_is_open_until_stop(tmp_path: Path, suffix: str) -> None:
    with can.Logger(tmp_path / f"a{suffix}") as writer:
        writer(message())
        assert isinstance(writer.file, io.TextIOBase) is (suffix not in (".blf", ".mf4"))
        os.fsync(writer.file.fileno())
        assert not writer.file.closed
    assert writer.file.closed
    with can.LogReader(tmp_path / f"a{suffix}") as reader:
        assert isinstance(reader.file, io.TextIOBase) is (suffix not in (".blf", ".mf4"))
        assert len([*reader]) == 1
    assert reader.file.closed


@pytest.mark.parametrize("suffix", [".asc", ".blf", ".csv", ".log", ".mf4", ".trc", ".txt"])
def test_stop_closes_a_file_that_was_handed_in(tmp_path: Path, suffix: str) -> None:
    binary = "b" if suffix in (".blf", ".mf4") else ""
    path = tmp_path / f"a{suffix}"
    with open(path, f"w{binary}") as file:
        writer = MESSAGE_WRITERS[suffix](file)
        assert writer.file is file
        writer(message())
        writer.stop()
        assert file.closed
    with open(path, f"r{binary}") as file:
        reader = MESSAGE_READERS[suffix](file)
        assert reader.file is file
        assert len([*reader]) == 1
        reader.stop()
        assert file.closed


def test_standard_streams_and_memory_stay_open(capsys: pytest.CaptureFixture[str]) -> None:
    memory = io.StringIO()
    for file in (sys.stdout, memory):
        with can.CanutilsLogWriter(file) as writer:
            writer(message(0x123, channel="can0"))
        assert not file.closed
    assert capsys.readouterr().out == memory.getvalue()


# --- text streams -------------------------------------------------------------------------------------------


class Shell:
    """What some programs put in place of ``sys.stdout``: ``write`` and ``flush``, for text."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_every_text_format_is_written_to_whatever_takes_text(name: str, tmp_path: Path) -> None:
    kind, form = plugins.writer_class(name), plugins.FORMATS[name]
    with kind(tmp_path / "expected") as writer:
        writer(message(1, data=b"\1"))
    expected = (tmp_path / "expected").read_bytes().decode()
    shell, memory = Shell(), io.StringIO(newline="")
    coded = codecs.open(str(tmp_path / "coded"), "w", "utf-16")  # noqa: SIM115  # the writer closes it
    wide = open(tmp_path / "wide", "w", encoding="utf-16", newline="")  # noqa: SIM115  # the same
    for file in (shell, memory, coded, wide):
        with kind(file) as writer:
            writer(message(1, data=b"\1"))
    assert (shell.text, memory.getvalue()) == (expected, expected)
    for path in ("coded", "wide"):
        assert (tmp_path / path).read_bytes().decode("utf-16") == expected
    assert form.suffixes


def test_a_named_temporary_file_is_written(tmp_path: Path) -> None:
    with tempfile.NamedTemporaryFile("w", dir=tmp_path, delete=False) as file:
        with can.CanutilsLogWriter(file) as writer:
            writer(message(0x123, data=b"\1\2", channel="can0"))
        assert file.closed
    assert Path(file.name).read_text() == LINE.replace("1.0", "291.0")


def opened_in_utf_16(path: Path, way: str) -> Any:
    """Open ``path`` as text in one of the ways that Python has."""
    if way == "open":
        return open(path, encoding="utf-16")
    if way == "codecs.open":
        return codecs.open(str(path), "r", "utf-16")
    if way == "codecs.getreader":
        return codecs.getreader("utf-16")(open(path, "rb"))
    return io.StringIO(path.read_bytes().decode("utf-16"))


@pytest.mark.parametrize("way", ["open", "codecs.open", "codecs.getreader", "StringIO"])
def test_text_streams_are_read_in_their_own_encoding(way: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes((LINE * 3).encode("utf-16"))
    with can.CanutilsLogReader(opened_in_utf_16(tmp_path / "a.log", way)) as reader:
        assert [one.arbitration_id for one in reader] == [0x123] * 3


def test_the_rest_of_a_text_that_was_read_in_part_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("a title\n" + LINE * 3 + "another title\n")
    with open(tmp_path / "a.log") as file:
        file.readline()
        with can.CanutilsLogReader(file, on_error="skip") as reader:
            assert (len([*reader]), reader.skipped) == (3, 1)
    with open(tmp_path / "a.log") as file:
        assert next(file) == "a title\n"
        with can.CanutilsLogReader(file, on_error="skip") as reader:
            assert len([*reader]) == 3


def test_a_path_has_the_encoding_that_is_asked_for(tmp_path: Path) -> None:
    with can.Printer(tmp_path / "a.txt", encoding="latin-1") as writer:
        writer(message(1, channel="Märchen"))
    assert "Märchen".encode("latin-1") in (tmp_path / "a.txt").read_bytes()
    with can.LogReader(tmp_path / "a.txt", encoding="latin-1") as reader:
        assert [one.channel for one in reader] == ["Märchen"]
    with pytest.raises(TypeError, match="binary"):
        can.BLFWriter(tmp_path / "a.blf", encoding="latin-1")


def test_a_binary_format_refuses_a_stream_of_text_alone() -> None:
    with pytest.raises(ValueError, match="is a text stream, but the format is binary"):
        can.BLFWriter(io.StringIO())


def test_a_printer_prints_to_what_stdout_is_at_the_moment(capsys: pytest.CaptureFixture[str]) -> None:
    printer = can.Printer()
    shell = Shell()
    with contextlib.redirect_stdout(shell):  # type: ignore[type-var]  # only its write is used
        printer(message(1))
    printer(message(2))
    printer.stop()
    assert (shell.text, capsys.readouterr().out) == (f"{message(1)}\n", f"{message(2)}\n")


def test_a_printer_appends_to_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    lines: list[bytes] = []
    reading = threading.Thread(target=lambda: lines.extend((tmp_path / "pipe").read_bytes().splitlines()))
    reading.start()
    with can.Printer(tmp_path / "pipe", append=True) as printer:
        printer(message(1))
    reading.join()
    assert lines == [str(message(1)).encode()]


# --- keywords -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", plugins.FORMATS)
def test_no_reader_or_writer_swallows_a_keyword(name: str, tmp_path: Path) -> None:
    form = plugins.FORMATS[name]
    path = tmp_path / f"a{form.suffixes[0]}"
    if form.writer is not None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'chanel'"):
            plugins.writer_class(name)(path, chanel=1)
        assert os.listdir(tmp_path) == []
    path.touch()
    with pytest.raises(TypeError, match="unexpected keyword argument 'chanel'"):
        plugins.reader_class(name)(path, chanel=1)


class Everything:
    """What programs pass to a logger or a reader of whatever format."""

    writing: ClassVar[dict[str, Any]] = {"append": False, "channel": 1, "compression_level": 1}
    reading: ClassVar[dict[str, Any]] = {"relative_timestamp": False}


@pytest.mark.parametrize("suffix", [".asc", ".blf", ".csv", ".db", ".mf4", ".trc", ".txt"])
def test_common_keywords_reach_the_formats_that_have_them(suffix: str, tmp_path: Path) -> None:
    with can.Logger(tmp_path / f"a{suffix}", **Everything.writing) as writer:
        writer(message(1))
    without = {".asc": 1, ".blf": 0, ".trc": 1, ".mf4": 1}.get(suffix, 2)
    assert len([note for note in writer.notes if "has no effect on" in note]) == without
    with can.LogReader(tmp_path / f"a{suffix}", **Everything.reading) as reader:
        assert len([*reader]) == 1
    assert ("relative_timestamp has no effect" in " ".join(reader.notes)) is (suffix != ".asc")


@pytest.mark.parametrize("make", [can.Logger, can.SizedRotatingLogger])
def test_a_logger_refuses_what_no_format_has(make: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'chanel'"):
        make(tmp_path / "a.log", chanel="can0")
    assert os.listdir(tmp_path) == []
