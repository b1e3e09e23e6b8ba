"""The acceptance filter of PCAN-Basic: one range of identifiers for each kind.

Source: PEAK-System, "PCAN-Basic API", CAN_FilterMessages.
"""

from __future__ import annotations

from cantools_cli.backends.pcan import constants
from cantools_cli.filtering.can_filter import CanFilter, CanFilters
from cantools_cli.frame import bits

_INVERTED = bits.CAN_ERR_FLAG  # in the identifier of a filter that passes the others
_STANDARD, _EXTENDED = int(constants.PCAN_MODE_STANDARD), int(constants.PCAN_MODE_EXTENDED)


def ranges(filters: CanFilters | None) -> list[tuple[int, int, int]]:
    """Return (lowest, highest, kind) for each kind of identifier, which pass at least what ``filters`` pass.

    Empty if everything has to pass.
    """
    if not filters or any(entry["can_id"] & _INVERTED for entry in filters):
        return []
    found: dict[int, tuple[int, int]] = {}
    for entry in filters:
        for kind, low, high in _of_one(entry):
            before = found.get(kind, (low, high))
            found[kind] = min(low, before[0]), max(high, before[1])
    return [(low, high, kind) for kind, (low, high) in sorted(found.items())]


def _of_one(entry: CanFilter) -> list[tuple[int, int, int]]:
    identifier, mask, extended = entry["can_id"], entry["can_mask"], entry.get("extended")
    found = []
    for kind, limit, is_wanted in (
        (_STANDARD, bits.CAN_SFF_MASK, not extended),
        (_EXTENDED, bits.CAN_EFF_MASK, extended is None or extended),
    ):
        if is_wanted and not identifier & mask & bits.CAN_EFF_MASK & ~limit:
            low = identifier & mask & limit
            found.append((kind, low, low | ~mask & limit))
    return found
