"""The emulated library of NI-CAN."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cantools_cli.backends.nican.bus import NicanBus
from tests.vendor.kit import Stub, compiled, loaded


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The library that buses load; afterwards nothing may be open, and no rule broken."""
    path = compiled("nican")
    monkeypatch.setenv("CANX_NICAN_LIBRARY", str(path))
    with loaded(path) as stub:
        yield stub


@pytest.fixture
def bus(stub: Stub) -> Iterator[NicanBus]:
    with NicanBus("CAN0") as bus:
        yield bus


@pytest.fixture
def other(bus: NicanBus) -> Iterator[NicanBus]:
    with NicanBus("CAN1") as other:
        yield other
