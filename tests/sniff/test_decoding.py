"""Decoding data with the format strings of python-can's viewer."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import UsageError
from cantools_cli.sniff.columns import COLUMNS
from cantools_cli.sniff.decoding import StructDecoder
from cantools_cli.sniff.table import Table
from tests.sniff.frames import log


@pytest.mark.parametrize(
    ("text", "data", "values"),
    [
        ("100:<BHL", struct.pack("<BHL", 7, 300, 70000), [7, 300, 70000]),
        ("100:>hh", b"\xff\xfe\x00\x10", [-2, 16]),
        ("100:<BHL:1:10:100.0", struct.pack("<BHL", 7, 305, 70050), [7, 30, 700.5]),
        ("100:<h:10", struct.pack("<h", -15), [-2]),
        ("100:<h:-10.0", struct.pack("<h", 15), [-1.5]),
        ("100:<f:2.0", struct.pack("<f", 3.0), [1.5]),
        ("0x100:<xxB", b"\x01\x02\x03", [3]),
        ("100:<c?", b"A\x01", ["A", True]),
        ("100:<2H:1:2", struct.pack("<2H", 5, 7), [5, 3]),
    ],
)
def test_known_formats(text, data, values):
    assert StructDecoder([text])(0x100, False, data) == values


def test_an_identifier_without_a_format_has_no_values():
    assert StructDecoder(["100:<B"])(0x101, False, b"\x01") is None


def test_data_that_is_too_short_has_no_values():
    with pytest.raises(ValueError, match="1 of 2 bytes"):
        StructDecoder(["100:<H"])(0x100, False, b"\x01")


def test_a_file_has_one_format_per_line(tmp_path):
    path = tmp_path / "formats.txt"
    path.write_text("# engine\n100:<B\n\n1FFFFFFF:>H:2\n")
    decoder = StructDecoder([str(path), "200:<B"])
    assert decoder(0x1FFFFFFF, True, b"\x00\x09") == [4]
    assert (decoder(0x100, False, b"\x01"), decoder(0x200, False, b"\x02")) == ([1], [2])
    path.write_text("100:<B\n100:<K\n")
    with pytest.raises(UsageError, match=r"formats.txt:2: bad decoding"):
        StructDecoder([str(path)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("xyz:<B", "hexadecimal"),
        (":<B", "hexadecimal"),
        ("20000000:<B", "above"),
        ("100:<K", "bad char"),
        ("100:", "0 bytes"),
        ("100:<9Q", "72 bytes"),
        ("100:<BB:1", "1 scales for 2 values"),
        ("100:<B:0", "not a scale"),
        ("100:<B:x", "not a number"),
        ("100:<B:nan", "not a scale"),
    ],
)
def test_invalid_formats_are_refused(text, said):
    with pytest.raises(UsageError, match=said):
        StructDecoder([text])


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(1, 10000))
def test_integer_scales_use_floor_division_and_decimal_ones_true_division(value, scale):
    data = struct.pack("<l", value)
    assert StructDecoder([f"1:<l:{scale}"])(1, False, data) == [math.floor(value / scale)]
    assert StructDecoder([f"1:<l:{scale}.0"])(1, False, data) == [value / scale]


def test_a_format_may_cover_the_first_bytes_alone():
    decoder = StructDecoder(["123:>H:10.0"])
    assert decoder(0x123, False, b"\x00\x19\xff\xff") == [2.5]
    with pytest.raises(ValueError, match="1 of 2 bytes"):
        decoder(0x123, False, b"\x00")


def test_a_row_shows_its_values():
    table = Table()
    table.decoder = StructDecoder(["123:<BB:1:10.0", "7FF:<H"])
    table.feed(log("1 can0 123#0519", "2 can0 7FF#01", "3 can0 456#01", "4 can0 20000123#0000000000000000"))
    shown = [COLUMNS["values"].text(row, None) for row in table.rows]
    assert shown == ["5  2.5", "(1 of 2 bytes)", "", ""]
    table.feed(log("5 can0 123#R2"))
    assert table.copy().rows[0].values() == [5, 2.5]
