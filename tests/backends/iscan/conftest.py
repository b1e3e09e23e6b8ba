"""The emulated library of isCAN cards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.vendor.kit import Stub, compiled, loaded


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The library that buses load; afterwards nothing may be open, and no rule broken."""
    path = compiled("iscan")
    monkeypatch.setenv("CANX_ISCAN_LIBRARY", str(path))
    with loaded(path) as stub:
        yield stub
