"""Messages of the kernel's broadcast manager, byte by byte."""

from __future__ import annotations

import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.socketcan import bcm_codec as codec
from cantools_cli.backends.socketcan.bcm_codec import BcmHead
from cantools_cli.errors import FormatError

FRAME = bytes.fromhex("23010000 03000000 0102AB0000000000")
LITTLE_64 = pytest.mark.skipif(
    sys.byteorder != "little" or struct.calcsize("@l") != 8,
    reason="the bytes are those of 64-bit x86 and ARM",
)


def hexadecimal(*parts: str) -> bytes:
    return bytes.fromhex("".join(parts))


@LITTLE_64
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            codec.encode_start(1, [FRAME], is_fd=False, count=0, interval1_us=0, interval2_us=250_000),
            hexadecimal(
                "01000000 03000000 00000000 00000000",
                "00" * 16,
                "0000000000000000 90D0030000000000",
                "01000000 01000000",
            )
            + FRAME,
            id="for ever",
        ),
        pytest.param(
            codec.encode_start(1, [FRAME], is_fd=False, count=10, interval1_us=100_000, interval2_us=0),
            hexadecimal(
                "01000000 07000000 0A000000 00000000",
                "0000000000000000 A086010000000000",
                "00" * 16,
                "01000000 01000000",
            )
            + FRAME,
            id="ten times",
        ),
        pytest.param(
            codec.encode_start(2, [FRAME], is_fd=False, count=10, interval1_us=1_000, interval2_us=1_500_000),
            hexadecimal(
                "01000000 03000000 0A000000 00000000",
                "0000000000000000 E803000000000000",
                "0100000000000000 20A1070000000000",
                "02000000 01000000",
            )
            + FRAME,
            id="two rates",
        ),
        pytest.param(
            codec.encode_start(1, [bytes(72)] * 2, is_fd=True, count=0, interval1_us=0, interval2_us=1),
            hexadecimal("01000000 03080000", "00" * 32, "0100000000000000", "01000000 02000000") + bytes(144),
            id="CAN FD, two in turn",
        ),
        pytest.param(
            codec.encode_update(1, [FRAME], is_fd=False),
            hexadecimal("01000000 00000000", "00" * 40, "01000000 01000000") + FRAME,
            id="update",
        ),
        pytest.param(
            codec.encode_delete(0x401, is_fd=False),
            hexadecimal("02000000 00000000", "00" * 40, "01040000 01000000"),
            id="delete",
        ),
        pytest.param(
            codec.encode_delete(0x401, is_fd=True),
            hexadecimal("02000000 00080000", "00" * 40, "01040000 01000000"),
            id="delete CAN FD",
        ),
        pytest.param(
            codec.encode_read(7, is_fd=False),
            hexadecimal("03000000 00000000", "00" * 40, "07000000 01000000"),
            id="read",
        ),
    ],
)
def test_known_messages(message: bytes, expected: bytes) -> None:
    assert message == expected


@pytest.mark.parametrize(
    ("long_size", "size", "places"), [(8, 56, (16, 24, 32, 40, 48, 52)), (4, 40, (12, 16, 20, 24, 28, 32))]
)
def test_the_fields_are_where_the_kernel_has_them(long_size: int, size: int, places: tuple[int, ...]) -> None:
    layout = codec.head_layout(long_size)
    message = codec.encode_head(BcmHead(1, 2, 3, 4_000_005, 6_000_007, 8, 9), layout)
    assert len(message) == size
    assert struct.unpack_from("=III", message) == (1, 2, 3)
    assert [struct.unpack_from("=I", message, at)[0] for at in places] == [4, 5, 6, 7, 8, 9]


WORDS, INTERVALS = st.integers(0, 0xFFFFFFFF), st.integers(0, codec.INTERVAL_LIMIT_US)


@pytest.mark.parametrize("long_size", [4, 8])
@given(head=st.builds(BcmHead, WORDS, WORDS, WORDS, INTERVALS, INTERVALS, WORDS, WORDS), rest=st.binary())
def test_a_head_comes_back(long_size: int, head: BcmHead, rest: bytes) -> None:
    layout = codec.head_layout(long_size)
    assert codec.decode_head(codec.encode_head(head, layout) + rest, layout) == head


@pytest.mark.parametrize("size", range(codec.HEAD_SIZE))
def test_a_message_without_a_whole_head_is_refused(size: int) -> None:
    with pytest.raises(FormatError, match=f"{size} bytes"):
        codec.decode_head(bytes(size))


@pytest.mark.parametrize(
    ("head", "is_sending"),
    [
        (BcmHead(8, interval2_us=1), True),
        (BcmHead(8, initial=1, interval1_us=1), True),
        (BcmHead(8, initial=0, interval1_us=1), False),
        (BcmHead(8, initial=1), False),
    ],
)
def test_a_status_tells_whether_frames_still_go(head: BcmHead, is_sending: bool) -> None:
    assert head.is_sending == is_sending
