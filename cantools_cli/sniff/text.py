"""The table as aligned text or as one JSON object.

::

    channel   id  count  rate/s   period     min      max  jitter  len  flags  data         changed      ascii
    can0     123     50    10.0  100.012  99.871  100.201   0.044    4         DE AD BE 07  .. .. .. 0F  ....
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from math import isfinite
from typing import Any

from cantools_cli.frame import bits
from cantools_cli.sniff.columns import COLUMNS, Column
from cantools_cli.sniff.rates import ChannelFigures
from cantools_cli.sniff.table import Row


def aligned(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """Return the headings and one line per row, with columns two blanks apart."""
    columns = [COLUMNS[name] for name in names]
    lines = [[column.heading for column in columns]]
    lines += [[column.text(row, None) for column in columns] for row in rows]
    # the meaning of an error is longer than any data and may extend over the following columns
    ids = [True, *(not row.is_error_frame for row in rows)]
    widths = [
        max(len(line[index]) for line, is_counted in zip(lines, ids, strict=True) if is_counted)
        for index in range(len(columns))
    ]

    def fitted(text: str, column: Column, width: int) -> str:
        return text.rjust(width) if column.is_right else text.ljust(width)

    return ["  ".join(map(fitted, line, columns, widths)).rstrip() for line in lines]


def as_json(
    rows: Sequence[Row], channels: Sequence[ChannelFigures], *, duration_ns: int, unshown: int
) -> str:
    """Return a JSON object with the figures of channels and rows, with the names of the JSON stream."""
    result = {
        "duration": round(duration_ns / 1e9, 6),
        "frames": sum(figures.frames for figures in channels),
        "errors": sum(figures.errors for figures in channels),
        "frames_without_row": unshown,
        "channels": [
            {
                "channel": figures.channel,
                "frames": figures.frames,
                "errors": figures.errors,
                "load": None if figures.load is None else round(figures.load, 6),
            }
            for figures in channels
        ],
        "rows": [_row(row) for row in rows],
    }
    return json.dumps(result, separators=(",", ":"))


def _row(row: Row) -> dict[str, Any]:
    result: dict[str, Any] = {
        "channel": row.channel,
        "arbitration_id": row.arbitration_id,
        "is_extended_id": row.is_extended_id,
    }
    marks = {
        "is_remote_frame": row.is_remote_frame,
        "is_error_frame": row.is_error_frame,
        "is_fd": bool(row.flags & bits.FD),
        "is_xl": row.is_xl,
        "bitrate_switch": bool(row.flags & bits.BRS),
        "error_state_indicator": bool(row.flags & bits.ESI),
    }
    result |= {name: True for name, is_so in marks.items() if is_so}
    if row.flags & bits.TX:
        result["is_rx"] = False
    result |= {
        "count": row.count,
        "rate": round(row.rate(), 3),
        "first_ns": str(row.first_ns),
        "last_ns": str(row.last_ns),
        "period_ns": row.period_ns,
        "shortest_ns": row.shortest_ns,
        "longest_ns": row.longest_ns,
        "jitter_ns": row.jitter_ns,
        "dlc": row.length,
        "data": row.data.hex(),
        "changed_bits": row.changed_bits.hex(),
        "lowest": row.lowest.hex(),
        "highest": row.highest.hex(),
    }
    with suppress(ValueError):
        values = row.values()
        if values is not None:
            # JSON lacks infinities and NaN
            result["values"] = [None if isinstance(v, float) and not isfinite(v) else v for v in values]
    if row.is_error_frame:
        result["meaning"] = row.meaning
    return result
