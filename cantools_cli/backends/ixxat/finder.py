"""Finds IXXAT devices and their CAN controllers without the bus class."""

from __future__ import annotations

from ctypes import byref, c_void_p
from dataclasses import dataclass
from typing import Any

from cantools_cli.backends.ixxat import constants
from cantools_cli.backends.ixxat.library import FD_LIBRARY, LIBRARY, Vci, described, devices, hardware_id
from cantools_cli.backends.ixxat.structures import VCIDEVICECAPS, VCIDEVICEINFO
from cantools_cli.errors import CanError, CanInterfaceNotImplementedError

_MOST_CONTROLLERS = 32  # of a device


@dataclass(frozen=True)
class Found:
    """A CAN controller of a device."""

    number: int
    hardware_id: str
    description: str
    supports_fd: bool
    trouble: str | None

    @property
    def channel(self) -> str:
        """The channel as commands name it."""
        return f"{self.number},unique_hardware_id={self.hardware_id}"


def obstacle() -> str | None:
    """Return why no VCI library can be loaded here, None if one can."""
    reason = LIBRARY.obstacle()
    return None if reason is None or FD_LIBRARY.obstacle() is None else reason


def get_ixxat_hwids() -> list[str]:
    """Return the unique hardware identifiers of the connected devices; empty without a library."""
    vci = _library()
    if vci is None:
        return []
    try:
        return [hardware_id(info) for info in devices(vci)]
    except CanError:
        return []


def controllers() -> list[Found]:
    """Return the CAN controllers of the connected devices; empty without a library."""
    vci = _library()
    if vci is None:
        return []
    try:
        infos = devices(vci)
    except CanError:
        return []
    return [found for info in infos for found in _controllers(vci, info)]


def channels() -> list[str]:
    """Return the channels that exist."""
    return [found.channel for found in controllers()]


def details() -> dict[str, dict[str, Any]]:
    """Return the device and the state of each channel."""
    return {
        found.channel: {
            "state": found.trouble or "ready",
            "product": found.description,
            "serial": found.hardware_id,
            "fd": "yes" if found.supports_fd else "no",
        }
        for found in controllers()
    }


def _library() -> Vci | None:
    """Return a library, that with CAN FD first since it lists the same devices."""
    for is_fd in (True, False):
        try:
            return Vci(is_fd, None, "ixxat")
        except (CanInterfaceNotImplementedError, CanError):
            continue
    return None


def _controllers(vci: Vci, info: VCIDEVICEINFO) -> list[Found]:
    name, text = hardware_id(info), described(info)
    device = c_void_p()
    result = vci.functions.vciDeviceOpen(byref(info.VciObjectId), byref(device))
    if result != constants.VCI_OK:  # its controllers are unknown, but the first exists
        return [Found(0, name, text, False, vci.text(result))]
    try:
        caps = VCIDEVICECAPS()
        vci.call("vciDeviceGetCaps", device, byref(caps))
        types = caps.BusCtrlTypes[: min(caps.BusCtrlCount, _MOST_CONTROLLERS)]
        count = sum(kind >> 8 == constants.VCI_BUS_CAN for kind in types)
        return [Found(number, name, text, _has_fd(vci, device, number), None) for number in range(count)]
    except CanError as error:
        return [Found(0, name, text, False, str(error))]
    finally:
        vci.functions.vciDeviceClose(device)


def _has_fd(vci: Vci, device: c_void_p, number: int) -> bool:
    """Return whether vcinpl2 can open this controller for CAN FD."""
    if not vci.is_fd:
        return False
    channel, caps = c_void_p(), vci.types.capabilities()
    if vci.functions.canChannelOpen(device, number, constants.FALSE, byref(channel)) != constants.VCI_OK:
        return False
    result = vci.functions.canChannelGetCaps(channel, byref(caps))
    vci.functions.canChannelClose(channel)
    return result == constants.VCI_OK and bool(caps.dwFeatures & constants.CAN_FEATURE_EXTDATA)
