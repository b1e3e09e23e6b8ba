"""candump's screen output, with any of its options, and that of log2long.

::

      can0  123   [3]  01 02 03                                     as it is by default
     (1700000000.123456)  can0  00000123   [8]  01 02 03 04 05 06 07 08   'ABCDEFGH'
     (2023-11-14 22:13:20.123456)  can0  TX B E  123  [02]  01 02
      can0  123   {D}  remote request                               a raw DLC
      can0  20000004   [8]  00 04 00 00 00 00 00 00   ERRORFRAME
            controller-problem{rx-error-warning}                    begins with a tab: no frame
      can0  123   [3]  03`02`01                                     -S, the last byte first
      can0       123 [0002] (45|81:01:12345678) 11 22               CAN XL: length (VCID|flags:SDT:AF)
    <0x18eeff01> [8] 05 a0 be 1c 00 a0 a0 c0                        canutils 4.0: no channel, no time

A line without a channel is of ``can0``. An identifier of 8 digits is extended, a length of two digits means
CAN FD.

Source: can-utils, ``candump.c`` and ``lib.h``.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from datetime import datetime

from cantools_cli import clock
from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.frame.xl import RRS, SEC, XlMessage
from cantools_cli.io.channels import NameTable
from cantools_cli.io.text import decimal_ns
from cantools_cli.kernels import screen_lines as kernel
from cantools_cli.kernels.buffers import ReadBuffer

_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
_SPINNER = re.compile(rb"[|/\\-]\x08")  # of candump -s 1
_LINE = re.compile(
    rb"\s*(?:\((?:(?P<date>\d{4}-\d\d-\d\d) (?P<clock>\d\d:\d\d:\d\d)|(?P<seconds>-?\d{1,19}))"
    rb"[.,](?P<fraction>\d+)\)\s+)?(?:<0x(?P<old>[0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})>"
    rb"|(?P<name>(?!(?:RX|TX)\d*\s)[^\s(]\S*)\s+"  # RX0 is the direction in a serial log
    rb"(?:(?P<direction>RX|TX) (?P<first>[-BS]) (?P<second>[-ER])\s+)?"
    rb"(?P<id>[0-9A-Fa-f]{3}|[0-9A-Fa-f]{8}))\s+"
    rb"(?:\[(?P<length>\d{1,4})\]|\{(?P<raw>[0-9A-Fa-f])\})(?P<rest>\s.*|)"
)
_SHORT_TIME = re.compile(rb"^[ \t]*\((\d{1,8})[.,](\d+)\)", re.MULTILINE)
_HEX_BYTE = re.compile(rb"[0-9A-Fa-f]{2}")
_XL_FIELDS = re.compile(rb" \(([0-9A-Fa-f]{2})\|([0-9A-Fa-f]{2}):([0-9A-Fa-f]{2}):([0-9A-Fa-f]{8})\)(?= )")
_BINARY_BYTE = re.compile(rb"[01]{8}")
_BEHIND = re.compile(rb"\s*(?:ERRORFRAME)?\s*(?:'.*'|`.*`)?\s*")
_FIRST_LINES = 1000
_TIME_LIMIT = 1 << 63


class ScreenLines:
    """Reads the lines of one recording, which share a clock.

    ``tz`` is the time zone of dates; ``note`` receives assumptions about the lines. Times with few digits
    count from the first frame (candump -tz) or from the previous frame (-td). Only the second kind goes back
    repeatedly, which tells them apart.
    """

    def __init__(self, tz: str, note: Callable[[str], None]) -> None:
        self._tz = tz
        self._note = note
        self._second = b""  # the last date and time, and its nanoseconds
        self._second_ns = 0
        self._last = 0
        self._sum = 0
        self._steps = 0
        self._back = 0
        self._differences = False
        self._timeless = False  # whether lines without a time were noted

    @classmethod
    def recognises(cls, line: bytes) -> bool:
        return _LINE.fullmatch(_stripped(line)) is not None

    def look_ahead(self, text: bytes) -> None:
        """Determine the kind of times from the lines in ``text``."""
        last = None
        for count, match in enumerate(_SHORT_TIME.finditer(_COLOUR.sub(b"", text))):
            time = decimal_ns(match[1], match[2])
            if last is not None:
                self._step(last, time)
            last = time
            if count >= _FIRST_LINES:
                break

    def parse(
        self, text: ReadBuffer, at: int, end: int, names: NameTable, batch: MessageBatch, first: int
    ) -> tuple[int, int, int]:
        """Fill rows of ``batch`` with lines like those that ``read`` parsed; return as a kernel."""
        high, rest = divmod(self._sum, kernel.UNIT)
        numbers = (rest, high, self._last, self._steps, self._back, self._differences)
        is_near = abs(self._second_ns) < _TIME_LIMIT - 1_000_000_000
        state = array("q", (*numbers, self._second_ns if is_near else 0, self._timeless))
        second = self._second if is_near else b""
        stopped = kernel.parse(text, at, end, names.names, names.ends, second, state, first, *batch.columns())
        rest, high, self._last, self._steps, self._back, differences = state[: len(numbers)]
        self._sum = high * kernel.UNIT + rest
        self._differences = bool(differences)
        return stopped

    def read(self, line: bytes) -> Message | None:
        """Return the frame of ``line``; None if it explains the previous one."""
        if line.startswith(b"\t"):
            return None
        text = _stripped(line)
        match = _LINE.fullmatch(text)
        if match is None:
            raise FormatError(f"not a candump line: {quoted(line)}")
        message = _identified(match, line)
        if match["raw"] is not None:
            code = int(match["raw"], 16)
            message.dlc = min(code, 8)
        else:
            if len(match["length"]) > 2:
                return self._placed(_xl(message, match, line), match)
            message.is_fd = len(match["length"]) == 2
            code = message.dlc = int(match["length"])
        _fill(message, match["rest"], line)
        message.dlc_code = code if not message.is_fd else 0
        return self._placed(message, match)

    def _placed(self, message: Message, match: re.Match[bytes]) -> Message:
        """Set the channel, direction and time of ``message``."""
        message.channel = (match["name"] or b"can0").decode("utf-8", "surrogateescape")
        message.is_rx = match["direction"] != b"TX"
        message.timestamp_ns = self._time(match)
        return message

    def _time(self, match: re.Match[bytes]) -> int:
        if match["fraction"] is None:
            self._timeless = True
            self._note("candump lines without timestamps: all frames get time 0")
            return 0
        if match["date"] is not None:
            return self._date(match["date"] + b" " + match["clock"]) + decimal_ns(b"0", match["fraction"])
        time = decimal_ns(match["seconds"], match["fraction"])
        if len(match["seconds"]) > 8:
            return time
        self._sum += time
        if not self._differences:
            self._step(self._last, time)
            self._last = time
        return self._sum if self._differences else time

    def _step(self, last: int, time: int) -> None:
        """Count steps forward and back: one in eight that are not forward make differences of the times."""
        self._steps += 1
        if time < last or time == last > 0:
            self._back += 1
            self._differences = self._back * 8 > self._steps

    def _date(self, text: bytes) -> int:
        if text != self._second:
            try:
                wall = datetime.strptime(text.decode("ascii"), "%Y-%m-%d %H:%M:%S")
            except ValueError:
                raise FormatError(f"invalid date: {quoted(text)}") from None
            self._second, self._second_ns = text, clock.wall_to_ns(wall, self._tz)
        return self._second_ns


def _stripped(line: bytes) -> bytes:
    if b"\x1b" in line:
        line = _COLOUR.sub(b"", line)
    if b"\x08" in line:
        line = _SPINNER.sub(b"", line)
    return line.rstrip()


def _identified(match: re.Match[bytes], line: bytes) -> Message:
    """Return a message with its identifier and flags set."""
    digits = match["id"] or match["old"]
    value = int(digits, 16)
    long = len(digits) == 8
    if value > (bits.CAN_EFF_MASK | bits.CAN_ERR_FLAG if long else bits.CAN_SFF_MASK):
        raise FormatError(f"identifier {digits.decode()} is out of range: {quoted(line)}")
    is_error = bool(value & bits.CAN_ERR_FLAG)
    return Message(
        arbitration_id=value & bits.CAN_EFF_MASK,
        is_extended_id=long and not is_error,
        is_error_frame=is_error,
        bitrate_switch=match["first"] == b"B",
        error_state_indicator=match["second"] == b"E",
    )


def _xl(message: Message, match: re.Match[bytes], line: bytes) -> XlMessage:
    """Return the CAN XL frame whose priority ``message`` has."""
    fields = _XL_FIELDS.match(match["rest"])
    if fields is None or len(match["id"] or b"") != 3:
        raise FormatError(f"no CAN XL frame such as 123 [0002] (45|81:01:12345678) 11 22: {quoted(line)}")
    if b"..." in match["rest"]:
        raise FormatError(f"truncated CAN XL frame: {quoted(line)}", hint="candump -L prints all data")
    vcid, flags, sdt, acceptance_field = (int(field, 16) for field in fields.groups())
    result = XlMessage(arbitration_id=message.arbitration_id, vcid=vcid, sdt=sdt)
    result.sec, result.rrs = bool(flags & SEC), bool(flags & RRS)
    result.acceptance_field = acceptance_field
    result.dlc = int(match["length"])
    _fill(result, match["rest"][fields.end() :], line)
    return result


def _fill(message: Message, rest: bytes, line: bytes) -> None:
    """Read exactly as many bytes as the length: text after them may look like bytes."""
    if rest.strip() == b"remote request":
        message.is_remote_frame = True
        return
    size = message.dlc
    is_reversed = re.match(rb"\s*(?:[0-9A-Fa-f]{2}|[01]{8})`", rest) is not None
    tokens = (rest.replace(b"`", b" ", size - 1) if is_reversed else rest).split(None, size)
    behind = tokens.pop() if len(tokens) > size else b""
    if len(tokens) < size:
        raise FormatError(f"the length is {size}, but there are {len(tokens)} data bytes: {quoted(line)}")
    base = 2 if tokens and _BINARY_BYTE.fullmatch(tokens[0]) else 16
    form = _BINARY_BYTE if base == 2 else _HEX_BYTE
    for token in tokens:
        if not form.fullmatch(token):
            raise FormatError(f"bad data byte {quoted(token)}: {quoted(line)}")
    if not _BEHIND.fullmatch(behind):
        raise FormatError(f"{quoted(behind)} after {size} data bytes: {quoted(line)}")
    message.data = bytearray(int(token, base) for token in tokens)
    if is_reversed:
        message.data.reverse()
