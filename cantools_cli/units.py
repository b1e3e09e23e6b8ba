"""Numbers with units on the command line: ``200ms``, ``500k``, ``100MB``, ``30%``.

Numbers are decimal and exact, without exponents, signs and inner blanks. An error quotes the text, and its
hint lists the accepted forms.
"""

from __future__ import annotations

import re

from cantools_cli.errors import UsageError, quoted

_NUMBER = re.compile(r"(?P<whole>[0-9]{0,18})(?:\.(?P<fraction>[0-9]{0,18}))?(?P<unit>[^0-9.].*)?", re.DOTALL)

_NANOSECONDS = {
    "": 1_000_000_000,
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_THOUSANDS = {"": 1, "k": 1_000, "K": 1_000, "M": 1_000_000}
_BYTES = {"": 1, "B": 1}
for _power, _prefixes in enumerate(("kK", "M", "G", "T"), start=1):
    for _prefix in _prefixes:
        _BYTES[_prefix] = _BYTES[f"{_prefix}B"] = 1000**_power
        _BYTES[f"{_prefix}i"] = _BYTES[f"{_prefix}iB"] = 1024**_power
_MAX_NS = (1 << 63) - 1

_DURATIONS = "seconds, or a number with a unit: 250us, 200ms, 5s, 10m, 2h"
#: options whose bare numbers are milliseconds in can-utils
_MILLISECONDS_IN = {"-T": "candump uses", "-g": "cangen uses"}


def duration_ns(text: str) -> int:
    """Return the nanoseconds of ``1.5`` (seconds), ``250us``, ``200ms``, ``5s``, ``10m``, ``2h``."""
    number, parts = _scaled(text, _NANOSECONDS, "duration", _DURATIONS)
    nanoseconds = (2 * number + parts) // (2 * parts)
    if nanoseconds > _MAX_NS:
        raise UsageError(f"duration {quoted(text)} exceeds 292 years")
    return nanoseconds


def duration(text: str) -> float:
    """Return the seconds of a duration, which ``duration_ns`` describes."""
    return duration_ns(text) / 1_000_000_000


def milliseconds_must_have_unit(text: str, option: str) -> float:
    """Return the seconds of the duration ``text``, which must have a unit unless it is 0.

    For an ``option`` whose bare number is milliseconds in other CAN tools.
    """
    seconds = duration(text)
    number = text.strip()
    if seconds and number[-1] in "0123456789.":
        others = _MILLISECONDS_IN.get(option, "other CAN tools use")
        raise UsageError(
            f"{option} {number} has no unit: {others} milliseconds, canx uses seconds by default",
            hint=f"{option} {number}ms or {option} {number}s",
        )
    return seconds


def bitrate(text: str) -> int:
    """Return the bit/s of ``500000``, ``500k``, ``83.333k`` or ``1M``."""
    forms = "bit/s, or with k or M: 500000, 500k, 83.333k, 1M"
    number, parts = _scaled(text, _THOUSANDS, "bit rate", forms)
    if not number or number % parts:
        raise UsageError(f"bit rate {quoted(text)} is not a positive whole number", hint=forms)
    return number // parts


def size(text: str) -> int:
    """Return the bytes of ``4096``, ``100k``, ``100MB`` (thousands) or ``64KiB``, ``1GiB`` (1024)."""
    forms = "bytes, or with a unit: 500kB, 100MB, 2GB, 64KiB, 100MiB"
    number, parts = _scaled(text, _BYTES, "size", forms)
    if number % parts:
        raise UsageError(f"size {quoted(text)} is not a whole number of bytes", hint=forms)
    return number // parts


def rate(text: str) -> float:
    """Return the frames per second of ``1000``, ``2.5``, ``10k`` or ``1000/s``."""
    forms = "frames/s: 1000, 2.5, 10k, 1000/s"
    number, parts = _scaled(text.strip().removesuffix("/s"), _THOUSANDS, "rate", forms)
    if not number:
        raise UsageError(f"rate {quoted(text)} must be greater than 0", hint=forms)
    return number / parts


def percentage(text: str) -> float:
    """Return ``30%``, or ``30``, as 0.3."""
    forms = "0 to 100, with or without %"
    number, parts = _scaled(text, {"": 1, "%": 1}, "percentage", forms)
    if number > 100 * parts:
        raise UsageError(f"percentage {quoted(text)} exceeds 100", hint=forms)
    return number / (100 * parts)


def _scaled(text: str, units: dict[str, int], what: str, forms: str) -> tuple[int, int]:
    """Return the number in ``text`` times its unit, as numerator and denominator."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None or not (match["whole"] or match["fraction"]):
        raise UsageError(f"bad {what} {quoted(text)}", hint=forms)
    name = (match["unit"] or "").lstrip(" ")
    unit = units.get(name)
    if unit is None:
        raise UsageError(f"bad {what} {quoted(text)}: unknown unit {quoted(name)}", hint=forms)
    fraction = match["fraction"] or ""
    return int(match["whole"] + fraction) * unit, 10 ** len(fraction)
