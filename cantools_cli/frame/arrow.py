"""Batches for Arrow's C data interface, which pandas, Polars, DuckDB and pyarrow import.

::

    timestamp              timestamp[ns, UTC]
    channel                dictionary<uint16, string>   null if unknown
    arbitration_id         uint32                       without flags; the class bits of an error frame
    is_extended_id         bool
    is_remote_frame        bool
    is_error_frame         bool
    is_fd                  bool
    bitrate_switch         bool
    error_state_indicator  bool
    is_rx                  bool
    dlc                    uint16                       bytes; the requested length of a remote frame
    dlc_code               uint8                        the 4-bit code on the wire; null for CAN XL
    data                   binary
    is_xl                  bool                         CAN XL, whose priority is ``arbitration_id``
    vcid                   uint8                        this and the following: null except for CAN XL
    sdt                    uint8
    sec                    bool
    rrs                    bool
    acceptance_field       uint32

Of the other columns only ``channel`` has nulls. A numeric channel is written in digits; a name that consists
of digits or begins with a quotation mark is quoted.

Only columns with another layout in Arrow are copied: identifiers, ``dlc``, and the booleans, which are bits.
Until Arrow releases the columns, the batch cannot grow and must not be modified.

Sources: Apache Arrow, "The Arrow C data interface" and "The Arrow PyCapsule Interface".
"""

from __future__ import annotations

import ctypes
import itertools
import re
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from cantools_cli.frame.bits import XL
from cantools_cli.frame.xl import SEC
from cantools_cli.kernels import arrow as kernel
from cantools_cli.kernels import arrow_release, columns

if TYPE_CHECKING:
    from cantools_cli.frame.message import Channel
    from cantools_cli.frame.xl import XlColumns

    class Columns(Protocol):
        """The columns of a ``MessageBatch``."""

        timestamp_ns: array[int]
        can_id: array[int]
        flags: bytearray
        channel: array[int]
        channels: tuple[Channel, ...]
        dlc_code: bytearray
        offset: array[int]
        payload: bytearray
        xl: XlColumns | None

        def __len__(self) -> int: ...


#: name -> Arrow's format, in the order of the columns
COLUMNS = {
    "timestamp": b"tsn:UTC",
    "channel": b"S",
    "arbitration_id": b"I",
    "is_extended_id": b"b",
    "is_remote_frame": b"b",
    "is_error_frame": b"b",
    "is_fd": b"b",
    "bitrate_switch": b"b",
    "error_state_indicator": b"b",
    "is_rx": b"b",
    "dlc": b"S",
    "dlc_code": b"C",
    "data": b"z",
    "is_xl": b"b",
    "vcid": b"C",
    "sdt": b"C",
    "sec": b"b",
    "rrs": b"b",
    "acceptance_field": b"I",
}
#: columns of CAN XL frames only
XL_COLUMNS = ("vcid", "sdt", "sec", "rrs", "acceptance_field")
_WITH_NULLS = {"channel", "dlc_code", *XL_COLUMNS}

_NULLABLE = 2  # of a schema's flags
_MAX_DATA = (1 << 31) - 1  # Arrow's offsets of binary are signed
_shared = bytearray(8)
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)


def spell_channel(channel: Channel) -> str:
    """Return ``channel`` as a string; ``read_channel`` is the inverse."""
    if channel is None:
        return ""
    if isinstance(channel, int):
        return str(channel)
    if channel.startswith('"') or _NUMBER.fullmatch(channel):
        return f'"{channel}"'
    return channel


def read_channel(text: str) -> Channel:
    """Return the channel of a string of ``spell_channel``."""
    if _NUMBER.fullmatch(text):
        return int(text)
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    return text


class ArrowSchema(ctypes.Structure):
    """The type of a column, or of all of them."""


class ArrowArray(ctypes.Structure):
    """A column, or all of them."""


ArrowSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowSchema))),
    ("dictionary", ctypes.POINTER(ArrowSchema)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]
ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowArray))),
    ("dictionary", ctypes.POINTER(ArrowArray)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]
_Struct = ArrowSchema | ArrowArray

#: the objects that each unreleased struct needs, by its ``private_data``
_kept: dict[int, Any] = {}
_keys = itertools.count(1)


def _callback(which: int, prototype: Any, handler: Callable[[int], None], capsule: bytes = b"") -> int:
    """Return the address of a C function that calls ``handler``, made by ctypes if kernels are not compiled.

    ``capsule`` names the capsules that C passes, for a handler of their contents. With ctypes, an exception
    that propagates while Arrow releases something becomes a SystemError.
    """
    address = arrow_release.install(which, handler)
    if address:
        return address

    def called(address: int) -> None:
        _clear_error()  # first: with an error set, every other call fails
        handler(_pointer_in(address, capsule) if capsule else address)

    callback = prototype(called)
    _callbacks.append(callback)
    return ctypes.cast(callback, ctypes.c_void_p).value or 0


def _release_at(kind: type[_Struct], address: int) -> None:
    """Release the struct at ``address`` and its children, unless it was moved away."""
    struct = kind.from_address(address)
    if not struct.release:
        return
    for index in range(struct.n_children):
        _release_at(kind, ctypes.addressof(struct.children[index].contents))
    if struct.dictionary:
        _release_at(kind, ctypes.addressof(struct.dictionary.contents))
    struct.release = None
    _kept.pop(struct.private_data, None)  # frees the memory of the children


def _destroy_at(kind: type[_Struct], address: int) -> None:
    _release_at(kind, address)
    del _top[address]


_SCHEMA_NAME, _ARRAY_NAME = b"arrow_schema", b"arrow_array"
_callbacks: list[Any] = []  # for the life of the process, since a column may live as long
_top: dict[int, _Struct] = {}  # by address: the memory of the structs in capsules

_clear_error = ctypes.PYFUNCTYPE(None)(("PyErr_Clear", ctypes.pythonapi))
_new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi)
)
# the capsule as a plain address: a reference to an object that is being destroyed would revive it
_pointer_in = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)
_Release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_Destructor = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)

_SCHEMA_RELEASE = _callback(arrow_release.RELEASE_SCHEMA, _Release, partial(_release_at, ArrowSchema))
_ARRAY_RELEASE = _callback(arrow_release.RELEASE_ARRAY, _Release, partial(_release_at, ArrowArray))
_SCHEMA_DESTRUCTOR = _callback(
    arrow_release.DESTROY_SCHEMA, _Destructor, partial(_destroy_at, ArrowSchema), _SCHEMA_NAME
)
_ARRAY_DESTRUCTOR = _callback(
    arrow_release.DESTROY_ARRAY, _Destructor, partial(_destroy_at, ArrowArray), _ARRAY_NAME
)


def _keep(
    struct: _Struct, release: int, children: Sequence[_Struct], dictionary: _Struct | None, *needed: Any
) -> None:
    """Let ``struct`` point to its children and its dictionary, and own all of them until it is released."""
    pointer: Any = ctypes.POINTER(type(struct))
    pointers = (pointer * len(children))(*map(ctypes.pointer, children))
    if children:
        struct.children = ctypes.cast(pointers, ctypes.POINTER(pointer))
    if dictionary is not None:
        struct.dictionary = ctypes.pointer(dictionary)
    key = next(_keys)
    _kept[key] = (children, pointers, dictionary, *needed)
    struct.private_data = key
    struct.release = release


def _schema(
    form: bytes,
    name: bytes = b"",
    flags: int = 0,
    children: Sequence[ArrowSchema] = (),
    dictionary: ArrowSchema | None = None,
) -> ArrowSchema:
    struct = ArrowSchema(format=form, name=name, flags=flags, n_children=len(children))
    _keep(struct, _SCHEMA_RELEASE, children, dictionary, form, name)
    return struct


def _array(
    length: int,
    buffers: Sequence[Any],
    nulls: int = 0,
    children: Sequence[ArrowArray] = (),
    dictionary: ArrowArray | None = None,
) -> ArrowArray:
    """Return an array of ``buffers``, each a writable, contiguous object or None."""
    views = [None if buffer is None else _view(buffer) for buffer in buffers]
    addresses = [None if view is None else ctypes.addressof(view) for view in views]
    table = (ctypes.c_void_p * max(len(views), 1))(*addresses)
    struct = ArrowArray(
        length=length, null_count=nulls, n_buffers=len(views), n_children=len(children), buffers=table
    )
    _keep(struct, _ARRAY_RELEASE, children, dictionary, views, table)
    return struct


def _view(buffer: array[int] | bytearray) -> Any:
    """Return the memory of ``buffer``, which cannot be resized while the result exists."""
    if not len(buffer):  # an empty buffer may have no valid address
        return (ctypes.c_char * 8)()
    size = len(buffer) * (buffer.itemsize if isinstance(buffer, array) else 1)
    return (ctypes.c_char * size).from_buffer(buffer)


def schema_capsule() -> object:
    """Return the schema of all batches, in a PyCapsule ``arrow_schema``."""
    children = []
    for name, form in COLUMNS.items():
        flags = _NULLABLE if name in _WITH_NULLS else 0
        texts = _schema(b"u", flags=_NULLABLE) if name == "channel" else None
        children.append(_schema(form, name.encode(), flags, dictionary=texts))
    return _capsule(_schema(b"+s", children=children), _SCHEMA_NAME, _SCHEMA_DESTRUCTOR)


def _array_struct(batch: Columns) -> ArrowArray:
    rows = len(batch)
    if len(batch.payload) > _MAX_DATA:
        raise ValueError("a batch for Arrow holds at most 2 GiB of data")
    arbitration_id = array("I", bytes(4 * rows))
    dlc = array("H", bytes(2 * rows))
    stride = -(-rows // 64) * 8  # bitmaps begin at multiples of 8 bytes, as Arrow recommends
    bitmaps = bytearray(stride * kernel.BITMAPS)
    kernel.split(
        batch.can_id, batch.flags, batch.dlc_code, batch.offset, arbitration_id, dlc, stride, bitmaps
    )
    *booleans, is_xl = [bytearray(bitmaps[at * stride : (at + 1) * stride]) for at in range(kernel.BITMAPS)]
    count = 0 if batch.xl is None else columns.count_bits(batch.flags, XL)
    has_code = bytearray(octet ^ 0xFF for octet in is_xl) if count else None
    children = [
        _array(rows, [None, batch.timestamp_ns]),
        _channel_array(batch),
        _array(rows, [None, arbitration_id]),
        *[_array(rows, [None, bitmap]) for bitmap in booleans],
        _array(rows, [None, dlc]),
        _array(rows, [has_code, batch.dlc_code], count),
        _array(rows, [None, batch.offset, batch.payload]),
        _array(rows, [None, is_xl]),
        *[_array(rows, [is_xl, values], rows - count) for values in _xl_values(batch, stride)],
    ]
    return _array(rows, [None], children=children)


def _xl_values(batch: Columns, stride: int) -> list[bytearray | array[int]]:
    """Return the values of ``XL_COLUMNS``, with bitmaps of ``stride`` bytes."""
    xl = batch.xl
    if xl is None:
        return [_zeros(4 * len(batch))] * len(XL_COLUMNS)
    secured, requests = bytearray(stride), bytearray(stride)
    for row, bits in enumerate(xl.bits):
        if bits:
            secured[row >> 3] |= (bits & SEC) << (row & 7)
            requests[row >> 3] |= (bits >> 1 & 1) << (row & 7)
    return [xl.vcid, xl.sdt, secured, requests, xl.acceptance_field]


def _zeros(size: int) -> bytearray:
    """Return at least ``size`` zero bytes, shared by all batches without CAN XL."""
    global _shared  # noqa: PLW0603 -- one buffer for the process, replaced when it is too small
    if len(_shared) < size:
        _shared = bytearray(size)
    return _shared


def _channel_array(batch: Columns) -> ArrowArray:
    channels, column = batch.channels, batch.channel
    if len({*channels}) < len(channels):  # two channels have the same name
        channels = tuple(dict.fromkeys(channels))
        column = column[:]
        columns.translate(column, 0, array("H", [channels.index(channel) for channel in batch.channels]))
    rows, nulls, validity = len(column), 0, None
    if None in channels:
        validity = bytearray(-(-rows // 64) * 8)
        nulls = kernel.valid(column, channels.index(None), validity)
    # escape invalid Unicode: Arrow's readers do not check that strings are UTF-8
    names = [spell_channel(channel).encode("utf-8", "backslashreplace") for channel in channels]
    ends = array("i", itertools.accumulate(map(len, names), initial=0))
    texts = _array(len(names), [None, ends, bytearray(b"".join(names))])
    return _array(rows, [validity, column], nulls, dictionary=texts)


def _capsule(struct: _Struct, name: bytes, destructor: int) -> object:
    address = ctypes.addressof(struct)
    _top[address] = struct
    return _new_capsule(address, name, destructor)


def array_capsules(batch: Columns) -> tuple[object, object]:
    """Return the schema and the columns of ``batch``, in PyCapsules ``arrow_schema`` and ``arrow_array``.

    Raises:
        ValueError: the batch holds more than 2 GiB of data.
    """
    array_struct = _array_struct(batch)
    return schema_capsule(), _capsule(array_struct, _ARRAY_NAME, _ARRAY_DESTRUCTOR)
