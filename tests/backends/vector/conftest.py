from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.backends.vector.bus import VectorBus
from tests.vendor.kit import Stub, compiled, loaded

#: opens buses that are closed at the end of the test
Opener = Callable[..., VectorBus]


@pytest.fixture(scope="session")
def path() -> Path:
    return compiled("vector", file_name="libvxlapi64.so")


@pytest.fixture
def stub(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    monkeypatch.setenv("CANX_VECTOR_LIBRARY", str(path))
    with loaded(path) as stub:
        yield stub


@pytest.fixture
def bus_of(stub: Stub) -> Iterator[Opener]:
    with ExitStack() as opened:

        def opener(channel: Any = 0, **settings: Any) -> VectorBus:
            return opened.enter_context(VectorBus(channel, **settings))

        yield opener
