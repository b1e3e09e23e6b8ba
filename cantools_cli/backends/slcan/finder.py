"""Finds slcan adapters by the numbers and names of their USB devices. No port is opened.

Sources: the firmware of CANable and WeAct; the numbers of Lawicel and CANDapter in Linux's ``ftdi_sio``.
"""

from __future__ import annotations

import re
from typing import Any

from cantools_cli.backends.transport.serial import SerialDevice, serial_devices

_ADAPTERS = {
    (0x16D0, 0x117E): "CANable",
    (0x0403, 0xFFA8): "LAWICEL CANUSB",
    (0x0403, 0x9F80): "CANDapter",
}
#: numbers that many kinds of device share; the name decides
_SHARED = {(0x0483, 0x5740), (0x0403, 0x6001), (0x1D50, 0x606F)}
_NAME = re.compile(r"(?<!s)can|lawicel")  # and not a scanner


def channels() -> list[str]:
    """Return the ports of adapters."""
    return [device.path for device in _found()]


def details() -> dict[str, dict[str, Any]]:
    """Return the product and the serial number of each adapter by its port."""
    return {
        device.path: {
            "product": device.product or _ADAPTERS.get(device.usb_id or (0, 0)),
            "serial": device.serial_number,
        }
        for device in _found()
    }


def obstacle() -> str | None:
    return None


def _found() -> list[SerialDevice]:
    return [device for device in serial_devices() if _is_adapter(device)]


def _is_adapter(device: SerialDevice) -> bool:
    product = (device.product or "").lower()
    return device.usb_id in _ADAPTERS or (device.usb_id in _SHARED and _NAME.search(product) is not None)
