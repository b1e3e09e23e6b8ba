"""The columns of a CSV file by the names that programs give them, and how their data is spelt."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable

from cantools_cli.errors import FormatError, NotALogError, quoted

NEEDED = ("timestamp", "arbitration_id", "data")
#: synonyms of the columns, in lower case, with an underscore for other characters than letters and digits
NAMES = {
    "timestamp": ("timestamps", "time_stamp", "time", "time_s", "timestamp_s"),
    "arbitration_id": ("arbitrationid", "arb_id", "can_id", "canid", "id", "identifier", "id_hex"),
    "extended": ("is_extended", "is_extended_id", "extended_id", "ide"),
    "remote": ("is_remote", "is_remote_frame", "remote_frame", "rtr"),
    "error": ("is_error", "is_error_frame", "error_frame"),
    "dlc": ("len", "length", "data_length"),
    "data": ("data_field", "payload", "data_bytes", "databytes", "data_hex", "hex_data", "bytes"),
    "channel": ("bus",),
    "is_fd": ("fd", "fdf"),
    "bitrate_switch": ("brs",),
    "error_state_indicator": ("esi",),
    "is_rx": ("rx",),
}
_KNOWN = {name: key for key, names in NAMES.items() for name in (key, *names)}
_BLANKS = re.compile(r"[^a-z0-9]+")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_SEPARATED = re.compile(r"(?:0[xX])?[0-9a-fA-F]{2}(?:[ :.-](?:0[xX])?[0-9a-fA-F]{2})*")


def named(header: Iterable[str]) -> list[str] | None:
    """Return our names of the columns of a ``header``, of which our own win; None unless it is of frames."""
    names = [_BLANKS.sub("_", name.strip().lower()).strip("_") for name in header]
    columns: list[str] = []
    for name in names:
        key = _KNOWN.get(name, name)
        is_taken = key in columns or (key != name and key in names)
        columns.append(f"{name} (other)" if is_taken else key)
    if {"timestamp", "arbitration_id"} <= {*names}:
        return columns
    return columns if {*NEEDED} <= {*columns} else None


class DataForm:
    """Whether the data of a file is in base 64 or in hexadecimal.

    A row with its length tells. In a file without lengths the first row decides that can be only one of the
    two; earlier rows are read as hexadecimal.
    """

    def __init__(self) -> None:
        #: whether a row had more data than its length, as in the example of python-can's manual
        self.is_cut = False
        self._is_hex: bool | None = None
        self._open: bytes | None = None  # the first row that could be both

    def decoded(self, text: str, size: int, line: bytes) -> bytes:
        """Return the ``size`` bytes that ``text`` means, -1 for any number."""
        as_hex, as_base64 = _from_hex(text), _from_base64(text)
        if size >= 0:
            for data in (as_base64, as_hex):
                if data is not None and len(data) == size:
                    return data
        decoded = as_hex if as_base64 is None else as_base64
        if decoded is None:
            raise FormatError(f"data is {quoted(text)}, neither base64 nor hexadecimal, in {quoted(line)}")
        if as_hex is None and 0 <= size < len(decoded):
            self.is_cut = True
            return decoded[:size]
        if size >= 0:
            raise FormatError(f"dlc is {size}, but there are {len(decoded)} data bytes, in {quoted(line)}")
        if as_hex is not None and as_base64 is not None:
            if self._is_hex is None and text:
                self._open = self._open or line
            return as_base64 if self._is_hex is False else as_hex
        is_hex = as_base64 is None
        if self._is_hex is None and not is_hex and self._open is not None:
            raise NotALogError(
                f"data is {quoted(text)}, base64, but {quoted(self._open)} can be hexadecimal as well",
                hint="a column dlc tells the two apart",
            )
        if self._is_hex is not None and self._is_hex != is_hex:
            wanted = "hexadecimal" if self._is_hex else "base64"
            raise FormatError(f"data is {quoted(text)}, not {wanted} as before, in {quoted(line)}")
        self._is_hex = is_hex
        return decoded


def _from_hex(text: str) -> bytes | None:
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    if _SEPARATED.fullmatch(text):
        return bytes(int(part, 16) for part in re.split("[ :.-]", text))
    if text[:2] in ("0x", "0X") and _HEX.fullmatch(text, 2):
        return bytes.fromhex(text[2:])
    return None


def _from_base64(text: str) -> bytes | None:
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (Base64Error, UnicodeEncodeError):
        return None
