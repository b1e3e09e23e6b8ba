"""python-can reads what we write, and the reverse; where the two disagree it is said why."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.frame.message import Message
from cantools_cli.io.blf.writer import BLFWriter
from tests.named import BLFReader
from tests.strategies import facts

can = pytest.importorskip("can")

START_NS = 1_700_000_000_000_000_000


def mixed() -> list[Message]:
    """Every kind of frame, on two channels, in both directions, over several containers."""
    found = []
    for number in range(4000):
        message = Message(
            arbitration_id=0x1ABCD000 + number if number % 2 else number % 0x800,
            is_extended_id=bool(number % 2),
            channel=number % 3 % 2,
            is_rx=number % 5 != 0,
            data=bytes(byte & 0xFF for byte in range(number, number + number % 9)),
        )
        message.timestamp_ns = START_NS + number * 1_000_000
        if number % 7 == 3:
            message.is_remote_frame, message.data = True, bytearray()
        elif number % 7 == 5:
            message.is_fd, message.bitrate_switch = True, number % 4 == 0
            message.error_state_indicator = number % 3 == 0
            message.data = bytearray(range((8, 12, 48, 64)[number % 4]))
            message.dlc = len(message.data)
        elif number % 11 == 7:
            message.is_error_frame, message.is_rx, message.is_extended_id = True, True, False
            message.arbitration_id, message.data, message.dlc = 0x088, bytearray(range(8)), 8
        found.append(message)
    return found


def ours(message: Any) -> tuple[object, ...]:
    """Return what a message of python-can says, as ``facts`` has it for ours, times to the microsecond."""
    return (
        round(message.timestamp * 1e6),
        message.channel,
        message.arbitration_id,
        message.is_extended_id,
        message.is_remote_frame,
        message.is_error_frame,
        message.is_fd,
        message.bitrate_switch,
        message.error_state_indicator,
        message.is_rx,
        message.dlc,
        bytes(message.data),
    )


def same(message: Message) -> tuple[object, ...]:
    _, channel, *rest = facts(message)
    del rest[9]  # dlc_code
    number = int(str(channel)[3:]) if isinstance(channel, str) else channel
    return (round(message.timestamp_ns / 1000), number, *rest)


@pytest.mark.parametrize("level", [-1, 0, 1])
def test_python_can_reads_what_we_write(level: int) -> None:
    file = io.BytesIO()
    writer = BLFWriter(file, compression_level=level)
    for message in mixed():
        writer.on_message_received(message)
    writer.stop()
    file.seek(0)
    assert [ours(message) for message in can.BLFReader(file)] == [same(message) for message in mixed()]


def theirs(message: Message) -> Any:
    return can.Message(
        timestamp=message.timestamp_ns / 1e9,
        arbitration_id=message.arbitration_id,
        is_extended_id=message.is_extended_id,
        is_remote_frame=message.is_remote_frame,
        is_error_frame=message.is_error_frame,
        channel=message.channel,
        dlc=message.dlc,
        data=bytes(message.data),
        is_fd=message.is_fd,
        is_rx=message.is_rx,
        bitrate_switch=message.bitrate_switch,
        error_state_indicator=message.error_state_indicator,
    )


@pytest.mark.parametrize("level", [-1, 0])
def test_we_read_what_python_can_writes(tmp_path: Path, level: int) -> None:
    with can.BLFWriter(tmp_path / "a.blf", compression_level=level) as writer:
        for message in mixed():
            writer.on_message_received(theirs(message))
    with BLFReader(tmp_path / "a.blf") as reader:
        assert [same(message) for message in reader] == [same(message) for message in mixed()]
        assert reader.notes == []


def test_python_can_continues_and_we_read(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    with BLFWriter(path) as writer:
        writer.on_message_received(mixed()[0])
    with can.BLFWriter(path, append=True) as peer:
        peer.on_message_received(can.Message(timestamp=1_700_000_001.5, arbitration_id=5, channel=0))
    with BLFWriter(path, append=True) as writer:
        writer.on_message_received(mixed()[2])
    with BLFReader(path) as reader:
        assert [message.arbitration_id for message in reader] == [0, 5, 2]
    assert [message.arbitration_id for message in can.BLFReader(path)] == [0, 5, 2]


def test_python_can_reads_our_markers() -> None:
    file = io.BytesIO()
    writer = BLFWriter(file)
    writer.on_message_received(mixed()[0])
    writer.log_event("an event")
    writer.on_message_received(mixed()[1])
    writer.stop()
    file.seek(0)
    assert len(list(can.BLFReader(file))) == 2


def test_python_can_reads_what_went_through_a_pipe() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    file = Pipe()
    writer = BLFWriter(file)
    for message in mixed()[:100]:
        writer.on_message_received(message)
    writer.stop()
    found = [ours(message) for message in can.BLFReader(io.BytesIO(file.getvalue()))]
    assert found == [same(message) for message in mixed()[:100]]
