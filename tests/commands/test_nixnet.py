"""Commands on NI-XNET interfaces, each a process of its own on the emulated library."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.test_canalystii import frames_of, until
from tests.vendor import kit


@pytest.fixture
def environment(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    pytest.importorskip("nixnet", reason="the package nixnet is not installed")
    path = kit.compiled("nixnet")
    with kit.loaded(path):
        wires = {"CANX_STUB_WIRES": os.environ["CANX_STUB_WIRES"]}
        yield {**environment, **wires, "CANX_NIXNET_LIBRARY": str(path)}


def ports(environment: dict[str, str]) -> int:
    """Return how many interfaces are started."""
    return len([*Path(environment["CANX_STUB_WIRES"]).iterdir()])


def test_send_and_dump(environment, canx, start):
    dump = start("dump", "nixnet:CAN2", "-n", 3)
    until(lambda: ports(environment), dump)
    sent = canx("send", "nixnet:CAN1", "123#0102", "12ABCDEF#", "7FF#R4", **environment)
    assert (sent.returncode, sent.stderr) == (0, "")
    output, errors = dump.communicate(timeout=60)
    assert frames_of(output.decode()) == ["CAN2 123#0102", "CAN2 12ABCDEF#", "CAN2 7FF#R4"]
    assert (dump.returncode, errors) == (0, b"")


def test_send_and_dump_can_fd(environment, canx, start):
    dump = start("dump", "nixnet:CAN2,fd=true,data_bitrate=2M", "-n", 2)
    until(lambda: ports(environment), dump)
    bus = "nixnet:CAN1,fd=true,data_bitrate=2M"
    sent = canx("send", bus, f"123##1{'00' * 64}", "124#01", **environment)
    assert (sent.returncode, sent.stderr) == (0, "")
    output, _ = dump.communicate(timeout=60)
    assert frames_of(output.decode()) == [f"CAN2 123##1{'00' * 64}", "CAN2 124#01"]


def test_list(environment, canx):
    found = canx("list", "buses", "-i", "nixnet", "--json", **environment)
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert [(row["bus"], row["product"]) for row in rows] == [
        ("nixnet:CAN1", "NI-XNET interface, CAN FD, terminating resistor"),
        ("nixnet:CAN2", "NI-XNET interface"),
    ]
    again = canx("send", rows[0]["bus"], "123#", **environment)
    assert (again.returncode, again.stderr) == (0, "")


def test_what_the_library_refuses_is_one_line_and_a_hint(environment, canx):
    result = canx("dump", "nixnet:CAN7", **environment)
    assert result.returncode == 3
    assert result.stderr.splitlines() == [
        "canx: nixnet:CAN7: nxCreateSession: NI-XNET: (Hex 0xBFF6308A) The interface does not exist."
        " [Error Code 3220582538]",
        "hint: canx list -i nixnet shows the interfaces",
    ]


def test_without_the_library_it_is_one_line_and_a_hint(environment, canx):
    result = canx("dump", "nixnet:CAN1", **{**environment, "CANX_NIXNET_LIBRARY": ""})
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "canx: nixnet: NI-XNET of National Instruments is not installed: no libnixnet.so",
        "hint: get it from ni.com/downloads, or set CANX_NIXNET_LIBRARY to its file",
    ]
