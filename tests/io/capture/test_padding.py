"""Bytes of a packet that are not part of its frame, and identifiers in the other order."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest

from cantools_cli.errors import FormatError, NotALogError, UsageError
from cantools_cli.frame.message import Message
from cantools_cli.io.capture.pcap import PcapReader
from cantools_cli.io.capture.pcapng import PcapngReader
from cantools_cli.io.capture.reader import CaptureReader
from cantools_cli.io.capture.records import Interfaces, Packets
from tests.io.capture.capture_bytes import interface, packet_block, pcap_head, pcap_record, section

DATA = bytes(range(8))


def packet(padding: bytes, size: int = 8, room: int = 8, order: str = ">", identifier: int = 0x123) -> bytes:
    return struct.pack(order + "LB", identifier, size) + padding + DATA[:size].ljust(room, b"\0")


def by_pcap(data: bytes) -> Message:
    (message,) = PcapReader(io.BytesIO(pcap_head() + pcap_record(data)))
    return message


def by_pcapng(data: bytes) -> Message:
    (message,) = PcapngReader(io.BytesIO(section() + interface() + packet_block(data)))
    return message


def by_python(data: bytes) -> Message:
    message = Packets(Interfaces()).read(data, 227, big=False)
    assert message is not None
    return message


def cooked_v1(data: bytes) -> Message:
    cooked = struct.pack(">3H8sH", 0, 280, 0, b"", 0x0C) + data[3::-1] + data[4:]
    (message,) = PcapReader(io.BytesIO(pcap_head(113) + pcap_record(cooked)))
    return message


def cooked_by_python(data: bytes) -> Message:
    cooked = struct.pack(">3H8sH", 0, 280, 0, b"", 0x0C) + data
    message = Packets(Interfaces()).read(cooked, 113, big=True)
    assert message is not None
    return message


@pytest.mark.parametrize("read", [by_pcap, by_pcapng, by_python])
@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("2d9204", (False, False, False, 8)),
        ("040100", (False, False, False, 8)),
        ("04000a", (False, False, False, 8)),
        ("0c0000", (False, False, False, 8)),
        ("ffffff", (False, False, False, 8)),
        ("000000", (False, False, False, 8)),
        ("00000a", (False, False, False, 10)),
        ("00550a", (False, False, False, 8)),
        ("01000a", (False, False, False, 8)),
        ("040000", (True, False, False, 8)),
        ("050000", (True, True, False, 8)),
        ("070000", (True, True, True, 8)),
    ],
)
def test_stale_padding_is_no_flag(padding: str, expected: tuple[bool, bool, bool, int], read: Any) -> None:
    message = read(packet(bytes.fromhex(padding)))
    assert bytes(message.data) == DATA
    found = (message.is_fd, message.bitrate_switch, message.error_state_indicator, message.dlc_code)
    assert found == expected


@pytest.mark.parametrize("read", [by_pcap, by_pcapng, by_python])
@pytest.mark.parametrize(("size", "room"), [(8, 64), (12, 12), (3, 64)])
def test_a_record_of_can_fds_size_is_can_fd_whatever_its_flags(size: int, room: int, read: Any) -> None:
    message = read(packet(b"\1\0\0", size, room))
    assert (message.is_fd, message.bitrate_switch) == (True, True)


@pytest.mark.parametrize("read", [cooked_v1, cooked_by_python])
def test_the_protocol_of_a_cooked_header_tells_and_padding_does_not(read: Any) -> None:
    for padding, code in (("2d920b", 8), ("040000", 8), ("00000b", 11)):
        message = read(packet(bytes.fromhex(padding)))
        assert (message.is_fd, message.dlc_code, bytes(message.data)) == (False, code, DATA)


IDENTIFIERS = (0x123, 0x7E8, 0x98FEF100, 0x20000004, 0x40000185)
WORDS = [(0x123, False), (0x7E8, False), (0x18FEF100, True), (4, False), (0x185, False)]


def capture(kind: type[CaptureReader], identifiers: tuple[int, ...], order: str) -> io.BytesIO:
    packets = [
        packet(bytes(3), 0 if word >> 30 & 1 else 8, order=order, identifier=word) for word in identifiers
    ]
    if kind is PcapReader:
        return io.BytesIO(pcap_head() + b"".join(map(pcap_record, packets)))
    return io.BytesIO(section() + interface() + b"".join(map(packet_block, packets)))


@pytest.mark.parametrize("kind", [PcapReader, PcapngReader])
@pytest.mark.parametrize(("order", "byteorder"), [("<", "little"), (">", "big")])
def test_identifiers_of_either_order(kind: type[CaptureReader], order: str, byteorder: str) -> None:
    reader = kind(capture(kind, IDENTIFIERS, order), byteorder=byteorder)
    assert [(message.arbitration_id, message.is_extended_id) for message in reader] == WORDS
    assert not reader.notes


@pytest.mark.parametrize("kind", [PcapReader, PcapngReader])
def test_swapped_identifiers_are_suspected(kind: type[CaptureReader]) -> None:
    with pytest.raises(FormatError, match="more than 11 bits") as error:
        list(kind(capture(kind, (0x111,), "<")))
    assert "byteorder=little" in str(error.value.hint)
    reader = kind(capture(kind, (0x1E8, 0x1E9, 0x2A8, 0x3A8) * 9, "<"))
    list(reader)
    assert len(reader.notes) == 1
    assert "byte-swapped" in reader.notes[0]


def test_an_identifier_that_is_wrong_in_both_orders_gets_no_such_hint() -> None:
    with pytest.raises(FormatError, match="more than 11 bits") as error:
        list(PcapReader(capture(PcapReader, (0x00800100,), ">")))
    assert "byteorder" not in str(error.value.hint)


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(UsageError, match='unknown byteorder "middle"'):
        PcapReader(io.BytesIO(), byteorder="middle")


def test_a_capture_of_which_no_packet_fits_is_not_a_log_also_if_faults_are_skipped() -> None:
    short = pcap_record(bytes(6))
    with pytest.raises(NotALogError, match="not a log that canx recognises: 50 malformed records"):
        list(PcapReader(io.BytesIO(pcap_head() + short * 50), on_error="skip"))
    good = pcap_record(packet(bytes(3)))
    reader = PcapReader(io.BytesIO(pcap_head() + short * 50 + good), on_error="skip")
    assert (len(list(reader)), reader.skipped) == (1, 50)
