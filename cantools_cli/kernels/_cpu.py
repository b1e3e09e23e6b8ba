"""What ``_cpu.pxd`` asks the processor. Interpreted, nothing depends on it."""

from __future__ import annotations


def has_avx2() -> int:
    return 0
