"""The kernel that brings the times of several logs into one order, in both forms."""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.forms import FORMS, load

STAMPS = st.integers(-(1 << 63), (1 << 63) - 1)


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("merging", request.param)


@given(stamps=st.lists(STAMPS), highest=STAMPS)
@pytest.mark.parametrize("form", FORMS)
def test_due_times_never_go_back(form: str, stamps: list[int], highest: int) -> None:
    due = array("q", stamps)
    later = load("merging", form).due_times(array("q", stamps), highest, due)
    assert [*due] == [*accumulate(stamps, max, initial=highest)][1:]
    assert later == sum(a != b for a, b in zip(due, stamps, strict=True))


@given(runs=st.lists(st.lists(st.integers(0, 9)).map(sorted), min_size=1, max_size=5))
@pytest.mark.parametrize("form", FORMS)
def test_runs_are_interleaved_as_a_stable_sort_does(form: str, runs: list[list[int]]) -> None:
    together = [stamp for run in runs for stamp in run]
    ends = [*accumulate(map(len, runs))]
    rows = array("I", bytes(4 * len(together)))
    at = array("I", [0, *ends[:-1]])
    load("merging", form).interleave(array("q", together), at, array("I", ends), rows)
    assert [*rows] == sorted(range(len(together)), key=together.__getitem__)
    assert [*at] == ends


@pytest.mark.parametrize(
    ("at", "ends", "rows"), [([0], [3], 3), ([2], [1], 3), ([0], [2], 1), ([], [2], 3), ([5], [2], 3)]
)
def test_runs_outside_of_the_times_are_refused(kernel: Any, at: Any, ends: Any, rows: int) -> None:
    with pytest.raises(ValueError, match=r"run|room|differ"):
        kernel.interleave(array("q", [1, 2]), array("I", at), array("I", ends), array("I", bytes(4 * rows)))


def test_due_times_need_room(kernel: Any) -> None:
    with pytest.raises(ValueError, match="room"):
        kernel.due_times(array("q", [1, 2]), 0, array("q", [0]))
