"""The layouts of tables: long, wide in one table, and a table for each message.

::

    long      timestamp channel arbitration_id message signal value name unit     a row per value
    wide      timestamp channel Engine.Speed Engine.Gear Engine.Gear_name ...     a row per frame
    messages  timestamp channel Speed Gear Gear_name                              of one message

Rows are in the order of the frames. A value that a frame does not have is null in a wide table, and has no
row in a long one.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cantools_cli.decoding.columns import Decoder, MessageTable, SignalColumn
from cantools_cli.decoding.model import MessageSpec, SignalSpec
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.arrow.table import load_pyarrow
from cantools_cli.io.signals import columns
from cantools_cli.io.signals.base import MIN_FRAMES, SignalWriter
from cantools_cli.io.signals.files import TableFile
from cantools_cli.kernels import signal_tables as kernel
from cantools_cli.kernels import signals

Opener = Callable[[str, Any], TableFile]
"""Opens the file of a table: the name of the message, "" if there is but one table, and the schema."""

ROUNDED = "whole numbers rounded to 53 bits"
REPEATED = "messages that a container has twice (left out)"
#: rows of a message, and values of all, after which a row group is written
_GROUP_ROWS, _HELD_VALUES = 1 << 17, 1 << 21
#: values of a wide table that are laid out at a time
_WIDE_VALUES = 1 << 21
#: frames decoded at a time for tables of messages, and their values
_DECODED_AT_ONCE, _AT_ONCE_VALUES = 1 << 17, 1 << 22


class LongTable(SignalWriter):
    """Writes a row per value."""

    def __init__(self, decoder: Decoder, opener: Opener) -> None:
        super().__init__(decoder)
        self._arrow = arrow = load_pyarrow()
        self._numbers: dict[tuple[int, str], int] = {}
        self._channels = columns.ChannelNames(arrow)
        texts: dict[str, dict[str, int]] = {"message": {}, "signal": {}, "unit": {}, "name": {}}
        self._places: dict[str, array[int]] = {key: array("I") for key in ("message", "signal", "unit")}
        self._names: dict[int, columns.Names] = {}
        self._rounds: set[int] = set()
        for message, spec in self._signals():
            number = self._numbers.setdefault((id(message), spec.name), len(self._numbers))
            if number < len(self._places["unit"]):  # the same database for another channel
                continue
            for key, text in (("message", message.name), ("signal", spec.name), ("unit", spec.unit)):
                place = texts[key].setdefault(text, len(texts[key])) if text else kernel.NAMELESS
                self._places[key].append(place)
            if spec.choices:
                self._names[number] = columns.Names(spec, texts["name"])
            if columns.may_be_rounded(spec):
                self._rounds.add(number)
        self._texts = {key: arrow.array([*found], arrow.string()) for key, found in texts.items()}
        text = arrow.dictionary(arrow.int32(), arrow.string())
        self._schema = arrow.schema(
            [
                arrow.field("timestamp", arrow.timestamp("ns", "UTC"), nullable=False),
                arrow.field("channel", text),
                arrow.field("arbitration_id", arrow.int64(), nullable=False),
                arrow.field("message", text, nullable=False),
                arrow.field("signal", text, nullable=False),
                arrow.field("value", arrow.float64(), nullable=False),
                arrow.field("name", text),
                arrow.field("unit", text),
            ],
            {"database": self.source},
        )
        self._file = opener("", self._schema)

    def abort(self) -> None:
        self._file.abort()

    def _finish(self) -> None:
        self._file.close()

    def _signals(self) -> Iterator[tuple[MessageSpec, SignalSpec]]:
        for message in self.messages():
            for spec in message.signals:
                yield message, spec

    def _put(self, batch: MessageBatch) -> None:
        counts = array("I", bytes(4 * len(batch)))
        tables = [*self.decoder.tables(batch)]
        for table in tables:
            rows = columns.rows_of(table)
            for column in table.columns:
                kernel.count(rows, column.valid, counts)
        total = kernel.begins(counts)
        if not total:
            return
        values = array("d", bytes(8 * total))
        names, numbers, frames = (array("I", bytes(4 * total)) for _ in range(3))
        for table in tables:
            rows = columns.rows_of(table)
            for column in table.columns:
                number = self._numbers[id(table.message), column.signal.name]
                physical = columns.doubles(column)
                if number in self._rounds and (lost := columns.rounded(column, physical)):
                    self.losses[ROUNDED] += lost
                named = self._names.get(number)
                found = array("I") if named is None else named.of(column)
                valid = column.valid
                kernel.place(rows, valid, physical, found, number, counts, values, names, numbers, frames)
        self.values += total
        self._file.write(self._table(batch, values, names, numbers, frames))

    def _table(
        self,
        batch: MessageBatch,
        values: array[float],
        names: array[int],
        numbers: array[int],
        frames: array[int],
    ) -> Any:
        arrow = self._arrow
        stamps = array("q", bytes(8 * len(frames)))
        signals.times(frames, 0, len(frames), batch.timestamp_ns, stamps)

        def text(key: str) -> Any:
            indices = array("I", bytes(4 * len(numbers)))
            kernel.take(numbers, self._places[key], indices)
            has_nulls = kernel.NAMELESS in self._places[key]
            return columns.with_dictionary(arrow, indices, self._texts[key], has_nulls=has_nulls)

        return arrow.Table.from_arrays(
            [
                columns.times(arrow, stamps),
                self._channels.column(batch, frames),
                columns.identifiers(arrow, batch, frames),
                text("message"),
                text("signal"),
                columns.from_memory(arrow, arrow.float64(), values),
                columns.with_dictionary(arrow, names, self._texts["name"]),
                text("unit"),
            ],
            schema=self._schema,
        )


class _Fields:
    """The columns of a message in a table; ``prefix`` begins their names."""

    def __init__(self, arrow: Any, message: MessageSpec, taken: set[str], prefix: str = "") -> None:
        self.message = message
        self.fields: list[Any] = []
        self._arrow = arrow
        #: the signal, its type, its names and their texts
        self._signals: dict[str, tuple[Any, columns.Names | None, Any]] = {}
        text = arrow.dictionary(arrow.int32(), arrow.string())
        for spec in message.signals:
            if spec.name in self._signals:
                continue
            kind, about = columns.value_type(arrow, spec), columns.metadata(message, spec)
            name = _free(prefix + spec.name, taken)
            self.fields.append(arrow.field(name, kind, metadata=about))
            names, texts = None, None
            if spec.choices:
                found: dict[str, int] = {}
                names = columns.Names(spec, found)
                texts = arrow.array([*found], arrow.string())
                self.fields.append(arrow.field(_free(f"{name}_name", taken), text, metadata=about))
            self._signals[spec.name] = kind, names, texts

    def arrays(self, table: MessageTable) -> Iterable[Any]:
        """Yield the columns of ``table``."""
        for column in _once(table.columns):
            kind, names, texts = self._signals[column.signal.name]
            yield columns.values_of(self._arrow, column, kind)
            if names is not None:
                yield columns.with_dictionary(self._arrow, _named(names, column), texts)

    def spread(self, table: MessageTable, places: array[int], count: int) -> Iterable[Any]:
        """Yield the columns of ``table`` at their ``places`` of ``count`` rows."""
        for column in _once(table.columns):
            kind, names, texts = self._signals[column.signal.name]
            whole = _spread(self._arrow, column, kind, places, count)
            yield columns.values_of(self._arrow, whole, kind)
            if names is not None:
                indices = array("I", [kernel.NAMELESS]) * count
                for index, name in enumerate(_named(names, column)):
                    indices[places[index]] = name
                yield columns.with_dictionary(self._arrow, indices, texts)

    def nulls(self, count: int) -> list[Any]:
        """Return as many columns without a value."""
        return [self._arrow.nulls(count, field.type) for field in self.fields]


class MessageTables(SignalWriter):
    """Writes a table for each message that occurs, with a column per signal."""

    def __init__(self, decoder: Decoder, opener: Opener) -> None:
        super().__init__(decoder)
        self._arrow = load_pyarrow()
        self._opener = opener
        self._channels = columns.ChannelNames(self._arrow)
        self._tables: dict[int, _MessageFile] = {}
        self._waiting = 0  # values that are not written yet

    def abort(self) -> None:
        for table in self._tables.values():
            table.file.abort()

    def _frames_at_once(self) -> int:
        return max(MIN_FRAMES, min(_DECODED_AT_ONCE, _AT_ONCE_VALUES // self.most_signals))

    def _put(self, batch: MessageBatch) -> None:
        for table in self.decoder.tables(batch):
            known = self._tables.get(id(table.message))
            if known is None:
                known = _MessageFile(self._arrow, table.message, self._opener, self.source)
                self._tables[id(table.message)] = known
            before = known.size
            known.add(batch, table, self._channels)
            self._waiting += known.size - before
            self.values += sum(kernel.present(column.valid) for column in table.columns)
            if known.rows >= _GROUP_ROWS:
                self._waiting -= known.size
                known.write()
        if self._waiting >= _HELD_VALUES:
            self._write_all()

    def _write_all(self) -> None:
        for known in self._tables.values():
            known.write()
        self._waiting = 0

    def _finish(self) -> None:
        self._write_all()
        for known in self._tables.values():
            known.file.close()


class _MessageFile:
    """The table of a message, and its rows that are not written yet."""

    def __init__(self, arrow: Any, message: MessageSpec, opener: Opener, source: str) -> None:
        self.rows = 0
        self._arrow = arrow
        self._has_identifier = message.is_j1939
        head = [
            arrow.field("timestamp", arrow.timestamp("ns", "UTC"), nullable=False),
            arrow.field("channel", arrow.dictionary(arrow.int32(), arrow.string())),
        ]
        if self._has_identifier:
            head.append(arrow.field("arbitration_id", arrow.int64(), nullable=False))
        self._fields = _Fields(arrow, message, {field.name for field in head})
        about = {"database": source, "message": message.name, "comment": message.comment}
        self._schema = arrow.schema(
            [*head, *self._fields.fields], {key: text for key, text in about.items() if text}
        )
        self._held: list[Any] = []
        self.file = opener(message.name, self._schema)

    @property
    def size(self) -> int:
        """The number of values that are not written yet."""
        return int(self.rows * len(self._schema))

    def add(self, batch: MessageBatch, table: MessageTable, channels: columns.ChannelNames) -> None:
        arrow, rows = self._arrow, columns.rows_of(table)
        arrays = [columns.times(arrow, table.timestamp_ns), channels.column(batch, rows)]
        if self._has_identifier:
            arrays.append(columns.identifiers(arrow, batch, rows))
        arrays += self._fields.arrays(table)
        self._held.append(arrow.RecordBatch.from_arrays(arrays, schema=self._schema))
        self.rows += len(table)

    def write(self) -> None:
        if self._held:
            held, self._held, self.rows = self._held, [], 0
            self.file.write(self._arrow.Table.from_batches(held, self._schema).unify_dictionaries())


class WideTable(SignalWriter):
    """Writes one table with a column for each signal of the database, and a row per decoded frame."""

    def __init__(self, decoder: Decoder, opener: Opener) -> None:
        super().__init__(decoder)
        self._arrow = arrow = load_pyarrow()
        self._channels = columns.ChannelNames(arrow)
        taken = {"timestamp", "channel", "arbitration_id"}
        self._fields = {
            id(message): _Fields(arrow, message, taken, f"{message.name}.") for message in self.messages()
        }
        self._schema = arrow.schema(
            [
                arrow.field("timestamp", arrow.timestamp("ns", "UTC"), nullable=False),
                arrow.field("channel", arrow.dictionary(arrow.int32(), arrow.string())),
                arrow.field("arbitration_id", arrow.int64(), nullable=False),
                *(field for fields in self._fields.values() for field in fields.fields),
            ],
            {"database": self.source},
        )
        self._limit = max(MIN_FRAMES, min(self._limit, _WIDE_VALUES // len(self._schema)))
        self._file = opener("", self._schema)

    def abort(self) -> None:
        self._file.abort()

    def _finish(self) -> None:
        self._file.close()

    def _put(self, batch: MessageBatch) -> None:
        arrow, tables = self._arrow, [*self.decoder.tables(batch)]
        places = array("I", bytes(4 * len(batch)))
        for table in tables:
            kernel.count(columns.rows_of(table), b"\1" * len(table), places)
        places = array("I", map(bool, places))  # a container has several messages
        decoded = array("I", [row for row, count in enumerate(places) if count])
        count = kernel.begins(places)
        if not count:
            return
        stamps = array("q", bytes(8 * count))
        signals.times(decoded, 0, count, batch.timestamp_ns, stamps)
        arrays = [columns.times(arrow, stamps), self._channels.column(batch, decoded)]
        arrays.append(columns.identifiers(arrow, batch, decoded))
        by_key = {id(table.message): table for table in tables}
        for key, fields in self._fields.items():
            found = by_key.get(key)
            if found is None:
                arrays += fields.nulls(count)
                continue
            rows = columns.rows_of(found)
            if (repeated := len(rows) - len({*rows})) > 0:
                self.losses[REPEATED] += repeated
            where = array("I", bytes(4 * len(rows)))
            kernel.take(rows, places, where)
            arrays += fields.spread(found, where, count)
            self.values += sum(kernel.present(column.valid) for column in found.columns)
        self._file.write(arrow.Table.from_arrays(arrays, schema=self._schema))


def _spread(arrow: Any, column: SignalColumn, kind: Any, places: array[int], count: int) -> SignalColumn:
    """Return ``column`` with its values at ``places`` of ``count`` rows, as a column of physical values."""
    valid = bytearray(count)
    values: Any = column.raw if kind == arrow.uint64() and not isinstance(column.raw, list) else None
    if values is None or column.signal.factor != 1 or column.signal.shift != 0:
        values = column.physical
    plain = SignalSpec(column.signal.name, 0, 64, is_signed=True, is_float=kind == arrow.float64())
    if isinstance(values, array):
        out = array(values.typecode, bytes(8 * count))
        words: Any = memoryview(values).cast("B").cast("q")
        target: Any = memoryview(out).cast("B").cast("q")
        kernel.spread(places, column.valid, words, target, valid)
        return SignalColumn(plain, out, valid, is_complete=False)
    objects: list[Any] = [0] * count
    for index, value in enumerate(values):
        if column.valid[index]:
            objects[places[index]], valid[places[index]] = value, 1
    return SignalColumn(plain, objects, valid, is_complete=False)


def _named(names: columns.Names, column: SignalColumn) -> array[int]:
    """Return the indices of the names, ``NAMELESS`` for absent values as well."""
    indices = names.of(column)
    if not column.is_complete:
        for index, is_valid in enumerate(column.valid):
            if not is_valid:
                indices[index] = kernel.NAMELESS
    return indices


def _once(all_columns: list[SignalColumn]) -> Iterable[SignalColumn]:
    """Yield the first column of each name."""
    seen = set()
    for column in all_columns:
        if column.signal.name not in seen:
            seen.add(column.signal.name)
            yield column


def _free(name: str, taken: set[str]) -> str:
    """Return ``name``, with underscores if it is taken in upper or lower case, which SQL ignores."""
    while name.casefold() in taken:
        name += "_"
    taken.add(name.casefold())
    return name
