"""Finds the USB serial converter CH340, which several adapters have. No port is opened.

Many other devices have it as well: only opening a bus shows which one is connected.
"""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.serial_can import finder
from cantools_cli.backends.transport.serial import SerialDevice, serial_devices

USB_ID = (0x1A86, 0x7523)


def channels() -> list[str]:
    """Return the ports with a CH340."""
    return [device.path for device in _found()]


def details() -> dict[str, dict[str, Any]]:
    """Return the product and the serial number of each by its port."""
    return finder.details_of(_found())


def obstacle() -> str | None:
    return None


def _found() -> list[SerialDevice]:
    return [device for device in serial_devices() if device.usb_id == USB_ID]
