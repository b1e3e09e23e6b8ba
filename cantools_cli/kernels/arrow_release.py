"""Callbacks in C that call Python while an exception is on its way, as a release of Arrow's may come.

Those of ctypes lose the exception, which nothing written in Python can avoid.
"""

from __future__ import annotations

from collections.abc import Callable

RELEASE_SCHEMA = 0
RELEASE_ARRAY = 1
DESTROY_SCHEMA = 2
DESTROY_ARRAY = 3


def install(which: int, handler: Callable[[int], None]) -> int:
    """Return the address of a C function that calls ``handler`` with an address; 0 where not compiled.

    ``RELEASE_...`` are called with a struct, whose ``release`` they set to NULL in the end; ``DESTROY_...``
    with a PyCapsule, and hand on the address in it. There is one handler for each.
    """
    if not 0 <= which <= 3:
        raise ValueError("there is no such callback")
    try:
        return install_in_c(which, handler)  # type: ignore[name-defined, no-any-return]  # in the .pxd
    except NameError:
        return 0
