"""CANAL messages as bytes, against the C structures of the emulated library."""

from __future__ import annotations

import ctypes
import pickle
from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.usb2can import canal, codec
from cantools_cli.bus.losses import Losses
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests import strategies
from tests.vendor.kit import Stub

HEAD = "00000000"  # the object


def times(counts: Sequence[int]) -> array[int]:
    return array("q", [1000 * count for count in counts])


def decoded(*messages: str | bytes, raw_status: bool = False) -> tuple[list[Message], Losses]:
    losses = Losses()
    data = b"".join(bytes.fromhex(text) if isinstance(text, str) else text for text in messages)
    return [*codec.Decoder("ED000200", losses, times, raw_status=raw_status).decode(data)], losses


def status(code: int, rx_errors: int = 0, tx_errors: int = 0) -> bytes:
    record = bytes((code, rx_errors, tx_errors, 0))
    return bytes(canal.CanalMsg(flags=0x0304, sizeData=4, data=(ctypes.c_ubyte * 8)(*record)))


@pytest.mark.parametrize("structure", [canal.CanalMsg, canal.CanalStatistics, canal.CanalStatus])
def test_layouts(stub: Stub, structure: type[ctypes.Structure]) -> None:
    assert ctypes.sizeof(structure) == stub.layout(structure.__name__)
    for name, *_ in structure._fields_:
        assert getattr(structure, name).offset == stub.layout(structure.__name__, name)


def test_the_size_of_a_message() -> None:
    assert codec.SIZE == ctypes.sizeof(canal.CanalMsg) == len(codec.BLANK)
    assert canal.CanalMsg.sizeData.offset == codec.SIZE_AT


# Every row is read, and written with the flag of applications.
FRAMES = [
    (f"01000000{HEAD}78563412 04 0102030400000000 000000 00000000", 0x12345678, True, b"\1\2\3\4"),
    (f"00000000{HEAD}23010000 00 0000000000000000 000000 00000000", 0x123, False, b""),
    (f"00000000{HEAD}ff070000 08 0102030405060708 000000 00000000", 0x7FF, False, bytes(range(1, 9))),
]


@pytest.mark.parametrize(("text", "identifier", "extended", "data"), FRAMES)
def test_known_frames(text: str, identifier: int, extended: bool, data: bytes) -> None:
    message = Message(arbitration_id=identifier, is_extended_id=extended, data=data)
    [read], losses = decoded(text)
    assert read.equals(message, timestamp_delta=None, check_channel=False)
    assert read.channel == "ED000200"
    assert not losses
    raw = bytearray(codec.encode(MessageBatch([message]), 0))
    assert raw[3] == 0x80
    raw[3] = 0
    assert raw == bytes.fromhex(text)


def test_short_data_is_padded_and_keeps_its_length() -> None:
    message = Message(arbitration_id=1, is_extended_id=False, data=b"\1\2\3\4")
    raw = canal.CanalMsg.from_buffer_copy(codec.encode(MessageBatch([message]), 0))
    assert (raw.sizeData, bytes(raw.data)) == (4, b"\1\2\3\4\0\0\0\0")


def test_a_remote_frame_keeps_its_length() -> None:
    message = Message(arbitration_id=1, is_extended_id=False, is_remote_frame=True, dlc=5)
    raw = codec.encode(MessageBatch([message]), 0)
    assert raw == bytes.fromhex(f"02000080{HEAD}01000000 05 0000000000000000 000000 00000000")
    [read], _ = decoded(raw)
    assert (read.is_remote_frame, read.dlc, read.data) == (True, 5, b"")


@given(strategies.messages(kinds=("classic", "remote")))
def test_round_trip(message: Message) -> None:
    [read], losses = decoded(codec.encode(MessageBatch([message]), 0))
    assert read.equals(message, timestamp_delta=None, check_channel=False, check_direction=False)
    assert read.is_rx
    assert not losses


@given(st.binary(max_size=10 * codec.SIZE))
def test_noise_gives_frames_of_the_adapter(noise: bytes) -> None:
    messages, _ = decoded(noise[: len(noise) // codec.SIZE * codec.SIZE])
    for message in messages:
        MessageBatch([message])  # which checks it


def test_timestamps_are_those_of_the_messages() -> None:
    frames = [bytes(canal.CanalMsg(id=1, timestamp=count)) for count in (5, 7)]
    assert [message.timestamp_ns for message in decoded(*frames)[0]] == [5000, 7000]


def test_too_much_data_is_cut_and_counted() -> None:
    [message], losses = decoded(bytes(canal.CanalMsg(sizeData=12, data=(ctypes.c_ubyte * 8)(*b"12345678"))))
    assert message.data == b"12345678"
    assert losses == {"frames with more than 8 data bytes cut": 1}
    assert str(losses.first_fault) == "12 data bytes, at most 8"


def test_an_identifier_beyond_its_bits_is_cut() -> None:
    messages, _ = decoded(bytes(canal.CanalMsg(id=0xFFFFFFFF)), bytes(canal.CanalMsg(flags=1, id=0xFFFFFFFF)))
    assert [message.arbitration_id for message in messages] == [0x7FF, 0x1FFFFFFF]


def test_a_fd_frame_is_skipped_and_counted() -> None:
    messages, losses = decoded(bytes(canal.CanalMsg(flags=8)), bytes(canal.CanalMsg(id=1)))
    assert [message.arbitration_id for message in messages] == [1]
    assert losses == {"malformed frames skipped": 1}


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ((0x01, 0, 0), "controller-problem{rx-overflow}"),
        ((0x02, 97, 0), "controller-problem{rx-error-warning},error-counter-tx-rx{{0}{97}}"),
        ((0x02, 0, 97), "controller-problem{tx-error-warning},error-counter-tx-rx{{97}{0}}"),
        ((0x02, 0, 0), "controller-problem{rx-error-warning,tx-error-warning}"),
        ((0x03, 1, 128), "controller-problem{tx-error-passive},error-counter-tx-rx{{128}{1}}"),
        ((0x03, 0, 0), "controller-problem{rx-error-passive,tx-error-passive}"),
        ((0x04, 0, 255), "bus-off,error-counter-tx-rx{{255}{0}}"),
        ((0x20, 0, 0), "protocol-violation{{bit-stuffing-error}{unspecified}},bus-error"),
        ((0x21, 0, 0), "protocol-violation{{frame-format-error}{unspecified}},bus-error"),
        ((0x23, 0, 8), "no-acknowledgement-on-tx,bus-error,error-counter-tx-rx{{8}{0}}"),
        ((0x24, 0, 0), "protocol-violation{{tx-recessive-bit-error}{unspecified}},bus-error"),
        ((0x25, 0, 0), "protocol-violation{{tx-dominant-bit-error}{unspecified}},bus-error"),
        ((0x27, 0, 0), "protocol-violation{{}{crc-sequence}},bus-error"),
    ],
)  # fmt: skip
def test_status_records_are_error_frames(record: tuple[int, int, int], text: str) -> None:
    [message], losses = decoded(status(*record))
    assert message.is_error_frame
    assert error_frames.explain(message.arbitration_id, message.data) == text
    assert losses == ({"overruns reported by the adapter": 1} if record[0] == 1 else {})
    [raw], _ = decoded(status(*record), raw_status=True)
    assert (raw.arbitration_id, raw.data) == (message.arbitration_id, bytes((*record, 0)))


def test_back_to_normal_is_no_error() -> None:
    decoder = codec.Decoder("ED000200", Losses(), times)
    assert len(decoder.decode(status(3, 0, 128))) == 1
    assert len(decoder.decode(status(0, 1, 2))) == 0
    assert decoder.status == codec.StatusRecord(0, 1, 2)


def test_an_unknown_status_is_counted() -> None:
    messages, losses = decoded(status(0x77))
    assert not messages
    assert losses == {"malformed frames skipped": 1}


def test_errors_have_numbers_names_and_explanations() -> None:
    assert [*map(int, canal.CanalError)] == [*range(45)]
    assert all(code.explanation != "unknown code" for code in canal.CanalError)
    unknown = canal.CanalError(99)
    assert (unknown, unknown.name, unknown.explanation) == (99, "CODE_99", "unknown code")
    assert pickle.loads(pickle.dumps(unknown)) == unknown
    with pytest.raises(ValueError, match="not a valid"):
        canal.CanalError("BUS_OFF")
