"""The acceptance filter of a channel: one mask (AMR, whose bits do not matter) and one code (ACR).

A frame passes if ``(register ^ ACR) & ~AMR`` is 0, where the register is made of its identifier:

::

    standard    iiiiiiii iiir.... ........ ........     i identifier, r remote frame
    extended    iiiiiiii iiiiiiii iiiiiiii iiiiir..

The registers of standard and extended frames cannot be told apart, and modules since the third generation
ignore the bit of remote frames; so a software filter has to follow.

Source: the manual of USB-CANmodules, "Acceptance filter", and the data sheet of the SJA1000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cantools_cli.backends.systec.constants import ACR_ALL, AMR_ALL
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame import bits

if TYPE_CHECKING:
    from cantools_cli.filtering.filters import IdTest

__all__ = ["AcceptanceFilter", "acceptance", "create_filter"]

#: by kind, extended or not: bits below the identifier, its mask, the bit of remote frames
_REGISTERS = {False: (21, bits.CAN_SFF_MASK, 1 << 20), True: (3, bits.CAN_EFF_MASK, 1 << 2)}


class AcceptanceFilter(dict[str, Any]):
    """A filter of ``create_filter``: ``can_id`` is the code, ``can_mask`` the mask of the hardware."""

    @property
    def id_test(self) -> IdTest:
        """The test that the hardware applies, for frames of the filter's kind."""
        from cantools_cli.filtering.filters import NOTHING, IdTest

        shift, id_mask, remote_bit = _REGISTERS[bool(self["extended"])]
        care, code = ~self["can_mask"] & 0xFFFF_FFFF, self["can_id"]
        if care & code & (remote_bit - 1):
            return NOTHING  # bits that every register has as 0
        mask = (care >> shift & id_mask) | bits.CAN_EFF_FLAG
        word = code >> shift & mask & id_mask
        if care & remote_bit:
            mask |= bits.CAN_RTR_FLAG
            word |= bits.CAN_RTR_FLAG if code & remote_bit else 0
        if self["extended"]:
            word |= bits.CAN_EFF_FLAG
        return IdTest(mask, word, word)


def create_filter(
    extended: bool, from_id: int, to_id: int, rtr_only: bool, rtr_too: bool
) -> list[AcceptanceFilter]:
    """Return the filter for a range of identifiers, in a list.

    It passes more frames if the differing bits of both ends are not a whole block.
    """
    shift, _, remote_bit = _REGISTERS[bool(extended)]
    low = 2 * remote_bit - 1 if rtr_too and not rtr_only else remote_bit - 1
    mask = ((from_id ^ to_id) << shift) + low
    code = ((from_id & to_id) << shift) + (remote_bit if rtr_only else 0)
    return [AcceptanceFilter(can_id=code, can_mask=mask, extended=extended)]


def acceptance(filters: CanFilters | None) -> tuple[int, int]:
    """Return mask and code that pass at least the frames of ``filters``."""
    if not filters or len(filters) > 1:
        return AMR_ALL, ACR_ALL
    [only] = filters
    extended = only.get("extended")
    if isinstance(only, AcceptanceFilter):
        return only["can_mask"], only["can_id"]
    if extended is None or only["can_id"] & ~bits.CAN_EFF_MASK:  # of both kinds, or inverted
        return AMR_ALL, ACR_ALL
    shift, id_mask, remote_bit = _REGISTERS[bool(extended)]
    mask = ((~only["can_mask"] & id_mask) << shift) + 2 * remote_bit - 1
    return mask, (only["can_id"] & only["can_mask"] & id_mask) << shift
