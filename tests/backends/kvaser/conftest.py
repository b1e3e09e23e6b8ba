"""The emulated CANlib, and buses on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cantools_cli.backends.kvaser.bus import KvaserBus
from tests.vendor.kit import Stub, compiled, loaded

Opened = Callable[..., KvaserBus]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The library that buses load; afterwards nothing may be open, and no rule broken."""
    path = compiled("kvaser")
    monkeypatch.setenv("CANX_KVASER_LIBRARY", str(path))
    with loaded(path) as stub:
        yield stub


@pytest.fixture
def opened(stub: Stub) -> Iterator[Opened]:
    """Return a function that opens a bus until the end of the test."""
    with ExitStack() as stack:

        def open_bus(channel: Any = 0, **settings: Any) -> KvaserBus:
            bus = KvaserBus(channel, **settings)
            stack.callback(bus.shutdown)
            return bus

        yield open_bus
