"""python-can's bus of an isCAN card, on the emulated library, and that of canx understand each other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cantools_cli.backends.iscan.bus import IscanBus
from cantools_cli.frame.message import Message
from tests.vendor import judging
from tests.vendor.judging import Facts, printed, received, send
from tests.vendor.kit import Stub, compiled

pytest.importorskip("can")

FRAMES: list[Facts] = [
    [0x123, False, False, 4, "01020304"],
    [0, False, False, 0, ""],
    [0x7FF, False, False, 8, "0102030405060708"],
]
#: those that python-can's bus cannot send
MORE: list[Facts] = [
    [0x12345678, True, False, 2, "aa55"],
    [0x1FFFFFFF, True, True, 6, ""],
    [0x321, False, True, 8, ""],
]


def start(frames: list[Facts]) -> subprocess.Popen[str]:
    folder = compiled("iscan", file_name="iscandrv").parent
    return judging.start(Path(__file__).parent / "python_can.py", frames, LD_LIBRARY_PATH=str(folder))


def test_frames_both_ways(stub: Stub) -> None:
    with IscanBus(0) as bus:
        theirs = start(FRAMES)
        assert received(bus, len(FRAMES)) == FRAMES
        send(bus, [*MORE, *FRAMES])
        assert printed(theirs) == [*MORE, *FRAMES]


def test_python_can_raises_an_error_of_the_bus(stub: Stub) -> None:
    """canx reports it as an error frame, and goes on."""
    with IscanBus(0, bitrate=250_000) as bus:
        theirs = start([])
        bus.send(Message(arbitration_id=1))  # at another bit rate than theirs
        _, errors = theirs.communicate(timeout=60)
        assert errors.splitlines()[-1].endswith(
            "IscanOperationError: Function isCAN_ReceiveMessageEx failed: Bus error [Error Code 16]"
        )
