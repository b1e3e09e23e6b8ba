"""The kernel of candump's log lines, compiled and interpreted."""

from __future__ import annotations

import io
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.candump.log import CanutilsLogReader
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
from tests.strategies import messages

NAMES, ENDS = b"can0vcan12", array("I", [4, 10])
LINE = b"(1700000000.123456) can0 123#010203\n"
LINES = [
    LINE,
    b"(1700000000.123456) vcan12 00000123#0102030405060708 T\n",
    b"(1.1) can0 7FF#R8_D R\r\n",
    b"(1.123456789)  can0  055##7AA\n",
    b"(1.000001) can0 20000004#0004000000000000\n",
]
LETTERS = b"0123456789ABCDEFabcdefRTrt#_.,() \r\nvn\x00\xff"
# a line with one of its bytes changed, taken out or doubled: most of the ways to be almost right
NOISE = st.lists(
    st.tuples(
        st.sampled_from(LINES),
        st.integers(0, 60),
        st.sampled_from(LETTERS) | st.integers(0, 255),
        st.integers(0, 2),
    ),
    max_size=4,
)


def spoilt(edits: list[tuple[bytes, int, int, int]]) -> bytes:
    return (
        b"".join(
            line[: at % len(line)] + bytes([letter]) * (width > 0) + line[at % len(line) + width :]
            for line, at, letter, width in edits
        ).rstrip(b"\n")
        + b"\n"
    )


@pytest.fixture(params=WIDE_FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("candump", request.param)


def test_lines_become_rows(kernel: Any) -> None:
    text = b"".join(LINES)
    answer, columns = parsed(kernel, text, NAMES, ENDS)
    assert answer == (len(text), len(LINES), lines.DONE)
    assert list(array("I", columns[1])) == [0x123, 0x80000123, 0x400007FF, 0x55, 0x20000004]
    assert columns[2] == bytes([0, 8, 0, 7, 0])
    assert list(array("H", columns[3])) == [0, 1, 0, 0, 0]
    assert columns[4] == bytes([3, 8, 13, 1, 8])


def test_a_new_name_stops_at_its_line(kernel: Any) -> None:
    text = LINE + LINE.replace(b"can0", b"can9")
    assert parsed(kernel, text, NAMES, ENDS)[0] == (len(LINE), 1, lines.NAME)


def test_a_full_batch_stops_at_a_line(kernel: Any) -> None:
    assert parsed(kernel, LINE * 5, NAMES, ENDS, rows=2)[0] == (2 * len(LINE), 2, lines.FULL)
    assert parsed(kernel, LINE * 5, NAMES, ENDS, payload=68)[0] == (2 * len(LINE), 2, lines.FULL)


@pytest.mark.parametrize("cut", [*range(1, 36), 37, 39, 41, 43, 45, 47, 49, 51])
def test_a_cut_line_is_left_alone(kernel: Any, cut: int) -> None:
    text = LINE + LINES[1][:cut] + b"\n"
    assert parsed(kernel, text, NAMES, ENDS)[0] == (len(LINE), 1, lines.STRANGE)


@pytest.mark.parametrize("room", range(120))
def test_rows_are_written_whole_or_not_at_all(kernel: Any, room: int) -> None:
    batch = MessageBatch.with_room(1, 0, ("can0",))
    (rows, used), text = formatted(kernel, batch, NAMES, ENDS, 6, 0, room=room)
    assert text == (b"(0.000000) can0 000#\n" if rows else b"")
    assert used == len(text)
    assert rows == (room >= kernel.LINE_ROOM + 4)


def test_the_latest_time_is_written(kernel: Any) -> None:
    batch = MessageBatch.with_room(1, 0, ("can0",))
    batch.timestamp_ns[0] = (1 << 63) - 1
    assert formatted(kernel, batch, NAMES, ENDS, 6, 0)[1] == b"(9223372036.854776) can0 000#\n"
    assert formatted(kernel, batch, NAMES, ENDS, 9, 0)[1] == b"(9223372036.854775807) can0 000#\n"


def test_a_negative_time_is_for_the_caller(kernel: Any) -> None:
    batch = MessageBatch.with_room(2, 0, ("can0",))
    batch.timestamp_ns[1] = -1
    assert formatted(kernel, batch, NAMES, ENDS, 6, 0)[0][0] == 1


@pytest.mark.parametrize("spoil", ["channel", "flags", "offset"])
def test_columns_that_do_not_fit_are_refused(kernel: Any, spoil: str) -> None:
    batch = MessageBatch.with_room(2, 0, ("can0",))
    if spoil == "channel":
        batch.channel[1] = 2
    elif spoil == "flags":
        del batch.flags[1:]
    else:
        batch.offset[2] = 1
    with pytest.raises(ValueError, match=r"channel|differ|offsets"):
        formatted(kernel, batch, NAMES, ENDS, 6, 0)


def test_text_must_end_with_a_newline(kernel: Any) -> None:
    with pytest.raises(ValueError, match="newline"):
        parsed(kernel, LINE[:-1], NAMES, ENDS)


@given(NOISE)
def test_both_forms_read_noise_alike(edits: list[tuple[bytes, int, int, int]]) -> None:
    text = spoilt(edits)
    wanted = parsed(interpreted("candump"), text, NAMES, ENDS)
    for kernel in extensions("candump"):
        assert parsed(kernel, text, NAMES, ENDS) == wanted


@given(st.lists(messages(channels=st.sampled_from(["can0", "vcan12"])), max_size=5), st.sampled_from([6, 9]))
def test_both_forms_write_alike(frames: list[Any], digits: int) -> None:
    batch = MessageBatch(frames, channels=("can0", "vcan12"))
    answer = formatted(interpreted("candump"), batch, NAMES, ENDS, digits, 0)
    for kernel in extensions("candump"):
        assert answer == formatted(kernel, batch, NAMES, ENDS, digits, 0)
    assert answer[0][0] == len(batch)


@given(NOISE)
def test_plain_python_reads_the_same_without_the_kernel(edits: list[tuple[bytes, int, int, int]]) -> None:
    text = spoilt(edits)
    frames = CanutilsLogReader(io.BytesIO(text), on_error="skip")
    plain = without_kernel(CanutilsLogReader)(io.BytesIO(text), on_error="skip")
    assert frames_or_refusal(frames) == frames_or_refusal(plain)
