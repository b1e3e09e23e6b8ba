"""Tables of the kernels of text formats."""

from __future__ import annotations

from cantools_cli.kernels import _words

FD_LENGTHS = _words.FD_LENGTHS

NIBBLE = bytes(
    int(chr(c), 16) if chr(c) in "0123456789abcdefABCDEF" else 0xFF for c in range(256)
)  #: value of a hexadecimal digit, 0xFF for any other byte
HEX = b"".join(b"%02X" % byte for byte in range(256))  #: two upper-case digits per byte
DECIMAL = b"".join(b"%02d" % number for number in range(100))  #: two decimal digits per number
FD_CODES = bytes(next(code for code, size in enumerate(FD_LENGTHS) if size >= n) for n in range(65))
