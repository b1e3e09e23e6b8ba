"""The clock of ticks: overruns, frames that stay in the queue, jumps, and quartzes that differ."""

from __future__ import annotations

import time
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.ixxat import clock as module
from cantools_cli.backends.ixxat.clock import TickClock

WRAP = 1 << 32
SECOND = 1_000_000_000


class Times:
    """The computer's clocks, which agree in this test."""

    def __init__(self) -> None:
        self.now = 1_000_000 * SECOND

    def time_ns(self) -> int:
        return self.now

    monotonic_ns = time_ns


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    times = Times()
    monkeypatch.setattr(module, "time", times)
    return times


def started(times: Times, count: int = 0, divisor: int = 8) -> TickClock:
    clock = TickClock(8_000_000, divisor)
    clock.anchor(count, times.now)
    return clock


def test_ticks_count_from_the_start(times: Times) -> None:
    clock, begin = started(times, 500), times.now
    times.now += SECOND
    assert clock.times_ns([500, 1_500]).tolist() == [begin, begin + 1_000_000]


def test_a_tick_need_not_be_whole_nanoseconds(times: Times) -> None:
    clock, begin = started(times, 0, divisor=3), times.now
    times.now += SECOND
    assert clock.times_ns([8, 1_000_000]).tolist() == [begin + 3_000, begin + 375_000_000]


@pytest.mark.parametrize("announced", [True, False])
def test_the_counter_wraps(times: Times, announced: bool) -> None:
    clock, begin = started(times, WRAP - 10), times.now
    times.now += SECOND
    assert clock.times_ns([WRAP - 5]).tolist() == [begin + 5_000]
    if announced:
        clock.overran(1)
    assert clock.times_ns([5]).tolist() == [begin + 15_000]
    assert clock.times_ns([6]).tolist() == [begin + 16_000]


def test_a_late_announcement_counts_once(times: Times) -> None:
    clock, begin = started(times, WRAP - 10), times.now
    times.now += SECOND
    assert clock.times_ns([WRAP - 5, 5]).tolist() == [begin + 5_000, begin + 15_000]
    clock.overran(1)
    assert clock.times_ns([7]).tolist() == [begin + 17_000]


def test_several_overruns_at_once(times: Times) -> None:
    clock, begin = started(times), times.now
    times.now += 4 * 4295 * SECOND
    clock.overran(3)
    assert clock.times_ns([0]).tolist() == [begin + 3 * WRAP * 1_000]


def test_frames_that_stay_in_the_queue_keep_their_times(times: Times) -> None:
    clock, begin = started(times), times.now
    times.now += 600 * SECOND
    assert clock.times_ns([1_000_000]).tolist() == [begin + SECOND]
    assert clock.jumps == 0


def test_no_frame_is_from_the_future(times: Times) -> None:
    clock = started(times)
    times.now += SECOND
    assert clock.times_ns([1_500_000]).tolist() == [times.now]


def test_a_slow_quartz_is_followed(times: Times) -> None:
    clock, begin = started(times), times.now
    for second in range(1, 100):
        times.now = begin + second * SECOND
        [stamp] = clock.times_ns([second * 999_950], times.now)  # 50 ppm
    assert abs(stamp - times.now) < 100_000


def test_a_jump_is_followed_by_a_frame_that_arrives_during_a_wait(times: Times) -> None:
    clock = started(times, 60_000_000)
    times.now += SECOND
    assert clock.times_ns([1_000], times.now).tolist() == [times.now]
    assert clock.jumps == 1


def test_without_a_start_the_first_frame_is_now(times: Times) -> None:
    clock = TickClock(8_000_000, 8)
    assert clock.times_ns([123_456]).tolist() == [times.now]
    times.now += SECOND
    assert clock.times_ns([123_456 + 500_000]).tolist() == [times.now - SECOND // 2]
    assert clock.times_ns([]).tolist() == []


def test_without_a_start_a_frame_that_arrives_during_a_wait_is_exact(times: Times) -> None:
    clock, arrived = TickClock(8_000_000, 8), times.now
    times.now += SECOND
    assert clock.times_ns([10, 20], arrived).tolist() == [arrived, arrived + 10_000]


@given(
    start=st.integers(0, WRAP - 1),
    gaps=st.lists(st.integers(0, 3 * WRAP), max_size=20),
    divisor=st.sampled_from([1, 3, 8, 80]),
    lost=st.booleans(),
)
def test_any_gaps_are_exact(start: int, gaps: list[int], divisor: int, lost: bool) -> None:
    """With every announcement, or without any if the gaps are short."""
    begin = 1_000 * SECOND
    if lost:
        gaps = [gap // 8 for gap in gaps]
    clock = TickClock(8_000_000, divisor)
    clock._epoch_ns = 0
    clock.anchor(start, begin)
    tick, high = start, start // WRAP
    for gap in gaps:
        tick += gap
        if tick // WRAP > high and not lost:
            clock.overran(tick // WRAP - high)
        high = tick // WRAP
        expected = begin + tick * 125 * divisor - start * 125 * divisor
        with patch(f"{module.__name__}.time.monotonic_ns", return_value=expected):
            assert clock.times_ns([tick % WRAP]).tolist() == [expected]


def test_steps_of_the_computer_s_clock_have_no_effect() -> None:
    clock = TickClock(1_000_000, 1)
    clock.anchor(0, time.monotonic_ns())
    assert abs(clock.times_ns([0])[0] - time.time_ns()) < SECOND
