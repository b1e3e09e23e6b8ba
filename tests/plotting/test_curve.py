"""Curves in bounded memory: what remains, and what must."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.plotting.curve import Curve


def curve_of(points: list[tuple[int, float]], limit: int, piece: int = 7) -> Curve:
    curve = Curve(limit)
    for at in range(0, len(points), piece):
        part = points[at : at + piece]
        curve.add(array("q", [time for time, _ in part]), array("d", [value for _, value in part]))
    return curve


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.floats(-1e6, 1e6)), min_size=1, max_size=400),
    st.integers(16, 64),
)
def test_no_peak_is_lost_and_the_limit_holds(points, limit):
    curve = curve_of(points, limit)
    times, values = curve.points()
    assert len(times) == len(values) <= limit
    assert curve.added == len(points)
    assert [*times] == sorted(times)
    assert min(values) == min(value for _, value in points)
    assert max(values) == max(value for _, value in points)
    assert {*zip(times, values, strict=True)} <= {*points}
    assert (times[0], times[-1]) == (min(points)[0], max(points)[0])


def test_few_points_all_remain():
    points = [(10 * at, float(at % 5)) for at in range(5000)]
    curve = curve_of(points, 8192)
    times, values = curve.points()
    assert [*zip(times, values, strict=True)] == points
    assert curve.width_ns == 0


def test_a_single_peak_among_a_million_remains_at_its_time():
    times = array("q", range(0, 10**9, 1000))
    values = array("d", bytes(8 * len(times)))
    values[654_321] = 5.0
    curve = Curve(1024)
    curve.add(times, values)
    found_times, found = curve.points()
    assert len(found) <= 1024
    assert found_times[found.index(5.0)] == 654_321_000
    assert curve.width_ns > 1000


def test_the_usual_distance_is_that_of_the_points_of_the_log():
    curve = curve_of([(1000 * at, 0.0) for at in range(10_000)], 64, 100)
    assert curve.typical_ns == 1000
    assert curve_of([(0, 0.0), (5, 0.0)], 64).typical_ns == 0


def test_values_that_are_not_finite_are_counted():
    curve = curve_of([(0, 1.0), (1, float("inf")), (2, float("nan")), (3, 2.0)], 64)
    assert (curve.added, curve.endless) == (4, 2)


@pytest.mark.long
def test_a_hundred_million_points_stay_within_the_limit():
    curve = Curve(32_768)
    count = 1_000_000
    values = array("d", [float(at % 1000) for at in range(count)])
    for number in range(100):
        begin = number * count * 1000
        curve.add(array("q", range(begin, begin + count * 1000, 1000)), values)
    times, found = curve.points()
    assert curve.added == 100_000_000
    assert len(times) <= 32_768
    assert (min(found), max(found), times[-1]) == (0, 999, 10**11 - 1000)
