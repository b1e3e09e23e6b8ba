"""Emulated adapters that pyusb finds, and buses on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cantools_cli.backends.transport import usb
from cantools_cli.bus.interface import Bus
from tests.emulators.gs_usb import CLASSIC, GsUsbCore, Profile
from tests.emulators.usb import Core, EmulatedUsb


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Callable[..., EmulatedUsb]:
    """Return a function that connects devices to this computer."""

    def plug(*cores: Core) -> EmulatedUsb:
        backend = EmulatedUsb(*cores)
        monkeypatch.setattr(usb, "backend", backend)
        return backend

    return plug


@pytest.fixture
def adapter(plug: Callable[..., EmulatedUsb]) -> Callable[..., GsUsbCore]:
    """Return a function that connects one adapter of a profile."""

    def connected(profile: Profile = CLASSIC, **settings: Any) -> GsUsbCore:
        core = GsUsbCore(profile, **settings)
        plug(core)
        return core

    return connected


@pytest.fixture
def opened() -> Iterator[Callable[..., Any]]:
    """Return a function that opens a bus of gs_usb, which is closed at the end."""
    buses: list[Any] = []

    def opened(channel: Any = 0, interface: str = "gs_usb", **settings: Any) -> Any:
        buses.append(Bus(channel, interface=interface, ignore_config=True, **settings))
        return buses[-1]

    yield opened
    for bus in buses:
        bus.shutdown()
