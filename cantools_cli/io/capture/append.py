"""Finds the end of a capture to continue: the end of its last complete record."""

from __future__ import annotations

from collections.abc import Callable

from cantools_cli.io.continued import cannot_continue
from cantools_cli.kernels import capture as kernel

_CHUNK = 1 << 20
SECTION = b"\x0a\x0d\x0d\x0a"  #: the type of a section header block, in either byte order
ORDERS = {b"\x4d\x3c\x2b\x1a": False, b"\x1a\x2b\x3c\x4d": True}  #: the byte order: whether it is big-endian


def find_end(read: Callable[[int, int], bytes], begin: int, size: int, *, blocks: bool) -> int:
    """Follow the records of a file of ``size`` bytes from ``begin``; return the end of the last complete one.

    The file is little-endian pcap, or pcapng if ``blocks`` is set.
    """
    position, big = begin, False
    while position < size:
        text = read(position, _CHUNK)
        at, reason = kernel.walk(text, 0, len(text), blocks, big)
        position += at
        if reason == kernel.CUT and at:
            continue
        if reason == kernel.CUT:
            break
        if reason == kernel.STRANGE:
            head = text[at : at + 12]
            if blocks and head[:4] == SECTION:
                big = ORDERS.get(head[8:12], big)
            length = int.from_bytes(head[4:8], "big" if big else "little")
            if not blocks or length < 12 or length & 3:
                raise cannot_continue("invalid record", position)
            if position + length > size:
                break
            if read(position + length - 4, 4) != head[4:8]:
                raise cannot_continue("invalid record", position)
            position += length
    if size - position > kernel.LARGEST_RECORD:  # too much for an incomplete record: its length is wrong
        raise cannot_continue("a record exceeds the end of the file", position)
    return position
