"""Commands on the emulated VCI libraries of HMS Networks; each command is a process of its own."""

from __future__ import annotations

import os
import select
import signal
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
    classic, fast = compiled("ixxat", "FD=0"), compiled("ixxat", "FD=1")
    with loaded(classic):  # which makes the wires
        libraries = {"CANX_IXXAT_LIBRARY": str(classic), "CANX_IXXAT_FD_LIBRARY": str(fast)}
        yield {**environment, **libraries, "CANX_STUB_WIRES": os.environ["CANX_STUB_WIRES"]}


def until_started(environment: dict[str, str], process: Any) -> None:
    """Wait until the channel of ``process`` is on the wire, which its folder shows."""
    end = time.monotonic() + 60
    while not [*Path(environment["CANX_STUB_WIRES"]).glob("ixxat-*")]:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("settings", "last", "shown"),
    [
        ("bitrate=250k", "7FF#R4", "7FF#R4"),
        ("fd=true,data_bitrate=4M", "123##1000102030405060708090A0B", "123##1000102030405060708090A0B"),
    ],
)
def test_dump_and_send(
    settings: str, last: str, shown: str, environment: dict[str, str], start: Callable[..., Any], canx: Canx
) -> None:
    dump = start("dump", f"ixxat:0,{settings}", "-n", 3)
    until_started(environment, dump)
    sent: list[str] = []
    while dump.poll() is None:  # the controller may start later than its channel is there
        result = canx("send", f"ixxat:1,{settings}", "123#0102", "12ABCDEF#", last)
        assert (result.returncode, result.stderr) == (0, "")
        sent += ("123#0102", "12ABCDEF#", shown)
    output, errors = dump.communicate(timeout=60)
    assert (dump.returncode, errors) == (0, b"")
    found = [line.split()[1:] for line in output.decode().splitlines()]
    assert len(found) == 3
    assert all(channel == "0" and frame in sent for channel, frame in found)


def test_list(canx: Canx) -> None:
    found = canx("list", "-i", "ixxat")
    assert (found.returncode, found.stderr) == (0, "")
    assert [line.split("\t")[0] for line in found.stdout.splitlines()] == [
        "ixxat:0,unique_hardware_id=HW100001",
        "ixxat:1,unique_hardware_id=HW100001",
        "ixxat:0,unique_hardware_id=HW100002",
        "ixxat:1,unique_hardware_id=HW100002",
    ]
    assert "HW100001" in found.stdout
    assert "USB-to-CAN FD" in found.stdout
    shown = canx("list", "interfaces").stdout
    assert "ixxat\tready\tWindows\tVCI of HMS Networks\tyes" in shown


def test_commands_have_larger_queues(
    canx: Canx, start: Callable[..., Any], environment: dict[str, str]
) -> None:
    """The documented 16 messages would be lost on a busy bus."""
    dump = start("dump", "ixxat:0", "-n", 100)
    until_started(environment, dump)
    while dump.poll() is None:
        assert canx("gen", "ixxat:1", "-n", 100, "--gap", 0).returncode == 0
    output, errors = dump.communicate(timeout=60)
    assert len(output.splitlines()) == 100
    assert errors == b""


def test_two_programs_share_a_controller(
    canx: Canx, start: Callable[..., Any], environment: dict[str, str]
) -> None:
    owner = start("dump", "ixxat:0,bitrate=250k")
    until_started(environment, owner)
    while not select.select([owner.stdout], [], [], 0)[0]:  # until it owns the controller
        assert canx("send", "ixxat:1,bitrate=250k", "123#01").returncode == 0
    guest = start("dump", "ixxat:0,bitrate=1M", "-n", 1)
    assert b"another program owns the controller" in guest.stderr.readline()
    while guest.poll() is None:
        assert canx("send", "ixxat:1,bitrate=250k", "123#01").returncode == 0
    owner.send_signal(signal.SIGINT)
    for dump in (owner, guest):
        output, errors = dump.communicate(timeout=60)
        assert {line.split(None, 1)[1] for line in output.splitlines()} == {b"0 123#01"}
        assert errors == b""
    assert guest.returncode == 0


def test_without_the_library(canx: Canx) -> None:
    began = time.monotonic()
    result = canx("dump", "ixxat:0", CANX_IXXAT_LIBRARY="")
    assert result.returncode == 2
    assert time.monotonic() - began < 60
    assert result.stderr.splitlines() == [
        "canx: ixxat: VCI of HMS Networks does not exist for Linux",
        "hint: interface socketcan serves this hardware here",
    ]


def test_a_bus_that_is_not_there(canx: Canx) -> None:
    result = canx("dump", "ixxat:7")
    assert result.returncode == 3
    assert result.stderr.splitlines() == [
        "canx: ixxat:7: canChannelOpen: Invalid index. (0xE0010017)",
        "hint: the device has no channel 7; the first is 0",
    ]
    result = canx("dump", "ixxat:0,unique_hardware_id=HW9")
    assert result.returncode == 3
    assert result.stderr.splitlines() == [
        'canx: ixxat:0: no IXXAT device "HW9" is connected',
        "hint: connected: HW100001, HW100002",
    ]


def test_no_bus_is_named(canx: Canx) -> None:
    result = canx("dump", "ixxat:")
    assert result.returncode == 2
    assert "ixxat:0" in result.stderr
