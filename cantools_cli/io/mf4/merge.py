"""Merges streams of batches by time: many MDF 4 files hold each kind of frame in a stream of its own."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import merging

_MAX_PARTS = 8  #: parts to merge by comparing their first frames, for every frame; more parts are sorted


def merged(streams: Sequence[Iterator[MessageBatch]]) -> Iterator[MessageBatch]:
    """Yield the frames of all streams in the order of their times, holding one batch of each stream.

    Frames with equal times are in the order of the streams. If the times of a stream go backwards, its frames
    are in order within each of its batches only. The error of one is raised after the frames of the others.
    """
    if len(streams) == 1:
        yield from streams[0]
        return
    errors: list[FormatError] = []
    streams = [_up_to_fault(stream, errors) for stream in streams]
    waiting = [(batch, stream) for stream in streams if (batch := _next(stream)) is not None]
    while len(waiting) > 1:
        horizon = min(batch.timestamp_ns[-1] for batch, _ in waiting)
        ready = MessageBatch()
        ends, left = array("I"), []
        for batch, stream in waiting:
            times = batch.timestamp_ns
            rows = len(batch) if times[-1] <= horizon else bisect_right(times, horizon)
            ready.extend(batch if rows == len(batch) else batch.part(0, rows))
            ends.append(len(ready))
            rest = batch.part(rows, len(batch)) if rows < len(batch) else _next(stream)
            if rest is not None:
                left.append((rest, stream))
        waiting = left
        yield ready.select(_order(ready.timestamp_ns, ends))
    for batch, stream in waiting:
        yield batch
        yield from stream
    if errors:
        raise errors[0]


def _up_to_fault(stream: Iterator[MessageBatch], errors: list[FormatError]) -> Iterator[MessageBatch]:
    try:
        yield from stream
    except FormatError as error:
        errors.append(error)


def _order(times: array[int], ends: array[int]) -> array[int]:
    """Return the rows in the order of their times; the parts that end at ``ends`` are mostly in order."""
    begins, due = array("I", (0, *ends[:-1])), array("q", times)
    parts = zip(begins, ends, strict=True)
    if len(ends) > _MAX_PARTS or any(
        begin < end and merging.due_times(times[begin:end], times[begin], due) for begin, end in parts
    ):
        return array("I", sorted(range(len(times)), key=times.__getitem__))
    rows = array("I", bytes(4 * len(times)))
    merging.interleave(times, begins, ends, rows)
    return rows


def _next(stream: Iterator[MessageBatch]) -> MessageBatch | None:
    return next((batch for batch in stream if len(batch)), None)
