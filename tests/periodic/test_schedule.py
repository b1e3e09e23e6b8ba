"""When frames are due, as arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.periodic.schedule import CATCH_UP, Schedule, frames_within, nanoseconds


def punctual(schedule: Schedule, begin_ns: int = 0, limit: int = 100) -> list[int]:
    """Return when the frames go that a sender sends who is never late."""
    schedule.begin(begin_ns)
    times: list[int] = []
    while (due_ns := schedule.due_ns) is not None and len(times) < limit:
        times.append(due_ns)
        schedule.advance(due_ns)
    return times


@pytest.mark.parametrize(
    ("schedule", "times"),
    [
        (Schedule(50, duration_ns=200), [7, 57, 107, 157]),
        (Schedule(50, duration_ns=201), [7, 57, 107, 157, 207]),
        (Schedule(50, duration_ns=1), [7]),
        (Schedule(50, count=3), [7, 57, 107]),
        (Schedule(50, count=0), []),
        (Schedule(50, duration_ns=100, count=3), [7, 57]),
        (Schedule(50, duration_ns=100, count=1), [7]),
    ],
)
def test_frames_are_due_at_the_beginning_and_every_period_until_the_end(
    schedule: Schedule, times: list[int]
) -> None:
    assert punctual(schedule, 7) == times
    assert punctual(schedule, 7) == times, "and again when it is begun again"


def test_without_an_end_it_goes_on() -> None:
    assert punctual(Schedule(10), limit=1000)[-1] == 9990


def test_a_late_sender_moves_nothing_and_makes_up_for_what_it_missed() -> None:
    schedule = Schedule(100)
    schedule.begin(0)
    schedule.advance(0)
    schedule.advance(355)
    assert schedule.due_ns == 200
    schedule.advance(356)
    schedule.advance(357)
    assert (schedule.due_ns, schedule.skipped) == (400, 0)


def test_a_sender_who_is_much_too_late_leaves_the_oldest_out() -> None:
    schedule = Schedule(100)
    schedule.begin(0)
    schedule.advance(100_050)  # the frame of 0, when those of 100 to 100_000 were due
    assert schedule.skipped == 1000 - CATCH_UP
    assert schedule.due_ns == 100 * (1000 - CATCH_UP + 1)


def test_what_is_after_the_end_counts_neither_as_missed_nor_as_left_out() -> None:
    schedule = Schedule(100, duration_ns=1000)
    schedule.begin(0)
    while schedule.due_ns is not None:
        schedule.advance(1_000_000)
    assert (schedule.sent, schedule.skipped) == (10, 0)


@settings(deadline=None)
@given(
    st.integers(1, 1000),
    st.integers(1, 20_000),
    st.lists(st.integers(0, 50_000), max_size=300),
)
def test_frames_sent_and_left_out_are_all_that_were_due(
    period_ns: int, duration_ns: int, delays: list[int]
) -> None:
    schedule = Schedule(period_ns, duration_ns=duration_ns)
    schedule.begin(0)
    now_ns, before = 0, -1
    while (due_ns := schedule.due_ns) is not None:
        assert due_ns % period_ns == 0
        assert before < due_ns < duration_ns
        before = due_ns
        now_ns = max(now_ns, due_ns) + (delays.pop() if delays else 0)
        schedule.advance(now_ns)
        last = min(now_ns, duration_ns - 1)
        assert last // period_ns - (schedule.due_ns or last) // period_ns < CATCH_UP
    assert schedule.sent + schedule.skipped == frames_within(duration_ns, period_ns)


@pytest.mark.parametrize(
    ("duration", "period", "frames"),
    [
        (1.0, 0.1, 10),
        (0.3, 0.1, 3),
        (0.2, 0.05, 4),
        (0.25, 0.1, 3),
        (0.01, 0.1, 1),
        (3600.0, 0.001, 3_600_000),
    ],
)
def test_how_many_frames_a_duration_holds(duration: float, period: float, frames: int) -> None:
    assert frames_within(nanoseconds(duration), nanoseconds(period)) == frames


@pytest.mark.parametrize("period", [0, -1, 1e-10, float("nan"), float("inf")])
def test_a_period_has_to_be_above_0_and_finite(period: float) -> None:
    with pytest.raises(UsageError, match="greater than 0"):
        nanoseconds(period)
