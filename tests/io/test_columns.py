"""Any separated text, by columns that the user names."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.message import Message
from cantools_cli.io.columns.reader import ColumnsReader
from cantools_cli.io.formats import open_reader, parse_format
from tests.io.table_samples import COLUMNS
from tests.pieces import Pieces
from tests.strategies import MICROSECONDS, facts, messages

BY_NUMBER = {"time": 0, "identifier": 1, "data": "2:"}


def read(text: bytes, **options: Any) -> list[Message]:
    return list(ColumnsReader(io.BytesIO(text), **{"tz": "UTC", **options}))


def one(text: str, **options: Any) -> Message:
    (message,) = read(text.encode() + b"\n", **{**BY_NUMBER, **options})
    return message


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("columns,time=0,id=1,data=3:", b"1.5,123,2,01,02\n"),
        ("columns,time=0,id=1,dlc=2,data=3:", b"1.5,123,2,01,02,FF,FF\n"),
        ("columns,time=0,id=1,dlc=2,data=3:-1", b"1.5,123,2,01,02,R\n"),
        ("columns,time=0,id=1,data=2:4", b"1.5;123;01;02;R;5\n"),
        ("columns,time=-1,id=0,data=1", b"0x123\t0102\t1.5\n"),
        ("columns,time=0,id=1,data=3:", b"  1.5   123  2 01  02\n"),
        ("columns,time=0,id=1,data=2,sep=|", b"1.5|123|01-02\n"),
        ("columns,time=0,id=1,data=2,sep=semicolon", b"1,5;123;01 02\n"),
        ("columns,time=0,id=1,data=2,unit=ms", b"1500,123,0x0102\n"),
        ("columns,time=0,id=1,data=2,unit=us,base=dec", b"1500000,291,0x01 0x02\n"),
        ("columns,time=0,id=1,data=2:,unit=ns,data_base=dec", b"1500000000,123,1,2\n"),
        ("columns,time=Stamp,id=CAN,data=Bytes", b"ignored\n\nstamp;CAN;Bytes\n1,5;123;0102\n"),
        ("columns,time=T (s),id=ID,data=B1:B8", b'"T (s)","ID","B1","B8"\n"1.5","123","01","02"\n'),
        ("columns,time=0,id=1,data=2,skip=2", b"1.0,1,01\n1.0,2,02\n1.5,123,0102\n"),
        ("columns,time=0,id=1,data=2", b"# a comment\nTime,ID,Data\n1.5,123,0102\n"),
        ("columns", b"some tool\nTimestamp [ms],Arb ID,DLC,D0,D1,D2\n1500,123,2,01,02,03\n"),
        ("columns", b"can_id;data;time\n123;01 02;1.5\n"),
        ("columns,time=0,id=1,data=3:", b"1.5,123,2,01,02,,,\r\n"),
    ],
)
def test_layouts_by_their_options(options: str, text: bytes) -> None:
    form, keywords = parse_format(options, writing=False)
    with open_reader(io.BytesIO(text), form, keywords) as reader:
        (message,) = reader
    assert facts(message) == facts(
        Message(timestamp=1.5, arbitration_id=0x123, is_extended_id=False, data=b"\1\2", channel="can0")
    )


def test_every_column_that_there_is() -> None:
    received, sent, remote = read(COLUMNS)
    assert (received.timestamp_ns, received.channel, received.is_rx) == (1_500_250_000, "can0", True)
    assert (sent.channel, sent.is_rx, sent.is_extended_id) == ("can1", False, True)
    assert (sent.arbitration_id, bytes(sent.data)) == (0x18DB33F1, b"\x0a\x0b\x0c")
    assert (remote.channel, remote.is_remote_frame, remote.dlc) == ("can7", True, 4)


@pytest.mark.parametrize(
    ("time", "nanoseconds"),
    [
        ("1700000000.123456789", 1700000000123456789),
        ("-1.5", -1_500_000_000),
        ("1.9073486328125e-06", 1907),
        ("1e3", 1000 * 10**9),
        ("0.0000000015", 2),
        (".5", 500_000_000),
        ("0:09.643.335", 9_643_335_000),
        ("1:02:03.5", 3723_500_000_000),
        ("2024-05-06 07:08:09.123", 1714979289123000000),
        ("2024/05/06T07:08:09Z", 1714979289000000000),
        ("2024-05-06T09:08:09,5+02:00", 1714979289500000000),
    ],
)
def test_times(time: str, nanoseconds: int) -> None:
    assert one(f"{time}|1|00", separator="bar").timestamp_ns == nanoseconds


def test_dates_are_in_the_zone_of_the_file() -> None:
    assert one("2024-05-06 07:08:09;1;00", tz="Europe/Berlin").timestamp_ns == 1714972089000000000


def test_a_date_and_a_time_that_blanks_separate() -> None:
    options = {"time": "0:2", "identifier": 2, "data": "3:"}
    assert one("2024-05-06 07:08:09.5 123 01", **options).timestamp_ns == 1714979289500000000


@pytest.mark.parametrize(
    ("identifier", "value", "is_extended"),
    [("7FF", 0x7FF, False), ("00000123", 0x123, True), ("0x800", 0x800, True), ("123x", 0x123, True)],
)
def test_identifiers(identifier: str, value: int, is_extended: bool) -> None:
    message = one(f"1,{identifier},00")
    assert (message.arbitration_id, message.is_extended_id) == (value, is_extended)


def test_lengths_and_dlc_codes() -> None:
    places = {"time": 0, "identifier": 1, "dlc": 2, "data": 3}
    assert one("1,1,15," + "AA" * 64, **places).dlc == 64
    assert one("1,1,12," + "AA" * 12, **places).is_fd
    raw = one("1,1,13," + "AA" * 8, **places)
    assert (raw.dlc, raw.dlc_code, raw.is_fd) == (8, 13, False)
    hexadecimal = one("1,1,C," + "AA" * 12, **places, dlc_base="hex")
    assert hexadecimal.dlc == 12


def test_flags_of_can_fd_errors_and_directions() -> None:
    options = {"time": 0, "identifier": 1, "data": 2, "fd": 3, "error": 4, "tx": 5}
    fd, error = read(b"1,1,0102,1,0,T\n2,1,0102,0,1,F\n", **options)
    assert (fd.is_fd, fd.is_rx, fd.dlc) == (True, False, 2)
    assert (error.is_error_frame, error.arbitration_id) == (True, 0x80)
    assert one("1,7FF,00", extended=True).is_extended_id


def test_more_than_eight_bytes_are_can_fd_which_is_noted() -> None:
    reader = ColumnsReader(io.BytesIO(b"1,1," + b"AA" * 12 + b"\n"), **{**BY_NUMBER, "data": 2})
    assert [message.is_fd for message in reader] == [True]
    assert reader.notes == ["-: rows of more than 8 bytes are read as CAN FD"]


def test_without_times_all_frames_are_at_0_which_is_noted() -> None:
    reader = ColumnsReader(io.BytesIO(b"0x123,0102\n"), identifier=0, data=1)
    assert [message.timestamp_ns for message in reader] == [0]
    assert reader.notes == ["-: no time column: all frames get time 0"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("now,1,00", 'time "now" is not a number'),
        ("9999999999999,1,00", "out of range"),
        ("2024-13-06 07:08:09,1,00", "a valid date and time"),
        ("1,xyz,00", 'identifier "xyz" is not a hexadecimal number'),
        ("1,20000000,00", "out of range"),
        ("1,1,0G", 'data byte "0G" is not 00 to FF'),
        ("1,1,00,,01", 'data byte "" is not 00 to FF'),
        ("1,1" + ",00" * 9, "9 is not a CAN FD length"),
        ("1", "1 columns, not 2 or more"),
    ],
)
def test_what_is_wrong_is_said_with_the_row(row: str, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(f"1,1,00\n{row}\n".encode(), **BY_NUMBER)
    assert str(caught.value).startswith("-:2: ")
    assert said in str(caught.value)
    assert f'in "{row}"' in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("columns,time=0,data=1", "id=COLUMN is missing"),
        ("columns,id=0", "data=COLUMN is missing"),
        ("columns,id=0:2,data=1", "only time and data can be several columns"),
        ("columns,id=yes,data=1", "id=True is not a column"),
        ("columns,id=0,data=1,unit=h", 'unknown unit of time "h"'),
        ("columns,id=0,data=1,base=8", "base=8 is not a base"),
        ("columns,id=0,data=1,sep=ab", 'separator "ab" is not one character'),
        ("columns,id=0,data=1,skip=-1", "skip=-1 is not a number of lines"),
        ("columns,identifier=0", 'no option "identifier"'),
    ],
)
def test_options_that_make_no_sense_are_refused(options: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_reader(io.BytesIO(b"1,2,3\n"), *parse_format(options, writing=False))


def test_a_header_that_never_comes_is_an_error_with_what_stands_there() -> None:
    with pytest.raises(FormatError, match=r'-:1: no header with "Zeit", "ID", "Daten": "Time;ID;Data"'):
        read(b"Time;ID;Data\n1;2;3\n", time="Zeit", identifier="ID", data="Daten")
    with pytest.raises(FormatError, match="no header with an identifier and data"):
        read(b"1;2;3\n")


@given(
    st.lists(
        messages(kinds=("classic",), channels=st.sampled_from(["can0", "can1", "can12"]), times=MICROSECONDS),
        max_size=8,
    ),
    st.sampled_from(",;\t|"),
)
def test_classic_frames_survive_a_table(frames: list[Message], mark: str) -> None:
    rows = [
        mark.join(
            (
                f"{message.timestamp_ns // 1000}",
                f"{message.arbitration_id:X}",
                str(int(message.is_extended_id)),
                str(message.channel),
                "Rx" if message.is_rx else "Tx",
                str(message.dlc),
                message.data.hex(" "),
            )
        )
        for message in frames
    ]
    text = "".join(
        f"{row}\n" for row in [mark.join(["time_us", "id", "ext", "bus", "dir", "len", "data"]), *rows]
    )
    assert [facts(message) for message in read(text.encode())] == [facts(message) for message in frames]


@pytest.mark.parametrize(
    ("last", "is_noted"),
    [
        (b"2,123,2,01,02", False),
        (b"2,123,2,01,0", True),
        (b"2,123,1,01,02", False),
        (b"2,123,0", True),
    ],
)
def test_a_last_row_without_an_end_is_noted_unless_it_is_whole(last: bytes, is_noted: bool) -> None:
    reader = ColumnsReader(io.BytesIO(b"1,123,0\n" + last), time=0, identifier=1, dlc=2, data="3:")
    assert len(list(reader)) == 2
    note = "-:2: no newline at the end, so this frame may be cut short"
    assert reader.notes == ([note] if is_noted else [])


@given(noise=st.binary(max_size=60))
def test_noise_never_costs_the_next_row(noise: bytes) -> None:
    text = b"1.5,123,0102\n" + noise + b"\n1.5,123,0102\n"
    found = read(text, **{**BY_NUMBER, "data": 2}, on_error="skip", separator="comma")
    assert facts(found[0]) == facts(found[-1])


@pytest.mark.parametrize("size", [5, 1000])
def test_the_last_row_of_a_damaged_gzip_is_dropped_however_it_comes(size: int) -> None:
    packed = bytearray(gzip.compress(b"1,123,01,02\n2,123,01,02"))
    packed[-8] ^= 1  # its checksum
    reader = ColumnsReader(Pieces(bytes(packed), size), **BY_NUMBER)
    assert len(list(reader)) == 1
    assert "-:2: ends inside a line, which was dropped" in reader.notes


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_pipe_gives_what_a_file_gives(size: int) -> None:
    piped = ColumnsReader(Pieces(COLUMNS, size))
    assert [facts(message) for message in piped] == [facts(message) for message in read(COLUMNS)]
