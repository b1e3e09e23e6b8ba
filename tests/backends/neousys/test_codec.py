from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.neousys import codec, wdt_dio
from cantools_cli.backends.neousys.wdt_dio import NeousysCanBitClk, NeousysCanMsg, NeousysCanSetup
from cantools_cli.bus.losses import Losses
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import messages
from tests.vendor.kit import Stub


def std(identifier: int, data: bytes = b"", **more: object) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)  # type: ignore[arg-type]


# Every row is read both ways: frame, message.
CASES = [
    (std(0x123, b"\x01\x02\x03"), "23010000 0000 00 03 0102030000000000"),
    (std(0x7FF), "FF070000 0000 00 00 0000000000000000"),
    (Message(arbitration_id=0x12ABCDEF, data=bytes(range(8))), "EFCDAB12 0400 00 08 0001020304050607"),
    (std(0x123, is_remote_frame=True, dlc=4), "23010000 4000 00 04 0000000000000000"),
    (Message(arbitration_id=1, is_remote_frame=True), "01000000 4400 00 00 0000000000000000"),
]


def decoded(*contents: bytes | int, losses: Losses | None = None) -> list[Message]:
    decoder = codec.Decoder(3, Losses() if losses is None else losses)
    return [*decoder.decode([(1_000 + number, content) for number, content in enumerate(contents)])]


@pytest.mark.parametrize(("message", "text"), CASES)
def test_frames(message: Message, text: str) -> None:
    content = bytes.fromhex(text)
    assert codec.encode(MessageBatch([message]), 0) == content
    [found] = decoded(content)
    assert found.equals(message, timestamp_delta=None, check_channel=False)
    assert (found.timestamp_ns, found.channel, found.is_rx) == (1_000, 3, True)


def test_several_messages_of_one_call() -> None:
    found = decoded(b"".join(bytes.fromhex(text) for _, text in CASES), bytes.fromhex(CASES[0][1]))
    assert [one.timestamp_ns for one in found] == [1_000] * 5 + [1_001]
    assert [one.arbitration_id for one in found] == [one.arbitration_id for one, _ in [*CASES, CASES[0]]]


@given(st.lists(messages(kinds=("classic", "remote")), max_size=20))
def test_any_frames(frames: list[Message]) -> None:
    batch = MessageBatch(frames)
    found = decoded(b"".join(codec.encode(batch, row) for row in range(len(batch))))
    for one, frame in zip(found, frames, strict=True):
        assert one.equals(frame, timestamp_delta=None, check_channel=False, check_direction=False)


def test_identifiers_are_limited_to_their_bits() -> None:
    found = decoded(
        bytes.fromhex("FFFFFFFF 8000 A5 01 0100000000000000 FFFFFFFF 8400 A5 01 0100000000000000")
    )
    assert [one.arbitration_id for one in found] == [0x7FF, 0x1FFFFFFF]


def test_a_length_above_8_is_cut_and_counted() -> None:
    losses = Losses()
    [found] = decoded(bytes.fromhex("23010000 8000 00 0F 0102030405060708"), losses=losses)
    assert (found.dlc, bytes(found.data)) == (8, bytes(range(1, 9)))
    assert losses == {"frames with more than 8 data bytes cut": 1}


def test_lost_frames_are_marked_before_the_next_one() -> None:
    losses = Losses()
    found = decoded(bytes.fromhex("23010000 8001 00 00 0000000000000000"), losses=losses)
    assert [(one.is_error_frame, one.arbitration_id) for one in found] == [(True, 4), (False, 0x123)]
    assert found[0].data[1] == error_frames.RX_OVERFLOW
    assert losses == {codec.OVERRUNS: 1}


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0x01, "protocol-violation{{bit-stuffing-error}{unspecified}},bus-error"),
        (0x02, "protocol-violation{{frame-format-error}{unspecified}},bus-error"),
        (0x03, "no-acknowledgement-on-tx,bus-error"),
        (0x04, "protocol-violation{{tx-recessive-bit-error}{unspecified}},bus-error"),
        (0x05, "protocol-violation{{tx-dominant-bit-error}{unspecified}},bus-error"),
        (0x06, "protocol-violation{{}{crc-sequence}},bus-error"),
        (0x40, "controller-problem{rx-error-warning,tx-error-warning}"),
        (0x60, "controller-problem{rx-error-passive,tx-error-passive}"),
        (0x80, "bus-off"),
        (
            0x21,
            "controller-problem{rx-error-passive,tx-error-passive},"
            "protocol-violation{{bit-stuffing-error}{unspecified}},bus-error",
        ),
    ],
)
def test_status_words_are_error_frames(status: int, text: str) -> None:
    [found] = decoded(status)
    assert found.is_error_frame
    assert error_frames.explain(found.arbitration_id, found.data) == text


def test_a_level_of_errors_is_reported_once() -> None:
    found = decoded(0x40, 0x40, 0x43, 0x00, 0x00, 0x07)
    texts = [error_frames.explain(one.arbitration_id, one.data) for one in found]
    assert texts == [
        "controller-problem{rx-error-warning,tx-error-warning}",
        "no-acknowledgement-on-tx,bus-error",
        "controller-problem{back-to-error-active}",
    ]


@pytest.mark.parametrize(
    ("name", "structure"),
    [("CAN_SETUP", NeousysCanSetup), ("CAN_MSG", NeousysCanMsg), ("CAN_BITCLK", NeousysCanBitClk)],
)
def test_layouts(stub: Stub, name: str, structure: type[ctypes.Structure]) -> None:
    assert stub.layout(name) == ctypes.sizeof(structure)
    for field, *_ in structure._fields_:
        assert stub.layout(name, field) == getattr(structure, field).offset
    assert stub.layout(name, "nothing") == -1


def test_constants_are_those_of_python_can() -> None:
    neousys = pytest.importorskip("can.interfaces.neousys.neousys")
    for ours, theirs in (
        (wdt_dio.MSG_EXTENDED_ID, "MSG_EXTENDED_ID"),
        (wdt_dio.MSG_REMOTE_FRAME, "MSG_REMOTE_FRAME"),
        (wdt_dio.MSG_DATA_NEW, "MSG_DATA_NEW"),
        (wdt_dio.MSG_DATA_LOST, "MSG_DATA_LOST"),
        (wdt_dio.USE_ID_FILTER, "MSG_USE_ID_FILTER"),
        (wdt_dio.USE_DIR_FILTER, "MSG_USE_DIR_FILTER"),
        (wdt_dio.USE_EXT_FILTER, "MSG_USE_EXT_FILTER"),
        (wdt_dio.STATUS_BUS_OFF, "STATUS_BUS_OFF"),
        (wdt_dio.STATUS_WARNING, "STATUS_EWARN"),
        (wdt_dio.STATUS_PASSIVE, "STATUS_EPASS"),
        (wdt_dio.STATUS_LAST_ERROR, "STATUS_LEC_MASK"),
    ):
        assert ours == getattr(neousys, f"NEOUSYS_CAN_{theirs}")
