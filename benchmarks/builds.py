"""Compare this build of canx with another one: ``python benchmarks/builds.py OTHER/bin/canx``.

Both builds convert the same files in alternation on one processor. The result of a conversion is the ratio of
their processor times, minimum of all runs, without start-up. A conversion slower than ``--limit`` is measured
again with more runs before it is reported. The exit status is 1 if any conversion is slower.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import conversions
import other_formats
from measure import best, run

HERE = Path(__file__).parent
CPUS = {0}


def jobs(folder: Path, frames: int) -> list[tuple[str, Path, Path, Path]]:
    """Return (conversion, input, input of one frame, output) for each measured conversion."""
    result = []
    for module in (conversions, other_formats):
        for count in (frames, 1):
            module.prepare(folder, count)
    main = [(a, b) for a in conversions.FORMATS for b in conversions.FORMATS if a != b]
    for module, pairs in ((conversions, main), (other_formats, other_formats.pairs())):
        for source, target in pairs:
            inputs = [module.path_of(folder, source, count) for count in (frames, 1)]
            output = folder / f"out.{module.SUFFIX.get(target, target)}"
            result.append((f"{source} -> {target}", *inputs, output))
    return result


def ratio(builds: tuple[str, str], source: Path, small: Path, output: Path, repeats: int) -> float:
    """Return the net processor time of the first build as a ratio to that of the second."""
    times: dict[tuple[str, Path], list[float]] = {}
    for _ in range(repeats):
        for path in (source, small):
            for build in builds:
                command = [build, "convert", str(path), "-o", str(output), "--force", "-q"]
                times.setdefault((build, path), []).append(run(command, cpus=CPUS).cpu)
    ours, other = (min(times[build, source]) - min(times[build, small]) for build in builds)
    return ours / other


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", help="the canx of the other build")
    parser.add_argument("--frames", type=int, default=3_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.03)
    parser.add_argument("--folder", type=Path, default=HERE / "data")
    parser.add_argument("--only", help="conversions, such as 'log -> blf, blf -> log'")
    given = parser.parse_args()
    builds = (str(Path(sys.executable).with_name("canx")), given.other)
    only = {name.strip() for name in given.only.split(",")} if given.only else None
    slower = []
    print("| conversion | time, as a ratio to the other build |\n| --- | --- |")
    for name, source, small, output in jobs(given.folder, given.frames):
        if only is not None and name not in only:
            continue
        figure = ratio(builds, source, small, output, given.repeats)
        if figure > given.limit:
            figure = ratio(builds, source, small, output, 4 * given.repeats)
            slower += [name] if figure > given.limit else []
        print(f"| {name} | {figure:.3f} |", flush=True)
    start = [best([run([build, "--version"], cpus=CPUS) for _ in range(15)]).cpu for build in builds]
    print(f"| start-up of `canx --version` | {start[0] / start[1]:.3f} |")
    print(f"slower than {given.limit}: {', '.join(slower) or 'none'}")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
