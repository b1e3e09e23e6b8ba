"""Run a command and measure its resource usage as reported by the operating system."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Run:
    """Resource usage of a finished process: processor and wall-clock seconds, peak memory in MB."""

    cpu: float
    wall: float
    peak_mb: float


def run(command: Sequence[str], stdout: str = os.devnull, cpus: set[int] | None = None) -> Run:
    """Run ``command`` to its end.

    Raises:
        RuntimeError: it failed.
    """
    with open(stdout, "wb") as sink:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.PIPE,
            preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None,  # noqa: PLW1509  # no threads here
        )
        errors = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: status {process.returncode}: {errors.decode()[-300:]}")
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def best(runs: Sequence[Run]) -> Run:
    """Return the minimum of each time, since disturbances only add to it, and the maximum peak."""
    return Run(
        min(one.cpu for one in runs),
        min(one.wall for one in runs),
        max(one.peak_mb for one in runs),
    )
