"""Frames to tables of signals: ``python benchmarks/decoding.py [--frames N] [--repeats N]``.

The same frames and database for all: 12 signals, one message in three with multiplexed ones, one frame in
eight unknown. cantools prints text for people, asammdf keeps its result in memory; canx writes files.
Rates are frames per second of processor time without start-up, which is a run on a log of one frame.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from measure import Run, best, run

HERE = Path(__file__).parent
START_US = 1_700_000_000_000_000
#: frames that cantools decodes, which takes minutes for a million
CANTOOLS_FRAMES = 50_000
DBC = """VERSION ""
BU_: ECU
BO_ 256 Engine: 8 ECU
 SG_ Speed : 0|16@1+ (0.25,0) [0|16000] "rpm" ECU
 SG_ Temperature : 16|8@1- (1,-40) [-40|215] "degC" ECU
 SG_ Gear : 24|4@1+ (1,0) [0|15] "" ECU
 SG_ Load : 32|16@1+ (0.1,0) [0|100] "%" ECU
BO_ 512 Body: 8 ECU
 SG_ Part M : 0|8@1+ (1,0) [0|255] "" ECU
 SG_ Voltage m0 : 8|16@1+ (1,0) [0|0] "mV" ECU
 SG_ Current m1 : 8|16@1- (0.5,0) [0|0] "A" ECU
 SG_ Counter : 24|40@1+ (1,0) [0|0] "" ECU
BO_ 768 Wheels: 8 ECU
 SG_ FrontLeft : 7|16@0+ (0.01,0) [0|655] "km/h" ECU
 SG_ FrontRight : 23|16@0+ (0.01,0) [0|655] "km/h" ECU
 SG_ RearLeft : 39|16@0+ (0.01,0) [0|655] "km/h" ECU
 SG_ RearRight : 55|16@0+ (0.01,0) [0|655] "km/h" ECU
VAL_ 256 Gear 0 "Neutral" 1 "First" 2 "Second" 3 "Third" 4 "Fourth" 5 "Fifth" ;
"""
ASAMMDF = """import sys
from asammdf import MDF
with MDF(sys.argv[1]) as mdf:
    mdf.extract_bus_logging({"CAN": [(sys.argv[2], 0)]})
"""


def lines(frames: int, seed: int = 1) -> Iterator[str]:
    """Yield ``frames`` candump log lines of the database's messages."""
    source = random.Random(seed)
    now, speed = START_US, 3200
    for number in range(frames):
        now += source.randrange(50, 400)
        kind = number % 8
        identifier, data = "7A0", source.randbytes(8)
        if kind in (0, 3):
            speed = max(0, min(64000, speed + source.randrange(-20, 21)))
            tail = bytes((90 + number // 5000 % 30, source.randrange(6))) + (number % 1000).to_bytes(
                2, "little"
            )
            identifier, data = "100", speed.to_bytes(2, "little") + tail + bytes(2)
        elif kind in (1, 5):
            identifier = "200"
            data = bytes((source.randrange(3),)) + source.randbytes(2) + (number // 100).to_bytes(5, "little")
        elif kind != 7:
            identifier = "300"
            data = b"".join((5000 + source.randrange(30)).to_bytes(2, "big") for _ in range(4))
        yield f"({now // 1_000_000}.{now % 1_000_000:06d}) can0 {identifier}#{data.hex().upper()}\n"


def measure(folder: Path, frames: int, repeats: int) -> list[tuple[str, float, float]]:
    """Return (what, frames per second net of start-up, peak in MB) for each program."""
    folder.mkdir(parents=True, exist_ok=True)
    canx, python = str(Path(sys.executable).with_name("canx")), sys.executable
    dbc, out, script = folder / "bench.dbc", folder / "signals", folder / "extract.py"
    dbc.write_text(DBC)
    script.write_text(ASAMMDF)
    logs = {count: folder / f"signals_{count}.log" for count in (frames, CANTOOLS_FRAMES, 1)}
    for count, path in logs.items():
        with open(path, "w", encoding="ascii") as file:
            file.writelines(lines(count))
    mdfs = {count: folder / f"signals_{count}.mf4" for count in (frames, 1)}
    for count, path in mdfs.items():
        run([canx, "convert", str(logs[count]), "-o", str(path), "--force", "-q"])

    def decode(source: dict[int, Path], target: str, *more: str) -> dict[int, Sequence[str]]:
        words = (canx, "decode", "--dbc", str(dbc), "-o", f"{out}{target}", "--force", "-q", *more)
        return {count: (*words, str(path)) for count, path in source.items() if count in (1, frames)}

    cantools = {
        count: ("sh", "-c", f"{python} -m cantools decode --single-line {dbc} < {logs[count]}")
        for count in (CANTOOLS_FRAMES, 1)
    }
    tools: dict[str, dict[int, Sequence[str]]] = {
        "canx convert, log to parquet": {
            count: (canx, "convert", str(logs[count]), "-o", f"{out}.frames.parquet", "--force", "-q")
            for count in (frames, 1)
        },
        "canx decode, log to parquet, a table per message": decode(logs, "/"),
        "canx decode, log to parquet, long": decode(logs, ".parquet"),
        "canx decode, log to mf4": decode(logs, ".mf4"),
        "python -m cantools decode, log to text": cantools,
        "canx decode, mf4 to parquet, a table per message": decode(mdfs, "/"),
        "asammdf extract_bus_logging, mf4 to memory": {
            count: (python, str(script), str(path), str(dbc)) for count, path in mdfs.items()
        },
    }
    runs: dict[str, dict[int, list[Run]]] = {
        name: {count: [] for count in given} for name, given in tools.items()
    }
    for _ in range(repeats):
        for name, given in tools.items():
            for count, command in given.items():
                runs[name][count].append(run(command, cpus={0}))
    shutil.rmtree(out, ignore_errors=True)
    rows = []
    for name, by_count in runs.items():
        most = max(by_count)
        long, short = best(by_count[most]), best(by_count[1])
        rows.append((name, most / max(long.cpu - short.cpu, 1e-3), long.peak_mb))
    return rows


def report(frames: int = 1_000_000, repeats: int = 3) -> list[str]:
    """Return the figures as a table, with the ratios that matter."""
    rows = measure(HERE / "data", frames, repeats)
    rates = {name: rate for name, rate, _ in rows}
    text = [f"| frames to signals, {frames:,} frames | frames/s | peak, MB |", "| --- | --- | --- |"]
    text += [f"| {name} | {rate:,.0f} | {peak:.0f} |" for name, rate, peak in rows]
    convert, tables, long, mf4, cantools, from_mf4, asammdf = rates.values()
    ratios = {
        "a table per message to `canx convert`": tables / convert,
        "long to `canx convert`": long / convert,
        "a table per message to cantools": tables / cantools,
        "long to cantools": long / cantools,
        "mf4 to cantools": mf4 / cantools,
        "mf4 to a table per message to asammdf": from_mf4 / asammdf,
    }
    text += ["", "| ratio | |", "| --- | --- |"]
    return text + [f"| {name} | {ratio:.2f} |" for name, ratio in ratios.items()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    print("\n".join(report(given.frames, given.repeats)))
