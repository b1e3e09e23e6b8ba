"""The events of the library as bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.vector import codec, xlclass, xldefine
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import InvalidMessageError
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

SLOTS, CHANNELS = {5: 0, 7: 1}, (10, 11, None)
Tags = xldefine.XL_CANFD_RX_EventTags


def classic(**fields: Any) -> bytes:
    event = xlclass.XLevent(tag=xldefine.XL_EventTags.XL_RECEIVE_MSG, chanIndex=5, timeStamp=1000)
    for name, value in fields.items():
        place = event if name in ("tag", "chanIndex", "timeStamp") else event.tagData.msg
        if name == "event_flags":
            event.flags = value
        elif name == "data":
            place.data[: len(value)] = value
        else:
            setattr(place, name, value)
    return bytes(event)


def fd(tag: int = Tags.XL_CAN_EV_TAG_RX_OK, **fields: Any) -> bytes:
    event = xlclass.XLcanRxEvent(size=128, tag=tag, chanIndex=5, timeStamp=1000)
    message = event.tagData.canRxOkMsg
    for name, value in fields.items():
        if name == "data":
            message.data[: len(value)] = value
        elif name in ("chanIndex", "flagsChip", "timeStamp"):
            setattr(event, name, value)
        else:
            setattr(message, name, value)
    return bytes(event)


def decoded(*events: bytes, is_fd: bool = False) -> tuple[list[Message], Losses, list[int]]:
    losses = Losses()
    decode = codec.decode_fd if is_fd else codec.decode_classic
    found = decode(b"".join(events), SLOTS, CHANNELS, losses)
    return [*found.batch], losses, found.others


def test_classic_frames() -> None:
    events = (
        classic(id=0x123, dlc=3, data=b"\1\2\3"),
        classic(id=0x80000123, dlc=8, data=bytes(8), chanIndex=7, timeStamp=2000),
        classic(id=0x7FF, dlc=5, flags=0x10, data=b"\xff" * 8),
        classic(id=0x1, dlc=12, data=bytes(range(8)), chanIndex=9),
        classic(id=0x2, dlc=0, flags=0x40 | 0x200),
    )
    (base, extended, remote, long, receipt), losses, others = decoded(*events)
    assert (base.arbitration_id, bytes(base.data), base.channel, base.is_rx) == (0x123, b"\1\2\3", 10, True)
    assert (extended.arbitration_id, extended.is_extended_id, extended.channel) == (0x123, True, 11)
    assert (base.timestamp_ns, extended.timestamp_ns) == (1000, 2000)
    assert (remote.is_remote_frame, remote.dlc, bytes(remote.data)) == (True, 5, b"")
    assert (long.dlc, long.dlc_code, bytes(long.data), long.channel) == (8, 12, bytes(range(8)), None)
    assert not receipt.is_rx
    assert not losses
    assert not others


def test_requests_to_send_are_no_frames() -> None:
    messages, losses, others = decoded(classic(id=1, flags=0x80), classic(id=2, flags=0xC0))
    assert (messages, dict(losses), others) == ([], {}, [])


def test_fd_frames() -> None:
    events = (
        fd(canId=0x123, dlc=15, msgFlags=0x1 | 0x2 | 0x4, data=bytes(range(64))),
        fd(canId=0x80000005, dlc=9, msgFlags=0x1),
        fd(canId=0x5, dlc=9, data=bytes(range(8))),
        fd(canId=0x6, dlc=4, msgFlags=0x10, data=b"\xff" * 8),
        fd(Tags.XL_CAN_EV_TAG_TX_OK, canId=0x7, dlc=0, chanIndex=7),
    )
    (full, short, raw, remote, receipt), losses, others = decoded(*events, is_fd=True)
    assert (full.is_fd, full.bitrate_switch, full.error_state_indicator) == (True, True, True)
    assert bytes(full.data) == bytes(range(64))
    assert (short.is_extended_id, short.dlc, short.bitrate_switch) == (True, 12, False)
    assert (raw.is_fd, raw.dlc, raw.dlc_code) == (False, 8, 9)
    assert (remote.is_remote_frame, remote.dlc, bytes(remote.data)) == (True, 4, b"")
    assert (receipt.is_rx, receipt.channel) == (False, 11)
    assert (dict(losses), others) == ({}, [])


@pytest.mark.parametrize(
    ("event", "is_fd"),
    [
        (classic(id=0x800, dlc=1), False),
        (classic(id=0x1, dlc=16), False),
        (fd(canId=0x800), True),
        (fd(canId=0x1, dlc=16), True),
        (fd(canId=0x1, msgFlags=0x11), True),
    ],
)
def test_an_impossible_frame_is_counted(event: bytes, is_fd: bool) -> None:
    good = fd(canId=0x2) if is_fd else classic(id=0x2)
    messages, losses, _ = decoded(event, good, is_fd=is_fd)
    assert [message.arbitration_id for message in messages] == [0x2]
    assert dict(losses) == {"malformed frames skipped": 1}
    assert "impossible frame" in str(losses.first_fault)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (1, 0x401, "protocol-violation{{single-bit-error}{unspecified}},bus-error"),
        (2, 0x401, "protocol-violation{{frame-format-error}{unspecified}},bus-error"),
        (3, 0x402, "protocol-violation{{bit-stuffing-error,error-on-tx}{unspecified}},bus-error"),
        (4, 0x401, "bus-error"),
        (5, 0x401, "protocol-violation{{}{crc-sequence}},bus-error"),
        (6, 0x402, "protocol-violation{{error-on-tx}{unspecified}},no-acknowledgement-on-tx,bus-error"),
        (7, 0x402, "protocol-violation{{error-on-tx}{unspecified}},no-acknowledgement-on-tx,bus-error"),
        (8, 0x401, "protocol-violation{{bus-overload}{unspecified}},bus-error"),
        (9, 0x401, "bus-error"),
        (77, 0x401, "bus-error"),
    ],
)
def test_error_events(code: int, kind: int, words: str) -> None:
    event = xlclass.XLcanRxEvent(size=128, tag=kind, chanIndex=7, timeStamp=5)
    event.tagData.canError.errorCode = code
    [message], _, others = decoded(bytes(event), is_fd=True)
    assert message.is_error_frame
    assert error_frames.explain(message.arbitration_id, message.data) == words
    assert (message.is_rx, message.channel, message.timestamp_ns) == (kind == 0x401, 11, 5)
    assert others == [0]  # for the hook as well


def test_error_frames_among_the_frames() -> None:
    [message], _, _ = decoded(classic(id=0x123, dlc=3, flags=0x1))
    assert (message.is_error_frame, message.arbitration_id, message.dlc) == (True, error_frames.BUS_ERROR, 8)
    [message], _, _ = decoded(fd(canId=0x123, msgFlags=0x200), is_fd=True)
    assert (message.is_error_frame, message.arbitration_id) == (True, error_frames.BUS_ERROR)


@pytest.mark.parametrize(
    ("event", "is_fd"),
    [
        (classic(id=0x5, flags=0x2), False),
        (classic(id=0x5, event_flags=1), False),
        (fd(canId=0x5, flagsChip=0x100), True),
    ],
)
def test_an_overrun_is_counted_and_marked(event: bytes, is_fd: bool) -> None:
    (mark, frame), losses, _ = decoded(event, is_fd=is_fd)
    assert error_frames.explain(mark.arbitration_id, mark.data) == "controller-problem{rx-overflow}"
    assert (mark.timestamp_ns, mark.channel) == (frame.timestamp_ns, frame.channel)
    assert (frame.is_error_frame, frame.arbitration_id) == (False, 5)
    assert dict(losses) == {codec.OVERRUNS: 1}


def test_an_overrun_before_another_event() -> None:
    [mark], losses, others = decoded(classic(tag=8, event_flags=1))
    assert mark.is_error_frame
    assert (dict(losses), others) == ({codec.OVERRUNS: 1}, [0])


@pytest.mark.parametrize("tag", [0, 4, 6, 8, 11, 15, 99])
def test_other_events_are_not_frames(tag: int) -> None:
    assert decoded(classic(tag=tag), classic(id=1))[2] == [0]
    assert decoded(fd(tag), fd(canId=1), is_fd=True)[2] == [0]


def test_the_state_of_a_controller() -> None:
    event = xlclass.XLevent(tag=4, chanIndex=7)
    event.tagData.chipState = xlclass.s_xl_chip_state(1, 20, 30)
    assert codec.tag_of(bytes(event), is_fd=False) == (4, 7)
    assert codec.chip_state(bytes(event), is_fd=False) == (1, 20, 30)
    fd_event = xlclass.XLcanRxEvent(tag=Tags.XL_CAN_EV_TAG_CHIP_STATE, chanIndex=300)
    fd_event.tagData.canChipState = xlclass.s_xl_can_ev_chip_state(8, 2, 3)
    assert codec.tag_of(bytes(fd_event), is_fd=True) == (0x409, 300)
    assert codec.chip_state(bytes(fd_event), is_fd=True) == (8, 2, 3)


def test_classic_events_to_send() -> None:
    batch = MessageBatch(
        [
            Message(arbitration_id=0x123, is_extended_id=False, data=b"\1\2"),
            Message(arbitration_id=0x123, is_remote_frame=True, dlc=4),
        ]
    )
    first, second = (
        xlclass.XLevent.from_buffer_copy(codec.encode(batch, (row,), is_fd=False)) for row in (0, 1)
    )
    assert (first.tag, first.tagData.msg.id, first.tagData.msg.flags, first.tagData.msg.dlc) == (
        10,
        0x123,
        0,
        2,
    )
    assert bytes(first.tagData.msg.data) == b"\1\2" + bytes(6)
    assert (second.tagData.msg.id, second.tagData.msg.flags, second.tagData.msg.dlc) == (0x80000123, 0x10, 4)
    assert (first.chanIndex, first.timeStamp, first.tagData.msg.res1) == (0, 0, 0)


def test_fd_events_to_send() -> None:
    messages = [
        Message(arbitration_id=0x1, is_fd=True, data=bytes(range(64)), bitrate_switch=True),
        Message(
            arbitration_id=0x2, is_fd=True, data=bytes(12), is_extended_id=False, error_state_indicator=True
        ),
        Message(arbitration_id=0x3, is_remote_frame=True, dlc=7),
        Message(arbitration_id=0x4, data=b"\5"),
    ]
    batch = MessageBatch(messages)
    events = codec.encode(batch, range(4), is_fd=True)
    found = [xlclass.XLcanTxEvent.from_buffer_copy(events, 88 * row) for row in range(4)]
    parts = [(one.tagData.canMsg.canId, one.tagData.canMsg.msgFlags, one.tagData.canMsg.dlc) for one in found]
    assert parts == [(0x80000001, 3, 15), (0x2, 1, 9), (0x80000003, 0x10, 7), (0x80000004, 0, 1)]
    assert {(one.tag, one.transId, one.chanIndex) for one in found} == {(0x440, 0xFFFF, 0)}
    assert bytes(found[0].tagData.canMsg.data) == bytes(range(64))


def test_frames_that_cannot_be_sent() -> None:
    error = MessageBatch([Message(is_error_frame=True)])
    for is_fd in (False, True):
        with pytest.raises(InvalidMessageError, match="cannot send error frames") as caught:
            codec.check(error, is_fd)
        assert caught.value.sent == 0
    frame = MessageBatch([Message(is_fd=True)])
    codec.check(frame, is_fd=True)
    with pytest.raises(InvalidMessageError, match="CAN FD disabled"):
        codec.check(frame, is_fd=False)


@given(st.binary(max_size=1000), st.booleans())
def test_any_events_give_a_valid_batch(data: bytes, is_fd: bool) -> None:
    size = codec.FD_RX_SIZE if is_fd else codec.CLASSIC_SIZE
    messages, _, _ = decoded(data[: len(data) // size * size], is_fd=is_fd)
    again = MessageBatch(message for message in messages if not message.is_error_frame)
    assert [*map(str, again)] == [str(message) for message in messages if not message.is_error_frame]


WORDS = st.integers(0, 0x800) | st.integers(0x80000000, 0x9FFFFFFF)


@given(
    st.lists(st.tuples(WORDS, st.integers(0, 16), st.binary(max_size=64), st.integers(0, 9)), min_size=1),
    st.integers(0, 15),
    st.booleans(),
    st.booleans(),
)
def test_usual_frames_take_a_shorter_way_with_the_same_result(
    frames: list[tuple[int, int, bytes, int]], flags: int, is_receipt: bool, is_fd: bool
) -> None:
    def event(word: int, code: int, data: bytes, index: int) -> bytes:
        if is_fd:
            tag = Tags.XL_CAN_EV_TAG_TX_OK if is_receipt else Tags.XL_CAN_EV_TAG_RX_OK
            return fd(tag, canId=word, dlc=code, msgFlags=flags, data=data, chanIndex=index)
        return classic(id=word, dlc=code, flags=0x40 * is_receipt, data=data[:8], chanIndex=index)

    events = [event(*frame) for frame in frames]
    usual, losses, _ = decoded(*events, is_fd=is_fd)
    other = fd(8) if is_fd else classic(tag=8)  # with which no batch is usual
    long, expected, _ = decoded(*events, other, is_fd=is_fd)
    assert [*map(repr, usual)] == [*map(repr, long)]
    assert [one.timestamp_ns for one in usual] == [one.timestamp_ns for one in long]
    assert losses == expected
