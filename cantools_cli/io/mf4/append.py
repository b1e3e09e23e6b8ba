"""Finds the real end of an MDF 4 file to continue, which only canx may have written."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from cantools_cli.io.continued import cannot_continue
from cantools_cli.io.mf4.blocks import FINISHED, HEAD, UNFINISHED, Blocks, Read
from cantools_cli.io.mf4.head import ORDER_AT, ORDER_BY_TIME, PROGRAM, RECORD_SIZES, Head
from cantools_cli.io.mf4.layout import read_layout

_CHUNK = 1 << 18


class Mf4End(NamedTuple):
    """The end of a file to continue.

    Attributes:
        position: the end of the last complete record.
        start_ns: the start, from which the times of the file count.
        latest_ns: the time of the last record, -1 unless the file is marked as in the order of time.
        counts: records of each kind, by its number.
        head: the places that closing the file fills in; its ``data`` is empty.
    """

    position: int
    start_ns: int
    latest_ns: int
    counts: array[int]
    head: Head


def find_end(read: Read, size: int) -> Mf4End:
    """Follow the records of a file of ``size`` bytes."""
    head = read(0, 64)
    if not head.startswith((FINISHED, UNFINISHED)) or head[16:24] != PROGRAM:
        raise cannot_continue("not an MF4 file written by canx", 0)
    layout = read_layout(Blocks(read, size, is_last_open=True), PROGRAM)
    if layout.fault is not None or len(layout.groups) != 1:
        raise cannot_continue("its blocks are damaged", 64)
    (group,) = layout.groups
    sizes = {inner.record_id: inner.size + 1 for inner in group.groups}
    if sizes != {number: length for number, length in enumerate(RECORD_SIZES) if number}:
        raise cannot_continue("its records are not those of canx", group.at)
    at, counts = group.data + HEAD, array("q", bytes(8 * len(RECORD_SIZES)))
    chunk, begin, last = b"", at, at
    while True:
        if at - begin >= len(chunk):
            chunk, begin = read(at, _CHUNK), at
            if not chunk:
                break
        number = chunk[at - begin]
        if not 0 < number < len(RECORD_SIZES):
            raise cannot_continue(f"no record has the number {number}", at)
        if at + RECORD_SIZES[number] > size:
            break
        counts[number] += 1
        last = at
        at += RECORD_SIZES[number]
    places = {inner.record_id: inner.at + HEAD + 6 * 8 + 8 for inner in group.groups}
    counts_at = tuple(places.get(number, 0) for number in range(len(RECORD_SIZES)))
    latest_ns = -1
    if read(ORDER_AT, len(ORDER_BY_TIME)) == ORDER_BY_TIME:
        latest_ns = layout.start_ns + int.from_bytes(read(last + 1, 8), "little")
    return Mf4End(at, layout.start_ns, latest_ns, counts, Head(b"", counts_at, group.data + 8))
