"""The two lines at the top: source, state and position, and the totals with their rates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rich.text import Text

from cantools_cli.errors import counted
from cantools_cli.frame.message import Channel
from cantools_cli.screen.look import Look, sparkline
from cantools_cli.screen.session import ScreenSession
from cantools_cli.sniff.rates import Speed
from cantools_cli.sniff.table import Table
from cantools_cli.sniff.view import View

_SECOND_NS = 1_000_000_000
#: earlier times are not dates but relative to the start of a log
_DAY_NS = 86_400 * _SECOND_NS


def header(
    session: ScreenSession, view: View, table: Table, source: str, state: str, look: Look, room: int
) -> Text:
    """Return two lines, at most ``room`` characters wide if possible."""
    line = _first_line(session, view, table, source, state, room)
    numbers = _numbers(session)
    line.append(f"\n{numbers}  ")
    history = list(session.rates.history)[-max(1, room - len(numbers) - 3) :]
    line.append(sparkline(history, is_utf8=look.is_utf8))
    return line


def _first_line(session: ScreenSession, view: View, table: Table, source: str, state: str, room: int) -> Text:
    marks = [state] if state != "live" else []
    marks += ["no 11-bit"] * view.hides_standard + ["no 29-bit"] * view.hides_extended
    parts = [("live", "")] if state == "live" else []
    parts += [(mark, "reverse") for mark in marks] + [("filtered", "reverse")] * (view.chosen is not None)
    parts += [(text, "") for text in (speeds(session.speeds), position(session)) if text]
    if table.last_ns is not None:
        parts.append((moment(table.last_ns, is_live=session.player is None), ""))
    left = room - sum(2 + len(text) for text, _ in parts)
    line = Text(source[: max(10, left)], style="bold")
    for text, style in parts:
        line.append("  ", style="not bold")
        line.append(text, style=f"not bold {style}")
    return line


def _numbers(session: ScreenSession) -> str:
    table, rates = session.table, session.rates
    loads = [figures.load for figures in rates.channels if figures.load is not None]
    busy = f"  load ~{100 * max(loads):.1f} %" if loads else ""
    count = counted(table.frames, "frames", ",")
    text = f"{count}  {rates.frames_per_second:,.0f}/s{busy}  errors {table.errors:,}"
    if session.missed is not None:
        text += f"  lost {session.missed():,}"
    return f"{text}  without row {table.crowded:,}" if table.crowded else text


def speeds(known: Mapping[Channel, Speed]) -> str:
    """Return the known bit rates: ``500k/2M``, or one per channel if they differ."""
    texts = {str(channel): _speed(speed) for channel, speed in list(known.items()) if speed.bitrate}
    if len(set(texts.values())) == 1 and len(texts) == len(known):
        return next(iter(texts.values()))
    return " ".join(f"{channel}:{text}" for channel, text in texts.items())


def _speed(speed: Speed) -> str:
    return "/".join(_short(rate) for rate in (speed.bitrate, speed.data_bitrate) if rate)


def _short(rate: int) -> str:
    return f"{rate / 1e6:g}M" if rate >= 1_000_000 else f"{rate / 1000:g}k"


def position(session: ScreenSession) -> str:
    """Return the position in a log, with its length if known: ``1:23.4/10:00.0``."""
    now, player = session.position_ns(), session.player
    if now is None or player is None:
        return ""
    return length(now) if player.total_ns is None else f"{length(now)}/{length(player.total_ns)}"


def length(nanoseconds: int) -> str:
    """Return minutes and seconds, with hours if there are any: ``0:07.5``, ``1:00:00.0``."""
    tenths = nanoseconds // 100_000_000
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def moment(time_ns: int, *, is_live: bool) -> str:
    """Return a timestamp as local time, with its date unless the view is live."""
    if time_ns < _DAY_NS:
        return f"{time_ns / 1e9:.3f}"
    try:
        wall = datetime.fromtimestamp(time_ns // _SECOND_NS)
    except (OverflowError, ValueError, OSError):
        return ""
    text = f"{wall:%H:%M:%S}.{time_ns // 1_000_000 % 1000:03}"
    return text if is_live else f"{wall:%Y-%m-%d} {text}"
