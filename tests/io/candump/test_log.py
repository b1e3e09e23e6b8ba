"""candump's log lines: read and written, with python-can and can-utils as oracles."""

from __future__ import annotations

import gzip
import io
import random
import shutil
import subprocess
from pathlib import Path

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.batch_room import BatchRoom
from cantools_cli.io.candump.log import CanutilsLogWriter
from cantools_cli.io.frame_text import format_frame
from tests.named import CanutilsLogReader
from tests.pieces import Pieces
from tests.strategies import CHANNELS, MICROSECONDS, facts, messages

BASE = 1_700_000_000_000_000_000
# line, nanoseconds behind BASE, channel, frame, received
LINES = [
    ("(1700000000.123456) can0 123#010203", 123456000, "can0", "123#010203", True),
    (
        "(1700000000.124456)  can0 00000123#0102030405060708 T",
        124456000,
        "can0",
        "00000123#0102030405060708",
        False,
    ),
    ("(1700000000.133456789) can0 123#AA R", 133456789, "can0", "123#AA", True),
    ("(1700000000.125456) can1 7FF#R", 125456000, "can1", "7FF#R", True),
    ("(1700000000.125456) can1 7FF#R4", 125456000, "can1", "7FF#R4", True),
    ("(1700000000.127456) can1 7FF#R8_D", 127456000, "can1", "7FF#R8_D", True),
    ("(1700000000.128456) can1 7FF#1122334455667788_F", 128456000, "can1", "7FF#1122334455667788_F", True),
    ("(1700000000.127456) can2 055##0" + "AA" * 12, 127456000, "can2", "055##0" + "AA" * 12, True),
    ("(1700000000.127456) can2 055##4" + "AA" * 12, 127456000, "can2", "055##0" + "AA" * 12, True),
    ("(1700000000.131456) can0 1ABCDEF0##7AA", 131456000, "can0", "1ABCDEF0##3AA", True),
    ("(1700000000.131456) can0 123##1", 131456000, "can0", "123##1", True),
    (
        "(1700000000.132456) can0 20000080#0000000000000000",
        132456000,
        "can0",
        "20000080#0000000000000000",
        True,
    ),
    (
        "(1700000000.132456) can0 20000004#0004000000000000",
        132456000,
        "can0",
        "20000004#0004000000000000",
        True,
    ),
    (
        "(1700000000.132456) can0 2000008C#00040A1900000000",
        132456000,
        "can0",
        "2000008C#00040A1900000000",
        True,
    ),
    ("(0.0) vcan0 001#8d00100100820100", -BASE, "vcan0", "001#8D00100100820100", True),
    ("(1700000000.1) can0 123#11.22.33", 100000000, "can0", "123#112233", True),
    (
        "(1700000000.134456) can0 45123#81:01:12345678#11223344556677",
        134456000,
        "can0",
        "45123#81:01:12345678#11223344556677",
        True,
    ),
    ("(0.5) can0 45123#01:01:12345678#aa T", 500_000_000 - BASE, "can0", "45123#81:01:12345678#AA", False),
    ("(1700000000,123456) can0 123#11", 123456000, "can0", "123#11", True),
    ("(0000000166.000000) can0 123#11", 166_000_000_000 - BASE, "can0", "123#11", True),
    ("(1700000000.123456)\tcan0\t123#11\tt", 123456000, "can0", "123#11", False),
    ("(1700000000.123456) 0 123#11", 123456000, "0", "123#11", True),
    ("(-1.5) can0 123#11", -1_500_000_000 - BASE, "can0", "123#11", True),
    ("(1700000000.1234567894) can0 123#11", 123456789, "can0", "123#11", True),
]
LINE = b"(1700000000.123456) can0 123#010203\n"


def read(text: bytes, **options: str) -> list[Message]:
    return list(CanutilsLogReader(io.BytesIO(text), **options))


def written(frames: list[Message], **options: object) -> str:
    file = io.BytesIO()
    with CanutilsLogWriter(file, **options) as writer:  # type: ignore[arg-type]  # the tests' own options
        for message in frames:
            writer.write(MessageBatch([message]))
    return file.getvalue().decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(("line", "time", "channel", "frame", "received"), LINES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_known_lines(line: str, time: int, channel: str, frame: str, received: bool, end: str) -> None:
    (message,) = read((line + end).encode())
    assert (message.timestamp_ns - BASE, message.channel, message.is_rx) == (time, channel, received)
    assert format_frame(message) == frame
    assert CanutilsLogReader.recognises(line.encode())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("(1700000000.123456) can0 123#1", "odd number of hex digits"),
        ("(1700000000.123456) can0 123#112233445566778899", "too many data bytes"),
        ("(1700000000.123456) can0 1234#11", "4 identifier digits"),
        ("(1700000000.123456) can0 123##R", "no flags digit"),
        ("(1700000000.123456) can0 FFF#11", "above 7FF"),
        ("(1700000000.123456) can0 800#11", "above 7FF"),
        ("(1700000000.123456) can0 FFFFFFFF#11", "above 1FFFFFFF"),
        ("(1700000000.134456) can0 45123#81:01:1234567#11223344556677", "for the acceptance field"),
        ("1700000000.123456 can0 123#11", "not a candump line"),
        ("(17000000x0.123456) can0 123#11", "bad timestamp"),
        ("(1700000000.123456) can0", "no frame such as 123#DEADBEEF"),
        ("(1700000000.123456) can0 123#11 X", "no frame such as"),
        ("(9999999999999.0) can0 123#11", "timestamp is out of range"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(line: str, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(LINE + line.encode() + b"\n" + LINE)
    assert str(caught.value).startswith("-:2: ")
    assert said in str(caught.value)
    assert len(read(LINE + line.encode() + b"\n" + LINE, on_error="skip")) == 2


def test_frames_before_a_fault_are_delivered() -> None:
    reader = CanutilsLogReader(io.BytesIO(LINE * 3 + b"nonsense\n"))
    frames: list[Message] = []
    with pytest.raises(FormatError, match="-:4: not a candump line"):
        frames.extend(reader)
    assert len(frames) == 3


def test_other_lines_are_no_frames() -> None:
    text = b"# a comment\n\nDROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 5)\n" + LINE
    reader = CanutilsLogReader(io.BytesIO(text))
    assert len(list(reader)) == 1
    assert reader.notes == ["-: 3 frames were lost during recording"]
    assert CanutilsLogReader.recognises(text)


def test_nul_bytes_of_a_crashed_logger_are_left_out() -> None:
    reader = CanutilsLogReader(io.BytesIO(LINE + bytes(512)))
    assert len(list(reader)) == 1
    assert "NUL bytes" in reader.notes[0]


def test_padded_fd_data_is_noted() -> None:
    reader = CanutilsLogReader(io.BytesIO(LINE + b"(1.0) can0 123##0" + b"AA" * 9 + b"\n"))
    assert [message.dlc for message in reader] == [3, 12]
    assert "-:2: " in reader.notes[0]


def test_strange_lines_keep_their_channels() -> None:
    text = b"(1.0) can0 001#\n(1.0) can1 001#1.1\n(1.0) can1 001#11.22\n(1.0) can2 001#\n"
    frames = read(text, on_error="skip")
    assert [message.channel for message in frames] == ["can0", "can1", "can2"]


def test_endless_new_names_are_refused() -> None:
    text = b"".join(b"(1.0) c%x 001#\n" % number for number in range(4097))
    with pytest.raises(FormatError, match="-:4097: more than 4096 channels"):
        read(text)
    assert len(read(text + b"(1.0) c0 001#\n", on_error="skip")) == 4097


@pytest.mark.parametrize("cut", [*range(1, 29), 30, 32])
def test_a_cut_last_line_is_dropped_with_a_note(cut: int) -> None:
    reader = CanutilsLogReader(io.BytesIO(LINE + LINE[:cut]))
    assert len(list(reader)) == 1
    assert reader.notes == ["-:2: ends inside a line, which was dropped"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_pieces_of_any_size_give_the_same_frames(size: int, mark: bytes) -> None:
    text = mark + "\r\n".join(line for line, *_ in LINES).encode()
    frames = list(CanutilsLogReader(Pieces(text, size)))
    assert [facts(message) for message in frames] == [facts(message) for message in read(text)]
    assert len(frames) == len(LINES)


@given(st.lists(messages(times=MICROSECONDS), max_size=8))
def test_round_trip(frames: list[Message]) -> None:
    assert [facts(message) for message in read(written(frames).encode())] == [
        facts(message) for message in frames
    ]


@given(st.lists(messages(times=st.integers(-(1 << 63), (1 << 63) - 1)), max_size=8))
def test_round_trip_of_nanoseconds(frames: list[Message]) -> None:
    back = read(written(frames, ns=True).encode())
    assert [facts(message) for message in back] == [facts(message) for message in frames]


@pytest.mark.parametrize(
    ("nanoseconds", "stamp"),
    [
        (1_999_999_500, "2.000000"),
        (499, "0.000000"),
        (-1_500_000_499, "-1.500000"),
        (-999_999_600, "-1.000000"),
    ],
)
def test_times_are_rounded_to_microseconds(nanoseconds: int, stamp: str) -> None:
    message = Message(arbitration_id=1, is_extended_id=False)
    message.timestamp_ns = nanoseconds
    assert written([message]) == f"({stamp}) vcan0 001#\n"


@given(st.lists(messages(channels=CHANNELS), max_size=8))
def test_channels_without_a_name_get_one(frames: list[Message]) -> None:
    def name(channel: object) -> object:
        return f"can{channel}" if isinstance(channel, int) else channel or "vcan0"

    back = read(written(frames).encode())
    assert [message.channel for message in back] == [name(message.channel) for message in frames]


def test_names_that_a_line_cannot_hold_are_changed_and_told() -> None:
    writer = CanutilsLogWriter(file := io.BytesIO())
    for name in ("my bus", "", "can0"):
        writer(Message(channel=name))
    writer.flush()
    assert [line.split()[1] for line in file.getvalue().decode().splitlines()] == ["my_bus", "_", "can0"]
    assert writer.notes == ['channel "my bus" is written as my_bus', 'channel "" is written as _']


def test_what_other_readers_do_not_take_is_left_out_and_counted() -> None:
    message = Message(data=bytes(8), is_rx=False)
    message.dlc_code = 9
    message.timestamp_ns = -1
    frames = [message, Message(data=bytes(8), is_rx=False)]
    for compat, sent, losses in [
        ("wireshark", "", {"raw DLC codes": 1, "directions": 2}),
        ("python-can", " T", {"raw DLC codes": 1}),
    ]:
        writer = CanutilsLogWriter(file := io.BytesIO(), compat=compat)  # type: ignore[arg-type]  # by the table above
        writer.write(MessageBatch(frames))
        writer.flush()
        lines = file.getvalue().decode().splitlines()
        assert lines[1] == f"(0.000000) vcan0 00000000#0000000000000000{sent}"
        assert lines[0].endswith(f"00000000#0000000000000000{sent}")
        assert writer.losses == losses
    assert message.dlc_code == 9


def test_an_unknown_compat_is_refused() -> None:
    with pytest.raises(UsageError, match='unknown compat "wire"'):
        CanutilsLogWriter(io.BytesIO(), compat="wire")  # type: ignore[arg-type]  # what is tested


def test_appending_ends_a_line_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(LINE + LINE[:30])
    with CanutilsLogWriter(path, append=True) as writer:
        writer.write(MessageBatch(read(LINE)))
    assert path.read_bytes() == LINE + LINE[:30] + b"\n" + LINE


def test_gzip_goes_around_it(tmp_path: Path) -> None:
    path = tmp_path / "a.log.gz"
    with CanutilsLogWriter(path) as writer:
        writer.write(MessageBatch(read(LINE)))
    assert gzip.decompress(path.read_bytes()) == LINE
    with CanutilsLogReader(path) as reader:
        assert [facts(message) for message in reader] == [facts(message) for message in read(LINE)]


@given(st.lists(messages(kinds=("classic", "remote", "fd"), times=MICROSECONDS), max_size=8))
def test_python_can_reads_what_we_write(frames: list[Message]) -> None:
    peers = list(can.CanutilsLogReader(io.StringIO(written(frames))))
    assert len(peers) == len(frames)
    for ours, theirs in zip(frames, peers, strict=True):
        assert ours.equals(theirs, timestamp_delta=1e-6)  # type: ignore[arg-type]  # a message of python-can


@given(st.lists(messages(kinds=("classic", "fd"), times=st.integers(0, 1 << 50)), max_size=8))
def test_we_read_what_python_can_writes(frames: list[Message]) -> None:
    frames.sort(key=lambda message: message.timestamp_ns)  # its writer makes times monotonic
    file = io.StringIO()
    writer = can.CanutilsLogWriter(file)
    for message in frames:
        writer(message)  # type: ignore[arg-type]  # python-can takes any object with these attributes
    for message, back in zip(frames, read(file.getvalue().encode()), strict=True):
        assert back.equals(message, timestamp_delta=2e-6)


@pytest.mark.skipif(shutil.which("log2asc") is None, reason="can-utils is not installed")
def test_can_utils_read_what_we_write(tmp_path: Path) -> None:
    frames = read("\n".join(line for line, *_ in LINES[:7]).encode())
    path = tmp_path / "a.log"
    path.write_text(written(frames))
    result = subprocess.run(
        ["log2asc", "-I", str(path), "can0", "can1"], capture_output=True, text=True, check=True, timeout=10
    )
    rows = [line.split() for line in result.stdout.splitlines() if " Rx " in line or " Tx " in line]
    assert [row[2] for row in rows] == ["123", "123x", "123", "7FF", "7FF", "7FF", "7FF"]


def test_a_large_log_is_read_in_bounded_batches() -> None:
    chance = random.Random(1)
    text = b"".join(
        b"(%d.%06d) can0 123#%02X\n" % (n // 7, n % 7, chance.randrange(256)) for n in range(30_000)
    )
    sizes = [len(batch) for batch in CanutilsLogReader(io.BytesIO(text)).batches()]
    assert sum(sizes) == 30_000
    assert max(sizes) <= BatchRoom.ROWS


def test_times_may_be_padded_with_blanks() -> None:
    text = b"(         0.191254) can0 06314000#40\n(\t1.5) can0 123#R T\n(         0.200196) can0 123##0AA\n"
    assert CanutilsLogReader.recognises(text)
    found = [(message.timestamp_ns, message.arbitration_id, message.is_rx) for message in read(text)]
    assert found == [
        (191_254_000, 0x6314000, True),
        (1_500_000_000, 0x123, False),
        (200_196_000, 0x123, True),
    ]


def test_blanks_alone_are_no_time() -> None:
    with pytest.raises(FormatError, match="bad timestamp"):
        read(b"(1.0) can0 123#\n(     ) can0 123#\n")
