"""What all readers of lines share."""

from __future__ import annotations

import gzip
import io
from contextlib import suppress
from typing import Any

import pytest

from cantools_cli import plugins
from cantools_cli.errors import NotALogError
from cantools_cli.io.batch_room import BatchRoom
from cantools_cli.io.candump.log import CanutilsLogReader
from cantools_cli.io.columns.reader import ColumnsReader
from cantools_cli.io.text import PIECE
from tests.fuzz import seeds
from tests.pieces import Pieces
from tests.strategies import facts

FORMS = ("log", "asc", "csv", "gvret", "json", "trc", "busmaster")


def test_lines_much_shorter_or_longer_than_those_before_are_all_read() -> None:
    """Room for a batch is made by what the lines before took."""
    long = b"(1700000000.123456) can0 1ABCDEF0##1" + b"AB" * 64 + b"\n"
    short = b"(1.0) a 123#\n"
    counts = (PIECE // len(long) + 9, 3 * PIECE // len(short), PIECE // len(long))
    text = long * counts[0] + short * counts[1] + long * counts[2]
    batches = list(CanutilsLogReader(io.BytesIO(text)).batches())
    assert sum(map(len, batches)) == sum(counts)
    assert sum(len(batch.payload) for batch in batches) == 64 * (counts[0] + counts[2])
    assert max(map(len, batches)) <= BatchRoom.ROWS
    assert len(batches) < 3 * len(text) // PIECE + sum(counts) // BatchRoom.ROWS


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_a_carriage_return_anywhere_ends_a_line_as_a_newline_does(form: str) -> None:
    """No kernel may take one for a part of its line: what stands behind would be lost."""
    lines = max(seeds.of(form), key=len).replace(b"\r\n", b"\n")[:3000].splitlines(keepends=True)
    header = next(count for count in range(len(lines)) if read(form, b"".join(lines[: count + 1]))[0])
    for number, line in enumerate(lines):  # each within the header and the lines next to it
        before = b"".join(lines[: min(header, number)] + lines[max(header, number - 1) : number])
        after = b"".join(lines[number + 1 : max(header, number) + 2])
        for at in range(len(line) - 1):
            head, tail = before + line[:at], line[at:] + after
            assert read(form, head + b"\r" + tail) == read(form, head + b"\n" + tail), (line[:at], line[at:])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_log_whose_lines_end_in_carriage_returns_is_read_in_any_pieces(form: str, size: int) -> None:
    for text in seeds.of(form):
        text = text.replace(b"\r\n", b"\n")
        lines = text.splitlines()
        mixed = b"\r".join(lines[: len(lines) // 2]) + b"\n" + b"\r".join(lines[len(lines) // 2 :]) + b"\r"
        whole = read(form, b"\n".join(lines) + b"\n")
        assert read(form, b"\r".join(lines) + b"\r", size) == whole
        assert read(form, mixed, size) == whole


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 16])
def test_cut_compressed_data_costs_the_last_line_alone(size: int) -> None:
    lines = [b"# a table", b"1.0,1,11", b"2.0,2,22", b"3.0,3,3"]
    data = gzip.compress(b"\n".join(lines[:2]) + b"\n" + b"\r".join(lines[2:]))[:-9]
    options = {"time": 0, "identifier": 1, "data": "2:"}
    with ColumnsReader(Pieces(data, size), **options) as reader:
        assert [message.arbitration_id for message in reader] == [1, 2]
    assert "ends inside a line, which was dropped" in reader.notes[0]


def test_lines_that_end_in_two_carriage_returns_make_no_batch_each() -> None:
    """As text mode makes them of files that have one already."""
    text = b"(1.0) can0 123#\r\r\n" * 20_000
    batches = list(CanutilsLogReader(io.BytesIO(text)).batches())
    assert sum(map(len, batches)) == 20_000
    assert len(batches) < 10


def read(form: str, text: bytes, size: int | None = None) -> Any:
    """Return the frames of ``text`` and what was said, in pieces of ``size`` bytes."""
    source = io.BytesIO(text) if size is None else Pieces(text, size)
    with plugins.reader_class(form)(source, on_error="skip", tz="UTC") as reader:
        frames = []
        with suppress(NotALogError):  # a text that is one line
            frames.extend(facts(message) for message in reader)
        return frames, reader.notes, reader.skipped, str(reader.first_fault)


@pytest.mark.parametrize("form", FORMS)
def test_a_text_of_which_no_line_fits_is_not_a_log_also_if_faults_are_skipped(form: str) -> None:
    text = b"".join(b"level=info msg=started step=%d\n" % step for step in range(3000))
    with plugins.reader_class(form)(io.BytesIO(text), on_error="skip") as reader:
        with pytest.raises(NotALogError, match=r"^-: not a log that canx recognises: \d+ malformed records"):
            list(reader)
        assert reader.skipped >= 2999  # of a CSV the first line may be a title


def test_whether_one_line_is_enough_does_not_depend_on_pieces_or_line_ends() -> None:
    text = b"data,dlc,arbitration_id,timestamp\r2q\n"
    whole = read("csv", text)
    assert whole[2] == 1
    assert all(read("csv", text, size) == whole for size in (1, 7, 1000))
    for source in (io.BytesIO(text), Pieces(text, 1)):
        with plugins.reader_class("csv")(source, on_error="skip") as reader:
            assert list(reader) == []  # its header is one, so that this is a log
