"""The event of Windows, with an emulated kernel32."""

from __future__ import annotations

import ctypes
import time
from typing import Any
from unittest.mock import Mock

import pytest

from cantools_cli.backends.pcan import bus as bus_module
from cantools_cli.backends.pcan import channel
from cantools_cli.backends.pcan.bus import PcanBus
from cantools_cli.backends.pcan.windows import Event, milliseconds_since_start
from tests.vendor.kit import Stub

SECONDS = 20.0
_FAILED = 0xFFFFFFFF


class Kernel32:
    """Events that are numbers; a wait ends after a millisecond at the latest."""

    def __init__(self) -> None:
        self.open: set[int] = set()
        self.has_events = True
        self.CreateEventW = Mock(side_effect=self._create)
        self.WaitForSingleObject = Mock(side_effect=self._wait)
        self.CloseHandle = Mock(side_effect=self.open.remove)
        self.GetTickCount64 = Mock(side_effect=lambda: time.monotonic_ns() // 1_000_000)

    def _create(self, *_: Any) -> int | None:
        if not self.has_events:
            return None
        self.open.add(0x1_0000_0004)
        return 0x1_0000_0004

    def _wait(self, handle: int, milliseconds: int) -> int:
        if handle not in self.open:
            return _FAILED
        time.sleep(min(milliseconds, 1) / 1000)
        return 258  # a timeout


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel32:
    kernel = Kernel32()
    monkeypatch.setattr(ctypes, "WinDLL", lambda *_, **__: kernel, raising=False)
    monkeypatch.setattr(ctypes, "get_last_error", lambda: 8, raising=False)
    return kernel


@pytest.fixture
def windows(kernel: Kernel32, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Kernel32:
    """A bus of Windows on the emulated library."""
    for module in (channel, bus_module):
        monkeypatch.setattr(module, "sys", Mock(platform="win32"))
    stub.set("windows", 1)
    return kernel


def test_an_event(kernel: Kernel32) -> None:
    event = Event()
    assert (event.handle, kernel.open) == (0x1_0000_0004, {0x1_0000_0004})
    event.wait(20)
    event.close()
    assert not kernel.open
    with pytest.raises(OSError, match="the event is closed"):
        event.wait(20)
    kernel.has_events = False
    with pytest.raises(OSError, match="CreateEventW: error 8"):
        Event()
    assert milliseconds_since_start() > 0


def test_the_library_gets_the_event(windows: Kernel32, stub: Stub) -> None:
    with PcanBus() as bus:
        assert windows.open
        with pytest.raises(NotImplementedError):
            bus.fileno()
        stub.inject(0x51, arbitration_id=1)
        message = bus.recv(SECONDS)
        assert message is not None
        assert bus.recv(0.01) is None
        assert windows.WaitForSingleObject.called
    assert not windows.open
    events = [call for call in stub.calls() if "parameter=3 " in call]
    assert events == [
        "CAN_SetValue ch=51 parameter=3 value=4 size=8 -> 0",  # the log shows the lower half of the handle
        "CAN_SetValue ch=51 parameter=3 value=0 size=8 -> 0",
    ]
    assert stub.calls()[-1].startswith("CAN_Uninitialize")


def test_without_events_the_library_is_asked(windows: Kernel32, stub: Stub) -> None:
    stub.set("event", 0)
    with PcanBus() as bus:
        assert not windows.open
        stub.inject(0x51, arbitration_id=1)
        assert bus.recv(SECONDS) is not None


def test_times_are_anchored_at_the_start(windows: Kernel32, stub: Stub) -> None:
    stub.set("boot_time", 1)
    with PcanBus() as bus:
        bus._emptied_ns -= 20_000_000_000  # nobody has read for 20 s
        stub.inject(0x51, arbitration_id=1, time_ns=time.time_ns() - 10_000_000_000)
        message = bus.recv(SECONDS)
        assert message is not None
        assert message.timestamp == pytest.approx(time.time() - 10, abs=1)
