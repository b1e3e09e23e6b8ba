"""The outer level of a BLF file: containers, unpacked piece by piece into one stream of objects.

::

    LOBJ, u16 headerSize 16, u16 version 1, u32 objectSize, u32 type 10       base header of every object
    u16 method (0 stored, 2 zlib), 6 bytes, u32 unpackedSize, 4 bytes         of a container
    payload, then objectSize % 4 bytes of padding

An object of the inner stream may start in one container and end in a later one. Objects between containers
belong to the same stream.

Source: files of Vector's tools, python-can, Wireshark and TSMaster.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from cantools_cli.errors import FormatError
from cantools_cli.io.blf.inflate import MAX_UNPACKED, PIECE, Bytes, ContainerInflater, inflate_whole, isal
from cantools_cli.io.files import CHUNK, InputStream
from cantools_cli.kernels.buffers import ReadBuffer

if TYPE_CHECKING:
    from cantools_cli.io.blf.ahead import InflateAhead

SIGNATURE = b"LOBJ"
CONTAINER = 10
CONTAINER_HEAD = 32
MAX_HEADER = 64  #: bytes of a header; the longest known one has 40
STORED, DEFLATED = 0, 2
ALONE = 8  #: containers to unpack before threads are started, which do not pay off for a small file
MAX_GAP = 6  #: the longest padding after an object: objectSize % 4, twice with writers that also round up

_BASE = struct.Struct("<4s2H2L")
_CONTAINER = struct.Struct("<4s2H2L2H3L")
#: bytes of the file to buffer for the inflating threads, and the size of a read to get them
_AT_HAND = 1 << 19
_AHEAD_CHUNK = 1 << 20


Note = Callable[[str], None]
Fault = Callable[[FormatError], None]


class ObjectHeader(NamedTuple):
    """The base header that every object begins with."""

    header_size: int
    version: int
    size: int
    kind: int


def read_header(data: Bytes, at: int = 0) -> ObjectHeader:
    """Return the base header at ``at``; ``data`` holds at least 16 bytes there."""
    _, header_size, version, size, kind = _BASE.unpack_from(data, at)
    if not 16 <= header_size <= MAX_HEADER or size < header_size:
        raise FormatError(
            f"an object of type {kind} has a size of {size} bytes and a header of {header_size}"
        )
    return ObjectHeader(header_size, version, size, kind)


def pack_container(data: ReadBuffer, level: int) -> bytes:
    """Return ``data`` as a container with its padding, compressed unless ``level`` is 0."""
    payload = deflate(data, level) if level else bytes(data)
    size = CONTAINER_HEAD + len(payload)
    method = DEFLATED if level else STORED
    head = _CONTAINER.pack(SIGNATURE, 16, 1, size, CONTAINER, method, 0, 0, len(data), 0)
    return head + payload + bytes(size % 4)


def deflate(data: ReadBuffer, level: int) -> bytes:
    """Compress to a zlib stream; level 1 with isal if it is installed, which is ten times as fast."""
    fast = isal() if level == 1 else None
    return zlib.compress(data, level) if fast is None else bytes(fast.compress(data, 1))


def is_ordinary(size: int, unpacked_size: int) -> bool:
    """Return whether ``size`` bytes that unpack to ``unpacked_size`` may be unpacked in one step."""
    return 0 < unpacked_size <= PIECE and size <= 2 * PIECE


class Search:
    """A search for the next object after damage or padding, through any number of pieces."""

    def __init__(self) -> None:
        self.total = 0  #: bytes skipped so far, without padding
        self._is_reported = False
        self._begin = self._padding = self._skipped = 0
        self._sample = b""

    def mark_reported(self) -> None:
        """Report no error for the next gap, the cause of which was reported."""
        self._is_reported = True

    def step(self, data: Bytes, at: int, position: int) -> tuple[int, bool]:
        """Search from ``data[at]``, at ``position`` of the stream; return (end, whether it is an object)."""
        begin = find_object(data, at)
        stop = begin if begin >= 0 else len(data) - 15
        self.leave_out(data[at:stop], position)
        return stop, begin >= 0

    def leave_out(self, data: Bytes, position: int) -> None:
        """Count ``data``, at ``position`` of the stream, as skipped."""
        self._skipped += len(data)
        if not self._sample:
            rest = data.lstrip(b"\0")
            self._sample = bytes(rest[:16])
            self._padding += len(data) - len(rest)
            self._begin = position + len(data) - len(rest)

    def end(self) -> FormatError | None:
        """End the search: return the error of the skipped bytes, None for padding or a reported gap."""
        error = None
        if self._sample and self._skipped > MAX_GAP:
            count = self._skipped - self._padding
            self.total += count
            if not self._is_reported:
                begin = self._sample.hex(" ")
                error = FormatError(
                    f"{count} bytes hold no object; they begin with {begin}", byte=self._begin
                )
        self._is_reported = False
        self._padding = self._skipped = 0
        self._sample = b""
        return error


class Containers:
    """Reads the outer level; up to ``threads`` threads unpack ahead, until ``close``."""

    def __init__(self, source: InputStream, note: Note, fault: Fault, threads: int = 1) -> None:
        self._source = source
        self._note = note
        self._fault = fault
        self._data = b""
        self._at = 0
        self._base = 0  # position of _data[0] in the file
        self._threads = threads
        self._ahead: InflateAhead | None = None
        self._whole = 0  # ordinary containers so far
        self._looked = 0  # position in the file up to which containers were queued for the threads
        self.search = Search()
        self.position = 0  #: the position of the current object, in bytes from the start of the file
        self.is_cut = False  #: whether the file ended inside that object
        #: whether the next piece does not continue the last one; reset by the reader of the pieces
        self.is_damaged = False

    @property
    def reached(self) -> int:
        """Bytes of the file that were processed: fewer than were read."""
        return self._base + self._at

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer only at the end of the file."""
        self._have(size)
        data = self._data[self._at : self._at + size]
        self._at += len(data)
        return data

    def pass_over(self, size: int) -> None:
        """Skip the next ``size`` bytes, or all up to the end of the file."""
        while size and (data := self._some(size)):
            size -= len(data)

    def pieces(self) -> Iterator[Bytes]:
        """Yield the pieces of the inner stream, each as soon as it is available."""
        while not self.is_cut and self._next_object():
            self.position = self._base + self._at
            try:
                header = read_header(self._data, self._at)
            except FormatError as error:
                self._at += len(SIGNATURE)
                self._lose(0, error.reason)
                continue
            if header.kind == CONTAINER:
                yield from self._container(header)
            else:
                yield from self._stored(header.size)

    def close(self) -> None:
        """End the threads; no more pieces can be read."""
        self._threads = 0
        if self._ahead is not None:
            self._ahead.close()

    def _have(self, size: int, chunk: int = CHUNK) -> int:
        """Read chunks until ``size`` bytes are buffered or the file ends; return the number of bytes."""
        buffered = len(self._data) - self._at
        while buffered < size and (more := self._source.read(chunk)):
            self._base += self._at
            self._data = self._data[self._at :] + more
            self._at = 0
            buffered += len(more)
        return buffered

    def _some(self, limit: int) -> bytes:
        """Return between one and ``limit`` bytes, without waiting for more; b"" at the end."""
        return self.take(min(limit, self._have(1)))

    def _next_object(self) -> bool:
        """Go to the next object: skip padding, and damage unless ``fault`` raises."""
        is_found = self._have(16) >= 16 and self._data.startswith(SIGNATURE, self._at)
        while not is_found and self._have(16) >= 16:
            self._at, is_found = self.search.step(self._data, self._at, self._base + self._at)
        if not is_found:
            self.position = self._base + self._at
            rest = self.take(16)
            self.is_cut = begins_object(rest)
            if not self.is_cut:
                self.search.leave_out(rest, self.position)
        error = self.search.end()
        if error is not None:
            self.is_damaged = True
            self._fault(error)
        return is_found

    def _container(self, header: ObjectHeader) -> Iterator[Bytes]:
        """Unpack one container and stop at its real end, whatever sizes it states."""
        head = self.take(header.header_size + 16)
        left = header.size - len(head)
        if len(head) < header.header_size + 16:
            self.is_cut = True
            return
        method, _, _, unpacked_size = struct.unpack_from("<2H2L", head, header.header_size)
        if left < 0:
            self._lose(0, f"a container of {header.size} bytes is shorter than its own header")
        elif method not in (STORED, DEFLATED):
            self._lose(left, f"a container has the unknown compression {method}")
        elif unpacked_size > MAX_UNPACKED:
            self._lose(left, f"a container claims to unpack to {unpacked_size} bytes")
        elif method == STORED:
            yield from self._stored(left)
        else:
            yield from self._inflated(left, unpacked_size)

    def _stored(self, left: int) -> Iterator[bytes]:
        while left:
            data = self._some(min(left, PIECE))
            if not data:
                self.is_cut = True
                return
            left -= len(data)
            yield data

    def _inflated(self, left: int, unpacked_size: int) -> Iterator[Bytes]:
        whole = self._inflated_at_once(left, unpacked_size)
        if whole:
            self._look_ahead()
            yield whole
            return
        inflater = ContainerInflater()
        while left and not inflater.is_done:
            data = self._some(left)
            if not data:
                self.is_cut = True
                return
            left -= len(data)
            yield from inflater.feed(data)
        if inflater.error:
            self._lose(left, f"the data of a container is damaged: {inflater.error}")
            return
        self._at -= len(inflater.unused)
        left += len(inflater.unused)
        if self._holds_object(left):
            self._lose(0, "a container states a size that reaches into the next object")
            return
        self.pass_over(left)
        if inflater.size != unpacked_size or not inflater.is_done:
            self._note(
                f"a container does not unpack to the size it states, "
                f"{inflater.size} bytes instead of {unpacked_size}; its data is used"
            )

    def _inflated_at_once(self, left: int, unpacked_size: int) -> Bytes:
        """Unpack an ordinary container in one step, or take it from a thread; b"" for any other."""
        if not is_ordinary(left, unpacked_size) or self._have(left) < left:
            return b""
        if not self._is_followed(self._at + left) and self._holds_object(left):
            return b""
        data = self._ahead.take(self.position) if self._ahead is not None else b""
        if not data:
            packed = memoryview(self._data)[self._at : self._at + left]
            data = inflate_whole(packed, unpacked_size)
        if data:
            self._at += left
        return data

    def _look_ahead(self) -> None:
        """Queue the next ordinary containers; a result counts if the reader arrives there by itself."""
        self._whole += 1
        if self._whole <= ALONE or self._threads < 2:
            return
        if self._ahead is None:
            from cantools_cli.io.blf.ahead import InflateAhead

            self._ahead = InflateAhead(inflate_whole, self._threads)
        if self._source.size is not None and len(self._data) - self._at < _AT_HAND:  # a file: no waiting
            self._have(len(self._data) - self._at + 1, _AHEAD_CHUNK)
        at = max(self._at, self._looked - self._base)
        while self._ahead.has_room and (container := self._ordinary_at(at)):
            begin, data, at, size = container
            self._ahead.put(self._base + begin, memoryview(self._data)[data:at], size)
        self._looked = self._base + at

    def _ordinary_at(self, at: int) -> tuple[int, int, int, int] | None:
        """Return (start, start of the data, end, unpacked size) of a buffered ordinary container."""
        begin = self._data.find(SIGNATURE, at, at + MAX_GAP + len(SIGNATURE))
        if begin < 0 or len(self._data) - begin < CONTAINER_HEAD:
            return None
        _, header_size, _, size, kind, method, _, _, unpacked_size, _ = _CONTAINER.unpack_from(
            self._data, begin
        )
        data, end = begin + CONTAINER_HEAD, begin + size
        if kind != CONTAINER or method != DEFLATED or header_size != CONTAINER_HEAD - 16:
            return None
        if not is_ordinary(end - data, unpacked_size) or not self._is_followed(end):
            return None
        return begin, data, end, unpacked_size

    def _is_followed(self, end: int) -> bool:
        """Return whether an object starts after ``end`` in the buffer, which confirms that end."""
        return self._data[end : end + MAX_GAP + len(SIGNATURE)].lstrip(b"\0").startswith(SIGNATURE)

    def _holds_object(self, left: int) -> bool:
        """Return whether an object seems to start in the next ``left`` bytes, as far as they are buffered."""
        return self._data.find(SIGNATURE, self._at, self._at + left + len(SIGNATURE) - 1) >= 0

    def _lose(self, left: int, reason: str) -> None:
        self.pass_over(left)
        self.is_damaged = True
        self.search.mark_reported()
        self._fault(FormatError(reason, byte=self.position))


def begins_object(data: Bytes) -> bool:
    """Return whether ``data``, the last bytes of a stream, is padding followed by the start of an object."""
    start = data.lstrip(b"\0")[: len(SIGNATURE)]
    return bool(start) and SIGNATURE.startswith(start)


def find_object(data: Bytes, at: int) -> int:
    """Return the position of the next valid header at or after ``at``, or -1; data may contain "LOBJ"."""
    while (at := data.find(SIGNATURE, at)) >= 0 and at + 16 <= len(data):
        _, header_size, version, size, _ = _BASE.unpack_from(data, at)
        if 16 <= header_size <= MAX_HEADER and 1 <= version <= 3 and size >= header_size:
            return at
        at += 1
    return -1
