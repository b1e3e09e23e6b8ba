"""Waiting for a moment of a clock: asleep at first, awake for the last part.

How late a sleep ends is up to the machine: some 0.1 ms here, several in a virtual machine whose processor its
host lends to others while it sleeps. There it helps to sleep a little at a time: that keeps the processor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

#: The last part of a wait, in which the clock is watched, at least and at most.
MIN_WATCH_NS, MAX_WATCH_NS = 200_000, 5_000_000
#: Of all sleeps one in 200 ends later than that part begins: one that does makes it longer by half, each
#: other one shorter by so much.
_LONGER, _SHORTER = 1.5, 1 - 0.5 / 199
#: before the clock is watched, for so many times as long, sleeps are naps
_NAPPING = 4
_NAP_NS = 500_000


class Clock(Protocol):
    """Monotonic time, and a sleep that may end early."""

    def now_ns(self) -> int: ...
    def sleep(self, seconds: float) -> None: ...


class ExactWait:
    """Sleeps until shortly before a time, as close as sleeping proved to be reliable.

    Where ``stopped`` is true behind a sleep, the wait is over.
    """

    def __init__(self, clock: Clock, stopped: Callable[[], bool]) -> None:
        self._clock = clock
        self._stopped = stopped
        self._watch_ns = float(MIN_WATCH_NS)

    def sleep_until_nearly(self, time_ns: int, on_sleep: Callable[[], None]) -> int:
        """Sleep until shortly before ``time_ns``, if that is not past; return the time.

        ``on_sleep`` is called before a sleep: there is time.
        """
        clock = self._clock
        now = clock.now_ns()
        while (left := time_ns - int(self._watch_ns) - now) > 0:
            on_sleep()
            naps = int(_NAPPING * self._watch_ns)
            asleep = left - naps if left > naps + _NAP_NS else min(left, _NAP_NS)
            clock.sleep(asleep / 1_000_000_000)
            woken = clock.now_ns()
            self._learn(woken - now - asleep)
            now = woken
            if self._stopped():
                break
        return now

    def _learn(self, overslept_ns: int) -> None:
        factor = _LONGER if overslept_ns > self._watch_ns else _SHORTER
        self._watch_ns = min(max(self._watch_ns * factor, MIN_WATCH_NS), MAX_WATCH_NS)
