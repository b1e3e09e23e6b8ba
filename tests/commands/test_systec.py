"""Commands on the emulated USB-CAN library; each command is a process of its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vendor.kit import compiled, loaded


@pytest.fixture
def library() -> Iterator[dict[str, str]]:
    path = compiled("systec")
    with loaded(path):  # which makes the wires
        yield {"CANX_SYSTEC_LIBRARY": str(path), "CANX_STUB_WIRES": os.environ["CANX_STUB_WIRES"]}


@pytest.fixture
def environment(environment: dict[str, str], library: dict[str, str]) -> dict[str, str]:
    return environment | library


def until_open(environment: dict[str, str], process: Any, buses: int) -> None:
    end = time.monotonic() + 60
    while len([*Path(environment["CANX_STUB_WIRES"]).iterdir()]) < buses:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)


def test_dump_and_send(
    environment: dict[str, str],
    start: Callable[..., Any],
    canx: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    dump = start("dump", "systec:0,bitrate=125k", "-n", 3)
    until_open(environment, dump, 1)
    result = canx("send", "systec:1,device_number=1,bitrate=125k", "123#0102", "12ABCDEF#", "7FF#R4")
    assert (result.returncode, result.stderr) == (0, "")
    output, errors = dump.communicate(timeout=60)
    assert errors == b""
    lines = [line.split(None, 1)[1] for line in output.decode().splitlines()]
    assert lines == ["0 123#0102", "0 12ABCDEF#", "0 7FF#R4"]
    assert dump.returncode == 0


def test_both_channels_of_a_module(
    environment: dict[str, str],
    start: Callable[..., Any],
    canx: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    dump = start("dump", "systec:0,device_number=0", "systec:1,device_number=0", "-n", 2)
    until_open(environment, dump, 2)
    assert canx("send", "systec:0,device_number=1", "123#").returncode == 0
    output, errors = dump.communicate(timeout=60)
    assert errors == b""
    assert sorted(line.split(None, 1)[1] for line in output.decode().splitlines()) == ["0 123#", "1 123#"]


def test_list(canx: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    found = canx("list", "-i", "systec")
    assert (found.returncode, found.stderr) == (0, "")
    rows = [line.split("\t") for line in found.stdout.splitlines()]
    assert rows[0] == ["systec:0,device_number=0,serial=1000000", "systec", "0", "USB-CANmodul2 G3"]
    assert len(rows) == 4
    assert "systec\tready" in canx("list", "interfaces", "-i", "systec").stdout


def test_without_the_library(canx: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    result = canx("dump", "systec:0", CANX_SYSTEC_LIBRARY="")
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "canx: systec: the USB-CAN library of SYS TEC does not exist for Linux",
        "hint: interface socketcan serves this hardware here",
    ]


def test_a_module_that_is_not_there(canx: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    result = canx("dump", "systec:0,device_number=7")
    assert result.returncode == 3
    assert result.stderr.splitlines()[0] == (
        "canx: systec:0: UcanInitHardwareEx: module not found [Error Code 5]"
    )
