"""The fuzzer notices what it is there for, whatever way a target goes wrong."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import warnings
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.fuzz import mutations, process, readers
from tests.fuzz.process import Finding, Target

pytestmark = pytest.mark.long

GOOD = b"a good file, 123"
ROOT = Path(__file__).parents[2]


def target(wrong: Callable[[], object]) -> Target:
    """Return a target for which ``wrong`` happens with everything but the good file."""

    def check(data: bytes, draw: random.Random, folder: Path) -> int:
        if data != GOOD:
            wrong()
        return 1

    return Target("made", check, (GOOD,), is_text=True)


def dislikes_3(data: bytes, draw: random.Random, folder: Path) -> int:
    return 1 // (b"3" not in data)


def fails() -> None:
    raise KeyError("missing")


def crashes() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def found(wrong: Callable[[], object]) -> Finding:
    count = process.run(target(wrong), "1", float("inf"), most=4)
    (finding,) = count.findings
    assert count.inputs == 4
    assert finding.data != GOOD
    return finding


def test_an_exception_is_found_with_its_input() -> None:
    finding = found(fails)
    assert finding.data == process.input_of(target(int), "1", finding.number)
    assert "KeyError: 'missing'" in finding.report


def test_a_warning_is_an_exception() -> None:
    assert "UserWarning: careful" in found(lambda: warnings.warn("careful", stacklevel=1)).report


def test_memory_has_an_end() -> None:
    assert "MemoryError" in found(lambda: bytearray(2 * process.MAX_BYTES)).report


def test_a_crash_of_the_process_is_found_with_its_input() -> None:
    finding = found(crashes)
    assert finding.is_death
    assert finding.report.startswith("ended by SIGSEGV\n")
    assert "in crashes" in finding.report
    assert finding.data == process.input_of(target(int), "1", finding.number)


def test_a_loop_without_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_SECONDS", 0.1)

    def endless() -> None:
        while True:
            pass

    report = found(endless).report
    assert report.startswith("took over 0.1 s of the processor\n")
    assert "in endless" in report


def test_waiting_without_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STANDSTILL", 0.1)
    assert found(signal.pause).report.startswith("waited for 0.1 s\n")


def test_what_was_found_before_a_crash_is_kept() -> None:
    wrongs = iter((fails, crashes))

    def goes_wrong() -> None:
        next(wrongs)()

    count = process.run(target(goes_wrong), "1", float("inf"), most=3)
    assert [finding.is_death for finding in count.findings] == [False, True]


def test_an_input_is_made_small() -> None:
    one = Target("made", dislikes_3, (GOOD,))
    (finding,) = process.run(one, "1", float("inf"), most=1).findings
    assert process.smallest(one, finding) == b"3"


@pytest.mark.parametrize("is_text", [False, True])
def test_the_same_seed_makes_the_same_inputs(is_text: bool) -> None:
    seeds = [GOOD, bytes(range(256)), b"(1.0) can0 123#11\n" * 20, b""]

    def made() -> list[bytes]:
        return [mutations.mutated(random.Random(n), seeds, [b"#"], is_text=is_text) for n in range(300)]

    assert made() == made()
    assert len({*made()}) > 200
    assert max(map(len, made())) <= mutations.LARGEST


def broken(**columns: object) -> MessageBatch:
    batch = MessageBatch([Message(arbitration_id=0x123, is_extended_id=False, data=b"\1\2")] * 2)
    for name, column in columns.items():
        setattr(batch, name, column)
    return batch


@pytest.mark.parametrize(
    "batch",
    [
        MessageBatch(),
        broken(flags=bytearray(3)),
        broken(flags=bytearray(b"\x80\0")),
        broken(flags=bytearray(b"\x10\0")),
        broken(channel=array("H", (0, 1))),
        broken(channels=("can0", "can0")),
        broken(offset=array("I", (0, 3, 2))),
        broken(offset=array("I", (0, 2, 3))),
        broken(dlc_code=bytearray(b"\2\3")),
        broken(can_id=array("I", (0x123, 0x800))),
        broken(can_id=array("I", (0x123, 0x123 | bits.CAN_RTR_FLAG))),
        broken(flags=bytearray(b"\2\0")),
    ],
)
def test_what_is_no_batch_of_frames_is_noticed(batch: MessageBatch) -> None:
    with pytest.raises(readers.BrokenPropertyError):
        readers.checked(batch)


def test_a_batch_of_frames_is_none_of_these() -> None:
    assert [frame[5] for frame in readers.checked(broken())] == [b"\1\2"] * 2


def test_the_program_prints_its_seed_and_what_it_did() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--format", "filter", "--count", "20", "--seed", "5"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("seed 5\nfilter           20 inputs in ")
    assert result.stdout.endswith("20 inputs, 0 findings\n")
