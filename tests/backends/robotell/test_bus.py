"""Buses of emulated Robotell adapters, on a pseudo-terminal and through TCP."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cantools_cli.backends.robotell.bus import RobotellBus
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.errors import CanInitializationError, CanOperationError, UsageError
from cantools_cli.frame.message import Message
from tests.emulators.line import Device, Line, plugged
from tests.emulators.robotell import Robotell, frame, packet

pytest.importorskip("pty", reason="needs pseudo-terminals")
PATIENCE = 20
DISABLED = bytes.fromhex("AAAA E0FEFF01 00000000 00000000 08 FF0100 E6 5555")  #: filter 1
ONLY_123 = {"can_id": 0x123, "can_mask": 0x7FF, "extended": False}


class Plug:
    """An adapter and its line."""

    def __init__(self, adapter: Robotell, line: Line) -> None:
        self.adapter = adapter
        self.line = line

    def bus(self, **settings: Any) -> RobotellBus:
        return RobotellBus(self.line.channel, **settings)


@pytest.fixture(params=["pty", "tcp"])
def plug(request: pytest.FixtureRequest) -> Iterator[Plug]:
    with plugged(adapter := Robotell(), request.param) as line:
        yield Plug(adapter, line)


def received(bus: RobotellBus, count: int) -> list[Message]:
    messages = [bus.recv(PATIENCE) for _ in range(count)]
    return [message for message in messages if message is not None]


def test_opening_initialises_the_adapter_and_sets_the_bit_rate(plug: Plug) -> None:
    with plug.bus(bitrate=500000) as bus:
        assert plug.adapter.initialised == 1
        assert plug.adapter.bitrate == 500000
        assert bus.bit_rates == (500000, None)
        assert (
            bus.channel_info == f"Robotell USB-CAN s/n 53FF-6A06-4972-4855-4060-1787 on {plug.line.channel}"
        )
        assert plug.adapter.faults == 0
    begin = "AAAA C0FEFF01 0000000000000000 08 FF 01 00 C6 5555"
    begin += "AAAA D0FEFF01 20A1070000000000 04 FF 01 00 9A 5555"
    assert plug.line.received.startswith(bytes.fromhex(begin))


def test_without_a_bit_rate_that_of_the_adapter_stays(plug: Plug) -> None:
    with plug.bus() as bus:
        assert bus.bit_rates == (None, None)
    assert plug.adapter.settings == {}


def test_the_channel_may_end_with_the_baud_rate() -> None:
    with plugged(Robotell()) as line, RobotellBus(f"{line.channel}@460800") as bus:
        assert bus.channel_info.endswith(f" on {line.channel}")


def test_frames_of_all_kinds_go_both_ways(plug: Plug) -> None:
    sent = [
        Message(arbitration_id=0x123, is_extended_id=False, data=b"\xaa\x55\xa5"),
        Message(arbitration_id=0x12ABCDEF, data=bytes(range(8))),
        Message(arbitration_id=0x7FF, is_extended_id=False, is_remote_frame=True, dlc=4),
        Message(arbitration_id=0x1FFFFFFF, is_remote_frame=True),
    ]
    known = [
        (0x123, False, False, 3, b"\xaa\x55\xa5"),
        (0x12ABCDEF, True, False, 8, bytes(range(8))),
        (0x7FF, False, True, 4, b""),
        (0x1FFFFFFF, True, True, 0, b""),
    ]
    plug.adapter.answer = lambda message: frame(
        message[0], message[4], extended=message[1], remote=message[3] if message[2] else None
    )
    with plug.bus() as bus:
        before = time.time()
        for message in sent:
            bus.send(message)
        found = received(bus, len(sent))
        assert plug.adapter.frames == known
        assert plug.adapter.faults == 0
        assert not bus.losses
    for message, expected in zip(found, sent, strict=True):
        assert message.equals(expected, timestamp_delta=None, check_channel=False)
        assert message.channel == plug.line.channel
        assert before <= message.timestamp <= time.time()


def test_frames_in_single_bytes_arrive(plug: Plug) -> None:
    with plug.bus() as bus:
        plug.line.piece = 1
        plug.line.inject(frame(0x100, b"\x53") + frame(2))
        assert [message.arbitration_id for message in received(bus, 2)] == [0x100, 2]
        assert not bus.losses


def test_garbage_is_counted_and_costs_no_frame(plug: Plug) -> None:
    wrong = bytearray(frame(3))
    wrong[-3] ^= 1
    merged = frame(4)[:-1] + frame(5)  # a byte is lost
    with plug.bus() as bus:
        plug.line.inject(b"\xa5" + frame(1) + frame(2)[:7] + frame(2) + bytes(wrong) + merged + frame(6))
        assert [message.arbitration_id for message in received(bus, 4)] == [1, 2, 5, 6]
        assert bus.losses == {"malformed bytes skipped": 1 + 7 + 20, "malformed packets skipped": 1}
        assert str(bus.first_fault) == "not a frame: A5"


def test_a_running_adapter_is_no_loss(plug: Plug) -> None:
    plug.adapter.before_confirmation = frame(1)[5:] + frame(2)
    with plug.bus(bitrate=125000) as bus:
        assert not bus.losses
        plug.line.inject(frame(3))
        assert [message.arbitration_id for message in received(bus, 3)] == [2, 2, 3]


def test_settings_are_written_and_confirmed(plug: Plug) -> None:
    with plug.bus() as bus:
        bus.set_bitrate(250000)
        bus.set_auto_retransmit(True)
        bus.set_auto_bus_management(False)
        bus.set_serial_rate(115200)
        bus.set_hw_filter(1, True, 0x123, 0x7FF, False)
        bus.set_hw_filter(14, True, 0x1234, 0x1FFFFFFF, True)
        assert bus.bit_rates == (250000, None)
        assert bus.get_serial_number(5) == "53FF-6A06-4972-4855-4060-1787"
        assert bus.get_serial_number(None) == "53FF-6A06-4972-4855-4060-1787"
    assert plug.adapter.bitrate == 250000
    assert plug.adapter.settings[0x01FFFEA0] == b"\1" + bytes(7)
    assert plug.adapter.settings[0x01FFFEB0] == bytes(8)
    assert plug.adapter.settings[0x01FFFE90] == (115200).to_bytes(8, "little")
    assert plug.adapter.filters() == {1: (0x123, 0x7FF, False), 14: (0x1234, 0x1FFFFFFF, True)}  # and kept


def test_filters_of_the_bus_replace_those_of_the_adapter(plug: Plug) -> None:
    with plug.bus() as bus:
        bus.set_hw_filter(1, True, 0x123, 0x7FF, False)
        bus.set_filters(None)
        assert plug.adapter.filters() == {}


def test_frames_that_arrive_during_a_setting_are_received(plug: Plug) -> None:
    with plug.bus() as bus:
        plug.adapter.before_confirmation = frame(7, b"x")
        bus.set_bitrate(250000)
        assert [message.arbitration_id for message in received(bus, 1)] == [7]


@pytest.mark.parametrize(
    "use",
    [
        lambda bus: bus.set_bitrate(1_000_001),
        lambda bus: bus.set_bitrate(0),
        lambda bus: bus.set_serial_rate(0),
        lambda bus: bus.set_hw_filter(0, True, 0, 0, False),
        lambda bus: bus.set_hw_filter(15, True, 0, 0, False),
        lambda bus: bus.set_hw_filter(1, True, 0x20000000, 0, False),
    ],
)
def test_an_invalid_setting_is_a_value_error(use: Callable[[RobotellBus], None]) -> None:
    with plugged(adapter := Robotell()) as line, RobotellBus(line.channel) as bus:
        with pytest.raises(ValueError, match="robotell:"):
            use(bus)
        assert adapter.settings == {}


def test_a_setting_without_confirmation_is_an_error() -> None:
    with plugged(adapter := Robotell()) as line, RobotellBus(line.channel) as bus:
        adapter.mute = {0x01FFFED0, 0x01FFFFF1}
        with pytest.raises(CanOperationError, match="does not confirm the bit rate 250000"):
            bus.set_bitrate(250000)
        assert bus.get_serial_number(0.01) is None
        assert not bus.is_shutdown
    with pytest.raises(CanOperationError, match="closed"):
        bus.get_serial_number(1)


# --- filters ------------------------------------------------------------------------------------------


def test_filters_are_those_of_the_adapter_and_exact(plug: Plug) -> None:
    with plug.bus(can_filters=[ONLY_123]) as bus:
        assert plug.adapter.filters() == {1: (0x123, 0x7FF, False)}
        # such as from an adapter that passes more
        plug.line.inject(frame(0x124) + frame(0x123, extended=True) + plug.adapter.from_bus(0x123))
        (message,) = received(bus, 1)
        assert (message.arbitration_id, message.is_extended_id) == (0x123, False)
        bus.set_filters([{"can_id": 0x100, "can_mask": 0x700, "extended": False}, ONLY_123])
        assert plug.adapter.filters() == {1: (0x100, 0x700, False), 2: (0x123, 0x7FF, False)}
        bus.set_filters([{"can_id": number, "can_mask": 0x7FF} for number in range(8)])  # too many
        assert plug.adapter.filters() == {}
        bus.set_filters([ONLY_123])
        plug.line.received = b""
    plug.line.wait_for(DISABLED)  # the next program gets all frames
    assert plug.adapter.filters() == {}


def test_hw_filters_false_leaves_the_adapter_alone(plug: Plug) -> None:
    with plug.bus(can_filters=[ONLY_123], hw_filters=False) as bus:
        assert plug.adapter.settings == {}
        plug.line.inject(frame(0x124) + frame(0x123))
        assert [message.arbitration_id for message in received(bus, 1)] == [0x123]


def test_filters_of_an_earlier_program_are_reported(plug: Plug, caplog: pytest.LogCaptureFixture) -> None:
    plug.adapter.settings[0x01FFFEE2] = bytes.fromhex("23010080 FF070000")
    notes: list[str] = []
    with plug.bus(on_note=notes.append) as bus:
        assert notes == []  # the program may set its own
        assert bus.recv(0) is None
        assert bus.recv(0) is None
    text = f"robotell:{plug.line.channel}: frames may be missing: an earlier program left filters 3 enabled"
    assert notes == [text]
    with plug.bus() as bus, caplog.at_level(logging.WARNING, "can"):
        bus.recv(0)
    assert [record.getMessage() for record in caplog.records] == [text]
    with plug.bus(can_filters=[ONLY_123], on_note=notes.append) as bus:  # replaces them
        assert plug.adapter.filters() == {1: (0x123, 0x7FF, False)}
        bus.recv(0)
    assert notes == [text]


def test_filters_that_the_adapter_does_not_confirm_are_an_error(caplog: pytest.LogCaptureFixture) -> None:
    with plugged(adapter := Robotell()) as line:
        adapter.mute = {0x01FFFEE5}
        with pytest.raises(CanInitializationError, match="does not confirm its filters") as caught:
            RobotellBus(line.channel, can_filters=[ONLY_123])
        assert caught.value.hint == "hw_filters=false does without"
        assert caplog.records == []  # such as of a bus that was left open
        RobotellBus(line.channel).shutdown()  # the port is free again


# --- trouble ------------------------------------------------------------------------------------------


class Other:
    """A device of another kind, which answers each request with text."""

    def feed(self, data: bytes) -> bytes:
        return b"V1013\r"


@pytest.mark.parametrize(
    ("device", "hint"),
    [
        (None, "is this a Robotell adapter, and does it have power? "),
        (Other(), 'the line carries something else ("not a frame: 56 31 30'),
    ],
)
def test_a_device_that_does_not_answer_is_an_error(device: Device | None, hint: str) -> None:
    with plugged(device) as line:
        begin = time.monotonic()
        with pytest.raises(CanInitializationError, match="the adapter does not answer") as caught:
            RobotellBus(line.channel)
        assert time.monotonic() - begin < PATIENCE
        assert str(caught.value.hint).startswith(hint)
        assert "PORT@460800" in str(caught.value.hint)
        with pytest.raises(CanInitializationError, match="does not answer"):
            RobotellBus(line.channel)  # the port is free again


def test_a_lost_confirmation_is_requested_again() -> None:
    with plugged(adapter := Robotell()) as line:
        adapter.loses = 1
        with RobotellBus(line.channel) as bus:
            assert adapter.initialised == 2
            adapter.loses = 1
            bus.set_bitrate(250000)
            adapter.loses = 3
            bus.set_filters([ONLY_123])
            assert adapter.filters() == {1: (0x123, 0x7FF, False)}


def test_an_answer_of_another_setting_is_none() -> None:
    with plugged(adapter := Robotell()) as line, RobotellBus(line.channel) as bus:
        adapter.before_confirmation = packet(0x01FFFED0, b"", 4, 0xFF, 1, 1)
        adapter.mute = {0x01FFFFF0}
        bus.set_auto_retransmit(True)
        assert bus.get_serial_number(0.01) is None


def test_an_unplugged_adapter_is_an_error_after_the_last_frame(plug: Plug) -> None:
    bus = plug.bus()
    plug.line.inject(frame(0) + frame(1) + frame(2))
    found = received(bus, 1)  # and the others are in the queue of the bus
    plug.line.unplug()
    with pytest.raises(CanOperationError, match=r"^robotell:.*(unplugged|closed the connection)"):
        found.extend(iter(lambda: bus.recv(PATIENCE), None))
    assert [message.arbitration_id for message in found] == [0, 1, 2]
    assert bus.is_shutdown


def test_an_adapter_unplugged_during_a_setting_is_an_error(plug: Plug) -> None:
    bus = plug.bus()
    plug.line.unplug()
    with pytest.raises(CanOperationError, match=r"^robotell:|closed"):
        bus.set_bitrate(250000)
    with pytest.raises(CanOperationError, match=r"closed|unplugged"):
        bus.recv(PATIENCE)
    assert bus.is_shutdown


@pytest.mark.parametrize("kind", ["is_error_frame", "is_fd"])
def test_a_frame_that_the_adapter_cannot_carry_is_refused(kind: str) -> None:
    with plugged(adapter := Robotell()) as line, RobotellBus(line.channel) as bus:
        with pytest.raises(CanOperationError, match="carries neither"):
            bus.send(Message(arbitration_id=0x123, **{kind: True}))
        assert adapter.frames == []


@pytest.mark.parametrize(
    ("channel", "settings", "reason"),
    [
        ("", {}, "no serial port given"),
        ("/dev/null@fast", {}, "is not a baud rate"),
        ("/dev/null", {"bitrate": 1_000_001}, "the bit rate 1000001 is not from 1 to 1000000"),
        (
            "/dev/null",
            {"timing": BitTiming(8_000_000, 1, 5, 2, 1), "bitrate": 500000},
            "timing is for 1000000",
        ),
        ("/dev/null", {"timing": "fast"}, "no other timing"),
        ("/dev/null", {"listen_only": True}, "cannot listen only"),
        ("/dev/null", {"timing": BitTiming(btr0=0, btr1=0x14)}, "robotell: bit timing: f_clock is unknown"),
    ],
)
def test_an_invalid_argument_is_a_usage_error(channel: str, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Bus(channel, interface="robotell", ignore_config=True, **settings)


def test_a_bit_timing_gives_the_bit_rate() -> None:
    with plugged(adapter := Robotell()) as line:
        RobotellBus(line.channel, timing=BitTiming(8_000_000, 1, 5, 2, 1)).shutdown()
        assert adapter.bitrate == 1_000_000


def test_loop_is_an_adapter_that_confirms_everything() -> None:
    with RobotellBus("loop://", bitrate=500000) as bus:
        assert bus.channel_info == "Robotell USB-CAN s/n 0000-0000-0000-0000-0000-0000 on loop://"
        bus.send(Message(arbitration_id=0x123, is_extended_id=False, data=b"\xaa"))
        assert [bytes(message.data) for message in received(bus, 1)] == [b"\xaa"]


def test_ports_with_the_converter_of_the_adapter_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    from serial.tools import list_ports
    from serial.tools.list_ports_common import ListPortInfo

    ports = [ListPortInfo(f"/dev/ttyUSB{number}") for number in range(2)]
    ports[0].vid, ports[0].pid = 0x1234, 0x5678
    ports[1].vid, ports[1].pid = 0x1A86, 0x7523
    monkeypatch.setattr(list_ports, "comports", lambda *_: ports)
    assert detect_available_configs("robotell") == [{"channel": "/dev/ttyUSB1", "interface": "robotell"}]


def test_settings_and_frames_of_several_threads_do_not_hinder_one_another(plug: Plug) -> None:
    plug.adapter.answer = lambda message: frame(message[0], message[4])
    found: list[Message] = []
    with plug.bus() as bus:
        reader = threading.Thread(target=lambda: found.extend(received(bus, 200)))
        sender = threading.Thread(
            target=lambda: [
                bus.send(Message(arbitration_id=number, is_extended_id=False)) for number in range(200)
            ]
        )
        reader.start()
        sender.start()
        numbers = [bus.get_serial_number(PATIENCE) for _ in range(20)]
        sender.join(PATIENCE)
        reader.join(PATIENCE)
    assert numbers == ["53FF-6A06-4972-4855-4060-1787"] * 20
    assert [message.arbitration_id for message in found] == list(range(200))
