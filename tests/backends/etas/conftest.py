"""The emulated library of BOA."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cantools_cli.backends.etas.bus import EtasBus
from tests.backends.etas.common import OTHER, URI
from tests.vendor.kit import Stub, compiled, loaded


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The library that buses load; afterwards nothing may be open, and no rule broken."""
    path = compiled("etas")
    monkeypatch.setenv("CANX_ETAS_LIBRARY", str(path))
    with loaded(path) as stub:
        yield stub


@pytest.fixture
def bus(stub: Stub) -> Iterator[EtasBus]:
    with EtasBus(URI) as bus:
        yield bus


@pytest.fixture
def other(bus: EtasBus) -> Iterator[EtasBus]:
    with EtasBus(OTHER) as other:
        yield other
