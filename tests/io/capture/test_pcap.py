"""pcap: the file around the packets, what writing loses, damage, append."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.capture.pcap import PcapReader, PcapWriter
from tests.io.capture.capture_bytes import (
    classic,
    pcap_head,
    pcap_record,
    read_all,
    read_lenient,
    read_up_to_fault,
    reader_of,
)
from tests.strategies import ALL_KINDS, facts, messages

#: what the module's docstring shows
GOLDEN = bytes.fromhex(
    "4d3cb2a1 0200 0400 00000000 00000000 00000400 e3000000"
    "80805365 00000000 10000000 10000000 00000123 03000000 0102030000000000"
)
RECORDS = [pcap_record(classic(number, bytes(number))) for number in range(8)]
FILE = pcap_head() + b"".join(RECORDS)
PCAP_TIMES = st.integers(0, 0xFFFFFFFF * 10**9 + 999_999_999)


def frame(identifier: int = 0x123, data: bytes = b"\1\2\3", time: int = 0x65538080 * 10**9) -> Message:
    message = Message(arbitration_id=identifier, is_extended_id=False, data=data, channel="can0")
    message.timestamp_ns = time
    return message


def written(frames: list[Message]) -> tuple[bytes, PcapWriter]:
    file = io.BytesIO()
    with PcapWriter(file) as writer:
        writer.write(MessageBatch(frames))
    return file.getvalue(), writer


def test_a_file_of_one_frame() -> None:
    assert written([frame()])[0] == GOLDEN
    assert [facts(message) for message in read_all(GOLDEN)] == [facts(frame())]


@settings(deadline=None)
@given(
    st.lists(messages(kinds=ALL_KINDS, times=PCAP_TIMES, channels=st.just("can0"), directions=st.just(True)))
)
def test_what_is_written_is_read_back(frames: list[Message]) -> None:
    content, writer = written(frames)
    assert [facts(message) for message in read_all(content)] == [facts(message) for message in frames]
    assert not writer.losses


def test_what_is_lost_is_counted() -> None:
    early, sent, other = frame(time=-1), frame(), frame()
    sent.is_rx, other.channel = False, "can1"
    content, writer = written([early, sent, other, other])
    assert writer.losses == {"directions": 1, "channels": 2, "times outside 1970 to 2106": 1}
    assert [message.timestamp_ns for message in read_all(content)] == [0, *[0x65538080 * 10**9] * 3]
    assert {message.channel for message in read_all(content)} == {"can0"}


def test_can_xl_beside_other_frames() -> None:
    early = XlMessage(-1.0, 0x123, bytes(range(0x11, 0x18)), vcid=0x45, sdt=1, sec=True, channel="can0")
    early.acceptance_field = 0x12345678
    content, writer = written([frame(), early, frame()])
    packet = bytes.fromhex("00450123 81010700 78563412 11121314151617")
    assert content == GOLDEN + bytes(8) + b"\x13\0\0\0\x13\0\0\0" + packet + GOLDEN[24:]
    assert writer.losses == {"times outside 1970 to 2106": 1}
    early.timestamp_ns = 0
    assert [facts(message) for message in read_all(content)] == [facts(frame()), facts(early), facts(frame())]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "scale"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_the_magic_tells_order_and_unit(order: str, magic: int, scale: int) -> None:
    content = pcap_head(227, order, magic) + pcap_record(classic(5), 123_456, order)
    (message,) = read_all(content)
    assert (message.arbitration_id, message.timestamp_ns) == (5, 1_700_000_000 * 10**9 + 123_456 * scale)


def test_checksum_bits_beside_the_link_type_do_not_matter() -> None:
    assert len(read_all(pcap_head(0x5000_00E3) + RECORDS[0])) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pcap_head(190), "link type 190, which is not CAN"),
        (pcap_head(1), "link type 1, which is not CAN"),
        (pcap_head(magic=0xA1B2CD34), "not a pcap file: it begins with 34 cd b2 a1"),
        (b"\x4d\x3c\xb2\xa1\3\0" + pcap_head()[6:], "pcap version 3"),
    ],
)
@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_other_files_are_refused(content: bytes, words: str, on_error: str) -> None:
    with pytest.raises(FormatError, match=words):
        list(PcapReader(io.BytesIO(content + RECORDS[0]), on_error=on_error))


def test_an_empty_file_is_no_capture() -> None:
    with pytest.raises(FormatError, match="byte 0: empty"):
        list(PcapReader(io.BytesIO(b"")))


@pytest.mark.parametrize("size", range(1, len(FILE) + 1))
def test_a_cut_file_gives_what_is_complete_before_the_cut(size: int) -> None:
    found, reader = read_lenient(FILE[:size])
    whole = max(size - 24, 0) // 32
    assert (found, reader.skipped) == (list(range(whole)), 0)
    assert bool(reader.notes) == (size < 24 or (size - 24) % 32 != 0)


def test_the_note_of_a_cut_file_says_where() -> None:
    assert read_lenient(FILE[:-1])[1].notes == ["-: ends inside the record after packet 7, which was dropped"]


@pytest.mark.parametrize("step", [1, 7, 100])
def test_bytes_may_come_in_any_pieces(step: int) -> None:
    class Trickle(io.RawIOBase):
        at = 0

        def read(self, size: int = -1) -> bytes:
            self.at += step
            return FILE[self.at - step : self.at]

    assert [message.arbitration_id for message in PcapReader(Trickle())] == list(range(8))


def test_a_malformed_packet_costs_only_itself() -> None:
    content = pcap_head() + RECORDS[0] + pcap_record(b"short") + RECORDS[1]
    found, reader = read_lenient(content)
    assert (found, reader.skipped) == ([0, 1], 1)
    found, error = read_up_to_fault(content)
    assert found == [0]
    assert str(error) == "-:packet 2: a packet of 5 bytes, too short for a frame"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("claims", [0x2000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_lying_length_costs_what_lies_before_the_next_record(order: str, claims: int) -> None:
    records = [pcap_record(classic(number, b"\xff" * 8), number, order) for number in range(5)]
    liar = bytearray(records[1])
    liar[8:12] = claims.to_bytes(4, "little" if order == "<" else "big")
    content = pcap_head(227, order) + records[0] + bytes(liar) + b"".join(records[2:])
    found, reader = read_lenient(content)
    assert (found, reader.skipped) == ([0, 2, 3, 4], 1)
    found, error = read_up_to_fault(content)
    assert found == [0]
    assert f"packet 2: a packet claims {claims} bytes" in str(error)


def test_the_last_packet_is_found_behind_damage() -> None:
    found, reader = read_lenient(pcap_head() + RECORDS[0] + b"\xff" * 20 + RECORDS[1])
    assert (found, reader.skipped) == ([0, 1], 1)


def test_memory_follows_neither_the_file_nor_a_lying_length() -> None:
    liar = bytearray(RECORDS[0])
    liar[8:12] = b"\xff\xff\xff\x7f"
    content = pcap_head() + (RECORDS[1] * 50_000 + bytes(liar)) * 2 + bytes(1 << 21)
    reader = reader_of(content, "skip")
    tracemalloc.start()
    try:
        assert sum(len(batch) for batch in reader.batches()) >= 100_000
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(24, len(FILE) - 1), st.integers(0, 255)), max_size=4))
def test_damage_never_crashes_and_keeps_what_comes_before(changes: list[tuple[int, int]]) -> None:
    content = bytearray(FILE)
    for at, value in changes:
        content[at] = value
    before = (min(changes)[0] - 24) // 32 if changes else 8
    found, _ = read_up_to_fault(bytes(content))
    assert found[:before] == list(range(before))
    assert read_lenient(bytes(content))[0][: len(found)] == found


def test_flushed_frames_are_readable_while_the_writer_is_open(tmp_path: Path) -> None:
    with PcapWriter(tmp_path / "a.pcap") as writer:
        assert read_all((tmp_path / "a.pcap").read_bytes()) == []
        for count in (1, 2):
            writer.on_message_received(frame())
            writer.flush()
            assert len(read_all((tmp_path / "a.pcap").read_bytes())) == count


@pytest.mark.parametrize("cut", [0, 1, 16, 31])
def test_append_goes_on_behind_the_last_complete_packet(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(FILE[: len(FILE) - cut])
    with PcapWriter(path, append=True) as writer:
        writer.on_message_received(frame(0x77))
    assert bool(writer.notes) == bool(cut)
    found = [message.arbitration_id for message in read_all(path.read_bytes())]
    assert found == [*range(8 if cut == 0 else 7), 0x77]


def test_append_keeps_the_unit_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap_head(magic=0xA1B2C3D4))
    with PcapWriter(path, append=True) as writer:
        writer.on_message_received(frame(time=1_234_567_890))
    assert [message.timestamp_ns for message in read_all(path.read_bytes())] == [1_234_568_000]
    assert "microseconds" in writer.notes[0]


def test_append_to_nothing_begins_a_file(tmp_path: Path) -> None:
    for name in ("new.pcap", "empty.pcap"):
        path = tmp_path / name
        if name.startswith("empty"):
            path.touch()
        with PcapWriter(path, append=True) as writer:
            writer.on_message_received(frame())
        assert path.read_bytes() == GOLDEN


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"(0.0) can0 123#\n" * 3, FormatError),
        (pcap_head(113), UsageError),
        (pcap_head(227, ">"), UsageError),
        (FILE + b"\xff" * 100, FormatError),
    ],
)
def test_append_refuses_what_it_cannot_continue(
    tmp_path: Path, content: bytes, error: type[Exception]
) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(content)
    with pytest.raises(error):
        PcapWriter(path, append=True)
    assert path.read_bytes() == content


def test_append_needs_a_file_that_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only an uncompressed file"):
        PcapWriter(tmp_path / "a.pcap.gz", append=True)
