"""Encoding and decoding of Xcom-CAN: examples of the specification, and round trips."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.frame.message import Message
from cantools_cli.xcom import codec
from cantools_cli.xcom.codec import Identifier, MessageNotification, Reply
from tests.xcom.golden import EXCHANGES, IDENTIFIERS, NOTIFICATIONS, Exchange

ADDRESSES = st.integers(0, 1023)
VALUES = st.floats(width=32, allow_nan=False)
NUMBERS = st.integers(0, 0xFFFF)


@pytest.mark.parametrize("name", EXCHANGES)
def test_requests_of_the_specification_are_encoded_and_decoded(name: str) -> None:
    one: Exchange = EXCHANGES[name]
    data = codec.encode_request(one.service, one.number, one.part, one.written)
    number = codec.encode_identifier(one.destination, one.source, one.service)
    assert (f"{number:08X}", data.hex().upper()) == one.request
    assert codec.decode_request(one.service, data) == Reply(one.number, one.part, one.written)


@pytest.mark.parametrize("name", EXCHANGES)
def test_replies_of_the_specification_are_decoded_and_encoded(name: str) -> None:
    one: Exchange = EXCHANGES[name]
    number, data = int(one.reply[0], 16), bytes.fromhex(one.reply[1])
    is_error = one.error is not None
    assert codec.decode_identifier(number) == Identifier(one.source, one.destination, one.service, is_error)
    reply = codec.decode_reply(one.service, data, is_error)
    assert reply == Reply(one.number, None if is_error else one.part, one.value, one.error)
    assert codec.encode_reply(one.service, reply) == data


@pytest.mark.parametrize(("number", "data", "destination", "source", "message", "value"), NOTIFICATIONS)
def test_notifications_of_the_specification(number, data, destination, source, message, value) -> None:
    assert codec.decode_identifier(int(number, 16)) == (destination, source, codec.Service.MESSAGE, 0)
    notification = codec.decode_notification(bytes.fromhex(data))
    assert notification == (message, value)
    assert codec.encode_notification(notification).hex().upper() == data


@pytest.mark.parametrize("address", IDENTIFIERS)
def test_identifiers_of_the_specification(address: int) -> None:
    request, reply, notification = IDENTIFIERS[address]
    assert f"{codec.encode_identifier(address, 0, 0):08X}" == request
    assert f"{codec.encode_identifier(0, address, 0):08X}" == reply
    if notification is not None:
        assert f"{codec.encode_identifier(500, address, 3):08X}" == notification


@given(ADDRESSES, ADDRESSES, st.integers(0, 7), st.integers(0, 63))
def test_every_identifier_comes_back(destination: int, source: int, service: int, flags: int) -> None:
    number = codec.encode_identifier(destination, source, service, flags)
    assert 0 <= number < 1 << 29
    assert codec.decode_identifier(number) == (destination, source, service, flags)


@given(st.sampled_from([0, 1, 2]), NUMBERS, st.integers(0, 255), VALUES)
def test_every_request_and_reply_comes_back(service: int, number: int, part: int, value: float) -> None:
    data = codec.encode_request(service, number, part, value)
    assert codec.decode_request(service, data) == Reply(
        number, part if service else None, value if service == 2 else None
    )
    reply = Reply(number, part if service else None, value)
    assert codec.decode_reply(service, codec.encode_reply(service, reply)) == reply


@given(NUMBERS, st.integers(0, 0xFFFFFFFF))
def test_every_error_and_notification_comes_back(number: int, code: int) -> None:
    reply = Reply(number, error_code=code)
    assert codec.decode_reply(1, codec.encode_reply(1, reply), is_error=True) == reply
    notification = MessageNotification(number, code)
    assert codec.decode_notification(codec.encode_notification(notification)) == notification


@given(st.integers(0, 7), st.binary(max_size=8), st.booleans())
def test_any_bytes_are_decoded_or_a_value_error(service: int, data: bytes, is_error: bool) -> None:
    for decode in (
        lambda: codec.decode_request(service, data),
        lambda: codec.decode_reply(service, data, is_error),
        lambda: codec.decode_notification(data),
    ):
        with suppress(ValueError):
            decode()


@pytest.mark.parametrize("size", range(6))
def test_a_short_reply_is_an_error(size: int) -> None:
    for service, is_error in ((0, False), (1, False), (2, False), (0, True)):
        with pytest.raises(ValueError, match="bytes"):
            codec.decode_reply(service, bytes(size), is_error)


def test_extra_bytes_are_ignored() -> None:
    assert codec.decode_reply(0, bytes.fromhex("0BB8424F40000000")).value == 51.8125


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: codec.encode_identifier(1024, 0, 0),
        lambda: codec.encode_identifier(0, -1, 0),
        lambda: codec.encode_identifier(0, 0, 8),
        lambda: codec.encode_request(0, 65536),
        lambda: codec.encode_request(1, 1, 256),
        lambda: codec.encode_request(1, 1),
        lambda: codec.encode_request(2, 1, 4),
    ],
)
def test_values_out_of_range_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match=r"not|needs"):
        wrong()
    with pytest.raises(OverflowError):
        codec.encode_request(2, 1, 4, 1e39)


def test_frames_are_extended_even_with_small_numbers() -> None:
    assert codec.frame(0, 1, 0, b"").is_extended_id
    assert codec.frame(0, 1, 0, b"").arbitration_id == 0x200


@pytest.mark.parametrize("kind", ["is_remote_frame", "is_error_frame", "is_fd"])
def test_other_kinds_of_frames_carry_nothing(kind: str) -> None:
    assert codec.is_carrier(Message(arbitration_id=0xCA00, is_extended_id=True))
    assert not codec.is_carrier(Message(arbitration_id=0xCA00, is_extended_id=True, **{kind: True}))
    assert not codec.is_carrier(Message(arbitration_id=0, is_extended_id=False))


def test_values_are_big_endian_single_precision() -> None:
    assert codec.encode_value(51.8125) == struct.pack(">f", 51.8125) == bytes.fromhex("424F4000")
