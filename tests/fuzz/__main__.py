"""``python -m tests.fuzz``: damaged inputs for every reader and every text, until the time is over."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from tests.fuzz import process
from tests.fuzz.targets import targets

FOLDER = Path("build/fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=60, help="of the processor, for all targets together (60)"
    )
    parser.add_argument(
        "--format", action="append", default=[], metavar="NAME", help="only this target; repeatable"
    )
    parser.add_argument("--seed", help="of the mutations; without it one is made up, and printed")
    parser.add_argument("--first", type=int, default=0, help="number of the first input (0)")
    parser.add_argument("--count", type=int, help="how many inputs of each target, however long it takes")
    arguments = parser.parse_args()
    seed = arguments.seed or str(secrets.randbelow(10**9))
    print(f"seed {seed}", flush=True)
    chosen = targets(arguments.format)
    if not chosen:
        parser.error(f"no target is called {', '.join(arguments.format)}")
    inputs = 0
    findings: list[process.Finding] = []
    for target in chosen:
        seconds = arguments.seconds / len(chosen) if arguments.count is None else float("inf")
        count = process.run(target, seed, seconds, first=arguments.first, most=arguments.count)
        print(
            f"{target.name:10} {count.inputs:8} inputs in {count.seconds:.0f} s, {count.accepted} accepted, "
            f"slowest {count.slowest:.2f} s, {len(count.findings)} findings",
            flush=True,
        )
        inputs += count.inputs
        findings += count.findings
        for finding in count.findings:
            _keep(target, finding, seed)
    print(f"{inputs} inputs, {len(findings)} findings")
    return 1 if findings else 0


def _keep(target: process.Target, finding: process.Finding, seed: str) -> None:
    """Write the input of ``finding``, small, and its report, and say where."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / process.name_of(finding)
    path.with_suffix(".bin").write_bytes(process.smallest(target, finding))
    path.with_suffix(".whole").write_bytes(finding.data)
    path.with_suffix(".txt").write_text(
        f"{finding.key}\nseed {seed}, input {finding.number}\n{finding.report}"
    )
    print(
        f"  {path}.bin: {finding.key}\n"
        f"    again: --format {target.name} --seed {seed} --first {finding.number} --count 1"
    )


if __name__ == "__main__":
    sys.exit(main())
