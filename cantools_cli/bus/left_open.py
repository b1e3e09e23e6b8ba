"""Shuts down the buses that a program left open."""

from __future__ import annotations

import atexit
import os
from typing import Any
from weakref import WeakValueDictionary

open_buses: WeakValueDictionary[int, Any] = WeakValueDictionary()  # by id(): a plug-in may not be hashable
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=open_buses.clear)  # the parent closes them


@atexit.register
def _close() -> None:
    """Shut down the open buses while modules and threads still exist."""
    for bus in list(open_buses.values()):
        bus.__del__()
