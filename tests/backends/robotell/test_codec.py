"""The codec of Robotell's adapters."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.robotell import codec
from cantools_cli.backends.robotell.codec import RobotellDecoder, encode
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import facts, messages

EIGHT = bytes.fromhex("1122334455667788")


def frame(identifier: int, data: bytes = b"", **more: bool | int) -> Message:
    return Message(arbitration_id=identifier, data=data, **{"is_extended_id": False, **more})


# Every row is decoded and encoded.
CASES = [
    ("AAAA 23010000 0102030000000000 03 00 00 00 2D 5555", frame(0x123, b"\1\2\3")),
    (
        "AAAA EFCDAB12 11223344 A555 667788 08 00 01 00 E6 5555",
        frame(0x12ABCDEF, EIGHT, is_extended_id=True),
    ),
    ("AAAA 23010000 0000000000000000 04 00 00 01 29 5555", frame(0x123, is_remote_frame=True, dlc=4)),
    (
        "AAAA 34120000 0000000000000000 07 00 01 01 4F 5555",
        frame(0x1234, is_remote_frame=True, is_extended_id=True, dlc=7),
    ),
    ("AAAA FF070000 0000000000000000 00 00 00 00 06 5555", frame(0x7FF)),
    (
        "AAAA 56341200 A5AA A5A5 A555 A555 A5A5 A5AA 0000 06 00 01 00 EB 5555",
        frame(0x123456, bytes.fromhex("AAA55555A5AA"), is_extended_id=True),
    ),
    ("AAAA 7B000000 48656C6C6F313233 08 00 00 00 0D 5555", frame(123, b"Hello123")),
    ("AAAA 00010000 5300000000000000 01 00 00 00 A555 5555", frame(0x100, b"\x53")),
    ("AAAA 00010000 A300000000000000 01 00 00 00 A5A5 5555", frame(0x100, b"\xa3")),
    ("AAAA 00010000 A800000000000000 01 00 00 00 A5AA 5555", frame(0x100, b"\xa8")),
]
STREAM = b"".join(bytes.fromhex(text) for text, _ in CASES)
GOOD = bytes.fromhex(CASES[0][0])

SETTINGS = [
    ("AAAA C0FEFF01 0000000000000000 08 FF 01 00 C6 5555", codec.write(codec.INITIALISE, b"", 8)),
    ("AAAA D0FEFF01 20A1070000000000 04 FF 01 00 9A 5555", codec.write(codec.BITRATE, codec.word(500000))),
    ("AAAA D0FEFF01 40420F0000000000 04 FF0100 63 5555", codec.write(codec.BITRATE, codec.word(1000000))),
    ("AAAA D0FEFF01 90D0030000000000 04 FF0100 35 5555", codec.write(codec.BITRATE, codec.word(250000))),
    ("AAAA A0FEFF01 0100000000000000 01 FF0100 A0 5555", codec.write(codec.RETRANSMIT, b"\1")),
    ("AAAA A0FEFF01 0000000000000000 01 FF0100 9F 5555", codec.write(codec.RETRANSMIT, b"\0")),
    ("AAAA B0FEFF01 0100000000000000 01 FF0100 B0 5555", codec.write(codec.BUS_MANAGEMENT, b"\1")),
    (
        "AAAA 90FEFF01 00C2010000000000 04 FF0100 A555 5555",
        codec.write(codec.SERIAL_RATE, codec.word(115200)),
    ),
    (
        "AAAA E0FEFF01 23010080 FF070000 08 FF0100 90 5555",
        codec.write(codec.FILTER, codec.filter_value(0x123, 0x7FF, False, True)),
    ),
    (
        "AAAA E1FEFF01 341200C0 FFFFFF1F 08 FF0100 09 5555",
        codec.write(codec.FILTER + 1, codec.filter_value(0x1234, 0x1FFFFFFF, True, True)),
    ),
    (
        "AAAA E2FEFF01 00000000 00000000 08 FF0100 E8 5555",
        codec.write(codec.FILTER + 2, codec.filter_value(0, 0, False, False)),
    ),
    ("AAAA F0FFFF01 0000000000000000 08 FF 01 01 F8 5555", codec.read(codec.SERIAL_NUMBER)),
    ("AAAA F1FFFF01 0000000000000000 08 FF 01 01 F9 5555", codec.read(codec.SERIAL_NUMBER + 1)),
]


def decoded(data: bytes) -> tuple[list[Message], Losses]:
    losses = Losses()
    return list(RobotellDecoder(losses).feed(data, 0)), losses


@pytest.mark.parametrize(("text", "message"), CASES)
def test_known_frames(text: str, message: Message) -> None:
    message.timestamp_ns = 0
    found, losses = decoded(bytes.fromhex(text))
    assert [facts(one) for one in found] == [facts(message)]
    assert not losses
    assert encode(MessageBatch([message])) == [bytes.fromhex(text)]


@pytest.mark.parametrize(("text", "packet"), SETTINGS)
def test_known_settings(text: str, packet: bytes) -> None:
    assert packet == bytes.fromhex(text)


def test_answers_are_kept_apart_from_frames() -> None:
    confirmation = bytes.fromhex("AAAA D0FEFF01 40420F0000000000 04 FF0101 64 5555")
    decoder = RobotellDecoder(losses := Losses())
    assert len(decoder.feed(confirmation + GOOD + SETTINGS[0][1], 0)) == 1
    answers = [(codec.BITRATE, codec.word(1000000) + bytes(4), True), (codec.INITIALISE, bytes(8), False)]
    assert list(decoder.answers) == answers
    assert not losses


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_any_cut_of_the_stream_gives_the_same_frames(cut: int) -> None:
    decoder = RobotellDecoder(losses := Losses())
    batches = decoder.feed(STREAM[:cut], 0), decoder.feed(STREAM[cut:], 0)
    assert b"".join(text for batch in batches for text in encode(batch)) == STREAM
    assert not losses


@given(st.lists(messages(kinds=("classic", "remote"), times=st.just(0))))
def test_frames_survive_both_ways(frames: list[Message]) -> None:
    for message in frames:
        message.channel, message.is_rx = None, True
    found, losses = decoded(b"".join(encode(MessageBatch(frames))))
    assert [facts(one) for one in found] == [facts(one) for one in frames]
    assert not losses


#: noise with many delimiters and escapes
NOISE = st.binary(max_size=100) | st.lists(
    st.sampled_from([b"\xaa", b"\x55", b"\xa5", b"\xaa\xaa", b"\x55\x55", b"\0", GOOD[:12], GOOD[5:]]),
    max_size=40,
).map(b"".join)


@given(NOISE, st.lists(st.integers(0, 200), max_size=6))
def test_any_chunking_of_any_bytes_gives_the_same_frames(noise: bytes, cuts: list[int]) -> None:
    noise += GOOD
    whole, losses = decoded(noise)
    decoder = RobotellDecoder(pieces := Losses())
    places = [0, *sorted(min(cut, len(noise)) for cut in cuts), len(noise)]
    found = [one for a, b in pairwise(places) for one in decoder.feed(noise[a:b], 0)]
    assert [facts(one) for one in found] == [facts(one) for one in whole]
    assert bool(pieces) == bool(losses)


@given(NOISE, st.integers(0, 100))
def test_noise_never_costs_the_next_frame(noise: bytes, cut: int) -> None:
    decoder = RobotellDecoder(Losses())
    data = noise + GOOD
    found = [*decoder.feed(data[:cut], 0), *decoder.feed(data[cut:], 0)]
    assert (found[-1].arbitration_id, bytes(found[-1].data)) == (0x123, b"\1\2\3")


@pytest.mark.parametrize(
    ("bad", "losses"),
    [
        ("00 11", {"malformed bytes skipped": 2}),
        ("AAAA 23010000 0102030000000000 03 00 00 00 2E 5555", {"malformed packets skipped": 1}),  # checksum
        ("AAAA 23010000 01020300000000 03 00 00 00 2D 5555", {"malformed packets skipped": 1}),  # a byte lost
        ("AAAA 23010000 0102030000000000 03 00 00 00 2D 55", {"malformed bytes skipped": 20}),  # the last one
        (
            "AA 23010000 0102030000000000 03 00 00 00 2D 5555",
            {"malformed bytes skipped": 20},
        ),  # the first one
        ("AAAA 23010000 0102030000000000 09 00 00 00 33 5555", {"malformed packets skipped": 1}),  # length 9
        ("AAAA 00080000 0000000000000000 00 00 00 00 08 5555", {"malformed packets skipped": 1}),  # 12 bits
        ("AAAA 00000020 0000000000000000 00 00 01 00 21 5555", {"malformed packets skipped": 1}),  # 30 bits
        ("AAAA 00010000 0000000000000000 00 01 00 00 02 5555", {"malformed packets skipped": 1}),  # channel 1
        ("AAAA 00010000 0000000000000000 00 00 02 00 03 5555", {"malformed packets skipped": 1}),
        ("AAAA 00010000 0000000000000000 00 00 00 02 03 5555", {"malformed packets skipped": 1}),
        ("AAAA" + "00" * 60 + "5555", {"malformed packets skipped": 1}),
    ],
)
def test_malformed_packets_are_counted_and_cost_only_themselves(bad: str, losses: dict[str, int]) -> None:
    found, counted = decoded(bytes.fromhex(bad) + GOOD)
    assert [one.arbitration_id for one in found] == [0x123]
    assert counted == losses
    assert counted.first_fault is not None


def test_a_stream_without_an_end_takes_no_memory() -> None:
    decoder = RobotellDecoder(losses := Losses())
    for _ in range(100):
        decoder.feed(b"\xaa\xaa" + bytes(1000), 0)
        assert len(decoder._rest) < 40
    assert losses == {"malformed bytes skipped": 100_200}


def test_the_answers_of_a_device_gone_mad_take_no_memory() -> None:
    decoder = RobotellDecoder(Losses())
    decoder.feed(SETTINGS[0][1] * 1000, 0)
    assert len(decoder.answers) == codec.MAX_ANSWERS


@pytest.mark.parametrize("kind", ["is_error_frame", "is_fd"])
def test_a_frame_that_the_adapter_cannot_carry_is_refused(kind: str) -> None:
    with pytest.raises(CanOperationError, match="carries neither"):
        encode(MessageBatch([Message(arbitration_id=0x123, **{kind: True})]))
