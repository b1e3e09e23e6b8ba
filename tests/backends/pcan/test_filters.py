"""The ranges of identifiers that PCAN-Basic lets pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.pcan.filters import ranges
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.message import Message


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, []),
        ([], []),
        ([{"can_id": 0x120, "can_mask": 0x7F0, "extended": False}], [(0x120, 0x12F, 0)]),
        ([{"can_id": 0x12ABCD00, "can_mask": 0x1FFFFF00, "extended": True}], [(0x12ABCD00, 0x12ABCDFF, 2)]),
        ([{"can_id": 5, "can_mask": 0x7FF}], [(5, 5, 0), (5, 0x1FFFF805, 2)]),
        (
            [
                {"can_id": 5, "can_mask": 0x7FF, "extended": False},
                {"can_id": 9, "can_mask": 0x7FF, "extended": False},
            ],
            [(5, 9, 0)],
        ),
        ([{"can_id": 0x20000005, "can_mask": 0x7FF}], []),  # an inverted one
        ([{"can_id": 0x800, "can_mask": 0x800, "extended": False}], []),  # passes no frame at all
    ],
)
def test_known_ranges(filters: Any, expected: list[tuple[int, int, int]]) -> None:
    assert ranges(filters) == expected


def _entries() -> st.SearchStrategy[list[dict[str, Any]]]:
    number = st.integers(0, 0x3FFFFFFF)
    entry = st.fixed_dictionaries(
        {"can_id": number, "can_mask": number}, optional={"extended": st.booleans()}
    )
    return st.lists(entry, max_size=4)


@given(_entries(), st.booleans(), st.data())
def test_they_pass_at_least_what_the_filters_pass(
    filters: list[dict[str, Any]], extended: bool, data: st.DataObject
) -> None:
    limit = 0x1FFFFFFF if extended else 0x7FF
    near = [entry["can_id"] & limit for entry in filters] or [0]
    identifier = data.draw(st.sampled_from(near) | st.integers(0, limit))
    message = Message(arbitration_id=identifier, is_extended_id=extended)
    found = ranges(filters)  # type: ignore[arg-type]
    passes = not found or any(
        low <= identifier <= high for low, high, kind in found if kind == (2 if extended else 0)
    )
    if FrameFilter.from_can_filters(filters).matches(message):  # type: ignore[arg-type]
        assert passes
