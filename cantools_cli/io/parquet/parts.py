"""The parts of a Parquet file, each a Parquet file of its own; closing the file joins their footers."""

from __future__ import annotations

import struct
from collections.abc import Callable

from cantools_cli.errors import FormatError
from cantools_cli.io.parquet.footer import Footers, data_end

MAGIC = b"PAR1"
PART = struct.Struct("<Q8s")
PART_MAGIC = b"CANXPART"
#: bytes of a footer
_MAX_FOOTER = 1 << 28
WINDOW = 1 << 20
ReadAt = Callable[[int, int], bytes]
"""(position, size) -> bytes of the file."""


def footer_at(read: ReadAt, begin: int, end: int) -> bytes:
    """Return the footer of the Parquet file from ``begin`` to ``end``."""
    size = int.from_bytes(read(end - 8, 4), "little")
    if not 0 < size <= min(end - begin - 12, _MAX_FOOTER) or read(end - 4, 4) != MAGIC:
        raise FormatError(f"the footer claims {size} bytes", byte=end - 8)
    return read(end - 8 - size, size)


def is_closed(read: ReadAt, size: int) -> bool:
    """Return whether a file of ``size`` bytes ends with the footer of the whole file.

    Positions in the footer of a part count from its start, so its last page seems to end too early.
    """
    if size < 12 or read(size - 4, 4) != MAGIC or is_part(read, size - 4):  # the start of another part
        return False
    try:
        footer = footer_at(read, 0, size)
        begin = size - 8 - len(footer)
        return is_part(read, begin) or not is_part(read, begin - data_end(footer))
    except FormatError:
        return True  # of another program, or damaged: left to pyarrow


def is_joined(read: ReadAt, size: int) -> bool:
    """Return whether the footer of a closed file agrees with those of its parts, if it has parts.

    pyarrow reads a footer with a wrong position without an error, and misses that row group.
    """
    try:
        footer = footer_at(read, 0, size)
        end = size - 8 - len(footer)
        if not is_part(read, end):
            return True
        footers = Footers()
        for begin, part_end in parts_before(read, end):
            footers.add(footer_at(read, begin, part_end), begin)
    except FormatError:
        return True  # the damage is in a part
    return footers.joined()[: len(footer)] == footer


def last_part(read: ReadAt, size: int) -> int | None:
    """Return the end of the last complete part of a file of ``size`` bytes, None if it has no part."""
    end = size
    while end > PART.size:
        begin = max(0, end - WINDOW)
        window = read(begin, end - begin)
        at = window.rfind(PART_MAGIC)
        while at >= 0:
            if is_part(read, begin + at + len(PART_MAGIC)):
                return begin + at + len(PART_MAGIC)
            at = window.rfind(PART_MAGIC, 0, at)
        if not begin:
            break
        end = begin + len(PART_MAGIC) - 1
    return None


def is_part(read: ReadAt, end: int) -> bool:
    """Return whether a part ends at ``end``."""
    if end < PART.size + 12:
        return False
    begin, magic = PART.unpack(read(end - PART.size, PART.size))
    return bool(
        magic == PART_MAGIC
        and begin + 12 <= end - PART.size
        and read(end - PART.size - 4, 4) == MAGIC
        and read(begin, 4) == MAGIC
    )


def parts_before(read: ReadAt, end: int | None) -> list[tuple[int, int]]:
    """Return (start, end) of all parts up to the one that ends at ``end``; an empty list if that is None."""
    parts: list[tuple[int, int]] = []
    while end:
        if not is_part(read, end):  # a closed file, to which the parts were appended
            parts.append((0, end))
            break
        begin = PART.unpack(read(end - PART.size, PART.size))[0]
        parts.append((begin, end - PART.size))
        end = begin
    return parts[::-1]
