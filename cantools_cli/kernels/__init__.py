"""The hot loops: bytes to columns and back. Compiled where there is a C compiler, else run as they are."""

from __future__ import annotations


def form() -> str:
    """Return ``compiled`` or ``pure``: which form of the kernels runs here."""
    from cantools_cli.kernels import candump

    return "pure" if candump.__file__.endswith(".py") else "compiled"
