"""virtualcan's records, to and from messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.virtualcan_codec import ECHO_NS, ECHOES, Echoes, VirtualCanDecoder, encode
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import facts, messages

NOW = 1_700_000_000_123_456_789


def frame(arbitration_id: int, data: str = "", *, extended: bool = False) -> Message:
    message = Message(arbitration_id=arbitration_id, is_extended_id=extended, data=bytes.fromhex(data))
    message.timestamp_ns = NOW
    message.channel = "here"
    return message


# Every row is read both ways.
CASES = [
    (frame(0x123, "010203"), "0000000E 00000123 00 03 0102030000000000"),
    (frame(0x12ABCDEF, "1122334455667788", extended=True), "0000000E 12ABCDEF 01 08 1122334455667788"),
    (frame(0x7FF), "0000000E 000007FF 00 00 0000000000000000"),
    (frame(0, "FF"), "0000000E 00000000 00 01 FF00000000000000"),
    (frame(0x1FFFFFFF, extended=True), "0000000E 1FFFFFFF 01 00 0000000000000000"),
    (frame(0x100, "DEADBEEF", extended=True), "0000000E 00000100 01 04 DEADBEEF00000000"),
]
STREAM = b"".join(bytes.fromhex(text) for _, text in CASES)
GOOD = bytes.fromhex(CASES[0][1])


def read(*pieces: bytes) -> list[tuple[object, ...]]:
    decoder = VirtualCanDecoder("here")
    return [facts(message) for piece in pieces for message in decoder.feed(piece, NOW)]


@pytest.mark.parametrize(("message", "text"), CASES)
def test_known_records(message: Message, text: str) -> None:
    assert encode(MessageBatch([message])) == [bytes.fromhex(text)]
    assert read(bytes.fromhex(text)) == [facts(message)]


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_any_cut_gives_the_same_messages(cut: int) -> None:
    assert read(STREAM[:cut], STREAM[cut:]) == [facts(message) for message, _ in CASES]


def test_byte_by_byte_gives_the_same_messages() -> None:
    assert read(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == read(STREAM)


@given(st.lists(messages(kinds=("classic",), channels=st.just("here"), times=st.just(NOW)), max_size=5))
def test_round_trip(sent: list[Message]) -> None:
    for message in sent:
        message.is_rx = True
    assert read(b"".join(encode(MessageBatch(sent)))) == [facts(message) for message in sent]


REFUSED = [
    Message(arbitration_id=1, is_remote_frame=True, dlc=1),
    Message(arbitration_id=4, is_error_frame=True, data=bytes(8)),
    Message(arbitration_id=1, is_fd=True, data=b"\x01"),
]


@pytest.mark.parametrize("message", REFUSED)
def test_what_it_cannot_say_is_refused(message: Message) -> None:
    with pytest.raises(CanOperationError, match="neither remote frames"):
        encode(MessageBatch([Message(), message]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0000000D 00000123 00 03 0102030000000000", "length 13, not 14"),
        ("0000000F", "length 15, not 14"),
        ("47455420", "length 1195725856"),
        ("FF", "length 4278190080"),
        ("0000000E 00000123 00 09 0102030000000000", "9 data bytes"),
    ],
)
def test_what_is_no_record_ends_the_stream(text: str, reason: str) -> None:
    decoder = VirtualCanDecoder()
    assert len(decoder.feed(GOOD + bytes.fromhex(text), NOW)) == 1
    assert reason in str(decoder.failure)
    assert len(decoder.feed(GOOD, NOW)) == 0


@pytest.mark.parametrize("text", ["00000800 00", "20000000 01", "FFFFFFFF 00"])
def test_an_identifier_out_of_range_costs_only_its_frame(text: str) -> None:
    decoder = VirtualCanDecoder()
    bad = bytes.fromhex(f"0000000E {text} 00 0000000000000000")
    assert len(decoder.feed(bad + GOOD + bad, NOW)) == 1
    assert decoder.losses.total() == 2
    assert "out of range" in str(decoder.losses.first_fault)


@given(st.lists(st.binary(max_size=60)))
def test_noise_gives_frames_or_an_end(pieces: list[bytes]) -> None:
    decoder = VirtualCanDecoder()
    for piece in [GOOD, *pieces]:
        batch = decoder.feed(piece, NOW)
        assert len(MessageBatch(batch)) == len(batch)


# --- echoes -------------------------------------------------------------------------------------------------


def test_the_first_equal_frame_within_a_second_is_an_echo() -> None:
    echoes = Echoes()
    echoes.add([GOOD, GOOD], NOW)
    taken = [echoes.takes(GOOD, NOW + ECHO_NS) for _ in range(3)]
    assert taken == [True, True, False]
    echoes.add([GOOD], NOW)
    assert not echoes.takes(GOOD, NOW + ECHO_NS + 1)
    assert not echoes


def test_an_echo_is_dropped_and_another_frame_is_not() -> None:
    echoes = Echoes()
    decoder = VirtualCanDecoder(echoes=echoes)
    echoes.add([bytes.fromhex(CASES[1][1])], NOW)
    got = [message.arbitration_id for message in decoder.feed(STREAM + STREAM, NOW)]
    assert got == [0x123, 0x7FF, 0, 0x1FFFFFFF, 0x100, 0x123, 0x12ABCDEF, 0x7FF, 0, 0x1FFFFFFF, 0x100]


def test_what_is_waited_for_is_bounded() -> None:
    echoes = Echoes()
    echoes.add([b"first", *(b"%d" % number for number in range(ECHOES))], NOW)
    assert not echoes.takes(b"first", NOW)
    assert echoes.takes(b"0", NOW)
    echoes.add([b"last"], NOW)
    echoes.add([b"very last"], NOW)
    assert not echoes.takes(b"1", NOW)
    assert len(echoes._sent) == len(echoes._open) == ECHOES
