"""The filters of the adapter that pass at least the frames of ``can_filters``.

A filter of the adapter is for one kind of identifier and compares the bits of a mask. The exact filter of the
bus runs afterwards.
"""

from __future__ import annotations

from typing import NamedTuple

from cantools_cli.backends.robotell.codec import FILTERS
from cantools_cli.filtering.can_filter import CanFilter, CanFilters
from cantools_cli.frame import bits

_INVERTED = bits.CAN_ERR_FLAG


class Slot(NamedTuple):
    """A filter of the adapter."""

    identifier: int
    mask: int
    is_extended: bool


def slots_of(filters: CanFilters) -> list[Slot]:
    """Return the filters of the adapter; empty if they are too many or cannot be expressed."""
    slots: list[Slot] = []
    for entry in filters:
        if entry["can_id"] & _INVERTED:
            return []
        slots += [slot for slot in _slots(entry) if slot not in slots]
    return slots if len(slots) <= FILTERS else []


def _slots(entry: CanFilter) -> list[Slot]:
    identifier, mask = entry["can_id"], entry["can_mask"]
    kinds = {False, True} if "extended" not in entry else {bool(entry["extended"])}
    slots = []
    if False in kinds and not identifier & mask & bits.CAN_EFF_MASK & ~bits.CAN_SFF_MASK:
        slots.append(Slot(identifier & bits.CAN_SFF_MASK, mask & bits.CAN_SFF_MASK, False))
    if True in kinds:
        slots.append(Slot(identifier & bits.CAN_EFF_MASK, mask & bits.CAN_EFF_MASK, True))
    return slots
