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
    if name in ("BitTiming", "BitTimingFd"):
        from importlib import import_module

        return getattr(import_module("cantools_cli.bit_timing.classic"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
