"""The tests of a ``--where`` expression as a tree of predicates, each applied to a whole batch.

A predicate clears rows in a mask of the rows that passed so far. ``and`` is therefore evaluated from left to
right, and ``every`` counts only the frames that reach it. ``not`` has no node of its own: ``negated`` pushes
the negation down to the individual tests. Error frames have no identifier to compare: they pass a test of the
identifier and its negation, so that such a test never loses error frames.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cantools_cli.filtering.filters import ALL_ERRORS, EVERYTHING, NOTHING, FrameFilter, IdTest, conjunction
from cantools_cli.filtering.where_memory import Memory
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import where as kernel

_FIRST_NS, _LAST_NS = -(1 << 63), (1 << 63) - 1
NEVER = (1, 0)  #: an empty range


class Predicate(ABC):
    """A test of frames."""

    @abstractmethod
    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        """Clear the entries of ``mask`` whose frames do not pass."""

    @abstractmethod
    def negated(self) -> Predicate:
        """Return the negation."""

    def frame_filter(self) -> FrameFilter | None:
        """Return a filter that passes at least the same frames; None if only passing everything would do."""
        return None

    def parts(self) -> Sequence[Predicate]:
        """Return the operands of ``and`` and ``or``."""
        return ()

    def has(self, *kinds: type[Predicate]) -> bool:
        """Return whether the tree contains a predicate of one of ``kinds``."""
        return isinstance(self, kinds) or any(part.has(*kinds) for part in self.parts())


class _Invertible(Predicate):
    """A test whose negation differs only in the field ``inverted``."""

    inverted: bool

    def negated(self) -> Predicate:
        return replace(self, inverted=not self.inverted)  # type: ignore[type-var]  # subclasses are dataclasses


@dataclass(frozen=True)
class Words(Predicate):
    """Tests the identifier word.

    ``errors`` decides for all error frames; with ``is_open`` the negation treats them the same.
    """

    test: IdTest
    errors: bool
    is_open: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        kernel.words(batch.can_id, *self.test, self.errors, mask)

    def negated(self) -> Words:
        test = self.test
        if test.low == test.high and test.mask.bit_count() == 1:  # a comparison merges, an inversion does not
            test = IdTest(test.mask, test.low ^ test.mask, test.high ^ test.mask, test.inverted)
        else:
            test = test._replace(inverted=not test.inverted)
        return Words(test, self.errors if self.is_open else not self.errors, self.is_open)

    def frame_filter(self) -> FrameFilter:
        return FrameFilter((self.test,), error_mask=ALL_ERRORS if self.errors else 0)


@dataclass(frozen=True)
class ByteColumn(_Invertible):
    """Tests the column ``flags`` or ``dlc_code``."""

    column: str
    bits: int
    low: int
    high: int
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        column = batch.flags if self.column == "flags" else batch.dlc_code
        kernel.octets(column, self.bits, self.low, self.high, self.inverted, mask)


@dataclass(frozen=True)
class Length(_Invertible):
    """Tests the length in bytes; of a remote frame the requested length."""

    low: int
    high: int
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        columns = (batch.can_id, batch.dlc_code, batch.offset)
        kernel.lengths(*columns, self.low, self.high, self.inverted, mask)


@dataclass(frozen=True)
class Data(_Invertible):
    """Tests bytes of the data as an integer; false if the frame is too short."""

    begin: int
    end: int
    little: bool
    bits: int
    low: int
    high: int
    outside: bool = False
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        test = (self.begin, self.end, self.little, self.bits, self.low, self.high, self.outside)
        kernel.data(batch.offset, batch.payload, *test, self.inverted, mask)


@dataclass(frozen=True)
class Payload(_Invertible):
    """Tests whether the data equals, or with ``anywhere`` contains, ``pattern``; false for remote frames."""

    pattern: bytes
    anywhere: bool = False
    outside: bool = False
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        columns = (batch.can_id, batch.offset, batch.payload)
        kernel.payloads(*columns, self.pattern, self.anywhere, self.outside, self.inverted, mask)


@dataclass(frozen=True)
class Channels(_Invertible):
    """Tests the channel by name; the name of channel number 1 is ``1``. Frames without a channel fail."""

    names: tuple[str, ...]
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        matches = [channel is not None and str(channel) in self.names for channel in batch.channels]
        kernel.channels(batch.channel, bytes(match != self.inverted for match in matches), mask)


@dataclass(frozen=True)
class Times(_Invertible):
    """Tests the timestamp in nanoseconds since the epoch, or since the first frame with ``since_first``."""

    low: int
    high: int
    since_first: bool
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        base = (memory.first_ns or 0) if self.since_first else 0
        low, high = self.low + base, self.high + base
        if low > min(high, _LAST_NS) or high < _FIRST_NS:
            low, high = NEVER
        kernel.times(batch.timestamp_ns, max(low, _FIRST_NS), min(high, _LAST_NS), self.inverted, mask)


@dataclass(frozen=True)
class Changed(_Invertible):
    """Tests whether the data differs from that of the last frame of the same identifier, kind and channel."""

    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        kernel.marked(memory.marks, self.inverted, mask)


@dataclass(frozen=True)
class Gaps(_Invertible):
    """Tests the time since the last frame of the same identifier, kind and channel, or its mean.

    False for the first such frame.
    """

    is_mean: bool
    low: int
    high: int
    outside: bool = False
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        times = memory.period_ns if self.is_mean else memory.gap_ns
        passed = bytearray(mask)
        kernel.times(times, max(self.low, 0), self.high, False, passed)
        if self.outside:
            within = passed
            passed = bytearray(mask)
            kernel.times(times, 0, _LAST_NS, False, passed)
            kernel.settle(within, bytearray(len(mask)), passed)
        if self.inverted:
            kernel.settle(passed, bytearray(len(mask)), mask)
        else:
            mask[:] = passed


@dataclass
class Every(_Invertible):
    """Passes the first frame that reaches it and every ``step``-th after that."""

    step: int
    inverted: bool = False
    count: int = 0

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        self.count = kernel.every(self.step, self.count, self.inverted, mask)


@dataclass(frozen=True)
class _Joined(Predicate):
    """Several predicates."""

    predicates: tuple[Predicate, ...]

    def parts(self) -> Sequence[Predicate]:
        return self.predicates


class AllOf(_Joined):
    """Passes frames that pass all predicates, evaluated from left to right."""

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        for predicate in self.predicates:
            predicate.narrow(batch, memory, mask)
            if 1 not in mask:
                return

    def negated(self) -> AnyOf:
        return AnyOf(tuple(predicate.negated() for predicate in self.predicates))

    def frame_filter(self) -> FrameFilter | None:
        """Combine the filters up to the first ``every``, which has to count what later tests drop."""
        filters: list[FrameFilter] = []
        for predicate in self.predicates:
            if (part := predicate.frame_filter()) is not None:
                filters.append(part)
            if predicate.has(Every):
                break
        return conjunction(filters)


class AnyOf(_Joined):
    """Passes frames that pass one of the predicates; the next one sees only frames that have not passed."""

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        union, left = bytearray(len(mask)), bytearray(mask)
        for predicate in self.predicates:
            passed = bytearray(left)
            predicate.narrow(batch, memory, passed)
            kernel.settle(passed, union, left)
            if 1 not in left:
                break
        mask[:] = union

    def negated(self) -> AllOf:
        return AllOf(tuple(predicate.negated() for predicate in self.predicates))

    def frame_filter(self) -> FrameFilter | None:
        tests: list[IdTest] = []
        error_mask = 0
        for predicate in self.predicates:
            part = predicate.frame_filter()
            if part is None:
                return None
            error_mask |= part.error_mask
            tests += (part.tests[:1] if part.join else part.tests) or [EVERYTHING]
        result = FrameFilter(tests or [NOTHING], error_mask=error_mask)
        return None if EVERYTHING in tests and error_mask == ALL_ERRORS else result
