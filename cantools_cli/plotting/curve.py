"""``Curve``: points over time in bounded memory, without losing a peak."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from cantools_cli.kernels import points as kernel

_FIRST_ROOM = 1024
#: parts of a full curve that are thinned: each keeps up to four points, so that half of the room gets free
_PARTS = 8
_SAMPLE = 4096


class Curve:
    """Collects points; more than ``limit`` are thinned to the first, lowest, highest and last per interval.

    The intervals are a power of two nanoseconds and double as the curve grows.

    Attributes:
        added: the number of points added, of which fewer may be left.
        endless: those whose value is infinite or not a number; they break the curve.
    """

    def __init__(self, limit: int) -> None:
        self.added = self.endless = 0
        self._limit = max(limit, 16)
        self._times = array("q", bytes(8 * min(_FIRST_ROOM, self._limit)))
        self._values = array("d", bytes(8 * len(self._times)))
        self._count = self._shift = 0
        self._typical_ns: int | None = None

    def add(self, times: array[int], values: array[float], valid: bytearray | None = None) -> None:
        """Add points, times in nanoseconds; those not ``valid`` are left out."""
        begin, end = 0, len(times)
        valid = bytearray(b"\1") * end if valid is None else valid
        while begin < end:
            if self._count == len(self._times):
                self._make_room()
            at = self._count
            begin, self._count, endless = kernel.append(
                times, values, valid, begin, end, self._times, self._values, at
            )
            self.added += self._count - at
            self.endless += endless

    def points(self) -> tuple[array[int], array[float]]:
        """Return the times and the values, in the order of time."""
        kept = kernel.thin(self._times, self._values, self._count, 0)
        if kept < 0:
            self._sort()
            kept = kernel.thin(self._times, self._values, self._count, 0)
        self._count = kept
        return self._times[: self._count], self._values[: self._count]

    @property
    def width_ns(self) -> int:
        """The length of the intervals of which only four points are left; 0 if all points are left."""
        return 1 << self._shift if self._shift else 0

    @property
    def typical_ns(self) -> int:
        """The median distance of the first points, 0 for fewer than three."""
        if self._typical_ns is None:
            return _median_distance(self._times[: self._count])
        return self._typical_ns

    def _make_room(self) -> None:
        room = len(self._times)
        if room < self._limit:
            more = bytes(8 * (min(2 * room, self._limit) - room))
            self._times.frombytes(more)
            self._values.frombytes(more)
            return
        if self._typical_ns is None:
            self._typical_ns = _median_distance(self._times)
        times = self._times
        first, last = min(times[0], times[-1]), max(times[0], times[-1])
        while (last >> self._shift) - (first >> self._shift) >= room // _PARTS:
            self._shift += 1
        kept = kernel.thin(times, self._values, room, self._shift)
        if kept < 0:
            self._sort()
            self._make_room()
            return
        self._count = kept

    def _sort(self) -> None:
        order = sorted(range(self._count), key=self._times.__getitem__)
        for name in ("_times", "_values"):
            column: array[Any] = getattr(self, name)
            column[: self._count] = array(column.typecode, [column[index] for index in order])


def _median_distance(times: Sequence[int]) -> int:
    if len(times) < 3:
        return 0
    step = max(1, len(times) // _SAMPLE)
    distances = sorted(times[at + 1] - times[at] for at in range(0, len(times) - 1, step))
    return max(0, distances[len(distances) // 2])
