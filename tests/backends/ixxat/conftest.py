"""The emulated VCI libraries, and buses on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cantools_cli.backends.ixxat.bus import IXXATBus
from tests.vendor.kit import Stub, compiled, loaded

Opening = Callable[..., IXXATBus]


@pytest.fixture(params=[False, True], ids=["vcinpl", "vcinpl2"])
def fd(request: pytest.FixtureRequest) -> bool:
    """Whether the library is that with CAN FD."""
    return bool(request.param)


@pytest.fixture
def stub(fd: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """The library, which the interface finds by its variable."""
    path = compiled("ixxat", f"FD={int(fd)}")
    for name in ("CANX_IXXAT_LIBRARY", "CANX_IXXAT_FD_LIBRARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CANX_IXXAT_FD_LIBRARY" if fd else "CANX_IXXAT_LIBRARY", str(path))
    with loaded(path) as library:
        yield library


@pytest.fixture
def opened(stub: Stub, fd: bool) -> Iterator[Opening]:
    """A function that opens a bus, which is closed at the end of the test."""
    with ExitStack() as stack:

        def opening(channel: Any = 0, **settings: Any) -> IXXATBus:
            settings.setdefault("fd", fd)
            settings.setdefault("rx_fifo_size", 1024)
            return stack.enter_context(IXXATBus(channel, **settings))

        yield opening
