"""python-can's bus of an isCAN card, on the emulated library, and that of canx understand each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.iscan.bus import IscanBus
from cantools_cli.frame.message import Message
from tests.vendor.kit import Stub, compiled

pytest.importorskip("can")

PROGRAM = Path(__file__).parent / "python_can.py"

Facts = list[Any]
FRAMES: list[Facts] = [
    [0x123, False, False, 4, "01020304"],
    [0, False, False, 0, ""],
    [0x7FF, False, False, 8, "0102030405060708"],
]


def facts(message: Message) -> Facts:
    kinds = message.is_extended_id, message.is_remote_frame
    return [message.arbitration_id, *kinds, message.dlc, bytes(message.data).hex()]


def start(frames: list[Facts]) -> subprocess.Popen[str]:
    folder = compiled("iscan", file_name="iscandrv").parent
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), json.dumps(frames)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LD_LIBRARY_PATH": str(folder)},
    )


def received(bus: IscanBus, count: int) -> list[Facts]:
    found = []
    for _ in range(count):
        message = bus.recv(30)
        assert message is not None
        found.append(facts(message))
    return found


def test_frames_both_ways(stub: Stub) -> None:
    with IscanBus(0) as bus:
        theirs = start(FRAMES)
        assert theirs.stdout is not None
        assert theirs.stdout.readline() == "open\n"
        assert received(bus, len(FRAMES)) == FRAMES
        sent = [
            *(
                [0x12345678, True, False, 2, "aa55"],
                [0x1FFFFFFF, True, True, 6, ""],
                [0x321, False, True, 8, ""],
            ),
            *FRAMES,
        ]
        for identifier, extended, remote, dlc, data in sent:
            bus.send(
                Message(
                    arbitration_id=identifier,
                    is_extended_id=extended,
                    is_remote_frame=remote,
                    dlc=dlc,
                    data=bytes.fromhex(data),
                )
            )
        output, errors = theirs.communicate(timeout=60)
        assert (theirs.returncode, errors) == (0, "")
        assert [json.loads(line) for line in output.splitlines()] == sent


def test_python_can_raises_an_error_of_the_bus(stub: Stub) -> None:
    """canx reports it as an error frame, and goes on."""
    with IscanBus(0, bitrate=250_000) as bus:
        theirs = start([])
        assert theirs.stdout is not None
        assert theirs.stdout.readline() == "open\n"
        bus.send(Message(arbitration_id=1))  # at another bit rate than theirs
        _, errors = theirs.communicate(timeout=60)
        assert errors.splitlines()[-1].endswith(
            "IscanOperationError: Function isCAN_ReceiveMessageEx failed: Bus error [Error Code 16]"
        )
