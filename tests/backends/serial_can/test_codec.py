"""The codec of python-can's serial frames."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cantools_cli.backends.serial_can.codec import IdFlags, SerialCanDecoder, encode
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import facts, messages

GAP = 250_000_000


def frame(identifier: int, data: bytes = b"", *, ms: int = 0, **more: bool | int) -> Message:
    message = Message(arbitration_id=identifier, data=data, **{"is_extended_id": False, **more})
    message.timestamp_ns = ms
    return message


# Every row is decoded and encoded; the timestamp is the number on the wire.
CASES = [
    ("AA DC050000 03 23010000 010203 BB", frame(0x123, b"\1\2\3", ms=1500)),
    (
        "AA DC050000 08 EFCDAB92 1122334455667788 BB",
        frame(0x12ABCDEF, bytes.fromhex("1122334455667788"), ms=1500, is_extended_id=True),
    ),
    ("AA 00000000 00 FF070000 BB", frame(0x7FF)),
    ("AA 66730000 01 01000080 11 BB", frame(1, b"\x11", ms=29542, is_extended_id=True)),
    ("AA 00000000 00 00010040 BB", frame(0x100, is_remote_frame=True)),
    ("AA 00000000 00 000100C0 BB", frame(0x100, is_remote_frame=True, is_extended_id=True)),
    ("AA 00000000 04 00010040 BB", frame(0x100, is_remote_frame=True, dlc=4)),
    ("AA 00000000 08 04000020 0001000000000000 BB", frame(4, b"\0\1" + bytes(6), is_error_frame=True)),
    ("AA 00000000 02 AA000000 AABB BB", frame(0xAA, b"\xaa\xbb")),
    ("AA FFFFFFFF 00 01000000 BB", frame(1, ms=0xFFFFFFFF)),
    # the manual's examples
    ("AA 66730000 08 01000000 1122334455667788 BB", frame(1, bytes.fromhex("1122334455667788"), ms=29542)),
    ("AA 66730000 01 01000000 11 BB", frame(1, b"\x11", ms=29542)),
    ("AA 66730000 00 01000000 BB", frame(1, ms=29542)),
]
STREAM = b"".join(bytes.fromhex(text) for text, _ in CASES)


def decoded(data: bytes, id_flags: IdFlags = IdFlags.AUTO) -> tuple[list[Message], Losses]:
    losses = Losses()
    return list(SerialCanDecoder(losses, id_flags=id_flags).feed(data, 0)), losses


def times(batch: MessageBatch) -> list[int]:
    return list(batch.timestamp_ns)


@pytest.mark.parametrize(("text", "message"), CASES)
def test_known_frames(text: str, message: Message) -> None:
    found, losses = decoded(bytes.fromhex(text))
    assert [facts(one) for one in found] == [facts(message)]
    assert not losses
    batch = MessageBatch([message])
    assert encode(batch, times(batch)) == [bytes.fromhex(text)]


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_any_cut_of_the_stream_gives_the_same_frames(cut: int) -> None:
    decoder = SerialCanDecoder(losses := Losses())
    batches = decoder.feed(STREAM[:cut], 0), decoder.feed(STREAM[cut:], 0)
    assert b"".join(text for batch in batches for text in encode(batch, times(batch))) == STREAM
    assert not losses


@given(st.lists(messages(kinds=("classic", "remote", "error"), times=st.integers(0, 0xFFFFFFFF))))
def test_frames_survive_both_ways(frames: list[Message]) -> None:
    for message in frames:
        message.channel, message.is_rx = None, True
    batch = MessageBatch(frames)
    found, losses = decoded(b"".join(encode(batch, times(batch))))
    assert [facts(one) for one in found] == [facts(one) for one in frames]
    assert not losses


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6))
def test_any_chunking_of_any_bytes_gives_the_same(noise: bytes, cuts: list[int]) -> None:
    whole, losses = decoded(noise)
    decoder = SerialCanDecoder(pieces := Losses())
    places = [0, *sorted(cuts), len(noise)]
    found = [one for a, b in pairwise(places) for one in decoder.feed(noise[a:b], 0)]
    assert [facts(one) for one in found] == [facts(one) for one in whole]
    assert pieces == losses


@given(st.binary(max_size=60))
def test_noise_does_not_cost_the_next_frame(noise: bytes) -> None:
    """Unless the noise ends with the beginning of what is a frame by chance: there is no checksum."""
    good = bytes.fromhex("AA DC050000 03 23010000 010203 BB")
    assume(not reaches_into(noise, good))
    decoder = SerialCanDecoder(Losses())
    found = [*decoder.feed(noise + good, 0), *decoder.feed(b"", GAP), *decoder.feed(good, 2 * GAP)]
    assert [(one.arbitration_id, bytes(one.data)) for one in found[-2:]] == [(0x123, b"\1\2\3")] * 2


def reaches_into(noise: bytes, good: bytes) -> bool:
    """Return whether a frame begins in ``noise`` and ends in ``good``."""
    text = noise + good
    for at in range(len(noise)):
        length = text[at + 5] if at + 5 < len(text) else 9
        for size in {0, length} if length <= 8 else set():
            end = at + 11 + size
            if text[at] == 0xAA and len(noise) < end <= len(text) and text[end - 1] == 0xBB:
                return True
    return False


@pytest.mark.parametrize(
    ("bad", "skipped"),
    [
        ("00 FF", 2),
        ("BB", 1),
        ("AA 00000000 09 01000000 BB", 11),  # length 9
        ("AA 00000000 02 01000000 1122 CC", 13),  # another end byte
        ("AA 00000000 02 01000000 11", 11),  # a byte too few
        ("AA 00000000 00 00080040 BB", 11),  # a remote frame of more than 11 bits
        ("AA 00000000 00 00010060 BB", 11),  # a remote error frame
    ],
)
def test_malformed_bytes_are_counted_and_cost_only_themselves(bad: str, skipped: int) -> None:
    found, losses = decoded(bytes.fromhex(bad) + STREAM[:14])
    assert [one.arbitration_id for one in found] == [0x123]
    assert losses == {"malformed bytes skipped": skipped}
    assert str(losses.first_fault).startswith(f"not a frame: {bytes.fromhex(bad)[:3].hex(' ').upper()}")


def test_a_remote_frame_may_have_zeros_for_its_length() -> None:
    found, losses = decoded(bytes.fromhex("AA 00000000 04 00010040 00000000 BB"))
    assert [(one.is_remote_frame, one.dlc) for one in found] == [(True, 4)]
    assert not losses


def test_an_identifier_of_python_can_before_4_6_is_extended_if_it_needs_it() -> None:
    data = bytes.fromhex("AA DC050000 00 EFCDAB12 BB  AA DC050000 00 FF070000 BB")
    for id_flags in (IdFlags.AUTO, IdFlags.OFF):
        found, losses = decoded(data, id_flags)
        assert [(one.arbitration_id, one.is_extended_id) for one in found] == [
            (0x12ABCDEF, True),
            (0x7FF, False),
        ]
        assert not losses
    found, losses = decoded(data, IdFlags.ON)
    assert [one.arbitration_id for one in found] == [0x7FF]
    assert losses == {"malformed bytes skipped": 11}


def test_without_flags_an_identifier_has_none() -> None:
    found, losses = decoded(bytes.fromhex("AA 00000000 00 01000080 BB"), IdFlags.OFF)
    assert not found
    assert losses == {"malformed bytes skipped": 11}
    batch = MessageBatch([frame(0x12ABCDEF, is_extended_id=True)])
    assert encode(batch, [1500], IdFlags.OFF) == [bytes.fromhex("AA DC050000 00 EFCDAB12 BB")]
    for kind in ("is_remote_frame", "is_error_frame"):
        with pytest.raises(CanOperationError, match="without flags"):
            encode(MessageBatch([frame(0x123, **{kind: True})]), [0], IdFlags.OFF)


def test_an_error_frame_with_an_extended_identifier_keeps_it() -> None:
    found, _ = decoded(bytes.fromhex("AA 00000000 00 040000A0 BB"))
    assert [(one.is_error_frame, one.is_extended_id, one.arbitration_id) for one in found] == [
        (True, True, 4)
    ]
    assert encode(MessageBatch(found), [0]) == [bytes.fromhex("AA 00000000 00 040000A0 BB")]


def test_a_can_fd_frame_is_refused() -> None:
    with pytest.raises(CanOperationError, match="does not carry CAN FD"):
        encode(MessageBatch([Message(is_fd=True, data=bytes(12))]), [0])


def test_an_unfinished_frame_is_given_up_after_a_silence() -> None:
    decoder = SerialCanDecoder(losses := Losses(), gap_ns=GAP)
    assert len(decoder.feed(bytes.fromhex("AA DC050000 02 23010000 11"), 0)) == 0
    assert decoder.is_waiting
    assert len(decoder.feed(b"", GAP - 1)) == 0
    assert decoder.is_waiting
    assert len(decoder.feed(b"", GAP)) == 0
    assert losses == {"malformed bytes skipped": 11}
    assert len(decoder.feed(STREAM[:14], GAP)) == 1


def test_data_that_is_read_late_completes_a_frame() -> None:
    decoder = SerialCanDecoder(losses := Losses(), gap_ns=GAP)
    assert len(decoder.feed(STREAM[:5], 0)) == 0
    assert len(decoder.feed(STREAM[5:14], 100 * GAP)) == 1
    assert not losses


def test_a_frame_after_a_start_byte_of_noise_appears_after_a_silence() -> None:
    decoder = SerialCanDecoder(losses := Losses(), gap_ns=GAP)
    assert len(decoder.feed(b"\xaa" + bytes.fromhex("AA 01000008 00 23010000 BB"), 0)) == 0
    found = decoder.feed(b"", GAP)
    assert list(found.can_id) == [0x123]
    assert losses == {"malformed bytes skipped": 1}
    assert not decoder.is_waiting


def test_the_identifier_bits_are_those_of_socketcan() -> None:
    batch = SerialCanDecoder(Losses(), "here").feed(STREAM, 0)
    assert batch.channels == ("here",)
    assert batch.can_id[1] == 0x12ABCDEF | bits.CAN_EFF_FLAG
    assert list(batch.channel) == [0] * len(CASES)
