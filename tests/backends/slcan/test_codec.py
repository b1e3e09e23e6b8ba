"""The lines of slcan adapters: known ones, any chunking, and noise."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.slcan.codec import MAX_LINE, OK, REFUSED, SlcanDecoder, encode
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from tests.strategies import facts, messages

NOW = 99


def times(digits: int, counts: Sequence[int], time_ns: int) -> list[int]:
    """Return counters as times that show how many digits they had."""
    return [digits * 10**12 + count for count in counts]


def decoded(text: bytes, size: int = 1 << 20) -> tuple[list[Message], list[bytes], Losses]:
    """Return the frames, the answers and the losses of ``text`` in pieces of ``size``."""
    decoder, frames = SlcanDecoder(Losses(), times, "bus"), []
    for at in range(0, len(text), size):
        frames += decoder.feed(text[at : at + size], NOW)
    return frames, list(decoder.answers), decoder.losses


def std(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, data=data, **more)


def ext(identifier: int, data: bytes = b"", **more: Any) -> Message:
    return Message(arbitration_id=identifier, data=data, **more)


#: lines in both directions
FRAMES = [
    (b"t12330102AB", std(0x123, b"\x01\x02\xab")),
    (b"T12ABCDEF2DEAD", ext(0x12ABCDEF, b"\xde\xad")),
    (b"t0070", std(7)),
    (b"r7FF4", std(0x7FF, is_remote_frame=True, dlc=4)),
    (b"R1FFFFFFF0", ext(0x1FFFFFFF, is_remote_frame=True, dlc=0)),
    (b"d1239000102030405060708090A0B", std(0x123, bytes(range(12)), is_fd=True)),
    (b"B12345678F" + b"00" * 64, ext(0x12345678, bytes(64), is_fd=True, bitrate_switch=True)),
    (b"b4560", std(0x456, is_fd=True, bitrate_switch=True)),
    (b"D000001238" + b"11" * 8, ext(0x123, b"\x11" * 8, is_fd=True)),
]


@pytest.mark.parametrize(("line", "message"), FRAMES)
def test_frames_in_both_directions(line: bytes, message: Message) -> None:
    assert encode(MessageBatch([message]), True) == [line + b"\r"]
    frames, answers, losses = decoded(line + b"\r")
    message.channel, message.timestamp_ns = "bus", NOW
    assert [facts(frame) for frame in frames] == [facts(message)]
    assert (answers, losses) == ([], {})


RECEIVED = [
    (b"x12ABCDEF2AA55", ext(0x12ABCDEF, b"\xaa\x55"), NOW),
    (b"T12ABCDEF2AA5525A5", ext(0x12ABCDEF, b"\xaa\x55"), 4 * 10**12 + 9637),
    (b"t12321122AB12", std(0x123, b"\x11\x22"), 4 * 10**12 + 43794),
    (b"D000001238" + b"11" * 8 + b"ABCD", ext(0x123, b"\x11" * 8, is_fd=True), 4 * 10**12 + 0xABCD),
    (b"t1230D693A3FF", std(0x123), 8 * 10**12 + 0xD693A3FF),
    (b"d1239000102030405060708090a0b", std(0x123, bytes(range(12)), is_fd=True), NOW),
    (b"r12321122", std(0x123, is_remote_frame=True, dlc=2), NOW),
    (b"r12380000000000000000", std(0x123, is_remote_frame=True, dlc=8), NOW),
    (b"r123800000000000000000001", std(0x123, is_remote_frame=True, dlc=8), 4 * 10**12 + 1),
    (b"r123", std(0x123, is_remote_frame=True, dlc=0), NOW),
    (b"R00000123", ext(0x123, is_remote_frame=True, dlc=0), NOW),
    (b"d12300", std(0x123, is_fd=True), NOW),
    (b"d12301", std(0x123, is_fd=True, error_state_indicator=True), NOW),
    (b"d1230100000007", std(0x123, is_fd=True, error_state_indicator=True), 8 * 10**12 + 7),
    (b"e1o", std(0x8C, b"\0\1\0\0\0\0\0\0", is_error_frame=True), NOW),
    (b"e1O", std(0x8C, b"\0\2\0\0\0\0\0\0", is_error_frame=True), NOW),
    (b"e1a", std(0xA8, b"\0\0\0\x19\0\0\0\0", is_error_frame=True), NOW),
    (b"e1b", std(0x88, b"\0\0\x08\0\0\0\0\0", is_error_frame=True), NOW),
    (b"e1B", std(0x88, b"\0\0\x10\0\0\0\0\0", is_error_frame=True), NOW),
    (b"e1c", std(0x88, b"\0\0\0\x08\0\0\0\0", is_error_frame=True), NOW),
    (b"e2fs", std(0x88, b"\0\0\x06\0\0\0\0\0", is_error_frame=True), NOW),
    (b"sw098033", std(0x204, b"\0\4\0\0\0\0\x21\x62", is_error_frame=True), NOW),
    (b"sp127128", std(0x204, b"\0\x20\0\0\0\0\x80\x7f", is_error_frame=True), NOW),
    (b"sp128127", std(0x204, b"\0\x10\0\0\0\0\x7f\x80", is_error_frame=True), NOW),
    (b"sa000000", std(0x204, b"\0\x40\0\0\0\0\0\0", is_error_frame=True), NOW),
    (b"sb256256", std(0x40, bytes(8), is_error_frame=True), NOW),
    (b"F01", std(0x4, b"\0\1\0\0\0\0\0\0", is_error_frame=True), NOW),
    (b"F0A", std(0x4, b"\0\3\0\0\0\0\0\0", is_error_frame=True), NOW),
    (b"F24", std(0x4, b"\0\x3c\0\0\0\0\0\0", is_error_frame=True), NOW),
    (b"FC0", std(0x82, bytes(8), is_error_frame=True), NOW),
]


@pytest.mark.parametrize(("line", "message", "time_ns"), RECEIVED)
def test_received_lines(line: bytes, message: Message, time_ns: int) -> None:
    frames, answers, losses = decoded(line + b"\r")
    message.channel, message.timestamp_ns = "bus", time_ns
    assert [facts(frame) for frame in frames] == [facts(message)]
    assert answers == ([line] if line[:1] == b"F" else [])
    assert losses == {}


@pytest.mark.parametrize("code", range(9, 16))
def test_a_classic_frame_may_have_a_code_over_8(code: int) -> None:
    frames, _, _ = decoded(b"t123%X1122334455667788\r" % code)
    assert (frames[0].dlc, frames[0].dlc_code) == (8, code)


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        (b"\r", [OK]),
        (b"z\r", [OK]),
        (b"Z\r", [OK]),
        (b"zt1230\r", []),
        (b"\a", [REFUSED]),
        (b"\a\a", [REFUSED, REFUSED]),
        (b"V1013\r", [b"V1013"]),
        (b"v1014\r", [b"v1014"]),
        (b"NA123\r", [b"NA123"]),
        (b"F00\r", [b"F00"]),
        (
            b"16ab6a3 github.com/normaldotcom/canable2-fw.git\r",
            [b"16ab6a3 github.com/normaldotcom/canable2-fw.git"],
        ),
        (b"\n", []),
        (b"A\r", [b"A"]),
    ],
)
def test_answers(line: bytes, answers: list[bytes]) -> None:
    assert decoded(line) == ([], answers, {})


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"t12",
        b"t7ff1zz",
        b"t123F",
        b"d123g",
        b"t1239FF",
        b"t12311",
        b"t8000",
        b"T200000000",
        b"t12301",
        b"e2o",
        b"e1x",
        b"sx000000",
        b"sw0000",
        b"t1230 ",
        b"\xff",
        b"d12302",
        b"t123",
    ],
)
def test_malformed_lines_are_counted_and_skipped(line: bytes) -> None:
    frames, answers, losses = decoded(line + b"\rt1230\r")
    assert [frame.arbitration_id for frame in frames] == [0x123]
    assert (answers, losses) == ([], {"malformed lines skipped": 1})
    assert str(losses.first_fault).startswith('not a line of an slcan adapter: "')


def test_a_line_that_a_refusal_cuts_is_malformed() -> None:
    assert decoded(b"t12\at1230\r")[1:] == ([REFUSED], {"malformed lines skipped": 1})


def test_counters_may_be_switched_off_and_on_between_lines() -> None:
    lines = [b"t10000001", b"t1010", b"e1c", b"t1020", b"t10300002", b"t1040", b"t105000000003", b"t10600004"]
    frames, _, losses = decoded(b"\r".join(lines) + b"\r")
    assert [frame.timestamp_ns for frame in frames] == [
        *(4 * 10**12 + 1, NOW, NOW, NOW, 4 * 10**12 + 2, NOW, 8 * 10**12 + 3, 4 * 10**12 + 4)
    ]
    assert losses == {}


def test_an_error_keeps_the_counters_before_and_after() -> None:
    frames, _, _ = decoded(b"t10000001\rt10000002\re1c\rt10000003\rF01\rt10000004\r")
    assert [frame.timestamp_ns % 10**12 for frame in frames] == [1, 2, NOW, 3, NOW, 4]


def test_flags_of_a_state_are_reported_when_they_change() -> None:
    frames, answers, _ = decoded(b"F00\rF04\rF04\rF05\rF04\rF00\rF00\r")
    assert [frame.data[1] for frame in frames] == [0x0C, 0x0D, 0x40]
    assert len(answers) == 7


def test_a_long_line_is_one_fault_and_costs_no_memory() -> None:
    decoder = SlcanDecoder(Losses(), times)
    for _ in range(100):
        decoder.feed(b"t" * 100, NOW)
    assert len(decoder._rest) <= MAX_LINE
    frames = decoder.feed(b"1230\rt1230\r", NOW)
    assert len(frames) == 1
    assert decoder.losses == {"malformed lines skipped": 1}


@pytest.mark.parametrize(
    "message",
    [std(4, bytes(8), is_error_frame=True), XlMessage(arbitration_id=1, data=b"1")],
    ids=["error", "xl"],
)
def test_frames_that_adapters_do_not_send(message: Message) -> None:
    with pytest.raises(CanOperationError, match="slcan adapters do not send") as raised:
        encode(MessageBatch([message]), True)
    assert raised.value.sent == 0


def test_can_fd_needs_a_bus_with_can_fd() -> None:
    with pytest.raises(CanOperationError, match="without CAN FD"):
        encode(MessageBatch([std(1, is_fd=True)]), False)


def test_a_line_that_the_end_of_the_stream_cuts_is_counted_once() -> None:
    decoder = SlcanDecoder(Losses(), times)
    assert not len(decoder.feed(b"t123", NOW))
    decoder.finish()
    decoder.finish()
    assert decoder.losses == {"malformed lines skipped": 1}


LINES = st.sampled_from([line for line, _ in FRAMES] + [line for line, _, _ in RECEIVED])
STREAM = st.lists(
    st.builds(lambda line, end: line + end, LINES, st.sampled_from([b"\r", b"\r\n", b"\a", b""]))
    | st.binary(max_size=8)
    | st.sampled_from([b"z\r", b"\a", b"0" * 170]),
    max_size=12,
).map(b"".join)


@given(text=STREAM, cuts=st.lists(st.integers(0, 2000), max_size=6))
def test_any_chunking_gives_the_same(text: bytes, cuts: list[int]) -> None:
    whole = decoded(text)
    decoder, frames = SlcanDecoder(Losses(), times, "bus"), []
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for begin, end in itertools.pairwise(edges):
        frames += decoder.feed(text[begin:end], NOW)
    assert [facts(frame) for frame in frames] == [facts(frame) for frame in whole[0]]
    assert (list(decoder.answers), decoder.losses) == whole[1:]


@given(noise=st.binary(max_size=300) | STREAM, end=st.sampled_from([b"\r", b"\n", b"\a"]))
def test_noise_never_costs_the_next_frame(noise: bytes, end: bytes) -> None:
    *_, last = decoded(noise + end + b"t1232AA55\r", size=7)[0]
    assert (last.arbitration_id, bytes(last.data)) == (0x123, b"\xaa\x55")


@given(
    frame=messages(channels=st.just("bus"), directions=st.just(True)).filter(lambda m: not m.is_error_frame)
)
def test_every_frame_survives(frame: Message) -> None:
    frame.timestamp_ns = NOW
    frame.error_state_indicator = False  # which lines do not carry
    if not frame.is_fd:
        frame.dlc_code = frame.dlc
    ((line,), back) = encode(MessageBatch([frame]), True), SlcanDecoder(Losses(), times, "bus")
    assert [facts(one) for one in back.feed(line, NOW)] == [facts(frame)]
