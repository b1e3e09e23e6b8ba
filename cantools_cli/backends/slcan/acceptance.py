"""The acceptance filter of LAWICEL's adapters, which is that of an SJA1000.

::

    bit 31          21 20              11 bits: the identifier, the bit of remote frames
    bit 31                     3 2     29 bits

Source: NXP, SJA1000 data sheet, "Single filter configuration"; Lawicel, "CANUSB Manual", commands M, m and W.
"""

from __future__ import annotations

from cantools_cli.filtering.can_filter import CanFilter, CanFilters
from cantools_cli.frame import bits

EVERYTHING = (0, 0xFFFFFFFF)  #: the code and the mask that pass all frames

_INVERTED = bits.CAN_ERR_FLAG  # in the identifier of a filter that passes the others
_WORD = 0xFFFFFFFF


def registers(filters: CanFilters | None) -> tuple[int, int]:
    """Return the code and the mask, whose set bits are ignored, that pass at least what ``filters`` pass."""
    if not filters or any(entry["can_id"] & _INVERTED for entry in filters):
        return EVERYTHING
    wanted = [word for entry in filters for word in _words(entry)]
    if not wanted:
        return EVERYTHING
    code, compared = wanted[0]
    for value, mask in wanted:
        compared &= mask & ~(value ^ code)
    return code & compared, _WORD & ~compared


def _words(entry: CanFilter) -> list[tuple[int, int]]:
    """Return (value, compared bits) for each kind of identifier that ``entry`` passes."""
    identifier, mask = entry["can_id"], entry["can_mask"] & bits.CAN_EFF_MASK
    extended = entry.get("extended")
    words = []
    if not extended and not identifier & mask & ~bits.CAN_SFF_MASK:
        words.append(((identifier & bits.CAN_SFF_MASK) << 21, (mask & bits.CAN_SFF_MASK) << 21))
    if extended is None or extended:
        words.append(((identifier & bits.CAN_EFF_MASK) << 3, mask << 3))
    return words
