"""Streams of batches to one, by time: each kind of frame is a stream of its own in many MDF 4 files."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from cantools_cli.batch import MessageBatch


def merged(streams: Sequence[Iterator[MessageBatch]]) -> Iterator[MessageBatch]:
    """Yield the frames of all streams in the order of their times; one batch of each is held.

    Frames of one time are in the order of the streams. A stream whose times go backwards is merged by them
    as far as one of its batches reaches.
    """
    waiting = [(batch, stream) for stream in streams if (batch := _next(stream)) is not None]
    while len(waiting) > 1:
        horizon = min(batch.timestamp_ns[-1] for batch, _ in waiting)
        ready = MessageBatch()
        left = []
        for batch, stream in waiting:
            times = batch.timestamp_ns
            rows = len(batch) if times[-1] <= horizon else bisect_right(times, horizon)
            ready.extend(batch.part(0, rows))
            rest = batch.part(rows, len(batch)) if rows < len(batch) else _next(stream)
            if rest is not None:
                left.append((rest, stream))
        waiting = left
        times = ready.timestamp_ns
        yield ready.select(sorted(range(len(ready)), key=times.__getitem__))
    for batch, stream in waiting:
        yield batch
        yield from stream


def _next(stream: Iterator[MessageBatch]) -> MessageBatch | None:
    return next((batch for batch in stream if len(batch)), None)
