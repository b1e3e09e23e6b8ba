"""Rows of several logs merged in the order of time."""

from __future__ import annotations

from cantools_cli.kernels.buffers import Int64s, UInt32s


def due_times(stamps: Int64s, highest: int, due: Int64s) -> int:
    """Set each entry of ``due`` to the maximum of ``highest`` and all stamps so far.

    Return the number of rows in which it differs from the stamp.
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
    """Write the rows of ``due`` into ``rows`` in ascending order; equal ones keep their order.

    ``due`` consists of ascending runs: each begins at its entry of ``at``, which is advanced, and ends before
    its entry of ``ends``.
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
