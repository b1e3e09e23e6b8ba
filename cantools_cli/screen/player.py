"""A log that is played in its own time, stepped through and sought; no clock, thread or screen in it.

``read`` gets the next frames of the log, ``advance`` hands on those that are due at a time that it is told.
To go back is to begin again: the log is read once more, at once, up to the place that was asked for, and so
whoever takes the frames is in the state in which it would have been there.

A position is the time since the first frame, in nanoseconds, by the rules of ``replay.Schedule``.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from cantools_cli.errors import CanError, FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.streams.replay import Ratio, Rational, Schedule

_SECOND_NS = 1_000_000_000
#: who is so late was stopped: it goes on from where it was
STOPPED_NS = _SECOND_NS
_END = (1 << 63) - 1
#: so long before a place the rates are followed by the second; they remember a minute
_APPROACH_NS = 61 * _SECOND_NS


class Audience(Protocol):
    """Who takes the frames."""

    def take(self, batch: MessageBatch, *, is_sought: bool) -> None:
        """Take frames; ``is_sought`` are those that are read only to get to a place."""

    def tick(self, now_ns: int) -> None:
        """Know that the log's time is ``now_ns``: before its first frame, and where a place is sought before
        each second that has frames.
        """

    def restart(self) -> None:
        """Forget all frames: the log begins again."""


class _Goal(NamedTuple):
    """Where to seek to: the last frame at ``position_ns`` or before, and at most so many frames.

    ``about_ns`` is a position that is not before it by more than a few frames.
    """

    position_ns: int
    about_ns: int
    frames: int = _END


def _goal(position_ns: int, total_ns: int | None) -> _Goal:
    position_ns = max(0, position_ns)
    return _Goal(position_ns, position_ns if total_ns is None else min(position_ns, total_ns))


class Player:
    """Plays the log that ``open_log`` opens, each time at its beginning, to ``audience``.

    ``speed`` is a factor, None plays as fast as the log is read. With ``measured`` the log is read to its end
    first, so that its length is known.

    Attributes:
        is_paused: whether it stands still.
        total_ns: the position of the last frame; None as long as nobody came there.
        played: frames handed on since the beginning of the log.
    """

    def __init__(
        self,
        open_log: Callable[[], Iterator[MessageBatch]],
        audience: Audience,
        speed: Rational | None = 1,
        *,
        measured: bool = False,
    ) -> None:
        self.is_paused = False
        self.total_ns: int | None = None
        self._open_log = open_log
        self._audience = audience
        self._speed = speed
        self._share: Rational | None = Ratio(0, 1) if measured else None  # to seek to when the end is known
        self._goal: _Goal | None = None
        self._steps_then = 0  # from the place that is sought
        self._position_ns = 0
        self._at_ns: int | None = None  # when it was there, by the clock; None before the first frame
        self._offset_ns = 0  # from the position to the log's time
        self._is_sought = False  # whether what is handed on is only on the way to a place
        self._begin()

    def _begin(self) -> None:
        self.played = 0
        self._log: Iterator[MessageBatch] | None = None
        self._schedule = Schedule()
        self._batch = MessageBatch()
        self._times = array("q")  # positions of its frames
        self._row = 0  # the next one
        self._is_read = False
        self._last_ns = 0  # position of the last frame read

    # --- where it is ----------------------------------------------------------------------------------

    @property
    def is_seeking(self) -> bool:
        """Whether it is on its way to a place."""
        return self._goal is not None or self._share is not None

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing more to play."""
        return self._is_read and not self._waiting and not self.is_seeking

    @property
    def wants_more(self) -> bool:
        """Whether ``read`` is to be called."""
        return not self._waiting and not self._is_read and (self.is_seeking or not self.is_paused)

    @property
    def _waiting(self) -> int:
        return len(self._times) - self._row

    def position_ns(self, now_ns: int) -> int:
        """Return where it is at ``now_ns`` by the clock."""
        stands = self.is_paused or self.is_seeking or self.has_ended
        if stands or self._at_ns is None or self._speed is None:
            return self._position_ns
        passed = max(0, now_ns - self._at_ns)
        return self._position_ns + passed * self._speed.numerator // self._speed.denominator

    def log_ns(self, now_ns: int) -> int:
        """Return the same as a time of the log."""
        return self.position_ns(now_ns) + self._offset_ns

    # --- where it should be ---------------------------------------------------------------------------

    def pause(self, now_ns: int, *, is_on: bool) -> None:
        """Stand still, or go on."""
        self._settle(self.position_ns(now_ns), now_ns)
        self.is_paused = is_on

    def step(self, now_ns: int, frames: int = 1) -> None:
        """Stand still, so many frames further on, or before where it is now."""
        self.pause(now_ns, is_on=True)
        if self._share is not None or (self._goal is not None and self._goal.frames == _END):
            self._steps_then += frames
        else:
            begin = self._goal or _Goal(_END, self._position_ns, self.played)
            self._seek(begin._replace(frames=max(0, begin.frames + frames)))

    def seek(self, position_ns: int) -> None:
        """Go to a position; behind the end, to the end."""
        self._steps_then = 0
        self._seek(_goal(position_ns, self.total_ns))

    def seek_by(self, now_ns: int, by_ns: int) -> None:
        """Go so far on, or back, from where it is, or is on its way to."""
        going = self._goal.position_ns if self._goal is not None else _END
        self.seek((going if going != _END else self.position_ns(now_ns)) + by_ns)

    def seek_share(self, share: Rational) -> None:
        """Go to a share, from 0 to 1, of the whole; where that is not known, read it first."""
        if self.total_ns is None:
            self._share, self._steps_then = share, 0
        else:
            self.seek(self.total_ns * share.numerator // share.denominator)

    def seek_time(self, time_ns: int) -> None:
        """Go to a time of the log, as its frames say it."""
        self.seek(time_ns - self._offset_ns)

    def _seek(self, goal: _Goal) -> None:
        was_passed_over, self._share = self._share is not None, None
        self._goal = goal
        goes_back = goal.position_ns < self._position_ns or goal.frames < self.played
        self._is_sought = goes_back or goal.position_ns != _END
        if goes_back or was_passed_over:
            self._rewind()

    def _rewind(self) -> None:
        self._begin()
        self._position_ns = 0
        self._audience.restart()

    def _settle(self, position_ns: int, now_ns: int) -> None:
        self._position_ns, self._at_ns = position_ns, now_ns

    # --- going there ----------------------------------------------------------------------------------

    def read(self) -> None:
        """Get the next frames of the log.

        Raises:
            CanError, FormatError, UsageError, OSError: why there are no more; what came before is played.
        """
        try:
            if self._log is None:
                self._log = self._open_log()
            batch = next(self._log, None)
        except (CanError, FormatError, UsageError, OSError):
            self._finish_reading()
            if self._share is None:  # else it is only measured: whoever comes there will be told
                raise
            return
        if batch is None:
            self._finish_reading()
        elif len(batch):
            self._batch, self._row = batch, 0
            self._times = self._schedule.plan(batch.timestamp_ns)
            self._last_ns = self._times[-1]
            if not self.played:
                self._offset_ns = batch.timestamp_ns[0] - self._times[0]

    def _finish_reading(self) -> None:
        self._is_read = True
        self.total_ns = self._last_ns

    def advance(self, now_ns: int) -> int | None:
        """Hand on what is due, or a part of the way to the place that is sought.

        Returns:
            in how many nanoseconds more is due, by the clock; 0 to go on at once, with ``read`` if
            ``wants_more``; None where nothing is, until somebody asks for something else.
        """
        if self._share is not None:
            return self._measure()
        if self._goal is not None:
            return self._approach(self._goal, now_ns)
        if self.is_paused:
            return None
        if not self._waiting:
            return None if self._is_read else 0
        return self._play_due(now_ns)

    def _play_due(self, now_ns: int) -> int | None:
        if self._at_ns is None:
            self._at_ns = now_ns
        position, due = self.position_ns(now_ns), self._times[self._row]
        if self._speed is None:
            position = self._last_ns
        elif (position - due) * self._speed.denominator > STOPPED_NS * self._speed.numerator:
            position = due
        self._settle(position, now_ns)
        self._hand_on(bisect_right(self._times, position, self._row))
        if not self._waiting:
            if self._is_read:
                self._position_ns = self._last_ns
            return 0
        left = self._times[self._row] - position
        return -(-left * self._speed.denominator // self._speed.numerator) if self._speed is not None else 0

    def _measure(self) -> int:
        """Pass over what was read, then go to the share of the whole that is known by then."""
        self._row = len(self._times)
        if self._is_read and self._share is not None and self.total_ns is not None:
            share = self._share
            self._seek(_goal(self.total_ns * share.numerator // share.denominator, self.total_ns))
        return 0

    def _approach(self, goal: _Goal, now_ns: int) -> int:
        """Hand on the frames of a second at most, or while it is far away all that were read."""
        if self._waiting:
            last = min(bisect_right(self._times, goal.position_ns, self._row), self._row_of(goal))
            if last > self._row:
                begin = self._times[self._row] // _SECOND_NS * _SECOND_NS
                until = max(begin + _SECOND_NS, goal.about_ns - _APPROACH_NS)
                self._position_ns = self._times[self._row]
                self._audience.tick(begin + self._offset_ns)
                self._hand_on(min(last, bisect_left(self._times, until, self._row)))
                self._position_ns = self._times[self._row - 1]
            if self._row < last or (not self._waiting and self.played < goal.frames):
                return 0
        elif not self._is_read and self.played < goal.frames:
            return 0
        self._goal, self._is_sought = None, False
        place = self._position_ns if goal.position_ns == _END else goal.position_ns
        self._settle(min(place, self._last_ns) if self._is_read and not self._waiting else place, now_ns)
        if self._steps_then:
            steps, self._steps_then = self._steps_then, 0
            self._seek(_Goal(_END, self._position_ns, max(0, self.played + steps)))
        return 0

    def _row_of(self, goal: _Goal) -> int:
        return min(len(self._times), self._row + goal.frames - self.played)

    def _hand_on(self, last: int) -> None:
        """Hand on the frames up to before the row ``last``."""
        first, self._row = self._row, last
        if last > first:
            if not self.played:
                self._audience.tick(self._batch.timestamp_ns[0])
            self.played += last - first
            self._offset_ns = self._batch.timestamp_ns[last - 1] - self._times[last - 1]
            self._audience.take(self._batch.part(first, last), is_sought=self._is_sought)
