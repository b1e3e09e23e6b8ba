"""CANHacker's traces."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.canhacker import CanHackerReader
from cantools_cli.io.trc.reader import TRCReader
from tests.io.line_samples import CANHACKER
from tests.strategies import facts, messages

HEADER = b"Time   ID     DLC Data                    Comment\n"


def read(text: bytes, **options: Any) -> list[Message]:
    return list(CanHackerReader(io.BytesIO(text), **options))


def test_a_trace() -> None:
    frames = read(CANHACKER)
    assert [frame.timestamp_ns // 1_000_000 for frame in frames] == [0, 12, 59_998, 60_001, 60_002]
    assert [frame.arbitration_id for frame in frames] == [0x18EA0003, 0x301, 0x70, 0x123, 0x7FF]
    assert [frame.is_extended_id for frame in frames] == [True, False, False, True, False]
    assert [frame.data.hex() for frame in frames] == ["befe0000ffffffff", "a607ba0100151811", "", "", "ff"]
    assert [frame.is_remote_frame for frame in frames] == [False, False, True, False, False]
    assert frames[2].dlc == 4


def test_times_over_a_minute_are_not_laps() -> None:
    frames = read(HEADER + b"59.000 301 0\n61.000 301 0\n60.500 301 0\n3.0 301 0\n")
    assert [frame.timestamp_ns // 1_000_000 for frame in frames] == [59_000, 61_000, 60_500, 3_000]


def test_it_is_not_taken_for_a_trace_of_peak() -> None:
    assert not TRCReader.recognises(CANHACKER)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"00.000 301      2 A6", "the length is 2, but there are 1 data bytes"),
        (b"00.000 301      1 A6B", 'bad data byte "A6B"'),
        (b"00.000 801      0", "identifier 801 is out of range for 11 bits"),
        (b"00.000 20000000 0", "identifier 20000000 is out of range for 29 bits"),
        (b"00.000 301      9" + b" 00" * 9, "9 data bytes, but a classic frame holds 8"),
        (b"00.000 301      9 RTR", "a remote frame requests 0 to 8 bytes, not 9"),
        (b"00.000 1301     0", "not a CANHacker line"),
        (b"now 301 0", "not a CANHacker line"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(line: bytes, said: str) -> None:
    text = CANHACKER + line + b"\n" + CANHACKER
    with pytest.raises(FormatError) as caught:
        read(text)
    assert str(caught.value).startswith(f"-:7: {said}: ")
    assert len(read(text, on_error="skip")) == 10


def canhacker(message: Message) -> bytes:
    """Return the line that CANHacker writes for ``message``."""
    identifier = f"{message.arbitration_id:0{8 if message.is_extended_id else 3}X}"
    millis = message.timestamp_ns // 1_000_000
    data = "Remote Request" if message.is_remote_frame else message.data.hex(" ").upper()
    return f"{millis // 1000:02}.{millis % 1000:03} {identifier:8} {message.dlc} {data} \n".encode()


@given(messages(kinds=("classic", "remote")), st.integers(0, 59_999))
def test_what_canhacker_writes_is_read_as_it_was(message: Message, millis: int) -> None:
    message.timestamp_ns, message.channel, message.is_rx = millis * 1_000_000, "can0", True
    (again,) = read(HEADER + canhacker(message))
    assert facts(again) == facts(message)
