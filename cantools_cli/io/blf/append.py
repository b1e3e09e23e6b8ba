"""Finds the real end of a BLF file to continue, without relying on the sizes in its file header."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from cantools_cli.errors import FormatError
from cantools_cli.io.blf import containers
from cantools_cli.io.blf.inflate import ContainerInflater
from cantools_cli.io.continued import cannot_continue

LOOK_LIMIT = 1 << 26  #: bytes of a container, packed or unpacked, and of a broken end, that are examined
#: the fixed bytes at the start of every container, around its size
_CONTAINER_HEAD = re.compile(rb"LOBJ\x10\0\x01\0....\x0a\0\0\0", re.DOTALL)

ReadBack = Callable[[int, int], bytes]


class BlfEnd(NamedTuple):
    """The end of a file to continue.

    Attributes:
        position: the end of the last complete object with its padding; beyond the end of the file if that
            padding is missing.
        last: the start of the last complete container, or 0.
        unpacked_size: the correct value for the field of that name in the file header.
        rest: bytes after ``position``, of an incomplete object.
    """

    position: int
    last: int
    unpacked_size: int
    rest: int


def find_end(read: ReadBack, begin: int, size: int) -> BlfEnd:
    """Follow the objects of a file of ``size`` bytes, the first of which is at ``begin``."""
    position = after = begin
    last, unpacked = 0, begin
    while after < size:
        head = read(after, containers.MAX_GAP + containers.CONTAINER_HEAD)
        gap = head[: containers.MAX_GAP + 4].find(containers.SIGNATURE)
        if gap < 0 or len(head) < gap + 16:
            is_other = head.strip(b"\0") and not containers.begins_object(head)
            if len(head) >= containers.MAX_GAP + 16 or is_other:
                raise cannot_continue("no object here", after)
            break
        at = after + gap
        header = containers.read_header(head, gap)
        if at + header.size > size:
            # The size itself may be damaged: do not cut off anything that holds a container.
            if size - at > LOOK_LIMIT or _CONTAINER_HEAD.search(read(at + 16, size - at)):
                raise cannot_continue(f"an object of {header.size} bytes exceeds the end of the file", at)
            break
        after = at + header.size
        position = after + header.size % 4
        if header.kind == containers.CONTAINER:
            last = at
            unpacked += containers.CONTAINER_HEAD + int.from_bytes(head[gap + 24 : gap + 28], "little")
        else:
            unpacked += header.size
    return BlfEnd(position, last, unpacked, max(size - position, 0))


def complete_part(container: bytes) -> bytes | None:
    """Return the content of ``container`` up to its last complete object; None if no object is cut.

    Readers would join an object that a killed writer cut with the first bytes of the next container.
    """
    try:
        return _complete_part(_unpacked(container))
    except FormatError:
        return None


def _unpacked(container: bytes) -> bytes:
    """Return the content of ``container``, empty if it is too large to examine."""
    size = containers.read_header(container).size
    if int.from_bytes(container[16:18], "little") != containers.DEFLATED:
        return container[containers.CONTAINER_HEAD : size]
    inflater = ContainerInflater()
    inner = b""
    for piece in inflater.feed(container[containers.CONTAINER_HEAD : size]):
        inner += piece
        if len(inner) > LOOK_LIMIT:
            return b""
    return inner


def _complete_part(inner: bytes) -> bytes | None:
    at = containers.find_object(inner, 0)
    after = max(at, 0)
    while at >= 0 and at + 16 <= len(inner):
        stop = at + containers.read_header(inner, at).size
        if stop > len(inner):
            return inner[:after]
        after = stop
        at = inner.find(containers.SIGNATURE, stop, stop + containers.MAX_GAP + 4)
    return inner[:after] if containers.begins_object(inner[after:]) else None
