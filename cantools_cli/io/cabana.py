"""The comma separated values of Cabana, openpilot's viewer; read only.

::

    time,addr,bus,data
    15.460,0x440,1,0x4000800000000000       seconds of the route; 0x: hexadecimal
    0.06194250166663551,308,0,08007c63      older: a decimal address, and no 0x before the data

Bus n is ``can{n}``. A frame that a panda sent returns on bus 128 + n, and is a sent frame of bus n. A
frame that its safety model rejected has bus 192 + n, was never on the wire, and is left out. Addresses above
7FF have 29 bits, rows of more than 8 bytes are CAN FD. Times count from the start of the route.

Loses: frames that the panda's safety model rejected, which are counted.

Source: commaai/openpilot, tools/cabana, export to CSV; commaai/panda, its offsets of returned and rejected
buses.
"""

from __future__ import annotations

import re
from typing import ClassVar

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.message import Message
from cantools_cli.io.columns import fields as values
from cantools_cli.io.columns.places import Places, Spec
from cantools_cli.io.columns.reader import ColumnsReader, is_comment
from cantools_cli.io.text import first_line

_NAMES = frozenset((b"time", b"addr", b"bus", b"data"))
_BUS = re.compile(rb"\s*([0-9]{1,3})\s*")
#: offsets of the bus number for frames that the panda sent, and for those it refused to send
_RETURNED, _REJECTED = 128, 192


class CabanaReader(ColumnsReader):
    """Reads the comma separated values of Cabana."""

    SPECS: ClassVar[dict[str, Spec]] = {
        "time": "time",
        "identifier": "addr",
        "channel": "bus",
        "data": "data",
    }
    SEPARATOR = b","

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        names = first_line(head, (b"#",)).split(b",")
        return frozenset(name.strip(b' "\t').lower() for name in names) == _NAMES

    def _line(self, line: bytes, reason: int) -> Message | None:
        if self._places is not None and not is_comment(line) and self._is_rejected(line):
            self.left_out["rejected by the panda's safety model"] += 1
            return None
        return super()._line(line, reason)

    def _is_rejected(self, line: bytes) -> bool:
        fields, places = self._split(line), self._places
        if places is None or places.channel is None or len(fields) < places.needed:
            return False
        match = _BUS.fullmatch(fields[places.channel])
        return match is not None and _REJECTED <= int(match[1]) <= 0xFF

    def _can_id(self, fields: list[bytes], places: Places) -> int:
        text = fields[places.identifier].strip()
        value, _ = values.identifier(text, 16 if text[:2] in (b"0x", b"0X") else 10)
        return value | bits.CAN_EFF_FLAG if value > bits.CAN_SFF_MASK else value

    def _is_sent(self, fields: list[bytes], places: Places) -> bool:
        return places.channel is not None and _bus_number(fields[places.channel]) >= _RETURNED

    def _channel(self, text: bytes) -> int:
        return super()._channel(str(_bus_number(text) % _RETURNED).encode())


def _bus_number(text: bytes) -> int:
    """Return the number of a bus as the file has it, less than 192."""
    match = _BUS.fullmatch(text)
    if match is None or int(match[1]) >= _REJECTED:
        raise FormatError(f"bus {quoted(text)} is not a number from 0 to {_REJECTED - 1}")
    return int(match[1])
