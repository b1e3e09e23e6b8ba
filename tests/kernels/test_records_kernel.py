"""SocketCAN's records: what ``recvmmsg`` leaves to columns, and columns to records, in both forms."""

from __future__ import annotations

import struct
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.socketcan import records as codec
from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.backends.socketcan.test_records import BAD, CASES, RECEIVED
from tests.kernels.forms import FORMS, load
from tests.strategies import facts, messages

NOW = 1_700_000_000_123_456_789
TIME = (1_436_509_052, 249_713_001)
TIME_NS = 1_436_509_052_249_713_001


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("records", request.param)


def item(level: int, kind: int, data: bytes) -> bytes:
    """Return a control message as 64-bit little-endian Linux lays it out."""
    return struct.pack("<qii", 16 + len(data), level, kind) + data.ljust(-(-len(data) // 8) * 8, b"\0")


STAMP = item(1, 35, struct.pack("<qq", *TIME))


def memory(
    records: list[bytes], extra: bytes = b"", marks: int = 0, index: int = 0
) -> tuple[bytes, bytes, bytes, bytes]:
    """Return headers, names, records and control messages as ``recvmmsg`` leaves them."""
    headers = b"".join(
        struct.pack("<QI4xQQQQi4xI4x", 0, 16, 0, 1, 0, len(extra), marks, len(record)) for record in records
    )
    names = struct.pack("<HxxI24x", 29, index) * len(records)
    return (
        headers,
        names,
        b"".join(record[:72].ljust(72, b"\xee") for record in records),
        extra.ljust(128, b"\xee")[:128] * len(records),
    )


def parsed(
    kernel: Any,
    records: list[bytes],
    *,
    at: int = 0,
    indexes: tuple[int, ...] = (),
    dropped: int = 0,
    rows: int = 20,
    **more: Any,
) -> tuple[MessageBatch, int, int]:
    """Return the frames, the message where it stopped, and why."""
    batch = MessageBatch.with_room(rows, 64 * (rows + 1), ("can0", "can1"))
    at, row, reason = kernel.parse(
        at,
        len(records),
        *memory(records, **more),
        array("I", indexes),
        NOW,
        dropped,
        0,
        *batch.columns(),
    )
    return batch.cut(row), at, reason


def written(kernel: Any, batch: MessageBatch, first: int = 0, room: int = 300) -> list[bytes]:
    """Return the records of the rows from ``first`` on."""
    records, vectors = bytearray(b"\xee") * 72 * room, bytearray(16 * room)
    last = kernel.format(first, *batch.columns(), records, vectors)
    sizes = [int.from_bytes(vectors[16 * at + 8 : 16 * at + 16], "little") for at in range(last - first)]
    return [bytes(records[72 * at : 72 * at + size]) for at, size in enumerate(sizes)]


@pytest.mark.parametrize(("message", "record"), CASES)
def test_known_records_both_ways(kernel: Any, message: Message, record: bytes) -> None:
    assert written(kernel, MessageBatch([message])) == [record]
    batch, at, reason = parsed(kernel, [record], extra=STAMP)
    assert (at, reason, batch[0].timestamp_ns) == (1, kernel.DONE, TIME_NS)
    assert batch[0].equals(message, timestamp_delta=None, check_channel=False)


@pytest.mark.parametrize(("record", "message"), RECEIVED)
def test_what_is_only_received(kernel: Any, record: bytes, message: Message) -> None:
    batch, _, reason = parsed(kernel, [record])
    assert reason == kernel.DONE
    assert facts(batch[0])[2:] == facts(message)[2:]


@pytest.mark.parametrize("record", BAD)
def test_what_is_no_frame_stops_before_it(kernel: Any, record: bytes) -> None:
    batch, at, reason = parsed(kernel, [CASES[0][1], record])
    assert (len(batch), at, reason) == (1, 1, kernel.BAD)


def test_a_record_that_was_cut_is_refused(kernel: Any) -> None:
    assert parsed(kernel, [CASES[0][1]], marks=0x20)[1:] == (0, kernel.BAD)


@given(frames=st.lists(messages(channels=st.just("can0"), directions=st.just(True)), max_size=20))
@pytest.mark.parametrize("form", FORMS)
def test_every_frame_survives(form: str, frames: list[Message]) -> None:
    kernel = load("records", form)
    batch, _, reason = parsed(kernel, written(kernel, MessageBatch(frames)))
    assert reason == kernel.DONE
    assert [facts(message)[1:] for message in batch] == [facts(message)[1:] for message in frames]


@given(frames=st.lists(messages(), max_size=20))
@pytest.mark.parametrize("form", FORMS)
def test_the_records_are_those_of_the_plain_codec(form: str, frames: list[Message]) -> None:
    assert written(load("records", form), MessageBatch(frames)) == [codec.encode(frame) for frame in frames]


@pytest.mark.parametrize(
    ("extra", "time"),
    [
        (b"", NOW),
        (STAMP, TIME_NS),
        (item(1, 64, struct.pack("<qq", *TIME)), TIME_NS),
        (item(1, 37, struct.pack("<6q", *TIME, 0, 0, 0, 0)), TIME_NS),
        (item(1, 37, struct.pack("<6q", 5, 6, 0, 0, *TIME)), TIME_NS),
        (item(1, 65, struct.pack("<6q", 0, 0, 0, 0, *TIME)), TIME_NS),
        (item(1, 37, bytes(48)), NOW),
        (item(41, 35, struct.pack("<qq", *TIME)), NOW),
        (item(1, 99, b"12345") + STAMP, TIME_NS),
        (STAMP[:-1], NOW),
        (item(1, 35, struct.pack("<qq", 1 << 33, 0)), NOW),
        (struct.pack("<qii", 15, 1, 35) + STAMP, NOW),
        (STAMP * 5, TIME_NS),
    ],
)
def test_times(kernel: Any, extra: bytes, time: int) -> None:
    batch, _, _ = parsed(kernel, [CASES[0][1]], extra=extra)
    assert list(batch.timestamp_ns) == [time]


@pytest.mark.parametrize(("marks", "is_rx"), [(0, True), (0x4, False), (0x804, False), (0x800, True)])
def test_frames_of_this_host_are_sent_ones(kernel: Any, marks: int, is_rx: bool) -> None:
    for _, record in CASES:
        assert parsed(kernel, [record], marks=marks)[0][0].is_rx is is_rx


def test_dropped_frames_stop_before_the_message_that_tells_of_them(kernel: Any) -> None:
    records, extra = [CASES[0][1]] * 3, STAMP + item(1, 40, struct.pack("<I", 7))
    assert parsed(kernel, records, extra=extra)[1:] == (0, kernel.DROPPED)
    assert parsed(kernel, records, extra=extra, dropped=7)[1:] == (3, kernel.DONE)


def test_each_interface_is_a_channel(kernel: Any) -> None:
    records = [CASES[0][1]]
    assert list(parsed(kernel, records, index=9, indexes=(4, 9))[0].channel) == [1]
    assert parsed(kernel, records, index=5, indexes=(4, 9))[1:] == (0, kernel.STRANGE)
    assert list(parsed(kernel, records, index=5)[0].channel) == [0]


def test_a_batch_without_room_stops_before_the_next_message(kernel: Any) -> None:
    batch, at, reason = parsed(kernel, [CASES[0][1]] * 5, rows=3)
    assert (len(batch), at, reason) == (3, 3, kernel.FULL)


def test_records_end_where_their_places_do(kernel: Any) -> None:
    batch = MessageBatch(Message(arbitration_id=row, data=b"12") for row in range(5))
    assert len(written(kernel, batch, room=3)) == 3
    assert written(kernel, batch, first=3) == [codec.encode(batch[3]), codec.encode(batch[4])]


def test_columns_that_do_not_fit_are_refused_before_the_loop(kernel: Any) -> None:
    batch = MessageBatch([Message(data=b"1234")])
    batch.offset[1] = 1000
    with pytest.raises(ValueError, match="offsets"):
        written(kernel, batch)
    with pytest.raises(ValueError, match="messages"):
        kernel.parse(0, 2, *memory([b""]), array("I"), 0, 0, 0, *MessageBatch.with_room(1, 64).columns())
    del batch.flags[:]
    with pytest.raises(ValueError, match="length"):
        kernel.parse(0, 1, *memory([b""]), array("I"), 0, 0, 0, *batch.columns())


@given(
    record=st.binary(max_size=72) | st.binary(min_size=16, max_size=16) | st.binary(min_size=72, max_size=72),
    extra=st.lists(
        st.binary(max_size=24)
        | st.builds(
            item, st.sampled_from([1, 2]), st.sampled_from([35, 37, 40, 64, 65]), st.binary(max_size=50)
        ),
        max_size=4,
    ).map(b"".join),
    marks=st.integers(0, 0xFFF),
)
def test_both_forms_and_the_codec_make_the_same_of_noise(record: bytes, extra: bytes, marks: int) -> None:
    results = []
    for form in FORMS:
        batch, at, reason = parsed(load("records", form), [record], extra=extra[:128], marks=marks)
        results.append(([column.tobytes() for column in map(memoryview, batch.columns())], at, reason))
    assert results[0] == results[1]
    if not marks & 0x20 and reason != load("records", FORMS[1]).DROPPED:
        try:
            expected = [facts(codec.decode(record))[2:-4] + facts(codec.decode(record))[-3:]]
        except FormatError:
            expected = []
        assert [facts(message)[2:-4] + facts(message)[-3:] for message in batch] == expected
