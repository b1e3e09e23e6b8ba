"""The libraries of BOA: the functions, and errors of their result codes.

``CSI`` finds controllers, ``OCI`` operates them. One file may be both.

Source: ETAS Basic Open API (BOA) 2, headers of CSI and OCI CAN, API version 1.4. Their calling convention is
cdecl.
"""

from __future__ import annotations

import ctypes as c
import os
import struct
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from cantools_cli.backends.etas import structures as s
from cantools_cli.backends.etas.constants import ERROR_BIT, Result, text_of
from cantools_cli.backends.transport.library import Functions, VendorLibrary
from cantools_cli.errors import CanError, CanInitializationError, CanOperationError

TITLE = "BOA of ETAS"
_PAGE = "etas.com: ECU and Bus Interfaces - Distribution Package"
_BOTH = "CANX_ETAS_LIBRARY"
_FOLDER = (
    "C:/Program Files/ETAS/BOA_V2/Bin/x64/Dll/Framework/"
    if struct.calcsize("P") == 8
    else "C:/Program Files (x86)/ETAS/BOA_V2/Bin/Win32/Dll/Framework/"
)

_RESULT, _HANDLE, _TIME, _COUNT = c.c_uint32, c.c_int32, c.c_int64, c.c_uint32
_ARRAY, _URI = c.c_void_p, c.c_char_p
_NEW_HANDLE, _COUNTED = c.POINTER(c.c_int32), c.POINTER(c.c_uint32)

_CSI_FUNCTIONS = {
    "CSI_CreateProtocolTree": (_RESULT, _URI, s.NodeRange, c.POINTER(c.POINTER(s.Tree))),
    "CSI_DestroyProtocolTree": (_RESULT, c.POINTER(s.Tree)),
}
_OCI_FUNCTIONS = {
    "OCI_CreateCANControllerNoSearch": (
        *(_RESULT, _URI, c.POINTER(s.Version)),
        *(c.POINTER(s.Tree), _NEW_HANDLE),
    ),
    "OCI_DestroyCANController": (_RESULT, _HANDLE),
    "OCI_OpenCANController": (_RESULT, _HANDLE, c.POINTER(s.Configuration), c.POINTER(s.Properties)),
    "OCI_CloseCANController": (_RESULT, _HANDLE),
    "OCI_GetCANConfiguration": (_RESULT, _HANDLE, c.POINTER(s.Configuration)),
    "OCI_GetCANControllerCapabilities": (_RESULT, _HANDLE, _ARRAY),
    "OCI_GetCANControllerStatus": (_RESULT, _HANDLE, c.POINTER(s.ControllerStatus)),
    "OCI_GetTimerCapabilities": (_RESULT, _HANDLE, c.POINTER(s.TimerCapabilities)),
    "OCI_GetTimerValue": (_RESULT, _HANDLE, c.POINTER(c.c_int64)),
    "OCI_CreateCANRxQueue": (_RESULT, _HANDLE, c.POINTER(s.RxQueueConfiguration), _NEW_HANDLE),
    "OCI_DestroyCANRxQueue": (_RESULT, _HANDLE),
    "OCI_CreateCANTxQueue": (_RESULT, _HANDLE, c.POINTER(s.TxQueueConfiguration), _NEW_HANDLE),
    "OCI_DestroyCANTxQueue": (_RESULT, _HANDLE),
    "OCI_AddCANFrameFilterEx": (_RESULT, _HANDLE, _ARRAY, _COUNT),
    "OCI_RemoveCANFrameFilterEx": (_RESULT, _HANDLE, _ARRAY, _COUNT),
    "OCI_AddCANFrameFilter": (_RESULT, _HANDLE, _ARRAY, _COUNT),
    "OCI_RemoveCANFrameFilter": (_RESULT, _HANDLE, _ARRAY, _COUNT),
    "OCI_AddCANBusEventFilter": (_RESULT, _HANDLE, _ARRAY, _COUNT),
    "OCI_AddCANErrorFrameFilter": (_RESULT, _HANDLE, _ARRAY, _COUNT),
    "OCI_WriteCANDataEx": (_RESULT, _HANDLE, _TIME, _ARRAY, _COUNT, _COUNTED),
    "OCI_ReadCANDataEx": (_RESULT, _HANDLE, _TIME, _ARRAY, _COUNT, _COUNTED, _COUNTED),
    "OCI_WriteCANData": (_RESULT, _HANDLE, _TIME, _ARRAY, _COUNT, _COUNTED),
    "OCI_ReadCANData": (_RESULT, _HANDLE, _TIME, _ARRAY, _COUNT, _COUNTED, _COUNTED),
    "OCI_ResetQueue": (_RESULT, _HANDLE),
    "OCI_GetError": (_RESULT, _HANDLE, c.c_uint32, c.c_char_p, c.c_uint32),
}

CSI = VendorLibrary(
    "etas",
    TITLE,
    _PAGE,
    {"win32": ("dll-csiBind", f"{_FOLDER}dll-csiBind")},
    _CSI_FUNCTIONS,
    is_stdcall=False,
    instead="socketcan",
    variable="CANX_ETAS_CSI_LIBRARY",
)
OCI = VendorLibrary(
    "etas",
    TITLE,
    _PAGE,
    {"win32": ("dll-ocdProxy", f"{_FOLDER}dll-ocdProxy")},
    _OCI_FUNCTIONS,
    optional=(
        *("OCI_GetCANConfiguration", "OCI_GetCANControllerCapabilities", "OCI_GetError"),
        *("OCI_AddCANFrameFilterEx", "OCI_RemoveCANFrameFilterEx"),  # before API 1.4
        *("OCI_AddCANFrameFilter", "OCI_RemoveCANFrameFilter"),
        *("OCI_AddCANBusEventFilter", "OCI_AddCANErrorFrameFilter"),
        *("OCI_WriteCANDataEx", "OCI_ReadCANDataEx"),  # before API 1.3
        *("OCI_WriteCANData", "OCI_ReadCANData"),
    ),
    is_stdcall=False,
    instead="socketcan",
    variable="CANX_ETAS_OCI_LIBRARY",
)


def load_csi(path: str | None = None) -> Functions:
    """Return the functions of CSI, from the file at ``path`` if it is given.

    Raises:
        CanInterfaceNotImplementedError: the library is missing or unusable.
    """
    return _load(CSI, path)


def load_oci(path: str | None = None) -> Functions:
    """Return the functions of OCI, from the file at ``path`` if it is given.

    Raises:
        CanInterfaceNotImplementedError: the library is missing or unusable.
    """
    return _load(OCI, path)


def _load(library: VendorLibrary, path: str | None) -> Functions:
    _find_others()
    return library.load(path or os.environ.get(library.override) or os.environ.get(_BOTH))


@cache
def _find_others() -> None:
    """Let Windows find the libraries that those of BOA load."""
    if sys.platform == "win32" and os.path.isdir(_FOLDER):
        os.add_dll_directory(_FOLDER)


def obstacle() -> str | None:
    """Return why BOA cannot be used here, None if it can."""
    for load in (load_csi, load_oci):
        try:
            load()
        except CanError as error:
            return str(error).removeprefix("etas: ")
    return None


class Checker:
    """Raises the errors of result codes, and logs each warning once.

    ``name`` begins errors. ``get_error`` is ``OCI_GetError``, which has texts once there is a handle.

    Attributes:
        handle: of the controller, None until there is one.
        kind: the class of errors.
    """

    def __init__(self, name: str, get_error: Callable[..., int] | None = None) -> None:
        self.handle: int | None = None
        self.kind: type[CanInitializationError | CanOperationError] = CanInitializationError
        self._name = name
        self._get_error = get_error
        self._warned: set[int] = set()

    def __call__(self, function: str, code: int) -> int:
        """Return ``code`` unless it is an error.

        Raises:
            CanError: of ``kind``, with the code and the text of the driver.
        """
        if code & ERROR_BIT:
            hint = _HINTS.get(code) if self.kind is CanInitializationError else None
            raise self.kind(self._message(function, code), code, hint=hint)
        if code and code not in self._warned:
            self._warned.add(code)
            self.log("warning", f"{function}: {self._text(code)} ({code:#x})")
        return code

    def log(self, level: str, text: str) -> None:
        """Log ``text`` with a level such as ``warning``."""
        import logging

        getattr(logging.getLogger("can"), level)("%s: %s", self._name, text)

    def operation_error(self, function: str, code: int) -> CanOperationError:
        """Return the error of a result code that an open controller reports."""
        return CanOperationError(self._message(function, code), code)

    def _message(self, function: str, code: int) -> str:
        return f"{self._name}: {function}: {self._text(code)} ({code:#x})"

    def _text(self, code: int) -> str:
        if self._get_error is not None and self.handle is not None:
            buffer = c.create_string_buffer(256)
            if not self._get_error(self.handle, code, buffer, len(buffer)) & ERROR_BIT:
                text = buffer.value.decode("utf-8", "replace").strip()
                if text:
                    return " ".join(text.split())
        return text_of(code)


_HINTS: dict[Any, str] = {
    Result.NO_INTERFACE: "canx list -i etas shows the controllers",
    Result.HARDWARE_NOT_PRESENT: "canx list -i etas shows the controllers",
    Result.INCOMPATIBLE_CONFIGURATION: "open it with the settings of the other program",
    Result.IN_USE: "close the other program that uses the controller",
}
