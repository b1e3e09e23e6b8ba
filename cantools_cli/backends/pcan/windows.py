"""An event of Windows that PCAN-Basic sets when frames arrive; this module works on Windows only."""

from __future__ import annotations

import ctypes
from typing import Any

_FAILED = 0xFFFFFFFF  # of WaitForSingleObject


class Event:
    """An event that a wait resets.

    Raises:
        OSError: Windows has no event to give.
    """

    def __init__(self) -> None:
        self._kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]  # Windows
        self._kernel.CreateEventW.restype = ctypes.c_void_p
        self._kernel.CreateEventW.argtypes = (
            ctypes.c_void_p,
            ctypes.c_int32,
            ctypes.c_int32,
            ctypes.c_wchar_p,
        )
        self._kernel.WaitForSingleObject.restype = ctypes.c_uint32
        self._kernel.WaitForSingleObject.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        self._kernel.CloseHandle.argtypes = (ctypes.c_void_p,)
        handle = self._kernel.CreateEventW(None, False, False, None)
        if not handle:
            raise OSError(f"CreateEventW: error {ctypes.get_last_error()}")  # type: ignore[attr-defined,unused-ignore]  # Windows
        self.handle = int(handle)

    def wait(self, milliseconds: int) -> None:
        """Wait until the event is set, at most ``milliseconds``.

        Raises:
            OSError: the event is closed.
        """
        if self._kernel.WaitForSingleObject(self.handle, milliseconds) == _FAILED:
            raise OSError("WaitForSingleObject: the event is closed")

    def close(self) -> None:
        self._kernel.CloseHandle(self.handle)


def milliseconds_since_start() -> int:
    """Return the time since Windows started."""
    kernel: Any = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]  # Windows
    kernel.GetTickCount64.restype = ctypes.c_uint64
    return int(kernel.GetTickCount64())
