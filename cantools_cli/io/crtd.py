"""CRTD, the log of the Open Vehicle Monitoring System (OVMS); read only.

::

    1542473901.020305 CXX Info Type:crtd; Path:'/sd/drive.crtd'        a comment
    1542473901.020305 1R11 213 00 00 00 00 c0 01 00 00      bus 1, received, 11 bits
    1542473901.020970 2T29 18DB33F1 02 01 0C                bus 2, sent, 29 bits
    1542473901.021 R11 408 0                                bus 1; digits need no padding
    1542473901.021259 1CER Error intr=0 rxpkt=0 ...         no frame: an error, counted

Times are seconds with three or six digits after the point, since 1970 or since the module was switched on.
Bus N is the channel ``canN-1``. Records whose type begins with C hold no frame; of them errors (CER) are
counted, as are records of unknown types.

Source: docs.openvehicles.com, "CRTD CAN Log Format"; files of SavvyCAN are read as well.
"""

from __future__ import annotations

import re

from cantools_cli.errors import FormatError
from cantools_cli.io.rows import Row, RowReader, frame_row, octets
from cantools_cli.io.text import decimal_ns, first_line

_RECORD = re.compile(rb"(\d{1,19})(?:\.(\d{0,9}))? +(\d{0,3})([A-Z][A-Z0-9]{1,7})(?: +(.*))?")
_FRAMES = {b"R11": (False, False), b"R29": (False, True), b"T11": (True, False), b"T29": (True, True)}
_IDENTIFIER = re.compile(rb"[0-9A-Fa-f]{1,8}")
_RECOGNISED = re.compile(rb"\d+\.(?:\d{3}|\d{6}) +\d{0,3}(?:C[A-Z]{2}|[RT](?:11|29))(?: |$)")


class CrtdReader(RowReader):
    """Reads OVMS's CRTD."""

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return _RECOGNISED.match(first_line(head)) is not None

    def _rows(self, line: bytes) -> tuple[Row, ...]:
        if not line.strip():
            return ()
        match = _RECORD.fullmatch(line.strip())
        if match is None:
            raise FormatError("not a CRTD record")
        whole, fraction, bus, kind, rest = match.groups(default=b"")
        if kind not in _FRAMES:
            if kind == b"CER":
                self.left_out["error records"] += 1
            elif len(kind) != 3 or not kind.startswith(b"C"):
                self.left_out["records of unknown types"] += 1
            return ()
        is_sent, is_extended = _FRAMES[kind]
        words = rest.split()
        if not words or not _IDENTIFIER.fullmatch(words[0]):
            raise FormatError(f"no identifier after {kind.decode()}")
        if bus and not int(bus):
            raise FormatError("bus 0, but buses count from 1")
        return (
            frame_row(
                decimal_ns(whole, fraction),
                int(words[0], 16),
                is_extended,
                octets(words[1:]),
                f"can{int(bus) - 1}" if bus else "can0",
                is_sent=is_sent,
            ),
        )
