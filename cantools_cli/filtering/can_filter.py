"""The documented form of a filter: a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired


class CanFilter(TypedDict):
    """Passes frames whose identifier equals ``can_id`` in the bits of ``can_mask``.

    With ``extended`` the kind of the identifier has to be the same as well.
    """

    can_id: int
    can_mask: int
    extended: NotRequired[bool]


CanFilters = Sequence[CanFilter]
