"""The processor check of ``_cpu.pxd``; interpreted kernels do not depend on it."""

from __future__ import annotations


def has_avx2() -> int:
    return 0
