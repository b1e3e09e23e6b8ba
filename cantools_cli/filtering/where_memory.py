"""The memory of an expression: the last data and arrival time of each identifier."""

from __future__ import annotations

from array import array
from typing import Any

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.kernels import where as kernel


class _ByIdentifier:
    """A growing table with one entry per identifier, kind and channel."""

    def __init__(self) -> None:
        self._names: list[Channel] = []
        self._used = 0

    def _numbers(self, batch: MessageBatch) -> array[int]:
        """Return the table's number of each channel of the batch."""
        for channel in batch.channels:
            if channel not in self._names:
                self._names.append(channel)
        return array("H", [self._names.index(channel) for channel in batch.channels])


class Changes(_ByIdentifier):
    """The last data of each identifier, kind and channel."""

    def __init__(self, slots: int = 1024, width: int = 8) -> None:
        super().__init__()
        self._width = width
        self._make(slots)

    def _make(self, slots: int) -> None:
        self._keys = array("q", bytes(8 * slots))
        self._sizes = array("I", bytes(4 * slots))
        self._last = bytearray(slots * self._width)

    def marks(self, batch: MessageBatch) -> bytearray:
        """Return one byte per row: 1 if the data differs from the last of its identifier, else 0."""
        numbers = self._numbers(batch)
        marks = bytearray(len(batch))
        row = 0
        while row < len(batch):
            row, self._used = kernel.changes(
                row,
                batch.can_id,
                batch.channel,
                batch.dlc_code,
                batch.offset,
                batch.payload,
                numbers,
                self._keys,
                self._sizes,
                self._last,
                self._width,
                self._used,
                marks,
            )
            if row < len(batch):
                self._grow(batch.offset[row + 1] - batch.offset[row])
        return marks

    def _grow(self, size: int) -> None:
        """Make room for data of ``size`` bytes, or for more entries."""
        keys, sizes, last, width = self._keys, self._sizes, self._last, self._width
        slots = len(keys)
        while self._width < size:
            self._width *= 2
        self._make(slots * 2 if self._used * 2 >= slots else slots)
        kernel.resettle(keys, sizes, last, width, self._keys, self._sizes, self._last, self._width)


class Arrivals(_ByIdentifier):
    """The last timestamp and the mean period of each identifier, kind and channel."""

    def __init__(self, slots: int = 1024) -> None:
        super().__init__()
        self._make(slots)

    def _make(self, slots: int) -> None:
        self._keys = array("q", bytes(8 * slots))
        self._last_ns = array("q", bytes(8 * slots))
        self._means = array("q", bytes(8 * slots))

    def gaps(self, batch: MessageBatch) -> tuple[array[int], array[int]]:
        """Return (gaps, mean periods) in nanoseconds, one per row; -1 in the first row of an identifier."""
        numbers = self._numbers(batch)
        gaps, periods = array("q", bytes(8 * len(batch))), array("q", bytes(8 * len(batch)))
        row = 0
        while row < len(batch):
            row, self._used = kernel.gaps(
                row,
                batch.can_id,
                batch.channel,
                batch.timestamp_ns,
                numbers,
                self._keys,
                self._last_ns,
                self._means,
                self._used,
                gaps,
                periods,
            )
            if row < len(batch):
                self._grow()
        return gaps, periods

    def _grow(self) -> None:
        """Double the table; ``resettle`` moves the two times of an entry as 16 bytes of data."""
        slots = len(self._keys)
        keys, values = self._keys, array("q", bytes(16 * slots))
        values[0::2], values[1::2] = self._last_ns, self._means
        self._make(2 * slots)
        moved = bytearray(32 * slots)
        sizes = array("I", bytes(4 * slots))
        kernel.resettle(
            keys, sizes, values.tobytes(), 16, self._keys, array("I", bytes(8 * slots)), moved, 16
        )
        values = array("q", bytes(moved))
        self._last_ns, self._means = values[0::2], values[1::2]


class Memory:
    """State of an expression: earlier frames, and columns computed for the current batch."""

    def __init__(self, *, needs_changes: bool, needs_gaps: bool) -> None:
        self.first_ns: int | None = None  #: timestamp of the first frame of the stream
        self.marks = bytearray()  #: one byte per row for ``changed``, 1 if the data changed
        #: columns for ``gap`` and ``period``, see ``Arrivals.gaps``
        self.gap_ns = self.period_ns = array("q")
        #: what predicates computed for the current batch, by what computed it
        self.computed: dict[object, Any] = {}
        self._changes = Changes() if needs_changes else None
        self._arrivals = Arrivals() if needs_gaps else None

    def begin(self, batch: MessageBatch) -> None:
        """Update the state for the next batch of the stream, which must not be empty."""
        self.computed = {}
        if self.first_ns is None:
            self.first_ns = batch.timestamp_ns[0]
        if self._changes is not None:
            self.marks = self._changes.marks(batch)
        if self._arrivals is not None:
            self.gap_ns, self.period_ns = self._arrivals.gaps(batch)
