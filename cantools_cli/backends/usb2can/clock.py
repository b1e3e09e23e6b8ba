"""The times of received frames, from the counter of the adapter if it counts microseconds.

CANAL defines microseconds. The firmware clears the three upper bits of the counter, so that it wraps after
537 s; whether its tick is exactly a microsecond is not documented, so the counter is compared with the clock
of the computer.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence

from cantools_cli.backends.transport.device_clock import DeviceClock

#: the wrap of the counter; a counter with more bits is read modulo this one
TICKS = 1 << 29
TICK_NS = 1000

_CHECK_NS = 10_000_000_000
_MAX_ERROR = 0.1  # of the elapsed time
_MAX_DISTANCE_NS = 60_000_000_000
_PAUSE_NS = 1_000_000_000  # without reading, after which frames may be old


class CheckedClock:
    """Nanoseconds since the epoch, of the adapter's counter or of the time of arrival.

    The adapter's counter is compared with the computer's clock once, ten seconds after the first frame, and
    each time must be within a minute of the time of arrival. If it fails, ``report`` gets one line, and the
    time of arrival is used from then on, as it is without ``from_device``. Frames that may have waited, since
    the queue was not read for a second, are not compared.
    """

    def __init__(self, report: Callable[[str], object], *, from_device: bool = True) -> None:
        self._report = report
        self._clock = DeviceClock(TICKS, TICK_NS) if from_device else None
        self._first: tuple[int, int] | None = None  # count and monotonic time, until they were compared
        self._is_checked = False
        self._read_at_ns: int | None = None

    def times_ns(self, counts: Sequence[int], read_at_ns: int | None = None) -> array[int]:
        """Return the times of frames that were read together; without frames, note that the queue is empty.

        ``read_at_ns`` is the time of reading on the monotonic clock, by default now.
        """
        now = time.monotonic_ns() if read_at_ns is None else read_at_ns
        may_be_old = self._read_at_ns is not None and now - self._read_at_ns > _PAUSE_NS
        self._read_at_ns = now
        if not counts:
            return array("q")
        arrival = time.time_ns() - time.monotonic_ns() + now
        if self._clock is not None:
            times = self._clock.times_ns(counts, now, may_be_old=may_be_old)
            if may_be_old or (self._is_plausible(counts[-1], now) and _are_near(times, arrival)):
                return times
            self._clock = None
            self._report("the adapter's timestamps are not microseconds; the time of arrival is used")
        return array("q", [arrival]) * len(counts)

    def _is_plausible(self, count: int, now: int) -> bool:
        """Compare the counter with the computer's clock, once."""
        if self._is_checked:
            return True
        if self._first is None:
            self._first = count, now
            return True
        elapsed = now - self._first[1]
        if elapsed < _CHECK_NS:
            return True
        if elapsed > TICKS * TICK_NS // 2:  # the number of wraps is unknown
            self._first = count, now
            return True
        self._is_checked = True
        counted = (count - self._first[0]) % TICKS * TICK_NS
        return abs(counted - elapsed) <= _MAX_ERROR * elapsed


def _are_near(times: array[int], arrival: int) -> bool:
    return arrival - min(times) < _MAX_DISTANCE_NS and max(times) - arrival < _MAX_DISTANCE_NS
