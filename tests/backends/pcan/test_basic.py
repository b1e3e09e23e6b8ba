"""The names of PEAK's Python module: constants, structures and PCANBasic."""

from __future__ import annotations

import ctypes
import struct
from typing import Any

import pytest

from cantools_cli.backends.pcan import basic, codec, finder
from cantools_cli.backends.pcan.library import LIBRARY, handle_of, name_of
from cantools_cli.python_can.alias import Alias
from cantools_cli.python_can.paths import homes_of
from tests.vendor.kit import Stub

_STRUCTURES = [
    basic.TPCANMsg,
    basic.TPCANMsgFD,
    basic.TPCANTimestamp,
    basic.TPCANChannelInformation,
]


@pytest.mark.parametrize("structure", _STRUCTURES)
def test_layouts_are_those_of_the_compiler(stub: Stub, structure: type[ctypes.Structure]) -> None:
    name = structure.__name__
    assert ctypes.sizeof(structure) == stub.layout(name)
    for field, *_ in structure._fields_:
        assert getattr(structure, field).offset == stub.layout(name, field), field


def test_the_formats_of_the_codec_are_those_of_the_compiler(stub: Stub) -> None:
    assert stub.layout("TPCANMsg") == codec.CLASSIC_SIZE
    assert stub.layout("TPCANMsgFD") == codec.FD_SIZE
    assert stub.layout("TPCANTimestamp") == codec.STAMP_SIZE
    for name, length in (("TPCANMsg", "LEN"), ("TPCANMsgFD", "DLC")):
        found = [stub.layout(name, field) for field in ("MSGTYPE", length, "DATA")]
        assert found == [codec.TYPE, codec.LENGTH, codec.DATA]
    assert finder.INFORMATION.size == stub.layout("TPCANChannelInformation")


def test_every_function_is_declared(stub: Stub) -> None:
    functions = LIBRARY.load()
    for name in LIBRARY.functions:
        function = getattr(functions, name)
        assert function.argtypes
        assert function.restype is ctypes.c_uint32
    assert len(LIBRARY.functions) == 14


def test_all_names_of_python_can_have_the_same_values() -> None:
    theirs = pytest.importorskip("can.interfaces.pcan.basic")
    own = {"IS_LINUX", "IS_WINDOWS", "PLATFORM", "find_library", "logger", "logging", "platform"}
    names = {name for name in vars(theirs) if name[0] != "_"} - own - {*vars(ctypes)}
    assert len(names) > 200
    for name in sorted(names):
        ours, other = getattr(basic, name), getattr(theirs, name)
        if isinstance(other, type):
            if issubclass(other, ctypes.Structure):
                assert [(field[0], ctypes.sizeof(field[1])) for field in ours._fields_] == [
                    (field[0], ctypes.sizeof(field[1])) for field in other._fields_
                ]
        elif isinstance(other, dict):
            assert {key: _value(value) for key, value in other.items()}.items() <= {
                key: _value(value) for key, value in ours.items()
            }.items(), name
        elif isinstance(other, (list, tuple)):
            assert [*map(_value, ours)] == [*map(_value, other)], name
        else:
            assert _value(ours) == _value(other), name


def _value(value: Any) -> Any:
    return getattr(value, "value", value)


@pytest.mark.parametrize("path", ["pcan", "pcan.pcan", "pcan.basic"])
def test_the_documented_modules(path: str) -> None:
    module = Alias(f"can.interfaces.{path}", homes_of(f"can.interfaces.{path}"))
    for name in ("PcanBus", "PcanError", "PcanCanOperationError", "PCANBasic", "TPCANMsg", "PCAN_USBBUS1"):
        assert hasattr(module, name), name


def test_handles() -> None:
    assert name_of(0x50A) == "PCAN_USBBUS10"
    assert name_of(0x999) == "0x999"
    assert handle_of("PCAN_LANBUS16") == 0x810
    assert handle_of(ctypes.c_ushort(0x51)) == 0x51  # type: ignore[arg-type]  # as python-can's constants
    assert basic.PCAN_USBBUS1.value == 0x51
    assert len(basic.PCAN_CHANNEL_NAMES) == 1 + 8 + 1 + 16 + 16 + 2 + 16
    assert {name: handle_of(name) for name in basic.PCAN_CHANNEL_NAMES if name != "PCAN_NONEBUS"} == {
        name: value for name, value in basic.PCAN_CHANNEL_NAMES.items() if value
    }


def test_the_functions_of_peak_s_class(stub: Stub) -> None:
    pcan = basic.PCANBasic()
    one, two = basic.PCAN_USBBUS1, ctypes.c_ushort(0x52)
    assert pcan.Initialize(one, basic.PCAN_BAUD_500K) == basic.PCAN_ERROR_OK
    assert pcan.Initialize(two, ctypes.c_ushort(0x1C), basic.PCAN_TYPE_ISA, 0x2A0, 11) == 0
    message = basic.TPCANMsg(ID=0x123, MSGTYPE=0, LEN=2)
    message.DATA[:2] = b"ab"
    assert pcan.Write(one, message) == 0
    status, found, time = pcan.Read(two)
    while status == basic.PCAN_ERROR_QRCVEMPTY:
        status, found, time = pcan.Read(two)
    assert (status, found.ID, found.LEN, bytes(found.DATA[:2])) == (0, 0x123, 2, b"ab")
    assert time.millis_overflow * 2**32 + time.millis > 10**12
    assert pcan.GetStatus(one) == basic.PCAN_ERROR_OK
    assert pcan.FilterMessages(one, 1, 5, basic.PCAN_MODE_STANDARD) == 0
    assert pcan.GetValue(one, basic.PCAN_MESSAGE_FILTER) == (0, basic.PCAN_FILTER_CUSTOM)
    assert pcan.SetValue(one, basic.PCAN_MESSAGE_FILTER, basic.PCAN_FILTER_OPEN) == 0
    assert pcan.GetValue(one, basic.PCAN_HARDWARE_NAME) == (0, b"PCAN-USB Pro FD")
    assert pcan.GetValue(one, basic.PCAN_BUSSPEED_NOMINAL) == (0, 500_000)
    assert pcan.GetErrorText(basic.PCAN_ERROR_QXMTFULL, 9) == (0, b"The transmit queue is full")
    status, handle = pcan.LookUpChannel(basic.LOOKUP_DEVICE_ID + b"=18")
    assert (status, handle.value) == (0, 0x52)
    status, channels = pcan.GetValue(basic.PCAN_NONEBUS, basic.PCAN_ATTACHED_CHANNELS)
    assert (status, channels[0].channel_handle, channels[0].device_name) == (0, 0x51, b"PCAN-USB Pro FD")
    assert pcan.Reset(one) == pcan.Uninitialize(one) == pcan.Uninitialize(two) == 0
    stub.set("attached", 0)
    assert pcan.GetValue(0, basic.PCAN_ATTACHED_CHANNELS) == (basic.PCAN_ERROR_ILLPARAMTYPE, ())


def test_the_functions_for_fd(stub: Stub) -> None:
    pcan = basic.PCANBasic(stub.path)
    text = b"f_clock_mhz=80,nom_brp=2,nom_tseg1=63,nom_tseg2=16,nom_sjw=16,data_brp=2,data_tseg1=15"
    text += b",data_tseg2=4,data_sjw=4"
    for handle in (0x51, 0x52):
        assert pcan.InitializeFD(handle, basic.TPCANBitrateFD(text)) == 0
    message = basic.TPCANMsgFD(ID=0x123, MSGTYPE=basic.PCAN_MESSAGE_FD, DLC=9)
    assert pcan.WriteFD(0x51, message) == 0
    status, found, time = pcan.ReadFD(0x52)
    while status == basic.PCAN_ERROR_QRCVEMPTY:
        status, found, time = pcan.ReadFD(0x52)
    assert (status, found.DLC, time.value > 10**15) == (0, 9, True)
    assert pcan.GetValue(0x51, basic.PCAN_BITRATE_INFO_FD) == (0, text)
    for handle in (0x51, 0x52):
        assert pcan.Uninitialize(handle) == 0


def test_byte_order() -> None:
    """The codec writes numbers as the host has them, as the library does."""
    assert struct.unpack("=I", codec._STAMP.pack(1, 0, 0)[:4]) == (1,)
