"""pcapng, the capture format of Wireshark.

::

    0a0d0d0a size 1a2b3c4d 0001 0000 size of the section, 8 | options | size        a section begins
    00000001 size 00e3 0000 longest packet, 4               | options | size        an interface
    00000006 size interface, 4 | time, 8 | captured, 4 | original, 4 | packet | options | size

    06000000 3c000000 00000000 b1de9717 0010a4d4 10000000 10000000
    00000123 03 00 00 00 0102030000000000                           identifier 123, 3 bytes, data
    0200 0400 01000000 00000000 3c000000                            received

An option is a code, a size, and a value padded to 4 bytes. Each channel is an interface with a name and a
time unit. An interface may be defined anywhere before its first packet. A file may have several sections,
even of different byte order: continuing a file adds a section.

Loses: times before 1970, which become 1970; whether a channel was a number.

Source: IETF opsawg, "PCAP Now Generic (pcapng) Capture File Format".
"""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Iterator
from typing import Any

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.capture.reader import CaptureReader
from cantools_cli.io.capture.records import LINKS, LINKS_HINT, SOCKETCAN, pack_xl
from cantools_cli.io.capture.writer import ORDERS, SECTION, CaptureWriter
from cantools_cli.io.channels import NameTable
from cantools_cli.io.continued import cannot_continue, naming
from cantools_cli.io.files import AnyFile
from cantools_cli.kernels import capture as kernel

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _STATISTICS, _PACKET = 0x0A0D0D0A, 1, 2, 3, 5, 6
_PACKETS = (_OLD_PACKET, _SIMPLE_PACKET, _PACKET)
#: bytes of the shortest block of each kind that is decoded
_MIN_SIZE = {_SECTION: 28, _INTERFACE: 20, _STATISTICS: 24, _SIMPLE_PACKET: 16, _OLD_PACKET: 32, _PACKET: 32}
_NAME, _RESOLUTION, _OFFSET = 2, 9, 14  # options of an interface
_DIRECTION = 2  # of a packet
_DROPPED = (5, 7)  # of statistics: by the interface, by the system
_MAX_NAME = 0xFF00
#: the start of a block of at most 512 KiB, by byte order
_BLOCKS = {
    False: re.compile(rb"(?:[\x01-\x06]\x00{3}|\x0a\x0d\x0d\x0a)[\s\S]{2}[\x00-\x07]\x00"),
    True: re.compile(rb"(?:\x00{3}[\x01-\x06]|\x0a\x0d\x0d\x0a)\x00[\x00-\x07][\s\S]{2}"),
}


class PcapngReader(CaptureReader):
    """Reads pcapng files of any time unit and byte order; interface n without a name is ``can`` n."""

    blocks = True
    head_size = 12

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._lost_frames = 0  # during the recording
        self._others: set[int] = set()  # link types that are not CAN
        self._has_can = False

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head[:4] == SECTION and head[8:12] in (*ORDERS, b"")

    def _head(self, head: bytes) -> int:
        if not self.recognises(head):
            raise FormatError(f"not a pcapng file: it begins with {head[:4].hex(' ')}", byte=0)
        return 0  # the section header is read like any other block

    def batches(self) -> Iterator[MessageBatch]:
        yield from super().batches()
        if self._lost_frames:
            self.note_file(f"{self._lost_frames} packets were lost when this was recorded")
        if self._others and not self._has_can:
            links = ", ".join(map(str, sorted(self._others)))
            raise FormatError(f"link type {links}, which is not CAN", source=self.input.name, hint=LINKS_HINT)

    def _size(self, text: bytearray, at: int, end: int) -> int:
        if end - at < 12:
            return 0
        big = self.big
        if text[at : at + 4] == SECTION:
            order = ORDERS.get(bytes(text[at + 8 : at + 12]))
            if order is None:
                raise FormatError(f"a section with the unknown byte order {text[at + 8 : at + 12].hex()}")
            big = order
        size: int
        kind, size = struct.unpack_from(">LL" if big else "<LL", text, at)
        fits = kind not in _MIN_SIZE or _MIN_SIZE[kind] <= size <= kernel.LARGEST_RECORD
        if size < 12 or size & 3 or not fits:
            raise FormatError(f"a block of type {kind:#x} claims {size} bytes")
        whole = size <= kernel.LARGEST_RECORD and at + size <= end
        if whole and text[at + size - 4 : at + size] != text[at + 4 : at + 8]:
            raise FormatError(f"a block of type {kind:#x} states two different sizes")
        return size

    def _record(self, record: bytes) -> Message | None:
        if record[:4] == SECTION:
            self.big = ORDERS[record[8:12]]
            self.interfaces.clear()
            return None
        order = ">" if self.big else "<"
        (kind,) = struct.unpack_from(order + "L", record)
        if kind in _PACKETS:
            self.packets += 1
            return self._packet(kind, record, order)
        if kind == _INTERFACE:
            self._interface(record, order)
        elif kind == _STATISTICS:
            for code, value in self._options(record, 20):
                if code in _DROPPED and len(value) == 8:
                    self._lost_frames += struct.unpack(order + "Q", value)[0]
        return None

    def _search(self, text: bytearray, at: int, end: int) -> tuple[int, bool]:
        pattern = _BLOCKS[self.big]
        while match := pattern.search(text, at, end):
            at = match.start()
            if end - at < 12:
                return at, False
            try:
                size = self._size(text, at, end)
            except FormatError:
                at += 1
                continue
            if at + size <= end:
                return at, True
            if not self.at_end:
                return at, False  # wait for its end, which repeats the size
            at += 1
        return max(at, end - 7), False

    def _interface(self, record: bytes, order: str) -> None:
        (link,) = struct.unpack_from(order + "H", record, 8)
        name, per_second, start = f"can{len(self.interfaces)}", 1_000_000, 0
        for code, value in self._options(record, 16):
            if code == _NAME:
                name = value.rstrip(b"\0").decode("utf-8", "surrogateescape") or name
            elif code == _RESOLUTION and len(value) == 1:
                per_second = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == _OFFSET and len(value) == 8:
                (start,) = struct.unpack(order + "q", value)
        if link in LINKS:
            self._has_can = True
        else:
            self._others.add(link)
        self.interfaces.add(link, name, per_second, start)

    def _packet(self, kind: int, record: bytes, order: str) -> Message | None:
        """Return the frame of a packet block of any of the three kinds; the simple one has no time."""
        index, high, low, begin = 0, 0, 0, 28
        if kind == _PACKET:
            index, high, low, captured = struct.unpack_from(order + "4L", record, 8)
        elif kind == _OLD_PACKET:
            index, _, high, low, captured = struct.unpack_from(order + "2H3L", record, 8)
        else:
            begin = 12
            captured = min(struct.unpack_from(order + "L", record, 8)[0], len(record) - 16)
            self.note_file("packets without a time get the time 0")
        if index >= len(self.interfaces):
            raise FormatError(f"a packet of interface {index}, which is not defined")
        if captured > len(record) - begin - 4:
            raise FormatError(f"a packet claims {captured} bytes in a block of {len(record)}")
        link = self.interfaces.link(index)
        message = self.decoder.read(record[begin : begin + captured], link, big=self.big)
        if message is None:
            return None
        message.timestamp_ns = self.interfaces.time_ns(index, high << 32 | low) if begin == 28 else 0
        message.channel = message.channel or self.interfaces.channel(index)
        for code, value in self._options(record, begin + captured + -captured % 4):
            if code == _DIRECTION and len(value) == 4 and struct.unpack(order + "L", value)[0] & 3 == 2:
                message.is_rx = False
        return message

    def _options(self, record: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        """Yield (code, value) of the options from ``at`` to the end of the block."""
        order = ">HH" if self.big else "<HH"
        while at + 8 <= len(record):
            code, size = struct.unpack_from(order, record, at)
            if code == 0 or at + 8 + size > len(record):
                break
            yield code, record[at + 4 : at + 4 + size]
            at += 4 + size + -size % 4


class PcapngWriter(CaptureWriter):
    """Writes pcapng files that Wireshark reads; ``append`` adds a section."""

    blocks = True
    moved_times = "times before 1970"

    def __init__(self, file: AnyFile, append: bool = False, *args: Any, **kwargs: Any) -> None:
        self._interfaces: dict[bytes, int] = {}  # by name: its number in this section
        self._channels: tuple[Channel, ...] = ()
        self._table = array("H")  # the interface of each of them
        super().__init__(file, append, *args, **kwargs)

    def _begin(self, size: int) -> None:
        if size:
            if not PcapngReader.recognises(self.output.read_back(0, 12)):
                with naming(self.output.name):
                    raise cannot_continue("not a pcapng file", 0)
            self._drop_rest(0, size, "block")
        version = struct.pack("<L2Hq", 0x1A2B3C4D, 1, 0, -1)
        self.output.write(_block(_SECTION, version, {4: b"canx"}))

    def _interfaces_of(self, batch: MessageBatch) -> array[int]:
        if self._channels != batch.channels:
            self._table = array("H", [self._interface(channel) for channel in batch.channels])
            self._channels = batch.channels
        return self._table

    def _xl_record(self, message: XlMessage, time_ns: int, interface: int) -> bytes:
        packet = pack_xl(message)
        size = len(packet)
        head = struct.pack("<5L", interface, time_ns >> 32, time_ns & 0xFFFFFFFF, size, size)
        direction = {_DIRECTION: struct.pack("<L", 1 if message.is_rx else 2)}
        return _block(_PACKET, head + packet + bytes(-size % 4), direction)

    def _interface(self, channel: Channel) -> int:
        """Return the number of the channel's interface; write the interface if it is new."""
        name = NameTable((channel,)).names[:_MAX_NAME]
        if name not in self._interfaces:
            self._interfaces[name] = len(self._interfaces)
            options = {_NAME: name, _RESOLUTION: b"\x09"}
            self.output.write(_block(_INTERFACE, struct.pack("<2HL", SOCKETCAN, 0, 0), options))
        return self._interfaces[name]


def _block(kind: int, body: bytes, options: dict[int, bytes]) -> bytes:
    """Return a block; the codes of ``options`` depend on the kind of block."""
    for code, value in options.items():
        body += struct.pack("<2H", code, len(value)) + value + bytes(-len(value) % 4)
    size = 16 + len(body)
    return struct.pack("<2L", kind, size) + body + struct.pack("<2L", 0, size)
