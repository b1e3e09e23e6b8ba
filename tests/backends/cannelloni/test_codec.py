"""cannelloni's datagrams and streams, to and from messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.backends.cannelloni.codec import (
    ROOM_IPV4,
    ROOM_IPV6,
    CannelloniDecoder,
    StreamDecoder,
    datagrams,
    encode,
)
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import facts, messages

NOW = 1_700_000_000_123_456_789


def frame(arbitration_id: int, data: str = "", *, extended: bool = False, **more: Any) -> Message:
    message = Message(
        arbitration_id=arbitration_id,
        is_extended_id=extended,
        data=bytes.fromhex(data),
        channel="peer",
        **more,
    )
    message.timestamp_ns = NOW
    return message


# Every row is read both ways: frames, sequence, datagram.
CASES = [
    ([frame(0x123, "010203")], 0, "02 00 00 0001 00000123 03 010203"),
    (
        [frame(0x12ABCDEF, "0102030405060708", extended=True)],
        1,
        "02 00 01 0001 92ABCDEF 08 0102030405060708",
    ),
    ([frame(0x7FF)], 2, "02 00 02 0001 000007FF 00"),
    ([frame(0x123, is_remote_frame=True, dlc=4)], 3, "02 00 03 0001 40000123 04"),
    (
        [frame(0x123, "0102030405060708090A0B0C", is_fd=True)],
        4,
        "02 00 04 0001 00000123 8C 04 0102030405060708090A0B0C",
    ),
    ([frame(1, extended=True, is_fd=True, bitrate_switch=True)], 5, "02 00 05 0001 80000001 80 05"),
    ([frame(1, is_fd=True, error_state_indicator=True)], 6, "02 00 06 0001 00000001 80 06"),
    (
        [frame(4, "0102030405060708", is_error_frame=True)],
        255,
        "02 00 FF 0001 20000004 08 0102030405060708",
    ),
    ([frame(1, "01"), frame(2, "0102")], 7, "02 00 07 0002 00000001 01 01 00000002 02 0102"),
]
STREAM = b"".join(bytes.fromhex(text)[5:] for _, _, text in CASES)
ALL = [message for row in CASES for message in row[0]]
PAIR = bytes.fromhex(CASES[-1][2])


def read(*texts: bytes) -> tuple[list[tuple[object, ...]], CannelloniDecoder]:
    """Return the frames in datagrams, and what the decoder counted."""
    decoder = CannelloniDecoder("peer")
    batch = decoder.batch()
    for text in texts:
        decoder.datagram(text, NOW, batch)
    return [facts(message) for message in batch], decoder


def read_stream(*pieces: bytes) -> list[tuple[object, ...]]:
    stream = StreamDecoder(CannelloniDecoder("peer"))
    return [facts(message) for piece in pieces for message in stream.feed(piece, NOW)]


@pytest.mark.parametrize(("sent", "sequence", "text"), CASES)
def test_known_datagrams(sent: list[Message], sequence: int, text: str) -> None:
    known = bytes.fromhex(text)
    assert [*datagrams(MessageBatch(sent), sequence, ROOM_IPV4)] == [known]
    got, decoder = read(known)
    assert got == [facts(message) for message in sent]
    assert (decoder.losses, decoder.losses.first_fault) == ({}, None)


# datagram, frames in it, bad packets, bad frames
DAMAGED = [
    ("", 0, 1, 0),
    ("02 00 00 00", 0, 1, 0),
    ("01 00 00 0001 00000123 00", 0, 1, 0),
    ("02 01 00 0001 00000123 00", 0, 1, 0),
    ("02 02 00 0001 00000123 00", 0, 1, 0),
    ("02 00 00 0000", 0, 0, 0),
    ("02 00 00 0000 00000123 00", 0, 0, 0),
    ("02 00 00 0001 00000123 00 FFFF", 1, 0, 0),
    ("02 00 00 0003 00000001 00 00000002 41 00 00000003 00", 1, 1, 0),
    ("02 00 00 0003 00000001 00 00000002 C1 04 00000003 00", 1, 1, 0),
    ("02 00 00 0002 00000001 00 00000002 09 010203040506070809", 1, 0, 1),
    ("02 00 00 0002 00000800 00 00000001 00", 1, 0, 1),
    ("02 00 00 0002 C0000001 84 04 00000001 00", 1, 0, 1),
    ("02 00 00 0002 60000001 04 00000001 00", 1, 0, 1),
    ("02 00 00 0002 20000001 81 04 55 00000001 00", 1, 0, 1),
    ("02 00 00 0002 40000001 09 00000001 00", 1, 0, 1),
    ("02 00 00 FFFF 00000001 00", 1, 1, 0),
]


@pytest.mark.parametrize(("text", "count", "bad_packets", "bad_frames"), DAMAGED)
def test_damage_costs_only_what_it_hits(text: str, count: int, bad_packets: int, bad_frames: int) -> None:
    got, decoder = read(bytes.fromhex(text))
    losses = decoder.losses
    assert len(got) == count
    assert losses["malformed packets skipped"] == bad_packets
    assert losses["malformed frames skipped"] == bad_frames
    assert (losses.first_fault is None) == (bad_packets + bad_frames == 0)


@pytest.mark.parametrize("cut", range(len(PAIR)))
def test_a_cut_datagram_gives_the_frames_before_the_cut(cut: int) -> None:
    got, decoder = read(PAIR[:cut])
    assert len(got) == (1 if cut >= 11 else 0)
    assert decoder.losses == {"malformed packets skipped": 1}


def test_an_fd_length_that_is_none_is_filled_up() -> None:
    batch = CannelloniDecoder().batch()
    CannelloniDecoder().datagram(bytes.fromhex("02 00 00 0001 00000001 89 04 010203040506070809"), NOW, batch)
    assert (batch[0].dlc, batch[0].data.hex()) == (12, "010203040506070809000000")


def test_the_extended_bit_of_an_error_frame_means_nothing() -> None:
    (got,), _ = read(bytes.fromhex("02 00 00 0001 A0000004 08 0102030405060708"))
    assert got == facts(CASES[7][0][0])


@pytest.mark.parametrize(
    ("numbers", "missed"),
    [
        ([0, 1, 2], 0),
        ([200, 201], 0),
        ([254, 255, 0, 1], 0),
        ([0, 3], 2),
        ([255, 1], 1),
        ([0, 2, 1, 3], 1),
        ([5, 5, 6], 0),
        ([0, 128], 127),
    ],
)
def test_gaps_in_the_numbers_are_counted(numbers: list[int], missed: int) -> None:
    _, decoder = read(*(bytes((2, 0, number, 0, 0)) for number in numbers))
    assert decoder.losses["packets lost in transit"] == missed


def test_a_batch_goes_into_as_few_datagrams_as_fit() -> None:
    batch = MessageBatch(frame(number, "0102030405060708") for number in range(300))
    for room, first in ((ROOM_IPV4, 112), (ROOM_IPV6, 111)):
        texts = [*datagrams(batch, 254, room)]
        assert [text[2] for text in texts] == [254, 255, 0]
        assert int.from_bytes(texts[0][3:5], "big") == first
        assert len(texts[0]) <= room < len(texts[0]) + 13
        assert read(*texts)[0] == [facts(message) for message in batch]


def test_nothing_gives_no_datagram() -> None:
    assert [*datagrams(MessageBatch(), 0, ROOM_IPV4)] == []


def test_no_datagram_holds_more_frames_than_its_count_can_say() -> None:
    texts = [*datagrams(MessageBatch([frame(1)] * 65_537), 0, 1 << 20)]
    assert [int.from_bytes(text[3:5], "big") for text in texts] == [65_535, 2]


@settings(deadline=None)
@given(
    st.lists(
        messages(kinds=("classic", "remote", "fd", "error"), channels=st.just("peer"), times=st.just(NOW)),
        max_size=50,
    )
)
def test_round_trip(sent: list[Message]) -> None:
    for message in sent:
        message.is_rx = True
    batch = MessageBatch(sent)
    expected = [facts(message) for message in sent]
    assert read(*datagrams(batch, 7, ROOM_IPV6))[0] == expected
    assert read_stream(b"".join(encode(batch))) == expected


# --- the stream of TCP --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_any_cut_of_a_stream_gives_the_same_messages(cut: int) -> None:
    assert read_stream(STREAM[:cut], STREAM[cut:]) == [facts(message) for message in ALL]


def test_a_stream_byte_by_byte_gives_the_same_messages() -> None:
    pieces = [STREAM[at : at + 1] for at in range(len(STREAM))]
    assert read_stream(*pieces) == [facts(message) for message in ALL]


def test_a_length_that_cannot_be_ends_a_stream() -> None:
    stream = StreamDecoder(CannelloniDecoder())
    assert len(stream.feed(STREAM[:8] + bytes.fromhex("00000001 41"), NOW)) == 1
    assert "length 65 of a frame" in str(stream.failure)
    assert len(stream.feed(STREAM, NOW)) == 0


def test_a_frame_that_can_does_not_allow_costs_only_itself_in_a_stream() -> None:
    decoder = CannelloniDecoder()
    bad = bytes.fromhex("00000001 09 010203040506070809")
    assert len(StreamDecoder(decoder).feed(STREAM[:8] + bad + STREAM[:8], NOW)) == 2
    assert decoder.losses == {"malformed frames skipped": 1}
    assert "a classic frame of 9 bytes" in str(decoder.losses.first_fault)


@given(st.lists(st.binary(max_size=80)))
def test_noise_gives_frames_or_is_counted(texts: list[bytes]) -> None:
    noise = [*texts, *(b"\x02\x00\x00\x00\x05" + text for text in texts)]
    got, _ = read(*noise, PAIR)
    assert got[-2:] == [facts(message) for message in CASES[-1][0]]
    stream = StreamDecoder(CannelloniDecoder())
    for text in texts:
        assert len(MessageBatch(stream.feed(text, NOW))) >= 0
