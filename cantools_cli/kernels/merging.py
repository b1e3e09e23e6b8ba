"""Times of several logs brought into one order."""

from __future__ import annotations

from cantools_cli.kernels.buffers import Int64s, UInt32s


def due_times(stamps: Int64s, highest: int, due: Int64s) -> int:
    """Put the highest of ``highest`` and all stamps so far into each entry of ``due``.

    Return in how many rows that is not the stamp itself.
    """
    if len(due) < len(stamps):
        raise ValueError("no room for the times")
    later = 0
    for row in range(len(stamps)):
        stamp = stamps[row]
        if stamp >= highest:
            highest = stamp
        else:
            later += 1
        due[row] = highest
    return later


def interleave(due: Int64s, at: UInt32s, ends: UInt32s, rows: UInt32s) -> None:
    """Put the rows of ``due`` into ``rows`` in their order, of equal ones the earlier first.

    ``due`` is runs that never go back: each ends before the entry of ``ends`` and begins at that of ``at``,
    which is counted up.
    """
    runs = len(ends)
    if len(at) < runs:
        raise ValueError("the columns differ in length")
    count = 0
    for run in range(runs):
        if ends[run] > len(due) or at[run] > ends[run]:
            raise ValueError("a run is not within the times")
        count += ends[run] - at[run]
    if len(rows) < count:
        raise ValueError("no room for the rows")
    for to in range(count):
        best = runs
        lowest = due[0]
        for run in range(runs):
            row = at[run]
            if row < ends[run] and (best == runs or due[row] < lowest):
                best = run
                lowest = due[row]
        rows[to] = at[best]
        at[best] += 1
