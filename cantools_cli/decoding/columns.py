"""Batches of frames to columns of values: one table per message of a database.

A frame that ends before a signal does has no value of that signal. So has one whose multiplexer selects other
signals; multiplexers are compared by their raw value. A frame with more data than the message is decoded.
Remote, error and CAN XL frames are not decoded.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cantools_cli.decoding.containers import unpacked
from cantools_cli.decoding.databases import Databases, Scope
from cantools_cli.decoding.model import Database, MessageSpec, Number, SignalSpec, Value
from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import signals as kernel

UNKNOWN = kernel.UNKNOWN  #: the number of a frame without a message

_WORD = 64  # bits of a raw value
_EXACT = 53  # bits of an integer that a float holds exactly
_INT64 = range(-(1 << 63), 1 << 63)
#: of a kernel: keys and values of identifiers, keys and values of parameter groups
_Tables = tuple["array[int]", "array[int]", "array[int]", "array[int]"]
_FLOATS = {16: "e", 32: "f", 64: "d"}


@dataclass
class SignalColumn:
    """The values of a signal in the frames of a table.

    Attributes:
        raw: 64 bits each, unsigned ones as they stand; floats for a float; integers of any size for a signal
            of more than 64 bits.
        valid: 1 for each frame that has the signal.
        is_complete: whether all frames have it.
    """

    signal: SignalSpec
    raw: array[Any] | list[int]
    valid: bytearray
    is_complete: bool = True

    @cached_property
    def physical(self) -> array[Any] | list[Number]:
        """The physical values: integers if all possible ones are whole and fit into 64 bits, else floats."""
        spec, raw, count = self.signal, self.raw, len(self.valid)
        if isinstance(raw, list):
            return [spec.value(value) for value in raw]
        if spec.is_float:
            if spec.factor == 1 and spec.shift == 0:
                return raw
            return array("d", [value * spec.factor + spec.shift for value in raw])
        if spec.is_whole:
            low, high = sorted(spec.value(limit) for limit in spec.raw_limits)
            if low in _INT64 and high in _INT64 and spec.factor in _INT64:
                if spec.factor == 1 and spec.shift == 0:
                    return raw
                out = array("q", bytes(8 * count))
                kernel.scale_whole(raw, count, int(spec.factor), int(spec.shift), out)
                return out
            return [spec.value(self.raw_at(index)) for index in range(count)]
        if spec.size > _EXACT and isinstance(spec.factor, int) and spec.factor != 1:
            return array("d", [spec.value(self.raw_at(index)) for index in range(count)])  # rounded once
        values = array("d", bytes(8 * count))
        kernel.scale(raw, count, spec.is_signed, float(spec.factor), float(spec.shift), values)
        return values

    def raw_at(self, index: int) -> Number:
        """Return a raw value with its sign, or without one."""
        value = self.raw[index]
        if not self.signal.is_float and not self.signal.is_signed and value < 0:
            value += 1 << _WORD
        return value

    def value_at(self, index: int, *, with_names: bool = True) -> Value | None:
        """Return the value in a frame as users see it, None if the frame has none."""
        if not self.valid[index]:
            return None
        if with_names and self.signal.choices:
            name = self.signal.name_of(self.raw_at(index))
            if name is not None:
                return name
        return self.physical[index]


@dataclass
class MessageTable:
    """The frames of one message in a batch.

    Attributes:
        rows: the rows of the batch, ascending.
        columns: one per name of a signal, in the order of the database: two signals of one name, which a
            multiplexer selects, share a column.
        short: the frames that end before one of their signals does.
        is_short: 1 for each of these frames.
    """

    message: MessageSpec
    rows: Sequence[int]
    timestamp_ns: array[int]
    columns: list[SignalColumn]
    short: int
    is_short: bytearray

    def __len__(self) -> int:
        return len(self.timestamp_ns)

    def values(self, index: int, *, with_names: bool = True) -> dict[str, Value]:
        """Return the values of one frame by the names of the signals it has."""
        found = {}
        for column in self.columns:
            value = column.value_at(index, with_names=with_names)
            if value is not None:
                found[column.signal.name] = value
        return found


class Decoder:
    """Decodes batches by databases.

    Attributes:
        messages: the messages of all databases, each with the scope of its database.
        unknown: the data frames whose identifier the database of their channel does not have.
        without_database: the frames of channels that have no database.
        not_data: the remote, error and CAN XL frames.
        short: the frames that end before one of their signals, or a message in their container, does.
        unknown_contained: messages in containers whose number the database does not have.

    Raises:
        UsageError: the databases have more than 65,534 messages.
    """

    def __init__(self, databases: Databases | Database) -> None:
        if isinstance(databases, Database):
            databases = Databases.of(databases)
        self.databases = databases
        self.unknown = self.without_database = self.not_data = self.short = 0
        self.unknown_contained = 0
        self.messages: list[tuple[Scope, MessageSpec]] = []
        self._tables = [self._tables_of(scope) for scope in databases.scopes]
        if len(self.messages) >= kernel.UNKNOWN:
            raise UsageError(f"{len(self.messages)} messages are too many, {kernel.UNKNOWN - 1} the limit")
        self._plans = [Plan(message) for _, message in self.messages]

    def _tables_of(self, scope: Scope) -> _Tables:
        """Number the messages of ``scope``; return its tables for the kernel."""
        numbers = {}
        for number, (key, message) in enumerate(scope.database.by_key.items(), len(self.messages)):
            numbers[key] = number
            self.messages.append((scope, message))
        groups = {
            pgn if source is None else pgn | source << 18 | kernel.SOURCE: numbers[message.key]
            for (pgn, source), message in scope.database.by_group.items()
        }
        return (*_hash_table(numbers), *_hash_table(groups))

    def numbers(self, batch: MessageBatch) -> array[int]:
        """Return for each frame the index into ``messages``, or ``UNKNOWN``; count the frames without one."""
        numbers = array("H", [kernel.UNKNOWN]) * len(batch)
        unknown, covered = 0, bytearray(len(batch.channels))
        for scope, tables in zip(self.databases.scopes, self._tables, strict=True):
            wanted = bytes(  # the first scope counts, if two spell the name of one channel
                not is_done and self.databases.covers(scope, channel)
                for channel, is_done in zip(batch.channels, covered, strict=True)
            )
            covered = bytearray(a | b for a, b in zip(covered, wanted, strict=True))
            unknown += kernel.match(batch.can_id, batch.flags, batch.channel, wanted, *tables, numbers)
        others = sum(batch.channel.count(index) for index, has_one in enumerate(covered) if not has_one)
        self.unknown += unknown
        self.without_database += others
        self.not_data += numbers.count(kernel.UNKNOWN) - unknown - others
        return numbers

    def tables(self, batch: MessageBatch) -> Iterator[MessageTable]:
        """Yield a table for each message that has frames in ``batch``."""
        return self.tables_of(batch, self.numbers(batch))

    def grouped(self, numbers: array[int]) -> tuple[array[int], array[int]]:
        """Return the places at which messages begin in the rows, and the rows in the order of messages."""
        starts = array("I", bytes(4 * (len(self._plans) + 1)))
        rows = array("I", bytes(4 * len(numbers)))
        kernel.group(0, numbers, starts, rows)
        return starts, rows

    def tables_of(self, batch: MessageBatch, numbers: array[int]) -> Iterator[MessageTable]:
        """Yield the same from the ``numbers`` of the batch."""
        starts, rows = self.grouped(numbers)
        for number, plan in enumerate(self._plans):
            begin, end = starts[number], starts[number + 1]
            if begin < end:
                if plan.contained:
                    yield from self._contained(plan, batch, rows[begin:end])
                    continue
                table = plan.table(batch, rows, begin, end)
                self.short += table.short
                yield table

    def _contained(self, plan: Plan, batch: MessageBatch, rows: array[int]) -> Iterator[MessageTable]:
        """Yield a table for each message in the containers ``rows``; its rows are those of the containers."""
        found = unpacked(plan.message, batch, rows)
        self.unknown_contained += found.unknown
        self.short += found.short
        for message, places, part in found.parts:
            count = len(places)
            table = plan.contained[message.name].table(part, array("I", range(count)), 0, count)
            self.short += table.short
            table.rows = places
            yield table


class Plan:
    """How to decode one message: selectors before the signals that they select."""

    def __init__(self, message: MessageSpec) -> None:
        self.message = message
        self.contained = {part.name: Plan(part) for part in message.contained.values()}
        self._order = message.ordered

    def table(self, batch: MessageBatch, rows: array[int], begin: int, end: int) -> MessageTable:
        count = end - begin
        columns: dict[str, SignalColumn] = {}
        shorts = bytearray(count)
        for spec in self._order:
            valid = bytearray(b"\1") * count
            is_complete = True
            if spec.selector:
                selector = columns.get(spec.selector)
                if selector is not None and isinstance(selector.raw, array) and not selector.signal.is_float:
                    ranges = [(low, high) for low, high in spec.selected_by if low in _INT64]
                    lows = array("q", [low for low, _ in ranges])
                    highs = array("q", [min(high, _INT64[-1]) for _, high in ranges])
                    kernel.select(selector.raw, selector.valid, lows, highs, valid)
                    is_complete = False
            column = self._column(spec, batch, rows, begin, end, valid, shorts, is_complete)
            other = columns.get(spec.name)
            columns[spec.name] = column if other is None else _joined(other, column)
        times = array("q", bytes(8 * count))
        kernel.times(rows, begin, end, batch.timestamp_ns, times)
        ordered = [columns[name] for name in dict.fromkeys(signal.name for signal in self.message.signals)]
        return MessageTable(self.message, rows[begin:end], times, ordered, shorts.count(1), shorts)

    def _column(
        self,
        spec: SignalSpec,
        batch: MessageBatch,
        rows: array[int],
        begin: int,
        end: int,
        valid: bytearray,
        shorts: bytearray,
        is_complete: bool,
    ) -> SignalColumn:
        if spec.size > _WORD:
            return _wide_column(spec, batch, rows[begin:end], valid, shorts)
        count = end - begin
        raw = array("q", bytes(8 * count))
        before = bytes(valid)
        short = kernel.extract(
            rows,
            begin,
            end,
            batch.offset,
            batch.payload,
            spec.start,
            spec.size,
            spec.is_big_endian,
            spec.is_signed and not spec.is_float,
            raw,
            valid,
        )
        if short:
            is_complete = False
            for index in range(count):
                shorts[index] |= before[index] and not valid[index]
        values: array[Any] = _floats(raw, spec.size) if spec.is_float else raw
        return SignalColumn(spec, values, valid, is_complete)


def _joined(one: SignalColumn, other: SignalColumn) -> SignalColumn:
    """Return ``one`` with the values of ``other``, a signal of the same name and type, where it has none."""
    for index, is_valid in enumerate(other.valid):
        if is_valid and not one.valid[index]:
            one.raw[index], one.valid[index] = other.raw[index], 1
    one.is_complete = 0 not in one.valid
    return one


def _floats(raw: array[int], size: int) -> array[float]:
    if size == _WORD:
        return array("d", raw.tobytes())
    code = _FLOATS[size]
    whole = {16: "H", 32: "I"}[size]
    return array("d", struct.unpack(f"{len(raw)}{code}", array(whole, raw).tobytes()))


def _wide_column(
    spec: SignalSpec, batch: MessageBatch, rows: array[int], valid: bytearray, shorts: bytearray
) -> SignalColumn:
    """Decode a signal of more than 64 bits, frame by frame."""
    values = []
    for index, row in enumerate(rows):
        data = bytes(batch.payload[batch.offset[row] : batch.offset[row + 1]])
        if valid[index] and spec.end > len(data):
            valid[index], shorts[index] = 0, 1
        values.append(raw_value(spec, data) if valid[index] else 0)
    return SignalColumn(spec, values, valid, 0 not in valid)


def raw_value(spec: SignalSpec, data: bytes) -> int:
    """Return the integer in the bits of ``spec``; ``data`` is long enough."""
    first, width = spec.start >> 3, (spec.start & 7) + spec.size + 7 >> 3
    part = data[first : first + width]
    if spec.is_big_endian:
        value = int.from_bytes(part, "big") >> 8 * width - (spec.start & 7) - spec.size
    else:
        value = int.from_bytes(part, "little") >> (spec.start & 7)
    value &= (1 << spec.size) - 1
    if spec.is_signed and value >> spec.size - 1:
        value -= 1 << spec.size
    return value


def _hash_table(numbers: dict[int, int]) -> tuple[array[int], array[int]]:
    """Return the keys and the values of a table for the kernel, at most half full."""
    size = 8 if numbers else 1
    while size < 2 * len(numbers):
        size *= 2
    keys, values = array("I", [kernel.EMPTY]) * size, array("H", bytes(2 * size))
    for key, value in numbers.items():
        place = (key * kernel.HASH & 0xFFFFFFFF) >> 15 & size - 1
        while keys[place] != kernel.EMPTY:
            place = place + 1 & size - 1
        keys[place], values[place] = key, value
    return keys, values
