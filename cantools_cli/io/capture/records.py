"""Decodes the packets of a capture by link type; ``kernels/capture.py`` reads the common ones.

::

    227  SocketCAN's record, below, with a big-endian identifier word
    113  u16 type (4: sent), u16 ARPHRD, u16, 8 address, u16 protocol; a record in the byte order of the file
    276  u16 protocol, u16, u32 interface, u16 ARPHRD, u8 type, u8, 8 address; a record, likewise
    252  tags [u16 tag, u16 size, value] of Wireshark, 12 naming the protocol, 0 the last; then a record

    0  u32 identifier with EFF 0x80000000, RTR 0x40000000 and ERR 0x20000000
    4  u8 length                    CAN XL: flags, 0x80 always
    5  u8 1 BRS, 2 ESI, 4 CAN FD    CAN XL: type of the data
    6  u8                           CAN XL: u16 length
    7  u8 raw DLC
    8  data                         CAN XL: u32 acceptance field, then data

The protocol in a cooked header (12 classic, 13 CAN FD, 14 CAN XL) takes precedence over the flags in the
record. Old writers do not set the flag of CAN FD: then a frame of more than 8 bytes, or with room for 64, is
CAN FD.

Sources: tcpdump.org, LINKTYPE_CAN_SOCKETCAN, LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2;
Wireshark, ``wireshark/exported_pdu.h``; Linux ``linux/can.h``.
"""

from __future__ import annotations

from array import array
from collections import Counter

from cantools_cli.errors import FormatError
from cantools_cli.frame import bits, xl
from cantools_cli.frame.message import Channel, Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.channels import MAX_CHANNELS, NameTable
from cantools_cli.kernels import capture as kernel

SOCKETCAN, SLL, SLL2, EXPORTED = 227, 113, 276, 252
LINKS = (SOCKETCAN, SLL, SLL2, EXPORTED)
LINKS_HINT = "canx reads CAN_SOCKETCAN (227), LINUX_SLL (113), LINUX_SLL2 (276) and WIRESHARK_UPPER_PDU (252)"
SWAPPED_HINT = "--from pcap,byteorder=little (or pcapng) reads identifiers in that order"

_CLASSIC, _FD, _XL = 0x0C, 0x0D, 0x0E  # protocol numbers of Linux
_OUTGOING = 4
_DISSECTOR = 12
#: by Wireshark's name of a protocol: (its number, whether the identifier is big-endian; None: as the file)
_DISSECTORS: dict[bytes, tuple[int | None, bool | None]] = {
    b"can-hostendian": (None, None),
    b"can-bigendian": (None, True),
    b"can": (None, True),
    b"canfd": (_FD, None),
}
_MAX_NS = (1 << 63) - 1


class Interfaces:
    """The interfaces of a capture and their channels, as tables for the kernel and for Python."""

    def __init__(self) -> None:
        self.is_swapped = False  #: whether the identifier words of link type 227 are little-endian
        self._names = NameTable()
        self._devices = array("H")  # by number of an SLL2 header: the index in channels
        self.clear()

    def clear(self) -> None:
        """Forget the interfaces at the end of a section; their channels stay."""
        self._links, self._entries = array("H"), array("H")
        self._scales, self._starts, self._largest = array("q"), array("q"), array("q")
        self._clocks: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._links)

    def add(self, link: int, channel: str, ticks_per_second: int, start_seconds: int = 0) -> None:
        """Add the next interface, with times that count from ``start_seconds``."""
        start = start_seconds * 1_000_000_000
        scale = 0 if 1_000_000_000 % ticks_per_second else 1_000_000_000 // ticks_per_second
        if not -_MAX_NS <= start <= _MAX_NS:
            start = scale = 0  # the kernel leaves its packets to ``time_ns``
        if len(self) > 0xFFFF:
            raise FormatError("more than 65536 interfaces")
        self._entries.append(self._names.index(channel))
        self._links.append(kernel.SWAPPED if self.is_swapped and link == SOCKETCAN else link)
        self._scales.append(scale)
        self._starts.append(start)
        self._largest.append((_MAX_NS - max(start, 0)) // max(scale, 1))
        self._clocks.append((start_seconds, ticks_per_second))

    def tables(self) -> tuple[array[int], array[int], array[int], array[int], array[int], array[int]]:
        """Return the tables in the order of the kernel's parameters."""
        return self._links, self._scales, self._starts, self._largest, self._entries, self._devices

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All channels so far."""
        return self._names.channels

    def link(self, index: int) -> int:
        return self._links[index]

    def channel(self, index: int) -> Channel:
        return self.channels[self._entries[index]]

    def time_ns(self, index: int, ticks: int) -> int:
        """Return the time of ``ticks`` of an interface, in nanoseconds since the epoch."""
        start, per_second = self._clocks[index]
        time = start * 1_000_000_000 + ticks * 1_000_000_000 // per_second
        if not -_MAX_NS <= time <= _MAX_NS:
            raise FormatError(f"the time {ticks} is out of range")
        return time

    def device(self, number: int) -> str:
        """Return the channel of an interface number of SLL2, and enter it in the table for the kernel."""
        name = f"if{number}"
        entry = self._names.index(name)
        if number < MAX_CHANNELS:
            self._devices.extend([kernel.UNKNOWN] * (number + 1 - len(self._devices)))
            self._devices[number] = entry
        return name


class Packets:
    """Decodes single packets."""

    def __init__(self, interfaces: Interfaces) -> None:
        self.left_out: Counter[str] = Counter()  #: the number of packets that are not frames, by kind
        self._interfaces = interfaces

    def read(self, packet: bytes, link: int, *, big: bool) -> Message | None:
        """Return the frame of ``packet`` without time, or None; ``big`` is the file's byte order."""
        if link in (SOCKETCAN, kernel.SWAPPED):
            return self._frame(packet, None, big=link == SOCKETCAN)
        if link == EXPORTED:
            return self._exported(packet, big=big)
        if link not in (SLL, SLL2):
            self.left_out[f"packets of link type {link}"] += 1
            return None
        size = 16 if link == SLL else 20
        _need(packet, size, "cooked header")
        message = self._cooked(packet[size:], _u16(packet, 14 if link == SLL else 0), big=big)
        if message is not None:
            message.is_rx = (_u16(packet, 0) if link == SLL else packet[10]) != _OUTGOING
            if link == SLL2:
                message.channel = self._interfaces.device(int.from_bytes(packet[4:8], "big"))
        return message

    def _cooked(self, record: bytes, protocol: int, *, big: bool) -> Message | None:
        if protocol in (_CLASSIC, _FD, _XL):
            return self._frame(record, protocol, big=big)
        self.left_out["packets of other protocols"] += 1
        return None

    def _exported(self, packet: bytes, *, big: bool) -> Message | None:
        at, name = 0, b""
        while True:
            _need(packet, at + 4, "tag")
            tag, size = _u16(packet, at), _u16(packet, at + 2)
            at += 4 + size
            if tag == 0:
                break
            if tag == _DISSECTOR:
                name = packet[at - size : at].rstrip(b"\0")
        if name not in _DISSECTORS:
            self.left_out["packets of other protocols"] += 1
            return None
        protocol, order = _DISSECTORS[name]
        return self._frame(packet[at:], protocol, big=big if order is None else order)

    def _frame(self, record: bytes, protocol: int | None, *, big: bool) -> Message:
        """Return the frame of a SocketCAN record; ``protocol`` is None if only the record gives it."""
        _need(record, 8, "frame")
        if protocol == _XL or (protocol is None and record[4] & 0x80):
            return _xl_frame(record, big=big, is_captured=protocol is None)
        word = int.from_bytes(record[:4], "big" if big else "little")
        size, marks = record[4], record[5]
        is_fd = protocol == _FD
        if protocol is None and not word & (bits.CAN_RTR_FLAG | bits.CAN_ERR_FLAG):
            # stale memory in the padding of a classic frame must not count as a flag
            is_fd = size > 8 or len(record) == 72 or (marks in (4, 5, 6, 7) and not any(record[6:8]))
        if size > (64 if is_fd else 8):
            raise FormatError(f"a {'CAN FD' if is_fd else 'classic'} frame of {size} bytes")
        message = _identified(word, can_be_swapped=protocol is None and big)
        message.is_fd = is_fd
        if is_fd:
            if message.is_remote_frame or message.is_error_frame:
                raise FormatError("a remote or error frame that claims to be CAN FD")
            message.bitrate_switch, message.error_state_indicator = bool(marks & 1), bool(marks & 2)
        message.dlc = kernel.PADDED[size] if is_fd else size
        has_code = size == 8 and not (is_fd or message.is_error_frame or any(record[5:7]))
        if has_code and 8 < record[7] < 16:
            message.dlc_code = record[7]
        if not message.is_remote_frame:
            if size > len(record) - 8:
                raise FormatError(f"{size} data bytes, but only {len(record) - 8} are present")
            message.data = bytearray(record[8 : 8 + size].ljust(message.dlc, b"\0"))
        return message


def _identified(word: int, *, can_be_swapped: bool) -> Message:
    message = Message(is_extended_id=bool(word & bits.CAN_EFF_FLAG))
    message.arbitration_id = word & bits.CAN_EFF_MASK
    message.is_error_frame = bool(word & bits.CAN_ERR_FLAG)
    if message.is_error_frame:
        message.is_extended_id = False
        return message
    message.is_remote_frame = bool(word & bits.CAN_RTR_FLAG)
    if not message.is_extended_id and message.arbitration_id > bits.CAN_SFF_MASK:
        other = int.from_bytes(word.to_bytes(4, "big"), "little")
        is_swapped = can_be_swapped and (other >> 31 == 1 or other & bits.CAN_EFF_MASK <= bits.CAN_SFF_MASK)
        raise FormatError(
            f"the identifier {message.arbitration_id:#x} has more than 11 bits",
            hint=SWAPPED_HINT if is_swapped else None,
        )
    return message


def _xl_frame(record: bytes, *, big: bool, is_captured: bool) -> XlMessage:
    """Return a CAN XL frame; ``big`` is the order of its identifier, and of all if not ``is_captured``."""
    _need(record, xl.HEAD_SIZE, "CAN XL frame")
    if big and is_captured:
        return xl.unpack(record[3::-1] + record[4:])
    return xl.unpack(record, "big" if big else "little")


def pack_xl(message: XlMessage) -> bytes:
    """Return the packet of a CAN XL frame, of link type CAN_SOCKETCAN."""
    record = xl.pack(message)
    return record[3::-1] + record[4:]


def _need(data: bytes, size: int, what: str) -> None:
    if len(data) < size:
        raise FormatError(f"a packet of {len(data)} bytes, too short for a {what}")


def _u16(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]
