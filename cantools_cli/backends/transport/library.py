"""The libraries of vendors: finding and loading them, with the C types of their functions.

A library is loaded when a bus is opened or buses are looked for, never on import. The order is: the setting
``library`` or ``dll``, the variable ``CANX_<INTERFACE>_LIBRARY``, the vendor's file names. The first two name
one file, which is used on any system: a vendor's library for another system, or an emulator.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from types import SimpleNamespace
from typing import Any

from cantools_cli.errors import CanInterfaceNotImplementedError, quoted

#: the C type of the result, None for nothing, and those of the arguments
Prototype = tuple[Any, ...]

SYSTEMS = {"win32": "Windows", "linux": "Linux", "darwin": "macOS"}

_BITS = 8 * struct.calcsize("P")
_WRONG_BITS = 193  # ERROR_BAD_EXE_FORMAT of Windows
_PATH = 4096  # characters: no path is shortened
_NOT_FOUND = 126  # ERROR_MOD_NOT_FOUND of Windows

_loaded: dict[tuple[str, str], Functions] = {}
_lock = Lock()


class Functions(SimpleNamespace):
    """A loaded library: each attribute is a function, None for an optional one that the library lacks.

    Attributes:
        path: the file or the name that was loaded.
    """

    path: str

    def __getattr__(self, name: str) -> Any:  # for type checkers: they cannot know the functions
        raise AttributeError(name)


@dataclass(frozen=True)
class VendorLibrary:
    """What is known about a vendor's library before it is loaded.

    Attributes:
        interface: the interface that uses it.
        title: its name and the vendor's, such as ``PCAN-Basic of PEAK-System``.
        page: where users get it.
        files: names or paths for each ``sys.platform`` that has it, in the order of search.
        functions: the prototype of each function.
        optional: the functions that some versions lack.
        is_stdcall: whether its functions have the calling convention ``stdcall`` in 32-bit programs.
        instead: the interface that serves the same hardware on systems without the library.
        variable: the environment variable that names the file; "" for ``CANX_<INTERFACE>_LIBRARY``.
    """

    interface: str
    title: str
    page: str
    files: Mapping[str, tuple[str, ...]]
    functions: Mapping[str, Prototype] = field(repr=False)
    optional: Collection[str] = ()
    is_stdcall: bool = True
    instead: str = ""
    variable: str = ""

    @property
    def override(self) -> str:
        """The name of the environment variable that names the file."""
        return self.variable or f"CANX_{self.interface.upper()}_LIBRARY"

    def load(self, path: str | os.PathLike[str] | None = None) -> Functions:
        """Return the functions of the library at ``path``, None for the one that is found.

        A library stays loaded until the process ends.

        Raises:
            CanInterfaceNotImplementedError: the library is missing, cannot be loaded, or lacks a function.
        """
        given = os.fspath(path) if path else os.environ.get(self.override)
        names = (given,) if given else self._names()
        key = (self.override, names[0])
        with _lock:
            if key not in _loaded:
                _loaded[key] = self._typed(*self._opened(names, is_given=bool(given)))
            return _loaded[key]

    def obstacle(self) -> str | None:
        """Return why the library cannot be loaded here, None if it can."""
        try:
            self.load()
        except CanInterfaceNotImplementedError as error:
            return str(error).removeprefix(f"{self.interface}: ")
        return None

    def _names(self) -> tuple[str, ...]:
        names = self.files.get(sys.platform, ())
        if not names:
            system = SYSTEMS.get(sys.platform, sys.platform)
            raise CanInterfaceNotImplementedError(
                f"{self.interface}: {self.title} does not exist for {system}",
                hint=f"interface {self.instead} serves this hardware here"
                if self.instead
                else f"set {self.override} to a library that has its functions",
            )
        return names

    def _opened(self, names: tuple[str, ...], *, is_given: bool) -> tuple[Any, str]:
        """Load the first library of ``names`` that exists."""
        import ctypes

        is_stdcall = self.is_stdcall and sys.platform == "win32" and _BITS == 32
        loader = getattr(ctypes, "WinDLL", ctypes.CDLL) if is_stdcall else ctypes.CDLL
        reasons = []
        for name in names:
            for place in (name, *(() if is_given else _places(name))):
                try:
                    return loader(place), place
                except OSError as error:
                    if is_given or not _is_missing(place, error):
                        reasons.append(f"cannot load {quoted(place, _PATH)}: {_reason(place, error)}")
        if reasons:
            raise CanInterfaceNotImplementedError(f"{self.interface}: {reasons[0]}", hint=self._hint())
        raise CanInterfaceNotImplementedError(
            f"{self.interface}: {self.title} is not installed: no {' or '.join(names)}", hint=self._hint()
        )

    def _hint(self) -> str:
        return f"get it from {self.page}, or set {self.override} to its file"

    def _typed(self, library: Any, name: str) -> Functions:
        functions = Functions(path=name)
        for function, (result, *arguments) in self.functions.items():
            symbol = getattr(library, function, None)
            if symbol is not None:
                symbol.restype = result
                symbol.argtypes = arguments
            elif function not in self.optional:
                raise CanInterfaceNotImplementedError(
                    f"{self.interface}: {quoted(name, _PATH)} has no function {function}",
                    hint=f"it is too old, or not {self.title}",
                )
            setattr(functions, function, symbol)
        return functions


def given(library: str | os.PathLike[str] | None, dll: str | os.PathLike[str] | None) -> str | None:
    """Return the file that the settings ``library`` and ``dll``, which mean the same, name, or None."""
    return os.fspath(library or dll or "") or None


def _places(name: str) -> tuple[str, ...]:
    """Return where else a library may be; on Linux the loader knows, and asking takes other programs."""
    if sys.platform == "linux" or os.path.isabs(name):
        return ()
    from ctypes.util import find_library

    found = find_library(name)
    return (found,) if found and found != name else ()


def _is_missing(name: str, error: OSError) -> bool:
    """Return whether ``name`` does not exist, unlike a library that it needs."""
    if getattr(error, "winerror", None) == _NOT_FOUND:
        return True
    text = str(error)
    # glibc and musl name the file that they did not find, macOS lists where it looked
    return text.startswith(
        (f"{name}: cannot open shared object file", f"Error loading shared library {name}:")
    ) or (sys.platform == "darwin" and "no such file" in text and name in text.partition(",")[0])


def _reason(name: str, error: OSError) -> str:
    if getattr(error, "winerror", None) == _WRONG_BITS:
        return f"it is not for a {_BITS}-bit Python"
    return str(error).removeprefix(f"{name}: ")
