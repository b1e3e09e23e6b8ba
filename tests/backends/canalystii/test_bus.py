"""The bus of a CANalyst-II on an emulated adapter."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator

import pytest

from cantools_cli.backends.canalystii import adapter, codec
from cantools_cli.backends.canalystii.bus import CANalystIIBus
from cantools_cli.backends.transport import usb
from cantools_cli.bit_timing.classic import BitTiming, BitTimingFd
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.bus.losses import MISSED_FRAMES
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    InvalidMessageError,
    UsageError,
)
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.emulators.canalystii import CAPACITY, CanalystII, Frame, joined
from tests.emulators.usb import Core, EmulatedUsb

SECONDS = 20.0


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> CanalystII:
    device = CanalystII("A1")
    monkeypatch.setattr(usb, "backend", EmulatedUsb(device))
    return device


@pytest.fixture
def bus(device: CanalystII) -> Iterator[CANalystIIBus]:
    with CANalystIIBus(0, bitrate=500_000) as bus:
        yield bus


def received(bus: CANalystIIBus, count: int) -> list[Message]:
    frames: list[Message] = []
    while len(frames) < count:
        frame = bus.recv(SECONDS)
        assert frame is not None, f"{len(frames)} of {count} frames"
        frames.append(frame)
    return frames


def message(identifier: int, data: bytes = b"", **more: object) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)  # type: ignore[arg-type]


# --- opening ------------------------------------------------------------------------------------------


def test_opening_and_closing(device: CanalystII) -> None:
    with CANalystIIBus(bitrate=500_000) as bus:
        assert bus.channels == (0, 1)
        assert str(bus) == "CANalyst-II: device 0, channels 0, 1"
        assert bus.bit_rates == (500_000, None)
        for channel in device.channels:
            assert channel.registers == (0x00, 0x1C)
            assert channel.is_running
            assert channel.commands[:3] == [codec.INIT, codec.CLEAR_RX, codec.START]
    assert [channel.commands[-1] for channel in device.channels] == [codec.STOP] * 2
    assert device.claimed_by is None
    assert device.resets == 0
    with CANalystIIBus(bitrate=250_000):  # again in one process
        assert device.channels[0].registers == (0x01, 0x1C)


@pytest.mark.parametrize(
    ("channel", "channels"), [(1, (1,)), ("1", (1,)), ("0,1", (0, 1)), ([1, 0], (1, 0)), ("1, 0", (1, 0))]
)
def test_the_forms_of_a_channel(device: CanalystII, channel: object, channels: tuple[int, ...]) -> None:
    with CANalystIIBus(channel, bitrate=125_000) as bus:  # type: ignore[arg-type]
        assert bus.channels == channels
        assert [part.is_running for part in device.channels] == [0 in channels, 1 in channels]


def test_the_documented_order_of_arguments(device: CanalystII) -> None:
    timing = BitTiming(f_clock=8_000_000, btr0=0x01, btr1=0x14)
    with CANalystIIBus((1,), 0, None, timing, [{"can_id": 5, "can_mask": 0x7FF}], 10) as bus:
        assert device.channels[1].registers == (0x01, 0x14)
        assert bus.filters == [{"can_id": 5, "can_mask": 0x7FF}]


@pytest.mark.parametrize(
    ("settings", "registers", "rate"),
    [
        ({"bitrate": 33_333}, (0x09, 0x6F), 33_333),
        ({"btr0": 0x03, "btr1": 0x1C}, (0x03, 0x1C), 125_000),
        ({"timing": BitTiming(f_clock=8_000_000, brp=1, tseg1=5, tseg2=2, sjw=1)}, (0x00, 0x14), 1_000_000),
        ({"timing": BitTiming(btr0=0x00, btr1=0x14)}, (0x00, 0x14), 1_000_000),
        ({"timing": BitTiming(f_clock=16_000_000, brp=2, tseg1=13, tseg2=2, sjw=1)}, (0x00, 0x1C), 500_000),
        ({"bitrate": 125_000, "timing": BitTiming(f_clock=8_000_000, btr0=1, btr1=0x1C)}, (1, 0x1C), 250_000),
    ],
)
def test_bit_timing(
    device: CanalystII, settings: dict[str, object], registers: tuple[int, int], rate: int
) -> None:
    with CANalystIIBus(0, **settings) as bus:  # type: ignore[arg-type]
        assert device.channels[0].registers == registers
        assert bus.bit_rates[0] == rate


@pytest.mark.parametrize("rate", codec.BIT_RATES)
def test_the_registers_of_the_table_have_its_bit_rates(rate: int) -> None:
    btr0, btr1 = codec.BIT_RATES[rate]
    assert BitTiming.from_registers(8_000_000, btr0, btr1).bitrate == pytest.approx(rate, rel=0.002)


@pytest.mark.parametrize(
    ("channel", "settings", "text"),
    [
        (0, {}, "canalystii: neither bitrate nor a timing is given"),
        (0, {"bitrate": 123_456}, "bit rate 123456 is not in the table"),
        (2, {"bitrate": 500_000}, "canalystii:2: the channels of an adapter are 0 and 1"),
        ("can0", {"bitrate": 500_000}, "canalystii:can0: the channels of an adapter are 0 and 1"),
        ((), {"bitrate": 500_000}, "the channels of an adapter are 0 and 1"),
        (0, {"btr0": 256, "btr1": 0}, "is not a byte"),
        (0, {"bitrate": 500_000, "rx_queue_size": 0}, "rx_queue_size 0 is not above 0"),
        (0, {"bitrate": 500_000, "listen_only": True}, "the adapter cannot listen only"),
        (
            0,
            {"timing": BitTimingFd.from_sample_point(80_000_000, 500_000, 80.0, 2_000_000, 80.0)},
            "the adapter has no CAN FD",
        ),
        (
            0,
            {"timing": BitTiming(f_clock=50_000_000, brp=5, tseg1=7, tseg2=2, sjw=1)},
            "the timing does not fit the clock of 8 MHz",
        ),
    ],
)
def test_invalid_settings(
    device: CanalystII, channel: object, settings: dict[str, object], text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        CANalystIIBus(channel, **settings)  # type: ignore[arg-type]
    assert not device.channels[0].commands


def test_an_adapter_that_is_not_there(monkeypatch: pytest.MonkeyPatch, device: CanalystII) -> None:
    with pytest.raises(CanInitializationError, match="no adapter number 1, 1 connected"):
        CANalystIIBus(0, 1, 500_000)
    other = Core((0x1D50, 0x606F), ("", "candleLight", ""), (0x81, 0x02))
    monkeypatch.setattr(usb, "backend", EmulatedUsb(other))
    with pytest.raises(CanInitializationError, match="no CANalyst-II is connected") as caught:
        CANalystIIBus(0, bitrate=500_000)
    assert "04d8:0053" in str(caught.value.hint)


def test_an_adapter_in_use(device: CanalystII, bus: CANalystIIBus) -> None:
    with pytest.raises(CanInitializationError, match="another program uses the USB device"):
        CANalystIIBus(1, bitrate=500_000)
    device.receive(0, Frame(1))  # the first user goes on
    assert received(bus, 1)[0].arbitration_id == 1


def test_an_adapter_without_permission(device: CanalystII) -> None:
    device.is_readable = False
    with pytest.raises(CanInitializationError, match="no permission") as caught:
        CANalystIIBus(0, bitrate=500_000)
    assert 'ATTR{idVendor}=="04d8"' in str(caught.value.hint)


def test_an_adapter_that_does_not_answer(device: CanalystII) -> None:
    device.is_dumb = True
    before = time.monotonic()
    with pytest.raises(CanInitializationError, match="canalystii:0: the adapter does not answer") as caught:
        CANalystIIBus(0, bitrate=500_000)
    assert time.monotonic() - before < 2
    assert caught.value.hint == "unplug the adapter and plug it in again"
    assert device.claimed_by is None


@pytest.mark.skipif(sys.platform != "linux", reason="lists descriptors")
def test_a_failed_opening_leaves_no_descriptor_open(device: CanalystII) -> None:
    device.is_readable = False
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(CanInitializationError):
            CANalystIIBus(0, bitrate=500_000)
    assert len(os.listdir("/proc/self/fd")) == before


def test_frames_of_an_earlier_use_are_dropped(device: CanalystII) -> None:
    device.stale = (Frame(1), Frame(2))
    with CANalystIIBus(0, bitrate=500_000) as bus:
        device.receive(0, Frame(3))
        assert received(bus, 1)[0].arbitration_id == 3


# --- receiving ----------------------------------------------------------------------------------------


def test_received_frames(device: CanalystII, bus: CANalystIIBus) -> None:
    before = time.time()
    device.receive(
        0,
        Frame(0x123, b"\1\2\3"),
        Frame(0x12ABCDEF, bytes(8), extended=True),
        Frame(0x7FF, remote=True, size=4),
    )
    base, extended, remote = received(bus, 3)
    assert (base.arbitration_id, bytes(base.data), base.channel, base.is_rx) == (0x123, b"\1\2\3", 0, True)
    assert (extended.arbitration_id, extended.is_extended_id, extended.dlc) == (0x12ABCDEF, True, 8)
    assert (remote.is_remote_frame, remote.dlc) == (True, 4)
    assert extended.timestamp_ns - base.timestamp_ns == 1_000_000  # as the device counts
    assert before - 1 < base.timestamp <= time.time() + 0.01


def test_times_across_the_wrap_of_the_counter(device: CanalystII, bus: CANalystIIBus) -> None:
    device.receive(0, Frame(1, ticks=0xFFFFFFFE), Frame(2, ticks=(1 << 32) + 3))
    first, second = received(bus, 2)
    assert second.timestamp_ns - first.timestamp_ns == 500_000


def test_both_channels(device: CanalystII) -> None:
    with CANalystIIBus(bitrate=500_000) as bus:
        device.receive(0, Frame(1))
        device.receive(1, Frame(2))
        assert {(frame.channel, frame.arbitration_id) for frame in received(bus, 2)} == {(0, 1), (1, 2)}


@pytest.mark.parametrize("layout", [(3,), (1,), (0, 3), (2, 0, 1, 3)])
def test_frames_in_any_buffers(device: CanalystII, bus: CANalystIIBus, layout: tuple[int, ...]) -> None:
    device.layout = layout
    device.receive(0, *(Frame(number) for number in range(100)))
    assert [frame.arbitration_id for frame in received(bus, 100)] == [*range(100)]
    assert not bus.losses


def test_filters_run_in_software(device: CanalystII) -> None:
    filters = [{"can_id": 0x100, "can_mask": 0x700, "extended": False}]
    with CANalystIIBus(0, bitrate=500_000, can_filters=filters) as bus:  # type: ignore[arg-type]
        device.receive(0, Frame(1), Frame(0x100, extended=True), Frame(0x123))
        assert received(bus, 1)[0].arbitration_id == 0x123


def test_malformed_buffers_are_counted(device: CanalystII, bus: CANalystIIBus) -> None:
    device.garbage.append(b"\x7f" * 64)
    device.receive(0, Frame(1, size=9), Frame(2))
    assert received(bus, 1)[0].arbitration_id == 2
    assert dict(bus.losses) == {"malformed buffers skipped": 1, "malformed frames skipped": 1}
    assert str(bus.first_fault) == "a buffer of 127 frames, at most 3"


def test_a_short_transfer_is_counted(device: CanalystII, bus: CANalystIIBus) -> None:
    device.cut = 1
    device.receive(0, Frame(1), Frame(2))
    assert len(received(bus, 2)) == 2
    assert dict(bus.losses) == {"malformed buffers skipped": 1}


def test_malformed_replies_are_counted(device: CanalystII, bus: CANalystIIBus) -> None:
    with device._lock:
        device.channels[0].replies.append(b"\xff" * 64)
    device.receive(0, Frame(1))
    assert received(bus, 1)[0].arbitration_id == 1
    assert bus.losses["malformed answers skipped"] >= 1


def test_an_overflow_of_the_adapter_is_marked(
    device: CanalystII, bus: CANalystIIBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bus._port._command_lock:  # the computer is busy
        device.receive(0, *(Frame(number % 0x800) for number in range(CAPACITY + 5)))
    frames = received(bus, CAPACITY + 1)
    assert frames[0].is_error_frame
    assert frames[0].data[1] == 1
    assert frames[0].timestamp_ns == frames[1].timestamp_ns
    assert frames[1].arbitration_id == 5  # the oldest are lost
    assert bus.losses[adapter.FULL] == 1


def test_the_queue_drops_the_oldest(device: CanalystII) -> None:
    with CANalystIIBus(0, bitrate=500_000, rx_queue_size=4) as bus:
        for number in range(10):
            device.receive(0, Frame(number))
            while bus._port.status(0)[0]:
                bus._port._ending.wait(0.001)
        first, *rest = received(bus, 5)
        assert first.is_error_frame
        assert first.timestamp_ns == rest[0].timestamp_ns
        assert [frame.arbitration_id for frame in rest] == [6, 7, 8, 9]
        assert dict(bus.losses) == {MISSED_FRAMES: 6}


def test_waiting_and_polling(device: CanalystII, bus: CANalystIIBus) -> None:
    assert bus.recv(0) is None
    assert bus.recv(0.02) is None
    poll = select.poll()
    poll.register(bus.fileno(), select.POLLIN)
    assert not poll.poll(0)
    device.receive(0, Frame(1))
    assert poll.poll(1000 * SECONDS)
    assert bus.recv(0) is not None
    assert not poll.poll(0)


def test_unplugging_ends_after_the_received_frames(device: CanalystII, bus: CANalystIIBus) -> None:
    device.receive(0, Frame(1))
    assert bus._port._wakeup.wait(SECONDS)
    device.unplug()
    assert received(bus, 1)[0].arbitration_id == 1
    with pytest.raises(CanOperationError, match="canalystii:0: the device was unplugged"):
        bus.recv(SECONDS)
    assert bus.is_shutdown
    with pytest.raises(CanOperationError, match="closed bus"):
        bus.recv(0)


def test_unplugging_wakes_a_thread_that_waits(device: CanalystII, bus: CANalystIIBus) -> None:
    errors: list[CanError] = []

    def wait() -> None:
        try:
            bus.recv()
        except CanError as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    device.unplug()
    thread.join(SECONDS)
    assert "unplugged" in str(errors[0])


def test_nonsense_for_ever_ends_the_bus(
    device: CanalystII, bus: CANalystIIBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nonsense(deque[bytes]):
        def append(self, reply: bytes) -> None:
            super().append(bytes(len(reply)))

    monkeypatch.setattr(adapter, "_MAX_FAULTS", 3)
    with device._lock:
        device.channels[0].replies = Nonsense()
    with pytest.raises(CanOperationError, match="the adapter answers nonsense"):
        bus.recv(SECONDS)


# --- sending ------------------------------------------------------------------------------------------


def test_sent_frames(device: CanalystII, bus: CANalystIIBus) -> None:
    bus.send(message(0x123, b"\1\2"))
    bus.send(Message(arbitration_id=0x1ABCDEF0, is_remote_frame=True, dlc=3))
    assert device.channels[0].sent == [
        Frame(0x123, b"\1\2", size=2),
        Frame(0x1ABCDEF0, extended=True, remote=True, size=3),
    ]


def test_a_batch_keeps_its_order(device: CanalystII, bus: CANalystIIBus) -> None:
    bus.send_batch(MessageBatch([message(number % 0x800, channel="can9") for number in range(1000)]))
    assert [frame.identifier for frame in device.channels[0].sent] == [n % 0x800 for n in range(1000)]


def test_the_channel_of_a_message_selects_the_port(device: CanalystII) -> None:
    with CANalystIIBus(bitrate=500_000) as bus:
        frames = [
            message(1, channel=0),
            message(2, channel="1"),
            message(3, channel=1),
            message(4, channel=0),
        ]
        bus.send_batch(MessageBatch(frames))
        assert [[frame.identifier for frame in part.sent] for part in device.channels] == [[1, 4], [2, 3]]
        for channel in (None, "can0", 2):
            with pytest.raises(InvalidMessageError, match=r"0 (or|nor) 1"):
                bus.send_batch(MessageBatch([message(5, channel=0), message(6, channel=channel)]))
        assert [len(part.sent) for part in device.channels] == [2, 2]


def test_two_adapters_on_one_bus(device: CanalystII) -> None:
    joined(*device.channels)
    with CANalystIIBus(bitrate=500_000) as bus:
        bus.send(message(0x42, b"\7", channel=0))
        [frame] = received(bus, 1)
        assert (frame.channel, frame.arbitration_id, frame.is_rx) == (1, 0x42, True)


def test_own_messages_are_echoed_on_request(device: CanalystII) -> None:
    with CANalystIIBus(0, bitrate=500_000, receive_own_messages=True) as bus:
        bus.send(message(0x42))
        [frame] = received(bus, 1)
        assert (frame.arbitration_id, frame.is_rx) == (0x42, False)


def test_a_frame_that_no_node_acknowledges(device: CanalystII, bus: CANalystIIBus) -> None:
    device.channels[0].is_alone = True
    with pytest.raises(CanTimeoutError, match="the adapter has not sent 1 frame in time") as caught:
        bus.send(message(1), timeout=0.01)
    assert caught.value.sent == 0
    assert "another node" in str(caught.value.hint)
    with pytest.raises(CanTimeoutError, match="has not sent 3 frames") as caught:
        bus.send_batch(MessageBatch([message(2), message(3)]), timeout=0.01)
    assert caught.value.sent == 0
    device.acknowledge(0)
    bus.send(message(4), timeout=SECONDS)
    assert [frame.identifier for frame in device.channels[0].sent] == [1, 2, 3, 4]


def test_a_timeout_counts_from_the_last_sent_frame(
    device: CanalystII, bus: CANalystIIBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines = []

    class Recorded(adapter.Deadline):
        def __init__(self, seconds: float | None) -> None:
            deadlines.append(seconds)
            super().__init__(seconds)

    monkeypatch.setattr(adapter, "Deadline", Recorded)
    device.pace = 5  # frames per status query, as on a slow bus
    bus.send_batch(MessageBatch([message(number) for number in range(400)]), timeout=SECONDS)
    assert len(device.channels[0].sent) == 400
    assert deadlines.count(SECONDS) >= 400 / 5


def test_a_busy_adapter_takes_frames_later(device: CanalystII, bus: CANalystIIBus) -> None:
    device.refusals = 2
    bus.send(message(1), timeout=SECONDS)
    assert [frame.identifier for frame in device.channels[0].sent] == [1]
    device.refusals = 1 << 30
    with pytest.raises(CanTimeoutError, match="takes no more frames, 1 frame left"):
        bus.send(message(2), timeout=0.01)


def test_a_timeout_of_0_only_hands_frames_over(device: CanalystII, bus: CANalystIIBus) -> None:
    device.channels[0].is_alone = True
    bus.send(message(1), timeout=0)
    assert [frame.identifier for frame in device.channels[0].unsent] == [1]
    many = MessageBatch([message(number) for number in range(200)])
    with pytest.raises(CanTimeoutError) as caught:
        bus.send_batch(many, timeout=0)
    assert 0 <= caught.value.sent < 200  # type: ignore[operator]
    device.acknowledge(0)
    bus.flush_tx_buffer()
    assert len(device.channels[0].sent) == 1 + 48


def test_closing_waits_for_what_was_handed_over(device: CanalystII, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_SEND_SECONDS", 0.05)
    bus = CANalystIIBus(0, bitrate=500_000)
    with bus:
        device.channels[0].is_alone = True
        bus.send(message(1), timeout=0)
    assert dict(bus.losses) == {adapter.UNSENT: 1}


def test_flushing(device: CanalystII, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_SEND_SECONDS", 0.05)
    with CANalystIIBus(bitrate=500_000) as bus:
        bus.flush_tx_buffer()
        device.channels[1].is_alone = True
        bus.send(message(1, channel=1), timeout=0)
        bus.flush_tx_buffer(0)  # python-can waits for both channels here
        with pytest.raises(CanTimeoutError, match="has not sent 1 frame"):
            bus.flush_tx_buffer(1)
        device.acknowledge(1)
    with (
        CANalystIIBus(0, bitrate=500_000) as bus,
        pytest.raises(CanOperationError, match="channel 1 is not open"),
    ):
        bus.flush_tx_buffer(1)


def test_sending_to_an_unplugged_adapter_keeps_what_it_received(
    device: CanalystII, bus: CANalystIIBus
) -> None:
    device.receive(0, Frame(1), Frame(2))
    assert bus._port._wakeup.wait(SECONDS)
    device.unplug()
    for _ in range(2):
        with pytest.raises(CanOperationError, match="unplugged"):
            bus.send(message(1))
    assert [frame.arbitration_id for frame in received(bus, 2)] == [1, 2]
    with pytest.raises(CanOperationError, match="unplugged"):
        bus.recv(SECONDS)
    assert bus.is_shutdown


def test_threads_send_and_receive_at_once(device: CanalystII) -> None:
    joined(*device.channels)
    with CANalystIIBus(bitrate=500_000) as bus:

        def send(first: int) -> None:
            for number in range(100):
                bus.send(message(first + number, channel=0))

        threads = [threading.Thread(target=send, args=(first,)) for first in (0x000, 0x100)]
        for thread in threads:
            thread.start()
        found = [frame.arbitration_id for frame in received(bus, 200)]
        for thread in threads:
            thread.join()
        assert sorted(found) == [*range(100), *range(0x100, 0x164)]
        assert [number for number in found if number < 0x100] == [*range(100)]


# --- the rest -----------------------------------------------------------------------------------------


def test_the_status_query(device: CanalystII) -> None:
    with CANalystIIBus(bitrate=500_000) as bus:
        assert bus.get_can_status()["error_warning_limit"] == 96
        device.channels[1].is_alone = True
        bus.send(message(1, channel=1), timeout=0)
        assert bus.get_can_status(1)["tx_error_counter"] == 8
        device.acknowledge(1)
        with pytest.raises(CanOperationError, match="channel 2 is not open"):
            bus.get_can_status(2)


def test_detection(device: CanalystII, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usb, "backend", EmulatedUsb(device, CanalystII(), Core((1, 2), ("", "", ""), ())))
    configs = detect_available_configs("canalystii")
    assert configs == [
        {"interface": "canalystii", "channel": 0},
        {"interface": "canalystii", "channel": 1},
        {"interface": "canalystii", "channel": 0, "device": 1},
        {"interface": "canalystii", "channel": 1, "device": 1},
    ]
    assert not device.channels[0].commands
    device.is_readable = False
    assert detect_available_configs("canalystii") == configs[2:]
    with Bus(**configs[2], bitrate=500_000) as bus:
        assert str(bus) == "CANalyst-II: device 1, channels 0"


def test_the_bus_works_through_the_factory(device: CanalystII) -> None:
    with Bus("0,1", interface="canalystii", bitrate="500k", rx_queue_size="100") as bus:
        bus.send(message(7, channel=1))
    assert device.channels[1].sent[0].identifier == 7


def test_closing_ends_the_send_of_another_thread(device: CanalystII) -> None:
    device.channels[0].is_alone = True
    bus = CANalystIIBus(0, bitrate=500_000)
    errors: list[Exception] = []

    def send() -> None:
        try:
            bus.send(message(1), timeout=60.0)
        except CanOperationError as error:
            errors.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    while not device.channels[0].unsent:
        time.sleep(0.001)
    bus.shutdown()
    thread.join(SECONDS)
    assert [str(error) for error in errors] == ["Cannot operate on a closed bus"]


def test_frames_that_are_announced_but_do_not_come(
    device: CanalystII, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cantools_cli.backends.canalystii.adapter._DATA_MS", 1)
    monkeypatch.setattr(device, "_pending", lambda channel: 3)
    monkeypatch.setattr(device, "_buffers", lambda channel, size: None)
    with CANalystIIBus(0, bitrate=500_000) as bus:
        assert bus.recv(0.1) is None
    assert bus.losses["malformed answers skipped"]


def test_a_late_reply_is_not_taken_for_the_next(device: CanalystII, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cantools_cli.backends.canalystii.adapter._REPLY_MS", 20)
    bus = CANalystIIBus(0, bitrate=500_000)
    port, channel = bus._port, device.channels[0]
    port._ending.set()  # so that only this thread asks
    port._thread.join()
    device.is_dumb = True
    with pytest.raises(CanOperationError, match="does not answer"):
        bus.get_can_status()
    device.is_dumb = False
    channel.is_alone = True
    channel.replies.append(b"\x0a".ljust(64, b"\0"))  # late: no unsent frames
    with pytest.raises(CanTimeoutError):
        bus.send(message(1), timeout=0.02)
    channel.unsent.clear()
    bus.shutdown()
