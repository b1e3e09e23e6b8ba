"""CANlib's functions, structures and errors."""

from __future__ import annotations

import ctypes
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from cantools_cli.backends.kvaser import codec, constants, structures
from cantools_cli.backends.kvaser.bus import KvaserBus
from cantools_cli.backends.kvaser.errors import (
    CANLIBError,
    CANLIBInitializationError,
    CANLIBOperationError,
)
from cantools_cli.backends.kvaser.library import LIBRARY, Canlib
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
)
from tests.vendor.kit import Stub

#: structure -> name in the header, size on Windows and on 64-bit Linux (C's sizeof), fields
STRUCTURES = {
    structures.BusStatistics: ("canBusStatistics", (28, 56)),
    structures.BusParamsTq: ("kvBusParamsTq", (24, 24)),
}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_layouts_are_those_of_c(stub: Stub, structure: type[ctypes.Structure]) -> None:
    name, sizes = STRUCTURES[structure]
    assert ctypes.sizeof(structure) == stub.layout(name) == sizes[sys.platform != "win32"]
    for field in structure._fields_:
        assert getattr(structure, field[0]).offset == stub.layout(name, field[0].removeprefix("m_"))


def test_the_record_of_the_codec_is_that_of_the_functions() -> None:
    assert ctypes.sizeof(structures.Received) == codec.RECORD.size
    one = structures.Received(identifier=1, length=2, flags=3, time=4)
    one.data[0] = 5
    assert codec.RECORD.unpack(bytes(one)) == (1, 2, 3, 4, b"\5" + bytes(63))


def test_every_function_is_declared_and_exists(stub: Stub) -> None:
    functions = LIBRARY.load()
    for name, (result, *arguments) in LIBRARY.functions.items():
        function = getattr(functions, name)
        assert function is not None, name
        assert (function.restype, [*function.argtypes]) == (result, arguments)


def test_an_old_library_lacks_functions(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    functions = LIBRARY.load()
    for name in LIBRARY.optional:
        monkeypatch.setattr(functions, name, None)
    with KvaserBus(0) as bus, KvaserBus(1) as other:
        other.send(_message())
        assert bus.recv(10) is not None
        with pytest.raises(CANLIBOperationError, match="kvaser:0: kvFlashLeds: Not implemented") as error:
            bus.flash()
        assert error.value.error_code == constants.canERR_NOT_IMPLEMENTED


def _message() -> object:
    from cantools_cli.frame.message import Message

    return Message(arbitration_id=1, data=b"\1")


def test_the_texts_of_errors(stub: Stub) -> None:
    canlib = Canlib()
    assert canlib.text(constants.canERR_PARAM) == "Error in parameter"
    assert canlib.text(constants.canERR_LICENSE) == "license not valid"  # the library has no text
    assert canlib.text(-99) == "unknown error"
    stub.fail("canGetErrorText", constants.canERR_PARAM)
    assert canlib.text(constants.canERR_PARAM) == "bad parameter"


@pytest.mark.parametrize(
    ("kind", "base"),
    [(CANLIBInitializationError, CanInitializationError), (CANLIBOperationError, CanOperationError)],
)
def test_errors(kind: type[CANLIBError], base: type[CanError]) -> None:
    error = kind("canWrite", -13, (1, 2))
    assert str(error) == "Function canWrite failed - transmit buffer overflow [Error Code -13]"
    assert isinstance(error, base)
    assert isinstance(error, CANLIBError)
    assert (error.function, error.error_code, error.arguments) == ("canWrite", -13, (1, 2))
    error = kind("canWrite", -13, place="kvaser:0", text="full", hint="wait", sent=3)
    assert str(error) == "kvaser:0: canWrite: full [Error Code -13]"
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (kind, str(error))
    assert (copy.function, copy.error_code, copy.hint, copy.sent) == ("canWrite", -13, "wait", 3)


def test_an_error_has_the_name_of_a_function(stub: Stub) -> None:
    function = LIBRARY.load().canWrite
    assert CANLIBError(function, -1, ()).function == "canWrite"


def test_documented_paths() -> None:
    program = """
import cantools_cli.compat
cantools_cli.compat.install()
from can.interfaces.kvaser import KvaserBus as one
from can.interfaces.kvaser.canlib import CANLIBError, KvaserBus as two
from can.interfaces.kvaser.structures import BusStatistics
from can.interfaces.kvaser.constants import canERR_NOMSG, CANSTATUS_SUCCESS
assert one is two and one.__module__.startswith("cantools_cli."), one
assert str(BusStatistics(m_busLoad=1234)) == (
    "std_data: 0, std_remote: 0, ext_data: 0, ext_remote: 0, err_frame: 0, bus_load: 12.3%, overruns: 0"
)
assert CANSTATUS_SUCCESS(0) and not CANSTATUS_SUCCESS(canERR_NOMSG)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_the_bus_loads_nothing() -> None:
    program = "import sys, cantools_cli.backends.kvaser.bus; sys.exit('ctypes' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CANX_KVASER_LIBRARY", raising=False)
    with pytest.raises(CanInterfaceNotImplementedError) as error:
        KvaserBus(0)
    assert str(error.value) == "kvaser: CANlib of Kvaser is not installed: no libcanlib.so.1 or libcanlib.so"
    assert error.value.hint == (
        "get it from https://kvaser.com/download, or set CANX_KVASER_LIBRARY to its file"
    )
    assert KvaserBus._detect_available_configs() == []
    assert KvaserBus._obstacle() == "CANlib of Kvaser is not installed: no libcanlib.so.1 or libcanlib.so"
    (tmp_path / "x.so").write_text("no library")
    for name in ("library", "dll"):
        with pytest.raises(CanInterfaceNotImplementedError, match=r'cannot load ".*x.so"'):
            KvaserBus(0, **{name: tmp_path / "x.so"})
