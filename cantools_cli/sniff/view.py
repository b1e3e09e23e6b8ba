"""Selection and order of the displayed rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cantools_cli.errors import UsageError
from cantools_cli.filtering.selection import Selection
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.sniff.columns import COLUMNS, Now, checked
from cantools_cli.sniff.table import Row

if TYPE_CHECKING:
    from cantools_cli.filtering.where_signals import Signals

#: text of these characters is parsed as filters, other text as an expression
_FILTERS = re.compile(r"[0-9A-Fa-f#:~,jJ-]*")


@dataclass
class View:
    """An order, a filter and pinned rows."""

    order: str = "id"  #: the column to sort by; empty is the order of appearance
    descending: bool = False
    by_channel: bool = False
    pinned: set[int] = field(default_factory=set)  #: numbers of the rows that are always shown, on top
    chosen: Selection | None = None  #: selection that the last frame of a row must pass; None shows all
    signals: Signals | None = None  #: the messages and signals that the filter prompt may name
    hides_standard: bool = False
    hides_extended: bool = False

    @classmethod
    def parse(cls, order: str) -> View:
        """Parse ``--sort``: a column, with a leading ``-`` for descending order."""
        name = order.removeprefix("-")
        if name != "none":
            checked([name])
        return cls("" if name == "none" else name, descending=order.startswith("-"))

    def rows(self, rows: Iterable[Row], now: Now = None) -> list[Row]:
        """Return the rows to show, in order."""
        chosen = sorted(self._passing(list(rows)), key=lambda row: row.number)
        if self.order:
            key = COLUMNS[self.order].key
            chosen.sort(key=lambda row: key(row, now), reverse=self.descending)
        if self.by_channel:
            chosen.sort(key=lambda row: str(row.channel))
        chosen.sort(key=lambda row: row.number not in self.pinned)
        return chosen

    def _passing(self, rows: list[Row]) -> list[Row]:
        if self.hides_standard or self.hides_extended:
            rows = [row for row in rows if row.number in self.pinned or not self._is_hidden(row)]
        if self.chosen is None or not rows:
            return rows
        batch = MessageBatch(row.message() for row in rows)
        batch.timestamp_ns[:] = type(batch.timestamp_ns)("q", range(len(rows)))  # the index of the row
        passed = set(self.chosen.select(batch).timestamp_ns)
        return [row for index, row in enumerate(rows) if index in passed or row.number in self.pinned]

    def _is_hidden(self, row: Row) -> bool:
        if row.is_error_frame:
            return False
        return self.hides_extended if row.is_extended_id else self.hides_standard


def parse_filter(text: str, signals: Signals | None = None) -> Selection:
    """Parse the filter prompt: filters such as ``100-1FF``, or an expression, which may name ``signals``."""
    selection = _parsed(text, signals)
    if selection.tests_order:
        raise UsageError(
            "changed, every, gap, period, time and timestamp apply to frames, not to the rows of a table",
            hint="--where filters frames",
        )
    return selection


def _parsed(text: str, signals: Signals | None) -> Selection:
    if not _FILTERS.fullmatch(text):
        return Selection.parse(None, text, signals=signals)
    try:
        return Selection.parse([text])
    except UsageError:
        if not text.isalpha():  # "fd" is a word of expressions that looks like an identifier
            raise
        return Selection.parse(None, text, signals=signals)
