"""Merging logs by time, with one batch of each log in memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import merging as kernel

#: timestamps before 1980 are older than CAN, so they count from the start of a recording
_FIRST_DATE_NS = 315_532_800 * 1_000_000_000


class Batches(Protocol):
    """A source of batches, such as a reader of any format."""

    def batches(self) -> Iterator[MessageBatch]: ...


def merged(
    readers: Sequence[Batches], on_note: Callable[[int, str], None] | None = None
) -> Iterator[MessageBatch]:
    """Yield the frames of all ``readers`` in the order of their timestamps.

    Frames of one reader keep their order: a frame with an earlier timestamp directly follows its
    predecessor. Frames with equal timestamps are ordered by reader. Batches are read on demand, so a reader
    that waits for input delays the others.

    ``on_note`` is called with the index of a reader and a remark about unusual timestamps.
    """
    sources = [_LogSource(index, reader.batches()) for index, reader in enumerate(readers)]
    while sources := [source for source in sources if source.fetch(on_note)]:
        if len(sources) == 1:
            yield sources[0].rest()
            continue
        # No frame before the horizon can still arrive. The source whose batch ends first may continue with
        # an equal timestamp, so later sources hold theirs back.
        horizon, first = min((source.last, index) for index, source in enumerate(sources))
        parts = []
        for index, source in enumerate(sources):
            stamps, batch = source.take(horizon, inclusive=index <= first)
            if len(batch):
                parts.append((stamps, batch))
        yield _interleaved(parts)


class _LogSource:
    """A reader with the rest of its current batch and the merge position of each frame."""

    def __init__(self, index: int, batches: Iterable[MessageBatch]) -> None:
        self._index = index
        self._batches = iter(batches)
        self._batch = MessageBatch()
        self._due: array[int] = array("q")  # the highest timestamp up to each frame: never decreasing
        self._at = 0
        self._highest: int | None = None

    @property
    def last(self) -> int:
        """The merge position of the last frame of the batch."""
        return self._due[-1]

    def fetch(self, on_note: Callable[[int, str], None] | None) -> bool:
        """Make sure that a frame is loaded; return False at the end."""
        while self._at == len(self._batch):
            batch = next(self._batches, None)
            if batch is None:
                return False
            self._batch, self._at = batch, 0
            if not len(batch):
                continue
            stamps = batch.timestamp_ns
            if on_note is not None and self._highest is None and 0 <= stamps[0] < _FIRST_DATE_NS:
                on_note(self._index, "timestamps do not count from 1970")
            begin = stamps[0] if self._highest is None else self._highest
            self._due = array("q", bytes(8 * len(stamps)))
            if kernel.due_times(stamps, begin, self._due) and on_note is not None:
                on_note(self._index, "timestamps go backwards; the frames keep their order")
            self._highest = self._due[-1]
        return True

    def rest(self) -> MessageBatch:
        return self._part(len(self._batch))[1]

    def take(self, horizon: int, *, inclusive: bool) -> tuple[array[int], MessageBatch]:
        """Return the positions and frames before ``horizon``, or up to it if ``inclusive``."""
        find = bisect_right if inclusive else bisect_left
        return self._part(find(self._due, horizon, self._at))

    def _part(self, end: int) -> tuple[array[int], MessageBatch]:
        begin, self._at = self._at, end
        if begin == 0 and end == len(self._batch):
            return self._due, self._batch
        return self._due[begin:end], self._batch.part(begin, end)


def _interleaved(parts: list[tuple[array[int], MessageBatch]]) -> MessageBatch:
    """Return all frames sorted by position; frames with equal positions in the order of ``parts``."""
    due, whole = parts[0]
    if len(parts) == 1:
        return whole
    together, ends = due[:], array("I", (len(due),))
    for stamps, _ in parts[1:]:
        together += stamps
        ends.append(len(together))
    rows = array("I", bytes(4 * len(together)))
    kernel.interleave(together, array("I", (0, *ends[:-1])), ends, rows)
    whole = whole.part(0, len(whole))  # a copy, which may grow
    for _, batch in parts[1:]:
        whole.extend(batch)
    return whole.select(rows)
