"""When the frames of a log are due again, and the loop that sends them then.

``Schedule`` turns timestamps into times since the beginning, ``Timetable`` holds the frames that wait,
``Pacer`` sends what is due by a clock that it is given. All deadlines are absolute, so delays never add up.

Source of the rules: canplayer (absolute schedule, re-anchored where stamps go back or a silence is cut)
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
#: a frame that is so much older than the one before was recorded by another clock: the schedule moves;
#: less is the disorder of several recorders, and moves nothing
DISORDER_NS = 10_000_000
#: who is so late was stopped: the schedule starts again from now, instead of flooding the bus
STOPPED_NS = 1_000_000_000
#: from planning the first frame to sending it: what runs for the first time is slow
LEAD_NS = 10_000_000
#: more is read only where the next frame is so far away, or further where the last reading took longer
READ_AHEAD_NS, MAX_READING_NS = 3_000_000, 100_000_000
#: sendings whose lateness is not counted yet
MAX_UNCOUNTED = 64
#: how exactly a wait for input ends
_INPUT_MARGIN_NS = 3_000_000


class Rational(Protocol):
    """An exact number: an int, a ``fractions.Fraction``, a ``Ratio``."""

    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...


class Ratio(NamedTuple):
    """A fraction, without the import of ``fractions`` and all that it needs."""

    numerator: int
    denominator: int


class Schedule:
    """Timestamps of a log to nanoseconds since its replay began, never decreasing.

    ``speed`` is a factor, None ignores the timestamps. ``gap_ns`` is the least time between two frames.
    A silence of more than ``skip_ns`` is cut out: the frame behind it follows at once.
    """

    def __init__(self, speed: Rational | None = 1, *, gap_ns: int = 0, skip_ns: int | None = None) -> None:
        if speed is not None and speed.numerator <= 0:
            raise ValueError("the speed is above 0")
        self._speed = speed
        self._gap_ns = gap_ns
        self._skip_ns = skip_ns
        self._stamp: int | None = None  # the latest so far; None at the beginning of a pass
        self._anchor_stamp = 0
        self._anchor = 0
        self._planned: int | None = None  # of the frame before

    def begin_pass(self) -> None:
        """Let the next frame, the first of the log again, follow the last one at once."""
        self._stamp = None

    def plan(self, stamps: array[int]) -> array[int]:
        """Return when frames with the timestamps ``stamps``, which follow those before, are due."""
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
    """How late frames were, as a histogram: its size does not depend on how many they are.

    Times are kept to about 6 per cent.
    """

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
        """Return the time that ``part`` (0.99) of all frames did not exceed."""
        left = part * self.count
        for index, count in enumerate(self._buckets):
            left -= count
            if count and left <= 0:
                shift = max(0, index // 16 - 1)
                return min(((index - 16 * shift + 1) << shift) - 1, self.maximum_ns)
        return self.maximum_ns


class Part(NamedTuple):
    """Frames that were made ready: their timestamps, and what sends those from one to before another."""

    stamps: array[int]
    send: Callable[[int, int], None]


class Due(NamedTuple):
    """Frames that go together: the rows ``first`` to before ``last``, each planned at one of ``times``."""

    send: Callable[[int, int], None]
    first: int
    last: int
    times: array[int]
    start_ns: int


class Timetable:
    """Frames that wait for their time.

    Attributes:
        waiting: how many there are.
        restarts: how often the schedule was moved, since whoever kept it had been stopped.
        lateness: of all frames taken.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.waiting = 0
        self.restarts = 0
        self.lateness = Lateness()
        self._schedule = schedule
        self._parts: deque[tuple[Part, array[int]]] = deque()
        self._row = 0  # the next one of the first part
        self._start_ns: int | None = None
        self._has_begun = False

    def begin_pass(self) -> None:
        self._schedule.begin_pass()

    def load(self, part: Part, now_ns: Callable[[], int]) -> None:
        """Plan the frames of ``part``; the first of all is due ``LEAD_NS`` after ``now_ns()``."""
        if not len(part.stamps):
            return
        self._parts.append((part, self._schedule.plan(part.stamps)))
        self.waiting += len(part.stamps)
        if self._start_ns is None:
            self._start_ns = now_ns() + LEAD_NS

    @property
    def next_ns(self) -> int | None:
        """When the next frame is due, by the clock; None where none waits."""
        if not self._parts or self._start_ns is None:
            return None
        return self._start_ns + self._parts[0][1][self._row]

    def take_until(self, time_ns: int) -> Due | None:
        """Return frames that are due at ``time_ns`` or before, in order, all of one part; or None.

        The schedule begins when its first frame is taken: the whole would be too short otherwise. It moves
        for who was stopped, who goes on from where it was.
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

    def note_sent(self, due: Due, now_ns: int) -> None:
        """Count how late the frames were that went ``now_ns``."""
        for row in range(due.first, due.last):
            self.lateness.add(now_ns - due.start_ns - due.times[row])


class Pacer:
    """Sends each frame when it is due: what is due together goes together.

    ``stopped`` tells that somebody asked for the end.
    """

    def __init__(self, timetable: Timetable, clock: Clock, stopped: Callable[[], bool]) -> None:
        self._timetable = timetable
        self._clock = clock
        self._stopped = stopped
        self._wait = ExactWait(clock, stopped)
        self._reading_ns = READ_AHEAD_NS  # what it takes, about
        self._uncounted: list[tuple[Due, int]] = []

    def run(self, feed: Iterator[Part | None]) -> None:
        """Send all that ``feed`` yields; None stands for the beginning of another pass."""
        try:
            self._run(feed)
        finally:
            self._count_sent()

    def _run(self, feed: Iterator[Part | None]) -> None:
        ended = False
        while not self._stopped():
            due = self._timetable.next_ns
            if not ended and self._has_time_to_read(due):
                ended = not self._read(feed)
            elif due is None:
                return
            else:
                self._send_at(due)

    def _read(self, feed: Iterator[Part | None]) -> bool:
        """Take one part of the log; return whether there was one."""
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
        """Send what comes due while ``feed`` waits for its input; return in how many seconds more is."""
        while not self._stopped():
            due = self._timetable.next_ns
            if due is None:
                return None
            left = due - self._clock.now_ns() - _INPUT_MARGIN_NS
            if left > 0:
                return left / 1_000_000_000
            self._send_at(due)
        return 0.0

    def _has_time_to_read(self, due: int | None) -> bool:
        if due is None:
            return True
        return self._timetable.waiting < PART_ROWS and due - self._clock.now_ns() > self._reading_ns

    def _send_at(self, time_ns: int) -> None:
        """Send what is due at ``time_ns``, or now if that is past: asleep first, the last moment awake.

        It is counted when there is time: another frame may be due at once.
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
            self._timetable.note_sent(due, now)
        self._uncounted.clear()


_END = Part(array("q"), lambda first, last: None)


def speed(text: str) -> Ratio | None:
    """Return the factor that ``2``, ``0.5`` or ``2x`` says; None for ``max``.

    Raises:
        UsageError: ``text`` is none of these, or 0.
    """
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
    """Return how many times ``3`` says; None for ``i``, without end.

    Raises:
        UsageError: ``text`` is neither, or 0.
    """
    if text.strip() in ("i", "inf", "infinite"):
        return None
    if text.strip().isascii() and text.strip().isdigit() and 0 < int(text) < 1 << 31:
        return int(text)
    raise UsageError(f"bad number of loops {quoted(text)}", hint="a number above 0, or i for no end")
