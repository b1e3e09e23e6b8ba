"""What slcan adapters send, captured from their line."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.formats import open_reader
from cantools_cli.io.slcan import SlcanReader
from tests.strategies import facts, messages


def read(text: bytes, **options: Any) -> list[Message]:
    return list(SlcanReader(io.BytesIO(text), **options))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"t1238DEADBEEF00112233", "123 S 8 deadbeef00112233"),
        (b"T18DB33F13020100", "18DB33F1 X 3 020100"),
        (b"t7ff0", "7FF S 0 "),
        (b"r1234", "123 S R 4 "),
        (b"R000000010", "1 X R 0 "),
        (b"d1232aabb", "123 S F 2 aabb"),
        (b"D1FFFFFFF9" + b"11" * 12, "1FFFFFFF X F 12 " + "11" * 12),
        (b"b123F" + b"22" * 64, "123 S F BRS 64 " + "22" * 64),
        (b"B000000000", "0 X F BRS 0 "),
        (b"\at1230", "123 S 0 "),
    ],
)
def test_known_lines(line: bytes, kind: str) -> None:
    (message,) = read(line + b"\r")
    words = [
        f"{message.arbitration_id:X}",
        "X" if message.is_extended_id else "S",
        *(["R"] if message.is_remote_frame else []),
        *(["F"] if message.is_fd else []),
        *(["BRS"] if message.bitrate_switch else []),
        str(message.dlc),
        message.data.hex(),
    ]
    assert " ".join(words) == kind
    assert (message.is_rx, message.channel, message.timestamp_ns) == (True, "can0", 0)


def test_a_time_that_falls_back_is_of_the_next_minute() -> None:
    frames = read(b"t1230EA5E\rt12310100FF\rt12300000\rt12300000\rt1230FFFF\rt12300000\r")
    times = [frame.timestamp_ns // 1_000_000 for frame in frames]
    assert times == [59_998, 60_255, 120_000, 120_000, 185_535, 185_536]  # the last lap is of 65536 ms


def test_a_terminal_s_time_of_the_day_counts() -> None:
    reader = SlcanReader(io.BytesIO(b"23:59:59.999 -> t1230\n00:00:00.5 t1230EA5F\n"))
    assert [frame.timestamp_ns // 1_000_000 for frame in reader] == [86_399_999, 86_400_500]
    assert reader.notes == ["-: times of day without a date: they count from 1970-01-01"]


def test_lines_without_a_time_are_told() -> None:
    reader = SlcanReader(io.BytesIO(b"t1230\rt1230\r"))
    assert len(list(reader)) == 2
    assert reader.notes == ["-: lines without a timestamp: these frames get time 0"]


def test_the_conversation_is_passed_over() -> None:
    talk = b"\a\rz\rZ\r\rO\rC\rL\rS6\rs0123\rV1013\rNA123\rF00\rM00000000\rmFFFFFFFF\rZ1\r"
    assert len(read(talk + b"t1230\r" + talk)) == 1


@pytest.mark.parametrize("cut", range(1, 21))
def test_a_capture_may_begin_inside_a_line(cut: int) -> None:
    text = b"t1238DEADBEEF00112233\r"[cut:] + b"T000000010\rt1230\r"
    with open_reader(io.BytesIO(text)) as reader:
        assert type(reader) is SlcanReader
        assert [frame.arbitration_id for frame in reader][-2:] == [1, 0x123]


def test_what_was_dropped_at_the_beginning_is_told() -> None:
    reader = SlcanReader(io.BytesIO(b"DEADBEEF\rt1230\rDEADBEEF\r"), on_error="skip")
    assert len(list(reader)) == 1
    assert "-:1: begins inside a line, which was dropped" in reader.notes
    assert reader.skipped == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"t1239112233445566778899", "the length is 9, but a classic frame has 0 to 8 bytes"),
        (b"t123211", "2 digits after the length, not 4, or 8 with a time"),
        (b"t12321122EA5", "7 digits after the length, not 4, or 8 with a time"),
        (b"t8000", "not an slcan line"),
        (b"T200000000", "not an slcan line"),
        (b"t12G0", "not an slcan line"),
        (b"24:00:00.0 -> t1230", "invalid time of day 24:00:00"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(line: bytes, said: str) -> None:
    text = b"t1230\n" + line + b"\nt1230\n"
    with pytest.raises(FormatError) as caught:
        read(text)
    assert str(caught.value) == f'-:2: {said}: "{line.decode()}"'
    assert len(read(text, on_error="skip")) == 2


def slcan(message: Message, millis: int | None) -> bytes:
    """Return the line that an adapter sends for ``message``."""
    letter = "r" if message.is_remote_frame else "t"
    code = message.dlc
    if message.is_fd:
        letter = "b" if message.bitrate_switch else "d"
        code = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64).index(message.dlc)
    identifier = f"{message.arbitration_id:03X}"
    if message.is_extended_id:
        letter, identifier = letter.upper(), f"{message.arbitration_id:08X}"
    stamp = "" if millis is None else f"{millis:04X}"
    return f"{letter}{identifier}{code:X}{message.data.hex().upper()}{stamp}\r".encode()


@given(messages(kinds=("classic", "remote", "fd")), st.none() | st.integers(0, 59_999))
def test_what_an_adapter_sends_is_read_as_it_was(message: Message, millis: int | None) -> None:
    message.timestamp_ns, message.channel, message.is_rx = (millis or 0) * 1_000_000, "can0", True
    message.error_state_indicator = False
    (again,) = read(slcan(message, millis))
    assert facts(again) == facts(message)


@given(st.text(alphabet="tTrRdDbBzZ0123456789ABCDEFaf \r\n\a", max_size=200))
def test_text_of_the_same_letters_gives_frames_or_a_reason(text: str) -> None:
    frames = read(text.encode() + b"\rt1230\r", on_error="skip")
    assert frames[-1].arbitration_id == 0x123
