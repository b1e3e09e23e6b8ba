from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from tests.kernels.forms import WIDE_FORMS, every_form, interpreted, load
from tests.strategies import facts, messages

START = 1_700_000_000_000_000_000
SECONDS = 10**9
DONE, FULL, STRANGE, CHANNEL = range(4)
CHANNELS = ("can0", "can1", "can2")
NO_CHANNEL = 0xFFFF


@pytest.fixture(params=WIDE_FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("asc", request.param)


def table(known: int = 3) -> array[int]:
    numbers = array("H", [NO_CHANNEL]) * 256
    for number in range(known):
        numbers[number + 1] = number
    return numbers


def parse(
    kernel: Any, text: bytes, *, rows: int = 64, known: int = 3, start: int = START, room: int = 4096
) -> tuple[int, MessageBatch, int]:
    batch = MessageBatch.with_room(rows, room, CHANNELS)
    at, filled, reason = kernel.parse(text, 0, len(text), table(known), start, SECONDS, 0, *batch.columns())
    return at, batch.cut(filled), reason


def format_rows(
    kernel: Any, batch: MessageBatch, *, start: int = START, crlf: bool = False, room: int = 1 << 16
) -> tuple[int, bytes]:
    out = bytearray(room)
    numbers = array("H", range(1, len(batch.channels) + 1))
    rows, used = kernel.format(0, *batch.columns(), numbers, start, crlf, out)
    return rows, bytes(out[:used])


def frame(seconds: str, channel: str, frame_id: str, data: str = "", **settings: Any) -> tuple[object, ...]:
    whole, fraction = seconds.split(".")
    stamp = START + int(whole) * SECONDS + int(fraction.ljust(9, "0"))
    payload = bytes.fromhex(data)
    values = {"remote": False, "fd": False, "brs": False, "esi": False, "rx": True, "code": len(payload)}
    values |= settings
    size = min(int(values["code"]), 8) if values["remote"] else len(payload)
    return (
        stamp,
        channel,
        int(frame_id.rstrip("x"), 16),
        frame_id.endswith("x"),
        values["remote"],
        False,
        values["fd"],
        values["brs"],
        values["esi"],
        values["rx"],
        size,
        values["code"],
        payload,
    )


EIGHT = "0001020304050607"
TWELVE = "AA" * 12
TAKEN = [
    (b"   2.500900 1  64              Tx   d 8 00 01 02 03 04 05 06 07",
     frame("2.5009", "can0", "64", EIGHT, rx=False)),
    (b"  17.876708 1  6F9             Rx   d 2 05 0C  Length = 240015 BitCount = 124 ID = 1785",
     frame("17.876708", "can0", "6F9", "050C")),
    (b"   2.5010 2  C8x             Rx   d 1 09",
     frame("2.501", "can1", "C8x", "09")),
    (b"3.098426 1 18EBFF00x Rx d 1 aF TE",
     frame("3.098426", "can0", "18EBFF00x", "AF")),
    (b"  13.258671 1  3FF             Tx   d D 00 01 02 03 04 05 06 07  Length = 232016 BitCount = 119",
     frame("13.258671", "can0", "3FF", EIGHT, rx=False, code=13)),
    (b"   0.003210 1  80              Rx   d 0  Length = 93914 BitCount = 51 ID = 128",
     frame("0.00321", "can0", "80")),
    (b"   2.501000 1  200             Tx   r",
     frame("2.501", "can0", "200", remote=True, rx=False, code=0)),
    (b"   2.501000 1  200             Tx   r \r",
     frame("2.501", "can0", "200", remote=True, rx=False, code=0)),
    (b"   2.501000 1  200             Rx   r  Length = 0",
     frame("2.501", "can0", "200", remote=True, code=0)),
    (b"   2.584921 3 300 Tx r 8 Length = 1704000 BitCount = 145 ID = 88888888x",
     frame("2.584921", "can2", "300", remote=True, rx=False, code=8)),
    (b"   0.004000 2  7FF             Rx   r D",
     frame("0.004", "can1", "7FF", remote=True, code=13)),
    (b"   1,000000001 1  1FFFFFFFx       Rx   d 0\r",
     frame("1.000000001", "can0", "1FFFFFFFx")),
    (b"  30.005071 CANFD   2 Rx        300  Generic_Name_12                  1 0 8  8"
     b" 00 01 02 03 04 05 06 07   102203  133   303000 e0006659 46500250 4b140250 20011736 2001040d",
     frame("30.005071", "can1", "300", EIGHT, fd=True, brs=True)),
    (b"  30.300981 CANFD   3 Tx     50005x                                0 0 5 0"
     b" 140000 73 200050 7a60 46500250 460a0250 20011736 20010205",
     frame("30.300981", "can2", "50005x", remote=True, rx=False, code=5)),
    (b"   0.006000 CANFD   1 Rx           55                                   0 1 9 12"
     + b" AA" * 12 + b"   130000  130     1000 0 0 0 0 0",
     frame("0.006", "can0", "55", TWELVE, fd=True, esi=True, code=9)),
    (b"   8.151536 CANFD   2 Tx c9  ABSdata_FD_64Byte 0 0 9 12"
     + b" AA" * 12 + b" 164000 167 121200 7ca0 500a2041 460a4841",
     frame("8.151536", "can1", "C9", TWELVE, fd=True, rx=False, code=9)),
    (b"   0.1 CANFD   1 Rx  55   0 0 0 0   130000  130     1000 0 0 0 0 0",
     frame("0.1", "can0", "55", fd=True)),
    (b"   0.1 CANFD   1 Rx  55   0 0 0 0   130000  130     0 0 0 0 0 0",
     frame("0.1", "can0", "55")),
    (b"   0.1 CANFD   1 Rx  55   0 0 2 2 01 02 130000  130   200040 0 0 0 0 0",
     frame("0.1", "can0", "55", "0102")),
    (b"   0.1 CANFD   1 Rx  55   0 0 b 8 00 01 02 03 04 05 06 07 130000  130   40 0 0 0 0 0",
     frame("0.1", "can0", "55", EIGHT, code=11)),
    (b"   0.1 CANFD   1 Rx  55   0 0 9 12" + b" AA" * 12,
     frame("0.1", "can0", "55", TWELVE, fd=True, code=9)),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), TAKEN, ids=range(len(TAKEN)))
def test_ordinary_lines_are_taken(kernel, line, expected):
    at, batch, reason = parse(kernel, line + b"\n")
    assert (at, reason) == (len(line) + 1, DONE)
    assert [facts(message) for message in batch] == [expected]


LEFT = [
    b"",
    b"// comment",
    b"date Tue Nov 14 22:13:20.123 2023",
    b"-0.5 1  64              Tx   d 1 00",
    b"0.1234567891 1  64  Tx   d 1 00",
    b"12345678901.0 1  64  Tx   d 1 00",
    b"2000000000.0 1  64  Tx   d 1 00",  # above most_seconds
    b"1 1  64  Tx   d 1 00",
    b"1.0 1  800  Tx   d 1 00",
    b"1.0 1  20000000x  Tx   d 1 00",
    b"1.0 1  000000064  Tx   d 1 00",
    b"1.0 1  64  TxRq d 1 00",
    b"1.0 1  Name  Tx   d 1 00 ID = 5",
    b"1.0 1  ErrorFrame",
    b"1.0 1  64  Tx   d 2 00",
    b"1.0 1  64  Tx   d 1 0",
    b"1.0 1  64  Tx   d 1 001",
    b"1.0 1  64  Tx   d 1 G0",
    b"1.0 1  64  Tx   d 40 00",
    b"1.0 1  64  Tx   d",
    b"1.0 1  64  Tx   x 1 00",
    b"1.0 1  64  Tx   r Data",
    b"1.0 300  64  Tx   d 1 00",
    b"1.0 1x  64  Tx   d 1 00",
    b"1.0 1  J1939TP FEE3p 6 0 0 - Rx d 1 23",
    b"1.0 1\t64\tTx\td 1 00",
    b"1.0 CANFD   Start of measurement",
    b"1.0 CANXL   1 Rx",
    b"1.0 CANFD 1  101  Tx   1 0 d 8 8 F1",
    b"1.0 CANFD 1 Rx 55 1 0 0 0 0 0 0 0 0 0 0",  # seven fields left over: the first is a name
    b"1.0 CANFD 1 Rx 55 0 0 9 8 00 01 02 03 04 05 06 07 0 0 1000 0 0 0",
    b"1.0 CANFD 1 Rx 55 0 0 1 1 00 0 0 1010 0 0 0",
    b"1.0 CANFD 1 Rx 55 0 0 1 1 00 0 0 400000 0 0 0",
    b"1.0 CANFD 1 Rx 55 0 0 1 1 00 0 0 xyz 0 0 0",
    b"1.0 CANFD 1 Rx 55 0 0 1 2 00",
    b"1.0 CANFD 1 Rx 55 2 0 1 1 00",
    b"1.0 CANFD 1 Rx 55 0 0 1 99 00",
    b"1.0 CANFD 1 Rx 55 name",
]


@pytest.mark.parametrize("line", LEFT)
def test_other_lines_are_left_where_they_begin(kernel, line):
    good = b"   0.000000 1  1               Rx   d 1 FF\n"
    at, batch, reason = parse(kernel, good + line + b"\n" + good)
    assert (at, len(batch), reason) == (len(good), 1, STRANGE)
    assert batch.payload == b"\xff"


def test_a_new_channel_is_asked_for_only_by_a_frame(kernel):
    assert parse(kernel, b"1.0 5  Statistic: D 1 R 0\n")[2] == STRANGE
    at, batch, reason = parse(kernel, b"1.0 1  5 Rx d 1 00\n1.0 2  5 Rx d 1 00\n", known=1)
    assert (at, len(batch), reason) == (19, 1, CHANNEL)


def test_a_full_batch_stops_before_the_line(kernel):
    line = b"1.0 1  5 Rx d 1 00\n"
    assert parse(kernel, line * 3, rows=2)[::2] == (2 * len(line), FULL)
    assert parse(kernel, line * 3, room=65)[::2] == (2 * len(line), FULL)


@pytest.mark.parametrize("line", [line for line, _ in TAKEN])
def test_no_cut_of_a_line_is_read_beyond(kernel, line):
    for cut in range(len(line)):
        at, _, reason = parse(kernel, line[:cut] + b"\n")
        assert reason in (DONE, STRANGE)
        assert at == (cut + 1 if reason == DONE else 0)


def test_text_without_a_newline_at_its_end_is_refused(kernel):
    with pytest.raises(ValueError, match="newline"):
        parse(kernel, b"1.0 1  5 Rx d 1 00")


def test_the_layout_of_lines(kernel):
    text = (
        b"   0.000000 1  64              Tx   d 8 00 01 02 03 04 05 06 07\n"
        b"   0.000001 2  1FFFFFFFx       Rx   d 0\n"
        b"   0.000001001 3  3FF             Rx   d D 00 01 02 03 04 05 06 07\n"
        b"   9.999999 1  C8x             Tx   r D\n"
        b"  10.000000 1  0               Rx   r 4\n"
        b"12345.000000 CANFD   1 Rx        123                                   1 1 1  1 AA"
        b"        0    0     7000        0        0        0        0        0\n"
        b"12345.000000 CANFD   2 Tx      ABCDEx                                  0 0 9 12"
        + b" AA" * 12
        + b"        0    0     1000        0        0        0        0        0\n"
    )
    batch = parse(kernel, text)[1]
    assert len(batch) == 7
    assert format_rows(kernel, batch) == (7, text)
    assert format_rows(kernel, batch, crlf=True) == (7, text.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("number", [1, 9, 10, 99, 100, 255, 12345, 65535])
def test_a_channel_of_any_number_has_its_columns(kernel, number):
    batch = parse(kernel, b"0.0 1 1 Rx d 0\n0.0 CANFD 1 Rx 1 0 0 0 0 0 0 1000 0 0 0\n")[1]
    out = bytearray(1024)
    rows, used = kernel.format(0, *batch.columns(), array("H", [number]), START, False, out)
    classic, fd = bytes(out[:used]).splitlines()
    assert rows == 2
    assert classic == f"   0.000000 {number:<2d} {'1':<15s} Rx   d 0".encode()
    assert fd.startswith(f"   0.000000 CANFD {number:3d} Rx   {'1':>8s}  {'':32s} 0 0 0  0 ".encode())


@given(
    st.lists(
        messages(kinds=("classic", "raw", "remote", "fd"), channels=st.sampled_from(CHANNELS)), max_size=8
    )
)
def test_what_is_written_is_read_as_it_was(sent):
    kernel = interpreted("asc")
    batch = MessageBatch(sent, channels=CHANNELS)
    start = min(batch.timestamp_ns, default=START)
    rows, text = format_rows(kernel, batch, start=start)
    read = MessageBatch.with_room(64, 4096, CHANNELS)
    _, filled, _ = kernel.parse(text, 0, len(text), table(), start, 10**10, 0, *read.columns())
    assert rows == filled == len(sent)
    assert [facts(message) for message in read.cut(filled)] == [facts(message) for message in sent]


@given(st.lists(messages(), max_size=8), st.booleans(), st.integers(0, 1200), st.integers(-START, START))
def test_both_forms_write_the_same(sent, crlf, room, start):
    batch = MessageBatch(sent, channels=CHANNELS)
    one, *others = (
        format_rows(kernel, batch, crlf=crlf, room=room, start=start) for kernel in every_form("asc")
    )
    assert all(other == one for other in others)


PIECES = st.sampled_from(
    [word + b" " for line, _ in TAKEN for word in line.split()]
    + [
        b"\n",
        b"\r\n",
        b"\t",
        b" ",
        b"\0",
        b"x",
        b"d",
        b"r 8",
        b"CANFD",
        b"99999999999",
        b"0.5 1 1 Rx d 1 11\n",
        b"9" * 20,
    ]
)
NOISE = st.lists(PIECES | st.binary(max_size=3), max_size=30).map(b"".join)
LINES = st.tuples(
    st.sampled_from([line for line, _ in TAKEN]), st.integers(0, 120), st.binary(min_size=1, max_size=2)
).map(lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :])


@given(st.lists(LINES | NOISE, max_size=4).map(b"\n".join), st.sampled_from([0, START, -START]))
@example(b"2.5 1 FFFFFFFFFFFFFFFF Rx d 1 00", START)
@example(b"2.5 CANFD 1 Rx 55 0 0 1 1 00 0 0 FFFFFFFFFFFFFFFF 0 0 0", START)
def test_both_forms_read_the_same_whatever_the_text(text, start):
    results = []
    for kernel in every_form("asc"):
        at, batch, reason = parse(kernel, text + b"\n", start=start, rows=3, room=200)
        results.append((at, reason, [facts(message) for message in batch], bytes(batch.payload)))
    assert all(result == results[0] for result in results)


def test_columns_that_differ_in_length_are_refused(kernel):
    batch = MessageBatch.with_room(4, 256)
    batch.can_id = array("I")
    with pytest.raises(ValueError, match="length"):
        kernel.parse(b"\n", 0, 1, table(), START, SECONDS, 0, *batch.columns())
    with pytest.raises(ValueError, match="length"):
        kernel.format(0, *batch.columns(), array("H", [1]), START, False, bytearray(256))
    with pytest.raises(ValueError, match="channels"):
        kernel.parse(b"\n", 0, 1, array("H"), START, SECONDS, 0, *MessageBatch.with_room(4, 256).columns())


def test_a_channel_that_has_no_number_is_refused(kernel):
    batch = parse(kernel, b"0.0 1 1 Rx d 0\n")[1]
    with pytest.raises(ValueError, match="channel"):
        kernel.format(0, *batch.columns(), array("H"), START, False, bytearray(256))
