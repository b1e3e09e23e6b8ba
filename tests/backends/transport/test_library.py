"""Loading a vendor's library: the order of search, the types, and what users are told."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cantools_cli.backends.transport import library
from cantools_cli.backends.transport.library import VendorLibrary, given
from cantools_cli.errors import CanInterfaceNotImplementedError
from tests.vendor import kit

SOURCE = """
#include <stdint.h>
int32_t probe_add(int32_t a, uint32_t b) { return a + (int32_t)b; }
const char *probe_name(void) { return "probe"; }
"""
PROBE = VendorLibrary(
    "probe",
    title="Probe of Nobody",
    page="https://example.org",
    files={"linux": ("libprobe-of-nobody.so.4", "libprobe-of-nobody.so")},
    functions={
        "probe_add": (ctypes.c_int32, ctypes.c_int32, ctypes.c_uint32),
        "probe_name": (ctypes.c_char_p,),
    },
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names and texts of Linux")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    tool = kit.compiler()
    if tool is None:
        pytest.skip("no C compiler")
    source, path = tmp_path / "probe.c", tmp_path / "probe.so"
    source.write_text(SOURCE)
    subprocess.run([tool, "-shared", "-fPIC", "-o", str(path), str(source)], check=True)
    return path


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_loaded", {})
    monkeypatch.delenv(PROBE.override, raising=False)


def refused(what: VendorLibrary, path: Path | str | None = None) -> tuple[str, str]:
    with pytest.raises(CanInterfaceNotImplementedError) as raised:
        what.load(path)
    assert raised.value.exit_status == 2
    return str(raised.value), raised.value.hint or ""


def test_functions_have_their_types(built: Path) -> None:
    functions = PROBE.load(built)
    assert functions.probe_add(-3, 0xFFFFFFFF) == -4
    assert functions.probe_name() == b"probe"
    assert functions.path == str(built)
    with pytest.raises(ctypes.ArgumentError):
        functions.probe_add("1", 2)


def test_one_file_is_loaded_once(built: Path) -> None:
    assert PROBE.load(built) is PROBE.load(built)


def test_the_variable_names_the_file(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANX_PROBE_LIBRARY", str(built))
    assert PROBE.load().path == str(built)
    assert PROBE.obstacle() is None


def test_the_argument_comes_before_the_variable(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANX_PROBE_LIBRARY", "/nowhere.so")
    assert PROBE.load(built).path == str(built)


def test_the_first_name_that_exists_is_loaded(built: Path) -> None:
    found = replace(PROBE, files={"linux": ("libprobe-of-nobody.so", str(built))})
    assert found.load().path == str(built)


def test_a_named_file_is_not_replaced_by_another(built: Path, tmp_path: Path) -> None:
    found = replace(PROBE, files={"linux": (str(built),)})
    missing = tmp_path / "missing.so"
    text, hint = refused(found, missing)
    assert (
        text == f'probe: cannot load "{missing}": cannot open shared object file: No such file or directory'
    )
    assert hint == "get it from https://example.org, or set CANX_PROBE_LIBRARY to its file"


def test_a_missing_library_is_named_with_its_source() -> None:
    text, hint = refused(PROBE)
    assert text == (
        "probe: Probe of Nobody is not installed: no libprobe-of-nobody.so.4 or libprobe-of-nobody.so"
    )
    assert hint == "get it from https://example.org, or set CANX_PROBE_LIBRARY to its file"
    assert PROBE.obstacle() == text.removeprefix("probe: ")


def test_a_file_that_is_no_library_says_why(tmp_path: Path) -> None:
    path = tmp_path / "text.so"
    path.write_text("not a library")
    text, _ = refused(replace(PROBE, files={"linux": (str(path), "libprobe-of-nobody.so")}))
    assert text.startswith(f'probe: cannot load "{path}": ')
    assert "not installed" not in text


def test_a_system_without_the_library_names_the_interface_there() -> None:
    text, hint = refused(replace(PROBE, files={"win32": ("probe.dll",)}, instead="socketcan"))
    assert text == "probe: Probe of Nobody does not exist for Linux"
    assert hint == "interface socketcan serves this hardware here"


def test_any_system_takes_a_named_file(built: Path) -> None:
    assert replace(PROBE, files={"win32": ("probe.dll",)}).load(built).probe_add(1, 2) == 3


def test_a_missing_function_is_named(built: Path) -> None:
    more = {**PROBE.functions, "probe_flash": (None, ctypes.c_int32)}
    text, hint = refused(replace(PROBE, functions=more), built)
    assert text == f'probe: "{built}" has no function probe_flash'
    assert hint == "it is too old, or not Probe of Nobody"


def test_an_optional_function_is_none(built: Path) -> None:
    more = {**PROBE.functions, "probe_flash": (None, ctypes.c_int32)}
    loaded = replace(PROBE, functions=more, optional={"probe_flash"}).load(built)
    assert loaded.probe_flash is None
    with pytest.raises(AttributeError):
        _ = loaded.probe_blink


@pytest.mark.parametrize(
    ("names", "chosen"),
    [((None, None), None), (("a", None), "a"), ((None, Path("b")), "b"), (("", ""), None)],
)
def test_library_and_dll_mean_the_same(
    names: tuple[str | None, Path | str | None], chosen: str | None
) -> None:
    assert given(*names) == chosen
