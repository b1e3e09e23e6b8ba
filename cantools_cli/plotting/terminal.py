"""Pictures of series as text: curves by the dots of Braille characters, states by a line for each."""

from __future__ import annotations

from bisect import bisect_right
from math import floor, log10

from cantools_cli.errors import printable
from cantools_cli.plotting.series import Panel, Series, number_text, panels

#: the bit of each dot in a Braille character: 2 columns of 4
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE = 0x2800
_COLOURS = (34, 31, 32, 35, 33, 36)
_LEAST_WIDTH = 20
_ROWS = 8  # of a panel, if the height is not given


def draw(
    series: list[Series],
    origin_ns: int,
    axis: str,
    *,
    width: int = 80,
    height: int | None = None,
    is_coloured: bool = False,
) -> str:
    """Return the picture as lines of at most ``width`` characters, of ``height`` lines in all if possible."""
    rows = panels(series)
    begin = min(one.times[0] for one in series)
    end = max(*(one.times[-1] for one in series), begin + 1)
    labels = [_labels(panel) for panel in rows]
    margin = min(max(len(label) for pair in labels for label in pair), max(8, width // 4))
    columns = max(width - margin - 1, _LEAST_WIDTH)
    lines: list[str] = []
    tall = _panel_height(rows, height)
    colour = 0
    for panel, texts in zip(rows, labels, strict=True):
        names = []
        for index, one in enumerate(panel.series):
            unit = f" [{one.unit}]" if one.unit else ""
            names.append(_coloured(printable(f"{one.label}{unit}"), colour + index, is_coloured))
        lines.append(" " * (margin + 1) + "  ".join(names))
        if panel.states:
            lines += _state_lines(panel, begin, end, columns, margin, colour, is_coloured)
        else:
            canvas = _Canvas(columns, tall, begin, end, panel.limits)
            for index, one in enumerate(panel.series):
                canvas.draw(one, colour + index)
            lines += canvas.lines(texts, margin, is_coloured=is_coloured)
        colour += len(panel.series)
    lines += _axis_lines(begin - origin_ns, end - origin_ns, columns, margin, axis)
    return "\n".join(lines) + "\n"


def _panel_height(rows: list[Panel], height: int | None) -> int:
    curves = sum(1 for panel in rows if not panel.states)
    if height is None or not curves:
        return _ROWS
    taken = 3 + len(rows) + sum(len(panel.states) for panel in rows)
    return max(3, (height - taken) // curves)


def _labels(panel: Panel) -> tuple[str, ...]:
    if panel.states:
        return tuple(printable(name) for name in panel.states.values())
    low, high = panel.limits
    return number_text(high), number_text(low)


def _coloured(text: str, number: int, is_coloured: bool) -> str:
    return f"\x1b[{_COLOURS[number % len(_COLOURS)]}m{text}\x1b[0m" if is_coloured and text else text


class _Canvas:
    """Dots of one panel."""

    def __init__(self, columns: int, rows: int, begin: int, end: int, limits: tuple[float, float]) -> None:
        self._columns, self._rows = columns, rows
        self._begin, self._span = begin, end - begin
        self._low, self._range = limits[0], limits[1] - limits[0]
        self._dots = [bytearray(columns) for _ in range(rows)]
        self._owner = [bytearray(columns) for _ in range(rows)]

    def draw(self, series: Series, number: int) -> None:
        places = [(self._x(time), value) for time, value in zip(series.times, series.values, strict=True)]
        for begin, end in series.segments():
            last_x, last_y = places[begin][0], self._y(places[begin][1])
            self._dot(last_x, last_y, number)
            for x, value in places[begin + 1 : end]:
                y = self._y(value)
                if series.is_step:
                    self._line(last_x, last_y, x, last_y, number)
                    self._line(x, last_y, x, y, number)
                else:
                    self._line(last_x, last_y, x, y, number)
                last_x, last_y = x, y

    def _x(self, time: int) -> int:
        return (time - self._begin) * (2 * self._columns - 1) // self._span

    def _y(self, value: float) -> int:
        share = (value - self._low) / self._range
        return round((1 - min(max(share, 0.0), 1.0)) * (4 * self._rows - 1))

    def _line(self, x0: int, y0: int, x1: int, y1: int, number: int) -> None:
        steps = max(abs(x1 - x0), abs(y1 - y0))
        for step in range(steps + 1):
            share = step / steps if steps else 0
            self._dot(round(x0 + (x1 - x0) * share), round(y0 + (y1 - y0) * share), number)

    def _dot(self, x: int, y: int, number: int) -> None:
        self._dots[y >> 2][x >> 1] |= _DOTS[x & 1][y & 3]
        self._owner[y >> 2][x >> 1] = number % len(_COLOURS)

    def lines(self, labels: tuple[str, ...], margin: int, *, is_coloured: bool) -> list[str]:
        lines = []
        for row in range(self._rows):
            label = labels[0] if row == 0 else labels[1] if row == self._rows - 1 else ""
            text, owner = "", -1
            for dots, by in zip(self._dots[row], self._owner[row], strict=True):
                if is_coloured and dots and by != owner:
                    text += f"\x1b[{_COLOURS[by]}m"
                    owner = by
                text += chr(_BRAILLE + dots) if dots else " "
            lines.append(f"{label[:margin]:>{margin}}┤{text.rstrip()}" + ("\x1b[0m" if owner >= 0 else ""))
        return lines


def _state_lines(
    panel: Panel, begin: int, end: int, columns: int, margin: int, number: int, is_coloured: bool
) -> list[str]:
    """Return a line for each state, the highest first, marked while it lasts."""
    series = panel.series[0]
    marks = {value: [" "] * columns for value in panel.states}
    span = end - begin
    for first, last in series.segments():
        for at in range(first, last):
            until = series.times[at + 1] if at + 1 < last else series.times[at]
            left = (series.times[at] - begin) * (columns - 1) // span
            right = max(left + 1, (until - begin) * (columns - 1) // span)
            for place in range(left, min(right, columns)):
                marks[series.values[at]][place] = "━"
    lines = []
    for value, name in reversed(panel.states.items()):
        text = _coloured("".join(marks[value]).rstrip(), number, is_coloured)
        lines.append(f"{printable(name)[:margin]:>{margin}}┤{text}")
    return lines


def _axis_lines(begin: int, end: int, columns: int, margin: int, axis: str) -> list[str]:
    """Return the axis of time with its labels; ``begin`` and ``end`` in nanoseconds."""
    ticks = nice_ticks(begin / 1e9, end / 1e9, max(2, columns // 14))
    line, labels = ["─"] * columns, [" "] * (columns + 12)
    free = 0
    for tick in ticks:
        place = min(columns - 1, max(0, round((tick * 1e9 - begin) / (end - begin) * (columns - 1))))
        text = f"{tick:.12g}"
        left = max(free, place - len(text) // 2)
        if left + len(text) <= columns:
            line[place] = "┬"
            labels[left : left + len(text)] = text
            free = left + len(text) + 1
    pad = " " * margin
    return [f"{pad}└{''.join(line)}", f"{pad} {''.join(labels).rstrip()}", f"{pad} {axis}"]


def nice_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most about ``most`` round numbers from ``low`` to ``high``."""
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough)) if rough > 0 else 1.0
    steps = (1.0, 2.0, 5.0, 10.0)
    step = power * steps[min(bisect_right(steps, rough / power * 0.999999), 3)]
    first, last = floor(low / step), floor(high / step)
    return [round(number * step, 12) for number in range(first, last + 2) if low <= number * step <= high]
