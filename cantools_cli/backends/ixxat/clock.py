"""The epoch times of messages that a controller stamps with its tick counter.

The counter has 32 bits, and the driver announces each overrun in the queue. Messages stay in the queue until
the program reads them, so only a message that arrives during a wait shows the relation of both clocks.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from itertools import islice
from math import gcd
from operator import le

_TICKS = 1 << 32
_NANO = 1_000_000_000
#: growth of the offset per elapsed time, against quartzes that are slower than the computer's
_DRIFT = 10_000  # ns of elapsed time per nanosecond of growth
#: beyond this difference the counter was reset, or counts something else
_MAX_DELAY_NS = 5 * _NANO


class TickClock:
    """Maps ticks of ``clock`` Hz divided by ``divisor`` to nanoseconds since the epoch.

    Steps of the computer's clock after the start have no effect. For one thread.

    Attributes:
        last: the last count.
        jumps: how often the counter differed from the computer's clock by more than 5 s.
    """

    def __init__(self, clock: int, divisor: int) -> None:
        common = gcd(_NANO * divisor, clock)
        self._numerator, self._denominator = _NANO * divisor // common, clock // common  # ns of a tick
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._offset_ns: int | None = None
        self._high = 0  # ticks of all overruns
        self.last = 0
        self._noticed = 0  # overruns found in the counts, and not announced yet
        self._seen_ns = 0  # when the last message arrived during a wait, on the monotonic clock
        self.jumps = 0

    def anchor(self, count: int, at_ns: int) -> None:
        """Start again: the counter was ``count`` at ``at_ns`` on the monotonic clock."""
        self._high = self._noticed = 0
        self.last = count
        self._offset_ns = at_ns - self._ns(count)
        self._seen_ns = at_ns

    def overran(self, times: int) -> None:
        """Note that the driver announces overruns of the counter."""
        unnoticed = max(0, times - self._noticed)
        self._noticed = 0
        if unnoticed:
            self._high += unnoticed * _TICKS
            self.last = 0

    def times_ns(self, counts: Sequence[int], arrived_ns: int | None = None) -> array[int]:
        """Return the times of messages in the order of the queue.

        ``arrived_ns`` is the time of the first on the monotonic clock, if it arrived during a wait.
        """
        if not counts:
            return array("q")
        ticks = self._unwrapped(counts)
        now = time.monotonic_ns()
        if self._offset_ns is None:
            self._anchor_unwrapped(*((ticks[-1], now) if arrived_ns is None else (ticks[0], arrived_ns)))
        elif arrived_ns is not None:
            self._compare(self._ns(ticks[0]), arrived_ns)
        offset = self._offset_ns or 0
        latest = self._ns(max(ticks)) + offset
        if latest > now:  # no message is from the future: the quartz is faster, or the counter jumped
            offset -= latest - now
            self._offset_ns = offset
        base = offset + self._epoch_ns
        if self._denominator == 1:
            factor = self._numerator
            return array("q", [tick * factor + base for tick in ticks])
        return array("q", [self._ns(tick) + base for tick in ticks])

    def _anchor_unwrapped(self, ticks: int, at_ns: int) -> None:
        self._offset_ns = at_ns - self._ns(ticks)
        self._seen_ns = at_ns

    def _compare(self, stamp_ns: int, arrived_ns: int) -> None:
        """Correct the offset by a message whose time of arrival is known."""
        offset = self._offset_ns or 0
        delay = arrived_ns - stamp_ns - offset
        if abs(delay) > _MAX_DELAY_NS:
            self.jumps += 1
            self._offset_ns = arrived_ns - stamp_ns
        else:
            elapsed = max(0, arrived_ns - self._seen_ns)
            self._offset_ns = offset + min(delay, elapsed // _DRIFT)
        self._seen_ns = arrived_ns

    def _ns(self, ticks: int) -> int:
        return ticks * self._numerator // self._denominator

    def _unwrapped(self, counts: Sequence[int]) -> list[int]:
        high, last = self._high, self.last
        if counts[0] >= last and all(map(le, counts, islice(counts, 1, None))):  # the usual case
            self.last = counts[-1]
            return [high + count for count in counts] if high else [*counts]
        found = []
        for count in counts:
            if last - count > _TICKS // 2:  # an overrun whose announcement is late or lost
                high += _TICKS
                self._noticed += 1
            last = count
            found.append(high + count)
        self._high, self.last = high, last
        return found
