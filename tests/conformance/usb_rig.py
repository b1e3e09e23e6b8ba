"""Rigs of USB adapters: the emulated devices replace pyusb's backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import usb.core

from cantools_cli.backends.transport import usb as transport
from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Rig
from tests.emulators.usb import Core, EmulatedUsb


class UsbRig(Rig):
    """Adapters whose channels are on one bus; the other node is a bus on the second one."""

    node_settings: dict[str, Any] = {}

    def __init__(self) -> None:
        self.cores: list[Any] = []

    def new_cores(self) -> list[Core]:
        """Return the adapters, with their channels joined."""
        raise NotImplementedError

    @contextmanager
    def connected(self) -> Iterator[None]:
        self.cores = self.new_cores()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transport, "backend", EmulatedUsb(*self.cores))
            yield

    def node(self, **settings: Any) -> AbstractContextManager[BusABC]:
        others = {key: value for key, value in settings.items() if key != "can_filters"}
        return self.open(**{**others, "receive_own_messages": False, **self.node_settings})

    @contextmanager
    def without_driver(self) -> Iterator[None]:
        def find(*_: Any, **__: Any) -> Any:
            raise usb.core.NoBackendError("No backend available")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(usb.core, "find", find)
            yield
