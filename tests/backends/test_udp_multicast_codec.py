"""Datagrams of python-can's UDP multicast bus, to and from messages."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.backends.udp_multicast_codec import MAX_LENGTH, decode, encode
from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from tests.strategies import facts, messages

FIRST = bytes.fromhex(
    "8B A974696D657374616D70 CB3FF0000000000000 AE6172626974726174696F6E5F6964 CD0123"
    "AE69735F657874656E6465645F6964 C2 AF69735F72656D6F74655F6672616D65 C2"
    "AE69735F6572726F725F6672616D65 C2 A76368616E6E656C C0 A3646C63 02 A464617461 C4020102"
    "A569735F6664 C2 AE626974726174655F737769746368 C2 B56572726F725F73746174655F696E64696361746F72 C2"
)
KEYS = [
    "timestamp",
    "arbitration_id",
    "is_extended_id",
    "is_remote_frame",
    "is_error_frame",
    "channel",
    "dlc",
    "data",
    "is_fd",
    "bitrate_switch",
    "error_state_indicator",
]


def datagram(*values: str) -> bytes:
    """Return the datagram with the given msgpack values, in hexadecimal, in the order of KEYS."""
    parts = [
        bytes([0xA0 + len(key)]) + key.encode() + bytes.fromhex(value)
        for key, value in zip(KEYS, values, strict=True)
    ]
    return b"\x8b" + b"".join(parts)


ZERO = "CB0000000000000000"
# Every row is read both ways: message, datagram, its length.
CASES = [
    (Message(timestamp=1.0, arbitration_id=0x123, is_extended_id=False, data=b"\x01\x02"), FIRST, 156),
    (
        Message(timestamp=1.5, arbitration_id=0x12ABCDEF, data=b"\xde\xad\xbe\xef"),
        datagram(
            "CB3FF8000000000000", "CE12ABCDEF", "C3", "C2", "C2", "C0", "04", "C404DEADBEEF", "C2", "C2", "C2"
        ),
        160,
    ),
    (
        Message(is_extended_id=False),
        datagram(ZERO, "00", "C2", "C2", "C2", "C0", "00", "C400", "C2", "C2", "C2"),
        152,
    ),
    (
        Message(arbitration_id=0x7FF, is_extended_id=False, is_remote_frame=True, dlc=4),
        datagram(ZERO, "CD07FF", "C2", "C3", "C2", "C0", "04", "C400", "C2", "C2", "C2"),
        154,
    ),
    (
        Message(arbitration_id=4, is_extended_id=False, is_error_frame=True, data=b"\0\1\0\0\0\0\0\0"),
        datagram(ZERO, "04", "C2", "C2", "C3", "C0", "08", "C4080001000000000000", "C2", "C2", "C2"),
        160,
    ),
    (
        Message(arbitration_id=0x123, is_extended_id=False, is_fd=True, data=bytes(range(12))),
        datagram(
            ZERO, "CD0123", "C2", "C2", "C2", "C0", "0C", "C40C000102030405060708090A0B", "C3", "C2", "C2"
        ),
        166,
    ),
    (
        Message(
            arbitration_id=0x1FFFFFFF,
            is_fd=True,
            bitrate_switch=True,
            error_state_indicator=True,
            data=bytes(64),
        ),
        datagram(ZERO, "CE1FFFFFFF", "C3", "C2", "C2", "C0", "40", "C440" + "00" * 64, "C3", "C3", "C3"),
        220,
    ),
    (
        Message(channel="vcan0", is_extended_id=False),
        datagram(ZERO, "00", "C2", "C2", "C2", "A57663616E30", "00", "C400", "C2", "C2", "C2"),
        157,
    ),
    (
        Message(channel=3, is_extended_id=False),
        datagram(ZERO, "00", "C2", "C2", "C2", "03", "00", "C400", "C2", "C2", "C2"),
        152,
    ),
]


@pytest.mark.parametrize(("message", "known", "size"), CASES)
def test_known_datagrams(message: Message, known: bytes, size: int) -> None:
    assert encode(message) == known
    assert facts(decode(known)) == facts(message)
    assert len(known) == size


def lenient(**changes: Any) -> bytes:
    """Return a datagram of some other sender; a value of ... leaves the entry out."""
    entries: dict[str, Any] = {
        "arbitration_id": 0x123,
        "is_extended_id": False,
        "data": b"\x01\x02",
        "dlc": 2,
    }
    entries = {key: value for key, value in (entries | changes).items() if value is not ...}
    return bytes(msgpack.packb(entries))


# what is changed, and an attribute of the message that shows that it was taken
TAKEN = [
    ({"timestamp": 5}, "timestamp", 5.0),
    ({"data": [1, 2]}, "data", b"\x01\x02"),
    ({}, "channel", None),
    ({}, "timestamp", 0.0),
    ({"is_extended_id": ...}, "is_extended_id", True),
    ({"is_rx": False}, "data", b"\x01\x02"),
    ({"colour": "red", "more": {"x": 1}}, "data", b"\x01\x02"),
    ({"dlc": ...}, "dlc", 2),
    ({"dlc": ..., "data": ...}, "dlc", 0),
    ({"dlc": 9, "data": bytes(9), "is_fd": True}, "dlc", 9),
    ({"is_remote_frame": True}, "data", b""),
    ({"is_remote_frame": True, "dlc": ..., "data": ...}, "dlc", 0),
    ({"is_fd": 1}, "is_fd", True),
]


@pytest.mark.parametrize(("changes", "attribute", "value"), TAKEN)
def test_what_others_send_differently_is_taken(
    changes: dict[str, Any], attribute: str, value: object
) -> None:
    assert getattr(decode(lenient(**changes)), attribute) == value


def test_the_order_of_entries_does_not_matter() -> None:
    entries = msgpack.unpackb(FIRST)
    backwards = msgpack.packb(dict(reversed([*entries.items()])))
    assert facts(decode(backwards)) == facts(decode(FIRST))


REFUSED = [
    lenient(dlc=3),
    lenient(dlc=9, data=bytes(9)),
    lenient(dlc=65, data=bytes(64) + b"\0", is_fd=True),
    lenient(arbitration_id=0x800),
    lenient(arbitration_id=1 << 29, is_extended_id=True),
    lenient(arbitration_id=-1),
    lenient(arbitration_id="1"),
    lenient(arbitration_id=...),
    lenient(bitrate_switch=True),
    lenient(error_state_indicator=True),
    lenient(is_remote_frame=True, is_fd=True),
    lenient(data="ab"),
    lenient(data=[1, 256]),
    lenient(data=[1, "2"]),
    lenient(data=7),
    lenient(channel=1.5),
    lenient(channel=[1]),
    lenient(is_fd="yes"),
    lenient(is_fd=[]),
    lenient(is_fd=None),
    lenient(timestamp="now"),
    lenient(timestamp=None),
    lenient(timestamp=-1),
    lenient(timestamp=float("nan")),
    lenient(timestamp=float("inf")),
    lenient(timestamp=1e10),
    lenient(channel="x" * 256),
    lenient(dlc=2.0),
    b"",
    b"\x93\x01\x02\x03",
    b"\xc0",
    b"\xc1",
    FIRST + b"\0",
    b"hello",
    b"\x91" * MAX_LENGTH,
    b"\x81\xa1a" * (MAX_LENGTH // 3),
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\x81\x90\x01",
    b"\x81\xa1\xff\x01",
    b"\xc7\x0c\xff" + bytes(12),
]


@pytest.mark.parametrize("bad", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_frame_is_refused(bad: bytes) -> None:
    with pytest.raises(FormatError):
        decode(bad)


@pytest.mark.parametrize("cut", range(len(FIRST)))
def test_a_cut_datagram_is_refused(cut: int) -> None:
    with pytest.raises(FormatError):
        decode(FIRST[:cut])


@given(
    messages(
        kinds=("classic", "remote", "fd", "error"), directions=st.just(True), extended_errors=st.booleans()
    )
)
def test_round_trip(message: Message) -> None:
    back = decode(encode(message))
    if message.is_error_frame and message.arbitration_id > 0x7FF:
        message.is_extended_id = True  # for readers that check the classes like an identifier
    assert back.equals(message, timestamp_delta=1e-6)
    assert len(encode(message)) < 300


@given(st.binary(max_size=300))
def test_noise_gives_a_message_or_the_one_error(noise: bytes) -> None:
    for text in (noise, FIRST[:60] + noise, b"\x8b" + noise):
        with suppress(FormatError):
            decode(text)


@given(st.integers(0, len(FIRST) - 1), st.integers(0, 255))
def test_a_changed_byte_gives_a_message_or_the_one_error(at: int, byte: int) -> None:
    changed = bytearray(FIRST)
    changed[at] = byte
    with suppress(FormatError):
        decode(changed)
