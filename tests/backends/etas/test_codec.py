"""Elements of BOA's queues: layouts, known elements, round trips, errors and events."""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.etas import codec, structures
from cantools_cli.backends.etas.codec import Decoder
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import InvalidMessageError
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import messages
from tests.vendor.kit import Stub

STRUCTURES = [
    value
    for value in vars(structures).values()
    if isinstance(value, type) and issubclass(value, ctypes.Structure) and value is not structures.Callback
]


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda structure: structure.__name__)
def test_layouts(stub: Stub, structure: type[ctypes.Structure]) -> None:
    assert stub.layout(structure.__name__) == ctypes.sizeof(structure)
    for name, *_ in structure._fields_:
        assert stub.layout(structure.__name__, name) == getattr(structure, name).offset, name


def nanoseconds(ticks: Sequence[int]) -> array[int]:
    return array("q", [tick * 1000 for tick in ticks])


def decoder(losses: Losses | None = None, *, keeps_own: bool = True) -> Decoder:
    return Decoder("uri", Losses() if losses is None else losses, nanoseconds, keeps_own)


def element(
    kind: int, word: int = 0, flags: int = 0, size: int = 0, data: bytes = b"", more: int = 0
) -> bytes:
    return struct.pack("<IIqIIHBBI64s", kind, 0, 123_456, 0, word, flags, 0, size, more, data)


def only(data: bytes, size: int = 96, **settings: bool) -> Message:
    [message] = decoder(**settings).feed(data, size)
    return message


RECEIVED = [
    (
        "01000000 00000000 40E2010000000000 00000000 23010000 0000 00 02 00000000 AA55",
        Message(arbitration_id=0x123, is_extended_id=False, data=b"\xaa\x55"),
    ),
    (
        "01000000 00000000 40E2010000000000 00000000 EFCDAB12 0300 00 05 00000000 FFFFFFFFFFFFFFFF",
        Message(arbitration_id=0x12ABCDEF, is_remote_frame=True, dlc=5),
    ),
    (
        "01000000 00000000 40E2010000000000 00000000 23010000 0400 00 00 00000000",
        Message(arbitration_id=0x123, is_extended_id=False, is_rx=False),
    ),
    (
        "08000000 00000000 40E2010000000000 00000000 23010000 4800 00 0C 00000000 000102030405060708090A0B",
        Message(arbitration_id=0x123, is_extended_id=False, data=range(12), is_fd=True, bitrate_switch=True),
    ),
    (
        "08000000 00000000 40E2010000000000 00000000 FF070000 6500 00 01 00000000 55",
        Message(arbitration_id=0x7FF, data=b"\x55", is_fd=True, error_state_indicator=True, is_rx=False),
    ),
]


@pytest.mark.parametrize(("text", "message"), RECEIVED)
def test_received_elements(text: str, message: Message) -> None:
    found = only(bytes.fromhex(text).ljust(96, b"\0"))
    message.channel = "uri"
    assert found.equals(message, timestamp_delta=None)
    assert found.timestamp_ns == 123_456_000


SENT = [
    ("02000000 00000000 23010000 0000 00 02 AA55", RECEIVED[0][1]),
    ("02000000 00000000 EFCDAB12 0300 00 05", RECEIVED[1][1]),
    ("09000000 00000000 23010000 4800 00 0C 000102030405060708090A0B", RECEIVED[3][1]),
    ("09000000 00000000 FF070000 4100 00 01 55", RECEIVED[4][1]),
]


@pytest.mark.parametrize(("text", "message"), SENT)
def test_sent_elements(text: str, message: Message) -> None:
    assert codec.encode(MessageBatch([message]), 0, 96) == bytes.fromhex(text).ljust(96, b"\0")


def test_elements_before_api_1_3() -> None:
    [message] = decoder().feed(bytes.fromhex(RECEIVED[0][0]).ljust(40, b"\0"), 40)
    assert message.equals(RECEIVED[0][1], timestamp_delta=None, check_channel=False)
    text = bytes.fromhex(SENT[0][0])
    assert codec.encode(MessageBatch([RECEIVED[0][1]]), 0, 40) == text.ljust(40, b"\0")


@given(messages(kinds=("classic", "remote", "fd")))
def test_round_trip(message: Message) -> None:
    sent = codec.encode(MessageBatch([message]), 0, 96)
    kind, word, flags, _, size, data = struct.unpack("<I4xIHBB64s16x", sent)
    found = only(element({2: 1, 9: 8}[kind], word, flags, size, data))
    message.error_state_indicator = False  # it is the controller's
    assert found.equals(message, timestamp_delta=None, check_channel=False, check_direction=False)


@given(st.binary(max_size=96 * 4).map(lambda data: data[: len(data) // 96 * 96]))
def test_noise_gives_legal_frames(data: bytes) -> None:
    batch = decoder().feed(data, 96)
    assert len(MessageBatch(batch)) == len(batch)


@pytest.mark.parametrize(
    ("word", "flags", "size", "kind"), [(0x800, 0, 1, 1), (0x20000000, 1, 1, 1), (1, 0, 65, 8), (1, 2, 0, 8)]
)
def test_impossible_frames_are_counted(word: int, flags: int, size: int, kind: int) -> None:
    losses = Losses()
    batch = decoder(losses).feed(element(kind, word, flags, size) + element(1, 5), 96)
    assert [message.arbitration_id for message in batch] == [5]
    assert dict(losses) == {codec.MALFORMED: 1}
    assert f"{word:#x}" in str(losses.first_fault)


def test_a_fd_size_between_lengths_is_padded() -> None:
    found = only(element(8, 1, 0x40, 9, b"\1" * 64))
    assert bytes(found.data) == b"\1" * 9 + bytes(3)


def test_own_frames_are_left_out_on_request() -> None:
    batch = decoder(keeps_own=False).feed(element(1, 1, 4) + element(1, 2), 96)
    assert [message.arbitration_id for message in batch] == [2]


ERRORS = [
    (3, 0x01, "protocol-violation{{bit-stuffing-error}{unspecified}},bus-error"),
    (3, 0x02, "protocol-violation{{frame-format-error}{unspecified}},bus-error"),
    (3, 0x04, "no-acknowledgement-on-tx,bus-error"),
    (3, 0x08, "protocol-violation{{single-bit-error}{unspecified}},bus-error"),
    (3, 0x10, "protocol-violation{{}{crc-sequence}},bus-error"),
    (3, 0x20, "protocol-violation{{tx-recessive-bit-error}{unspecified}},bus-error"),
    (3, 0x40, "protocol-violation{{tx-dominant-bit-error}{unspecified}},bus-error"),
    (3, 0x80, "protocol-violation{{bus-overload}{unspecified}},bus-error"),
    (3, 0x80000000, "bus-error"),
    (4, 0x01, "controller-problem{back-to-error-active}"),
    (4, 0x02, "controller-problem{rx-error-passive,tx-error-passive}"),
    (4, 0x04, "controller-problem{rx-error-warning,tx-error-warning}"),
    (4, 0x08, "bus-off"),
    (4, 0x10, "transceiver-status"),
    (6, 6, "controller-problem{rx-overflow}"),
]


@pytest.mark.parametrize(("kind", "code", "words"), ERRORS)
def test_errors_and_events(kind: int, code: int, words: str) -> None:
    losses = Losses()
    data = element(kind, more=code) if kind == 3 else element(kind, code)
    [found] = decoder(losses).feed(data, 96)
    assert found.is_error_frame
    assert error_frames.explain(found.arbitration_id, found.data) == words
    assert losses[codec.OVERFLOWS] == (kind == 6)


@pytest.mark.parametrize("data", [element(6, 1), element(7, 0), element(5, 0), element(77, 1)])
def test_other_elements_are_skipped(data: bytes) -> None:
    losses = Losses()
    batch = decoder(losses).feed(data + element(1, 5), 96)
    assert [message.arbitration_id for message in batch] == [5]
    assert not losses


def test_internal_errors_are_reported() -> None:
    found = decoder()
    found.feed(element(5, 0, 0x5001, 0x80), 96)  # the code is where frames have flags and size
    assert found.internal_errors == [0x80005001]


@pytest.mark.parametrize(
    ("message", "has_fd", "text"),
    [
        (Message(is_error_frame=True, dlc=8, data=bytes(8)), True, "error frames"),
        (Message(is_fd=True), False, "classic"),
    ],
)
def test_frames_that_cannot_be_sent(message: Message, has_fd: bool, text: str) -> None:
    with pytest.raises(InvalidMessageError, match=text) as caught:
        codec.check(MessageBatch([message]), has_fd)
    assert caught.value.sent == 0
