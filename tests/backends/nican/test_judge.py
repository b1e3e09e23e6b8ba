"""python-can's bus of NI-CAN and that of canx understand each other on the emulated library."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.nican.bus import NicanBus
from cantools_cli.frame.message import Message
from tests.backends.nican.common import received, std
from tests.vendor.kit import Stub

pytest.importorskip("can")

pytestmark = pytest.mark.long

PROGRAM = Path(__file__).parent / "python_can.py"

FRAMES = [
    std(0x123, b"\1\2\3"),
    Message(arbitration_id=0x12ABCDEF, data=bytes(range(8))),
    std(0),
    std(0x321, is_remote_frame=True),
    Message(arbitration_id=0x1FFFFFFF, data=b"\xff"),
    std(0x7FF),
]


def facts(message: Message) -> list[Any]:
    kinds = message.is_extended_id, message.is_remote_frame, message.is_error_frame
    return [message.arbitration_id, *kinds, message.dlc, bytes(message.data).hex()]


def fields(message: Message) -> dict[str, Any]:
    names = ("arbitration_id", "is_extended_id", "is_remote_frame", "dlc")
    return {**{name: getattr(message, name) for name in names}, "data": bytes(message.data).hex()}


@contextmanager
def judge(*steps: list[Any]) -> Iterator[Iterator[Any]]:
    """Run python-can's bus, and yield the results of its steps."""
    command = [sys.executable, str(PROGRAM), json.dumps(steps)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield map(json.loads, process.stdout)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0


def test_frames_both_ways(stub: Stub) -> None:
    sends = [["send", fields(message)] for message in FRAMES]
    with NicanBus("CAN0") as bus, judge(["open", {}], ["recv", len(FRAMES), 30], *sends) as results:
        assert next(results) is None
        for message in FRAMES:
            bus.send(message)
        *theirs, times = zip(*next(results), strict=True)
        assert [[*row] for row in zip(*theirs, strict=True)] == [facts(message) for message in FRAMES]
        assert [next(results) for _ in FRAMES] == [None] * len(FRAMES)
        ours = received(bus, len(FRAMES))
        assert [facts(message) for message in ours] == [facts(message) for message in FRAMES]
        assert 0 <= ours[0].timestamp - times[0] < 60


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"bitrate": 500_000, "log_errors": False},
        {"can_filters": [{"can_id": 0x120, "can_mask": 0x7F0, "extended": False}]},
        {"can_filters": [{"can_id": 0x12ABCDE0, "can_mask": 0x1FFFFFF0, "extended": True}]},
    ],
)
def test_both_configure_alike(stub: Stub, settings: dict[str, Any]) -> None:
    """What one of them sets and the other leaves has the driver's default."""
    with NicanBus("CAN1", **settings):
        ours = {*stub.calls()} - {"ncCloseObject 80000002"}
    with judge(["open", settings], ["calls"]) as results:
        _, theirs = results
    defaults = {f"  8001000{key}=0" for key in range(1, 5)} | {"  80020032=0"}
    assert ours - defaults == {*theirs} - defaults


def test_where_they_differ(stub: Stub) -> None:
    """python-can takes frames of the other kind for filtered, sends error frames as data, and stays stopped
    after a reset."""
    own = [{"can_id": 0x100, "can_mask": 0x700}]
    error = {"arbitration_id": 5, "is_error_frame": True, "dlc": 2, "data": "0102"}
    steps = (
        *(
            ["open", {"can_filters": own}],
            ["recv", 2, 30],
            ["send", error],
            ["send", {"is_fd": True, "data": "00" * 12}],
        ),
        *(["reset"], ["send", fields(std(1))]),
    )
    with NicanBus("CAN0") as bus, judge(*steps) as results:
        assert next(results) is None
        for message in (std(0x200), Message(arbitration_id=0x12ABCDEF), std(0x123)):
            bus.send(message)
        assert [row[0] for row in next(results)] == [0x12ABCDEF, 0x123]
        assert next(results) is None
        [sent] = received(bus, 1)
        assert (sent.is_error_frame, sent.data) == (False, b"\1\2")
        assert next(results) == "IndexError: invalid index"
        assert next(results) is None
        assert "BFF62112" in next(results)  # not started
    with NicanBus("CAN1", own) as bus, NicanBus("CAN0") as other:  # type: ignore[arg-type]  # dictionaries
        bus.reset()
        bus.send(std(1))
        assert received(other, 1)[0].arbitration_id == 1
