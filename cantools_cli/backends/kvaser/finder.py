"""Finds Kvaser channels without the bus class, and without opening them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cantools_cli.errors import CanError

if TYPE_CHECKING:
    from cantools_cli.backends.kvaser.library import ChannelInfo

__all__ = ["channels", "details", "found", "obstacle"]


def found() -> list[tuple[int, ChannelInfo]]:
    """Return the channels of this computer; none without the library."""
    from cantools_cli.backends.kvaser.library import Canlib

    try:
        return [*Canlib().all_channels()]
    except CanError:
        return []


def channels() -> list[str]:
    """Return the numbers of the channels."""
    return [str(channel) for channel, _ in found()]


def obstacle() -> str | None:
    """Return why the library cannot be loaded here, or None."""
    from cantools_cli.backends.kvaser.library import LIBRARY

    return LIBRARY.obstacle()


def details() -> dict[str, dict[str, Any]]:
    """Return the product, the serial number and the kind of each channel."""
    return {
        str(channel): {
            "state": "ready",
            "product": f"{info.name} (#{info.number + 1}{', CAN FD' if info.has_fd else ''})",
            "serial": str(info.serial) if info.serial else None,
        }
        for channel, info in found()
    }
