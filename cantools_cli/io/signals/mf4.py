"""``SignalMF4Writer``: signals as channels of an MDF 4 file, with a channel group for each message and bus.

::

    ID HD  DT  FH  CN ... CG  CG ...  DG        the description of the records follows them

    0100 e803000000000000 2c01 .. 04            record: number of its group; ns since the start;
                                                raw values of 1, 2, 4 or 8 bytes; invalidation bits

A channel has the raw values of a signal, and its conversion the factor, the offset and the unit. A signal
with named values has a second channel ``NAME_name`` over the same bytes, whose conversion has the names:
asammdf replaces each named value of a channel by NaN if another value has no name. Groups share the block of
records, so memory is bounded; a value that a frame does not have is marked as invalid.

Source: ASAM MDF 4.1; experiments with asammdf.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping
from typing import Any

from cantools_cli.decoding.columns import Decoder, MessageTable, SignalColumn
from cantools_cli.decoding.model import MessageSpec, SignalSpec
from cantools_cli.errors import UsageError
from cantools_cli.frame.arrow import spell_channel
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.io.files import OutputStream
from cantools_cli.io.mf4.blocks import HEAD, pack
from cantools_cli.io.mf4.head import HD_AT, BlockBuilder, identification
from cantools_cli.io.signals import columns
from cantools_cli.io.signals.base import SignalWriter
from cantools_cli.io.signals.tables import ROUNDED
from cantools_cli.kernels import signal_tables as kernel

_ID_BYTES, _TIME_BYTES = 2, 8
_FIXED, _MASTER, _TIME = 0, 2, 1
_UNSIGNED, _SIGNED, _FLOAT = 0, 2, 4
_INVALIDATION = 2  # flag of a channel: it has an invalidation bit
_LINEAR, _TO_TEXT = 1, 7
_MAX_GROUPS = (1 << 8 * _ID_BYTES) - 1
_COMMENT = (
    "<FHcomment><TX/><tool_id>canx</tool_id><tool_vendor>canx</tool_vendor><tool_version>1</tool_version>"
    "</FHcomment>"
)


class SignalMF4Writer(SignalWriter):
    """Writes the raw values of all signals; ``output`` is a file.

    Raises:
        UsageError: the output is a pipe, or compressed.
    """

    def __init__(self, decoder: Decoder, output: OutputStream) -> None:
        super().__init__(decoder)
        if not output.seekable:
            raise UsageError(f"{output.name}: signals as MF4 need an uncompressed file", hint="-o FILE.mf4")
        self._output = output
        self._layouts: dict[int, _Layout] = {}
        self._groups: dict[tuple[int, Channel], int] = {}
        self._counts: dict[int, int] = {}
        self._start_ns: int | None = None
        self._size = 0
        output.write(identification(finished=False) + self._head(0, 0) + pack("DT", (), b""))

    def abort(self) -> None:
        self._output.close()

    def _head(self, group: int, history: int) -> bytes:
        times = struct.pack("<QhhBBBBdd", self._start_ns or 0, 0, 0, 2, 0, 0, 0, 0.0, 0.0)
        return pack("HD", (group, history, 0, 0, 0, 0), times)

    def _put(self, batch: MessageBatch) -> None:
        if self._start_ns is None and len(batch):
            self._start_ns = max(min(batch.timestamp_ns) // 1000 * 1000, 0)  # asammdf reads microseconds
        for table in self.decoder.tables(batch):
            layout = self._layouts.get(id(table.message))
            if layout is None:
                layout = self._layouts[id(table.message)] = _Layout(table.message)
            records = layout.records(table, self._ids(batch, table), self._start_ns or 0, batch)
            if layout.rounded:
                self.losses[ROUNDED] += layout.rounded
            self._output.write(records)
            self._size += len(records)
            self.values += sum(kernel.present(column.valid) for column in table.columns)

    def _ids(self, batch: MessageBatch, table: MessageTable) -> array[int]:
        """Return the number of the group of each frame, and count it."""
        rows = columns.rows_of(table)
        local = array("I", bytes(4 * len(rows)))
        kernel.take_short(rows, batch.channel, local)
        ids = array("q", bytes(8 * len(rows)))
        for index, channel in enumerate(batch.channels):
            count = local.count(index)
            if not count:
                continue
            number = self._groups.setdefault((id(table.message), channel), len(self._groups) + 1)
            if number > _MAX_GROUPS:
                raise UsageError(f"more than {_MAX_GROUPS} pairs of a message and a channel")
            self._counts[number] = self._counts.get(number, 0) + count
            if count == len(rows):
                return array("q", [number]) * count
            for row, found in enumerate(local):
                if found == index:
                    ids[row] = number
        return ids

    def _finish(self) -> None:
        """Write the description of the records, and the links to it."""
        out = self._output
        out.write(bytes(-self._size % 8))
        data_at = HD_AT + len(self._head(0, 0))
        blocks = BlockBuilder(data_at + HEAD + self._size + -self._size % 8)
        comment = blocks.text(_COMMENT, "MD")
        history = blocks.add("FH", (0, comment), struct.pack("<QhhB3x", self._start_ns or 0, 0, 0, 2))
        following = 0
        for (message, channel), number in reversed(self._groups.items()):
            following = self._layouts[message].add_group(
                blocks, channel, number, self._counts[number], following
            )
        group = blocks.add("DG", (0, following, data_at, 0), bytes((_ID_BYTES, 0, 0, 0, 0, 0, 0, 0)))
        out.write(blocks.data)
        out.patch(data_at + 8, (HEAD + self._size).to_bytes(8, "little"))
        out.patch(0, identification(finished=True) + self._head(group, history))
        out.close()


class _Layout:
    """The records of a message.

    Attributes:
        rounded: values of the last records that float64 did not hold exactly.
    """

    def __init__(self, message: MessageSpec) -> None:
        self.message = message
        self.rounded = 0
        self._signals: dict[str, tuple[SignalSpec, int, int]] = {}  # with its place and its bytes
        self._identifier_at = at = _ID_BYTES + _TIME_BYTES
        at += 4 if message.is_j1939 else 0
        for spec in message.signals:
            if spec.name not in self._signals:
                size = _bytes_of(spec)
                self._signals[spec.name] = spec, at, size
                at += size
        self._invalid_at = at
        self.size = at + (len(self._signals) + 7) // 8

    def records(self, table: MessageTable, ids: array[int], start_ns: int, batch: MessageBatch) -> bytearray:
        """Return a record for each frame of ``table``."""
        self.rounded = 0
        out = bytearray(self.size * len(table))
        kernel.store(ids, _ID_BYTES, 0, self.size, out)
        times = array("q", [stamp - start_ns for stamp in table.timestamp_ns])
        kernel.store(times, _TIME_BYTES, _ID_BYTES, self.size, out)
        if self.message.is_j1939:
            words = array("q", [batch.can_id[row] & 0x1FFFFFFF for row in table.rows])
            kernel.store(words, 4, self._identifier_at, self.size, out)
        by_name: dict[str, SignalColumn] = {}
        for column in table.columns:
            by_name.setdefault(column.signal.name, column)
        for index, (name, (spec, at, size)) in enumerate(self._signals.items()):
            column = by_name[name]
            values: Any = column.raw
            if isinstance(values, list):
                values = columns.doubles(column)
                self.rounded += columns.rounded(column, values) if spec.is_whole else 0
            if values.typecode == "d":
                values = array("q", values.tobytes())
            kernel.store(values, size, at, self.size, out)
            if not column.is_complete:
                kernel.store_absent(column.valid, index & 7, self._invalid_at + (index >> 3), self.size, out)
        return out

    def add_group(
        self, blocks: BlockBuilder, channel: Channel, number: int, count: int, following: int
    ) -> int:
        """Add the group of the message on ``channel``; return its position."""
        first = 0
        for index, (spec, at, size) in reversed([*enumerate(self._signals.values())]):
            first = _add_signal(blocks, spec, at - _ID_BYTES, size, index, first)
        if self.message.is_j1939:
            data = _channel(_FIXED, 0, _UNSIGNED, self._identifier_at - _ID_BYTES, 32)
            first = blocks.channel(first, 0, blocks.text("arbitration_id"), 0, 0, data)
        seconds = _linear(blocks, 1e-9, 0)
        data = _channel(_MASTER, _TIME, _SIGNED, 0, 64)
        first = blocks.channel(first, 0, blocks.text("time"), seconds, blocks.text("s"), data)
        bus = blocks.text("CAN" if channel is None else spell_channel(channel))
        source = blocks.add("SI", (bus, bus, 0), bytes((2, 2, 0, 0, 0, 0, 0, 0)))
        invalid = self.size - self._invalid_at
        data = struct.pack("<QQHHIII", number, count, 0, 0, 0, self.size - invalid - _ID_BYTES, invalid)
        name = blocks.text(self.message.name)
        comment = blocks.text(self.message.comment) if self.message.comment else 0
        return blocks.add("CG", (following, first, name, source, 0, comment), data)


def _bytes_of(spec: SignalSpec) -> int:
    if spec.is_float or spec.size > 64:
        return 8
    return next(size for size in (1, 2, 4, 8) if spec.size <= 8 * size)


def _channel(kind: int, sync: int, data_type: int, at: int, bits: int, flags: int = 0, bit: int = 0) -> bytes:
    return struct.pack("<BBBBIIII", kind, sync, data_type, 0, at, bits, flags, bit)


def _add_signal(blocks: BlockBuilder, spec: SignalSpec, at: int, size: int, bit: int, following: int) -> int:
    """Add the channels of a signal, whose invalidation bit is number ``bit``; return the first."""
    is_float = spec.is_float or spec.size > 64
    data_type = _FLOAT if is_float else _SIGNED if spec.is_signed else _UNSIGNED
    data = _channel(_FIXED, 0, data_type, at, 8 * size, _INVALIDATION, bit)
    unit = blocks.text(spec.unit) if spec.unit else 0
    if spec.choices and spec.size <= 64:
        following = blocks.channel(
            following, 0, blocks.text(f"{spec.name}_name"), _names(blocks, spec.choices), 0, data
        )
    is_plain = spec.size > 64 or (spec.factor == 1 and spec.shift == 0)
    conversion = 0 if is_plain else _linear(blocks, spec.factor, spec.shift)
    return blocks.channel(following, 0, blocks.text(spec.name), conversion, unit, data)


def _linear(blocks: BlockBuilder, factor: float, shift: float) -> int:
    data = struct.pack("<BBHHHdddd", _LINEAR, 0, 0, 0, 2, 0.0, 0.0, float(shift), float(factor))
    return blocks.add("CC", (0, 0, 0, 0), data)


def _names(blocks: BlockBuilder, choices: Mapping[int, str]) -> int:
    """Add a conversion to names, to an empty one for other values."""
    texts = [blocks.text(name) for name in (*choices.values(), "")]
    count = len(choices)
    data = struct.pack(f"<BBHHHdd{count}d", _TO_TEXT, 0, 0, count + 1, count, 0.0, 0.0, *map(float, choices))
    return blocks.add("CC", (0, 0, 0, 0, *texts), data)
