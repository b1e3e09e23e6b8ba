"""The documented functions of CANAL, and the documented module paths."""

from __future__ import annotations

import subprocess
import sys
from ctypes import byref
from typing import Any

import pytest

from cantools_cli.backends.usb2can.canal import CanalError, CanalMsg, CanalStatistics, CanalStatus
from cantools_cli.backends.usb2can.layer import Usb2CanAbstractionLayer
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    UsageError,
)
from tests.vendor.kit import Stub, loaded


@pytest.fixture
def layer(stub: Stub) -> Usb2CanAbstractionLayer:
    return Usb2CanAbstractionLayer()


def test_all_calls(layer: Usb2CanAbstractionLayer, stub: Stub) -> None:
    first, second = layer.open("ED000200; 500", 8), layer.open("ED000201; 500", 8)
    assert (first, second) == (1681, 1682)
    message, found = CanalMsg(id=5, sizeData=1), CanalMsg()
    message.data[0] = 7
    assert layer.send(first, byref(message)) is CanalError.SUCCESS
    assert layer.blocking_send(first, byref(message), 10) is CanalError.SUCCESS
    for result in (layer.blocking_receive(second, byref(found), 10_000), layer.receive(second, byref(found))):
        assert result is CanalError.SUCCESS
        assert (found.id, found.sizeData, found.data[0]) == (5, 1, 7)
    assert layer.receive(second, byref(found)) is CanalError.FIFO_EMPTY
    assert layer.blocking_receive(second, byref(found), 1) in (CanalError.TIMEOUT, CanalError.FIFO_EMPTY)
    statistics, status = CanalStatistics(), CanalStatus()
    assert layer.get_statistics(first, byref(statistics)) is CanalError.SUCCESS
    assert (statistics.TransmistFrams, statistics.TransmitData) == (2, 2)
    assert layer.get_status(first, byref(status)) is CanalError.SUCCESS
    assert status.channel_status == 0
    assert layer.get_version() == 0x60001
    assert layer.get_library_version() == 0x80060001
    assert layer.get_vendor_string() == "1.5;1.0;canal 1.0.6;dll 1.0.6;8devices.com"
    assert layer.close(first) is CanalError.SUCCESS
    assert layer.get_vendor_string() == ""
    assert layer.close(second) is CanalError.SUCCESS


def test_unknown_codes_are_returned(layer: Usb2CanAbstractionLayer, stub: Stub) -> None:
    stub.fail("CanalSend", 77)
    assert layer.send(1681, byref(CanalMsg())) == 77


def test_opening_fails(layer: Usb2CanAbstractionLayer, stub: Stub) -> None:
    stub.set("absent", 1)
    with pytest.raises(CanInitializationError, match='the configuration "ED000200; 500"') as caught:
        layer.open("ED000200; 500", 8)
    assert caught.value.error_code == 0
    with pytest.raises(UsageError, match="is not ASCII"):
        layer.open("ÉD000200; 500", 8)
    with pytest.raises(CanInitializationError, match="CanalOpen failed"):
        layer.open("ED000200; 500", "8.5")  # type: ignore[arg-type]


def test_the_library_answers_success_for_a_handle_that_is_not_open(
    layer: Usb2CanAbstractionLayer, stub: Stub
) -> None:
    with loaded(stub.path, may_violate=True):
        assert layer.close(1) is CanalError.SUCCESS
        assert layer.receive(1, byref(CanalMsg())) is CanalError.SUCCESS


def test_wrong_arguments(layer: Usb2CanAbstractionLayer) -> None:
    with pytest.raises(CanOperationError, match="CanalSend failed"):
        layer.send(1681, CanalStatus())


def test_a_missing_library() -> None:
    with pytest.raises(CanInterfaceNotImplementedError, match=r'cannot load "no/such.dll"'):
        Usb2CanAbstractionLayer("no/such.dll")


NAMES = [
    ("can.interfaces.usb2can", ("Usb2canBus", "Usb2CanAbstractionLayer")),
    ("can.interfaces.usb2can.usb2canInterface", ("Usb2canBus",)),
    (
        "can.interfaces.usb2can.usb2canabstractionlayer",
        (
            *("CanalError", "CanalMsg", "CanalStatistics", "CanalStatus", "Usb2CanAbstractionLayer"),
            *("IS_ERROR_FRAME", "IS_ID_TYPE", "IS_REMOTE_FRAME"),
        ),
    ),
    ("can.interfaces.usb2can.serial_selector", ("find_serial_devices",)),
]


def test_documented_paths() -> None:
    program = "from cantools_cli import compat; compat.install()\n"
    program += "\n".join(f"from {module} import {', '.join(names)}" for module, names in NAMES)
    program += "\nassert (IS_ID_TYPE, IS_REMOTE_FRAME, IS_ERROR_FRAME) == (1, 2, 4)\n"
    program += "assert CanalError(8).name == 'FIFO_EMPTY'\n"
    done: Any = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
