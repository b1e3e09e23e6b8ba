"""The kernel of printed messages, compiled and interpreted."""

from __future__ import annotations

import io
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.channels import NameTable
from cantools_cli.io.printer import Printer, PrinterReader, spell_column
from cantools_cli.kernels import _lines as lines
from tests.kernels.forms import (
    WIDE_FORMS,
    every_form,
    extensions,
    formatted,
    interpreted,
    load,
    parsed,
    without_kernel,
)
from tests.strategies import CHANNELS, TIMES, facts, messages

NAMES, ENDS = b" can0 7", array("I", [5, 7, 7])  # and none
LINE = (
    b"Timestamp: 1700000000.123456    ID:      123    S Rx                DL:  3    01 02 03"
    b"                    Channel: can0\n"
)
FD = LINE.replace(
    b" " * 11 + b"DL:  3    01 02 03" + b" " * 20, b"F BS       DL: 12    " + b"5b " * 12 + b"   "
)
LINES = [
    LINE,
    LINE.replace(b"     123    S Rx", b"1abcdef0    X Tx").replace(b"can0", b"7"),
    LINE.replace(b"Rx  ", b"Rx E").replace(b"     123", b"1fffffff"),
    LINE.replace(b"Rx    ", b"Rx   R").replace(b"01 02 03", b"        "),
    LINE[:86] + b"\r\n",
    LINE[:73] + b"0\n",
    LINE.replace(b"01 02 03", b"61 7a 39").replace(b"    Channel", b"    'az9'    Channel"),
    FD,
    FD.replace(b"Rx  ", b"Tx E").replace(b"BS   ", b"BS EI"),
    b"Timestamp:      0.5      ID: 123      X      DLC: 0\n",
]
KINDS = [0x123, 0x9ABCDEF0, 0x3FFFFFFF, 0x40000123, 0x123, 0x123, 0x123, 0x123, 0x20000123, 0x80000123]
LETTERS = b"0123456789abcdefADFRSTXBEIx:.' \r\n\x00\xff"
NOISE = st.lists(
    st.tuples(
        st.sampled_from(LINES),
        st.integers(0, 130),
        st.sampled_from(LETTERS) | st.integers(0, 255),
        st.integers(0, 2),
    ),
    max_size=4,
)
TABLE = NameTable(("can0", 7, None, "x" * 30), spell_column)
TEXTS = TABLE.names + bytes(24)


def spoilt(edits: list[tuple[bytes, int, int, int]]) -> bytes:
    return (
        b"".join(
            line[: at % len(line)] + bytes([letter]) * (width > 0) + line[at % len(line) + width :]
            for line, at, letter, width in edits
        ).rstrip(b"\n")
        + b"\n"
    )


def printed(batch: MessageBatch) -> bytes:
    return b"".join(f"{message}\n".encode() for message in batch)


def read(reader: type[PrinterReader], text: bytes) -> tuple[Any, ...]:
    """Return all that a reader says about ``text``."""
    file = reader(io.BytesIO(text), on_error="skip")
    frames = [(batch.channels, [facts(message) for message in batch]) for batch in file.batches()]
    rows = [row for _, found in frames for row in found]
    return rows, frames and frames[-1][0], file.skipped, str(file.first_fault), file.notes, file.line


@pytest.fixture(params=WIDE_FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("printed", request.param)


def test_lines_become_rows(kernel: Any) -> None:
    text = b"".join(LINES)
    for more in (b"", LINE * 3):
        answer, columns = parsed(kernel, text + more, NAMES, ENDS)
        assert answer == (len(text + more), len(LINES) + len(more) // len(LINE), lines.DONE)
        assert list(array("I", columns[1]))[: len(LINES)] == KINDS
        assert columns[2][: len(LINES)] == bytes([0, 8, 0, 0, 0, 0, 0, 3, 15, 0])
        assert list(array("H", columns[3]))[: len(LINES)] == [0, 1, 0, 0, 2, 2, 0, 0, 0, 2]
        assert columns[4][: len(LINES)] == bytes([3, 3, 3, 3, 3, 0, 3, 9, 9, 0])
        assert list(array("q", columns[0]))[: len(LINES)] == [1700000000123456000] * 9 + [500000000]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Timestamp:", b" Timestamp:"),
        (b"1700000000.", b"9000000001."),
        (b"1700000000.", b"-1."),
        (b".123456", b""),
        (b".123456", b"."),
        (b".123456", b".1234567890"),
        (b" 123", b"  12"),
        (b" 123", b" 800"),
        (b"     123    S", b"20000000    X"),
        (b"  S Rx", b"   Rx"),
        (b"Rx", b"rx"),
        (b"Rx   ", b"RxE  "),
        (b"DL:  3", b"DL:  2"),
        (b"DL:  3", b"DL:  4"),
        (b"DL:  3", b"DL: 65"),
        (b"DL:  3", b"DL: 003"),
        (b"DL:  3    ", b"DL:  3"),
        (b"Rx      ", b"Rx E R  "),
        (b"Rx       ", b"Rx   R F "),
        (b"02", b"0g"),
        (b"02", b"02 "),
        (b"01 ", b"01\t"),
        (b"Channel: ", b"Channel:"),
        (b"Channel: ", b"Channel"),
        (b"Channel: can0", b"Channel:"),
        (b"Channel: ", b"'a b'    Channel: "),
        (b"Channel: ", b"'ab    Channel: "),
        (b"can0", b"can\x01"),
        (b"can0", b"can0\r\r"),
        (b"    Channel", b"xChannel"),
    ],
)
def test_a_strange_line_is_left_where_it_begins(kernel: Any, old: bytes, new: bytes) -> None:
    assert old in LINE
    line = LINE.replace(old, new)
    for more in (b"", LINE * 3):
        assert parsed(kernel, LINE + line + more, NAMES, ENDS)[0] == (len(LINE), 1, lines.STRANGE)


@pytest.mark.parametrize("size", [8, 9, 12, 13, 63, 64])
def test_lengths_are_those_of_the_kind(kernel: Any, size: int) -> None:
    data = (b"07 " * size).ljust(24)
    for kind, is_good in ((b"    ", size <= 8), (b"F   ", size in (8, 12, 64))):
        line = LINE.replace(b"01 02 03" + b" " * 17, data + b" ").replace(b"DL:  3", b"DL: %2d" % size)
        line = line.replace(b"Rx        ", b"Rx     " + kind[:3])
        reason = lines.DONE if is_good else lines.STRANGE
        assert parsed(kernel, LINE + line, NAMES, ENDS)[0][2] == reason
        assert parsed(kernel, LINE + line + LINE * 5, NAMES, ENDS)[0][2] == reason


@pytest.mark.parametrize(
    "name", [b"Channel: can1", b"Channel: ", b"Channel: a b ", b"Channel: \xff" + b"x" * 40]
)
def test_a_new_channel_stops_at_its_line(kernel: Any, name: bytes) -> None:
    text = LINE + LINE.replace(b"Channel: can0", name)
    assert parsed(kernel, text, NAMES, ENDS)[0] == (len(LINE), 1, lines.NAME)
    assert parsed(kernel, text + LINE, NAMES, ENDS)[0] == (len(LINE), 1, lines.NAME)


def test_many_channels_are_told_apart(kernel: Any) -> None:
    names = [b" ", b" c", b" can1", b" can10", b" can11", b" a b ", b" " + b"x" * 40, b" can1\xff"]
    ends = array("I", [sum(map(len, names[: count + 1])) for count in range(len(names))])
    order = [0, 1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1, 0, 2, 4, 2, 4, 3, 3, 6, 3]
    text = b"".join(LINE.replace(b" can0", names[index]) for index in order)
    answer, columns = parsed(kernel, text, b"".join(names), ends)
    assert answer == (len(text), len(order), lines.DONE)
    assert list(array("H", columns[3])) == order


def test_a_full_batch_stops_at_a_line(kernel: Any) -> None:
    assert parsed(kernel, LINE * 5, NAMES, ENDS, rows=2)[0] == (2 * len(LINE), 2, lines.FULL)
    assert parsed(kernel, LINE * 5, NAMES, ENDS, payload=68)[0] == (2 * len(LINE), 2, lines.FULL)


def test_text_must_end_with_a_newline(kernel: Any) -> None:
    with pytest.raises(ValueError, match="newline"):
        parsed(kernel, LINE[:-1], NAMES, ENDS)


@pytest.mark.parametrize("line", LINES)
def test_a_line_cut_anywhere_is_read_as_by_plain_python(line: bytes) -> None:
    for cut in range(len(line)):
        for more in (b"", LINE * 3):
            text = LINE + line[:cut] + b"\n" + more
            assert read(PrinterReader, text) == read(without_kernel(PrinterReader), text), cut


@given(NOISE)
def test_all_forms_read_noise_alike(edits: list[tuple[bytes, int, int, int]]) -> None:
    text = spoilt(edits)
    for more in (b"", LINE * 3):
        wanted = parsed(interpreted("printed"), LINE + text + more, NAMES, ENDS)
        for kernel in extensions("printed"):
            assert parsed(kernel, LINE + text + more, NAMES, ENDS) == wanted


@given(NOISE)
def test_plain_python_reads_the_same_without_the_kernel(edits: list[tuple[bytes, int, int, int]]) -> None:
    text = spoilt(edits)
    for more in (b"", LINE * 3):
        text = LINE + text + more
        assert read(PrinterReader, text) == read(without_kernel(PrinterReader), text)


@pytest.mark.parametrize("line", LINES[:9])
def test_the_lines_above_are_what_print_shows(line: bytes) -> None:
    (message,) = PrinterReader(io.BytesIO(line))
    assert f"{message}\n".encode() == line.replace(b"\r", b"")


@given(st.lists(messages(channels=st.sampled_from(["can0", 7, None])), max_size=5))
def test_what_is_printed_is_read_without_plain_python(frames: list[Message]) -> None:
    text = printed(MessageBatch(frames))
    for kernel in every_form("printed"):
        for more in (b"", LINE * 3):
            (_, rows, reason), _ = parsed(kernel, LINE + text + more, NAMES, ENDS)
            assert (rows, reason) == (1 + len(frames) + len(more) // len(LINE), lines.DONE)


@given(st.lists(messages(channels=st.sampled_from(TABLE.channels)), max_size=5), st.integers(0, 40))
def test_all_forms_write_what_print_shows(frames: list[Message], extra: int) -> None:
    batch = MessageBatch(frames, channels=TABLE.channels)
    batch.payload += bytes(extra)  # of which none is shown
    wanted = printed(batch)
    for kernel in every_form("printed"):
        (rows, _), text = formatted(kernel, batch, TEXTS, TABLE.ends)
        if rows < len(batch):
            assert not 1 << 19 <= batch.timestamp_ns[rows] // 10**9 < 1 << 33
        assert text == printed(batch.part(0, rows))
        assert wanted.startswith(text)


@given(st.integers(0, 63), st.integers(-4, 4), st.integers(0, 1_000_000), st.integers(-3, 3))
def test_times_are_rounded_as_print_rounds_them(bits: int, off: int, micro: int, nano: int) -> None:
    seconds = min(max((1 << bits) // 1_000_000_000 + off, 0), 9223372035)
    times = [seconds * 10**9 + micro * 1000 + rest for rest in (0, 500 + nano, 381, 619, 999, nano + 3)]
    for kernel in every_form("printed"):
        checked_times(kernel, times)


@given(st.lists(TIMES | st.integers(-(10**18), (1 << 63) - 1), max_size=6))
def test_any_times_are_printed(times: list[int]) -> None:
    for kernel in every_form("printed"):
        checked_times(kernel, times)


def checked_times(kernel: Any, times: list[int]) -> None:
    batch = MessageBatch.with_room(len(times), 0, ("can0",))
    batch.timestamp_ns = array("q", times)
    row = 0
    while row < len(times):
        batch = batch.part(row, len(batch))
        (row, _), text = formatted(kernel, batch, TEXTS, TABLE.ends)
        assert text == printed(batch.part(0, row))
        if row < len(batch):
            time = batch.timestamp_ns[row]
            assert time < 0 or time >= 10**9 << 33 or (time < 10**9 << 19 and time % 1000 == 500)
        times = times[row + 1 :]
        row, batch = 0, batch.part(min(row + 1, len(batch)), len(batch))


@pytest.mark.parametrize("second", [0, 1, 1 << 19, 1 << 30, 1_700_000_000, (1 << 33) - 1])
def test_a_time_rounded_to_the_next_second_leaves_the_others(kernel: Any, second: int) -> None:
    time = second * 10**9
    checked_times(
        kernel, [time, time + 999_999_999, time, time + 999_999_999, time + 5000, time + 999_999_800]
    )


@pytest.mark.parametrize("room", range(0, 420, 7))
def test_rows_are_written_whole_or_not_at_all(kernel: Any, room: int) -> None:
    batch = MessageBatch([Message(is_fd=True, data=b"a" * 64, channel="x" * 30)], channels=TABLE.channels)
    (rows, used), text = formatted(kernel, batch, TEXTS, TABLE.ends, room=room)
    assert text == (printed(batch) if rows else b"")
    assert used == len(text)
    assert rows == (room >= kernel.LINE_ROOM + len("    Channel: ") + 30 + 4 * 64)


@pytest.mark.parametrize("spoil", ["channel", "flags", "offset", "names"])
def test_columns_that_do_not_fit_are_refused(kernel: Any, spoil: str) -> None:
    batch = MessageBatch.with_room(2, 0, ("can0",))
    ends = TABLE.ends
    if spoil == "channel":
        batch.channel[1] = 4
    elif spoil == "flags":
        del batch.flags[1:]
    elif spoil == "offset":
        batch.offset[2] = 1
    else:
        ends = array("I", [1000])
    with pytest.raises(ValueError, match=r"channel|differ|offsets|names"):
        formatted(kernel, batch, TEXTS, ends)


def test_a_row_that_is_no_frame_of_this_format_is_for_the_caller(kernel: Any) -> None:
    for flags, can_id, size in ((16, 0, 1), (0, 0, 65), (0, 0x40000000, 1)):
        batch = MessageBatch([Message(), Message()], channels=("can0",))
        batch.flags[1], batch.can_id[1], batch.offset[2], batch.payload = flags, can_id, size, bytearray(70)
        assert formatted(kernel, batch, TEXTS, TABLE.ends)[0][0] == 1


CHANNELS_OF_ALL_KINDS = CHANNELS | st.sampled_from(["", " ", "can0 ", "can\u00a0", "a b", "\udcff", "x" * 99])


@given(st.lists(messages(channels=CHANNELS_OF_ALL_KINDS, times=st.integers(-(10**12), 1 << 62)), max_size=5))
def test_the_writer_prints_what_print_shows(frames: list[Message]) -> None:
    file = io.BytesIO()
    with Printer(file) as printer:
        for message in frames:
            printer(message)
    assert file.getvalue() == b"".join(f"{one}\n".encode("utf-8", "surrogateescape") for one in frames)
