"""Finds serial ports. None is opened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cantools_cli.backends.transport.serial import SerialDevice, serial_devices


def channels() -> list[str]:
    """Return all serial ports."""
    return [device.path for device in serial_devices()]


def details() -> dict[str, dict[str, Any]]:
    """Return the product and the serial number of each port."""
    return details_of(serial_devices())


def details_of(devices: Iterable[SerialDevice]) -> dict[str, dict[str, Any]]:
    """Return the product and the serial number of ``devices`` by their ports."""
    return {
        device.path: {"product": device.product, "serial_number": device.serial_number} for device in devices
    }


def obstacle() -> str | None:
    return None
