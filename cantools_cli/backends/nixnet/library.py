"""The package ``nixnet`` of National Instruments, and the NI-XNET library that it loads.

Source: NI-XNET Hardware and Software Manual, "Status codes"; the package ``nixnet``.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any, TypeVar

from cantools_cli.backends.transport.library import VendorLibrary
from cantools_cli.backends.transport.package import imported, missing
from cantools_cli.errors import CanError, CanInterfaceNotImplementedError

LIBRARY = VendorLibrary(
    interface="nixnet",
    title="NI-XNET of National Instruments",
    page="ni.com/downloads",
    files={"win32": ("nixnet",), "linux": ("libnixnet.so",)},
    functions={},  # the package declares them
    is_stdcall=False,
)

FUNCTIONS = (
    *("nxCreateSession", "nxClear", "nxStart", "nxStop", "nxFlush", "nxSetProperty", "nxGetProperty"),
    *("nxGetPropertySize", "nxReadFrame", "nxWriteFrame", "nxReadState", "nxStatusToString"),
    *("nxSystemOpen", "nxSystemClose"),
)

_Error = TypeVar("_Error", bound=CanError)

_ERROR = 0xBFF63000
OUTPUT_OVERFLOW, TIMED_OUT = _ERROR | 0x008, _ERROR | 0x00A
#: frames were lost in the queue of the session, or of the device
INPUT_OVERFLOWS = (_ERROR | 0x00B, _ERROR | 0x0B6)
#: the device does not answer any more
LOST = (_ERROR | 0x009, _ERROR | 0x029, _ERROR | 0x0B2, _ERROR | 0x0B9)

#: what helps against an error of opening
_HINTS = {
    _ERROR | 0x072: "such as bitrate=500k, or timing= with bits of 40 MHz",
    _ERROR | 0x073: "bitrate=500k",
    _ERROR | 0x08A: "canx list -i nixnet shows the interfaces",
    _ERROR | 0x236: "close the other program",
}


def load(path: str | os.PathLike[str] | None = None) -> ModuleType:
    """Return the package with the library at ``path``, by default the installed one.

    Raises:
        CanInterfaceNotImplementedError: the package or the library is missing, or cannot be loaded.
    """
    package = imported("nixnet", "nixnet", "nixnet")
    for module in ("constants", "errors", "session", "system"):
        imported("nixnet", f"nixnet.{module}", "nixnet")
    found = LIBRARY.load(path).path
    if path or os.environ.get(LIBRARY.override):
        _point(package, found)
    return package


def obstacle() -> str | None:
    """Return why buses cannot be opened here, None if they can."""
    return missing("nixnet", "nixnet", "nixnet") or LIBRARY.obstacle()


def _point(package: Any, path: str) -> None:
    """Let the package use the library at ``path``, unless it does already."""
    import ctypes

    functions: Any = imported("nixnet", "nixnet._cfuncs", "nixnet")
    current = getattr(functions.lib, "_cdll", None)
    if getattr(current, "canx_path", None) == path:
        return
    library = ctypes.CDLL(path)
    for name in FUNCTIONS:
        if not hasattr(library, name):
            raise CanInterfaceNotImplementedError(
                f'nixnet: "{path}" has no function {name}', hint=f"it is too old, or not {LIBRARY.title}"
            )
    fresh = functions.XnetLibrary()
    fresh._cdll = imported("nixnet", "nixnet._lib", "nixnet").XnetLibrary(library)
    fresh._cdll.canx_path = path
    functions.lib = fresh


def translated(kind: type[_Error], name: str, function: str, error: Any) -> _Error:
    """Return the error of canx for an XnetError of ``function``."""
    text, _, solution = " ".join(str(error).split()).partition(" Solution:")
    hint = _HINTS.get(error.error_code) or solution.strip() or None
    return kind(f"{name}: {function}: {text}", error.error_code, hint=hint)
