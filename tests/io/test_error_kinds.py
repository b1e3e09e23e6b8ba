"""Error frames keep the kind of identifier that a program gave them, which python-can compares."""

from __future__ import annotations

from pathlib import Path

import pytest

import cantools_cli as can
from cantools_cli.frame.message import Message


@pytest.mark.parametrize("suffix", [".csv", ".db", ".mf4", ".blf", ".txt", ".log"])
@pytest.mark.parametrize("size", [1, 300])
def test_error_frames_keep_their_kind_of_identifier(suffix: str, size: int, tmp_path: Path) -> None:
    kinds = [True] * size if suffix == ".log" else [True, False, False] * size
    with can.Logger(tmp_path / f"a{suffix}") as writer:
        for second, kind in enumerate(kinds):
            writer(
                Message(
                    timestamp=second,
                    arbitration_id=0x80,
                    is_error_frame=True,
                    is_extended_id=kind,
                    data=bytes(8),
                    channel=second % 3,
                )
            )
    with can.LogReader(tmp_path / f"a{suffix}") as reader:
        read = [*reader]
    assert [message.is_extended_id for message in read] == kinds
    assert all(message.is_error_frame for message in read)


@pytest.mark.parametrize("columns", ["python-can", "full"])
def test_rows_that_no_kernel_takes_keep_it_as_well(columns: str, tmp_path: Path) -> None:
    with can.CSVWriter(tmp_path / "a.csv", columns=columns) as writer:
        for kind in (True, False):
            writer(Message(timestamp=-1.0, arbitration_id=0x80, is_error_frame=True, is_extended_id=kind))
    with can.CSVReader(tmp_path / "a.csv") as reader:
        assert [message.is_extended_id for message in reader] == [True, False]
