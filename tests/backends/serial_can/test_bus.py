"""Buses of python-can's serial format against emulated devices, on a pseudo-terminal and through TCP."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from cantools_cli.backends.serial_can.bus import SerialBus
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.errors import CanInitializationError, CanOperationError, CanTimeoutError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.emulators.line import Line, plugged
from tests.emulators.serial_can import SerialCan, frame

pytest.importorskip("pty", reason="needs pseudo-terminals")
PATIENCE = 20
EXTENDED, REMOTE, ERROR = 0x80000000, 0x40000000, 0x20000000


@pytest.fixture(params=["pty", "tcp"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    with plugged(SerialCan(), request.param) as line:
        yield line


def received(bus: SerialBus, count: int) -> list[Message]:
    messages = [bus.recv(PATIENCE) for _ in range(count)]
    return [message for message in messages if message is not None]


def test_frames_of_all_kinds_go_both_ways(line: Line) -> None:
    sent = [
        Message(arbitration_id=0x123, is_extended_id=False, data=b"\xaa\xbb"),
        Message(arbitration_id=0x12ABCDEF, data=bytes(range(8))),
        Message(arbitration_id=0x7FF, is_extended_id=False, is_remote_frame=True, dlc=4),
        Message(arbitration_id=0x1FFFFFFF, is_remote_frame=True),
        Message(arbitration_id=0x4, is_extended_id=False, is_error_frame=True, data=b"\0\1" + bytes(6)),
    ]
    with SerialBus(line.channel) as bus:
        for message in sent:
            bus.send(message, 5)
        line.inject(b"".join(frame(word, data, 1, size) for word, size, data in WORDS))
        found = received(bus, len(sent))
        line.wait_for(frame(*WORDS[-1][::2], 0)[6:])
    assert isinstance(line.device, SerialCan)
    assert [(word, size, data) for _, word, size, data in line.device.frames] == WORDS
    assert line.device.faults == 0
    for message, expected in zip(found, sent, strict=True):
        assert message.equals(expected, timestamp_delta=None, check_channel=False)
        assert message.channel == line.channel
        assert abs(message.timestamp - time.time()) < PATIENCE


WORDS = [
    (0x123, 2, b"\xaa\xbb"),
    (0x12ABCDEF | EXTENDED, 8, bytes(range(8))),
    (0x7FF | REMOTE, 4, b""),
    (0x1FFFFFFF | EXTENDED | REMOTE, 0, b""),
    (0x4 | ERROR, 8, b"\0\1" + bytes(6)),
]


def test_a_frame_in_single_bytes_arrives(line: Line) -> None:
    line.piece = 1
    with SerialBus(line.channel) as bus:
        line.inject(frame(0x123, b"12345678"))
        assert [bytes(message.data) for message in received(bus, 1)] == [b"12345678"]
        assert not bus.losses


def test_garbage_is_counted_and_costs_no_frame(line: Line) -> None:
    with SerialBus(line.channel) as bus:
        line.inject(b"\0\xff" + frame(1) + b"\xaa\x01" + frame(2) + frame(3)[:-1] + b"\xcc" + frame(4))
        assert [message.arbitration_id for message in received(bus, 3)] == [1, 2, 4]
        assert bus.losses == {"malformed bytes skipped": 2 + 2 + 11}
        assert str(bus.first_fault) == "not a frame: 00 FF"


def test_a_frame_after_a_start_byte_of_noise_arrives_without_another_one(line: Line) -> None:
    with SerialBus(line.channel) as bus:
        line.inject(b"\xaa" + frame(0x123, time=0x08000001))
        assert [message.arbitration_id for message in received(bus, 1)] == [0x123]
        assert bus.losses == {"malformed bytes skipped": 1}


def test_the_time_of_the_device_is_mapped_to_the_epoch(line: Line) -> None:
    with SerialBus(line.channel) as bus:
        line.inject(frame(1, time=0xFFFFFFFF - 499) + frame(2, time=500))  # it wraps in between
        first, second = received(bus, 2)
    assert abs(second.timestamp - time.time()) < PATIENCE
    assert second.timestamp_ns - first.timestamp_ns == 1_000_000_000


def test_a_device_without_a_clock_has_the_time_of_arrival(line: Line) -> None:
    before = time.time_ns()
    with SerialBus(line.channel) as bus:
        line.inject(frame(1))
        (first,) = received(bus, 1)
        line.inject(frame(2) + frame(3, time=7))
        second, third = received(bus, 2)
    assert before <= first.timestamp_ns <= second.timestamp_ns <= time.time_ns()
    assert abs(third.timestamp - time.time()) < PATIENCE


def test_the_time_on_the_wire_can_be_that_of_the_frame(line: Line) -> None:
    with SerialBus(line.channel, timestamps="frame") as bus:
        line.inject(frame(1, time=1500))
        assert [message.timestamp for message in received(bus, 1)] == [1.5]
        epoch = Message(arbitration_id=1, is_extended_id=False, timestamp=1.7e9 + 0.25)
        bus.send(epoch)
        line.wait_for(b"\xbb")
    assert isinstance(line.device, SerialCan)
    assert line.device.frames == [((1_700_000_000_250) % (1 << 32), 1, 0, b"")]


def test_the_time_on_the_wire_counts_from_opening(line: Line) -> None:
    with SerialBus(line.channel) as bus:
        bus.send(Message(arbitration_id=1, is_extended_id=False, timestamp=1.7e9))
        line.wait_for(b"\xbb")
    assert isinstance(line.device, SerialCan)
    assert line.device.frames[0][0] < PATIENCE * 1000


def test_host_times_ignore_the_wire(line: Line) -> None:
    with SerialBus(line.channel, timestamps="host") as bus:
        line.inject(frame(1, time=1) + frame(2, time=100_000))
        first, second = received(bus, 2)
    assert second.timestamp_ns - first.timestamp_ns < PATIENCE * 1e9


def test_id_flags_of_python_can_before_4_6(line: Line) -> None:
    with SerialBus(line.channel, id_flags="off") as bus:
        line.inject(frame(0x12ABCDEF) + frame(0x7FF))
        kinds = [(message.arbitration_id, message.is_extended_id) for message in received(bus, 2)]
        assert kinds == [(0x12ABCDEF, True), (0x7FF, False)]
        bus.send(Message(arbitration_id=0x12ABCDEF))
        line.wait_for(b"\xbb")
    assert isinstance(line.device, SerialCan)
    assert line.device.frames[0][1] == 0x12ABCDEF


def test_filters_are_exact(line: Line) -> None:
    with SerialBus(line.channel, can_filters=[{"can_id": 2, "can_mask": 0x7FF, "extended": False}]) as bus:
        line.inject(frame(1) + frame(2 | EXTENDED) + frame(2))
        (message,) = received(bus, 1)
        assert (message.arbitration_id, message.is_extended_id) == (2, False)


def test_a_receive_timeout_is_kept(line: Line) -> None:
    with SerialBus(line.channel, timeout=1000.0) as bus:
        assert bus.recv(0) is None
        assert bus.recv(0.01) is None
        line.inject(frame(1)[:5])  # an unfinished frame does not hold it up either
        line.wait_until_sent()
        assert bus.recv(0.01) is None


def test_an_unplugged_device_is_an_error_after_the_last_frame(line: Line) -> None:
    bus = SerialBus(line.channel)
    line.inject(b"".join(frame(number) for number in range(3)))
    found = received(bus, 1)  # and the others are in the queue of the bus
    line.unplug()
    with pytest.raises(CanOperationError, match=r"^serial:.*(unplugged|closed the connection)"):
        found.extend(iter(lambda: bus.recv(PATIENCE), None))
    assert [message.arbitration_id for message in found] == [0, 1, 2]
    assert bus.is_shutdown
    with pytest.raises(CanOperationError, match="closed"):
        bus.recv(0)


def test_a_frame_that_the_end_reveals_has_the_time_of_day() -> None:
    with plugged(SerialCan(), "tcp") as line:
        bus = SerialBus(line.channel)
        line.inject(b"\xaa\1\2\3\4\x08" + frame(0x123, time=1500))  # it may be a frame of 8 bytes
        line.unplug()
        message = bus.recv(PATIENCE)
        bus.shutdown()
    assert message is not None
    assert abs(message.timestamp - time.time()) < PATIENCE


def test_frames_that_arrived_before_a_failed_send_are_received() -> None:
    with plugged(SerialCan(), "tcp") as line:
        bus = SerialBus(line.channel)
        line.inject(frame(1) + frame(2) + b"\xaa" + frame(3))  # the last one needs the end of the stream
        line.wait_until_sent()
        line.unplug()
        with pytest.raises(CanOperationError):
            bus.send_batch(MessageBatch([Message(arbitration_id=1, is_extended_id=False)] * 1_000_000))
        found: list[Message] = []
        with pytest.raises(CanOperationError, match="closed"):
            found.extend(iter(lambda: bus.recv(PATIENCE), None))
    assert [message.arbitration_id for message in found] == [1, 2, 3]
    assert bus.losses == {"malformed bytes skipped": 1}


def test_a_device_that_does_not_read_is_a_timeout() -> None:
    import pty
    import tty

    master, slave = pty.openpty()
    tty.setraw(slave)
    frames = MessageBatch([Message(arbitration_id=1, is_extended_id=False, data=bytes(8))] * 100_000)
    with SerialBus(os.ttyname(slave)) as bus:
        with pytest.raises(CanTimeoutError, match="no room to send in time") as caught:
            bus.send_batch(frames, 0.01)
        assert caught.value.sent is not None
        assert 0 < caught.value.sent < 100_000
    os.close(master)
    os.close(slave)


def test_a_can_fd_frame_is_refused_and_the_bus_goes_on(line: Line) -> None:
    with SerialBus(line.channel) as bus:
        with pytest.raises(CanOperationError, match="does not carry CAN FD"):
            bus.send(Message(is_fd=True, data=bytes(12)))
        line.inject(frame(1))
        assert len(received(bus, 1)) == 1


def test_loop_returns_what_is_sent() -> None:
    with SerialBus("loop://") as bus:
        sent = Message(arbitration_id=0x123, is_extended_id=False, data=b"\xaa\xbb\xcc")
        bus.send(sent)
        (message,) = received(bus, 1)
        assert message.equals(sent, timestamp_delta=None, check_channel=False)


@pytest.mark.parametrize(
    ("channel", "settings", "reason"),
    [
        ("", {}, "no port given"),
        ("/dev/null", {"id_flags": "maybe"}, 'id_flags is "maybe"'),
        ("/dev/null", {"timestamps": "yes"}, 'timestamps is "yes"'),
        ("/dev/null", {"baudrate": 0}, 'baudrate must be a bit rate above 0, not "0"'),
        ("/dev/null", {"baudrate": "fast"}, 'baudrate must be a bit rate above 0, not "fast"'),
        ("/dev/null", {"nonsense": 1}, 'no setting "nonsense"'),
    ],
)
def test_an_invalid_setting_is_a_usage_error(channel: str, settings: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Bus(channel, interface="serial", ignore_config=True, **settings)


@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        ("/dev/null", 'serial:/dev/null: not a serial port: "/dev/null"'),
        ("/dev/no-such-port", "serial:/dev/no-such-port: no such port"),
        ("socket://127.0.0.1:1", "serial:socket://127.0.0.1:1: cannot connect"),
    ],
)
def test_a_port_that_cannot_be_opened_is_one_line(channel: str, reason: str) -> None:
    with pytest.raises(CanInitializationError) as caught:
        SerialBus(channel)
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


def test_a_busy_port_is_named() -> None:
    busy = pytest.raises(CanInitializationError, match="another program has the port open")
    with plugged() as line, SerialBus(line.channel), busy:
        SerialBus(line.channel)


def test_all_serial_ports_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    from serial.tools import list_ports
    from serial.tools.list_ports_common import ListPortInfo

    port = ListPortInfo("/dev/ttyUSB7")
    port.vid, port.pid = 0x1234, 0x5678
    monkeypatch.setattr(list_ports, "comports", lambda *_: [port])
    assert detect_available_configs("serial") == [{"channel": "/dev/ttyUSB7", "interface": "serial"}]
