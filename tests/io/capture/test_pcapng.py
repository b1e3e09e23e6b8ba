"""pcapng: blocks, interfaces, sections, what writing keeps, damage, append."""

from __future__ import annotations

import io
import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, NotALogError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.capture.pcapng import PcapngReader, PcapngWriter
from tests.io.capture.capture_bytes import (
    block,
    classic,
    interface,
    option,
    packet_block,
    pcap_head,
    read_all,
    read_lenient,
    read_up_to_fault,
    reader_of,
    section,
)
from tests.strategies import ALL_KINDS, NAMES, facts, messages

NS = option(9, b"\x09")
GOLDEN = bytes.fromhex(
    "0a0d0d0a 28000000 4d3c2b1a 0100 0000 ffffffffffffffff 0400 0400 63616e78 00000000 28000000"
    "01000000 28000000 e300 0000 00000000 0200 0400 63616e30 0900 0100 09000000 00000000 28000000"
    "06000000 3c000000 00000000 b1de9717 0010a4d4 10000000 10000000 00000123 03000000 0102030000000000"
    "0200 0400 01000000 00000000 3c000000"
)
START = section() + interface(227, option(2, b"can0") + NS)
RECORDS = [packet_block(classic(number, bytes(number)), number) for number in range(8)]
FILE = START + b"".join(RECORDS)
PACKET = len(RECORDS[0])


def frame(identifier: int = 0x123, channel: str = "can0", time: int = 0x1797DEB1D4A41000) -> Message:
    message = Message(arbitration_id=identifier, is_extended_id=False, data=b"\1\2\3", channel=channel)
    message.timestamp_ns = time
    return message


def written(frames: list[Message]) -> tuple[bytes, PcapngWriter]:
    file = io.BytesIO()
    with PcapngWriter(file) as writer:
        writer.write(MessageBatch(frames))
    return file.getvalue(), writer


def test_a_file_of_one_frame() -> None:
    assert written([frame()])[0] == GOLDEN
    assert [facts(message) for message in read_all(GOLDEN)] == [facts(frame())]


@settings(deadline=None)
@given(st.lists(messages(kinds=ALL_KINDS, channels=NAMES)))
def test_nothing_is_lost(frames: list[Message]) -> None:
    content, writer = written(frames)
    assert [facts(message) for message in read_all(content)] == [facts(message) for message in frames]
    assert not writer.losses


def test_a_time_before_1970_becomes_0_and_is_counted() -> None:
    frames = [frame(time=-1), frame(time=0), XlMessage(-1.0, data=b"x", channel="can0")]
    content, writer = written(frames)
    assert [message.timestamp_ns for message in read_all(content)] == [0, 0, 0]
    assert writer.losses == {"times before 1970": 2}


def test_channels_are_interfaces_written_when_they_first_appear() -> None:
    file = io.BytesIO()
    with PcapngWriter(file) as writer:
        for channel in ("can1", 1, None, "ü b", "can1"):
            message = frame()
            message.channel = channel
            writer.write(MessageBatch([message]))
    assert [message.channel for message in read_all(file.getvalue())] == [
        "can1",
        "can1",
        "can0",
        "ü b",
        "can1",
    ]
    assert file.getvalue().count(struct.pack("<2LHH", 1, 40, 227, 0)) == 3


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("options", "ticks", "expected"),
    [
        (b"", 1_500_000, 1_500_000_000),  # microseconds, where nothing is said
        ((9, b"\x09"), 1_500_000_001, 1_500_000_001),
        ((9, b"\x03"), 1500, 1_500_000_000),
        ((9, b"\x00"), 2, 2_000_000_000),
        ((9, b"\x0c"), 1_500_000_001_999, 1_500_000_001),
        ((9, b"\x81"), 3, 1_500_000_000),
        ((9, b"\xa0"), 3 << 31, 1_500_000_000),
    ],
)
def test_units_of_time(order: str, options: tuple[int, bytes], ticks: int, expected: int) -> None:
    unit = option(*options, order) if options else b""
    for offset in (0, 10, -10):
        start = option(14, struct.pack(order + "q", offset), order)
        content = section(order) + interface(227, unit + start, order)
        content += packet_block(classic(1), ticks, order=order)
        assert read_all(content)[0].timestamp_ns == expected + offset * 10**9


@pytest.mark.parametrize(("offset", "ticks"), [(0, (1 << 64) - 1), (1 << 62, 0), (-(1 << 62), 0)])
def test_a_time_out_of_range_is_malformed(offset: int, ticks: int) -> None:
    content = section() + interface(227, option(14, struct.pack("<q", offset)))
    found, reader = read_lenient(content + packet_block(classic(1), ticks))
    assert (found, reader.skipped) == ([], 1)
    assert "out of range" in str(reader.first_fault)


def test_names_and_directions() -> None:
    content = section() + interface() + interface(227, option(3, b"x") + option(2, b"pt-can"))
    content += packet_block(classic(1)) + packet_block(classic(2), 0, 1, option(2, b"\2\0\0\0"))
    found = [(message.channel, message.is_rx) for message in read_all(content)]
    assert found == [("can0", True), ("pt-can", False)]


def test_sections_of_different_order_have_their_own_interfaces() -> None:
    content = b""
    for order, name in (("<", b"a"), (">", b"b")):
        content += section(order) + interface(227, option(2, name, order), order)
        content += packet_block(classic(7), order=order)
    assert [message.channel for message in read_all(content)] == ["a", "b"]


def test_simple_and_old_packets() -> None:
    simple = block(3, struct.pack("<L", 16) + classic(1))
    old = block(2, struct.pack("<2H4L", 0, 0, 0, 9, 16, 16) + classic(2) + option(2, b"\2\0\0\0"))
    reader = reader_of(section() + interface() + simple + old)
    found = [(message.arbitration_id, message.timestamp_ns, message.is_rx) for message in reader]
    assert found == [(1, 0, True), (2, 9000, False)]
    assert reader.notes == ["-: packets without a time get the time 0"]


def test_lost_packets_are_told_and_unknown_blocks_stepped_over() -> None:
    statistics = block(5, bytes(12) + option(5, struct.pack("<Q", 3)) + option(7, struct.pack("<Q", 4)))
    unknown = block(0xBAD, bytes(1 << 20))  # larger than anything that is looked into
    found, reader = read_lenient(START + RECORDS[0] + unknown + statistics + RECORDS[1])
    assert (found, reader.skipped) == ([0, 1], 0)
    assert reader.notes == ["-: 7 packets were lost when this was recorded"]


def test_packets_of_other_links_are_left_out_beside_can() -> None:
    content = (
        section() + interface(1) + interface() + packet_block(bytes(60)) + packet_block(classic(1), 0, 1)
    )
    found, reader = read_lenient(content)
    assert (found, reader.notes) == ([1], ["-: 1 packets of link type 1 left out"])


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_a_capture_without_can_is_refused(on_error: str) -> None:
    with pytest.raises(FormatError, match="link type 1, 190, which is not CAN"):
        list(reader_of(section() + interface(1) + interface(190), on_error))


def test_other_files_are_refused() -> None:
    with pytest.raises(FormatError, match="not a pcapng file"):
        list(PcapngReader(io.BytesIO(pcap_head())))
    with pytest.raises(FormatError, match="empty"):
        list(PcapngReader(io.BytesIO(b"")))


@pytest.mark.parametrize("size", range(1, 12))
def test_a_file_cut_in_its_first_block_says_so(size: int) -> None:
    reader = PcapngReader(io.BytesIO(FILE[:size]))
    assert list(reader) == []
    assert reader.notes == ["-: ends inside the file header"]


@pytest.mark.parametrize("size", range(12, len(FILE) + 1))
def test_a_cut_file_gives_what_is_complete_before_the_cut(size: int) -> None:
    found, reader = read_lenient(FILE[:size])
    assert (found, reader.skipped) == (list(range(max(size - len(START), 0) // PACKET)), 0)
    ends = {len(section()), *range(len(START), len(FILE) + 1, PACKET)}
    assert bool(reader.notes) == (size not in ends)


def test_a_cut_in_a_block_that_is_stepped_over_is_said() -> None:
    found, reader = read_lenient(FILE + block(0xBAD, bytes(1 << 20))[:-1])
    assert found == list(range(8))
    assert reader.notes == ["-: ends inside the record after packet 8, which was dropped"]


def test_a_malformed_packet_costs_only_itself() -> None:
    content = START + RECORDS[0] + packet_block(classic(9), 0, 5) + RECORDS[1]
    found, reader = read_lenient(content)
    assert (found, reader.skipped) == ([0, 1], 1)
    found, error = read_up_to_fault(content)
    assert found == [0]
    assert str(error) == "-:packet 2: a packet of interface 5, which is not defined"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("at", "claims"), [(4, 0), (4, 44), (4, 0x7FFFFFFC), (4, 50), (44, 52)])
def test_a_block_that_lies_about_its_size_costs_only_itself(order: str, at: int, claims: int) -> None:
    records = [packet_block(classic(number), number, order=order) for number in range(5)]
    liar = bytearray(records[1])
    struct.pack_into(order + "L", liar, at, claims)
    content = section(order) + interface(order=order) + records[0] + bytes(liar) + b"".join(records[2:])
    found, reader = read_lenient(content)
    assert (found, reader.skipped) == ([0, 2, 3, 4], 1)
    found, error = read_up_to_fault(content)
    assert found == [0]
    assert "a block of type 0x6" in str(error)
    assert error is not None
    assert error.position == len(section()) + 20 + PACKET


def test_damage_that_looks_like_a_large_block_does_not_hide_what_is_behind_it() -> None:
    content = START + RECORDS[0] + b"\xff" * 16 + struct.pack("<2L", 6, 400_000) + RECORDS[1] + RECORDS[2]
    found, reader = read_lenient(content)
    assert (found, reader.skipped) == ([0, 1, 2], 1)


def test_a_captured_length_beyond_the_block_is_malformed() -> None:
    liar = bytearray(RECORDS[1])
    liar[20:24] = b"\xff" * 4
    found, reader = read_lenient(START + RECORDS[0] + bytes(liar) + RECORDS[2])
    assert (found, reader.skipped) == ([0, 2], 1)


def test_memory_follows_neither_the_file_nor_a_lying_length() -> None:
    liars = [block(6, bytes(20))[:4] + struct.pack("<L", size) for size in (0x7FFFFFFC, 1 << 18)]
    content = START + RECORDS[1] * 50_000 + liars[0] + RECORDS[1] * 50_000 + liars[1] + bytes(1 << 21)
    content += struct.pack("<2L", 0xBAD, 0xFFFFFFFC)
    reader = reader_of(content, "skip")
    tracemalloc.start()
    try:
        assert sum(len(batch) for batch in reader.batches()) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(len(START), len(FILE) - 1), st.integers(0, 255)), max_size=4))
def test_damage_never_crashes_and_keeps_what_comes_before(changes: list[tuple[int, int]]) -> None:
    content = bytearray(FILE)
    for at, value in changes:
        content[at] = value
    before = (min(changes)[0] - len(START)) // PACKET if changes else 8
    found, _ = read_up_to_fault(bytes(content))
    assert found[:before] == list(range(before))
    assert read_lenient(bytes(content))[0][: len(found)] == found


PIECES = [section(), section(">"), interface(), interface(276), interface(1), *RECORDS[:2], b"\x06\0\0\0"]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=40)))
def test_noise_is_read_to_its_end(pieces: list[bytes]) -> None:
    with suppress(NotALogError):  # all packets are malformed
        found, _ = read_lenient(START + b"".join(pieces))
        assert len(found) <= len(pieces)


def test_flushed_frames_are_readable_while_the_writer_is_open(tmp_path: Path) -> None:
    with PcapngWriter(tmp_path / "a.pcapng") as writer:
        assert read_all((tmp_path / "a.pcapng").read_bytes()) == []
        for count in (1, 2):
            writer.on_message_received(frame())
            writer.flush()
            assert len(read_all((tmp_path / "a.pcapng").read_bytes())) == count


@pytest.mark.parametrize("cut", [0, 1, 4, PACKET - 1])
def test_append_adds_a_section_behind_the_last_complete_block(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(FILE[: len(FILE) - cut])
    with PcapngWriter(path, append=True) as writer:
        writer.on_message_received(frame(0x77, "can9"))
    assert bool(writer.notes) == bool(cut)
    found = [(message.arbitration_id, message.channel) for message in read_all(path.read_bytes())]
    assert found == [*((number, "can0") for number in range(8 if cut == 0 else 7)), (0x77, "can9")]


def test_append_to_sections_of_any_order_and_to_large_blocks(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    big = section(">") + interface(order=">") + packet_block(classic(8), order=">")
    path.write_bytes(FILE + block(0xBAD, bytes(3 << 20)) + big)
    for identifier in (0x77, 0x78):
        with PcapngWriter(path, append=True) as writer:
            writer.on_message_received(frame(identifier))
    assert [message.arbitration_id for message in read_all(path.read_bytes())] == [*range(9), 0x77, 0x78]


def test_append_to_nothing_begins_a_file(tmp_path: Path) -> None:
    with PcapngWriter(tmp_path / "a.pcapng", append=True) as writer:
        writer.on_message_received(frame())
    assert (tmp_path / "a.pcapng").read_bytes() == GOLDEN


@pytest.mark.parametrize("content", [b"(0.0) can0 123#\n" * 3, FILE + b"\xff" * 100, FILE + bytes(100)])
def test_append_refuses_what_it_cannot_continue(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="cannot be continued"):
        PcapngWriter(path, append=True)
    assert path.read_bytes() == content


def test_append_needs_a_file_that_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only an uncompressed file"):
        PcapngWriter(tmp_path / "a.pcapng.gz", append=True)
