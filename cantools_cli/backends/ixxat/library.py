"""The VCI libraries of HMS Networks: ``vcinpl`` for CAN, ``vcinpl2`` for CAN FD, and their results as errors.

Both exist for Windows only. They export the same names with different structures and signatures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_void_p, create_string_buffer
from typing import Any, NamedTuple

from cantools_cli.backends.ixxat import constants, structures
from cantools_cli.backends.ixxat.exceptions import (
    VCIDeviceNotFoundError,
    VCIError,
    VCIRxQueueEmptyError,
    VCITimeout,
)
from cantools_cli.backends.ixxat.prototypes import OPTIONAL, VCINPL, VCINPL2
from cantools_cli.backends.transport.library import Functions, VendorLibrary
from cantools_cli.errors import CanError, CanInitializationError

_PAGE = "https://www.hms-networks.com/support"

LIBRARY = VendorLibrary(
    "ixxat",
    "VCI of HMS Networks",
    _PAGE,
    {"win32": ("vcinpl.dll",)},
    VCINPL,
    OPTIONAL,
    instead="socketcan",
)
FD_LIBRARY = VendorLibrary(
    "ixxat",
    "VCI 4 of HMS Networks",
    _PAGE,
    {"win32": ("vcinpl2.dll",)},
    VCINPL2,
    OPTIONAL,
    instead="socketcan",
    variable="CANX_IXXAT_FD_LIBRARY",
)

_ID_PLACE = 32  # of the unique hardware identifier in VCIDEVICEINFO

_OPERATION_ERRORS: dict[int, type[CanError]] = {
    constants.VCI_E_TIMEOUT: VCITimeout,
    constants.VCI_E_RXQUEUE_EMPTY: VCIRxQueueEmptyError,
}
_OPENING_ERRORS: dict[int, type[CanError]] = {constants.VCI_E_NO_SUCH_DEVICE: VCIDeviceNotFoundError}


class Types(NamedTuple):
    """The structures of one library."""

    message: Any
    cyclic_message: Any
    capabilities: Any
    line_status: Any
    channel_status: Any
    scheduler_status: Any


CLASSIC_TYPES = Types(
    structures.CANMSG,
    structures.CANCYCLICTXMSG,
    structures.CANCAPABILITIES,
    structures.CANLINESTATUS,
    structures.CANCHANSTATUS,
    structures.CANSCHEDULERSTATUS,
)
FD_TYPES = Types(
    structures.CANMSG2,
    structures.CANCYCLICTXMSG2,
    structures.CANCAPABILITIES2,
    structures.CANLINESTATUS2,
    structures.CANCHANSTATUS2,
    structures.CANSCHEDULERSTATUS2,
)


class Vci:
    """A loaded library; ``name`` begins its errors.

    Attributes:
        functions: the functions as they are, which return a result.
        types: the structures of the library.
        is_opening: whether a failed call means that a bus cannot be opened.
    """

    def __init__(self, is_fd: bool, path: str | None, name: str) -> None:
        self.functions: Functions = (FD_LIBRARY if is_fd else LIBRARY).load(path)
        self.is_fd = is_fd
        self.types = FD_TYPES if is_fd else CLASSIC_TYPES
        self.name = name
        self.is_opening = True
        result = self.functions.vciInitialize()
        if result != constants.VCI_E_ALREADY_INITIALIZED:
            self.check("vciInitialize", result)

    def call(self, function: str, *arguments: Any) -> None:
        """Call a function.

        Raises:
            CanInitializationError: it failed while the bus was opened.
            VCIError: it failed later.
            VCITimeout: it took too long.
        """
        result = getattr(self.functions, function)(*arguments)
        if result != constants.VCI_OK:
            raise self.failure(function, result)

    def check(self, function: str, result: int) -> None:
        """Raise the error of ``result``, as ``call`` does."""
        if result != constants.VCI_OK:
            raise self.failure(function, result)

    def opened(self, function: str, *arguments: Any) -> c_void_p:
        """Call a function whose last parameter receives a handle, and return the handle."""
        handle = c_void_p()
        self.call(function, *arguments, byref(handle))
        return handle

    def failure(self, function: str, result: int, hint: str | None = None) -> CanError:
        """Return the error of a call; its ``error_code`` is the result."""
        text = f"{self.name}: {function}: {self.text(result)} (0x{result:08X})"
        if self.is_opening:
            error = _OPENING_ERRORS.get(result, CanInitializationError)(text, hint=hint)
        else:
            error = _OPERATION_ERRORS.get(result, VCIError)(text, hint=hint)
        error.error_code = result
        return error

    def text(self, result: int) -> str:
        """Return the meaning of a result in the words of the library, or in ours if it has none."""
        describe = self.functions.vciFormatError or self.functions.vciFormatErrorA
        if describe is not None:
            buffer = create_string_buffer(constants.VCI_MAX_ERRSTRLEN)
            describe(result, buffer, len(buffer))
            text = " ".join(buffer.value.decode("utf-8", "replace").split())
            if text:
                return text
        return constants.TEXTS.get(result, "undocumented result")


@contextmanager
def _enumeration(vci: Vci) -> Iterator[c_void_p]:
    handle = vci.opened("vciEnumDeviceOpen")
    try:
        yield handle
    finally:
        vci.functions.vciEnumDeviceClose(handle)


def devices(vci: Vci) -> list[structures.VCIDEVICEINFO]:
    """Return the connected devices.

    Raises:
        CanInitializationError: the driver does not list them.
    """
    found: list[structures.VCIDEVICEINFO] = []
    with _enumeration(vci) as handle:
        while True:
            info = structures.VCIDEVICEINFO()
            result = vci.functions.vciEnumDeviceNext(handle, byref(info))
            if result == constants.VCI_E_NO_MORE_ITEMS:
                return found
            vci.check("vciEnumDeviceNext", result)
            found.append(info)


def described(info: structures.VCIDEVICEINFO) -> str:
    """Return the description of a device."""
    return str(info.Description.decode("utf-8", "replace").strip())


def hardware_id(info: structures.VCIDEVICEINFO) -> str:
    """Return the unique hardware identifier, text such as HW123456 or a GUID in braces."""
    raw = bytes(memoryview(info))[_ID_PLACE : _ID_PLACE + 16]
    text = raw.rstrip(b"\0")
    if text and all(0x20 < byte < 0x7F for byte in text):
        return str(text, "ascii")
    from uuid import UUID

    return f"{{{UUID(bytes_le=raw)}}}".upper()
