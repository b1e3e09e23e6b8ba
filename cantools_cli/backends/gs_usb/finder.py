"""Finds gs_usb adapters without the bus class, and without taking one from another program."""

from __future__ import annotations

from typing import Any, NamedTuple

from cantools_cli.backends.gs_usb.adapter import IDS, channels_of
from cantools_cli.backends.gs_usb.channel import address_of
from cantools_cli.backends.transport import usb
from cantools_cli.backends.transport.usb import Strings
from cantools_cli.errors import CanError

__all__ = ["adapters", "channels", "details", "obstacle"]

obstacle = usb.obstacle


class FoundAdapter(NamedTuple):
    """A connected adapter: the channels of buses on it, and why it cannot be opened, or ``ready``."""

    channels: list[str]
    strings: Strings
    state: str
    is_available: bool
    ids: tuple[int, int]


def adapters() -> list[FoundAdapter]:
    """Return the connected adapters; empty if the computer has no library for USB."""
    try:
        devices = usb.find(IDS.keys())
    except CanError:
        return []
    found = []
    for device in devices:
        kernel = device.kernel_channels()
        trouble = device.why_closed()
        if trouble is not None:
            state, count = str(trouble).partition(": ")[2], max(1, len(kernel))
            if trouble.hint is not None and "udev" in trouble.hint:
                state += f"; {trouble.hint}"
        else:
            count = channels_of(device)
            state = f"the kernel has it as {' and '.join(kernel)}" if kernel else "ready"
        names = [address_of(device, channel, devices) for channel in range(count)]
        found.append(FoundAdapter(names, device.strings, state, trouble is None and not kernel, device.ids))
        device.close()
    return found


def channels() -> list[str]:
    """Return the channels of all connected adapters."""
    return [channel for adapter in adapters() for channel in adapter.channels]


def details() -> dict[str, dict[str, Any]]:
    """Return the product, the serial number and the state of each channel."""
    return {
        channel: {
            "state": adapter.state,
            "product": adapter.strings.product or IDS[adapter.ids],
            "serial": adapter.strings.serial,
        }
        for adapter in adapters()
        for channel in adapter.channels
    }
