"""Raw frames of NI-XNET: tables, round trips, and the package of National Instruments as a judge."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.nixnet import codec
from cantools_cli.backends.nixnet import library as xnet
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import InvalidMessageError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import messages
from tests.vendor import kit

#: 2026-11-30 12:00 UTC as NI-XNET counts, and in nanoseconds since 1970
TICKS = 134_405_136_000_000_000
TIME_NS = 1_796_040_000_000_000_000


def raw(kind: int, identifier: int, data: bytes, flags: int = 0, length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    frame = struct.pack("<QIBBBB", TICKS, identifier, kind, flags, 0, size) + data
    return frame.ljust(max(24, -(-len(frame) // 8) * 8), b"\xa5")


def decoded(data: bytes) -> tuple[MessageBatch, Losses]:
    losses = Losses()
    return codec.decode(data, "CAN1", losses), losses


def test_the_epoch_is_that_of_the_table() -> None:
    assert (TICKS - 116_444_736_000_000_000) * 100 == TIME_NS


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (raw(0x00, 0x123, b"\1\2\3"), {"arbitration_id": 0x123, "data": b"\1\2\3"}),
        (raw(0x08, 0x7FF, b""), {"arbitration_id": 0x7FF}),
        (raw(0x00, 0x20000123, b"\1"), {"arbitration_id": 0x123, "is_extended_id": True, "data": b"\1"}),
        (raw(0x01, 0x10, b"", length=5), {"arbitration_id": 0x10, "is_remote_frame": True, "dlc": 5}),
        (
            raw(0x10, 0x10, bytes(range(12))),
            {"arbitration_id": 0x10, "is_fd": True, "data": bytes(range(12))},
        ),
        (
            raw(0x18, 0x3FFFFFFF, bytes(64)),
            {
                "arbitration_id": 0x1FFFFFFF,
                "is_extended_id": True,
                "is_fd": True,
                "bitrate_switch": True,
                "data": bytes(64),
            },
        ),
        (raw(0x00, 0x123, b"\1", flags=0x80), {"arbitration_id": 0x123, "data": b"\1", "is_rx": False}),
    ],
)
def test_frames_are_decoded(frame: bytes, expected: dict[str, object]) -> None:
    batch, losses = decoded(frame)
    message = Message(**{"is_extended_id": False, "channel": "CAN1", **expected})  # type: ignore[arg-type]
    message.timestamp_ns = TIME_NS
    assert batch[0].equals(message, timestamp_delta=0)
    assert not losses


@pytest.mark.parametrize(
    ("length", "size"), [(8, 24), (12, 32), (16, 32), (20, 40), (24, 40), (32, 48), (48, 64), (64, 80)]
)
def test_a_frame_takes_a_multiple_of_eight_bytes(length: int, size: int) -> None:
    assert codec.size_of(length) == size
    batch = MessageBatch([Message(arbitration_id=1, is_fd=True, data=bytes(length))])
    assert len(codec.encode(batch, True)[0]) == size


@pytest.mark.parametrize(
    ("payload", "error_class", "detail"),
    [
        ((0, 0, 1, 1, 0), 0x288, (0, 0, 0x04, 0, 0, 0, 0, 1)),  # active, stuff error
        ((0, 100, 0, 3, 0), 0x2A4, (0, 0x08, 0, 0, 0, 0, 100, 0)),  # no acknowledgement, warning
        ((0, 3, 97, 2, 0), 0x28C, (0, 0x04, 0x02, 0, 0, 0, 3, 97)),
        ((1, 130, 20, 4, 0), 0x28C, (0, 0x20, 0x10, 0, 0, 0, 130, 20)),  # passive while sending
        ((1, 20, 130, 5, 0), 0x28C, (0, 0x10, 0x08, 0, 0, 0, 20, 130)),
        ((2, 0, 0, 6, 0), 0x0C8, (0, 0, 0, 0x08, 0, 0, 0, 0)),  # off the bus, CRC error
        ((0, 0, 0, 0, 1), 0x090, (0, 0, 0, 0, 0, 0, 0, 0)),  # the transceiver
    ],
)
def test_a_bus_error_becomes_an_error_frame(
    payload: tuple[int, ...], error_class: int, detail: tuple[int, ...]
) -> None:
    batch, _ = decoded(raw(0x02, 0, bytes(payload)))
    [message] = batch
    assert message.is_error_frame
    assert (message.arbitration_id, bytes(message.data)) == (error_class, bytes(detail))


@pytest.mark.parametrize(("ticks", "time_ns"), [(0, 0), (1 << 64, (1 << 63) - 1)])
def test_impossible_times_are_bounded(ticks: int, time_ns: int) -> None:
    [message] = decoded(struct.pack("<QIBBBB8s", max(ticks - 1, 0), 1, 0, 0, 0, 0, b""))[0]
    assert abs(message.timestamp_ns - time_ns) < 1000


def test_frames_of_other_buses_are_counted() -> None:
    start_trigger = raw(0xE2, 0, b"")
    batch, losses = decoded(start_trigger + raw(0x00, 1, b"\7") + raw(0x40, 2, b"\1"))
    assert [message.arbitration_id for message in batch] == [1]
    assert losses == {"frames of other buses skipped": 2}


@pytest.mark.parametrize(
    "rest", [b"\0" * 23, raw(0x18, 1, bytes(64))[:79], raw(0x10, 1, bytes(64), length=65)]
)
def test_the_rest_after_a_malformed_frame_is_counted(rest: bytes) -> None:
    batch, losses = decoded(raw(0x00, 1, b"\7") + rest)
    assert len(batch) == 1
    assert losses == {"malformed records skipped": 1}
    assert "not a raw frame" in str(losses.first_fault)


def test_classic_frames_of_a_can_fd_bus_have_a_type_of_their_own() -> None:
    batch = MessageBatch([Message(arbitration_id=1, data=b"\1", is_extended_id=False)])
    assert [codec.encode(batch, is_fd)[0][12] for is_fd in (False, True)] == [0x00, 0x08]


@pytest.mark.parametrize(
    ("message", "is_fd", "switches", "text"),
    [
        (Message(is_error_frame=True), True, True, "error frames"),
        (Message(is_fd=True), False, False, "CAN FD frames"),
        (Message(is_fd=True, bitrate_switch=True), True, False, "bit-rate switching"),
    ],
)
def test_frames_that_the_bus_cannot_send_are_refused(
    message: Message, is_fd: bool, switches: bool, text: str
) -> None:
    with pytest.raises(InvalidMessageError, match=text):
        codec.check(MessageBatch([message]), "nixnet:CAN1", is_fd, switches)


KINDS = ("classic", "remote", "fd")


@given(st.lists(messages(kinds=KINDS, channels=st.just("CAN1")), max_size=20))
def test_every_frame_survives_a_round_trip(frames: list[Message]) -> None:
    batch = MessageBatch(frames, channels=("CAN1",))
    result, losses = decoded(b"".join(codec.encode(batch, True)))
    for sent, got in zip(batch, result, strict=True):
        assert got.timestamp_ns == 0  # no time is sent
        got.timestamp_ns, got.is_rx = sent.timestamp_ns, sent.is_rx
        got.error_state_indicator = sent.error_state_indicator  # not in a raw frame
        assert got.equals(sent, timestamp_delta=0)
    assert not losses


def test_the_layout_is_that_of_the_library() -> None:
    stub = kit.Stub(kit.compiled("nixnet"))
    fields = ("Timestamp", "Identifier", "Type", "Flags", "Info", "PayloadLength", "Payload")
    assert codec._BASE.size == stub.layout("nxFrameVar_t") == codec.UNIT
    assert [stub.layout("nxFrameVar_t", field) for field in fields] == [0, 8, 12, 13, 14, 15, 16]


# --- the package as a judge ----------------------------------------------------------------------------


def test_the_constants_are_those_of_the_package() -> None:
    theirs = pytest.importorskip("nixnet._cconsts", reason="the package nixnet is not installed")
    assert theirs.NX_FRAME_TYPE_CAN_DATA == codec.DATA
    assert theirs.NX_FRAME_TYPE_CAN_REMOTE == codec.REMOTE
    assert theirs.NX_FRAME_TYPE_CAN_BUS_ERROR == codec.BUS_ERROR
    assert theirs.NX_FRAME_TYPE_CAN20_DATA == codec.CAN20_DATA
    assert theirs.NX_FRAME_TYPE_CANFD_DATA == codec.FD_DATA
    assert theirs.NX_FRAME_TYPE_CANFDBRS_DATA == codec.FD_BRS_DATA
    assert theirs.NX_FRAME_ID_CAN_IS_EXTENDED == codec.EXTENDED
    assert theirs.NX_FRAME_FLAGS_TRANSMIT_ECHO == codec.ECHO
    assert theirs.NX_ERR_OUTPUT_QUEUE_OVERFLOW & 0xFFFFFFFF == xnet.OUTPUT_OVERFLOW
    assert theirs.NX_ERR_EVENT_TIMEOUT & 0xFFFFFFFF == xnet.TIMED_OUT
    overflows = (theirs.NX_ERR_INPUT_QUEUE_OVERFLOW, theirs.NX_ERR_INTERNAL_INPUT_QUEUE_OVERFLOW)
    assert tuple(code & 0xFFFFFFFF for code in overflows) == xnet.INPUT_OVERFLOWS
    assert theirs.NX_ERR_COMMUNICATION_LOST & 0xFFFFFFFF in xnet.LOST
    states = (theirs.NX_CAN_COMM_STATE_ERROR_PASSIVE, theirs.NX_CAN_COMM_STATE_BUS_OFF)
    assert states == (codec.PASSIVE, codec.BUS_OFF)


@given(messages(kinds=("classic", "fd"), channels=st.just("CAN1")))
def test_the_package_reads_what_canx_writes(message: Message) -> None:
    theirs = pytest.importorskip("nixnet._frames", reason="the package nixnet is not installed")
    types = pytest.importorskip("nixnet.types")
    [frame] = theirs.iterate_frames(codec.encode(MessageBatch([message]), True)[0])
    found = types.CanFrame.from_raw(frame)
    assert found.identifier.identifier == message.arbitration_id
    assert found.identifier.extended == message.is_extended_id
    assert bytes(found.payload) == bytes(message.data)
    assert found.type.value == (0x08 if not message.is_fd else 0x18 if message.bitrate_switch else 0x10)


@given(messages(kinds=("classic", "fd"), channels=st.just("CAN1")))
def test_canx_reads_what_the_package_writes(message: Message) -> None:
    theirs = pytest.importorskip("nixnet._frames", reason="the package nixnet is not installed")
    types = pytest.importorskip("nixnet.types")
    constants = pytest.importorskip("nixnet.constants")
    identifier = types.CanIdentifier(message.arbitration_id, message.is_extended_id)
    kind = 0x08 if not message.is_fd else 0x18 if message.bitrate_switch else 0x10
    frame = types.CanFrame(identifier, constants.FrameType(kind), bytes(message.data))
    [found] = decoded(b"".join(theirs.serialize_frame(frame.to_raw())))[0]
    assert found.arbitration_id == message.arbitration_id
    assert (found.is_fd, found.bitrate_switch) == (message.is_fd, message.bitrate_switch)
    assert bytes(found.data) == bytes(message.data)
    assert bits.len2dlc(len(found.data)) == bits.len2dlc(len(message.data))
