"""The BLF objects that become frames, one at a time; ``kernels/blf.py`` reads the common ones.

After the base header of 16 bytes (see ``containers``)::

    16  u32 flags: 1 times in 10 µs, 2 in ns; 20 two unused fields; 24 i64 time since the start
    ... the body, at headerSize: u16 channel from 1, then by type
        1, 86     u8 flags (1 Tx, 0x80 remote), u8 dlc, u32 id (bit 31: 29 bits), 8 data
        2, 3      error and overload frame without a cause
        73        u16, u32 valid, u8 ecc, u8, u8 dlc, u8, u32, u32 id, u16 code, u16, 8 data
        100       u8 flags, u8 dlc, u32 id, u32, u8, u8 (1 FD, 2 BRS, 4 ESI), u8 bytes, 5 bytes, 64 data
        101       u8 channel, u8 dlc, u8 bytes, u8, u32 id, u32, u32 flags (0x10 remote, 0x1000 FD,
                  0x2000 BRS, 0x4000 ESI), 18 bytes, u8 direction, u8 offset of the extension, u32, data
        104       u8 channel, u8, u8, u8 ecc, u16 valid, u16 code
        139       u8 channel, u8, u8 direction, 9 bytes, u32 id, u8 SDT, u8, u16 dlc, u16 bytes, 4 bytes,
                  u8 VCID, u8, u32 acceptance field, 16 bytes, u32 flags (as 101, and 0x400000 CAN XL,
                  0x800000 RRS, 0x1000000 SEC), 52 bytes, data; CAN XL's dlc is one less than its bytes

A CAN_ERROR_EXT (73) without ECC and code holds the class of an error frame in its id and the details as data,
as python-can and canx write it. All others have a cause in Vector's numbers.

Source: files of CANoe, CANalyzer, CANape and Vector's converter, and the readers of python-can and Wireshark;
type 139 only from the reader of Wireshark.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable

from cantools_cli.errors import FormatError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import MAX_DATA, XlMessage
from cantools_cli.io.blf.containers import SIGNATURE, ObjectHeader

CAN_MESSAGE, CAN_ERROR, CAN_OVERLOAD, CAN_ERROR_EXT, CAN_MESSAGE2 = 1, 2, 3, 73, 86
CAN_FD_MESSAGE, CAN_FD_MESSAGE_64, CAN_FD_ERROR_64 = 100, 101, 104
XL_FRAME, XL_ERROR = 139, 140
GLOBAL_MARKER = 96
#: objects that report lost frames or errors of the driver
REMARKS = {
    31: "the driver reported errors when this was recorded",
    74: "the driver reported errors when this was recorded",
    91: "frames were lost during recording",
    125: "frames were lost during recording",
    126: "frames were lost during recording",
}
MAX_OBJECT = 1 << 16  #: bytes of the largest object that is decoded

FULL_HEADER = 32
_EXTENDED = 0x80000000
_EXTENSION = struct.Struct("<LLq")
_LIMIT_NS = 1 << 63
_OVERLOAD = error_frames.from_code(error_frames.CODE_OVERLOAD, 0, False)
_SENT, _REQUEST = 1, 2
_XL_FLAG, _RRS_FLAG, _SEC_FLAG = 0x400000, 0x800000, 0x1000000
_FD_FLAGS = 0x3000  # FD and BRS, which Vector sets for CAN XL as well
_XL_OBJECT = struct.Struct("<4s2H2L LLq BxBxLHxxL BxHHHHBxL BxHLLLL 52x")
_MARKER = struct.Struct("<4s2H2L LLQ 3L4x3L12x")


class Objects:
    """Decodes single objects; the channel of a message is the number in the file."""

    def __init__(self, start_ns: int, note: Callable[[str], None]) -> None:
        self._start_ns = start_ns
        self._note = note
        self.left_out: Counter[str] = Counter()  #: the number of objects that are not frames, by kind
        self._readers: dict[int, tuple[int, Callable[[bytes, Message], Message | None]]] = {
            CAN_MESSAGE: (16, self._classic),
            CAN_MESSAGE2: (16, self._classic),
            CAN_ERROR: (2, lambda _, message: _set_error(message, error_frames.BUS_ERROR, bytes(8))),
            CAN_OVERLOAD: (2, lambda _, message: _set_error(message, *_OVERLOAD)),
            CAN_ERROR_EXT: (32, self._error_ext),
            CAN_FD_MESSAGE: (84, self._fd),
            CAN_FD_MESSAGE_64: (40, self._fd_64),
            CAN_FD_ERROR_64: (8, self._fd_error_64),
            XL_FRAME: (104, self._xl_frame),
            XL_ERROR: (1, self._xl_error),
        }

    def knows(self, kind: int) -> bool:
        """Return whether objects of ``kind`` are decoded."""
        return kind in self._readers or kind in REMARKS

    def read(self, data: bytes, header: ObjectHeader) -> Message | None:
        """Return the frame of the object ``data``, None if it is not a frame."""
        remark = REMARKS.get(header.kind)
        if remark is not None:
            self._note(remark)
            return None
        if header.kind not in self._readers:
            return None
        if not 1 <= header.version <= 3:
            self._note(f"objects with the unknown header version {header.version} left out")
            return None
        size, reader = self._readers[header.kind]
        if header.header_size < FULL_HEADER or header.size < header.header_size + size:
            raise FormatError(f"an object of type {header.kind} has only {header.size} bytes")
        message = Message(is_extended_id=False)
        message.timestamp_ns = self._time(data)
        body = data[header.header_size :]
        message.channel = body[0] | body[1] << 8
        if header.kind == CAN_FD_MESSAGE_64:
            body = _without_extension(data, header.header_size)
        return reader(body, message)

    def _time(self, data: bytes) -> int:
        unit, _, offset = _EXTENSION.unpack_from(data, 16)
        if unit not in (1, 2):
            self._note(f"times with the unknown unit {unit} taken as nanoseconds")
        time = self._start_ns + (offset * 10_000 if unit == 1 else offset)
        if not -_LIMIT_NS <= time < _LIMIT_NS:
            raise FormatError(f"the time {offset} is out of range")
        return int(time)

    def _classic(self, body: bytes, message: Message) -> Message:
        flags, code, word = struct.unpack_from("<BBL", body, 2)
        message.is_rx = not flags & _SENT
        _identify(message, word)
        _fill(message, code, 0, body[8:16], is_remote=bool(flags & 0x80), is_fd=False)
        return message

    def _fd(self, body: bytes, message: Message) -> Message:
        flags, code, word = struct.unpack_from("<BBL", body, 2)
        message.is_rx = not flags & _SENT
        _identify(message, word)
        self._fd_data(message, code, body[14], body[20:84], body[13], bool(flags & 0x80))
        return message

    def _fd_64(self, body: bytes, message: Message) -> Message | None:
        code, size, word = struct.unpack_from("<BBxL", body, 1)
        flags = int.from_bytes(body[12:16], "little")
        message.channel = body[0]
        if not self._has_direction(message, body[34]):
            return None
        _identify(message, word)
        self._fd_data(message, code, size, body[40:], flags >> 12, bool(flags & 0x10))
        return message

    def _fd_data(
        self, message: Message, code: int, size: int, data: bytes, flags: int, is_remote: bool
    ) -> None:
        """Set the fields that all CAN FD objects share; ``flags``: 1 FD, 2 BRS, 4 ESI."""
        is_fd = bool(flags & 1)
        if is_fd and is_remote:
            self._note("remote frames that claim to be CAN FD taken as classic ones")
            is_fd = False
        _fill(message, code, size, data, is_remote=is_remote, is_fd=is_fd)
        if is_fd:
            message.bitrate_switch = bool(flags & 2)
            message.error_state_indicator = bool(flags & 4)

    def _has_direction(self, message: Message, direction: int) -> bool:
        """Set the direction; return False for a transmit request, which was never on the bus."""
        if direction == _REQUEST:
            self.left_out["requests to send"] += 1
            return False
        if direction > _REQUEST:
            self._note(f"frames with the unknown direction {direction} taken as received")
        message.is_rx = direction != _SENT
        return True

    def _error_ext(self, body: bytes, message: Message) -> Message:
        valid, ecc, code, word, cause = struct.unpack_from("<LBxBxxxxxLH", body, 4)
        if valid or ecc or cause:
            return _set_error(message, *_cause(valid, ecc, cause))
        message.is_extended_id = bool(word & _EXTENDED)
        error_class = word & bits.CAN_EFF_MASK
        if not 0 < error_class <= 0x3FF:
            error_class = error_frames.BUS_ERROR
        return _set_error(message, error_class, body[24 : 24 + min(code & 15, 8)])

    def _fd_error_64(self, body: bytes, message: Message) -> Message:
        ecc, valid, cause = struct.unpack_from("<BHH", body, 3)
        message.channel = body[0]
        return _set_error(message, *_cause(valid, ecc, cause))

    def _xl_frame(self, body: bytes, message: Message) -> Message | None:
        word, code, size = struct.unpack_from("<L2xHH", body, 12)
        flags = int.from_bytes(body[48:52], "little")
        message.channel = body[0]
        if size > len(body) - 104:
            self._note("CAN XL channel frames with more data than their object holds left out")
            return None
        if not self._has_direction(message, body[2]):
            return None
        _identify(message, word)
        if flags & _XL_FLAG:
            return _xl(message, body, size, flags)
        self._fd_data(message, code, size, body[104:], flags >> 12, bool(flags & 0x10))
        return message

    def _xl_error(self, body: bytes, message: Message) -> Message | None:
        self.left_out["CAN XL error frames"] += 1
        return None


def _xl(message: Message, body: bytes, size: int, flags: int) -> XlMessage:
    """Return the CAN XL frame with the time, channel, direction and priority of ``message``."""
    if not 1 <= size <= MAX_DATA or message.is_extended_id:
        raise FormatError(f"invalid CAN XL frame: {size} bytes, identifier {message.arbitration_id:#x}")
    result = XlMessage(
        arbitration_id=message.arbitration_id,
        data=body[104 : 104 + size],
        vcid=body[26],
        sdt=body[16],
        sec=bool(flags & _SEC_FLAG),
        rrs=bool(flags & _RRS_FLAG),
        acceptance_field=int.from_bytes(body[28:32], "little"),
        channel=message.channel,
        is_rx=message.is_rx,
    )
    result.timestamp_ns = message.timestamp_ns
    return result


def pack_xl(message: XlMessage, channel: int, offset_ns: int) -> bytes:
    """Return the object of a CAN XL frame; ``channel`` counts from 1. Unknown fields, such as CRCs, are 0."""
    size = len(message.data)
    padding = bytes(-size % 4)  # inside the object, since readers differ on the padding after it
    flags = _XL_FLAG | _FD_FLAGS
    flags |= (_RRS_FLAG if message.rrs else 0) | (_SEC_FLAG if message.sec else 0)
    fields = (message.sdt, size - 1, size, 0, 0, message.vcid, message.acceptance_field)
    head = _XL_OBJECT.pack(
        *(SIGNATURE, FULL_HEADER, 1, _XL_OBJECT.size + size + len(padding), XL_FRAME),
        *(2, 0, offset_ns),
        *(channel, 0 if message.is_rx else _SENT, 0, 0, message.arbitration_id),
        *fields,
        *(0, 0, 0, 0, 0, flags),
    )
    return head + message.data + padding


def pack_marker(text: str, offset_ns: int) -> bytes:
    """Return a GLOBAL_MARKER with its padding; ``text`` is its group, as in python-can."""
    group, name = text.encode("utf-8", "replace"), b"canx"
    size = _MARKER.size + len(group) + len(name)
    white = 0xFFFFFF
    head = _MARKER.pack(
        SIGNATURE, FULL_HEADER, 1, size, GLOBAL_MARKER, 2, 0, offset_ns, 0, 0, white, len(group), len(name), 0
    )
    return head + group + name + bytes(size % 4)


def _identify(message: Message, word: int) -> None:
    message.is_extended_id = bool(word & _EXTENDED)
    message.arbitration_id = word & bits.CAN_EFF_MASK if message.is_extended_id else word
    if not message.is_extended_id and word > bits.CAN_SFF_MASK:
        raise FormatError(f"the identifier {word:#x} has more than 11 bits")


def _fill(message: Message, code: int, size: int, data: bytes, *, is_remote: bool, is_fd: bool) -> None:
    """Set length and data; ``size`` is used for CAN FD only, ``data`` is padded to the length."""
    if code > 15:
        raise FormatError(f"invalid DLC {code}")
    message.is_remote_frame, message.is_fd = is_remote, is_fd
    message.dlc = min(code, 8)
    if is_fd:
        if size not in bits.FD_LENGTHS:
            raise FormatError(f"{size} is not a CAN FD length")
        message.dlc = size
    else:
        message.dlc_code = code
    if not is_remote:
        message.data = bytearray(data[: message.dlc].ljust(message.dlc, b"\0"))


def _without_extension(data: bytes, header_size: int) -> bytes:
    """Return the body of a CAN_FD_MESSAGE_64 without the extension of bit timings, if there is one.

    Its offset counts from the first byte of the object, and is garbage in old files.
    """
    offset = data[header_size + 35]
    if header_size + 40 <= offset <= len(data) - 8:
        return data[header_size:offset]
    return data[header_size:]


def _cause(valid: int, ecc: int, cause: int) -> tuple[int, bytes]:
    """Return (class bits, data) of an error, from the error code of the SJA1000 or Vector's own.

    ``cause``: bits 4-0 segment, 11-6 code, 13-12 state of the node, odd for transmitting. ``valid``: 1 for
        the ECC, 2 for the code; some writers set neither.
    """
    if valid & 2 or (cause and not valid & 1 and not ecc):
        return error_frames.from_code(cause >> 6 & 0x3F, cause & 0x1F, bool(cause >> 12 & 1))
    if valid & 1 or ecc:
        return error_frames.from_ecc(ecc)
    return error_frames.BUS_ERROR, bytes(8)


def _set_error(message: Message, error_class: int, data: bytes) -> Message:
    message.is_error_frame = True
    message.arbitration_id = error_class
    message.data = bytearray(data)
    message.dlc = len(data)
    return message
