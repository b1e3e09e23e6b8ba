"""The kernel of python-can's CSV, compiled and interpreted."""

from __future__ import annotations

import io
from array import array
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.channels import NameTable
from cantools_cli.io.csv import COLUMNS, MORE_COLUMNS, format_row, spell_channel
from cantools_cli.kernels import _lines
from tests.kernels.forms import (
    WIDE_FORMS,
    every_form,
    extensions,
    formatted,
    frames_or_refusal,
    interpreted,
    load,
    parsed,
    without_kernel,
)
from tests.named import CSVReader
from tests.strategies import CHANNELS, messages

ONE, ONE_END = b"can0", array("I", [4])
NAMES, ENDS = b"can07", array("I", [4, 5, 5])  # can0, 7 and none
ROW = b"1700000000.123456,0x123,0,0,0,3,AQID\n"
FULL_ROW = ROW.replace(b"\n", b",can0,0,0,0,1\n")
ROWS = [
    ROW,
    b"1700000000.125456,0x7ff,0,1,0,4,\r\n",
    b"1700000000,0x55,0,0,0,12,qqqqqqqqqqqqqqqq\n",
    b"1.000000001,0x00dadada,1,0,0,2,qqo=\n",
    b"1.5,0x0,1,0,1,8,AAQAAAAAAAA=\n",
]
FULL_ROWS = [
    FULL_ROW,
    b"1.0,0x1,1,0,0,2,qqo=,7,1,1,1,0\n",
    b"1.0,0x1,0,1,0,0,,,0,0,0,0\n",
]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(ROWS + FULL_ROWS),
        st.integers(0, 60),
        st.sampled_from(b"01x,=AZaz+/\r\n9g.") | st.integers(0, 255),
    ),
    max_size=4,
)


def spoilt(edits: list[tuple[bytes, int, int]]) -> bytes:
    return (
        b"".join(
            row[: at % len(row)] + bytes([letter]) + row[at % len(row) + 1 :] for row, at, letter in edits
        ).rstrip(b"\n")
        + b"\n"
    )


@pytest.fixture(params=WIDE_FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("csv_lines", request.param)


def test_rows_of_seven_columns(kernel: Any) -> None:
    text = b"".join(ROWS)
    answer, columns = parsed(kernel, text, ONE, ONE_END, False)
    assert answer == (len(text), len(ROWS), _lines.DONE)
    assert array("q", columns[0])[3:].tolist() == [1_000_000_001, 1_500_000_000]
    assert list(array("I", columns[1])) == [0x123, 0x400007FF, 0x55, 0x80DADADA, 0x20000000]
    assert columns[2] == bytes([0, 0, 1, 0, 32])  # the last is an error frame with an extended identifier
    assert columns[4] == bytes([3, 4, 9, 2, 8])
    assert columns[6] == bytes.fromhex("010203" + "aa" * 12 + "aaaa" + "0004000000000000")


def test_rows_of_all_columns(kernel: Any) -> None:
    text = b"".join(FULL_ROWS)
    answer, columns = parsed(kernel, text, NAMES, ENDS, True)
    assert answer == (len(text), len(FULL_ROWS), _lines.DONE)
    assert columns[2] == bytes([0, 15, 8])
    assert list(array("H", columns[3])) == [0, 1, 2]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"1700000000.123456", b"1e-05"),
        (b"1700000000.123456", b"-1.0"),
        (b"1700000000.123456", b"9000000001.0"),
        (b"0x123", b"0x"),
        (b"0x123", b"0x800"),
        (b"0x123", b"0x20000000"),
        (b"0x123", b"291"),
        (b",0,0,0,", b",0,0,2,"),
        (b",0,0,0,", b",0,1,0,"),
        (b",0,0,0,", b",0,1,1,"),
        (b",3,", b",4,"),
        (b",3,", b",,"),
        (b",3,", b",65,"),
        (b"AQID", b"AQI"),
        (b"AQID", b"AQID="),
        (b"AQID", b"AQIDAA=="),
        (b"3,AQID", b"1,AR=="),
        (b"AQID", b"AQ D"),
        (b"3,AQID", b"9,AAECAwQFBgcI"),
        (b"AQID", b"AQID,"),
    ],
)
def test_other_rows_are_left_alone(kernel: Any, old: bytes, new: bytes) -> None:
    text = ROW + ROW.replace(old, new)
    assert parsed(kernel, text, ONE, ONE_END, False)[0] == (len(ROW), 1, _lines.STRANGE)


@pytest.mark.parametrize("new", [b",can0,0,1,0,1", b",can0,0,0,0", b',"can0",0,0,0,1', b",can0,0,0,0,2"])
def test_other_full_rows_are_left_alone(kernel: Any, new: bytes) -> None:
    text = FULL_ROW + FULL_ROW.replace(b",can0,0,0,0,1", new)
    assert parsed(kernel, text, NAMES, ENDS, True)[0] == (len(FULL_ROW), 1, _lines.STRANGE)


def test_a_new_name_stops_at_its_row(kernel: Any) -> None:
    text = FULL_ROW + FULL_ROW.replace(b"can0", b"can9")
    assert parsed(kernel, text, NAMES, ENDS, True)[0] == (len(FULL_ROW), 1, _lines.NAME)


def test_a_full_batch_stops_at_a_row(kernel: Any) -> None:
    assert parsed(kernel, ROW * 5, ONE, ONE_END, False, rows=2)[0] == (2 * len(ROW), 2, _lines.FULL)
    assert parsed(kernel, ROW * 5, ONE, ONE_END, False, payload=76)[0] == (2 * len(ROW), 2, _lines.FULL)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64])
def test_base64_of_every_length(kernel: Any, size: int) -> None:
    data = bytes(range(200, 200 - size, -1))
    row = b"1.0,0x1,0,0,0,%d,%b\n" % (size, b64encode(data))
    answer, columns = parsed(kernel, row, ONE, ONE_END, False)
    assert answer == (len(row), 1, _lines.DONE)
    assert columns[6] == data


@pytest.mark.parametrize("full", [False, True])
@given(frames=st.lists(messages(channels=CHANNELS), max_size=5))
def test_both_forms_write_what_plain_python_writes(full: bool, frames: list[Any]) -> None:
    batch = MessageBatch(frames)
    table = NameTable(batch.channels, spell_channel)
    wanted = b"".join(format_row(message, full) for message in batch)
    for kernel in every_form("csv_lines"):
        answer = formatted(kernel, batch, table.names, table.ends, full)
        assert answer == ((len(batch), len(wanted)), wanted)


@pytest.mark.parametrize("full", [False, True])
@given(edits=EDITS)
def test_both_forms_read_noise_alike(full: bool, edits: list[tuple[bytes, int, int]]) -> None:
    text = spoilt(edits)
    wanted = parsed(interpreted("csv_lines"), text, NAMES, ENDS, full)
    for kernel in extensions("csv_lines"):
        assert parsed(kernel, text, NAMES, ENDS, full) == wanted


@pytest.mark.parametrize("columns", [COLUMNS, COLUMNS + MORE_COLUMNS])
@given(edits=EDITS)
def test_plain_python_reads_the_same_without_the_kernel(
    columns: tuple[str, ...], edits: list[tuple[bytes, int, int]]
) -> None:
    text = ",".join(columns).encode() + b"\n" + spoilt(edits)
    frames = CSVReader(io.BytesIO(text), on_error="skip")
    plain = without_kernel(CSVReader)(io.BytesIO(text), on_error="skip")
    assert frames_or_refusal(frames) == frames_or_refusal(plain)
