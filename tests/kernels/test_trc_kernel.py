from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.bits import CAN_ERR_FLAG
from tests.kernels.forms import FORMS, load
from tests.strategies import facts, messages

START = 1_700_000_000_000_000_000
DONE, FULL, STRANGE, CHANNEL = range(4)
NO_CHANNEL = 0xFFFF
CHANNELS = ("can0", "can1", "can2")
NEW, OLD, LENGTHS = b"NOTBIdRLD", b"NOBtIRlD", b"NOTIdlD"
VERSIONS = {100: b"NOIlD", 101: b"NOtIlD", 102: b"NOBtIlD", 103: OLD, 200: LENGTHS, 201: NEW}


@pytest.fixture(params=FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("trc", request.param)


def table(known: int = 3) -> array[int]:
    numbers = array("H", [NO_CHANNEL]) * 256
    for number in range(known):
        numbers[number + 1] = number
    return numbers


def layout(kernel: Any, columns: bytes) -> bytes:
    known: bytes = kernel.LAYOUTS.get(columns, kernel.NO_LAYOUT)
    return known


def parse(
    kernel: Any,
    text: bytes,
    columns: bytes = NEW,
    *,
    rows: int = 64,
    room: int = 4096,
    known: int = 3,
    start: int = START,
    most: int = 9 * 10**12,
) -> tuple[int, MessageBatch, int]:
    batch = MessageBatch.with_room(rows, room, CHANNELS)
    at, filled, reason = kernel.parse(
        text, 0, len(text), columns, layout(kernel, columns), table(known), start, most, 0, *batch.columns()
    )
    return at, batch.cut(filled), reason


def format_rows(
    kernel: Any,
    batch: MessageBatch,
    version: int = 201,
    *,
    start: int = START,
    number: int = 1,
    room: int = 1 << 16,
) -> tuple[int, bytes, int]:
    out = bytearray(room)
    numbers = array("H", range(1, len(batch.channels) + 1))
    rows, used, rounded = kernel.format(
        0, *batch.columns(), numbers, start, version, layout(kernel, VERSIONS[version]), number, out
    )
    return rows, bytes(out[:used]), rounded


TAKEN = [
    (NEW, b"      1      1059.900 DT 1      0300 Rx -  2    00 ff ", (1_059_900_000, "can0", 0x300, False)),
    (NEW, b"1 1,0 DT 3 00000300 Tx - 13 00 11 22 33 44 55 66 77\r", (1_000_000, "can2", 0x300, True)),
    (NEW, b"      5      1334.416123 FD 1      0500 Tx -  9    01 02 03 04 05 06 07 08 09 0A 0B 0C \r",
     (1_334_416_123, "can0", 0x500, False)),
    (NEW, b"5 1 BI 2 1FFFFFFF Rx - 0", (1_000_000, "can1", 0x1FFFFFFF, True)),
    (NEW, b"     12     48937.600 RR 1      0704 Rx -  1    ", (48_937_600_000, "can0", 0x704, False)),
    (OLD, b"     1)     17535.400 1  Tx    00000100 -  1    7F", (17_535_400_000, "can0", 0x100, True)),
    (OLD, b"     1)     17535.400 1  Rx        0100 -  1    RTR ", (17_535_400_000, "can0", 0x100, False)),
    (b"NOIlD", b"     1)      1841      0001  0  ", (1_841_000_000, "can0", 1, False)),
    (LENGTHS, b"5 1334.416 FE 500 Tx 12 01 02 03 04 05 06 07 08 09 0A 0B 0C",
     (1_334_416_000, "can0", 0x500, False)),
    (b"ITlOD", b"500 FB 0 2.5", (2_500_000, "can0", 0x500, False)),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "line", "expected"), TAKEN)
def test_ordinary_lines_are_taken(kernel, columns, line, expected):
    at, batch, reason = parse(kernel, line + b"\n", columns)
    assert (at, reason) == (len(line) + 1, DONE)
    (message,) = batch
    found = (
        message.timestamp_ns - START,
        message.channel,
        message.arbitration_id,
        message.is_extended_id,
    )
    assert found == expected


LEFT = [
    b"",
    b";comment",
    b"1 -1.0 DT 1 0300 Rx - 0",
    b"1 1.0000000 DT 1 0300 Rx - 0",
    b"1 1. DT 1 0300 Rx - 0",
    b"1 5000000000.0 DT 1 0300 Rx - 0",  # as long as most milliseconds
    b"1 12345678901234567.0 DT 1 0300 Rx - 0",
    b"1 1.0 ER 1 - Rx - 5 04 01 02 00 00",
    b"1 1.0 ST 1 - Rx - 4 00 00 00 04",
    b"1 1.0 D",
    b"1 1.0 DT",
    b"1 1.0 DTX 1 0300 Rx - 0",
    b"1 1.0 DT - 0300 Rx - 0",
    b"1 1.0 DT 256 0300 Rx - 0",
    b"1 1.0 DT 1 0800 Rx - 0",
    b"1 1.0 DT 1 20000000 Rx - 0",
    b"1 1.0 DT 1 000000300 Rx - 0",
    b"1 1.0 DT 1 0300 Rx 7 0",
    b"1 1.0 DT 1 0300 R - 0",
    b"1 1.0 DT 1 0300 Rx - 16",
    b"1 1.0 DT 1 0300 Rx - 100",
    b"1 1.0 DT 1 0300 Rx - 1",
    b"1 1.0 DT 1 0300 Rx - 1 0",
    b"1 1.0 DT 1 0300 Rx - 1 0G",
    b"1 1.0 DT 1 0300 Rx - 1 01 02",
    b"1 1.0 DT 1 0300 Rx - 2 0102",
    b"1 1.0 DT 1 0300 Rx - 2 01  02",
    b"1 1.0 FD 1 0300 Rx - 0 RTR",
    b"1 1.0 RR 1 0300 Rx - 1 01",
    b"1\t1.0 DT 1 0300 Rx - 0",
    b"1 1.0 DT 1 0300 Rx - 0\t",
    b"1) 1.0 Rx 0300 0",
    b"1 1.0 DT 0 0300 Rx",
]


@pytest.mark.parametrize("line", LEFT)
def test_other_lines_are_left_where_they_begin(kernel, line):
    good = b"1 0.0 DT 1 0300 Rx - 1 FF\n"
    at, batch, reason = parse(kernel, good + line + b"\n" + good, most=5_000_000_000)
    assert (at, len(batch), reason) == (len(good), 1, STRANGE)
    assert batch.payload == b"\xff"


@pytest.mark.parametrize("length", [9, 63, 65])
def test_a_length_that_can_fd_has_not_is_left(kernel, length):
    line = b"5 1.0 FD 500 Tx %d" % length + b" 00" * length + b"\n"
    assert parse(kernel, line, LENGTHS)[::2] == (0, STRANGE)


def test_a_new_bus_is_asked_for_only_by_a_frame(kernel):
    assert parse(kernel, b"1 0.0 ER 5 - Rx - 5 04 01 02 00 00\n")[2] == STRANGE
    line = b"1 0.0 DT 1 0300 Rx - 1 FF\n"
    at, batch, reason = parse(kernel, line + line.replace(b" 1 0300", b" 2 0300"), known=1)
    assert (at, len(batch), reason) == (len(line), 1, CHANNEL)
    assert batch.payload == b"\xff"


def test_a_full_batch_stops_before_the_line(kernel):
    line = b"1 0.0 DT 1 0300 Rx - 1 FF\n"
    assert parse(kernel, line * 3, rows=2)[::2] == (2 * len(line), FULL)
    assert parse(kernel, line * 3, room=65)[::2] == (2 * len(line), FULL)


@pytest.mark.parametrize(("columns", "line", "expected"), TAKEN)
def test_no_cut_of_a_line_is_read_beyond(kernel, columns, line, expected):
    for cut in range(len(line)):
        at, _, reason = parse(kernel, line[:cut] + b"\n", columns)
        assert reason in (DONE, STRANGE)
        assert at == (cut + 1 if reason == DONE else 0)


def test_buffers_that_do_not_fit_are_refused(kernel):
    with pytest.raises(ValueError, match="newline"):
        parse(kernel, b"1 0.0 DT 1 0300 Rx - 0")
    with pytest.raises(ValueError, match="last column"):
        parse(kernel, b"\n", b"NOD1")
    with pytest.raises(ValueError, match="last column"):
        parse(kernel, b"\n", b"D")
    batch = MessageBatch.with_room(4, 256)
    with pytest.raises(ValueError, match="channels"):
        kernel.parse(b"\n", 0, 1, NEW, kernel.NO_LAYOUT, array("H"), START, 1, 0, *batch.columns())
    batch.can_id = array("I")
    with pytest.raises(ValueError, match="length"):
        kernel.parse(b"\n", 0, 1, NEW, kernel.NO_LAYOUT, table(), START, 1, 0, *batch.columns())
    with pytest.raises(ValueError, match="length"):
        kernel.format(0, *batch.columns(), array("H", [1]), START, 201, kernel.NO_LAYOUT, 1, bytearray(256))


@pytest.mark.parametrize("number", [1, 999_999, 1_000_000, 9_999_999, 10_000_000, 10**17])
@pytest.mark.parametrize("version", VERSIONS)
def test_lines_are_numbered_in_their_column_or_beyond(kernel, version, number):
    batch = parse(kernel, b"1 0.0 DT 1 0300 Rx - 1 FF\n" * 2)[1]
    lines = format_rows(kernel, batch, version, number=number)[1].splitlines()
    mark, width = (")", 6) if version < 200 else ("", 7)
    for at, line in enumerate(lines):
        prefix = f"{number + at:{width}d}{mark}  "
        assert line.decode().startswith(prefix)
        assert parse(kernel, line + b"\n", VERSIONS[version])[2] == DONE


@pytest.mark.parametrize(("version", "step"), [(100, 1_000_000), (101, 100_000), (102, 1000), (103, 1000)])
def test_what_is_too_fine_is_rounded_and_counted(kernel, version, step):
    batch = parse(kernel, b"1 0.0 DT 1 0300 Rx - 0\n" * 4)[1]
    batch.timestamp_ns = array("q", [START, START + step // 2, START + step // 2 - 1, START + 2 * step])
    rows, text, rounded = format_rows(kernel, batch, version)
    assert (rows, rounded) == (4, 2)
    times = parse(kernel, text, VERSIONS[version])[1].timestamp_ns
    assert [time - START for time in times] == [0, step, 0, 2 * step]


def test_rows_for_the_caller_stop_it(kernel):
    for change in ("error", "early", "fd"):
        batch = parse(kernel, b"1 0.0 DT 1 0300 Rx - 0\n" * 3)[1]
        if change == "error":
            batch.can_id[1] |= CAN_ERR_FLAG
        elif change == "early":
            batch.timestamp_ns[1] -= 1
        else:
            batch.flags[1] = 1
        assert format_rows(kernel, batch, 103)[0] == 1
    batch.flags[1] = 0
    batch.channel[1] = 3
    with pytest.raises(ValueError, match="channel"):
        format_rows(kernel, batch)


@pytest.mark.parametrize("version", VERSIONS)
@given(
    sent=st.lists(messages(kinds=("classic", "remote", "fd"), channels=st.sampled_from(CHANNELS)), max_size=8)
)
def test_what_is_written_is_read_as_it_was(version, sent):
    kernel = load("trc", FORMS[0])
    sent = [one for one in sent if version >= 200 or not one.is_fd]
    start = min((one.timestamp_ns for one in sent), default=START)
    rows, text, _ = format_rows(kernel, MessageBatch(sent, channels=CHANNELS), version, start=start)
    at, batch, _ = parse(kernel, text, VERSIONS[version], start=start)
    assert (rows, at) == (len(sent), len(text))
    # without time, channel and direction, which some versions lose
    assert [facts(one)[2:9] + facts(one)[10:] for one in batch] == [
        facts(one)[2:9] + facts(one)[10:] for one in sent
    ]
    if version == 201:
        assert [facts(one) for one in batch] == [facts(one) for one in sent]


@given(
    st.lists(messages(), max_size=8),
    st.sampled_from([*VERSIONS]),
    st.integers(0, 1200),
    st.sampled_from([0, START, -START]),
    st.sampled_from([1, 123_456_789, 10**18]),
)
def test_both_forms_write_the_same(sent, version, room, start, number):
    batch = MessageBatch(sent, channels=CHANNELS)
    one, two = (
        format_rows(load("trc", form), batch, version, start=start, number=number, room=room)
        for form in FORMS
    )
    assert one == two


WORDS = st.sampled_from([word + b" " for _, line, _ in TAKEN for word in line.split()])


def with_data(columns: bytes) -> bytes:
    return columns if columns.endswith(b"D") and len(columns) > 1 else b"N" + columns + b"D"


PIECES = WORDS | st.sampled_from([b"\n", b"\r\n", b"\t", b"\0", b"-", b"9" * 20, b"F" * 16, b"RTR"])
NOISE = st.lists(PIECES | st.binary(max_size=3), max_size=30).map(b"".join)
DAMAGED = st.tuples(
    st.sampled_from([line for _, line, _ in TAKEN]), st.integers(0, 60), st.binary(min_size=1, max_size=2)
).map(lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :])


@given(
    st.lists(DAMAGED | NOISE, max_size=4).map(b"\n".join),
    st.sampled_from([columns for columns, _, _ in TAKEN]) | st.binary(min_size=1, max_size=6),
    st.sampled_from([0, START, -START]),
)
@example(b"1 1.0 DT 1 " + b"F" * 20, NEW, START)
@example(b"1 " + b"9" * 40, NEW, START)
def test_both_forms_read_the_same_whatever_the_text(text, columns, start):
    results = []
    for form in FORMS:
        at, batch, reason = parse(
            load("trc", form), text + b"\n", with_data(columns), start=start, rows=3, room=200
        )
        results.append((at, reason, [facts(message) for message in batch], bytes(batch.payload)))
    assert results[0] == results[1]
