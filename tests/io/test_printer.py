"""Printed messages: read and written."""

from __future__ import annotations

import io
from pathlib import Path

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.printer import Printer, PrinterReader
from tests.strategies import CHANNELS, MICROSECONDS, facts, messages

LONG = " ".join(f"{byte:02x}" for byte in range(64))
# line, frame as candump would log it, channel, kind
LINES = [
    (
        "Timestamp: 1700000000.123456    ID:      123    S Rx                DL:  3    01 02 03"
        "                    Channel: 0",
        Message(1700000000.123456, 0x123, False, channel=0, data=b"\1\2\3"),
    ),
    (
        "Timestamp: 1700000000.124456    ID: 00000123    X Tx                DL:  8    01 02 03 04 05 06 07"
        " 08     Channel: 0",
        Message(1700000000.124456, 0x123, channel=0, data=bytes(range(1, 9)), is_rx=False),
    ),
    (
        "Timestamp: 1700000000.125456    ID:      7ff    S Rx   R            DL:  4    "
        "                            Channel: 1",
        Message(1700000000.125456, 0x7FF, False, is_remote_frame=True, channel=1, dlc=4),
    ),
    (
        f"Timestamp: 1700000000.128456    ID: 1abcdef0    X Tx     F BS EI    DL: 64    {LONG}    Channel: 2",
        Message(
            1700000000.128456,
            0x1ABCDEF0,
            channel=2,
            data=bytes(range(64)),
            is_fd=True,
            is_rx=False,
            bitrate_switch=True,
            error_state_indicator=True,
        ),
    ),
    (
        "Timestamp: 1700000000.129456    ID:      000    S Rx E              DL:  8    00 04 00 00 00 00 00"
        " 00     Channel: 0",
        Message(1700000000.129456, 0, False, is_error_frame=True, channel=0, data=b"\0\4" + bytes(6)),
    ),
    (
        "Timestamp: 1700000000.130456    ID:      000    S Rx                DL:  0",
        Message(1700000000.130456, 0, False),
    ),
    (
        "Timestamp: 1700000000.131456    ID:      321    S Rx                DL:  6    61 62 63 31 32 33"
        "           'abc123'    Channel: can3",
        Message(1700000000.131456, 0x321, False, channel="can3", data=b"abc123"),
    ),
]
LINE = LINES[0][0].encode() + b"\n"


def read(text: bytes, **options: str) -> list[Message]:
    return list(PrinterReader(io.BytesIO(text), **options))


def printed(frames: list[Message]) -> str:
    file = io.StringIO()
    with Printer(file) as printer:
        for message in frames:
            printer(message)
    return file.getvalue()


@pytest.mark.parametrize(("line", "message"), LINES)
def test_known_lines(line: str, message: Message) -> None:
    assert printed([message]) == line + "\n"
    assert [facts(back) for back in read(line.encode())] == [facts(message)]
    assert PrinterReader.recognises(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        "Timestamp:      0.000000      ID: 00000000      X      DLC: 3      01 02 03",
        "Timestamp:      0.000000    ID: 00000000    X Rx                DL:  3    01 02 03\r",
        "Timestamp: 0 ID: 00000000 X DL: 3 01 02 03",
    ],
)
def test_lines_of_older_versions(line: str) -> None:
    assert [facts(message) for message in read(line.encode())] == [facts(Message(data=b"\1\2\3"))]


@pytest.mark.parametrize("row", [3, 5])
def test_more_lines_than_a_batch_holds(row: int) -> None:
    text = (LINES[row][0] + "\n").encode() * 9000
    assert sum(len(batch) for batch in PrinterReader(io.BytesIO(text)).batches()) == 9000


def test_text_is_not_taken_for_data() -> None:
    (message,) = read(
        b"Timestamp: 0.0    ID: 123    S Rx    DL: 2    41 42    'AB'    Channel: 'ab' Channel: x\n"
    )
    assert (bytes(message.data), message.channel) == (b"AB", "'ab' Channel: x")


@given(
    st.lists(
        messages(kinds=("classic", "remote", "fd", "error"), channels=CHANNELS, times=MICROSECONDS),
        max_size=5,
    )
)
def test_round_trip(frames: list[Message]) -> None:
    back = read(printed(frames).encode())
    assert [facts(message)[1:] for message in back] == [facts(message)[1:] for message in frames]
    for message, again in zip(frames, back, strict=True):
        assert abs(message.timestamp_ns - again.timestamp_ns) <= 1000  # str() shows a double


@given(st.lists(messages(), max_size=5))
def test_lines_are_what_print_shows(frames: list[Message]) -> None:
    assert printed(frames) == "".join(f"{message}\n" for message in frames)


def test_python_can_prints_the_same(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.txt", tmp_path / "theirs.txt"
    with Printer(ours) as printer, can.Printer(theirs) as peer:
        for _, message in LINES:
            printer(message)
            peer(message)  # type: ignore[arg-type]  # python-can prints anything
        assert printer.write_to_file
    assert ours.read_text() == theirs.read_text()


def test_without_a_file_each_message_is_printed_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer()
    printer(LINES[0][1])
    assert capsys.readouterr().out == LINES[0][0] + "\n"
    assert not printer.write_to_file
    assert printer.file is None
    printer.stop()
    print("stdout is still open")


def test_size_grows_and_appending_ends_a_cut_line(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(LINE[:20])
    with Printer(path, append=True) as printer:
        printer(LINES[0][1])
        printer.flush()
        assert printer.file_size() == path.stat().st_size
    assert path.read_bytes() == LINE[:20] + b"\n" + LINE


def test_raw_dlc_codes_are_counted_as_lost() -> None:
    message = Message(data=bytes(8))
    message.dlc_code = 12
    printer = Printer(io.StringIO())
    printer(message)
    printer.stop()
    assert printer.losses == {"raw DLC codes": 1}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("(1.0) can0 123#", "not a printed message"),
        (LINES[0][0].replace("DL:  3", "DL:  4"), 'bad data byte "Channel:"'),
        (LINES[0][0][:96].rstrip().replace("DL:  3", "DL:  4"), "DL is 4, but there are 3 data bytes"),
        (LINES[0][0].replace("DL:  3", "DL:  2"), "after 2 data bytes"),
        (LINES[0][0].replace("02", "0g"), 'bad data byte "0g"'),
        (LINES[0][0].replace("123    S", "800    S"), "0x800 is out of range"),
        (LINES[2][0].replace("DL:  4", "DL:  9"), "requests 0 to 8 bytes"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(line: str, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(LINE + line.encode() + b"\n")
    assert str(caught.value).startswith("-:2: ")
    assert said in str(caught.value)


@pytest.mark.parametrize("cut", range(1, 85))
def test_a_cut_last_line_is_dropped_with_a_note(cut: int) -> None:
    reader = PrinterReader(io.BytesIO(LINE + LINE[:cut]))
    assert len(list(reader)) == 1
    assert reader.notes == ["-:2: ends inside a line, which was dropped"]


@given(st.binary(max_size=60))
def test_noise_never_costs_the_next_line(noise: bytes) -> None:
    frames = read(LINE + noise + b"\n" + LINE, on_error="skip")
    assert facts(frames[0]) == facts(frames[-1])
    assert len(frames) >= 2


def test_a_batch_from_a_bus_is_printed_at_once(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    printer = Printer()
    printer.on_batch_received(MessageBatch([Message(arbitration_id=0x123)]))
    assert capfdbinary.readouterr().out.startswith(b"Timestamp:        0.000000    ID: 00000123")
    printer.stop()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("000", (False, False, False)),
        ("010", (False, True, False)),
        ("110", (True, True, False)),
        ("100", (True, False, False)),
        ("001", (False, False, True)),
    ],
)
def test_what_python_can_1_printed_is_read(flags: str, expected: tuple[bool, bool, bool]) -> None:
    data = "" if flags[0] == "1" else "    01 02 03"
    line = f"Timestamp: 1479121434.850202        ID: 0350    {flags}    DLC: 3{data}\n".encode()
    assert PrinterReader.recognises(line)
    (message,) = read(line)
    assert (message.is_remote_frame, message.is_extended_id, message.is_error_frame) == expected
    assert (message.timestamp_ns, message.arbitration_id, message.dlc) == (1479121434850202000, 0x350, 3)
    assert message.data.hex() == ("" if flags[0] == "1" else "010203")


@pytest.mark.parametrize("flags", ["00", "0000", "002", "abc"])
def test_other_digits_are_no_flags(flags: str) -> None:
    with pytest.raises(FormatError, match="not a printed message"):
        read(f"Timestamp: 1.0        ID: 0350    {flags}    DLC: 1    01\n".encode())
