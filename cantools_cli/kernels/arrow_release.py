"""C callbacks that may call Python while an exception is propagating, as a release callback of Arrow may.

Callbacks of ctypes lose that exception, which Python code cannot prevent.
"""

from __future__ import annotations

from collections.abc import Callable

RELEASE_SCHEMA = 0
RELEASE_ARRAY = 1
DESTROY_SCHEMA = 2
DESTROY_ARRAY = 3


def install(which: int, handler: Callable[[int], None]) -> int:
    """Return the address of a C function that calls ``handler`` with an address; 0 if not compiled.

    ``RELEASE_...`` callbacks receive a struct and finally set its ``release`` to NULL. ``DESTROY_...``
    callbacks receive a PyCapsule and pass on the address in it. Each has one handler.
    """
    if not 0 <= which <= 3:
        raise ValueError("there is no such callback")
    try:
        return install_in_c(which, handler)  # type: ignore[name-defined, no-any-return]  # in the .pxd
    except NameError:
        return 0
