"""C libraries and their typed functions, for interfaces of other distributions."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["HANDLE", "PHANDLE", "CLibrary"]

#: an opaque object of Windows
HANDLE = ctypes.c_void_p
PHANDLE = ctypes.POINTER(HANDLE)

# Vendor libraries on Windows use the calling convention stdcall.
_Library: Any = getattr(ctypes, "WinDLL", ctypes.CDLL) if sys.platform == "win32" else ctypes.CDLL


class CLibrary(_Library):  # type: ignore[misc]  # one of two classes, by platform
    """A library, given by its path or as a loaded library.

    Raises:
        OSError: the library cannot be loaded.
    """

    def __init__(self, library_or_path: str | ctypes.CDLL) -> None:
        if isinstance(library_or_path, str):
            super().__init__(library_or_path)
        else:
            super().__init__(library_or_path._name, handle=library_or_path._handle)

    def map_symbol(
        self,
        func_name: str,
        restype: Any = None,
        argtypes: Sequence[Any] = (),
        errcheck: Callable[..., Any] | None = None,
    ) -> Any:
        """Return the function ``func_name`` with its types; ``errcheck`` is called with every result.

        Raises:
            ImportError: the library has no such function.
        """
        prototype = ctypes.CFUNCTYPE(restype, *argtypes) if _Library is ctypes.CDLL else None
        if prototype is None:
            prototype = ctypes.WINFUNCTYPE(restype, *argtypes)  # type: ignore[attr-defined,unused-ignore]
        try:
            symbol: Any = prototype((func_name, self))
        except AttributeError as error:
            raise ImportError(f"no function {func_name!r} in {self._name}") from error
        symbol._name = func_name
        if errcheck is not None:
            symbol.errcheck = errcheck
        return symbol
