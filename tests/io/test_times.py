"""Times at the ends of what 64 bits of nanoseconds hold, and before the first frame, by every writer."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import can
import pytest

from cantools_cli import plugins
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.asc.writer import ASCWriter
from cantools_cli.io.start import EARLY, FAR, HELD, start_of
from cantools_cli.io.trc.writer import TRCWriter

USUAL = 1_700_000_000_000_000_000
LAST, FIRST = (1 << 63) - 1, -(1 << 63)
TIMES = {
    "1970": 0,
    "a millisecond and a half before 1970": -1_500_000,
    "2 to the 53rd": 1 << 53,
    "one more": (1 << 53) + 1,
    "the last": LAST,
    "a millisecond before the last": LAST - 1_000_000,
    "the first": FIRST,
    "the second": FIRST + 1,
    "a millisecond after the first": FIRST + 1_000_000,
    "1678": -9_214_560_000 * 10**9,
    "2262": 9_214_646_400 * 10**9,
}
READING: dict[str, dict[str, Any]] = {"asc": {"relative_timestamp": False}}
#: what formats write that have microseconds, or a double of seconds
_STEP_NS = 1_000


def message(time_ns: int, **fields: Any) -> Message:
    made = Message(arbitration_id=0x123, is_extended_id=False, channel="can0", data=b"\1\2", **fields)
    made.timestamp_ns = time_ns
    return made


@pytest.fixture(autouse=True)
def _no_endless_loop() -> Iterator[None]:
    """End a writer that does not: the whole run would hang."""
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it does not end"))
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.mark.parametrize("order", ["alone", "first", "last"])
@pytest.mark.parametrize("name", plugins.writable())
@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES)
def test_every_writer_takes_every_time(time: int, name: str, order: str, tmp_path: Path) -> None:
    times = {"alone": [time], "first": [time, USUAL], "last": [USUAL, time]}[order]
    path = tmp_path / f"t{plugins.FORMATS[name].suffixes[0]}"
    with plugins.writer_class(name)(path) as writer:
        writer.write(MessageBatch(map(message, times)))
    left_out = sum(count for kind, count in writer.losses.items() if kind.endswith("(left out)"))
    if name == "candump" and time < 0:
        return  # candump has no negative times, so that its output is not read with one
    with plugins.reader_class(name)(path, **READING.get(name, {})) as reader:
        read = [each.timestamp_ns for each in reader]
    assert len(read) + left_out == len(times)
    if not writer.losses:
        assert all(abs(now - then) <= _STEP_NS for now, then in zip(read, times, strict=True))


@pytest.mark.parametrize("name", plugins.writable())
@pytest.mark.parametrize("seconds", [253_402_300_799.0, 253_402_300_800.0, -62_135_596_800.0, 1e300])
def test_a_time_beyond_64_bits_is_refused_by_every_writer(name: str, seconds: float, tmp_path: Path) -> None:
    path = tmp_path / f"t{plugins.FORMATS[name].suffixes[0]}"
    with plugins.writer_class(name)(path) as writer:
        with pytest.raises(ValueError, match="timestamp is out of range"):
            writer.on_message_received(Message(timestamp=seconds))
        writer.on_message_received(message(USUAL))
        if seconds > 0 or not writer.is_monotonic:  # else it gets the time of the message before
            with pytest.raises(ValueError, match="timestamp is out of range"):
                writer.on_message_received(Message(timestamp=seconds))
        writer.on_message_received(message(USUAL + 1_000_000))
    assert not writer.losses
    with plugins.reader_class(name)(path) as reader:
        first, second = (each.timestamp_ns for each in reader)
    assert second - first == pytest.approx(1_000_000, abs=_STEP_NS)


@pytest.mark.parametrize("kind", ["data", "error", "remote"])
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "2.0", "2.1"])
@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES)
def test_no_version_of_trc_loops_on_a_time(time: int, version: str, kind: str) -> None:
    frame = {
        "data": message(time),
        "error": Message(arbitration_id=0x88, is_error_frame=True, data=bytes(8)),
        "remote": Message(arbitration_id=1, is_remote_frame=True, dlc=3),
    }[kind]
    frame.timestamp_ns = time
    stream = io.BytesIO()
    writer = TRCWriter(stream, version=version)
    writer.write(MessageBatch([frame, message(USUAL)]))
    writer.flush()
    lines = [line for line in stream.getvalue().splitlines() if line and not line.startswith(b";")]
    left_out = sum(count for loss, count in writer.losses.items() if loss.endswith("(left out)"))
    assert len(lines) + left_out == 2


LATE_FIRST = [USUAL + 6_000_000, USUAL + 500_000, USUAL + 100_000_000]
#: the writers of times that count from a start
RELATIVE = ["asc", "trc", "blf", "mf4"]


@pytest.mark.parametrize("name", RELATIVE)
def test_the_earliest_frame_is_the_start_also_if_it_comes_later(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{plugins.FORMATS[name].suffixes[0]}"
    with plugins.writer_class(name)(path) as writer:
        for time in LATE_FIRST:
            writer.write(MessageBatch([message(time)]))
    assert not writer.losses
    with plugins.reader_class(name)(path, **READING.get(name, {})) as reader:
        assert [each.timestamp_ns for each in reader] == LATE_FIRST
    if name != "mf4":  # python-can takes only what asammdf wrote
        with can.LogReader(path) as peer:
            assert len(list(peer)) == 3


@pytest.mark.parametrize("name", RELATIVE)
def test_a_frame_before_a_start_that_is_written_gets_that_time(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{plugins.FORMATS[name].suffixes[0]}"
    with plugins.writer_class(name)(path) as writer:
        writer.write(MessageBatch([message(USUAL)]))
        writer.flush()
        error = Message(is_error_frame=True, arbitration_id=0x88, data=bytes(8), channel="can0")
        error.timestamp_ns = USUAL - 2
        writer.write(MessageBatch([message(USUAL + 5_000_000), error, message(USUAL - 1), message(USUAL)]))
    assert writer.losses[EARLY] == 2
    with plugins.reader_class(name)(path, **READING.get(name, {})) as reader:
        times = [each.timestamp_ns for each in reader if not each.is_error_frame]
    assert sorted(times) == [USUAL, USUAL, USUAL, USUAL + 5_000_000]  # MF4 is read by time


@pytest.mark.parametrize("name", ["asc", "trc"])
def test_no_line_has_a_negative_time(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{name}"
    with plugins.writer_class(name)(path) as writer:
        for burst in range(3):
            writer.write(MessageBatch(message(USUAL - burst * 10**9 + step) for step in range(HELD)))
    assert writer.losses[EARLY] == 2 * HELD
    assert b" -" not in path.read_bytes().replace(b" -  2", b"")  # that column of TRC is reserved
    with plugins.reader_class(name)(path) as reader:
        assert len(list(reader)) == 3 * HELD


def test_an_event_before_the_first_frames_is_the_start() -> None:
    stream = io.BytesIO()
    writer = ASCWriter(stream, tz="UTC")
    writer.on_message_received(message(USUAL))
    writer.log_event("pedal pressed", (USUAL - 10**9) / 10**9)
    writer.log_event("too early", (USUAL - 2 * 10**9) / 10**9)
    writer.flush()
    lines = stream.getvalue().decode().splitlines()
    assert lines[-3].startswith("   1.000000 1  123")
    assert lines[-2:] == ["   0.000000 pedal pressed", "   0.000000 too early"]
    assert writer.losses == {EARLY: 1}


@pytest.mark.parametrize("writer_class", [ASCWriter, TRCWriter])
def test_the_size_counts_frames_that_wait(writer_class: type[ASCWriter] | type[TRCWriter]) -> None:
    writer = writer_class(io.BytesIO())
    writer.write(MessageBatch(message(USUAL) for _ in range(100)))
    assert writer.file_size() > 2_000
    writer.flush()
    assert writer.file_size() == writer.output.written > 2_000


def test_a_start_is_never_out_of_range() -> None:
    assert start_of(1_234_567) == 1_000_000
    assert start_of(-1) == -1_000_000
    assert start_of(FIRST) == FIRST // 1_000_000 * 1_000_000 + 1_000_000


def test_frames_too_long_after_the_start_of_a_blf_are_named_in_the_losses(tmp_path: Path) -> None:
    with plugins.writer_class("blf")(tmp_path / "t.blf") as writer:
        writer.write(MessageBatch([message(FIRST), message(USUAL)]))
    assert writer.losses == {EARLY: 1, FAR: 1}


@pytest.mark.parametrize("name", ["asc", "trc"])
def test_the_last_years_are_read_by_their_date(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{name}"
    with plugins.writer_class(name)(path, tz="UTC") as writer:
        writer.on_message_received(message(LAST))
    assert not writer.notes
    with plugins.reader_class(name)(path, tz="UTC", **READING.get(name, {})) as lines:
        assert [each.timestamp_ns for each in lines] == [LAST]
        assert not lines.notes
