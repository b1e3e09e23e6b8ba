"""Playing a log: paused, stepped through or sought, without clock, thread or screen.

``read`` gets the next frames of the log, ``advance`` passes on those that are due at a given time. To seek
backwards, the log is read again from its start up to the target, so that the audience ends in the same state
as if the log had been played to there.

A position is the time since the first frame, in nanoseconds, by the rules of ``replay.Schedule``.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from cantools_cli.errors import CanError, FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.streams.replay import Ratio, Rational, ReplaySchedule

_SECOND_NS = 1_000_000_000
#: a delay of more than this means that the process was stopped: playing resumes where it stopped
STOPPED_NS = _SECOND_NS
_END = (1 << 63) - 1
#: from this time before the target, frames are passed on second by second: the rates cover a minute
_APPROACH_NS = 61 * _SECOND_NS


class Audience(Protocol):
    """The receiver of the frames; ``is_sought`` marks those that are only read on the way to a target.

    ``tick`` notes the time of the log: before its first frame and, while seeking, in each second with frames.
    """

    def take(self, batch: MessageBatch, *, is_sought: bool) -> None: ...
    def tick(self, now_ns: int) -> None: ...
    def restart(self) -> None: ...


class _Goal(NamedTuple):
    """The target of a seek: the last frame up to ``position_ns``, but at most ``frames`` frames.

    ``about_ns`` is an estimate of the target's position, at most a few frames too early.
    """

    position_ns: int
    about_ns: int
    frames: int = _END


def _goal(position_ns: int, total_ns: int | None) -> _Goal:
    position_ns = max(0, position_ns)
    return _Goal(position_ns, position_ns if total_ns is None else min(position_ns, total_ns))


class Player:
    """Plays a log to ``audience``; each call of ``open_log`` opens it at its start.

    ``speed`` is a factor; None plays as fast as the log can be read. With ``measured`` the log is first read
    to its end, to find its length.

    Attributes:
        total_ns: the position of the last frame; None until it is known.
        played: number of frames passed on since the start of the log.
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
        self._share: Rational | None = Ratio(0, 1) if measured else None  # target once the length is known
        self._goal: _Goal | None = None
        self._steps_then = 0  # steps to take after the target is reached
        self._position_ns = 0
        self._at_ns: int | None = None  # clock time of that position; None before the first frame
        self._offset_ns = 0  # time of the log minus position
        self._is_sought = False  # whether frames are only passed on the way to a target
        self._begin()

    def _begin(self) -> None:
        self.played = 0
        self._log: Iterator[MessageBatch] | None = None
        self._schedule = ReplaySchedule()
        self._batch = MessageBatch()
        self._times = array("q")  # positions of the frames in the batch
        self._row = 0  # the next row
        self._is_read = False
        self._last_ns = 0  # position of the last frame read

    @property
    def is_seeking(self) -> bool:
        """Whether a seek is in progress."""
        return self._goal is not None or self._share is not None

    @property
    def has_ended(self) -> bool:
        """Whether the log was played to its end."""
        return self._is_read and not self._waiting and not self.is_seeking

    @property
    def wants_more(self) -> bool:
        """Whether ``read`` should be called."""
        return not self._waiting and not self._is_read and (self.is_seeking or not self.is_paused)

    @property
    def _waiting(self) -> int:
        return len(self._times) - self._row

    def position_ns(self, now_ns: int) -> int:
        """Return the position at clock time ``now_ns``."""
        stands = self.is_paused or self.is_seeking or self.has_ended
        if stands or self._at_ns is None or self._speed is None:
            return self._position_ns
        passed = max(0, now_ns - self._at_ns)
        return self._position_ns + passed * self._speed.numerator // self._speed.denominator

    def log_ns(self, now_ns: int) -> int:
        """Return the time of the log at clock time ``now_ns``."""
        return self.position_ns(now_ns) + self._offset_ns

    def pause(self, now_ns: int, *, is_on: bool) -> None:
        """Pause or resume."""
        self._settle(self.position_ns(now_ns), now_ns)
        self.is_paused = is_on

    def step(self, now_ns: int, frames: int = 1) -> None:
        """Pause, ``frames`` frames after the current one; negative goes back."""
        self.pause(now_ns, is_on=True)
        if self._share is not None or (self._goal is not None and self._goal.frames == _END):
            self._steps_then += frames
        else:
            begin = self._goal or _Goal(_END, self._position_ns, self.played)
            self._seek(begin._replace(frames=max(0, begin.frames + frames)))

    def seek(self, position_ns: int) -> None:
        """Seek to a position, at most to the end."""
        self._steps_then = 0
        self._seek(_goal(position_ns, self.total_ns))

    def seek_by(self, now_ns: int, by_ns: int) -> None:
        """Seek relative to the current position, or to the target of a seek in progress."""
        going = self._goal.position_ns if self._goal is not None else _END
        self.seek((going if going != _END else self.position_ns(now_ns)) + by_ns)

    def seek_share(self, share: Rational) -> None:
        """Seek to a share of the log, from 0 to 1; reads the log first if its length is unknown."""
        if self.total_ns is None:
            self._share, self._steps_then = share, 0
        else:
            self.seek(self.total_ns * share.numerator // share.denominator)

    def seek_time(self, time_ns: int) -> None:
        """Seek to a timestamp."""
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

    def read(self) -> None:
        """Read the next frames of the log.

        Raises:
            CanError, FormatError, UsageError, OSError: the log cannot be read further; frames before the
                error are still played.
        """
        try:
            if self._log is None:
                self._log = self._open_log()
            batch = next(self._log, None)
        except (CanError, FormatError, UsageError, OSError):
            self._finish_reading()
            if self._share is None:  # else the log is only measured, and the error is raised again later
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
        """Pass on the frames that are due, or do a part of a seek.

        Returns:
            the nanoseconds until the next frame is due; 0 to continue immediately, with ``read`` if
            ``wants_more``; None to wait for the next request.
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
        """Skip the frames read; at the end of the log, seek to the requested share of its length."""
        self._row = len(self._times)
        if self._is_read and self._share is not None and self.total_ns is not None:
            share = self._share
            self._seek(_goal(self.total_ns * share.numerator // share.denominator, self.total_ns))
        return 0

    def _approach(self, goal: _Goal, now_ns: int) -> int:
        """Pass on the frames of one second, or all frames read while the target is far away."""
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
        """Pass on the frames up to row ``last - 1``."""
        first, self._row = self._row, last
        if last > first:
            if not self.played:
                self._audience.tick(self._batch.timestamp_ns[0])
            self.played += last - first
            self._offset_ns = self._batch.timestamp_ns[last - 1] - self._times[last - 1]
            self._audience.take(self._batch.part(first, last), is_sought=self._is_sought)
