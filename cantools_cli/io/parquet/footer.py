"""Parquet's footer, as far as needed to join several files into one, which moves their row groups.

::

    struct   fields, then 00              field    id minus the last id, 4 bits | type, 4 bits | value
    list     size, 4 bits | type, 4 bits | values        size 15: the real size follows
    numbers  zigzag, 7 bits per byte, lowest first       text     its size, its bytes

Sources: Apache Thrift, "Thrift Compact protocol encoding"; Apache Parquet, parquet.thrift.
"""

from __future__ import annotations

from typing import Any

from cantools_cli.errors import FormatError

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_MAX_DEPTH = 32

#: FileMetaData
_NUM_ROWS, _ROW_GROUPS = 3, 4
#: RowGroup
_COLUMNS, _GROUP_ROWS, _ORDINAL = 1, 3, 7
#: fields that are positions in the file, by struct
_GROUP_PLACES = (5,)  # file_offset
_CHUNK_PLACES = (2, 4, 6)  # file_offset, offset_index_offset, column_index_offset
_META_DATA = 3
_META_PLACES = (9, 10, 11, 14)  # data, index, dictionary pages; Bloom filter
_META_SIZE, _DATA_PAGE, _DICTIONARY_PAGE = 7, 9, 11

Struct = dict[int, tuple[int, Any]]  #: id -> (type, value); a list is (type of its values, values)

#: the errors of parsing bytes that are not a footer
_WRONG = (IndexError, KeyError, TypeError, ValueError, AttributeError)


class Footers:
    """Joins the footers of several consecutive files."""

    def __init__(self) -> None:
        self.rows = 0  #: the number of frames in all files
        self._first: Struct = {}
        self._groups: list[bytes] = []

    def add(self, footer: bytes, begin: int) -> None:
        """Add the footer of the file that starts at ``begin``, without its size and magic."""
        try:
            fields, groups = _read_footer(footer)
            for group in groups:
                _move(group, begin)
                if _ORDINAL in group:
                    group[_ORDINAL] = (_I16, len(self._groups))
                if len(self._groups) > 0x7FFF:  # beyond the range of ordinals, which are optional
                    group.pop(_ORDINAL, None)
                self._groups.append(_struct(group))
                self.rows += group[_GROUP_ROWS][1]
        except _WRONG as error:
            raise FormatError(f"not a Parquet footer: {error}") from None
        self._first = self._first or fields

    def joined(self) -> bytes:
        """Return the joined footer, with its size and magic; the columns are those of the first file."""
        fields = {**self._first, _NUM_ROWS: (_I64, self.rows)}
        fields[_ROW_GROUPS] = (_LIST, (_STRUCT, self._groups))
        footer = _struct(fields)
        return footer + len(footer).to_bytes(4, "little") + b"PAR1"


def data_end(footer: bytes) -> int:
    """Return the end of the last page, according to ``footer``."""
    end = 0
    try:
        for group in _read_footer(footer)[1]:
            for chunk in group[_COLUMNS][1][1]:
                meta = chunk[_META_DATA][1]
                pages = [meta[place][1] for place in (_DATA_PAGE, _DICTIONARY_PAGE) if place in meta]
                end = max(end, min(page for page in pages if page) + meta[_META_SIZE][1])
    except _WRONG as error:
        raise FormatError(f"not a Parquet footer: {error}") from None
    return end


def _read_footer(footer: bytes) -> tuple[Struct, list[Struct]]:
    fields, _ = _read_struct(footer, 0, 0)
    return fields, fields[_ROW_GROUPS][1][1]


def _move(group: Struct, by: int) -> None:
    """Add ``by`` to all positions in a row group; 0 means no position."""
    _add(group, _GROUP_PLACES, by)
    for chunk in group[_COLUMNS][1][1]:
        _add(chunk, _CHUNK_PLACES, by)
        _add(chunk[_META_DATA][1], _META_PLACES, by)


def _add(struct: Struct, places: tuple[int, ...], by: int) -> None:
    for place in places:
        if place in struct and struct[place][1]:
            struct[place] = (_I64, struct[place][1] + by)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _read_number(data: bytes, at: int) -> tuple[int, int]:
    value, at = _read_varint(data, at)
    return value >> 1 ^ -(value & 1), at


def _read_struct(data: bytes, at: int, depth: int) -> tuple[Struct, int]:
    if depth > _MAX_DEPTH:
        raise ValueError("structs are nested too deeply")
    fields: Struct = {}
    last = 0
    while data[at]:
        kind, step = data[at] & 15, data[at] >> 4
        at += 1
        if step:
            last += step
        else:
            last, at = _read_number(data, at)
        value: Any = kind == _TRUE
        if kind > _FALSE:
            value, at = _read(data, at, kind, depth)
        fields[last] = (kind, value)
    return fields, at + 1


def _read(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    """Read one value; a boolean in a list is a byte."""
    if kind in (_TRUE, _FALSE, _BYTE):
        return data[at], at + 1
    if kind in (_I16, _I32, _I64):
        return _read_number(data, at)
    if kind == _STRUCT:
        return _read_struct(data, at, depth + 1)
    if kind in (_LIST, _SET):
        size, kind = data[at] >> 4, data[at] & 15
        at += 1
        if size == 15:
            size, at = _read_varint(data, at)
        values = []
        for _ in range(size):
            value, at = _read(data, at, kind, depth + 1)
            values.append(value)
        return (kind, values), at
    if kind in (_DOUBLE, _BINARY):
        size = 8
        if kind == _BINARY:
            size, at = _read_varint(data, at)
        if at + size > len(data):
            raise ValueError("text beyond the end")
        return data[at : at + size], at + size
    raise ValueError(f"a value of type {kind}")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(value: int) -> bytes:
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _struct(fields: Struct) -> bytes:
    out = bytearray()
    last = 0
    for place, (kind, value) in sorted(fields.items()):
        step = place - last
        out += bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + _number(place)
        last = place
        if kind > _FALSE:
            out += _value(kind, value)
    return bytes(out) + b"\0"


def _value(kind: int, value: Any) -> bytes:
    if kind in (_TRUE, _FALSE, _BYTE):
        return bytes([value])
    if kind in (_I16, _I32, _I64):
        return _number(value)
    if kind == _STRUCT:
        return value if isinstance(value, bytes) else _struct(value)
    if kind in (_LIST, _SET):
        kind, values = value
        size = len(values)
        head = bytes([size << 4 | kind]) if size < 15 else bytes([0xF0 | kind]) + _varint(size)
        return head + b"".join(_value(kind, value) for value in values)
    return bytes(value) if kind == _DOUBLE else _varint(len(value)) + bytes(value)
