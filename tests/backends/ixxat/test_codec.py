"""The codec of VCI messages: known records, all kinds of frames, runs."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.ixxat import codec, constants, events
from cantools_cli.errors import InvalidMessageError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import messages

CLASSIC = bytes.fromhex("102700002301000000 00 03 FF0102030000000000")
FAST = bytes.fromhex("10270000000000004523010000 0C 89 FF") + bytes(range(12)).ljust(64, b"\0")


def ticks(counts: Sequence[int]) -> array[int]:
    return array("q", counts)


def decoded(data: bytes, *, is_fd: bool) -> MessageBatch:
    [(is_frame, run)] = codec.runs(codec.parse(data, is_fd=is_fd))
    assert is_frame
    return codec.frames(run, 0, ticks)


def test_a_classic_record() -> None:
    [message] = decoded(CLASSIC, is_fd=False)
    assert (message.arbitration_id, message.is_extended_id, bytes(message.data)) == (0x123, False, b"\1\2\3")
    assert message.timestamp_ns == 10_000
    assert message.is_rx


def test_a_fast_record() -> None:
    [message] = decoded(FAST, is_fd=True)
    assert (message.arbitration_id, message.is_extended_id) == (0x12345, True)
    assert (message.is_fd, message.bitrate_switch, message.error_state_indicator) == (True, True, False)
    assert bytes(message.data) == bytes(range(12))


def test_a_received_code_above_8_is_8_bytes_of_a_classic_frame() -> None:
    [message] = decoded(CLASSIC[:10] + b"\x0c" + CLASSIC[11:], is_fd=False)
    assert (message.dlc, message.dlc_code, len(message.data)) == (8, 12, 8)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            Message(arbitration_id=0x123, is_extended_id=False, data=b"\1\2"),
            "00000000 23010000 00 00 02 00 0102",
        ),
        (Message(arbitration_id=0x123, data=b""), "00000000 23010000 00 00 80 00"),
        (Message(arbitration_id=1, is_remote_frame=True, dlc=5), "00000000 01000000 00 00 c5 00"),
    ],
)
def test_what_is_sent(message: Message, fields: str) -> None:
    data = codec.encode(MessageBatch([message]), is_fd=False, own=False, fast=False)
    assert data == bytes.fromhex(fields).ljust(20, b"\0")


def test_what_is_sent_with_can_fd() -> None:
    message = Message(
        arbitration_id=7, is_fd=True, bitrate_switch=True, error_state_indicator=True, data=bytes(24)
    )
    [fast] = [codec.encode(MessageBatch([message]), is_fd=True, own=True, fast=True)[8:16]]
    assert fast == bytes.fromhex("07000000 00 1c ac 00")
    slow = codec.encode(MessageBatch([message]), is_fd=True, own=False, fast=False)[8:16]
    assert slow == bytes.fromhex("07000000 00 14 8c 00")


def test_a_cyclic_entry_has_the_code_and_the_bits_of_can_fd() -> None:
    message = Message(arbitration_id=7, is_fd=True, bitrate_switch=True, data=bytes(64))
    entry = codec.encode_cyclic(MessageBatch([message]), 100, is_fd=True, own=False, fast=True)
    assert len(entry) == 76
    assert entry[:12] == bytes.fromhex("6400 00 00 07000000 00 0c 8f 00")


def test_error_frames_are_refused() -> None:
    batch = MessageBatch([Message(is_error_frame=True)])
    with pytest.raises(InvalidMessageError, match="cannot send error frames") as caught:
        codec.check(batch, is_fd=True)
    assert caught.value.sent == 0


def test_can_fd_frames_are_refused_on_a_classic_bus() -> None:
    batch = MessageBatch([Message(is_fd=True)])
    codec.check(batch, is_fd=True)
    with pytest.raises(InvalidMessageError, match="CAN FD disabled"):
        codec.check(batch, is_fd=False)


@given(st.lists(messages(kinds=("classic", "raw", "remote", "fd")), min_size=1), st.booleans())
def test_frames_survive_both_ways(frames: list[Message], own: bool) -> None:
    batch = MessageBatch(frames)
    is_fd = any(message.is_fd for message in frames)
    data = codec.encode(batch, is_fd=is_fd, own=own, fast=True)
    back = decoded(bytes(data), is_fd=is_fd)
    assert back.can_id == batch.can_id
    assert back.payload == batch.payload
    assert back.offset == batch.offset
    kinds = bits.FD | bits.BRS | bits.ESI
    assert [flags & kinds for flags in back.flags] == [flags & kinds for flags in batch.flags]
    assert all(bool(flags & bits.TX) == own for flags in back.flags)


def record(kind: int, flags: int = 0, identifier: int = 0xFFFFFFFF) -> bytes:
    return CLASSIC[:4] + identifier.to_bytes(4, "little") + bytes((kind, 0, flags, 0xFF)) + bytes(8)


def test_runs() -> None:
    frame, info, marked = record(0, identifier=1), record(1), record(0, 0x10, identifier=2)
    stream = info + frame + frame + info + info + frame + marked + frame
    found = codec.runs(codec.parse(stream, is_fd=False))
    assert [(is_frame, len(run)) for is_frame, run in found] == [
        (False, 1),
        (True, 2),
        (False, 1),
        (False, 1),
        (True, 1),
        (True, 2),
    ]


@pytest.mark.parametrize(
    ("code", "is_fd", "words"),
    [
        (constants.CAN_ERROR_STUFF, False, "bit-stuffing-error"),
        (constants.CAN_ERROR_FORM, False, "frame-format-error"),
        (constants.CAN_ERROR_ACK, False, "no-acknowledgement-on-tx"),
        (constants.CAN_ERROR_BIT, False, "single-bit-error"),
        (constants.CAN_ERROR_CRC, False, "crc-sequence"),
        (7, False, "bus-error"),
        (7, True, "data-length-code"),
        (5, True, "single-bit-error"),
        (5, False, "bus-error"),
        (8, True, "bus-error"),
    ],
)
def test_error_codes(code: int, is_fd: bool, words: str) -> None:
    frame = events.error_frame(code, is_fd=is_fd)
    text = error_frames.explain(frame.arbitration_id, frame.data)
    assert words in text
    assert ("protocol-violation" in text) == (words not in ("bus-error", "no-acknowledgement-on-tx"))


@pytest.mark.parametrize(
    ("before", "status", "words"),
    [
        (0, constants.CAN_STATUS_BUSOFF, "bus-off"),
        (0, constants.CAN_STATUS_ERRLIM, "controller-problem{rx-error-warning,tx-error-warning}"),
        (constants.CAN_STATUS_ERRLIM, 0, "controller-problem{back-to-error-active}"),
        (0, constants.CAN_STATUS_TXPEND, None),
        (constants.CAN_STATUS_BUSOFF, constants.CAN_STATUS_BUSOFF, None),
    ],
)
def test_changes_of_the_state(before: int, status: int, words: str | None) -> None:
    frame = events.state_frame(before, status)
    assert (frame and error_frames.explain(frame.arbitration_id, frame.data)) == words
