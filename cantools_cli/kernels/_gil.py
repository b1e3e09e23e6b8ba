"""Lets other threads run during the loop of a kernel, which does not touch Python objects.

``_gil.pxd`` is the compiled form. An interpreted kernel always holds the interpreter's lock.
"""

from __future__ import annotations


def release() -> object:
    """Release the interpreter's lock; return the argument for ``acquire``."""
    return None


def acquire(_thread: object) -> None:
    """Acquire the interpreter's lock again."""
