"""Where an MDF 4 file that is to be continued really ends; only those that canx wrote are."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from cantools_cli.errors import FormatError
from cantools_cli.io.mf4.blocks import FINISHED, HEAD, UNFINISHED, Blocks, Read
from cantools_cli.io.mf4.head import PROGRAM, RECORD_SIZES
from cantools_cli.io.mf4.layout import read_layout

_CHUNK = 1 << 18


class Continued(NamedTuple):
    """What there is in a file already.

    Attributes:
        start_ns: what its times count from.
        end: behind its last complete record.
        counts: how many records there are, by their number.
        counts_at, length_at: where the numbers are that its end fills in, as in ``Head``.
    """

    start_ns: int
    end: int
    counts: array[int]
    counts_at: tuple[int, ...]
    length_at: int


def find_end(read: Read, size: int) -> Continued:
    """Follow the records of a file of ``size`` bytes.

    Raises:
        FormatError: canx did not write it, or it is damaged.
    """
    head = read(0, 64)
    if not head.startswith((FINISHED, UNFINISHED)) or head[16:24] != PROGRAM:
        raise _cannot_continue("not an MF4 file of canx", 0)
    layout = read_layout(Blocks(read, size, is_last_open=True), PROGRAM)
    if layout.fault is not None or len(layout.groups) != 1:
        raise _cannot_continue("its blocks are damaged", 64)
    (group,) = layout.groups
    sizes = {inner.record_id: inner.size + 1 for inner in group.groups}
    if sizes != {number: length for number, length in enumerate(RECORD_SIZES) if number}:
        raise _cannot_continue("its records are not those of canx", group.at)
    at, counts = group.data + HEAD, array("q", bytes(8 * len(RECORD_SIZES)))
    chunk, begin = b"", at
    while True:
        if at - begin >= len(chunk):
            chunk, begin = read(at, _CHUNK), at
            if not chunk:
                break
        number = chunk[at - begin]
        if not 0 < number < len(RECORD_SIZES):
            raise _cannot_continue(f"no record has the number {number}", at)
        if at + RECORD_SIZES[number] > size:
            break
        counts[number] += 1
        at += RECORD_SIZES[number]
    places = {inner.record_id: inner.at + HEAD + 6 * 8 + 8 for inner in group.groups}
    counts_at = tuple(places.get(number, 0) for number in range(len(RECORD_SIZES)))
    return Continued(layout.start_ns, at, counts, counts_at, group.data + 8)


def _cannot_continue(reason: str, position: int) -> FormatError:
    return FormatError(f"{reason}, so the file cannot be continued", position=position, unit="byte")
