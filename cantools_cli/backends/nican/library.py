"""The library of NI-CAN: its functions and numbers, and calls that raise the errors of a status.

Source: National Instruments, NI-CAN Hardware and Software Manual and ``nican.h``.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Collection, Sequence
from typing import Any

from cantools_cli.backends.nican.errors import (
    NicanError,
    NicanInitializationError,
    NicanOperationError,
    text_of,
)
from cantools_cli.backends.transport.library import VendorLibrary

# Attributes.
START_ON_OPEN = 0x80000006
BAUD_RATE = 0x80000007
STATE = 0x80000009
READ_QUEUE = 0x80000013
WRITE_QUEUE = 0x80000014
STANDARD_COMPARATOR, STANDARD_MASK = 0x80010001, 0x80010002
EXTENDED_COMPARATOR, EXTENDED_MASK = 0x80010003, 0x80010004
LOG_ERRORS = 0x8001000A
LISTEN_ONLY = 0x80010010
RX_ERRORS, TX_ERRORS = 0x80010011, 0x80010012
SELF_RECEPTION = 0x80010016
CARDS, PORTS, INTERFACE_NUMBER = 0x80020002, 0x80020006, 0x80020008  # of the hardware
TIME_FORMAT = 0x80020032
ABSOLUTE = 0

REGISTERS = 0x80000000  #: the flag of a baud rate that holds BTR0 in the lowest byte, BTR1 in the next one

OP_START, OP_RESET = 0x80000001, 0x80000003
READ_AVAILABLE, STOPPED = 0x01, 0x04  # states

_TEXT_SIZE = 1024
_STATUS, _HANDLE, _U32 = c.c_int32, c.c_uint32, c.c_uint32
_NUMBERS = c.POINTER(c.c_uint32)


class ReadFrame(c.Structure):
    """A received frame; the time counts 100 ns since 1601."""

    _pack_ = 2
    _layout_ = "ms"  # which Python 3.14 wants with _pack_
    _fields_ = (
        ("timestamp", c.c_uint64),
        ("arbitration_id", c.c_uint32),
        ("frame_type", c.c_uint8),
        ("data_length", c.c_uint8),
        ("data", c.c_uint8 * 8),
    )


class WriteFrame(c.Structure):
    """A frame to send."""

    _pack_ = 2
    _layout_ = "ms"
    _fields_ = (
        ("arbitration_id", c.c_uint32),
        ("is_remote", c.c_uint8),
        ("data_length", c.c_uint8),
        ("data", c.c_uint8 * 8),
    )


LIBRARY = VendorLibrary(
    "nican",
    "NI-CAN of National Instruments",
    "ni.com (NI-CAN, which is for 32-bit programs: Python must be one)",
    {"win32": ("nican",)},
    {
        "ncConfig": (_STATUS, c.c_char_p, _U32, _NUMBERS, _NUMBERS),
        "ncOpenObject": (_STATUS, c.c_char_p, _NUMBERS),
        "ncCloseObject": (_STATUS, _HANDLE),
        "ncAction": (_STATUS, _HANDLE, _U32, _U32),
        "ncRead": (_STATUS, _HANDLE, _U32, c.c_void_p),
        "ncReadMult": (_STATUS, _HANDLE, _U32, c.c_void_p, _NUMBERS),
        "ncWrite": (_STATUS, _HANDLE, _U32, c.c_void_p),
        "ncWaitForState": (_STATUS, _HANDLE, _U32, _U32, _NUMBERS),
        "ncGetAttribute": (_STATUS, _HANDLE, _U32, _U32, c.c_void_p),
        "ncGetHardwareInfo": (_STATUS, _U32, _U32, _U32, _U32, c.c_void_p),
        "ncStatusToString": (None, _STATUS, _U32, c.c_char_p),
    },
    optional=("ncReadMult", "ncGetAttribute", "ncGetHardwareInfo"),
)


class Driver:
    """The functions of NI-CAN; each returns its status, and raises its error.

    ``name`` begins errors. Warnings are logged once each.

    Attributes:
        kind: the class of errors.
    """

    def __init__(self, name: str, path: str | None = None) -> None:
        self.functions = LIBRARY.load(path)
        self.kind: type[NicanError] = NicanInitializationError
        self._name = name
        self._warned: set[int] = set()

    def call(self, function: str, *arguments: Any, ignored: Collection[int] = ()) -> int:
        """Call a function, and return its status.

        Raises:
            NicanError: of ``kind``, for an error that is not in ``ignored``.
        """
        status: int = getattr(self.functions, function)(*arguments)
        if status < 0 and status not in ignored:
            shown = tuple(value for value in arguments if isinstance(value, int | bytes))
            raise self.kind(function, status, shown, text=self._text(status), place=self._name)
        if status > 0 and status not in self._warned:
            import logging

            self._warned.add(status)
            logging.getLogger("can").warning("%s: %s: %s", self._name, function, self._text(status))
        return status

    def _text(self, status: int) -> str:
        """Return the driver's text for a status, our own if it has none."""
        buffer = c.create_string_buffer(_TEXT_SIZE + 1)  # a long text has no zero at its end
        self.functions.ncStatusToString(status, _TEXT_SIZE, buffer)
        return " ".join(buffer.value.decode("ascii", "replace").split()) or text_of(status)

    def opened(self) -> None:
        """Raise NicanOperationError instead of NicanInitializationError from now on."""
        self.kind = NicanOperationError

    def configure(self, channel: bytes, settings: Sequence[tuple[int, int]]) -> None:
        """Set attributes of an interface before it is opened."""
        numbers = c.c_uint32 * len(settings)
        keys = numbers(*(key for key, _ in settings))
        values = numbers(*(value for _, value in settings))
        self.call("ncConfig", channel, len(settings), keys, values)

    def open(self, channel: bytes) -> int:
        """Open an interface, which then runs, and return its handle."""
        handle = c.c_uint32()
        self.call("ncOpenObject", channel, c.byref(handle))
        return handle.value

    def attribute(self, handle: int, key: int) -> int | None:
        """Return a number, None if the driver does not have it."""
        if self.functions.ncGetAttribute is None:
            return None
        value = c.c_uint32()
        self.call("ncGetAttribute", handle, key, c.sizeof(value), c.byref(value))
        return value.value


def interfaces() -> list[str]:
    """Return the names of the interfaces of all cards; empty if the driver cannot tell.

    Raises:
        CanInterfaceNotImplementedError: the driver is missing.
    """
    get = LIBRARY.load().ncGetHardwareInfo
    if get is None:
        return []

    def number(card: int, port: int, key: int) -> int | None:
        value = c.c_uint32()
        return value.value if get(card, port, key, c.sizeof(value), c.byref(value)) >= 0 else None

    found = []
    for card in range(1, (number(1, 1, CARDS) or 0) + 1):
        for port in range(1, (number(card, 1, PORTS) or 0) + 1):
            name = number(card, port, INTERFACE_NUMBER)
            if name is not None:
                found.append(f"CAN{name}")
    return found
