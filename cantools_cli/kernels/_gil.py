"""Lets other threads run while a kernel is in its loop, which touches nothing of Python's.

``_gil.pxd`` has the compiled form; interpreted, a kernel cannot run without the interpreter's lock.
"""

from __future__ import annotations


def release() -> object:
    """Let go of the interpreter; return what ``acquire`` takes."""
    return None


def acquire(_thread: object) -> None:
    """Wait for the interpreter, and go on with it."""
