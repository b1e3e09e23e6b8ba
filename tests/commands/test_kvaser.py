"""Commands on the emulated CANlib; each command is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vendor.kit import compiled, loaded

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., Any]


@pytest.fixture
def library() -> Iterator[dict[str, str]]:
    path = compiled("kvaser")
    with loaded(path):  # which makes the wires
        yield {"CANX_KVASER_LIBRARY": str(path), "CANX_STUB_WIRES": os.environ["CANX_STUB_WIRES"]}


@pytest.fixture
def environment(environment: dict[str, str], library: dict[str, str]) -> dict[str, str]:
    return environment | library


def until_open(environment: dict[str, str], process: Any) -> None:
    """Wait until a bus of ``process`` has both handles; then it goes on bus."""
    end = time.monotonic() + 60
    while len([*Path(environment["CANX_STUB_WIRES"]).iterdir()]) < 2:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)


def test_dump_and_send(environment: dict[str, str], start: Start, canx: Run) -> None:
    dump = start("dump", "kvaser:0,bitrate=250k,fd=true,data_bitrate=2M", "-n", 4)
    until_open(environment, dump)
    bus = "kvaser:1,bitrate=250k,fd=true,data_bitrate=2M"
    send: subprocess.CompletedProcess[str]
    while dump.poll() is None:  # its first frames may come before the bus is on
        send = canx("send", bus, "123#0102", "12ABCDEF#", "7FF#R4", "001##1AA")
        assert (send.returncode, send.stderr) == (0, "")
    output, errors = dump.communicate(timeout=60)
    assert errors == b""
    lines = [line.split(None, 1)[1] for line in output.decode().splitlines()]
    assert sorted(lines) == ["0 001##1AA", "0 123#0102", "0 12ABCDEF#", "0 7FF#R4"]
    assert dump.returncode == 0


def test_send_waits_for_the_acknowledgement(canx: Run) -> None:
    result = canx("send", "kvaser:0", "123#01")
    assert (result.returncode, result.stderr) == (0, "")


def test_list(canx: Run) -> None:
    assert canx("list", "-i", "kvaser").stdout.splitlines() == [
        "kvaser:0\tkvaser\t0\tready\tKvaser USBcan Pro 2xHS v2 (#1, CAN FD)\t12345",
        "kvaser:1\tkvaser\t1\tready\tKvaser USBcan Pro 2xHS v2 (#2, CAN FD)\t12345",
        "kvaser:2\tkvaser\t2\tready\tKvaser Virtual CAN (#1)",
        "kvaser:3\tkvaser\t3\tready\tKvaser Virtual CAN (#2)",
    ]
    first = json.loads(canx("list", "-i", "kvaser", "--json").stdout.splitlines()[0])
    assert (first["bus"], first["channel"], first["serial"]) == ("kvaser:0", 0, "12345")
    assert "kvaser\tready" in canx("list", "interfaces", "-i", "kvaser").stdout


def test_without_the_library(canx: Run) -> None:
    result = canx("dump", "kvaser:0", CANX_KVASER_LIBRARY="")
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "canx: kvaser: CANlib of Kvaser is not installed: no libcanlib.so.1 or libcanlib.so",
        "hint: get it from https://kvaser.com/download, or set CANX_KVASER_LIBRARY to its file",
    ]
    assert canx("list", "-i", "kvaser", CANX_KVASER_LIBRARY="").stdout == ""


@pytest.mark.parametrize(
    ("bus", "status", "lines"),
    [
        (
            "kvaser:9",
            3,
            [
                "canx: kvaser:9: there is no channel 9",
                "hint: channels here: 0: Kvaser USBcan Pro 2xHS v2; 1: Kvaser USBcan Pro 2xHS v2; "
                "2: Kvaser Virtual CAN; 3: Kvaser Virtual CAN",
            ],
        ),
        (
            "kvaser:can0",
            2,
            [
                'canx: kvaser:can0: the channel "can0" is not a number',
                "hint: such as kvaser:0; canx list -i kvaser shows the channels",
            ],
        ),
    ],
)
def test_channels_that_do_not_exist(canx: Run, bus: str, status: int, lines: list[str]) -> None:
    result = canx("dump", bus)
    assert (result.returncode, result.stderr.splitlines()) == (status, lines)
