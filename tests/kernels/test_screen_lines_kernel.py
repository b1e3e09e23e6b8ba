"""The kernel of what candump prints on a screen, compiled and interpreted."""

from __future__ import annotations

import io
from array import array
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.candump.log import CanutilsLogReader
from cantools_cli.io.candump.screen_writer import CandumpScreenWriter
from cantools_cli.io.text import no_kernel
from cantools_cli.kernels import _lines as lines
from cantools_cli.kernels.buffers import ReadBuffer
from tests.kernels.forms import (
    WIDE_FORMS,
    extensions,
    formatted,
    frames_or_refusal,
    interpreted,
    load,
    parsed,
)
from tests.strategies import ALL_KINDS, CHANNELS, messages

NAMES, ENDS = b"can0vcan12", array("I", [4, 10])
SECOND, SECOND_NS = b"2023-11-14 22:13:20", 1_700_000_000_000_000_000
LINE = b" (1700000000.123456)  can0  123   [3]  01 02 03\n"
LINES = [
    LINE,
    b" (1700000000.123456)  vcan12  TX - -  00000123   [8]  01 02 03 04 05 06 07 08\n",
    b" (2023-11-14 22:13:20.000001)  can0  RX B E       7FF  [12]  01 02 03 04 05 06 07 08 09 0A 0B 0C\n",
    b"  can0  7FF   {D}  remote request\r\n",
    b"(1700000000.123456789)  can0       055   [2]  aA Bb                     'x''\n",
    b" (1700000000.5)  can0  20000004   [8]  00 04 00 00 00 00 00 00   ERRORFRAME\n",
    b"    can0  1ABCDEF0  [02]  01 02 \n",
    b"  can0  123   [0]\n",
    b" can0 123 {9} 01 02 03 04 05 06 07 08 ERRORFRAME'a'\n",
]
SHORT = [b" (000.%06d)  can0  123   [1]  01\n" % number for number in (0, 1000, 1000, 2500, 3)]
TEXTS = [
    *LINES,
    *SHORT,
    LINES[2].replace(b"20.", b"21."),
    b"\tcontroller-problem{rx-error-warning}\n",
    b" (1700000000.123456) can0 123#0102\n",
    b"(1700000000.123457) can0 123#0102\n",
    b"  #  123   [0]\n",
    b"(99999999.9)  can0  123   [0]\n",
    b" (1.0)  (  123   [0]\n",
    b" (1.0)  #  123   [0]\n",
]
LETTERS = b"0123456789ABCDEFabcdefRTXB[]{}'`#_.,()- \r\n\tvn\x00\x08\x1b\xff"
# a line with one of its bytes changed, taken out or doubled: most of the ways to be almost right
NOISE = st.lists(
    st.tuples(
        st.sampled_from(TEXTS),
        st.integers(0, 110) | st.none(),
        st.sampled_from(LETTERS) | st.integers(0, 255),
        st.integers(0, 2),
    ),
    max_size=8,
)


def spoilt(edits: list[tuple[bytes, int | None, int, int]]) -> bytes:
    return (
        b"".join(
            line
            if at is None
            else line[: at % len(line)] + bytes([letter]) * (width > 0) + line[at % len(line) + width :]
            for line, at, letter, width in edits
        ).rstrip(b"\n")
        + b"\n"
    )


def state(timeless: int = 1, **numbers: int) -> array[int]:
    kernel = interpreted("screen_lines")
    result = array("q", bytes(8 * kernel.STATE))
    result[kernel.SECOND_NS], result[kernel.TIMELESS] = SECOND_NS, timeless
    for name, number in numbers.items():
        result[getattr(kernel, name)] = number
    return result


def read(kernel: Any, text: bytes, numbers: array[int] | None = None, **room: int) -> Any:
    """Return what the kernel answers, the columns, and the state afterwards."""
    numbers = state() if numbers is None else numbers
    answer, columns = parsed(kernel, text, NAMES, ENDS, SECOND, numbers, **room)
    return answer, columns, numbers


def times(columns: tuple[bytes, ...]) -> list[int]:
    return list(array("q", columns[0]))


class PlainReader(CanutilsLogReader):
    """Without a kernel, but with the lines that tell which kind of times they have."""

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Any:
        self._text, self._text_end = text, end
        return no_kernel(at, batch, first)


class CountingReader(CanutilsLogReader):
    """Counts the lines that no kernel took."""

    left = 0

    def _line(self, line: bytes, reason: int) -> Message | None:
        self.left += 1
        return super()._line(line, reason)


def told(reader: CanutilsLogReader) -> Any:
    """Return all that a reader says about its file."""
    found = frames_or_refusal(reader)
    return found, reader.line, reader.skipped, str(reader.first_fault), reader.notes


@pytest.fixture(params=WIDE_FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("screen_lines", request.param)


@pytest.mark.parametrize("times_each", [1, 3])
def test_lines_become_rows(kernel: Any, times_each: int) -> None:
    """Alone a line is read byte by byte, the second of the same as words."""
    text = b"".join(line * times_each for line in LINES) + LINE * (times_each * 3 - 3)
    answer, columns, _ = read(kernel, text)
    rows = len(LINES) * times_each
    assert answer == (len(text), rows + times_each * 3 - 3, lines.DONE)
    begin = slice(0, rows, times_each)
    assert times(columns)[begin] == [
        SECOND_NS + 123_456_000,
        SECOND_NS + 123_456_000,
        SECOND_NS + 1000,
        0,
        SECOND_NS + 123_456_789,
        SECOND_NS + 500_000_000,
        0,
        0,
        0,
    ]
    assert list(array("I", columns[1]))[begin] == [
        0x123,
        0x80000123,
        0x7FF,
        0x400007FF,
        0x55,
        0x20000004,
        0x9ABCDEF0,
        0x123,
        0x123,
    ]
    assert list(columns[2])[begin] == [0, 8, 7, 0, 0, 0, 1, 0, 0]
    assert list(array("H", columns[3]))[begin] == [0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert list(columns[4])[begin] == [3, 8, 9, 13, 2, 8, 2, 0, 9]
    ends = array("I", columns[5])
    assert [columns[6][ends[row] : ends[row + 1]].hex() for row in range(rows)][begin] == [
        "010203",
        "0102030405060708",
        "0102030405060708090a0b0c",
        "",
        "aabb",
        "0004000000000000",
        "0102",
        "",
        "0102030405060708",
    ]


def test_a_new_name_is_left_alone(kernel: Any) -> None:
    text = LINE + LINE.replace(b"can0", b"can9")
    assert read(kernel, text)[0] == (len(LINE), 1, lines.STRANGE)


def test_a_new_second_and_a_first_line_without_a_time_are_left_alone(kernel: Any) -> None:
    date = LINES[2]
    assert read(kernel, date + date.replace(b"20.", b"21."))[0] == (len(date), 1, lines.STRANGE)
    assert read(kernel, LINE + LINES[7], state(timeless=0))[0] == (len(LINE), 1, lines.STRANGE)
    assert parsed(kernel, date, NAMES, ENDS, b"", state())[0] == (0, 0, lines.STRANGE)


def test_a_full_batch_stops_at_a_line(kernel: Any) -> None:
    assert read(kernel, LINE * 5, rows=2)[0] == (2 * len(LINE), 2, lines.FULL)
    assert read(kernel, LINE * 5, payload=68)[0] == (2 * len(LINE), 2, lines.FULL)


@pytest.mark.parametrize("cut", [*range(1, 42), 43, 45, 46, 48, 49, 51, 52, 54, 55, 57, 58, 60, 61, 63, 64])
@pytest.mark.parametrize("more", [b"", LINE * 3])
def test_a_cut_line_is_left_alone(kernel: Any, cut: int, more: bytes) -> None:
    line = b" (1700000000.123456)  vcan12  00000123   [8]  01 02 03 04 05 06 07 08\n"
    text = line + line[:cut] + b"\n" + more
    assert read(kernel, text)[0] == (len(line), 1, lines.STRANGE)


@pytest.mark.parametrize("spoil", ["flags", "offset", "names", "state", "second"])
def test_what_does_not_fit_is_refused(kernel: Any, spoil: str) -> None:
    batch = MessageBatch.with_room(2, 128)
    names, numbers, second = NAMES, state(), SECOND
    if spoil == "flags":
        del batch.flags[1:]
    elif spoil == "offset":
        batch.offset[0] = 129
    elif spoil == "names":
        names = names[:-1]
    elif spoil == "state":
        numbers.pop()
    else:
        second = second[:-1]
    with pytest.raises(ValueError, match=r"fit|differ"):
        kernel.parse(LINE, 0, len(LINE), names, ENDS, second, numbers, 0, *batch.columns())
    with pytest.raises(ValueError, match="newline"):
        read(kernel, LINE[:-1])


def test_times_from_the_first_frame_stay_and_differences_add_up(kernel: Any) -> None:
    stamps = [0, 1000, 2500, 500, 10_000_000, 1]
    text = b"".join(b" (%03d.%06d)  can0  123   [0]\n" % divmod(time, 1_000_000) for time in stamps)
    _, columns, numbers = read(kernel, text)
    assert times(columns) == [0, 1_000_000, 2_500_000, 4_000_000, 10_004_000_000, 10_004_001_000]
    assert numbers[kernel.DIFFERENCES] == 1
    _, columns, numbers = read(kernel, text, state(STEPS=100))
    assert times(columns) == [1000 * time for time in stamps]
    assert [numbers[index] for index in range(6)] == [10_004_001_000, 0, 1000, 106, 2, 0]


def test_a_sum_beyond_64_bits_is_kept_and_only_as_a_time_left_alone(kernel: Any) -> None:
    line = b" (99999999.000000)  can0  123   [0]\n"
    unit = kernel.UNIT
    answer, columns, numbers = read(kernel, line, state(SUM=unit - 1, SUM_HIGH=5, STEPS=100))
    assert (answer[2], times(columns)) == (lines.DONE, [99_999_999_000_000_000])
    assert (numbers[kernel.SUM], numbers[kernel.SUM_HIGH]) == (99_999_998_999_999_999, 6)
    for sums, taken in (((unit - 1, 0), 1), ((unit - 1, 1), 0), ((0, 1), 1), ((0, 2), 0)):
        before = state(SUM=sums[0], SUM_HIGH=sums[1], DIFFERENCES=1)
        answer, columns, numbers = read(kernel, line, before[:])
        assert answer[1] == taken
        assert times(columns) == [sums[0] + sums[1] * unit + 99_999_999_000_000_000] * taken
        assert taken or numbers == before


@given(NOISE, st.sampled_from([0, 1]))
def test_all_forms_read_noise_alike(edits: list[Any], timeless: int) -> None:
    text = spoilt(edits)
    wanted = read(interpreted("screen_lines"), text, state(timeless))
    for kernel in extensions("screen_lines"):
        assert read(kernel, text, state(timeless)) == wanted


@given(NOISE, st.booleans())
def test_plain_python_says_the_same_without_the_kernel(edits: list[Any], among: bool) -> None:
    """With lines before and behind, which the kernel reads as words."""
    begin = LINES[7] + LINE + LINES[2] if among else b""
    text = begin + spoilt(edits) + (LINE * 3 if among else b"")
    readers = [
        reader(io.BytesIO(text), on_error="skip", tz="UTC") for reader in (CanutilsLogReader, PlainReader)
    ]
    assert told(readers[0]) == told(readers[1])


@pytest.mark.long
@pytest.mark.parametrize("line", [*LINES, SHORT[1]])
def test_a_line_with_any_byte_changed_says_the_same_without_the_kernel(line: bytes) -> None:
    begin = LINES[7] + LINE + LINES[2] + SHORT[0] + line * 2
    for at in range(len(line)):
        for byte in b"0 9G\n\r\t'\x1b":
            text = begin + line[:at] + bytes([byte]) + line[at + 1 :] + LINE * 3
            readers = [
                reader(io.BytesIO(text), on_error="skip", tz="UTC")
                for reader in (CanutilsLogReader, PlainReader)
            ]
            assert told(readers[0]) == told(readers[1]), text


@given(
    st.lists(messages(), min_size=1, max_size=20),
    st.sampled_from([None, "a", "d", "z", "A"]),
    st.booleans(),
    st.booleans(),
)
def test_what_is_written_is_taken(
    frames: list[Message], stamps: str | None, direction: bool, in_order: bool
) -> None:
    """But for the first line of each name, and of each second where they are dates."""
    for message in frames:
        message.timestamp_ns %= 8_000_000_000_000_000_000
    if in_order:
        frames.sort(key=lambda message: message.timestamp_ns)
    file = io.BytesIO()
    writer = CandumpScreenWriter(file, timestamps=stamps, direction=direction, tz="UTC")
    writer.write(MessageBatch(frames * 3))
    text = file.getvalue()
    readers = [reader(io.BytesIO(text), tz="UTC") for reader in (CountingReader, PlainReader)]
    assert told(readers[0]) == told(readers[1])
    assert isinstance(readers[0], CountingReader)
    seconds = [line[:22] for line in text.splitlines()] if stamps == "A" else []
    turns = sum(second != before for before, second in pairwise(seconds))
    assert readers[0].left <= len({message.channel for message in frames}) + turns


# --- writing --------------------------------------------------------------------------------------------

PREFIXES, PREFIX_ENDS = b"    can0  vcan12" + bytes(16), array("I", [8, 16])
BEFORE = b" (2023-11-14 22:13:20.  "
STAMPS = st.sampled_from([None, "a", "d", "z", "A"])
#: close to one another, to the ends of seconds, and anywhere
TIMES = (
    st.integers(-3_000_000_000, 3_000_000_000)
    | st.integers(-2000, 2000).map(lambda since: SECOND_NS + since)
    | st.integers(-(1 << 61), (1 << 63) - 1)
)


class PlainWriter(CandumpScreenWriter):
    """Without a kernel."""

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        return row, 0

    def _completed(self, batch: MessageBatch, row: int) -> None:
        return None


class CountingWriter(CandumpScreenWriter):
    """Counts the lines that the kernel did not write."""

    left = 0

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        self.left += 1
        return super()._line(batch, row)


def write(kernel: Any, batch: MessageBatch, form: int, directions: bool = True, room: int = 1 << 16) -> Any:
    """Return what the kernel answers, the text, and the state afterwards."""
    numbers = array("q", [0, 0, 0, SECOND_NS])
    tables = (PREFIXES, PREFIX_ENDS, form, BEFORE, directions, numbers)
    return *formatted(kernel, batch, *tables, room=room), numbers


def written(writer: type[CandumpScreenWriter], batches: list[MessageBatch], **options: Any) -> bytes:
    file = io.BytesIO()
    target = writer(file, **options)
    for batch in batches:
        target.write(batch)
    return file.getvalue()


@pytest.mark.parametrize("room", [*range(120, 220, 7), 8 + 127, 8 + 128])
def test_rows_are_written_whole_or_not_at_all(kernel: Any, room: int) -> None:
    batch = MessageBatch.with_room(1, 0, ("can0",))
    (rows, used), text, _ = write(kernel, batch, kernel.ABSOLUTE, False, room)
    assert text == (b" (0000000000.000000)    can0  000   [0] \n" if rows else b"")
    assert used == len(text)
    assert rows == (room >= kernel.LINE_ROOM + 8)


def test_what_is_for_the_caller_is_left_to_it(kernel: Any) -> None:
    for column, value in (
        ("timestamp_ns", -1),
        ("timestamp_ns", (1 << 63) - 1),
        ("flags", 16),
        ("can_id", 1 << 29),
    ):
        batch = MessageBatch.with_room(2, 0, ("can0",))
        getattr(batch, column)[1] = value
        assert write(kernel, batch, kernel.ABSOLUTE)[0][0] == 1
    assert write(kernel, MessageBatch.with_room(2, 0, ("can0",)), kernel.DATED)[0] == (0, 0)


@pytest.mark.parametrize("spoil", ["channel", "flags", "offset", "second", "state", "names"])
def test_columns_that_do_not_fit_are_not_written(kernel: Any, spoil: str) -> None:
    batch = MessageBatch.with_room(2, 0, ("can0",))
    names, second, numbers = PREFIXES, BEFORE, array("q", [0, 0, 0, 0])
    if spoil == "channel":
        batch.channel[1] = 2
    elif spoil == "flags":
        del batch.flags[1:]
    elif spoil == "offset":
        batch.offset[2] = 1
    elif spoil == "second":
        second = second[:-1]
    elif spoil == "state":
        numbers.pop()
    else:
        names = names[:15]
    with pytest.raises(ValueError, match=r"channel|differ|fit"):
        formatted(kernel, batch, names, PREFIX_ENDS, kernel.DATED, second, False, numbers)


@given(
    st.lists(messages(channels=st.sampled_from(["can0", "vcan12"]), times=TIMES), max_size=5),
    st.integers(0, 4),
    st.booleans(),
)
def test_all_forms_write_alike(frames: list[Message], form: int, directions: bool) -> None:
    batch = MessageBatch(frames, channels=("can0", "vcan12"))
    wanted = write(interpreted("screen_lines"), batch, form, directions)
    for kernel in extensions("screen_lines"):
        assert write(kernel, batch, form, directions) == wanted


@given(
    st.lists(st.lists(messages(kinds=ALL_KINDS, channels=CHANNELS, times=TIMES), max_size=8), max_size=3),
    STAMPS,
    st.booleans(),
    st.booleans(),
)
def test_the_text_is_that_of_plain_python(
    frames: list[list[Message]], stamps: str | None, direction: bool, explain: bool
) -> None:
    batches = [MessageBatch(part) for part in frames]
    options = {"timestamps": stamps, "direction": direction, "explain": explain, "tz": "Europe/Berlin"}
    assert written(CountingWriter, batches, **options) == written(PlainWriter, batches, **options)


def test_dates_are_written_from_1970_on() -> None:
    batch = MessageBatch.with_room(4, 0, ("can0",))
    batch.timestamp_ns[:] = array("q", [0, 999_999_499, 999_999_500, SECOND_NS])
    stamps = written(CandumpScreenWriter, [batch], timestamps="A", tz="UTC").split(b")")[:-1]
    assert [stamp.partition(b"(")[2] for stamp in stamps] == [
        b"1970-01-01 00:00:00.000000",
        b"1970-01-01 00:00:00.999999",
        b"1970-01-01 00:00:01.000000",
        b"2023-11-14 22:13:20.000000",
    ]


@given(
    st.lists(messages(kinds=("classic", "raw", "remote", "fd"), channels=CHANNELS), max_size=8),
    STAMPS,
    st.booleans(),
)
def test_usual_frames_are_written_by_the_kernel(
    frames: list[Message], stamps: str | None, direction: bool
) -> None:
    for message in frames:
        message.timestamp_ns %= 8_000_000_000_000_000_000
    writer = CountingWriter(io.BytesIO(), timestamps=stamps, direction=direction, tz="UTC")
    writer.write(MessageBatch(frames))
    assert writer.left == 0
