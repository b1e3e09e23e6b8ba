"""The structures of PCAN-Basic as frames, and back."""

from __future__ import annotations

import struct
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.pcan import codec
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

FD_SIZES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)


def record(identifier: int, kind: int, length: int, data: bytes = b"", *, is_fd: bool = False) -> bytes:
    size = 64 if is_fd else 8
    return struct.pack(f"=IBB{size}s2x", identifier, kind, length, data)


def decoded(*records: bytes, is_fd: bool = False) -> MessageBatch:
    times = array("q", range(len(records)))
    return codec.decode(bytearray(b"".join(records)), times, "PCAN_USBBUS1", is_fd=is_fd)


def facts(message: Message) -> tuple[Any, ...]:
    kinds = message.is_extended_id, message.is_remote_frame, message.is_error_frame
    fd = message.is_fd, message.bitrate_switch, message.error_state_indicator
    return message.arbitration_id, kinds, fd, message.is_rx, message.dlc, bytes(message.data)


NONE = (False, False, False)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((0x123, 0, 3, b"abc"), (0x123, NONE, NONE, True, 3, b"abc")),
        ((0x1ABCDEF0, 2, 8, b"12345678"), (0x1ABCDEF0, (True, False, False), NONE, True, 8, b"12345678")),
        ((0x7FF, 1, 5, b"xxxxx"), (0x7FF, (False, True, False), NONE, True, 5, b"")),
        ((0x7FF, 3, 9), (0x7FF, (True, True, False), NONE, True, 8, b"")),
        ((0x12, 0x20, 1, b"a"), (0x12, NONE, NONE, False, 1, b"a")),
        ((0x12, 0, 15, b"12345678"), (0x12, NONE, NONE, True, 8, b"12345678")),
    ],
)
def test_a_classic_message(words: Any, expected: tuple[Any, ...]) -> None:
    for batch in (decoded(record(*words)), decoded(record(1, 0, 2, b"ab"), record(*words))):
        assert facts(batch[-1]) == expected
        assert batch[-1].channel == "PCAN_USBBUS1"
        assert batch[-1].timestamp_ns == len(batch) - 1


@pytest.mark.parametrize("code", range(16))
@pytest.mark.parametrize(("kind", "fd"), [(4, (True, False, False)), (0x1C, (True, True, True))])
def test_the_lengths_of_fd(code: int, kind: int, fd: tuple[bool, ...]) -> None:
    data = bytes(range(64))
    [message] = decoded(record(0x123, kind, code, data, is_fd=True), is_fd=True)
    assert facts(message) == (0x123, NONE, fd, True, FD_SIZES[code], data[: FD_SIZES[code]])


def test_a_classic_frame_of_an_fd_channel() -> None:
    batch = decoded(
        record(1, 0, 8, b"12345678", is_fd=True),
        record(2, 0, 12, b"12345678", is_fd=True),
        record(3, 4, 12, bytes(24), is_fd=True),
        is_fd=True,
    )
    assert [(message.is_fd, len(message.data)) for message in batch] == [(False, 8), (False, 8), (True, 24)]
    assert [message.dlc_code for message in batch] == [8, 12, 12]  # as on the wire


@pytest.mark.parametrize(
    ("identifier", "data", "error_class", "expected"),
    [
        (0, (0, 0, 5, 6), 0x200, "00000000 00000605"),  # the counters: receive 5, transmit 6
        (1, (0, 10, 0, 8), 0x88, "0000810a 00000800"),  # a bit error while sending, in the data
        (2, (1, 0x17, 1, 0), 0x88, "00000217 00000001"),  # a form error while receiving
        (4, (1, 10, 0, 0), 0x88, "0000040a 00000000"),
        (8, (0, 0x19, 0, 8), 0xA8, "00008019 00000800"),  # no acknowledgement
        (8, (1, 0x19, 0, 0), 0x88, "00000019 00000000"),
        (5, (1, 3, 0, 0), 0x88, "00000503 00000000"),  # two kinds
    ],
)
def test_error_frames(identifier: int, data: tuple[int, ...], error_class: int, expected: str) -> None:
    [message] = decoded(record(identifier, 0x40, 4, bytes(data)))
    assert (message.is_error_frame, message.arbitration_id, message.dlc) == (True, error_class, 8)
    assert bytes(message.data) == bytes.fromhex(expected)


def test_times() -> None:
    stamps = bytearray(struct.pack("=IHHIHH", 1, 0, 2, 0xFFFFFFFF, 3, 999))
    expected = [1002, 1000 * 0xFFFFFFFF + 999 + 3 * 1000 * 2**32]
    assert codec.times(stamps, is_fd=False) == expected
    assert codec.times(stamps, is_fd=False, per_microsecond=1000) == [1000 * each for each in expected]
    stamps = bytearray(struct.pack("=QQ", 7, 2**63))
    assert codec.times(stamps, is_fd=True) == [7, 2**63]
    assert codec.times(stamps, is_fd=True, per_microsecond=10) == [70, 10 * 2**63]


def test_status_messages_are_no_frames() -> None:
    messages = bytearray(record(1, 0, 0) + record(0, 0x80, 4, b"\0\0\0\x08") + record(2, 0, 0))
    stamps = bytearray(struct.pack("=IHHIHHIHH", 1, 0, 0, 2, 0, 0, 3, 0, 0))
    kept, times = codec.without_status(messages, stamps, is_fd=False)
    assert kept == record(1, 0, 0) + record(2, 0, 0)
    assert codec.times(times, is_fd=False) == [1000, 3000]
    assert codec.without_status(bytearray(), bytearray(), is_fd=True) == (b"", b"")


@pytest.mark.parametrize(
    ("words", "is_fd"),
    [
        ((0x800, 0, 0), False),
        ((0x20000000, 2, 0), False),
        ((0x20000000, 2, 0), True),
        ((1, 8, 0), False),
        ((1, 0x10, 0), True),
        ((1, 5, 0), True),
    ],
)
def test_impossible_frames_are_counted(words: Any, is_fd: bool) -> None:
    good = record(0x7FF, 0, 1, b"a", is_fd=is_fd)
    extended = record(0x1FFFFFFF, 2, 0, is_fd=is_fd)
    losses = Losses()
    messages = bytearray(good + record(*words, is_fd=is_fd) + extended)
    kept, stamps = codec.without_malformed(messages, bytearray(range(24)), losses, is_fd=is_fd)
    assert kept == good + extended
    assert [*stamps] == [*range(8), *range(16, 24)]
    assert dict(losses) == {"malformed frames skipped": 1}
    assert "an impossible frame: identifier" in str(losses.first_fault)


def test_a_classic_channel_refuses_fd() -> None:
    batch = MessageBatch([Message(arbitration_id=1), Message(arbitration_id=1, is_fd=True)])
    with pytest.raises(CanOperationError, match="pcan:x: a CAN FD frame") as caught:
        codec.check(batch, is_fd=False, name="pcan:x")
    assert caught.value.sent == 0
    codec.check(batch, is_fd=True, name="pcan:x")
    with pytest.raises(CanOperationError, match="cannot send error frames"):
        codec.check(MessageBatch([Message(is_error_frame=True, dlc=0)]), is_fd=True, name="pcan:x")


@st.composite
def frames(draw: st.DrawFn, is_fd: bool) -> Message:
    extended = draw(st.booleans())
    identifier = draw(st.integers(0, 0x1FFFFFFF if extended else 0x7FF))
    more: dict[str, Any] = {"arbitration_id": identifier, "is_extended_id": extended}
    if is_fd and draw(st.booleans()):
        size = draw(st.sampled_from(FD_SIZES))
        flags = {"bitrate_switch": draw(st.booleans()), "error_state_indicator": draw(st.booleans())}
        return Message(data=draw(st.binary(min_size=size, max_size=size)), is_fd=True, **flags, **more)
    if draw(st.booleans()):
        return Message(is_remote_frame=True, dlc=draw(st.integers(0, 8)), **more)
    return Message(data=draw(st.binary(max_size=8)), **more)


@given(st.booleans(), st.data())
def test_frames_survive(is_fd: bool, data: st.DataObject) -> None:
    messages = data.draw(st.lists(frames(is_fd), min_size=1, max_size=40))
    batch = MessageBatch(messages)
    records = [codec.encode(batch, row, is_fd=is_fd) for row in range(len(batch))]
    assert {len(one) for one in records} == {72 if is_fd else 16}
    back = decoded(*records, is_fd=is_fd)
    assert [facts(message) for message in back] == [facts(message) for message in messages]
    assert MessageBatch([*back]).columns()[1:] == back.columns()[1:]  # the columns are consistent


@given(st.booleans(), st.data())
def test_any_messages_give_consistent_frames(is_fd: bool, data: st.DataObject) -> None:
    size, count = (72 if is_fd else 16), data.draw(st.integers(1, 40))
    messages = bytearray(data.draw(st.binary(min_size=size * count, max_size=size * count)))
    kinds = data.draw(
        st.lists(st.sampled_from((0, 1, 2, 4, 0x40, 0x80, 0xFF)), min_size=count, max_size=count)
    )
    messages[codec.TYPE :: size] = bytes(kinds)
    losses = Losses()
    kept, stamps = codec.without_status(messages, bytearray(8 * count), is_fd=is_fd)
    kept, stamps = codec.without_malformed(kept, stamps, losses, is_fd=is_fd)
    assert len(kept) // size == len(stamps) // 8
    if kept:
        batch = codec.decode(kept, array("q", codec.times(stamps, is_fd=is_fd)), 0, is_fd=is_fd)
        assert len(batch) + losses["malformed frames skipped"] == sum(kind < 0x80 for kind in kinds)
        assert batch.offset[-1] == len(batch.payload)
        assert len(MessageBatch([*batch])) == len(batch)
        assert not bits.XL & max(batch.flags)
