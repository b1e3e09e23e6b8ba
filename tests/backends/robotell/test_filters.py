"""The filters of the adapter for python-can's dictionaries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.robotell.filters import Slot, slots_of
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.message import Message

STANDARD, EXTENDED = False, True


@pytest.mark.parametrize(
    ("filters", "slots"),
    [
        ([{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}], [Slot(0x123, 0x7FF, STANDARD)]),
        (
            [{"can_id": 0x1234, "can_mask": 0x1FFFFFFF, "extended": True}],
            [Slot(0x1234, 0x1FFFFFFF, EXTENDED)],
        ),
        (
            [{"can_id": 0x123, "can_mask": 0x7FF}],  # both kinds
            [Slot(0x123, 0x7FF, STANDARD), Slot(0x123, 0x7FF, EXTENDED)],
        ),
        ([{"can_id": 0x1234, "can_mask": 0x1FFFFFFF}], [Slot(0x1234, 0x1FFFFFFF, EXTENDED)]),  # 13 bits
        (
            [{"can_id": 0x80000123, "can_mask": 0xC00007FF}],  # flags are ignored
            [Slot(0x123, 0x7FF, STANDARD), Slot(0x80000123 & 0x1FFFFFFF, 0x7FF, EXTENDED)],
        ),
        ([{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}] * 20, [Slot(0x123, 0x7FF, STANDARD)]),
        ([{"can_id": 0x20000123, "can_mask": 0x7FF}], []),  # inverted
        ([{"can_id": number, "can_mask": 0x7FF, "extended": False} for number in range(15)], []),
    ],
)
def test_known_filters(filters: list[Any], slots: list[Slot]) -> None:
    assert slots_of(filters) == slots


@st.composite
def dictionaries(draw: st.DrawFn) -> dict[str, object]:
    entry: dict[str, object] = {
        "can_id": draw(st.integers(0, 0x7FF) | st.integers(0, 0xFFFFFFFF)),
        "can_mask": draw(st.sampled_from([0, 0x7FF, 0x1FFFFFFF, 0xDFFFFFFF]) | st.integers(0, 0xFFFFFFFF)),
    }
    if draw(st.booleans()):
        entry["extended"] = draw(st.booleans())
    return entry


@given(st.lists(dictionaries(), min_size=1, max_size=8), st.integers(0, 0x1FFFFFFF), st.booleans())
def test_the_adapter_passes_every_frame_that_the_bus_passes(
    filters: list[Any], identifier: int, is_extended: bool
) -> None:
    identifier &= 0x1FFFFFFF if is_extended else 0x7FF
    message = Message(arbitration_id=identifier, is_extended_id=is_extended)
    slots = slots_of(filters)
    passes = not slots or any(
        slot.is_extended == is_extended and (slot.identifier ^ identifier) & slot.mask == 0 for slot in slots
    )
    assert passes or not FrameFilter.from_can_filters(filters).matches(message)
