"""pcap, the capture format of tcpdump and Wireshark.

::

    a1b23c4d 0002 0004 00000000 00000000 00040000 000000e3     magic, 2.4, -, -, longest packet, link type
    65538080 00000000 00000010 00000010                        seconds, nanoseconds, captured, original
    00000123 03 00 00 00 0102030000000000                      identifier 123, 3 bytes, data

The magic number gives the byte order and the unit of the times: ``a1b2c3d4`` is microseconds. canx writes
nanoseconds, little-endian, with link type CAN_SOCKETCAN; ``records`` lists the link types that it reads.

Loses: channels other than can0, directions; times before 1970 or after 2106, which are clamped.

Sources: IETF opsawg, "PCAP Capture File Format"; tcpdump.org, the list of link types.
"""

from __future__ import annotations

import re
import struct
from array import array

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.capture.reader import CaptureReader
from cantools_cli.io.capture.records import LINKS, LINKS_HINT, SOCKETCAN, pack_xl
from cantools_cli.io.capture.writer import CaptureWriter
from cantools_cli.io.continued import naming
from cantools_cli.kernels import capture as kernel

#: by the first bytes: (whether numbers are big-endian, ticks per second)
MAGIC = {
    b"\xa1\xb2\xc3\xd4": (True, 1_000_000),
    b"\xa1\xb2\x3c\x4d": (True, 1_000_000_000),
    b"\xd4\xc3\xb2\xa1": (False, 1_000_000),
    b"\x4d\x3c\xb2\xa1": (False, 1_000_000_000),
}
HEAD_SIZE = 24
_RECORD_HEAD = 16
CHANNEL = "can0"  #: the channel of all frames
_LINK_MASK = 0x0FFFFFFF  # the other bits: the length of the packets' checksums
_MAX_CAN = 1 << 12  # bytes of a packet of CAN_SOCKETCAN: CAN XL has 2060
#: the start of a record of at most 255 bytes, by byte order: captured and original length are equal
_RECORDS = {
    False: re.compile(rb"[\s\S]{7}[\x00-\x3b]([\x08-\xff]\x00\x00\x00)\1"),
    True: re.compile(rb"[\s\S]{4}[\x00-\x3b][\s\S]{3}(\x00\x00\x00[\x08-\xff])\1"),
}


class PcapReader(CaptureReader):
    """Reads pcap files of either byte order, in micro- or nanoseconds.

    All frames are on can0, except for link type LINUX_SLL2: there interface number n is the channel ``if`` n.
    """

    head_size = HEAD_SIZE

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head[:4] in MAGIC

    def _head(self, head: bytes) -> int:
        self.big, ticks, self._link = read_head(head)
        if self._link not in LINKS:
            raise FormatError(f"link type {self._link}, which is not CAN", hint=LINKS_HINT)
        self._largest = _MAX_CAN if self._link == SOCKETCAN else kernel.LARGEST_PACKET
        self._ticks = ticks
        self.interfaces.add(self._link, CHANNEL, ticks)
        return HEAD_SIZE

    def _size(self, text: bytearray, at: int, end: int) -> int:
        if end - at < _RECORD_HEAD:
            return 0
        captured = int.from_bytes(text[at + 8 : at + 12], "big" if self.big else "little")
        if captured > self._largest:
            self.packets += 1
            raise FormatError(f"a packet claims {captured} bytes", position=self.packets, unit="packet")
        return _RECORD_HEAD + captured

    def _record(self, record: bytes) -> Message | None:
        self.packets += 1
        seconds, part = struct.unpack_from(">LL" if self.big else "<LL", record)
        message = self.decoder.read(record[_RECORD_HEAD:], self.interfaces.link(0), big=self.big)
        if message is not None:
            message.timestamp_ns = self.interfaces.time_ns(0, seconds * self._ticks + part)
            message.channel = message.channel or CHANNEL
        return message

    def _search(self, text: bytearray, at: int, end: int) -> tuple[int, bool]:
        pattern = _RECORDS[self.big]
        while match := pattern.search(text, at, end):
            at = match.start()
            size = match[1][3 if self.big else 0]
            after = at + _RECORD_HEAD + size
            if after + _RECORD_HEAD > end and not self.at_end:
                return at, False  # wait for the next record, which must look like one as well
            if after == end or pattern.match(text, after, end):
                return at, True
            at += 1
        return max(at, end - _RECORD_HEAD + 1), False


class PcapWriter(CaptureWriter):
    """Writes pcap files of nanoseconds that tcpdump and Wireshark read.

    ``append`` continues a little-endian file of link type CAN_SOCKETCAN, in the time unit of the file.
    """

    last_ns = 0xFFFFFFFF * 1_000_000_000 + 999_999_999
    moved_times = "times outside 1970 to 2106"

    def _begin(self, size: int) -> None:
        if size:
            self._continue(size)
        else:
            self.output.write(struct.pack("<L2H4L", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, SOCKETCAN))

    def _interfaces_of(self, batch: MessageBatch) -> array[int]:
        self._count_details(batch, "directions", "channels")
        return array("H", bytes(2 * len(batch.channels)))

    def _xl_record(self, message: XlMessage, time_ns: int, interface: int) -> bytes:
        packet = pack_xl(message)
        seconds, part = divmod(min(time_ns + self._unit // 2, self.last_ns), 1_000_000_000)
        return struct.pack("<4L", seconds, part // self._unit, len(packet), len(packet)) + packet

    def _continue(self, size: int) -> None:
        name = self.output.name
        with naming(name):
            big, ticks, link = read_head(self.output.read_back(0, HEAD_SIZE))
        if big or link != SOCKETCAN:
            raise UsageError(
                f"{name}: only a little-endian file of link type 227 can be continued",
                hint="canx convert makes one",
            )
        self._drop_rest(HEAD_SIZE, size, "packet")
        self._unit = 1_000_000_000 // ticks
        if self._unit > 1:
            self.note(f"{name}: has microseconds, and so have the frames added to it")


def read_head(head: bytes) -> tuple[bool, int, int]:
    """Return (whether the file is big-endian, ticks per second, link type)."""
    if head[:4] not in MAGIC or len(head) < HEAD_SIZE:
        raise FormatError(f"not a pcap file: it begins with {head[:4].hex(' ')}", byte=0)
    big, ticks = MAGIC[head[:4]]
    major, *_, link = struct.unpack_from((">" if big else "<") + "2H4L", head, 4)
    if major != 2:
        raise FormatError(f"pcap version {major}; canx reads version 2", byte=4)
    return big, ticks, link & _LINK_MASK
