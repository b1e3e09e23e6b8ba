"""Finds the virtual buses in use without the bus class."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from cantools_cli.errors import CanError, CanInterfaceNotImplementedError


def channels() -> list[str]:
    """Return the channels that processes of this user receive from."""
    from cantools_cli.backends.virtual.line import channels_in_use

    with suppress(CanError, OSError):
        return channels_in_use()
    return []


def obstacle() -> str | None:
    """Return why this system has no bus between processes, None if it has."""
    from cantools_cli.backends.virtual.line import require_support

    try:
        require_support()
    except CanInterfaceNotImplementedError as error:
        return str(error)
    return None


def details() -> dict[str, dict[str, Any]]:
    """Return nothing: a virtual bus has no state."""
    return {}
