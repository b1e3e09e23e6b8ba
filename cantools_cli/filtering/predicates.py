"""What a frame can be tested for, asked of whole batches: the tree that an expression becomes.

Each predicate narrows a mask of the rows that passed so far. So ``and`` asks from left to right, and what
counts frames (``every``) counts only those that get to it. There is no node for ``not``: ``negated`` goes
down to the tests, which turn round, all but one: whether an error frame has a certain identifier stays open
either way, and lets it pass, so that no test of identifiers loses error frames.
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
NEVER = (1, 0)  #: a range without any number


class Predicate(ABC):
    """A question about frames."""

    @abstractmethod
    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        """Set those entries of ``mask`` to 0 whose frames do not pass."""

    @abstractmethod
    def negated(self) -> Predicate:
        """Return the opposite."""

    def frame_filter(self) -> FrameFilter | None:
        """Return a filter that passes at least what this passes; None where only everything would do."""
        return None

    def parts(self) -> Sequence[Predicate]:
        """Return what it consists of."""
        return ()

    def has(self, *kinds: type[Predicate]) -> bool:
        """Tell whether it is, or contains, one of ``kinds``."""
        return isinstance(self, kinds) or any(part.has(*kinds) for part in self.parts())


@dataclass(frozen=True)
class Words(Predicate):
    """Tests the identifier word; of error frames all pass or none.

    ``is_open``: error frames have nothing to test, and pass also what is negated.
    """

    test: IdTest
    errors: bool
    is_open: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        kernel.words(batch.can_id, *self.test, self.errors, mask)

    def negated(self) -> Words:
        test = self.test
        if test.low == test.high and test.mask.bit_count() == 1:  # as a comparison it merges with others
            test = IdTest(test.mask, test.low ^ test.mask, test.high ^ test.mask, test.inverted)
        else:
            test = test._replace(inverted=not test.inverted)
        return Words(test, self.errors if self.is_open else not self.errors, self.is_open)

    def frame_filter(self) -> FrameFilter:
        return FrameFilter((self.test,), error_mask=ALL_ERRORS if self.errors else 0)


@dataclass(frozen=True)
class ReadBuffer(Predicate):
    """Tests the column ``flags`` or ``dlc_code``."""

    column: str
    bits: int
    low: int
    high: int
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        column = batch.flags if self.column == "flags" else batch.dlc_code
        kernel.octets(column, self.bits, self.low, self.high, self.inverted, mask)

    def negated(self) -> ReadBuffer:
        return replace(self, inverted=not self.inverted)


@dataclass(frozen=True)
class Length(Predicate):
    """Tests the length in bytes, of a remote frame the one asked for."""

    low: int
    high: int
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        columns = (batch.can_id, batch.dlc_code, batch.offset)
        kernel.lengths(*columns, self.low, self.high, self.inverted, mask)

    def negated(self) -> Length:
        return replace(self, inverted=not self.inverted)


@dataclass(frozen=True)
class Data(Predicate):
    """Tests bytes of the data as an integer; false where a frame does not have them all."""

    begin: int
    end: int
    little: bool
    bits: int
    low: int
    high: int
    outside: bool = False
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        kernel.data(
            batch.offset,
            batch.payload,
            self.begin,
            self.end,
            self.little,
            self.bits,
            self.low,
            self.high,
            self.outside,
            self.inverted,
            mask,
        )

    def negated(self) -> Data:
        return replace(self, inverted=not self.inverted)


@dataclass(frozen=True)
class Payload(Predicate):
    """Tests the whole data: ``pattern``, or with ``anywhere`` containing it; false for remote frames."""

    pattern: bytes
    anywhere: bool = False
    outside: bool = False
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        columns = (batch.can_id, batch.offset, batch.payload)
        kernel.payloads(*columns, self.pattern, self.anywhere, self.outside, self.inverted, mask)

    def negated(self) -> Payload:
        return replace(self, inverted=not self.inverted)


@dataclass(frozen=True)
class Channels(Predicate):
    """Tests the channel by its name; that of channel number 1 is ``1``, no channel has none."""

    names: tuple[str, ...]
    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        found = [channel is not None and str(channel) in self.names for channel in batch.channels]
        kernel.channels(batch.channel, bytes(one != self.inverted for one in found), mask)

    def negated(self) -> Channels:
        return replace(self, inverted=not self.inverted)


@dataclass(frozen=True)
class Times(Predicate):
    """Tests the time in nanoseconds since the epoch, or ``since_first`` since the first frame."""

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

    def negated(self) -> Times:
        return replace(self, inverted=not self.inverted)


@dataclass(frozen=True)
class Changed(Predicate):
    """Data that differs from that of the last frame of this identifier, kind and channel."""

    inverted: bool = False

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        kernel.marked(memory.marks, self.inverted, mask)

    def negated(self) -> Changed:
        return Changed(not self.inverted)


@dataclass(frozen=True)
class Gaps(Predicate):
    """Tests the time since the last frame of this identifier, kind and channel, or the mean of these times.

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

    def negated(self) -> Gaps:
        return replace(self, inverted=not self.inverted)


@dataclass
class Every(Predicate):
    """The first frame that gets here, and each ``step``-th after it."""

    step: int
    inverted: bool = False
    count: int = 0

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        self.count = kernel.every(self.step, self.count, self.inverted, mask)

    def negated(self) -> Every:
        return Every(self.step, not self.inverted)


@dataclass(frozen=True)
class AllOf(Predicate):
    """Passes what all of its parts pass, asked from left to right."""

    predicates: tuple[Predicate, ...]

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        for predicate in self.predicates:
            predicate.narrow(batch, memory, mask)
            if 1 not in mask:
                return

    def negated(self) -> AnyOf:
        return AnyOf(tuple(predicate.negated() for predicate in self.predicates))

    def parts(self) -> Sequence[Predicate]:
        return self.predicates

    def frame_filter(self) -> FrameFilter | None:
        """Leave out what is behind a count: what it drops has been counted before."""
        filters: list[FrameFilter] = []
        for predicate in self.predicates:
            if (found := predicate.frame_filter()) is not None:
                filters.append(found)
            if predicate.has(Every):
                break
        return conjunction(filters)


@dataclass(frozen=True)
class AnyOf(Predicate):
    """Passes what one of its parts passes; what one passed the next is not asked for."""

    predicates: tuple[Predicate, ...]

    def narrow(self, batch: MessageBatch, memory: Memory, mask: bytearray) -> None:
        found, left = bytearray(len(mask)), bytearray(mask)
        for predicate in self.predicates:
            passed = bytearray(left)
            predicate.narrow(batch, memory, passed)
            kernel.settle(passed, found, left)
            if 1 not in left:
                break
        mask[:] = found

    def negated(self) -> AllOf:
        return AllOf(tuple(predicate.negated() for predicate in self.predicates))

    def parts(self) -> Sequence[Predicate]:
        return self.predicates

    def frame_filter(self) -> FrameFilter | None:
        tests: list[IdTest] = []
        error_mask = 0
        for predicate in self.predicates:
            found = predicate.frame_filter()
            if found is None:
                return None
            error_mask |= found.error_mask
            tests += (found.tests[:1] if found.join else found.tests) or [EVERYTHING]
        result = FrameFilter(tests or [NOTHING], error_mask=error_mask)
        return None if EVERYTHING in tests and error_mask == ALL_ERRORS else result
