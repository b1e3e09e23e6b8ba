"""The channel of a gs_usb bus: which adapter, and which of its CAN channels.

::

    0        the first adapter                   0:1      its second channel
    1.5      the adapter at bus 1, address 5     1.5:1
    serial=004100185741500E20363330              004100185741500E20363330:1      by serial number
    candleLight USB to CAN adapter               the first adapter of that product
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from cantools_cli.backends.transport.usb import UsbDevice
from cantools_cli.bus.config import cast_from_string
from cantools_cli.errors import CanInitializationError, UsageError, quoted

_SUFFIX = re.compile(r"(.*):(\d{1,2})", re.DOTALL)
_INDEX = re.compile(r"\d{1,3}")
_PLACE = re.compile(r"(\d{1,3})\.(\d{1,3})")


class Wanted(NamedTuple):
    """What selects an adapter; None means any. ``can_channel`` counts from 0."""

    position: int | None = None
    bus: int | None = None
    address: int | None = None
    serial: str | None = None
    label: str | None = None
    can_channel: int = 0


def wanted(
    channel: object,
    index: int | None,
    bus: int | None,
    address: int | None,
    serial: str | None,
    can_channel: int | None,
) -> Wanted:
    """Return what the parameters of a bus select.

    With ``index``, ``bus``, ``address`` or ``serial``, ``channel`` is only a label, as documented.

    Raises:
        CanInitializationError: ``index`` is given with ``bus`` or ``address``.
        UsageError: two different CAN channels are given.
    """
    if can_channel is not None and can_channel < 0:
        raise UsageError(f"gs_usb: can_channel={can_channel} is below 0")
    if index is not None and (bus is not None or address is not None):
        raise CanInitializationError("index and bus/address cannot be used simultaneously")
    text = "" if channel is None else str(channel).strip()
    if index is not None or bus is not None or address is not None:
        return Wanted(index, bus, address, serial, can_channel=can_channel or 0)
    if serial is not None:
        serial, number = _split(str(serial))
        return Wanted(serial=serial, can_channel=_one(number, can_channel, serial))
    stem, number = _split(text)
    number = _one(number, can_channel, text)
    if stem.startswith("serial="):
        return Wanted(serial=stem.removeprefix("serial="), can_channel=number)
    if _INDEX.fullmatch(stem):
        return Wanted(position=int(stem), can_channel=number)
    place = _PLACE.fullmatch(stem)
    if place is not None:
        return Wanted(bus=int(place[1]), address=int(place[2]), can_channel=number)
    return Wanted(label=stem or None, can_channel=number)


def _split(text: str) -> tuple[str, int | None]:
    found = _SUFFIX.fullmatch(text)
    return (found[1], int(found[2])) if found is not None else (text, None)


def _one(number: int | None, can_channel: int | None, text: str) -> int:
    if number is not None and can_channel not in (None, number):
        raise UsageError(f"gs_usb:{text}: channel {number} and can_channel={can_channel}")
    return number if number is not None else can_channel or 0


def chosen(devices: list[UsbDevice], choice: Wanted, name: str) -> UsbDevice:
    """Return the device that ``choice`` selects.

    Raises:
        CanInitializationError: no adapter matches; the hint lists those connected.
    """
    found = [device for device in devices if _matches(device, choice)]
    if choice.label is not None:
        found = [device for device in devices if _is_serial(device, choice.label)] or [
            device for device in devices if device.strings.product == choice.label
        ]
    if choice.position is not None:
        found = found[choice.position : choice.position + 1]
    if found:
        return found[0]
    if not devices:
        raise CanInitializationError(
            f"{name}: no adapter found",
            hint="is it plugged in? A CANable with slcan firmware is a serial port: slcan:/dev/ttyACM0",
        )
    here = ", ".join(f"gs_usb:{address_of(device, devices=devices)}" for device in devices)
    raise CanInitializationError(f"{name}: no such adapter", hint=f"adapters here: {here}")


def _matches(device: UsbDevice, choice: Wanted) -> bool:
    return (
        choice.bus in (None, device.bus)
        and choice.address in (None, device.address)
        and (choice.serial is None or _is_serial(device, choice.serial))
    )


def _is_serial(device: UsbDevice, text: str) -> bool:
    """Compare a serial number that a configuration may have read as a number, without its zeros."""
    serial = device.strings.serial
    return bool(serial) and text in (serial, str(cast_from_string(serial)))


def address_of(device: UsbDevice, can_channel: int = 0, devices: Iterable[UsbDevice] = ()) -> str:
    """Return the channel to select ``device`` by: its serial number if no other of ``devices`` has it.

    A serial number that a configuration reads as an index or a place, such as 000000000001, is not usable.
    """
    serial = device.strings.serial
    read = str(cast_from_string(serial))
    is_usable = re.fullmatch(r"[\w.-]{4,}", serial) and not (_INDEX.fullmatch(read) or _PLACE.fullmatch(read))
    is_shared = any(other is not device and other.strings.serial == serial for other in devices)
    stem = serial if is_usable and not is_shared else device.place
    return f"{stem}:{can_channel}" if can_channel else stem


def shown(channel: object, choice: Wanted) -> str:
    """Return the bus's name for errors."""
    if channel is not None:
        return f"gs_usb:{quoted(channel)[1:-1]}"
    return f"gs_usb:{choice.serial or choice.position or 0}"
