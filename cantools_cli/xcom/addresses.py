"""Addresses of devices, with the names of the vendor's client and the short names of the command line.

::

    xt1 ... xt9    101 ... 109    Xtender; xt is the group (100), l1 l2 l3 are the phases (191 ... 193)
    vt1 ... vt15   301 ... 315    VarioTrack; vt is the group (300)
    rcc1 ... rcc5  501 ... 505    remote control; rcc is the group (500), the destination of messages
    bsp            601            battery status processor; bms, an Xcom-CAN battery interface, shares it
    vs1 ... vs15   701 ... 715    VarioString; vs is the group (700)

Source: Studer Innotec, public Xcom-CAN client packages; serial protocol V1.6.32 for the phases.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cantools_cli.errors import UsageError, quoted

XT_GROUP_DEVICE_ID = 100
XT_1_DEVICE_ID, XT_2_DEVICE_ID, XT_3_DEVICE_ID, XT_4_DEVICE_ID, XT_5_DEVICE_ID = range(101, 106)
XT_6_DEVICE_ID, XT_7_DEVICE_ID, XT_8_DEVICE_ID, XT_9_DEVICE_ID = range(106, 110)
VT_GROUP_DEVICE_ID = 300
VT_1_DEVICE_ID, VT_2_DEVICE_ID, VT_3_DEVICE_ID, VT_4_DEVICE_ID, VT_5_DEVICE_ID = range(301, 306)
VT_6_DEVICE_ID, VT_7_DEVICE_ID, VT_8_DEVICE_ID, VT_9_DEVICE_ID, VT_10_DEVICE_ID = range(306, 311)
VT_11_DEVICE_ID, VT_12_DEVICE_ID, VT_13_DEVICE_ID, VT_14_DEVICE_ID, VT_15_DEVICE_ID = range(311, 316)
RCC_GROUP_DEVICE_ID = 500
RCC_1_DEVICE_ID, RCC_2_DEVICE_ID, RCC_3_DEVICE_ID, RCC_4_DEVICE_ID, RCC_5_DEVICE_ID = range(501, 506)
BSP_GROUP_DEVICE_ID = 600
BSP_DEVICE_ID = 601
VS_GROUP_DEVICE_ID = 700
VS_1_DEVICE_ID, VS_2_DEVICE_ID, VS_3_DEVICE_ID, VS_4_DEVICE_ID, VS_5_DEVICE_ID = range(701, 706)
VS_6_DEVICE_ID, VS_7_DEVICE_ID, VS_8_DEVICE_ID, VS_9_DEVICE_ID, VS_10_DEVICE_ID = range(706, 711)
VS_11_DEVICE_ID, VS_12_DEVICE_ID, VS_13_DEVICE_ID, VS_14_DEVICE_ID, VS_15_DEVICE_ID = range(711, 716)
PARAMETER_PART_FLASH = 0x00
PARAMETER_PART_FLASH_MIN = 0x01
PARAMETER_PART_FLASH_MAX = 0x02
PARAMETER_PART_RAM = 0x04

#: the names that the vendor's module exports
__all__ = [name for name in dir() if name.endswith("_DEVICE_ID") or name.startswith("PARAMETER_PART_")]

#: destination of the messages of devices
NOTIFICATION_ADDRESS = RCC_GROUP_DEVICE_ID
LARGEST_ADDRESS = 0x3FF


class Family(NamedTuple):
    """A kind of device."""

    group: int  #: address of all devices of the family
    units: int  #: maximum number of devices; their addresses follow that of the group
    label: str


FAMILIES = {
    "xt": Family(100, 9, "Xtender"),
    "vt": Family(300, 15, "VarioTrack"),
    "rcc": Family(500, 5, "remote control"),
    "bsp": Family(600, 1, "BSP"),
    "bms": Family(600, 1, "Xcom-CAN BMS"),
    "vs": Family(700, 15, "VarioString"),
}
#: the Xtenders of a phase: a write goes to all of them, a read to the master
PHASES = {"l1": 191, "l2": 192, "l3": 193}

_NAME = re.compile(r"(xt|vt|vs|rcc|bsp|bms)([0-9]{0,2})")


class Device(NamedTuple):
    """An address and its family, which determines its objects; None if the family is unknown."""

    address: int
    family: str | None

    @property
    def name(self) -> str:
        return device_name(self.address, self.family)

    @property
    def is_group(self) -> bool:
        return is_group(self.address)


def parse_device(text: str) -> Device:
    """Parse a device such as ``xt1``, ``vt`` (a group), ``l2``, ``bsp``, ``101`` or ``0x65``."""
    hint = "xt1 ... xt9, vt1 ... vt15, vs1 ... vs15, bsp, bms, rcc1 ... rcc5, a group as xt, or a number"
    word = text.strip().lower()
    if word in PHASES:
        return Device(PHASES[word], "xt")
    match = _NAME.fullmatch(word)
    if match is not None:
        family, number = FAMILIES[match[1]], match[2]
        if match[1] in ("bsp", "bms"):  # a single device, so the bare name is not the group
            if number in ("", "1"):
                return Device(BSP_DEVICE_ID, match[1])
        elif not number:
            return Device(family.group, match[1])
        elif 1 <= int(number) <= family.units and not number.startswith("0"):
            return Device(family.group + int(number), match[1])
        raise UsageError(f"no such device: {quoted(text)}", hint=hint)
    if re.fullmatch(r"[0-9]{1,4}|0x[0-9a-f]{1,3}", word):
        address = int(word, 0) if word.startswith("0x") else int(word)
        if address <= LARGEST_ADDRESS:
            return Device(address, family_of(address))
    raise UsageError(f"{quoted(text)} is not a device", hint=hint)


def family_of(address: int) -> str | None:
    """Return the family of a device or group; ``bsp`` also for the address of a ``bms``."""
    if address in PHASES.values():
        return "xt"
    for name, family in FAMILIES.items():
        if family.group <= address <= family.group + family.units:
            return name
    return None


def is_group(address: int) -> bool:
    """Return whether an address stands for several devices."""
    return address in PHASES.values() or any(family.group == address for family in FAMILIES.values())


def is_member(address: int, group: int) -> bool:
    """Return whether the device at ``address`` may answer for ``group``."""
    if group in PHASES.values():
        return family_of(address) == "xt"
    return is_group(group) and family_of(address) is not None and family_of(address) == family_of(group)


def device_name(address: int, family: str | None = None) -> str:
    """Return the short name of an address, or its number."""
    for name, phase in PHASES.items():
        if phase == address:
            return name
    family = family or family_of(address)
    if family is None or family_of(address) not in (family, "bsp"):
        return str(address)
    number = address - FAMILIES[family].group
    if family in ("bsp", "bms"):
        return family if number else f"{family}-group"
    return f"{family}{number}" if number else family
