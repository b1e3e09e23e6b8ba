"""What differs between two databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cantools_cli.decoding.model import Database, MessageSpec, SignalSpec

_OF_MESSAGES = (
    *("name", "arbitration_id", "is_extended_id", "length", "is_fd", "is_j1939", "cycle_time", "senders"),
    "comment",
)
_OF_SIGNALS = (
    *("start", "size", "is_big_endian", "is_signed", "is_float", "factor", "shift", "minimum", "maximum"),
    *("unit", "choices", "is_selector", "selector", "selected_by", "start_value", "receivers", "spn"),
    "comment",
)


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        signal: "" for one of the message itself.
        what: ``added``, ``removed`` or the name of the attribute.
        before, after: the values of the attribute.
    """

    message: str
    signal: str
    what: str
    before: Any = None
    after: Any = None


def differences(before: Database, after: Database) -> Iterator[Difference]:
    """Yield what differs. Messages correspond by identifier, others by name; signals correspond by name."""
    old, new = dict(before.by_key), dict(after.by_key)
    pairs = [(old.pop(key), new.pop(key)) for key in [*old] if key in new]
    by_name = {message.name: key for key, message in new.items()}
    for key, message in [*old.items()]:
        if message.name in by_name:
            pairs.append((old.pop(key), new.pop(by_name.pop(message.name))))
    for message in old.values():
        yield Difference(message.name, "", "removed")
    for message in new.values():
        yield Difference(message.name, "", "added")
    for one, other in pairs:
        yield from _of_messages(one, other)


def _of_messages(one: MessageSpec, other: MessageSpec) -> Iterator[Difference]:
    name = one.name
    yield from _of_attributes(name, "", _OF_MESSAGES, one, other)
    for signal in one.by_name:
        if signal not in other.by_name:
            yield Difference(name, signal, "removed")
        else:
            pair = one.by_name[signal], other.by_name[signal]
            yield from _of_attributes(name, signal, _OF_SIGNALS, *pair)
    for signal in other.by_name:
        if signal not in one.by_name:
            yield Difference(name, signal, "added")


def _of_attributes(
    message: str,
    signal: str,
    names: tuple[str, ...],
    one: MessageSpec | SignalSpec,
    other: MessageSpec | SignalSpec,
) -> Iterator[Difference]:
    for name in names:
        before, after = getattr(one, name), getattr(other, name)
        if before != after:
            yield Difference(message, signal, name, before, after)
