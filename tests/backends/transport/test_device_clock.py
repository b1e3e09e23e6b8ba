"""Counters of devices as epoch times: wraps, silence, delays, drift."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.transport import device_clock
from cantools_cli.backends.transport.device_clock import DeviceClock

SECOND = 1_000_000_000
MICROSECOND = 1_000


def clock(modulus: int = 1 << 32, tick_ns: int = MICROSECOND) -> DeviceClock:
    return DeviceClock(modulus, tick_ns)


def epoch_of(monotonic_ns: int) -> int:
    return time.time_ns() - time.monotonic_ns() + monotonic_ns


def test_the_first_frame_has_the_time_of_its_arrival() -> None:
    now = time.monotonic_ns()
    [stamp] = clock().times_ns([12345], now)
    assert abs(stamp - epoch_of(now)) < SECOND


def test_distances_are_those_of_the_counter() -> None:
    times = clock().times_ns([10, 1_000_010, 1_000_011], time.monotonic_ns())
    assert [b - a for a, b in pairwise(times)] == [SECOND, MICROSECOND]


@pytest.mark.parametrize(
    ("counts", "ticks"),
    [
        ([0xFFFFFFFF, 0], 1),
        ([0xFFFFFFF0, 0x10], 0x20),
        ([5, 3], -2),  # another channel of the device
        ([2, 0xFFFFFFFE], -4),
    ],
)
def test_a_wrap_within_a_batch(counts: Sequence[int], ticks: int) -> None:
    first, second = clock().times_ns(counts, time.monotonic_ns())
    assert second - first == ticks * MICROSECOND


@pytest.mark.parametrize("wraps", [0, 1, 7])
def test_a_silence_longer_than_the_counter(wraps: int) -> None:
    modulus = 60_000  # slcan's milliseconds
    ours, now = clock(modulus, 1_000_000), time.monotonic_ns()
    [first] = ours.times_ns([59_000], now)
    later = now + (wraps * modulus + 2_000) * 1_000_000
    [second] = ours.times_ns([1_000], later)
    assert second - first == later - now


def test_the_shortest_delay_counts() -> None:
    ours, now = clock(), time.monotonic_ns()
    [late] = ours.times_ns([0], now + 5_000_000)  # 5 ms late
    [prompt] = ours.times_ns([1_000_000], now + SECOND)
    assert prompt - epoch_of(now) == pytest.approx(SECOND, abs=SECOND // 1000)
    assert prompt > late
    [again] = ours.times_ns([2_000_000], now + 2 * SECOND + 900_000_000)  # very late
    assert again - prompt == pytest.approx(SECOND, abs=SECOND // 5_000)


def test_a_shorter_delay_does_not_swap_frames() -> None:
    ours, now = clock(), time.monotonic_ns()
    [late] = ours.times_ns([1_000], now + 5_000_000)
    assert min(ours.times_ns([1_001, 4_000], now + 5_001_000)) >= late


def test_the_quartz_of_the_device_may_be_slow() -> None:
    ours, now = clock(), time.monotonic_ns()
    ours.anchor(0, now)
    stamp = 0
    for second in range(1, 3600):  # 50 parts per million slow: 180 ms in an hour
        [stamp] = ours.times_ns([round(second * 1_000_000 * (1 - 50e-6))], now + second * SECOND)
    assert abs(stamp - epoch_of(now + 3599 * SECOND)) < 10_000_000


@pytest.mark.parametrize("ticks_per_second", [0, 1, 500_000, 1_500_000])
def test_a_counter_of_something_else_follows_the_clock(ticks_per_second: int) -> None:
    ours, now = clock(), time.monotonic_ns()
    for second in range(20):
        [stamp] = ours.times_ns([second * ticks_per_second], now + second * SECOND)
        assert abs(stamp - epoch_of(now + second * SECOND)) < 2.1 * SECOND


@given(
    st.integers(0, 0xFFFFFFFF),
    st.lists(st.tuples(st.integers(0, 1 << 33), st.integers(0, 50_000)), min_size=1, max_size=30),
)
def test_any_gaps_and_delays_keep_the_order(start: int, gaps: list[tuple[int, int]]) -> None:
    """Frames have the time of the device, no later than they arrive and at most the longest delay before."""
    ours, now = clock(), 1 << 50
    ours._epoch_ns = 0
    sent, last = start, None
    for gap, delay in gaps:
        sent += gap
        [stamp] = ours.times_ns([sent & 0xFFFFFFFF], now + (sent + delay) * MICROSECOND)
        true = now + sent * MICROSECOND
        # the leak of the offset is at most as long as the delays
        assert 0 <= stamp - true <= 50_000 * MICROSECOND
        assert last is None or stamp >= last
        last = stamp


def test_old_frames_do_not_anchor_the_counter_again() -> None:
    ours, now = clock(), time.monotonic_ns()
    [first] = ours.times_ns([0], now)
    [old] = ours.times_ns([1_000_000], now + 11 * SECOND, may_be_old=True)  # ten seconds in a queue
    assert old - first == pytest.approx(SECOND, abs=SECOND // 100)
    [fresh] = ours.times_ns([2_000_000], now + 3_600 * SECOND)  # the counter stood still
    assert fresh - epoch_of(now) == pytest.approx(3_600 * SECOND, abs=SECOND)


def test_no_frames_have_no_times() -> None:
    assert not clock().times_ns([])


@given(
    batches=st.lists(
        st.tuples(
            st.lists(st.integers(0, 999), min_size=1, max_size=6)
            | st.builds(sorted, st.sets(st.integers(0, 999), min_size=1)),
            st.integers(0, 5 * SECOND),
        ),
        max_size=6,
    )
)
def test_counts_in_order_take_a_shorter_way_with_the_same_result(
    batches: list[tuple[list[int], int]],
) -> None:
    short, long = clock(1000, 1_000_000), clock(1000, 1_000_000)
    short._epoch_ns = long._epoch_ns = 0
    now = 10 * SECOND
    for counts, pause in batches:
        now += pause
        with pytest.MonkeyPatch.context() as patch:
            expected_times = short.times_ns(counts, now)
            patch.setattr(device_clock, "_is_sorted", lambda counts: False)
            assert long.times_ns(counts, now) == expected_times


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 1 << 33), min_size=1, max_size=5),  # the gaps between frames
            st.integers(0, 3600 * 1_000_000),  # how long the last one waits
            st.integers(0, 500),  # how long reading the counter takes
        ),
        min_size=1,
        max_size=10,
    )
)
def test_a_known_counter_tells_how_long_frames_waited(readings: list[tuple[list[int], int, int]]) -> None:
    ours, now, read_at = clock(1 << 64), 1 << 50, 0
    ours._epoch_ns = 0
    ours.anchor(0, now)
    sent, last = 0, 0
    for gaps, waited, delay in readings:
        counts = []
        for gap in gaps:
            sent += gap
            counts.append(sent)
        read_at = max(read_at, sent + waited)
        times = ours.times_ns(counts, now + (read_at + delay) * MICROSECOND, counter=read_at)
        for count, stamp in zip(counts, times, strict=True):
            assert abs(stamp - now - count * MICROSECOND) <= 500 * MICROSECOND
            assert stamp >= last
            last = stamp
