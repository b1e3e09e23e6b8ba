"""The kernel of BUSMASTER's log, and that its lines keep the reader's clock as plain Python does."""

from __future__ import annotations

import io
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.message import Message
from cantools_cli.io.busmaster import BusmasterReader
from cantools_cli.kernels import _lines
from tests.kernels.forms import (
    WIDE_FORMS,
    extensions,
    frames_or_refusal,
    interpreted,
    load,
    parsed,
    without_kernel,
)
from tests.strategies import facts, messages

NONE = 0xFFFF
NUMBERS = array("H", [0, 0, 1, *[NONE] * 250, 2, NONE, NONE])  # the last one is 253
SECOND = 22 * 3600 + 20 * 60 + 14
HEX = (NUMBERS, False, 0, SECOND, 10**18, 0)
DECIMAL = (NUMBERS, True, 0, SECOND, 10**18, 0)
LINE = b"22:20:14:9920 Rx 1 0x21A s 8 FE 36 12 FE 69 05 07 AD \n"
LINES = [
    LINE,
    b"22:20:14:9921 Tx 2 0x1ABCDEF0 x 3 AA bb C0\r\n",
    b"22:20:14:999 RX 253 0000021a S 0 \n",
    b"22:20:14:0  rx  0  7ff  sr  4\n",
    b"22:20:14:5 tX 2 0X1 XR 8\n",
    b"22:20:14:50 Rx 1 0x306 s-fd 12 00 11 22 33 44 55 66 77 88 99 AA BB\n",
    b"22:20:14:0001 Rx 2 0x1FFFFFFF x-FD 8 00 11 22 33 44 55 66 77 \n",
]
DECIMAL_LINES = [
    b"22:20:14:9920 Rx 1 538 s 2 254 10\n",
    b"22:20:14:9920 Rx 2 0x21A s-fd 1 007 \r\n",
    b"22:20:14:992 Tx 1 536870911 x 0\n",
    b"22:20:14:992 Tx 1 100 xr 1\n",
]
HEADER = b"***START DATE AND TIME 23:9:2015 22:20:14:100***\n"
MARKS = [
    b"***HEX***\n",
    b"***DEC***\n",
    b"***SYSTEM MODE***\n",
    b"***ABSOLUTE MODE***\n",
    b"***RELATIVE MODE***\n",
    b"***START DATE AND TIME 29:3:2015 1:59:59:999***\n",
    b"***START DATE AND TIME 1:1:9999 0:0:0:0***\n",
    b"***START DATE AND TIME 1:1:1900 0:0:0:0***\n",
    b"\n",
    b"22:20:14:992 Tx 2 ERR\n",
    b"22:20:14:992\tTx\t2\t0x1\ts\t0\n",
]
LETTERS = b"0123456789ABCDEFabcdefRTrtsxX:-* \t\r\n\x00\xff"
EDITS = st.lists(
    st.tuples(
        st.sampled_from(LINES + DECIMAL_LINES),
        st.integers(0, 60),
        st.sampled_from(LETTERS) | st.integers(0, 255),
        st.integers(0, 2),
    ),
    max_size=4,
)
CLOCKS = st.builds(
    lambda hours, minutes, seconds, fraction: b"%d:%02d:%02d:%b" % (hours, minutes, seconds, fraction),
    st.sampled_from([0, 1, 2, 3, 11, 12, 22, 23]) | st.integers(0, 999_999),
    st.sampled_from([0, 59]) | st.integers(0, 61),
    st.sampled_from([0, 59]) | st.integers(0, 61),
    st.integers(0, 9999).map(b"%d".__mod__) | st.integers(0, 9999).map(b"%04d".__mod__),
)
TIMED = st.builds(
    lambda clock, line: clock + line[line.index(b" ") :],
    CLOCKS,
    st.sampled_from(LINES + DECIMAL_LINES),
)


def spoilt(edits: list[tuple[bytes, int, int, int]]) -> bytes:
    return (
        b"".join(
            line[: at % len(line)] + bytes([letter]) * (width > 0) + line[at % len(line) + width :]
            for line, at, letter, width in edits
        ).rstrip(b"\n")
        + b"\n"
    )


def read(reader: Any, text: bytes, tz: str) -> tuple[Any, ...]:
    """Return all that a reader says of ``text``: frames, lines, faults and notes."""
    opened = reader(io.BytesIO(text), tz=tz, on_error="skip")
    found = frames_or_refusal(opened)
    return found, opened.line, opened.skipped, str(opened.first_fault), opened.notes


def as_plain(text: bytes, tz: str = "Europe/Berlin") -> None:
    """Have ``text`` read by the reader with its kernel, and by the same without."""
    assert read(BusmasterReader, text, tz) == read(without_kernel(BusmasterReader), text, tz)


def line_of(message: Message, decimal: bool) -> bytes:
    number, octet = ("%d", "%d") if decimal else ("0x%X", "%02X")
    kind = "xs"[not message.is_extended_id] + "r" * message.is_remote_frame + "-fd" * message.is_fd
    tenths = message.timestamp_ns // 100_000
    hours, minutes, seconds = tenths // 36_000_000 % 24, tenths // 600_000 % 60, tenths // 10_000 % 60
    clock = f"{hours:02}:{minutes:02}:{seconds:02}:{tenths % 10_000:04}"
    words = [clock, "TR"[message.is_rx] + "x", str(message.channel)[3:]]
    words += [
        number % message.arbitration_id,
        kind,
        str(message.dlc),
        *(octet % byte for byte in message.data),
    ]
    return " ".join(words).encode() + b" \n"


@pytest.fixture(params=WIDE_FORMS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return load("busmaster", request.param)


def test_lines_become_rows(kernel: Any) -> None:
    text = b"".join(LINES)
    answer, columns = parsed(kernel, text, *HEX)
    assert answer == (len(text), len(LINES), _lines.DONE)
    day = [SECOND * 10_000 + tenths for tenths in (9920, 9921, 9990, 0, 50, 500, 1)]
    assert list(array("q", columns[0])) == [10**18 + tenths * 100_000 for tenths in day]
    assert list(array("I", columns[1])) == [
        0x21A,
        0x9ABCDEF0,
        0x21A,
        0x400007FF,
        0xC0000001,
        0x306,
        0x9FFFFFFF,
    ]
    assert columns[2] == bytes([0, 8, 0, 0, 8, 1, 1])
    assert list(array("H", columns[3])) == [0, 1, 2, 0, 1, 0, 1]
    assert columns[4] == bytes([8, 3, 0, 4, 8, 9, 8])
    assert columns[6].hex() == "fe3612fe690507adaabbc000112233445566778899aabb0011223344556677"


def test_decimal_lines_become_rows(kernel: Any) -> None:
    text = b"".join(DECIMAL_LINES)
    answer, columns = parsed(kernel, text, *DECIMAL)
    assert answer == (len(text), len(DECIMAL_LINES), _lines.DONE)
    assert list(array("I", columns[1])) == [538, 0x21A, 0x9FFFFFFF, 0xC0000064]
    assert columns[6] == b"\xfe\x0a\x07"


def test_lines_among_others_are_read_as_alone(kernel: Any) -> None:
    for line in LINES:
        alone, among = parsed(kernel, line, *HEX), parsed(kernel, LINE * 3 + line + LINE * 3, *HEX)
        assert (alone[0][1:], among[0][1:]) == ((1, _lines.DONE), (7, _lines.DONE))
        for one, column in zip(alone[1][:5], among[1][:5], strict=True):
            assert column[3 * len(one) : 4 * len(one)] == one


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"14:9920", b"15:9920"),
        (b"22:20:14", b"22:19:74"),
        (b":9920", b":"),
        (b":9920", b":99200"),
        (b"Rx", b"Rr"),
        (b"Rx", b"rxx"),
        (b" 1 ", b" "),
        (b" 1 ", b" 256 "),
        (b" 1 ", b" 0001 "),
        (b"0x21A", b"0x"),
        (b"0x21A", b"0x800"),
        (b"0x21A", b"0x021A021A1"),
        (b"0x21A s", b"0x20000000 x"),
        (b" s ", b" s-f "),
        (b" s ", b" sf "),
        (b" s 8", b" s-fd 9"),
        (b" s 8", b" s 7"),
        (b" s 8", b" s 9"),
        (b" s 8", b" sr 8"),
        (b" AD", b" AD 00"),
        (b" AD", b""),
        (b" AD", b" A"),
        (b" AD", b"AD"),
        (b"AD \n", b"AD \r \n"),
        (b"AD \n", b"AD \r\r\n"),
        (b"FE 36", b"FE\t36"),
    ],
)
def test_other_lines_are_left_alone(kernel: Any, old: bytes, new: bytes) -> None:
    spoilt_line = LINE.replace(old, new, 1)
    for before in (b"", LINE * 2):
        rows = before.count(b"\n")
        answer, _ = parsed(kernel, before + spoilt_line + LINE * 3, *HEX)
        assert answer == (len(before), rows, _lines.STRANGE)


def test_a_new_channel_stops_at_its_line(kernel: Any) -> None:
    for line in (LINE, LINE * 4):
        text = line + LINE.replace(b" 1 ", b" 3 ") + LINE * 3
        assert parsed(kernel, text, *HEX)[0] == (len(line), line.count(b"\n"), _lines.NAME)


def test_a_full_batch_stops_at_a_line(kernel: Any) -> None:
    assert parsed(kernel, LINE * 5, *HEX, rows=2)[0] == (2 * len(LINE), 2, _lines.FULL)
    assert parsed(kernel, LINE * 5, *HEX, payload=72)[0] == (2 * len(LINE), 2, _lines.FULL)


@pytest.mark.parametrize("cut", range(1, len(LINE) - 2))
def test_a_cut_line_is_left_alone(kernel: Any, cut: int) -> None:
    text = LINE + LINE[:cut] + b"\n"
    assert parsed(kernel, text, *HEX)[0] == (len(LINE), 1, _lines.STRANGE)


def test_sums_of_times_stay_within_their_room(kernel: Any) -> None:
    tables = (NUMBERS, False, kernel.RELATIVE, -1, kernel.MAX_NS, kernel.MAX_NS - 3_500_000_000)
    text = LINE.replace(b"22:20:14:9920", b"00:00:01:0000") * 5
    answer, columns = parsed(kernel, text, *tables)
    assert answer[1:] == (3, _lines.STRANGE)
    assert array("q", columns[0])[2] == 2 * kernel.MAX_NS - 500_000_000


def test_times_that_fall_back_to_the_next_day_are_left_alone(kernel: Any) -> None:
    tables = (NUMBERS, False, kernel.SYSTEM, -1, 0, 23 * 3600 * 10**9)
    text = LINE + LINE.replace(b"22:", b"09:") + LINE
    assert parsed(kernel, text, *tables)[0] == (len(LINE), 1, _lines.STRANGE)
    assert parsed(kernel, text.replace(b"09:", b"10:"), *tables)[0][1] == 3


def test_text_must_end_with_a_newline(kernel: Any) -> None:
    with pytest.raises(ValueError, match="newline"):
        parsed(kernel, LINE[:-1], *HEX)
    with pytest.raises(ValueError, match="channels"):
        parsed(kernel, LINE, array("H"), *HEX[1:])


def test_all_but_the_first_line_of_a_second_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    left = []
    plain = BusmasterReader._line
    monkeypatch.setattr(
        BusmasterReader, "_line", lambda self, line, reason: left.append(line) or plain(self, line, reason)
    )
    text = HEADER + LINE * 50 + LINE.replace(b"14:", b"15:").replace(b" 1 ", b" 2 ") * 50
    assert len(list(BusmasterReader(io.BytesIO(text), tz="UTC"))) == 100
    assert len(left) == 3
    left.clear()
    text = text.replace(b"\n", b"\n***RELATIVE MODE***\n", 1)
    assert len(list(BusmasterReader(io.BytesIO(text), tz="UTC"))) == 100
    assert len(left) == 3


@pytest.mark.parametrize("tables", [HEX, DECIMAL])
@given(edits=EDITS)
def test_all_forms_read_noise_alike(
    tables: tuple[Any, ...], edits: list[tuple[bytes, int, int, int]]
) -> None:
    for text in (spoilt(edits), LINE * 2 + spoilt(edits) + LINE * 3):
        wanted = parsed(interpreted("busmaster"), text, *tables)
        for kernel in extensions("busmaster"):
            assert parsed(kernel, text, *tables) == wanted


@given(st.sampled_from([b"", *MARKS[:5]]), EDITS)
def test_plain_python_reads_the_same_without_the_kernel(
    mark: bytes, edits: list[tuple[bytes, int, int, int]]
) -> None:
    as_plain(HEADER + mark + LINE + spoilt(edits) + LINE * 3)
    as_plain(HEADER + mark + LINE * 2 + spoilt(edits).rstrip(b"\n"))


@given(st.lists(st.sampled_from(MARKS) | TIMED | st.sampled_from(LINES), max_size=12), st.booleans())
def test_the_clock_goes_as_without_the_kernel(lines: list[bytes], dated: bool) -> None:
    text = b"***BUSMASTER***\n" + HEADER * dated + b"".join(lines)
    for tz in ("UTC", "Europe/Berlin"):
        as_plain(text, tz)


@given(
    st.lists(
        messages(
            kinds=("classic", "remote", "fd"),
            channels=st.sampled_from(["can1", "can2", "can17", "can999"]),
            times=st.integers(0, 10**12),
        ),
        max_size=8,
    ),
    st.booleans(),
    st.booleans(),
)
def test_frames_are_read_as_without_the_kernel(frames: list[Message], decimal: bool, lower: bool) -> None:
    for message in frames:  # what the format does not have
        message.bitrate_switch = message.error_state_indicator = False
    lines = b"".join(line_of(message, decimal) for message in frames)
    mark = b"***DEC***\n" if decimal else b"***HEX***\n"
    text = HEADER + mark + b"***ABSOLUTE MODE***\n" + (lines.lower() if lower else lines)
    as_plain(text)
    found = read(BusmasterReader, text, "UTC")
    assert [fact[2:] for fact in found[0]] == [facts(message)[2:] for message in frames]
    assert found[2] == 0


@pytest.mark.parametrize("line", [LINE, LINES[1], LINES[5]])
def test_a_line_with_any_byte_damaged_is_read_as_without_the_kernel(line: bytes) -> None:
    text = [HEADER + LINE * 2]
    for at in range(len(line)):
        for byte in b"\0 \n\r09:@AFGRTXafgrstx\xff":
            text.append(line[:at] + bytes([byte]) + line[at + 1 :] + LINE)
    as_plain(b"".join(text) + LINE * 3)
