"""What the screen shows, as styled text: the header, the table, a row's details, the help.

A change is bold and reversed at first, then bold, then as all else: it can be seen without colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.text import Text

from cantools_cli.sniff.columns import COLUMNS
from cantools_cli.sniff.rates import Rates
from cantools_cli.sniff.row import Row
from cantools_cli.sniff.table import Table

#: columns of a screen; the channel where there are several
USUAL = ("id", "count", "rate", "period", "length", "flags", "data", "ascii")
_WIDTHS = {
    "id": 8,
    "count": 7,
    "rate": 7,
    "period": 8,
    "min": 8,
    "max": 8,
    "jitter": 7,
    "silence": 8,
    "length": 3,
    "flags": 5,
    "channel": 6,
    "data": 23,
    "changed": 23,
}
_NEW, _LATE = "bold reverse", "bold"
_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN_BLOCKS = "_.-=+*%#"

HELP = """\
q ESC     end                          c         clear all rows
SPACE     pause and go on              h         mark changes, or not
up down   choose a row                 ENTER     its details and last frames, and back
left right  sort by another column     r         the other way round
s         sort by identifier           g         rows of one channel together
p         keep the row on top          b         data as bits
#         notch: ignore what changes   *         look at all bits again
/         show only some rows: 123, 100-1FF, id in 100..1FF and data[0] eq 3
t         send a frame: 123#DEADBEEF, or again and again: 123#DEADBEEF 100ms
w         record to a file from here on, and end it
?         this page

flags: R remote, F CAN FD, B bit rate switch, E error state, X CAN XL, T sent
"""


@dataclass
class Look:
    """How the table is drawn."""

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


def sparkline(values: Iterable[float], *, is_utf8: bool = True) -> str:
    """Return a character for each value, between 0 and the largest."""
    blocks = _BLOCKS if is_utf8 else _PLAIN_BLOCKS
    found = list(values)
    most = max(found, default=0)
    if most <= 0:
        return blocks[0] * len(found)
    return "".join(blocks[min(7, int(8 * max(0.0, value) / most))] for value in found)


def header(table: Table, rates: Rates, source: str, state: str, look: Look, width: int) -> Text:
    """Return two lines: where the frames come from and how many, and their rate."""
    loads = [one.load for one in rates.channels if one.load is not None]
    busy = f"  load ~{100 * max(loads):.1f} %" if loads else ""
    numbers = f"{table.frames:,} frames  {rates.frames_per_second:,.0f}/s{busy}  errors {table.errors}"
    if table.crowded:
        numbers += f"  without row {table.crowded}"
    line = Text(source[: max(10, width - len(state) - 2)], style="bold")
    line.append(f"  {state}", style="reverse" if state not in ("", "live") else "")
    line.append(f"\n{numbers}  ")
    history = list(rates.history)[-max(0, width - len(numbers) - 3) :]
    line.append(sparkline(history, is_utf8=look.is_utf8))
    return line


def headings(table: Table, look: Look) -> Text:
    line = Text(style="underline")
    for name in look.names_for(table):
        column = COLUMNS[name]
        text = _fitted(column.heading, _WIDTHS.get(name, 6), is_right=column.is_right)
        line.append(text, style="bold" if name == look.sorted_by else "")
        line.append(" ")
    return line


def _fitted(text: str, width: int, *, is_right: bool) -> str:
    return text.rjust(width) if is_right else text.ljust(width)


def table_line(row: Row, table: Table, look: Look, now_ns: int, *, is_chosen: bool) -> Text:
    """Return one row, with its changes marked."""
    line = Text(style="red" if row.is_error_frame and look.has_colour else "", no_wrap=True, overflow="crop")
    for index, name in enumerate(look.names_for(table)):
        column = COLUMNS[name]
        width = _WIDTHS.get(name, 6)
        if index == 0:
            mark = ">" if is_chosen else "^" if row.number in look.pinned else " "
            text = _fitted(column.text(row, now_ns), width, is_right=column.is_right)
            line.append(
                mark + (text[1:] if text.startswith(" ") else text), style="bold" if is_chosen else ""
            )
        elif name == "data" and not row.is_error_frame:
            line.append_text(data_text(row, look, now_ns, width))
        else:
            text = column.text(row, now_ns)
            text = short_flags(text) if name == "flags" else text
            line.append(_fitted(text, width, is_right=column.is_right))
        line.append(" ")
    return line


def short_flags(text: str) -> str:
    """Return one letter a mark: R remote, F CAN FD, B bit rate switch, E error state, X CAN XL, T sent."""
    return "".join(word[0] for word in text.split())


def data_text(row: Row, look: Look, now_ns: int, width: int = 0) -> Text:
    """Return the bytes, those (or as bits those bits) that changed of late marked."""
    text = Text()
    recent = row.recent_bits
    for index, (byte, age) in enumerate(zip(row.data, row.ages_ns(now_ns), strict=True)):
        if index:
            text.append(" ")
        style = _style(age, look) if look.marks_changes else ""
        if look.is_binary:
            for bit in range(7, -1, -1):
                text.append(str(byte >> bit & 1), style=style if recent[index] >> bit & 1 else "")
        else:
            text.append(f"{byte:02X}", style=style)
    text.append(" " * max(0, width - len(text)))
    return text


def _style(age: int | None, look: Look) -> str:
    if age is None or age > 2 * look.hold_ns:
        return ""
    style = _NEW if age <= look.hold_ns // 2 else _LATE
    return f"{style} yellow" if look.has_colour else style


def details(row: Row, look: Look, now_ns: int, height: int) -> Text:
    """Return all that is known of a row: a line for each byte, and the last frames."""
    text = Text(f"{row.channel}  {COLUMNS['id'].text(row, now_ns)}  {COLUMNS['flags'].text(row, now_ns)}\n")
    for name in ("count", "rate", "period", "min", "max", "jitter"):
        column = COLUMNS[name]
        text.append(f"{column.heading} {column.text(row, now_ns) or '-'}  ")
    text.append("\n")
    if row.is_error_frame:
        text.append(row.meaning + "\n")
    decoded = COLUMNS["values"].text(row, now_ns)
    if decoded:
        text.append(f"values {decoded}\n")
    past = row.past()
    text.append("\nbyte  now  low high  bits that changed  last frames\n", style="bold")
    shown = min(len(row.data), max(1, height - 9))
    for index in range(shown):
        values = [one.data[index] for one in past if index < len(one.data)]
        text.append(
            f"{index:>4}   {row.data[index]:02X}   {row.lowest[index]:02X}   {row.highest[index]:02X}  "
            f"{row.changed_bits[index]:08b}           {sparkline(values[-40:], is_utf8=look.is_utf8)}\n"
        )
    text.append("\nlast frames, the latest first\n", style="bold")
    for one in reversed(past[-max(1, height - 7 - shown) :]):
        data = f"remote, {one.length} bytes" if one.is_remote_frame else one.data.hex(" ").upper()
        text.append(f"{one.time_ns // 1_000_000_000}.{one.time_ns // 1000 % 1_000_000:06d}  {data}\n")
    return text
