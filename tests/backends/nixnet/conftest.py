"""The emulated NI-XNET library under National Instruments' own package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.vendor import kit

Opened = Callable[..., Any]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[kit.Stub]:
    pytest.importorskip("nixnet", reason="the package nixnet is not installed")
    with kit.loaded(kit.compiled("nixnet")) as stub:
        monkeypatch.setenv("CANX_NIXNET_LIBRARY", str(stub.path))
        yield stub


@pytest.fixture
def opened(stub: kit.Stub) -> Iterator[Opened]:
    """Open buses that are closed at the end of the test."""
    from cantools_cli.backends.nixnet.bus import NiXNETcanBus

    with ExitStack() as stack:

        def open_bus(channel: str = "CAN1", **settings: Any) -> NiXNETcanBus:
            bus = NiXNETcanBus(channel, **settings)
            stack.callback(bus.shutdown)
            return bus

        yield open_bus


@pytest.fixture
def pair(opened: Opened) -> tuple[Any, Any]:
    return opened("CAN1"), opened("CAN2")
