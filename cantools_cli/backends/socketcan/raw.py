"""Opening, binding and filtering of raw CAN sockets, and the messages of their errors."""

from __future__ import annotations

import errno
import socket
import sys

from cantools_cli.backends.socketcan import link as links
from cantools_cli.backends.socketcan import records as codec
from cantools_cli.errors import CanInitializationError, CanInterfaceNotImplementedError
from cantools_cli.frame import bits

#: errors of an interface that no longer exists
GONE = (errno.ENODEV, errno.ENXIO)


def new_socket() -> socket.socket:
    """Return an unbound raw CAN socket."""
    return socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW)


def open_socket(channel: str) -> socket.socket:
    """Return a non-blocking socket; ``channel`` is used in errors only.

    Raises:
        CanInterfaceNotImplementedError: this is not Linux.
        CanInitializationError: the kernel has no SocketCAN, or refuses to open a socket.
    """
    if not hasattr(socket, "CAN_RAW"):
        raise CanInterfaceNotImplementedError(f"socketcan does not work on {sys.platform}")
    try:
        end = new_socket()
    except OSError as error:
        if error.errno in (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT):
            raise CanInitializationError(
                f"socketcan:{channel or 'any'}: this kernel has no SocketCAN",
                hint="modprobe can_raw loads it if it is a module; virtual:vcan0 does not need it",
            ) from error
        text = f"socketcan:{channel or 'any'}: cannot open a socket: {error.strerror}"
        raise CanInitializationError(text) from error
    end.setblocking(False)
    return end


def bind(end: socket.socket, channel: str) -> None:
    """Bind ``end`` to an interface, which may be down, or to all with "".

    Raises:
        CanInitializationError: the kernel has no such CAN interface.
    """
    try:
        end.bind((channel,))
    except OSError as error:
        name = f"socketcan:{channel or 'any'}"
        if error.errno in (*GONE, None):  # None if the name is too long
            here = ", ".join(link.name for link in links.links())
            raise CanInitializationError(
                f"{name}: the kernel has no such CAN interface",
                hint=f"CAN interfaces here: {here}" if here else "ip link show type can lists them",
            ) from error
        raise CanInitializationError(f"{name}: cannot open: {error.strerror}") from error


def explain(error: OSError, doing: str, name: str, flags: int) -> tuple[str, str | None]:
    """Return why the interface ``name`` failed a frame of ``flags``, and a hint or None."""
    if error.errno == errno.ENETDOWN:
        return "the interface is down", f"ip link set {name} up"
    if error.errno in GONE:
        return "the kernel has no such CAN interface", None
    if flags & bits.FD and links.mtu(name) == codec.CLASSIC_SIZE:
        return (
            "the interface does not carry CAN FD frames",
            f"ip link set {name} type can dbitrate 2000000 fd on, for vcan ip link set {name} mtu 72",
        )
    if flags & bits.XL and (links.mtu(name) or 0) < codec.XL_SIZE:
        return (
            "the interface does not carry CAN XL frames",
            f"for vcan ip link set {name} mtu {codec.XL_SIZE}",
        )
    return f"{doing} failed: {error.strerror}", None


def set_filter(end: socket.socket, entries: bytes, join: bool, error_mask: int) -> None:
    """Set the filters of ``end``; no ``entries`` pass no data frame, no ``error_mask`` no error frame.

    Raises:
        OSError: the kernel refuses the filters.
    """
    end.setsockopt(codec.SOL_CAN_RAW, codec.RAW_ERR_FILTER, error_mask.to_bytes(4, sys.byteorder))
    # All frames pass in between: the old entries with the new rule could lose frames.
    end.setsockopt(codec.SOL_CAN_RAW, codec.RAW_FILTER, codec.KernelFilter((codec.EVERYTHING,)).packed())
    end.setsockopt(codec.SOL_CAN_RAW, codec.RAW_JOIN_FILTERS, int(join))
    end.setsockopt(codec.SOL_CAN_RAW, codec.RAW_FILTER, entries)


def pass_vcids(end: socket.socket) -> bool:
    """Have ``end`` send and receive CAN XL frames with any VCID; return whether the kernel keeps VCIDs."""
    try:
        end.setsockopt(codec.SOL_CAN_RAW, codec.RAW_XL_VCID_OPTS, codec.EVERY_VCID)
    except OSError as error:
        return error.errno == errno.ENOPROTOOPT  # Linux before 6.9
    return True
