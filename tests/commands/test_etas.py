"""Commands on the emulated BOA of ETAS; each command is a process of its own."""

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
    path = compiled("etas")
    with loaded(path):  # which makes the wires
        wires = os.environ["CANX_STUB_WIRES"]
        yield environment | {"CANX_ETAS_LIBRARY": str(path), "CANX_STUB_WIRES": wires}


def until_open(environment: dict[str, str], process: Any) -> None:
    end = time.monotonic() + 60
    while not [*Path(environment["CANX_STUB_WIRES"]).iterdir()]:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)


def test_dump_and_send(environment: dict[str, str], start: Callable[..., Any], canx: Canx) -> None:
    dump = start("dump", "etas:ETAS://ETH/ES910:abcd/CAN:1,bitrate=500k", "-n", 4)
    until_open(environment, dump)
    result = canx(
        "send",
        "etas:ETAS://ETH/ES910:abcd/CAN:2,bitrate=500k",
        "123#0102",
        "12ABCDEF#",
        "7FF#R4",
        "124##1000102030405060708090A0B",
    )
    assert (result.returncode, result.stderr) == (0, "")
    output, errors = dump.communicate(timeout=60)
    assert (dump.returncode, errors) == (0, b"")
    assert [line.split()[1:] for line in output.decode().splitlines()] == [
        ["ETAS://ETH/ES910:abcd/CAN:1", frame]
        for frame in ("123#0102", "12ABCDEF#", "7FF#R4", "124##1000102030405060708090A0B")
    ]


def test_list(canx: Canx) -> None:
    found = canx("list", "-i", "etas")
    assert (found.returncode, found.stderr) == (0, "")
    assert [line.split("\t")[0] for line in found.stdout.splitlines()] == [
        "etas:ETAS://ETH/ES910:abcd/CAN:1",
        "etas:ETAS://ETH/ES910:abcd/CAN:2",
        "etas:ETAS://USB/ES582.1:1234567/CAN:1",
    ]


def test_without_the_library(canx: Canx) -> None:
    result = canx("dump", "etas:ETAS://ETH/ES910:abcd/CAN:1", CANX_ETAS_LIBRARY="")
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "canx: etas: BOA of ETAS does not exist for Linux",
        "hint: interface socketcan serves this hardware here",
    ]


def test_a_bus_that_is_not_there(canx: Canx) -> None:
    result = canx("dump", "etas:ETAS://ETH/ES910:abcd/CAN:9")
    assert result.returncode == 3
    error, hint = result.stderr.splitlines()
    assert error.startswith(
        "canx: etas:ETAS://ETH/ES910:abcd/CAN:9: OCI_CreateCANControllerNoSearch: no such interface"
    )
    assert hint.startswith("hint: canx list -i etas shows")


def test_no_bus_is_named(canx: Canx) -> None:
    result = canx("dump", "etas:")
    assert result.returncode == 2
    assert "hint: such as etas:ETAS://ETH/ES910:abcd/CAN:1" in result.stderr
