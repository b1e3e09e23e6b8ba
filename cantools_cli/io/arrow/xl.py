"""CAN XL frames in Arrow record batches, one at a time; ``table`` reads all others in bulk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cantools_cli.frame.arrow import XL_COLUMNS
from cantools_cli.frame.xl import XlMessage


class XlRows:
    """The rows with ``is_xl`` set; a missing or null value in another column of CAN XL is 0."""

    def __init__(self, column: Callable[[str], Any], arrow: Any) -> None:
        marks = column("is_xl")
        marks = None if marks is None else marks.cast(arrow.bool_())
        self.rows: frozenset[int] = frozenset()  #: the numbers of these rows
        self._fields: dict[str, list[Any]] = {}
        if marks is None or not marks.true_count:
            return
        self.rows = frozenset(row for row, mark in enumerate(marks.to_pylist()) if mark)
        octet, flag, word = arrow.uint8(), arrow.bool_(), arrow.uint32()
        for name, kind in zip(XL_COLUMNS, (octet, octet, flag, flag, word), strict=True):
            values = column(name)
            if values is not None:
                self._fields[name] = values.cast(kind).to_pylist()

    def message(self, row: int, data: bytes) -> XlMessage:
        """Return the frame of ``row`` with the fields that only CAN XL has."""
        return XlMessage(
            data=data,
            vcid=self._field("vcid", row),
            sdt=self._field("sdt", row),
            sec=bool(self._field("sec", row)),
            rrs=bool(self._field("rrs", row)),
            acceptance_field=self._field("acceptance_field", row),
        )

    def _field(self, name: str, row: int) -> int:
        return self._fields[name][row] or 0 if name in self._fields else 0
