"""The names of series on the command line: signals, bytes of an identifier, and figures of frames.

::

    Engine.Speed            a signal of the database; Speed alone if it is clear, or any pattern: 'Engine.*'
    123[2]  00000123[2:4]   bytes of an identifier of 3 or 8 digits, from 2 up to 4, as a big-endian number
    123[2:4],le,signed,factor=0.1,offset=-40,unit=V,name=Voltage
    rate  rate:123          frames per second, of all frames or of an identifier
    load                    share of the time that the bus is busy
    period:123              time between two frames of an identifier
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from cantools_cli.decoding.model import Database, MessageSpec, SignalSpec, unknown
from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.bits import CAN_EFF_FLAG

FORMS = "Message.Signal, 123[0:2], rate, rate:123, load, period:123"
_BYTES = re.compile(
    r"(?P<id>[0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})\[(?P<first>\d+)(?::(?P<end>\d*))?\](?:,(?P<more>.*))?"
)
_ID = re.compile(r"[0-9A-Fa-f]{8}|[0-9A-Fa-f]{3}")
_FIGURES = ("rate", "load", "period")
_LONGEST = 2048  # bytes of a CAN XL frame
_MOST_BYTES = 8


@dataclass(frozen=True)
class Figure:
    """A figure of frames: ``kind`` is rate, load or period, ``key`` the identifier word or None for all."""

    kind: str
    key: int | None = None
    label: str = ""


@dataclass
class Wanted:
    """What to plot.

    Attributes:
        signals: the messages of the database with the signals wanted, and those that select them.
        names: (message, signal) of those wanted.
        octets: messages made of byte values.
    """

    signals: list[MessageSpec] = field(default_factory=list)
    names: set[tuple[str, str]] = field(default_factory=set)
    octets: list[MessageSpec] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.names) + sum(len(message.signals) for message in self.octets) + len(self.figures)


def parse(words: Sequence[str], database: Database | None) -> Wanted:
    """Return what the names ``words`` mean; none of them mean all signals, or without a database the rate."""
    wanted = Wanted()
    chosen: dict[str, set[str]] = {}
    if not words and database is not None:
        chosen = {message.name: set(message.by_name) for message in database.messages if message.signals}
    elif not words:
        wanted.figures.append(Figure("rate", label="rate"))
    for word in words:
        match = _BYTES.fullmatch(word)
        kind = word.partition(":")[0]
        if match is not None:
            _add_octets(wanted.octets, word, match)
        elif kind in _FIGURES and (database is None or kind == word or ":" in word):
            figure = _figure(word, database)
            if figure not in wanted.figures:
                wanted.figures.append(figure)
        else:
            for message, signal in _signals(word, database):
                chosen.setdefault(message, set()).add(signal)
    if database is not None:
        for name, signals in chosen.items():
            wanted.signals.append(_reduced(database.by_name[name], signals))
            wanted.names |= {(name, signal) for signal in signals}
        wanted.signals += _of_same_groups(wanted.signals, database)
    return wanted


def _of_same_groups(messages: Sequence[MessageSpec], database: Database) -> list[MessageSpec]:
    """Return the others of the parameter groups of ``messages``, without signals: they keep their frames."""
    groups = {message.pgn for message in messages if message.is_j1939}
    names = {message.name for message in messages}
    return [
        replace(other, signals=())
        for other in database.messages
        if other.is_extended_id and other.pgn in groups and other.name not in names
    ]


def _figure(word: str, database: Database | None) -> Figure:
    kind, _, name = word.partition(":")
    if not name:
        if kind == "period":
            raise UsageError(f"{quoted(word)} needs an identifier", hint="period:123")
        return Figure(kind, label=kind)
    if kind == "load":
        raise UsageError(f"{quoted(word)}: the load is that of a bus", hint="load, or rate:123")
    if database is not None and name in database.by_name:
        return Figure(kind, database.by_name[name].key, f"{kind} {name}")
    if not _ID.fullmatch(name):
        if database is not None:
            raise unknown(f"{database.source} has no message", name, database.by_name)
        raise UsageError(f"bad identifier {quoted(name)} in {quoted(word)}", hint="3 or 8 hexadecimal digits")
    return Figure(kind, _key(name), f"{kind} {name.upper()}")


def _key(text: str) -> int:
    """Return the identifier word of 3 or 8 digits."""
    value, limit = int(text, 16), 0x7FF if len(text) == 3 else 0x1FFFFFFF
    if value > limit:
        raise UsageError(f"identifier {quoted(text)} exceeds {limit:X}")
    return value | (CAN_EFF_FLAG if len(text) == 8 else 0)


def _add_octets(messages: list[MessageSpec], word: str, match: re.Match[str]) -> None:
    """Add the signal that ``word`` describes to the message of its identifier."""
    key, first = _key(match["id"]), int(match["first"])
    end = first + 1 if match["end"] is None else int(match["end"] or 0)
    if not first < end <= min(first + _MOST_BYTES, _LONGEST):
        raise UsageError(
            f"bad bytes in {quoted(word)}: 1 to {_MOST_BYTES}, the end is not included",
            hint="123[2] or 123[2:4]",
        )
    spec = SignalSpec(word, 8 * first, 8 * (end - first), is_big_endian=True)
    for part in (match["more"] or "").split(",") if match["more"] is not None else ():
        spec = _with_option(spec, part, word)
    for index, message in enumerate(messages):
        if message.key == key:
            if spec.name not in message.by_name:
                messages[index] = replace(
                    message, signals=(*message.signals, spec), length=max(message.length, end)
                )
            return
    is_extended = bool(key & CAN_EFF_FLAG)
    messages.append(MessageSpec(match["id"].upper(), key & ~CAN_EFF_FLAG, is_extended, end, (spec,)))


def _with_option(spec: SignalSpec, part: str, word: str) -> SignalSpec:
    name, mark, value = part.partition("=")
    if part in ("le", "be"):
        return replace(spec, is_big_endian=part == "be")
    if part == "signed":
        return replace(spec, is_signed=True)
    if part == "float":
        if spec.size not in (16, 32, 64):
            raise UsageError(f"{quoted(word)}: a float has 2, 4 or 8 bytes")
        return replace(spec, is_float=True)
    if mark and name in ("unit", "name"):
        return replace(spec, unit=value) if name == "unit" else replace(spec, name=value)
    if mark and name in ("factor", "offset"):
        try:
            number = float(value)
        except ValueError:
            raise UsageError(f"bad number {quoted(value)} in {quoted(word)}") from None
        return replace(spec, factor=number) if name == "factor" else replace(spec, shift=number)
    raise UsageError(
        f"unknown option {quoted(part)} in {quoted(word)}",
        hint="le, be, signed, float, factor=, offset=, unit=, name=",
    )


def _signals(word: str, database: Database | None) -> list[tuple[str, str]]:
    """Return (message, signal) of all signals that ``word`` means."""
    if database is None:
        raise UsageError(f"{quoted(word)} needs a database", hint=f"--dbc FILE; without one: {FORMS[16:]}")
    message_part, mark, signal_part = word.rpartition(".")
    patterns = (message_part if mark else "*", signal_part)
    found = [
        (message.name, signal.name)
        for message, signal in database.signals()
        if fnmatchcase(message.name, patterns[0]) and fnmatchcase(signal.name, patterns[1])
    ]
    if not found and not mark and word in database.by_name:
        found = [(word, signal.name) for signal in database.by_name[word].signals]
    if found:
        return found
    if mark and "*" not in message_part:
        database.message(message_part).signal(signal_part)  # raises, with similar names
    known = {signal.name: signal for _, signal in database.signals()}
    raise unknown(f"{database.source} has no signal", word, {**known, **database.by_name})


def _reduced(message: MessageSpec, signals: set[str]) -> MessageSpec:
    """Return ``message`` with only ``signals`` and those that select them."""
    needed = set(signals)
    while True:
        selectors = {signal.selector for signal in message.signals if signal.name in needed} - {""}
        if selectors <= needed:
            break
        needed |= selectors
    return replace(message, signals=tuple(signal for signal in message.signals if signal.name in needed))
