"""Conversions between log, asc, blf, csv and json with canx, can-utils and python-can.

All tools convert the same file in alternation on one processor; canx also runs on all processors, measured by
the wall clock. The time of converting a log with a single frame is subtracted as start-up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from make_log import write_log
from measure import Run, best, run

FORMATS = ("log", "asc", "blf", "csv", "json")
SUFFIX = {"json": "jsonl"}
BIN = Path(sys.executable).parent
CPUS = {0}
LONG = 10.0  #: seconds of processor time above which a tool converts a file only once


@dataclass
class Row:
    """One conversion by one tool: net frames/s of processor time, peak memory.

    ``by_the_clock`` are net frames/s with all processors, where that was measured.
    """

    conversion: str
    tool: str
    frames_per_second: float
    peak_mb: float
    by_the_clock: float = 0.0


def path_of(folder: Path, name: str, frames: int) -> Path:
    return folder / f"{name}.{frames}.{SUFFIX.get(name, name)}"


def command(tool: str, source: Path, target: Path) -> list[str] | None:
    """Return the command of ``tool`` that converts ``source`` to ``target``; None if it cannot."""
    pair = (source.suffix, target.suffix)
    if tool == "canx":
        return [str(BIN / "canx"), "convert", str(source), "-o", str(target), "--force", "-q"]
    if tool == "python-can":
        if ".jsonl" in pair:
            return None
        return [str(BIN / "can_logconvert"), str(source), str(target)]
    if pair == (".log", ".asc") and shutil.which("log2asc"):
        return ["log2asc", "-I", str(source), "-O", str(target), "can0", "can1"]
    if pair == (".asc", ".log") and shutil.which("asc2log"):
        return ["asc2log", "-I", str(source), "-O", str(target)]
    return None


def prepare(folder: Path, frames: int) -> None:
    """Generate the log, and convert it to the other input formats with canx."""
    folder.mkdir(parents=True, exist_ok=True)
    log = path_of(folder, "log", frames)
    if not log.exists():
        write_log(frames, str(log))
    for name in FORMATS[1:]:
        target = path_of(folder, name, frames)
        if not target.exists():
            made = command("canx", log, target)
            assert made is not None
            run(made)


@dataclass
class Floor:
    """Frames/s of just reading and decompressing the input, and compressing and writing the output."""

    frames_per_second: float
    by_the_clock: float

    @classmethod
    def measured(cls, source: Path, target: Path, folder: Path, frames: int, repeats: int) -> Floor:
        script = Path(__file__).with_name("floor.py")
        made = [sys.executable, str(script), str(source), str(target), str(folder / "floor.out")]
        times = [
            tuple(map(float, subprocess.run(made, check=True, capture_output=True, text=True).stdout.split()))
            for _ in range(repeats)
        ]
        return cls(*(frames / min(column) for column in zip(*times, strict=True)))


def clock_rate(made: list[str], start: list[str], target: Path, frames: int, repeats: int) -> float:
    """Return the wall-clock frames/s of ``made`` on all processors, without its ``start`` on one frame."""
    wholes, starts = [], []
    for _ in range(repeats):
        fresh(target, made)
        wholes.append(run(made).wall)
        fresh(target)
        starts.append(run(start).wall)
    return frames / max(1e-9, min(wholes) - min(starts))


def fresh(target: Path, warm_up: list[str] | None = None) -> None:
    """Remove the previous output and flush the disk, so that pending writes do not slow the next run down.

    ``warm_up`` is a command that runs first, the same for every tool: in a virtual machine the first use of
    memory after a pause, here as cache of the output, costs more than a conversion.
    """
    if warm_up is not None:
        target.unlink(missing_ok=True)
        run(warm_up, cpus=CPUS)
    target.unlink(missing_ok=True)
    os.sync()


def compare(
    conversion: str,
    able: dict[str, list[str]],
    starts: dict[str, list[str]],
    source: Path,
    target: Path,
    frames: int,
    repeats: int,
) -> tuple[list[Row], Floor]:
    """Measure the command of each tool, without its ``starts`` on one frame; also return the floor."""
    wholes: dict[str, list[Run]] = {tool: [] for tool in able}
    start_ups: dict[str, list[Run]] = {tool: [] for tool in able}
    for _ in range(repeats):
        for tool, made in able.items():
            if wholes[tool] and wholes[tool][0].cpu > LONG:
                continue
            fresh(target, able["canx"])
            wholes[tool].append(run(made, cpus=CPUS))
            fresh(target)
            start_ups[tool].append(run(starts[tool], cpus=CPUS))
    clock = clock_rate(able["canx"], starts["canx"], target, frames, repeats)
    run(able["canx"])
    floor = Floor.measured(source, target, target.parent, frames, repeats)
    target.unlink()
    rows = []
    for tool in able:
        whole = best(wholes[tool])
        rate = frames / max(1e-9, whole.cpu - best(start_ups[tool]).cpu)
        rows.append(Row(conversion, tool, rate, whole.peak_mb, clock if tool == "canx" else 0.0))
        said = f"{rate / 1e6:8.3f} M/s  {whole.peak_mb:6.0f} MB"
        said += f"  {clock / 1e6:8.3f} M/s by the clock" if tool == "canx" else ""
        print(f"  {conversion:14} {tool:11} {said}", flush=True)
    return rows, floor


def measure(
    folder: Path, frames: int, tools: tuple[str, ...], repeats: int, only: set[str] | None = None
) -> tuple[list[Row], dict[str, Floor]]:
    """Return one row per conversion and tool, and the floor of each conversion."""
    prepare(folder, frames)
    prepare(folder, 1)
    rows: list[Row] = []
    floors: dict[str, Floor] = {}
    for source_name in FORMATS:
        for target_name in FORMATS:
            conversion = f"{source_name} -> {target_name}"
            if source_name == target_name or (only is not None and conversion not in only):
                continue
            source, small = (path_of(folder, source_name, count) for count in (frames, 1))
            target = folder / f"out.{SUFFIX.get(target_name, target_name)}"
            able = {tool: made for tool in tools if (made := command(tool, source, target)) is not None}
            starts = {tool: command(tool, small, target) or [] for tool in able}
            found, floors[conversion] = compare(conversion, able, starts, source, target, frames, repeats)
            rows += found
    return rows, floors


def table(rows: list[Row], floors: dict[str, Floor]) -> list[str]:
    """Return a Markdown table: canx, each peer, the ratios."""
    lines = [
        "| conversion | canx M frames/s | peak MB | of the floor | by the clock | of the floor "
        "| can-utils | times | python-can | times |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for conversion, floor in floors.items():
        by_tool = {row.tool: row for row in rows if row.conversion == conversion}
        own = by_tool["canx"]
        cells = [conversion, f"{own.frames_per_second / 1e6:.2f}", f"{own.peak_mb:.0f}"]
        cells.append(f"{floor.frames_per_second / own.frames_per_second:.1f}")
        cells += [f"{own.by_the_clock / 1e6:.2f}", f"{floor.by_the_clock / own.by_the_clock:.1f}"]
        for peer in ("can-utils", "python-can"):
            if peer in by_tool:
                rate = by_tool[peer].frames_per_second
                cells += [f"{rate / 1e6:.3f}", f"{own.frames_per_second / rate:.1f}"]
            else:
                cells += ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return lines
