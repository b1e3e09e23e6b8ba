"""Exact waiting: a sleep, then a busy-wait.

A sleep ends some 0.1 ms late, or several milliseconds late in a virtual machine whose host gives the
processor away meanwhile. Short sleeps keep the processor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

#: bounds of the busy-wait
MIN_WATCH_NS, MAX_WATCH_NS = 200_000, 5_000_000
#: Tuned so that 1 sleep in 200 overruns: an overrun lengthens the busy-wait by half, any other sleep shortens
#: it slightly.
_LONGER, _SHORTER = 1.5, 1 - 0.5 / 199
#: the time of short sleeps before the busy-wait, as a multiple of it
_NAPPING = 4
_NAP_NS = 500_000


class Clock(Protocol):
    """A monotonic clock, and a sleep that may end early."""

    def now_ns(self) -> int: ...
    def sleep(self, seconds: float) -> None: ...


class ExactWait:
    """Sleeps until shortly before a time, as close as sleeping proved to be reliable.

    The wait ends if ``stopped`` returns true after a sleep.
    """

    def __init__(self, clock: Clock, stopped: Callable[[], bool]) -> None:
        self._clock = clock
        self._stopped = stopped
        self._watch_ns = float(MIN_WATCH_NS)

    def sleep_until_nearly(self, time_ns: int, on_sleep: Callable[[], None]) -> int:
        """Sleep until shortly before ``time_ns``, unless it has passed; return the time.

        ``on_sleep`` is called before each sleep.
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
