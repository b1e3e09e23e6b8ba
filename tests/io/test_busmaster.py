"""BUSMASTER's log, as BUSMASTER and SavvyCAN write it."""

from __future__ import annotations

import io
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.busmaster import BusmasterReader
from cantools_cli.io.candump.log import CanutilsLogReader
from cantools_cli.io.formats import open_reader
from tests.strategies import facts

HEADER = """***BUSMASTER Ver 2.4.0***
***PROTOCOL CAN***
***NOTE: PLEASE DO NOT EDIT THIS DOCUMENT***
***[START LOGGING SESSION]***
***START DATE AND TIME 23:9:2015 22:17:28:928***
***HEX***
***SYSTEM MODE***
***START CHANNEL BAUD RATE***
***CHANNEL 1 - Kvaser - 500000 bps***
***END CHANNEL BAUD RATE***
***START DATABASE FILES***
***END DATABASE FILES***
***<Time><Tx/Rx><Channel><CAN ID><Type><DLC><DataBytes>***
"""
END = "***END DATE AND TIME 23:9:2015 22:20:15:120***\n***[STOP LOGGING SESSION]***\n"
LINE = "22:20:14:9925 Rx 1 0x21A s 8 FE 36 12 FE 69 05 07 AD \n"
J1939 = HEADER.replace("PROTOCOL CAN", "PROTOCOL J1939").replace(
    "<Tx/Rx><Channel><CAN ID><Type><DLC>",
    "<Channel><CAN ID><PGN><Type><Source Node><Destination Node><Priority><Tx/Rx><DLC>",
)
START_NS = int(datetime(2015, 9, 23, 22, 17, 28, tzinfo=timezone.utc).timestamp()) * 10**9


def read(text: str, **options: Any) -> list[Message]:
    return list(BusmasterReader(io.BytesIO(text.encode()), **{"tz": "UTC", **options}))


def one(line: str, header: str = HEADER) -> Message:
    (message,) = read(f"{header}{line}\n")
    return message


def since_start(text: str, mode: str = "ABSOLUTE") -> list[int]:
    """Return the microseconds from the start of the session of each line."""
    frames = read(HEADER.replace("SYSTEM", mode) + text)
    return [(message.timestamp_ns - START_NS) // 1000 - 928_000 for message in frames]


def at(*times: str) -> str:
    return "".join(f"{time} Rx 1 0x1 s 0\n" for time in times)


def test_a_session() -> None:
    reader = BusmasterReader(io.BytesIO((HEADER + LINE * 2 + END).encode()), tz="UTC")
    message, _ = reader
    seconds = datetime(2015, 9, 23, 22, 20, 14, tzinfo=timezone.utc).timestamp()
    assert facts(message)[:4] == (int(seconds) * 10**9 + 992_500_000, "can0", 0x21A, False)
    assert message.data.hex() == "fe3612fe690507ad"
    assert reader.notes == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("22:20:14:992 Rx 0 0000021A s 8 FE 36 12 FE 69 05 07 AD", "21a S Rx can0 8 fe3612fe690507ad"),
        ("22:20:14:992 Tx 2 0x306 x 1 aa", "306 X Tx can1 1 aa"),
        ("22:20:14:992 Rx 1 0x306 sr 4", "306 S Rx R can0 4 "),
        ("22:20:14:992 Rx 1 0x1ABCDEF0 xr 8", "1abcdef0 X Rx R can0 8 "),
        ("22:20:14:992 Rx 1 0x306 s-fd 12 " + "0a " * 12, "306 S Rx F can0 12 " + "0a" * 12),
        ("22:20:14:992 Rx 1 0x306 x-fd 0", "306 X Rx F can0 0 "),
        ("22:20:14:992 Rx 1 0x306 S 0", "306 S Rx can0 0 "),
        ("22:20:14:992\tRx\t1\t0x306\ts\t1\t7", "306 S Rx can0 1 07"),
        ("22:20:14:992 Tx 2 ERR", "080 S Tx E can1 8 0000000000000000"),
    ],
)
def test_known_lines(line: str, kind: str) -> None:
    message = one(line)
    words = [
        f"{message.arbitration_id:03x}",
        "X" if message.is_extended_id else "S",
        "Rx" if message.is_rx else "Tx",
        *(["R"] if message.is_remote_frame else []),
        *(["F"] if message.is_fd else []),
        *(["E"] if message.is_error_frame else []),
        str(message.channel),
        str(message.dlc),
        message.data.hex(),
    ]
    assert " ".join(words) == kind


def test_decimal_sessions_have_decimal_identifiers_and_data() -> None:
    message = one("22:20:14:992 Rx 1 538 s 2 254 10", HEADER.replace("HEX", "DEC"))
    assert (message.arbitration_id, bytes(message.data)) == (538, b"\xfe\x0a")
    assert one("22:20:14:992 Rx 1 0x21A s 0", HEADER.replace("HEX", "DEC")).arbitration_id == 538


@pytest.mark.parametrize(
    ("text", "micros"), [("0:0:1:9925", 1_992_500), ("0:0:1:992", 1_992_000), ("0:0:1:2", 1_002_000)]
)
def test_four_digits_are_tenths_of_a_millisecond(text: str, micros: int) -> None:
    assert since_start(at(text)) == [micros]


def test_absolute_times_count_from_the_start() -> None:
    assert since_start(at("0:0:0:0000", "0:1:0:0005", "25:0:0:0")) == [0, 60_000_500, 90_000_000_000]


def test_relative_times_add_up() -> None:
    assert since_start(at("0:0:1:0", "0:0:1:0", "0:0:0:5"), "RELATIVE") == [1_000_000, 2_000_000, 2_005_000]


def test_the_mode_may_change_without_another_date() -> None:
    times = since_start(at("22:17:29:000") + "***ABSOLUTE MODE***\n" + at("00:00:01:000"), "SYSTEM")
    assert times == [72_000, 1_000_000]


def test_times_of_the_day_go_on_after_midnight() -> None:
    times = since_start(at("23:59:59:999", "0:0:0:1", "23:59:59:0", "0:0:0:0"), "SYSTEM")
    day = 86_400_000_000
    midnight = (24 * 3600 - (22 * 3600 + 17 * 60 + 28)) * 1_000_000 - 928_000
    assert times == [midnight - 1000, midnight + 1000, midnight + day - 1_000_000, midnight + day]


def test_a_session_that_begins_at_midnight_has_its_first_frame_on_the_next_day() -> None:
    header = HEADER.replace("22:17:28:928", "23:59:59:990")
    message = one("0:0:0:10 Rx 1 0x1 s 0", header)
    moment = datetime(2015, 9, 24, tzinfo=timezone.utc).timestamp()
    assert message.timestamp_ns == int(moment) * 10**9 + 10_000_000


def test_times_that_go_back_a_little_stay() -> None:
    first, second = since_start(at("22:20:01:0", "22:20:00:0"), "SYSTEM")
    assert first - second == 1_000_000


def test_a_file_may_hold_several_sessions() -> None:
    second = HEADER.replace("23:9:2015", "24:9:2015").replace("HEX", "DEC").replace("SYSTEM", "RELATIVE")
    first, later = read(HEADER + LINE + END + second + "0:0:1:0 Rx 1 10 s 0\n" + END)
    assert (first.arbitration_id, later.arbitration_id) == (0x21A, 10)
    assert later.timestamp_ns == START_NS + 86_400 * 10**9 + 1_928_000_000


def test_dates_are_in_the_zone_that_was_asked_for() -> None:
    (there,) = read(HEADER + LINE, tz="Europe/Berlin")
    assert one(LINE.strip()).timestamp_ns - there.timestamp_ns == 2 * 3600 * 10**9


def test_a_log_without_a_date_is_of_1970_and_says_so() -> None:
    reader = BusmasterReader(io.BytesIO(b"***HEX***\n0:0:1:0 Rx 1 0x1 s 0\n"), tz="UTC")
    assert [message.timestamp_ns for message in reader] == [10**9]
    assert reader.notes == ["no date: times count from 1970"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "not a BUSMASTER line"),
        ("22:20:14 Rx 1 0x1 s 0", "not a BUSMASTER line"),
        ("22:20:14:992 Rx 1 0x1 s", "not a BUSMASTER line"),
        ("22:60:14:992 Rx 1 0x1 s 0", "invalid time of day 22:60:14:992"),
        ("24:00:00:0 Rx 1 0x1 s 0", "invalid time of day 24:00:00:0"),
        ("22:20:14:992 Ax 1 0x1 s 0", 'direction "ax" is not Rx or Tx'),
        ("22:20:14:992 Rx a 0x1 s 0", 'channel "a" is not a number'),
        ("22:20:14:992 Rx 1 0xG s 0", 'bad identifier "0xg"'),
        ("22:20:14:992 Rx 1 0x800 s 0", "arbitration id 0x800 is out of range"),
        ("22:20:14:992 Rx 1 0x20000000 x 0", "bad identifier"),
        ("22:20:14:992 Rx 1 0x1 q 0", 'type "q" is not one of s, x, sr, xr, s-fd, x-fd'),
        ("22:20:14:992 Rx 1 0x1 s 65", 'length "65" is not 0 to 64'),
        ("22:20:14:992 Rx 1 0x1 s 9 " + "00 " * 9, "a classic frame holds 8"),
        ("22:20:14:992 Rx 1 0x1 s-fd 9 " + "00 " * 9, "9 is not a CAN FD length"),
        ("22:20:14:992 Rx 1 0x1 s 2 00", "the length is 2, but there are 1 data bytes"),
        ("22:20:14:992 Rx 1 0x1 s 1 00 11", "the length is 1, but there are 2 data bytes"),
        ("22:20:14:992 Rx 1 0x1 s 1 100", 'bad data byte "100"'),
        ("***START DATE AND TIME 31:2:2015 22:17:28:928***", "invalid date"),
        ("***PROTOCOL LIN***", 'protocol "LIN" is not CAN or J1939'),
    ],
)
def test_what_is_wrong_is_said_with_the_line(line: str, said: str) -> None:
    text = HEADER + LINE + line + "\n" + LINE
    frames: list[Message] = []
    with pytest.raises(FormatError) as caught:
        frames.extend(BusmasterReader(io.BytesIO(text.encode()), tz="UTC"))
    assert len(frames) == 1
    assert str(caught.value).startswith("-:15: ")
    assert said in str(caught.value)
    assert len(read(text, on_error="skip")) == 2


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("22:20:14:9925 1 18feef00 0FEEF DAT 00 FF 6 Rx 3 FE 36 12", (0x18FEEF00, "can0", True, "fe3612")),
        ("22:20:14:9925 2 0x18EA0300 0xEA00 DAT 0x00 0x03 6 Tx 0", (0x18EA0300, "can1", False, "")),
    ],
)
def test_lines_of_j1939(line: str, kind: tuple[object, ...]) -> None:
    message = one(line, J1939)
    assert message.is_extended_id
    assert (message.arbitration_id, message.channel, message.is_rx, message.data.hex()) == kind
    assert message.timestamp_ns == one(LINE.strip()).timestamp_ns


def test_decimal_lines_of_j1939() -> None:
    header = J1939.replace("HEX", "DEC")
    message = one("22:20:14:9925 1 419360512 65263 DAT 0 255 6 Rx 2 254 10", header)
    assert (message.arbitration_id, message.data.hex()) == (0x18FEEF00, "fe0a")


def test_j1939_messages_of_several_frames_are_left_out_and_counted() -> None:
    long = "22:20:14:9925 1 1cecff00 0EC00 BAM 00 FF 7 Rx 9 " + "AA " * 9 + "\n"
    text = J1939 + long * 2 + "22:20:14:9925 1 18feef00 0FEEF DAT 00 FF 6 Rx 0\n" + END
    reader = BusmasterReader(io.BytesIO(text.encode()), tz="UTC")
    assert len(list(reader)) == 1
    assert reader.notes == ["-: J1939 messages of more than 8 bytes: 2 left out"]


def test_a_session_of_can_may_follow_one_of_j1939() -> None:
    text = J1939 + "22:20:14:9925 1 18feef00 0FEEF DAT 00 FF 6 Rx 0\n" + END + HEADER + LINE + END
    assert [message.arbitration_id for message in read(text)] == [0x18FEEF00, 0x21A]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("22:20:14:992 1 18feef00 0FEEF DAT 00 FF 6 Rx", "not a BUSMASTER J1939 line"),
        ("22:20:14:992 1 38feef00 0FEEF DAT 00 FF 6 Rx 0", 'bad identifier "38feef00"'),
        ("22:20:14:992 1 18feef00 0FEEF DAT 00 FF 6 Rx 2 AA", "the length is 2, but there are 1 data bytes"),
        ("22:20:14:992 1 18feef00 0FEEF DAT 00 FF 6 Rx 1786", 'length "1786" is not 0 to 1785'),
        ("22:20:14:992 1 18feef00 0FEEF DAT 00 FF 6 Xx 0", 'direction "xx" is not Rx or Tx'),
    ],
)
def test_what_is_wrong_in_j1939_is_said_with_the_line(line: str, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(J1939 + line + "\n")
    assert str(caught.value).startswith("-:14: ")
    assert said in str(caught.value)


@pytest.mark.parametrize("cut", range(1, len(LINE) - 4))
def test_a_cut_last_line_is_dropped_with_a_note(cut: int) -> None:
    reader = BusmasterReader(io.BytesIO((HEADER + LINE + LINE[:cut]).encode()), tz="UTC")
    assert len(list(reader)) == 1
    assert reader.notes == ["-:15: ends inside a line, which was dropped"]


def test_a_line_that_looks_whole_without_its_newline_is_suspected() -> None:
    reader = BusmasterReader(io.BytesIO((HEADER + LINE[:-3]).encode()), tz="UTC")
    assert len(list(reader)) == 1
    assert reader.notes == ["-:14: no newline at the end, so this frame may be cut short"]
    reader = BusmasterReader(io.BytesIO((HEADER + LINE + END.rstrip()).encode()), tz="UTC")
    assert len(list(reader)) == 1
    assert reader.notes == []


@given(st.binary(max_size=60))
def test_noise_never_costs_the_next_line(noise: bytes) -> None:
    text = (HEADER + LINE).encode() + noise.replace(b"***", b"") + b"\n" + LINE.encode()
    frames = list(BusmasterReader(io.BytesIO(text), tz="UTC", on_error="skip"))
    assert len(frames) >= 2
    assert facts(frames[0])[1:] == facts(frames[-1])[1:]


@pytest.mark.parametrize(
    "text", [HEADER, "\ufeff" + HEADER, "\r\n" + HEADER.replace("\n", "\r\n"), "***HEX***\n"]
)
def test_it_is_told_from_candump_s_log_by_its_content(text: str, tmp_path: Any) -> None:
    (tmp_path / "a.log").write_bytes((text + LINE).encode())
    assert not CanutilsLogReader.recognises(text.encode())
    with open_reader(tmp_path / "a.log", tz="UTC") as reader:
        assert type(reader) is BusmasterReader
        assert len(list(reader)) == 1
