"""The structures and functions of ctypes against those that a C compiler made from the vendor's tables."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.vector import codec, xlclass, xldefine
from cantools_cli.backends.vector.library import XL_DRIVER
from tests.vendor.kit import FOLDER, Stub

#: ours -> the name of the structure in C
STRUCTURES: dict[Any, str] = {
    xlclass.XLevent: "Event",
    xlclass.s_xl_can_msg: "ClassicMessage",
    xlclass.s_xl_chip_state: "ChipState",
    xlclass.s_xl_sync_pulse: "SyncPulse",
    xlclass.s_xl_transceiver: "Transceiver",
    xlclass.XLcanRxEvent: "CanRxEvent",
    xlclass.s_xl_can_ev_rx_msg: "FdMessage",
    xlclass.s_xl_can_ev_tx_request: "FdTxRequest",
    xlclass.s_xl_can_ev_error: "FdError",
    xlclass.s_xl_can_ev_chip_state: "FdChipState",
    xlclass.s_xl_can_ev_sync_pulse: "FdSyncPulse",
    xlclass.XLcanTxEvent: "CanTxEvent",
    xlclass.s_xl_can_tx_msg: "FdTxMessage",
    xlclass.XLchipParams: "ChipParams",
    xlclass.XLcanFdConf: "CanFdConf",
    xlclass.XLbusParams: "BusParams",
    xlclass.s_xl_bus_params_data_can: "ClassicParams",
    xlclass.s_xl_bus_params_data_canfd: "FdParams",
    xlclass.XLchannelConfig: "ChannelConfig",
    xlclass.XLdriverConfig: "DriverConfig",
}
#: names of fields that are others in C
FIELDS = {("CanRxEvent", "chanIndex"): "channelIndex", ("CanTxEvent", "chanIndex"): "channelIndex"}
FIELDS[("CanTxEvent", "tagData")] = "canMsg"
#: members of a union, whose size is that of the union
MEMBERS = {"ClassicParams", "FdParams"}
SIZES = {"Event": 48, "CanRxEvent": 128, "CanTxEvent": 88, "ChipParams": 8, "CanFdConf": 40, "BusParams": 32}
SIZES |= {"ChannelConfig": 227, "DriverConfig": 14576}


@pytest.mark.parametrize(("structure", "name"), STRUCTURES.items(), ids=STRUCTURES.values())
def test_the_layout_is_that_of_c(stub: Stub, structure: Any, name: str) -> None:
    if name not in MEMBERS:
        assert ctypes.sizeof(structure) == stub.layout(name) == SIZES.get(name, stub.layout(name))
    fields = [field for field, *_ in structure._fields_ if not field.startswith("_")]
    ours = {field: getattr(structure, field).offset for field in fields}
    assert ours == {field: stub.layout(name, FIELDS.get((name, field), field)) for field in fields}


def test_the_sizes_of_the_codec() -> None:
    assert codec._CLASSIC.size == codec.CLASSIC_SIZE == ctypes.sizeof(xlclass.XLevent)
    assert codec._FD_RX.size == codec.FD_RX_SIZE == ctypes.sizeof(xlclass.XLcanRxEvent)
    assert codec._FD_TX.size == codec.FD_TX_SIZE == ctypes.sizeof(xlclass.XLcanTxEvent)


def test_every_function_has_the_types_of_c(path: Path) -> None:
    """Compare the size of each argument with its type in the C source."""
    sizes = {"XLstatus": 2, "XLportHandle": 4, "XLaccess": 8, "int32_t": 4, "uint32_t": 4, "uint8_t": 1}
    source = (FOLDER / "vector.c").read_text()
    found = re.findall(r"^EXPORT (const char \*|\w+ )(xl\w+)\(([^)]*)\)", source, re.MULTILINE)
    assert {name for _, name, _ in found} >= {*XL_DRIVER.functions}
    functions = XL_DRIVER.load(path)
    for result, name, arguments in found:
        if name not in XL_DRIVER.functions:
            continue  # for other programs
        function = getattr(functions, name)
        declared = [] if arguments == "void" else [part.strip() for part in arguments.split(",")]
        expected = [8 if "*" in part else sizes[part.split()[0]] for part in declared]
        assert [ctypes.sizeof(kind) for kind in function.argtypes] == expected, name
        assert ctypes.sizeof(function.restype) == (8 if "*" in result else sizes[result.strip()]), name


def test_unknown_numbers_and_bits() -> None:
    assert xldefine.member(xldefine.XL_HardwareType, 55) is xldefine.XL_HardwareType.XL_HWTYPE_VN1610
    assert xldefine.member(xldefine.XL_HardwareType, 250) == 250
    assert int(xldefine.XL_ChannelCapabilities(0x80000002)) == 0x80000002
    assert xldefine.XL_HardwareType.XL_HWTYPE_VN2600 is xldefine.XL_HardwareType.XL_HWTYPE_VN2610
