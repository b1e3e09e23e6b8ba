"""All benchmarks: ``python benchmarks/run.py [--frames N] [--repeats N] [--no-python-can] [--write]``.

Prints Markdown tables; ``--write`` puts them into ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from pathlib import Path

import bus
import conversions
from measure import run

HERE = Path(__file__).parent
MARK = "<!-- measured -->"


def start_up() -> list[str]:
    """Return the start-up of ``canx send`` as a ratio to ``import typer``, run in alternation."""
    python, canx = sys.executable, str(Path(sys.executable).with_name("canx"))
    ratios, sends = [], []
    for _ in range(15):
        send = run([canx, "send", "virtual:bench", "123#DEADBEEF"])
        typer = run([python, "-c", "import typer"])
        ratios.append(send.cpu / typer.cpu)
        sends.append(send.wall)
    return [
        "| start-up | figure |",
        "| --- | --- |",
        f"| `canx send`, wall clock | {1000 * statistics.median(sends):.0f} ms |",
        f"| its processor time to that of `python -c 'import typer'` | {statistics.median(ratios):.2f} |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-python-can", action="store_true", help="it takes minutes a million frames")
    parser.add_argument("--only-conversions", action="store_true")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    tools = ("canx", "can-utils") if given.no_python_can else ("canx", "can-utils", "python-can")
    print(f"{given.frames:,} frames, {', '.join(tools)}")
    rows, floors = conversions.measure(HERE / "data", given.frames, tools, given.repeats)
    lines = [f"### {given.frames:,} frames, {platform.machine()}, {os.cpu_count()} processors", ""]
    lines += conversions.table(rows, floors)
    if not given.only_conversions:
        lines += ["", *start_up(), "", *bus.report()]
    print("\n".join(lines))
    if given.write:
        readme = HERE / "README.md"
        readme.write_text(readme.read_text().split(MARK)[0] + MARK + "\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
