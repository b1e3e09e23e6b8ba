"""The records, control messages and filters of SocketCAN, as the kernel documents them."""

from __future__ import annotations

import struct
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.socketcan import records as codec
from cantools_cli.errors import FormatError
from cantools_cli.filtering.filters import ALL_ERRORS, FrameFilter, IdTest
from cantools_cli.frame import bits as frames
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from tests.strategies import ALL_KINDS, facts, messages

pytestmark = pytest.mark.skipif(sys.byteorder != "little", reason="the bytes below are little-endian")


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def base(identifier: int, **more: Any) -> Message:
    return Message(arbitration_id=identifier, is_extended_id=False, **more)


#: frames and their records, read both ways
CASES = [
    (base(0x123, data=b"\1\2\xab"), octets("23010000 03000000 0102AB0000000000")),
    (Message(arbitration_id=0x12ABCDEF, data=b"\xde\xad"), octets("EFCDAB92 02000000 DEAD000000000000")),
    (base(7), octets("07000000 00000000 0000000000000000")),
    (base(0x7FF, is_remote_frame=True, dlc=4), octets("FF070040 04000000 0000000000000000")),
    (Message(arbitration_id=0x1234, is_remote_frame=True), octets("341200C0 00000000 0000000000000000")),
    (base(0x100, data=bytes(range(8))), octets("00010000 08000000 0001020304050607")),
    (
        base(4, is_error_frame=True, data=octets("0004000000006000")),
        octets("04000020 08000000 0004000000006000"),
    ),
    (
        base(0x123, is_fd=True, data=bytes(range(12))),
        octets("23010000 0C040000 000102030405060708090A0B") + bytes(52),
    ),
    (
        Message(
            arbitration_id=0x12345678,
            is_fd=True,
            bitrate_switch=True,
            error_state_indicator=True,
            data=bytes(64),
        ),
        octets("78563492 40070000") + bytes(64),
    ),
]


def raw(message: Message, code: int) -> Message:
    message.dlc_code = code
    return message


#: what nobody sends so, or canx does not
RECEIVED = [
    (octets("23010000 0800000F 1122334455667788"), raw(base(0x123, data=octets("1122334455667788")), 15)),
    (octets("23010040 08000009 0000000000000000"), raw(base(0x123, is_remote_frame=True, dlc=8), 9)),
    (octets("23010000 0700000F 1122334455667700"), base(0x123, data=octets("11223344556677"))),
    (octets("23010000 08000010 1122334455667788"), base(0x123, data=octets("1122334455667788"))),
    (octets("23010000 01FF0000 1100000000000000"), base(0x123, data=b"\x11")),
    (octets("23010040 03000000 AABBCC0000000000"), base(0x123, is_remote_frame=True, dlc=3)),
    (octets("23F10000 00000000 0000000000000000"), base(0x123)),
    (
        octets("040000E0 08000000 0001000000000000"),
        base(4, is_error_frame=True, data=octets("0001000000000000")),
    ),
    (octets("23010000 09050000") + bytes(64), base(0x123, is_fd=True, bitrate_switch=True, data=bytes(12))),
    (
        octets("23010000 09000000") + b"\x11" * 64,
        base(0x123, is_fd=True, data=b"\x11" * 9 + bytes(3)),
    ),
    (octets("23010000 0C000000") + bytes(64), base(0x123, is_fd=True, data=bytes(12))),
]

BAD = [
    pytest.param(b"", id="empty"),
    pytest.param(bytes(12), id="short"),
    pytest.param(bytes(17), id="between the sizes"),
    pytest.param(octets("23010000 09000000 0000000000000000"), id="9 bytes in a classic frame"),
    pytest.param(octets("23010000 41000000") + bytes(64), id="65 bytes"),
    pytest.param(octets("23010040 08040000") + bytes(64), id="remote frame of CAN FD"),
    pytest.param(octets("23010000 80030500 78563412 DEADBEEF"), id="CAN XL that is cut"),
    pytest.param(octets("23010000 80030000 78563412"), id="CAN XL without data"),
    pytest.param(octets("23010000 80030108 78563412") + bytes(2049), id="CAN XL of 2049 bytes"),
]


@pytest.mark.parametrize(("message", "record"), CASES)
def test_known_records_both_ways(message: Message, record: bytes) -> None:
    assert codec.encode(message) == record
    assert facts(codec.decode(record)) == facts(message)


@pytest.mark.parametrize(("record", "message"), RECEIVED)
def test_what_is_only_received(record: bytes, message: Message) -> None:
    assert facts(codec.decode(record)) == facts(message)


@pytest.mark.parametrize("record", BAD)
def test_what_is_no_frame_is_refused(record: bytes) -> None:
    with pytest.raises(FormatError):
        codec.decode(record)


XL_CASES = [
    (
        XlMessage(0, 0x123, octets("DEADBEEF"), sdt=3, acceptance_field=0x12345678),
        octets("23010000 80030400 78563412 DEADBEEF"),  # as long as a classic record
    ),
    (
        XlMessage(0, 0x123, bytes(60), vcid=0x45, sec=True, rrs=True),
        octets("23014500 83003C00 00000000") + bytes(60),  # as long as one of CAN FD
    ),
    (XlMessage(0, 0x7FF, bytes(2048)), octets("FF070000 80000008 00000000") + bytes(2048)),
]


@pytest.mark.parametrize(("message", "record"), XL_CASES)
def test_can_xl_is_told_by_its_flag_and_not_by_its_size(message: XlMessage, record: bytes) -> None:
    assert codec.encode(message) == record
    assert facts(codec.decode(record)) == facts(message)


@given(message=messages(kinds=ALL_KINDS, channels=st.none(), times=st.just(0), directions=st.just(True)))
def test_every_frame_survives(message: Message) -> None:
    assert facts(codec.decode(codec.encode(message))) == facts(message)


@pytest.mark.parametrize(("message", "record"), CASES)
def test_python_can_makes_the_same_record(message: Message, record: bytes) -> None:
    """But for byte 7, where it always puts the length: a raw DLC, which only 9 to 15 are."""
    from can.interfaces.socketcan.socketcan import build_can_frame

    theirs = bytearray(build_can_frame(message))  # type: ignore[arg-type]  # it reads attributes
    theirs[7] = 0
    assert bytes(theirs) == record


TIME = struct.pack("@ll", 1_436_509_052, 249_713_001)
NONE = bytes(16)
STAMP_NS = 1_436_509_052_249_713_001


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], codec.Extra(None, None)),
        ([(1, 35, TIME)], codec.Extra(STAMP_NS, None)),
        ([(1, 64, struct.pack("=qq", 1_436_509_052, 249_713_001))], codec.Extra(STAMP_NS, None)),
        ([(1, 37, TIME + NONE + NONE)], codec.Extra(STAMP_NS, None)),
        ([(1, 37, struct.pack("@ll", 5, 6) + NONE + TIME), (1, 35, bytes(16))], codec.Extra(STAMP_NS, None)),
        ([(1, 37, NONE * 3)], codec.Extra(None, None)),
        ([(1, 35, TIME), (1, 40, struct.pack("=I", 7))], codec.Extra(STAMP_NS, 7)),
        ([(1, 99, b"x"), (7, 35, TIME), (1, 35, TIME[:-1]), (1, 40, b"")], codec.Extra(None, None)),
        ([(1, 35, struct.pack("@ll", 1 << 34, 0))], codec.Extra(None, None)),
    ],
)
def test_control_messages(items: list[tuple[int, int, bytes]], expected: codec.Extra) -> None:
    assert codec.read_extra(items) == expected


# --- filters ------------------------------------------------------------------------------------------

INVERTED = 0x20000000


@pytest.mark.parametrize(
    ("filters", "packed"),
    [
        ([{"can_id": 0x123, "can_mask": 0x7FF}], "23010000FF070000"),
        ([{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}], "23010000FF070080"),
        ([{"can_id": 0x18FEF100, "can_mask": 0x1FFFFF00, "extended": True}], "00F1FE9800FFFF9F"),
        ([], "0000000000000000"),
    ],
)
def test_dictionaries_are_the_documented_entries(filters: Any, packed: str) -> None:
    chosen = codec.kernel_filter(FrameFilter.from_can_filters(filters))
    assert (chosen.packed(), chosen.join) == (octets(packed), False)


@pytest.mark.parametrize(
    ("tokens", "entries", "join"),
    [
        ("123:7FF", [(0x123, 0x7FF)], False),
        ("12345678:DFFFFFFF", [(0x92345678, 0xDFFFFFFF)], False),
        ("400~7F0", [(0x400 | INVERTED, 0x7F0)], False),
        ("400~7F0,500~7F0", [(0x400 | INVERTED, 0x7F0), (0x500 | INVERTED, 0x7F0)], False),
        ("400~7F0,500~7F0,j,#0", [(0x400 | INVERTED, 0x7F0), (0x500 | INVERTED, 0x7F0)], True),
        ("400~7F0,500~7F0,j", [(0x400 | INVERTED, 0x7F0)], False),  # error frames would not pass both
        ("123", [(0x123, 0x9FFFFFFF)], False),
        ("00000123", [(0x80000123, 0x9FFFFFFF)], False),
        ("100-1FF", [(0x100, 0x9FFFFF00)], False),
        ("0FF-102", [(0xFF, 0x9FFFFFFF), (0x100, 0x9FFFFFFE), (0x102, 0x9FFFFFFF)], False),
        ("0~0", [(INVERTED, 0)], False),
        ("923~80000FFF", [(0, 0)], False),  # no identifier of 11 bits, but the kernel would take it for 123
        ("#4", [(0, 0)], False),
        ("100-1FF,180:7FF,j,#0", [(0x100, 0x9FFFFF00), (0x180, 0x7FF)], True),
        ("0FF-102,180:7FF,j", [(0x180, 0x7FF)], False),
    ],
)
def test_tokens_become_entries(tokens: str, entries: list[tuple[int, int]], join: bool) -> None:
    chosen = codec.kernel_filter(FrameFilter.parse([tokens]))
    assert (list(chosen.entries), chosen.join) == (entries, join)


@pytest.mark.parametrize(
    ("tokens", "mask"), [("123:7FF", 0x1FFFFFFF), ("#4", 4), ("#0", 0), ("#FFFFFFFF", 0x1FFFFFFF)]
)
def test_error_classes_are_a_mask_of_their_own(tokens: str, mask: int) -> None:
    assert codec.kernel_filter(FrameFilter.parse([tokens])).error_mask == mask


def test_more_entries_than_the_kernel_takes_are_left_to_the_software() -> None:
    most = FrameFilter(IdTest(0x7FF, number, number) for number in range(512))
    more = FrameFilter(IdTest(0x7FF, number, number) for number in range(513))
    assert len(codec.kernel_filter(most).entries) == 512
    assert codec.kernel_filter(more).entries == (codec.EVERYTHING,)


def kernel_passes(chosen: codec.KernelFilter, can_id: int) -> bool:
    """Tell what Linux does: error frames by class, others by masked words, which an entry may invert."""
    verdicts = [
        ((can_id & mask) == (word & ~INVERTED & mask)) != bool(word & INVERTED)
        for word, mask in chosen.entries
    ]
    if can_id & frames.CAN_ERR_FLAG:
        return bool(can_id & chosen.error_mask) and not (chosen.join and len(verdicts) > 1)
    return all(verdicts) if chosen.join else any(verdicts)


SMALL = st.integers(0, 15) | st.sampled_from([0x80000000, 0x80000005, 0x40000003, 0x7FF, 0x9FFFFFFF])
MASKS = st.integers(0, 15) | st.sampled_from([0x9FFFFFFF, 0xDFFFFFFF, 0x7FF, 0x80000000, 0x4000000F])
TESTS = st.builds(
    lambda mask, ends, inverted: IdTest(mask, min(ends), max(ends), inverted),
    MASKS,
    st.tuples(SMALL, SMALL),
    st.booleans(),
)
WORDS = st.builds(
    lambda word, bits: word | bits, st.integers(0, 15), st.sampled_from([0, 0x40000000, 0x80000000])
) | st.integers(0, 0x7FF)


#: words that differ in the place of the VCID, and tests that look there
WIDE = [0x123, 0x80000123, 0x80450123, 0x80010123, 0x80000000, 0x80450000]
WIDE_TESTS = st.builds(
    lambda mask, word, inverted: IdTest(mask, word & mask, word & mask, inverted),
    st.sampled_from([0x9FFFFFFF, 0x1FFFFFFF, 0x80FF0000, 0x00FF0FFF, 0x00010000]),
    st.sampled_from(WIDE),
    st.booleans(),
)


@given(
    tests=st.lists(TESTS, max_size=4),
    join=st.booleans(),
    errors=st.sampled_from([0, 4, ALL_ERRORS]),
    word=WORDS | st.integers(1, 0x3FF).map(lambda classes: classes | frames.CAN_ERR_FLAG),
)
def test_the_kernel_never_drops_what_the_filter_passes(
    tests: list[IdTest], join: bool, errors: int, word: int
) -> None:
    chosen = FrameFilter(tests, join=join, error_mask=errors)
    message = Message(
        arbitration_id=word & frames.CAN_EFF_MASK,
        is_extended_id=bool(word & frames.CAN_EFF_FLAG),
        is_remote_frame=bool(word & frames.CAN_RTR_FLAG),
        is_error_frame=bool(word & frames.CAN_ERR_FLAG),
    )
    if chosen.matches(message):
        assert kernel_passes(codec.kernel_filter(chosen), word)


@given(
    tests=st.lists(TESTS, max_size=4) | st.just([IdTest(0x1FFFFFFF, 0x123, 0x123, False)]),
    join=st.booleans(),
    priority=st.integers(0, 15) | st.sampled_from([0x123, 0x7FF]),
    vcid=st.integers(0, 0xFF),
)
def test_a_filter_that_passes_a_can_xl_frame_passes_it_with_any_vcid(
    tests: list[IdTest], join: bool, priority: int, vcid: int
) -> None:
    chosen = FrameFilter(tests, join=join, error_mask=0)
    if chosen.matches(XlMessage(arbitration_id=priority, vcid=vcid, data=b"a")):
        assert kernel_passes(codec.filter_of_xl(codec.kernel_filter(chosen)), priority | vcid << 16)


@given(tests=st.lists(WIDE_TESTS, max_size=4), join=st.booleans(), word=st.sampled_from(WIDE))
def test_filters_that_ignore_the_vcid_drop_no_other_frame(tests: list[IdTest], join: bool, word: int) -> None:
    chosen = FrameFilter(tests, join=join, error_mask=0)
    message = Message(arbitration_id=word & frames.CAN_EFF_MASK, is_extended_id=bool(word >> 31))
    if chosen.matches(message):
        assert kernel_passes(codec.filter_of_xl(codec.kernel_filter(chosen)), word)


@given(low=st.integers(0, 40), size=st.integers(0, 40), inverted=st.booleans(), word=st.integers(0, 90))
def test_a_range_alone_is_exact_but_for_inverted_ones_beside_error_frames(
    low: int, size: int, inverted: bool, word: int
) -> None:
    chosen = FrameFilter([IdTest(0x9FFFFFFF, low, low + size, inverted)], error_mask=0)
    assert kernel_passes(codec.kernel_filter(chosen), word) is chosen.tests[0].passes(word)
