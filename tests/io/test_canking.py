"""The text of Kvaser CANKing."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.message import Message
from cantools_cli.io.canking import CanKingReader
from cantools_cli.io.formats import open_reader
from tests.io.line_samples import CANKING
from tests.strategies import MICROSECONDS, facts, messages

HEADER = b"Chn Identifier Flg   DLC  D0...1...2...3...4...5...6..D7       Time     Dir\n"


def read(text: bytes, **options: Any) -> list[Message]:
    return list(CanKingReader(io.BytesIO(text), **options))


def test_a_log() -> None:
    frames = read(CANKING)
    assert [f"{frame.arbitration_id:X}" for frame in frames] == [
        "CFBFFDB",
        "7E0",
        "123",
        "18DB33F1",
        "80",
        "123",
        "1FFFFFFF",
    ]
    assert [frame.is_extended_id for frame in frames] == [True, False, False, True, False, False, True]
    assert [frame.is_remote_frame for frame in frames] == [False, False, True, True, False, False, False]
    assert [frame.dlc for frame in frames] == [8, 3, 4, 0, 8, 2, 0]
    assert [frame.is_rx for frame in frames] == [True, False, True, True, True, True, False]
    assert [frame.channel for frame in frames] == ["can0", "can1", "can0", "can0", "can0", "can0", "can2"]
    assert frames[0].timestamp_ns == 100_000_139_000
    assert frames[0].data.hex() == "1b3120ebb3ffd9ff"
    assert frames[4].is_error_frame
    assert frames[5].data.hex() == "01ff"  # decimal


def test_a_file_without_its_header_is_recognised() -> None:
    with open_reader(io.BytesIO(b"".join(CANKING.splitlines(keepends=True)[1:]))) as reader:
        assert type(reader) is CanKingReader
        assert len(list(reader)) == 7


def test_a_base_that_was_asked_for_holds_for_all() -> None:
    line = b" 0         123         2  01  10       1.000000 R\n"
    (message,) = read(HEADER + line, base="hex")
    assert (message.arbitration_id, message.data.hex()) == (0x123, "0110")
    with pytest.raises(FormatError, match='bad decimal data byte "01"') as caught:
        read(HEADER + line)
    assert caught.value.hint == "--from canking,base=hex reads identifiers and data as hexadecimal"
    (message,) = read(HEADER + line.replace(b" 01", b"  1"), base="dec")
    assert (message.arbitration_id, message.data.hex()) == (123, "010a")
    with pytest.raises(UsageError, match='unknown base "oct"'):
        read(HEADER, base="oct")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b" 0    00000800         0     1.000000 R", "identifier 800 is out of range for 11 bits"),
        (b" 0    00000123         2  01     1.000000 R", "the length is 2, but there are 1 data bytes"),
        (b" 0    00000123         9" + b"  01" * 9 + b"   1.000000 R", "9 data bytes, but a classic frame"),
        (b" 0    00000123 R       9     1.000000 R", "a remote frame requests 0 to 8 bytes, not 9"),
        (b" 0    00000123 Q       0     1.000000 R", 'unknown flags "Q"'),
        (b" 0    00000123         1  100     1.000000 R", 'bad data byte "100"'),
        (b" 0         12A         0     1.000000 R", '"12A" is not decimal'),
        (b" 0         123         1  256     1.000000 R", 'bad decimal data byte "256"'),
        (b" 0    00000123         0     1.000000 X", "not a CANKing line"),
        (b"WinNo P   PGN SA  DA Flg   Len", "not a CANKing line"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(line: bytes, said: str) -> None:
    text = CANKING + line + b"\n" + CANKING
    with pytest.raises(FormatError) as caught:
        read(text)
    assert str(caught.value).startswith(f"-:10: {said}")
    assert len(read(text, on_error="skip")) == 14


def canking(message: Message, base: str) -> bytes:
    """Return the line that CANKing writes for ``message``."""
    flags = ("X" if message.is_extended_id else " ") + ("R" if message.is_remote_frame else " ")
    number, octet = ("08X", "02X") if base == "hex" else ("8d", "d")
    data = "".join(f"{format(value, octet):>4}" for value in message.data)
    stamp = "{}.{:06d}".format(*divmod(message.timestamp_ns // 1000, 1_000_000))
    head = f"{str(message.channel)[3:]:>2}    {message.arbitration_id:{number}} {flags:6} {message.dlc:2}"
    return f"{head}{data:<35}{stamp:>14} {'R' if message.is_rx else 'T'}\n".encode()


@given(messages(kinds=("classic", "remote"), times=MICROSECONDS))
def test_what_canking_writes_is_read_as_it_was(message: Message) -> None:
    message.channel = f"can{message.arbitration_id % 9}"
    for base in ("hex", "dec"):
        (again,) = read(HEADER + canking(message, base), base=base)
        assert facts(again) == facts(message)
