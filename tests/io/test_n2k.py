"""The lines of NMEA 2000 gateways."""

from __future__ import annotations

import io
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.message import Message
from cantools_cli.io.formats import open_reader
from cantools_cli.io.n2k import N2kReader, fast_packets, identifier_of
from tests.io.line_samples import N2K_ACTISENSE, N2K_IKONVERT, N2K_PLAIN, N2K_RAW

LONG = b"2024-07-19T23:24:46Z,4,129039,28,255,27," + b",".join(b"%02x" % n for n in range(27)) + b"\n"


def opened(text: bytes, **options: Any) -> N2kReader:
    return N2kReader(io.BytesIO(text), **{"tz": "UTC", **options})


def read(text: bytes, **options: Any) -> list[tuple[int, str, str]]:
    """Return (nanoseconds, identifier, data) of each frame."""
    frames = list(opened(text, **options))
    assert all(frame.is_extended_id and frame.channel == "can0" for frame in frames)
    return [(frame.timestamp_ns, f"{frame.arbitration_id:08X}", frame.data.hex()) for frame in frames]


def moment(text: str) -> int:
    whole = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    return int(whole.timestamp() * 1000) * 1_000_000


@pytest.mark.parametrize("sample", [N2K_RAW, N2K_PLAIN, N2K_IKONVERT, N2K_ACTISENSE])
def test_each_kind_is_recognised_by_its_content(sample: bytes) -> None:
    with open_reader(io.BytesIO(sample), tz="UTC") as reader:
        assert type(reader) is N2kReader
        assert len(list(reader)) >= 4


def test_yacht_devices_raw() -> None:
    reader = opened(N2K_RAW)
    frames = list(reader)
    day = 86_400_000
    assert [frame.timestamp_ns // 1_000_000 for frame in frames] == [63201107, 63201108, 63201000, day + 4]
    assert [f"{frame.arbitration_id:08X}" for frame in frames] == [
        "19F51323",
        "19F51323",
        "18EAFF2A",
        "09F80115",
    ]
    assert [frame.is_rx for frame in frames] == [True, True, False, True]
    assert [frame.data.hex() for frame in frames] == ["012f3070002f3070", "0200", "", "a07de618c005fbd5"]
    assert reader.notes == ["-: times of day without a date: they count from 1970-01-01"]


def test_canboat_plain() -> None:
    frames = read(N2K_PLAIN)
    assert frames[0] == (moment("2016-04-09T16:41:09.078"), "0DF11911", "00ff7f520021feff")
    assert frames[1] == (moment("2024-07-19T23:24:46.790"), "18EA1103", "14f001")  # to one node


def test_dates_without_z_are_in_the_zone_that_was_asked_for() -> None:
    there = read(N2K_PLAIN, tz="Europe/Berlin")
    assert there[0] == read(N2K_PLAIN)[0]
    assert read(N2K_PLAIN)[1][0] - there[1][0] == 2 * 3600 * 10**9


def test_messages_of_the_gateway_are_counted() -> None:
    reader = opened(N2K_PLAIN)
    list(reader)
    assert "-: messages of the gateway itself: 1 left out" in reader.notes


def test_ikonvert_s_milliseconds_have_no_zeros_before_them() -> None:
    times = [time // 1_000_000 for time, _, _ in read(N2K_IKONVERT, fast="skip")]
    assert times == [481_997, 482_036, 482_198, 483_005]


def test_ikonvert() -> None:
    frames = read(N2K_IKONVERT, fast="skip")
    assert frames[0][1:] == ("09F11203", "d82db40000000001")
    assert frames[2][1:] == ("18EA0104", "00ee00")
    assert frames[3][2] == "022db40000000001"  # before a status that begins on its line
    reader = opened(N2K_IKONVERT)
    list(reader)
    assert "-: commands to the gateway: 1 left out" in reader.notes


def test_actisense_ascii() -> None:
    frames = read(N2K_ACTISENSE)
    assert frames[0] == (119_990_000_000, "1CFF63CC", "3b9f0000000002ff")
    assert frames[2] == (120_005_000_000, "18EA0A96", "14f001")
    assert len(frames) == 3 + 2


def test_a_long_message_is_split_into_the_frames_of_a_fast_packet() -> None:
    reader = opened(LONG * 9)
    frames = list(reader)
    assert [frame.data.hex() for frame in frames[:4]] == [
        "001b000102030405",
        "01060708090a0b0c",
        "020d0e0f10111213",
        "031415161718191a",
    ]
    firsts = [frame.data[0] for frame in frames[::4]]
    assert firsts == [0x00, 0x20, 0x40, 0x60, 0x80, 0xA0, 0xC0, 0xE0, 0x00]
    assert reader.notes == [
        "-: 9 messages of more than 8 bytes were split into 36 fast-packet frames "
        "with invented sequence counters"
    ]


def test_long_messages_are_left_out_on_request() -> None:
    reader = opened(N2K_RAW + LONG, fast="skip")
    assert len(list(reader)) == 4
    assert "-: messages of more than 8 bytes: 1 left out" in reader.notes
    with pytest.raises(UsageError, match='unknown fast "x"'):
        opened(LONG, fast="x")


def test_what_no_fast_packet_holds_is_left_out() -> None:
    line = b"2024-07-19T23:24:46Z,4,129039,28,255,224" + b",00" * 224 + b"\n"
    reader = opened(line)
    assert list(reader) == []
    assert reader.notes == ["-: messages of more than 223 bytes: 1 left out"]


@given(st.binary(min_size=9, max_size=223), st.integers(0, 7))
def test_fast_packets_can_be_put_together_again(data: bytes, counter: int) -> None:
    first, *others = fast_packets(data, counter)
    assert all(len(packet) == 8 for packet in (first, *others))
    assert [packet[0] for packet in (first, *others)] == [counter << 5 | n for n in range(len(others) + 1)]
    joined = first[2:] + b"".join(packet[1:] for packet in others)
    assert first[1] == len(data)
    assert joined[: len(data)] == data
    assert set(joined[len(data) :]) <= {0xFF}
    assert len(joined) - len(data) < 7


@given(st.integers(0, 7), st.integers(0, 0x3FFFF), st.integers(0, 255), st.integers(0, 255))
def test_an_identifier_says_what_it_was_made_of(priority: int, pgn: int, source: int, target: int) -> None:
    is_addressed = pgn >> 8 & 0xFF < 0xF0
    pgn &= 0x3FF00 if is_addressed else 0x3FFFF
    identifier = identifier_of(priority, pgn, source, target)
    assert (identifier >> 26, identifier & 0xFF) == (priority, source)
    assert identifier >> 8 & 0x3FFFF == pgn | (target if is_addressed else 0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"24:00:00.0 R 19F51323 01", "invalid time of day 24:00:00"),
        (b"17:33:21.107 R 29F51323 01", "identifier 29F51323 is out of range for 29 bits"),
        (b"17:33:21.107 R 19F51323" + b" 00" * 9, "9 data bytes, but a classic frame holds 8"),
        (b"17:33:21.107 X 19F51323 00", "not an NMEA 2000 gateway line"),
        (b"2016-02-30T16:41:09Z,3,127257,17,255,0", "invalid date 2016-02-30 16:41:09"),
        (b"2016-04-09T16:41:09Z,8,127257,17,255,0", "priority 8 is above 7"),
        (b"2016-04-09T16:41:09Z,3,127257,256,255,0", "source 256 is above 255"),
        (b"2016-04-09T16:41:09Z,3,59905,1,255,0", "PGN 59905 has a destination, so its last byte must be 0"),
        (b"2016-04-09T16:41:09Z,3,127257,17,255,2,00", "the length is 2, but there are 1 data bytes"),
        (b"!PDGY,127250,2,3,255,481.997,A", '"A" is not base64 data'),
        (b"!PDGY,127250,2,3,255,481.9970,AAAA", "not an NMEA 2000 gateway line"),
        (b"!PDGY,127250,2,3", "not an NMEA 2000 gateway line"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(line: bytes, said: str) -> None:
    text = N2K_RAW + line + b"\n" + N2K_RAW
    with pytest.raises(FormatError) as caught:
        list(opened(text))
    assert str(caught.value).startswith(f"-:5: {said}: ")
    assert len(list(opened(text, on_error="skip"))) == 8


def yacht_devices(message: Message) -> bytes:
    """Return the line that a gateway of Yacht Devices writes."""
    clock = datetime.fromtimestamp(message.timestamp_ns / 1e9, timezone.utc).strftime("%H:%M:%S.%f")[:-3]
    octets = "".join(f" {octet:02X}" for octet in message.data)
    return f"{clock} {'R' if message.is_rx else 'T'} {message.arbitration_id:08X}{octets}\r\n".encode()


@given(st.integers(0, 86_399_999), st.integers(0, 0x1FFFFFFF), st.binary(max_size=8), st.booleans())
def test_what_a_gateway_writes_is_read_as_it_was(
    millis: int, identifier: int, data: bytes, is_rx: bool
) -> None:
    message = Message(arbitration_id=identifier, data=data, is_rx=is_rx)
    message.timestamp_ns = millis * 1_000_000
    (again,) = opened(yacht_devices(message))
    assert again.timestamp_ns == message.timestamp_ns
    assert again.equals(message, check_channel=False)
