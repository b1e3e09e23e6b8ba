"""The bus on emulated adapters: requests, frames, echoes, states, faults."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cantools_cli.backends.gs_usb import finder
from cantools_cli.backends.gs_usb.bus import GsUsbBus
from cantools_cli.backends.gs_usb.port import MALFORMED, OVERRUNS
from cantools_cli.backends.transport import usb
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.interface import Bus, detect_available_configs
from cantools_cli.bus.losses import MISSED_FRAMES
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    CanTimeoutError,
    UsageError,
)
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.emulators import gs_usb as emulated
from tests.emulators.gs_usb import (
    CLASSIC,
    FD_80,
    FROM_BUS,
    TWO_CHANNELS,
    Frame,
    GsUsbCore,
    connect,
)
from tests.emulators.usb import Core

Adapter = Callable[..., GsUsbCore]
Opened = Callable[..., Any]
LONG = 30.0  # seconds of a wait that ends as soon as something happens


def std(identifier: int, data: bytes = b"", **settings: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **settings)


# --- opening ----------------------------------------------------------------------------------------------


def test_the_requests_of_opening_and_closing(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    opened(0, bitrate=500_000).shutdown()
    sent = [(number, value, data.hex()) for number, value, data in core.requests]
    reset = (emulated.MODE, 0, "0000000000000000")
    assert sent == [
        (emulated.HOST_FORMAT, 1, "efbe0000"),
        (emulated.DEVICE_CONFIG, 1, ""),
        (emulated.BT_CONST, 0, ""),
        reset,
        reset,
        (emulated.BITTIMING, 0, "010000000c000000020000000200000006000000"),
        (emulated.MODE, 0, "0100000010000000"),
        (emulated.TIMESTAMP, 0, ""),
        reset,
    ]
    assert core.resets == 0
    assert core.claimed_by is None


def test_the_requests_of_can_fd(adapter: Adapter, opened: Opened) -> None:
    core = adapter(FD_80)
    bus = opened(0, fd=True, data_bitrate=5_000_000, termination=True)
    channel = core.channels[0]
    assert channel.timing == (1, 138, 20, 4, 1)
    assert channel.data_timing == (1, 10, 4, 4, 1)
    assert channel.flags == emulated.FD | emulated.HW_TIMESTAMP
    assert channel.termination == 1
    assert bus.bit_rates == (500_000, 5_000_000)
    assert bus.protocol is CanProtocol.CAN_FD


@pytest.mark.parametrize(
    ("setting", "flag"),
    [
        ("listen_only", emulated.LISTEN_ONLY),
        ("loopback", emulated.LOOPBACK),
        ("one_shot", emulated.ONE_SHOT),
        ("triple_sampling", emulated.TRIPLE),
    ],
)
def test_a_mode(adapter: Adapter, opened: Opened, setting: str, flag: int) -> None:
    core = adapter()
    opened(0, **{setting: True})
    assert core.channels[0].flags == flag | emulated.HW_TIMESTAMP


@pytest.mark.parametrize("setting", ["fd", "termination", "bus_errors"])
def test_a_setting_that_the_adapter_lacks(adapter: Adapter, setting: str) -> None:
    core = adapter()
    with pytest.raises(UsageError, match="the adapter does not have"):
        Bus(0, interface="gs_usb", ignore_config=True, **{setting: True})
    assert core.claimed_by is None


def test_frames_that_an_adapter_kept_are_discarded(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    for number in range(20):
        core.receive_raw(core.packed(FROM_BUS, 0, Frame(number, 0), 0))
    bus = opened(0)
    core.receive(0, Frame(0x7FF, 0))
    assert bus.recv(LONG).arbitration_id == 0x7FF


def test_a_given_timing(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    opened(0, timing=BitTiming(f_clock=8_000_000, brp=1, tseg1=11, tseg2=4, sjw=3))
    assert core.channels[0].timing == (1, 10, 4, 3, 6)


def test_a_given_timing_of_can_fd_opens_can_fd(adapter: Adapter, opened: Opened) -> None:
    adapter(FD_80)
    timing = BitTimingFd.from_sample_point(80_000_000, 500_000, 80.0, 2_000_000, 75.0)
    assert opened(0, timing=timing).bit_rates == (500_000, 2_000_000)


@pytest.mark.parametrize("value", [75, 75.0, "75", "75%"])
def test_a_sample_point(adapter: Adapter, opened: Opened, value: object) -> None:
    core = adapter()
    opened(0, sample_point=value)
    assert core.channels[0].timing == (1, 10, 4, 4, 6)


@pytest.mark.parametrize("value", [0, 100, "fast", True])
def test_an_invalid_sample_point(adapter: Adapter, value: object) -> None:
    adapter()
    with pytest.raises(UsageError, match="sample_point must be a percentage"):
        Bus(0, interface="gs_usb", ignore_config=True, sample_point=value)


def test_a_bit_rate_of_nothing(adapter: Adapter) -> None:
    adapter()
    with pytest.raises(CanInitializationError, match="gs_usb:0: bit rate 0 bit/s is not above 0"):
        GsUsbBus(0, bitrate=0)


def test_an_adapter_that_refuses_its_timing(adapter: Adapter) -> None:
    core = adapter()
    core.refused = {emulated.BITTIMING}
    with pytest.raises(
        CanInitializationError, match="gs_usb:0: the adapter refuses the bit timing 1/12/2/2/6"
    ):
        Bus(0, interface="gs_usb", ignore_config=True)
    assert core.claimed_by is None


@pytest.mark.parametrize("request_number", [emulated.HOST_FORMAT, emulated.BT_CONST, emulated.DEVICE_CONFIG])
def test_a_device_with_other_firmware(adapter: Adapter, request_number: int) -> None:
    core = adapter()
    core.refused = {request_number}
    with pytest.raises(CanInitializationError, match="refuses the requests of gs_usb") as caught:
        Bus(0, interface="gs_usb", ignore_config=True)
    assert "firmware" in (caught.value.hint or "")
    assert core.claimed_by is None


def test_other_ids_and_endpoints_and_packets(adapter: Adapter, opened: Opened) -> None:
    core = adapter(ids=(0x1209, 0xCA01), endpoints=(0x83, 0x01), packet=512)
    bus = opened(0)
    bus.send(std(1))
    core.receive(0, Frame(2, 0))
    assert bus.recv(LONG).arbitration_id == 2
    assert [frame.can_id for _, frame in core.sent] == [1]


# --- selecting an adapter ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "settings", "place"),
    [
        (0, {}, (0, 0)),
        ("1", {}, (1, 0)),
        ("1:1", {}, (1, 1)),
        ("1.2:1", {}, (1, 1)),
        ("BBBB2222", {}, (1, 0)),
        ("BBBB2222:1", {}, (1, 1)),
        ("serial=BBBB2222", {}, (1, 0)),
        ("serial=00421", {}, (2, 0)),
        ("00421", {}, (2, 0)),
        (None, {"serial": "421"}, (2, 0)),  # as the command line reads it
        (None, {"serial": "BBBB2222", "can_channel": 1}, (1, 1)),
        ("CANable2 gs_usb", {}, (2, 0)),
        ("any label", {"index": 1}, (1, 0)),
        ("any label", {"bus": 1, "address": 3}, (2, 0)),
        (None, {}, (0, 0)),
    ],
)
def test_a_channel_selects_an_adapter(
    plug: Callable[..., object],
    opened: Opened,
    channel: object,
    settings: dict[str, Any],
    place: tuple[int, int],
) -> None:
    cores = [GsUsbCore(CLASSIC, "AAAA1111"), GsUsbCore(TWO_CHANNELS, "BBBB2222"), GsUsbCore(FD_80, "00421")]
    plug(*cores)
    opened(channel, **settings)
    started = [
        (number, channel)
        for number, core in enumerate(cores)
        for channel, state in enumerate(core.channels)
        if state.is_started
    ]
    assert started == [place]


def test_index_excludes_bus_and_address(adapter: Adapter) -> None:
    adapter()
    with pytest.raises(CanInitializationError, match="index and bus/address cannot be used simultaneously"):
        Bus(0, interface="gs_usb", ignore_config=True, index=0, address=1)


def test_an_adapter_that_is_not_there(adapter: Adapter) -> None:
    adapter(serial="AAAA1111")
    with pytest.raises(CanInitializationError, match="gs_usb:5: no such adapter") as caught:
        Bus(5, interface="gs_usb", ignore_config=True)
    assert caught.value.hint == "adapters here: gs_usb:AAAA1111"


def test_no_adapter_at_all(plug: Callable[..., object]) -> None:
    plug()
    with pytest.raises(CanInitializationError, match="gs_usb:0: no adapter found"):
        Bus(0, interface="gs_usb", ignore_config=True)


def test_a_channel_that_the_adapter_lacks(adapter: Adapter) -> None:
    core = adapter()
    with pytest.raises(CanInitializationError, match="has no channel 1"):
        Bus("0:1", interface="gs_usb", ignore_config=True)
    assert core.claimed_by is None


def test_detection_shows_free_channels(plug: Callable[..., object], opened: Opened) -> None:
    free, bound, strange = (
        GsUsbCore(TWO_CHANNELS, serial) for serial in ("AAAA1111", "BBBB2222", "CCCC3333")
    )
    nameless = GsUsbCore(CLASSIC, "")
    bound.claimed_by = "another program"
    strange.is_readable = False
    plug(free, bound, strange, nameless)
    found = [config["channel"] for config in detect_available_configs("gs_usb")]
    assert found == ["AAAA1111", "AAAA1111:1", "1.4"]
    assert free.claimed_by is None
    for channel in found:
        opened(channel).shutdown()


def test_an_adapter_of_the_kernel_is_shown_but_not_detected(
    adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = adapter(TWO_CHANNELS, serial="AAAA1111")
    core.is_kernel_bound = True
    for channel in ("can7", "can8"):
        (tmp_path / "1-1" / "1-1:1.0" / "net" / channel).mkdir(parents=True)
    (tmp_path / "1-1" / "busnum").write_text("1\n")
    (tmp_path / "1-1" / "devnum").write_text("1\n")
    monkeypatch.setattr(usb, "_SYSFS", str(tmp_path))
    assert detect_available_configs("gs_usb") == []
    shown = finder.details()
    assert [*shown] == ["AAAA1111", "AAAA1111:1"]
    assert shown["AAAA1111"]["state"] == "the kernel has it as can7 and can8"
    assert core.is_kernel_bound


def test_a_computer_without_libusb(monkeypatch: pytest.MonkeyPatch) -> None:
    import usb.core

    def find(**_: object) -> None:
        raise usb.core.NoBackendError("No backend available")

    monkeypatch.setattr(usb.core, "find", find)
    with pytest.raises(CanInterfaceNotImplementedError, match="need libusb"):
        Bus(0, interface="gs_usb", ignore_config=True)
    assert detect_available_configs("gs_usb") == []


# --- frames -----------------------------------------------------------------------------------------------

MESSAGES = [
    std(0x123, b"\1\2\3"),
    std(0x7FF),
    Message(arbitration_id=0x1ABCDEF0, data=bytes(range(8))),
    std(0x12, is_remote_frame=True, dlc=5),
    Message(arbitration_id=0x1234, is_remote_frame=True, dlc=8),
    std(0x55, bytes(12), is_fd=True),
    Message(arbitration_id=9, is_fd=True, bitrate_switch=True, data=bytes(range(64))),
    Message(arbitration_id=9, is_fd=True, error_state_indicator=True),
]


@pytest.fixture
def pair(plug: Callable[..., object], opened: Opened) -> tuple[Any, Any, GsUsbCore, GsUsbCore]:
    """Return two buses of CAN FD adapters that are connected, and the adapters."""
    cores = GsUsbCore(FD_80, "AAAA1111"), GsUsbCore(FD_80, "BBBB2222")
    plug(*cores)
    connect((cores[0], 0), (cores[1], 0))
    return opened("AAAA1111", fd=True), opened("BBBB2222", fd=True), *cores


@pytest.mark.parametrize("message", MESSAGES, ids=str)
def test_a_frame_goes_from_adapter_to_adapter(pair: tuple[Any, ...], message: Message) -> None:
    one, other, *_ = pair
    one.send(message)
    received = other.recv(LONG)
    assert received.equals(message, timestamp_delta=None, check_channel=False, check_direction=False)
    assert received.channel == "BBBB2222"
    assert received.is_rx


def test_frames_have_the_time_of_day(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    before = time.time()
    core.receive(0, Frame(1, 0))
    received = bus.recv(LONG)
    assert before - 1 < received.timestamp < time.time() + 1


def test_distances_are_those_of_the_counter_across_a_wrap(
    adapter: Adapter, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = adapter()
    monkeypatch.setattr(core, "now_us", lambda: 5000)
    bus = opened(0)
    for stamp in (0xFFFFFF00, 0, 650):
        core.receive_raw(core.packed(FROM_BUS, 0, Frame(1, 0), stamp))
    first, second, third = (bus.recv(LONG).timestamp_ns for _ in range(3))
    assert (second - first, third - second) == (256_000, 650_000)


def test_an_adapter_without_a_counter(adapter: Adapter, opened: Opened) -> None:
    profile = emulated.Profile(features=emulated.LISTEN_ONLY)
    core = adapter(profile)
    bus = opened(0)
    before = time.time()
    core.receive(0, Frame(1, 0))
    assert before - 1 < bus.recv(LONG).timestamp < time.time() + 1
    assert core.channels[0].flags == 0


def test_channels_of_an_adapter_are_separate_buses(adapter: Adapter, opened: Opened) -> None:
    core = adapter(TWO_CHANNELS)
    first, second = opened("0"), opened("0:1")
    second.send(std(1))
    core.receive(1, Frame(2, 0))
    core.receive(0, Frame(3, 0))
    assert first.recv(LONG).arbitration_id == 3
    assert second.recv(LONG).arbitration_id == 2
    assert [(channel, frame.can_id) for channel, frame in core.sent] == [(1, 1)]
    first.shutdown()
    core.receive(1, Frame(4, 0))
    assert second.recv(LONG).arbitration_id == 4
    second.shutdown()
    assert core.claimed_by is None


def test_a_channel_is_opened_once(adapter: Adapter, opened: Opened) -> None:
    core = adapter(TWO_CHANNELS)
    opened("0")
    with pytest.raises(CanInitializationError, match="another bus of this program has channel 0 open"):
        opened("0:0")
    assert core.channels[0].is_started


def test_filters_are_exact(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0, can_filters=[{"can_id": 0x10, "can_mask": 0x7F0, "extended": False}])
    for can_id in (0x20, emulated.EFF | 0x10, emulated.ERR | 4, 0x15):
        core.receive(0, Frame(can_id, 8, bytes(8)))
    assert bus.recv(LONG).is_error_frame
    assert bus.recv(LONG).arbitration_id == 0x15


def test_own_frames_are_received_on_request(adapter: Adapter, opened: Opened) -> None:
    adapter()
    bus = opened(0, receive_own_messages=True)
    bus.send(std(0x123, b"\1"))
    echo = bus.recv(LONG)
    assert (echo.arbitration_id, echo.data, echo.is_rx) == (0x123, b"\1", False)


def test_own_frames_are_not_received_otherwise(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    bus.send(std(0x123))
    core.receive(0, Frame(0x124, 0))
    assert bus.recv(LONG).arbitration_id == 0x124


def test_loopback_receives_the_frames(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0, loopback=True)
    bus.send(std(0x123))
    assert bus.recv(LONG).is_rx
    assert core.sent == []


def test_the_message_of_the_caller_is_left_as_it_is(adapter: Adapter, opened: Opened) -> None:
    """python-can pads its data."""
    adapter()
    message = std(0x123, b"\1")
    opened(0).send(message)
    assert message.data == b"\1"


def test_the_descriptor_is_ready_when_a_frame_is_queued(adapter: Adapter, opened: Opened) -> None:
    import select

    core = adapter()
    bus = opened(0)
    poll = select.poll()
    poll.register(bus.fileno(), select.POLLIN)
    assert not poll.poll(0)
    core.receive(0, Frame(1, 0))
    assert poll.poll(1000 * LONG)
    assert bus.recv(0).arbitration_id == 1
    assert not poll.poll(0)


# --- sending ----------------------------------------------------------------------------------------------


def test_frames_are_sent_ten_at_a_time(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    core.holds = True
    bus = opened(0)
    batch = MessageBatch([std(number) for number in range(25)])
    sender = threading.Thread(target=bus.send_batch, args=(batch, LONG))
    sender.start()
    highest = 0
    while len(core.sent) < 25:
        highest = max(highest, len(core.channels[0].waiting))
        if core.channels[0].waiting:
            core.release(1)
    sender.join()
    assert [frame.can_id for _, frame in core.sent] == [*range(25)]
    assert 1 < highest <= 10


def test_a_frame_that_no_node_acknowledges(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    core.acknowledges = False
    bus = opened(0)
    with pytest.raises(CanTimeoutError, match="1 frame not acknowledged in time") as caught:
        bus.send(std(1), timeout=0.05)
    assert caught.value.sent == 0
    assert "same bit rate" in (caught.value.hint or "")


@pytest.fixture
def short_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cantools_cli.backends.gs_usb.port._SILENCE", 0.02)


@pytest.mark.usefixtures("short_silence")
def test_a_silent_bus_ends_the_wait(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    core.acknowledges = False
    bus = opened(0)
    with pytest.raises(CanTimeoutError, match="not acknowledged"):
        bus.send(std(1))


@pytest.mark.usefixtures("short_silence")
def test_a_given_timeout_is_kept_on_a_silent_bus(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    core.holds = True
    bus = opened(0)
    late = threading.Timer(0.1, core.release)
    late.start()
    bus.send(std(1), timeout=LONG)
    late.join()


@pytest.mark.usefixtures("short_silence")
def test_a_bus_with_frames_is_waited_for(
    adapter: Adapter, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = adapter()
    core.holds = True
    bus = opened(0)
    wait_for = bus._port.wait_for
    waits = 0

    def wait_on_a_busy_bus(*arguments: Any) -> Any:
        nonlocal waits
        waits += 1
        bus._port.deliver(time.monotonic_ns(), core.packed(FROM_BUS, 0, Frame(0, 0)))
        if waits == 5:
            core.release()
        return wait_for(*arguments)

    monkeypatch.setattr(bus._port, "wait_for", wait_on_a_busy_bus)
    bus.send(std(1))
    assert waits >= 5


def test_the_confirmed_frames_of_a_batch_are_counted(
    adapter: Adapter, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = adapter()
    core.holds = True
    bus = opened(0)
    bulk_out = core.bulk_out

    def confirm_three_of_five(endpoint: int, data: bytes) -> None:
        bulk_out(endpoint, data)
        if len(core.channels[0].waiting) == 5:
            core.release(3)

    monkeypatch.setattr(core, "bulk_out", confirm_three_of_five)
    with pytest.raises(CanTimeoutError) as caught:
        bus.send_batch(MessageBatch([std(number) for number in range(5)]), timeout=1)
    assert caught.value.sent == 3


def test_frames_without_an_echo_hold_their_places(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    core.acknowledges = False
    bus = opened(0)
    for number in range(10):
        bus.send(std(number), timeout=0)
    with pytest.raises(CanTimeoutError):
        bus.send(std(10), timeout=0.05)
    core.acknowledges = True
    core.release()
    bus.send(std(11), timeout=LONG)
    assert [frame.can_id for _, frame in core.sent] == [*range(10), 11]


def test_prepared_rows_are_sent_without_waiting_for_echoes(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    core.holds = True
    bus = opened(0)
    send = bus.prepared(MessageBatch([std(number) for number in range(12)]))
    for row in range(10):
        send(row, row + 1, LONG)
    assert len(core.channels[0].waiting) == 10
    with pytest.raises(CanTimeoutError) as caught:
        send(10, 11, 0.01)
    assert caught.value.sent == 0
    core.release()
    send(10, 11, LONG)
    with pytest.raises(CanTimeoutError):
        send(11, 12, 0.05)  # the last row waits for all
    core.release()
    bus.send(std(12), timeout=0)
    core.release()
    assert [frame.can_id for _, frame in core.sent] == [*range(13)]


def test_prepared_rows_can_be_sent_again(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    send = opened(0).prepared(MessageBatch([std(number) for number in range(3)]))
    for _ in range(2):
        send(0, 3, LONG)
    assert [frame.can_id for _, frame in core.sent] == [*range(3)] * 2


def test_closing_lets_the_last_frames_out(
    adapter: Adapter, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cantools_cli.backends.gs_usb.port._LAST_SECONDS", LONG)
    core = adapter()
    core.holds = True
    bus = opened(0)
    bus.send(std(1), timeout=0)
    threading.Timer(0.01, core.release).start()
    bus.shutdown()
    assert len(core.sent) == 1


def test_one_shot_frees_the_places_of_frames_that_failed(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    core.acknowledges = False
    bus = opened(0, one_shot=True)
    for number in range(15):
        with pytest.raises(CanTimeoutError):
            bus.send(std(number), timeout=0.002)
        core.channels[0].waiting.clear()  # given up
    core.acknowledges = True
    bus.send(std(15), timeout=LONG)


def test_errors_have_the_name_of_their_own_bus(adapter: Adapter, opened: Opened) -> None:
    core = adapter(TWO_CHANNELS)
    opened("0")
    second = opened("0:1")
    core.wedged = True
    with pytest.raises(CanOperationError, match="gs_usb:0:1: the adapter refuses a frame"):
        second.send(std(1))
    core.refused = {emulated.GET_STATE}
    with pytest.raises(CanOperationError, match="gs_usb:0:1: the device failed"):
        second.error_counters()


def test_flushing_discards_the_frames_in_the_adapter(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    core.acknowledges = False
    bus = opened(0)
    for number in range(10):
        bus.send(std(number), timeout=0)
    bus.flush_tx_buffer()
    core.acknowledges = True
    bus.send(std(11), timeout=LONG)
    assert [frame.can_id for _, frame in core.sent] == [11]


def test_an_adapter_that_accepts_no_transfer(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    bus._port._free.extend(range(10, 30))  # more numbers than the adapter has buffers
    core.holds = True
    for number in range(10):
        bus.send(std(number), timeout=0)
    with pytest.raises(CanTimeoutError, match="accepts no frame in time"):
        bus.send(std(10), timeout=0.05)


def test_a_refused_frame_is_an_error(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    core.wedged = True
    with pytest.raises(CanOperationError, match="the adapter refuses a frame") as caught:
        bus.send(std(1))
    assert caught.value.sent == 0


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (std(1, bytes(12), is_fd=True), "cannot send FD message over bus with CAN FD disabled"),
        (Message(arbitration_id=4, is_error_frame=True, dlc=8, data=bytes(8)), "cannot send error frames"),
    ],
)
def test_a_frame_that_cannot_be_sent(adapter: Adapter, opened: Opened, message: Message, text: str) -> None:
    core = adapter()
    bus = opened(0)
    with pytest.raises(CanOperationError, match=text):
        bus.send(message)
    assert core.sent == []


def test_a_listen_only_bus_does_not_send(adapter: Adapter, opened: Opened) -> None:
    adapter()
    bus = opened(0, listen_only=True)
    assert bus.state is BusState.PASSIVE
    with pytest.raises(CanOperationError, match="a listen-only bus does not send"):
        bus.send(std(1))


def test_threads_send_and_receive_at_once(pair: tuple[Any, ...]) -> None:
    one, other, *_ = pair
    count = 300

    def send(bus: Any, first: int) -> None:
        for number in range(count):
            bus.send(std(first + number))

    threads = [
        threading.Thread(target=send, args=(bus, first))
        for bus, first in ((one, 0), (one, 1024), (other, 512))
    ]
    for thread in threads:
        thread.start()
    heard = [other.recv(LONG).arbitration_id for _ in range(2 * count)]
    back = [one.recv(LONG).arbitration_id for _ in range(count)]
    for thread in threads:
        thread.join()
    assert sorted(heard) == [*range(count), *range(1024, 1024 + count)]
    assert back == [*range(512, 512 + count)]


# --- states and faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [CLASSIC, FD_80], ids=["by error frames", "by request"])
def test_the_state_and_the_counters(adapter: Adapter, opened: Opened, profile: emulated.Profile) -> None:
    core = adapter(profile)
    bus = opened(0)
    assert (bus.state, bus.error_counters()) == (BusState.ACTIVE, (0, 0))
    core.change_state(0, emulated.PASSIVE, 7, 130)
    frame = bus.recv(LONG)
    assert frame.is_error_frame
    assert frame.arbitration_id == error_frames.CONTROLLER
    assert (bus.state, bus.error_counters()) == (BusState.PASSIVE, (7, 130))
    core.change_state(0, emulated.BUS_OFF, 0, 255)
    assert bus.recv(LONG).arbitration_id == error_frames.BUS_OFF
    assert bus.state is BusState.ERROR
    bus.state = BusState.ACTIVE
    assert bus.state is BusState.ACTIVE


def test_an_error_frame_without_a_state_keeps_it(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    core.change_state(0, emulated.PASSIVE, 7, 130)
    core.receive(0, Frame(emulated.ERR | error_frames.CONTROLLER, 8, b"\0\1\0\0\0\0\0\0"))  # an overflow
    assert bus.recv(LONG).data[6:] == b"\x82\x07"
    assert bus.recv(LONG).data[1] == error_frames.RX_OVERFLOW
    assert (bus.state, bus.error_counters()) == (BusState.PASSIVE, (7, 130))
    core.receive(0, Frame(emulated.ERR | error_frames.RESTARTED, 8, bytes(8)))
    bus.recv(LONG)
    assert (bus.state, bus.error_counters()) == (BusState.ACTIVE, (0, 0))


def test_a_frame_shows_that_the_controller_is_on_the_bus_again(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    core.change_state(0, emulated.BUS_OFF, 0, 255)
    assert bus.recv(LONG).is_error_frame
    assert bus.state is BusState.ERROR
    core.receive(0, Frame(1, 0))
    bus.recv(LONG)
    assert bus.state is BusState.ACTIVE


def test_bus_off_ends_the_wait_for_an_echo(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    core.acknowledges = False
    bus = opened(0)

    def fail() -> None:
        while not core.channels[0].waiting:
            time.sleep(0)
        core.change_state(0, emulated.BUS_OFF, 0, 255)

    thread = threading.Thread(target=fail)
    thread.start()
    with pytest.raises(CanOperationError, match="off the bus"):
        bus.send(std(1), timeout=LONG)
    thread.join()


def test_the_state_switches_listen_only(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    bus.state = BusState.PASSIVE
    assert core.channels[0].flags & emulated.LISTEN_ONLY
    bus.state = BusState.ACTIVE
    assert not core.channels[0].flags & emulated.LISTEN_ONLY
    with pytest.raises(UsageError):
        bus.state = BusState.ERROR


def test_lost_frames_are_reported_before_the_next(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    core.receive(0, Frame(0x123, 0, b"", emulated.OVERFLOWN))
    report = bus.recv(LONG)
    assert report.is_error_frame
    assert report.data[1] == error_frames.RX_OVERFLOW
    assert bus.recv(LONG).arbitration_id == 0x123
    assert bus.losses[OVERRUNS] == 1


def test_a_transfer_that_is_too_large_is_counted(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    core.receive_raw(bytes(100))
    core.receive(0, Frame(0x123, 0))
    received = [bus.recv(LONG), bus.recv(LONG)]
    assert sorted(message.is_error_frame for message in received) == [False, True]
    assert bus.losses[MISSED_FRAMES] == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(garbage=st.lists(st.binary(min_size=1, max_size=64), max_size=5))
def test_a_good_frame_after_any_garbage_is_received(
    adapter: Adapter, opened: Opened, garbage: list[bytes]
) -> None:
    core = adapter()
    bus = opened(0)
    for transfer in garbage:
        core.receive_raw(transfer)
    core.receive(0, Frame(0x123, 2, b"\xab\xcd"))
    while True:
        message = bus.recv(LONG)
        if message.arbitration_id == 0x123 and message.data == b"\xab\xcd":
            break
    bus.shutdown()


def test_malformed_transfers_are_counted(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    core.receive_raw(b"\1\2\3")
    core.receive_raw(bytes.fromhex("FFFFFFFF 23010000 FF000000 0000000000000000 00000000"))
    core.receive(0, Frame(0x123, 0))
    assert bus.recv(LONG).arbitration_id == 0x123
    assert bus.losses[MALFORMED] == 2
    assert "3 bytes" in str(bus.first_fault)


def test_frames_before_unplugging_are_delivered(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    for number in range(100):
        core.receive(0, Frame(number, 0))
    while core.queue:  # what the host has not fetched is lost
        time.sleep(0)
    core.unplug()
    assert [bus.recv(LONG).arbitration_id for _ in range(100)] == [*range(100)]
    with pytest.raises(CanOperationError, match="gs_usb:0: the device was unplugged"):
        bus.recv(LONG)
    assert bus.is_shutdown


def test_frames_before_a_failed_send_are_delivered(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    for number in range(5):
        core.receive(0, Frame(number, 0))
    while core.queue:
        time.sleep(0)
    core.unplug()
    with pytest.raises(CanOperationError, match="unplugged"):
        bus.send(std(1))
    assert [bus.recv(LONG).arbitration_id for _ in range(5)] == [*range(5)]
    with pytest.raises(CanOperationError, match="unplugged"):
        bus.recv(LONG)
    assert bus.is_shutdown


def test_a_failed_opening_leaves_no_descriptor_open(adapter: Adapter, opened: Opened) -> None:
    core = adapter(TWO_CHANNELS)
    core.is_readable = False
    with pytest.raises(CanInitializationError):
        opened(0)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(CanInitializationError):
            opened(0)
    assert len(os.listdir("/proc/self/fd")) == before


def test_unplugging_ends_a_wait_for_an_echo(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    core.acknowledges = False
    bus = opened(0)

    def unplug() -> None:
        while not core.channels[0].waiting:
            time.sleep(0)
        core.unplug()

    thread = threading.Thread(target=unplug)
    thread.start()
    with pytest.raises(CanOperationError, match="unplugged"):
        bus.send(std(1), timeout=LONG)
    thread.join()


def test_an_adapter_that_is_plugged_in_again(plug: Callable[..., Any], opened: Opened) -> None:
    core = GsUsbCore(CLASSIC, "AAAA1111")
    backend = plug(core)
    bus = opened("AAAA1111")
    core.unplug()
    again = GsUsbCore(CLASSIC, "AAAA1111")
    backend.plug(again)
    other = opened("AAAA1111")
    again.receive(0, Frame(5, 0))
    assert other.recv(LONG).arbitration_id == 5
    bus.shutdown()


def test_closing_ends_a_wait(adapter: Adapter, opened: Opened) -> None:
    adapter()
    bus = opened(0)
    failures: list[Exception] = []

    def receive() -> None:
        try:
            bus.recv(None)
        except CanOperationError as error:
            failures.append(error)

    thread = threading.Thread(target=receive)
    thread.start()
    bus.shutdown()
    thread.join(LONG)
    assert [str(error) for error in failures] == ["Cannot operate on a closed bus"]


def test_identifying(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0, identify=True)
    assert core.identified == 1
    bus.shutdown()
    assert core.identified == 0


def test_an_adapter_that_cannot_blink(adapter: Adapter, opened: Opened) -> None:
    adapter(emulated.Profile(features=emulated.HW_TIMESTAMP))
    with pytest.raises(UsageError, match="does not have a request to blink"):
        opened(0).identify()


def test_a_device_that_does_not_answer(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    core = adapter()

    def silent(*_: object) -> bytes:
        from usb.core import USBTimeoutError

        raise USBTimeoutError("Operation timed out", -7, errno.ETIMEDOUT)

    monkeypatch.setattr(Core, "request", silent)
    with pytest.raises(CanInitializationError, match="gs_usb:0: the device does not answer"):
        Bus(0, interface="gs_usb", ignore_config=True)
    assert core.claimed_by is None


def test_pyusb_is_imported_when_an_adapter_is_opened() -> None:
    program = (
        "import sys, cantools_cli.backends.cantact, cantools_cli.backends.gs_usb.finder\n"
        "print('usb' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


# --- found in review --------------------------------------------------------------------------------------


def test_a_full_queue_keeps_the_echoes(
    adapter: Adapter, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that only sends still sends after a million received frames."""
    monkeypatch.setattr("cantools_cli.backends.transport.usb_port.QUEUE_FRAMES", 5)
    core = adapter()
    bus = opened(0)
    for number in range(20):
        core.receive(0, Frame(number, 0))
    for number in range(12):
        bus.send(std(number), timeout=LONG)
    batch = bus.recv_batch(LONG)
    assert len(batch) <= 5 + 1
    assert bus.losses[MISSED_FRAMES] >= 15


def test_closing_ends_a_send_that_the_adapter_does_not_take(
    adapter: Adapter, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyusb opens and claims a closed device again if a thread writes to it."""
    core = adapter()
    bus = opened(0)
    asked = threading.Event()

    def takes_nothing(endpoint: int, data: bytes) -> None:
        asked.set()
        raise BlockingIOError

    monkeypatch.setattr(core, "bulk_out", takes_nothing)
    errors: list[Exception] = []

    def send() -> None:
        try:
            bus.send(std(1), timeout=LONG)
        except CanOperationError as error:
            errors.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    assert asked.wait(LONG)
    bus.shutdown()
    thread.join(LONG)
    assert [str(error) for error in errors] == ["Cannot operate on a closed bus"]
    assert core.claimed_by is None


def test_a_closed_bus_does_not_blink(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    bus.shutdown()
    with pytest.raises(CanOperationError, match="closed bus"):
        bus.identify()
    assert core.identified == 0


@pytest.mark.parametrize("serials", [("ABCD1234", "ABCD1234"), ("000000000000", "000000000001")])
def test_each_adapter_has_an_address_of_its_own(
    plug: Callable[..., object], opened: Opened, serials: tuple[str, str]
) -> None:
    """Some copies have the same serial number, or one that a configuration reads as an index."""
    cores = [GsUsbCore(serial=serial) for serial in serials]
    plug(*cores)
    found = [*finder.details()]
    assert found == ["1.1", "1.2"]
    opened(found[1]).send(std(1))
    assert [len(core.sent) for core in cores] == [0, 1]


def test_a_frame_of_a_channel_that_the_adapter_lacks(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    good = core.packed(FROM_BUS, 0, Frame(5, 0), 0)
    core.receive_raw(good[:9] + b"\7" + good[10:])
    core.receive_raw(good)
    assert bus.recv(LONG).arbitration_id == 5
    assert bus.recv(0) is None
    assert bus.losses[MALFORMED] == 1


def test_error_counters_that_return_to_0(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    for errors in (96, 0):
        counters = bytes((0, 0, 0, 0, 0, 0, errors, 0))
        core.receive(0, Frame(emulated.ERR | error_frames.COUNTERS, 8, counters))
        assert bus.recv(LONG).is_error_frame
        assert bus.error_counters() == (0, errors)


def test_the_rest_of_a_frame_follows_its_first_packet(
    plug: Callable[..., Any], opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libusb returns the number of bytes that were written before the timeout."""
    backend = plug(GsUsbCore(FD_80))
    bus = opened(0, fd=True)
    writes: list[bytes] = []

    def one_packet(handle: object, endpoint: int, interface: int, data: Any, timeout: int) -> int:
        writes.append(data.tobytes())
        return min(64, len(data))

    monkeypatch.setattr(backend, "bulk_write", one_packet)
    with pytest.raises(CanTimeoutError, match="not acknowledged"):
        bus.send(std(1, bytes(64), is_fd=True), timeout=0.1)
    assert [len(write) for write in writes] == [76, 12]
    assert writes[0][64:] == writes[1]


def test_a_negative_can_channel(adapter: Adapter) -> None:
    adapter()
    with pytest.raises(UsageError, match="below 0"):
        Bus(0, interface="gs_usb", ignore_config=True, can_channel=-1)


def test_a_serial_number_that_is_a_number(adapter: Adapter) -> None:
    adapter(serial="12345678")
    GsUsbBus(serial=12345678).shutdown()  # type: ignore[arg-type]


def test_restarting_an_unplugged_adapter(adapter: Adapter, opened: Opened) -> None:
    core = adapter()
    bus = opened(0)
    core.unplug()
    with pytest.raises(CanOperationError, match="unplugged"):
        bus.state = BusState.ACTIVE
