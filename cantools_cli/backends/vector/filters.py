"""The acceptance filters of a channel: one code and one mask for each kind of identifier.

Source: Vector, XL Driver Library manual, "xlCanSetChannelAcceptance": set bits of the mask are compared.
"""

from __future__ import annotations

from typing import NamedTuple

from cantools_cli.backends.vector.xldefine import XL_AcceptanceFilter
from cantools_cli.filtering.can_filter import CanFilter, CanFilters
from cantools_cli.frame import bits

_ALL_ONES = 0xFFFFFFFF
_INVERTED = bits.CAN_ERR_FLAG  # in the identifier of a filter that passes the others


class Acceptance(NamedTuple):
    """The arguments of ``xlCanSetChannelAcceptance`` for one kind of identifier."""

    code: int
    mask: int
    kind: XL_AcceptanceFilter


_KINDS = (
    (XL_AcceptanceFilter.XL_CAN_STD, False, bits.CAN_SFF_MASK),
    (XL_AcceptanceFilter.XL_CAN_EXT, True, bits.CAN_EFF_MASK),
)
#: passes all frames
EVERYTHING = tuple(Acceptance(0, 0, kind) for kind, _, _ in _KINDS)


def acceptance(filters: CanFilters | None) -> tuple[Acceptance, ...]:
    """Return the acceptance filters that pass at least what ``filters`` pass."""
    if not filters or any(entry["can_id"] & _INVERTED for entry in filters):
        return EVERYTHING
    return tuple(_of_kind(filters, kind, extended, width) for kind, extended, width in _KINDS)


def _of_kind(filters: CanFilters, kind: XL_AcceptanceFilter, extended: bool, width: int) -> Acceptance:
    pairs = [pair for entry in filters if (pair := _pair(entry, extended, width)) is not None]
    if not pairs:
        return Acceptance(_ALL_ONES, _ALL_ONES, kind)  # closed
    code, mask = pairs[0]
    for value, compared in pairs:
        mask &= compared & ~(value ^ code)
    return Acceptance(code & mask, mask, kind)


def _pair(entry: CanFilter, extended: bool, width: int) -> tuple[int, int] | None:
    """Return the code and the mask of ``entry``, None if it passes no identifier of this kind."""
    if entry.get("extended", extended) not in (extended, None):
        return None
    code, mask = entry["can_id"] & bits.CAN_EFF_MASK, entry["can_mask"] & bits.CAN_EFF_MASK
    if code & mask & ~width:
        return None
    return code & width, mask & width
