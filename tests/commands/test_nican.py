"""Commands on the emulated NI-CAN of National Instruments; each command is a process of its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vendor.kit import compiled, loaded

Canx = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    path = compiled("nican")
    with loaded(path):  # which makes the wires
        wires = os.environ["CANX_STUB_WIRES"]
        yield environment | {"CANX_NICAN_LIBRARY": str(path), "CANX_STUB_WIRES": wires}


def until_open(environment: dict[str, str], process: Any) -> None:
    end = time.monotonic() + 60
    while not [*Path(environment["CANX_STUB_WIRES"]).iterdir()]:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)


def test_dump_and_send(environment: dict[str, str], start: Callable[..., Any], canx: Canx) -> None:
    dump = start("dump", "nican:CAN0,bitrate=500k", "-n", 3)
    until_open(environment, dump)
    result = canx("send", "nican:CAN1,bitrate=500k", "123#0102", "12ABCDEF#", "7FF#R4")
    assert (result.returncode, result.stderr) == (0, "")
    output, errors = dump.communicate(timeout=60)
    assert (dump.returncode, errors) == (0, b"")
    assert [line.split()[1:] for line in output.decode().splitlines()] == [
        ["CAN0", frame] for frame in ("123#0102", "12ABCDEF#", "7FF#R4")
    ]


def test_list(canx: Canx) -> None:
    found = canx("list", "-i", "nican")
    assert (found.returncode, found.stderr) == (0, "")
    assert [line.split("\t")[0] for line in found.stdout.splitlines()] == ["nican:CAN0", "nican:CAN1"]


def test_without_the_library(canx: Canx) -> None:
    result = canx("dump", "nican:CAN0", CANX_NICAN_LIBRARY="")
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "canx: nican: NI-CAN of National Instruments does not exist for Linux",
        "hint: set CANX_NICAN_LIBRARY to a library that has its functions",
    ]


def test_a_bus_that_is_not_there(canx: Canx) -> None:
    result = canx("dump", "nican:CAN9")
    assert result.returncode == 3
    error, hint = result.stderr.splitlines()
    assert error.startswith("canx: nican:CAN9: ncConfig: NI-CAN: status BFF62003. See the manual.")
    assert hint.startswith("hint: canx list -i nican shows")


def test_no_bus_is_named(canx: Canx) -> None:
    result = canx("dump", "nican:")
    assert result.returncode == 2
    assert "hint: such as nican:CAN0" in result.stderr
