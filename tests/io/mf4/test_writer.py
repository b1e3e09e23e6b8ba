"""Writing MDF 4: the layout, what survives a kill, continuing a file, and what is lost."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.io.mf4.writer import MF4Writer
from tests.io.mf4.mf4_bytes import START_NS, read, written
from tests.named import MF4Reader
from tests.strategies import facts, messages

START = START_NS // 1000 * 1000


def frame(number: int, time: int = 0, channel: Channel = "can0", size: int = 2) -> Message:
    message = Message(arbitration_id=number, is_extended_id=False, data=bytes(size), channel=channel)
    message.timestamp_ns = START + time
    return message


def ids(data: bytes) -> list[int]:
    return [message.arbitration_id for message in read(data)]


class Pipe(io.RawIOBase):
    """What cannot be written to again."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += bytes(memoryview(data))
        return len(memoryview(data))


def test_the_records_are_those_of_the_standard() -> None:
    extended = frame(0x123, 1000, size=0)
    extended.is_extended_id, extended.is_rx, extended.data, extended.dlc = True, False, bytearray(range(8)), 8
    remote = frame(0x7FF, 3_000_000, size=0)
    remote.is_remote_frame, remote.dlc = True, 4
    data = written([frame(0x10), extended, remote])
    assert data.endswith(
        bytes.fromhex(
            "01 e803000000000000 01 23010080 03 08 08 0001020304050607"
            "04 c0c62d0000000000 01 ff070000 00 04 00"
        )
    )
    assert struct.unpack_from("<Q", data, 136) == (START,)
    assert (data[:8], data[60:62]) == (b"MDF     ", bytes(2))


def test_a_closed_file_says_how_much_it_holds() -> None:
    data = written([frame(n) for n in range(7)])
    at = data.rindex(b"##DT")
    assert struct.unpack_from("<Q", data, at + 8) == (24 + 7 * 25,)
    counts = [struct.unpack_from("<QQ", data, g + 72) for g in range(0, at, 8) if data[g : g + 4] == b"##CG"]
    assert sorted(counts) == [(1, 7), (2, 0), (3, 0), (4, 0)]


def test_each_flush_leaves_a_readable_file(tmp_path: Path) -> None:
    path = tmp_path / "live.mf4"
    writer = MF4Writer(path)
    assert ids(path.read_bytes()) == []
    for count in range(1, 5):
        writer.on_message_received(frame(count))
        writer.flush()
        assert ids(path.read_bytes()) == list(range(1, count + 1))
        assert path.read_bytes()[:8] == b"UnFinMF "
    writer.stop()
    assert ids(path.read_bytes()) == [1, 2, 3, 4]


def test_a_pipe_gets_a_file_that_was_never_finished() -> None:
    pipe = Pipe()
    with MF4Writer(pipe) as writer:
        writer.write(MessageBatch(frame(n % 2000) for n in range(9000)))
    assert (pipe.data[:8], pipe.data[60]) == (b"UnFinMF ", 5)
    assert ids(pipe.data) == [n % 2000 for n in range(9000)]


def test_no_frames_make_a_file_without_frames() -> None:
    pipe = Pipe()
    MF4Writer(pipe).stop()
    assert ids(written([])) == ids(pipe.data) == []


def test_a_stream_keeps_what_it_held_before() -> None:
    file = io.BytesIO(b"before")
    file.seek(6)
    with MF4Writer(file) as writer:
        writer.on_message_received(frame(1))
    assert file.getvalue()[:14] == b"beforeMDF     "
    assert ids(file.getvalue()[6:]) == [1]


def test_a_frame_before_the_start_has_the_time_of_the_start() -> None:
    file = io.BytesIO()
    with MF4Writer(file) as writer:
        writer.on_message_received(frame(1))
        writer.flush()
        writer.on_message_received(frame(2, -1))
    assert [message.timestamp_ns for message in read(file.getvalue())] == [START, START]
    assert writer.losses == {"times before the start of the file": 1}


def test_channels_are_numbers_from_one() -> None:
    data = written([frame(1, channel=channel) for channel in ("can0", "vcan3", 7, None, "eth-can")])
    assert [message.channel for message in read(data)] == ["can0", "can3", "can7", "can0", "can1"]
    with pytest.raises(UsageError, match="254"):
        written([frame(1, channel=255)])


def test_a_frame_that_no_record_holds_is_left_out_and_counted() -> None:
    batch = MessageBatch([frame(1), frame(2, size=8), frame(3)])
    batch.payload += bytes(4)
    batch.offset[2] += 4  # 12 bytes in a classic frame
    batch.offset[3] += 4
    file = io.BytesIO()
    with MF4Writer(file) as writer:
        writer.write(batch)
    assert ids(file.getvalue()) == [1, 3]
    assert writer.losses == {"malformed frames (left out)": 1}


def test_a_database_goes_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "bus.dbc").write_text('VERSION ""\n')
    data = written([frame(1)], database=tmp_path / "bus.dbc")
    assert data[data.index(b"##AT") :].index(b'VERSION ""\n') == 24 + 32 + 40
    assert ids(data) == [1]


def test_a_compression_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="0 to 2"):
        MF4Writer(io.BytesIO(), compression_level=3)


def test_appending_continues_the_file_with_its_start(tmp_path: Path) -> None:
    path = tmp_path / "a.mf4"
    path.write_bytes(written([frame(1), frame(0x55, 5)]))
    with MF4Writer(path, append=True) as writer:
        writer.on_message_received(frame(2, 10**9))
    assert (writer.notes, writer.losses) == ([], {})
    assert path.read_bytes() == written([frame(1), frame(0x55, 5), frame(2, 10**9)])


def test_appending_to_a_cut_file_drops_only_the_broken_record(tmp_path: Path) -> None:
    path = tmp_path / "a.mf4"
    whole = written([frame(n) for n in range(1, 4)])
    for size in range(len(whole) - 75, len(whole) + 1):
        path.write_bytes(whole[:size])
        with MF4Writer(path, append=True) as writer:
            writer.on_message_received(frame(9))
        complete = (size - len(whole) + 75) // 25
        assert ids(path.read_bytes()) == [*range(1, complete + 1), 9]
        assert bool(writer.notes) == ((size - len(whole)) % 25 != 0)


@pytest.mark.parametrize("content", [b"date Mon Jan 1\n" * 20, b"MDF     4.10    amdf8.8." + bytes(200)])
def test_appending_never_destroys_what_it_does_not_understand(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mf4"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="cannot be continued"):
        MF4Writer(path, append=True)
    assert path.read_bytes() == content


def test_only_what_can_be_written_to_anywhere_is_continued() -> None:
    with pytest.raises(UsageError, match="continued"):
        MF4Writer(Pipe(), append=True)


@settings(deadline=None, max_examples=60)
@given(st.lists(messages(channels=st.sampled_from(["can0", "can1", "can12"])), max_size=12))
def test_round_trip_loses_nothing(frames: list[Message]) -> None:
    file = io.BytesIO()
    with MF4Writer(file) as writer:
        for message in frames:
            writer.on_message_received(message)
    assert writer.losses == {}
    file.seek(0)
    found = [facts(message) for message in MF4Reader(file)]
    assert sorted(map(repr, found)) == sorted(repr(facts(message)) for message in frames)  # by time, if mixed
