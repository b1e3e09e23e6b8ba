"""python-can's own PcanBus, in a process of its own, on the wire of the emulated library."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.pcan import constants as c
from cantools_cli.frame.message import Message
from tests.backends.pcan.conftest import OpenBus
from tests.backends.pcan.judge import facts as _facts
from tests.vendor.kit import Stub

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(find_spec("can") is None, reason="python-can is not installed"),
]

SECONDS = 20.0
FD = {
    "fd": True,
    "f_clock_mhz": 80,
    "nom_brp": 2,
    "nom_tseg1": 63,
    "nom_tseg2": 16,
    "nom_sjw": 16,
    "data_brp": 2,
    "data_tseg1": 15,
    "data_tseg2": 4,
    "data_sjw": 4,
}
CLASSIC_FRAMES = [
    *(Message(arbitration_id=size, is_extended_id=False, data=bytes(range(size))) for size in range(9)),
    Message(arbitration_id=0x1ABCDEF0, data=b"\xff"),
    Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=5),
]
FD_FRAMES = [
    *CLASSIC_FRAMES,
    *(Message(arbitration_id=1, data=bytes(size), is_fd=True) for size in (0, 8, 12, 16, 20, 24, 32, 48, 64)),
    Message(arbitration_id=2, data=b"1", is_fd=True, bitrate_switch=True, error_state_indicator=True),
]

Ask = Callable[[str], Any]


@contextmanager
def theirs(stub: Stub, **settings: Any) -> Iterator[Ask]:
    """Yield a function that evaluates an expression with python-can's ``bus``, and returns the result."""
    program = Path(__file__).with_name("judge.py")
    command = [sys.executable, str(program), str(stub.path), json.dumps(settings)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "null\n"

        def ask(expression: str) -> Any:
            process.stdin.write(expression + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()
        assert process.wait(SECONDS) == 0


@pytest.mark.parametrize(("settings", "frames"), [({}, CLASSIC_FRAMES), (FD, FD_FRAMES)])
def test_both_ways(stub: Stub, open_bus: OpenBus, settings: dict[str, Any], frames: list[Message]) -> None:
    bus = open_bus("PCAN_USBBUS1", **settings)
    with theirs(stub, channel="PCAN_USBBUS2", **settings) as ask:
        for frame in frames:
            bus.send(frame)
            found = ask(f"facts(bus.recv({SECONDS}))")
            assert found[:-1] == _facts(frame)[:-1]  # type: ignore[index]
            assert found[-1] == pytest.approx(stub.sent()[-1].time_ns / 1e9, abs=1e-5)
            refused = frame.is_remote_frame and bus.fd  # it copies five bytes of data that are not there
            answer = ask(f"bus.send(message({_facts(frame)}))")
            assert answer == ("ValueError" if refused else None)
            if not refused:
                assert _facts(bus.recv(SECONDS))[:-1] == found[:-1]  # type: ignore[index]
        assert ask("bus.recv(0)") is None
    assert bus.recv(0) is None


def test_its_echo_and_ours_are_the_same(stub: Stub, open_bus: OpenBus) -> None:
    frame = CLASSIC_FRAMES[3]
    bus = open_bus(receive_own_messages=True)
    bus.send(frame)
    ours = _facts(bus.recv(SECONDS))
    with theirs(stub, channel="PCAN_USBBUS2", receive_own_messages=True) as ask:
        ask(f"bus.send(message({_facts(frame)}))")
        assert ask(f"facts(bus.recv({SECONDS}))")[:-1] == ours[:-1]  # type: ignore[index]


def test_the_same_methods(stub: Stub, open_bus: OpenBus) -> None:
    """Each answers the same, and leaves the device in the same state."""
    bus = open_bus()
    with theirs(stub, channel="PCAN_USBBUS2") as ask:
        for call in (
            "status()",
            "status_is_ok()",
            "status_string()",
            "reset()",
            "state.name",
            "channel_info[:-1]",
        ):
            assert ask(f"bus.{call}") == eval(f"bus.{call}"), call
        assert (bus.get_device_number(), ask("bus.get_device_number()")) == (0x11, 0x12)
        assert ask("bus.set_device_number(7)") is bus.set_device_number(7) is True
        assert ask("bus.set_device_number('x')") is bus.set_device_number("x") is False  # type: ignore[arg-type]
        assert ask("bus.get_device_number()") == bus.get_device_number() == 7
        assert ask("bus.flash(False)") is bus.flash(False) is None  # type: ignore[func-returns-value]


def test_its_detection_and_ours_are_the_same(stub: Stub, open_bus: OpenBus) -> None:
    bus = open_bus("PCAN_USBBUS1")
    with theirs(stub, channel="PCAN_USBBUS2") as ask:
        found = ask("pcan.PcanBus._detect_available_configs()")
    busy = [config for config in found if config["channel_condition"] == c.PCAN_CHANNEL_OCCUPIED]
    assert [config["channel"] for config in busy] == ["PCAN_USBBUS2"]  # python-can lists those in use as well
    bus.shutdown()
    ours = bus._detect_available_configs()
    assert [config for config in ours if config["channel"] != "PCAN_USBBUS2"] == [
        config for config in found if config["channel"] != "PCAN_USBBUS2"
    ]
