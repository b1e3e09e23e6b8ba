"""Filters as dictionaries, the form that python-can documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired


class CanFilter(TypedDict):
    """Passes frames whose identifier equals ``can_id`` in the bits of ``can_mask``.

    If ``extended`` is present, the kind of the identifier must match as well.
    """

    can_id: int
    can_mask: int
    extended: NotRequired[bool]


CanFilters = Sequence[CanFilter]
