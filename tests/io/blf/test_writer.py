"""Writing BLF: heads, containers, what survives a kill, continuing a file, and what is lost."""

from __future__ import annotations

import io
import os
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.io.blf.writer import BLFWriter
from tests.io.blf.blf_bytes import START_NS, classic, container, head, lobj, read, written
from tests.named import BLFReader

DATE = struct.pack("<8H", 2023, 11, 2, 14, 22, 13, 20, 123)


def frame(number: int, time: int = 0, channel: Channel = "can0", size: int = 2) -> Message:
    message = Message(arbitration_id=number, is_extended_id=False, data=bytes(size), channel=channel)
    message.timestamp_ns = START_NS + time
    return message


def ids(path: Path | io.BytesIO) -> list[int]:
    data = path.getvalue() if isinstance(path, io.BytesIO) else path.read_bytes()
    return [message.arbitration_id for message in read(data)]


def numbers_in_head(data: bytes) -> tuple[int, ...]:
    """Return fileSize, unpackedSize and objectCount."""
    return struct.unpack_from("<QQL", data, 16)


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


def test_the_head_says_what_the_file_holds() -> None:
    data = written([frame(n, n * 1_000_000) for n in range(10)], compression_level=0)
    assert numbers_in_head(data) == (len(data), 144 + 32 + 480, 10)
    assert data[40:56] == DATE
    assert struct.unpack_from("<H", data, 70) == (132,)  # milliseconds of the last frame


@pytest.mark.parametrize(("level", "in_head", "method"), [(-1, 6, 2), (0, 0, 0), (1, 1, 2), (9, 9, 2)])
def test_compression_is_what_was_asked_for(level: int, in_head: int, method: int) -> None:
    data = written([frame(n) for n in range(1000)], compression_level=level)
    assert (data[13], data[144 + 16]) == (in_head, method)
    assert ids(io.BytesIO(data)) == list(range(1000))
    assert (len(data) < 10_000) == bool(level)


@pytest.mark.parametrize(
    ("option", "value"), [("compression_level", 10), ("channel", 0), ("tz", "Mars/Olympus")]
)
def test_options_out_of_range_are_refused(option: str, value: Any) -> None:
    with pytest.raises(UsageError):
        BLFWriter(io.BytesIO(), **{option: value})


def test_only_times_in_utc_have_the_mark_that_says_so() -> None:
    in_utc = written([frame(1)])
    elsewhere = written([frame(1)], tz="Asia/Tokyo")
    assert in_utc[36:40] == b"xnac"
    assert elsewhere[36:40] == bytes(4)
    assert elsewhere[46:50] == struct.pack("<HH", 15, 7)
    assert read(elsewhere, tz="Asia/Tokyo")[0].timestamp_ns == START_NS


def test_a_program_may_call_itself_by_another_number() -> None:
    class Mine(BLFWriter):
        application_id = 2

    file = io.BytesIO()
    Mine(file).stop()
    assert file.getvalue()[12] == 2
    assert BLFWriter.application_id == 5


def test_containers_hold_at_most_their_size() -> None:
    data = written([frame(n) for n in range(2000)] * 3, compression_level=0)
    at, sizes = 144, []
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "little")
        sizes.append(size - 32)
        at += size + size % 4
    assert len(sizes) == 3
    assert max(sizes) <= BLFWriter.max_container_size


def test_the_start_is_the_earliest_time_of_the_first_container() -> None:
    data = written([frame(1, 5_000_000), frame(2), frame(3, 7)])
    assert data[40:56] == DATE
    assert [message.timestamp_ns - START_NS for message in read(data)] == [5_000_000, 0, 7]


def test_a_frame_before_the_start_has_the_time_of_the_start() -> None:
    file = io.BytesIO()
    writer = BLFWriter(file)
    writer.on_message_received(frame(1))
    writer.flush()
    writer.on_message_received(frame(2, -1))
    writer.stop()
    assert [message.timestamp_ns for message in read(file.getvalue())] == [START_NS, START_NS]
    assert writer.losses == {"times before the start of the file": 1}


def test_no_frames_make_a_file_without_frames(tmp_path: Path) -> None:
    pipe = Pipe()
    for file in (tmp_path / "a.blf", pipe):
        BLFWriter(file).stop()
    for data in ((tmp_path / "a.blf").read_bytes(), pipe.data):
        assert len(data) == 144
        assert read(data) == []


def test_each_flush_leaves_a_complete_file(tmp_path: Path) -> None:
    path = tmp_path / "live.blf"
    writer = BLFWriter(path)
    assert ids(path) == []
    for count in range(1, 5):
        writer.on_message_received(frame(count))
        writer.flush()
        data = path.read_bytes()
        assert ids(path) == list(range(1, count + 1))
        assert numbers_in_head(data) == (len(data), 144 + count * 80, count)
    writer.stop()


def test_nothing_is_written_twice_by_flush_and_stop() -> None:
    file = io.BytesIO()
    with BLFWriter(file) as writer:
        writer.on_message_received(frame(1))
        writer.flush()
        size = len(file.getvalue())
        writer.flush()
    writer.stop()
    assert len(file.getvalue()) == size == writer.file_size()


def test_a_full_container_is_written_without_a_flush(tmp_path: Path) -> None:
    writer = BLFWriter(tmp_path / "a.blf", compression_level=1)
    for _ in range(3):
        writer.write(MessageBatch(frame(number) for number in range(2000)))
    assert len(ids(tmp_path / "a.blf")) >= 5000
    writer.stop()


def test_a_pipe_gets_a_head_without_sizes() -> None:
    pipe = Pipe()
    with BLFWriter(pipe) as writer:
        for number in range(5):
            writer.on_message_received(frame(number, number * 10**9))
            writer.flush()
    assert numbers_in_head(pipe.data) == (0, 0, 0)
    assert pipe.data[56:72] == pipe.data[40:56] == DATE
    assert [message.timestamp_ns - START_NS for message in read(pipe.data)] == [n * 10**9 for n in range(5)]


def test_a_file_that_only_grows_is_written_like_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    with path.open("ab") as sink, BLFWriter(sink) as writer:
        writer.on_message_received(frame(1))
    assert ids(path) == [1]
    assert path.stat().st_size == len(written([frame(1)]))


def test_a_real_pipe_carries_a_file() -> None:
    reading, writing = os.pipe()
    found: list[int] = []
    with os.fdopen(reading, "rb") as source:
        thread = threading.Thread(target=lambda: found.extend(m.arbitration_id for m in BLFReader(source)))
        thread.start()
        with os.fdopen(writing, "wb") as sink, BLFWriter(sink) as writer:
            writer.write(MessageBatch(frame(number % 2000) for number in range(9000)))
        thread.join(20)
    assert found == [number % 2000 for number in range(9000)]


def test_a_stream_keeps_what_it_held_before() -> None:
    file = io.BytesIO(b"before")
    file.seek(6)
    with BLFWriter(file) as writer:
        writer.on_message_received(frame(1))
    assert file.getvalue()[:10] == b"beforeLOGG"
    assert ids(io.BytesIO(file.getvalue()[6:])) == [1]


def test_channels_are_numbers_from_one() -> None:
    data = written(
        [frame(1, channel=channel) for channel in ("can0", "vcan3", 7, None, "eth-can")], channel=4
    )
    assert [message.channel for message in read(data)] == ["can0", "can3", "can7", "can3", "can4"]


def test_a_channel_that_does_not_fit_is_refused() -> None:
    message = frame(1, channel=255)
    assert read(written([message]))[0].channel == "can255"
    message.is_fd = True
    with pytest.raises(UsageError, match="255"):
        written([message])
    with pytest.raises(UsageError, match="65535"):
        written([frame(1, channel=65535)])


def test_an_error_frame_loses_its_direction_and_says_so() -> None:
    file = io.BytesIO()
    message = frame(0x88, size=8)
    message.is_error_frame, message.is_rx = True, False
    with BLFWriter(file) as writer:
        writer.write(MessageBatch([message, frame(1)]))
    assert writer.losses == {"directions": 1}


def test_a_frame_that_no_object_holds_is_left_out_and_counted() -> None:
    batch = MessageBatch([frame(1), frame(2, size=8), frame(3)])
    batch.payload += bytes(4)
    batch.offset[2] += 4  # 12 bytes in a classic frame
    batch.offset[3] += 4
    file = io.BytesIO()
    with BLFWriter(file) as writer:
        writer.write(batch)
    assert ids(file) == [1, 3]
    assert writer.losses == {"malformed frames (left out)": 1}


def test_an_event_becomes_a_marker_at_the_last_frame() -> None:
    file = io.BytesIO()
    with BLFWriter(file, compression_level=0) as writer:
        writer.on_message_received(frame(1, 5_000_000))
        writer.log_event("lap 1")
        writer.log_event("lap 2", timestamp=1_700_000_001.0)
        writer.log_event("x" * 200_000)
        writer.on_message_received(frame(2, 6_000_000))
    data = file.getvalue()
    marker = data[data.index(b"lap 1") - 72 :]
    assert struct.unpack_from("<LLLLq", marker, 8) == (72 + 9, 96, 2, 0, 0)
    assert struct.unpack_from("<LLL", marker, 48) == (5, 4, 0)
    assert ids(file) == [1, 2]
    assert numbers_in_head(data)[2] == 5


def test_events_alone_make_a_file() -> None:
    file = io.BytesIO()
    with BLFWriter(file) as writer:
        writer.log_event("nothing on the bus")
    assert ids(file) == []
    assert numbers_in_head(file.getvalue())[2] == 1


def test_the_size_is_estimated_while_a_container_is_open(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    with BLFWriter(path, compression_level=0) as writer:
        writer.write(MessageBatch(frame(number) for number in range(100)))
        assert 144 + 100 * 48 <= writer.file_size() <= 144 + 100 * 64
    assert writer.file_size() == path.stat().st_size


def appended(path: Path, *numbers: int, time: int = 10**9) -> BLFWriter:
    with BLFWriter(path, append=True) as writer:
        for number in numbers:
            writer.on_message_received(frame(number, time))
    return writer


def test_appending_continues_the_file_with_its_start(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    path.write_bytes(written([frame(1)]))
    assert appended(path, 2, 3).notes == []
    data = path.read_bytes()
    assert [(m.arbitration_id, m.timestamp_ns - START_NS) for m in read(data)] == [
        (1, 0),
        (2, 10**9),
        (3, 10**9),
    ]
    assert numbers_in_head(data) == (len(data), 144 + 80 + 32 + 96, 3)
    assert data[40:56] == DATE
    assert data[68:70] == struct.pack("<H", 21)  # the second of the last frame


def test_appending_creates_a_file_that_is_not_there(tmp_path: Path) -> None:
    appended(tmp_path / "new.blf", 1)
    assert ids(tmp_path / "new.blf") == [1]


def test_appending_to_a_file_without_frames_gives_it_a_start(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    BLFWriter(path).stop()
    appended(path, 1, time=0)
    assert path.read_bytes()[40:56] == DATE
    assert ids(path) == [1]


def test_appending_to_a_stream(tmp_path: Path) -> None:
    file = io.BytesIO(written([frame(1)]))
    with BLFWriter(file, append=True) as writer:
        writer.on_message_received(frame(2))
    assert ids(io.BytesIO(file.getvalue())) == [1, 2]


def test_appending_keeps_the_head_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    old = head(bytes.fromhex("1f3e3e0002060801"), 36) + container(classic(1))
    path.write_bytes(old)
    with BLFWriter(path, append=True, tz="UTC") as writer:
        writer.on_message_received(frame(2, 5))
    data = path.read_bytes()
    assert data[:16] + data[36:56] == old[:16] + old[36:56]
    assert [message.timestamp_ns - START_NS for message in read(data, tz="UTC")] == [0, 5]


def test_appending_to_a_cut_file_drops_only_the_broken_end(tmp_path: Path) -> None:
    path = tmp_path / "a.blf"
    parts = [container(classic(1)), container(classic(2)), container(classic(3))]
    whole = head() + b"".join(parts)
    lengths = [144 + len(b"".join(parts[:count])) for count in range(4)]
    for size in range(144, len(whole) + 1):
        path.write_bytes(whole[:size])
        writer = appended(path, 9)
        # the padding behind a container may be missing
        complete = max(count for count, length in enumerate(lengths) if length - 3 <= size)
        assert ids(path) == [*[1, 2, 3][:complete], 9], size
        if size not in range(lengths[complete] - 3, lengths[complete] + 1):
            assert any("dropped" in note for note in writer.notes)


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("cut", [50, 60, 64, 95])
def test_appending_drops_an_object_that_never_ended(tmp_path: Path, cut: int, stored: bool) -> None:
    path = tmp_path / "a.blf"
    path.write_bytes(head() + container((classic(1) + classic(2))[:cut], stored=stored))
    writer = appended(path, 3)
    assert ids(path) == [1, 3]
    assert any("inside an object" in note for note in writer.notes)
    assert numbers_in_head(path.read_bytes())[:2] == (path.stat().st_size, 144 + 80 + 80)


@pytest.mark.parametrize(
    "content",
    [
        b"date Mon Jan 1\n" * 20,
        b"LOGG",
        head() + container(classic(1)) + b"\xff" * 100,
        head() + lobj(4, bytes(16), size=0xFFFF) + container(classic(2)),
    ],
    ids=["other", "cut head", "junk", "size"],
)
def test_appending_never_destroys_what_it_does_not_understand(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.blf"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"a\.blf:byte \d+: .*cannot be continued"):
        BLFWriter(path, append=True)
    assert path.read_bytes() == content


def test_only_what_can_be_written_to_anywhere_is_continued(tmp_path: Path) -> None:
    for file in (Pipe(), tmp_path / "a.blf.gz"):
        with pytest.raises(UsageError, match="continued"):
            BLFWriter(file, append=True)
