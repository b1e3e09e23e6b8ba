"""The instruction sets of the processor."""

from __future__ import annotations

from cantools_cli.kernels import _cpu


def has_avx2() -> bool:
    """Return whether kernels compiled for AVX2 and its companion instruction sets can run."""
    return bool(_cpu.has_avx2())
