"""One bridge between emulated adapters of all interfaces."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from cantools_cli.backends.canalystii.codec import MESSAGE_STATUS
from tests.emulators import canalystii, gs_usb, robotell, seeedstudio, serial_can, slcan
from tests.emulators.line import Device, Line, plugged
from tests.emulators.usb import EmulatedUsb
from tests.emulators.usb_remote import lent

pytest.importorskip("pty", reason="needs pseudo-terminals")

Start = Callable[..., "subprocess.Popen[bytes]"]


@dataclass
class Adapter:
    """An adapter: its bus, whether that is open, the arrival of a frame, the frames that were sent."""

    bus: str
    is_open: Callable[[], bool]
    receive: Callable[[int], None]
    sent: Callable[[], list[int]]


def on_a_line(interface: str, line: Line) -> Adapter:
    device: Device = line.device
    if isinstance(device, slcan.Slcan):
        return Adapter(
            f"slcan:{line.channel},bitrate=500k",
            lambda: device.is_open,
            lambda identifier: line.inject(b"t%03X0\r" % identifier),
            lambda: [int(frame[1:4], 16) for frame in device.frames],
        )
    if isinstance(device, serial_can.SerialCan):
        return Adapter(
            f"serial:{line.channel}",
            lambda: True,  # there is nothing to see
            lambda identifier: line.inject(serial_can.frame(identifier)),
            lambda: [frame[1] for frame in device.frames],
        )
    if isinstance(device, robotell.Robotell):
        return Adapter(
            f"robotell:{line.channel},bitrate=500k",
            lambda: device.bitrate == 500000,
            lambda identifier: line.inject(robotell.frame(identifier)),
            lambda: [frame[0] for frame in device.frames],
        )
    assert isinstance(device, seeedstudio.Seeed)
    return Adapter(
        f"seeedstudio:{line.channel}",
        lambda: bool(device.setups),
        lambda identifier: line.inject(seeedstudio.frame(identifier)),
        lambda: [frame[0] for frame in device.frames],
    )


def on_gs_usb(bus: str, core: gs_usb.GsUsbCore) -> Adapter:
    return Adapter(
        bus,
        lambda: core.channels[0].is_started,
        lambda identifier: core.receive(0, gs_usb.Frame(identifier, 0)),
        lambda: [frame.can_id for _, frame in core.sent],
    )


def on_canalystii(device: canalystii.CanalystII) -> Adapter:
    channel = device.channels[0]
    return Adapter(
        "canalystii:0,bitrate=500k",
        lambda: channel.is_running and channel.commands.count(MESSAGE_STATUS) > 2,
        lambda identifier: device.receive(0, canalystii.Frame(identifier)),
        lambda: [frame.identifier for frame in channel.sent],
    )


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_frame_of_each_adapter_reaches_all_others(environment: dict[str, str], start: Start) -> None:
    one, other = gs_usb.GsUsbCore(gs_usb.CLASSIC, "AAAA1111"), gs_usb.GsUsbCore(gs_usb.CLASSIC, "BBBB2222")
    usb = canalystii.CanalystII("A1")
    devices: list[tuple[str, Device, str]] = [
        ("serial", serial_can.SerialCan(), "tcp"),
        ("slcan", slcan.Slcan(), "pty"),
        ("robotell", robotell.Robotell(), "pty"),
        ("seeedstudio", seeedstudio.Seeed(), "tcp"),
    ]
    with ExitStack() as stack:
        environment |= stack.enter_context(lent(EmulatedUsb(one, other, usb)))
        adapters = [
            on_a_line(name, stack.enter_context(plugged(device, kind))) for name, device, kind in devices
        ]
        adapters += [
            on_gs_usb("gs_usb:AAAA1111", one),
            on_gs_usb("cantact:1", other),
            on_canalystii(usb),
        ]
        bridge = start("bridge", *(adapter.bus for adapter in adapters))
        until(lambda: all(adapter.is_open() for adapter in adapters), bridge)
        for number, adapter in enumerate(adapters):
            adapter.receive(0x100 + number)
        until(lambda: all(len(adapter.sent()) == len(adapters) - 1 for adapter in adapters), bridge)
        bridge.send_signal(signal.SIGINT)
        assert bridge.wait(30) == -signal.SIGINT
        for number, adapter in enumerate(adapters):
            expected = [0x100 + other for other in range(len(adapters)) if other != number]
            assert sorted(adapter.sent()) == expected, adapter.bus
