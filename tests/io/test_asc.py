from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from datetime import datetime, timezone
from typing import Any

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.batch import MessageBatch
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.io.asc import ASCReader, ASCWriter
from cantools_cli.io.asc_header import format_date, parse_date
from cantools_cli.kernels import asc as kernel
from cantools_cli.message import Message
from tests.strategies import TIMES, facts, messages

SECONDS = 10**9
START = 1_700_000_000_000_000_000  # Tue Nov 14 22:13:20 2023 UTC
HEAD = (
    b"date Tue Nov 14 22:13:20.000 2023\nbase hex  timestamps absolute\ninternal events logged\n"
    b"// version 9.0.0\nBegin Triggerblock Tue Nov 14 22:13:20.000 2023\n   0.000000 Start of measurement\n"
)


def read(text: bytes, **options: Any) -> list[Message]:
    return list(reader(text, **options))


def reader(text: bytes, **options: Any) -> ASCReader:
    return ASCReader(io.BytesIO(text), **{"relative_timestamp": False, "tz": "UTC", **options})


def write(sent: list[Message], **options: Any) -> tuple[bytes, ASCWriter]:
    out = io.BytesIO()
    with ASCWriter(out, **{"tz": "UTC", **options}) as writer:
        for message in sent:
            writer(message)
    return out.getvalue(), writer


def notes(text: bytes, **options: Any) -> list[str]:
    source = reader(text, **options)
    list(source)
    return [note.removeprefix("-: ") for note in source.notes]


def shown(message: Message) -> str:
    """Return a frame as short text, its time from START."""
    time = message.timestamp_ns - START
    identifier = (
        f"X {message.arbitration_id:08X}" if message.is_extended_id else f"S {message.arbitration_id:03X}"
    )
    if message.is_error_frame:
        identifier = f"ERR {message.arbitration_id:03X}"
    words = [f"{time / SECONDS:.6f}", str(message.channel), identifier]
    words += ["RTR"] * message.is_remote_frame + ["FD"] * message.is_fd
    words += ["BRS"] * message.bitrate_switch + ["ESI"] * message.error_state_indicator
    words.append(
        f"[{message.dlc}]" + (f"/{message.dlc_code:X}" if not message.is_fd and message.dlc_code > 8 else "")
    )
    words += ["Tx"] * (not message.is_rx)
    return " ".join([*words, message.data.hex()]).rstrip()


SAMPLES = [
    (
        "   2.500900 1  64              Tx   d 8 00 01 02 03 04 05 06 07",
        "2.500900 can0 S 064 [8] Tx 0001020304050607",
    ),
    (
        "  17.876708 1  6F9             Rx   d 8 05 0C 00 00 00 00 00 00  Length = 240015 BitCount = 124"
        " ID = 1785",
        "17.876708 can0 S 6F9 [8] 050c000000000000",
    ),
    (
        "   2.5010 2  C8x             Rx   d 8 09 08 07 06 05 04 03 02",
        "2.501000 can1 X 000000C8 [8] 0908070605040302",
    ),
    (
        "   3.098426 1  18EBFF00x       Rx d 8 01 A0 0F A6 60 3B D1 40    Length = 273910 BitCount = 141"
        " ID = 418119424x",
        "3.098426 can0 X 18EBFF00 [8] 01a00fa6603bd140",
    ),
    (
        "  13.258671 1  3FF             Tx   d D 55 AA 01 02 03 04 05 06  Length = 232016 BitCount = 119"
        " ID = 1023",
        "13.258671 can0 S 3FF [8]/D Tx 55aa010203040506",
    ),
    (
        "   0.003210 1  80              Rx   d 0  Length = 93914 BitCount = 51 ID = 128",
        "0.003210 can0 S 080 [0]",
    ),
    (
        "   2.501000 1  200             Tx   r",
        "2.501000 can0 S 200 RTR [0] Tx",
    ),
    (
        "   2.584921 4 300 Tx r 8 Length = 1704000 BitCount = 145 ID = 88888888x",
        "2.584921 can3 S 300 RTR [8] Tx",
    ),
    (
        "   0.004000 2  7FF             Rx   r D",
        "0.004000 can1 S 7FF RTR [8]/D",
    ),
    (
        "   1.592186 1  ErrorFrame\tECC: 10100010",
        "1.592186 can0 ERR 088 [8] 0000040200000000",
    ),
    (
        "  30.005071 CANFD   2 Rx        300  Generic_Name_12                  1 0 8  8 01 02 03 04 05"
        " 06 07 08   102203  133   303000 e0006659 46500250 4b140250 20011736 2001040d",
        "30.005071 can1 S 300 FD BRS [8] 0102030405060708",
    ),
    (
        "  30.300981 CANFD   3 Tx     50005x                                0 0 5 0 140000 73 200050"
        " 7a60 46500250 460a0250 20011736 20010205",
        "30.300981 can2 X 00050005 RTR [5] Tx",
    ),
    (
        "   0.006000 CANFD   1 Rx           55                                   0 0 9 12"
        + " AA" * 12
        + "   130000  130     1000 0 0 0 0 0",
        "0.006000 can0 S 055 FD [12] " + "aa" * 12,
    ),
    (
        "   8.151536 CANFD   2 Tx c9  ABSdata_FD_64Byte 0 0 9 12 29 00 00 00 0b 2a 00 00 00 00 00 00"
        " 164000 167 121200 7ca0 500a2041 460a4841",
        "8.151536 can1 S 0C9 FD [12] Tx 290000000b2a000000000000",
    ),
    # further forms
    (
        "   0,5\t1\t64\tRx\td\t1\tAA",
        "0.500000 can0 S 064 [1] aa",
    ),
    (
        "  -0.500000 1  64              Rx   d 1 AA",
        "-0.500000 can0 S 064 [1] aa",
    ),
    (
        "   1.000000 CAN1  64           Rx   d 1 AA",
        "1.000000 can0 S 064 [1] aa",
    ),
    (
        "   1.000000 300  64           Rx   d 1 AA",
        "1.000000 can299 S 064 [1] aa",
    ),
    (
        "   1.000000 1  Ignition        Rx   d 1 AA  Length = 0 BitCount = 0 ID = 1792",
        "1.000000 can0 S 700 [1] aa",
    ),
    (
        "   1.000000 1  Ignition        Rx   r  Length = 0 ID = 418119424x",
        "1.000000 can0 X 18EBFF00 RTR [0]",
    ),
    (
        "   1.000000 1  64              Rx   d 40" + " BB" * 64,
        "1.000000 can0 S 064 FD [64] " + "bb" * 64,
    ),
    (
        "   1.000000 1  64              Rx   d 1 AA BB CC",
        "1.000000 can0 S 064 [1] aa",
    ),
    (
        "   1.592186 3  ErrorFrame",
        "1.592186 can2 ERR 080 [8] 0000000000000000",
    ),
    (
        "   1.592186 1  ErrorFrame Flags = 0x2 CodeExt = 0x20a2 Code = 0x82 ID = 0 DLC = 0 Position = 5"
        " Length = 11300",
        "1.592186 can0 ERR 088 [8] 0000040200000000",
    ),
    (
        "   1.592186 1  OverloadFrame",
        "1.592186 can0 ERR 088 [8] 0000200000000000",
    ),
    (
        "   1.0 CANFD   2 Tx   ErrorFrame Not Acknowledge error, dominant error flag fffe c7 31ca Data"
        " 45 ff 1 0 f  64 aa",
        "1.000000 can1 ERR 0A8 [8] 0000800000000000",
    ),
    (
        "   1.0 CANFD   2 Rx   ErrorFrame Stuff error, dominant error flag fffe c7 31ca Arb. 45 ff 1 0 f"
        "  64 aa",
        "1.000000 can1 ERR 088 [8] 0000040000000000",
    ),
    (
        "   0.010460 CANFD 1  101             Tx   1 0 d 8 8 01 02 03 04 05 06 07 08 Length = 209000"
        " BitCount = 128 ID = 257",
        "0.010460 can0 S 101 FD BRS [8] Tx 0102030405060708",
    ),
    (
        "   0.010460 CANFD 1  101x            Tx   1 0 r 8  Length = 209000",
        "0.010460 can0 X 00000101 RTR [8] Tx",
    ),
    # a name made of digits: only what is left over tells
    (
        "   0.1 CANFD 1 Rx 55 1 0 0 0 0 130000 130 1000 0 0 0 0 0",
        "0.100000 can0 S 055 FD [0]",
    ),
    (
        "   0.1 CANFD 1 Rx 55 0 0 0 0 130000 130 1000 0 0 0 0 0",
        "0.100000 can0 S 055 FD [0]",
    ),
    # cut behind the flags
    (
        "   0.1 CANFD 1 Rx 55 0 1 2 2 AA BB 130000 130 1000",
        "0.100000 can0 S 055 FD ESI [2] aabb",
    ),
    # flags that are 0
    (
        "   0.1 CANFD 1 Rx 55 0 0 f 64" + " CC" * 64 + " 130000 130 0 0 0 0 0 0",
        "0.100000 can0 S 055 FD [64] " + "cc" * 64,
    ),
    (
        "   0.1 CANFD 1 Rx 55 0 0 1 1 AA 130000 130 0 0 0 0 0 0",
        "0.100000 can0 S 055 [1] aa",
    ),
]


@pytest.mark.parametrize(("line", "expected"), SAMPLES)
def test_known_lines(line, expected):
    assert [shown(message) for message in read(HEAD + line.encode() + b"\n")] == [expected]


@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
def test_all_known_lines_together_with_other_line_ends(ending):
    text = HEAD + b"".join(line.encode() + b"\n" for line, _ in SAMPLES)
    found = read(text.replace(b"\n", ending))
    assert [shown(message) for message in found] == [expected for _, expected in SAMPLES]


def test_base_dec_is_that_of_identifiers_and_data():
    text = HEAD.replace(b"base hex", b"base dec") + (
        b"   1.047413 1  1792            Tx   d 8   2  16   0   0   0   0   0 255  Length = 0 BitCount "
        b"= 0 ID = 1792\n"
        b"   1.047413 1  418119424x      Rx   d D   0   0   0   0   0   0   0   0\n"
    )
    assert [shown(message) for message in read(text)] == [
        "1.047413 can0 S 700 [8] Tx 02100000000000ff",
        "1.047413 can0 X 18EBFF00 [8]/D 0000000000000000",
    ]


def test_the_base_argument_holds_where_the_file_does_not_say():
    line = b"1.0 1  64 Rx d 1 10\n"
    assert [(m.arbitration_id, m.data[0]) for m in read(line, base="dec")] == [(64, 10)]
    assert [(m.arbitration_id, m.data[0]) for m in read(b"base hex\n" + line, base="dec")] == [(0x64, 0x10)]
    with pytest.raises(UsageError, match="unknown base"):
        reader(b"", base="oct")


class Unhurried(ASCReader):
    """Reads every line in plain Python."""

    def _parse(self, text: bytes, at: int, end: int, batch: MessageBatch, first: int) -> tuple[int, int, int]:
        return at, first, kernel.STRANGE


DAMAGED = st.tuples(
    st.sampled_from([line.encode() for line, _ in SAMPLES]),
    st.integers(0, 120),
    st.integers(0, 3),
    st.sampled_from([b"", b" ", b"0", b"1", b"9", b"x", b" r ", b"d", b"AA", b" 0 0 1 1 AA", b"  Name"]),
).map(lambda parts: parts[0][: parts[1]] + parts[3] + parts[0][parts[1] + parts[2] :])


@given(st.lists(DAMAGED, min_size=1, max_size=4))
def test_the_kernel_reads_no_line_otherwise_than_plain_python(lines):
    text = HEAD + b"   0.0 1  1 Rx   d 0\n" + b"\n".join(lines) + b"\n"
    both = (
        reader(text, on_error="skip"),
        Unhurried(io.BytesIO(text), relative_timestamp=False, tz="UTC", on_error="skip"),
    )
    fast, slow = ([facts(message) for message in each] for each in both)
    assert fast == slow
    assert both[0].skipped == both[1].skipped


NO_FRAMES = [
    "   0.015991 CAN 1 Status:chip status error passive - TxErr: 132 RxErr: 0",
    "   0.015991 CAN 1 Status: chip status error active",
    "   3.297743 1  J1939TP FEE3p        6    0  0   -   Rx   d 23 A0 0F 01 00 00 00 00",
    "   1.000000 1  Statistic: D 1 R 0 XD 0 XR 0 E 1 O 0 B 0.2%",
    "   1.000000 log direct start (2000ms)",
    "   1.000000 log trigger event",
    "   1.000000 Comment: 105 text",
    "   2.2 0 16777215 0 1 GMGroup: text",
    "   1.000000 Env := 0",
    "   1.000000 Name = v",
    "   1.000000 ::sys = 1",
    "   0.000000 CANFD   Start of measurement",
    "   0.000000 Start der Messung",
    "   1.000000 ETH 1 Rx 60:ffffffffffff",
    "   1.000000 L1 11 Rx 2 01 02",
    "//0.000000 previous log file: name.asc",
    "// 60.0000 previous log file: name.asc",
    "",
]


@pytest.mark.parametrize("line", NO_FRAMES)
def test_other_events_are_no_frames_and_nothing_to_tell(line):
    text = HEAD + line.encode() + b"\n   9.0 1 1 Rx d 0\n"
    assert [message.arbitration_id for message in read(text)] == [1]
    assert notes(text) == []


def test_events_of_an_unknown_kind_are_counted():
    text = HEAD + b"1.0 Something new\n1.0 1 Something else\n" + b"1.0 CANXL 1 Rx XLFF 984438 4656 123\n" * 3
    assert read(text) == []
    assert notes(text) == [
        "events of an unknown kind: 2 left out",
        "CAN XL frames are not supported: 3 left out",
    ]


def test_requests_to_transmit_are_counted_unless_they_are_wanted():
    text = (
        HEAD
        + b"1.0 1  64  TxRq d 1 AA\n1.0 CANFD 1 TxRq 64 0 0 1 1 AA 0 0 1000 0 0 0\n1.5 1  64  Tx   d 1 AA\n"
    )
    assert [shown(message) for message in read(text)] == ["1.500000 can0 S 064 [1] Tx aa"]
    assert notes(text) == ["TxRq requests: 2 left out"]
    assert [message.is_rx for message in read(text, txrq=True)] == [False] * 3


MALFORMED = [
    ("1.0 1  64  Tx   d 1 G1", 'bad data byte "G1"'),
    ("1.0 1  64  Tx   d 8 00 11", "8 data bytes announced, but there are 2"),
    ("1.0 1  64  Tx   d", "no DLC"),
    ("1.0 1  64  Tx   d 41 00", 'bad DLC "41"'),
    ("1.0 1  800  Tx   d 0", 'identifier "800" is out of range'),
    ("1.0 1  20000000x  Tx   d 0", "is out of range"),
    ("1.0 1  Engine  Tx   d 0", 'the symbolic name "Engine" in place of an identifier'),
    ("1.0 0  64  Tx   d 0", "channel 0"),
    ("1.0 CANFD 1 Rx 55 0 0 9 12 AA BB", "12 data bytes announced, but there are 2"),
    ("1.0 CANFD 1 Rx 55 0 0 9 8 01 02 03 04 05 06 07 08 0 0 1000 0 0 0", "8 bytes, but the DLC is 9"),
    ("1.0 CANFD 1 Rx 55 0 0 1 2 AA BB", "contradict each other"),
    ("1.0 CANFD 1 Rx 55 0 0 5 0 0 0 1010 0 0 0", "CAN FD frame that is a remote frame"),
    ("1.0 CANFD 1 Rx 55 name", "no BRS, ESI, DLC and length"),
    ("1.0 CANFD 1 55 Rx 0 0 d 8 5 01", "contradict each other"),
    ("1.0 CANFD 1 55 Rx 0 0 q", "no BRS, ESI and DLC"),
    ("9223372036.9 1  64  Tx   d 0", "a time out of range"),
    ("garbage", 'not an ASC line: "garbage"'),
]


@pytest.mark.parametrize(("line", "reason"), MALFORMED)
def test_a_malformed_line_is_named_behind_the_frames_before_it(line, reason):
    good = b"   0.500000 1  1               Rx   d 0\n"
    source = reader(HEAD + good + line.encode() + b"\n" + good)
    with pytest.raises(FormatError, match=r"-:8: ") as caught:
        list(source)
    assert reason in str(caught.value)
    source = reader(HEAD + good + line.encode() + b"\n" + good, on_error="skip")
    assert len(list(source)) == 2
    assert source.skipped == 1


def test_frames_before_a_malformed_line_are_delivered():
    source = iter(reader(HEAD + b"1.0 1 5 Rx d 0\ngarbage\n"))
    assert next(source).arbitration_id == 5
    with pytest.raises(FormatError):
        next(source)


def test_a_file_that_is_something_else_is_refused():
    with pytest.raises(FormatError, match=r"-:1: not an ASC line"):
        read(b"ncols 4\nnrows 6\n")


@pytest.mark.parametrize("cut", range(len(HEAD), len(HEAD) + 48))
def test_a_file_cut_anywhere_gives_the_frames_before(cut):
    text = HEAD + b"   0.5 1  1 Rx   d 1 AA\n   1.5 1  2 Rx   d 2 AA BB\n"
    found = [message.arbitration_id for message in read(text[:cut])]
    whole = text[:cut].count(b"\n") - HEAD.count(b"\n")
    assert found in ([1, 2][:whole], [1, 2][: whole + 1])


@given(st.integers(0, 400))
def test_any_pieces_give_the_same_frames(size):
    text = HEAD + b"".join(line.encode() + b"\n" for line, _ in SAMPLES)

    class Pieces(io.BytesIO):
        def read1(self, wanted: int | None = -1, /) -> bytes:
            return super().read1(size + 1)

    found = ASCReader(Pieces(text), relative_timestamp=False, tz="UTC")
    assert [shown(message) for message in found] == [expected for _, expected in SAMPLES]


def test_padding_of_a_crashed_logger_ends_the_file():
    source = reader(HEAD + b"1.0 1 5 Rx d 0\n" + bytes(100))
    assert [message.arbitration_id for message in source] == [5]
    assert "NUL bytes" in source.notes[0]


# (text of the date line, UTC)
DATES = [
    ("Tue Nov 14 10:13:20.123 pm 2023", "2023-11-14T22:13:20.123"),
    ("Tue Nov 14 10:13:20.123 PM 2023", "2023-11-14T22:13:20.123"),
    ("Tue Nov 14 10:13:20.123457 PM 2023", "2023-11-14T22:13:20.123457"),
    ("Tue Nov 14 22:13:20 2023", "2023-11-14T22:13:20"),
    ("Sat Nov  4 22:13:20 2023", "2023-11-04T22:13:20"),
    ("Fri May 29 13:14:48.626 am 2015", "2015-05-29T13:14:48.626"),
    ("Sat Sep 30 15:06:13.191 pm 2017", "2017-09-30T15:06:13.191"),
    ("Sat Sep 30 12:06:13.191 am 2017", "2017-09-30T00:06:13.191"),
    ("Sat Sep 30 12:06:13.191 pm 2017", "2017-09-30T12:06:13.191"),
    ("Sam Sep 30 11:8:34 2017", "2017-09-30T11:08:34"),
    ("Die Okt 3 11:08:34.007 2017", "2017-10-03T11:08:34.007"),
    ("Mi Mär 1 11:08:34.007 2017", "2017-03-01T11:08:34.007"),
    ("Mit Mrz 1 11:08:34.007 2017", "2017-03-01T11:08:34.007"),
    ("Mon Mai 1 11:08:34.007 2017", "2017-05-01T11:08:34.007"),
    ("Fre Dez 1 11:08:34.007 2017", "2017-12-01T11:08:34.007"),
    ("Tue Nov 14 22:13:20.5 2023", "2023-11-14T22:13:20.500"),
]


@pytest.mark.parametrize(("text", "moment"), DATES)
def test_dates_of_all_kinds_of_installations(text, moment):
    expected = datetime.fromisoformat(moment).replace(tzinfo=timezone.utc).timestamp()
    assert parse_date(text, "UTC") == round(expected * 1_000_000) * 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "周二 十一月 14 22:13:20 2023",
        "mar. nov. 14 22:13:20 2023",
        "Tue Nov 31 22:13:20 2023",
        "Tue Nov 1 25:13:20 2023",
        "Tue Nov 1 22:13:20 9999",
    ],
)
def test_a_date_that_is_not_understood_is_told_and_costs_nothing_else(text):
    assert parse_date(text, "UTC") is None
    log = f"date {text}\nbase hex  timestamps absolute\n   1.5 1  1 Rx d 0\n".encode()
    assert [message.timestamp_ns for message in read(log)] == [1_500_000_000]
    assert any("not understood" in note for note in notes(log)) == bool(text)
    assert [message.timestamp_ns for message in read(log, start_ns=START)] == [START + 1_500_000_000]


def test_a_date_in_the_code_page_of_the_machine():
    log = "date Mit Mär 1 11:08:34.007 2017\nbase hex  timestamps absolute\n1.0 1  1 Rx d 0\n".encode(
        "cp1252"
    )
    assert read(log)[0].timestamp_ns == 1_488_366_515_007_000_000


def test_a_date_counts_in_the_zone_asked_for():
    assert read(HEAD + b"0.0 1 1 Rx d 0\n", tz="Europe/Berlin")[0].timestamp_ns == START - 3600 * SECONDS


FRAME = b"   1.000000 1  1               Rx   d 0\n"
DATE, TRIGGER = b"date Tue Nov 14 22:13:20.000 2023\n", b"Begin Triggerblock Tue Nov 14 22:14:20.000 2023\n"
BASE = b"base hex  timestamps absolute\n"
HEADERS = [
    (DATE + BASE, 1),
    (DATE, 1),
    (BASE + DATE, 1),
    (DATE + BASE + b"no internal events logged\n", 1),
    (DATE + b"base hex  no internal events logged\n", 1),  # BUSMASTER
    (DATE + BASE + TRIGGER, 61),
    (DATE.upper() + BASE + b"Begin TriggerBlock\n", 1),
    (DATE + BASE + b"Begin TriggerBlock xyz\n", 1),
    (BASE + TRIGGER, 61),
    (b"\xef\xbb\xbf" + DATE + BASE, 1),
    (DATE + b"strange line of a newer version\n" + BASE, 1),
]


@pytest.mark.parametrize(("head", "seconds"), HEADERS)
def test_lines_of_the_head_may_be_missing_or_in_any_order(head, seconds):
    found = read(head + FRAME + b"End TriggerBlock\n")
    assert [message.timestamp_ns - START for message in found] == [seconds * SECONDS]


def test_two_dates_that_differ_are_named_once():
    text = DATE + BASE + TRIGGER + FRAME * 2
    assert notes(text) == [
        'begins at "Tue Nov 14 22:13:20.000 2023", '
        'its events at "Tue Nov 14 22:14:20.000 2023"; the latter is used'
    ]
    assert notes(text, relative_timestamp=True) == []
    same_clock = DATE.replace(b"22:13:20.000", b"10:13:20.000") + BASE + TRIGGER.replace(b"22:14", b"22:13")
    assert notes(same_clock + FRAME) == []


@pytest.mark.parametrize(("digits", "milliseconds"), [("5", 5), ("50", 50), ("500", 500), ("050", 50)])
def test_python_cans_unpadded_milliseconds(digits, milliseconds):
    trigger = f"Begin Triggerblock Tue Nov 14 22:13:20.{digits} 2023\n".encode()
    shape = DATE + BASE + b"internal events logged\n" + trigger
    start = b" 0.000000 Start of measurement\n"
    assert read(shape + start + FRAME)[0].timestamp_ns == START + SECONDS + milliseconds * 1_000_000
    decimal = int(digits.ljust(3, "0")) * 1_000_000
    assert read(shape + b"  " + start + FRAME)[0].timestamp_ns == START + SECONDS + decimal
    assert read(shape + b"// version 9.0.0\n" + start + FRAME)[0].timestamp_ns == START + SECONDS + decimal


def test_times_of_the_library_are_those_of_the_file():
    source = ASCReader(io.BytesIO(HEAD + FRAME))
    assert [message.timestamp for message in source] == [1.0]


def test_relative_times_add_up_over_all_events():
    text = HEAD.replace(b"absolute", b"relative") + (
        b"   0.500000 1  1 Rx d 0\n   0.250000 CAN 1 Status:active\n//9.0 no event\n   0.000100 1  2 Rx d 0\n"
    )
    assert [message.timestamp_ns - START for message in read(text)] == [500_000_000, 750_100_000]


def test_relative_times_that_are_absolute_are_told():
    text = HEAD.replace(b"absolute", b"relative") + b"1700000000.0 1  1 Rx d 0\n"
    assert notes(text) == ["its relative times add up to over ten years; are they absolute?"]


def test_a_later_block_counts_on_unless_its_times_begin_again():
    text = HEAD + FRAME + b"End TriggerBlock\n" + TRIGGER
    assert read(text + b"// comment\n   2.0 1 2 Rx d 0\n")[-1].timestamp_ns == START + 2 * SECONDS
    begun_again = read(text + b"   0.000000 Start of measurement\n   0.5 1 2 Rx d 0\n   0.75 1 2 Rx d 0\n")
    assert [m.timestamp_ns - START for m in begun_again] == [SECONDS, 60_500_000_000, 60_750_000_000]


def test_logs_behind_one_another_have_their_own_dates():
    second = DATE.replace(b"22:13", b"23:13") + b"base dec  timestamps absolute\n1.0 1  10 Rx d 1 10\n"
    found = read(HEAD + FRAME + b"End TriggerBlock\n" + second)
    assert [m.timestamp_ns - START for m in found] == [SECONDS, 3601 * SECONDS]
    assert (found[1].arbitration_id, found[1].data) == (10, b"\x0a")
    offsets = read(HEAD + FRAME + second, relative_timestamp=True)
    assert [m.timestamp_ns for m in offsets] == [SECONDS, 3601 * SECONDS]


def test_a_block_of_lines_without_kernel_fills_many_batches():
    text = HEAD.replace(b"hex", b"dec") + b"1.0 1 1 Rx d 0\n" * 20_000
    batches = list(reader(text).batches())
    assert sum(len(batch) for batch in batches) == 20_000
    assert len(batches) > 2


def test_the_first_bytes_tell_the_format():
    assert ASCReader.recognises(HEAD)
    assert ASCReader.recognises(b"\xef\xbb\xbfDate Tue")
    assert ASCReader.recognises(b"base hex  no internal events logged\n")
    assert not ASCReader.recognises(b"(1.0) can0 123#\n")
    assert not ASCReader.recognises(b"dateline,1\n")


# Writing


def frame(offset_ns: int = 0, **settings: Any) -> Message:
    settings = {"channel": "can0", "is_extended_id": False, **settings}
    message = Message(**settings)
    message.timestamp_ns = START + offset_ns
    return message


def test_a_written_file():
    text, writer = write(
        [
            frame(123_456_000, arbitration_id=0x64, data=b"\x00\x01", is_rx=False),
            frame(
                2_000_000_000,
                arbitration_id=0xC8,
                is_extended_id=True,
                is_remote_frame=True,
                dlc=4,
                channel="can1",
            ),
            frame(
                2_000_000_001, arbitration_id=0x088, is_error_frame=True, data=bytes((0, 0, 4, 2, 0, 0, 0, 0))
            ),
            frame(1_000_000, arbitration_id=0x55, is_fd=True, bitrate_switch=True, data=b"\xaa" * 12),
        ]
    )
    assert text.decode() == (
        "date Tue Nov 14 22:13:20.123 2023\n"
        "base hex  timestamps absolute\n"
        "internal events logged\n"
        "// version 9.0.0\n"
        "Begin Triggerblock Tue Nov 14 22:13:20.123 2023\n"
        "   0.000000 Start of measurement\n"
        "   0.000456 1  64              Tx   d 2 00 01\n"
        "   1.877000 2  C8x             Rx   r 4\n"
        "   1.877000001 1  ErrorFrame\tECC: 10100010\n"
        "  -0.122000 CANFD   1 Rx         55                                   1 0 9 12 AA AA AA AA AA "
        "AA AA AA AA AA AA AA"
        "        0    0     3000        0        0        0        0        0\n"
        "End TriggerBlock\n"
    )
    assert writer.losses == {}
    assert writer.notes == []


def test_lines_may_end_as_vectors_do():
    sent = [frame(data=b"\x01"), frame(arbitration_id=0x080, is_error_frame=True, data=bytes(8)), frame(-1)]
    text, _ = write(sent)
    assert write(sent, crlf=True)[0] == text.replace(b"\n", b"\r\n")


def test_a_date_as_english_installations_write_it():
    assert format_date(START + 123_999_999, "UTC", am_pm=True) == "Tue Nov 14 10:13:20.123 pm 2023"
    assert format_date(START - 22 * 3600 * SECONDS, "UTC", am_pm=True) == "Tue Nov 14 12:13:20.000 am 2023"
    assert format_date(START - 10 * 3600 * SECONDS, "UTC", am_pm=True) == "Tue Nov 14 12:13:20.000 pm 2023"
    text, _ = write([frame()], am_pm=True)
    assert b"Begin Triggerblock Tue Nov 14 10:13:20.000 pm 2023\n" in text
    assert read(text)[0].timestamp_ns == START


@given(TIMES, st.sampled_from(["UTC", "Asia/Kolkata"]), st.booleans())
def test_every_date_that_is_written_is_read(time, tz, am_pm):
    assert parse_date(format_date(time, tz, am_pm=am_pm), tz) == time // 1_000_000 * 1_000_000


@given(
    st.lists(
        messages(
            kinds=("classic", "raw", "remote", "fd"), channels=st.sampled_from(["can0", "can1", "can200"])
        )
    )
)
def test_round_trip(sent):
    text, writer = write(sent)
    assert [facts(message) for message in read(text)] == [facts(message) for message in sent]
    assert writer.losses == {}


@given(st.lists(messages(times=st.integers(0, 10**10)), min_size=1))
def test_relative_times_are_those_behind_the_start(sent):
    text, _ = write(sent)
    start = sent[0].timestamp_ns // 1_000_000 * 1_000_000
    found = read(text, relative_timestamp=True)
    assert [message.timestamp_ns + start for message in found] == [message.timestamp_ns for message in sent]


def test_times_far_apart_are_kept():
    sent = [frame(), frame(-START), frame(7 * START // 2)]
    sent[0].timestamp_ns = -4 * START
    text, _ = write(sent)
    assert [message.timestamp_ns for message in read(text)] == [message.timestamp_ns for message in sent]


def test_what_an_error_frame_loses_is_counted():
    bit = bytes((0, 0, 1, 0x0A, 0, 0, 0, 0))
    sent = [
        frame(arbitration_id=0x088, is_error_frame=True, data=bit),
        frame(arbitration_id=0x080, is_error_frame=True, data=bytes(8)),
        frame(arbitration_id=0, is_error_frame=True),
        frame(arbitration_id=0x004, is_error_frame=True, data=bytes((0, 4, 0, 0, 0, 0, 0, 96))),
        frame(arbitration_id=0x288, is_error_frame=True, data=bit[:6] + b"\x01\x02", is_rx=False),
    ]
    text, writer = write(sent)
    assert writer.losses == {"error frame details": 2, "error frame directions": 1}
    assert [(m.arbitration_id, bytes(m.data)) for m in read(text)] == [
        (0x088, bit), (0x080, bytes(8)), (0x080, bytes(8)), (0x080, bytes(8)), (0x088, bit),
    ]  # fmt: skip


def test_channels_are_numbers_from_1():
    names = [None, "can0", "vcan2", 3, "eth-can"]
    text, writer = write([frame(channel=name) for name in names], channel=2)
    assert [message.channel for message in read(text)] == ["can1", "can0", "can2", "can3", "can4"]
    assert writer.notes == ["eth-can is written as channel 5"]
    with pytest.raises(UsageError, match="channel 0"):
        write([], channel=0)


def test_events_are_written_among_the_frames():
    out = io.BytesIO()
    with ASCWriter(out, tz="UTC") as writer:
        writer.log_event("begins", START / SECONDS)
        writer(frame(1_500_000_000))
        writer.log_event("two\nlines")
        writer.log_event("")
    lines = out.getvalue().decode().splitlines()
    assert lines[6::2] == ["   0.000000 begins", "   1.500000 two lines"]
    assert len(lines) == 10


def test_a_log_without_frames_is_a_log():
    text, _ = write([])
    assert text.startswith(b"date Thu Jan 1 00:00:00.000 1970\n")
    assert read(text) == []
    assert notes(text) == []


def test_what_was_flushed_is_readable():
    out = io.BytesIO()
    writer = ASCWriter(out, tz="UTC")
    writer(frame())
    writer.flush()
    assert len(read(out.getvalue())) == 1


def test_an_hour_that_occurs_twice_is_told():
    twice = 1_698_541_200_000_000_000  # 2:00 in Berlin, for the second time
    message = frame()
    message.timestamp_ns = twice
    _, writer = write([message], tz="Europe/Berlin")
    assert "occurs twice" in writer.notes[0]


# Peers


PEER_FRAMES = [
    frame(123_456_000, arbitration_id=0x64, data=b"\x00\x01", is_rx=False),
    frame(200_000_000, arbitration_id=0xC8, is_extended_id=True, data=bytes(range(8)), channel="can1"),
    frame(200_001_000, arbitration_id=0x7FF, is_remote_frame=True, dlc=4),
    frame(300_000_000, arbitration_id=0x55, is_fd=True, data=b"\xaa" * 12),
    frame(
        9_300_000_000,
        arbitration_id=0x1FFFFFFF,
        is_extended_id=True,
        is_fd=True,
        bitrate_switch=True,
        data=b"\xbb" * 64,
    ),
]


@pytest.fixture
def utc(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("utc")
def test_python_can_reads_what_is_written(tmp_path):
    path = tmp_path / "log.asc"
    path.write_bytes(write([*PEER_FRAMES, frame(10 * SECONDS, arbitration_id=0x080, is_error_frame=True)])[0])
    with can.ASCReader(path, relative_timestamp=False) as peer:
        *found, error = list(peer)
    for ours, theirs in zip(PEER_FRAMES, found, strict=True):
        assert theirs.timestamp == pytest.approx(ours.timestamp, abs=1e-6)
        assert (theirs.arbitration_id, theirs.is_extended_id) == (ours.arbitration_id, ours.is_extended_id)
        assert (theirs.dlc, theirs.data, theirs.is_rx) == (ours.dlc, ours.data, ours.is_rx)
        assert (theirs.is_fd, theirs.bitrate_switch) == (ours.is_fd, ours.bitrate_switch)
        assert f"can{theirs.channel}" == ours.channel
        assert theirs.is_remote_frame == ours.is_remote_frame
    assert error.is_error_frame


@pytest.mark.usefixtures("utc")
def test_what_python_can_writes_is_read(tmp_path):
    path = tmp_path / "log.asc"
    with can.ASCWriter(path) as peer:
        for message in PEER_FRAMES:
            peer(
                can.Message(
                    timestamp=message.timestamp,
                    arbitration_id=message.arbitration_id,
                    is_extended_id=message.is_extended_id,
                    is_remote_frame=message.is_remote_frame,
                    is_fd=message.is_fd,
                    bitrate_switch=message.bitrate_switch,
                    is_rx=message.is_rx,
                    dlc=message.dlc,
                    data=message.data,
                    channel=int(str(message.channel)[3:]),
                )
            )
    with ASCReader(path, relative_timestamp=False, tz="UTC") as source:
        for ours, theirs in zip(PEER_FRAMES, source, strict=True):
            # python-can writes the start to the millisecond, but counts from the frame's exact time
            assert abs(ours.timestamp_ns - theirs.timestamp_ns) < 1_000_000
            assert facts(theirs)[1:] == facts(ours)[1:]
        assert source.notes == []


def run(program: str, text: bytes, *arguments: str, **environment: str) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [program, *arguments],
        input=text,
        capture_output=True,
        check=True,
        timeout=20,
        env={**os.environ, **environment},
    )
    return done.stdout.decode()


@pytest.fixture(scope="session")
def locales(tmp_path_factory):
    """Return a folder with the locales that asc2log reads dates in."""
    folder = tmp_path_factory.mktemp("locales")
    for name in ("en_US", "de_DE"):
        if shutil.which("localedef") is None:
            pytest.skip("localedef is not installed")
        made = subprocess.run(
            ["localedef", "-i", name, "-f", "UTF-8", folder / name], capture_output=True, check=False
        )
        if not (folder / name).exists():
            pytest.skip(f"locale {name} cannot be made: {made.stderr.decode()}")
    return str(folder)


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_asc2log_reads_what_is_written(locales, hour):
    sent = [message.__copy__() for message in PEER_FRAMES]
    for message in sent:
        message.timestamp_ns += hour * 3600 * SECONDS
    lines = run("asc2log", write(sent)[0], LOCPATH=locales, TZ="UTC").splitlines()
    without_fdf = str.maketrans("45", "01")  # newer ones set a flag more
    assert [
        re.sub("##.", lambda mark: mark[0].translate(without_fdf), line).split()[1:3] for line in lines
    ] == [
        ["can0", "064#0001"],
        ["can1", "000000C8#0001020304050607"],
        ["can0", "7FF#R4"],
        ["can0", "055##0" + "AA" * 12],
        ["can0", "1FFFFFFF##1" + "BB" * 64],
    ]
    for message, line in zip(sent, lines, strict=True):
        seconds, micro = line[1 : line.index(")")].split(".")
        behind = message.timestamp_ns // 1000 - (int(seconds) * 1_000_000 + int(micro))
        assert behind in (0, 3_600_000_000)  # asc2log 2020.11 sometimes takes UTC for daylight saving time


def test_what_log2asc_writes_is_read():
    log = (
        "(1700000000.123456) can0 064#0001 T\n(1700000000.200000) can1 000000C8#0001020304050607\n"
        "(1700000000.200001) can0 7FF#R4\n(1700000000.300000) can0 055##0" + "AA" * 12 + "\n"
        "(1700000001.300000) can0 20000088#0000000000000000\n"
    )
    found = read(run("log2asc", log.encode(), "can0", "can1", TZ="UTC").encode(), relative_timestamp=True)
    assert [shown(message).split(" ", 1)[1] for message in found] == [
        "can0 S 064 [2] Tx 0001",
        "can1 X 000000C8 [8] 0001020304050607",
        "can0 S 7FF RTR [4]",
        "can0 S 055 FD [12] " + "aa" * 12,
        "can0 ERR 080 [8] 0000000000000000",
    ]
    assert found[-1].timestamp_ns - found[0].timestamp_ns == 1_176_544_000


def test_a_batch_and_its_messages_are_written_alike():
    batch = MessageBatch(PEER_FRAMES)
    out = io.BytesIO()
    with ASCWriter(out, tz="UTC") as writer:
        writer.write(batch)
    assert out.getvalue() == write(PEER_FRAMES)[0]
