"""One event of an ASC file without its time: all forms, in plain Python.

::

    1  64              Tx   d 8 00 01 02 03 04 05 06 07  Length = 240015 BitCount = 124 ID = 100
    1  C8x             Rx   r 4                             remote frame; its length may be missing
    1  ErrorFrame<tab>ECC: 10100010                         SJA1000 error code capture
    CANFD   2 Rx        300  Name   1 0 8  8 01 02 03 04 05 06 07 08   102203  133   303000 …
    CANFD 1  101             Tx   1 0 d 8 8 F1 …            CANoe 8.0: the direction after the identifier
    1  124         Rx   d #  8 00 11 22 33 44 55 66 77      Kvaser: frames before this one were lost
    1       124              --  r  4  Length = 0 …         Kvaser's remote frames among CAN FD
    CANFD   2 Tx   ErrorFrame Not Acknowledge error, dominant error flag fffe c7 31ca Data …

Events of other buses, statistics and the like are neither frames nor errors.

Source: files of Vector's tools, can-utils and python-can.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NoReturn

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.message import Message

Words = list[bytes]

_CHANNEL = re.compile(rb"(?:CAN)?(\d{1,5})$", re.IGNORECASE)
_DIRECTIONS = (b"Rx", b"Tx", b"TxRq")
_HEX_BYTE = re.compile(rb"[0-9A-Fa-f]{2}$")
_DECIMAL_BYTE = re.compile(rb"\d{1,3}$")
_HEX_DIGIT = re.compile(rb"[0-9A-Fa-f]$")
_HEX = re.compile(rb"[0-9A-Fa-f]{1,16}$")
_ID_HEX = re.compile(rb"([0-9A-Fa-f]{1,8})([xX]?)$")
_ID_DECIMAL = re.compile(rb"(\d{1,10})([xX]?)$")
_FLAG = re.compile(rb"[01]$")
_LENGTH = re.compile(rb"[1-9]?\d$")
_TAIL_ID = re.compile(rb"\bID\s*=\s*(\d{1,10})([xX]?)(?!\S)")

#: events other than frames: by their first word, and by the word after a channel number
_OTHER_EVENTS = re.compile(
    rb"(?:Start|Stop|Comment:|log|CAN|ETH|AFDX|Fr|FR|L1|Li|M1|M0|GPS|K|COM|A429|WLAN|O?TP\S*|DiagRequest|"
    rb"::\S*|SV:|\S*Marker)$"
)
_OTHER_ON_CHANNEL = re.compile(rb"(?:Statistic:|Status:\S*|J1939TP|O?TP(?:\(.*)?|DiagRequest)$")
_VARIABLE = re.compile(rb"\S+\s+:?=(?:\s|$)|.*\bGM\w+:")

_FD_BIT = 0x1000
_REMOTE_BIT = 0x10
_XL_BIT = 0x400000
_CAUSES = {
    b"bit": error_frames.CODE_BIT,
    b"form": error_frames.CODE_FORM,
    b"stuff": error_frames.CODE_STUFF,
    b"crc": error_frames.CODE_CRC,
    b"acknowledge": error_frames.CODE_NO_ACK,
    b"ack": error_frames.CODE_NO_ACK,
}


class EventReader:
    """Turns events into messages, without their time."""

    def __init__(self, left_out: Counter[str], *, txrq: bool = False) -> None:
        self.base = 16  #: 16 or 10, of identifiers and data
        self.left_out = left_out  #: events other than frames, by kind
        self.overruns = 0  #: frames whose mark reports that earlier frames were lost
        self._txrq = txrq

    def read(self, event: bytes) -> Message | None:
        """Return the frame of ``event``; None if it is another event. Errors quote the event."""
        try:
            return self._read(event.split(), event)
        except FormatError as error:
            raise FormatError(f"{error.reason}, in {quoted(event)}", hint=error.hint) from None

    def _read(self, words: Words, event: bytes) -> Message | None:
        if len(words) > 4 and words[4] == b"#":
            del words[4]
            self.overruns += 1
        kind = words[0].upper()
        if kind == b"CANFD":
            return self._fd(words, event)
        if kind == b"CANXL":
            return self._xl(words)
        channel = _CHANNEL.match(words[0])
        if channel is None or len(words) < 2:
            self._other(event, _OTHER_EVENTS.match(words[0]))
            return None
        word = words[1].lower()
        if word.startswith(b"errorframe"):
            return _on(channel, _error(event))
        if word.startswith(b"overloadframe"):
            return _on(
                channel, error_frames.message(*error_frames.from_code(error_frames.CODE_OVERLOAD, 0, False))
            )
        has_direction = words[2:3] == [b"--"] or (len(words) > 2 and words[2] in _DIRECTIONS)
        if len(words) < 4 or not has_direction or words[3].lower() not in (b"d", b"r"):
            self._other(event, _OTHER_ON_CHANNEL.match(words[1]))
            return None
        if not self._wanted(words[2]):
            return None
        return _on(channel, self._classic(words, event))

    def _other(self, event: bytes, known: re.Match[bytes] | None) -> None:
        if known is None and _VARIABLE.match(event) is None:
            self.left_out["unknown events"] += 1

    def _wanted(self, direction: bytes) -> bool:
        """Return whether a frame was on the bus, unlike a request to transmit, which is counted."""
        if direction == b"TxRq" and not self._txrq:
            self.left_out["TxRq requests"] += 1
            return False
        return True

    def _classic(self, words: Words, event: bytes) -> Message:
        message = self._message(words[1], words[2], event)
        if words[3].lower() == b"r":
            _remote(message, int(words[4], 16) if len(words) > 4 and _HEX_DIGIT.match(words[4]) else 0)
            return message
        if len(words) < 5 or not re.match(rb"[0-9A-Fa-f]{1,2}$", words[4]):
            raise FormatError("no DLC")
        code = int(words[4], 16)
        if code > 15:  # a length instead of a code, in a few files
            if code not in bits.FD_LENGTHS:
                raise FormatError(f"bad DLC {quoted(words[4])}")
            message.is_fd = True
        message.data = self._data(words[5:], code if code > 15 else min(code, 8))
        message.dlc = len(message.data)
        if not message.is_fd:
            message.dlc_code = code
        return message

    def _xl(self, words: Words) -> Message | None:
        """Read an event of a CAN XL channel; of any other kind than a frame it is left out."""
        from cantools_cli.io.asc import xl_lines  # few files have any

        channel = _CHANNEL.match(words[1]) if len(words) > 1 else None
        if channel is None or not xl_lines.is_frame(words):
            self.left_out["CAN XL events other than frames"] += 1
            return None
        if not self._wanted(words[2]):
            return None
        message = xl_lines.read(words)
        message.is_rx = words[2] == b"Rx"
        return _on(channel, message)

    def _fd(self, words: Words, event: bytes) -> Message | None:
        channel = _CHANNEL.match(words[1]) if len(words) > 1 else None
        if channel is None or len(words) < 4:
            self._other(event, _OTHER_EVENTS.match(words[1]) if len(words) > 1 else None)
            return None
        if words[3] in _DIRECTIONS:  # the form of CANoe 8.0
            return _on(channel, self._fd_old(words, event)) if self._wanted(words[3]) else None
        if words[2].lower().startswith(b"errorframe"):
            return _on(channel, _error(event))
        if words[2] not in _DIRECTIONS:
            self._other(event, None)
            return None
        if words[3].lower() == b"errorframe":
            return _on(channel, _fd_error(words))
        if not self._wanted(words[2]):
            return None
        message = self._message(words[3], words[2], event)
        return self._fd_frame(channel, message, words[4:])

    def _fd_frame(self, channel: re.Match[bytes], message: Message, rest: Words) -> Message | None:
        """Read BRS, ESI, DLC, length, data and flags, which the name of the message may precede."""
        readings = [tail for tail in (rest, rest[1:]) if _fits(tail)]
        if not readings:
            self._explain_fd(rest)
        # A name may be a number: then only the number of fields after the data decides.
        fields = next((tail for tail in readings if len(tail) - 4 - int(tail[3]) in (6, 8)), readings[0])
        code, length = int(fields[2], 16), int(fields[3])
        behind = fields[4 + length :]
        flags = int(behind[2], 16) if len(behind) > 2 and _HEX.match(behind[2]) else 0
        if flags & _XL_BIT:
            self.left_out["CAN XL frames"] += 1
            return None
        if flags & _REMOTE_BIT or (length == 0 and code > 0):
            if flags & _FD_BIT:
                raise FormatError("a CAN FD frame cannot be a remote frame")
            _remote(message, code)
            return _on(channel, message)
        message.data = self._data(fields[4:], length, base=16)
        message.dlc = length
        # Some tools write flags of 0: then a length or BRS impossible in a classic frame decides.
        message.is_fd = bool(flags & _FD_BIT) or length > 8 or fields[0] == b"1"
        if message.is_fd:
            message.bitrate_switch = fields[0] == b"1"
            message.error_state_indicator = fields[1] == b"1"
            if bits.FD_LENGTHS[code] != length:
                raise FormatError(f"{length} data bytes, but the DLC is {code:X}")
        else:
            message.dlc_code = code
        return _on(channel, message)

    def _explain_fd(self, rest: Words) -> NoReturn:
        """Raise the error of fields that fit neither with a name nor without one."""
        for tail in (rest, rest[1:]):
            if _begins(tail):
                self._data(tail[4:], int(tail[3]), base=16)
                length, code = tail[3].decode(), tail[2].decode()
                raise FormatError(f"length {length} and DLC {code} contradict each other")
        raise FormatError("no BRS, ESI, DLC and length")

    def _fd_old(self, words: Words, event: bytes) -> Message:
        """Read ``CANFD 1  101  Tx   1 0 d 8 8 F1 …``."""
        message = self._message(words[2], words[3], event)
        fields = words[4:]
        if len(fields) < 4 or not (
            _FLAG.match(fields[0]) and _FLAG.match(fields[1]) and _HEX_DIGIT.match(fields[3])
        ):
            raise FormatError("no BRS, ESI and DLC")
        code = int(fields[3], 16)
        if fields[2].lower() == b"r":
            _remote(message, code)
            return message
        length = bits.FD_LENGTHS[code]
        if fields[2].lower() != b"d" or len(fields) < 5 or fields[4] != b"%d" % length:
            raise FormatError("length and DLC contradict each other")
        message.data = self._data(fields[5:], length, base=16)
        message.dlc = length
        message.is_fd = True
        message.bitrate_switch = fields[0] == b"1"
        message.error_state_indicator = fields[1] == b"1"
        return message

    def _message(self, identifier: bytes, direction: bytes, event: bytes) -> Message:
        """Return a message with its identifier and direction; a symbolic name has its number in the tail."""
        match = (_ID_HEX if self.base == 16 else _ID_DECIMAL).match(identifier)
        if match is not None:
            value = int(match[1], self.base)
        else:
            match = _TAIL_ID.search(event)
            if match is None:
                raise FormatError(f"the symbolic name {quoted(identifier)} instead of an identifier")
            value = int(match[1])
        extended = bool(match[2])
        if value > (bits.CAN_EFF_MASK if extended else bits.CAN_SFF_MASK):
            hint = None if extended or value > bits.CAN_EFF_MASK else "a 29-bit identifier ends with x"
            raise FormatError(f"identifier {quoted(identifier)} is out of range", hint=hint)
        return Message(arbitration_id=value, is_extended_id=extended, is_rx=direction in (b"Rx", b"--"))

    def _data(self, words: Words, size: int, *, base: int | None = None) -> bytearray:
        base = base or self.base
        digits = _HEX_BYTE if base == 16 else _DECIMAL_BYTE
        data = bytearray()
        for word in words[:size]:
            if not digits.match(word) or int(word, base) > 255:
                raise FormatError(f"bad data byte {quoted(word)}")
            data.append(int(word, base))
        if len(data) < size:
            raise FormatError(f"the length is {size}, but there are {len(data)} data bytes")
        return data


def _on(channel: re.Match[bytes], message: Message | None) -> Message | None:
    """Set the channel of ``message``."""
    if message is not None:
        message.channel = channel_of(channel[1])
    return message


def channel_of(number: bytes) -> str:
    """Return the name of a channel; numbers count from 1, names from 0."""
    if int(number) == 0:
        raise FormatError("channel 0, but the first channel is 1")
    return f"can{int(number) - 1}"


def _remote(message: Message, code: int) -> None:
    message.is_remote_frame = True
    message.dlc = min(code, 8)
    message.dlc_code = code


def _begins(fields: Words) -> bool:
    return (
        len(fields) >= 4
        and _FLAG.match(fields[0]) is not None
        and _FLAG.match(fields[1]) is not None
        and _HEX_DIGIT.match(fields[2]) is not None
        and _LENGTH.match(fields[3]) is not None
    )


def _fits(fields: Words) -> bool:
    """Return whether ``fields`` begin with BRS, ESI, DLC, length and data."""
    if not _begins(fields):
        return False
    code, length = int(fields[2], 16), int(fields[3])
    allowed = (bits.FD_LENGTHS[code], 0, 8 if code > 8 else 0)
    data = fields[4 : 4 + length]
    return length in allowed and len(data) == length and all(_HEX_BYTE.match(word) for word in data)


def _error(event: bytes) -> Message:
    """Read ``ErrorFrame`` with the error code capture, the extended code, or neither."""
    ecc = re.search(rb"\bECC:\s*([01]{8})(?!\S)", event)
    if ecc is not None:
        return error_frames.message(*error_frames.from_ecc(int(ecc[1], 2)))
    extended = re.search(rb"\bCodeExt\s*=\s*0x([0-9A-Fa-f]{1,8})", event)
    code = int(extended[1], 16) if extended is not None else 0
    if not code:
        return error_frames.message(error_frames.BUS_ERROR, bytes(8))
    # Bits 0-4 the segment, 5 set while receiving, 6-11 the cause.
    return error_frames.message(*error_frames.from_code(code >> 6 & 0x3F, code & 0x1F, not code & 0x20))


def _fd_error(words: Words) -> Message:
    """Read the error frame of a CAN FD channel, whose cause is spelt in words."""
    for word in words[4:]:
        code = _CAUSES.get(word.rstrip(b",").lower())
        if code is not None:
            return error_frames.message(*error_frames.from_code(code, 0, words[2] == b"Tx"))
        if word.endswith(b","):
            break
    return error_frames.message(error_frames.BUS_ERROR, bytes(8))
