"""The kernel of curves, in both forms, against models."""

from __future__ import annotations

from array import array
from itertools import groupby
from math import inf, isnan, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.kernels.forms import FORMS, load

ONE_NS, ONE, THREE = array("q", [1]), array("d", [1]), array("d", [0] * 3)


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("points", request.param)


@pytest.mark.parametrize("form", FORMS)
@given(
    times=st.lists(st.integers(-1000, 1000), max_size=60).map(sorted),
    values=st.lists(st.sampled_from([0.0, 1.0, -1.0, 2.5, 7.0, nan]), min_size=60, max_size=60),
    shift=st.integers(0, 12),
)
def test_each_interval_keeps_its_first_lowest_highest_and_last(form, times, values, shift):
    out_times, out_values = array("q", times), array("d", values)
    kept = load("points", form).thin(out_times, out_values, len(times), shift)
    points = [*zip(times, values, strict=False)]
    left = [*zip(out_times[:kept], out_values[:kept], strict=True)]
    assert [time for time, _ in left] == sorted(time for time, _ in left)
    for interval, group in groupby(points, lambda point: point[0] >> shift):
        whole = [*group]
        part = [point for point in left if point[0] >> shift == interval]
        assert len(part) <= 4
        assert str(part[0]) == str(whole[0])
        assert str(part[-1]) == str(whole[-1])
        numbers = [value for _, value in whole if not isnan(value)]
        if numbers:
            remaining = [value for _, value in part if not isnan(value)]
            assert (min(remaining), max(remaining)) == (min(numbers), max(numbers))


def test_times_that_go_back_are_left_as_they_are(kernel):
    times, values = array("q", [1, 3, 2]), array("d", [1, 2, 3])
    assert kernel.thin(times, values, 3, 4) == -1
    assert [*times] == [1, 3, 2]


def test_points_are_copied_while_there_is_room(kernel):
    out_times, out_values = array("q", bytes(24)), array("d", bytes(24))
    times, values = array("q", [1, 2, 3, 4, 5]), array("d", [1, inf, 3, 4, 5])
    assert kernel.append(times, values, b"\1\1\0\1\1", 0, 5, out_times, out_values, 0) == (4, 3, 1)
    assert [*out_times] == [1, 2, 4]
    assert isnan(out_values[1])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("append", (array("q", [1]), array("d"), b"\1", 0, 1, array("q", [0]), array("d", [0]), 0)),
        ("append", (array("q", [1]), array("d", [1]), b"\1", 0, 1, array("q", [0]), array("d"), 0)),
        ("append", (array("q", [1]), array("d", [1]), b"\1", -1, 1, array("q", [0]), array("d", [0]), 0)),
        ("thin", (array("q", [1]), array("d", [1]), 2, 0)),
        ("thin", (array("q", [1]), array("d", [1]), 1, 64)),
        ("frames_of", (array("I", [1]), 1, array("I"))),
        ("rows_of", (array("H", [1]), 1, array("I"))),
        ("durations", (array("I", [1]), b"\0", array("I", [0]), 1.0, 1.0, array("d", [0]))),
        ("tally", (ONE_NS, ONE, 1, 0, array("q", [0]), array("d", [0]), array("q", [0] * 3), THREE)),
        ("tally", (ONE_NS, ONE, 1, 5, array("q", [0]), array("d", [0]), array("q", [0]), THREE)),
    ],
)  # fmt: skip
def test_columns_that_do_not_fit_are_refused(kernel, name, arguments):
    with pytest.raises(ValueError):  # noqa: PT011  # the text differs
        getattr(kernel, name)(*arguments)


def test_frames_of_an_identifier_are_those_of_its_kind(kernel):
    can_id = array("I", [0x123, 0x80000123, 0x40000123, 0x20000123, 0x123])
    rows = array("I", bytes(20))
    assert kernel.frames_of(can_id, 0x123, rows) == 3
    assert [*rows[:3]] == [0, 2, 4]
    assert kernel.frames_of(can_id, 0x80000123, rows) == 1


def test_rows_of_a_channel(kernel):
    rows = array("I", bytes(12))
    assert kernel.rows_of(array("H", [0, 1, 0]), 0, rows) == 2
    assert [*rows[:2]] == [0, 2]


def test_a_frame_takes_the_time_of_its_bits(kernel):
    batch = MessageBatch(
        [
            Message(arbitration_id=1, is_extended_id=False, data=bytes(8)),  # 44 + 64 + 3 and stuff bits
            Message(arbitration_id=1, is_extended_id=True, is_remote_frame=True, dlc=8),
            Message(is_error_frame=True),
            Message(arbitration_id=1, is_extended_id=False, is_fd=True, bitrate_switch=True, data=bytes(64)),
        ]
    )
    out = array("d", bytes(32))
    kernel.durations(batch.can_id, batch.flags, batch.offset, 1.0, 0.0, out)
    assert [*out] == [47 + 64 + 98 // 16, 67 + 54 // 16, 0, 30]
    kernel.durations(batch.can_id, batch.flags, batch.offset, 0.0, 1.0, out)
    assert [*out] == [0, 0, 0, 38 + 512 + 32]


def test_sums_are_per_interval_and_go_on_in_the_next_call(kernel):
    state, total = array("q", [0]), array("d", [0])
    out_times, out_values = array("q", bytes(96)), array("d", bytes(96))

    def tally(*times):
        weights = array("d", [1.0] * len(times))
        found = kernel.tally(array("q", times), weights, len(times), 10, state, total, out_times, out_values)
        return [*zip(out_times[:found], out_values[:found], strict=True)]

    assert tally(0, 1, 9) == []
    assert tally(10, 8) == [(5, 3)], "a time that goes back counts in the interval under way"
    assert tally(25) == [(15, 2)]
    assert tally(75) == [(25, 1), (35, 0), (65, 0)], "an empty stretch has its first and its last interval"
    assert ([*state], [*total]) == ([70], [1])
