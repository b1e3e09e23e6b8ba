from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.streams.replay import (
    DISORDER_NS,
    LEAD_NS,
    PART_ROWS,
    STOPPED_NS,
    Lateness,
    LogPart,
    Pacer,
    ReplaySchedule,
    Timetable,
    loops,
    speed,
)

MS = 1_000_000
S = 1_000_000_000


class FakeClock:
    """A clock that moves by 1 µs when it is looked at, and as far as it is told by a sleep."""

    def __init__(self) -> None:
        self.time = 7 * S
        self.slept: list[float] = []
        self.oversleeps: Callable[[float], int] = lambda seconds: 0

    def now_ns(self) -> int:
        self.time += 1000
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += round(seconds * S) + self.oversleeps(seconds)


def plan(schedule: ReplaySchedule, *stamps: int) -> list[int]:
    return list(schedule.plan(array("q", stamps)))


def batch_at(*stamps: int) -> MessageBatch:
    batch = MessageBatch()
    for number, stamp in enumerate(stamps):
        message = Message(arbitration_id=number, is_extended_id=True)
        message.timestamp_ns = stamp
        batch.append(message)
    return batch


def part_of(batch: MessageBatch, send: Callable[[list[int]], Any]) -> LogPart:
    """Return the frames of ``batch``; ``send`` takes the timestamps of those that go together."""
    return LogPart(batch.timestamp_ns, lambda first, last: send(list(batch.timestamp_ns[first:last])))


def replayed(
    clock: FakeClock, schedule: ReplaySchedule, *feed: MessageBatch | None, after: Callable[[], Any] = bool
) -> tuple[list[tuple[int, list[int]]], Timetable]:
    """Return (time since the beginning, timestamps sent together) of each sending, and the timetable."""
    timetable = Timetable(schedule)
    began: list[int] = []
    sent: list[tuple[int, list[int]]] = []

    def send(stamps: list[int]) -> None:
        began.append(clock.time)
        sent.append((clock.time - began[0], stamps))
        after()

    parts = (batch if batch is None else part_of(batch, send) for batch in feed)
    Pacer(timetable, clock, lambda: False).run(parts)
    return sent, timetable


# The rows: schedule, timestamps, when each is due. The semantics are canplayer's unless it says otherwise.
PLANS = {
    "own timing": (ReplaySchedule(), [5 * S, 6 * S, 8 * S], [0, 1 * S, 3 * S]),
    "equal stamps go together": (ReplaySchedule(), [5, 5, 5], [0, 0, 0]),
    "before 1970": (ReplaySchedule(), [-5 * S, -4 * S], [0, 1 * S]),
    "twice as fast": (ReplaySchedule(Fraction(2)), [0, 4 * S], [0, 2 * S]),
    "half as fast": (ReplaySchedule(Fraction(1, 2)), [0, 4 * S], [0, 8 * S]),
    "a third as fast does not drift": (ReplaySchedule(Fraction(3)), [0, 1, 2, 3 * S], [0, 0, 0, S]),
    "stamps that go back re-anchor": (ReplaySchedule(), [9 * S, 10 * S, 2 * S, 3 * S], [0, S, S, 2 * S]),
    "slight disorder does not": (ReplaySchedule(), [0, 2 * MS, MS, 3 * MS], [0, 2 * MS, 2 * MS, 3 * MS]),
    "a long silence is cut": (ReplaySchedule(skip_ns=S), [0, S, 9 * S, 10 * S], [0, S, S, 2 * S]),
    "a silence of just the limit is kept": (ReplaySchedule(skip_ns=S), [0, S, 2 * S], [0, S, 2 * S]),
    "a skip is of the log's time": (
        ReplaySchedule(Fraction(2), skip_ns=S),
        [0, S, 3 * S],
        [0, S // 2, S // 2],
    ),
    "a gap is the least": (ReplaySchedule(gap_ns=MS), [0, 0, 0, S], [0, MS, 2 * MS, S]),
    "python-can: a gap alone": (ReplaySchedule(None, gap_ns=MS), [0, S, 0, 9 * S], [0, MS, 2 * MS, 3 * MS]),
    "no time at all": (ReplaySchedule(None), [0, S, 9 * S], [0, 0, 0]),
}


@pytest.mark.parametrize(("schedule", "stamps", "due"), PLANS.values(), ids=PLANS)
def test_when_frames_are_due(schedule, stamps, due):
    assert plan(schedule, *stamps) == due


@given(st.lists(st.integers(0, 30 * S), max_size=40), st.integers(0, 40))
def test_any_cut_into_batches_gives_the_same_schedule(stamps, cut):
    def schedule() -> ReplaySchedule:
        return ReplaySchedule(Fraction(3, 2), gap_ns=MS, skip_ns=5 * S)

    whole, parts = schedule(), schedule()
    assert plan(whole, *stamps) == plan(parts, *stamps[:cut]) + plan(parts, *stamps[cut:])


@given(st.lists(st.integers(-S, 30 * S), max_size=40))
def test_a_schedule_never_goes_back(stamps):
    due = plan(ReplaySchedule(), *stamps)
    assert due == sorted(due)


@given(st.lists(st.integers(0, DISORDER_NS), min_size=1, max_size=40))
def test_slightly_unordered_timestamps_add_no_delay(offsets):
    stamps = [number * MS + offset for number, offset in enumerate(offsets)]
    last = max(stamps)
    assert plan(ReplaySchedule(), *stamps, last)[-1] <= last - stamps[0] + DISORDER_NS


def test_another_pass_follows_immediately():
    schedule = ReplaySchedule()
    assert plan(schedule, 0, S) == [0, S]
    schedule.begin_pass()
    assert plan(schedule, 0, S) == [S, 2 * S]


def test_a_gap_holds_between_passes():
    schedule = ReplaySchedule(gap_ns=MS)
    plan(schedule, 0)
    schedule.begin_pass()
    assert plan(schedule, 0) == [MS]


def test_frames_due_together_are_sent_together():
    sent, _ = replayed(FakeClock(), ReplaySchedule(), batch_at(0, 0, S), batch_at(S, S, 2 * S))
    assert [stamps for _, stamps in sent] == [[0, 0], [S], [S, S], [2 * S]]  # as far as they came together


def test_each_frame_is_sent_within_one_reading_of_the_clock():
    clock = FakeClock()
    sent, timetable = replayed(clock, ReplaySchedule(), batch_at(*range(0, 50 * MS, MS)))
    assert all(abs(time - stamps[0]) <= 3000 for time, stamps in sent)
    assert timetable.lateness.maximum_ns <= 3000


def test_a_late_wake_up_within_the_margin_does_not_delay_frames():
    clock = FakeClock()
    clock.oversleeps = lambda seconds: 200_000  # as an operating system does
    sent, _ = replayed(clock, ReplaySchedule(), batch_at(*range(0, 100 * MS, 10 * MS)))
    assert clock.slept
    assert all(abs(time - stamps[0]) <= 5000 for time, stamps in sent)


def test_a_late_wake_up_does_not_delay_later_frames():
    clock = FakeClock()
    lates = iter([0, 0, 0, 700 * MS])
    clock.oversleeps = lambda seconds: next(lates, 0)
    sent, timetable = replayed(clock, ReplaySchedule(), batch_at(0, 100 * MS, 200 * MS, 900 * MS))
    assert [stamps for _, stamps in sent] == [[0], [100 * MS, 200 * MS], [900 * MS]]
    assert abs(sent[-1][0] - 900 * MS) <= 5000
    assert timetable.restarts == 0


def test_after_a_stall_it_resumes_where_it_stopped():
    clock = FakeClock()
    lates = iter([0, 0, 0, 60 * S])
    clock.oversleeps = lambda seconds: next(lates, 0)
    stamps = range(0, 90 * S, S)
    sent, timetable = replayed(clock, ReplaySchedule(), batch_at(*stamps))
    assert [len(together) for _, together in sent] == [1] * 90
    assert timetable.restarts == 1
    assert timetable.lateness.maximum_ns < STOPPED_NS


def test_a_slow_bus_does_not_shift_the_schedule():
    clock = FakeClock()

    def slow() -> None:
        clock.time += 15 * MS

    sent, _ = replayed(clock, ReplaySchedule(), batch_at(*range(0, 100 * MS, 10 * MS), S), after=slow)
    assert abs(sent[-1][0] - S) <= 5000


def test_the_log_is_read_ahead_within_limits():
    clock, held = FakeClock(), []
    timetable = Timetable(ReplaySchedule())

    def feed() -> Iterator[LogPart]:
        for first in range(20):
            held.append(timetable.waiting)
            yield part_of(batch_at(*range(first * 9 * S, (first + 1) * 9 * S, 10 * MS)), bool)

    Pacer(timetable, clock, lambda: False).run(feed())
    assert max(held) < PART_ROWS
    assert timetable.waiting == 0


@pytest.mark.parametrize(
    ("took", "order"),
    [
        (0, ["read", 0, 50 * MS, 100 * MS, 250 * MS, 2 * S]),  # there is time for it before the first is due
        (40 * MS, [0, 50 * MS, 100 * MS, "read", 250 * MS, 2 * S]),  # a gap of 50 ms is not enough
        (500 * MS, [0, 50 * MS, 100 * MS, "read", 250 * MS, 2 * S]),  # but 100 ms always are
    ],
)
def test_reading_waits_until_there_is_time_for_it(took, order):
    clock, events = FakeClock(), []

    def feed() -> Iterator[LogPart]:
        clock.time += took
        yield part_of(batch_at(0, 50 * MS, 100 * MS, 250 * MS), events.extend)
        events.append("read")
        yield part_of(batch_at(2 * S), events.extend)

    Pacer(Timetable(ReplaySchedule()), clock, lambda: False).run(feed())
    assert events == order


def test_frames_are_sent_while_waiting_for_input():
    clock, sent = FakeClock(), []
    timetable = Timetable(ReplaySchedule())
    pacer = Pacer(timetable, clock, lambda: False)
    timetable.load(part_of(batch_at(0, MS, S), sent.extend), clock.now_ns)
    assert pacer.idle() == pytest.approx(LEAD_NS / S - 0.003, abs=0.001)
    clock.sleep(LEAD_NS / S)
    again = pacer.idle()
    assert sent == [0, MS]
    assert again == pytest.approx(0.996, abs=0.001)
    clock.sleep(again or 0.0)
    assert pacer.idle() is None
    assert sent == [0, MS, S]


def test_a_stop_ends_a_wait():
    clock, sent = FakeClock(), []
    timetable = Timetable(ReplaySchedule())
    pacer = Pacer(timetable, clock, lambda: sum(clock.slept) > 0.5)
    pacer.run(iter([part_of(batch_at(0, S), sent.extend)]))
    assert (sent, timetable.waiting) == ([0], 1)


def test_lateness_without_frames_is_zero():
    late = Lateness()
    assert (late.mean_ns, late.percentile_ns(0.99), late.maximum_ns) == (0.0, 0, 0)


@given(st.lists(st.integers(-S, 1 << 62), min_size=1, max_size=300))
def test_lateness_has_a_resolution_of_a_few_per_cent(times):
    late = Lateness()
    for time in times:
        late.add(time)
    times = sorted(max(0, time) for time in times)
    exact = times[max(0, -(-99 * len(times) // 100) - 1)]
    assert late.maximum_ns == times[-1]
    assert late.mean_ns == pytest.approx(sum(times) / len(times))
    assert exact <= late.percentile_ns(0.99) <= exact * 1.07


@pytest.mark.parametrize(
    ("text", "factor"), [("1", 1), ("2", 2), ("0.5", Fraction(1, 2)), ("2x", 2), (".1", Fraction(1, 10))]
)
def test_speeds(text, factor):
    found = speed(text)
    assert found is not None
    assert Fraction(*found) == factor
    assert speed("max") is None


@pytest.mark.parametrize("text", ["", "0", "0.0", "-1", "1e3", "fast", "1.2.3", "²", "x"])
def test_invalid_speeds_are_refused(text):
    with pytest.raises(UsageError):
        speed(text)


def test_numbers_of_loops():
    assert (loops("3"), loops("i")) == (3, None)
    for text in ("0", "-1", "", "x", "1.5"):
        with pytest.raises(UsageError):
            loops(text)


def test_the_time_of_planning_does_not_shorten_the_replay() -> None:
    clock = FakeClock()

    class SlowSchedule(ReplaySchedule):
        def plan(self, stamps: array[int]) -> array[int]:
            clock.time += 50 * MS
            return super().plan(stamps)

    sent, timetable = replayed(clock, SlowSchedule(), batch_at(0, S))
    assert abs(sent[-1][0] - S) < MS
    assert timetable.lateness.maximum_ns < MS


def test_late_sleeps_lengthen_the_busy_wait() -> None:
    clock = FakeClock()
    clock.oversleeps = lambda seconds: 900_000
    sent, timetable = replayed(clock, ReplaySchedule(), batch_at(*range(0, S, 10 * MS)))
    late = [time - number * 10 * MS for number, (time, _) in enumerate(sent)]
    assert max(late[:5]) > 100_000
    assert max(map(abs, late[10:])) < 10_000
    assert timetable.lateness.count == 100


def test_sleeps_before_a_close_deadline_are_short() -> None:
    clock = FakeClock()
    clock.oversleeps = lambda seconds: 900_000
    replayed(clock, ReplaySchedule(), batch_at(*range(0, 3 * S, S)))
    assert sum(seconds > 0.9 for seconds in clock.slept) == 2
    assert sum(seconds <= 0.0005 for seconds in clock.slept) > 2


@given(st.lists(st.integers(0, 20 * MS), min_size=1), st.integers(0, 9))
def test_no_frame_is_early_however_sleeps_end(oversleeps, gap):
    clock = FakeClock()
    lates = iter(oversleeps)
    clock.oversleeps = lambda seconds: next(lates, 0)
    sent, _ = replayed(clock, ReplaySchedule(), batch_at(*range(0, 20 * gap * MS + 1, 1 + gap * MS)))
    assert all(time >= stamp - 2000 for time, stamps in sent for stamp in stamps)


def test_a_sleep_that_ends_early_is_followed_by_another() -> None:
    clock = FakeClock()
    clock.oversleeps = lambda seconds: -round(seconds * S / 2)
    sent, _ = replayed(clock, ReplaySchedule(), batch_at(0, S))
    assert abs(sent[-1][0] - S) < 10_000
    assert sum(clock.slept) / 2 == pytest.approx(1.0 + LEAD_NS / S, abs=0.001)


def test_sleeping_between_close_frames_resumes_after_one_late_sleep() -> None:
    clock = FakeClock()
    lates = iter([10 * MS])
    clock.oversleeps = lambda seconds: next(lates, 0)
    replayed(clock, ReplaySchedule(), batch_at(0, *range(100 * MS, 400 * MS, MS)))
    assert len(clock.slept) > 200
