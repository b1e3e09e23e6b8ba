"""Kinds of records in one data group of an MDF 4 file, which come in the order of time."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import asammdf
import pytest

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.mf4 import blocks
from cantools_cli.io.mf4 import reader as mf4
from cantools_cli.io.mf4.head import ORDER_AT, ORDER_BY_TIME
from cantools_cli.io.mf4.reader import MF4Reader
from cantools_cli.io.mf4.records import RecordStream
from cantools_cli.io.mf4.writer import MF4Writer
from tests.io.mf4.mf4_bytes import START_NS, File, usual, usual_record

S = 1_000_000_000
EVENTS = ("CAN_DataFrame", "CAN_ErrorFrame", "CAN_RemoteFrame")


def record(kind: int, time: float, number: int) -> bytes:
    return bytes((kind,)) + usual_record(number, b"\1", time)


def file_of(records: bytes, *, kinds: int = 2, unfinished: bool = False, packed: bool = False) -> bytes:
    """Return a file with ``kinds`` groups of data frames in one data group."""
    file = File(magic=b"UnFinMF " if unfinished else b"MDF     ", unfinished=5 if unfinished else 0)
    first = 0
    for kind in range(kinds, 0, -1):
        first = file.group(file.chain(usual()), 24, following=first, record_id=kind)
    if packed:
        import zlib

        data = zlib.compress(records)
        block = file.add(b"DZ", (), struct.pack("<2sBBIQQ", b"DT", 0, 0, 0, len(records), len(data)) + data)
    else:
        block = file.add(b"DT", (), records)
    return file.finish(file.data_group(first, block, id_size=1))


def read(data: bytes, **options: object) -> list[tuple[float, int]]:
    reader = MF4Reader(io.BytesIO(data), **options)
    return [((one.timestamp_ns - START_NS) / S, one.arbitration_id) for one in reader]


ANSWERS_FIRST = b"".join(
    record(kind, time, number)
    for kind, time, number in (
        (1, 0.006, 0x7E8),
        (1, 0.1, 0x7E9),
        (2, 0.0005, 0x7E0),
        (2, 0.006, 0x7E1),
        (1, 0.2, 0x7EA),
        (2, 0.15, 0x7E2),
    )
)
IN_ORDER = [
    (0.0005, 0x7E0),
    (0.006, 0x7E8),
    (0.006, 0x7E1),
    (0.1, 0x7E9),
    (0.15, 0x7E2),
    (0.2, 0x7EA),
]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("unfinished", [False, True], ids=["finished", "unfinished"])
def test_kinds_of_records_come_in_the_order_of_time(unfinished: bool, packed: bool) -> None:
    assert read(file_of(ANSWERS_FIRST, unfinished=unfinished, packed=packed)) == IN_ORDER


def test_kinds_that_follow_one_another_are_merged_from_end_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mf4, "CHUNK", 1 << 12)
    records = b"".join(record(1, step / 100, step) for step in range(2000))
    records += b"".join(record(2, step / 100 + 0.005, step) for step in range(2000))
    found = read(file_of(records))
    assert found == sorted(found)
    assert len(found) == 4000


def test_the_file_that_canx_writes_of_a_log_out_of_order_is_read_in_order() -> None:
    stream = io.BytesIO()
    sent = []
    for time_ns, fields in (
        (6_000_000, {"arbitration_id": 0x7E8, "data": b"\6\x41"}),
        (500_000, {"arbitration_id": 0x7E0, "is_remote_frame": True, "dlc": 2}),
        (100_000_000, {"arbitration_id": 0x7E8, "data": b"\6\x42"}),
        (50_000_000, {"arbitration_id": 4, "is_error_frame": True, "data": bytes(8)}),
    ):
        message = Message(is_extended_id=False, channel="can0", **fields)
        message.timestamp_ns = START_NS // 1000 * 1000 + time_ns
        sent.append(message)
    with MF4Writer(stream) as writer:
        writer.write(MessageBatch(sent))
        data = stream.getvalue()  # before it is finished, and after
        writer.flush()
        data = stream.getvalue()
    for each in (data, stream.getvalue()):
        times = [message.timestamp_ns for message in MF4Reader(io.BytesIO(each))]
        assert times == sorted(message.timestamp_ns for message in sent)


def log(*times_ns: int, remote: int = 2) -> MessageBatch:
    """Return frames at ``times_ns`` after the start; every ``remote``-th is a remote frame."""
    messages = []
    for number, time_ns in enumerate(times_ns):
        message = Message(arbitration_id=number, is_remote_frame=number % remote == 0, channel="can0")
        message.timestamp_ns = START_NS // 1000 * 1000 + time_ns
        messages.append(message)
    return MessageBatch(messages)


def times_of(path: Path) -> list[int]:
    start = START_NS // 1000 * 1000
    with MF4Reader(path) as reader:
        return [message.timestamp_ns - start for message in reader]


def test_a_closed_file_of_canx_in_order_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with MF4Writer(tmp_path / "t.mf4") as writer:
        writer.write(log(0, 5, 5, 7 * S))
        writer.write(log(7 * S, 8 * S))
    monkeypatch.setattr(RecordStream, "is_in_order", None)  # a call raises TypeError
    assert times_of(tmp_path / "t.mf4") == [0, 5, 5, 7 * S, 7 * S, 8 * S]


@pytest.mark.parametrize("second", [(7 * S, 6 * S), (3 * S,)], ids=["within a batch", "between batches"])
def test_a_file_of_canx_out_of_order_is_not_marked(tmp_path: Path, second: tuple[int, ...]) -> None:
    with MF4Writer(tmp_path / "t.mf4") as writer:
        writer.write(log(0, 5 * S))
        writer.flush()  # the start of the file is known from here on
        writer.write(log(*second))
    assert times_of(tmp_path / "t.mf4") == sorted((0, 5 * S, *second))


def test_a_file_continued_out_of_order_loses_the_mark(tmp_path: Path) -> None:
    path = tmp_path / "t.mf4"
    with MF4Writer(path) as writer:
        writer.write(log(0, 5 * S))
    assert path.read_bytes()[ORDER_AT:].startswith(ORDER_BY_TIME)
    with MF4Writer(path, append=True) as writer:
        writer.write(log(2 * S))
    assert times_of(path) == [0, 2 * S, 5 * S]


def test_asammdf_finds_the_same_frames_at_the_same_times(tmp_path: Path) -> None:
    path = tmp_path / "t.mf4"
    with MF4Writer(path) as writer:
        for number, (time_ns, is_remote) in enumerate(
            ((5 * S, False), (S, True), (6 * S, False), (2 * S, True))
        ):
            message = Message(arbitration_id=number, is_extended_id=False, is_remote_frame=is_remote)
            message.timestamp_ns = START_NS // 1000 * 1000 + time_ns
            writer(message)
    found = []
    with asammdf.MDF(path) as peer:
        for group, event in ((0, "CAN_DataFrame"), (3, "CAN_RemoteFrame")):
            identifiers = peer.get(f"{event}.ID", group=group)
            times = (round(time * S) for time in identifiers.timestamps)
            found += zip(times, map(int, identifiers.samples), strict=True)
    start = START_NS // 1000 * 1000 + S
    with MF4Reader(path) as reader:
        ours = [(message.timestamp_ns - start, message.arbitration_id) for message in reader]
    assert ours == sorted(found) == [(0, 1), (S, 3), (4 * S, 0), (5 * S, 2)]


def test_equal_times_and_one_kind_alone_keep_the_order_of_the_file() -> None:
    records = b"".join(record(1, time, number) for number, time in enumerate((0.3, 0.1, 0.2)))
    assert [number for _, number in read(file_of(records, kinds=1))] == [0, 1, 2]
    records = b"".join(record(1 + number % 2, 0.1, number) for number in range(6))
    assert [number for _, number in read(file_of(records))] == [0, 1, 2, 3, 4, 5]


def test_a_fault_in_one_kind_costs_no_frame_of_the_others_before_it() -> None:
    bad = bytes((2,)) + usual_record(0x7E3, b"\1", 0.16, size=200)
    data = file_of(ANSWERS_FIRST + bad + record(1, 0.3, 0x7EB))
    found: list[int] = []
    with pytest.raises(FormatError, match="200 data bytes"):
        found.extend(message.arbitration_id for message in MF4Reader(io.BytesIO(data)))
    assert [number for _, number in IN_ORDER] == found[:6]
    reader = MF4Reader(io.BytesIO(data), on_error="skip")
    assert len(list(reader)) == 7
    assert reader.skipped == 1


@pytest.mark.parametrize("cut", range(0, len(ANSWERS_FIRST), 7))
def test_a_fault_of_all_kinds_is_counted_once(cut: int) -> None:
    data = file_of(ANSWERS_FIRST[:cut] + b"\7" * 40)
    reader = MF4Reader(io.BytesIO(data), on_error="skip")
    assert len(list(reader)) <= 6
    assert reader.skipped <= 1


def test_more_kinds_than_passes_are_read_and_said() -> None:
    kinds = 40
    records = b"".join(record(1 + step % kinds, 1 - step / 100, step) for step in range(80))
    reader = MF4Reader(io.BytesIO(file_of(records, kinds=kinds)))
    assert {message.arbitration_id for message in reader} == {*range(80)}
    assert "not all merged by time" in reader.notes[0]


def peak_of(batches: Iterable[MessageBatch]) -> int:
    tracemalloc.start()
    for _ in batches:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_follow_how_far_the_kinds_are_apart(tmp_path: Path) -> None:
    path, peaks = tmp_path / "t.mf4", []
    for frames in (20_000, 80_000):
        records = b"".join(record(kind, step / 1e6, 1) for kind in (1, 2) for step in range(frames))
        path.write_bytes(file_of(records))
        with MF4Reader(path) as reader:
            peaks.append(peak_of(reader.batches()))
    assert peaks[1] < peaks[0] + blocks.MAX_DATA * 8  # all frames of a kind are 2 MB more
