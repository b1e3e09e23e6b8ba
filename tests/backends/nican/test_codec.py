"""Frames of NI-CAN: layouts, known frames, round trips, errors, own frames."""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.nican import codec, library
from cantools_cli.backends.nican.codec import Decoder, OwnFrames
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import InvalidMessageError
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import messages
from tests.vendor.kit import Stub

EXTENDED = 0x20000000
TIME = 130_809_826_522_497_130  # as NI-CAN tells it


@pytest.mark.parametrize("structure", [library.ReadFrame, library.WriteFrame])
def test_layouts(stub: Stub, structure: type[ctypes.Structure]) -> None:
    assert stub.layout(structure.__name__) == ctypes.sizeof(structure)
    for name, *_ in structure._fields_:
        assert stub.layout(structure.__name__, name) == getattr(structure, name).offset
    assert ctypes.sizeof(library.ReadFrame) == codec.READ_SIZE
    assert ctypes.sizeof(library.WriteFrame) == codec.WRITE_SIZE


def frame(word: int, kind: int = 0, length: int = 0, data: bytes = b"") -> bytes:
    return struct.pack("<QIBB8s", TIME, word, kind, length, data)


def only(data: bytes) -> Message:
    [message] = Decoder("CAN0", Losses()).feed(data)
    return message


FRAMES = [
    ("23010000 00 02 AA55", Message(arbitration_id=0x123, is_extended_id=False, data=b"\xaa\x55")),
    ("23010020 01 04", Message(arbitration_id=0x123, is_remote_frame=True, dlc=4)),
    ("EFCDAB32 00 08 0102030405060708", Message(arbitration_id=0x12ABCDEF, data=range(1, 9))),
    ("FF070000 01 00", Message(arbitration_id=0x7FF, is_extended_id=False, is_remote_frame=True)),
]


@pytest.mark.parametrize(("text", "message"), FRAMES)
def test_known_frames_both_ways(text: str, message: Message) -> None:
    body = bytes.fromhex(text).ljust(14, b"\0")
    assert codec.encode(MessageBatch([message]), 0) == body
    found = only(struct.pack("<Q", TIME) + body)
    assert found.equals(message, timestamp_delta=None, check_channel=False)
    assert (found.channel, found.timestamp_ns) == ("CAN0", 1_436_509_052_249_713_000)


@given(messages(kinds=("classic", "remote")))
def test_round_trip(message: Message) -> None:
    found = only(struct.pack("<Q", TIME) + codec.encode(MessageBatch([message]), 0))
    assert found.equals(message, timestamp_delta=None, check_channel=False, check_direction=False)


@given(st.binary(max_size=22 * 4).map(lambda data: data[: len(data) // 22 * 22]))
def test_noise_gives_legal_frames(data: bytes) -> None:
    def times(filetimes: Sequence[int]) -> array[int]:  # noise has times beyond 64 bits of nanoseconds
        return codec.unix_ns([TIME] * len(filetimes))

    batch = Decoder(None, Losses(), times_ns=times).feed(data)
    assert len(MessageBatch(batch)) == len(batch)


@pytest.mark.parametrize(
    "data", [frame(0x800), frame(0xCFFFFFFF), frame(1, 0, 16), frame(1, 8), frame(1, 255)]
)
def test_impossible_frames_are_counted(data: bytes) -> None:
    losses = Losses()
    assert [message.arbitration_id for message in Decoder(None, losses).feed(data + frame(5))] == [5]
    assert dict(losses) == {codec.MALFORMED: 1}


@pytest.mark.parametrize(("kind", "name"), [(3, "RTSI"), (4, "start"), (5, "delay")])
def test_other_types_are_skipped(kind: int, name: str) -> None:
    losses, skipped = Losses(), []
    decoder = Decoder(None, losses, skipped=skipped.append)
    assert [message.arbitration_id for message in decoder.feed(frame(0xCFFFFFFF, kind) + frame(5))] == [5]
    assert (skipped, dict(losses)) == ([name], {})


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0xBFF6202B, "protocol-violation{{bit-stuffing-error}{unspecified}},bus-error"),
        (0xBFF6204B, "protocol-violation{{frame-format-error}{unspecified}},bus-error"),
        (0xBFF6206B, "no-acknowledgement-on-tx,bus-error"),
        (0xBFF6208B, "protocol-violation{{tx-recessive-bit-error}{unspecified}},bus-error"),
        (0xBFF620AB, "protocol-violation{{tx-dominant-bit-error}{unspecified}},bus-error"),
        (0x3FF620CB, "protocol-violation{{}{crc-sequence}},bus-error"),
        (0xBFF6200B, "bus-error"),
        (0xBFF62121, "bus-error"),
    ],
)
def test_communication_errors(status: int, words: str) -> None:
    found = only(frame(status, codec.COMM_ERROR))
    assert found.is_error_frame
    assert not found.is_extended_id
    assert error_frames.explain(found.arbitration_id, found.data) == words
    assert found.data[5] == status & 0xFF


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"\0\0\0\1",
            "protocol-violation{{bit-stuffing-error}{unspecified}},bus-error,error-counter-tx-rx{{0}{0}}",
        ),
        (
            b"\0\x60\x80\0",
            "controller-problem{tx-error-warning,rx-error-passive},bus-error,error-counter-tx-rx{{96}{128}}",
        ),
        (
            b"\1\x80\x5f\3",
            "controller-problem{tx-error-passive},no-acknowledgement-on-tx,bus-error,error-counter-tx-rx{{128}{95}}",
        ),
    ],
)
def test_bus_errors(data: bytes, words: str) -> None:
    decoder = Decoder(None, Losses())
    [found] = decoder.feed(frame(0, codec.BUS_ERROR, 4, data))
    assert error_frames.explain(found.arbitration_id, found.data) == words
    assert decoder.counters == (data[1], data[2])


def test_a_transceiver_error() -> None:
    found = only(frame(0, codec.TRANSCEIVER_ERROR))
    assert error_frames.explain(found.arbitration_id, found.data) == "transceiver-status"


def test_own_frames_match_once_and_for_a_second() -> None:
    own, first = OwnFrames(), FRAMES[0][1]
    sent = codec.encode(MessageBatch([first]), 0)
    own.add(sent, 0)
    own.add(sent, 500)
    decoder = Decoder(None, Losses(), is_own=lambda frame: own.take(frame, 1_000_000_001))
    data = struct.pack("<Q", TIME) + sent
    assert [message.is_rx for message in decoder.feed(data + frame(5) + data)] == [False, True, True]
    own.add(sent, 1_000_000_002)
    noisy = codec.encode(MessageBatch([first]), 0)[:-6] + b"\xee" * 6  # after the data
    assert not next(iter(decoder.feed(struct.pack("<Q", TIME) + noisy))).is_rx
    own.add(sent, 2_000_000_000)
    own.remove(sent)
    assert not own.take(sent, 2_000_000_000)


@pytest.mark.parametrize(
    ("message", "text"),
    [(Message(is_error_frame=True, dlc=8, data=bytes(8)), "error frames"), (Message(is_fd=True), "CAN FD")],
)
def test_frames_that_cannot_be_sent(message: Message, text: str) -> None:
    with pytest.raises(InvalidMessageError, match=text) as caught:
        codec.check(MessageBatch([message]))
    assert caught.value.sent == 0
