"""The layout of an MDF 4 file: which records hold CAN frames, and the place of each field in them.

::

    HD ── DG ── CG CAN_DataFrame ── CN time ── CN CAN_DataFrame ── CN CAN_DataFrame.ID ── ...
          │     └─ CG CAN_ErrorFrame ...       (structure)         (its members)
          DG ...

Groups of bus events are known: a master channel, and members named after the event. ``plan_of`` turns a group
into the numbers that the kernel follows; it raises ``UnknownLayoutError`` for a valid but unknown layout.

Source: ASAM MDF 4.1, and its associated standard for bus logging 1.0; files of CANedge loggers, asammdf
and python-can.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from cantools_cli.errors import FormatError
from cantools_cli.frame.bits import FD_LENGTHS
from cantools_cli.io.mf4.blocks import Block, Blocks, UnknownLayoutError
from cantools_cli.io.mf4.head import DATA_AT, MEMBERS
from cantools_cli.kernels import mf4 as kernel

KINDS = {
    "CAN_DataFrame": kernel.DATA,
    "CAN_RemoteFrame": kernel.REMOTE,
    "CAN_ErrorFrame": kernel.ERROR,
    "CAN_OverloadFrame": kernel.RARE,
}
#: bytes of the largest record with a frame
MAX_RECORD = 1 << 16
MAX_NS = (1 << 63) - 1
MAX_RECORD_IDS = 1 << 16  #: record numbers are smaller than this

#: structures of channels to read per group
_MAX_STRUCTURES = 64
_NS = 1e9
_CN = struct.Struct("<4B4L")
_CG = struct.Struct("<2Q2H4x2L")
_FIXED, _VARIABLE, _MASTER, _VIRTUAL_MASTER, _MLSD, _VIRTUAL = 0, 1, 2, 3, 5, 6
_LITTLE_INTEGERS, _BIG_INTEGERS, _TEXTS = (0, 2), (1, 3), (6, 7)
_LITTLE_FLOAT, _BIG_FLOAT = 4, 5
_VALUE_TABLES = (4, 5)
_ALL_INVALID, _MAY_BE_INVALID = 1, 2
_FIELDS = {
    kernel.BUS: ("BusChannel",),
    kernel.ID: ("ID",),
    kernel.IDE: ("IDE",),
    kernel.DLC: ("DLC",),
    kernel.SIZE: ("DataLength",),
    kernel.DIR: ("Dir",),
    kernel.EDL: ("EDL", "FDF"),
    kernel.BRS: ("BRS",),
    kernel.ESI: ("ESI",),
}
#: a record is a frame only if all of these are valid
_NEEDED = ("", "ID", "IDE", "DLC", "DataLength", "DataBytes")
_ABSENT = (kernel.ABSENT, 0, 0, 0, 0, 0)

Numbers = tuple[int, int, int, int, int, int]


class Channel(NamedTuple):
    """A CN block: the numbers of its data, and the positions of its conversion, data and composition."""

    name: str
    kind: int
    sync: int
    data_type: int
    bit_offset: int
    byte_offset: int
    bits: int
    flags: int
    invalid_at: int
    composition: int
    conversion: int
    data: int


@dataclass
class Group:
    """A kind of record."""

    at: int  #: the position of its CG block
    record_id: int
    name: str
    is_variable: bool  #: whether its records are data of variable length, preceded by their size
    size: int  #: bytes of all other records, without their number
    invalid_begin: int
    event: str = ""  #: the bus event of its records, "" for any other kind
    master: Channel | None = None
    #: the members of the event by their short names; "" is the structure
    channels: dict[str, Channel] = field(default_factory=dict)
    data_stream: int = 0  #: the position of the block that holds data of variable length, or 0


@dataclass
class DataGroup:
    """Kinds of records in one stream; the number of its kind, of ``id_size`` bytes, precedes each record."""

    at: int
    data: int
    id_size: int
    groups: list[Group] = field(default_factory=list)


@dataclass
class Layout:
    """The header of a file and all its groups."""

    start_ns: int  #: the start of the measurement; local time if ``is_local`` is set
    is_local: bool
    groups: list[DataGroup]
    counts_channels_from: int = 1  #: 1, except in files of python-can
    fault: FormatError | None = None  #: the error that ended the list of groups early, or None


def read_layout(blocks: Blocks, program: bytes) -> Layout:
    """Return the layout of a file that ``program`` wrote."""
    header = blocks.block(64, "HD")
    if len(header.data) < 13 or not header.links:
        raise FormatError(f"a header of {len(header.data)} bytes", byte=64)
    start_ns = int.from_bytes(header.data[:8], "little")
    if start_ns > MAX_NS:
        raise FormatError(f"the start time {start_ns} is out of range", byte=136)
    layout = Layout(start_ns, bool(header.data[12] & 1), [])
    try:
        for block in blocks.chain(header.links[0], "DG"):
            group = DataGroup(block.at, block.links[2], block.data[0] if block.data else 0)
            layout.groups.append(group)
            for inner in blocks.chain(block.links[1], "CG", 1 << 17):
                group.groups.append(_read_group(blocks, inner))
                if program.startswith(b"amdf") and blocks.text(inner.links[5]).strip() == "Python":
                    layout.counts_channels_from = 0
    except (IndexError, struct.error):
        layout.fault = FormatError("a block with too few bytes", byte=64)
    except FormatError as error:
        layout.fault = error
    return layout


def _read_group(blocks: Blocks, block: Block) -> Group:
    record_id, _, flags, _, size, invalid = _CG.unpack_from(block.data)
    group = Group(block.at, record_id, blocks.text(block.links[2]), bool(flags & 1), size + invalid, size)
    if group.is_variable:
        return group
    _read_channels(blocks, block.links[1], "", group, set())
    if group.event:
        data = group.channels.get("DataBytes")
        if data is not None and data.kind == _VARIABLE:
            group.data_stream = data.data
    return group


def _read_channels(blocks: Blocks, at: int, parent: str, group: Group, visited: set[int]) -> None:
    for block in blocks.chain(at, "CN"):
        kind, sync, data_type, bit, byte, bits, flags, invalid = _CN.unpack_from(block.data)
        short, links = blocks.text(block.links[2]), (block.links[1], block.links[4], block.links[5])
        channel = Channel(short, kind, sync, data_type, bit, byte, bits, flags, invalid, *links)
        name = channel.name if not parent or "." in channel.name else f"{parent}.{channel.name}"
        event, _, member = name.partition(".")
        if event in KINDS:
            group.event = group.event or event
            if event == group.event:
                group.channels.setdefault(member, channel)
        elif channel.kind in (_MASTER, _VIRTUAL_MASTER) and channel.sync == 1:
            group.master = channel
        if channel.composition in visited or len(visited) > _MAX_STRUCTURES:
            continue
        visited.add(channel.composition)
        if channel.composition and blocks.read(channel.composition, 4) == b"##CN":
            _read_channels(blocks, channel.composition, name, group, visited)


def plan_of(blocks: Blocks, group: Group, indices: dict[int, int], start_ns: int) -> tuple[list[int], float]:
    """Return the plan of ``group``, and the factor of its times; ``indices`` are those of variable data."""
    plan = [0] * kernel.PLAN
    plan[kernel.LENGTH] = group.size
    if group.is_variable or not group.event:
        plan[kernel.KIND] = kernel.VARIABLE if group.is_variable else kernel.SKIP
        return plan, 0.0
    if group.size > MAX_RECORD:
        raise _unknown(group, f"records of {group.size} bytes")
    kind = KINDS[group.event]
    is_usual = {"ID", "DataBytes"} <= {*group.channels} and "ErrorType" not in group.channels
    plan[kernel.KIND] = kernel.RARE if kind == kernel.ERROR and not is_usual else kind
    scale = _plan_time(blocks, group, plan, start_ns)
    for number, names in _FIELDS.items():
        channel = next((group.channels[name] for name in names if name in group.channels), None)
        if channel is not None:
            _put_field(plan, number, _field_of(blocks, group, channel))
    if "BusChannel" not in group.channels:
        _put_field(plan, kernel.BUS, (kernel.CONSTANT, 0, 0, 0, 0, 1))
    _plan_data(blocks, group, plan, indices)
    _plan_masks(group, plan)
    plan[kernel.USUAL] = _is_usual(plan)
    return plan, scale


def _is_usual(plan: list[int]) -> bool:
    """Return whether the kernel may read the fields of a plan as words."""
    ways = plan[kernel.PLAN_FIELDS : kernel.PLAN_MASKS : kernel.WIDTH]
    return (
        plan[kernel.KIND] == kernel.DATA
        and not plan[kernel.MASKS]
        and plan[kernel.TIME_MODE] in (kernel.UNSIGNED, kernel.FLOATING)
        and plan[kernel.DATA_MODE] != kernel.NO_DATA
        and ways[kernel.DLC] != kernel.ABSENT
        and kernel.BIG not in ways
    )


def own_data_size(plan: list[int]) -> int:
    """Return the payload size of records that are data frames in canx's own layout, 0 for others."""
    fields = [0] * (kernel.PLAN_MASKS - kernel.PLAN_FIELDS)
    fields[: kernel.WIDTH] = (kernel.LITTLE, 0, 0, 8, -1, 0)  # the time
    numbers = {name: number for number, names in _FIELDS.items() for name in names}
    for name, at, bit, bits in MEMBERS:
        begin = numbers[name] * kernel.WIDTH
        size = (bit + bits + 7) // 8
        fields[begin : begin + kernel.WIDTH] = (kernel.LITTLE, at, bit, size, (1 << bits) - 1, 0)
    size = plan[kernel.LENGTH] - DATA_AT
    is_own = (
        plan[kernel.USUAL]
        and (plan[kernel.TIME_MODE], plan[kernel.TIME_FACTOR]) == (kernel.UNSIGNED, 1)
        and plan[kernel.DATA_MODE] == kernel.INLINE
        and (plan[kernel.DATA_AT], plan[kernel.DATA_SIZE]) == (DATA_AT, size)
        and plan[kernel.PLAN_FIELDS : kernel.PLAN_MASKS] == fields
    )
    return size if is_own and size in (8, 64) else 0


def error_type_of(blocks: Blocks, group: Group) -> Numbers:
    """Return the field with the cause of an error frame, absent if it has none."""
    channel = group.channels.get("ErrorType")
    return _ABSENT if channel is None else _field_of(blocks, group, channel)


def _put_field(plan: list[int], number: int, numbers: Numbers) -> None:
    begin = kernel.PLAN_FIELDS + number * kernel.WIDTH
    plan[begin : begin + kernel.WIDTH] = numbers


def _plan_time(blocks: Blocks, group: Group, plan: list[int], start_ns: int) -> float:
    master = group.master
    if master is None or master.kind != _MASTER:
        raise _unknown(group, "no times in its records")
    offset, factor = 0.0, 1.0
    if master.conversion:
        kind, values = _conversion(blocks, master.conversion)
        if kind == 1 and len(values) >= 2:
            offset, factor = values[0], values[1]
        elif kind:
            raise _unknown(group, f"times with a conversion of type {kind}")
    scale = factor * _NS
    whole = round(scale) if 0 < scale < 1e15 else 0
    is_whole = whole > 0 and abs(scale - whole) < 1e-9 * whole
    if offset or not 0 < scale < 1e15:
        raise _unknown(group, f"times with the conversion {factor} * x + {offset}")
    is_float = master.data_type in (_LITTLE_FLOAT, _BIG_FLOAT)
    if is_float and master.bits != 64:
        raise _unknown(group, f"times of {master.bits} bits")
    if is_float:
        mode = kernel.FLOATING
    else:
        mode = kernel.SIGNED if master.data_type in (2, 3) else kernel.UNSIGNED if is_whole else kernel.SCALED
        if mode == kernel.SIGNED and (master.bits < 64 or not is_whole):
            raise _unknown(group, f"signed times of {master.bits} bits")
    is_big = master.data_type in (*_BIG_INTEGERS, _BIG_FLOAT)
    _put_field(plan, kernel.TIME, _bits_of(group, master, is_big, 64))
    plan[kernel.TIME_MODE] = mode
    plan[kernel.TIME_FACTOR] = whole if is_whole else 1
    exact = mode in (kernel.UNSIGNED, kernel.SIGNED)
    plan[kernel.TIME_LIMIT] = (MAX_NS - start_ns) // (whole if exact else 1)
    return float(whole) if is_whole else scale


def _bits_of(group: Group, channel: Channel, is_big: bool, most: int) -> Numbers:
    count = (channel.bit_offset + channel.bits + 7) // 8
    if not 0 < channel.bits <= most or count > 8 or channel.byte_offset + count > group.invalid_begin:
        raise _unknown(group, f"{channel.name} of {channel.bits} bits at byte {channel.byte_offset}")
    mask = (1 << channel.bits) - 1 if channel.bits < 64 else -1
    how = kernel.BIG if is_big else kernel.LITTLE
    return how, channel.byte_offset, channel.bit_offset, count, mask, 0


def _field_of(blocks: Blocks, group: Group, channel: Channel) -> Numbers:
    """Return the place of the integer ``channel``, or its value if that is constant."""
    kind, values = _conversion(blocks, channel.conversion) if channel.conversion else (0, [])
    if kind == 1 and len(values) >= 2 and (values[1] == 0 or values == [0.0, 1.0]):
        if values[1] == 0:
            return kernel.CONSTANT, 0, 0, 0, 0, int(values[0]) & 0xFFFFFFFF
    elif kind in _VALUE_TABLES and channel.name.endswith("DataLength") and _is_dlc_table(values):
        return _ABSENT  # the same table as the kernel's, for the code
    elif kind and not (channel.name.endswith("Dir") and kind == 7):
        raise _unknown(group, f"{channel.name} with a conversion of type {kind}")
    if channel.kind in (_VIRTUAL, _VIRTUAL_MASTER):
        raise _unknown(group, f"{channel.name} is a virtual channel")
    if channel.kind not in (_FIXED, _MLSD):
        raise _unknown(group, f"{channel.name} is a channel of type {channel.kind}")
    if channel.data_type in _TEXTS and channel.name.endswith("Dir"):
        # Rx or Tx: the first letters differ in bit 2
        return _bits_of(group, channel._replace(bit_offset=2, bits=1), False, 1)
    if channel.data_type not in (*_LITTLE_INTEGERS, *_BIG_INTEGERS):
        raise _unknown(group, f"{channel.name} has the data type {channel.data_type}")
    return _bits_of(group, channel, channel.data_type in _BIG_INTEGERS, 32)


def _is_dlc_table(values: list[float]) -> bool:
    pairs = list(zip(values[::2], values[1::2], strict=False))
    return bool(pairs) and all(
        0 <= key <= 15 and key == int(key) and size in (FD_LENGTHS[int(key)], min(key, 8))
        for key, size in pairs
    )


def _plan_data(blocks: Blocks, group: Group, plan: list[int], indices: dict[int, int]) -> None:
    channel = group.channels.get("DataBytes")
    if channel is None:
        return
    if channel.kind == _VARIABLE:
        _put_field(plan, kernel.POINTER, _bits_of(group, channel, False, 64))
        if channel.data in indices:
            plan[kernel.DATA_MODE], plan[kernel.DATA_GROUP] = kernel.BEHIND, indices[channel.data]
        else:
            plan[kernel.DATA_MODE] = kernel.STREAM
        return
    size = channel.bits // 8 * _elements(blocks, channel.composition)
    if channel.kind not in (_FIXED, _MLSD) or channel.bit_offset or channel.bits % 8:
        raise _unknown(group, f"{channel.name} is a channel of type {channel.kind}")
    if channel.byte_offset + size > group.invalid_begin:
        raise _unknown(group, f"{channel.name} of {size} bytes at byte {channel.byte_offset}")
    plan[kernel.DATA_MODE] = kernel.INLINE
    plan[kernel.DATA_AT], plan[kernel.DATA_SIZE] = channel.byte_offset, size


def _elements(blocks: Blocks, composition: int) -> int:
    """Return the number of elements of an array, 1 for any other channel."""
    if not composition or blocks.read(composition, 4) != b"##CA":
        return 1
    data = blocks.block(composition, "CA").data
    count = 1
    for index in range(int.from_bytes(data[2:4], "little")):
        count *= int.from_bytes(data[16 + 8 * index : 24 + 8 * index], "little")
    return min(count, MAX_RECORD)


def _plan_masks(group: Group, plan: list[int]) -> None:
    masks = set()
    channels = [group.channels[name] for name in _NEEDED if name in group.channels]
    if group.master is not None:
        channels.append(group.master)
    for channel in channels:
        if channel.flags & _ALL_INVALID:
            raise _unknown(group, f"{channel.name} is not valid")
        at = group.invalid_begin + channel.invalid_at // 8
        if channel.flags & _MAY_BE_INVALID and at < group.size:
            masks.add((at, 1 << channel.invalid_at % 8))
    plan[kernel.MASKS] = len(masks)
    for index, pair in enumerate(sorted(masks)):
        begin = kernel.PLAN_MASKS + 2 * index
        plan[begin : begin + 2] = pair


def _conversion(blocks: Blocks, at: int) -> tuple[int, list[float]]:
    """Return the type of the CC block at ``at`` and its values."""
    data = blocks.block(at, "CC").data
    if len(data) < 24:
        raise FormatError(f"a conversion of {len(data)} bytes", byte=at)
    count = min(int.from_bytes(data[6:8], "little"), (len(data) - 24) // 8)
    return data[0], list(struct.unpack_from(f"<{count}d", data, 24))


def _unknown(group: Group, reason: str) -> UnknownLayoutError:
    return UnknownLayoutError(f"group {group.name or group.event}: {reason}", byte=group.at)
