"""The epoch times of events, which the driver stamps in nanoseconds of its own clocks."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence

from cantools_cli.backends.transport.device_clock import DeviceClock

_MODULUS = 1 << 64
_MAX_DIFFERENCE_NS = 5_000_000_000  # of a frame that did not wait, beyond which its stamp is of another clock


class DriverClock:
    """A clock of the driver, which ``read`` returns in ns, None if it cannot be read.

    Reading it with the frames tells how long they waited: a program may leave them in the queue for hours.
    If it disagrees with the stamps of fresh frames, these alone set the time.
    """

    def __init__(self, read: Callable[[], int | None]) -> None:
        self._read: Callable[[], int | None] | None = read
        self._clock = DeviceClock(_MODULUS, 1)
        self.restart()

    def restart(self) -> None:
        """Compare the clock with the computer's anew."""
        reading = self._now()
        if reading is not None:
            self._clock = DeviceClock(_MODULUS, 1)
            self._clock.anchor(*reading)

    def _now(self) -> tuple[int, int] | None:
        """Return the clock and the monotonic time at which it was read."""
        before = time.monotonic_ns()
        count = None if self._read is None else self._read()
        return None if count is None else (count, (before + time.monotonic_ns()) // 2)

    def times_ns(self, stamps: Sequence[int], *, are_fresh: bool) -> array[int]:
        """Return the times of frames; ``are_fresh`` if none of them waited in the queue."""
        reading = self._now()
        if reading is not None and are_fresh and abs(reading[0] - stamps[-1]) > _MAX_DIFFERENCE_NS:
            from logging import getLogger

            text = "vector: the stamps of frames are %.0f s off the driver's clock, which is ignored now"
            getLogger("can").warning(text, (stamps[-1] - reading[0]) / 1e9)
            self._read = reading = None
            self._clock = DeviceClock(_MODULUS, 1)
        if reading is None:
            return self._clock.times_ns(stamps, may_be_old=not are_fresh)
        count, read_at = reading
        return self._clock.times_ns(stamps, read_at, counter=count)


class PortClock:
    """The clocks of the channels of a port: one for all, or one for each."""

    def __init__(self, clocks: Sequence[DriverClock]) -> None:
        self._clocks = clocks

    def restart(self) -> None:
        for clock in self._clocks:
            clock.restart()

    def times_ns(self, stamps: array[int], slots: Sequence[int], *, are_fresh: bool) -> array[int]:
        """Return the times of frames; ``slots`` are the places of their channels."""
        if len(self._clocks) == 1:
            return self._clocks[0].times_ns(stamps, are_fresh=are_fresh)
        times = array("q", stamps)
        for slot in {*slots}:
            rows = [row for row, place in enumerate(slots) if place == slot]
            clock = self._clocks[min(slot, len(self._clocks) - 1)]
            part = clock.times_ns([stamps[row] for row in rows], are_fresh=are_fresh)
            for row, value in zip(rows, part, strict=True):
                times[row] = value
        return times
