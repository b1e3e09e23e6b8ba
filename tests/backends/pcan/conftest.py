from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cantools_cli.backends.pcan.bus import PcanBus
from tests.vendor.kit import Stub, compiled, loaded

OpenBus = Callable[..., PcanBus]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    path = compiled("pcan")
    monkeypatch.setenv("CANX_PCAN_LIBRARY", str(path))
    with loaded(path) as stub:
        yield stub


@pytest.fixture
def open_bus(stub: Stub) -> Iterator[OpenBus]:
    """Open buses that are closed before the emulated library is checked."""
    with ExitStack() as stack:

        def opened(channel: int | str = "PCAN_USBBUS1", **settings: Any) -> PcanBus:
            return stack.enter_context(PcanBus(channel, **settings))

        yield opened
