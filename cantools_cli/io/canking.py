"""The text log of Kvaser CANKing; read only.

::

    Chn Identifier Flg   DLC  D0...1...2...3...4...5...6..D7       Time     Dir
     0    0CFBFFDB X       8  1B  31  20  EB  B3  FF  D9  FF     100.000139 R
     1    000007E0         3  02  10  03                         100.570498 T
     0    00000123  R      4                                     101.000000 R      remote frame
     0    00000000            ErrorFrame                         101.095270 R
    Logging stopped.

Identifiers of 8 digits are hexadecimal, and so is their data; other lines are decimal. ``base``
decides for a file that mixes the two. Flags are X 29 bits, R remote, A the echo of a sent frame, W a wake-up.
Times are seconds since the measurement began, without a date. Channels count from 0: ``can0`` is 0.

Source: files of CANKing; Kvaser's samples for the flags.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.error_frames import BUS_ERROR
from cantools_cli.io.files import AnyFile
from cantools_cli.io.rows import Row, RowReader, check_size, frame_row, octets
from cantools_cli.io.text import decimal_ns, first_line

_LINE = re.compile(
    rb"(?P<channel>\d{1,3})\s+(?P<id>[0-9A-Fa-f]{1,10})\s+(?P<flags>(?:[A-Z]\s*)*)(?P<size>\d{1,2})"
    rb"(?P<data>(?:\s+[0-9A-Fa-f]{1,3})*)\s+(?P<seconds>\d{1,12})\.(?P<fraction>\d{1,9})\s+(?P<direction>[RT])"
)
_ERROR = re.compile(
    rb"(?P<channel>\d{1,3})\s+[0-9A-Fa-f]+\s+(?:[A-Z]\s*?)*ErrorFrame"
    rb"\s+(?P<seconds>\d{1,12})\.(?P<fraction>\d{1,9})\s+(?P<direction>[RT])"
)
_USUAL = re.compile(rb"\s*\d{1,2}\s+[0-9A-F]{8}\s[XRAW ]*\d(?:  [0-9A-F]{2}){0,8}\s+\d+\.\d{6} [RT]\s*")
_DECIMAL = re.compile(rb"0|[1-9]\d{0,2}")
_HEADER = (b"Chn", b"Identifier", b"Flg")
_FLAGS = frozenset(b"XRAW")
_HINT = "--from canking,base=hex reads identifiers and data as hexadecimal"


class CanKingReader(RowReader):
    """Reads CANKing's text.

    ``base`` is that of identifiers and data, ``hex`` or ``dec``; by default each line shows it.
    """

    def __init__(
        self, file: AnyFile, *args: Any, base: Literal["hex", "dec"] | None = None, **kwargs: Any
    ) -> None:
        if base not in (None, "hex", "dec"):
            raise UsageError(f"unknown base {quoted(base)}", hint="known: hex, dec")
        super().__init__(file, *args, **kwargs)
        self._base = base

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        line = first_line(head)
        return tuple(line.split()[:3]) == _HEADER or _USUAL.fullmatch(line) is not None

    def _rows(self, line: bytes) -> tuple[Row, ...]:
        text = line.strip()
        match = _LINE.fullmatch(text)
        if match is not None:
            return (self._frame(match),)
        match = _ERROR.fullmatch(text)
        if match is not None:
            flags = bits.TX if match["direction"] == b"T" else 0
            return ((_time_ns(match), bits.CAN_ERR_FLAG | BUS_ERROR, flags, 8, bytes(8), _channel(match)),)
        if not text or text.startswith((b"Chn ", b"Logging ")):
            return ()
        raise FormatError("not a CANKing line")

    def _frame(self, match: re.Match[bytes]) -> Row:
        flags = match["flags"].split()
        letters = b"".join(flags)
        if not _FLAGS.issuperset(letters):
            raise FormatError(f"unknown flags {quoted(letters)}")
        is_hex = len(match["id"]) == 8 if self._base is None else self._base == "hex"
        words = match["data"].split()
        is_remote = b"R" in letters
        size = int(match["size"])
        check_size(words, 0 if is_remote else size)
        if not is_hex:
            for word in (match["id"], *words):
                if not word.isdigit():
                    raise FormatError(f"{quoted(word)} is not decimal", hint=_HINT)
        return frame_row(
            _time_ns(match),
            int(match["id"], 16 if is_hex else 10),
            b"X" in letters,
            octets(words) if is_hex else _decimal_octets(words),
            _channel(match),
            is_sent=match["direction"] == b"T",
            asked_for=size if is_remote else None,
        )


def _time_ns(match: re.Match[bytes]) -> int:
    return decimal_ns(match["seconds"], match["fraction"])


def _channel(match: re.Match[bytes]) -> str:
    return f"can{int(match['channel'])}"


def _decimal_octets(words: list[bytes]) -> bytes:
    """Return decimal bytes, which have no zeros before them, as hexadecimal ones have."""
    for word in words:
        if not _DECIMAL.fullmatch(word) or int(word) > 255:
            raise FormatError(f"bad decimal data byte {quoted(word)}", hint=_HINT)
    return bytes(map(int, words))
