"""Reading ASC: known lines, damaged ones, and other events."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import _lines
from tests.io.asc.asc_text import HEAD, notes, read, reader, shown
from tests.named import ASCReader
from tests.strategies import facts

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
        return at, first, _lines.STRANGE


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
    text = HEAD + b"1.0 Something new\n1.0 1 Something else\n" + b"1.0 CANXL 1 Status\n" * 3
    assert read(text) == []
    assert notes(text) == [
        "unknown events: 2 left out",
        "CAN XL events other than frames: 3 left out",
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
    ("1.0 1  64  Tx   d 8 00 11", "the length is 8, but there are 2 data bytes"),
    ("1.0 1  64  Tx   d", "no DLC"),
    ("1.0 1  64  Tx   d 41 00", 'bad DLC "41"'),
    ("1.0 1  800  Tx   d 0", 'identifier "800" is out of range'),
    ("1.0 1  20000000x  Tx   d 0", "is out of range"),
    ("1.0 1  Engine  Tx   d 0", 'the symbolic name "Engine" instead of an identifier'),
    ("1.0 0  64  Tx   d 0", "channel 0"),
    ("1.0 CANFD 1 Rx 55 0 0 9 12 AA BB", "the length is 12, but there are 2 data bytes"),
    ("1.0 CANFD 1 Rx 55 0 0 9 8 01 02 03 04 05 06 07 08 0 0 1000 0 0 0", "8 data bytes, but the DLC is 9"),
    ("1.0 CANFD 1 Rx 55 0 0 1 2 AA BB", "contradict each other"),
    ("1.0 CANFD 1 Rx 55 0 0 5 0 0 0 1010 0 0 0", "CAN FD frame cannot be a remote frame"),
    ("1.0 CANFD 1 Rx 55 name", "no BRS, ESI, DLC and length"),
    ("1.0 CANFD 1 55 Rx 0 0 d 8 5 01", "contradict each other"),
    ("1.0 CANFD 1 55 Rx 0 0 q", "no BRS, ESI and DLC"),
    ("9223372036.9 1  64  Tx   d 0", "timestamp out of range"),
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


KVASER = b"""date Wed Jun  5 03:18:58 pm 2024
base hex timestamps absolute
Begin Triggerblock
// ;    time  can ident           attr dlc data ...
"""


def test_kvaser_marks_frames_after_an_overrun() -> None:
    text = (
        KVASER
        + b"      0.001234567 1  123         Rx   d   8 00 11 22 33 44 55 66 77 \n"
        + b"      0.003234567 1  124         Rx   d #  8 00 11 22 33 44 55 66 78 \n"
        + b"      0.004234567 1  125x        Tx   r #  4                         \n"
        + b"DateTime: 2024-06-05 15:18:59\n"
        + b"   0.005000000 CANFD   2 Rx        130   #                               1 0 9 12 "
        + b"00 01 02 03 04 05 06 07 08 09 0a 0b        0    0   203000        "
        + b"0        0        0        0        0\n"
        + b"End Triggerblock\n"
    )
    first, second, remote, fd = read(text)
    assert (first.arbitration_id, second.arbitration_id) == (0x123, 0x124)
    assert second.data.hex() == "0011223344556678"
    assert (remote.arbitration_id, remote.is_remote_frame, remote.dlc, remote.is_rx) == (
        0x125,
        True,
        4,
        False,
    )
    assert (fd.arbitration_id, fd.is_fd, fd.bitrate_switch, fd.dlc, fd.channel) == (
        0x130,
        True,
        True,
        12,
        "can1",
    )
    assert notes(text) == ["frames marked as following lost frames: 3"]


def test_kvasers_remote_frames_among_can_fd_have_no_direction() -> None:
    text = (
        KVASER
        + b"   0.001000000    1       123               --  r  4  Length = 0 BitCount = 0 ID = 291\n"
        + b"   0.002000000    2  18fef100x              --  r  8  Length = 0 BitCount = 0 ID = 419361024x\n"
    )
    short, long = read(text)
    assert (short.arbitration_id, short.is_remote_frame, short.dlc, short.is_rx) == (0x123, True, 4, True)
    assert (long.arbitration_id, long.is_extended_id, long.dlc, long.channel) == (0x18FEF100, True, 8, "can1")
    assert notes(text) == []
