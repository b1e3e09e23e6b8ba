"""Packets of every link type, as both readers give them, through the kernel and without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cantools_cli.errors import FormatError
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.capture import reader as capture_reader
from cantools_cli.kernels import capture as kernel
from tests.io.capture.capture_bytes import (
    classic,
    interface,
    packet_block,
    pcap_head,
    pcap_record,
    read_all,
    read_lenient,
    section,
)
from tests.strategies import facts

BYTES_1_TO_8 = bytes(range(1, 9)).hex()
SLL_TAIL = "0000 0000000000000000"
#: link type, packet in a little-endian file, its frame
SAMPLES: list[tuple[int, str, dict[str, Any]]] = [
    (227, "00000123 03000000 0102030000000000", {"arbitration_id": 0x123, "data": b"\1\2\3"}),
    (227, "00000123 03000000 010203", {"arbitration_id": 0x123, "data": b"\1\2\3"}),
    (
        227,
        "80000123 08000000" + BYTES_1_TO_8,
        {"arbitration_id": 0x123, "is_extended_id": True, "data": bytes.fromhex(BYTES_1_TO_8)},
    ),
    (
        227,
        "400007ff 04000000 0000000000000000",
        {"arbitration_id": 0x7FF, "is_remote_frame": True, "dlc": 4},
    ),
    (
        227,
        "00000123 0800000e 0001020304050607",
        {"arbitration_id": 0x123, "data": bytes(range(8)), "dlc_code": 14},
    ),
    (
        227,
        "00000055 0c040000" + bytes(range(12)).hex() + "00" * 52,
        {"arbitration_id": 0x55, "is_fd": True, "data": bytes(range(12))},
    ),
    (
        227,
        "9abcdef0 40070000" + bytes(range(64)).hex(),
        {
            "arbitration_id": 0x1ABCDEF0,
            "is_extended_id": True,
            "is_fd": True,
            "bitrate_switch": True,
            "error_state_indicator": True,
            "data": bytes(range(64)),
        },
    ),
    (
        227,
        "20000004 08000000 0004000000000000",
        {"arbitration_id": 4, "is_error_frame": True, "data": bytes.fromhex("0004000000000000")},
    ),
    # old writers do not mark CAN FD: the length of the record tells, or that of the data
    (227, "00000055 02000000 aabb" + "00" * 62, {"arbitration_id": 0x55, "is_fd": True, "data": b"\xaa\xbb"}),
    (227, "00000055 0c000000" + "11" * 12, {"arbitration_id": 0x55, "is_fd": True, "data": b"\x11" * 12}),
    # a length that CAN FD has not: controllers pad it
    (
        227,
        "00000055 09040000" + "11" * 9,
        {"arbitration_id": 0x55, "is_fd": True, "data": b"\x11" * 9 + bytes(3)},
    ),
    (
        113,
        "0004 0118" + SLL_TAIL + "000c 23010080 08000000" + BYTES_1_TO_8,
        {
            "arbitration_id": 0x123,
            "is_extended_id": True,
            "is_rx": False,
            "data": bytes.fromhex(BYTES_1_TO_8),
        },
    ),
    # the protocol wins over the mark of CAN FD, both ways
    (113, "0000 0118" + SLL_TAIL + "000c 23010000 01040000 aa", {"arbitration_id": 0x123, "data": b"\xaa"}),
    (
        113,
        "0001 0118" + SLL_TAIL + "000d 23010000 01000000 aa",
        {"arbitration_id": 0x123, "is_fd": True, "data": b"\xaa"},
    ),
    (
        276,
        "000c 0000 00000007 0118 01 00 0000000000000000 23010000 03000000 0102030000000000",
        {"arbitration_id": 0x123, "channel": "if7", "data": b"\1\2\3"},
    ),
    (
        276,
        "000d 0000 00001388 0118 04 00 0000000000000000 23010000 01040000 aa",
        {"arbitration_id": 0x123, "channel": "if5000", "is_fd": True, "is_rx": False, "data": b"\xaa"},
    ),
    (
        252,
        "000c 000e 63616e2d686f7374656e6469616e 0000 0000 23010000 02000000 aabb",
        {"arbitration_id": 0x123, "data": b"\xaa\xbb"},
    ),
    (
        252,
        "0022 0004 00000001 000c 0008 63616e6664000000 0000 0000 23010000 02000000 aabb",
        {"arbitration_id": 0x123, "is_fd": True, "data": b"\xaa\xbb"},
    ),
]
MALFORMED = [
    (227, "00000123 030000", "too short for a frame"),
    (227, "00000123 03000000 0102", "3 data bytes, but only 2 are present"),
    (227, "00000123 41040000" + "00" * 64, "CAN FD frame of 65 bytes"),
    (227, "00000800 00000000", "0x800 has more than 11 bits"),
    (227, "00000123 81010400 00000000 01020304 05", "4 data bytes in a CAN XL record of 17"),
    (227, "00000123 81010000", "too short for a CAN XL frame"),
    (113, "0000 0118" + SLL_TAIL + "000c 23010000 09000000" + "00" * 9, "classic frame of 9 bytes"),
    (113, "0000 0118", "too short for a cooked header"),
    (113, "0000 0118" + SLL_TAIL + "000d 23010040 01000000 aa", "claims to be CAN FD"),
    (276, "000c 0000 00000007 0118", "too short for a cooked header"),
    (252, "000c 00ff 6361", "too short for a tag"),
]
XL = "81010700 78563412 11121314151617"


@pytest.fixture(autouse=True, params=["kernel", "plain"])
def form(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run every test with the kernel and with every record left to plain Python."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "plain":
            patch.setattr(capture_reader.kernel, "parse", _nothing)
        yield


def _nothing(text: Any, at: int, end: int, *rest: Any) -> tuple[int, int, int]:
    first, offset, payload = rest[8], rest[14], rest[15]
    if first >= len(offset) - 1 or len(payload) - offset[first] < 64:
        return at, first, kernel.FULL
    return at, first, kernel.STRANGE if at < end else kernel.DONE


def expected(fields: dict[str, Any]) -> tuple[object, ...]:
    fields = {"is_extended_id": False, "channel": "can0", **fields}
    code = fields.pop("dlc_code", None)
    message = Message(**fields)
    message.timestamp_ns = 1_700_000_000_000_000_123
    if code is not None:
        message.dlc_code = code
    return facts(message)


@pytest.mark.parametrize(("link", "packet", "fields"), SAMPLES)
def test_known_packets(link: int, packet: str, fields: dict[str, Any]) -> None:
    data = bytes.fromhex(packet)
    (message,) = read_all(pcap_head(link) + pcap_record(data, 123))
    assert facts(message) == expected(fields)
    nanoseconds = interface(link, bytes.fromhex("09000100 09000000"))
    (message,) = read_all(section() + nanoseconds + packet_block(data, 1_700_000_000_000_000_123))
    assert facts(message) == expected(fields)


@pytest.mark.parametrize(("link", "packet", "reason"), MALFORMED)
def test_malformed_packets_are_told_with_their_number(link: int, packet: str, reason: str) -> None:
    data = bytes.fromhex(packet)
    head = pcap_head(link)
    with pytest.raises(FormatError, match=reason) as error:
        read_all(head + pcap_record(data))
    assert (error.value.position, error.value.unit) == (1, "packet")
    with pytest.raises(FormatError, match=reason):
        read_all(section() + interface(link) + packet_block(data))


@pytest.mark.parametrize(("link", "packet", "fields"), [sample for sample in SAMPLES if sample[0] != 252])
def test_the_order_of_the_file_is_that_of_cooked_identifiers_only(
    link: int, packet: str, fields: dict[str, Any]
) -> None:
    data = bytearray.fromhex(packet)
    at = {227: None, 113: 16, 276: 20}[link]
    if at is not None:
        data[at : at + 4] = data[at : at + 4][::-1]
    (message,) = read_all(pcap_head(link, ">") + pcap_record(bytes(data), 123, ">"))
    assert facts(message) == expected(fields)


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        (227, "00450123" + XL),
        (113, "0004 0118" + SLL_TAIL + "000e 23014500" + XL),
        (276, "000e 0000 00000000 0118 04 00 0000000000000000 23014500" + XL),
    ],
)
def test_can_xl(link: int, packet: str) -> None:
    (message,) = read_all(pcap_head(link) + pcap_record(bytes.fromhex(packet)))
    assert isinstance(message, XlMessage)
    assert (message.priority, message.vcid, message.sdt, message.sec, message.rrs) == (
        0x123,
        0x45,
        1,
        True,
        False,
    )
    assert (message.acceptance_field, message.data) == (0x12345678, bytes(range(0x11, 0x18)))
    assert message.is_rx == (link == 227)


def test_a_packet_of_which_only_padding_was_cut_is_whole() -> None:
    (message,) = read_all(pcap_head() + pcap_record(classic(1)[:10], original=16))
    assert message.data == b"\xaa\xbb"


@pytest.mark.parametrize(
    ("link", "packet", "what"),
    [
        (113, "0000 0001" + SLL_TAIL + "0800 4500", "1 packets of other protocols left out"),
        (252, "000c 0004 68747470 0000 0000 4745", "1 packets of other protocols left out"),
    ],
)
def test_what_is_no_frame_of_canx_is_left_out_and_said(link: int, packet: str, what: str) -> None:
    found, reader = read_lenient(pcap_head(link) + pcap_record(bytes.fromhex(packet)))
    assert (found, reader.skipped, reader.notes) == ([], 0, [f"-: {what}"])
