"""The kernel's CAN interfaces in ``/sys/class/net``."""

from __future__ import annotations

import os

#: the folder of Linux's network interfaces, and the type of a CAN interface there (ARPHRD_CAN)
NETWORK_FOLDER = "/sys/class/net"
_CAN_TYPE = 280


def channels() -> list[str]:
    """Return the names of the kernel's CAN interfaces."""
    try:
        names = sorted(os.listdir(NETWORK_FOLDER))
    except OSError:
        return []
    return [name for name in names if number(name, "type") == _CAN_TYPE]


def number(name: str, entry: str) -> int | None:
    """Return the number in the file ``entry`` of the interface ``name``, None if it does not exist."""
    try:
        with open(os.path.join(NETWORK_FOLDER, name, entry), encoding="ascii") as file:
            return int(file.read(), 0)
    except (OSError, ValueError):
        return None
