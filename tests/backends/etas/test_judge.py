"""python-can's bus of an ETAS controller and that of canx understand each other on the emulated BOA."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.etas.bus import EtasBus
from cantools_cli.backends.etas.finder import uris
from cantools_cli.frame.message import Message
from tests.backends.etas.common import OTHER, URI, calls, received, std
from tests.vendor.kit import Stub

pytest.importorskip("can")

pytestmark = pytest.mark.long

PROGRAM = Path(__file__).parent / "python_can.py"

FRAMES = [
    std(0x123, b"\1\2\3"),
    Message(arbitration_id=0x12ABCDEF, data=bytes(range(8))),
    std(0),
    std(0x321, is_remote_frame=True, dlc=5),
    Message(arbitration_id=0x1FFFFFFF, is_remote_frame=True),
    std(0x7FF, bytes(range(64)), is_fd=True),
    Message(arbitration_id=0x800, data=bytes(12), is_fd=True, bitrate_switch=True),
]


def facts(message: Message) -> list[Any]:
    kinds = message.is_extended_id, message.is_remote_frame, message.is_error_frame, message.is_fd
    flags = message.bitrate_switch, message.error_state_indicator
    return [message.arbitration_id, *kinds, *flags, message.is_rx, message.dlc, bytes(message.data).hex()]


def fields(message: Message) -> dict[str, Any]:
    names = ("arbitration_id", "is_extended_id", "is_remote_frame", "is_fd", "bitrate_switch", "dlc")
    return {**{name: getattr(message, name) for name in names}, "data": bytes(message.data).hex()}


@contextmanager
def judge(*steps: list[Any]) -> Iterator[Iterator[Any]]:
    """Run python-can's bus, and yield the results of its steps."""
    command = [sys.executable, str(PROGRAM), json.dumps(steps), OTHER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield map(json.loads, process.stdout)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0


def test_frames_both_ways(stub: Stub) -> None:
    sends = [["send", fields(message)] for message in FRAMES]
    with EtasBus(URI) as bus, judge(["open", {}], ["recv", len(FRAMES)], *sends, ["state"]) as results:
        assert next(results) is None
        for message in FRAMES:
            bus.send(message)
        assert next(results) == [facts(message) for message in FRAMES]
        assert [facts(message) for message in received(bus, len(FRAMES))] == [
            facts(message) for message in FRAMES
        ]
        assert [next(results) for _ in FRAMES] == [None] * len(FRAMES)
        assert next(results) == "BusState.ACTIVE"


def test_own_messages(stub: Stub) -> None:
    message = std(0x123, b"\1")
    steps = (["open", {"receive_own_messages": True}], ["send", fields(message)], ["recv", 1])
    with judge(*steps) as results:
        _, _, [theirs] = results
    with EtasBus(OTHER, receive_own_messages=True) as bus:
        bus.send(message)
        assert facts(received(bus, 1)[0]) == theirs


@pytest.mark.parametrize("settings", [{}, {"fd": False, "bitrate": 500_000}, {"receive_own_messages": True}])
def test_both_open_alike(stub: Stub, settings: dict[str, Any]) -> None:
    with EtasBus(OTHER, **settings):
        ours = calls(stub, "OCI_OpenCANController")
    with judge(["open", settings], ["calls"]) as results:
        _, theirs = results
    assert [line for line in theirs if line.startswith("OCI_OpenCANController")] == ours


def test_both_find_the_controllers(stub: Stub) -> None:
    with judge(["detect"]) as results:
        [theirs] = results
    assert [*uris()] == [uri for uri in theirs if "/CAN:" in uri]


def test_where_they_differ(stub: Stub) -> None:
    """python-can drops the filters of the constructor, keeps old ones, and sends error frames as data."""
    one, two, three = ({"can_id": number, "can_mask": 0x7FF} for number in (1, 2, 3))
    error = {"arbitration_id": 5, "is_error_frame": True, "dlc": 2, "data": "0102"}
    steps = (
        *(["open", {"can_filters": [one]}], ["recv", 2]),
        *(["filters", [one, two]], ["filters", [three]], ["send", error], ["recv", 2]),
    )
    with EtasBus(URI) as bus, judge(*steps) as results:
        assert next(results) is None
        for identifier in (1, 2):
            bus.send(std(identifier))
        assert [message[0] for message in next(results)] == [1, 2]
        assert [next(results) for _ in range(3)] == [None] * 3
        [sent] = received(bus, 1)
        assert (sent.is_error_frame, sent.data) == (False, b"\1\2")
        for identifier in (1, 2, 3):
            bus.send(std(identifier))
        assert [message[0] for message in next(results)] == [2, 3]
