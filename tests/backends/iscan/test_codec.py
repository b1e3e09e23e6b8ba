from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.iscan import codec
from cantools_cli.backends.iscan.library import BAUD_CODES, DeviceInfo, MessageExStruct
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
    (std(0x123, b"\x01\x02\x03"), "23010000 00 00 03 0102030000000000 00"),
    (std(0x7FF), "FF070000 00 00 00 0000000000000000 00"),
    (Message(arbitration_id=0x12ABCDEF, data=bytes(range(8))), "EFCDAB12 01 00 08 0001020304050607 00"),
    (std(0x123, is_remote_frame=True, dlc=4), "23010000 00 01 04 0000000000000000 00"),
    (Message(arbitration_id=1, is_remote_frame=True), "01000000 01 01 00 0000000000000000 00"),
]


@pytest.mark.parametrize(("message", "text"), CASES)
def test_frames(message: Message, text: str) -> None:
    content = bytes.fromhex(text)
    assert codec.encode(MessageBatch([message]), 0) == content
    [found] = codec.decode(content, [7], 3, Losses())
    assert found.equals(message, timestamp_delta=None, check_channel=False)
    assert (found.timestamp_ns, found.channel, found.is_rx) == (7, 3, True)


@given(st.lists(messages(kinds=("classic", "remote")), max_size=20))
def test_any_frames(frames: list[Message]) -> None:
    batch = MessageBatch(frames)
    text = b"".join(codec.encode(batch, row) for row in range(len(batch)))
    found = codec.decode(text, [*range(len(batch))], 0, Losses())
    for number, (one, frame) in enumerate(zip(found, frames, strict=True)):
        assert one.equals(frame, timestamp_delta=None, check_channel=False, check_direction=False)
        assert one.timestamp_ns == number


def test_what_a_card_should_not_send() -> None:
    losses = Losses()
    texts = ("FFFFFFFF 00 00 09 0102030405060708 A5", "FFFFFFFF A5 00 00 A5A5A5A5A5A5A5A5 A5")
    found = [*codec.decode(b"".join(map(bytes.fromhex, texts)), [1, 2], 0, losses)]
    assert [(one.arbitration_id, one.dlc) for one in found] == [(0x7FF, 8), (0x1FFFFFFF, 0)]
    assert losses == {"frames with more than 8 data bytes cut": 1}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (11, "controller-problem{rx-overflow}"),
        (19, "controller-problem{rx-overflow}"),
        (16, "bus-error"),
        (17, "bus-off"),
        (18, "controller-problem{rx-error-passive,tx-error-passive}"),
        (20, "controller-problem{rx-error-warning,tx-error-warning}"),
        (22, "restarted-after-bus-off"),
        (32, "controller-problem{rx-error-passive,tx-error-passive}"),
    ],
)
def test_status_codes_are_error_frames(code: int, text: str) -> None:
    batch = codec.decode(b"", [], 5, Losses())
    codec.append_error(batch, code, 123)
    [found] = batch
    assert (found.is_error_frame, found.timestamp_ns, found.channel) == (True, 123, 5)
    assert error_frames.explain(found.arbitration_id, found.data) == text


@pytest.mark.parametrize(
    ("name", "structure", "fields"),
    [
        ("isCANMsgEx", MessageExStruct, ("id", "isExtended", "remoteReq", "dataLen", "data")),
        ("isCANDevice", DeviceInfo, ("type", "deviceId", "attached", "inUse")),
    ],
)
def test_layouts(stub: Stub, name: str, structure: type[ctypes.Structure], fields: tuple[str, ...]) -> None:
    assert stub.layout(name) == ctypes.sizeof(structure)
    for field, (ours, *_) in zip(fields, structure._fields_, strict=True):
        assert stub.layout(name, field) == getattr(structure, ours).offset


def test_the_table_of_bit_rates_is_python_can_s_but_for_the_code_that_leaves_the_card_offline() -> None:
    iscan = pytest.importorskip("can.interfaces.iscan")
    assert {5_000: 0, **BAUD_CODES} == iscan.IscanBus.BAUDRATES
