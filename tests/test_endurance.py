"""The long runs of ``benchmarks/endurance.py``, short: loss and what is left behind, never time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ENDURANCE = Path(__file__).parent.parent / "benchmarks" / "endurance.py"


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "figure"),
    [
        (
            ["steady", "--duration", "2", "--rate", "5000", "--max-size", "20kB"],
            "frames recorded              10000",
        ),
        (
            ["crowd", "--frames", "20000", "--stop", "1"],
            "frames of each reader        80000 80000 80000 80000 80000",
        ),
        (["cycles", "--count", "20"], "'threads': 1"),
    ],
)
def test_nothing_is_lost_or_left_behind(arguments: list[str], figure: str) -> None:
    command = [sys.executable, str(ENDURANCE), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert figure in done.stdout
