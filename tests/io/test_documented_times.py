"""What python-can's manual says of times, sizes, heads and rows of the files that its writers make."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

import cantools_cli as can
from cantools_cli import plugins
from cantools_cli.frame.message import Message
from cantools_cli.io.blf.reader import BLFParseError
from cantools_cli.io.formats import open_writer
from tests.named import ASCReader

TIMES = (100.0, 100.5, 99.0, 0.0, 101.0)
FORWARD = [100.0, 100.5, 100.5, 100.5, 101.0]


def messages() -> list[Message]:
    return [Message(timestamp=time, arbitration_id=number) for number, time in enumerate(TIMES)]


# --- times that go backwards --------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".log", ".asc", ".trc"])
@pytest.mark.parametrize("in_batches", [False, True])
def test_a_message_that_is_earlier_gets_the_time_before(
    suffix: str, in_batches: bool, tmp_path: Path
) -> None:
    with can.Logger(tmp_path / f"a{suffix}") as writer:
        if in_batches:
            for part in (messages()[:3], messages()[3:]):
                writer.on_batch_received(can.MessageBatch(part))
        else:
            for message in messages():
                writer(message)
    options = {"relative_timestamp": False} if suffix == ".asc" else {}
    with can.LogReader(tmp_path / f"a{suffix}", **options) as reader:
        assert [message.timestamp for message in reader] == FORWARD
    assert writer.losses == {"times that go backwards": 2}


@pytest.mark.parametrize("suffix", [".log", ".csv", ".db", ".blf", ".jsonl"])
def test_commands_never_change_a_time(suffix: str, tmp_path: Path) -> None:
    form = plugins.format_of_suffix(suffix)[0]
    assert form is not None
    with open_writer(tmp_path / f"a{suffix}", form) as writer:
        writer.write(can.MessageBatch(messages()))
    with can.LogReader(tmp_path / f"a{suffix}") as reader:
        assert [message.timestamp for message in reader] == [*TIMES]
    assert "times that go backwards" not in writer.losses


def test_the_first_message_without_a_time_has_zero(tmp_path: Path) -> None:
    with can.CanutilsLogWriter(tmp_path / "a.log") as writer:
        for time in (None, -1.0, 2.0, None):
            writer(Message(timestamp=time))  # type: ignore[arg-type]  # as programs do
    with can.CanutilsLogReader(tmp_path / "a.log") as reader:
        assert [message.timestamp for message in reader] == [0.0, 0.0, 2.0, 2.0]


# --- sizes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".asc", ".blf", ".csv", ".log", ".mf4", ".trc", ".txt"])
def test_file_size_grows_with_each_message(suffix: str, tmp_path: Path) -> None:
    with can.Logger(tmp_path / f"a{suffix}", compression_level=0) as writer:
        sizes = []
        for message in messages():
            writer(message)
            sizes.append(writer.file_size())  # type: ignore[attr-defined]  # of the format's writer
    assert sizes == sorted({*sizes})
    assert sizes[-1] - sizes[0] >= 4 * 15


@pytest.mark.parametrize("suffix", [".asc", ".blf", ".csv", ".log", ".txt"])
def test_a_custom_rotating_logger_rolls_over(suffix: str, tmp_path: Path) -> None:
    class Rotating(can.io.BaseRotatingLogger):
        def __init__(self, path: Path, limit: int) -> None:
            super().__init__()
            self.path, self.limit = path, limit
            self._writer = self._get_new_writer(path)

        def should_rollover(self, msg: Message) -> bool:
            return bool(self.writer.file_size() >= self.limit)

        def do_rollover(self) -> None:
            self.writer.stop()
            self.rollover_count += 1
            self.rotate(self.path, self.path.with_stem(f"a{self.rollover_count}"))
            self._writer = self._get_new_writer(self.path)

    with Rotating(tmp_path / f"a{suffix}", 1000) as logger:
        for number in range(200):
            logger(Message(timestamp=number, arbitration_id=number, data=bytes(range(8))))
    assert logger.rollover_count >= 3
    found = []
    for path in tmp_path.iterdir():
        with can.LogReader(path) as reader:
            found += [message.arbitration_id for message in reader]
    assert sorted(found) == [*range(200)]


@pytest.mark.parametrize("suffix", [".asc", ".csv", ".log", ".txt"])
def test_files_of_a_sized_logger_are_little_larger_than_their_size(suffix: str, tmp_path: Path) -> None:
    with can.SizedRotatingLogger(tmp_path / f"a{suffix}", 1024) as logger:
        for number in range(128):
            logger(Message(timestamp=number, arbitration_id=0x123, data=b"\1"))
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) > 3
    assert max(sizes) <= 1100


# --- ASC: times from the event before -----------------------------------------------------------------------


def test_relative_times_count_from_the_event_before(tmp_path: Path) -> None:
    with can.ASCWriter(tmp_path / "a.asc", timestamps_format="relative", tz="UTC") as writer:
        for time in (1.0, 1.25, 2.5):
            writer(Message(timestamp=time))
        writer.log_event("a word", 2.75)
        writer(Message(timestamp=3.0, is_error_frame=True))
    text = (tmp_path / "a.asc").read_text().splitlines()
    assert text[1] == "base hex  timestamps relative"
    assert [line.split()[0] for line in text[6:-1]] == [
        "0.000000", "0.250000", "1.250000", "0.250000", "0.250000"
    ]  # fmt: skip
    with ASCReader(tmp_path / "a.asc", relative_timestamp=False, tz="UTC") as reader:
        assert [message.timestamp for message in reader] == [1.0, 1.25, 2.5, 3.0]
    with pytest.raises(ValueError, match="relative times cannot be continued"):
        can.ASCWriter(tmp_path / "a.asc", timestamps_format="relative", append=True)


def test_relative_times_of_frames_that_go_backwards_are_zero() -> None:
    file = io.BytesIO()
    with can.ASCWriter(file, timestamps_format="relative", tz="UTC") as writer:
        writer.write(can.MessageBatch(messages()))
    assert writer.losses["times that go backwards"] == 2
    with ASCReader(io.BytesIO(file.getvalue()), relative_timestamp=False, tz="UTC") as reader:
        assert [message.timestamp for message in reader] == FORWARD


def test_an_unknown_timestamps_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='unknown timestamps_format "delta"'):
        can.ASCWriter(tmp_path / "a.asc", timestamps_format="delta")
    assert not (tmp_path / "a.asc").exists()


# --- BLF ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "written"),
    [({}, 5), ({"application_id": 0}, 0), ({"application_id": 7}, 7)],
)
def test_the_head_of_blf_has_the_application_id(given: dict[str, Any], written: int) -> None:
    file = io.BytesIO()
    with can.BLFWriter(file, **given) as writer:
        writer(Message(timestamp=1.0))
    assert file.getvalue()[12] == written == writer.application_id


def test_commands_write_blf_of_an_unknown_application() -> None:
    assert plugins.FORMATS["blf"].writing["application_id"] == 0


def test_the_head_of_blf_is_known_once_it_is_open(tmp_path: Path) -> None:
    with can.BLFWriter(tmp_path / "a.blf") as writer:
        for message in messages():
            message.timestamp += 1e9
            writer(message)
    with can.BLFReader(tmp_path / "a.blf") as reader:
        assert reader.object_count == 5
        assert reader.file_size == (tmp_path / "a.blf").stat().st_size
        assert reader.uncompressed_size > reader.file_size
        assert (reader.start_timestamp, reader.stop_timestamp) == (1e9, 1e9 + 101)
        assert len([*reader]) == 5


def test_what_is_not_blf_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a.blf").write_bytes(b"date Tue Nov 14")
    with pytest.raises(BLFParseError, match="not a BLF file: it begins with 64 61 74 65"):
        can.BLFReader(tmp_path / "a.blf")
    assert issubclass(BLFParseError, can.errors.FormatError)


# --- the rest -----------------------------------------------------------------------------------------------


def test_a_missing_log_is_a_missing_file(tmp_path: Path) -> None:
    for name in ("a.asc", "a.db", "a.xyz", "a.blf.gz"):
        with pytest.raises(FileNotFoundError):
            can.LogReader(tmp_path / name)


def test_a_version_of_trc_that_cannot_be_written_is_not_implemented(tmp_path: Path) -> None:
    with can.TRCWriter(tmp_path / "a.trc") as writer:
        with pytest.raises(NotImplementedError, match="version UNKNOWN of TRC"):
            writer.file_version = can.TRCFileVersion.UNKNOWN
        writer.file_version = can.TRCFileVersion.V1_0
        writer(Message(timestamp=1.0))
    assert b"FILEVERSION" not in (tmp_path / "a.trc").read_bytes()


HEADER = b"timestamp,arbitration_id,extended,remote,error,dlc,data\n"
ROW = b"1.5,0x123,0,0,0,1,AQ==\n"


def test_the_row_of_the_manual_is_read() -> None:
    text = HEADER + b"1483389946.197,0x00dadada,1,0,0,6,WzQyLCA5XQ==\n" + ROW
    with can.CSVReader(io.BytesIO(text)) as reader:
        first, second = reader
    assert (first.timestamp, first.arbitration_id, first.dlc) == (1483389946.197, 0xDADADA, 6)
    assert (first.data, second.data) == (b"[42, 9", b"\1")
    assert reader.notes == ["-: rows have more data than their dlc: the excess is left out"]


def test_the_first_line_of_csv_is_a_header_whatever_it_says() -> None:
    with can.CSVReader(io.BytesIO(b"my measurement\n" + ROW * 2)) as reader:
        assert [message.arbitration_id for message in reader] == [0x123] * 2
    assert reader.notes == ['-:1: a header of unknown columns left out: "my measurement"']


@pytest.mark.parametrize("text", [b"my measurement\n", b"my measurement\nof today\n" + ROW])
def test_csv_without_a_row_that_is_known_is_malformed(text: bytes) -> None:
    with (
        can.CSVReader(io.BytesIO(text)) as reader,
        pytest.raises(can.errors.FormatError, match=r"neither a header .* nor a row: .*measurement"),
    ):
        list(reader)
