"""The emulated icsneo library under Intrepid's own package, and under a stand-in for it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import pytest

from tests.vendor import kit

MODULE = kit.FOLDER / "neovi_module" / "ics.py"

Opened = Callable[..., Any]


@cache
def stand_in() -> ModuleType:
    spec = spec_from_file_location("ics", MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["stand-in", "package"])
def ics(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that buses import."""
    if request.param == "stand-in":
        monkeypatch.setitem(sys.modules, "ics", stand_in())
    else:
        pytest.importorskip("ics.ics", reason="the package python-ics is not installed")
    return importlib.import_module("ics")


@pytest.fixture
def stub(ics: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[kit.Stub]:
    with kit.loaded(kit.compiled("neovi")) as stub:
        monkeypatch.setenv("CANX_NEOVI_LIBRARY", str(stub.path))
        yield stub


@pytest.fixture
def opened(stub: kit.Stub) -> Iterator[Opened]:
    """Open buses that are closed at the end of the test: the first on one device, the next on the other."""
    from cantools_cli.backends.neovi.bus import NeoViBus

    serials = iter(("CVV6KO", "123456"))
    with ExitStack() as stack:

        def open_bus(channel: Any = 1, **settings: Any) -> NeoViBus:
            bus = NeoViBus(channel, **{"serial": next(serials, "CVV6KO"), **settings})
            stack.callback(bus.shutdown)
            return bus

        yield open_bus


@pytest.fixture
def pair(opened: Opened) -> tuple[Any, Any]:
    return opened(receive_own_messages=False), opened(receive_own_messages=False)
