"""Finds the kernel's CAN interfaces without the bus class."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.socketcan.sysfs import channels

__all__ = ["channels", "details", "obstacle"]


def kernel_has_socketcan() -> bool:
    """Return whether the kernel has SocketCAN."""
    import errno
    import socket

    if not hasattr(socket, "PF_CAN") or not hasattr(socket, "CAN_RAW"):
        return False
    try:
        socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW).close()
    except OSError as error:
        return error.errno not in (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)
    return True


def obstacle() -> str | None:
    """Return why no interface of the kernel can be opened, None if one can."""
    return None if kernel_has_socketcan() else "this kernel has no SocketCAN"


def details() -> dict[str, dict[str, Any]]:
    """Return the state of each interface, including those that are down, as the kernel reports it."""
    if not channels():
        return {}
    from cantools_cli.backends.socketcan.link import links

    return {
        link.name: {
            "state": "down" if not link.is_up else link.controller_state or "up",
            "bitrate": link.bitrate,
            "data_bitrate": link.data_bitrate,
            "sample_point": link.sample_point,
            "modes": " ".join(link.modes),
            "tx_errors": link.tx_errors,
            "rx_errors": link.rx_errors,
        }
        for link in links()
    }
