"""The kernel of GVRET's CSV, compiled and interpreted."""

from __future__ import annotations

import io
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.gvret import HEADER, GvretReader, GvretWriter, format_row
from cantools_cli.kernels import _lines as lines
from tests.kernels.forms import (
    WIDE_FORMS,
    extensions,
    formatted,
    frames_or_refusal,
    interpreted,
    load,
    parsed,
    without_kernel,
)
from tests.strategies import TIMES, messages

NONE = 0xFFFF
NUMBERS = array("H", [0, NONE, NONE, 1, *[NONE] * 252])  # buses 0 and 3
ROW = b"973,0000013B,false,Rx,0,8,00,00,08,00,00,00,00,4C,\n"
ROWS = [
    ROW,
    b"1700000000123456,1FFFFFFF,true,Tx,3,2,01,02,00,00,00,00,00,00,\r\n",
    b"1,7ff,0,rx,0,0\n",
    b"1,7,1,TX,0,1,ab\n",
]
LONG_ROW = b"973,0000013B,false,Tx,0,12,00,01,02,03,04,05,06,07,08,09,0A,0B,\n"
# of one second, so that all but the first are read as words
USUAL_ROW = b"1700000000123456,000001FF,false,Rx,0,8,00,01,02,03,04,05,06,07,\n"
USUAL_ROWS = [
    USUAL_ROW,
    b"1700000000999999,1FFFFFFF,true,Tx,3,2,aA,02,00,00,00,00,00,00,\r\n",
    b"1700000000000000,7ff,false,Rx,3,0,00,00,00,00,00,00,00,00\n",
    b"1700000000000001,7,true,Rx,0,1,ab,\n",
    b"1700000000000001,00000123,true,Rx,0,16" + b",7f" * 16 + b"\n",
]
EDITS = st.lists(
    st.tuples(
        st.sampled_from([*ROWS, LONG_ROW, *USUAL_ROWS]),
        st.integers(0, 60),
        st.sampled_from(b"01x,FTRXaf\r\n9g.- ") | st.integers(0, 255),
    ),
    max_size=4,
)


def spoilt(edits: list[tuple[bytes, int, int]]) -> bytes:
    rows = (row[: at % len(row)] + bytes([to]) + row[at % len(row) + 1 :] for row, at, to in edits)
    return b"".join(rows).rstrip(b"\n") + b"\n"


@pytest.fixture(params=WIDE_FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("gvret", request.param)


def test_rows_with_directions(kernel: Any) -> None:
    text = b"".join(ROWS)
    answer, columns = parsed(kernel, text, NUMBERS, True)
    assert answer == (len(text), len(ROWS), lines.DONE)
    assert list(array("q", columns[0])) == [973_000, 1700000000123456000, 1000, 1000]
    assert list(array("I", columns[1])) == [0x13B, 0x9FFFFFFF, 0x7FF, 0x80000007]
    assert columns[2] == bytes([0, 8, 0, 8])
    assert list(array("H", columns[3])) == [0, 1, 0, 0]
    assert columns[4] == bytes([8, 2, 0, 1])
    assert columns[6] == bytes.fromhex("000008000000004c0102ab")


def test_rows_without_directions(kernel: Any) -> None:
    text = ROW.replace(b"Rx,", b"")
    assert parsed(kernel, text, NUMBERS, False)[0] == (len(text), 1, lines.DONE)
    assert parsed(kernel, ROW, NUMBERS, False)[0] == (0, 0, lines.STRANGE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"973", b""),
        (b"973", b"-1"),
        (b"973", b"9000000000000001"),
        (b"973", b"00000000000000000973"),
        (b"973", b"00000000000000973"),
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
    assert parsed(kernel, text, NUMBERS, True)[0] == (len(ROW), 1, lines.STRANGE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b",12,", b",9,"),
        (b",12,", b",13,"),
        (b",12,", b",99,"),
        (b",12,", b",123,"),
        (b"0B,", b""),
        (b"0B,", b"0B,0C,"),
        (b"0B,", b"0G,"),
    ],
)
def test_rows_of_can_fd_are_as_long_as_they_say(kernel: Any, old: bytes, new: bytes) -> None:
    answer, columns = parsed(kernel, LONG_ROW, NUMBERS, True)
    assert answer == (len(LONG_ROW), 1, lines.DONE)
    assert (columns[2], columns[4], columns[6]) == (b"\x09", b"\x09", bytes(range(12)))
    text = LONG_ROW + LONG_ROW.replace(old, new)
    assert parsed(kernel, text, NUMBERS, True)[0] == (len(LONG_ROW), 1, lines.STRANGE)


@pytest.mark.parametrize("directions", [True, False])
def test_rows_among_others_are_read_as_alone(kernel: Any, directions: bool) -> None:
    rows = [row if directions else row.replace(b"Rx,", b"").replace(b"Tx,", b"") for row in USUAL_ROWS]
    for row in rows:
        alone = parsed(kernel, row, NUMBERS, directions)
        among = parsed(kernel, rows[0] * 3 + row + rows[0] * 3, NUMBERS, directions)
        assert (alone[0][1:], among[0][1:]) == ((1, lines.DONE), (7, lines.DONE))
        for one, column in zip(alone[1][:5], among[1][:5], strict=True):
            assert column[3 * len(one) : 4 * len(one)] == one


def test_a_new_bus_stops_at_its_row(kernel: Any) -> None:
    for row in (ROW, USUAL_ROW * 4):
        text = row + row.replace(b",0,8,", b",7,8,") + row
        assert parsed(kernel, text, NUMBERS, True)[0] == (len(row), row.count(b"\n"), lines.NAME)


def test_the_latest_times_are_read(kernel: Any) -> None:
    last = b"%d" % kernel.MAX_MICROSECONDS
    rows = [USUAL_ROW.replace(b"1700000000123456", time) for time in (b"8999999999999999", last, last)]
    text = b"".join(rows) + USUAL_ROW.replace(b"1700000000123456", last[:-1] + b"1") + USUAL_ROW * 3
    answer, columns = parsed(kernel, text, NUMBERS, True)
    assert answer == (3 * len(rows[0]), 3, lines.STRANGE)
    assert array("q", columns[0])[2] == kernel.MAX_MICROSECONDS * 1000


def test_a_full_batch_stops_at_a_row(kernel: Any) -> None:
    assert parsed(kernel, ROW * 5, NUMBERS, True, rows=2)[0] == (2 * len(ROW), 2, lines.FULL)
    assert parsed(kernel, ROW * 5, NUMBERS, True, payload=72)[0] == (2 * len(ROW), 2, lines.FULL)


def test_a_full_room_stops_at_a_row(kernel: Any) -> None:
    batch = MessageBatch(GvretReader(io.BytesIO(HEADER + ROW * 3)))
    answer, text = formatted(kernel, batch, array("H", [0]), room=kernel.LINE_ROOM + len(ROW))
    assert (answer[0], text) == (2, ROW * 2)


@given(st.lists(messages(kinds=("classic", "raw"), times=TIMES | st.just((1 << 63) - 1)), max_size=5))
def test_all_forms_write_what_plain_python_writes(frames: list[Any]) -> None:
    batch = MessageBatch(frames).without(0x40000000)
    numbers = array("H", [0, 7, 42, 999, 65534, 3])
    wanted = b"".join(format_row(batch[row], numbers[batch.channel[row]]) for row in range(len(batch)))
    for form in WIDE_FORMS:
        answer = formatted(load("gvret", form), batch, numbers)
        assert answer == ((len(batch), len(wanted)), wanted)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1_999_999_999), st.binary(max_size=8)), max_size=8)
)
def test_times_and_data_are_written_the_same_behind_any_row(rows: list[tuple[int, int, bytes]]) -> None:
    frames = [Message(arbitration_id=1, data=data) for _, _, data in rows]
    for message, (second, fraction, _) in zip(frames, rows, strict=True):
        message.timestamp_ns = (0, 10**9, 1_700_000_000 * 10**9, (1 << 63) - 2 * 10**9)[second] + fraction
    batch = MessageBatch(frames)
    wanted = b"".join(format_row(message, 3) for message in frames)
    for form in WIDE_FORMS:
        answer = formatted(load("gvret", form), batch, array("H", [3]))
        assert answer == ((len(batch), len(wanted)), wanted)


def test_what_canx_writes_is_taken_to_its_end(kernel: Any) -> None:
    file = io.BytesIO()
    with GvretWriter(file) as writer:
        for index in range(200):
            message = Message(1700000000 + index / 50, index * 77777, channel="can0", data=bytes(index % 9))
            message.is_extended_id = index * 77777 > 0x7FF
            message.is_rx = index % 3 > 0
            writer(message)
    text = file.getvalue()[len(HEADER) :]
    assert parsed(kernel, text, NUMBERS, True, rows=201)[0] == (len(text), 200, lines.DONE)


@given(messages(kinds=("fd",)))
def test_rows_that_do_not_fit_are_left_alone(message: Any) -> None:
    answer = (1 if message.dlc <= 8 else 0,)
    for form in WIDE_FORMS:
        assert formatted(load("gvret", form), MessageBatch([message]), array("H", [0]))[0][:1] == answer


@pytest.mark.parametrize("directions", [False, True])
@given(edits=EDITS)
def test_all_forms_read_noise_alike(directions: bool, edits: list[tuple[bytes, int, int]]) -> None:
    for text in (spoilt(edits), USUAL_ROW * 2 + spoilt(edits) + USUAL_ROW * 3):
        wanted = parsed(interpreted("gvret"), text, NUMBERS, directions)
        for kernel in extensions("gvret"):
            assert parsed(kernel, text, NUMBERS, directions) == wanted


def as_plain(text: bytes) -> None:
    """Have ``text`` read by the reader with its kernel, and by the same without."""
    frames = GvretReader(io.BytesIO(text), on_error="skip")
    plain = without_kernel(GvretReader)(io.BytesIO(text), on_error="skip")
    assert frames_or_refusal(frames) == frames_or_refusal(plain)
    assert (frames.line, frames.skipped, str(frames.first_fault), frames.notes) == (
        plain.line,
        plain.skipped,
        str(plain.first_fault),
        plain.notes,
    )


@given(edits=EDITS)
def test_plain_python_reads_the_same_without_the_kernel(edits: list[tuple[bytes, int, int]]) -> None:
    as_plain(HEADER + spoilt(edits))
    as_plain(HEADER + USUAL_ROW * 2 + spoilt(edits) + USUAL_ROW * 3)


@pytest.mark.parametrize("row", USUAL_ROWS)
def test_a_row_with_any_byte_damaged_is_read_as_without_the_kernel(row: bytes) -> None:
    text = [HEADER + USUAL_ROW * 2]
    for at in range(len(row)):
        for byte in b"\0 \n\r,./019:@AFGRTXaefgrstux\xff":
            text.append(row[:at] + bytes([byte]) + row[at + 1 :] + USUAL_ROW)
    as_plain(b"".join(text) + USUAL_ROW * 3)
