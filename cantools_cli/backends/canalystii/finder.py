"""Finds CANalyst-II adapters without the bus class, and without taking one from another program."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.canalystii.adapter import CHANNELS, IDS
from cantools_cli.backends.transport import usb
from cantools_cli.errors import CanError

__all__ = ["adapters", "channels", "details", "obstacle"]

obstacle = usb.obstacle


def adapters() -> list[tuple[usb.UsbDevice, CanError | None]]:
    """Return the connected adapters, and why each cannot be opened; empty without a library for USB."""
    try:
        devices = usb.find(IDS)
    except CanError:
        return []
    return [(device, device.why_closed()) for device in devices]


def channels() -> list[str]:
    """Return the channels of all connected adapters; those of the first need no number of the adapter."""
    return [*details()]


def details() -> dict[str, dict[str, Any]]:
    """Return the product, the serial number and the state of each channel."""
    found = {}
    for number, (device, trouble) in enumerate(adapters()):
        state = "ready" if trouble is None else str(trouble).partition(": ")[2]
        if trouble is not None and "udev" in (trouble.hint or ""):
            state += f"; {trouble.hint}"
        texts = {"state": state, "product": device.strings.product, "serial": device.strings.serial}
        place = f",device={number}" if number else ""
        found.update({f"{channel}{place}": dict(texts) for channel in CHANNELS})
    return found
