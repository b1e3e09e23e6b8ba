"""Commands on the emulated library of USB2CAN adapters; each command is a process of its own."""

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
    path = compiled("usb2can")
    with loaded(path):  # which makes the wires
        yield {"CANX_USB2CAN_LIBRARY": str(path), "CANX_STUB_WIRES": os.environ["CANX_STUB_WIRES"]}


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
    dump = start("dump", "usb2can:ED000200,bitrate=125k", "-n", 3)
    until_open(environment, dump, 1)
    result = canx("send", "usb2can:ED000201,bitrate=125k", "123#0102", "12ABCDEF#", "7FF#R4")
    assert (result.returncode, result.stderr) == (0, "")
    output, errors = dump.communicate(timeout=60)
    assert errors == b""
    lines = [line.split(None, 1)[1] for line in output.decode().splitlines()]
    assert lines == ["ED000200 123#0102", "ED000200 12ABCDEF#", "ED000200 7FF#R4"]
    assert dump.returncode == 0


def test_list(canx: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    found = canx("list", "-i", "usb2can")
    assert (found.returncode, found.stdout) == (0, "")  # nothing finds adapters but Windows
    interfaces = canx("list", "interfaces", "-i", "usb2can")
    assert "usb2can\tready" in interfaces.stdout


def test_without_the_library(canx: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    result = canx("dump", "usb2can:ED000200", CANX_USB2CAN_LIBRARY="")
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "canx: usb2can: the CANAL library of 8devices does not exist for Linux",
        "hint: interface socketcan serves this hardware here",
    ]


def test_a_device_that_is_not_there(canx: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    result = canx("dump", "usb2can:ED00020")
    assert result.returncode == 3
    assert result.stderr.splitlines()[0] == (
        'canx: usb2can: CanalOpen refused the configuration "ED00020; 500" [Error Code 0]'
    )
