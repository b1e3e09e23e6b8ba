"""The errors of NI-CAN: its status codes and their exceptions.

A status is 0 if all is well, a warning if it is above 0, an error if it is below.

Source: National Instruments, NI-CAN Hardware and Software Manual, "Status Codes and Error Handling".
"""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from typing import Any

from cantools_cli.errors import CanError, CanInitializationError, CanOperationError

_ERRORS, _WARNINGS = 0xBFF62000, 0x3FF62000


def error_status(number: int) -> int:
    """Return the status of an error, signed as the driver returns it."""
    return (_ERRORS | number) - (1 << 32)


TIMEOUT = error_status(0x001)
BAD_VALUE = error_status(0x005)
NOT_SUPPORTED = error_status(0x00A)
BAD_SIZE = error_status(0x105)
DEVICE_GONE = error_status(0x121)
#: a queue of the driver or the buffer of a chip was full
OVERFLOWS = frozenset(map(error_status, (0x008, 0x028, 0x048, 0x068)))

_TEXTS = {
    0x001: "time-out",
    0x002: "the driver failed",
    0x003: "bad object name",
    0x023: "bad interface name",
    0x004: "bad parameter",
    0x024: "bad handle",
    0x005: "bad value of an attribute",
    0x006: "already open",
    0x007: "not stopped",
    0x008: "overflow of a queue",
    0x028: "overflow of a queue",
    0x048: "overflow of a chip",
    0x068: "overflow of a chip",
    0x00A: "not supported",
    0x00B: "communication error",
    0x02B: "stuff error",
    0x04B: "form error",
    0x06B: "no acknowledgement",
    0x08B: "sent a recessive bit, read a dominant one",
    0x0AB: "sent a dominant bit, read a recessive one",
    0x0CB: "CRC error",
    0x105: "bad size or length",
    0x110: "NI-XNET uses this interface",
    0x111: "another thread waits on this object",
    0x112: "not started",
    0x121: "the device is gone",
    0x122: "a listen-only interface cannot send",
    0x124: "bad baud rate",
    0x136: "too many frames in one write",
}
_HINTS = {
    0x003: "canx list -i nican shows the interfaces",
    0x023: "canx list -i nican shows the interfaces",
    0x006: "close the other program that uses it",
    0x110: "close the program that uses NI-XNET",
    0x124: "NI-CAN has 5k to 1M; btr0btr1 sets the registers of the controller",
}


def text_of(status: int) -> str:
    """Return the meaning of a status, without the driver."""
    number = status & 0xFFFF_FFFF
    base = _ERRORS if status < 0 else _WARNINGS
    return _TEXTS.get(number - base, f"status {number:#x}")


class NicanError(CanError):
    """A function of NI-CAN failed.

    ``text`` is the driver's for ``error_code``; ``place`` begins the message.

    Attributes:
        function: its name.
        arguments: those of the call.
    """

    def __init__(
        self,
        function: str,
        error_code: int,
        arguments: Sequence[Any] = (),
        *,
        text: str | None = None,
        place: str = "",
        sent: int | None = None,
    ) -> None:
        start = f"{place}: {function}:" if place else f"{function} failed:"
        super().__init__(
            f"{start} {text or text_of(error_code)}",
            error_code,
            hint=_HINTS.get((error_code & 0xFFFF_FFFF) - _ERRORS),
            sent=sent,
        )
        self.function = function
        self.arguments = arguments

    def __reduce__(self) -> Any:  # the constructor does not take the message
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]  # undocumented


class NicanInitializationError(NicanError, CanInitializationError):
    """NI-CAN cannot configure or open an interface."""


class NicanOperationError(NicanError, CanOperationError):
    """A function failed on an open interface."""
