"""The VCI libraries: layouts, prototypes, loading, texts of errors."""

from __future__ import annotations

import ctypes
import inspect
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.ixxat import constants, exceptions, library, prototypes, structures
from cantools_cli.backends.ixxat.bus import IXXATBus
from cantools_cli.backends.ixxat.finder import get_ixxat_hwids
from cantools_cli.backends.ixxat.library import Vci
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    CanTimeoutError,
)
from tests.vendor.kit import Stub, compiled

SIZES = {
    "VCIDEVICEINFO": 304,
    "VCIDEVICECAPS": 66,
    "CANCAPABILITIES": 32,
    "CANCAPABILITIES2": 108,
    "CANBTP": 16,
    "CANLINESTATUS": 8,
    "CANLINESTATUS2": 40,
    "CANCHANSTATUS": 18,
    "CANCHANSTATUS2": 44,
    "CANSCHEDULERSTATUS": 17,
    "CANSCHEDULERSTATUS2": 57,
    "CANMSG": 20,
    "CANMSG2": 80,
    "CANCYCLICTXMSG": 20,
    "CANCYCLICTXMSG2": 76,
}


def public_structures() -> Iterator[tuple[str, Any]]:
    for name, kind in vars(structures).items():
        is_layout = inspect.isclass(kind) and issubclass(kind, ctypes.Structure | ctypes.Union)
        if is_layout and kind.__module__ == structures.__name__ and not name.startswith("_"):
            yield name, kind


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_sizes(name: str, size: int) -> None:
    assert ctypes.sizeof(getattr(structures, name)) == size


@pytest.mark.parametrize(("name", "kind"), [*public_structures()])
def test_layouts_are_those_of_c(name: str, kind: Any, stub: Stub) -> None:
    assert stub.layout(name) == ctypes.sizeof(kind)
    for field, *rest in kind._fields_:
        if field != "Bits":  # bit fields: the next test
            assert stub.layout(name, field) == getattr(kind, field).offset, (name, field, rest)


def test_the_bits_of_the_information_word() -> None:
    places = {"type": 0, "ssm": 8, "hpm": 9, "edl": 10, "fdr": 11, "esi": 12, "res": 13, "dlc": 16}
    places |= {"ovr": 20, "srr": 21, "rtr": 22, "ext": 23, "afc": 24}
    for name, place in places.items():
        info = structures.CANMSGINFO()
        setattr(info.Bits, name, 1)
        assert int.from_bytes(bytes(info), "little") == 1 << place, name


@pytest.mark.parametrize(
    ("table", "definition"),
    [(prototypes.VCINPL, "FD=0"), (prototypes.VCINPL2, "FD=1")],
    ids=["vcinpl", "vcinpl2"],
)
def test_every_function_exists_and_is_declared(table: prototypes.Prototypes, definition: str) -> None:
    path = compiled("ixxat", definition, "PLAIN_FORMAT=1")
    loaded = ctypes.CDLL(str(path))
    assert [name for name in table if not hasattr(loaded, name)] == []
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", str(path)], capture_output=True, text=True, check=True
    )
    exports = {line.split()[2] for line in symbols.stdout.splitlines()}
    assert {name for name in exports if name.startswith(("vci", "can"))} == {*table}


def test_both_versions_of_the_library_have_their_own_signature(fd: bool, stub: Stub) -> None:
    vci = Vci(fd, None, "ixxat")
    numbers = [ctypes.c_uint32() for _ in range(4 if fd else 2)]
    vci.call("vciGetVersion", *map(ctypes.byref, numbers))
    assert [number.value for number in numbers] == ([4, 0, 1, 2] if fd else [3, 5])


def test_statuses_are_unsigned() -> None:
    for table in (prototypes.VCINPL, prototypes.VCINPL2):
        results = {result for name, (result, *_) in table.items() if not name.startswith("vciFormat")}
        assert results == {ctypes.c_uint32}


def test_the_status_of_the_line_is_written_within_its_structure(fd: bool, stub: Stub) -> None:
    """A line status of vcinpl2 has 40 bytes: a shorter structure would be overrun."""
    vci = Vci(fd, None, "ixxat")
    types = vci.types

    class Guarded(ctypes.Structure):
        _pack_ = 1
        _layout_ = "ms"
        _fields_ = (
            ("line", types.line_status),
            ("channel", types.channel_status),
            ("guard", ctypes.c_uint8 * 64),
        )

    with IXXATBus(0, fd=fd) as bus:
        for function, handle, field in (
            ("canControlGetStatus", bus._controller.control, "line"),
            ("canChannelGetStatus", bus._controller.channel, "channel"),
        ):
            guarded = Guarded.from_buffer(bytearray(b"\xa5" * ctypes.sizeof(Guarded)))
            before = bytes(guarded)
            vci.call(function, handle, ctypes.byref(getattr(guarded, field)))
            place = getattr(Guarded, field)
            assert bytes(guarded)[: place.offset] == before[: place.offset]
            assert bytes(guarded)[place.offset + place.size :] == before[place.offset + place.size :]


# --- loading --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fd", [False, True])
def test_without_the_library(fd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CANX_IXXAT_LIBRARY", "CANX_IXXAT_FD_LIBRARY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CanInterfaceNotImplementedError, match=r"VCI( 4)? of HMS Networks") as caught:
        IXXATBus(0, fd=fd)
    assert caught.value.hint
    assert "\n" not in f"{caught.value}{caught.value.hint}"
    assert get_ixxat_hwids() == []
    assert IXXATBus._detect_available_configs() == []
    assert IXXATBus._obstacle()


@pytest.mark.parametrize("setting", ["library", "dll"])
def test_the_library_can_be_named(
    setting: str, fd: bool, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CANX_IXXAT_FD_LIBRARY" if fd else "CANX_IXXAT_LIBRARY")
    named: dict[str, Any] = {setting: stub.path}
    with IXXATBus(0, fd=fd, **named):
        assert stub.leaks() == 3


def test_a_named_library_must_exist(tmp_path: Path) -> None:
    with pytest.raises(CanInterfaceNotImplementedError, match="cannot load"):
        IXXATBus(0, library=tmp_path / "vcinpl.dll")


def test_the_library_of_the_other_kind_is_refused() -> None:
    with pytest.raises(CanInterfaceNotImplementedError, match="has no function canControlGetFilterMode"):
        IXXATBus(0, fd=True, library=compiled("ixxat", "FD=0"))


def test_importing_the_interface_loads_no_library() -> None:
    program = (
        "import sys, cantools_cli.backends.ixxat.bus; from cantools_cli.backends.transport import library; \
print(library._loaded, 'uuid' in sys.modules, 'fractions' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "{} False False\n"


# --- errors ---------------------------------------------------------------------------------------------


def test_a_text_of_the_library(fd: bool, stub: Stub) -> None:
    stub.fail("vciEnumDeviceOpen", constants.VCI_E_DEVICE_NOT_CONNECTED)
    with pytest.raises(CanInitializationError) as caught:
        IXXATBus(0, fd=fd)
    assert str(caught.value) == "ixxat:0: vciEnumDeviceOpen: The device is not connected. (0xE0010022)"
    assert caught.value.error_code == constants.VCI_E_DEVICE_NOT_CONNECTED


@pytest.mark.parametrize("result", [constants.VCI_E_BUSY, 0xE00100FF])
def test_a_result_for_which_the_library_has_no_text(result: int, fd: bool, stub: Stub) -> None:
    stub.fail("vciEnumDeviceOpen", result)
    text = constants.TEXTS.get(result, "undocumented result")
    with pytest.raises(CanInitializationError, match=rf"vciEnumDeviceOpen: {text} \(0x{result:08X}\)"):
        IXXATBus(0, fd=fd)


def test_the_classes_of_errors(fd: bool, stub: Stub) -> None:
    vci = Vci(fd, None, "ixxat:0")
    assert type(vci.failure("f", constants.VCI_E_NO_SUCH_DEVICE)) is exceptions.VCIDeviceNotFoundError
    assert type(vci.failure("f", constants.VCI_E_TIMEOUT)) is CanInitializationError
    vci.is_opening = False
    assert type(vci.failure("f", constants.VCI_E_TIMEOUT)) is exceptions.VCITimeout
    assert type(vci.failure("f", constants.VCI_E_RXQUEUE_EMPTY)) is exceptions.VCIRxQueueEmptyError
    assert type(vci.failure("f", constants.VCI_E_FAIL)) is exceptions.VCIError


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (exceptions.VCIError, CanOperationError),
        (exceptions.VCITimeout, CanTimeoutError),
        (exceptions.VCIRxQueueEmptyError, exceptions.VCIError),
        (exceptions.VCIBusOffError, exceptions.VCIError),
        (exceptions.VCIDeviceNotFoundError, CanInitializationError),
    ],
)
def test_errors_can_be_pickled(kind: Any, base: Any) -> None:
    error = kind("ixxat:0: canChannelOpen: denied", hint="h")
    error.error_code = constants.VCI_E_ACCESSDENIED
    twin = pickle.loads(pickle.dumps(error))
    assert isinstance(twin, base)
    assert (type(twin), str(twin), twin.error_code, twin.hint) == (kind, str(error), error.error_code, "h")


def test_every_result_has_a_text() -> None:
    named = {value for name, value in vars(constants).items() if name.startswith("VCI_E_")}
    assert named <= {*constants.TEXTS}
    assert len(constants.TEXTS) == 0x2A


def test_a_hardware_identifier_is_text_or_a_guid(fd: bool, stub: Stub) -> None:
    stub.set("guid_id", 1)
    assert [library.hardware_id(info) for info in library.devices(Vci(fd, None, "ixxat"))] == [
        "{01020304-0506-0708-090A-0B0C0D0E0F10}",
        "HW100002",
    ]
