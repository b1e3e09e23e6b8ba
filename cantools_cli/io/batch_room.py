"""Room for the frames of a chunk: batches that a kernel fills."""

from __future__ import annotations

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.io.base import BATCH_PAYLOAD, BATCH_ROWS


class BatchRoom:
    """Allocates batches for a kernel, sized from the previous chunk plus 25 %.

    A full batch is followed by another. Oversizing is not free: zeroing unused room costs 10 % of the parsing
    time, and more in evicted cache lines. The first size assumes ``row_bytes`` bytes per row, ``row_data`` of
    them payload.
    """

    ROWS, PAYLOAD = 2 * BATCH_ROWS, 2 * BATCH_PAYLOAD

    def __init__(self, row_bytes: int, row_data: int) -> None:
        self._row_bytes, self._row_data = row_bytes, row_data

    def batch(self, size: int, channels: tuple[Channel, ...] = ()) -> MessageBatch:
        """Return a batch for the rows of ``size`` bytes."""
        rows = size // self._row_bytes * 5 // 4 + 64
        payload = rows * self._row_data * 5 // 4 + 4096
        return MessageBatch.with_room(min(self.ROWS, rows), min(self.PAYLOAD, payload), channels)

    def learn(self, size: int, rows: int, payload: int) -> None:
        """Adapt to a chunk of ``size`` bytes that held ``rows`` rows with ``payload`` bytes of data."""
        self._row_bytes, self._row_data = max(1, size // rows), payload // rows + 1
