"""The hot loops: bytes to columns and back. Compiled where there is a C compiler, else run as they are."""

from __future__ import annotations

import os

from cantools_cli.kernels.cpu import has_avx2

if has_avx2():  # found first, under the same names; those that are not there are the ones here
    __path__.insert(0, os.path.join(os.path.dirname(__file__), "avx2"))


def form() -> str:
    """Return ``compiled`` or ``pure``: which form of the kernels runs here."""
    from cantools_cli.kernels import candump

    return "pure" if candump.__file__.endswith(".py") else "compiled"
