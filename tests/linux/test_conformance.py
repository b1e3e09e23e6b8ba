"""SocketCAN through the list of behaviours of all interfaces: see ``docs/conformance.md``."""

from __future__ import annotations

import pytest

from cantools_cli.backends.socketcan import finder
from tests.conformance.behaviours import BEHAVIOURS, run
from tests.conformance.rigs.socketcan import RIG

if finder.obstacle() or not {"can0", "can1", "vcan1"} <= {*finder.channels()}:
    pytest.skip("this kernel has no SocketCAN with can0, can1 and vcan1", allow_module_level=True)


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_behaviour(name: str) -> None:
    run(RIG, name)
