"""The page of an opened row: its figures, one line per byte, and its last frames."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.text import Text

from cantools_cli.errors import counted
from cantools_cli.frame.error_frames import explain
from cantools_cli.screen.look import Look, sparkline
from cantools_cli.sniff.columns import COLUMNS, values_text
from cantools_cli.sniff.table import Past, Row

_COURSE = 40  # frames in the sparkline of a byte
_FIGURES = ("count", "rate", "period", "min", "max", "jitter")


def details(row: Row, look: Look, now_ns: int) -> list[Text]:
    """Return the lines of the page."""
    past = row.past()
    named = (f"{COLUMNS[name].heading} {COLUMNS[name].text(row, now_ns) or '-'}" for name in _FIGURES)
    lines = [
        Text("  ".join(COLUMNS[name].text(row, now_ns) for name in ("channel", "id", "flags")).rstrip()),
        Text("  ".join(named)),
    ]
    decoded = row.meaning or COLUMNS["values"].text(row, now_ns)
    if decoded:
        lines.append(Text(decoded if row.is_error_frame else f"values  {decoded}"))
    return [*lines, Text(), *_bytes(row, past, look), Text(), *_frames(row, past, look)]


def _bytes(row: Row, past: list[Past], look: Look) -> list[Text]:
    lines = [Text("byte  now  low high  bits 7-0  course", style="bold")]
    size = len(row.data)
    for index, counts in enumerate(bit_changes(past, size)):
        values = [frame.data[index] for frame in past if index < len(frame.data)]
        line = Text(f"{index:>4}   {row.data[index]:02X}   {row.lowest[index]:02X}   ")
        line.append(f"{row.highest[index]:02X}  ")
        ever = f"{row.changed_bits[index]:08b}"
        line.append("".join(_mark(count, bit, len(past)) for count, bit in zip(counts, ever, strict=True)))
        line.append("  " + sparkline(values[-_COURSE:], is_utf8=look.is_utf8))
        lines.append(line)
    return lines


def _mark(count: int, ever: str, frames: int) -> str:
    """Return a dot for a bit that never changed, else the tenths of the last frames in which it changed."""
    if not count:
        return "0" if ever == "1" else "."
    return str(min(9, max(1, 10 * count // max(1, frames - 1))))


def _frames(row: Row, past: list[Past], look: Look) -> list[Text]:
    heading = f"last {counted(len(past), 'frames')}, latest first; ms since the previous one"
    lines = [Text(heading, style="bold")]
    for frame, period in reversed(list(zip(past, periods_ns(past), strict=True))):
        since = "" if period is None else f"{period / 1e6:.3f}"
        time = f"{frame.time_ns // 1_000_000_000}.{frame.time_ns // 1000 % 1_000_000:06d}"
        lines.append(Text(f"{time}  {since:>10}  {frame.length:>2}  {_shown(row, frame, look)}"))
    return lines


def _shown(row: Row, frame: Past, look: Look) -> str:
    if frame.is_remote_frame:
        return "remote"
    if look.is_binary:
        data = " ".join(f"{byte:08b}" for byte in frame.data)
    else:
        data = f"{frame.data.hex(' ').upper():<23}"
    meaning = explain(row.arbitration_id, frame.data) if row.is_error_frame else values_text(row, frame.data)
    return f"{data}  {meaning}" if meaning else data


def bit_changes(past: Sequence[Past], size: int) -> list[list[int]]:
    """Return for each of ``size`` bytes the number of changes of each bit, bit 7 first."""
    counts = [[0] * 8 for _ in range(size)]
    data = [frame.data for frame in past if not frame.is_remote_frame]
    for before, after in pairwise(data):
        for index, (old, new) in enumerate(zip(before[:size], after, strict=False)):
            bits = old ^ new
            if bits:
                for place in range(8):
                    counts[index][place] += bits >> 7 - place & 1
    return counts


def periods_ns(past: Sequence[Past]) -> list[int | None]:
    """Return the time between each frame and its predecessor; None for the first."""
    times = [frame.time_ns for frame in past]
    return [None, *(after - before for before, after in pairwise(times))][: len(past)]
