"""Logs that firmware prints on its serial port, with RX and TX in front of a number; read only.

::

    (683.70) RX0 7E0 [8] 03 19 02 8F 00 00 00 00        received by interface 0
    (683.712) TX1 18DAF110 [2] 01 02                    sent
    [12 CAN frames not printed]                         counted

The number is the channel: ``can0`` is 0. Battery-Emulator, whose form this is, has two of them for each
interface, the second for sent frames. Times are seconds since the device was switched on. Identifiers are
not padded, and those over 7FF have 29 bits; more than 8 bytes are CAN FD.

Source: the output of Battery-Emulator.
"""

from __future__ import annotations

import re

from cantools_cli.errors import FormatError
from cantools_cli.frame import bits
from cantools_cli.io.rows import Row, RowReader, frame_row, octets
from cantools_cli.io.text import decimal_ns, first_line

_LINE = re.compile(
    rb"\((\d{1,10})\.(\d{1,9})\)\s+([RT])X(\d{0,3})\s+([0-9A-Fa-f]{1,8})\s+\[(\d{1,2})\]((?:\s+[0-9A-Fa-f]{1,3})*)"
)
_GAP = re.compile(rb"\[(\d{1,9}) CAN frames not printed\]")


class SerialLogReader(RowReader):
    """Reads serial logs with RX and TX."""

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return _LINE.fullmatch(first_line(head, (b"[",))) is not None

    def _rows(self, line: bytes) -> tuple[Row, ...]:
        text = line.strip()
        match = _LINE.fullmatch(text)
        if match is not None:
            return (_frame(match),)
        gap = _GAP.fullmatch(text)
        if gap is not None:
            self.left_out["frames that the device did not print"] += int(gap[1])
        elif text:
            raise FormatError("not a serial log line")
        return ()


def _frame(match: re.Match[bytes]) -> Row:
    whole, fraction, direction, number, digits, length, rest = match.groups()
    size = int(length)
    identifier = int(digits, 16)
    return frame_row(
        decimal_ns(whole, fraction),
        identifier,
        identifier > bits.CAN_SFF_MASK,
        octets(rest.split(), size),
        f"can{int(number or 0)}",
        is_sent=direction == b"T",
        fd_flags=0 if size > 8 else None,
    )
