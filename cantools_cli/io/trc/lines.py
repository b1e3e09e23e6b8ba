"""One line of a PEAK TRC file: all forms, in plain Python.

::

         1)      1841      0001  8  00 00 00 00 00 00 00 00      1.0: number, milliseconds, ID, length, data
         2)      1842      0008  4  ERROR 00 19 08 08            an error, its kind instead of the ID
         3)      1843  FFFFFFFF  4  00 00 00 04 -- -- -- --  BUSLIGHT
         4)      1844      0100  3  RTR
         1)      1059.9  Rx         0300  7  00 00 00 00 04 00 00        1.1: with a type
         6)      1349.2  Error      0008  4  00 19 08 08
         1)      1059.900 1  Rx        0300 -  7    00 00 00 00 04 00 00 1.3: and a bus
          6      1334.522 ER          Rx    04 00 02 00 00       2.0: ID and length blank
          6      1334.522 ER 1         - Rx -  5    04 00 02 00 00       2.1

Versions 2.x define the order of their columns in the header. An identifier of more than four digits has 29
bits, whatever its value.

Source: PEAK-System, "PEAK CAN TRC File Format"; position of an error: NXP SJA1000, "Error code capture".
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NoReturn

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.message import Message

_NUMBER = re.compile(rb"\d+\)?$")
_OFFSET = re.compile(rb"(-?)(\d{1,16})(?:[.,](\d+))?$")
_ID = re.compile(rb"[0-9A-Fa-f]{1,8}$")
_BUS = re.compile(rb"\d{1,5}$")
_LENGTH = re.compile(rb"\d{1,2}$")
_BYTE = re.compile(rb"[0-9A-Fa-f]{2}$")
_KIND = re.compile(rb"[A-Za-z]{2,8}$")
_DIRECTIONS = (b"RX", b"TX")
#: type letters -> flags of a data frame
_DATA_TYPES = {
    b"DT": 0,
    b"FD": bits.FD,
    b"FB": bits.FD | bits.BRS,
    b"FE": bits.FD | bits.ESI,
    b"BI": bits.FD | bits.BRS | bits.ESI,
}
#: types of versions 1.x -> types of 2.x
_OLD_TYPES = {b"RX": b"DT", b"TX": b"DT", b"WARNG": b"ST", b"ERROR": b"ER"}
#: types without an identifier, whose columns may be blank
_EVENTS = (b"ER", b"ST", b"EC")
_STATUS_ID = b"FFFFFFFF"

#: kind of an error -> bits 7-6 of an SJA1000 error code capture
_ECC_OF_TYPE = {1: 0, 2: 1, 4: 2, 8: 3}
_TYPE_OF_KIND = {0: 8, error_frames.KIND_BIT: 1, error_frames.KIND_FORM: 2, error_frames.KIND_STUFF: 4}
_BIT_KINDS = error_frames.KIND_BIT | error_frames.KIND_DOMINANT | error_frames.KIND_RECESSIVE
_KNOWN_CLASSES = error_frames.PROTOCOL | error_frames.NO_ACK | error_frames.BUS_ERROR
#: bits of a status, the most severe first, and SocketCAN's class and data[1] for it
_STATUS = (
    (0x10, error_frames.BUS_OFF, 0),
    (0x08, error_frames.CONTROLLER, 0x30),
    (0x04, error_frames.CONTROLLER, 0x0C),
)


class LineReader:
    """Turns lines into messages; ``offset_ns`` is the time since the start.

    ``columns`` are their letters, ``t`` for the type as versions 1.x write it. With ``status`` changes of
    the bus's status and error counters are error frames.
    """

    def __init__(self, columns: str, left_out: Counter[str], *, status: bool = False) -> None:
        self.columns = columns
        self.offset_ns = 0
        self.left_out = left_out  #: lines other than frames, by kind
        self._status = status
        self._line = b""

    def read(self, line: bytes) -> Message | None:
        """Return the frame of ``line``; None if it has none."""
        self._line = line
        fields, rest = self._split(line.split())
        self.offset_ns = self._offset(fields.get("O", b""))
        kind = self._type(fields, rest)
        if kind in _DATA_TYPES or kind == b"RR":
            message = self._frame(fields, rest, kind)
        elif kind == b"ER":
            message = self._error(fields, rest)
        elif kind in (b"ST", b"EC"):
            if not self._status:
                self.left_out["bus status changes" if kind == b"ST" else "error counters"] += 1
                return None
            message = self._event(kind, self._bytes(rest))
        else:
            self.left_out["user events" if kind == b"EV" else "lines of unknown types"] += 1
            return None
        message.channel = self._channel(fields)
        message.is_rx = fields.get("d", fields.get("t", b"")).upper() != b"TX"
        return message

    def _split(self, words: list[bytes]) -> tuple[dict[str, bytes], list[bytes]]:
        """Return the word of each column, and those of the data."""
        fields: dict[str, bytes] = {}
        is_blank = False
        at = 0
        for letter in self.columns:
            if letter == "D":
                break
            word = words[at] if at < len(words) else b""
            kind = fields.get("T", b"").upper()
            if letter == "I" and kind in _EVENTS and word.upper() in _DIRECTIONS:
                is_blank = True
            if letter in "IlL" and is_blank:
                continue
            fields[letter] = word
            at += 1
            if kind == b"EV" or (letter == "T" and word.upper() == b"EV"):
                break
        return fields, words[at:]

    def _offset(self, word: bytes) -> int:
        match = _OFFSET.match(word)
        number = _NUMBER.match(self._line.split(None, 1)[0]) if self.columns[0] == "N" else match
        if match is None or number is None:
            raise FormatError(f"not a TRC line: {quoted(self._line)}")
        digits = (match[3] or b"")[:7].ljust(7, b"0")
        offset = int(match[2]) * 1_000_000 + (int(digits) + 5) // 10
        return -offset if match[1] else offset

    def _type(self, fields: dict[str, bytes], rest: list[bytes]) -> bytes:
        """Return the type in the two letters of versions 2.x."""
        if "T" in self.columns:
            kind = fields.get("T", b"").upper()
        elif "t" in self.columns:
            kind = _OLD_TYPES.get(fields.get("t", b"").upper(), fields.get("t", b""))
        elif fields.get("I", b"").upper() == _STATUS_ID:
            kind = b"ST"
        elif rest and rest[0].upper() == b"ERROR":
            del rest[0]
            kind = b"ER"
        else:
            kind = b"DT"
        if not _KIND.match(kind):
            self._refuse(f"bad type {quoted(kind)}")
        return kind

    def _channel(self, fields: dict[str, bytes]) -> str:
        word = fields.get("B", b"-")
        if word == b"-":
            return "can0"
        if not _BUS.match(word):
            self._refuse(f"bad bus {quoted(word)}")
        try:
            return bus_name(word)
        except FormatError as error:
            self._refuse(error.reason)

    def _frame(self, fields: dict[str, bytes], rest: list[bytes], kind: bytes) -> Message:
        word = fields["I"]
        if not _ID.match(word):
            self._refuse(f"bad identifier {quoted(word)}")
        identifier, extended = int(word, 16), len(word) > 4
        if identifier > (bits.CAN_EFF_MASK if extended else bits.CAN_SFF_MASK):
            hint = None if extended else "one of 29 bits has 8 digits"
            self._refuse(f"identifier {quoted(word)} is out of range", hint=hint)
        for letter in "dt":
            if letter in self.columns and fields[letter].upper() not in _DIRECTIONS:
                self._refuse(f"bad direction {quoted(fields[letter])}")
        message = Message(arbitration_id=identifier, is_extended_id=extended)
        flags = _DATA_TYPES.get(kind, 0)
        message.is_fd = bool(flags & bits.FD)
        message.bitrate_switch = bool(flags & bits.BRS)
        message.error_state_indicator = bool(flags & bits.ESI)
        is_remote = kind == b"RR"
        if rest and rest[0].upper() == b"RTR" and not message.is_fd:
            is_remote = True
            rest = rest[1:]
        code, size = self._length(fields, message.is_fd, len(rest))
        data = self._bytes(rest)
        if len(data) != (0 if is_remote else size):
            wanted = "a remote frame" if is_remote else f"the length is {size}"
            self._refuse(f"{wanted}, but there are {len(data)} data bytes")
        message.is_remote_frame = is_remote
        message.data = data
        message.dlc = size
        if not message.is_fd:
            message.dlc_code = code
        return message

    def _length(self, fields: dict[str, bytes], is_fd: bool, there: int) -> tuple[int, int]:
        """Return the code of the length, and the length."""
        letter = next((letter for letter in reversed(self.columns) if letter in "lL"), None)
        word = b"%d" % there if letter is None else fields[letter]
        limit = 15 if letter == "L" else 64 if is_fd else 8
        if not _LENGTH.match(word) or int(word) > limit:
            self._refuse(f"bad length {quoted(word)}")
        number = int(word)
        if letter == "L":
            return number, bits.FD_LENGTHS[number] if is_fd else min(number, 8)
        if is_fd and number not in bits.FD_LENGTHS:
            self._refuse(f"{number} is not a CAN FD length")
        return number, number

    def _bytes(self, words: list[bytes]) -> bytearray:
        """Return data; ``--`` stands for missing bytes, and in a status words may follow."""
        data = bytearray()
        for at, word in enumerate(words):
            if word == b"--":
                if all(other == b"--" for other in words[at:]) or self._is_status():
                    break
                self._refuse("a data byte follows missing ones")
            if not _BYTE.match(word):
                if self._is_status() and len(data) >= 4:
                    break
                self._refuse(f"bad data byte {quoted(word)}")
            data.append(int(word, 16))
        return data

    def _is_status(self) -> bool:
        return b"Warng" in self._line or b" ST " in self._line or _STATUS_ID in self._line.upper()

    def _error(self, fields: dict[str, bytes], rest: list[bytes]) -> Message:
        """Read an error: its type, whether sending or receiving, the position, two counters."""
        data = bytes(self._bytes(rest))
        length = fields.get("l", fields.get("L", b"5"))
        if not _LENGTH.match(length) or int(length) != len(data):
            self._refuse(f"the length is {quoted(length)}, but there are {len(data)} data bytes")
        if "T" not in self.columns:  # the type replaces the identifier
            word = fields["I"]
            if not _ID.match(word):
                self._refuse(f"bad error type {quoted(word)}")
            data = bytes((int(word, 16) & 0xFF,)) + data
        if len(data) < 3:
            self._refuse(f"an error frame has at least 3 data bytes, but there are {len(data)}")
        return error_frames.message(*from_error_bytes(data))

    def _event(self, kind: bytes, data: bytes | bytearray) -> Message:
        """Read a change of the status, or of the counters of errors."""
        if kind == b"EC":
            receive, transmit = bytes(data[:2]).ljust(2, b"\0")
            return error_frames.message(error_frames.COUNTERS, bytes((0, 0, 0, 0, 0, 0, transmit, receive)))
        status = int.from_bytes(data[:4], "big")
        for bit, error_class, detail in _STATUS:
            if status & bit:
                return error_frames.message(error_class, bytes((0, detail, 0, 0, 0, 0, 0, 0)))
        return error_frames.message(
            error_frames.CONTROLLER, bytes((0, 0 if status else 0x40, 0, 0, 0, 0, 0, 0))
        )

    def _refuse(self, reason: str, *, hint: str | None = None) -> NoReturn:
        raise FormatError(f"{reason}, in {quoted(self._line)}", hint=hint)


def bus_name(number: bytes) -> str:
    """Return the name of a bus; numbers count from 1, names from 0."""
    if int(number) == 0:
        raise FormatError(f"bad bus {quoted(number)}")
    return f"can{int(number) - 1}"


def from_error_bytes(data: bytes) -> tuple[int, bytes]:
    """Return (class bits, 8 data bytes) of the error in the three to five bytes of a line."""
    kind, direction, place, receive, transmit = data[:5].ljust(5, b"\0")
    ecc = _ECC_OF_TYPE.get(kind, 3) << 6 | (direction & 1) << 5 | place & 0x1F
    error_class, detail = error_frames.from_ecc(ecc)
    return error_class, detail[:6] + bytes((transmit, receive))


def to_error_bytes(error_class: int, data: bytes | bytearray) -> bytes | None:
    """Return an error frame as the five bytes of a line; None if the format has no such error.

    They are its type, 0 for sending or 1 for receiving, the position, and the counters of receive and
    transmit errors. Other details are lost: ``from_error_bytes`` returns the ones that are kept.
    """
    detail = bytes(data).ljust(8, b"\0")
    if error_class & _KNOWN_CLASSES == 0 and error_class:
        return None
    is_protocol = bool(error_class & error_frames.PROTOCOL)
    kind = detail[2] & ~error_frames.ON_TX if is_protocol else 0
    place = detail[3] & 0x1F if is_protocol else 0
    sending = is_protocol and bool(detail[2] & error_frames.ON_TX)
    if kind & _BIT_KINDS and not kind & ~_BIT_KINDS:
        kind = error_frames.KIND_BIT
    if kind not in _TYPE_OF_KIND:
        return None
    if error_class & error_frames.NO_ACK and not kind and place in (0, error_frames.PLACE_ACK):
        place, sending = error_frames.PLACE_ACK, True
    return bytes((_TYPE_OF_KIND[kind], int(not sending), place, detail[7], detail[6]))
