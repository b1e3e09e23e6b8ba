"""python-can's bus of the package ``canalystii`` on the same emulated adapter.

Where canx differs, the manual page canx-adapters says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from cantools_cli.backends.canalystii.bus import CANalystIIBus
from cantools_cli.backends.transport import usb as transport
from tests.emulators.canalystii import CanalystII, Frame, joined
from tests.emulators.usb import EmulatedUsb

can = pytest.importorskip("can")
pytest.importorskip("canalystii")
usb_core = pytest.importorskip("usb.core")

SENT = [
    {"arbitration_id": 0x123, "is_extended_id": False, "data": b"\1\2\3"},
    {"arbitration_id": 0x12ABCDEF, "data": bytes(range(8))},
    {"arbitration_id": 0x7FF, "is_extended_id": False},
    {"arbitration_id": 0x123, "is_extended_id": False, "is_remote_frame": True, "dlc": 4},
    {"arbitration_id": 0x1234, "is_remote_frame": True, "dlc": 0},
]


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> CanalystII:
    device = CanalystII()
    backend = EmulatedUsb(device)
    monkeypatch.setattr(usb_core, "find", partial(usb_core.find, backend=backend))
    monkeypatch.setattr(transport, "backend", backend)
    return device


@pytest.fixture
def judge(device: CanalystII) -> Iterator[Any]:
    bus = can.Bus(interface="canalystii", channel="0,1", bitrate=500_000)
    try:
        yield bus
    finally:
        if not bus._is_shutdown:  # a second call fails
            bus.shutdown()


def facts(message: Any) -> tuple[object, ...]:
    data = bytes(message.data[: message.dlc])  # python-can returns 8 bytes
    return (
        *(message.arbitration_id, message.is_extended_id, message.is_remote_frame, message.dlc, data),
        *(message.channel, message.is_rx),
    )


def drained(bus: Any, count: int) -> list[Any]:
    return [bus.recv(10) for _ in range(count)]


def test_both_open_alike(device: CanalystII, judge: Any) -> None:
    theirs = [channel.registers for channel in device.channels]
    judge.shutdown()
    with CANalystIIBus("0,1", bitrate=500_000):
        assert [channel.registers for channel in device.channels] == theirs


def test_both_receive_the_same_frames(device: CanalystII, judge: Any) -> None:
    frames = [
        Frame(0x123, b"\1\2\3", ticks=10_000),
        Frame(0x12ABCDEF, bytes(range(8)), extended=True, ticks=20_000),
        Frame(0x7FF, remote=True, size=4, ticks=30_000),
        Frame(0, ticks=30_001),
    ]
    device.layout = (0, 2, 3)
    device.receive(1, *frames)
    theirs = drained(judge, len(frames))
    judge.shutdown()
    with CANalystIIBus(bitrate=500_000) as bus:
        device.receive(1, *frames)
        ours = drained(bus, len(frames))
    assert [facts(message) for message in ours] == [facts(message) for message in theirs]
    assert [message.timestamp for message in theirs] == [1.0, 2.0, 3.0, 3.0001]  # seconds of the adapter
    gaps = [message.timestamp_ns - ours[0].timestamp_ns for message in ours]
    assert gaps == [0, 1_000_000_000, 2_000_000_000, 2_000_100_000]


@pytest.mark.parametrize("fields", SENT)
def test_both_send_the_same_bytes(device: CanalystII, judge: Any, fields: dict[str, Any]) -> None:
    judge.send(can.Message(**fields, channel=1))
    judge.shutdown()
    with CANalystIIBus(bitrate=500_000) as bus:
        bus.send(can.Message(**fields, channel=1))
    theirs, ours = device.channels[1].sent
    assert ours == theirs


def test_they_talk_to_each_other(monkeypatch: pytest.MonkeyPatch, device: CanalystII, judge: Any) -> None:
    other = CanalystII()
    joined(device.channels[0], other.channels[0])
    monkeypatch.setattr(transport, "backend", EmulatedUsb(other))
    with CANalystIIBus(0, bitrate=500_000) as bus:
        for fields in SENT:
            bus.send(can.Message(**fields))
            judge.send(can.Message(**fields, channel=0))
        ours, theirs = drained(bus, len(SENT)), drained(judge, len(SENT))
    assert [facts(message) for message in ours] == [facts(message) for message in theirs]


def test_a_frame_without_a_channel_is_refused_by_both(device: CanalystII, judge: Any) -> None:
    message = can.Message(arbitration_id=1)
    with pytest.raises(ValueError, match="channel"):
        judge.send(message)
    judge.shutdown()
    with CANalystIIBus(bitrate=500_000) as bus, pytest.raises(ValueError, match="channel"):
        bus.send(message)


def test_where_they_differ(device: CanalystII, judge: Any) -> None:
    """python-can gives up at garbage, and returns frames that are none."""
    device.receive(0, Frame(0x800), Frame(1, size=9), Frame(2))
    assert [(message.arbitration_id, message.dlc) for message in drained(judge, 3)] == [
        (0x800, 0),
        (1, 9),
        (2, 0),
    ]
    device.garbage.append(b"\x7f" * 64)
    device.receive(0, Frame(3))
    with pytest.raises(AssertionError):
        judge.recv(10)
    judge.shutdown()
    with CANalystIIBus(0, bitrate=500_000) as bus:
        device.garbage.append(b"\x7f" * 64)
        device.receive(0, Frame(0x800), Frame(1, size=9), Frame(2))
        assert [message.arbitration_id for message in drained(bus, 1)] == [2]
        assert bus.losses.total() == 3
