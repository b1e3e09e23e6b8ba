"""python-can-remote's frames and JSON objects, to and from messages."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cantools_cli.backends.remote.codec import (
    decode,
    encode,
    format_object,
    message_payload,
    parse_message,
    parse_object,
)
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.strategies import facts, messages


def frame(
    timestamp: float, arbitration_id: int, data: str = "", *, extended: bool = False, **more: Any
) -> Message:
    return Message(
        timestamp=timestamp,
        arbitration_id=arbitration_id,
        is_extended_id=extended,
        data=bytes.fromhex(data),
        channel="there",
        **more,
    )


# Every row is read both ways.
CASES = [
    (frame(1.5, 0x123, "010203"), "01 3FF8000000000000 00000123 03 00 010203"),
    (
        frame(1.5, 0x12ABCDEF, "1122334455667788", extended=True),
        "01 3FF8000000000000 12ABCDEF 08 01 1122334455667788",
    ),
    (frame(0, 0x7FF, is_remote_frame=True, dlc=4), "01 0000000000000000 000007FF 04 02"),
    (frame(0, 4, "00" * 8, is_error_frame=True), "01 0000000000000000 00000004 08 04 0000000000000000"),
    (
        frame(1.5, 0x123, "000102030405060708090A0B", is_fd=True, bitrate_switch=True),
        "01 3FF8000000000000 00000123 0C 18 000102030405060708090A0B",
    ),
    (frame(0, 1, is_fd=True, error_state_indicator=True), "01 0000000000000000 00000001 00 28"),
]
OBJECT = (
    '{"type": "message", "payload": {"timestamp": 1.5, "arbitration_id": 291, "is_extended_id": false, '
    '"is_remote_frame": false, "is_error_frame": false, "dlc": 3, "data": [1, 2, 3]}}'
)
FIRST = bytes.fromhex(CASES[0][1])


def batch() -> MessageBatch:
    return MessageBatch(channels=("there",))


def read(text: bytes) -> list[tuple[object, ...]]:
    found = batch()
    decode(text, found)
    return [facts(message) for message in found]


def read_payload(payload: object) -> Message:
    found = batch()
    parse_message(payload, found)
    return found[0]


@pytest.mark.parametrize(("message", "text"), CASES)
def test_known_frames(message: Message, text: str) -> None:
    assert encode(MessageBatch([message])) == [bytes.fromhex(text)]
    assert read(bytes.fromhex(text)) == [facts(message)]


def test_the_known_object() -> None:
    assert format_object("message", message_payload(CASES[0][0])) == OBJECT
    kind, payload = parse_object(OBJECT)
    assert kind == "message"
    assert facts(read_payload(payload)) == facts(CASES[0][0])


def test_an_object_of_can_fd_says_its_flags() -> None:
    payload = message_payload(CASES[4][0])
    assert [*payload][7:] == ["is_fd", "bitrate_switch", "error_state_indicator"]
    assert (payload["is_fd"], payload["bitrate_switch"], payload["error_state_indicator"]) == (
        True,
        True,
        False,
    )


@given(
    messages(
        kinds=("classic", "remote", "fd", "error"), channels=st.just("there"), extended_errors=st.booleans()
    )
)
def test_round_trip(message: Message) -> None:
    message.is_rx = True
    if message.is_error_frame and message.arbitration_id > 0x7FF:
        message.is_extended_id = True  # for readers that check the classes like an identifier
    seconds = message.timestamp
    for got in (*encode(MessageBatch([message])),):
        (row,) = read(got)
        assert row[1:] == facts(message)[1:]
        assert row[0] == facts(Message(timestamp=seconds))[0]
    back = read_payload(json.loads(json.dumps(message_payload(message))))
    assert facts(back)[1:] == facts(message)[1:]


@pytest.mark.parametrize("cut", range(1, len(FIRST)))
def test_a_cut_frame_is_refused(cut: int) -> None:
    with pytest.raises(FormatError):
        read(FIRST[:cut])


@pytest.mark.parametrize("text", ["", "00", "02 3FF8000000000000 00000123 03 00 010203", "FF"])
def test_a_frame_of_another_type_is_passed_over(text: str) -> None:
    assert read(bytes.fromhex(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "01 0000000000000000 00000123 03 00 0102",
        "01 0000000000000000 00000123 03 00 01020304",
        "01 0000000000000000 00000123 09 00 010203040506070809",
        "01 0000000000000000 00000123 41 08" + "00" * 65,
        "01 0000000000000000 00000800 00 00",
        "01 0000000000000000 20000000 00 01",
        "01 0000000000000000 00000123 04 0A",
        "01 0000000000000000 00000123 04 06",
        "01 0000000000000000 00000123 09 02",
        "01 7FF8000000000000 00000123 00 00",
        "01 7FF0000000000000 00000123 00 00",
        "01 4415AF1D78B58C40 00000123 00 00",
    ],
)
def test_what_is_no_frame_is_refused(text: str) -> None:
    found = batch()
    with pytest.raises(FormatError):
        decode(bytes.fromhex(text), found)
    assert len(MessageBatch(found)) == 0


def test_an_fd_length_that_is_none_is_filled_up() -> None:
    (got,) = read(bytes.fromhex("01 0000000000000000 00000123 09 08 010203040506070809"))
    assert got[-3:] == (12, 9, bytes.fromhex("010203040506070809000000"))
    payload = message_payload(CASES[4][0]) | {"dlc": 9, "data": [1] * 9}
    assert read_payload(payload).data == b"\x01" * 9 + b"\0\0\0"


def test_an_error_frame_with_many_classes_is_marked_extended_for_its_readers() -> None:
    message = frame(0, 0x800, "00" * 8, is_error_frame=True)
    (text,) = encode(MessageBatch([message]))
    assert text[14] == 0x05
    assert message_payload(message)["is_extended_id"] is True
    message.is_extended_id = True
    assert read(text) == [facts(message)]


CHANGES: list[dict[str, Any]] = [
    {"timestamp": "now"},
    {"timestamp": None},
    {"timestamp": True},
    {"timestamp": float("nan")},
    {"timestamp": 1e300},
    {"timestamp": 10**400},
    {"arbitration_id": 0x800},
    {"arbitration_id": -1},
    {"arbitration_id": 1.0},
    {"arbitration_id": None},
    {"is_extended_id": 1},
    {"is_fd": "yes"},
    {"is_remote_frame": None},
    {"is_remote_frame": True, "is_fd": True},
    {"dlc": 4},
    {"dlc": 3.0},
    {"dlc": True},
    {"dlc": -1},
    {"data": [1, 2, 256]},
    {"data": [1, 2, "3"]},
    {"data": [1, 2, True]},
    {"data": "010203"},
    {"data": [1] * 9, "dlc": 9},
    {"data": [1] * 65, "dlc": 65, "is_fd": True},
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_payload_that_is_no_frame_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        read_payload(message_payload(CASES[0][0]) | change)


@pytest.mark.parametrize("payload", [None, [], "x", 5, {}])
def test_a_payload_that_is_none_is_refused(payload: object) -> None:
    with pytest.raises(FormatError):
        read_payload(payload)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "5", "{}", '{"type": 5}', "[" * 100_000, OBJECT[:-1]]
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_object(text)


def test_a_setting_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be sent to a remote server"):
        format_object("bus_request", {"config": {"timing": object()}})


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.binary(max_size=90), st.dictionaries(st.sampled_from([*message_payload(CASES[4][0])]), JSON))
def test_noise_gives_frames_or_the_one_error(noise: bytes, entries: dict[str, Any]) -> None:
    for text in (noise, b"\x01" + noise, FIRST[:13] + noise):
        found = batch()
        with suppress(FormatError):
            decode(text, found)
        assert len(MessageBatch(found)) == len(found)
    with suppress(FormatError):
        read_payload(message_payload(CASES[0][0]) | entries)
    with suppress(FormatError):
        parse_object(noise.decode("latin-1"))
