"""GVRET's CSV: read and written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.csv import CSVReader
from cantools_cli.io.formats import open_reader
from cantools_cli.io.gvret import GvretReader, GvretWriter
from tests.strategies import MICROSECONDS, facts, messages

OLD_HEADER = b"Time Stamp,ID,Extended,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
HEADER = b"Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
OLD_ROWS = (
    b"166064000,0000021A,false,0,8,FE,36,12,FE,69,05,07,AD,\n"
    b"166064000,0000027A,false,0,7,30,30,0D,8C,09,15,00,00,\n"
)
ROW = b"973,0000013B,false,Rx,0,8,00,00,08,00,00,00,00,4C,\n"
SENT = b"974,1FFFFFFF,true,Tx,3,2,01,02,00,00,00,00,00,00,\n"


def read(text: bytes, **options: Any) -> list[Message]:
    return list(GvretReader(io.BytesIO(text), **options))


def written(frames: list[Message], **options: Any) -> tuple[bytes, dict[str, int]]:
    file = io.BytesIO()
    with GvretWriter(file, **options) as writer:
        for message in frames:
            writer(message)
    return file.getvalue(), dict(writer.losses)


def test_rows_without_directions() -> None:
    first, second = read(OLD_HEADER + OLD_ROWS)
    assert facts(first)[:4] == (166_064_000_000, "can0", 0x21A, False)
    assert (first.data.hex(), first.is_rx) == ("fe3612fe690507ad", True)
    assert second.data.hex() == "30300d8c091500"  # the eighth byte fills the columns


def test_rows_with_directions() -> None:
    first, second = read(HEADER + ROW + SENT)
    assert facts(first)[:4] == (973_000, "can0", 0x13B, False)
    assert (first.is_rx, first.data.hex()) == (True, "000008000000004c")
    assert facts(second)[:4] == (974_000, "can3", 0x1FFFFFFF, True)
    assert (second.is_rx, second.data.hex()) == (False, "0102")


def test_what_was_read_is_written_again() -> None:
    assert written(read(HEADER + ROW + SENT)) == (HEADER + ROW + SENT, {})


@given(
    st.lists(
        messages(
            kinds=("classic",),
            channels=st.sampled_from(["can0", "can1", "can12", "can300"]),
            times=MICROSECONDS | st.integers(-(10**9), 0).map(lambda time: time * 1000),
        ),
        max_size=8,
    )
)
def test_classic_frames_survive(frames: list[Message]) -> None:
    output, losses = written(frames)
    assert [facts(message) for message in read(output)] == [facts(message) for message in frames]
    assert not losses


@pytest.mark.parametrize(("nanoseconds", "text"), [(1499, b"1"), (1500, b"2"), (0, b"0"), (-1500, b"-1")])
def test_times_are_rounded_to_microseconds(nanoseconds: int, text: bytes) -> None:
    message = Message()
    message.timestamp_ns = nanoseconds
    assert written([message])[0].splitlines()[1].split(b",")[0] == text


def test_losses_are_counted_by_kind() -> None:
    raw = Message(data=bytes(8))
    raw.dlc_code = 9
    frames = [
        raw,
        Message(is_remote_frame=True, dlc=2),
        Message(is_error_frame=True, is_extended_id=False),
        Message(is_fd=True, data=b"1"),
        Message(is_fd=True, data=bytes(12)),
        XlMessage(data=b"1"),
    ]
    output, losses = written(frames)
    assert output.count(b"\n") == 3
    assert losses == {
        "raw DLC codes": 1,
        "remote frames (left out)": 1,
        "error frames (left out)": 1,
        "CAN FD frames of more than 8 bytes (left out)": 1,
        "CAN FD marks": 1,
        "CAN XL frames (left out)": 1,
    }


def test_a_channel_with_another_name_gets_the_next_free_bus_which_is_said() -> None:
    file = io.BytesIO()
    with GvretWriter(file) as writer:
        writer(Message(channel="can0"))
        writer(Message(channel="diag"))
    assert [line.split(b",")[4] for line in file.getvalue().splitlines()[1:]] == [b"0", b"1"]
    assert writer.notes == ["diag is written as channel 1"]


def test_more_than_eight_bytes_are_can_fd() -> None:
    (message,) = read(HEADER + b"1,00000001,true,Rx,0,12," + b"AA," * 12 + b"\n")
    assert (message.is_fd, message.dlc, bytes(message.data)) == (True, 12, b"\xaa" * 12)


def test_a_large_identifier_that_is_marked_short_is_read_as_extended_and_noted() -> None:
    reader = GvretReader(io.BytesIO(HEADER + ROW.replace(b"0000013B", b"00000800")))
    assert [message.is_extended_id for message in reader] == [True]
    assert reader.notes == ["-: identifiers above 7FF marked false are read as extended"]


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROW.rstrip(),
        HEADER + ROW.rstrip().rstrip(b","),
        (HEADER + ROW).replace(b"\n", b"\r\n"),
        (HEADER + ROW).replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + HEADER.rstrip() + b",\n" + ROW,
        HEADER.lower() + ROW.lower(),
        HEADER + ROW.replace(b"false", b"0"),
        HEADER + ROW.replace(b"0000013B", b"13B"),
        HEADER + ROW.replace(b"0000013B", b"0x13B"),
        HEADER + ROW.replace(b",", b", "),
        HEADER + b"\n" + HEADER + ROW,
        b"ID,Time Stamp,Bus,Dir,Extended,LEN,D1\n13B,973,0,Rx,false,8,00,00,08,00,00,00,00,4C\n",
    ],
)
def test_other_spellings_mean_the_same_frame(text: bytes) -> None:
    assert GvretReader.recognises(text)
    assert [facts(message) for message in read(text)] == [facts(*read(HEADER + ROW))]


def test_negative_times_and_those_below_a_millisecond_are_microseconds() -> None:
    text = HEADER + ROW.replace(b"973", b"-5") + ROW.replace(b"973", b"1")
    assert [message.timestamp_ns for message in read(text)] == [-5000, 1000]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"973", b"now", 'time stamp is "now", not microseconds'),
        (b"973", b"9.5", "not microseconds"),
        (b"973", b"9999999999999999", "out of range"),
        (b"0000013B", b"xyz", 'id is "xyz", not a hexadecimal number'),
        (b"0000013B,false", b"20000000,true", "out of range"),
        (b"false", b"maybe", 'extended is "maybe"'),
        (b"Rx", b"Ax", 'dir is "ax", not one of rx, tx'),
        (b",0,8,", b",a,8,", 'bus is "a", not a number'),
        (b",0,8,", b",0,9,", "LEN is 9, but there are 8 data bytes"),
        (b",0,8,", b",0,x,", 'len is "x", not a number'),
        (b"4C", b"4G", 'bad data byte "4g"'),
        (b"4C", b"4CC", 'bad data byte "4cc"'),
        (b",0,8,00,00,08,00,00,00,00,4C,", b"", "4 columns, not 6 or more"),
    ],
)
def test_what_is_wrong_is_said_with_the_row(old: bytes, new: bytes, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(HEADER + ROW + ROW.replace(old, new))
    assert str(caught.value).startswith("-:3: ")
    assert said in str(caught.value)


def test_a_file_without_a_header_is_refused() -> None:
    with pytest.raises(FormatError, match="no header with Time Stamp"):
        read(ROW)


def test_python_can_s_csv_and_this_one_are_told_apart_by_the_header(tmp_path: Path) -> None:
    theirs = b"timestamp,arbitration_id,extended,remote,error,dlc,data\n1.0,0x1,0,0,0,0,\n"
    assert not GvretReader.recognises(theirs)
    assert not CSVReader.recognises(HEADER)
    for name, text, kind in (("a.csv", HEADER + ROW, GvretReader), ("a.gvret.csv", theirs, CSVReader)):
        (tmp_path / name).write_bytes(text)
        with open_reader(tmp_path / name) as reader:
            assert type(reader) is kind
            assert len(list(reader)) == 1


@pytest.mark.parametrize("cut", range(1, len(ROW) - 2))
def test_a_cut_last_row_is_dropped_with_a_note(cut: int) -> None:
    reader = GvretReader(io.BytesIO(HEADER + ROW + ROW[:cut]))
    assert len(list(reader)) == 1
    assert reader.notes == ["-:3: ends inside a line, which was dropped"]


@given(st.binary(max_size=60))
def test_noise_never_costs_the_next_row(noise: bytes) -> None:
    frames = read(HEADER + ROW + noise + b"\n" + ROW, on_error="skip")
    assert facts(frames[0]) == facts(frames[-1])
    assert len(frames) >= 2


def test_appending_keeps_the_header_and_ends_a_cut_row(tmp_path: Path) -> None:
    path = tmp_path / "a.gvret.csv"
    path.write_bytes(HEADER + ROW[:10])
    with GvretWriter(path, append=True) as writer:
        writer(*read(HEADER + ROW))
    assert path.read_bytes() == HEADER + ROW[:10] + b"\n" + ROW


def test_appending_to_nothing_begins_with_a_header(tmp_path: Path) -> None:
    GvretWriter(tmp_path / "a.gvret.csv", append=True).stop()
    assert (tmp_path / "a.gvret.csv").read_bytes() == HEADER


def test_appending_to_rows_without_directions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gvret.csv"
    path.write_bytes(OLD_HEADER + OLD_ROWS)
    with pytest.raises(UsageError, match="its columns differ"):
        GvretWriter(path, append=True)
    assert path.read_bytes() == OLD_HEADER + OLD_ROWS


def test_a_time_that_is_earlier_stays() -> None:
    frames = read(HEADER + ROW + ROW.replace(b"973", b"12"))
    assert [message.timestamp_ns for message in frames] == [973_000, 12_000]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (b"Time Stamp,ID,Extended,Bus,DLC,D1,D2,D3,D4,D5,D6,D7,D8", b"1000,3a0,0,1,2,ff,ee"),
        (b"Time Stamp,ID,Extended,Dir,Bus,DLC,D1,D2", b"1000,3a0,0,Rx,1,2,ff,ee,"),
        (b"Zeit,Kennung,Lang,Bus,Anzahl,B1,B2", b"1000,000003A0,false,1,2,FF,EE,"),
        (b"a,b,c,d,e,f,g,h", b"1000,3A0,False,rx,1,2,ff,ee,00"),
    ],
)
def test_the_header_may_have_any_names(header: bytes, row: bytes) -> None:
    for end in (b"\n", b"\r\n"):
        text = header + end + row + end
        assert GvretReader.recognises(text)
        (message,) = read(text)
        assert (message.timestamp_ns, message.channel, message.arbitration_id) == (1_000_000, "can1", 0x3A0)
        assert message.data.hex() == "ffee"


def test_bytes_may_have_one_digit() -> None:
    (message,) = read(HEADER + b"973,13B,false,Rx,0,4,0,8,a,4C,\n")
    assert message.data.hex() == "00080a4c"


def test_bytes_that_are_missing_at_the_end_are_00_and_counted() -> None:
    reader = GvretReader(
        io.BytesIO(HEADER + ROW + b"9,1,false,Rx,0,4,11,22\n8,1,false,Rx,0,4,11,22,,,,,,,\n")
    )
    assert [message.data.hex() for message in reader][1:] == ["11220000"] * 2
    assert reader.notes == ["-: 2 rows have fewer bytes than LEN: the missing ones are read as 00"]


@pytest.mark.parametrize("row", [b"9,1,false,Rx,0,2,11", b"9,1,false,Rx,0,2,11,2"])
def test_the_last_row_of_a_cut_file_is_dropped_if_it_may_be_incomplete(row: bytes) -> None:
    reader = GvretReader(io.BytesIO(HEADER + ROW + row))
    assert len(list(reader)) == 1
    assert "ends inside a line" in reader.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        b"1000,3a0,false,1,2,ff,ee\n1000,3a0,false,1,2,ff,ee\n",
        b"a,b,c,d,e\n1000,3a0,false,1,0,\n",
        b"a,b,c,d,e\n1000,3a0,maybe,1,2,ff,ee\n",
        b"time,addr,bus,data\n1.5,291,0,0102\n",
    ],
)
def test_other_tables_are_not_recognised(text: bytes) -> None:
    assert not GvretReader.recognises(text)
