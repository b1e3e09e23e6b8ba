"""Arrow's types and columns of signals.

=====================  =======================================================================
signal                 type
=====================  =======================================================================
whole numbers          int64, since narrow and unsigned types overflow without an error in some
                       tools; uint64 or decimal if the signal does not fit
other numbers          float64
names of values        a second column ``NAME_name``: dictionary<int32, string>
=====================  =======================================================================

The metadata of a column has the unit, the names and the limits.
"""

from __future__ import annotations

import json
from array import array
from typing import Any

from cantools_cli.decoding.columns import MessageTable, SignalColumn
from cantools_cli.decoding.model import MessageSpec, SignalSpec
from cantools_cli.frame.arrow import spell_channel
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.kernels import signal_tables as kernel
from cantools_cli.kernels import signals

_INT64, _UINT64 = range(-(1 << 63), 1 << 63), range(1 << 64)
#: digits that Arrow's decimals hold
_DECIMAL128, _DECIMAL256 = 38, 76
_EXACT = 1 << 53  # whole numbers up to here are exact as float64


def value_type(arrow: Any, spec: SignalSpec) -> Any:
    """Return the type of the physical values."""
    if not spec.is_whole:
        return arrow.float64()
    limits = [spec.value(limit) for limit in spec.raw_limits]
    if all(limit in _INT64 for limit in limits):
        return arrow.int64()
    if all(limit in _UINT64 for limit in limits):
        return arrow.uint64()
    if all(abs(limit) < 10**_DECIMAL128 for limit in limits):
        return arrow.decimal128(_DECIMAL128, 0)
    is_short = all(abs(limit) < 10**_DECIMAL256 for limit in limits)
    return arrow.decimal256(_DECIMAL256, 0) if is_short else arrow.string()


def metadata(message: MessageSpec, spec: SignalSpec) -> dict[str, str]:
    """Return the metadata of the signal's columns."""
    texts = {"message": message.name, "signal": spec.name, "unit": spec.unit, "comment": spec.comment}
    texts = {key: text for key, text in texts.items() if text}
    for key, limit in (("minimum", spec.minimum), ("maximum", spec.maximum)):
        if limit is not None:
            texts[key] = repr(limit)
    if spec.choices:
        texts["choices"] = json.dumps({str(raw): name for raw, name in sorted(spec.choices.items())})
    return texts


class Names:
    """The names of a signal's raw values, as indices of ``texts``, which several signals may share."""

    def __init__(self, spec: SignalSpec, texts: dict[str, int]) -> None:
        self._spec = spec
        self._numbers = {raw: texts.setdefault(name, len(texts)) for raw, name in spec.choices.items()}
        wrapped = {raw - (1 << 64) if raw not in _INT64 else raw: raw for raw in spec.choices}
        keys = sorted(key for key in wrapped if key in _INT64)
        self._keys = array("q", keys)
        self._indices = array("I", [self._numbers[wrapped[key]] for key in keys])

    def of(self, column: SignalColumn) -> array[int]:
        """Return the index of each value's name, ``NAMELESS`` if it has none; absent values have any."""
        spec, raw = self._spec, column.raw
        if spec.is_float or isinstance(raw, list):
            names = [spec.choices.get(value) for value in raw]  # 1.0 is found as 1
            known = {spec.choices[key]: number for key, number in self._numbers.items()}
            return array("I", [kernel.NAMELESS if name is None else known[name] for name in names])
        indices = array("I", bytes(4 * len(raw)))
        kernel.name(raw, self._keys, self._indices, indices)
        return indices


def doubles(column: SignalColumn) -> array[float]:
    """Return the physical values as float64."""
    spec = column.signal
    values: array[Any] | list[int] | list[int | float] = column.raw
    is_plain = isinstance(values, array) and spec.is_whole and spec.factor == 1 and spec.shift == 0
    is_signed = spec.is_signed if is_plain else True
    if not is_plain:
        values = column.physical
    if not isinstance(values, array):
        return array("d", [float(value) for value in values])
    if values.typecode == "d":
        return values
    out = array("d", bytes(8 * len(values)))
    signals.scale(values, len(values), is_signed, 1.0, 0.0, out)
    return out


def may_be_rounded(spec: SignalSpec) -> bool:
    """Return whether float64 cannot hold all values of a signal of whole numbers."""
    return spec.is_whole and any(abs(spec.value(limit)) > _EXACT for limit in spec.raw_limits)


def rounded(column: SignalColumn, values: array[float]) -> int:
    """Return how many of ``values``, by ``doubles``, are not exact."""
    physical = column.physical
    return sum(
        1 for index, value in enumerate(values) if column.valid[index] and int(value) != physical[index]
    )


def bitmap(valid: bytearray) -> tuple[bytearray, int]:
    """Return Arrow's bitmap of ``valid``, and the number of nulls."""
    bits = bytearray(-(-len(valid) // 64) * 8)
    return bits, kernel.bitmap(valid, bits)


def from_memory(
    arrow: Any, kind: Any, values: array[Any], bits: bytearray | None = None, nulls: int = 0
) -> Any:
    """Return an array of Arrow over ``values``, which must not change any more."""
    buffers = [arrow.py_buffer(bits) if nulls else None, arrow.py_buffer(values)]
    return arrow.Array.from_buffers(kind, len(values), buffers, nulls)


def with_dictionary(arrow: Any, indices: array[int], texts: Any, *, has_nulls: bool = True) -> Any:
    """Return strings by their ``indices`` in ``texts``; ``NAMELESS`` is null."""
    bits, nulls = None, 0
    if has_nulls:
        bits = bytearray(-(-len(indices) // 64) * 8)
        nulls = kernel.named(indices, bits)
    return arrow.DictionaryArray.from_arrays(
        from_memory(arrow, arrow.int32(), indices, bits, nulls), texts, safe=False
    )


def values_of(arrow: Any, column: SignalColumn, kind: Any) -> Any:
    """Return the physical values of a column as the type ``kind``; null where a frame has none."""
    bits, nulls = (None, 0) if column.is_complete else bitmap(column.valid)
    values: Any = column.raw if kind == arrow.uint64() and not isinstance(column.raw, list) else None
    if values is None or column.signal.factor != 1 or column.signal.shift != 0:
        values = column.physical
    if isinstance(values, array):
        return from_memory(arrow, kind, values, bits, nulls)
    return arrow.array(as_objects(arrow, values, column.valid, kind), kind)


def as_objects(arrow: Any, values: list[Any], valid: bytearray, kind: Any) -> list[Any]:
    """Return ``values`` as objects that Arrow converts to ``kind``, None for absent ones."""
    convert: Any = int
    if kind == arrow.string():
        convert = str
    elif kind == arrow.float64():
        convert = float
    elif arrow.types.is_decimal(kind):
        from decimal import Decimal

        convert = Decimal
    return [convert(value) if valid[index] else None for index, value in enumerate(values)]


class ChannelNames:
    """The channels so far, as indices of a dictionary that only grows."""

    def __init__(self, arrow: Any) -> None:
        self._arrow = arrow
        self._numbers: dict[Channel, int] = {}

    @property
    def texts(self) -> Any:
        names = [
            spell_channel(channel).encode("utf-8", "backslashreplace").decode() for channel in self._numbers
        ]
        return self._arrow.array(names, self._arrow.string())

    def column(self, batch: MessageBatch, rows: array[int]) -> Any:
        """Return the channels of the ``rows`` of ``batch``."""
        numbers = [
            kernel.NAMELESS if name is None else self._numbers.setdefault(name, len(self._numbers))
            for name in batch.channels
        ]
        has_nulls = kernel.NAMELESS in numbers
        if len(numbers) == 1:
            indices = array("I", numbers) * len(rows)
        else:
            local, indices = array("I", bytes(4 * len(rows))), array("I", bytes(4 * len(rows)))
            kernel.take_short(rows, batch.channel, local)
            kernel.take(local, array("I", numbers), indices)
        return with_dictionary(self._arrow, indices, self.texts, has_nulls=has_nulls)


def identifiers(arrow: Any, batch: MessageBatch, rows: array[int]) -> Any:
    """Return the identifiers of the ``rows`` of ``batch``, as int64."""
    words = array("q", bytes(8 * len(rows)))
    kernel.identifiers(rows, batch.can_id, words)
    return from_memory(arrow, arrow.int64(), words)


def times(arrow: Any, stamps: array[int]) -> Any:
    return from_memory(arrow, arrow.timestamp("ns", "UTC"), stamps)


def rows_of(table: MessageTable) -> array[int]:
    """Return the rows of a table in its batch."""
    return table.rows if isinstance(table.rows, array) else array("I", table.rows)
