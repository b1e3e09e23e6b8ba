"""Statistics of the last frames of a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cantools_cli.sniff.row import Past


def bit_changes(past: Sequence[Past], size: int) -> list[list[int]]:
    """Return for each of ``size`` bytes the number of changes of each bit, bit 7 first."""
    counts = [[0] * 8 for _ in range(size)]
    data = [frame.data for frame in past if not frame.is_remote_frame]
    for before, after in pairwise(data):
        for index, (old, new) in enumerate(zip(before[:size], after, strict=False)):
            bits = old ^ new
            if bits:
                for place in range(8):
                    counts[index][place] += bits >> 7 - place & 1
    return counts


def periods_ns(past: Sequence[Past]) -> list[int | None]:
    """Return the time between each frame and its predecessor; None for the first."""
    times = [frame.time_ns for frame in past]
    return [None, *(after - before for before, after in pairwise(times))][: len(past)]
