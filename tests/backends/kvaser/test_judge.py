"""python-can's bus on the same emulated library, in a process of its own.

Where canx differs, the manual page canx-vendors says why.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cantools_cli.backends.kvaser.bus import KvaserBus
from cantools_cli.frame.message import Message
from tests.backends.kvaser import judging
from tests.backends.kvaser.conftest import Opened
from tests.vendor.kit import Stub

pytest.importorskip("can")

pytestmark = pytest.mark.long

_PROLOGUE = """
import ctypes, json, os, sys
from pathlib import Path
import can
from can.interfaces.kvaser import canlib
from tests.vendor.kit import Stub
folder = os.environ["LD_LIBRARY_PATH"]
stub = Stub(Path(folder) / "libcanlib.so")
def facts(m):
    data = "" if m.is_remote_frame else bytes(m.data).hex()
    kinds = [m.is_extended_id, m.is_remote_frame, m.is_error_frame, m.is_fd, m.bitrate_switch]
    return [m.arbitration_id, *kinds, m.dlc, data]
"""
#: the library before it checked the length of LOCAL_TXACK, which python-can passes wrongly
_OLD = 'stub.set("local_txack_length", 1)\n'

_ECHO = (
    _PROLOGUE
    + _OLD
    + """
settings = json.loads(sys.argv[1])
with can.Bus(1, interface="kvaser", **settings) as bus:
    print("open", flush=True)
    for line in sys.stdin:
        message = bus.recv(20)
        print(json.dumps(facts(message)), flush=True)
        bus.send(message)
"""
)

FRAMES = [
    Message(arbitration_id=0x123, is_extended_id=False, data=b"\1\2\3"),
    Message(arbitration_id=0x12ABCDEF, data=bytes(range(8))),
    Message(arbitration_id=0x7FF, is_extended_id=False),
    Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=4),
]
FD_FRAMES = [
    Message(arbitration_id=0x1, is_extended_id=False, data=bytes(range(64)), is_fd=True),
    Message(arbitration_id=0x1ABCDEF, data=bytes(12), is_fd=True, bitrate_switch=True),
]


def facts(message: Any) -> list[object]:
    data = "" if message.is_remote_frame else bytes(message.data).hex()
    kinds = [message.is_extended_id, message.is_remote_frame, message.is_error_frame, message.is_fd]
    return [message.arbitration_id, *kinds, message.bitrate_switch, message.dlc, data]


@contextmanager
def judge(**settings: Any) -> Iterator[subprocess.Popen[str]]:
    """Start python-can's bus on channel 1: it prints each frame, and sends it back, after a line of input."""
    with subprocess.Popen(
        [sys.executable, "-c", _ECHO, json.dumps(settings)],
        env=judging.environment(**judging.python_can()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("settings", "frames"), [({}, FRAMES), ({"fd": True, "data_bitrate": 2_000_000}, FRAMES + FD_FRAMES)]
)
def test_they_talk_to_each_other(opened: Opened, settings: dict[str, Any], frames: list[Message]) -> None:
    bus = opened(0, **settings)
    with judge(**settings) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for frame in frames:
            bus.send(frame)
            process.stdin.write("\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == facts(frame)
            back = bus.recv(20)
            assert back is not None
            assert facts(back) == facts(frame)
            assert back.is_rx


TIMINGS: list[dict[str, Any]] = [
    *({"bitrate": rate} for rate in (1_000_000, 500_000, 250_000, 125_000, 100_000, 83_000, 62_000, 50_000)),
    {"bitrate": 10_000},
    {"tseg1": 5, "tseg2": 2, "sjw": 1, "no_samp": 3},
    {"fd": True},
    {"fd": True, "data_bitrate": 8_000_000},
    {"fd": True, "tseg1": 63, "tseg2": 16, "sjw": 16},
    {"fd": True, "tseg1": 63, "tseg2": 16, "sjw": 16, "data_bitrate": 2_000_000},
]


def test_both_set_the_same_bit_timing(stub: Stub) -> None:
    program = (
        _PROLOGUE
        + _OLD
        + """
for settings in json.loads(sys.argv[1]):
    stub.clear_calls()
    with can.Bus(0, interface="kvaser", **settings):
        print(json.dumps([call for call in stub.calls() if call.startswith("canSetBusParams")]))
"""
    )
    theirs = judging.run(program, json.dumps(TIMINGS), **judging.python_can()).splitlines()
    for settings, calls in zip(TIMINGS, theirs, strict=True):
        stub.clear_calls()
        with KvaserBus(0, **settings):
            ours = [call for call in stub.calls() if call.startswith("canSetBusParams")]
        assert [*map(_effective, ours)] == sorted(map(_effective, json.loads(calls)))


def _effective(call: str) -> str:
    """Return a call without its handle, and without the segments that a preset replaces."""
    name, _, rate, *segments = call.split()
    return " ".join((name, rate, *(() if "=-" in rate else segments)))


def test_both_find_the_same_channels(stub: Stub) -> None:
    program = _PROLOGUE + 'print(json.dumps(can.detect_available_configs("kvaser")))'
    theirs = json.loads(judging.run(program, **judging.python_can()))
    ours = KvaserBus._detect_available_configs()
    names = ("interface", "channel", "serial", "dongle_channel")
    assert [[one[name] for name in names] for one in ours] == [
        [one[name] for name in names] for one in theirs
    ]
    assert theirs[0]["device_name"] == "Kvaser USBcan Pro 2xHS v2 (01306-8)"  # the description


def test_both_have_the_same_constants() -> None:
    program = (
        _PROLOGUE
        + """
from can.interfaces.kvaser import constants
values = {name: value for name, value in vars(constants).items() if isinstance(value, int)}
print(json.dumps({name: value for name, value in values.items() if "TRANSCEIVER" not in name}))
"""
    )
    from cantools_cli.backends.kvaser import constants

    theirs = json.loads(judging.run(program, **judging.python_can()))
    assert {name: vars(constants).get(name) for name in theirs} == theirs


def test_where_they_differ(stub: Stub) -> None:
    """Faults of python-can 4.6.1 that canx does not have."""
    program = (
        _PROLOGUE
        + """
def kind(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__, str(error), stub.leaks()
    return "", "", stub.leaks()
opening = kind(lambda: can.Bus(0, interface="kvaser"))
"""
        + _OLD
        + """
stub.reset()
canlib.canInitializeLibrary()
stub.set("local_txack_length", 1)
silent = can.Bus(0, interface="kvaser", driver_mode=False)
other = can.Bus(1, interface="kvaser")
silent.send(can.Message(arbitration_id=1))
sent = other.recv(20) is not None
silent.shutdown()
timed = can.Bus(0, interface="kvaser", timing=can.BitTiming(16_000_000, 2, 13, 2, 1))
other.send(can.Message(arbitration_id=1))
garbled = timed.recv(20).is_error_frame
stub.unplug()
closing = kind(timed.shutdown)
print(json.dumps([opening, sent, garbled, closing]))
os._exit(0)
"""
    )
    opening, sent, garbled, closing = json.loads(judging.run(program, **judging.python_can()))
    # LOCAL_TXACK takes four bytes, not one; the error is that of an open bus, and the handle stays open
    error = "Function canIoCtl failed - Error in parameter [Error Code -1]"
    assert opening == ["CANLIBOperationError", error, 1]
    # the mode is set with the second handle, which has no access
    assert sent
    # the registers are those of a clock of 16 MHz, and are read for 8 MHz
    assert garbled
    # closing fails when the device is gone, and leaves the handles open
    assert closing[0] == "CANLIBOperationError"
    assert closing[2] > 0
