"""Tables on stdout: aligned with headings on a terminal, else separated by tabs."""

from __future__ import annotations

import os
from typing import Any


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print ``rows``; the columns are their keys, in the order in which they first occur."""
    if not rows:
        return
    keys = list(dict.fromkeys(key for row in rows for key in row))
    texts = [[_cell(row.get(key)) for key in keys] for row in rows]
    if os.isatty(1):
        texts.insert(0, [key.upper() for key in keys])
        widths = [max(len(text[column]) for text in texts) for column in range(len(texts[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(text, widths, strict=True)) for text in texts
        ]
    else:
        lines = ["\t".join(text) for text in texts]
    print("\n".join(line.rstrip() for line in lines))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
