"""The fields of separated text as values: times, identifiers, lengths, data bytes, flags.

::

    1700000000.123456  1.5e-05  12,5        numbers, in the unit of the file
    0:09.643.335  1:02:03.5                 minutes, seconds, fraction; hours before them
    2024-05-06 07:08:09.123  ...T07:08:09Z  dates, local unless they have a zone
    123  0x123  18FEF100x  00000123         identifiers; x, and 8 digits, mark 29 bits
    0102FF  01 02 FF  0x0102FF  01-02-FF    data in one field

Every function raises ``FormatError``, which names and quotes the field.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from cantools_cli import clock
from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.io.text import decimal_ns

UNITS = {"s": 9, "ms": 6, "us": 3, "ns": 0}  #: nanoseconds per unit, as powers of ten
#: spelt flags, in lower case
FLAGS = {
    **dict.fromkeys((b"0", b"f", b"n", b"false", b"no", b"-", b""), False),
    **dict.fromkeys((b"1", b"t", b"y", b"true", b"yes"), True),
}
EXTENDED = {
    **FLAGS,
    **dict.fromkeys((b"s", b"b", b"std", b"standard", b"base", b"11", b"cbff", b"fbff"), False),
    **dict.fromkeys((b"x", b"e", b"ext", b"xtd", b"extended", b"ide", b"29", b"ceff", b"feff"), True),
}
REMOTE = {
    **FLAGS,
    **dict.fromkeys((b"d", b"data"), False),
    **dict.fromkeys((b"r", b"rtr", b"remote"), True),
}
#: whether a direction means a frame that was sent
SENT = {
    **dict.fromkeys((b"rx", b"r", b"in", b"rcv", b"receive", b"received", b""), False),
    **dict.fromkeys((b"tx", b"t", b"out", b"send", b"sent", b"transmit", b"transmitted"), True),
}

_LIMIT = 1 << 63
_NUMBER = re.compile(rb"([+-]?)([0-9]{0,25})(?:[.,]([0-9]{0,60}))?(?:[eE]([+-]?[0-9]{1,3}))?")
_CLOCK = re.compile(
    rb"(?:([0-9]{1,6}):)?([0-9]{1,6}):([0-9]{1,2})(?:[.,]([0-9]{1,12}))?((?:\.[0-9]{3}){0,3})"
)
_DATE = re.compile(
    rb"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})[ T_]+([0-9]{1,2}):([0-9]{2}):([0-9]{2})"
    rb"(?:[.,]([0-9]{1,12}))? ?(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))?"
)
_IDENTIFIER = re.compile(rb"(0[xX])?([0-9a-fA-F]{1,8})([xXhH]?)")
_DECIMAL_IDENTIFIER = re.compile(rb"([0-9]{1,10})([xX]?)")
_OCTET = re.compile(rb"(?:0[xX])?([0-9a-fA-F]{1,2})[hH]?")
_DECIMAL_OCTET = re.compile(rb"[0-9]{1,3}")
_LENGTH = {10: re.compile(rb"[0-9]{1,3}"), 16: re.compile(rb"(?:0[xX])?[0-9a-fA-F]{1,2}")}
_USUAL_LENGTHS = {str(size).encode(): size for size in range(65)}
_BETWEEN_OCTETS = re.compile(rb"[ \t.:;,|_-]+")
_MAX_LENGTH = 64
_TENS = tuple(10**power for power in range(41))


class Moments:
    """Turns the spelling of a time into nanoseconds.

    ``power`` is the unit of plain numbers: 9 seconds, 6 milliseconds, 3 microseconds, 0 nanoseconds; ``tz``
    the zone of dates without one.
    """

    def __init__(self, power: int, tz: str) -> None:
        self._power = power
        self._tz = tz
        self._minute = b""  # the last date up to the minute, and its nanoseconds
        self._minute_ns = 0

    def read(self, text: bytes) -> int:
        """Return the nanoseconds of ``text``."""
        whole, _, fraction = text.partition(b".")
        power = self._power
        left = power - len(fraction)
        if left >= 0 and whole.isdigit() and len(whole) < 11 and (fraction.isdigit() or not fraction):
            nanoseconds = int(whole + fraction) * _TENS[left]
            return nanoseconds if nanoseconds < _LIMIT else in_range(nanoseconds, text)
        return in_range(self._strange(text.strip()), text)

    def _strange(self, text: bytes) -> int:
        match = _NUMBER.fullmatch(text)
        if match is not None and (match[2] or match[3]):
            return number_ns(match, self._power)
        match = _CLOCK.fullmatch(text)
        if match is not None and (not match[5] or match[4]):
            return _clock_ns(match)
        match = _DATE.fullmatch(text)
        if match is None:
            _refuse("time", text, "a number, [h:]m:s or a date such as 2024-05-06 07:08:09")
        return self._date(match)

    def _date(self, match: re.Match[bytes]) -> int:
        text = match[0]
        minute = text[: match.end(6)] + text[match.end(8) if match[8] else match.end(7) :]
        if minute != self._minute:
            self._minute_ns = self._minute_of(match)
            self._minute = minute
        if int(match[7]) > 60:
            _refuse("time", text, "a valid date and time")
        return self._minute_ns + decimal_ns(match[7], match[8] or b"")

    def _minute_of(self, match: re.Match[bytes]) -> int:
        try:
            wall = datetime(int(match[1]), int(match[3]), int(match[4]), int(match[5]), int(match[6]))
            if match[10]:
                away = timedelta(hours=int(match[11]), minutes=int(match[12]))
                wall -= away if match[10] == b"+" else -away
            return clock.wall_to_ns(wall, "UTC" if match[9] or match[10] else self._tz)
        except UsageError:
            raise
        except (ValueError, OverflowError):
            _refuse("time", match[0], "a valid date and time")


def number_ns(match: re.Match[bytes], power: int) -> int:
    """Return the nanoseconds of a number in units of 10 to the ``power`` of them, rounded half up."""
    sign, whole, fraction, exponent = match[1], match[2], match[3] or b"", match[4] or b"0"
    shift = power + int(exponent) - len(fraction)
    digits = int(whole + fraction)
    if shift >= len(_TENS):
        return _LIMIT if digits else 0  # out of range with any digits
    unit = 10 ** max(-shift, 0)
    nanoseconds: int = digits * _TENS[shift] if shift >= 0 else (2 * digits + unit) // (2 * unit)
    return -nanoseconds if sign == b"-" else nanoseconds


def _clock_ns(match: re.Match[bytes]) -> int:
    hours, minutes, seconds = int(match[1] or 0), int(match[2]), int(match[3])
    if seconds > 60 or (match[1] and minutes > 59):
        _refuse("time", match[0], "a valid time of day")
    fraction = (match[4] or b"") + match[5].replace(b".", b"")
    return (hours * 60 + minutes) * 60_000_000_000 + decimal_ns(match[3], fraction)


def in_range(nanoseconds: int, text: bytes) -> int:
    """Return ``nanoseconds``, which ``text`` spells, if 64 bits hold them."""
    if not -_LIMIT <= nanoseconds < _LIMIT:
        raise FormatError(f"time {quoted(text)} is out of range (64 bits of nanoseconds)")
    return nanoseconds


def identifier(text: bytes, base: int) -> tuple[int, bool]:
    """Return the identifier that ``text`` spells, and whether it is marked as one of 29 bits."""
    spelt = text.strip()
    match = _IDENTIFIER.fullmatch(spelt)
    if base == 10 and (match is None or not match[1]):
        match = _DECIMAL_IDENTIFIER.fullmatch(spelt)
        if match is None:
            _refuse("identifier", text, "a decimal number")
        value, is_marked = int(match[1]), bool(match[2])
    elif match is None:
        _refuse("identifier", text, "a hexadecimal number")
    else:
        value = int(match[2], 16)
        is_marked = match[3] in (b"x", b"X") or (len(match[2]) == 8 and not match[1])
    if value > bits.CAN_EFF_MASK:
        raise FormatError(f"identifier {quoted(text)} is out of range, at most {bits.CAN_EFF_MASK:X}")
    return value, is_marked


def length(text: bytes, base: int) -> int:
    """Return the length or DLC that ``text`` spells, 0 to 64."""
    known = _USUAL_LENGTHS.get(text)
    if known is not None and base == 10:
        return known
    spelt = text.strip()
    if spelt.endswith(b".0"):  # as spreadsheets and pandas write whole numbers
        spelt = spelt[:-2]
    value = int(spelt, base) if _LENGTH[base].fullmatch(spelt) else -1
    if not 0 <= value <= _MAX_LENGTH:
        _refuse("length", text, f"a number from 0 to {_MAX_LENGTH}")
    return value


def flag(text: bytes, known: dict[bytes, bool], name: str) -> bool:
    """Return the value of ``text``, one of the spellings ``known``."""
    value = known.get(text.strip().lower())
    if value is None:
        _refuse(name, text, f"one of {', '.join(word.decode() for word in known if word)}")
    return value


def octets_of_text(text: bytes, base: int) -> bytes:
    """Return the data bytes of one field."""
    text = text.strip()
    if base == 16:
        plain = text[2:] if text[:2] in (b"0x", b"0X") else text
        try:
            return bytes.fromhex(plain.decode("ascii"))
        except ValueError:
            pass
    parts = [part for part in _BETWEEN_OCTETS.split(text) if part]
    if base == 16 and len(parts) == 1 and len(text) > 2:
        _refuse("data", text, "pairs of hexadecimal digits")
    return octets(parts, base)


def octets(fields: Sequence[bytes], base: int) -> bytes:
    """Return the data bytes of fields that hold one each."""
    if base == 16:
        joined = b" ".join(fields)
        if len(joined) == 3 * len(fields) - 1 and b"" not in fields:
            try:
                data = bytes.fromhex(joined.decode("ascii"))
            except ValueError:
                data = b""
            if len(data) == len(fields):  # then each field is two digits, not a blank
                return data
    return bytes(_octet(field, base) for field in fields)


def _octet(field: bytes, base: int) -> int:
    spelt = field.strip()
    if base == 16:
        match = _OCTET.fullmatch(spelt)
        value = int(match[1], 16) if match is not None else -1
    else:
        value = int(spelt) if _DECIMAL_OCTET.fullmatch(spelt) else -1
    if not 0 <= value <= 0xFF:
        _refuse("data byte", field, "00 to FF" if base == 16 else "0 to 255")
    return value


def _refuse(name: str, text: bytes, wanted: str) -> NoReturn:
    raise FormatError(f"{name} {quoted(text)} is not {wanted}")
