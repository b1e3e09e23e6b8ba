from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.gs_usb import codec
from cantools_cli.errors import FormatError
from cantools_cli.frame import bits
from cantools_cli.frame.message import Message
from tests.emulators import gs_usb as emulated

SENT = [
    (
        Message(arbitration_id=0x123, is_extended_id=False, data=b"\1\2\3"),
        "23010000 03 00 00 00 0102030000000000",
    ),
    (
        Message(arbitration_id=0x12ABCDEF, data=bytes.fromhex("1122334455667788")),
        "EFCDAB92 08 00 00 00 1122334455667788",
    ),
    (Message(arbitration_id=0x7FF, is_extended_id=False), "FF070000 00 00 00 00 0000000000000000"),
    (
        Message(arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=4),
        "23010040 04 00 00 00 0000000000000000",
    ),
    (Message(arbitration_id=0x1234, is_remote_frame=True), "341200C0 00 00 00 00 0000000000000000"),
    (Message(arbitration_id=1, is_fd=True), "01000080 00 00 02 00" + "00" * 64),
]


@pytest.mark.parametrize(("message", "record"), SENT)
def test_a_frame_to_send(message: Message, record: str) -> None:
    assert codec.encode(message, 0) == bytes.fromhex(record)


def test_a_frame_of_can_fd_on_the_second_channel() -> None:
    message = Message(
        arbitration_id=0x123, is_extended_id=False, is_fd=True, bitrate_switch=True, data=bytes(range(12))
    )
    expected = bytes.fromhex("23010000 09 01 06 00 000102030405060708090A0B") + bytes(52)
    assert codec.encode(message, 1) == expected


def test_one_more_byte_for_adapters_that_need_it() -> None:
    message = Message(arbitration_id=0x123, is_extended_id=False, data=b"\1\2\3")
    expected = bytes.fromhex("23010000 03 01 00 00 0102030000000000 00")
    assert codec.encode(message, 1, pad_byte=True) == expected


def test_a_raw_dlc_is_sent() -> None:
    message = Message(arbitration_id=1, data=bytes(8))
    message.dlc_code = 12
    assert codec.encode(message, 0)[4] == 12


def test_an_error_frame_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="error frames"):
        codec.encode(Message(arbitration_id=4, is_error_frame=True, data=bytes(8)), 0)


RECEIVED = [
    (
        "FFFFFFFF 23010000 03000000 0102030000000000 40420F00",
        (0x123, 3, b"\1\2\3", 1_000_000, codec.FROM_BUS),
    ),
    (
        "FFFFFFFF EFCDAB92 08000000 0001020304050607 FFFFFFFF",
        (0x92ABCDEF, 8, bytes(range(8)), 0xFFFFFFFF, codec.FROM_BUS),
    ),
    ("FFFFFFFF FF070040 04000000 0000000000000000 05000000", (0x400007FF, 4, b"", 5, codec.FROM_BUS)),
    ("00000000 23010000 03000000 0102030000000000 80841E00", (0x123, 3, b"\1\2\3", 2_000_000, 0)),
    (
        "FFFFFFFF 04000020 08000000 0008000000006000 07000000",
        (0x20000004, 8, b"\0\x08\0\0\0\0\x60\0", 7, codec.FROM_BUS),
    ),
    ("FFFFFFFF 23010000 00000100 0000000000000000 09000000", (0x123, 0, b"", 9, codec.FROM_BUS)),
    (
        "FFFFFFFF 23010000 09000600" + "AB" * 12 + "00" * 52 + "10000000",
        (0x123, 9, b"\xab" * 12, 16, codec.FROM_BUS),
    ),
]


@pytest.mark.parametrize(("transfer", "expected"), RECEIVED)
def test_a_received_frame(transfer: str, expected: tuple[int, int, bytes, int, int]) -> None:
    frame = codec.decode(bytes.fromhex(transfer), has_stamp=True)
    assert (frame.can_id, frame.code, frame.data, frame.stamp, frame.echo) == expected


def test_a_frame_without_a_stamp() -> None:
    transfer = bytes.fromhex("FFFFFFFF 23010000 01000000 0100000000000000")
    assert codec.decode(transfer, has_stamp=False).stamp is None
    assert codec.decode(transfer, has_stamp=True).stamp is None


def test_padding_after_a_frame_is_ignored() -> None:
    transfer = bytes.fromhex("FFFFFFFF 23010000 01000000 0100000000000000 05000000").ljust(64, b"\0")
    assert codec.decode(transfer, has_stamp=True).data == b"\1"


@pytest.mark.parametrize(
    "transfer",
    [
        "",
        "FFFFFFFF",
        "FFFFFFFF 23010000 01000000 01000000000000",
        "FFFFFFFF 23010000 10000000 0100000000000000",
        "FFFFFFFF 23010000 09000200 0100000000000000",
        "FFFFFFFF 23080000 01000000 0100000000000000",
        "FFFFFFFF 23010040 09000200" + "00" * 64,
        "FFFFFFFF 23010000 01000000 0100000000000000" * 2,
    ],
    ids=["empty", "echo only", "19 bytes", "DLC 16", "short FD", "std 823", "remote FD", "two frames"],
)
def test_a_malformed_transfer(transfer: str) -> None:
    with pytest.raises(FormatError):
        codec.decode(bytes.fromhex(transfer), has_stamp=False)


@given(st.binary(max_size=160), st.booleans())
def test_garbage_is_a_frame_or_a_format_error(transfer: bytes, has_stamp: bool) -> None:
    try:
        frame = codec.decode(transfer, has_stamp=has_stamp)
    except FormatError:
        return
    assert len(frame.data) <= 64
    assert frame.code <= 15


@given(
    st.integers(0, bits.CAN_EFF_MASK),
    st.sampled_from((0, *range(1, 9), 12, 16, 20, 24, 32, 48, 64)),
    st.booleans(),
    st.booleans(),
    st.integers(0, 9),
)
def test_what_is_sent_is_what_an_echo_shows(
    identifier: int, size: int, is_fd: bool, flag: bool, echo: int
) -> None:
    is_fd = is_fd or size > 8
    message = Message(
        arbitration_id=identifier,
        is_fd=is_fd,
        bitrate_switch=is_fd and flag,
        error_state_indicator=is_fd and flag,
        data=bytes(size),
    )
    transfer = echo.to_bytes(4, "little") + codec.encode(message, 3)
    frame = codec.decode(transfer, has_stamp=False)
    assert (frame.echo, frame.can_id, frame.channel) == (echo, identifier | bits.CAN_EFF_FLAG, 3)
    assert frame.data == message.data
    assert frame.flags == (codec.FDF if is_fd else 0) | (codec.BRS | codec.ESI if is_fd and flag else 0)


# --- replies ----------------------------------------------------------------------------------------------

CONSTANTS = bytes.fromhex(
    "1F000000 006CDC02 01000000 10000000 01000000 08000000 04000000 01000000 00040000 01000000"
)


def test_constants_of_a_classic_adapter() -> None:
    found = codec.parse_constants(CONSTANTS)
    assert found.clock == 48_000_000
    assert found.features == codec.Feature(0x1F)
    assert found.nominal == ((1, 16), (1, 8), 4, (1, 1024), 1)
    assert found.data is None


def test_constants_with_a_data_phase() -> None:
    reply = CONSTANTS + struct.pack("<8I", 1, 32, 1, 16, 16, 1, 32, 1)
    assert codec.parse_constants(reply).data == ((1, 32), (1, 16), 16, (1, 32), 1)


def test_endless_segments_are_refused() -> None:
    """The search for a timing would take for ever."""
    reply = CONSTANTS[:12] + b"\xff" * 4 + CONSTANTS[16:]
    with pytest.raises(FormatError, match="impossible timing constants"):
        codec.parse_constants(reply)


def test_the_configuration_counts_channels() -> None:
    reply = bytes.fromhex("000000 01 02000000 01000000")
    assert codec.parse_config(reply) == codec.Config(2, 2, 1)


@pytest.mark.parametrize("parse", [codec.parse_config, codec.parse_constants, codec.parse_state])
@given(reply=st.binary(max_size=80))
def test_any_reply_is_parsed_or_refused(parse: Callable[[bytes], object], reply: bytes) -> None:
    with suppress(FormatError):
        parse(reply)


def test_the_feature_bits_are_those_of_the_emulator() -> None:
    """Both are written from the sources, and not from each other."""
    assert emulated.LISTEN_ONLY == codec.Feature.LISTEN_ONLY
    assert emulated.HW_TIMESTAMP == codec.Feature.TIMESTAMPS
    assert emulated.FD == codec.Feature.FD
    assert emulated.HAS_STATE == codec.Feature.STATE
    assert emulated.HAS_BT_CONST_EXT == codec.Feature.BT_CONST_EXT
