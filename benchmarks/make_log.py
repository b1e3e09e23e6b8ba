"""Generate the log that the benchmarks convert: ``python benchmarks/make_log.py FRAMES FILE``.

It has 11-bit and 29-bit identifiers, 0 to 8 bytes, some CAN FD frames, two channels and uneven gaps, and is
the same every time.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator

START_US = 1_700_000_000_000_000
SIZES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8)
FD_SIZES = (8, 12, 16, 64)


def lines(frames: int, seed: int = 1) -> Iterator[str]:
    """Yield ``frames`` candump log lines."""
    source = random.Random(seed)
    number, choice, uniform = source.randrange, source.choice, source.random
    now = START_US
    for _ in range(frames):
        now += number(20, 400)
        is_fd = uniform() < 0.05
        data = source.randbytes(choice(FD_SIZES if is_fd else SIZES)).hex().upper()
        identifier = f"{number(1 << 29):08X}" if uniform() < 0.4 else f"{number(1 << 11):03X}"
        mark = "##1" if is_fd else "#"
        yield f"({now // 1_000_000}.{now % 1_000_000:06d}) can{number(2)} {identifier}{mark}{data}\n"


def write_log(frames: int, path: str) -> None:
    """Write a log of ``frames`` frames to ``path``."""
    with open(path, "w", encoding="ascii", buffering=1 << 20) as log:
        log.writelines(lines(frames))


if __name__ == "__main__":
    write_log(int(sys.argv[1]), sys.argv[2])
