"""The kernel's own gs_usb driver and canx's bus, each with an emulated adapter, on one emulated CAN bus.

The kernel gets its adapter over USB/IP. canx has the other one by pyusb: from the emulator itself, or from
the kernel as well, through libusb.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from usb.backend import libusb1

from cantools_cli.backends.canalystii.bus import CANalystIIBus
from cantools_cli.backends.gs_usb import finder
from cantools_cli.backends.gs_usb.bus import GsUsbBus
from cantools_cli.backends.socketcan.bus import SocketcanBus
from cantools_cli.backends.transport import usb
from cantools_cli.bus.base import BusABC
from cantools_cli.errors import CanInitializationError, CanOperationError
from cantools_cli.frame.message import Message
from tests.emulators import gs_usb as emulator
from tests.emulators.canalystii import CanalystII
from tests.emulators.canalystii import Frame as CanalystFrame
from tests.emulators.gs_usb import CLASSIC, ERR, FD_80, TWO_CHANNELS, Frame, GsUsbCore, connect
from tests.emulators.usb import Core, EmulatedUsb
from tests.emulators.usbip import UsbipServer, attached, has_virtual_hub

if not has_virtual_hub():
    pytest.skip("this kernel has no virtual USB hub, or belongs to another user", allow_module_level=True)

TIMEOUT = 60.0
NET = Path("/sys/class/net")
USB_DEVICES = Path("/sys/bus/usb/devices")

MESSAGES = [
    Message(arbitration_id=0x123, is_extended_id=False, data=b"\1\2\3"),
    Message(arbitration_id=0x12ABCDEF, data=bytes(range(8))),
    Message(arbitration_id=0x7FF, is_extended_id=False),
    Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=4),
    Message(arbitration_id=0x1234, is_remote_frame=True, dlc=0),
]
FD_MESSAGES = [
    Message(
        arbitration_id=0x55, is_extended_id=False, is_fd=True, data=bytes(range(12)), bitrate_switch=True
    ),
    Message(arbitration_id=0x1ABCDEF0, is_fd=True, data=bytes(range(64))),
    Message(arbitration_id=1, is_fd=True, bitrate_switch=True, error_state_indicator=True),
]
FD_LINK = "bitrate 500000 dbitrate 2000000 fd on"


def until(condition: Callable[[], Any], what: str) -> Any:
    """Return what ``condition`` returns once it is true."""
    end = time.monotonic() + TIMEOUT
    while not (value := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return value


def ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True)


def with_serial(serial: str) -> Path | None:
    """Return the kernel's folder of the USB device with this serial number."""
    for path in USB_DEVICES.glob("*/serial"):
        if path.read_text().strip() == serial:
            return path.parent
    return None


def interfaces(serial: str) -> list[str]:
    folder = with_serial(serial)
    return sorted(path.name for path in folder.glob("*:1.0/net/*")) if folder else []


@contextmanager
def plugged(core: Core) -> Iterator[None]:
    """Give ``core`` to the kernel."""
    with UsbipServer(core) as server, attached(server):
        yield


@contextmanager
def kernel_bus(core: GsUsbCore, settings: str = FD_LINK) -> Iterator[SocketcanBus]:
    """Open the kernel's interface of ``core``, which has it over USB/IP."""
    serial = core.strings[3]
    with plugged(core):
        [name, *_] = until(lambda: interfaces(serial), "the driver takes the adapter")
        ip(f"link set {name} up type can {settings}")
        with SocketcanBus(name, fd="fd on" in settings, receive_own_messages=False) as bus:
            yield bus


@contextmanager
def emulated(core: Core) -> Iterator[None]:
    before, usb.backend = usb.backend, EmulatedUsb(core)
    try:
        yield
    finally:
        usb.backend = before


@contextmanager
def fresh_libusb() -> Iterator[None]:
    """Search for devices anew: without udev's daemon, libusb knows only those of its start."""
    libusb1._lib_object = None
    usb.backend = libusb1.get_backend()
    try:
        yield
    finally:
        usb.backend = None


def exchange(here: BusABC, there: BusABC, messages: list[Message]) -> None:
    """Send ``messages`` from each bus to the other."""
    for sender, receiver in ((here, there), (there, here)):
        for message in messages:
            sender.send(message, timeout=TIMEOUT)
        for message in messages:
            got = receiver.recv(TIMEOUT)
            assert got is not None, f"{message} from {sender}"
            assert got.equals(message, timestamp_delta=None, check_channel=False), (
                f"{message} from {sender}: {got}"
            )
            assert abs(got.timestamp - time.time()) < TIMEOUT


def test_the_driver_asks_what_canx_asks() -> None:
    core = GsUsbCore(FD_80, "ASKED")
    with kernel_bus(core):
        numbers = [number for number, _, _ in core.requests]
        kernel_timing = core.channels[0].timing, core.channels[0].data_timing
    other = GsUsbCore(FD_80, "ASKED2")
    with emulated(other), GsUsbBus("0", fd=True):
        ours = [number for number, _, _ in other.requests]
        timing = other.channels[0].timing, other.channels[0].data_timing
    assert numbers[:3] == ours[:3] == [emulator.HOST_FORMAT, emulator.DEVICE_CONFIG, emulator.BT_CONST]
    for mine, theirs in zip(timing, kernel_timing, strict=True):
        assert mine is not None
        assert theirs is not None
        assert (mine[0] + mine[1], mine[2], mine[4]) == (theirs[0] + theirs[1], theirs[2], theirs[4])


def test_classic_fd_and_error_frames_go_both_ways() -> None:
    kernels, ours = GsUsbCore(FD_80, "KERNEL"), GsUsbCore(FD_80, "CANX")
    connect((kernels, 0), (ours, 0))
    with kernel_bus(kernels) as there, emulated(ours), GsUsbBus("0", fd=True) as here:
        exchange(here, there, MESSAGES + FD_MESSAGES)
        for core, bus in ((kernels, there), (ours, here)):
            core.change_state(0, emulator.WARNING, 0, 100)
            got = bus.recv(TIMEOUT)
            assert got is not None
            assert (got.is_error_frame, got.arbitration_id, bytes(got.data[:8])) == (
                True,
                4,
                b"\0\x08\0\0\0\0\x64\0",
            )
        stuff = Frame(ERR | 0x88, 8, bytes.fromhex("0000040000000000"))
        for core in (kernels, ours):
            core.receive(0, stuff)
        seen = [bus.recv(TIMEOUT) for bus in (here, there)]
        assert [(got.arbitration_id, bytes(got.data)) for got in seen if got] == [(0x88, stuff.data)] * 2


def test_many_frames_lose_nothing_and_keep_their_order() -> None:
    kernels, ours = GsUsbCore(CLASSIC, "KERNEL"), GsUsbCore(CLASSIC, "CANX")
    connect((kernels, 0), (ours, 0))
    messages = [
        Message(arbitration_id=number, is_extended_id=False, data=number.to_bytes(2, "big"))
        for number in range(200)
    ]
    with kernel_bus(kernels, "bitrate 500000") as there, emulated(ours), GsUsbBus("0") as here:
        exchange(here, there, messages)
        assert not here.losses
        assert not there.losses


def test_two_channels_of_one_adapter() -> None:
    kernels, ours = GsUsbCore(TWO_CHANNELS, "KERNEL"), GsUsbCore(TWO_CHANNELS, "CANX")
    for channel in (0, 1):
        connect((kernels, channel), (ours, channel))
    with kernel_bus(kernels, "bitrate 500000") as first:
        [_, second_name] = until(lambda: interfaces("KERNEL"), "two interfaces")
        ip(f"link set {second_name} up type can bitrate 250000")
        with (
            SocketcanBus(second_name) as second,
            emulated(ours),
            GsUsbBus("0:0") as here,
            GsUsbBus("0:1", bitrate=250_000) as other,
        ):
            exchange(here, first, MESSAGES)
            exchange(other, second, MESSAGES)
            assert here.recv(0) is first.recv(0) is None


def test_unplugging_both() -> None:
    kernels, ours = GsUsbCore(CLASSIC, "KERNEL"), GsUsbCore(CLASSIC, "CANX")
    with kernel_bus(kernels, "bitrate 500000") as there, emulated(ours), GsUsbBus("0") as here:
        for core, bus in ((kernels, there), (ours, here)):
            core.receive(0, Frame(0x42, 0))
            received = bus.recv(TIMEOUT)
            assert received is not None
            assert received.arbitration_id == 0x42
            core.unplug()
            with pytest.raises(CanOperationError):
                bus.recv(TIMEOUT)


def test_through_libusb_and_the_kernels_usb() -> None:
    """The adapter of canx is a device of the kernel, whose driver gives way."""
    kernels, ours = GsUsbCore(FD_80, "KERNEL"), GsUsbCore(FD_80, "CANX")
    connect((kernels, 0), (ours, 0))
    with kernel_bus(kernels) as there, plugged(ours):
        [name] = until(lambda: interfaces("CANX"), "the driver takes the adapter")
        ip(f"link set {name} up type can {FD_LINK}")
        with (
            fresh_libusb(),
            pytest.raises(CanInitializationError, match=f"the kernel uses the device as {name}"),
        ):
            GsUsbBus("serial=CANX", fd=True)
        ip(f"link set {name} down")
        with fresh_libusb(), GsUsbBus("serial=CANX", fd=True) as here:
            assert not (NET / name).exists()
            exchange(here, there, MESSAGES + FD_MESSAGES)
            assert not here.losses
        until(lambda: interfaces("CANX"), "the driver has the adapter again")
        with fresh_libusb(), GsUsbBus("serial=CANX", fd=True) as here:
            exchange(here, there, MESSAGES[:1])
            ours.receive(0, Frame(0x42, 0))
            received = here.recv(TIMEOUT)
            assert received is not None
            ours.unplug()
            with pytest.raises(CanOperationError, match="the device was unplugged"):
                here.recv(TIMEOUT)


def test_a_canalyst_through_libusb_and_the_kernels_usb() -> None:
    device = CanalystII("CANALYST")
    with plugged(device):
        until(lambda: with_serial("CANALYST"), "the kernel finds the adapter")
        with fresh_libusb(), CANalystIIBus(bitrate=500_000) as bus:
            device.receive(1, *(CanalystFrame(number, bytes((number,))) for number in range(20)))
            assert [got.arbitration_id for _ in range(20) if (got := bus.recv(TIMEOUT))] == [*range(20)]
            bus.send(Message(arbitration_id=0x42, data=b"\7", channel=0), timeout=TIMEOUT)
            assert device.channels[0].sent == [CanalystFrame(0x42, b"\7", extended=True, size=1)]
            assert not bus.losses
            device.unplug()
            with pytest.raises(CanOperationError, match="the device was unplugged"):
                bus.recv(TIMEOUT)


def test_the_list_shows_adapters_of_the_kernel() -> None:
    core = GsUsbCore(CLASSIC, "LISTED")
    with kernel_bus(core, "bitrate 500000") as bus, fresh_libusb():
        [(channel, details)] = finder.details().items()
        assert details["serial"] == "LISTED"
        assert details["state"] == f"the kernel has it as {bus.channel}"
        assert with_serial("LISTED") is not None
        assert channel.startswith(("serial=LISTED", "0", "LISTED")), channel
        core.receive(0, Frame(1, 0))  # looking did not disturb the driver
        assert bus.recv(TIMEOUT) is not None
