"""The dispatchers for logs, and logs in a sequence of files."""

from __future__ import annotations

import gzip
import os
import re
import time
from pathlib import Path
from typing import Any

import can
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli import plugins
from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.candump.log import CanutilsLogReader, CanutilsLogWriter
from cantools_cli.io.logger import (
    BaseRotatingLogger,
    Logger,
    RotatingLogger,
    SizedRotatingLogger,
    TimedRotatingLogger,
)
from cantools_cli.io.player import LogReader
from cantools_cli.io.printer import Printer

LINE = b"(1.000000) can0 123#01\n"
SIZE = len(LINE)


def message(number: int = 1) -> Message:
    return Message(
        timestamp=1.0, arbitration_id=0x123, is_extended_id=False, data=[number & 0xFF], channel="can0"
    )


def read(path: Path) -> list[int]:
    with LogReader(path) as log:
        return [message.data[0] for message in log]


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> str:
    """Every file is finished at the same time, which is returned as names have it."""
    local = time.struct_time((2026, 3, 4, 5, 6, 7, 0, 0, 0))
    monkeypatch.setattr(time, "localtime", lambda *args: local)
    return "2026-03-04T050607"


# --- Logger and LogReader ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.log", "A.LOG", "a.b.log", "a.log.gz", "A.LOG.GZ", "a.b.log.gz"])
def test_the_suffix_chooses_the_writer(name: str, tmp_path: Path) -> None:
    with Logger(tmp_path / name) as log:
        assert type(log) is CanutilsLogWriter  # type: ignore[comparison-overlap]  # not a Logger
        log.on_message_received(message())
    data = (tmp_path / name).read_bytes()
    assert (gzip.decompress(data) if name.lower().endswith(".gz") else data) == LINE
    assert read(tmp_path / name) == [1]


@pytest.mark.parametrize("form", plugins.writable())
def test_every_format_is_written_and_read_by_its_suffix(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{plugins.FORMATS[form].suffixes[0]}"
    with Logger(path) as log:
        log(message(7))
    with LogReader(path) as reader:
        assert type(reader) is plugins.reader_class(form)
        assert [one.data[0] for one in reader] == [7]


def test_arguments_reach_the_writer_and_the_reader(tmp_path: Path) -> None:
    with Logger(str(tmp_path / "a.log"), "can7", ns=True) as log:
        log(Message(timestamp=1.0, is_extended_id=False))
    assert (tmp_path / "a.log").read_bytes() == b"(1.000000000) can7 000#\n"
    with LogReader(tmp_path / "a.log", relative_timestamp=False, on_error="skip") as reader:
        assert reader.on_error == "skip"


def test_no_name_prints(capsys: pytest.CaptureFixture[str]) -> None:
    with Logger(None) as log:
        assert type(log) is Printer  # type: ignore[comparison-overlap]  # not a Logger
        log(message())
    assert capsys.readouterr().out == f"{message()}\n"


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.xyz.gz", "a.gz"])
def test_an_unknown_suffix_is_refused_in_python_can_s_words(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No write support for unknown log format") as ours:
        Logger(tmp_path / name)
    assert ".log" in (getattr(ours.value, "hint", None) or "")
    with pytest.raises(ValueError, match=re.escape(str(ours.value))):
        can.Logger(tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["a.blf.gz", "a.DB.gz", "a.mf4.gz", "a.db.zst", "a.asc.gz"])
def test_all_documented_formats_can_be_compressed(name: str, tmp_path: Path) -> None:
    with Logger(tmp_path / name) as log:
        log(message(1))
    assert (tmp_path / name).read_bytes().startswith(b"\x1f\x8b" if name.endswith("gz") else b"\x28\xb5")
    assert read(tmp_path / name) == [1]
    assert os.listdir(tmp_path) == [name]


def test_a_compressed_database_is_added_to(tmp_path: Path) -> None:
    for number in (1, 2):
        with Logger(tmp_path / "a.db.gz") as log:
            log(message(number))
    assert read(tmp_path / "a.db.gz") == [1, 2]


def test_a_database_has_no_compressing_stream(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="incompatible with gzip: SQLite writes anywhere in its file"):
        Logger.compress(tmp_path / "a.db.gz")
    with pytest.raises(ValueError, match="not supported by SizedRotatingLogger"):
        SizedRotatingLogger(tmp_path / "a.db.gz")
    assert os.listdir(tmp_path) == []


def test_a_compressing_stream_can_be_had_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.LOG.gz"
    for append in (False, True):
        suffix, stream = Logger.compress(path, append=append)
        with stream:
            stream.write("text\r\n")
        assert suffix == ".log"
    assert gzip.decompress(path.read_bytes()) == b"text\r\ntext\r\n"


def test_the_first_bytes_win_over_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.asc").write_bytes(LINE)
    with LogReader(tmp_path / "a.asc") as reader:
        assert type(reader) is CanutilsLogReader  # type: ignore[comparison-overlap]  # not a LogReader
        assert len([*reader]) == 1


def test_a_file_that_is_no_log_is_refused_and_closed(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_bytes(b"\x7fELF and so on")
    with pytest.raises(FormatError, match="not a log that canx recognises"):
        LogReader(tmp_path / "a.xyz")  # an open file would be a ResourceWarning, which is an error here


def test_formats_of_other_distributions_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = {".foo": f"{__name__}:Foreign"}
    monkeypatch.setattr(plugins, "entry_points_of", lambda kind: targets)
    path = tmp_path / "a.foo"
    path.write_bytes(b"foreign")
    writer: Any = Logger(path, 1, x=2)
    reader: Any = LogReader(path, 3)
    assert (writer.made_of, reader.made_of) == ((path, 1, {"x": 2}), (path, 3, {}))
    with pytest.raises(ValueError, match=r'"\.foo" is not supported by SizedRotatingLogger'):
        SizedRotatingLogger(path)


class Foreign:
    """A reader and a writer as python-can documents them."""

    def __init__(self, file: Path, number: int, **kwargs: Any) -> None:
        self.made_of = (file, number, kwargs)

    def on_message_received(self, msg: Message) -> None:
        """Do nothing."""


# --- rotation ---------------------------------------------------------------------------------------------


def test_a_file_that_has_the_size_is_renamed(tmp_path: Path, moment: str) -> None:
    with SizedRotatingLogger(tmp_path / "a.log", max_bytes=3 * SIZE) as log:
        for number in range(8):
            log(message(number))
    assert read(tmp_path / f"a_{moment}_#000.log") == [0, 1, 2]
    assert read(tmp_path / f"a_{moment}_#001.log") == [3, 4, 5]
    assert read(tmp_path / "a.log") == [6, 7]
    assert log.rollover_count == 2


@settings(max_examples=30, deadline=None)
@given(
    limit=st.integers(1, 20_000),
    cuts=st.lists(st.integers(1, 400), min_size=1, max_size=6),
    singly=st.booleans(),
)
def test_each_file_ends_at_the_first_frame_that_gives_it_the_size(
    limit: int, cuts: list[int], singly: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rotation")
    with SizedRotatingLogger(folder / "a.log", limit) as log:
        for cut in cuts:
            messages = [message(number) for number in range(cut)]
            if singly:
                for one in messages:
                    log(one)
            else:
                log.write(MessageBatch(messages))
    sizes = [path.stat().st_size for path in folder.iterdir() if path.name != "a.log"]
    assert {*sizes} <= {-(-limit // SIZE) * SIZE}
    total = sum(path.stat().st_size for path in folder.iterdir())
    assert total == sum(cuts) * SIZE


def test_without_a_size_there_is_one_file(tmp_path: Path) -> None:
    with SizedRotatingLogger(tmp_path / "a.log") as log:
        assert not log.should_rollover(message())
        for _ in range(50):
            log(message())
            log.write(MessageBatch([message()] * 50))
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


@pytest.mark.parametrize(
    ("base", "renamed"),
    [
        ("a.log", "a_{}_#007.log"),
        ("a.log.gz", "a_{}_#007.log.gz"),
        ("my.v1.log", "my.v1_{}_#007.log"),
        ("my.v1.log.gz", "my.v1_{}_#007.log.gz"),
        ("a.txt", "a_{}_#007.txt"),
        ("a.csv", "a_{}_#007.csv"),
        ("a.asc", "a_{}_#007.asc"),
        ("a.blf", "a_{}_#007.blf"),
    ],
)
def test_names_have_time_and_number_before_the_suffixes(
    base: str, renamed: str, tmp_path: Path, moment: str
) -> None:
    with SizedRotatingLogger(tmp_path / base, 1) as log:
        log.rollover_count = 7
        log(message(5))
        log.do_rollover()
        log(message(6))
    assert read(tmp_path / renamed.format(moment)) == [5]
    assert read(tmp_path / base) == [6]


def test_files_that_are_there_are_never_replaced(tmp_path: Path, moment: str) -> None:
    for number in (0, 1):
        (tmp_path / f"a_{moment}_#00{number}.log").write_bytes(b"precious")
    with SizedRotatingLogger(tmp_path / "a.log", 1) as log:
        log(message(1))
        log(message(2))
    assert (tmp_path / f"a_{moment}_#000.log").read_bytes() == b"precious"
    assert read(tmp_path / f"a_{moment}_#002.log") == [1]


def test_a_namer_chooses_the_name(tmp_path: Path, moment: str) -> None:
    given_names = []

    def namer(name: object) -> Path:
        given_names.append(os.path.basename(str(name)))
        return tmp_path / "finished.log"

    with SizedRotatingLogger(tmp_path / "a.log", 1) as log:
        log.namer = namer
        for number in range(3):
            log(message(number))
    assert given_names[0] == f"a_{moment}_#000.log"
    assert read(tmp_path / "finished.log") == [1]  # a name without the number means the last one


def test_a_rotator_puts_the_file_in_its_place(tmp_path: Path, moment: str) -> None:
    moved = []
    with SizedRotatingLogger(tmp_path / "a.log", 1) as log:
        log.rotator = lambda source, dest: moved.append((source, dest))
        log(message())
        log(message())
    assert moved == [(str(tmp_path / "a.log"), str(tmp_path / f"a_{moment}_#000.log"))]


def test_arguments_reach_every_writer(tmp_path: Path, moment: str) -> None:
    with SizedRotatingLogger(tmp_path / "a.log", 1, "can7") as log:
        for _ in range(2):
            log(Message(timestamp=1.0, is_extended_id=False))
        assert type(log.writer) is CanutilsLogWriter
    for name in ("a.log", f"a_{moment}_#000.log"):
        assert (tmp_path / name).read_bytes() == b"(1.000000) can7 000#\n"


def test_losses_of_all_files_are_counted_together(tmp_path: Path) -> None:
    with SizedRotatingLogger(tmp_path / "a.log", 1, compat="wireshark") as log:
        for _ in range(3):
            sent = message()
            sent.is_rx = False
            log(sent)
    assert log.losses == {"directions": 3}
    assert len([*tmp_path.iterdir()]) == 3


def test_a_flush_makes_everything_readable(tmp_path: Path) -> None:
    log = SizedRotatingLogger(tmp_path / "a.log", 1000)
    log(message(1))
    log.flush()
    assert read(tmp_path / "a.log") == [1]
    log.stop()
    log.stop()


def test_a_strategy_of_one_s_own_decides_when(tmp_path: Path) -> None:
    class EveryOther(BaseRotatingLogger):
        def __init__(self, folder: Path) -> None:
            super().__init__(channel="x")
            self.folder = folder
            self._writer = self._get_new_writer(folder / "0.log")

        def should_rollover(self, msg: Message) -> bool:
            return msg.data[0] % 2 == 0 and msg.data[0] > 0

        def do_rollover(self) -> None:
            self.writer.stop()
            self.rollover_count += 1
            self._writer = self._get_new_writer(self.folder / f"{self.rollover_count}.log")

    with EveryOther(tmp_path) as log:
        log.write(MessageBatch(message(number) for number in range(5)))
    assert [read(tmp_path / f"{number}.log") for number in range(3)] == [[0, 1], [2, 3], [4]]


def test_python_can_reads_the_files(tmp_path: Path, moment: str) -> None:
    with SizedRotatingLogger(tmp_path / "a.log.gz", 1) as log:
        log(message(1))
        log.do_rollover()
        log(message(2))
    with can.LogReader(tmp_path / f"a_{moment}_#000.log.gz") as theirs:
        assert [one.data[0] for one in theirs] == [1]


def test_a_subclass_that_decides_otherwise_is_asked_for_every_message(tmp_path: Path) -> None:
    class Pairs(SizedRotatingLogger):
        asked = 0

        def should_rollover(self, msg: Message) -> bool:
            self.asked += 1
            return self.asked in (3, 5)

    with Pairs(tmp_path / "log.log", 1_000_000) as logger:
        logger.on_batch_received(MessageBatch(map(message, range(6))))
    assert sorted(read(path) for path in tmp_path.iterdir()) == [[0, 1], [2, 3], [4, 5]]


# --- rotation by time, and how many files are kept ---------------------------------------------------------


def at(*seconds: float) -> list[Message]:
    messages = [message(number) for number in range(len(seconds))]
    for one, stamp in zip(messages, seconds, strict=True):
        one.timestamp = stamp
    return messages


def files(folder: Path) -> list[list[int]]:
    """Return what is in the files, those that are finished first."""
    finished = sorted(path for path in folder.iterdir() if path.name != "a.log")
    return [read(path) for path in [*finished, folder / "a.log"]]


@pytest.mark.parametrize("singly", [True, False])
@pytest.mark.parametrize(
    ("stamps", "parts"),
    [
        ([], [[]]),
        ([0, 9, 9.999], [[0, 1, 2]]),
        ([0, 10, 20], [[0], [1], [2]]),
        ([5, 14, 15, 16, 25], [[0, 1], [2, 3], [4]]),
        ([0, 35, 36], [[0], [1, 2]]),
        ([100, 95, 91, 90], [[0, 1, 2], [3]]),  # a clock that was set back begins the next as well
    ],
)
def test_a_file_holds_the_frames_of_so_long(
    tmp_path: Path, stamps: list[float], parts: list[list[int]], singly: bool
) -> None:
    with TimedRotatingLogger(tmp_path / "a.log", 10) as log:
        if singly:
            for one in at(*stamps):
                log(one)
        else:
            log.write(MessageBatch(at(*stamps)))
    assert files(tmp_path) == parts


@settings(max_examples=30, deadline=None)
@given(
    stamps=st.lists(st.integers(0, 50), max_size=60),
    cut=st.integers(1, 20),
    size=st.integers(0, 6 * SIZE),
    length=st.integers(0, 12),
)
def test_no_frame_is_lost_or_moved_where_files_follow_one_another(
    stamps: list[int], cut: int, size: int, length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rotation")
    messages = at(*stamps)
    with RotatingLogger(folder / "a.log", max_bytes=size, max_seconds=length) as log:
        for first in range(0, len(messages), cut):
            log.write(MessageBatch(messages[first : first + cut]))
    assert [number for part in files(folder) for number in part] == [*range(len(stamps))]
    for part in files(folder) if length else ():
        assert all(abs(stamps[number] - stamps[part[0]]) < length for number in part)


def test_the_oldest_files_are_removed(tmp_path: Path, moment: str) -> None:
    with SizedRotatingLogger(tmp_path / "a.log", 1, max_files=3) as log:
        for number in range(6):
            log(message(number))
    assert files(tmp_path) == [[3], [4], [5]]
    assert (tmp_path / f"a_{moment}_#004.log").exists()


def test_files_of_earlier_runs_count_and_others_do_not(tmp_path: Path) -> None:
    for name in ("a_2020-01-01T000000_#009.log", "a_2020-01-02T000000_#000.log", "a_notes.log", "b.log"):
        (tmp_path / name).write_bytes(LINE)
    with SizedRotatingLogger(tmp_path / "a.log", 1, max_files=3) as log:
        for number in range(2):
            log(message(number))
    left = {path.name for path in tmp_path.iterdir()}
    assert "a_2020-01-01T000000_#009.log" not in left
    assert {"a_2020-01-02T000000_#000.log", "a_notes.log", "b.log", "a.log"} < left
    assert len(left) == 5


def test_with_a_namer_only_own_files_are_removed(tmp_path: Path) -> None:
    (tmp_path / "a_2020-01-01T000000_#009.log").write_bytes(LINE)
    with SizedRotatingLogger(tmp_path / "a.log", 1, max_files=2) as log:
        log.namer = lambda name: tmp_path / f"z{log.rollover_count}.log"
        for number in range(4):
            log(message(number))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("a.log", "a_2020-01-01T000000_#009.log", "z2.log")
    ]


def test_the_time_in_a_name_can_be_that_of_the_frames(tmp_path: Path) -> None:
    def last_frame(stamp_ns: int) -> time.struct_time:
        return time.gmtime(stamp_ns // 1_000_000_000)

    with RotatingLogger(tmp_path / "a.log", max_seconds=10, moment=last_frame) as log:
        log.write(MessageBatch(at(1_700_000_000, 1_700_000_009, 1_700_000_010)))
    assert read(tmp_path / "a_2023-11-14T221329_#000.log") == [0, 1]


@pytest.mark.parametrize("name", ["a.log.zst", "a.log.gz"])
def test_compressed_files_follow_one_another(tmp_path: Path, moment: str, name: str) -> None:
    with TimedRotatingLogger(tmp_path / name, 10) as log:
        log.write(MessageBatch(at(0, 10)))
    assert read(tmp_path / name.replace(".", f"_{moment}_#000.", 1)) == [0]
    assert read(tmp_path / name) == [1]
