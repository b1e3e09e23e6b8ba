"""Loading C libraries and naming the types of their functions, for interfaces of other distributions."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["HANDLE", "PHANDLE", "CLibrary"]

#: what Windows calls an opaque object
HANDLE = ctypes.c_void_p
PHANDLE = ctypes.POINTER(HANDLE)

# The calling convention of vendors' libraries on Windows is stdcall.
_Library: Any = getattr(ctypes, "WinDLL", ctypes.CDLL) if sys.platform == "win32" else ctypes.CDLL


class CLibrary(_Library):  # type: ignore[misc]  # one of two classes, by platform
    """A library, loaded by its path, or one that is loaded already.

    Raises:
        OSError: it cannot be loaded.
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
        """Return the function ``func_name``, with its types; ``errcheck`` sees every result.

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
