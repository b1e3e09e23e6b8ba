"""A page of HTML with series, which needs neither a network nor another file."""

from __future__ import annotations

import base64
import json
import sys
import zlib
from array import array
from html import escape
from importlib.resources import files
from operator import sub

from cantools_cli.plotting.picture import COLOURS
from cantools_cli.plotting.series import Series, panels

#: series shown at first; the others are switched on in the legend
_SHOWN = 12


def page(series: list[Series], origin_ns: int, axis: str, *, title: str) -> str:
    """Return the page of ``series``, with all of their points."""
    number = {id(one): index for index, panel in enumerate(panels(series)) for one in panel.series}
    data = [
        _entry(one, origin_ns, panel=number[id(one)], is_shown=place < _SHOWN)
        for place, one in enumerate(series)
    ]
    # no text of the data may end its element
    parts = {
        "%TITLE%": escape(title),
        "%AXIS%": escape(axis),
        "%COLOURS%": json.dumps(COLOURS),
        "%DATA%": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    }
    text = files("cantools_cli.plotting").joinpath("page.html").read_text(encoding="utf-8")
    pieces = text.split("%DATA%")
    for mark, value in parts.items():
        pieces = [piece.replace(mark, value) for piece in pieces]
    return parts["%DATA%"].join(pieces)


def _entry(series: Series, origin_ns: int, *, panel: int, is_shown: bool) -> dict[str, object]:
    return {
        "label": series.label,
        "unit": series.unit,
        "panel": panel,
        "shown": is_shown,
        "step": series.is_step,
        "states": [[value, name] for value, name in series.states.items()],
        "breaks": series.breaks,
        "count": len(series.times),
        "start_ns": series.times[0] - origin_ns,
        "points": base64.b64encode(zlib.compress(_packed(series), 6)).decode(),
    }


def _packed(series: Series) -> bytes:
    """Return the values, then the low and the high halves of the time between points, little-endian."""
    times = series.times
    between = array("Q", [0])
    between.extend(map(sub, times[1:], times))
    halves = array("I", between.tobytes())
    low, high = (halves[0::2], halves[1::2]) if sys.byteorder == "little" else (halves[1::2], halves[0::2])
    columns: list[array[float] | array[int]] = [array("d", series.values), low, high]
    if sys.byteorder != "little":
        for column in columns:
            column.byteswap()
    return b"".join(column.tobytes() for column in columns)
