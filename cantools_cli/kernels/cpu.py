"""What the processor at hand can do."""

from __future__ import annotations

from cantools_cli.kernels import _cpu


def has_avx2() -> bool:
    """Tell whether kernels compiled for AVX2, and for what came with it, run here."""
    return bool(_cpu.has_avx2())
