"""The epoch times of frames that a controller stamps with ticks of its own timer."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress

from cantools_cli.errors import CanOperationError

_NANO = 1_000_000_000
_ANCHOR_NS = _NANO  # between two readings of the timer, against the drift of its quartz
_MAX_ERROR_NS = 60 * _NANO


class TimerClock:
    """Maps ticks of a timer of ``frequency`` Hz to nanoseconds since the epoch.

    ``read`` returns the timer's value. It is read again every second, so that frames have exact times
    however long they were queued. Steps of the computer's clock after the start have no effect. Frames with
    impossible times get the time of their arrival. For one thread.
    """

    def __init__(self, frequency: int, read: Callable[[], int], name: str) -> None:
        self._frequency = frequency
        self._read = read
        self._name = name
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._opened_ns = time.monotonic_ns() + self._epoch_ns
        self._latest = (0, 0)  # the last ticks and their time
        self._has_warned = False
        self._anchor()

    def _anchor(self) -> None:
        """Read the timer between two readings of the computer's clock."""
        before = time.monotonic_ns()
        ticks = self._read()
        after = time.monotonic_ns()
        self._offset_ns = (before + after) // 2 + self._epoch_ns - ticks * _NANO // self._frequency
        self._anchored_ns = after

    def times_ns(self, ticks: Sequence[int]) -> array[int]:
        """Return the times of frames that were read together."""
        now = time.monotonic_ns()
        if not ticks:
            return array("q")
        if now - self._anchored_ns >= _ANCHOR_NS:
            with suppress(CanOperationError):  # a lost controller still has frames in the queue
                self._anchor()
        frequency, offset = self._frequency, self._offset_ns
        counted = [tick * _NANO // frequency + offset for tick in ticks]
        now += self._epoch_ns
        if min(counted) < self._opened_ns - _MAX_ERROR_NS or max(counted) > now + _MAX_ERROR_NS:
            self._warn()
            return array("q", [now]) * len(ticks)
        times = array("q", counted)
        latest, floor = self._latest
        if times[0] < floor:  # the timer was read again: no frame goes back before an earlier one
            times = array(
                "q", [max(at, floor) if tick >= latest else at for tick, at in zip(ticks, times, strict=True)]
            )
        self._latest = ticks[-1], times[-1]
        return times

    def _warn(self) -> None:
        if not self._has_warned:
            import logging

            self._has_warned = True
            logging.getLogger("can").warning(
                "%s: the controller's timer is wrong; frames get the time of their arrival", self._name
            )
