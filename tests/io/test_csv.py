"""python-can's CSV: read and written, with python-can as the oracle."""

from __future__ import annotations

import io
from base64 import b64encode
from pathlib import Path
from typing import Any

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, NotALogError, UsageError
from cantools_cli.frame.message import Message
from cantools_cli.io.batch_room import BatchRoom
from cantools_cli.io.csv import CSVWriter
from tests.named import CSVReader
from tests.strategies import CHANNELS, facts, messages

HEADER = b"timestamp,arbitration_id,extended,remote,error,dlc,data\n"
ROWS = (
    b"1700000000.123456,0x123,0,0,0,3,AQID\n"
    b"1700000000.125456,0x7ff,0,1,0,4,\n"
    b"1700000000.127456,0x55,0,0,0,12,qqqqqqqqqqqqqqqq\n"
    b"1700000000.129456,0x0,0,0,1,8,AAQAAAAAAAA=\n"
)
ROW = ROWS.splitlines(keepends=True)[0]
FULL_HEADER = HEADER.rstrip() + b",channel,is_fd,bitrate_switch,error_state_indicator,is_rx\n"


def read(text: bytes, **options: str) -> list[Message]:
    return list(CSVReader(io.BytesIO(text), **options))


def written(frames: list[Message], **options: Any) -> tuple[bytes, dict[str, int]]:
    file = io.BytesIO()
    with CSVWriter(file, **options) as writer:
        for message in frames:
            writer(message)
    return file.getvalue(), dict(writer.losses)


def test_the_documented_rows_are_read() -> None:
    reader = CSVReader(io.BytesIO(HEADER + ROWS))
    first, remote, long, error = reader
    assert facts(first)[:4] == (1700000000123456000, "can0", 0x123, False)
    assert (remote.is_remote_frame, remote.dlc) == (True, 4)
    assert (long.is_fd, bytes(long.data)) == (True, b"\xaa" * 12)
    assert (error.is_error_frame, error.data.hex()) == (True, "0004000000000000")
    assert reader.notes == ["-: rows of more than 8 bytes are read as CAN FD, which CSV does not mark"]


def test_what_was_read_is_written_again() -> None:
    assert written(read(HEADER + ROWS)) == (HEADER + ROWS, {"CAN FD marks": 1})


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, b"0.0"),
        (1_000_000_000, b"1.0"),
        (1_500_000_000, b"1.5"),
        (1_700_000_000_123_456_000, b"1700000000.123456"),
        (1_700_000_000_123_456_789, b"1700000000.123456789"),
        (1_000, b"0.000001"),
        (-1_500_000_000, b"-1.5"),
    ],
)
def test_times_have_the_digits_they_need(nanoseconds: int, text: bytes) -> None:
    message = Message()
    message.timestamp_ns = nanoseconds
    output, _ = written([message])
    assert output == HEADER + text + b",0x0,1,0,0,0,\n"
    assert read(output)[0].timestamp_ns == nanoseconds


@given(st.lists(messages(times=st.integers(-(1 << 63), (1 << 63) - 1)), max_size=8))
def test_seven_columns_keep_identifier_kind_data_and_time(frames: list[Message]) -> None:
    def kept(message: Message) -> tuple[object, ...]:
        seen = facts(message)
        return seen[0], *seen[2:6], message.dlc, seen[-1]

    assert [kept(message) for message in read(written(frames)[0])] == [kept(message) for message in frames]


@given(st.lists(messages(kinds=("classic", "remote", "fd", "error"), channels=CHANNELS), max_size=8))
def test_all_columns_keep_everything(frames: list[Message]) -> None:
    output, losses = written(frames, columns="full")
    assert [facts(message) for message in read(output)] == [facts(message) for message in frames]
    assert not losses


def test_losses_are_counted_by_kind() -> None:
    raw = Message(data=bytes(8), channel="can1")
    raw.dlc_code = 9
    frames = [raw, Message(is_fd=True, channel="can0"), Message(is_rx=False), Message(channel=0)]
    assert written(frames)[1] == {"raw DLC codes": 1, "CAN FD marks": 1, "directions": 1, "channels": 1}
    assert written(frames, columns="full")[1] == {"raw DLC codes": 1}


@pytest.mark.parametrize("name", ["a,b", 'a"b', "7", " x", "käfer", "", "\udcff", 7, None])
def test_channels_of_all_kinds_survive_in_full_columns(name: str | int | None) -> None:
    frames = [Message(channel=channel) for channel in (name, "can0", name)]
    output, _ = written(frames, columns="full")
    assert [message.channel for message in read(output)] == [name, "can0", name]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        HEADER,
        b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n"),
        b"\n" + HEADER + b"\n",
    ],
)
def test_a_log_without_frames_is_empty(text: bytes) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text",
    [
        ROW,
        HEADER + ROW.rstrip(),
        HEADER + ROW.replace(b"\n", b"\r\n"),
        HEADER + ROW.replace(b"AQID", b"010203"),
        HEADER + ROW.replace(b"0,0,0", b"False,False,false"),
        HEADER + b'"1700000000.123456","0x123","0","0","0","3","AQID"\n',
        HEADER + ROW.replace(b"0x123", b"0X00000123"),
        HEADER + ROW.replace(b"0x123", b"123"),
        b"data,note,dlc,arbitration_id,timestamp,extended\nAQID,hello,3,0x123,1700000000.123456,0\n",
        b"Timestamp,Arbitration_ID,data\n1.700000000123456e9,0x123,AQID\n",
    ],
)
def test_other_spellings_mean_the_same_frame(text: bytes) -> None:
    assert CSVReader.recognises(text)
    assert [facts(message) for message in read(text)] == [facts(*read(HEADER + ROW))]


@pytest.mark.parametrize("size", [0, 64])
def test_more_rows_of_another_form_than_a_batch_holds(size: int) -> None:
    text = b"data,arbitration_id,timestamp\n" + (b64encode(bytes(size)) + b",1,0\n") * 20_000
    sizes = [len(batch) for batch in CSVReader(io.BytesIO(text)).batches()]
    assert sum(sizes) == 20_000
    assert max(sizes) <= BatchRoom.ROWS


def test_an_unmarked_fd_row_of_another_spelling_is_noted() -> None:
    reader = CSVReader(io.BytesIO(HEADER + ROWS.replace(b"0,0,0,12", b"0,false,0,12")))
    assert [message.is_fd for message in reader] == [False, False, True, False]
    assert "CAN FD" in reader.notes[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b",AQID", b"", "6 columns, not 7"),
        (b",AQID", b",AQID,", "8 columns, not 7"),
        (b"0x123", b"xyz", 'arbitration_id is "xyz", not a hexadecimal number'),
        (b"0x123", b"0x800", "0x800 is above 7FF"),
        (b"0x123", b"0x3fffffff", "above 7FF"),
        (b"0,0,0,3", b"0,0,2,3", 'error is "2", not 0 or 1'),
        (b",3,", b",4,", "dlc is 4, but there are 3 data bytes"),
        (b",3,", b",x,", 'dlc is "x"'),
        (b",3,", b",65,", "dlc is 65, not 0 to 64"),
        (b"3,AQID", b"9,AAECAwQFBgcI", "9 is not a CAN FD length"),
        (b"AQID", b"AQI!", 'data is "AQI!", neither base64 nor hexadecimal'),
        (b"0,0,0,3", b"0,1,0,3", "a remote frame has no data"),
        (b"0,0,0,3,AQID", b"0,1,0,9,", "a remote frame requests at most 8 bytes"),
        (b"0,0,0,3,AQID", b"0,1,1,3,", "a remote frame is classic, not an error frame"),
        (b"1700000000.123456", b"now", 'timestamp is "now", not a number of seconds'),
        (b"1700000000.123456", b"9999999999.0", "out of range"),
        (b"1700000000.123456", b"1e99", "out of range"),
    ],
)
def test_what_is_wrong_is_said_with_the_row(old: bytes, new: bytes, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(HEADER + ROW + ROW.replace(old, new))
    assert str(caught.value).startswith("-:3: ")
    assert said in str(caught.value)


def test_another_kind_of_table_is_refused() -> None:
    with pytest.raises(FormatError, match="neither a header with timestamp and arbitration_id nor a row"):
        read(b"Time Stamp,ID,Extended\n1,2,3\n")
    assert not CSVReader.recognises(b"Time Stamp,ID,Extended\n")


@pytest.mark.parametrize("cut", range(1, len(ROW) - 1))
def test_a_cut_last_row_is_dropped_with_a_note(cut: int) -> None:
    reader = CSVReader(io.BytesIO(HEADER + ROW + ROW[:cut]))
    assert len(list(reader)) == 1
    assert reader.notes == ["-:3: ends inside a line, which was dropped"]


@given(st.binary(max_size=60))
def test_noise_never_costs_the_next_row(noise: bytes) -> None:
    frames = list(CSVReader(io.BytesIO(HEADER + ROW + noise + b"\n" + ROW), on_error="skip"))
    assert facts(frames[0]) == facts(frames[-1])
    assert len(frames) >= 2


def test_appending_keeps_the_header_and_ends_a_cut_row(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(HEADER + ROW[:10])
    with CSVWriter(path, append=True) as writer:
        writer(read(HEADER + ROW)[0])
    assert path.read_bytes() == HEADER + ROW[:10] + b"\n" + ROW


def test_appending_to_nothing_begins_with_a_header(tmp_path: Path) -> None:
    CSVWriter(tmp_path / "log.csv", append=True).stop()
    assert (tmp_path / "log.csv").read_bytes() == HEADER


def test_appending_other_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(FULL_HEADER)
    with pytest.raises(UsageError, match="its columns differ"):
        CSVWriter(path, append=True)
    assert path.read_bytes() == FULL_HEADER


def test_a_text_stream_serves_as_documented() -> None:
    file = io.StringIO()
    with CSVWriter(file) as writer:
        writer(Message(arbitration_id=0xDADADA, data=b"WzQ"))
    assert file.getvalue().splitlines()[1] == "0.0,0xdadada,1,0,0,3,V3pR"


@given(st.lists(messages(kinds=("classic", "remote", "error")), max_size=8))
def test_python_can_reads_what_we_write(frames: list[Message]) -> None:
    text = written(frames)[0].decode()
    peers = list(can.CSVReader(io.StringIO(text)))
    assert len(peers) == len(frames)
    theirs: Any  # a message of python-can
    for ours, theirs in zip(frames, peers, strict=True):
        assert ours.equals(theirs, timestamp_delta=1e-6, check_channel=False, check_direction=False)


@given(st.lists(messages(kinds=("classic", "remote", "error")), max_size=8))
def test_we_read_what_python_can_writes(frames: list[Message]) -> None:
    file = io.StringIO()
    writer = can.CSVWriter(file)
    for message in frames:
        writer(message)  # type: ignore[arg-type]  # python-can takes any object with these attributes
    ours = read(file.getvalue().encode())
    for message, back in zip(frames, ours, strict=True):
        assert back.equals(message, timestamp_delta=1e-6, check_channel=False, check_direction=False)


DATA = bytes.fromhex("35D30ED90A00FF7F")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("timestamp,arbitration_id,data_field,attack", "1.5,167,35D30ED90A00FF7F,0"),
        (
            "Timestamp,Arbitration_ID,DLC,Data,Class,SubClass",
            "1.5,167,8,35 D3 0E D9 0A 00 FF 7F,Normal,Normal",
        ),
        ("time,can_id,payload", "1.5,0x167,0x35d30ed90a00ff7f"),
        ("Time Stamp,ID,Length,Data (hex)", "1.5,167,8,35-D3-0E-D9-0A-00-FF-7F"),
        ('"Timestamp","ID","Data"', '"1.5","167","NdMO2QoA/38="'),
        ("id,arbitration_id,timestamp,dlc,data", "99,167,1.5,8,NdMO2QoA/38="),
    ],
)
def test_other_names_and_spellings_of_the_columns(header: str, row: str) -> None:
    text = f"{header}\n{row}\n".encode()
    assert CSVReader.recognises(text)
    (message,) = read(text)
    assert (message.timestamp, message.arbitration_id, bytes(message.data)) == (1.5, 0x167, DATA)


@pytest.mark.parametrize("on_error", ["stop", "skip"])
@pytest.mark.parametrize(
    "header", [b"timestamp,arbitration_id", b"timestamp,arbitration_id,dlc,remote,signal"]
)
def test_without_a_column_of_data_there_are_no_frames(header: bytes, on_error: str) -> None:
    with pytest.raises(NotALogError, match="no column of data") as error:
        read(header + b"\n1.0,123\n", on_error=on_error)
    assert error.value.hint is not None
    assert "data_field" in error.value.hint


def test_names_that_are_not_those_of_frames_are_not_recognised() -> None:
    for header in (b"time,addr,bus,data", b"time,id,value", b"timestamp,data", b"a,b,c"):
        assert not CSVReader.recognises(header + b"\n1,2,3,4\n")


HEX_HEADER = b"timestamp,arbitration_id,data\n"


def test_hexadecimal_needs_no_column_of_lengths() -> None:
    reader = CSVReader(io.BytesIO(HEX_HEADER + b"1.0,123,0011223344556677\n1.1,123,00112233\n1.2,123,\n"))
    assert [bytes(message.data).hex() for message in reader] == ["0011223344556677", "00112233", ""]
    assert reader.notes == []


def test_more_than_8_bytes_are_noted_also_without_a_column_of_lengths() -> None:
    reader = CSVReader(io.BytesIO(HEX_HEADER + b"1.0,123," + b"11" * 12 + b"\n"))
    (message,) = reader
    assert message.is_fd
    assert reader.notes == ["-: rows of more than 8 bytes are read as CAN FD, which CSV does not mark"]


def test_base64_without_lengths_is_known_by_a_row_that_is_nothing_else() -> None:
    rows = b"1.0,123,AQ==\n1.1,123,AAAA\n1.2,123,BBBB\n"
    assert [message.data.hex() for message in read(HEX_HEADER + rows)] == ["01", "000000", "041041"]


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_rows_that_could_be_both_before_base64_are_refused(on_error: str) -> None:
    reader = CSVReader(io.BytesIO(HEX_HEADER + b"1.0,123,AAAA\n1.1,123,AQ==\n"), on_error=on_error)
    with pytest.raises(NotALogError, match="can be hexadecimal as well"):
        list(reader)


def test_a_file_of_hexadecimal_has_no_row_of_base64() -> None:
    with pytest.raises(FormatError, match="not hexadecimal as before"):
        read(HEX_HEADER + b"1.0,123,001122\n1.1,123,AQ==\n")
