"""Commands on PCAN channels, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.vendor.kit import Stub, compiled, loaded

SECONDS = 60.0
_CANX = [sys.executable, "-m", "cantools_cli"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*_CANX, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)


def test_dump_and_send(stub: Stub) -> None:
    command = [*_CANX, "dump", "pcan:PCAN_USBBUS1", "--count", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dump:
        wires = Path(os.environ["CANX_STUB_WIRES"])
        deadline = time.monotonic() + SECONDS
        while not any(wires.iterdir()):  # until the channel is open
            assert time.monotonic() < deadline
        done = run("send", "pcan:PCAN_USBBUS2", "123#0102", "1ABCDEF0#R")
        assert (done.returncode, done.stderr) == (0, "")
        text, _ = dump.communicate(timeout=SECONDS)
    assert dump.returncode == 0
    assert [line.split()[1:] for line in text.splitlines()] == [
        ["PCAN_USBBUS1", "123#0102"],
        ["PCAN_USBBUS1", "1ABCDEF0#R"],
    ]


def test_list(stub: Stub) -> None:
    done = run("list", "-i", "pcan")
    assert done.stdout.splitlines()[0].split("\t") == [
        *("pcan:PCAN_USBBUS1", "pcan", "PCAN_USBBUS1", "ready", "PCAN-USB Pro FD", "17", "yes")
    ]
    assert "PCAN-Basic of PEAK-System" in run("list", "interfaces", "-i", "pcan").stdout


def test_a_missing_driver_is_one_line_and_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANX_PCAN_LIBRARY", "/nowhere/libpcanbasic.so")
    done = run("dump", "pcan:PCAN_USBBUS1")
    assert done.returncode == 2
    error, hint = done.stderr.splitlines()
    assert error.startswith('canx: pcan: cannot load "/nowhere/libpcanbasic.so"')
    assert hint.startswith("hint: get it from https://www.peak-system.com")


def test_a_channel_that_is_not_there(stub: Stub) -> None:
    done = run("send", "pcan:PCAN_USBBUS4", "123#")
    assert done.returncode == 3
    assert "pcan:PCAN_USBBUS4: CAN_Initialize: The hardware is invalid" in done.stderr


def test_the_compiled_library_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("the search of Linux")
    path = compiled("pcan", file_name="libpcanbasic.so")
    monkeypatch.delenv("CANX_PCAN_LIBRARY", raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(path.parent))
    with loaded(path):
        assert run("send", "pcan:PCAN_USBBUS2", "123#").returncode == 0
