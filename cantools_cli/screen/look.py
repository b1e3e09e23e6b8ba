"""Display settings and helpers shared by the parts of the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cantools_cli.sniff.table import Table

#: default columns of the screen; ``channel`` is added if there are several
USUAL = ("id", "count", "rate", "period", "length", "flags", "data", "ascii")
_WIDTHS = {
    "id": 8,
    "count": 7,
    "rate": 7,
    "period": 8,
    "min": 8,
    "max": 8,
    "jitter": 7,
    "time": 11,
    "silence": 8,
    "length": 3,
    "flags": 5,
    "channel": 6,
    "data": 23,
    "changed": 23,
}
_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN_BLOCKS = "_.-=+*%#"


@dataclass
class Look:
    """Display settings of the table."""

    names: Sequence[str] = USUAL
    marks_changes: bool = True
    is_binary: bool = False
    is_utf8: bool = True
    has_colour: bool = True
    sorted_by: str = "id"
    pinned: set[int] = field(default_factory=set)
    hold_ns: int = 1_000_000_000

    def names_for(self, table: Table) -> Sequence[str]:
        several = len(table.channels) > 1 and "channel" not in self.names
        return ("channel", *self.names) if several else self.names

    def toggle(self, name: str) -> None:
        """Show a column after the others, or hide it."""
        shown = tuple(column for column in self.names if column != name)
        self.names = shown if name in self.names else (*shown, name)


def width(name: str) -> int:
    """Return the width of a column in characters."""
    return _WIDTHS.get(name, 6)


def column_at(look: Look, table: Table, x: int) -> str:
    """Return the name of the column at ``x``; the last one if ``x`` is to the right of it."""
    x -= 1  # the marker of the chosen row
    name = ""
    for name in look.names_for(table):
        if x <= width(name):
            break
        x -= width(name) + 1
    return name


def sparkline(values: Iterable[float], *, is_utf8: bool = True) -> str:
    """Return one block character per value, scaled to the largest."""
    blocks = _BLOCKS if is_utf8 else _PLAIN_BLOCKS
    numbers = list(values)
    maximum = max(numbers, default=0)
    if maximum <= 0:
        return blocks[0] * len(numbers)
    return "".join(blocks[min(7, int(8 * max(0.0, value) / maximum))] for value in numbers)
