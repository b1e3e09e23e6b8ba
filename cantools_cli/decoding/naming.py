"""Frames written by name, and their values.

::

    Engine(Speed=1500 rpm, Gear=Third)
    Engine(Speed: 1500 rpm, Gear: Third)     as decoded frames are printed
    Engine(Gear="Third", Speed=0x2EE0)       a name in quotes; a raw value in hexadecimal
    Engine                                   no signal given

The name of a value goes before a number. A unit may be left out. The limits of the database apply to
physical values, not to raw ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, isfinite, nan

from cantools_cli.decoding.encode import check_fits, decimal, exact, physical, raw_of
from cantools_cli.decoding.model import MessageSpec, Number, SignalSpec, unknown
from cantools_cli.errors import UsageError, quoted

_HEAD = re.compile(r"\s*([^\s()=,#]+)\s*(?:\((.*)\)\s*)?", re.DOTALL)
_SIGNAL = re.compile(r"\s*([^\s=:,()]+)\s*[=:]\s*")
_PLAIN = re.compile(r"[^,]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NUMBER = re.compile(r"([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)(?:\s*(\S.*))?", re.DOTALL)
_HEX = re.compile(r"([-+]?)0[xX]([0-9a-fA-F]+)")
_SPECIAL = {"nan": nan, "inf": inf, "+inf": inf, "-inf": -inf}
_FORM = "a frame by name is written Engine(Speed=1500 rpm, Gear=Third)"


@dataclass
class NamedFrame:
    """A frame as the user named it.

    Attributes:
        raws: the raw values given, by the names of their signals.
        rounded: what cannot be sent exactly, one text per signal.
    """

    message: MessageSpec
    raws: dict[str, Number] = field(default_factory=dict)
    rounded: list[str] = field(default_factory=list)


def is_name(text: str) -> bool:
    """Return whether ``text`` is a frame by name, not one in the syntax of cansend."""
    return "#" not in text.partition("(")[0]


def parse(text: str, messages: Sequence[MessageSpec], source: str) -> NamedFrame:
    """Return the frame that ``text`` names; ``source`` names the database in errors.

    Raises:
        UsageError: ``text`` is malformed, names what does not exist, or a value that is out of range.
    """
    head = _HEAD.fullmatch(text)
    if head is None:
        raise UsageError(f"malformed frame {quoted(text)}", hint=_FORM)
    by_name = {message.name: message for message in messages}
    message = by_name.get(head[1])
    if message is None:
        raise unknown(f"{source} has no message", head[1], by_name)
    found = NamedFrame(message)
    try:
        _read_signals(head[2] or "", found)
    except UsageError as error:
        raise UsageError(f"{message.name}: {error}", hint=error.hint) from None
    return found


def _read_signals(text: str, found: NamedFrame) -> None:
    place = 0
    while text[place:].strip():
        match = _SIGNAL.match(text, place)
        if match is None:
            raise UsageError(f"expected SIGNAL=VALUE at {quoted(text[place:].strip())}", hint=_FORM)
        spec = found.message.signal(match[1])
        if spec.name in found.raws:
            raise UsageError(f"signal {quoted(spec.name)} is given twice")
        value, is_quoted, place = _value_at(text, match.end(), spec)
        found.raws[spec.name] = raw = parse_value(spec, value, is_name=is_quoted)
        _note_rounding(spec, value, raw, found)


def _value_at(text: str, place: int, spec: SignalSpec) -> tuple[str, bool, int]:
    """Return the text of a value, whether it is quoted, and where the next signal begins."""
    match = _QUOTED.match(text, place)
    if match is not None:
        value, end = re.sub(r"\\(.)", r"\1", match[1]), match.end()
        rest = text[end:].lstrip()
        if rest and not rest.startswith(","):
            raise UsageError(f"expected a comma at {quoted(rest)}")
        return value, True, len(text) - len(rest) + 1 if rest else len(text)
    for name in sorted(spec.choices.values(), key=len, reverse=True):  # one may have commas
        if text.startswith(name, place):
            rest = text[place + len(name) :].lstrip()
            if not rest or rest.startswith(","):
                return name, False, len(text) - len(rest) + 1 if rest else len(text)
    plain = _PLAIN.match(text, place)
    end = plain.end() if plain else len(text)
    return text[place:end].strip(), False, end + 1


def parse_value(spec: SignalSpec, text: str, *, is_name: bool = False) -> Number:
    """Return the raw value of ``text``: the name of one, a number with or without unit, or hexadecimal.

    Raises:
        UsageError: the text is not one of these, or out of range.
    """
    raws = [raw for raw, name in spec.choices.items() if name == text]
    if raws:
        check_fits(spec, raws[0])
        return float(raws[0]) if spec.is_float else raws[0]
    if not is_name:
        hexadecimal = _HEX.fullmatch(text)
        if hexadecimal is not None:
            return _raw_hex(spec, int(hexadecimal[1] + hexadecimal[2], 16))
        number = _NUMBER.fullmatch(text)
        if number is not None:
            if number[2] and number[2] != spec.unit:
                has = f"has the unit {quoted(spec.unit)}" if spec.unit else "has no unit"
                raise UsageError(f"signal {quoted(spec.name)} {has}, not {quoted(number[2])}")
            value = Fraction(number[1])
            _check_limits(spec, value, number[1])
            return raw_of(spec, value)
        if spec.is_float and text.lower() in _SPECIAL:
            return _SPECIAL[text.lower()]
    if not spec.choices:
        raise UsageError(f"signal {quoted(spec.name)}: {quoted(text)} is not a number")
    error = unknown(f"signal {quoted(spec.name)} has no value", text, dict.fromkeys(spec.choices.values(), 0))
    names = ", ".join([*dict.fromkeys(spec.choices.values())][:8])
    raise UsageError(str(error), hint=error.hint or f"its names: {names}")


def _raw_hex(spec: SignalSpec, raw: int) -> Number:
    if spec.is_float:
        raise UsageError(f"signal {quoted(spec.name)} is a float, which has no raw value in hexadecimal")
    if spec.is_signed and 0 <= raw < 1 << spec.size and raw >> spec.size - 1:
        raw -= 1 << spec.size  # the bits of a negative number
    check_fits(spec, raw)
    return raw


def _check_limits(spec: SignalSpec, value: Fraction, text: str) -> None:
    unit = f" {spec.unit}" if spec.unit else ""
    hint = None if spec.is_float else "a raw value in hexadecimal is not limited"
    for limit, is_beyond, side in (
        (spec.minimum, spec.minimum is not None and value < exact(spec.minimum), "below the minimum"),
        (spec.maximum, spec.maximum is not None and value > exact(spec.maximum), "above the maximum"),
    ):
        if limit is not None and is_beyond:
            raise UsageError(
                f"signal {quoted(spec.name)}: {quoted(text)} is {side}, {limit}{unit}",
                hint=hint,
            )


def _note_rounding(spec: SignalSpec, text: str, raw: Number, found: NamedFrame) -> None:
    number = _NUMBER.fullmatch(text)
    if number is None or text in spec.choices.values() or not isfinite(raw):
        return
    sent = physical(spec, raw)
    given = Fraction(number[1])
    if sent != given and not (spec.is_float and float(sent) == float(given)):
        found.rounded.append(f"{found.message.name}.{spec.name}: {number[1]} is sent as {decimal(sent)}")
