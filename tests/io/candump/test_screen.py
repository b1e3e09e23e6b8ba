"""What candump prints on a screen, all forms."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.candump.log import CanutilsLogReader
from cantools_cli.io.candump.screen_reader import ScreenLines
from cantools_cli.io.frame_text import format_frame
from tests.strategies import facts, messages

# line, nanoseconds, frame, sent
LINES = [
    ("  can0  123   [3]  01 02 03", 0, "123#010203", False),
    (" (1700000000.123456)  can0  123   [3]  01 02 03", 1700000000123456000, "123#010203", False),
    (" (1700000000.123456789)  can0  123   [3]  01 02 03", 1700000000123456789, "123#010203", False),
    (" (2023-11-14 22:13:20.123456)  can0  123   [3]  01 02 03", 1700000000123456000, "123#010203", False),
    (
        " (000.001000)  can0  00000123   [8]  01 02 03 04 05 06 07 08",
        1_000_000,
        "00000123#0102030405060708",
        False,
    ),
    ("  can0  RX - -  123   [3]  01 02 03", 0, "123#010203", False),
    (
        "  can0  TX B E  123  [12]  01 02 03 04 05 06 07 08 09 0A 0B 0C",
        0,
        "123##30102030405060708090A0B0C",
        True,
    ),
    ("  can0  RX - E  123  [00]", 0, "123##2", False),
    ("  can0  055  [01]  AA", 0, "055##0AA", False),
    ("  can0  123   [0]", 0, "123#", False),
    ("  can0  123   [0] ", 0, "123#", False),
    ("  can0  123   [4]  remote request", 0, "123#R4", False),
    ("  can0  123   [0]  remote request", 0, "123#R", False),
    ("  can0  123   {D}  remote request", 0, "123#R8_D", False),
    ("  can0  123   {B}  11 22 33 44 55 66 77 88", 0, "123#1122334455667788_B", False),
    ("  can0  123   {2}  11 22", 0, "123#1122", False),
    (
        "  can0  20000004   [8]  00 04 00 00 00 00 00 00   ERRORFRAME",
        0,
        "20000004#0004000000000000",
        False,
    ),
    (
        "  can0  00000123   [8]  4A 94 E8 2A EC 58 55 62   'J..*.XUb'",
        0,
        "00000123#4A94E82AEC585562",
        False,
    ),
    ("  can0  123   [2]  AA BB                     'AB CD'", 0, "123#AABB", False),
    ("  can0  123   [3]  03`02`01", 0, "123#010203", False),
    ("  can0  123   [3]  03`02`01                  `...`", 0, "123#010203", False),
    ("  can0  123   [2]  01001010 10000000", 0, "123#4A80", False),
    (
        "  can0       123 [0007] (45|81:01:12345678) 11 22 33 44 55 66 77",
        0,
        "45123#81:01:12345678#11223344556677",
        False,
    ),
    ("  can0  TX - R       123 [0001] (45|82:01:12345678) 11", 0, "45123#82:01:12345678#11", True),
    ("  can0  123   [2]  10000000`01001010", 0, "123#4A80", False),
    ("(1700000000.123456)  can0       123   [3]  01 02 03   '...'", 1700000000123456000, "123#010203", False),
    ("\x1b[31m (1700000000.5)  can0  123   [1]  01\x1b[0m", 1700000000500000000, "123#01", False),
    ("<0x18eeff01> [8] 05 a0 be 1c 00 a0 a0 c0", 0, "18EEFF01#05A0BE1C00A0A0C0", False),
    ("<0x123> [0] ", 0, "123#", False),
    ("<0x7ff> [4] remote request", 0, "7FF#R4", False),
    ("<0x00000123> [1] 0a ", 0, "00000123#0A", False),
    ("|\x08/\x08  can0  123   [1]  01", 0, "123#01", False),
]
REFUSED = [
    ("  can0  123   [3]  01 02", "the length is 3, but there are 2 data bytes"),
    ("  can0  123   [2]  01 02 03", '"03" after 2 data bytes'),
    ("  can0  123   [2]  01 0G", 'bad data byte "0G"'),
    ("  can0  123   [9]  01 02 03 04 05 06 07 08 09", "9 data bytes, but a classic frame holds 8"),
    ("  can0  123  [09]  01 02 03 04 05 06 07 08 09", "9 is not a CAN FD length"),
    ("  can0  FFF   [0]", "identifier FFF is out of range"),
    ("  can0  40000001   [0]", "out of range"),
    ("  can0  1234   [0]", "not a candump line"),
    ("  can0  123 [0007] (45|81:01:12345678) 11 22 33", "the length is 7, but there are 3 data bytes"),
    ("  can0  123 [0100] (45|81:01:12345678) 11 22 ...", "truncated CAN XL frame"),
    ("  can0  123 [0001] (45|81:01:1234567) 11", "no CAN XL frame such as"),
    ("  can0  00000123 [0001] (45|81:01:12345678) 11", "no CAN XL frame such as"),
    ("  can0  123 [2049] (45|81:01:12345678)" + " 11" * 2049, "2049 data bytes, but a CAN XL frame holds"),
    (" (2023-13-14 22:13:20.123456)  can0  123   [0]", "invalid date"),
]


def read(text: str, **options: str) -> list[Message]:
    return list(CanutilsLogReader(io.BytesIO(text.encode()), **{"tz": "UTC", **options}))


def times(text: str) -> list[int]:
    return [message.timestamp_ns // 1000 for message in read(text)]


@pytest.mark.parametrize(("line", "time", "frame", "sent"), LINES)
def test_known_lines(line: str, time: int, frame: str, sent: bool) -> None:
    assert ScreenLines.recognises(line.encode())
    assert CanutilsLogReader.recognises(line.encode())
    (message,) = read(line)
    assert (message.timestamp_ns, message.channel, message.is_rx) == (time, "can0", not sent)
    assert format_frame(message) == frame


@pytest.mark.parametrize(("line", "said"), REFUSED)
def test_what_is_wrong_is_said_with_the_line(line: str, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(f"{LINES[0][0]}\n{line}\n")
    assert str(caught.value).startswith("-:2: ")
    assert said in str(caught.value)


def test_explanations_of_error_frames_are_no_frames() -> None:
    frame = "  can0  20000004   [8]  00 04 00 00 00 00 00 00   ERRORFRAME\n"
    frames = read(f"{frame}\tcontroller-problem{{rx-error-warning}}\n{frame}")
    assert [message.is_error_frame for message in frames] == [True, True]


def test_lines_without_a_time_are_noted_once() -> None:
    reader = CanutilsLogReader(io.BytesIO(b"  can0  123   [0]\n" * 3))
    assert [message.timestamp_ns for message in reader] == [0, 0, 0]
    assert reader.notes == ["candump lines without timestamps: all frames get time 0"]


def test_dates_are_in_the_zone_that_was_asked_for() -> None:
    (message,) = read(LINES[3][0], tz="Europe/Berlin")
    assert message.timestamp_ns == (1700000000 - 3600) * 1_000_000_000 + 123456000


def lines(*stamps: str) -> str:
    return "".join(f" ({stamp})  can0  123   [0]\n" for stamp in stamps)


def test_times_from_the_first_frame_stay() -> None:
    assert times(lines("000.000000", "000.001000", "000.002500", "001.000000")) == [0, 1000, 2500, 1_000_000]


def test_differences_add_up() -> None:
    text = lines("000.000000", "000.001000", "000.002500", "000.000500", "010.000000", "000.000001")
    assert times(text) == [0, 1000, 3500, 4000, 10_004_000, 10_004_001]


def test_equal_differences_add_up() -> None:
    assert times(lines("000.000000", *["000.100000"] * 3)) == [0, 100_000, 200_000, 300_000]


def test_a_few_frames_out_of_order_are_no_differences() -> None:
    stamps = [f"{number // 10:03d}.{number % 10}00000" for number in range(60)]
    stamps.insert(40, stamps.pop(41))
    assert times(lines(*stamps))[-1] == 5_900_000


def test_differences_are_found_where_lines_come_one_by_one() -> None:
    screen = ScreenLines("UTC", print)
    stamps = ("000.000000", "000.002000", "000.001000", "000.005000")
    frames = [screen.read(f" ({stamp})  can0  123   [0]".encode()) for stamp in stamps]
    assert [message.timestamp_ns // 1000 for message in frames if message] == [0, 2000, 3000, 8000]


def test_log_and_screen_lines_may_be_mixed() -> None:
    text = "(1.0) can0 123#01\n  can1  123   [1]  02\n(2.0) can0 123#03\n"
    assert [(message.channel, message.data[0]) for message in read(text)] == [
        ("can0", 1),
        ("can1", 2),
        ("can0", 3),
    ]


@given(st.text("0123456789ABF []{}()'`.\t\x1b\x08canRTX-E", max_size=50))
def test_noise_is_a_frame_or_a_format_error(text: str) -> None:
    assert len(read(f"  can0  123   [0]\n{text}\n  can0  123   [0]\n", on_error="skip")) >= 2


@pytest.mark.skipif(shutil.which("log2long") is None, reason="can-utils is not installed")
def test_what_log2long_prints_is_read(tmp_path: Path) -> None:
    @given(st.lists(messages(kinds=("classic", "remote", "error"), times=st.integers(10**9, 2 * 10**9))))
    def check(frames: list[Message]) -> None:
        for message in frames:
            message.timestamp_ns *= 1_000_000_000
            message.is_rx = True
            if message.is_error_frame:  # it shows all of them with 8 digits and 8 bytes
                message.is_extended_id = True
                message.data, message.dlc = bytearray(message.data.ljust(8, b"\0")), 8
        log = "".join(
            f"({message.timestamp_ns // 1_000_000_000}.000000) {message.channel} {format_frame(message)}\n"
            for message in frames
        )
        result = subprocess.run(["log2long"], input=log.encode(), capture_output=True, check=True, timeout=10)
        back = list(CanutilsLogReader(io.BytesIO(result.stdout)))
        assert [facts(message) for message in back] == [facts(message) for message in frames]

    check()


@pytest.mark.parametrize(
    ("mode", "stamps", "start"),
    [
        ("-ta", "1700000000.100000 1700000000.200500 1700000000.300000 1700000100.300000", 1700000000100000),
        ("-td", "000.000000 000.100500 000.099500 100.000000", 0),
        ("-tz", "000.000000 000.100500 000.200000 100.200000", 0),
        (
            "-tA",
            "2023-11-14_22:13:20.100000 2023-11-14_22:13:20.200500 2023-11-14_22:13:20.300000 "
            "2023-11-14_22:15:00.300000",
            1700000000100000,
        ),
        (
            "-ta -N",
            "1700000000.100000000 1700000000.200500000 1700000000.300000000 1700000100.300000000",
            None,
        ),
        ("-td -N", "000.000000000 000.100500000 000.099500000 100.000000000", None),
        ("-tz -N", "000.000000000 000.100500000 000.200000000 100.200000000", None),
        (
            "-tA -N",
            "2023-11-14_22:13:20.100000000 2023-11-14_22:13:20.200500000 2023-11-14_22:13:20.300000000 "
            "2023-11-14_22:15:00.300000000",
            None,
        ),
    ],
)
def test_all_modes_of_times_tell_the_same(mode: str, stamps: str, start: int | None) -> None:
    found = times(lines(*(stamp.replace("_", " ") for stamp in stamps.split())))
    assert [time - found[0] for time in found] == [0, 100_500, 200_000, 100_200_000]
    assert start in (None, found[0])


def test_dates_go_on_after_midnight_and_through_the_end_of_daylight_saving() -> None:
    midnight = lines("2023-11-14 23:59:59.999999", "2023-11-15 00:00:00.000000")
    assert times(midnight)[1] - times(midnight)[0] == 1
    first, last = read(lines("2023-10-29 00:30:00.0", "2023-10-29 03:30:00.0"), tz="Europe/Berlin")
    assert last.timestamp_ns - first.timestamp_ns == 4 * 3600 * 1_000_000_000
