"""JSON lines: read and written."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.jsonl import JsonReader, JsonWriter
from tests.strategies import ALL_KINDS, CHANNELS, facts, messages

LINE = (
    b'{"timestamp":1436509052.249713,"channel":"can0","arbitration_id":291,"is_extended_id":false,'
    b'"dlc":4,"data":"deadbeef"}\n'
)
NAMED = {"arbitration_id": 291, "is_extended_id": False}


def read(text: bytes, **options: str) -> list[Message]:
    return list(JsonReader(io.BytesIO(text), **options))


def written(frames: list[Message]) -> bytes:
    file = io.BytesIO()
    with JsonWriter(file) as writer:
        for message in frames:
            writer(message)
    assert not writer.losses
    return file.getvalue()


def fault(text: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        read(text)
    return str(caught.value)


def test_the_documented_line_is_read_and_written() -> None:
    (message,) = read(LINE)
    assert facts(message)[:3] == (1436509052249713000, "can0", 291)
    assert bytes(message.data) == b"\xde\xad\xbe\xef"
    assert written([message]) == LINE


@pytest.mark.parametrize(
    ("more", "tail"),
    [
        ({"is_remote_frame": True, "dlc": 4}, b'"dlc":4,"data":"","is_remote_frame":true}\n'),
        ({"is_error_frame": True, "data": b"\0"}, b'"dlc":1,"data":"00","is_error_frame":true}\n'),
        ({"is_fd": True, "bitrate_switch": True}, b'"data":"","is_fd":true,"bitrate_switch":true}\n'),
        ({"is_fd": True, "error_state_indicator": True}, b'"is_fd":true,"error_state_indicator":true}\n'),
        ({"is_rx": False}, b'"data":"","is_rx":false}\n'),
    ],
)
def test_what_differs_from_a_received_classic_frame_is_written(more: dict[str, object], tail: bytes) -> None:
    message = Message(is_extended_id=False, **more)  # type: ignore[arg-type]  # by the table above
    assert written([message]).endswith(tail)


def test_can_xl_has_keys_of_its_own() -> None:
    message = XlMessage(0, 0x123, b"\x11\x22", vcid=0x45, sdt=1, sec=True, acceptance_field=0x12345678)
    assert written([message]) == (
        b'{"timestamp":0.000000,"channel":null,"arbitration_id":291,"is_extended_id":false,"dlc":2,'
        b'"data":"1122","is_xl":true,"vcid":69,"sdt":1,"acceptance_field":305419896,"sec":true}\n'
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"data": ""}, "0 data bytes"),
        ({"data": "00" * 2049}, "2049 data bytes"),
        ({"data": "00", "dlc": 2}, "1 data bytes, but a CAN XL frame has 1 to 2048"),
        ({"data": "00", "arbitration_id": 0x800}, 'arbitration_id is "2048"'),
        ({"data": "00", "is_fd": True}, "a CAN XL frame cannot have is_fd"),
        ({"data": "00", "is_extended_id": True}, "a CAN XL frame cannot have is_extended_id"),
        ({"data": "00", "vcid": 256}, 'vcid is "256"'),
        ({"data": "00", "sec": 1}, 'sec is "1"'),
    ],
)
def test_can_xl_that_is_none_is_refused(more: dict[str, object], said: str) -> None:
    record: dict[str, object] = NAMED | {"is_xl": True} | more
    assert said in fault(json.dumps(record).encode() + b"\n")


def test_raw_dlc_codes_are_kept() -> None:
    message = Message(data=bytes(8))
    message.dlc_code = 13
    assert b'"dlc":8,"data":"0000000000000000","dlc_code":13}' in written([message])
    assert read(written([message]))[0].dlc_code == 13


def test_time_is_rounded_and_exact_beside() -> None:
    message = Message()
    message.timestamp_ns = 1436509052249713723
    assert written([message]).startswith(
        b'{"timestamp":1436509052.249714,"timestamp_ns":"1436509052249713723","channel":null,'
    )


@given(
    st.lists(
        messages(kinds=ALL_KINDS, channels=CHANNELS, times=st.integers(-(1 << 63), (1 << 63) - 1)), max_size=8
    )
)
def test_round_trip(frames: list[Message]) -> None:
    assert [facts(message) for message in read(written(frames))] == [facts(message) for message in frames]


@pytest.mark.parametrize("name", ["", 'a"b\\', "käfer", "a b,c}", "\udcff", "\n", 0, "0", None, -3])
@pytest.mark.parametrize("sent", [True, False])
def test_channels_of_all_kinds_survive(name: str | int | None, sent: bool) -> None:
    frames = [Message(channel=channel, is_rx=sent) for channel in (name, "can0", name)]
    assert [message.channel for message in read(written(frames))] == [name, "can0", name]


def test_lines_of_other_programs_are_read() -> None:
    record = json.loads(LINE)
    text = (
        json.dumps(record, sort_keys=True)
        + "\r\n"
        + json.dumps(record, indent=None)
        + "\n\n"
        + json.dumps(record)
    )
    assert [facts(message) for message in read(text.encode())] == [facts(*read(LINE))] * 3


def test_a_kernel_line_and_a_strange_one_keep_their_channels() -> None:
    other = json.dumps({**json.loads(LINE), "channel": "can1"}, sort_keys=True).encode() + b"\n"
    assert [message.channel for message in read(LINE + other + LINE)] == ["can0", "can1", "can0"]


@pytest.mark.parametrize(
    ("number", "nanoseconds"),
    [
        ("0", 0),
        ("17", 17_000_000_000),
        ("1700000000.123456789", 1700000000123456789),
        ("1700000000.1234567895", 1700000000123456790),
        ("1.7000000001234e9", 1700000000123400000),
        ("1e-05", 10_000),
        ("12E-1", 1_200_000_000),
        ("1e-300", 0),
        ("-0.5", -500_000_000),
    ],
)
def test_no_digit_of_a_time_is_lost(number: str, nanoseconds: int) -> None:
    (message,) = read(b'{"timestamp":' + number.encode() + b"," + json.dumps(NAMED)[1:].encode())
    assert message.timestamp_ns == nanoseconds


def test_the_exact_time_wins() -> None:
    (message,) = read(LINE.replace(b'"channel"', b'"timestamp_ns":"-12","channel"'))
    assert message.timestamp_ns == -12


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"arbitration_id": None}, "arbitration_id is missing"),
        ({"arbitration_id": "123"}, 'arbitration_id is "123", not 0 to 536870911'),
        ({"arbitration_id": 2048}, "arbitration_id 2048 is above 2047"),
        ({"arbitration_id": 1 << 29}, "not 0 to 536870911"),
        ({"arbitration_id": 1.0}, 'arbitration_id is "1.0"'),
        ({"is_extended_id": 0}, 'is_extended_id is "0", not true or false'),
        ({"data": "deadbee"}, 'data is "deadbee", not pairs of hex digits'),
        ({"data": "dead bee"}, "not pairs of hex digits"),
        ({"data": [1]}, "not a string of hex digits"),
        ({"dlc": 5}, "dlc is 5, but there are 4 data bytes"),
        ({"dlc": 9, "data": "00" * 9}, "dlc is 9, but a classic frame has at most 8; is_fd marks CAN FD"),
        ({"dlc": 9, "data": "00" * 9, "is_fd": True}, "9 is not a CAN FD length"),
        ({"is_remote_frame": True}, "a remote frame has no data"),
        ({"bitrate_switch": True}, "go with is_fd only"),
        ({"dlc_code": 9}, "dlc_code 9 does not go with dlc 4"),
        ({"channel": True}, "channel is"),
        ({"channel": 1.5}, "channel is"),
        ({"timestamp": "1.5"}, "not a number of seconds"),
        ({"timestamp": 1e30}, "out of range"),
        ({"timestamp": 10**12}, "out of range"),
        ({"timestamp": 10**4000}, "out of range"),
        ({"timestamp_ns": "1.5"}, "not whole nanoseconds"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(change: dict[str, object], said: str) -> None:
    record = {key: value for key, value in {**json.loads(LINE), **change}.items() if value is not None}
    text = fault(LINE + json.dumps(record).encode() + b"\n")
    assert text.startswith("-:2: ")
    assert said in text


@pytest.mark.parametrize("line", [b"{", b"[1]", b'{"a":NaN', b"7", b"[" * 100_000, b'{"\xff":1}', b"x"])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    assert "JSON" in fault(LINE + line + b"\n")


@pytest.mark.parametrize("missing", ["arbitration_id", "is_extended_id"])
def test_identifier_and_kind_are_never_guessed(missing: str) -> None:
    record = {key: value for key, value in NAMED.items() if key != missing}
    assert f"{missing} is missing" in fault(json.dumps(record).encode())


@pytest.mark.parametrize("token", [b"", b"x", b'"', b'"\\q"', b"1.5", b"true", b"[]"])
def test_a_channel_that_is_none_costs_only_its_line(token: bytes) -> None:
    reader = JsonReader(
        io.BytesIO(LINE.replace(b'"can0"', token) + LINE.replace(b"can0", b"can1")), on_error="skip"
    )
    assert [message.channel for message in reader] == ["can1"]
    assert reader.skipped == 1


def test_unknown_keys_are_noted_once() -> None:
    reader = JsonReader(io.BytesIO(LINE.replace(b"}", b',"note":1}') * 3))
    assert len(list(reader)) == 3
    assert reader.notes == ['-: unknown key "note" left out']


def test_frames_before_a_fault_are_kept_and_skipping_goes_on() -> None:
    reader = JsonReader(io.BytesIO(LINE + b"{}\n" + LINE), on_error="skip")
    assert len(list(reader)) == 2
    assert reader.skipped == 1
    assert str(reader.first_fault) == '-:2: arbitration_id is missing, in "{}"'


@pytest.mark.parametrize("cut", range(1, len(LINE) - 1))
def test_a_cut_last_line_is_dropped_with_a_note(cut: int) -> None:
    reader = JsonReader(io.BytesIO(LINE + LINE[:cut]))
    assert len(list(reader)) == 1
    assert reader.notes == ["-:2: ends inside a line, which was dropped"]


@given(st.binary(max_size=60))
def test_noise_is_refused_with_a_line_number(noise: bytes) -> None:
    reader = JsonReader(io.BytesIO(LINE + noise + b"\n" + LINE), on_error="skip")
    frames = list(reader)
    assert len(frames) >= 2
    assert facts(frames[0]) == facts(frames[-1])


def test_appending_ends_a_line_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(LINE + LINE[:30])
    with JsonWriter(path, append=True) as writer:
        writer.write(MessageBatch(read(LINE)))
    assert path.read_bytes() == LINE + LINE[:30] + b"\n" + LINE


def test_the_first_byte_tells() -> None:
    assert JsonReader.recognises(LINE)
    assert not JsonReader.recognises(b"(1.0) can0 123#")
