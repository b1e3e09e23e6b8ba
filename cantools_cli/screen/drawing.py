"""The table as styled text.

A recent change is bold and reversed, then bold, then plain, so that it is visible without colour.
"""

from __future__ import annotations

from rich.text import Text

from cantools_cli.screen.look import Look, width
from cantools_cli.sniff.columns import COLUMNS
from cantools_cli.sniff.table import Row, Table

_NEW, _LATE = "bold reverse", "bold"


def headings(table: Table, look: Look) -> Text:
    line = Text(" ", style="underline")
    for name in look.names_for(table):
        column = COLUMNS[name]
        text = _fitted(column.heading, width(name), is_right=column.is_right)
        line.append(text, style="bold" if name == look.sorted_by else "")
        line.append(" ")
    return line


def _fitted(text: str, size: int, *, is_right: bool) -> str:
    return text.rjust(size) if is_right else text.ljust(size)


def table_line(row: Row, table: Table, look: Look, now_ns: int, *, is_chosen: bool) -> Text:
    """Return the line of one row, with recent changes marked."""
    line = Text(style="red" if row.is_error_frame and look.has_colour else "", no_wrap=True, overflow="crop")
    line.append(">" if is_chosen else "^" if row.number in look.pinned else " ")
    for index, name in enumerate(look.names_for(table)):
        column = COLUMNS[name]
        if name == "data" and not row.is_error_frame:
            line.append_text(data_text(row, look, now_ns, width(name)))
        else:
            text = column.text(row, now_ns)
            text = short_flags(text) if name == "flags" else text
            text = _fitted(text, width(name), is_right=column.is_right)
            line.append(text, style="bold" if is_chosen and not index else "")
        line.append(" ")
    return line


def short_flags(text: str) -> str:
    """Return one letter per flag: R remote, F CAN FD, B bit rate switch, E error state, X CAN XL, T sent."""
    return "".join(word[0] for word in text.split())


def data_text(row: Row, look: Look, now_ns: int, size: int = 0) -> Text:
    """Return the data with recently changed bytes, or bits in binary, marked."""
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
    text.append(" " * max(0, size - len(text)))
    return text


def _style(age: int | None, look: Look) -> str:
    if age is None or age > 2 * look.hold_ns:
        return ""
    style = _NEW if age <= look.hold_ns // 2 else _LATE
    return f"{style} yellow" if look.has_colour else style
