"""The table of interfaces and behaviours, as Markdown.

A cell is what a rig declares; the tests of this folder check each of them on the emulated hardware.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.behaviours import BEHAVIOURS
from tests.conformance.rigs import all_rigs

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"

_HEAD = """# Conformance

Each interface of canx is tested with the same list of behaviours, on emulated hardware or on a stub of the
vendor's library. A number instead of *yes* refers to the reason below why the interface lacks a behaviour.
The tests check these cells as well: an unsupported frame is refused, for example, and the bus remains usable.
They are in `tests/conformance/`; `python -m tests.conformance` writes this page.
"""


def render() -> str:
    """Return the page."""
    rigs = all_rigs()
    notes: dict[str, int] = {}
    rows = [["interface", *(one.title for one in BEHAVIOURS.values())]]
    rows.append(["---"] * len(rows[0]))
    for rig in rigs.values():
        unknown = {*rig.without} - {*BEHAVIOURS}
        assert not unknown, f"{rig.interface}: no such behaviours: {unknown}"
        cells = [f"`{rig.interface}`"]
        for name in BEHAVIOURS:
            reason = rig.without.get(name)
            cells.append("yes" if reason is None else str(notes.setdefault(reason, len(notes) + 1)))
        rows.append(cells)
    parts = [_HEAD, "\n".join(f"| {' | '.join(row)} |" for row in rows), ""]
    parts.append(
        "\n".join(f"{number}. {reason[:1].upper()}{reason[1:]}." for reason, number in notes.items())
    )
    parts += ["", "## Behaviours", "", "| behaviour | what the test expects |", "| --- | --- |"]
    parts.append("\n".join(f"| {one.title} | {one.expects} |" for one in BEHAVIOURS.values()))
    return "\n".join(parts) + "\n"
