"""Values of signals to the data of frames, exactly.

A physical value becomes the nearest raw value; one halfway between two becomes the even one. A factor or
shift such as 0.1 is the decimal number, not the binary one closest to it. A float signal gets the nearest
number of its size.

Source: IEEE 754-2019 (rounding, 16, 32 and 64 bits).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import inf, isfinite

from cantools_cli.decoding.columns import raw_value
from cantools_cli.decoding.model import MessageSpec, Number, SignalSpec
from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.bits import FD_LENGTHS
from cantools_cli.frame.message import Message

_FLOAT_CODES = {16: ("<e", "<H"), 32: ("<f", "<I"), 64: ("<d", "<Q")}
_MAX_CLASSIC, _MAX_FD = 8, 64

#: why an unset signal has its value
LAST, START, ZERO, SELECTS = "last", "start", "zero", "selects"


def exact(number: Number) -> Fraction:
    """Return a number of a database as the decimal number that was written."""
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def raw_of(spec: SignalSpec, value: Fraction) -> Number:
    """Return the raw value nearest to a physical ``value``, a float for a float signal.

    Raises:
        UsageError: the bits cannot hold it.
    """
    raw = (value - exact(spec.shift)) / exact(spec.factor)
    if spec.is_float:
        return _nearest_float(spec, raw)
    whole = round(raw)
    check_fits(spec, whole)
    return whole


def check_fits(spec: SignalSpec, raw: int) -> None:
    """Refuse a raw value that the bits of a signal cannot hold."""
    low, high = spec.raw_limits
    if not low <= raw <= high:
        limits = sorted(exact(spec.factor) * limit + exact(spec.shift) for limit in (low, high))
        least, most = (decimal(limit) for limit in limits)
        unit = f" {spec.unit}" if spec.unit else ""
        kind = "signed " if spec.is_signed else ""
        raise UsageError(
            f"{kind}signal {quoted(spec.name)} has {spec.size} bits, which hold {least} to {most}{unit}"
        )


def physical(spec: SignalSpec, raw: Number) -> Fraction:
    """Return the exact physical value of a finite raw value."""
    return Fraction(raw) * exact(spec.factor) + exact(spec.shift)


def decimal(value: Fraction) -> str:
    """Return a number as text, exactly if it is short."""
    if value.denominator == 1 and abs(value) < 10**21:
        return str(value.numerator)
    return repr(float(value))


def _nearest_float(spec: SignalSpec, value: Fraction) -> float:
    """Return the number of ``spec.size`` bits nearest to ``value``, the even one of two.

    Rounding to 64 bits and then to fewer would round twice.
    """
    code, whole = _FLOAT_CODES[spec.size]
    try:
        near = float(value)
        bits = struct.unpack(whole, struct.pack(code, near))[0]
    except OverflowError:
        raise UsageError(
            f"signal {quoted(spec.name)}, a float of {spec.size} bits, cannot hold {decimal_or_huge(value)}"
        ) from None
    if spec.size == max(_FLOAT_CODES):
        return near
    found = [bits]
    found += [other for other in (bits - 1, bits + 1) if 0 <= other < 1 << spec.size]
    numbers = {other: struct.unpack(code, struct.pack(whole, other))[0] for other in found}
    finite = [other for other in found if isfinite(numbers[other])]
    best = min(finite, key=lambda other: (abs(Fraction(numbers[other]) - value), other & 1))
    return float(numbers[best])


def decimal_or_huge(value: Fraction) -> str:
    """Return a number as text, even one above the largest float."""
    try:
        return decimal(value)[:40]
    except OverflowError:
        return "so large a number"


def bits_of(spec: SignalSpec, raw: Number) -> int:
    """Return the bits of a raw value, as an integer without a sign."""
    if spec.is_float:
        code, whole = _FLOAT_CODES[spec.size]
        return int(struct.unpack(whole, struct.pack(code, raw))[0])
    return int(raw) & ((1 << spec.size) - 1)


def put(spec: SignalSpec, raw: Number, data: bytearray) -> None:
    """Set the bits of a signal in ``data``, which is long enough."""
    first, lead = spec.start >> 3, spec.start & 7
    width = lead + spec.size + 7 >> 3
    place = 8 * width - lead - spec.size if spec.is_big_endian else lead
    order = "big" if spec.is_big_endian else "little"
    word = int.from_bytes(data[first : first + width], order)  # type: ignore[arg-type]  # one of its literals
    word &= ~(((1 << spec.size) - 1) << place)
    word |= bits_of(spec, raw) << place
    data[first : first + width] = word.to_bytes(width, order)  # type: ignore[arg-type]  # one of its literals


def taken(spec: SignalSpec, data: bytes | bytearray) -> Number:
    """Return the raw value of a signal in ``data``, which is long enough."""
    if not spec.is_float:
        return raw_value(spec, bytes(data))
    code, whole = _FLOAT_CODES[spec.size]
    bits = raw_value(replace(spec, is_signed=False), bytes(data))
    return float(struct.unpack(code, struct.pack(whole, bits))[0])


def selects(spec: SignalSpec, raw: Number) -> bool:
    """Return whether the raw value of its selector selects ``spec``."""
    return any(low <= raw <= high for low, high in spec.selected_by)


@dataclass
class Filled:
    """The raw values of all signals in a frame.

    Attributes:
        raws: by name, of the signals that the multiplexers select.
        origins: of the signals that were not given, why they have their value: ``LAST``, ``START``,
            ``ZERO``, or ``SELECTS`` for a multiplexer whose value selects a given signal.
        data: the frame.
    """

    raws: dict[str, Number] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)


def fill(message: MessageSpec, given: Mapping[str, Number], last: bytes | None = None) -> Filled:
    """Return a frame with the ``given`` raw values; other signals have those of the frame ``last``.

    A signal that ``last`` does not have gets its start value, or zero without one. Bits that belong to no
    signal are those of ``last``, or zero.

    Raises:
        UsageError: the given signals are never in the same frame, or outside the message.
    """
    needed = _needed(message, given)
    filled = Filled(data=bytearray(message.length))
    before = {} if last is None else _all_raws(message, last)
    if last is not None:
        filled.data[: len(last)] = last[: message.length]
    chosen: dict[str, SignalSpec] = {}  # of two signals of one name, the one that is selected
    for spec in message.ordered:
        if spec.end > message.length:
            if spec.name in given:
                raise UsageError(f"signal {quoted(spec.name)} is outside of message {quoted(message.name)}")
            continue
        selector = message.by_name.get(spec.selector)
        if selector is not None and not selects(spec, filled.raws.get(selector.name, inf)):
            continue
        filled.raws[spec.name] = _chosen(spec, given, before, needed.get(spec.name), filled.origins)
        chosen[spec.name] = spec
    for spec in message.signals:  # what the multiplexers no longer select
        if chosen.get(spec.name) is not spec and spec.name in before and spec.end <= message.length:
            put(spec, 0.0 if spec.is_float else 0, filled.data)
    for name, raw in filled.raws.items():
        put(chosen[name], raw, filled.data)
    return filled


def _chosen(
    spec: SignalSpec,
    given: Mapping[str, Number],
    before: Mapping[str, Number],
    needed: list[tuple[int, int]] | None,
    origins: dict[str, str],
) -> Number:
    """Return the raw value of one signal, and record its origin unless it is given."""
    if spec.name in given:
        return given[spec.name]
    raw, origin = (before[spec.name], LAST) if spec.name in before else _start(spec)
    if needed is not None and not any(low <= raw <= high for low, high in needed):
        raw, origin = min(low for low, _ in needed), SELECTS
    origins[spec.name] = origin
    return raw


def _start(spec: SignalSpec) -> tuple[Number, str]:
    start = spec.start_value
    if start is not None:
        if spec.is_float:
            try:
                return _nearest_float(spec, exact(start)), START
            except UsageError:  # the database has a larger one than its bits hold
                return 0.0, ZERO
        low, high = spec.raw_limits
        if low <= round(start) <= high:
            return round(start), START
    return 0.0 if spec.is_float else 0, ZERO


def _needed(message: MessageSpec, given: Mapping[str, Number]) -> dict[str, list[tuple[int, int]]]:
    """Return the ranges of each multiplexer with which all given signals are there."""
    needed: dict[str, list[tuple[int, int]]] = {}
    because: dict[str, str] = {}
    for name in given:
        spec, seen = message.by_name[name], {name}
        while spec.selector and spec.selector in message.by_name and spec.selector not in seen:
            selector = spec.selector
            seen.add(selector)
            others = needed.get(selector)
            selecting = [
                span
                for one in message.signals
                if (one.name, one.selector) == (spec.name, selector)
                for span in one.selected_by
            ]
            both = selecting if others is None else _overlap(others, selecting)
            if not both:
                raise UsageError(
                    f"signals {quoted(because[selector])} and {quoted(name)} are never in one frame",
                    hint=f"{selector} selects one or the other",
                )
            if selector in given and not any(low <= given[selector] <= high for low, high in selecting):
                raise UsageError(
                    f"signal {quoted(name)} is not there with {selector}={given[selector]}",
                    hint=f"{selector}={_ranges_text(both)} selects it",
                )
            needed[selector], because[selector] = both, name
            spec = message.by_name[selector]
    return needed


def _overlap(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> list[tuple[int, int]]:
    pairs = ((max(low, least), min(high, most)) for low, high in one for least, most in other)
    return [(low, high) for low, high in pairs if low <= high]


def _ranges_text(ranges: list[tuple[int, int]]) -> str:
    return " or ".join(str(low) if low == high else f"{low}..{high}" for low, high in ranges)


def _all_raws(message: MessageSpec, data: bytes) -> dict[str, Number]:
    """Return the raw values of the signals that a frame has."""
    found: dict[str, Number] = {}
    for spec in message.ordered:
        if spec.end > len(data):
            continue
        if spec.selector in message.by_name and not selects(spec, found.get(spec.selector, inf)):
            continue
        found[spec.name] = taken(spec, data)
    return found


def most_bytes(message: MessageSpec) -> int:
    """Return how many bytes a frame of ``message`` can hold."""
    return _MAX_FD if message.is_fd else _MAX_CLASSIC


def frame(message: MessageSpec, data: bytes | bytearray) -> Message:
    """Return a frame of ``message``; CAN FD data is padded with zeros to a length that has a DLC code.

    Raises:
        UsageError: no frame holds that many bytes.
    """
    size = len(data)
    most = most_bytes(message)
    if size > most:
        raise UsageError(f"message {quoted(message.name)} has {size} bytes, but frames hold {most}")
    if message.is_fd:
        size = next(length for length in FD_LENGTHS if length >= size)
    return Message(
        arbitration_id=message.arbitration_id,
        is_extended_id=message.is_extended_id,
        is_fd=message.is_fd,
        data=bytes(data).ljust(size, b"\0"),
    )
