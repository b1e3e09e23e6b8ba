"""python-can's bus of a Neousys port, on the emulated library, and that of canx understand each other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cantools_cli.backends.neousys.bus import NeousysBus
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
    folder = compiled("neousys", file_name="libwdt_dio.so").parent
    return judging.start(Path(__file__).parent / "python_can.py", frames, LD_LIBRARY_PATH=str(folder))


def test_frames_both_ways(stub: Stub) -> None:
    with NeousysBus(1) as bus:
        theirs = start(FRAMES)
        assert received(bus, len(FRAMES)) == FRAMES
        send(bus, [*MORE, *FRAMES])
        assert printed(theirs) == [*MORE, *FRAMES]


def test_python_can_sends_all_frames_as_standard_data_frames(stub: Stub) -> None:
    with NeousysBus(1) as bus:
        theirs = start([[0x12345678, True, False, 1, "01"], [0x321, False, True, 3, ""]])
        assert received(bus, 2) == [[0x678, False, False, 1, "01"], [0x321, False, False, 3, "000000"]]
        bus.send(Message(arbitration_id=0x7FF, is_extended_id=False))
        theirs.communicate(timeout=60)
        assert theirs.returncode == 0
