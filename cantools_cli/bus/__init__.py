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
    from cantools_cli.filtering.can_filter import CanFilter as CanFilter
    from cantools_cli.filtering.can_filter import CanFilters as CanFilters


def __getattr__(name: str) -> Any:
    """Import a documented name of ``base`` on first use (PEP 562)."""
    if name in ("BusABC", "BusState", "CanFilter", "CanFilters", "CanProtocol"):
        from importlib import import_module

        return getattr(import_module("cantools_cli.bus.base"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
