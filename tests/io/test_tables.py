"""Separated layouts of other tools: HCRL, Cabana, CLX000, Vehicle Spy."""

from __future__ import annotations

import io
from datetime import datetime, timezone
from typing import Any

import pytest

from cantools_cli import plugins
from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.clx import ClxReader, LoggerClock
from tests.io.table_samples import CABANA, CLX, CLX_6, HCRL, KOMODO, VSPY
from tests.pieces import Pieces


def read(form: str, text: bytes, **options: Any) -> tuple[list[Message], list[str]]:
    reader = plugins.reader_class(form)(io.BytesIO(text), **{"tz": "UTC", **options})
    return list(reader), reader.notes


def seconds(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=timezone.utc).timestamp())  # type: ignore[arg-type, misc]  # mypy counts no star


def test_hcrl() -> None:
    frames, notes = read("hcrl", HCRL)
    assert [message.timestamp_ns for message in frames[:2]] == [1478198376389427000, 1478198376389636000]
    assert [(message.arbitration_id, message.is_extended_id) for message in frames] == [
        (0x316, False),
        (0, False),
        (2, False),
        (0x7FF, False),
    ]
    assert [message.data.hex() for message in frames] == ["052168092121006f", "00" * 8, "0000", ""]
    assert notes == ["-: labels are not kept; frames labelled T (injected): 1"]


def test_hcrl_with_a_header_and_empty_columns_of_a_spreadsheet() -> None:
    text = b"Timestamp,ID,DLC,D0,D1,D2,Label\n1478198379.128627,0002,2,00,01,R,\n"
    frames, notes = read("hcrl", text)
    assert [message.data.hex() for message in frames] == ["0001"]
    assert notes == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (b"1.0,0316,8,05,R", "the length is 8, but there are 1 data bytes"),
        (b"1.0,0316,1,05,06,R", "the length is 1, but there are 2 data bytes"),
        (b"1.0,0316,1,05,X", 'label "X" is not R or T'),
        (b"1.0,0316", "2 columns, not 4 or more"),
    ],
)
def test_hcrl_rows_that_are_wrong(row: bytes, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        read("hcrl", HCRL + row + b"\n")
    assert str(caught.value).startswith("-:5: ")
    assert said in str(caught.value)


def test_cabana() -> None:
    frames, _ = read("cabana", CABANA)
    assert [(message.timestamp_ns, message.channel) for message in frames] == [
        (15_460_000_000, "can1"),
        (15_461_000_000, "can0"),
        (61_942_502, "can0"),
    ]
    assert [(message.arbitration_id, message.is_extended_id, message.is_rx) for message in frames] == [
        (0x440, False, True),
        (0x18DB33F1, True, True),
        (308, False, False),  # decimal, since there is no 0x; 128 is what the panda sent
    ]
    assert [message.data.hex() for message in frames] == ["4000800000000000", "02", "08007c630a00d064"]


def test_cabana_frames_that_were_rejected_never_were_on_the_bus() -> None:
    frames, notes = read("cabana", CABANA + b"16,0x1,193,0x00\n16,0x1,192,0x00\n")
    assert len(frames) == 3
    assert notes == ["-: rejected by the panda's safety model: 2 left out"]


def test_clx() -> None:
    frames, notes = read("clx", CLX)
    midnight = seconds(2017, 2, 1)
    assert [message.timestamp_ns - midnight * 10**9 for message in frames] == [
        -2_317_000_000,
        -312_000_000,
        1_000_000,
        2_000_000,
    ]
    assert [(message.arbitration_id, message.is_extended_id, message.is_rx) for message in frames] == [
        (0x7DF, False, False),
        (0x7E8, False, True),
        (0x18DB33F1, True, True),
        (0x123, True, False),
    ]
    assert frames[0].data.hex() == "02010d5555555555"
    assert frames[2].data == b""
    assert notes == []


def test_clx_with_all_separators_columns_and_times_out_of_order() -> None:
    frames, notes = read("clx", CLX_6)
    start = seconds(2000, 1, 1, 17, 59, 55) * 1000
    assert [message.timestamp_ns // 10**6 - start for message in frames] == [210, 223, 216]
    assert [message.dlc for message in frames] == [8, 3, 0]
    assert notes == ["-: the logger missed 3 frames (column Lost)"]


@pytest.mark.parametrize(
    ("start", "times", "wanted"),
    [
        (b"20240101T000000", [b"999", b"005", b"004"], [-1, 5, 4]),
        (b"20240101T000059", [b"59900", b"00100"], [59_900, 60_100]),
        (b"20240101T005959", [b"59:59900", b"00:00100"], [3_599_900, 3_600_100]),
        (b"20240101T235959", [b"23:59:59000", b"00:00:00500"], [86_399_000, 86_400_500]),
        (b"20240131T000000", [b"31T000000000", b"01T000000000"], [30 * 86_400_000, 31 * 86_400_000]),
        (b"20240131T000000", [b"30T235959999"], [30 * 86_400_000 - 1]),
        (b"20241231T000000", [b"1231T000000000", b"0101T000000000"], [365 * 86_400_000, 366 * 86_400_000]),
    ],
)
def test_clx_times_that_leave_out_the_larger_parts(
    start: bytes, times: list[bytes], wanted: list[int]
) -> None:
    clock = LoggerClock("UTC")
    clock.begin(start)
    epoch = seconds(2024, 1, 1) * 1000
    assert [clock.read(time) // 10**6 - epoch for time in times] == wanted


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"Time: 2017", b"Time: 2017x", "is not a date such as"),
        (b'separator ms: ""', b"separator ms: none", "is not a character in quotation marks"),
        (b"Timestamp;Type;ID;Data", b"Timestamp;Type;Data", "no header with ID and Data"),
        (b";8;7df", b";7;7df", 'type "7" is not 0, 1, 8 or 9'),
        (b";0;7e8", b";0;800", "is above 7FF"),
        (b"31T235957683", b"31T235957", "is not a logger time"),
        (b"31T235957683", b"31T245957683", "is not a valid time of day"),
        (b"31T235957683", b"32T235957683", "is not a valid date"),
        (b"55555555\n", b"5555555\n", "is not pairs of hexadecimal digits"),
    ],
)
def test_clx_lines_that_are_wrong(old: bytes, new: bytes, said: str) -> None:
    assert old in CLX
    with pytest.raises(FormatError) as caught:
        read("clx", CLX.replace(old, new, 1))
    place = CLX[: CLX.index(old)].count(b"\n") + 1
    assert str(caught.value).startswith(f"-:{place}: ")
    assert said in str(caught.value)


def test_clx_without_a_date_is_noted() -> None:
    frames, notes = read("clx", b"Timestamp;Type;ID;Data\n00:00:01500;0;1;AA\n")
    assert [message.timestamp_ns for message in frames] == [1_500_000_000]
    assert notes == ["-: no # Time line: missing parts of times count from 1970"]
    assert not ClxReader.recognises(b"# Time: 20170101T022232\n")


def test_komodo() -> None:
    frames, notes = read("komodo", KOMODO)
    assert [(message.timestamp_ns, message.channel) for message in frames] == [
        (643_335_000, "can0"),
        (69_643_340_000, "can1"),
        (69_643_342_000, "can1"),
    ]
    assert [(message.arbitration_id, message.is_extended_id, message.dlc) for message in frames] == [
        (0x123, False, 3),
        (0x18DB33F1, True, 4),
        (0x7FF, False, 1),
    ]
    assert [message.is_remote_frame for message in frames] == [False, True, False]
    assert frames[0].data == b"\1\2\3"
    assert notes == ["-: rows with errors: 1 left out"]


def test_a_table_of_total_phase_that_is_not_of_can_is_not_recognised() -> None:
    usb = b"# Level,Sp,Index,m:s.ms.us,Dur,Len,Err,Dev,Ep,Record,Data,Summary,ASCII\n"
    assert not plugins.reader_class("komodo").recognises(usb)
    with pytest.raises(FormatError, match="no header with"):
        read("komodo", usb + b"0,,1,0:00.643.335,,3,,1,2,IN,01 02 03,,\n")


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_table_whose_one_row_is_wrong_is_skipped_by_a_pipe_too(size: int) -> None:
    """That it is a log shows in the header, which is not in the first piece of a pipe."""
    head = KOMODO[: KOMODO.index(b"0,0")]
    reader = plugins.reader_class("komodo")(Pieces(head + b"0,1,x,,1,,0,0x1,,00\n", size), on_error="skip")
    assert list(reader) == []
    assert reader.skipped == 1


def test_vehicle_spy() -> None:
    frames, notes = read("vspy", VSPY)
    start = seconds(2020, 1, 24, 22, 11, 12) * 10**9
    assert [message.timestamp_ns - start for message in frames] == [
        2550_368293675,
        2551_000000000,
        2552_000000000,
        2552_250000000,
        2552_500000000,
    ]
    classic, sent, error, fd, remote = frames
    assert (classic.channel, classic.arbitration_id, classic.is_extended_id) == ("HS_CAN", 0x119, False)
    assert (classic.data.hex(), classic.is_rx) == ("0000000000000d8b", True)
    assert (sent.arbitration_id, sent.is_extended_id, sent.is_rx) == (0x18FEF100, True, False)
    assert (error.is_error_frame, error.arbitration_id) == (True, 0x80)
    assert (fd.is_fd, fd.bitrate_switch, fd.error_state_indicator) == (True, True, False)
    assert fd.data.hex() == "0000000000000d8b01020304"
    assert (remote.is_remote_frame, remote.dlc) == (True, 0)
    assert notes == ["-: rows of LIN: 1 left out"]


@pytest.mark.parametrize(
    ("date", "time", "wanted"),
    [
        (b"1/24/2020", b"12:00:01 AM", (2020, 1, 24, 0, 0, 1)),
        (b"24/01/2020", b"12:00:01 PM", (2020, 1, 24, 12, 0, 1)),
        (b"24.01.2020", b"13:00:01", (2020, 1, 24, 13, 0, 1)),
        (b"2020-01-24", b"13:00:01", (2020, 1, 24, 13, 0, 1)),
    ],
)
def test_vehicle_spy_dates(date: bytes, time: bytes, wanted: tuple[int, ...]) -> None:
    text = VSPY.replace(b"1/24/2020\nStart Time,10:11:12 PM", date + b"\nStart Time," + time)
    assert read("vspy", text)[0][1].timestamp_ns == (seconds(*wanted) + 2551) * 10**9


def test_vehicle_spy_of_savvycan_has_no_first_block() -> None:
    text = VSPY[VSPY.index(b"Line,") :].replace(b"/EDL-BRS-ESI", b"").replace(b"T-T-F", b"F").upper()
    frames, notes = read("vspy", text)
    assert frames[1].timestamp_ns == 2551 * 10**9
    assert "no start date: times count from 1970" in notes
    iso = b"Vehicle Spy 3\nISO8601 Timestamp,2018/06/29T13:00:47.000019,,,\n" + text
    assert read("vspy", iso)[0][1].timestamp_ns == (seconds(2018, 6, 29, 13, 0, 47) + 2551) * 10**9 + 19000
