"""All benchmarks: ``python benchmarks/run.py [--frames N] [--repeats N] [--no-python-can] [--write]``.

``--others`` measures only the formats that the first table does not cover. Markdown tables are printed;
``--write`` puts them into ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from datetime import date
from pathlib import Path

import bus
import conversions
import decoding
import framed_adapters
import other_formats
import serial_adapters
import usb_adapters
import vendor
from measure import run

HERE = Path(__file__).parent
MARK = "<!-- measured -->"
#: frames in the other formats, for which some peers are very slow
OTHER_FRAMES = 1_000_000


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
    parser.add_argument(
        "--no-python-can", action="store_true", help="python-can needs minutes per million frames"
    )
    parser.add_argument("--only", help="conversions, such as 'log -> blf, blf -> log'; no start-up, no bus")
    parser.add_argument("--others", action="store_true", help="only the other formats")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if not given.others:
        main_formats(given)
    if given.others or given.only is None:
        others(given)


def main_formats(given: argparse.Namespace) -> None:
    """Measure log, asc, blf, csv and json; without ``--only`` also the start-up and the buses."""
    tools = ("canx", "can-utils") if given.no_python_can else ("canx", "can-utils", "python-can")
    print(f"{given.frames:,} frames, {', '.join(tools)}")
    only = chosen(given.only)
    rows, floors = conversions.measure(HERE / "data", given.frames, tools, given.repeats, only)
    title = f"### {given.frames:,} frames, {', '.join(tools)}"
    lines = [f"Measured on {platform.machine()}, {os.cpu_count()} processors, {date.today()}.", ""]
    lines += conversions.table(rows, floors)
    if only is None and not given.no_python_can:
        lines += [
            "",
            *start_up(),
            "",
            *bus.report(),
            "",
            *usb_adapters.report(),
            "",
            *serial_adapters.report(),
            "",
            *framed_adapters.report(),
            "",
            *decoding.report(given.frames, given.repeats),
            "",
            *vendor.report(),
        ]
    print("\n".join(lines))
    if given.write:
        write(title, "\n".join(lines))


def others(given: argparse.Namespace) -> None:
    """Measure all other formats."""
    frames = min(given.frames, OTHER_FRAMES) if not given.others else given.frames
    tools = ("canx", "asammdf", "tshark") if given.no_python_can else ("canx", *other_formats.PEERS)
    print(f"other formats, {frames:,} frames, {', '.join(tools)}")
    rows, floors = other_formats.measure(HERE / "data", frames, tools, given.repeats, chosen(given.only))
    lines = [f"Measured on {platform.machine()}, {os.cpu_count()} processors, {date.today()}.", ""]
    lines += other_formats.table(rows, floors)
    print("\n".join(lines))
    if given.write:
        write(f"### Other formats, {frames:,} frames, {', '.join(tools)}", "\n".join(lines))


def chosen(only: str | None) -> set[str] | None:
    return {name.strip() for name in only.split(",")} if only else None


def write(title: str, text: str) -> None:
    """Put a section into the README, replacing the one with the same title."""
    readme = HERE / "README.md"
    head, _, measured = readme.read_text().partition(MARK)
    sections = {one.partition("\n")[0]: one for one in measured.split("\n### ") if one.strip()}
    sections[title.removeprefix("### ")] = f"{title.removeprefix('### ')}\n\n{text}\n"
    readme.write_text(head + MARK + "\n" + "".join(f"\n### {one.strip()}\n" for one in sections.values()))


if __name__ == "__main__":
    main()
