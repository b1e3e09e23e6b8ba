"""Room for the frames of a chunk: batches that a kernel fills."""

from __future__ import annotations

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.io.base import BATCH_PAYLOAD, BATCH_ROWS


class BatchRoom:
    """Makes the batches that a kernel fills: as large as the bytes before needed, and a quarter more.

    Where one is too small, there is another one. To clear room that nothing fills costs a tenth of parsing,
    and more by what it drives out of the processor's cache. ``row_bytes`` is what a row takes at first,
    and ``row_data`` the data in it.
    """

    ROWS, PAYLOAD = 2 * BATCH_ROWS, 2 * BATCH_PAYLOAD

    def __init__(self, row_bytes: int, row_data: int) -> None:
        self._row_bytes, self._row_data = row_bytes, row_data

    def batch(self, size: int, channels: tuple[Channel, ...] = ()) -> MessageBatch:
        """Return a batch for what ``size`` bytes hold."""
        rows = size // self._row_bytes * 5 // 4 + 64
        payload = rows * self._row_data * 5 // 4 + 4096
        return MessageBatch.with_room(min(self.ROWS, rows), min(self.PAYLOAD, payload), channels)

    def learn(self, size: int, rows: int, payload: int) -> None:
        """Take in that ``size`` bytes held so many rows, with so many bytes of payload."""
        self._row_bytes, self._row_data = max(1, size // rows), payload // rows + 1
