"""Events of a CAN XL channel in an ASC file, which carries classic and CAN FD frames as well.

::

    CANXL   1 Rx   XLFF   984438   4656       123  Name  01 1 6 7 1 1f96 45 12345678 11 22 33 44 55 66 77 …
    CANXL   1 Rx   CEFF   140000    130   1ABCDEF0  Name  2 2 AA BB 1234 00000000 …

Behind direction and kind of frame stand its duration, its bits and its identifier, perhaps a name, then

    XLFF         SDU type, SEC, DLC, length, stuff bits, CRC, VCID, acceptance field, data, CRC, flags
    FBFF, FEFF   DLC, length, data, stuff bits, CRC, flags
    CBFF, CEFF   DLC, length, data, CRC, flags

and more that is not looked at. The flags are those of ``CANFD`` lines, 400000 CAN XL, 800000 RRS and 1000000
SEC. The DLC, one less than the length, is written in hexadecimal as in ``CANFD`` lines, and read in either
base. Duration, bits, stuff bits and CRCs are not known here, and written as 0.

Source: files of Vector's tools, and of asc2log and log2asc of can-utils 2025.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import MAX_DATA, XlMessage

Words = list[bytes]

_HEX = re.compile(rb"[0-9A-Fa-f]{1,8}$")
_BYTE = re.compile(rb"[0-9A-Fa-f]{2}$")
_IDENTIFIER = re.compile(rb"([0-9A-Fa-f]{1,8})[xX]?$")
_LENGTH = re.compile(rb"(?:0|[1-9]\d{0,3})$")
_REMOTE, _FD, _BRS, _ESI, _XL, _RRS, _SEC = 0x10, 0x1000, 0x2000, 0x4000, 0x400000, 0x800000, 0x1000000
_TAIL = " 00000000" + " 0000000000000000" * 6  # further flags, bit timings


class _Kind(NamedTuple):
    """Layout of a kind: the index of the length after the identifier, and the fields around the data."""

    length: int
    before_data: int
    before_flags: int
    is_extended: bool = False
    is_fd: bool = False


_KINDS = {
    b"XLFF": _Kind(3, 4, 1),
    b"FBFF": _Kind(1, 0, 2, is_fd=True),
    b"FEFF": _Kind(1, 0, 2, is_fd=True, is_extended=True),
    b"CBFF": _Kind(1, 0, 1),
    b"CEFF": _Kind(1, 0, 1, is_extended=True),
}


def is_frame(words: Words) -> bool:
    """Return whether the event ``CANXL channel direction kind ...`` is a frame."""
    return len(words) > 3 and words[3].upper() in _KINDS


def read(words: Words) -> Message:
    """Return the frame of the event, without time, channel and direction."""
    name = words[3].upper()
    kind = _KINDS[name]
    if len(words) < 7 or _IDENTIFIER.match(words[6]) is None:
        raise FormatError("no identifier")
    identifier = int(words[6].rstrip(b"xX"), 16)
    if identifier > (bits.CAN_EFF_MASK if kind.is_extended else bits.CAN_SFF_MASK):
        raise FormatError(f"identifier {quoted(words[6])} is out of range")
    fields = next((rest for rest in (words[7:], words[8:]) if _fits(rest, kind)), None)
    if fields is None:
        raise FormatError(f"not the fields of {name.decode()}")
    size = int(fields[kind.length])
    begin = kind.length + 1 + kind.before_data
    data = bytes.fromhex(b"".join(fields[begin : begin + size]).decode("ascii"))
    behind = fields[begin + size + kind.before_flags :]
    flags = int(behind[0], 16) if behind and _HEX.match(behind[0]) else 0
    if name == b"XLFF":
        return _xl(identifier, fields, data, flags)
    return _other(identifier, kind, int(fields[0], 16), data, flags)


def event_of(message: XlMessage, channel: int) -> str:
    """Return the event of ``message`` without its time; ``channel`` counts from 1."""
    flags = _XL | _FD | _BRS | (_RRS if message.rrs else 0) | (_SEC if message.sec else 0)
    size = len(message.data)
    head = f"CANXL {channel:3d} {'Rx' if message.is_rx else 'Tx'}   XLFF {0:8d} {0:6d}"
    fields = f"{message.sdt:02x} {message.sec:d} {size - 1:x} {size} 0 0 {message.vcid:02x}"
    data = message.data.hex(" ").upper()
    return (
        f"{head} {message.arbitration_id:9X}{'':34}{fields} {message.acceptance_field:08x} "
        f"{data} 0 {flags:08x}{_TAIL}"
    )


def _xl(priority: int, fields: Words, data: bytes, flags: int) -> XlMessage:
    return XlMessage(
        arbitration_id=priority,
        data=data,
        sdt=int(fields[0], 16),
        sec=fields[1] == b"1" or bool(flags & _SEC),
        rrs=bool(flags & _RRS),
        vcid=int(fields[6], 16),
        acceptance_field=int(fields[7], 16),
    )


def _other(identifier: int, kind: _Kind, code: int, data: bytes, flags: int) -> Message:
    is_remote = bool(flags & _REMOTE) and not kind.is_fd
    message = Message(
        arbitration_id=identifier,
        is_extended_id=kind.is_extended,
        is_remote_frame=is_remote,
        dlc=min(code, 8) if is_remote else len(data),
        data=data,
        is_fd=kind.is_fd,
        bitrate_switch=kind.is_fd and bool(flags & _BRS),
        error_state_indicator=kind.is_fd and bool(flags & _ESI),
    )
    expected = bits.FD_LENGTHS[code] if kind.is_fd else min(code, 8)
    if len(data) != (0 if is_remote else expected):
        raise FormatError(f"{len(data)} data bytes, but the DLC is {code:X}")
    if not kind.is_fd:
        message.dlc_code = code
    return message


def _fits(fields: Words, kind: _Kind) -> bool:
    """Return whether ``fields`` begin with those of the kind, with as many bytes of data as they announce."""
    if len(fields) <= kind.length or not _LENGTH.match(fields[kind.length]):
        return False
    size = int(fields[kind.length])
    begin = kind.length + 1 + kind.before_data
    head, data = fields[:begin], fields[begin : begin + size]
    if len(head) < begin or len(data) < size or not all(map(_BYTE.match, data)):
        return False
    if kind.length == 1:
        return len(fields[0]) == 1 and _HEX.match(fields[0]) is not None and size <= 64
    is_dlc = _HEX.match(fields[2]) is not None and size - 1 in _numbers(
        fields[2]
    )  # in which base is not known
    widths = ((0, 2), (6, 2), (7, 8))
    if not all(_HEX.match(fields[at]) and len(fields[at]) <= width for at, width in widths):
        return False
    return 1 <= size <= MAX_DATA and is_dlc and fields[1] in (b"0", b"1")


def _numbers(text: bytes) -> tuple[int, ...]:
    return (int(text, 16), int(text)) if text.isdigit() else (int(text, 16),)
