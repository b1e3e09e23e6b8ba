"""python-can's bus of a vendor's hardware in a child program, and that of canx in the test, on one wire."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cantools_cli.bus.base import BusABC
from cantools_cli.frame.message import Message

#: identifier, whether it is extended, whether the frame is remote, length, data
Facts = list[Any]

_ROOT = Path(__file__).parents[2]
_PATIENCE = 60  # seconds


def start(program: Path, frames: list[Facts], **environment: str) -> subprocess.Popen[str]:
    """Start a program that exchanges ``frames`` by ``tests.vendor.exchange``; wait until its bus is open."""
    process = subprocess.Popen(
        [sys.executable, str(program), json.dumps(frames)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_ROOT), **environment},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n", process.communicate(timeout=_PATIENCE)[1]
    return process


def facts(message: Message) -> Facts:
    kinds = message.is_extended_id, message.is_remote_frame
    return [message.arbitration_id, *kinds, message.dlc, bytes(message.data).hex()]


def received(bus: BusABC, count: int) -> list[Facts]:
    found = []
    for _ in range(count):
        message = bus.recv(_PATIENCE)
        assert message is not None
        found.append(facts(message))
    return found


def send(bus: BusABC, frames: list[Facts]) -> None:
    for identifier, extended, remote, dlc, data in frames:
        bus.send(
            Message(
                arbitration_id=identifier,
                is_extended_id=extended,
                is_remote_frame=remote,
                dlc=dlc,
                data=bytes.fromhex(data),
            )
        )


def printed(process: subprocess.Popen[str]) -> list[Facts]:
    """Return the frames that the program received, after its end without an error."""
    output, errors = process.communicate(timeout=_PATIENCE)
    assert (process.returncode, errors) == (0, "")
    return [json.loads(line) for line in output.splitlines()]
