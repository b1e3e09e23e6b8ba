"""The hot loops: bytes to columns and back, compiled if there is a C compiler, else interpreted."""

from __future__ import annotations

import os

from cantools_cli.kernels.cpu import has_avx2

if has_avx2():  # searched first; a kernel that is not in it is imported from this package
    __path__.insert(0, os.path.join(os.path.dirname(__file__), "avx2"))


def form() -> str:
    """Return the form of the kernels in use, ``compiled`` or ``pure``."""
    from cantools_cli.kernels import candump

    return "pure" if candump.__file__.endswith(".py") else "compiled"
