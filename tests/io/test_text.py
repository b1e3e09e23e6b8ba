"""What all readers of lines share."""

from __future__ import annotations

import io

from cantools_cli.io.base import BATCH_ROWS
from cantools_cli.io.candump import CanutilsLogReader
from cantools_cli.io.text import PIECE


def test_lines_much_shorter_or_longer_than_those_before_are_all_read() -> None:
    """Room for a batch is made by what the lines before took."""
    long = b"(1700000000.123456) can0 1ABCDEF0##1" + b"AB" * 64 + b"\n"
    short = b"(1.0) a 123#\n"
    counts = (PIECE // len(long) + 9, 3 * PIECE // len(short), PIECE // len(long))
    text = long * counts[0] + short * counts[1] + long * counts[2]
    batches = list(CanutilsLogReader(io.BytesIO(text)).batches())
    assert sum(map(len, batches)) == sum(counts)
    assert sum(len(batch.payload) for batch in batches) == 64 * (counts[0] + counts[2])
    assert max(map(len, batches)) <= BATCH_ROWS
    assert len(batches) < 3 * len(text) // PIECE + sum(counts) // BATCH_ROWS
