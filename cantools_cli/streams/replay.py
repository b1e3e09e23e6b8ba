"""Replaying a log: the schedule of its frames, and the loop that sends them.

``ReplaySchedule`` converts timestamps to times since the start of the replay, ``Timetable`` holds the queued
frames, ``Pacer`` sends frames when they are due. All deadlines are absolute, so delays do not add up.

Source of the rules: canplayer (absolute schedule, re-anchored if timestamps go back or a silence is cut)
and python-can's player (a gap between frames), as far as they agree; see the manual page.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from cantools_cli.errors import UsageError, quoted
from cantools_cli.periodic.exact_wait import Clock, ExactWait

#: frames planned and held at once; planning them takes 0.3 ms
PART_ROWS = 1024
#: timestamps that go back by more than this come from another clock and re-anchor the schedule; smaller
#: steps are the disorder of several recorders and do not
DISORDER_NS = 10_000_000
#: a delay of more than this means that the process was stopped: the schedule is shifted, instead of
#: flooding the bus with overdue frames
STOPPED_NS = 1_000_000_000
#: time between planning the first frame and sending it, since code is slow when it runs for the first time
LEAD_NS = 10_000_000
#: minimum time until the next frame for reading more of the log; adapts to slow reads, up to the maximum
READ_AHEAD_NS, MAX_READING_NS = 3_000_000, 100_000_000
#: sent groups of frames whose lateness may be pending
MAX_UNCOUNTED = 64
#: accuracy of a wait for input
_INPUT_MARGIN_NS = 3_000_000


class Rational(Protocol):
    """An exact number: an int, a ``fractions.Fraction``, a ``Ratio``."""

    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...


class Ratio(NamedTuple):
    """A fraction; importing ``fractions`` would slow start-up."""

    numerator: int
    denominator: int


class ReplaySchedule:
    """Converts timestamps of a log to nanoseconds since the start of its replay, never decreasing.

    ``speed`` is a factor; None ignores the timestamps. ``gap_ns`` is the minimum time between two frames.
    A silence of more than ``skip_ns`` is cut: the frame after it follows immediately.
    """

    def __init__(self, speed: Rational | None = 1, *, gap_ns: int = 0, skip_ns: int | None = None) -> None:
        if speed is not None and speed.numerator <= 0:
            raise ValueError("the speed must be above 0")
        self._speed = speed
        self._gap_ns = gap_ns
        self._skip_ns = skip_ns
        self._stamp: int | None = None  # the latest timestamp so far; None at the start of a pass
        self._anchor_stamp = 0
        self._anchor = 0
        self._planned: int | None = None  # due time of the previous frame

    def begin_pass(self) -> None:
        """Start the log again: its first frame directly follows the last one of the previous pass."""
        self._stamp = None

    def plan(self, stamps: array[int]) -> array[int]:
        """Return the due times of the next frames, whose timestamps are ``stamps``."""
        planned = array("q", bytes(8 * len(stamps)))
        if self._speed is None:
            scale, parts = 0, 1
        else:
            scale, parts = self._speed.denominator, self._speed.numerator
        gap, skip = self._gap_ns, self._skip_ns
        last, stamp = self._planned, self._stamp
        for row, time in enumerate(stamps):
            earliest = 0 if last is None else last + gap
            if stamp is None or time < stamp - DISORDER_NS or (skip is not None and time - stamp > skip):
                self._anchor_stamp, self._anchor = time, earliest
                stamp = time
            elif time > stamp:
                stamp = time
            due = self._anchor + (time - self._anchor_stamp) * scale // parts
            last = planned[row] = due if due > earliest else earliest
        self._planned, self._stamp = last, stamp
        return planned


class Lateness:
    """A histogram of delays, of constant size, with a resolution of about 6 %."""

    def __init__(self) -> None:
        self.count = 0
        self.total_ns = 0
        self.maximum_ns = 0
        self._buckets = [0] * (64 * 16)

    def add(self, late_ns: int) -> None:
        late_ns = max(0, late_ns)
        self.count += 1
        self.total_ns += late_ns
        self.maximum_ns = max(self.maximum_ns, late_ns)
        shift = max(0, late_ns.bit_length() - 5)  # 16 steps between two powers of two
        self._buckets[16 * shift + (late_ns >> shift)] += 1

    @property
    def mean_ns(self) -> float:
        return self.total_ns / self.count if self.count else 0.0

    def percentile_ns(self, part: float) -> int:
        """Return the delay that the share ``part`` of all frames (such as 0.99) did not exceed."""
        left = part * self.count
        for index, count in enumerate(self._buckets):
            left -= count
            if count and left <= 0:
                shift = max(0, index // 16 - 1)
                return min(((index - 16 * shift + 1) << shift) - 1, self.maximum_ns)
        return self.maximum_ns


class LogPart(NamedTuple):
    """Frames ready to send: their timestamps, and a callable that sends rows ``first`` to ``last - 1``."""

    stamps: array[int]
    send: Callable[[int, int], None]


class Due(NamedTuple):
    """Frames to send together: the rows ``first`` to ``last - 1``, with their planned ``times``."""

    send: Callable[[int, int], None]
    first: int
    last: int
    times: array[int]
    start_ns: int


class Timetable:
    """The queue of planned frames."""

    def __init__(self, schedule: ReplaySchedule) -> None:
        self.waiting = 0
        self.restarts = 0  #: number of times the schedule was shifted because the process had been stopped
        self.lateness = Lateness()
        self._schedule = schedule
        self._parts: deque[tuple[LogPart, array[int]]] = deque()
        self._row = 0  # the next row of the first part
        self._start_ns: int | None = None
        self._has_begun = False

    def begin_pass(self) -> None:
        self._schedule.begin_pass()

    def load(self, part: LogPart, now_ns: Callable[[], int]) -> None:
        """Plan the frames of ``part``; the first one of the replay is due ``LEAD_NS`` after ``now_ns()``."""
        if not len(part.stamps):
            return
        self._parts.append((part, self._schedule.plan(part.stamps)))
        self.waiting += len(part.stamps)
        if self._start_ns is None:
            self._start_ns = now_ns() + LEAD_NS

    @property
    def next_ns(self) -> int | None:
        """When the next frame is due, by the clock; None if the queue is empty."""
        if not self._parts or self._start_ns is None:
            return None
        return self._start_ns + self._parts[0][1][self._row]

    def take_until(self, time_ns: int) -> Due | None:
        """Return the frames of one part that are due at ``time_ns`` or earlier, None if there are none.

        The schedule starts with the first frame taken, or the replay would be too short. After a stall it is
        shifted, so that the replay resumes where it stopped.
        """
        first = self.next_ns
        if first is None or self._start_ns is None:
            return None
        late_ns = time_ns - first
        if late_ns > STOPPED_NS or (late_ns > 0 and not self._has_begun):
            self._start_ns += late_ns
            self.restarts += self._has_begun
        self._has_begun = True
        part, times = self._parts[0]
        row, end = self._row, bisect_right(times, time_ns - self._start_ns, self._row)
        if end == row:
            return None
        if end < len(times):
            self._row = end
        else:
            self._parts.popleft()
            self._row = 0
        self.waiting -= end - row
        return Due(part.send, row, end, times, self._start_ns)


class Pacer:
    """Sends frames when they are due, those due at once in one call, until ``stopped`` returns true."""

    def __init__(self, timetable: Timetable, clock: Clock, stopped: Callable[[], bool]) -> None:
        self._timetable = timetable
        self._clock = clock
        self._stopped = stopped
        self._wait = ExactWait(clock, stopped)
        self._reading_ns = READ_AHEAD_NS  # estimated time for reading the next part
        self._uncounted: list[tuple[Due, int]] = []

    def run(self, feed: Iterator[LogPart | None]) -> None:
        """Send all parts that ``feed`` yields; None marks the start of another pass."""
        try:
            self._run(feed)
        finally:
            self._count_sent()

    def _run(self, feed: Iterator[LogPart | None]) -> None:
        ended = False
        while not self._stopped():
            due = self._timetable.next_ns
            has_time = due is None or (
                self._timetable.waiting < PART_ROWS and due - self._clock.now_ns() > self._reading_ns
            )
            if not ended and has_time:
                ended = not self._read(feed)
            elif due is None:
                return
            else:
                self._send_at(due)

    def _read(self, feed: Iterator[LogPart | None]) -> bool:
        """Read the next part of the log; return False at its end."""
        before = self._clock.now_ns()
        part = next(feed, _END)
        if part is _END:
            return False
        if part is None:
            self._timetable.begin_pass()
        else:
            self._timetable.load(part, self._clock.now_ns)
        took = self._clock.now_ns() - before
        self._reading_ns = min(max(took * 3 // 2, READ_AHEAD_NS), MAX_READING_NS)
        return True

    def idle(self) -> float | None:
        """Send frames that are due while ``feed`` waits for input; return the seconds until the next one."""
        while not self._stopped():
            due = self._timetable.next_ns
            if due is None:
                return None
            left = due - self._clock.now_ns() - _INPUT_MARGIN_NS
            if left > 0:
                return left / 1_000_000_000
            self._send_at(due)
        return 0.0

    def _send_at(self, time_ns: int) -> None:
        """Sleep until shortly before ``time_ns``, busy-wait for the rest, and send the frames due.

        Delays are counted later, since another frame may be due immediately.
        """
        clock = self._clock
        now = self._wait.sleep_until_nearly(time_ns, self._count_sent)
        if now < time_ns and self._stopped():
            return
        due = self._timetable.take_until(max(time_ns, now))
        if due is None:
            return
        while now < time_ns:
            now = clock.now_ns()
        due.send(due.first, due.last)
        self._uncounted.append((due, now))
        if len(self._uncounted) > MAX_UNCOUNTED:
            self._count_sent()

    def _count_sent(self) -> None:
        for due, now in self._uncounted:
            for row in range(due.first, due.last):
                self._timetable.lateness.add(now - due.start_ns - due.times[row])
        self._uncounted.clear()


_END = LogPart(array("q"), lambda first, last: None)


def speed(text: str) -> Ratio | None:
    """Parse a factor such as ``2``, ``0.5`` or ``2x``; return None for ``max``."""
    if text.strip().lower() == "max":
        return None
    number = text.strip().removesuffix("x")
    whole, _, fraction = number.partition(".")
    if (whole + fraction).isascii() and (whole + fraction).isdigit() and len(number) <= 18:
        factor = Ratio(int(whole + fraction), 10 ** len(fraction))
        if factor.numerator:
            return factor
    raise UsageError(f"bad speed {quoted(text)}", hint="a factor above 0, such as 2 or 0.5, or max")


def loops(text: str) -> int | None:
    """Parse a number of passes; return None for ``i``, without end."""
    if text.strip() in ("i", "inf", "infinite"):
        return None
    if text.strip().isascii() and text.strip().isdigit() and 0 < int(text) < 1 << 31:
        return int(text)
    raise UsageError(f"bad number of loops {quoted(text)}", hint="a number above 0, or i for endless")
