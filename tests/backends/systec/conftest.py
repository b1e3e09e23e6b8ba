"""The emulated USB-CAN library."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from tests.vendor.kit import Stub, compiled, loaded


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The library that buses load; afterwards nothing may be open, and no rule broken."""
    path = compiled("systec")
    monkeypatch.setenv("CANX_SYSTEC_LIBRARY", str(path))
    with loaded(path) as stub:
        stub.functions.stub_event.argtypes = (ctypes.c_uint32, ctypes.c_uint32)
        yield stub
