"""Values of objects as text: numbers, yes and no, labels, days, times of day.

::

    float                     231.5          the fewest digits that encode to the same four bytes
    bool                      yes            also on, true, 1; no, off, false, 0
    enumerations              Floating       the label, or its number
    days (``bitfield``)       mon,tue        also all, none; Monday is bit 0
    minute_of_day             13:41          821 minutes
    commands (``signal``)     1              the only value

Source: Studer Innotec, "Xtender serial protocol", appendix V1.6.42; on CAN all values are single precision.
"""

from __future__ import annotations

import math
import re

from cantools_cli.errors import UsageError, quoted
from cantools_cli.xcom.codec import decode_value, encode_value
from cantools_cli.xcom.objects import XcomObject

NOT_AVAILABLE = "n/a"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TRUTHS = {
    **dict.fromkeys(("yes", "on", "true", "1"), 1.0),
    **dict.fromkeys(("no", "off", "false", "0"), 0.0),
}
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
#: approximate temperature reported without a sensor
NO_SENSOR = 32767
_TEMPERATURES = frozenset((3001, 7005, 7029, 11005, 15032))


def format_number(value: float) -> str:
    """Return the shortest decimal of a single-precision value, usually without an exponent.

    NaN is ``n/a``; infinities are ``inf`` and ``-inf``.
    """
    if math.isnan(value):
        return NOT_AVAILABLE
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    rounds = (f"{value:.{digits}g}" for digits in range(1, 9))
    text = repr(float(next((text for text in rounds if _is_same(float(text), value)), f"{value:.9g}")))
    if "e" in text and 1e-4 <= abs(value) < 1e10:
        text = f"{float(text):.12f}".rstrip("0")
    return text.removesuffix(".0").removesuffix(".")


def _is_same(number: float, value: float) -> bool:
    try:
        return encode_value(number) == encode_value(value)
    except OverflowError:  # rounded up beyond the largest value
        return False


def is_missing(obj: XcomObject | None, value: float) -> bool:
    """Return whether a value means "not available": not a finite number, or a missing sensor."""
    if math.isnan(value) or math.isinf(value):
        return True
    return obj is not None and obj.kind == "info" and obj.number in _TEMPERATURES and value >= NO_SENSOR - 1


def json_number(obj: XcomObject | None, value: float) -> float | int | None:
    """Return a value for JSON, rounded as in text; None if it is missing."""
    if is_missing(obj, value):
        return None
    number = float(format_number(value))
    return int(number) if number.is_integer() else number


def label(obj: XcomObject | None, value: float) -> str | None:
    """Return the label, days or time of day that a value stands for; None for a plain number."""
    if obj is None or is_missing(obj, value):
        return None
    if obj.step == "bitfield":
        return _days(value)
    if obj.unit == "minute_of_day" and 0 <= value <= 1440:
        return f"{int(value) // 60:02d}:{int(value) % 60:02d}"
    if value == int(value) and int(value) in obj.options:
        return obj.options[int(value)]
    return None


def _days(value: float) -> str | None:
    number = int(value)
    if number != value or not 0 <= number < 1 << len(DAYS):
        return None
    return ",".join(day for bit, day in enumerate(DAYS) if number >> bit & 1) or "none"


def unit(obj: XcomObject | None) -> str:
    """Return the unit to print after a number; empty if the label explains the value."""
    return "" if obj is None or obj.unit in ("minute_of_day", "s_since_1970") else obj.unit


def text(obj: XcomObject | None, value: float) -> str:
    """Format a value: ``51.8125 Vdc``, ``4 (Floating)``, ``n/a``."""
    if is_missing(obj, value):
        return NOT_AVAILABLE
    number, words = format_number(value), label(obj, value)
    if words is not None:
        return f"{number} ({words})"
    return f"{number} {unit(obj)}".rstrip()


def parse(obj: XcomObject, entry: str) -> float:
    """Parse a value of an object; return it in single precision."""
    what = f"{obj.number} {obj.name}".strip()
    if obj.format == "not_supported":
        raise UsageError(f"this protocol cannot transfer {what}")
    if obj.unit == "s_since_1970":
        raise UsageError(f"{what} cannot be set: 24-bit precision would be wrong by up to 64 s")
    value = _spelled(obj, entry.strip(), what)
    if math.isnan(value) or math.isinf(value):
        raise UsageError(f"{quoted(entry)} is not a number")
    try:
        arrives = decode_value(encode_value(value))
    except OverflowError as error:
        raise UsageError(f"{quoted(entry)} is too large for single precision") from error
    if arrives != value and obj.format in ("int32", "long_enum"):
        raise UsageError(f"{quoted(entry)} needs more than the 24 bits of a value")
    return arrives


def _spelled(obj: XcomObject, entry: str, what: str) -> float:
    word = entry.casefold()
    if obj.is_signal:
        if word != "1":
            raise UsageError(f"{what} is a command: write 1", hint="other values have no meaning")
        return 1.0
    if obj.format == "bool":
        if word not in _TRUTHS:
            raise UsageError(f"{what} is yes or no, not {quoted(entry)}")
        return _TRUTHS[word]
    if obj.step == "bitfield":
        return _spelled_days(entry, what)
    if obj.options:
        return _spelled_option(obj, entry, what)
    clock = _TIME.fullmatch(entry)
    if clock is not None and obj.unit == "minute_of_day":
        minutes = int(clock[1]) * 60 + int(clock[2])
        if int(clock[2]) > 59 or minutes > 1440:
            raise UsageError(f"{quoted(entry)} is not a time of day")
        return float(minutes)
    number = _as_number(entry, what)
    if obj.format == "int32" and number != int(number):
        raise UsageError(f"{what} is a whole number, not {quoted(entry)}")
    return number


def _as_number(entry: str, what: str) -> float:
    if _NUMBER.fullmatch(entry) is None:
        raise UsageError(f"{what} is a number, not {quoted(entry)}")
    number = float(entry)
    if math.isinf(number):
        raise UsageError(f"{quoted(entry)} is too large for single precision")
    return number


def _spelled_option(obj: XcomObject, entry: str, what: str) -> float:
    word = entry.casefold()
    exact = [value for value, name in obj.options.items() if name.casefold() == word]
    matches = exact or [value for value, name in obj.options.items() if name.casefold().startswith(word)]
    choices = ", ".join(f"{value} {name}" for value, name in obj.options.items())
    if _NUMBER.fullmatch(entry) is not None and not exact:
        number = _as_number(entry, what)
        if number not in obj.options:
            raise UsageError(f"{quoted(entry)} is not a value of {what}", hint=choices)
        return number
    if not word or len(matches) != 1:
        raise UsageError(f"{quoted(entry)} is not one value of {what}", hint=choices)
    return float(matches[0])


def _spelled_days(entry: str, what: str) -> float:
    word = entry.casefold()
    if word in ("none", "all"):
        return float(0 if word == "none" else (1 << len(DAYS)) - 1)
    if _NUMBER.fullmatch(entry) is not None:
        number = _as_number(entry, what)
        if number != int(number) or not 0 <= number < 1 << len(DAYS):
            raise UsageError(f"{what} is from 0 to 127, not {quoted(entry)}", hint="bit 0 is Monday")
        return number
    bits = 0
    for day in word.split(","):
        if day.strip()[:3] not in DAYS:
            raise UsageError(f"{quoted(day)} is not a day, for {what}", hint="mon,tue,wed,thu,fri,sat,sun")
        bits |= 1 << DAYS.index(day.strip()[:3])
    return float(bits)
