"""The kernel of GVRET's CSV, compiled and interpreted."""

from __future__ import annotations

import io
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.batch import MessageBatch
from cantools_cli.io.gvret import HEADER, GvretReader, format_row
from tests.kernels.forms import FORMS, compiled, formatted, interpreted, load, parsed, without_kernel
from tests.strategies import TIMES, facts, messages

NONE = 0xFFFF
NUMBERS = array("H", [0, NONE, NONE, 1, *[NONE] * 252])  # buses 0 and 3
ROW = b"973,0000013B,false,Rx,0,8,00,00,08,00,00,00,00,4C,\n"
ROWS = [
    ROW,
    b"1700000000123456,1FFFFFFF,true,Tx,3,2,01,02,00,00,00,00,00,00,\r\n",
    b"1,7ff,0,rx,0,0\n",
    b"1,7,1,TX,0,1,ab\n",
]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(ROWS),
        st.integers(0, 60),
        st.sampled_from(b"01x,FTRXaf\r\n9g.- ") | st.integers(0, 255),
    ),
    max_size=4,
)


def spoilt(edits: list[tuple[bytes, int, int]]) -> bytes:
    rows = (row[: at % len(row)] + bytes([to]) + row[at % len(row) + 1 :] for row, at, to in edits)
    return b"".join(rows).rstrip(b"\n") + b"\n"


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("gvret", request.param)


def test_rows_with_directions(kernel: Any) -> None:
    text = b"".join(ROWS)
    answer, columns = parsed(kernel, text, NUMBERS, True)
    assert answer == (len(text), len(ROWS), kernel.DONE)
    assert list(array("q", columns[0])) == [973_000, 1700000000123456000, 1000, 1000]
    assert list(array("I", columns[1])) == [0x13B, 0x9FFFFFFF, 0x7FF, 0x80000007]
    assert columns[2] == bytes([0, 8, 0, 8])
    assert list(array("H", columns[3])) == [0, 1, 0, 0]
    assert columns[4] == bytes([8, 2, 0, 1])
    assert columns[6] == bytes.fromhex("000008000000004c0102ab")


def test_rows_without_directions(kernel: Any) -> None:
    text = ROW.replace(b"Rx,", b"")
    assert parsed(kernel, text, NUMBERS, False)[0] == (len(text), 1, kernel.DONE)
    assert parsed(kernel, ROW, NUMBERS, False)[0] == (0, 0, kernel.STRANGE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"973", b""),
        (b"973", b"-1"),
        (b"973", b"9000000000000001"),
        (b"973", b"00000000000000000973"),
        (b"0000013B", b""),
        (b"0000013B", b"00000013B"),
        (b"0000013B", b"00000800"),
        (b"0000013B", b"20000000"),
        (b"false", b"fals"),
        (b"false", b"2"),
        (b"Rx", b"Ax"),
        (b",0,8,", b",256,8,"),
        (b",0,8,", b",,8,"),
        (b",0,8,", b",0,9,"),
        (b"4C,", b""),
        (b"4C", b"4"),
        (b"4C", b"4C,00"),
        (b"4C,", b"4C,,"),
    ],
)
def test_other_rows_are_left_alone(kernel: Any, old: bytes, new: bytes) -> None:
    text = ROW + ROW.replace(old, new)
    assert parsed(kernel, text, NUMBERS, True)[0] == (len(ROW), 1, kernel.STRANGE)


def test_a_new_bus_stops_at_its_row(kernel: Any) -> None:
    text = ROW + ROW.replace(b",0,8,", b",7,8,")
    assert parsed(kernel, text, NUMBERS, True)[0] == (len(ROW), 1, kernel.CHANNEL)


def test_a_full_batch_stops_at_a_row(kernel: Any) -> None:
    assert parsed(kernel, ROW * 5, NUMBERS, True, rows=2)[0] == (2 * len(ROW), 2, kernel.FULL)
    assert parsed(kernel, ROW * 5, NUMBERS, True, payload=72)[0] == (2 * len(ROW), 2, kernel.FULL)


def test_a_full_room_stops_at_a_row(kernel: Any) -> None:
    batch = MessageBatch(GvretReader(io.BytesIO(HEADER + ROW * 3)))
    answer, text = formatted(kernel, batch, array("H", [0]), room=kernel.LINE_ROOM + len(ROW))
    assert (answer[0], text) == (2, ROW * 2)


@given(st.lists(messages(kinds=("classic", "raw"), times=TIMES | st.just((1 << 63) - 1)), max_size=5))
def test_both_forms_write_what_plain_python_writes(frames: list[Any]) -> None:
    batch = MessageBatch(frames).without(0x40000000)
    numbers = array("H", [0, 7, 42, 999, 65534, 3])
    wanted = b"".join(format_row(batch[row], numbers[batch.channel[row]]) for row in range(len(batch)))
    for form in FORMS:
        answer = formatted(load("gvret", form), batch, numbers)
        assert answer == ((len(batch), len(wanted)), wanted)


@given(messages(kinds=("fd",)))
def test_rows_that_do_not_fit_are_left_alone(message: Any) -> None:
    answer = (1 if message.dlc <= 8 else 0,)
    for form in FORMS:
        assert formatted(load("gvret", form), MessageBatch([message]), array("H", [0]))[0][:1] == answer


@pytest.mark.parametrize("directions", [False, True])
@given(edits=EDITS)
def test_both_forms_read_noise_alike(directions: bool, edits: list[tuple[bytes, int, int]]) -> None:
    text = spoilt(edits)
    assert parsed(compiled("gvret"), text, NUMBERS, directions) == parsed(
        interpreted("gvret"), text, NUMBERS, directions
    )


@given(edits=EDITS)
def test_plain_python_reads_the_same_without_the_kernel(edits: list[tuple[bytes, int, int]]) -> None:
    text = HEADER + spoilt(edits)
    frames = GvretReader(io.BytesIO(text), on_error="skip")
    plain = without_kernel(GvretReader)(io.BytesIO(text), on_error="skip")
    assert [facts(message) for message in frames] == [facts(message) for message in plain]
