"""Commands on the emulated library of Neousys computers; each command is a process of its own."""

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
    path = compiled("neousys")
    with loaded(path):  # which makes the wires
        yield {"CANX_NEOUSYS_LIBRARY": str(path), "CANX_STUB_WIRES": os.environ["CANX_STUB_WIRES"]}


@pytest.fixture
def environment(environment: dict[str, str], library: dict[str, str]) -> dict[str, str]:
    return environment | library


def test_dump_send_and_list(
    environment: dict[str, str],
    start: Callable[..., Any],
    canx: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    dump = start("dump", "neousys:0,bitrate=125k", "-n", 3)
    end = time.monotonic() + 60
    while not [*Path(environment["CANX_STUB_WIRES"]).iterdir()]:
        assert dump.poll() is None, dump.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)
    result = canx("send", "neousys:1,bitrate=125k", "123#0102", "12ABCDEF#", "7FF#R4")
    assert (result.returncode, result.stderr) == (0, "")
    output, errors = dump.communicate(timeout=60)
    assert errors == b""
    lines = [line.split(None, 1)[1] for line in output.decode().splitlines()]
    assert lines == ["0 123#0102", "0 12ABCDEF#", "0 7FF#R4"]
    found = canx("list", "-i", "neousys")
    assert (found.returncode, found.stdout.rstrip()) == (0, "neousys:0\tneousys\t0")
    assert "neousys\tready\tLinux, Windows\tWDT_DIO of Neousys\tyes\t" in canx("list", "interfaces").stdout


def test_without_the_library(canx: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    result = canx("dump", "neousys:0", CANX_NEOUSYS_LIBRARY="")
    assert result.returncode == 2
    line, hint = result.stderr.splitlines()
    assert line.startswith("canx: neousys: WDT_DIO of Neousys is not installed: no libwdt_dio.so or ")
    assert hint == "hint: get it from www.neousys-tech.com, or set CANX_NEOUSYS_LIBRARY to its file"
