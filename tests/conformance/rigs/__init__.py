"""One rig per interface: each module has a ``RIG``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tests.conformance.rig import Rig


def all_rigs() -> dict[str, Rig]:
    """Return the rigs by the name of their interface."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    return {name: rig_of(name) for name in names}


def rig_of(interface: str) -> Rig:
    """Return the rig of ``interface``."""
    rig: Rig = import_module(f"{__name__}.{interface}").RIG
    assert rig.interface == interface
    return rig
