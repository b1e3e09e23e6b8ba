"""The blocks before the records in the MDF 4 files that canx writes, and the layout of the records.

::

    ID HD FH  DG ── CG 1 CAN_DataFrame, up to 8 bytes     CG 2 CAN_DataFrame, up to 64
                    CG 3 CAN_ErrorFrame                   CG 4 CAN_RemoteFrame
    DT        the records, to the end of the file

    01 e803000000000000 01 23010080 03 08 08 0001020304050607
    number; ns since the start; bus from 1; identifier (bit 31: 29 bits); flags; DLC; length; data

    flags: 1 IDE, 2 Dir, 4 EDL, 8 BRS, 16 ESI

A file that is being written is marked as unfinished: the end of the file gives the number of records and
their total length. Closing the file also states in the comment of FH whether all records are in the order of
time, which saves a reader the pass over the records that finds out.

Source: ASAM MDF 4.1; experiments with asammdf, python-can and Vector's tools.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from cantools_cli.io.mf4.blocks import FINISHED, HEAD, UNFINISHED, pack

PROGRAM = b"canx    "
#: bytes of a record, including its number, by that number
RECORD_SIZES = (0, 25, 81, 25, 17)
HD_AT = 64

_EVENTS = ("", "CAN_DataFrame", "CAN_DataFrame", "CAN_ErrorFrame", "CAN_RemoteFrame")
_COUNTS_AND_LENGTH_UNKNOWN = 5
_BUS_EVENT, _PLAIN_BUS_EVENT = 0x400, 6
_FIXED, _MASTER = 0, 2
_INTEGER, _BYTES = 0, 10
#: (member, byte, first bit, bits), after the 8 bytes of time; ``parse_own`` of the kernel reads one word
MEMBERS = (
    ("BusChannel", 8, 0, 8),
    ("ID", 9, 0, 32),
    ("IDE", 13, 0, 1),
    ("Dir", 13, 1, 1),
    ("EDL", 13, 2, 1),
    ("BRS", 13, 3, 1),
    ("ESI", 13, 4, 1),
    ("DLC", 14, 0, 8),
    ("DataLength", 15, 0, 8),
)
#: the first byte of data in a record
DATA_AT = 16
ORDER_UNKNOWN = b"unknown"
ORDER_BY_TIME = b"by time"  #: the order of the records of a closed file, if they are in the order of time
_COMMENT = (
    "<FHcomment><TX/><tool_id>canx</tool_id><tool_vendor>canx</tool_vendor><tool_version>1</tool_version>"
    f'<common_properties><e name="record order">{ORDER_UNKNOWN.decode()}</e></common_properties></FHcomment>'
)
_COMMENT_AT = HD_AT + HEAD + 6 * 8 + 32
ORDER_AT = _COMMENT_AT + HEAD + _COMMENT.index(ORDER_UNKNOWN.decode())  #: its position in a file


class Head(NamedTuple):
    """The bytes before the records, and the positions of the fields that closing the file fills in.

    Attributes:
        counts_at: the position of the number of records of each kind, by the number of the kind.
        length_at: the position of the length of the block of records, which starts 8 bytes earlier.
    """

    data: bytes
    counts_at: tuple[int, ...]
    length_at: int


class BlockBuilder:
    """Consecutive blocks; a block has to be added after the blocks that it links to."""

    def __init__(self, begin: int) -> None:
        self.data = b""
        self._begin = begin

    def add(self, kind: str, links: tuple[int, ...], data: bytes) -> int:
        """Add a block; return its position in the file."""
        at = self._begin + len(self.data)
        self.data += pack(kind, links, data)
        return at

    def text(self, text: str, kind: str = "TX") -> int:
        return self.add(kind, (), text.encode() + b"\0")

    def channel(
        self, following: int, members: int, name: int, conversion: int, unit: int, data: bytes
    ) -> int:
        links = (following, members, name, 0, conversion, 0, unit, 0)
        return self.add("CN", links, data.ljust(72, b"\0"))


def identification(*, finished: bool) -> bytes:
    """Return the first 64 bytes of a file."""
    flags = 0 if finished else _COUNTS_AND_LENGTH_UNKNOWN
    magic = FINISHED if finished else UNFINISHED
    return struct.pack("<8s8s8s4xH30xHH", magic, b"4.10    ", PROGRAM, 410, flags, 0)


def build_head(start_ns: int, attachment: tuple[str, bytes] | None = None) -> Head:
    """Return the start of a file; ``attachment`` is the name and the content of a database."""
    blocks = BlockBuilder(_COMMENT_AT)
    comment = blocks.text(_COMMENT, "MD")
    history = blocks.add("FH", (0, comment), struct.pack("<QhhB3x", start_ns, 0, 0, 2))
    attached = _attach(blocks, *attachment) if attachment else 0
    name = blocks.text("CAN")
    source = blocks.add("SI", (name, name, 0), bytes((2, 2, 0, 0, 0, 0, 0, 0)))
    time, second = blocks.text("time"), blocks.text("s")
    linear = struct.pack("<BBHHHdddd", 1, 0, 0, 0, 2, 0.0, 0.0, 0.0, 1e-9)
    nanoseconds = blocks.add("CC", (0, 0, 0, 0), linear)
    following, counts = 0, [0] * len(_EVENTS)
    for number in range(len(_EVENTS) - 1, 0, -1):
        first = _add_channels(blocks, _EVENTS[number], RECORD_SIZES[number] - 1, time, second, nanoseconds)
        size = RECORD_SIZES[number] - 1
        data = struct.pack("<QQHHIII", number, 0, _PLAIN_BUS_EVENT, ord("."), 0, size, 0)
        following = blocks.add("CG", (following, first, name, source, 0, 0), data)
        counts[number] = following + HEAD + 6 * 8 + 8
    group = len(blocks.data) + _COMMENT_AT
    records = group + HEAD + 4 * 8 + 8
    blocks.add("DG", (0, following, records, 0), bytes((1, 0, 0, 0, 0, 0, 0, 0)))
    times = struct.pack("<QhhBBBBdd", start_ns, 0, 0, 2, 0, 0, 0, 0.0, 0.0)
    head = identification(finished=False) + pack("HD", (group, history, 0, attached, 0, 0), times)
    return Head(head + blocks.data + pack("DT", (), b""), tuple(counts), records + 8)


def _add_channels(
    blocks: BlockBuilder, event: str, size: int, time: int, second: int, nanoseconds: int
) -> int:
    """Add the channels of a kind of record of ``size`` bytes; return the position of the first."""
    following = 0
    members = [(*member, _INTEGER) for member in MEMBERS]
    if size > DATA_AT:
        members.append(("DataBytes", DATA_AT, 0, 8 * (size - DATA_AT), _BYTES))
    for member, at, bit, bits, data_type in reversed(members):
        name = blocks.text(f"{event}.{member}")
        data = struct.pack("<BBBBIII", _FIXED, 0, data_type, bit, at, bits, _BUS_EVENT)
        following = blocks.channel(following, 0, name, 0, 0, data)
    data = struct.pack("<BBBBIII", _FIXED, 0, _BYTES, 0, 8, 8 * (size - 8), _BUS_EVENT)
    structure = blocks.channel(0, following, blocks.text(event), 0, 0, data)
    data = struct.pack("<BBBBIII", _MASTER, 1, _INTEGER, 0, 0, 64, 0)
    return blocks.channel(structure, 0, time, nanoseconds, second, data)


def _attach(blocks: BlockBuilder, name: str, content: bytes) -> int:
    """Add an embedded attachment; return its position."""
    from hashlib import md5

    digest = md5(content, usedforsecurity=False).digest()
    data = struct.pack("<HHI16sQQ", 5, 0, 0, digest, len(content), len(content)) + content
    return blocks.add("AT", (0, blocks.text(name), blocks.text("application/x-dbc"), 0), data)
