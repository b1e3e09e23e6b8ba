"""The comparators of NI-CAN, one for each kind of identifier, that pass at least what filters pass.

A bit of a mask that is 1 must match. A comparator cannot pass nothing.

Source: National Instruments, NI-CAN Hardware and Software Manual, "Standard Comparator" and "Extended Mask".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cantools_cli.filtering.can_filter import CanFilter, CanFilters
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame import bits


class Comparator(NamedTuple):
    """The identifier and the mask of one kind of frames."""

    value: int
    mask: int

    def covers(self, other: Comparator | None) -> bool:
        """Return whether all frames that ``other`` passes pass; None passes nothing."""
        if other is None:
            return True
        return not self.mask & ~other.mask and not (self.value ^ other.value) & self.mask


PASS_ALL = Comparator(0, 0)


class Comparators(NamedTuple):
    """What the hardware passes of standard and of extended frames; None if nothing has to pass."""

    standard: Comparator | None
    extended: Comparator | None

    def covers(self, other: Comparators) -> bool:
        """Return whether all frames that ``other`` passes pass."""
        return (self.standard or PASS_ALL).covers(other.standard) and (self.extended or PASS_ALL).covers(
            other.extended
        )


def comparators(filters: CanFilters | None) -> Comparators:
    """Return the comparators for python-can's filters: exact for one filter of a kind, all for several."""
    plain = FrameFilter.from_can_filters(filters).can_filters()  # without inverted ones and flags
    if plain is None:
        return Comparators(PASS_ALL, PASS_ALL)
    return Comparators(_of_kind(plain, False), _of_kind(plain, True))


def _of_kind(filters: Iterable[CanFilter], is_extended: bool) -> Comparator | None:
    limit = bits.CAN_EFF_MASK if is_extended else bits.CAN_SFF_MASK
    found = {
        Comparator(entry["can_id"] & entry["can_mask"] & limit, entry["can_mask"] & limit)
        for entry in filters
        if entry.get("extended", is_extended) == is_extended
        and not entry["can_id"] & entry["can_mask"] & ~limit  # no such identifier
    }
    if not found:
        return None
    return found.pop() if len(found) == 1 else PASS_ALL
