"""Frames as the nodes of a database would send them: each message at its cycle time, with moving values.

A signal rises and falls between its limits, or the smallest and largest value of its bits; one with names
holds each for a while, and a multiplexer takes its values in turn. The traffic uses no clock, and equal seeds
give equal frames on every machine.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor
from random import Random

from cantools_cli.decoding.encode import exact, frame, most_bytes, put, selects
from cantools_cli.decoding.model import MessageSpec, Number, SignalSpec
from cantools_cli.decoding.rules import Rules
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

BATCH_ROWS = 1024
_NANO = 1_000_000_000
_FLOAT_LIMIT = 1000.0
#: the largest float of each size; of the largest size half of it, so that limits differ by a finite number
_FLOAT_ENDS = {16: 65504.0, 32: (2 - 2**-23) * 2.0**127, 64: 2.0**1022}
#: seconds in which a signal rises and falls again
_PERIODS = (5.0, 60.0)
#: how often a signal with names changes, per frame
_CHANGES = 0.02
#: up to this many values are held, not passed through
_FEW = 2


class _Signal:
    """The raw values of a signal over time."""

    def __init__(self, spec: SignalSpec, message: MessageSpec, random: Random) -> None:
        self.spec = spec
        self.selector = spec.selector if spec.selector in message.by_name else ""
        self._random = random
        self._low, self._high = _raw_range(spec)
        low, high = spec.raw_limits
        self._held = [raw for raw in sorted(spec.choices) if low <= raw <= high]
        if not self._held and not spec.is_float and self._high - self._low < _FEW:
            self._held = list(range(int(self._low), int(self._high) + 1))
        self._turns = _selecting(spec, message) if spec.is_selector else []
        self._turn = -1
        self._current = self._held[self._drawn(len(self._held))] if self._held else 0
        self._period = (_PERIODS[0] + random.random() * (_PERIODS[1] - _PERIODS[0])) * _NANO
        self._phase = random.random()

    def raw(self, time_ns: int) -> Number:
        """Return the raw value at a time."""
        if self._turns:
            self._turn = (self._turn + 1) % len(self._turns)
            return self._turns[self._turn]
        if self._held:
            if self._random.random() < _CHANGES:
                self._current = self._held[self._drawn(len(self._held))]
            return float(self._current) if self.spec.is_float else self._current
        place = (time_ns / self._period + self._phase) % 1.0
        share = 2 * place if place < 0.5 else 2 - 2 * place
        value = self._low + (self._high - self._low) * share
        return value if self.spec.is_float else min(int(self._high), max(int(self._low), round(value)))

    def _drawn(self, count: int) -> int:
        return int(self._random.random() * count)


def _raw_range(spec: SignalSpec) -> tuple[Number, Number]:
    """Return the raw values of the limits, or those that the bits can hold."""
    least, most = spec.raw_limits
    limits = [None if limit is None else exact(limit) for limit in (spec.minimum, spec.maximum)]
    raws = [None if x is None else (x - exact(spec.shift)) / exact(spec.factor) for x in limits]
    if spec.factor < 0:
        raws.reverse()
    low, high = raws
    if spec.is_float:
        end = exact(_FLOAT_ENDS[spec.size])
        return (
            -_FLOAT_LIMIT if low is None else float(min(max(low, -end), end)),
            _FLOAT_LIMIT if high is None else float(min(max(high, -end), end)),
        )
    first = least if low is None else max(least, ceil(low))
    last = most if high is None else min(most, floor(high))
    return (first, last) if first <= last else (least, most)


def _selecting(spec: SignalSpec, message: MessageSpec) -> list[int]:
    """Return the values of a multiplexer that select a signal: the first of each range."""
    low, high = spec.raw_limits
    dependent = (other for other in message.signals if other.selector == spec.name)
    firsts = {first for other in dependent for first, _ in other.selected_by}
    return sorted(first for first in firsts if low <= first <= high)


@dataclass(eq=False)
class _Sender:
    """One message and its period."""

    message: MessageSpec
    channel: Channel
    period_ns: int
    phase_ns: int
    signals: list[_Signal]


class Traffic:
    """The frames of messages, each at its cycle time; each frame is drawn once.

    Messages without a cycle time are sent every ``gap_ns``; those longer than a frame are left out. The
    frames end after ``count`` frames or before ``duration_ns``.

    Attributes:
        seed: of the random numbers; chosen at random if None was given.
        drawn: the number of frames drawn so far.
        too_long: the messages left out.
    """

    def __init__(
        self,
        messages: Sequence[tuple[Channel, MessageSpec]],
        rules: Rules,
        *,
        gap_ns: int,
        seed: int | None = None,
        start_ns: int = 0,
        count: int | None = None,
        duration_ns: int | None = None,
    ) -> None:
        self.seed = int.from_bytes(os.urandom(4), "big") if seed is None else seed
        self.drawn = 0
        self._rules = rules
        self._start_ns, self._count, self._duration_ns = start_ns, count, duration_ns
        random = Random(self.seed)
        self._senders = []
        self.too_long = [message for _, message in messages if message.length > most_bytes(message)]
        for channel, message in messages:
            if message in self.too_long:
                continue
            period_ns = max(1, round((message.cycle_time or 0) * _NANO) or gap_ns)
            signals = [
                _Signal(spec, message, random) for spec in message.ordered if spec.end <= message.length
            ]
            phase_ns = int(random.random() * period_ns)
            self._senders.append(_Sender(message, channel, period_ns, phase_ns, signals))
        first_ns = min((sender.phase_ns for sender in self._senders), default=0)
        for sender in self._senders:
            sender.phase_ns -= first_ns
        self._heap = [(sender.phase_ns, number) for number, sender in enumerate(self._senders)]
        heapq.heapify(self._heap)

    @property
    def is_done(self) -> bool:
        """Whether the end is reached."""
        if not self._heap or (self._count is not None and self.drawn >= self._count):
            return True
        return self._duration_ns is not None and self._heap[0][0] >= self._duration_ns

    def next_ns(self) -> int:
        """Return when the next frame is due, in nanoseconds after the first one."""
        return self._heap[0][0]

    def due(self, elapsed_ns: int) -> int:
        """Return how many new frames are due ``elapsed_ns`` after the first."""
        total = sum(
            (elapsed_ns - sender.phase_ns) // sender.period_ns + 1
            for sender in self._senders
            if sender.phase_ns <= elapsed_ns
        )
        return max(0, total - self.drawn)

    def take(self, rows: int) -> MessageBatch:
        """Return the next ``rows`` frames, or fewer if the end comes first."""
        batch = MessageBatch()
        while len(batch) < rows and not self.is_done:
            time_ns, number = self._heap[0]
            sender = self._senders[number]
            heapq.heapreplace(self._heap, (time_ns + sender.period_ns, number))
            message = frame(sender.message, self._data(sender, time_ns))
            message.timestamp_ns = self._start_ns + time_ns
            message.channel = sender.channel
            batch.append(message)
            self.drawn += 1
        return batch

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[MessageBatch]:
        """Yield all frames in batches of at most ``rows``."""
        while batch := self.take(rows):
            yield batch

    def _data(self, sender: _Sender, time_ns: int) -> bytearray:
        data = bytearray(sender.message.length)
        raws: dict[str, Number] = {}
        for signal in sender.signals:
            spec = signal.spec
            if signal.selector:
                selecting = raws.get(signal.selector)
                if selecting is None or not selects(spec, selecting):
                    continue
            raws[spec.name] = raw = signal.raw(time_ns)
            put(spec, raw, data)
        self._rules.apply(sender.message, data)
        return data
