"""Loading C libraries: held against the C library of this system."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from typing import Any

import pytest

from cantools_cli.python_can.ctypesutil import HANDLE, PHANDLE, CLibrary

NAME = ctypes.util.find_library("c")
MISSING = NAME is None or sys.platform == "win32"
pytestmark = pytest.mark.skipif(MISSING, reason="there is no C library to load")


@pytest.fixture(params=["by name", "loaded before"])
def library(request: pytest.FixtureRequest) -> CLibrary:
    return CLibrary(NAME if request.param == "by name" else ctypes.CDLL(NAME))


def test_a_function_has_its_types(library: CLibrary) -> None:
    length = library.map_symbol("strlen", ctypes.c_size_t, (ctypes.c_char_p,))
    assert (length(b"frame"), length.restype, length.argtypes) == (5, ctypes.c_size_t, (ctypes.c_char_p,))
    with pytest.raises(ctypes.ArgumentError):
        length(5.0)


def test_every_result_is_checked(library: CLibrary) -> None:
    def check(result: int, function: Any, arguments: tuple[Any, ...]) -> str:
        return f"{function._name}{arguments} is {result}"

    absolute = library.map_symbol("abs", ctypes.c_int, (ctypes.c_int,), check)
    assert absolute(-3) == "abs(-3,) is 3"


def test_a_function_that_is_not_there_is_named(library: CLibrary) -> None:
    with pytest.raises(ImportError, match="no function 'canOpenWindow' in"):
        library.map_symbol("canOpenWindow")


def test_a_library_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError, match="no_such_library"):
        CLibrary("no_such_library.so")


def test_a_handle_is_a_pointer() -> None:
    assert ctypes.sizeof(HANDLE) == ctypes.sizeof(PHANDLE) == ctypes.sizeof(ctypes.c_void_p)
