"""Finds the channels of PCAN-Basic without opening one."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from cantools_cli.backends.pcan import constants
from cantools_cli.backends.pcan.constants import PCAN_ERROR_OK
from cantools_cli.backends.pcan.library import LIBRARY, NONE, PcanLibrary, name_of
from cantools_cli.errors import CanInterfaceNotImplementedError

obstacle = LIBRARY.obstacle

INFORMATION = struct.Struct("=HBBI33s3xII")  #: TPCANChannelInformation
_SLACK = 4  # channels that may be plugged in between the two questions
_STATES = {
    constants.PCAN_CHANNEL_UNAVAILABLE: "not available",
    constants.PCAN_CHANNEL_AVAILABLE: "ready",
    constants.PCAN_CHANNEL_OCCUPIED: "in use",
    constants.PCAN_CHANNEL_PCANVIEW: "ready, shared with PCAN-View",
}


class FoundChannel(NamedTuple):
    """A channel; the fields after ``condition`` are None if the library cannot list channels."""

    name: str
    features: int
    condition: int
    device_type: int | None = None
    controller_number: int | None = None
    device_name: str | None = None
    device_id: int | None = None

    @property
    def supports_fd(self) -> bool:
        return bool(self.features & constants.FEATURE_FD_CAPABLE)


def attached(library: PcanLibrary) -> list[FoundChannel]:
    """Return the channels that are plugged in."""
    status, count = library.number(NONE, constants.PCAN_ATTACHED_CHANNELS_COUNT)
    if status == PCAN_ERROR_OK:
        buffer = bytearray(INFORMATION.size * (count + _SLACK))
        status = _filled(library, buffer)
        if status == PCAN_ERROR_OK:
            found = [_described(*fields) for fields in INFORMATION.iter_unpack(buffer) if fields[0]]
            return [channel for channel in found if channel.condition]
    channels = []
    for name, handle in constants.PCAN_CHANNEL_NAMES.items():  # an old library, or that of macOS
        condition = library.condition(handle) if handle != NONE else constants.PCAN_CHANNEL_UNAVAILABLE
        if condition:
            status, features = library.number(handle, constants.PCAN_CHANNEL_FEATURES)
            channels.append(FoundChannel(name, features if status == PCAN_ERROR_OK else 0, condition))
    return channels


def _filled(library: PcanLibrary, buffer: bytearray) -> int:
    import ctypes

    place = (ctypes.c_char * len(buffer)).from_buffer(buffer)
    parameter = constants.PCAN_ATTACHED_CHANNELS
    return int(library.functions.CAN_GetValue(NONE, parameter, ctypes.byref(place), len(buffer)))


def _described(
    handle: int,
    device_type: int,
    controller: int,
    features: int,
    device_name: bytes,
    device_id: int,
    condition: int,
) -> FoundChannel:
    text = device_name.partition(b"\0")[0].decode("latin-1")
    return FoundChannel(name_of(handle), features, condition, device_type, controller, text, device_id)


def found() -> list[FoundChannel]:
    """Return the channels that are plugged in; empty without the library."""
    try:
        return attached(PcanLibrary())
    except CanInterfaceNotImplementedError:
        return []


def configurations() -> list[dict[str, Any]]:
    """Return the arguments of ``Bus`` for the free channels, and what is known about each."""
    configs = []
    for channel in found():
        if not channel.condition & constants.PCAN_CHANNEL_AVAILABLE:
            continue
        config: dict[str, Any] = {
            "interface": "pcan",
            "channel": channel.name,
            "supports_fd": channel.supports_fd,
        }
        if channel.device_type is not None:
            config.update(
                controller_number=channel.controller_number,
                device_features=channel.features,
                device_id=channel.device_id,
                device_name=channel.device_name,
                device_type=channel.device_type,
                channel_condition=channel.condition,
            )
        configs.append(config)
    return configs


def channels() -> list[str]:
    """Return the channels that are plugged in."""
    return [channel.name for channel in found()]


def details() -> dict[str, dict[str, Any]]:
    """Return the state, the product and the stored number of each channel."""
    return {
        channel.name: {
            "state": _STATES.get(channel.condition, f"condition {channel.condition}"),
            "product": channel.device_name,
            "device_id": channel.device_id,
            "fd": channel.supports_fd,
        }
        for channel in found()
    }
