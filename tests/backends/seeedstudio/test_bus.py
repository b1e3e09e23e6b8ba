"""Buses of emulated USB-CAN Analyzers, on a pseudo-terminal and through TCP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cantools_cli.backends.seeedstudio.bus import SeeedBus
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bus.base import BusState
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.errors import CanInitializationError, CanOperationError, UsageError
from cantools_cli.frame.message import Message
from tests.emulators.line import Device, Line, plugged
from tests.emulators.seeedstudio import Seeed, Setup, frame

pytest.importorskip("pty", reason="needs pseudo-terminals")
PATIENCE = 20


class Plug:
    """An adapter and its line."""

    def __init__(self, adapter: Seeed, line: Line) -> None:
        self.adapter = adapter
        self.line = line

    def bus(self, **settings: Any) -> SeeedBus:
        return SeeedBus(self.line.channel, **settings)


@pytest.fixture(params=["pty", "tcp"])
def plug(request: pytest.FixtureRequest) -> Iterator[Plug]:
    with plugged(adapter := Seeed(), request.param) as line:
        yield Plug(adapter, line)


def received(bus: SeeedBus, count: int) -> list[Message]:
    messages = [bus.recv(PATIENCE) for _ in range(count)]
    return [message for message in messages if message is not None]


def test_opening_sets_the_adapter_up(plug: Plug) -> None:
    with plug.bus() as bus:
        assert bus.bit_rates == (500000, None)
        assert bus.state is BusState.ACTIVE
    assert plug.adapter.setups == [Setup(3, 1, 0, 0, 0, 1)]
    assert plug.adapter.faults == 0


@pytest.mark.parametrize(
    ("settings", "setup"),
    [
        ({"bitrate": 1_000_000, "frame_type": "EXT"}, Setup(1, 2, 0, 0, 0, 1)),
        ({"bitrate": 5000, "operation_mode": "silent"}, Setup(12, 1, 0, 0, 2, 1)),
        ({"listen_only": True}, Setup(3, 1, 0, 0, 2, 1)),
        ({"listen_only": True, "operation_mode": "loopback"}, Setup(3, 1, 0, 0, 3, 1)),
        ({"frame_type": "std", "operation_mode": "loopback_and_silent"}, Setup(3, 1, 0, 0, 3, 1)),
        ({"timing": BitTiming(8_000_000, 4, 13, 2, 1)}, Setup(7, 1, 0, 0, 0, 1)),
        (
            {"can_filters": [{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}]},
            Setup(3, 1, 0x123, 0x7FF, 0, 1),
        ),
        (
            {"can_filters": [{"can_id": number, "can_mask": 0x7FF} for number in (1, 2)]},
            Setup(3, 1, 0, 0, 0, 1),
        ),
    ],
)
def test_settings_are_those_of_the_adapter(settings: dict[str, Any], setup: Setup) -> None:
    with plugged(adapter := Seeed()) as line:
        Bus(line.channel, interface="seeedstudio", ignore_config=True, **settings).shutdown()
        assert adapter.setups == [setup]


def test_frames_of_all_kinds_go_both_ways(plug: Plug) -> None:
    sent = [
        Message(arbitration_id=0x123, is_extended_id=False, data=b"\xaa\x55"),
        Message(arbitration_id=0x12ABCDEF, data=bytes(range(8))),
        Message(arbitration_id=0x7FF, is_extended_id=False, is_remote_frame=True, dlc=4),
        Message(arbitration_id=0x1FFFFFFF, is_remote_frame=True),
    ]
    with plug.bus(operation_mode="loopback") as bus:
        before = time.time()
        for message in sent:
            bus.send(message)
        found = received(bus, len(sent))
        assert not bus.losses
    assert plug.adapter.frames == [
        (0x123, False, False, 2, b"\xaa\x55"),
        (0x12ABCDEF, True, False, 8, bytes(range(8))),
        (0x7FF, False, True, 4, b""),
        (0x1FFFFFFF, True, True, 0, b""),
    ]
    assert plug.adapter.faults == 0
    for message, expected in zip(found, sent, strict=True):
        assert message.equals(expected, timestamp_delta=None, check_channel=False)
        assert message.channel == plug.line.channel
        assert before <= message.timestamp <= time.time()


def test_a_silent_adapter_does_not_send(plug: Plug) -> None:
    message = Message(arbitration_id=0x123, is_extended_id=False)
    refused = pytest.raises(CanOperationError, match="opened in the silent mode")
    with plug.bus(operation_mode="silent") as bus, refused:
        bus.send(message)
    with plug.bus(operation_mode="loopback_and_silent") as bus:
        bus.send(message)
        assert [message.arbitration_id for message in received(bus, 1)] == [0x123]
    assert plug.adapter.frames == []


def test_frames_in_single_bytes_arrive(plug: Plug) -> None:
    with plug.bus() as bus:
        plug.line.piece = 1
        plug.line.inject(frame(0x155, b"\xaa\x55") + frame(2, remote=4) + frame(3))
        assert [message.arbitration_id for message in received(bus, 3)] == [0x155, 2, 3]
        assert not bus.losses


def test_garbage_is_counted_and_costs_no_frame(plug: Plug) -> None:
    with plug.bus() as bus:
        plug.line.inject(
            b"\0\x11" + frame(1) + frame(2, b"\x11")[:-1] + b"\0" + frame(3) + b"\xaa\xc1" + frame(4)
        )
        assert [message.arbitration_id for message in received(bus, 3)] == [1, 3, 4]
        assert bus.losses == {"malformed bytes skipped": 2 + 6 + 2}
        assert str(bus.first_fault) == "not a frame: 00 11"


def test_a_running_adapter_is_no_loss() -> None:
    class Running(Seeed):
        def feed(self, data: bytes) -> bytes:
            answer = super().feed(data)
            return frame(1, b"12345678")[3:] + answer if answer else b""

    with plugged(Running()) as line, SeeedBus(line.channel) as bus:
        assert not bus.losses


def test_error_counters_are_an_error_frame_and_the_state(plug: Plug) -> None:
    plug.adapter.counters = (5, 6)
    with plug.bus() as bus:
        assert bus.error_counters() == (5, 6)  # as when it was opened: not an error frame
        plug.adapter.counters = (0, 128)
        bus.status_frame()
        (message,) = received(bus, 1)
        assert message.is_error_frame
        assert (message.arbitration_id, message.data[6], message.data[7]) == (0x200, 128, 0)
        assert bus.state is BusState.PASSIVE
        plug.adapter.counters = (0, 0)
        assert bus.error_counters() == (0, 0)
        assert bus.state is BusState.ACTIVE
        plug.adapter.reports_status = False
        assert bus.error_counters(0.01) is None
        with pytest.raises(NotImplementedError):
            bus.state = BusState.PASSIVE


def test_documented_methods_do_what_they_say(plug: Plug) -> None:
    with plug.bus() as bus:
        bus.bit_rate = 250000
        bus.init_frame()
        assert bus.error_counters() == (0, 0)
        assert plug.adapter.setups[-1].speed == 5
        plug.line.inject(frame(1))
        assert bus.error_counters() == (0, 0)  # which come after the frame
        bus.flush_buffer()
        assert bus.recv(0) is None


def test_one_filter_is_that_of_the_adapter_and_exact(plug: Plug) -> None:
    only_123 = {"can_id": 0x123, "can_mask": 0x7FF, "extended": False}
    with plug.bus() as bus:
        bus.set_filters([only_123])
        bus.set_filters([only_123])  # as before
        plug.line.inject(frame(0x124) + frame(0x123, extended=True) + frame(0x123))
        (message,) = received(bus, 1)
        assert (message.arbitration_id, message.is_extended_id) == (0x123, False)
        bus.set_filters(None)
        assert bus.error_counters() == (0, 0)
    assert [setup[2:4] for setup in plug.adapter.setups] == [(0, 0), (0x123, 0x7FF), (0, 0)]


class Other:
    """A device of another kind, which answers each request with text."""

    def feed(self, data: bytes) -> bytes:
        return b"V1013\r"


@pytest.mark.parametrize(
    ("device", "hint"),
    [
        (None, "is this a USB-CAN Analyzer, and does it have power? "),
        (Other(), 'the line carries something else ("not a frame: 56 31 30'),
    ],
)
def test_a_device_that_does_not_answer_is_an_error(device: Device | None, hint: str) -> None:
    with plugged(device) as line:
        with pytest.raises(CanInitializationError, match="the adapter does not answer") as caught:
            SeeedBus(line.channel)
        assert str(caught.value.hint).startswith(hint)
        assert str(caught.value.hint).endswith("; probe=false opens it all the same")
        SeeedBus(line.channel, probe=False).shutdown()


def test_a_lost_status_is_requested_again() -> None:
    with plugged(adapter := Seeed()) as line:
        adapter.ignores = 1
        SeeedBus(line.channel).shutdown()


def test_a_frame_is_an_answer_as_well() -> None:
    class Busy(Seeed):
        def feed(self, data: bytes) -> bytes:
            super().feed(data)
            return frame(0x123, b"1")

    device = Busy()
    device.reports_status = False
    with plugged(device) as line:
        SeeedBus(line.channel).shutdown()


def test_an_unplugged_adapter_is_an_error_after_the_last_frame(plug: Plug) -> None:
    bus = plug.bus()
    plug.line.inject(frame(0) + frame(1) + frame(2))
    found = received(bus, 1)  # and the others are in the queue of the bus
    plug.line.unplug()
    with pytest.raises(CanOperationError, match=r"^seeedstudio:.*(unplugged|closed the connection)"):
        found.extend(iter(lambda: bus.recv(PATIENCE), None))
    assert [message.arbitration_id for message in found] == [0, 1, 2]
    assert bus.is_shutdown
    with pytest.raises(CanOperationError, match="closed"):
        bus.error_counters()


@pytest.mark.parametrize("kind", ["is_error_frame", "is_fd"])
def test_a_frame_that_the_adapter_cannot_carry_is_refused(kind: str) -> None:
    with plugged(adapter := Seeed()) as line, SeeedBus(line.channel) as bus:
        with pytest.raises(CanOperationError, match="carries neither"):
            bus.send(Message(arbitration_id=0x123, **{kind: True}))
        assert adapter.frames == []


@pytest.mark.parametrize(
    ("channel", "settings", "reason"),
    [
        ("", {}, "no port given"),
        ("/dev/null", {"bitrate": 300000}, 'bitrate is "300000"'),
        ("/dev/null", {"frame_type": "FD"}, 'frame_type is "FD"'),
        ("/dev/null", {"operation_mode": "loud"}, 'operation_mode is "loud"'),
        ("/dev/null", {"timing": BitTiming(8_000_000, 3, 13, 2, 1)}, 'bitrate is "166667"'),
    ],
)
def test_an_invalid_argument_is_a_usage_error(channel: str, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Bus(channel, interface="seeedstudio", ignore_config=True, **settings)


def test_the_manual_s_spelling_is_the_same_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    from serial.tools import list_ports
    from serial.tools.list_ports_common import ListPortInfo

    with plugged(Seeed()) as line, Bus(line.channel, interface="seedstudio", ignore_config=True) as bus:
        assert isinstance(bus, SeeedBus)
    port = ListPortInfo("/dev/ttyUSB1")
    port.vid, port.pid = 0x1A86, 0x7523
    monkeypatch.setattr(list_ports, "comports", lambda *_: [port])
    assert detect_available_configs("seeedstudio") == [
        {"channel": "/dev/ttyUSB1", "interface": "seeedstudio"}
    ]
