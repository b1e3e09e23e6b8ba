"""BLF: what its objects mean, and that what is written is read back."""

from __future__ import annotations

import io
import struct
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.io.blf.writer import BLFWriter
from tests.io.blf.blf_bytes import (
    GOLDEN,
    PYTHON_CAN,
    START_NS,
    classic,
    container,
    head,
    lobj,
    read,
    read_lenient,
    read_up_to_fault,
    written,
)
from tests.named import BLFReader
from tests.strategies import facts, messages

#: a CAN XL channel frame, without its direction and flags
XL = "01 00 %s" + "00" * 9 + "23010000 0000 0200 0200" + "00" * 26 + "%s" + "00" * 52 + "aabb"
FULL_64 = bytes(range(64))


def frame(identifier: int, data: bytes, **fields: Any) -> Message:
    """A received frame; ``time`` is its offset in nanoseconds, ``extended``, ``tx`` and ``fd`` its kind."""
    message = Message(
        arbitration_id=identifier,
        data=data,
        channel=fields.get("channel", "can0"),
        is_extended_id=fields.get("extended", False),
        is_rx=not fields.get("tx", False),
        is_fd="fd" in fields,
        bitrate_switch="B" in fields.get("fd", ""),
        error_state_indicator="E" in fields.get("fd", ""),
    )
    message.timestamp_ns = START_NS + fields.get("time", 0)
    return message


def remote(identifier: int, dlc: int, **fields: Any) -> Message:
    message = frame(identifier, b"", **fields)
    message.is_remote_frame, message.dlc = True, dlc
    return message


def raw(message: Message, code: int) -> Message:
    message.dlc_code = code
    return message


def error(error_class: int, data: str, **fields: Any) -> Message:
    message = frame(error_class, bytes.fromhex(data), **fields)
    message.is_error_frame = True
    return message


# (object, the frame that it must give)
OBJECTS = [
    (
        lobj(1, "01000108 23010080 0102030405060708", 1456016),
        frame(0x123, bytes(range(1, 9)), extended=True, tx=True, time=1456016),
    ),
    (lobj(1, "02008004 ff070000" + "00" * 8), remote(0x7FF, 4, channel="can1")),
    (
        lobj(1, "0200000d ff070000 0001020304050607"),
        raw(frame(0x7FF, bytes(range(8)), channel="can1"), 13),
    ),
    (
        lobj(1, "01000108 38564c85" + "00" * 8, 0x122AF2170),
        frame(0x54C5638, bytes(8), extended=True, tx=True, time=4_876_870_000),
    ),
    (
        lobj(1, "02000008 c8000080 0908070605040302", 0x95123B40),
        frame(0xC8, bytes(range(9, 1, -1)), extended=True, channel="can1", time=2_501_000_000),
    ),
    (
        lobj(86, "01000002 00010000 aabb000000000000 00000000 00 00 0000", 5),
        frame(0x100, b"\xaa\xbb", time=5),
    ),
    (
        lobj(100, "03000009 55000000 00000000 00010c00 00000000" + "aa" * 12 + "00" * 52),
        frame(0x55, b"\xaa" * 12, fd="F", channel="can2"),
    ),
    (
        lobj(100, bytes.fromhex("0300010f f0debc9a 00000000 00074000 00000000") + FULL_64 + bytes(4)),
        frame(0x1ABCDEF0, FULL_64, fd="FBE", extended=True, tx=True, channel="can2"),
    ),
    (
        lobj(100, bytes.fromhex("01000003 01000000 00000000 00000300 00000000") + FULL_64),
        frame(1, b"\0\1\2"),
    ),
    (
        lobj(101, "03090c00 55000000 00000000 00100000" + "00" * 24 + "aa" * 12),
        frame(0x55, b"\xaa" * 12, fd="F", channel="can2"),
    ),
    (
        lobj(
            101, bytes.fromhex("030f4000 f0debc9a 00000000 00700000" + "00" * 18 + "010000000000") + FULL_64
        ),
        frame(0x1ABCDEF0, FULL_64, fd="FBE", extended=True, tx=True, channel="can2"),
    ),
    (
        lobj(101, "03050500 56000000 00000000 00300000" + "00" * 24 + "0102030405000000"),
        frame(0x56, bytes(range(1, 6)), fd="FB", channel="can2"),
    ),
    (  # as CANape writes it: 64 bytes claimed, 48 there
        lobj(101, "070f4000 a9060000 40000000 00300000" + "00" * 24 + "ff" * 48),
        frame(0x6A9, b"\xff" * 48 + bytes(16), fd="FB", channel="can6"),
    ),
    (  # the block of bit timings behind the data is none of it
        lobj(101, "010a1000 01000000 00000000 00100000" + "00" * 19 + "50" + "00" * 4 + "aa" * 8 + "bb" * 8),
        frame(1, b"\xaa" * 8 + bytes(8), fd="F"),
    ),
    (  # garbage in the place of its offset
        lobj(101, "01080800 01000000 00000000 00100000" + "00" * 19 + "ee" + "00" * 4 + "aa" * 8),
        frame(1, b"\xaa" * 8, fd="F"),
    ),
    (lobj(101, "01050000 01000000 00000000 10000000" + "00" * 24), remote(1, 5)),
    (lobj(101, "01050000 01000000 00000000 10100000" + "00" * 24), remote(1, 5)),  # FD and remote at once
    (lobj(2, "01000600 78c15500"), error(0x080, "00" * 8)),
    (lobj(3, "01000600 00000000"), error(0x088, "0000200000000000")),
    (
        lobj(73, "01000000 00000000 a2000000 00000000 ffffffff a2200000" + "00" * 8),
        error(0x088, "0000040200000000"),
    ),
    (
        lobj(73, "02000600 01000000 a2000000 00000000 ffffffff a2200000" + "00" * 8),
        error(0x088, "0000040200000000", channel="can1"),
    ),
    (  # code 4, CRC, while transmitting, by Vector's numbers
        lobj(73, "01000600 02000000 00000000 00000000 ffffffff 00310000" + "00" * 8),
        error(0x088, "0000800800000000"),
    ),
    (  # python-can's form and canx's own
        lobj(73, "01000000 00000000 00000800 00000000 88000000 00000000 0000040200000000"),
        error(0x088, "0000040200000000"),
    ),
    (
        lobj(73, "01000000 00000000 00000200 00000000 00000080 00000000 0102030405060708"),
        error(0x080, "0102", extended=True),
    ),
    (
        lobj(104, "02 08 08 a2 0100 0000" + "00" * 36 + "00" * 72),
        error(0x088, "0000040200000000", channel="can1"),
    ),
    (  # a classic frame in CAN XL's object
        lobj(139, XL % ("01", "00000000")),
        frame(0x123, b"\xaa\xbb", tx=True),
    ),
    (lobj(1, "00000000 01000000" + "00" * 8), frame(1, b"")),  # channel 0 is none
    (lobj(1, "01000000 01000000" + "00" * 8, 7, unit=1), frame(1, b"", time=70_000)),
    (lobj(1, "01000000 01000000" + "00" * 8, -7), frame(1, b"", time=-7)),  # CANape's pre-trigger data
    (lobj(1, "01000000 01000000" + "00" * 8, -7, unit=1), frame(1, b"", time=-70_000)),
    (lobj(1, "01000000 01000000" + "00" * 8, 7, unit=0), frame(1, b"", time=7)),
    (lobj(1, "01000000 010000e0" + "00" * 8), frame(1, b"", extended=True)),  # bits 29 and 30 are no id
    (lobj(1, "ffff0000 01000000" + "00" * 8), frame(1, b"", channel="can65534")),
]

# Objects that hold no frame, with the padding that follows them.
SKIPPED = [
    lobj(4, "01000000 e8030000 00000000 0f000000" + "00" * 16),
    lobj(65, "02000000 00000000 03000000 00000000 78797a") + bytes(3),
    lobj(101, "01080800 01000000 00000000 00100000" + "00" * 18 + "02" + "00" * 5 + "aa" * 8),  # Tx request
    lobj(10, "00" * 5) + bytes(1),
    lobj(0xFFFFFF, b""),
    lobj(31, "00" * 8),
    lobj(91, "00" * 8),
    lobj(96, "00" * 43) + bytes(27),  # as Vector's converter pads it
    lobj(140, "00" * 64),
    lobj(139, XL % ("02", "00004000")) + bytes(2),  # Tx request
    lobj(1, "01000000 01000000" + "00" * 8, version=9),  # a header that nobody knows
]


@pytest.mark.parametrize(("data", "message"), OBJECTS)
def test_each_object_gives_its_frame(data: bytes, message: Message) -> None:
    (found,) = read(head() + container(data + bytes(len(data) % 4)))
    assert facts(found) == facts(message)


@pytest.mark.parametrize("data", SKIPPED)
def test_objects_without_a_frame_are_stepped_over(data: bytes) -> None:
    found, reader = read_lenient(head() + container(classic(1) + data + classic(2)))
    assert found == [1, 2]
    assert reader.skipped == 0


@pytest.mark.parametrize("gap", range(8))
def test_any_padding_between_objects_is_taken(gap: int) -> None:
    inner = classic(1) + bytes(gap) + classic(2)
    outer = container(inner, stored=True) + bytes(gap) + container(classic(3))
    assert [message.arbitration_id for message in read(head() + outer)] == [1, 2, 3]


def test_objects_cut_by_containers_are_joined() -> None:
    inner = b"".join(classic(number) + SKIPPED[1] for number in range(20))
    for size in (1, 3, 16, 33, 48):
        parts = [container(inner[at : at + size]) for at in range(0, len(inner), size)]
        assert [message.arbitration_id for message in read(head() + b"".join(parts))] == list(range(20))


def test_objects_outside_containers_belong_to_the_stream() -> None:
    data = head() + classic(1) + SKIPPED[1] + container(classic(2)) + classic(3)
    assert [message.arbitration_id for message in read(data)] == [1, 2, 3]


def test_empty_containers_are_fine() -> None:
    found, reader = read_lenient(head() + container(b"") + container(classic(1)) + container(b""))
    assert (found, reader.notes) == ([1], [])


def test_a_batch_keeps_the_order_of_the_file() -> None:
    data = head() + container(classic(1, 50) + classic(2, 10))
    assert [message.timestamp_ns - START_NS for message in read(data)] == [50, 10]


# (bytes 8 to 15 of the head, applicationBuild, what TZ shifts the start by, in hours)
@pytest.mark.parametrize(
    ("application", "build", "is_utc"),
    [
        (bytes.fromhex("d41a3e0000000001"), 0x63616E78, True),
        (PYTHON_CAN, 0, True),
        (PYTHON_CAN, 36, False),
        (bytes.fromhex("1f3e3e0002060801"), 0, False),
    ],
)
def test_the_start_is_utc_only_where_the_writer_is_known_to_write_it(
    monkeypatch: pytest.MonkeyPatch, application: bytes, build: int, is_utc: bool
) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    _, reader = read_lenient(head(application, build) + container(classic(1)))
    (message,) = read(head(application, build) + container(classic(1)))
    assert message.timestamp_ns == START_NS - (0 if is_utc else 7200 * 10**9)
    assert any("local time" in note for note in reader.notes) == (not is_utc)
    monkeypatch.undo()
    time.tzset()


def test_a_zone_that_is_given_wins() -> None:
    (message,) = read(GOLDEN, tz="Europe/Berlin")
    assert message.timestamp_ns == START_NS + 456_000 - 3600 * 10**9


@pytest.mark.parametrize("start", [bytes(16), struct.pack("<8H", 2023, 13, 0, 1, 0, 0, 0, 0), b"\xff" * 16])
def test_without_a_date_times_count_from_1970(start: bytes) -> None:
    (message,) = read(head(start=start) + container(classic(1, 12)))
    assert message.timestamp_ns == 12


def test_what_is_left_out_is_noted() -> None:
    _, reader = read_lenient(head() + container(SKIPPED[2] * 2 + SKIPPED[9] + SKIPPED[8] + SKIPPED[6]))
    notes = "\n".join(reader.notes)
    assert "3 requests to send left out" in notes
    assert "1 CAN XL error frames left out" in notes
    assert "frames were lost" in notes


@pytest.mark.parametrize(
    "data",
    [
        lobj(1, "01000000 00080000" + "00" * 8),  # 11 bits, and more
        lobj(1, "01000010 00000000" + "00" * 8),  # DLC 16
        lobj(1, "01000000"),
        lobj(1, "01000000 01000000" + "00" * 8, (1 << 63) - 1),  # beyond 64 bits
        lobj(1, "01000000 01000000" + "00" * 8, 1 << 62, unit=1),
        lobj(73, "00" * 31),
        lobj(100, "00" * 83),
        lobj(101, "00" * 39),
        lobj(101, "010f4100 01000000 00000000 00100000" + "00" * 24 + "aa" * 68),  # 65 bytes
        lobj(1, "01000000 01000000" + "00" * 8, size=15),
        lobj(1, "01000000 01000000" + "00" * 8, size=0),
        lobj(1, "01000000 01000000" + "00" * 8, size=0x7FFFFFFF),
    ],
)
def test_a_malformed_object_costs_only_itself(data: bytes) -> None:
    content = head() + container(classic(1) + data + bytes(len(data) % 4) + classic(2))
    found, reader = read_lenient(content)
    assert (found, reader.skipped) == ([1, 2], 1)
    found, error = read_up_to_fault(content)
    assert found == [1]
    assert str(error).startswith("-:byte 144: ")
    assert error is not None
    assert error.hint is not None


def test_only_blf_is_recognised() -> None:
    assert BLFReader.recognises(GOLDEN[:16])
    assert not BLFReader.recognises(b"LOBJ")
    with pytest.raises(FormatError, match="not a BLF file"):
        read(b"date Mon Jan 1")


def test_the_golden_file_is_read_and_written() -> None:
    message = frame(0x123, b"\1\2\3", time=456_000)
    (found,) = read(GOLDEN)
    assert facts(found) == facts(message)
    assert written([message], compression_level=0, application_id=0) == GOLDEN


def _as_read(message: Message) -> tuple[object, ...]:
    """What BLF makes of a message: an error frame has no direction, and one of its classes."""
    if message.is_error_frame:
        message.is_rx = True
        message.is_fd = False
        if not 0 < message.arbitration_id <= 0x3FF:
            message.arbitration_id = 0x080
    return facts(message)


@settings(deadline=None)
@given(
    st.lists(messages(channels=st.sampled_from(["can0", "can1", "can7", "can254"])), max_size=20),
    st.sampled_from([-1, 0, 1, 9]),
    st.sampled_from([1, 136, 300, 131072]),
)
def test_round_trip(frames: list[Message], level: int, size: int) -> None:
    class Small(BLFWriter):
        max_container_size = size

    file = io.BytesIO()
    with Small(file, compression_level=level) as writer:
        first = min((message.timestamp_ns for message in frames), default=0)
        for message in sorted(frames, key=lambda message: message.timestamp_ns != first):
            writer(message)
    found = [facts(message) for message in read(file.getvalue())]
    wanted = sorted(frames, key=lambda message: message.timestamp_ns != first)
    assert found == [_as_read(message) for message in wanted]
