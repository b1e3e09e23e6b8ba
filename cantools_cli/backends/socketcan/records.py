"""The records and options of SocketCAN sockets.

::

    classic frame, 16 bytes   0 identifier word, 4 | 4 length | 5 - 6 - | 7 raw DLC, 9 to 15 | 8 data, 8
    CAN FD frame, 72 bytes    0 identifier word, 4 | 4 length | 5 flags: 1 BRS, 2 ESI, 4 FD | 6 - | 8 data, 64
    CAN XL frame, 12 + n      0 priority, VCID, 4 | 4 flags, 80 always | 5 SDT | 6 n, 2 | 8 AF, 4 | 12 data
    filter, 8 bytes           0 identifier word, 4; 20000000 inverts | 4 mask, 4

All numbers are in the byte order of the host. Byte 5 of a classic frame is padding.

Sources: Linux ``linux/can.h``, ``linux/can/raw.h``, ``asm-generic/socket.h``; recvmsg(2).
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable
from typing import NamedTuple

from cantools_cli.errors import FormatError
from cantools_cli.filtering.filters import FrameFilter, IdTest
from cantools_cli.frame import bits, xl
from cantools_cli.frame.bits import FD_LENGTHS, len2dlc
from cantools_cli.frame.message import Message

CLASSIC_SIZE, FD_SIZE = 16, 72
XL_SIZE = xl.HEAD_SIZE + xl.MAX_DATA  #: maximum
#: maximum size of the control messages of a record
EXTRA_SIZE = 256

SOL_CAN_RAW = 101
RAW_FILTER, RAW_ERR_FILTER, RAW_LOOPBACK, RAW_RECV_OWN_MSGS, RAW_FD_FRAMES, RAW_JOIN_FILTERS = range(1, 7)
RAW_XL_FRAMES = 7  #: implies CAN FD
#: VCIDs of CAN XL frames, since Linux 6.9: flags, the VCIDs to send and to receive, and the mask of the
#: latter. By default the kernel clears the VCID of a sent frame, and does not deliver frames with a VCID.
RAW_XL_VCID_OPTS = 8
_VCID_TX_PASS, _VCID_RX_FILTER = 0x02, 0x04
EVERY_VCID = bytes((_VCID_TX_PASS | _VCID_RX_FILTER, 0, 0, 0))
SOL_SOCKET = 1
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
SO_TIMESTAMPING = 37
SO_RXQ_OVFL = 40
#: nine uint32 about the memory of a socket; the last one counts dropped records (linux/sock_diag.h)
SO_MEMINFO, MEMINFO_SIZE = 55, 36
#: the same on systems with 32-bit seconds and a kernel with 64-bit seconds
_TIMESTAMPNS_NEW, _TIMESTAMPING_NEW = 64, 65
#: request the timestamps of the adapter, and those of the system if it has none
TIMESTAMPING_FLAGS = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6

MSG_DONTROUTE = 0x4  #: flag of a received record: the frame was sent on this host
MSG_TRUNC = 0x20

FILTER_LIMIT = 512  #: maximum number of filters of a socket
EVERYTHING = (0, 0)
_INVERTED = 0x20000000
_NOTHING = (_INVERTED, 0)
_VCID_BITS = 0x00FF0000
_BEYOND_BASE = bits.CAN_EFF_MASK & ~bits.CAN_SFF_MASK  # the kernel ignores these bits of 11-bit identifiers

_CLASSIC = struct.Struct("=IBxxB8s")
_FD = struct.Struct("=IBBxx64s")
_FILTER = struct.Struct("=II")
_NUMBER = struct.Struct("=I")
_BRS, _ESI, _FDF = 0x01, 0x02, 0x04


def decode(record: bytes) -> Message:
    """Return the frame of a record, without timestamp, channel and direction.

    Raises:
        FormatError: the record has an invalid size, or more data than its kind of frame can have.
    """
    if len(record) > 4 and record[4] & xl.IS_XL:
        return xl.unpack(record, sys.byteorder)
    if len(record) == CLASSIC_SIZE:
        word, length, raw_code, data = _CLASSIC.unpack(record)
        flags = 0
    elif len(record) == FD_SIZE:
        word, length, flags, data = _FD.unpack(record)
        flags |= _FDF
        raw_code = 0
    else:
        raise FormatError(f"a record of {len(record)} bytes, not {CLASSIC_SIZE} or {FD_SIZE}")
    if length > len(data):
        raise FormatError(f"{length} data bytes in a record of {len(record)}")
    is_error = bool(word & bits.CAN_ERR_FLAG)
    is_remote = bool(word & bits.CAN_RTR_FLAG) and not is_error
    if is_remote and flags:
        raise FormatError("a remote frame with the CAN FD flag")
    is_extended = bool(word & bits.CAN_EFF_FLAG) and not is_error
    size = (
        FD_LENGTHS[len2dlc(length)] if flags else length
    )  # data of a length that controllers do not send is padded
    message = Message(
        arbitration_id=word & (bits.CAN_EFF_MASK if is_extended or is_error else bits.CAN_SFF_MASK),
        is_extended_id=is_extended,
        is_remote_frame=is_remote,
        is_error_frame=is_error,
        dlc=size,
        data=data[:length].ljust(size, b"\0"),
        is_fd=bool(flags),
        bitrate_switch=bool(flags & _BRS),
        error_state_indicator=bool(flags & _ESI),
    )
    if length == 8 and 8 < raw_code < 16 and not is_error:
        message.dlc_code = raw_code
    return message


def encode(message: Message) -> bytes:
    """Return the record of ``message``."""
    if isinstance(message, xl.XlMessage):
        return xl.pack(message, sys.byteorder)
    word = message.arbitration_id
    if message.is_error_frame:
        word |= bits.CAN_ERR_FLAG
    elif message.is_extended_id:
        word |= bits.CAN_EFF_FLAG
    if message.is_remote_frame:
        word |= bits.CAN_RTR_FLAG
    if message.is_fd:
        flags = _FDF | (_BRS if message.bitrate_switch else 0)
        flags |= _ESI if message.error_state_indicator else 0
        return _FD.pack(word, message.dlc, flags, bytes(message.data))
    raw_code = message.dlc_code if message.dlc_code > 8 else 0
    return _CLASSIC.pack(word, message.dlc, raw_code, bytes(message.data))


class Extra(NamedTuple):
    """The control messages of a record: the timestamp, or None, and the count of dropped records."""

    timestamp_ns: int | None = None
    dropped: int | None = None


def read_extra(items: Iterable[tuple[int, int, bytes]]) -> Extra:
    """Read the control messages of a record, (level, type, data) each; unknown ones are ignored.

    The timestamp of the adapter has priority over that of the system.
    """
    software = hardware = dropped = None
    for level, kind, data in items:
        if level != SOL_SOCKET:
            continue
        if kind in (SO_TIMESTAMPNS, _TIMESTAMPNS_NEW):
            software = _time(data, 0, kind == _TIMESTAMPNS_NEW) or software
        elif kind in (SO_TIMESTAMPING, _TIMESTAMPING_NEW):  # three timestamps: system, unused, adapter
            is_new = kind == _TIMESTAMPING_NEW
            software = _time(data, 0, is_new) or software
            hardware = _time(data, 2, is_new) or hardware
        elif kind == SO_RXQ_OVFL and len(data) >= 4:
            dropped = _NUMBER.unpack_from(data)[0]
    return Extra(hardware or software, dropped)


def _time(data: bytes, place: int, is_new: bool) -> int | None:
    """Return the time at ``place`` in nanoseconds, None if it is absent or out of range."""
    pair = struct.Struct("=qq" if is_new else "@ll")
    if len(data) < (place + 1) * pair.size:
        return None
    seconds, nanoseconds = pair.unpack_from(data, place * pair.size)
    time = int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time if 0 < time < 1 << 63 else None


# --- filters ------------------------------------------------------------------------------------------


class KernelFilter(NamedTuple):
    """Filters in the form of the kernel, which pass at least the frames that the original filter passes.

    Attributes:
        entries: (identifier word, mask) each; one of them has to match a data frame, or all with ``join``.
        error_mask: the classes of error frames that pass.
    """

    entries: tuple[tuple[int, int], ...]
    join: bool = False
    error_mask: int = bits.CAN_EFF_MASK

    def packed(self) -> bytes:
        return b"".join(_FILTER.pack(*entry) for entry in self.entries)


def kernel_filter(chosen: FrameFilter | None) -> KernelFilter:
    """Return the part of ``chosen`` that the kernel can apply; None passes all frames.

    The kernel has one list of entries, any or all of which have to match a frame. If all have to, this
    applies to error frames as well, which match none; so entries are joined only if no error frames are
    wanted.
    """
    if chosen is None:
        return KernelFilter((EVERYTHING,))
    error_mask = chosen.error_mask & bits.CAN_EFF_MASK
    clauses = _clauses(chosen)
    joined = [clause[0] for clause in clauses if len(clause) == 1]
    if 1 < len(joined) <= FILTER_LIMIT and not error_mask:
        return KernelFilter(tuple(joined), True, error_mask)
    entries = min(clauses, key=len, default=[EVERYTHING])
    if len(entries) > FILTER_LIMIT:
        entries = [EVERYTHING]
    return KernelFilter(tuple(entries), False, error_mask)


def filter_of_xl(chosen: KernelFilter) -> KernelFilter:
    """Return ``chosen`` for a socket that receives CAN XL frames, ignoring their VCIDs.

    The kernel compares the whole first word of a record, in which the VCID of a CAN XL frame occupies
    identifier bits 16 to 23. The result passes more 29-bit identifiers than ``chosen``.
    """
    return chosen._replace(entries=tuple(_without_vcid(word, mask) for word, mask in chosen.entries))


def _without_vcid(word: int, mask: int) -> tuple[int, int]:
    has_none = not word & mask & _VCID_BITS  # else no CAN XL frame has this identifier
    if word & _INVERTED:
        return (word, mask) if has_none else EVERYTHING
    return (word, mask & ~_VCID_BITS) if has_none else (word, mask)


def _clauses(chosen: FrameFilter) -> list[list[tuple[int, int]]]:
    """Return lists of entries; a frame that ``chosen`` passes matches at least one entry of each list."""
    clauses: list[list[tuple[int, int]]] = []
    if chosen.join or len(chosen.tests) == 1:
        for test in chosen.tests:
            blocks = _blocks(test)
            if test.inverted:
                clauses += [[(word | _INVERTED, mask)] for word, mask in blocks]
            else:
                clauses.append(blocks or [_NOTHING])
        return clauses
    union: list[tuple[int, int]] = []
    for test in chosen.tests:
        blocks = _blocks(test)
        if not test.inverted:
            union += blocks
        elif len(blocks) == 1:
            union.append((blocks[0][0] | _INVERTED, blocks[0][1]))
        else:  # not one entry: its complement is empty, or needs several joined entries
            return []
    return [union or [_NOTHING]] if chosen.tests else []


def _blocks(test: IdTest) -> list[tuple[int, int]]:
    """Return entries that together match exactly the identifiers between the bounds of ``test``."""
    mask = test.mask & ~bits.CAN_ERR_FLAG
    low, high = test.low, test.high
    blocks: list[tuple[int, int]] = []
    while low <= high:
        # the largest block of a power of two that starts at low
        size = low & -low or 1 << 32
        while low + size - 1 > high:
            size >>= 1
        too_wide = mask & bits.CAN_EFF_FLAG and not low & bits.CAN_EFF_FLAG and low & _BEYOND_BASE
        if not low & ~mask and not too_wide:  # else the range contains no frame
            blocks.append((low, mask & ~(size - 1)))
        low += size
    return blocks
