"""Bit timing of CAN and CAN FD: the documented classes, and the calculator.

Imports ``errors`` and ``units``. python-can documents the classes as attributes of this package.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; the typing module alone costs 3 ms
if TYPE_CHECKING:
    from typing import Any

    from cantools_cli.bit_timing.classic import BitTiming as BitTiming
    from cantools_cli.bit_timing.fd import BitTimingFd as BitTimingFd


def __getattr__(name: str) -> Any:
    """Import a documented class on first use (PEP 562)."""
    from cantools_cli.bit_timing import classic as classic

    if name in ("BitTiming", "BitTimingFd"):
        return getattr(classic, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
