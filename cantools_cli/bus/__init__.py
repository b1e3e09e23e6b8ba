"""A CAN bus: ``BusABC``, the factory ``Bus``, addresses, configuration, notifier and listeners.

Imports ``periodic``, ``filtering``, ``bit_timing``, ``frame`` and below. python-can documents the names of
``base`` as attributes of this package.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; the typing module alone costs 3 ms
if TYPE_CHECKING:
    from typing import Any

    from cantools_cli.bus.base import BusABC as BusABC
    from cantools_cli.bus.base import BusState as BusState
    from cantools_cli.bus.base import CanProtocol as CanProtocol


def __getattr__(name: str) -> Any:
    """Import a documented name of ``base`` on first use (PEP 562)."""
    if not name.startswith("_"):
        from cantools_cli.bus import base

        if hasattr(base, name):
            return getattr(base, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
