"""The codec of Seeed Studio's USB-CAN Analyzer."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cantools_cli.backends.seeedstudio import codec
from cantools_cli.backends.seeedstudio.codec import SeeedstudioDecoder, encode
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import facts, messages

GAP = 250_000_000
EIGHT = bytes.fromhex("1122334455667788")


def frame(identifier: int, data: bytes = b"", **more: bool | int) -> Message:
    return Message(arbitration_id=identifier, data=data, **{"is_extended_id": False, **more})


# Every row is decoded and encoded.
CASES = [
    ("AA C3 2301 010203 55", frame(0x123, b"\1\2\3")),
    ("AA E8 EFCDAB12 1122334455667788 55", frame(0x12ABCDEF, EIGHT, is_extended_id=True)),
    ("AA C0 FF07 55", frame(0x7FF)),
    ("AA D4 2301 55", frame(0x123, is_remote_frame=True, dlc=4)),
    ("AA F0 34120000 55", frame(0x1234, is_remote_frame=True, is_extended_id=True)),
    ("AA C2 AA00 AA55 55", frame(0xAA, b"\xaa\x55")),
    ("AA C8 2301 1122334455667788 55", frame(0x123, EIGHT)),
    ("AA C2 0301 1122 55", frame(0x103, b"\x11\x22")),
    ("AA E8 67452301 1122334455667788 55", frame(0x01234567, EIGHT, is_extended_id=True)),
]
STREAM = b"".join(bytes.fromhex(text) for text, _ in CASES)
STATUS = bytes.fromhex("AA 55 04 05 06") + bytes(14) + b"\x0f"


def decoded(data: bytes) -> tuple[list[Message], Losses]:
    losses = Losses()
    return list(SeeedstudioDecoder(losses).feed(data, 0)), losses


@pytest.mark.parametrize(("text", "message"), CASES)
def test_known_frames(text: str, message: Message) -> None:
    message.timestamp_ns = 0
    found, losses = decoded(bytes.fromhex(text))
    assert [facts(one) for one in found] == [facts(message)]
    assert not losses
    assert encode(MessageBatch([message])) == [bytes.fromhex(text)]


def test_known_messages() -> None:
    known = bytes.fromhex("AA55 12 03 01 00000000 00000000 00 01 00000000 17")
    assert codec.setup(500000, "STD", "normal") == known
    known = bytes.fromhex("AA55 12 05 02 00000000 00000000 02 01 00000000 1C")
    assert codec.setup(250000, "EXT", "silent") == known
    known = bytes.fromhex("AA55 12 03 01 23010000 FF070000 00 01 00000000 41")
    assert codec.setup(500000, "STD", "normal", 0x123, 0x7FF) == known
    assert codec.status_request() == bytes.fromhex("AA 55 04") + bytes(16) + b"\x04"


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_any_cut_of_the_stream_gives_the_same_frames(cut: int) -> None:
    decoder = SeeedstudioDecoder(losses := Losses())
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


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6))
def test_any_chunking_of_any_bytes_gives_the_same(noise: bytes, cuts: list[int]) -> None:
    whole, losses = decoded(noise)
    decoder = SeeedstudioDecoder(pieces := Losses())
    places = [0, *sorted(cuts), len(noise)]
    found = [one for a, b in pairwise(places) for one in decoder.feed(noise[a:b], 0)]
    # a remote frame is complete with the first end byte, whatever follows
    assert [facts(one) for one in found] == [facts(one) for one in whole]
    assert pieces == losses


@given(st.binary(max_size=60))
def test_noise_does_not_cost_the_next_frame(noise: bytes) -> None:
    """Unless the noise ends with the beginning of what is a frame by chance: there is no checksum."""
    good = bytes.fromhex("AA C3 2301 010203 55")
    assume(not reaches_into(noise, good))
    decoder = SeeedstudioDecoder(Losses())
    found = [*decoder.feed(noise + good, 0), *decoder.feed(b"", GAP), *decoder.feed(good, 2 * GAP)]
    assert [(one.arbitration_id, bytes(one.data)) for one in found[-2:]] == [(0x123, b"\1\2\3")] * 2


def reaches_into(noise: bytes, good: bytes) -> bool:
    """Return whether a frame begins in ``noise`` and ends in ``good``."""
    text = noise + good
    for at in range(len(noise)):
        kind = text[at + 1]
        data = at + (6 if kind & 0x20 else 4)
        for end in (data + 1, data + (kind & 0x0F) + 1):
            is_here = text[at] == 0xAA and kind & 0xC0 == 0xC0 and len(noise) < end <= len(text)
            if is_here and text[end - 1] == 0x55:
                return True
    return False


@pytest.mark.parametrize(
    ("bad", "skipped"),
    [
        ("00 11", 2),
        ("AA C1 2301 11 00", 6),  # another end byte
        ("AA C9 2301 010203040506070809 55", 14),  # length 9
        ("AA 83 2301 010203 55", 8),  # another kind
        ("AA C0 0008 55", 5),  # more than 11 bits
        ("AA E0 00000020 55", 7),  # more than 29 bits
        ("AA 55 04 05 06 0000000000000000000000000000 0E", 20),  # wrong checksum
        ("AA 55 12 03 01 00000000 00000000 00 01 00000000 17", 20),  # what only the host sends
    ],
)
def test_malformed_bytes_are_counted_and_cost_only_themselves(bad: str, skipped: int) -> None:
    found, losses = decoded(bytes.fromhex(bad) + STREAM[:8])
    assert [one.arbitration_id for one in found] == [0x123]
    assert losses == {"malformed bytes skipped": skipped}
    assert "not a frame: " in str(losses.first_fault)


def test_a_remote_frame_may_have_zeros_for_its_length() -> None:
    found, losses = decoded(bytes.fromhex("AA D4 2301 00000000 55") + STREAM[:8])
    assert [(one.is_remote_frame, one.dlc) for one in found] == [(True, 4), (False, 3)]
    assert not losses


def test_a_remote_frame_without_zeros_does_not_cost_the_next_frame() -> None:
    found, losses = decoded(bytes.fromhex("AA D4 2301 55") + STREAM[:8])
    assert [(one.is_remote_frame, one.dlc) for one in found] == [(True, 4), (False, 3)]
    assert not losses


def test_changed_error_counters_are_an_error_frame() -> None:
    decoder = SeeedstudioDecoder(losses := Losses())
    zero = bytes.fromhex("AA 55 04 00 00") + bytes(14) + b"\x04"
    assert len(decoder.feed(zero, 0)) == 0
    assert decoder.counters == (0, 0)
    (message,) = decoder.feed(STATUS, 7)
    assert (message.is_error_frame, message.arbitration_id, message.timestamp_ns) == (True, 0x200, 7)
    assert (message.data[7], message.data[6]) == (5, 6) == decoder.counters
    assert len(decoder.feed(STATUS, 8)) == 0
    assert decoder.messages == 3
    assert not losses


def test_frames_of_the_fixed_length_mode_are_counted() -> None:
    body = bytes.fromhex("01 01 01 23010000 08 1122334455667788 00")
    found, losses = decoded(b"\xaa\x55" + body + bytes((sum(body) & 0xFF,)) + STREAM[:8])
    assert [one.arbitration_id for one in found] == [0x123]
    assert losses == {"frames of the fixed length mode skipped": 1}


@pytest.mark.parametrize("kind", ["is_error_frame", "is_fd"])
def test_a_frame_that_the_adapter_cannot_carry_is_refused(kind: str) -> None:
    with pytest.raises(CanOperationError, match="carries neither"):
        encode(MessageBatch([Message(arbitration_id=0x123, **{kind: True})]))


def test_an_unfinished_frame_is_given_up_after_a_silence() -> None:
    decoder = SeeedstudioDecoder(losses := Losses(), gap_ns=GAP)
    assert len(decoder.feed(b"\xaa", 0)) == 0
    assert decoder.is_waiting
    assert len(decoder.feed(b"", GAP)) == 0
    assert not decoder.is_waiting
    assert len(decoder.feed(STREAM[:8], GAP)) == 1
    assert losses == {"malformed bytes skipped": 1}
