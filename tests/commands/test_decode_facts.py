"""``canx decode`` on input that cantools and asammdf decode only in part, or in another order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

DBC = """BO_ 700 M: 2 ECU
 SG_ S : 0|8@1+ (1,0) [0|0] "" ECU
BO_ 512 F: 12 ECU
 SG_ S : 0|8@1+ (1,0) [0|0] "" ECU
"""


@pytest.fixture(autouse=True)
def database(tmp_path: Path) -> None:
    (tmp_path / "x.dbc").write_text(DBC)


def decoded_lines(canx: Any, *lines: str) -> list[str]:
    result = canx("decode", "--dbc", "x.dbc", stdin="".join(f"{line}\n" for line in lines))
    assert result.returncode == 0, result.stderr
    return [line.partition(" :: ")[2] for line in result.stdout.splitlines()]


def test_c10_remote_and_error_frames_pass_without_signals(canx: Any) -> None:
    lines = ["#07", "#R", "#R8"]
    found = decoded_lines(
        canx,
        *(f"(1.000000) can0 2BC{text}" for text in lines),
        "(2.000000) can0 20000004#0000000000000000",
        "(3.000000) can0 2BD#07",
    )
    assert found == ["M(S: 7)", "", "", "", "unknown"]


@pytest.mark.parametrize(
    "line",
    [
        "(1.000000) can0 2bc#07ff",
        "(1.000000) can0 2BC#07FF R",
        "  can0  2BC   [2]  07 FF",
        " (1.000000)  can0  RX - -  2BC   [2]  07 FF",
    ],
)
def test_c11_all_forms_of_lines(canx: Any, line: str) -> None:
    assert decoded_lines(canx, line) == ["M(S: 7)"]


def test_m1_frames_of_several_channel_groups_are_in_the_order_of_time(canx: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    frames = ["2BC#00", "200##1" + 12 * "01", "2BC#02", "200##1" + 12 * "03"]
    log = "".join(f"({second}.000000) can0 {frame}\n" for second, frame in enumerate(frames, 1))
    assert (
        canx("convert", "-", "-o", "log.mf4", stdin=log).returncode == 0
    )  # a group for FD frames of its own
    result = canx("decode", "log.mf4", "--dbc", "x.dbc", "--to", "csv")
    rows = [row.split(",") for row in result.stdout.splitlines()]
    values = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [(row["message"].strip('"'), float(row["value"])) for row in values] == [
        *(("M", 0), ("F", 1), ("M", 2), ("F", 3))
    ]
