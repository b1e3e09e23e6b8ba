"""Messages and signals in a ``--where`` expression, as predicates on batches.

A signal is compared by its raw value, in a kernel: the bounds of the physical value are converted once, with
exact arithmetic on the decimal factor of the database, so that ``Speed eq 0.3`` is true of the raw value 3
with the factor 0.1.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, isnan

from cantools_cli.decoding.columns import Decoder, Plan, SignalColumn
from cantools_cli.decoding.databases import Databases
from cantools_cli.decoding.model import MessageSpec, SignalSpec
from cantools_cli.filtering.filters import FrameFilter, IdTest
from cantools_cli.filtering.predicates import Predicate
from cantools_cli.filtering.where_memory import Memory
from cantools_cli.filtering.where_signals import Bounds
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.bits import CAN_EFF_FLAG, CAN_EFF_MASK, CAN_RTR_FLAG
from cantools_cli.kernels import where as kernel

_INT64_MIN, _INT64_MAX = -(1 << 63), (1 << 63) - 1
_WORD_BITS = CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_EFF_MASK


class DatabaseSignals:
    """The messages and signals of databases, for expressions; see ``Signals``."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._decoder = Decoder(databases)

    def signal(self, message: str, signal: str) -> _SignalTests:
        found = self._databases.find_signal(message, signal)
        return _SignalTests(self._decoder, [*{id(one): (spec, one) for _, spec, one in found}.values()])

    def message(self, name: str, *, outside: bool) -> Predicate:
        messages = tuple(spec for _, spec in self._databases.find(name))
        return MessageTest(self._decoder, messages, outside)

    def known(self) -> Predicate:
        return MessageTest(self._decoder, None)


class _SignalTests:
    """Makes the tests of signals of the same name, one per database."""

    def __init__(self, decoder: Decoder, found: Sequence[tuple[MessageSpec, SignalSpec]]) -> None:
        self._decoder = decoder
        self._found = found

    @property
    def names(self) -> Iterable[str]:
        return dict.fromkeys(name for _, signal in self._found for name in signal.choices.values())

    def between(self, bounds: Bounds) -> Predicate:
        return self._test([_spans(signal, bounds) for _, signal in self._found], bounds.outside)

    def named(self, name: str, *, outside: bool) -> Predicate:
        spans = [
            [Span(raw, raw) for raw, other in signal.choices.items() if other == name]
            for _, signal in self._found
        ]
        return self._test(spans, outside)

    def _test(self, spans: Sequence[Sequence[Span]], outside: bool) -> Predicate:
        parts = [
            _Part(
                _numbers(self._decoder, message), message, Plan(_needed(message, signal)), signal, tuple(each)
            )
            for (message, signal), each in zip(self._found, spans, strict=True)
        ]
        return SignalTest(self._decoder, tuple(parts), outside)


@dataclass(frozen=True)
class Span:
    """Raw values, or of a float its physical values, from ``low`` to ``high``; None is no bound."""

    low: int | Fraction | None
    high: int | Fraction | None
    includes_ends: bool = True

    def holds(self, value: float | Fraction) -> bool:
        """Return whether ``value`` is one of them; NaN never is."""
        if isinstance(value, float) and isnan(value):
            return False
        if not self.includes_ends and value in (self.low, self.high):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def _spans(signal: SignalSpec, bounds: Bounds) -> list[Span]:
    """Return the raw values of ``signal`` with physical values inside ``bounds``."""
    low, high = bounds.low, bounds.high
    if signal.is_float:
        if signal.size < 64 and signal.factor == 1 and signal.shift == 0:
            low, high = (None if end is None else _rounded(end, signal.size) for end in (low, high))
        return [Span(low, high, bounds.includes_ends)]
    factor, shift = exact(signal.factor), exact(signal.shift)
    if factor == 0:
        is_inside = Span(low, high, bounds.includes_ends).holds(shift)
        return [Span(None, None)] if is_inside else []
    ends = [None if end is None else (end - shift) / factor for end in (low, high)]
    first, last = ends if factor > 0 else reversed(ends)
    least = None if first is None else ceil(first)
    most = None if last is None else floor(last)
    if not bounds.includes_ends:
        least = None if first is None else floor(first) + 1
        most = None if last is None else ceil(last) - 1
    return [Span(least, most)]


def exact(number: float) -> Fraction:
    """Return the decimal number that ``number`` is written as, exactly."""
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def _rounded(value: Fraction, size: int) -> Fraction:
    """Return the number of 16 or 32 bits that is next to ``value``."""
    code = {16: "<e", 32: "<f"}[size]
    try:
        return Fraction(struct.unpack(code, struct.pack(code, float(value)))[0])
    except OverflowError:
        return value


def _needed(message: MessageSpec, signal: SignalSpec) -> MessageSpec:
    """Return ``message`` with ``signal`` and the signals that select it only."""
    names, each = {signal.name}, signal
    while each.selector and each.selector not in names and each.selector in message.by_name:
        each = message.by_name[each.selector]
        names.add(each.name)
    return replace(message, signals=tuple(one for one in message.signals if one.name in names))


def _numbers(decoder: Decoder, message: MessageSpec) -> tuple[int, ...]:
    """Return the numbers of ``message``; several if its database describes several scopes."""
    return tuple(number for number, (_, one) in enumerate(decoder.messages) if one is message)


@dataclass(frozen=True)
class _Part:
    """The test of a signal in the frames of one message."""

    numbers: tuple[int, ...]  #: in the decoder
    message: MessageSpec
    plan: Plan
    signal: SignalSpec
    spans: tuple[Span, ...]

    def passed(self, batch: MessageBatch, rows: array[int], begin: int, end: int, outside: bool) -> bytearray:
        """Return one byte per frame in ``rows[begin:end]``: 1 if it has the signal, and passes."""
        table = self.plan.table(batch, rows, begin, end)
        column = next(each for each in table.columns if each.signal.name == self.signal.name)
        hits = bytearray(end - begin)
        for span in self.spans:
            passed = _inside(column, span)
            hits = passed if len(self.spans) == 1 else bytearray(map(max, hits, passed))
        if outside:
            left = bytearray(column.valid)
            kernel.settle(hits, bytearray(len(left)), left)
            return left
        return hits


def _inside(column: SignalColumn, span: Span) -> bytearray:
    """Return one byte per frame: 1 if it has the signal with a value in ``span``."""
    signal, raw, valid = column.signal, column.raw, bytearray(column.valid)
    if signal.is_float:
        is_named = isinstance(span.low, int)
        values = raw if is_named else column.physical
        return bytearray(has and span.holds(value) for has, value in zip(valid, values, strict=True))
    least, most = signal.raw_limits
    low = least if span.low is None else max(least, ceil(span.low))
    high = most if span.high is None else min(most, floor(span.high))
    if low > high:
        return bytearray(len(valid))
    if isinstance(raw, list):
        return bytearray(has and low <= value <= high for has, value in zip(valid, raw, strict=True))
    if high <= _INT64_MAX:
        kernel.times(raw, low, high, False, valid)
    elif low > _INT64_MAX:  # unsigned values of 64 bits are kept with a sign
        kernel.times(raw, low - (1 << 64), high - (1 << 64), False, valid)
    elif high - (1 << 64) + 1 <= low - 1:
        kernel.times(raw, high - (1 << 64) + 1, low - 1, True, valid)
    return valid


@dataclass(frozen=True)
class _OfMessages(Predicate):
    """A test of the frames of some messages."""

    decoder: Decoder

    def _groups(self, batch: MessageBatch, memory: Memory) -> tuple[array[int], array[int]]:
        """Return what ``Decoder.grouped`` does, once for each batch."""
        if self.decoder not in memory.computed:
            memory.computed[self.decoder] = self.decoder.grouped(self.decoder.numbers(batch))
        starts, rows = memory.computed[self.decoder]
        return starts, rows


@dataclass(frozen=True)
class SignalTest(_OfMessages):
    """Tests the value of a signal; false for frames without it."""

    tests: tuple[_Part, ...]
    outside: bool = False
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        starts, rows = self._groups(batch, memory)
        marks = bytearray(len(mask))
        for part in self.tests:
            for number in part.numbers:
                begin, end = starts[number], starts[number + 1]
                if begin < end:
                    kernel.scatter(
                        rows, begin, end, part.passed(batch, rows, begin, end, self.outside), marks
                    )
        kernel.marked(marks, self.inverted, mask)

    def negated(self) -> SignalTest:
        return replace(self, inverted=not self.inverted)

    def frame_filter(self) -> FrameFilter | None:
        return None if self.inverted else _filter_of([part.message for part in self.tests])


@dataclass(frozen=True)
class MessageTest(_OfMessages):
    """Tests whether frames are of one of ``messages``; None means any message of the databases."""

    messages: tuple[MessageSpec, ...] | None
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        starts, rows = self._groups(batch, memory)
        marks, all_pass = bytearray(len(mask)), b"\1" * len(mask)
        if self.messages is None:
            kernel.scatter(rows, 0, starts[-1], all_pass, marks)
        for message in self.messages or ():
            for number in _numbers(self.decoder, message):
                kernel.scatter(rows, starts[number], starts[number + 1], all_pass, marks)
        kernel.marked(marks, self.inverted, mask)

    def negated(self) -> MessageTest:
        return replace(self, inverted=not self.inverted)

    def frame_filter(self) -> FrameFilter | None:
        return None if self.inverted or self.messages is None else _filter_of(self.messages)


def _filter_of(messages: Sequence[MessageSpec]) -> FrameFilter | None:
    """Return a filter that passes the frames of ``messages``; None if only passing everything would do."""
    if any(message.is_j1939 for message in messages):  # whose frames have many identifiers
        return None
    return FrameFilter((IdTest(_WORD_BITS, message.key, message.key) for message in messages), error_mask=0)
