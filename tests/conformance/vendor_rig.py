"""Rigs of hardware with a library of its vendor: the emulated library is loaded by its variable."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Rig
from tests.vendor.kit import Stub, compiled, loaded


class VendorRig(Rig):
    """Channels of an emulated library that are on one bus.

    Attributes:
        other: the channel of the other node.
        stub: the library, inside of ``connected``.
    """

    other: Any = 1
    stub: Stub

    @property
    def variable(self) -> str:
        return f"CANX_{self.interface.upper()}_LIBRARY"

    @contextmanager
    def connected(self) -> Iterator[None]:
        path = compiled(self.interface)
        with mock.patch.dict(os.environ, {self.variable: str(path)}), loaded(path) as self.stub:
            yield

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        others = {
            key: settings[key] for key in settings if key not in ("can_filters", "receive_own_messages")
        }
        return self.open(**{**others, "channel": self.other})

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        with mock.patch.dict(os.environ):
            os.environ.pop(self.variable, None)
            yield
