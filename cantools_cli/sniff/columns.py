"""The columns of the table: heading, text and sort key.

Times are in milliseconds, except ``time``, which is in seconds. ``now`` is the time of the view; without it,
rates are averages of the whole recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.bits import BRS, ESI, FD, TX, XL
from cantools_cli.sniff.decoding import Value
from cantools_cli.sniff.table import Row

Now = int | None


class Column(NamedTuple):
    """A column; ``key`` returns the sort key of a row."""

    heading: str
    is_right: bool
    text: Callable[[Row, Now], str]
    key: Callable[[Row, Now], Any]


def _milliseconds(nanoseconds: int | None) -> str:
    return "" if nanoseconds is None else f"{nanoseconds / 1e6:.3f}"


def _duration(heading: str, value: Callable[[Row], int | None]) -> Column:
    """Return a column of milliseconds; rows without a value come first."""

    def key(row: Row, now: Now) -> int:
        nanoseconds = value(row)
        return -1 if nanoseconds is None else nanoseconds

    return Column(heading, True, lambda row, now: _milliseconds(value(row)), key)


def identifier(row: Row) -> str:
    """Return the identifier as 3 or 8 digits, ``error`` for error frames."""
    if row.is_error_frame:
        return "error"
    return f"{row.arbitration_id:08X}" if row.is_extended_id else f"{row.arbitration_id:03X}"


def _id_key(row: Row) -> tuple[Any, ...]:
    return (row.is_error_frame, row.is_extended_id, row.arbitration_id, row.is_xl, str(row.channel))


def flags(row: Row) -> str:
    """Return the flags of the last frame: R (remote), FD, BRS, ESI, XL, Tx."""
    marks = [(FD, "FD"), (BRS, "BRS"), (ESI, "ESI"), (XL, "XL"), (TX, "Tx")]
    names = [name for bit, name in marks if row.flags & bit]
    return " ".join((["R"] if row.is_remote_frame else []) + names)


def data(row: Row) -> str:
    """Return the data in hexadecimal, or the meaning of an error frame."""
    return row.meaning if row.is_error_frame else row.data.hex(" ").upper()


def ascii_text(row: Row) -> str:
    """Return the data as ASCII, with a dot for each byte that is not printable."""
    if row.is_error_frame:
        return ""
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row.data)


def values(row: Row) -> str:
    """Return the decoded values, or the reason for a failure in parentheses."""
    return values_text(row, row.data) if row.data else ""


def values_text(row: Row, data: bytes) -> str:
    """Return the decoded values of the data of another frame of the row."""
    try:
        values = row.values_in(data)
    except ValueError as error:
        return f"({error})"
    return "" if values is None else "  ".join(_value(value) for value in values)


def _value(value: Value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _changed_bits(row: Row) -> str:
    return " ".join(f"{bits:02X}" if bits else ".." for bits in row.changed_bits)


def _silence(row: Row, now: Now) -> int:
    return 0 if now is None else max(0, now - row.seen_ns)


COLUMNS = {
    "channel": Column("channel", False, lambda row, now: str(row.channel), lambda row, now: str(row.channel)),
    "id": Column("id", True, lambda row, now: identifier(row), lambda row, now: _id_key(row)),
    "count": Column("count", True, lambda row, now: str(row.count), lambda row, now: row.count),
    "rate": Column("rate/s", True, lambda row, now: f"{row.rate(now):.1f}", lambda row, now: row.rate(now)),
    "period": _duration("period", lambda row: row.period_ns),
    "min": _duration("min", lambda row: row.shortest_ns),
    "max": _duration("max", lambda row: row.longest_ns),
    "jitter": _duration("jitter", lambda row: row.jitter_ns),
    "time": Column(
        *("time", True, lambda row, now: f"{row.elapsed_ns / 1e9:.6f}"), lambda row, now: row.elapsed_ns
    ),
    "silence": Column(*("silence", True, lambda row, now: _milliseconds(_silence(row, now))), _silence),
    "length": Column("len", True, lambda row, now: str(row.length), lambda row, now: row.length),
    "flags": Column("flags", False, lambda row, now: flags(row), lambda row, now: flags(row)),
    "data": Column("data", False, lambda row, now: data(row), lambda row, now: row.data),
    "changed": Column(
        *("changed", False, lambda row, now: _changed_bits(row)), lambda row, now: row.changed_bits
    ),
    "values": Column("values", False, lambda row, now: values(row), lambda row, now: values(row)),
    "ascii": Column("ascii", False, lambda row, now: ascii_text(row), lambda row, now: row.data),
}
#: the default columns
USUAL = (
    *("channel", "id", "count", "rate", "period", "min", "max", "jitter"),
    *("length", "flags", "data", "changed", "ascii"),
)


def checked(names: Iterable[str]) -> list[str]:
    """Return ``names`` as a list."""
    columns = list(names)
    for name in columns:
        if name not in COLUMNS:
            raise UsageError(f"no column {quoted(name)}", hint=f"columns: {', '.join(COLUMNS)}")
    return columns
