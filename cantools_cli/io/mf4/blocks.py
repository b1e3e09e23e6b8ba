"""The blocks of an MDF 4 file: their common header, and the lists that hold the records.

::

    ##XX, u32 0, u64 length including these 24 bytes, u64 number of links      every block but the first
    u64 links: the positions of other blocks in the file, 0 for none
    data

    ##DT records     ##DZ the same, compressed     ##DL a list of them, and the next list     ##HL its head
    ##SD data of variable length: entries of a u32 length and that many bytes

No length is trusted: a block ends at the end of the file at the latest, and no chain visits a block twice.

Source: ASAM MDF 4.1, "Block structure"; files of CANedge loggers, Vector's tools and asammdf.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cantools_cli.errors import FormatError

HEAD = 24
MAX_DATA = 1 << 16  #: bytes of a block's own data that are read; a comment may be longer
MAX_LINKS = 1 << 20  #: links of one block
#: bytes that a transposed block may unpack to, since it has to be unpacked as a whole
MAX_TRANSPOSED = 1 << 26
MAX_STREAM = 1 << 40  #: bytes that any other compressed block may unpack to, piece by piece

FINISHED, UNFINISHED = b"MDF     ", b"UnFinMF "
#: blocks of MDF 4.2 that hold data by columns, which canx does not read
OTHER_KINDS = ("LD", "DV", "DI", "RD", "RV", "RI")
LAST_LENGTH_UNKNOWN = 4  #: flag of an unfinished file: the length of its last data block is unknown

_HEAD = struct.Struct("<4s4xQQ")
_ZIP = struct.Struct("<2sBBIQQ")

Read = Callable[[int, int], bytes]  #: (position, size) -> bytes, fewer only at the end of the file


class CutError(FormatError):
    """The file ends before or inside a block."""


class UnknownLayoutError(FormatError):
    """The file may be valid, but canx does not know its layout."""


class Block(NamedTuple):
    """A block: its kind such as ``CN``, position, links, and up to ``MAX_DATA`` bytes of its data."""

    kind: str
    at: int
    links: tuple[int, ...]
    data: bytes


class Fragment(NamedTuple):
    """A piece of a stream of records: ``size`` bytes, stored as ``stored`` bytes at ``at`` of the file.

    ``columns`` is None for plain data, 0 for compressed data, else the length of the records that were
    transposed before compression. ``is_cut`` is set if the file ends inside the fragment.
    """

    at: int
    stored: int
    size: int
    columns: int | None = None
    is_cut: bool = False


def pack(kind: str, links: tuple[int, ...], data: bytes) -> bytes:
    """Return a block, padded with zeros to a multiple of 8 bytes; its length does not count the padding."""
    size = HEAD + 8 * len(links) + len(data)
    head = _HEAD.pack(b"##" + kind.encode(), size, len(links))
    return head + struct.pack(f"<{len(links)}Q", *links) + data + bytes(-size % 8)


class Blocks:
    """Reads blocks through ``read``, from a file of ``size`` bytes."""

    def __init__(self, read: Read, size: int, *, is_last_open: bool = False) -> None:
        self.read = read
        self.size = size
        self._is_last_open = is_last_open

    def block(self, at: int, *kinds: str) -> Block:
        """Return the block at ``at``."""
        kind, length, count = self._head(at, kinds)
        if at + length > self.size:
            raise CutError(f"ends inside a {kind} block", byte=at)
        links = struct.unpack(f"<{count}Q", self.read(at + HEAD, 8 * count))
        after = HEAD + 8 * count
        return Block(kind, at, links, self.read(at + after, min(length - after, MAX_DATA)))

    def chain(self, at: int, kind: str, limit: int = 1 << 16) -> Iterator[Block]:
        """Yield the chain of blocks from ``at`` on; the first link of each leads to the next."""
        visited: set[int] = set()
        while at:
            if at in visited or len(visited) >= limit:
                raise FormatError(f"a chain of {kind} blocks has no end", byte=at)
            visited.add(at)
            block = self.block(at, kind)
            if not block.links:
                raise FormatError(f"a {kind} block without links", byte=at)
            yield block
            at = block.links[0]

    def text(self, at: int) -> str:
        """Return the text of a TX or MD block, "" if ``at`` is 0."""
        if not at:
            return ""
        return self.block(at, "TX", "MD").data.partition(b"\0")[0].decode("utf-8", "replace")

    def fragments(self, at: int, kind: str) -> Iterator[Fragment]:
        """Yield the fragments of the stream of ``kind`` (``DT`` or ``SD``) with its first block at ``at``."""
        if not at:
            return
        first = self._kind(at)
        if first == "HL":
            links = self.block(at, "HL").links
            at = links[0] if links else 0
            first = self._kind(at) if at else ""
        if first != "DL":
            if at:
                yield self._fragment(at, kind)
            return
        for block in self.chain(at, "DL"):
            for link in block.links[1:]:
                if link:
                    yield self._fragment(link, kind)

    def _head(self, at: int, kinds: tuple[str, ...]) -> tuple[str, int, int]:
        if at + HEAD > self.size:
            wanted = " or ".join(kinds)
            raise CutError(f"ends before a {wanted} block at byte {at}", byte=self.size)
        magic, length, count = _HEAD.unpack(self.read(at, HEAD))
        kind = magic[2:].decode("latin-1")
        if magic[:2] != b"##" or kind not in kinds:
            text = f"found {magic.hex(' ')} instead of a {' or '.join(kinds)} block"
            if magic[:2] == b"##" and kind in OTHER_KINDS:
                raise UnknownLayoutError(text, byte=at)
            raise FormatError(text, byte=at)
        if count > MAX_LINKS or (length < HEAD + 8 * count and kind not in ("DT", "SD")):
            raise FormatError(f"a {kind} block of {length} bytes with {count} links", byte=at)
        return kind, length, count

    def _kind(self, at: int) -> str:
        return self._head(at, ("DT", "SD", "DZ", "DL", "HL"))[0]

    def _fragment(self, at: int, kind: str) -> Fragment:
        stored_kind, length, _ = self._head(at, (kind, "DZ"))
        if stored_kind == "DZ":
            return self._compressed(at, length, kind)
        begin, stored = at + HEAD, max(length - HEAD, 0)
        if self._is_last_open and length <= HEAD:
            stored = self.size - begin
            return Fragment(begin, stored, stored)
        if begin + stored > self.size:
            stored = self.size - begin
            return Fragment(begin, stored, stored, is_cut=True)
        return Fragment(begin, stored, stored)

    def _compressed(self, at: int, length: int, kind: str) -> Fragment:
        block = self.read(at + HEAD, _ZIP.size)
        if len(block) < _ZIP.size:
            raise CutError("ends inside a DZ block", byte=at)
        original, method, _, columns, size, stored = _ZIP.unpack(block)
        if original != kind.encode() or stored > length - HEAD - _ZIP.size:
            reason = f"a compressed block with {stored} bytes of {original.decode('latin-1')}"
            raise FormatError(reason, byte=at)
        if method > 1 or (method == 1 and not columns):
            raise UnknownLayoutError(f"unknown compression {method}", byte=at)
        if size > (MAX_TRANSPOSED if method else MAX_STREAM):
            raise FormatError(f"a compressed block claims {size} bytes", byte=at)
        begin = at + HEAD + _ZIP.size
        present = min(stored, self.size - begin)
        return Fragment(begin, present, size, columns if method else 0, is_cut=present < stored)


def unpacked(read: Read, fragment: Fragment, chunk: int) -> Iterator[bytes]:
    """Yield the bytes of ``fragment``, about ``chunk`` at a time unless they are transposed."""
    if fragment.columns is None:
        for at in range(0, fragment.stored, chunk):
            yield read(fragment.at + at, min(chunk, fragment.stored - at))
        return
    pieces = _inflated(read, fragment, chunk)
    if not fragment.columns:
        yield from pieces
        return
    data = b"".join(pieces)
    if len(data) == fragment.size:
        yield transposed_back(data, fragment.columns)


def transposed_back(data: bytes, columns: int) -> bytes:
    """Undo the transposition of records of ``columns`` bytes; bytes after the last one stay as they are."""
    rows = len(data) // columns
    whole = rows * columns
    if not rows:
        return data
    out = bytearray(whole)
    for column in range(columns):
        out[column::columns] = data[column * rows : (column + 1) * rows]
    return bytes(out) + data[whole:]


def _inflated(read: Read, fragment: Fragment, chunk: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    left, at, data = fragment.size, 0, b""
    while left > 0:
        if not data and at < fragment.stored:
            data = read(fragment.at + at, min(chunk, fragment.stored - at))
            at += chunk
        is_last = at >= fragment.stored
        try:
            piece = inflater.decompress(data, min(chunk, left))
        except zlib.error as error:
            raise FormatError(f"damaged compressed data: {error}", byte=fragment.at) from error
        data = inflater.unconsumed_tail
        left -= len(piece)
        if piece:
            yield piece
        elif is_last or inflater.eof:
            break
    if left and not fragment.is_cut:
        reason = f"{left} of {fragment.size} bytes missing in a compressed block"
        raise FormatError(reason, byte=fragment.at)
