"""The messages of canRead and canWrite as columns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.kvaser import codec
from cantools_cli.backends.kvaser import constants as c
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import InvalidMessageError
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import messages


def record(identifier: int, data: bytes, flags: int, tick: int = 0, size: int | None = None) -> bytes:
    return codec.RECORD.pack(identifier, len(data) if size is None else size, flags, tick, data)


def decoded(*records: bytes, **options: Any) -> tuple[list[Message], list[int], Losses]:
    losses = Losses()
    batch, ticks = codec.Decoder(3, losses, **options).decode(memoryview(b"".join(records)))
    assert len(batch) == len(ticks)
    return [*batch], [*ticks], losses


def std(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, channel=3, **more)


# Every row is read, and those that can be sent are written as well.
FRAMES = [
    ((0x123, b"\1\2\3", c.canMSG_STD), std(0x123, b"\1\2\3")),
    ((0x7FF, bytes(8), c.canMSG_STD), std(0x7FF, bytes(8))),
    ((0x12ABCDEF, b"", c.canMSG_EXT), Message(arbitration_id=0x12ABCDEF, channel=3)),
    ((0x7, b"", c.canMSG_EXT), Message(arbitration_id=0x7, channel=3)),
    ((0x123, b"", c.canMSG_STD | c.canMSG_RTR), std(0x123, is_remote_frame=True)),
    ((0x1, bytes(12), c.canMSG_STD | c.canFDMSG_FDF), std(0x1, bytes(12), is_fd=True)),
    (
        (0x1ABCDEF, bytes(64), c.canMSG_EXT | c.canFDMSG_FDF | c.canFDMSG_BRS),
        Message(arbitration_id=0x1ABCDEF, data=bytes(64), is_fd=True, bitrate_switch=True, channel=3),
    ),
]


@pytest.mark.parametrize(("fields", "message"), FRAMES)
def test_frames(fields: tuple[int, bytes, int], message: Message) -> None:
    [found], [tick], losses = decoded(record(*fields, tick=1_000_000))
    assert found.equals(message, timestamp_delta=None)
    assert tick == 1_000_000
    assert not losses
    batch = MessageBatch([message])
    [frame] = codec.encode(batch)
    assert (frame.identifier, frame.length, frame.flags) == (fields[0], len(fields[1]), fields[2])
    assert batch.payload[frame.offset : frame.offset + frame.length] == fields[1]


def test_frames_of_all_kinds_together() -> None:
    """A batch of plain frames is decoded as columns, any other one by one."""
    plain = [row for row in FRAMES if row[0][2] in (c.canMSG_STD, c.canMSG_EXT)]
    for rows in (plain, FRAMES, []):
        found, _, _ = decoded(*(record(*fields) for fields, _ in rows))
        assert len(found) == len(rows)
        for one, (_, message) in zip(found, rows, strict=True):
            assert one.equals(message, timestamp_delta=None)


def test_a_remote_frame_requests_bytes_and_has_none() -> None:
    [found], _, _ = decoded(record(0x123, b"junk", c.canMSG_STD | c.canMSG_RTR, size=5))
    assert (found.dlc, bytes(found.data)) == (5, b"")
    [frame] = codec.encode(MessageBatch([std(0x123, is_remote_frame=True, dlc=5)]))
    assert frame.length == 5


def test_the_error_state_indicator_is_received_and_not_sent() -> None:
    flags = c.canMSG_STD | c.canFDMSG_FDF | c.canFDMSG_ESI
    [found], _, _ = decoded(record(1, b"\1", flags))
    assert found.error_state_indicator
    [frame] = codec.encode(MessageBatch([found]))
    assert frame.flags == c.canMSG_STD | c.canFDMSG_FDF  # the library refuses the flag


@pytest.mark.parametrize("length", range(9, 16))
def test_a_length_code_above_8_means_8_bytes(length: int) -> None:
    [found], _, losses = decoded(record(1, bytes(8), c.canMSG_STD, size=length))
    assert (found.dlc, len(found.data)) == (8, 8)
    assert not losses


def test_std_wins_over_ext() -> None:
    [found], _, _ = decoded(record(0x123, b"", c.canMSG_STD | c.canMSG_EXT))
    assert not found.is_extended_id


def test_the_time_has_32_bits() -> None:
    _, ticks, _ = decoded(record(1, b"", c.canMSG_STD, tick=0x1_0000_0005 & ((1 << 64) - 1)))
    assert ticks == [5]


@pytest.mark.parametrize(
    ("flags", "is_rx"), [(0, True), (c.canMSG_LOCAL_TXACK, False), (c.canMSG_WAKEUP | c.canMSG_NERR, True)]
)
def test_direction(flags: int, is_rx: bool) -> None:
    [found], _, _ = decoded(record(1, b"", c.canMSG_STD | flags))
    assert found.is_rx is is_rx


def test_acknowledgements_are_own_messages_on_request() -> None:
    acknowledged = record(1, b"\1", c.canMSG_STD | c.canMSG_TXACK)
    requested = record(1, b"\1", c.canMSG_STD | c.canMSG_TXRQ)
    assert decoded(acknowledged, requested)[0] == []
    [found], _, _ = decoded(acknowledged, requested, keeps_acknowledged=True)
    assert not found.is_rx


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (0, "bus-error"),
        (c.canMSGERR_STUFF, "protocol-violation{{bit-stuffing-error}{unspecified}},bus-error"),
        (c.canMSGERR_FORM, "protocol-violation{{frame-format-error}{unspecified}},bus-error"),
        (c.canMSGERR_CRC, "protocol-violation{{}{crc-sequence}},bus-error"),
        (c.canMSGERR_BIT0, "protocol-violation{{tx-dominant-bit-error}{unspecified}},bus-error"),
        (c.canMSGERR_BIT1, "protocol-violation{{tx-recessive-bit-error}{unspecified}},bus-error"),
    ],
)
def test_error_frames(flags: int, text: str) -> None:
    [found], _, losses = decoded(
        record(0x7F, b"", c.canMSG_ERROR_FRAME | flags)
    )  # the identifier means nothing
    assert found.is_error_frame
    assert found.dlc == 8
    assert error_frames.explain(found.arbitration_id, found.data) == text
    assert not losses


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        (c.canMSGERR_HW_OVERRUN, "overruns reported by the device"),
        (c.canMSGERR_SW_OVERRUN, "overruns of the driver's receive queue"),
    ],
)
def test_an_overrun_is_counted_and_marked_before_the_frame(flag: int, kind: str) -> None:
    found, ticks, losses = decoded(record(1, b"\1", c.canMSG_STD | flag, tick=7))
    assert error_frames.explain(found[0].arbitration_id, found[0].data) == "controller-problem{rx-overflow}"
    assert (found[0].is_error_frame, found[1].arbitration_id, bytes(found[1].data)) == (True, 1, b"\1")
    assert ticks == [7, 7]
    assert losses == {kind: 1}


def test_an_error_frame_after_an_overrun() -> None:
    flags = c.canMSG_ERROR_FRAME | c.canMSGERR_SW_OVERRUN | c.canMSGERR_HW_OVERRUN | c.canMSGERR_CRC
    found, _, losses = decoded(record(0, b"", flags))
    assert [message.arbitration_id for message in found] == [
        error_frames.CONTROLLER,
        error_frames.PROTOCOL | error_frames.BUS_ERROR,
    ]
    assert losses.total() == 2


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record(0x800, b"", c.canMSG_STD), "identifier 0x800 is out of range"),
        (record(0x20000000, b"", c.canMSG_EXT), "identifier 0x20000000 is out of range"),
        (record(1, bytes(13), c.canMSG_STD | c.canFDMSG_FDF), "a CAN FD frame of 13 bytes"),
        (record(1, b"", c.canMSG_STD | c.canFDMSG_FDF | c.canMSG_RTR), "a CAN FD remote frame"),
        (record(1, b"", c.canMSG_STD, size=16), "a classic frame of 16 bytes"),
        (record(-1, b"", c.canMSG_STD), "identifier -0x1 is out of range"),
        (
            record(1, b"", c.canMSG_STD | c.canFDMSG_FDF, size=0xFFFFFFFF),
            "a CAN FD frame of 4294967295 bytes",
        ),
    ],
)
def test_what_is_not_a_frame_costs_only_itself(bad: bytes, reason: str) -> None:
    found, _, losses = decoded(bad, record(5, b"", c.canMSG_STD))
    assert [message.arbitration_id for message in found] == [5]
    assert losses == {"malformed frames skipped": 1}
    assert str(losses.first_fault) == reason


def test_frames_that_the_channel_cannot_send() -> None:
    classic, fd = MessageBatch([std(1)]), MessageBatch([std(1, is_fd=True)])
    codec.check(classic, False, "kvaser:0")
    codec.check(fd, True, "kvaser:0")
    with pytest.raises(InvalidMessageError, match="kvaser:0: cannot send a CAN FD frame") as error:
        codec.check(fd, False, "kvaser:0")
    assert (error.value.sent, error.value.hint) == (0, "fd=true opens it with CAN FD")
    with pytest.raises(InvalidMessageError, match="cannot send an error frame"):
        codec.check(MessageBatch([std(4, bytes(8), is_error_frame=True)]), True, "kvaser:0")


@given(st.lists(messages(kinds=("classic", "remote", "fd")), max_size=8))
def test_what_is_written_is_read(frames: list[Message]) -> None:
    batch = MessageBatch(frames)
    written = [
        record(
            frame.identifier,
            b"" if frame.flags & c.canMSG_RTR else bytes(batch.payload[frame.offset :][: frame.length]),
            frame.flags,
            size=frame.length,
        )
        for frame in codec.encode(batch)
    ]
    found, _, losses = decoded(*written)
    assert not losses
    for one, sent in zip(found, frames, strict=True):
        sent.error_state_indicator = False  # not sent
        sent.is_rx = True
        assert one.equals(sent, timestamp_delta=None, check_channel=False)


KINDS = st.sampled_from([c.canMSG_STD, c.canMSG_EXT, c.canMSG_STD | c.canMSG_RTR, c.canMSG_ERROR_FRAME])
MARKS = st.sampled_from([0, c.canMSG_LOCAL_TXACK, c.canMSGERR_SW_OVERRUN])
FD_FLAGS = st.sampled_from([0, c.canFDMSG_FDF, c.canFDMSG_FDF | c.canFDMSG_BRS | c.canFDMSG_ESI])
PLAIN_ROWS = st.tuples(st.integers(0, 0x7FF), st.integers(0, 8), KINDS)
ANY_ROWS = st.tuples(
    st.integers(0, 0x800) | st.integers(0, 0x20000000),
    st.sampled_from([0, 7, 8, 9, 12, 13, 64]),
    st.tuples(KINDS, MARKS, FD_FLAGS).map(sum),
)


@given(st.lists(PLAIN_ROWS, max_size=6) | st.lists(ANY_ROWS, max_size=6))
def test_columns_are_what_one_by_one_decoding_gives(rows: list[tuple[int, int, int]]) -> None:
    records = [record(one, bytes(range(64)), flags, tick=5, size=size) for one, size, flags in rows]
    data = memoryview(b"".join(records))
    decoders = [codec.Decoder(3, Losses()) for _ in range(2)]
    (found, ticks), (expected, their_ticks) = decoders[0].decode(data), decoders[1]._decode_one_by_one(data)
    assert found.columns() == expected.columns()
    assert ticks == their_ticks


@given(st.binary(max_size=64), st.integers(0, 0xFFFFFFFF), st.integers())
def test_noise_never_costs_the_next_frame(noise: bytes, flags: int, identifier: int) -> None:
    bad = codec.RECORD.pack(identifier % (1 << 31), flags % 97, flags, flags, noise)
    found, _, _ = decoded(bad, record(0x6AB, b"\x55", c.canMSG_STD))
    assert (found[-1].arbitration_id, bytes(found[-1].data)) == (0x6AB, b"\x55")
