"""Conversions from and to log and blf for the formats that ``conversions.py`` does not cover.

The peers are python-can's converter, asammdf and tshark, for the conversions that they support.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from conversions import BIN, Floor, Row, compare
from make_foreign import write_busmaster, write_screen
from make_log import write_log
from measure import run

FORMATS = ("trc", "mf4", "pcap", "pcapng", "db", "parquet", "arrow", "gvret", "txt")
READ_ONLY = {"screen": write_screen, "busmaster": write_busmaster}  #: and how a log becomes one
SUFFIX = {"arrow": "arrows", "gvret": "gvret.csv", "screen": "log", "busmaster": "log"}
PEERS = ("python-can", "asammdf", "tshark")
#: what the peer is asked for where it cannot do the same
PYTHON_CAN = ("log", "blf", "trc", "db", "mf4")


def pairs() -> list[tuple[str, str]]:
    found = [("mf4", "mf4")]
    for name in FORMATS:
        found += [("log", name), (name, "log"), ("blf", name), (name, "blf")]
    for name in READ_ONLY:
        found += [(name, "log"), (name, "blf")]
    return found


def path_of(folder: Path, name: str, frames: int) -> Path:
    return folder / f"{name}.{frames}.{SUFFIX.get(name, name)}"


def command(tool: str, names: tuple[str, str], source: Path, target: Path) -> list[str] | None:
    """Return the command of ``tool`` that converts ``source`` to ``target``; None if it cannot."""
    if tool == "canx":
        return [str(BIN / "canx"), "convert", str(source), "-o", str(target), "--force", "-q"]
    if tool == "python-can" and set(names) <= set(PYTHON_CAN) and names != ("mf4", "mf4"):
        return [str(BIN / "can_logconvert"), str(source), str(target)]
    if tool == "asammdf" and names in (("mf4", "mf4"), ("mf4", "log")):
        script = str(Path(__file__).with_name("asammdf_frames.py"))
        return [sys.executable, script, str(source), *([str(target)] if names[1] == "mf4" else [])]
    if tool == "tshark" and names in (("pcap", "log"), ("pcapng", "log")) and shutil.which("tshark"):
        fields = ("frame.time_epoch", "can.id", "can.len", "data.data")
        return [
            "tshark",
            "-n",
            "-r",
            str(source),
            "-T",
            "fields",
            *(word for f in fields for word in ("-e", f)),
        ]
    return None


def prepare(folder: Path, frames: int) -> None:
    """Generate the log, and convert it to the other input formats with canx."""
    folder.mkdir(parents=True, exist_ok=True)
    log = path_of(folder, "log", frames)
    if not log.exists():
        write_log(frames, str(log))
    for name in ("blf", *FORMATS):
        target = path_of(folder, name, frames)
        if not target.exists():
            run(command("canx", ("log", name), log, target) or [])
    for name, write in READ_ONLY.items():
        target = path_of(folder, name, frames)
        if not target.exists():
            write(log, target)


def measure(
    folder: Path, frames: int, tools: tuple[str, ...], repeats: int, only: set[str] | None = None
) -> tuple[list[Row], dict[str, Floor]]:
    """Return one row per conversion and tool, and the floor of each conversion."""
    prepare(folder, frames)
    prepare(folder, 1)
    rows: list[Row] = []
    floors: dict[str, Floor] = {}
    for names in pairs():
        conversion = f"{names[0]} -> {names[1]}"
        if only is not None and conversion not in only:
            continue
        source, small = (path_of(folder, names[0], count) for count in (frames, 1))
        target = folder / f"out.{SUFFIX.get(names[1], names[1])}"
        able = {tool: made for tool in tools if (made := command(tool, names, source, target)) is not None}
        starts = {tool: command(tool, names, small, target) or [] for tool in able}
        found, floors[conversion] = compare(conversion, able, starts, source, target, frames, repeats)
        rows += found
    return rows, floors


def table(rows: list[Row], floors: dict[str, Floor]) -> list[str]:
    """Return a Markdown table: canx, and each peer with the ratio and its memory."""
    lines = [
        "| conversion | canx M frames/s | peak MB | of the floor | by the clock | of the floor "
        "| peer | M frames/s | peak MB | times |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for conversion, floor in floors.items():
        by_tool = {row.tool: row for row in rows if row.conversion == conversion}
        own = by_tool.pop("canx")
        rate = own.frames_per_second
        cells = [conversion, f"{rate / 1e6:.2f}", f"{own.peak_mb:.0f}"]
        cells.append(f"{floor.frames_per_second / rate:.1f}")
        cells += [f"{own.by_the_clock / 1e6:.2f}", f"{floor.by_the_clock / own.by_the_clock:.1f}"]
        for number, (tool, peer) in enumerate(by_tool.items() or [("", None)]):
            figures = [""] * 3
            if peer is not None:
                slower = peer.frames_per_second
                figures = [f"{slower / 1e6:.3f}", f"{peer.peak_mb:.0f}", f"{rate / slower:.1f}"]
            lines.append(
                f"| {' | '.join([*(cells if number == 0 else [''] * len(cells)), tool, *figures])} |"
            )
    return lines
