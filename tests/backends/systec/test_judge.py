"""python-can's bus of a USB-CANmodule, on the emulated library, and that of canx understand each other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.systec.bus import UcanBus
from cantools_cli.frame.message import Message
from tests.vendor.kit import Stub

pytest.importorskip("can")

PROGRAM = Path(__file__).parent / "python_can.py"

Facts = list[Any]
FRAMES: list[Facts] = [
    [0x123, False, False, 4, "01020304"],
    [0x12345678, True, False, 8, "0102030405060708"],
    [0, False, False, 0, ""],
    [0x1FFFFFFF, True, False, 1, "ff"],
    [0x321, False, True, 0, ""],
    [0x555, True, True, 6, ""],
    [0x7FF, False, False, 0, ""],
]


def facts(message: Message) -> Facts:
    kinds = message.is_extended_id, message.is_remote_frame
    return [message.arbitration_id, *kinds, message.dlc, bytes(message.data).hex()]


def frame(identifier: int, extended: bool, remote: bool, dlc: int, data: str) -> Message:
    return Message(
        arbitration_id=identifier,
        is_extended_id=extended,
        is_remote_frame=remote,
        dlc=dlc,
        data=bytes.fromhex(data),
    )


def test_frames_both_ways(stub: Stub) -> None:
    command = [sys.executable, str(PROGRAM), json.dumps(FRAMES)]
    with UcanBus(0, device_number=0) as bus:
        theirs = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert theirs.stdout is not None
        assert theirs.stdout.readline() == "open\n"
        found: list[Facts] = []
        while len(found) < len(FRAMES):
            message = bus.recv(30)
            assert message is not None
            found.append(facts(message))
        assert found == FRAMES
        for row in FRAMES:
            bus.send(frame(*row))
        output, errors = theirs.communicate(timeout=60)
        assert (theirs.returncode, errors) == (0, "")
        assert [json.loads(line) for line in output.splitlines()] == FRAMES
