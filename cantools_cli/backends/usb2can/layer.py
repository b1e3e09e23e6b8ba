"""The functions of the CANAL library of USB2CAN adapters.

The blocking functions pass the timeout on to the system: 0 returns at once, 0xFFFFFFFF waits for ever.

Source: ``canal.h`` of the VSCP project; the driver ``usb2can`` of 8devices in the same repository.
"""

from __future__ import annotations

import os
from ctypes import POINTER, c_char_p, c_int32, c_uint32
from typing import Any

from cantools_cli.backends.transport.library import Functions, VendorLibrary
from cantools_cli.backends.usb2can.canal import CanalError, CanalMsg, CanalStatistics, CanalStatus
from cantools_cli.errors import CanInitializationError, CanOperationError, UsageError, error_check, quoted

__all__ = ["Usb2CanAbstractionLayer"]

DEFAULT_DLL = "usb2can.dll"
_HANDLE = c_int32

LIBRARY = VendorLibrary(
    interface="usb2can",
    title="the CANAL library of 8devices",
    page="www.8devices.com",
    files={"win32": (DEFAULT_DLL, "vscpl1_usb2candrv.dll")},
    functions={
        "CanalOpen": (c_int32, c_char_p, c_uint32),
        "CanalClose": (c_int32, _HANDLE),
        "CanalGetLevel": (c_uint32, _HANDLE),
        "CanalSend": (c_int32, _HANDLE, POINTER(CanalMsg)),
        "CanalBlockingSend": (c_int32, _HANDLE, POINTER(CanalMsg), c_uint32),
        "CanalReceive": (c_int32, _HANDLE, POINTER(CanalMsg)),
        "CanalBlockingReceive": (c_int32, _HANDLE, POINTER(CanalMsg), c_uint32),
        "CanalDataAvailable": (c_int32, _HANDLE),
        "CanalGetStatus": (c_int32, _HANDLE, POINTER(CanalStatus)),
        "CanalGetStatistics": (c_int32, _HANDLE, POINTER(CanalStatistics)),
        "CanalGetVersion": (c_uint32,),
        "CanalGetDllVersion": (c_uint32,),
        "CanalGetVendorString": (c_char_p,),
    },
    optional={
        *("CanalGetLevel", "CanalDataAvailable", "CanalGetStatus", "CanalGetStatistics"),
        *("CanalGetVersion", "CanalGetDllVersion", "CanalGetVendorString"),
    },
    instead="socketcan",
)


def load(dll: str | os.PathLike[str] | None = None) -> Functions:
    """Return the functions of the library; ``dll`` names its file unless it is the documented default.

    Raises:
        CanInterfaceNotImplementedError: the library cannot be loaded.
    """
    return LIBRARY.load(None if dll is None or os.fspath(dll) == DEFAULT_DLL else dll)


class Usb2CanAbstractionLayer:
    """The functions of CANAL, with Python's types.

    Messages, status and statistics are references, such as ``ctypes.byref(CanalMsg())``. Methods that return
    a ``CanalError`` report failures by it; all raise CanOperationError if the library lacks the function or
    the arguments have wrong types.

    Raises:
        CanInterfaceNotImplementedError: the library ``dll`` cannot be loaded.
    """

    def __init__(self, dll: str | os.PathLike[str] = DEFAULT_DLL) -> None:
        self._functions = load(dll)

    def open(self, configuration: str, flags: int) -> int:
        """Open a device with a setup string such as ``ED000200; 500``; return the handle.

        Raises:
            CanInitializationError: the library refuses the configuration, or does not find the device.
            UsageError: ``configuration`` is not ASCII; this is a ValueError as well.
        """
        if not configuration.isascii():
            raise UsageError(f"usb2can: the configuration {quoted(configuration)} is not ASCII")
        with error_check(
            f"usb2can: CanalOpen failed, configuration {quoted(configuration)}", CanInitializationError
        ):
            handle = int(self._functions.CanalOpen(configuration.encode("ascii"), int(flags)))
        if handle <= 0:
            raise CanInitializationError(
                f"usb2can: CanalOpen refused the configuration {quoted(configuration)}",
                handle,
                hint="is the adapter connected, unused, and are these the 8 characters of its serial number?",
            )
        return handle

    def close(self, handle: int) -> CanalError:
        """Close a device; the library answers SUCCESS even if the handle is not open."""
        return self._called("CanalClose", handle)

    def send(self, handle: int, msg: Any) -> CanalError:
        """Put a message into the transmit queue, FIFO_FULL if there is no room."""
        return self._called("CanalSend", handle, msg)

    def receive(self, handle: int, msg: Any) -> CanalError:
        """Take a message from the receive queue; return FIFO_EMPTY if the queue is empty."""
        return self._called("CanalReceive", handle, msg)

    def blocking_send(self, handle: int, msg: Any, timeout: int) -> CanalError:
        """Put a message into the transmit queue, waiting ``timeout`` milliseconds for room."""
        return self._called("CanalBlockingSend", handle, msg, int(timeout))

    def blocking_receive(self, handle: int, msg: Any, timeout: int) -> CanalError:
        """Take a message from the receive queue, waiting ``timeout`` milliseconds for it."""
        return self._called("CanalBlockingReceive", handle, msg, int(timeout))

    def get_status(self, handle: int, status: Any) -> CanalError:
        """Fill a ``CanalStatus``."""
        return self._called("CanalGetStatus", handle, status)

    def get_statistics(self, handle: int, statistics: Any) -> CanalError:
        """Fill a ``CanalStatistics`` with what has happened since the last call."""
        return self._called("CanalGetStatistics", handle, statistics)

    def get_version(self) -> int:
        """Return the version of CANAL: major in byte 0, minor in byte 1, sub-minor in byte 2."""
        with error_check("usb2can: CanalGetVersion failed"):
            return int(self._functions.CanalGetVersion())

    def get_library_version(self) -> int:
        """Return the version of the library, with the bytes of ``get_version``."""
        with error_check("usb2can: CanalGetDllVersion failed"):
            return int(self._functions.CanalGetDllVersion())

    def get_vendor_string(self) -> str:
        """Return the versions of the first open device and the vendor, "" while none is open."""
        with error_check("usb2can: CanalGetVendorString failed"):
            return (self._functions.CanalGetVendorString() or b"").decode("ascii", "replace")

    def _called(self, name: str, *arguments: Any) -> CanalError:
        function = getattr(self._functions, name)
        if function is None:
            raise CanOperationError(f"usb2can: the library has no function {name}")
        with error_check(f"usb2can: {name} failed"):
            return CanalError(function(*arguments))
