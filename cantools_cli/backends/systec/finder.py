"""Finds connected USB-CANmodules."""

from __future__ import annotations

from typing import Any, NamedTuple

from cantools_cli.backends.systec.constants import has_two_channels, product_of
from cantools_cli.backends.systec.library import LIBRARY
from cantools_cli.backends.systec.structures import EnumCallback
from cantools_cli.errors import CanInterfaceNotImplementedError

__all__ = ["channels", "details", "modules", "obstacle"]

obstacle = LIBRARY.obstacle


class FoundModule(NamedTuple):
    """A module that no program uses."""

    number: int
    serial: int
    product: str
    channels: int


def modules() -> list[FoundModule]:
    """Return the connected modules; empty without the library, or with an old one that cannot find them."""
    try:
        functions = LIBRARY.load()
    except CanInterfaceNotImplementedError as error:
        import logging

        logging.getLogger("can.systec").debug("%s", error)
        return []
    if functions.UcanEnumerateHardware is None:
        return []
    found: list[FoundModule] = []

    def add(_: int, __: int, info: Any, answer: Any, ___: object) -> None:
        # copied: the library uses the structure again for the next module
        module = info.contents
        count = 2 if has_two_channels(module.m_dwProductCode) else 1
        product = product_of(module.m_dwProductCode)
        found.append(FoundModule(module.m_bDeviceNr, module.m_dwSerialNr, product, count))
        answer.contents.m_fTryNext = 1

    functions.UcanEnumerateHardware(EnumCallback(add), None, 0, 0, 0xFF, 0, 0xFFFF_FFFF, 0, 0xFFFF_FFFF)
    return found


def channels() -> list[str]:
    """Return the channels of the modules, as the command line names them."""
    return [*details()]


def details() -> dict[str, dict[str, Any]]:
    """Return the product of each channel."""
    return {
        f"{channel},device_number={module.number},serial={module.serial}": {"product": module.product}
        for module in modules()
        for channel in range(module.channels)
    }
