"""Likely mistakes in a database, with the line of each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from cantools_cli.decoding.model import Database, MessageSpec, SignalSpec
from cantools_cli.errors import FormatError, quoted

_MAX_CLASSIC, _MAX_FD = 8, 64


def problems(database: Database) -> list[FormatError]:
    """Return the faults found while reading, and what contradicts itself, by line."""
    found = [*database.faults]
    for message in database.messages:
        found += (
            FormatError(
                f"message {quoted(message.name)}: {text}", source=database.source, position=line or None
            )
            for line, text in _of_message(message)
        )
    found += (
        FormatError(text, source=database.source, position=line or None) for line, text in _names(database)
    )
    return sorted(found, key=lambda fault: (fault.source or "", fault.position or 0))


def bits_of(signal: SignalSpec) -> range:
    """Return the places of the bits: byte * 8 + bit for little endian, byte * 8 + 7 - bit for big endian."""
    return range(signal.start, signal.start + signal.size)


def places(signal: SignalSpec) -> list[int]:
    """Return the bits, lowest first, each as byte * 8 + bit, where bit 0 is the lowest of its byte."""
    if signal.is_big_endian:
        return [place - place % 8 + 7 - place % 8 for place in reversed(bits_of(signal))]
    return [*bits_of(signal)]


def exclude_each_other(message: MessageSpec, one: SignalSpec, other: SignalSpec) -> bool:
    """Return whether no frame has both signals, since a multiplexer selects either of them."""
    conditions = dict(_conditions(message, one))
    for selector, ranges in _conditions(message, other):
        if selector in conditions and not any(
            low <= high_ and low_ <= high for low, high in ranges for low_, high_ in conditions[selector]
        ):
            return True
    return False


def _conditions(
    message: MessageSpec, signal: SignalSpec
) -> Iterator[tuple[str, tuple[tuple[int, int], ...]]]:
    """Yield each selector on which ``signal`` depends, with the values that select it."""
    seen: set[str] = set()
    while signal.selector and signal.selector not in seen:
        seen.add(signal.selector)
        yield signal.selector, signal.selected_by
        if signal.selector not in message.by_name:
            return
        signal = message.by_name[signal.selector]


def _of_message(message: MessageSpec) -> Iterator[tuple[int, str]]:
    limit = _MAX_FD if message.is_fd else _MAX_CLASSIC
    if message.length > limit and not message.is_j1939 and not message.contained:
        yield message.line, f"{message.length} bytes, but its frames have at most {limit}"
    for signal in message.signals:
        for text in _of_signal(message, signal):
            yield signal.line or message.line, f"signal {quoted(signal.name)} {text}"
    yield from _overlaps(message)


def _of_signal(message: MessageSpec, signal: SignalSpec) -> Iterator[str]:
    if message.length and signal.end > message.length:
        yield f"ends in byte {signal.end - 1}, but the message has {message.length} bytes"
    low, high = signal.minimum, signal.maximum
    if low is not None and high is not None and low > high:
        yield f"has the minimum {low} above the maximum {high}"
    elif not signal.is_float:
        least, most = sorted(signal.value(raw) for raw in signal.raw_limits)
        if low is not None and low > most:
            yield f"has the minimum {low}, but its bits hold at most {most}"
        elif high is not None and high < least:
            yield f"has the maximum {high}, but its bits hold at least {least}"
    first, last = signal.raw_limits
    outside = [raw for raw in signal.choices if not signal.is_float and not first <= raw <= last]
    if outside:
        yield f"has a name for {outside[0]}, but its bits hold {first} to {last}"
    selector = message.by_name.get(signal.selector)
    if signal.selector and selector is None:
        yield f"is selected by {quoted(signal.selector)}, which is not in the message"
    elif selector is not None:
        least_raw, most_raw = selector.raw_limits
        for begin, end in signal.selected_by:
            if begin > most_raw or end < least_raw:
                yield f"is selected by {quoted(selector.name)} {begin}, which its bits cannot hold"


def _overlaps(message: MessageSpec) -> Iterator[tuple[int, str]]:
    sets = [set(places(signal)) for signal in message.signals]
    owners: dict[int, list[int]] = {}
    for index, bits in enumerate(sets):
        for bit in bits:
            owners.setdefault(bit, []).append(index)
    pairs = {pair for indexes in owners.values() for pair in combinations(indexes, 2)}
    for first, second in sorted(pairs):
        one, other = message.signals[first], message.signals[second]
        if not exclude_each_other(message, one, other):
            bit = min(sets[first] & sets[second])
            text = f"signal {quoted(other.name)} overlaps {quoted(one.name)}"
            yield other.line or message.line, f"{text} in byte {bit // 8}, bit {bit % 8}"


def _names(database: Database) -> Iterator[tuple[int, str]]:
    """Yield what two messages share: a name, or a parameter group and source of SAE J1939."""
    names: dict[str, MessageSpec] = {}
    groups: dict[tuple[int, int], MessageSpec] = {}
    for message in database.messages:
        other = names.setdefault(message.name, message)
        if other is not message:
            place = f", line {other.line}" if other.line else ""
            yield message.line, f"message {quoted(message.name)} has the name of another{place}"
        if message.is_j1939:
            other = groups.setdefault((message.pgn, message.arbitration_id & 0xFF), message)
            if other is not message:
                text = f"message {quoted(message.name)} has the parameter group {message.pgn:05X}"
                yield message.line, f"{text} and the source of {quoted(other.name)}"
