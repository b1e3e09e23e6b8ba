"""The epoch times of frames that a device stamps with a counter of its own.

The counter wraps, its zero is arbitrary, and its quartz differs from the computer's by up to 100 parts per
million.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from itertools import islice
from operator import le

_NANO = 1_000_000_000
#: growth of the offset per elapsed time, against quartzes that are slower than the computer's
_DRIFT = 10_000  # ns of elapsed time per nanosecond of growth
#: beyond this delay the counter stands still, or counts something else
_MAX_DELAY_NS = 2 * _NANO


class DeviceClock:
    """Maps a counter with ``modulus`` ticks of ``tick_ns`` nanoseconds to nanoseconds since the epoch.

    The device's time is the computer's time minus the shortest delay seen. Later frames have later times,
    except where the counter itself goes back, as it may between the channels of a device. Steps of the
    computer's clock after the start have no effect. A counter that stands still or counts something else is
    anchored again every two seconds. For one thread.
    """

    def __init__(self, modulus: int, tick_ns: int) -> None:
        self._modulus = modulus
        self._tick_ns = tick_ns
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._ticks: int | None = None  # the last count, unwrapped
        self._read_at_ns = 0  # when it was read
        self._offset_ns = 0  # from the unwrapped counter to the monotonic clock
        self._latest = (0, 0)  # the highest count, unwrapped, and its time

    def anchor(self, count: int, read_at_ns: int | None = None) -> None:
        """Note that the counter is ``count`` now, or was at ``read_at_ns`` on the monotonic clock."""
        self.times_ns((count,), read_at_ns)

    def times_ns(
        self,
        counts: Sequence[int],
        read_at_ns: int | None = None,
        *,
        counter: int | None = None,
        may_be_old: bool = False,
    ) -> array[int]:
        """Return the times of frames that were read together.

        ``read_at_ns`` is the time of reading on the monotonic clock, by default now. Between two calls the
        counter may wrap any number of times; within one, less than half a time. ``counter`` is its value at
        that time, if it is known: frames may then have waited for any time. Without it, frames that
        ``may_be_old`` do not anchor the counter again.
        """
        now = time.monotonic_ns() if read_at_ns is None else read_at_ns
        if not counts:
            return array("q")
        unwrapped = self._unwrapped(counts if counter is None else (*counts, counter), now)
        last = unwrapped[-1]
        highest = max(unwrapped)
        if counter is not None:
            del unwrapped[-1]
        offset = now - highest * self._tick_ns
        if self._ticks is not None and (may_be_old or offset - self._offset_ns < _MAX_DELAY_NS):
            offset = min(offset, self._offset_ns + max(0, now - self._read_at_ns) // _DRIFT)
        times = array("q", [ticks * self._tick_ns + offset + self._epoch_ns for ticks in unwrapped])
        if self._ticks is None:
            self._latest = max(unwrapped), max(times)
        else:
            self._keep_order(unwrapped, times)
        self._offset_ns, self._read_at_ns, self._ticks = offset, now, last
        return times

    def _keep_order(self, unwrapped: list[int], times: array[int]) -> None:
        """Give no frame a time before that of an earlier one, although the delay was shorter."""
        latest, floor = self._latest
        if unwrapped[0] >= latest and times[0] >= floor and _is_sorted(unwrapped):  # the usual case
            self._latest = unwrapped[-1], times[-1]
            return
        for row, ticks in enumerate(unwrapped):
            if ticks >= latest:
                if floor - times[row] < _MAX_DELAY_NS:
                    times[row] = max(times[row], floor)
                latest, floor = ticks, times[row]
        self._latest = latest, floor

    def _unwrapped(self, counts: Sequence[int], now: int) -> list[int]:
        """Return the counts without wraps: each is the possible one that is nearest to the elapsed time."""
        modulus, half = self._modulus, self._modulus // 2
        last = self._ticks
        if last is None:
            last = counts[0]
        else:
            last += (now - self._read_at_ns) // self._tick_ns
        if counts[-1] - counts[0] < half and _is_sorted(counts):  # the usual case
            start = last + (counts[0] - last + half) % modulus - half - counts[0]
            return [start + count for count in counts]
        result = []
        for count in counts:
            last += (count - last + half) % modulus - half
            result.append(last)
        return result


def _is_sorted(counts: Sequence[int]) -> bool:
    return all(map(le, counts, islice(counts, 1, None)))
