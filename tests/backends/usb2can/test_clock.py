"""Times from a counter that may not count microseconds; the test provides the time."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from cantools_cli.backends.usb2can.clock import TICKS, CheckedClock

SECOND = 1_000_000_000
START = 500 * SECOND


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def clock(reports: list[str]) -> CheckedClock:
    return CheckedClock(reports.append)


def epoch(monotonic_ns: int) -> int:
    return time.time_ns() - time.monotonic_ns() + monotonic_ns


def quiet(clock: CheckedClock, until_second: float) -> None:
    """Read the empty queue until shortly before this time."""
    clock.times_ns((), START + int((until_second - 0.5) * SECOND))


def test_counts_are_microseconds(clock: CheckedClock, reports: list[str]) -> None:
    for second in range(0, 60, 5):
        quiet(clock, second)
        first, last = clock.times_ns(
            (second * 1_000_000 + 10, second * 1_000_000 + 30), START + second * SECOND
        )
        assert last - first == 20_000
        assert abs(last - epoch(START + second * SECOND)) < SECOND // 100
    assert not reports


def test_the_counter_wraps_at_29_bits(clock: CheckedClock, reports: list[str]) -> None:
    times = clock.times_ns((TICKS - 2, TICKS - 1, 0, 1), START)
    assert [later - earlier for earlier, later in pairwise(times)] == [1000] * 3
    later = clock.times_ns((5,), START + 1000 * (TICKS + 4))  # once around
    assert later[0] - times[-1] == (TICKS + 4) * 1000
    assert not reports


def test_a_counter_of_32_bits(clock: CheckedClock, reports: list[str]) -> None:
    times = clock.times_ns(((1 << 32) - 1, 0, 1), START)
    assert times[2] - times[0] == 2000
    assert not reports


def test_a_counter_of_milliseconds_is_noticed(clock: CheckedClock, reports: list[str]) -> None:
    for second in (0, 5, 9):
        quiet(clock, second)
        clock.times_ns((second * 1000,), START + second * SECOND)
    assert not reports
    quiet(clock, 10.1)
    [arrival] = clock.times_ns((10_100,), START + 10_100_000_000)
    assert reports == ["the adapter's timestamps are not microseconds; the time of arrival is used"]
    assert abs(arrival - epoch(START + 10_100_000_000)) < SECOND // 100
    clock.times_ns((10_200,), START + 20 * SECOND)
    assert len(reports) == 1


def test_times_a_minute_away_are_noticed(clock: CheckedClock, reports: list[str]) -> None:
    clock.times_ns((0, 100_000_000), START)
    assert len(reports) == 1


def test_the_check_waits_for_a_gap_without_wraps(clock: CheckedClock, reports: list[str]) -> None:
    clock.times_ns((0,), START)
    quiet(clock, 400)
    clock.times_ns((17,), START + 400 * SECOND)  # more than half a round: anything is possible
    quiet(clock, 411)
    clock.times_ns((17 + 11_000_000,), START + 411 * SECOND)
    assert not reports


def test_frames_that_have_waited_keep_their_times(clock: CheckedClock, reports: list[str]) -> None:
    [first] = clock.times_ns((0,), START)
    [second] = clock.times_ns((1_000_000,), START + 100 * SECOND)  # the queue was not read for 100 seconds
    assert abs(second - first - SECOND) < SECOND // 50
    assert not reports


def test_the_time_of_arrival(reports: list[str]) -> None:
    clock = CheckedClock(reports.append, from_device=False)
    times = clock.times_ns((1, 2, 3), START)
    assert times[0] == times[2]
    assert abs(times[0] - epoch(START)) < SECOND // 100
    assert len(clock.times_ns((), START)) == 0
    assert not reports
