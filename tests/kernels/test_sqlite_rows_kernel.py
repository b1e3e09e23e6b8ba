"""The kernel of SQLite's rows, compiled and interpreted."""

from __future__ import annotations

import sqlite3
import sys
from array import array
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import timestamp_to_ns
from cantools_cli.io.sqlite.table import as_buffers, parse_row
from tests.kernels.forms import FORMS, compiled, interpreted, load

ROW = (1, 1700000000.123456, 0x123, 0, 0, 0, 3, b"\1\2\3")
ODD = st.sampled_from([0, 1, 2, 8, 9, 12, 64, 65, 255, 0x7FF, 0x800, 0x1FFFFFFF, 0x20000000])


def parsed(kernel: Any, rows: list[tuple[Any, ...]], room: int = 64) -> tuple[Any, tuple[bytes, ...]]:
    buffers = as_buffers(rows)
    assert buffers is not None
    batch = MessageBatch.with_room(room, 4096)
    answer = kernel.parse(0, len(rows), *buffers, 0, *batch.columns())
    return answer, tuple(bytes(column) for column in batch.cut(answer[1]).columns())


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("sqlite_rows", request.param)


def test_rows_of_all_kinds(kernel: Any) -> None:
    rows = [
        ROW,
        (2, 0.0, 0x7FF, 0, 1, 0, 4, b""),
        (3, 1.5, 0x55, 0, 0, 0, 12, b"\xaa" * 12),
        (4, 1e-9, 0x1FFFFFFF, 1, 0, 0, 0, b""),
        (5, 2.0, 4, 0, 0, 1, 8, bytes(8)),
    ]
    answer, columns = parsed(kernel, rows)
    assert answer == (5, 5, kernel.DONE)
    assert list(array("q", columns[0])) == [1700000000123456000, 0, 1_500_000_000, 1, 2_000_000_000]
    assert list(array("I", columns[1])) == [0x123, 0x400007FF, 0x55, 0x9FFFFFFF, 0x20000004]
    assert columns[2] == bytes([0, 0, 1, 0, 0])
    assert columns[4] == bytes([3, 4, 9, 0, 8])
    assert columns[6] == b"\1\2\3" + b"\xaa" * 12 + bytes(8)


@pytest.mark.parametrize(
    "row",
    [
        (2, -1.0, *ROW[2:]),
        (2, float("nan"), *ROW[2:]),
        (2, 1e10, *ROW[2:]),
        (*ROW[:2], 0x800, *ROW[3:]),
        (*ROW[:2], 0x20000000, *ROW[3:]),
        (*ROW[:3], 2, *ROW[4:]),
        (*ROW[:4], 1, *ROW[5:]),
        (*ROW[:6], 4, *ROW[7:]),
        (*ROW[:6], 9, bytes(9)),
        (*ROW[:4], 1, 0, 9, b""),
        (*ROW[:4], 1, 1, 0, b""),
    ],
)
def test_other_rows_are_left_alone(kernel: Any, row: tuple[Any, ...]) -> None:
    assert parsed(kernel, [ROW, row])[0] == (1, 1, kernel.STRANGE)


def test_a_full_batch_stops_at_a_row(kernel: Any) -> None:
    assert parsed(kernel, [ROW] * 5, room=2)[0] == (2, 2, kernel.FULL)


@example(1700000000.00390625)  # in the middle of two decimals of seven digits
@example(1700000000.1234567)
@example(4194304.000000001)
@given(
    st.floats(0, 1e11)
    | st.floats(2.0**30, 2.0**31)
    | st.integers(0, 1 << 62).map(lambda ns: ns / 1_000_000_000)
    | st.integers(0, 1 << 40).map(lambda us: us / 1_000_000)
)
def test_times_are_the_shortest_decimals(seconds: float) -> None:
    for form in FORMS:
        kernel = load("sqlite_rows", form)
        answer, columns = parsed(kernel, [(1, seconds, *ROW[2:])])
        if answer[1]:
            assert array("q", columns[0])[0] == timestamp_to_ns(seconds)
        else:
            assert answer[2] == kernel.STRANGE


def test_times_of_today_need_no_second_look(kernel: Any) -> None:
    rows = [(n, 1.7e9 + n * 0.1234567, *ROW[2:]) for n in range(60)]
    assert parsed(kernel, rows)[0][1] >= 59


@given(
    st.lists(
        st.tuples(
            st.just(1),
            st.floats(0, 2e9),
            ODD,
            *[st.integers(0, 2)] * 3,
            st.integers(0, 65),
            st.binary(max_size=64),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_both_forms_and_plain_python_agree(rows: list[tuple[Any, ...]]) -> None:
    answer, columns = parsed(compiled("sqlite_rows"), rows)
    assert (answer, columns) == parsed(interpreted("sqlite_rows"), rows)
    plain = MessageBatch([parse_row(row) for row in rows[: answer[1]]])
    assert tuple(bytes(column) for column in plain.columns()) == columns


# --- pages --------------------------------------------------------------------------------------------

PAGE = 512


@cache
def leaf() -> bytes:
    """Return a leaf page that SQLite wrote, with rows of all lengths of numbers and data."""
    rows = [
        (1700000000.123456, 0x123, 0, 0, 0, 3, b"\1\2\3"),
        (2, 0x1FFFFFFF, 1, 0, 0, 64, bytes(range(64))),
        (0.5, 0, 0, 1, 0, 8, b""),
        (1e300, 2, 0, 0, 0, 9, None),
        (7, -1, 0, 0, 0, 0, b""),
    ]
    names = "ts REAL, arbitration_id, extended, remote, error, dlc, data BLOB"
    with TemporaryDirectory() as folder, closing(sqlite3.connect(f"{folder}/a.db")) as database:
        database.execute(f"PRAGMA page_size = {PAGE}")
        database.execute(f"CREATE TABLE messages ({names})")
        database.executemany("INSERT INTO messages VALUES (?,?,?,?,?,?,?)", rows)
        database.commit()
        return Path(f"{folder}/a.db").read_bytes()[PAGE : 2 * PAGE]


def extracted(kernel: Any, page: bytes, rows: int = 8) -> tuple[Any, ...]:
    """Return what ``extract`` says of ``page``, and what it made of it."""
    seconds = array("d", bytes(8 * rows))
    rowids, words, ends = (
        array("q", bytes(8 * rows)),
        array("I", bytes(4 * rows)),
        array("I", bytes(4 * rows)),
    )
    marks = [bytearray(rows) for _ in range(4)]
    blob = bytearray(64 * rows)
    answer = kernel.extract(
        page + bytes(kernel.SLACK), 0, PAGE, 0, -(1 << 63), bytes(range(7)), array("I", bytes(32)),
        array("I", bytes(32)), 7 if sys.byteorder == "little" else 0, 0, rowids, seconds,
        memoryview(seconds).cast("B"), words, *marks, ends, blob,
    )  # fmt: skip
    count = answer[1]
    used = ends[count - 1] if count else 0
    # the time of a row that parse stops at does not count
    times = [seconds[row] for row in range(count) if marks[3][row] != 255]
    return (
        answer,
        rowids[:count],
        array("d", times).tobytes(),
        words[:count],
        *marks,
        ends[:count],
        blob[:used],
    )


def test_a_page_of_sqlite(kernel: Any) -> None:
    answer, rowids, seconds, words, extended, remote, _, dlc, ends, blob = extracted(kernel, leaf())
    assert answer == (5, 5, kernel.DONE)
    assert [*rowids] == [1, 2, 3, 4, 5]
    assert [*array("d", seconds)] == [1700000000.123456, 2.0, 0.5]
    assert [*words] == [0x123, 0x1FFFFFFF, 0, 0, 0]
    assert (bytes(extended[:5]), bytes(remote[:5])) == (b"\0\1\0\0\0", b"\0\0\1\0\0")
    assert bytes(dlc[:5]) == bytes([3, 64, 8, 255, 255])
    assert ([*ends], bytes(blob)) == ([3, 67, 67, 67, 67], b"\1\2\3" + bytes(range(64)))


def test_a_page_goes_on_where_there_was_no_more_room(kernel: Any) -> None:
    assert extracted(kernel, leaf(), rows=2)[0] == (2, 2, kernel.FULL)


@given(damage=st.lists(st.tuples(st.integers(0, PAGE - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_pages_give_the_same_in_both_forms(damage: list[tuple[int, int]]) -> None:
    page = bytearray(leaf())
    for at, value in damage:
        page[at] = value
    kernels = load("sqlite_rows", "compiled"), load("sqlite_rows", "interpreted")
    first, second = (extracted(kernel, bytes(page), rows=300) for kernel in kernels)
    assert first == second


def test_a_page_without_room_behind_it_is_refused(kernel: Any) -> None:
    with pytest.raises(ValueError, match="no whole page"):
        extracted(kernel, leaf()[:-1])
