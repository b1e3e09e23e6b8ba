"""python-can's bus of a USB-CANmodule, on the emulated library, and that of canx understand each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from cantools_cli.backends.systec.bus import UcanBus
from tests.vendor import judging
from tests.vendor.judging import Facts, printed, received, send
from tests.vendor.kit import Stub

pytest.importorskip("can")

PROGRAM = Path(__file__).parent / "python_can.py"

FRAMES: list[Facts] = [
    [0x123, False, False, 4, "01020304"],
    [0x12345678, True, False, 8, "0102030405060708"],
    [0, False, False, 0, ""],
    [0x1FFFFFFF, True, False, 1, "ff"],
    [0x321, False, True, 0, ""],
    [0x555, True, True, 6, ""],
    [0x7FF, False, False, 0, ""],
]


def test_frames_both_ways(stub: Stub) -> None:
    with UcanBus(0, device_number=0) as bus:
        theirs = judging.start(PROGRAM, FRAMES)
        assert received(bus, len(FRAMES)) == FRAMES
        sent: list[Facts] = FRAMES
        send(bus, sent)
        assert printed(theirs) == sent
