"""Logs that firmware prints on its serial port."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.candump.log import CanutilsLogReader
from cantools_cli.io.serial_log import SerialLogReader
from tests.io.line_samples import SERIAL
from tests.strategies import facts, messages


def read(text: bytes, **options: Any) -> list[Message]:
    return list(SerialLogReader(io.BytesIO(text), **options))


def test_a_log() -> None:
    reader = SerialLogReader(io.BytesIO(SERIAL))
    frames = list(reader)
    assert [frame.timestamp_ns // 1_000_000 for frame in frames] == [683_700, 683_712, 684_000, 684_010]
    assert [frame.arbitration_id for frame in frames] == [0x7E0, 0x18DAF110, 0x1F, 0x123]
    assert [frame.is_extended_id for frame in frames] == [False, True, False, False]
    assert [(frame.channel, frame.is_rx) for frame in frames] == [
        ("can0", True),
        ("can1", False),
        ("can2", True),
        ("can0", True),
    ]
    assert frames[0].data.hex() == "0319028f00000000"
    assert [(frame.is_fd, frame.dlc) for frame in frames] == [(False, 8), (False, 2), (False, 0), (True, 12)]
    assert reader.notes == ["-: frames that the device did not print: 12 left out"]


def test_rx_and_tx_are_directions_not_names_of_channels() -> None:
    assert not CanutilsLogReader.recognises(SERIAL)
    assert CanutilsLogReader.recognises(SERIAL.replace(b"RX0", b"RXbus").replace(b"7E0", b"123"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"(1.00) RX0 7E0 [2] 01", "the length is 2, but there are 1 data bytes"),
        (b"(1.00) RX0 7E0 [1] 100", 'bad data byte "100"'),
        (b"(1.00) RX0 20000000 [0]", "identifier 20000000 is out of range for 29 bits"),
        (b"(1.00) RX0 7E0 [9]" + b" 00" * 9, "9 is not a CAN FD length"),
        (b"(1.00) XX0 7E0 [0]", "not a serial log line"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(line: bytes, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(SERIAL + line + b"\n" + SERIAL)
    assert str(caught.value).startswith(f"-:6: {said}: ")
    assert len(read(SERIAL + line + b"\n" + SERIAL, on_error="skip")) == 8


def printed(message: Message, number: int) -> bytes:
    """Return the line that the device prints for ``message``."""
    millis = message.timestamp_ns // 1_000_000
    head = f"({millis // 1000}.{millis % 1000:03}) {'RX' if message.is_rx else 'TX'}{number} "
    return f"{head}{message.arbitration_id:X} [{message.dlc}] {message.data.hex(' ').upper()}\r\n".encode()


@given(messages(kinds=("classic", "fd")), st.integers(0, 2**32 - 1), st.integers(0, 7))
def test_what_a_device_prints_is_read_as_it_was(message: Message, millis: int, number: int) -> None:
    message.timestamp_ns, message.channel = millis * 1_000_000, f"can{number}"
    message.is_extended_id = message.arbitration_id > 0x7FF
    message.is_fd = message.dlc > 8
    message.bitrate_switch = message.error_state_indicator = False
    (again,) = read(printed(message, number))
    assert facts(again) == facts(message)
