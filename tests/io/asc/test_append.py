"""ASC files that are continued keep the start from which their times count."""

from __future__ import annotations

import io
from pathlib import Path

import can
import pytest

from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.asc import append as asc_append
from cantools_cli.io.asc.writer import ASCWriter
from cantools_cli.io.files import OutputStream
from tests.named import ASCReader

S = 1_000_000_000
EPOCH = 1_700_000_000 * S
HEAD = """date Tue Nov 14 22:13:20.000 2023
base hex  timestamps absolute
internal events logged
// version 9.0.0
Begin Triggerblock Tue Nov 14 22:13:20.000 2023
   0.000000 Start of measurement
   1.000000 1  123             Rx   d 1 00
"""


def message(stamp_ns: int, number: int = 1) -> Message:
    one = Message(arbitration_id=0x123, is_extended_id=False, data=[number], channel="can0")
    one.timestamp_ns = stamp_ns
    return one


def stamps(path: Path) -> list[int]:
    with ASCReader(path, relative_timestamp=False, tz="UTC") as reader:
        return [one.timestamp_ns - EPOCH for one in reader]


def append(path: Path, *stamps_ns: int) -> None:
    with ASCWriter(path, tz="UTC", append=True) as writer:
        for stamp_ns in stamps_ns:
            writer.write(MessageBatch([message(EPOCH + stamp_ns)]))


@pytest.mark.parametrize("end", ["", "End TriggerBlock\n", "End TriggerBlock", "  end triggerblock\r\n\r\n"])
def test_times_count_from_the_start_that_the_file_has(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.asc"
    path.write_bytes((HEAD + end).encode())
    append(path, 2 * S, S // 2, -S, 3 * S + 1)
    assert stamps(path) == [S, 2 * S, S // 2, 0, 3 * S + 1]  # nothing comes before the start
    text = path.read_text()
    assert text.lower().count("end triggerblock") == 1
    assert text.endswith("End TriggerBlock\n")
    assert text.count("Begin") == 1


def test_a_line_that_a_crash_cut_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "a.asc"
    path.write_text(HEAD + "   1.500000 1  12")
    append(path, 2 * S)
    lines = path.read_text().splitlines()
    assert lines[-3:-1] == ["   1.500000 1  12", "   2.000000 1  123             Rx   d 1 01"]


def test_a_file_that_is_new_or_empty_begins_as_always(tmp_path: Path) -> None:
    for name in ("new.asc", "empty.asc"):
        path = tmp_path / name
        if name == "empty.asc":
            path.touch()
        append(path, S)
        append(path, 2 * S)
        assert stamps(path) == [S, 2 * S]


def test_python_can_reads_what_was_continued(tmp_path: Path) -> None:
    path = tmp_path / "a.asc"
    append(path, S)
    append(path, 2 * S)
    with can.ASCReader(path) as reader:
        assert [one.timestamp for one in reader] == [0, 1]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("base hex", "base dec"), "decimal"),
        (("timestamps absolute", "timestamps relative"), "relative"),
        (("Tue Nov 14 22:13:20.000 2023", "some day"), "start time is missing"),
        (("   1.0", "End TriggerBlock\nBegin Triggerblock Tue Nov 14 23:13:20.000 2023\n   1.0"), "several"),
    ],
)
def test_what_cannot_be_continued_says_why_and_stays(
    tmp_path: Path, change: tuple[str, str], why: str
) -> None:
    path = tmp_path / "a.asc"
    path.write_text(HEAD.replace(*change))
    with pytest.raises(UsageError, match=f"cannot be continued: .*{why}"):
        append(path, S)
    assert path.read_text() == HEAD.replace(*change)


def test_compressed_asc_is_not_continued(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only an uncompressed file"):
        ASCWriter(tmp_path / "a.asc.gz", append=True)


@pytest.mark.parametrize("step", range(1, 60))
def test_blocks_are_counted_however_the_file_is_cut(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    text = b"Begin Triggerblock x\n" + b"y" * 70 + b" begin triggerblock\n 1 begin triggerblock\n"
    text += b"\tbegin  TRIGGERBLOCK\nEnd TriggerBlock\nbegin triggerblocks\nBegin Triggerblock"
    monkeypatch.setattr(asc_append, "CHUNK", step)
    output = OutputStream(io.BytesIO(text))
    assert asc_append._count_blocks(output) == 3
