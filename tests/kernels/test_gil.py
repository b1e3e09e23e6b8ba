"""No kernel touches anything of Python's while it has let go of the interpreter: what no compiler checks."""

from __future__ import annotations

import re

import pytest

from tests.kernels.forms import FOLDER
from tests.kernels.inline import SOURCES

GENERATED = FOLDER.parents[1] / "build" / "cython" / "cantools_cli" / "kernels"
KERNELS = [path.stem for path in sorted(FOLDER.glob("*.py")) if "gil.release()" in path.read_text()]
PYTHONS = re.compile(r"\b(?:__Pyx_|Py)[A-Za-z]\w*(?= *\()")
HARMLESS = {"__Pyx_MemoryView_Len"}  # a macro: reads a number
DECLARED = re.compile(r"^cdef (?!extern)(?:inline )?(?:\([^)]*\) )?[^(=]*\([^)]*\)([^\n:]*)", re.MULTILINE)
#: what ends a loop with an error takes the interpreter back first
RAISING = re.compile(r"canx_acquire\(\w+\);.*?__Pyx_Raise\(.*?__PYX_ERR\([^\n]*\)", re.DOTALL)


def loops(source: str) -> list[str]:
    """Return what each function does between its release and the last acquisition."""
    found = []
    for start in re.finditer(r"= canx_release\(\);", source):
        function = source[start.end() : source.index("\n}\n", start.end())]
        found.append(RAISING.sub("", function[: function.rindex("canx_acquire(")]))
    return found


def generated(name: str) -> str:
    path = GENERATED / f"{name}.c"
    newest = max((FOLDER / f"{name}{suffix}").stat().st_mtime for suffix in (".py", ".pxd"))
    if not path.exists() or path.stat().st_mtime < newest:
        pytest.skip("the kernels were not compiled here")
    return path.read_text()


def test_they_are_found() -> None:
    assert {"asc", "blf", "candump", "csv_lines", "jsonl", "mf4", "printed", "trc"} <= {*KERNELS}


@pytest.mark.parametrize("name", KERNELS)
def test_its_loops_are_without_python(name: str) -> None:
    source = generated(name)
    found = loops(source)
    assert len(found) == (FOLDER / f"{name}.py").read_text().count("gil.release()")
    for loop in found:
        assert not {*PYTHONS.findall(loop)} - HARMLESS


def test_what_they_call_is_declared_to_need_none() -> None:
    """Then Cython itself refuses anything of Python's in it."""
    shared = [FOLDER / "_words.pxd", *(source.with_suffix(".pxd") for source in SOURCES)]
    for path in [*shared, *(FOLDER / f"{name}.pxd" for name in KERNELS)]:
        declared = DECLARED.findall(path.read_text())
        assert all("nogil" in end or end == " except -1" for end in declared), (
            path
        )  # or raises, outside loops


def test_a_slip_is_noticed() -> None:
    source = (
        "f() {\n thread = canx_release();\n x = PyLong_FromDouble(1.0);\n"
        " canx_acquire(thread);\n return y;\n}\n"
    )
    (loop,) = loops(source)
    assert PYTHONS.findall(loop) == ["PyLong_FromDouble"]
