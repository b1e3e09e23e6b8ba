"""The outer level of a Vector BLF: containers, unpacked piece by piece into one stream of objects.

::

    LOBJ, u16 headerSize 16, u16 version 1, u32 objectSize, u32 type 10       base header of every object
    u16 method (0 stored, 2 zlib), 6 bytes, u32 unpackedSize, 4 bytes         of a container
    payload, then objectSize % 4 bytes of padding

An object of the inner stream may begin in one container and end in a later one. Objects that lie between
containers belong to the same stream.

Source: files of Vector's tools, python-can, Wireshark and TSMaster.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from cantools_cli.buffers import Octets
from cantools_cli.errors import FormatError
from cantools_cli.io.files import CHUNK, InputStream

Bytes = bytes | bytearray

SIGNATURE = b"LOBJ"
CONTAINER = 10
CONTAINER_HEAD = 32
#: bytes of a header; the longest one known has 40
LARGEST_HEADER = 64
STORED, DEFLATED = 0, 2
#: bytes that are unpacked at a time, whatever a container says of its size
PIECE = 1 << 18
#: no container may unpack to more
LARGEST_UNPACKED = 1 << 30
#: the longest padding behind an object: objectSize % 4, and as much again by writers that round up
LONGEST_GAP = 6

_BASE = struct.Struct("<4s2H2L")
_CONTAINER = struct.Struct("<4s2H2L2H3L")
_SALVAGE_LIMIT = 1 << 22
_SALVAGE_STEP = 32


class ObjectHeader(NamedTuple):
    """The base header that every object begins with."""

    header_size: int
    version: int
    size: int
    kind: int


def read_header(data: Bytes, at: int = 0) -> ObjectHeader:
    """Return the base header at ``at``, where 16 bytes are.

    Raises:
        FormatError: its sizes cannot be.
    """
    _, header_size, version, size, kind = _BASE.unpack_from(data, at)
    if not 16 <= header_size <= LARGEST_HEADER or size < header_size:
        raise FormatError(
            f"an object of type {kind} has a size of {size} bytes and a header of {header_size}"
        )
    return ObjectHeader(header_size, version, size, kind)


def pack_container(data: Octets, level: int) -> bytes:
    """Return ``data`` as a container with its padding, compressed unless ``level`` is 0."""
    payload = deflate(data, level) if level else bytes(data)
    size = CONTAINER_HEAD + len(payload)
    method = DEFLATED if level else STORED
    head = _CONTAINER.pack(SIGNATURE, 16, 1, size, CONTAINER, method, 0, 0, len(data), 0)
    return head + payload + bytes(size % 4)


def deflate(data: Octets, level: int) -> bytes:
    """Compress to a zlib stream; level 1 by isal where it is installed, which is ten times as fast."""
    fast = _isal() if level == 1 else None
    return zlib.compress(data, level) if fast is None else bytes(fast.compress(data, 1))


class Search:
    """The way to the next object where none is where it should be, in as many pieces as it takes.

    Attributes:
        total: bytes passed over so far that are not padding.
    """

    def __init__(self) -> None:
        self.total = 0
        self._is_told = False
        self._begin = self._padding = self._skipped = 0
        self._sample = b""

    def told(self) -> None:
        """Keep quiet about the gap that follows: its cause was reported."""
        self._is_told = True

    def step(self, data: Bytes, at: int, position: int) -> tuple[int, bool]:
        """Look from ``data[at]`` on, which is at ``position`` of the stream, where 16 bytes are.

        Returns where to go on, and whether an object is there; the bytes before are done with.
        """
        found = find_object(data, at)
        stop = found if found >= 0 else len(data) - 15
        self.leave_out(data[at:stop], position)
        return stop, found >= 0

    def leave_out(self, data: Bytes, position: int) -> None:
        self._skipped += len(data)
        if not self._sample:
            rest = data.lstrip(b"\0")
            self._sample = bytes(rest[:16])
            self._padding += len(data) - len(rest)
            self._begin = position + len(data) - len(rest)

    def end(self) -> FormatError | None:
        """Return the error of what was passed over, None where it was padding or reported before."""
        error = None
        if self._sample and self._skipped > LONGEST_GAP:
            count = self._skipped - self._padding
            self.total += count
            if not self._is_told:
                error = FormatError(
                    f"no object in {count} bytes, which begin with {self._sample.hex(' ')}",
                    position=self._begin,
                    unit="byte",
                )
        self._is_told = False
        self._padding = self._skipped = 0
        self._sample = b""
        return error


class Containers:
    """Reads the outer level.

    Attributes:
        position: of the object that is being read, in bytes from the start of the file.
        is_cut: the file ended inside it.
        is_damaged: what comes next does not continue what came before; the reader resets it.
    """

    def __init__(
        self, source: InputStream, note: Callable[[str], None], fault: Callable[[FormatError], None]
    ) -> None:
        self._source = source
        self._note = note
        self._fault = fault
        self._data = b""
        self._at = 0
        self._base = 0  # position of _data[0] in the file
        self.search = Search()
        self.position = 0
        self.is_cut = False
        self.is_damaged = False

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes, fewer only at the end of the file."""
        self._have(size)
        data = self._data[self._at : self._at + size]
        self._at += len(data)
        return data

    def pass_over(self, size: int) -> None:
        """Leave out the next ``size`` bytes, or what there is of them."""
        while size and (data := self._some(size)):
            size -= len(data)

    def pieces(self) -> Iterator[Bytes]:
        """Yield the inner stream, piece by piece, each as soon as it is there."""
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

    def _have(self, size: int) -> int:
        """Try to have ``size`` bytes at hand; return how many there are."""
        there = len(self._data) - self._at
        while there < size and (more := self._source.read(CHUNK)):
            self._base += self._at
            self._data = self._data[self._at :] + more
            self._at = 0
            there += len(more)
        return there

    def _some(self, most: int) -> bytes:
        """Return between one and ``most`` bytes, whatever is there first; b"" at the end."""
        return self.take(min(most, self._have(1)))

    def _next_object(self) -> bool:
        """Go to the next object, over padding and, where faults are skipped, over what is none."""
        found = self._have(16) >= 16 and self._data.startswith(SIGNATURE, self._at)
        while not found and self._have(16) >= 16:
            self._at, found = self.search.step(self._data, self._at, self._base + self._at)
        if not found:
            self.position = self._base + self._at
            rest = self.take(16)
            self.is_cut = begins_object(rest)
            if not self.is_cut:
                self.search.leave_out(rest, self.position)
        error = self.search.end()
        if error is not None:
            self.is_damaged = True
            self._fault(error)
        return found

    def _container(self, header: ObjectHeader) -> Iterator[Bytes]:
        """Unpack one container, ending behind it wherever it lies about itself."""
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
        elif unpacked_size > LARGEST_UNPACKED:
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
            yield whole
            return
        inflater = Inflater()
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
                f"{inflater.size} bytes instead of {unpacked_size}; what it holds is used"
            )

    def _inflated_at_once(self, left: int, unpacked_size: int) -> Bytes:
        """Unpack an ordinary container in one step, which is a quarter faster than step by step.

        Returns b"" and takes nothing where it is large, cut, damaged, or lies about its size.
        """
        fast = _libdeflate()
        if fast is None or not 0 < unpacked_size <= PIECE or left > 2 * PIECE or self._have(left) < left:
            return b""
        if not self._is_followed(left) and self._holds_object(left):
            return b""
        try:
            packed = memoryview(self._data)[self._at : self._at + left]
            data: bytearray = fast.zlib_decompress(packed, unpacked_size)
        except fast.DeflateError:
            return b""
        if len(data) < unpacked_size:
            return b""
        self._at += left
        return data

    def _is_followed(self, left: int) -> bool:
        """Tell whether an object is at hand behind the next ``left`` bytes: they end where they should."""
        end = self._at + left
        return self._data[end : end + LONGEST_GAP + len(SIGNATURE)].lstrip(b"\0").startswith(SIGNATURE)

    def _holds_object(self, left: int) -> bool:
        """Tell whether an object seems to begin in the next ``left`` bytes, as far as they are at hand."""
        return self._data.find(SIGNATURE, self._at, self._at + left + len(SIGNATURE) - 1) >= 0

    def _lose(self, left: int, reason: str) -> None:
        self.pass_over(left)
        self.is_damaged = True
        self.search.told()
        self._fault(FormatError(reason, position=self.position, unit="byte"))


class Inflater:
    """Unpacks one zlib stream, with memory that does not follow what the stream says.

    Attributes:
        size: bytes unpacked so far.
        error: what was wrong with the data, "" as long as nothing was.
        is_done: the end of the stream was met, or an error.
        unused: what was fed behind the end.
    """

    def __init__(self) -> None:
        fast = _isal()
        self._inflater: Any = zlib.decompressobj() if fast is None else fast.decompressobj()
        self._errors = (zlib.error,) if fast is None else (zlib.error, fast.error)
        self._fed = b""
        self.size = 0
        self.error = ""
        self.is_done = False
        self.unused = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` unpacks to; where it is damaged, what comes before the damage."""
        if len(self._fed) <= _SALVAGE_LIMIT:
            self._fed = self._fed + data if self._fed else data
        while not self.is_done:
            try:
                piece = self._inflater.decompress(data, PIECE)
            except self._errors as error:
                self.error, self.is_done = str(error), True
                yield from self._salvaged()
                return
            data = self._inflater.unconsumed_tail
            self.size += len(piece)
            if self.size > LARGEST_UNPACKED:
                self.error, self.is_done = f"it unpacks to more than {LARGEST_UNPACKED} bytes", True
                return
            self.is_done = self._inflater.eof
            self.unused = self._inflater.unused_data
            if piece:
                yield piece
            if not data and len(piece) < PIECE:
                return

    def _salvaged(self) -> Iterator[bytes]:
        """Unpack once more in small steps: a call that meets damage gives nothing of what comes before it.

        Behind its head of two bytes, that is, and without its checksum.
        """
        head = int.from_bytes(self._fed[:2], "big")
        if len(self._fed) > _SALVAGE_LIMIT or head % 31 or head >> 8 & 15 != zlib.DEFLATED:
            return
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        size = 0
        for at in range(2, len(self._fed), _SALVAGE_STEP):
            try:
                piece = inflater.decompress(self._fed[at : at + _SALVAGE_STEP])
            except zlib.error:
                return
            size += len(piece)
            if size > self.size:
                new, self.size = piece[self.size - size :], size
                yield new


def begins_object(data: Bytes) -> bool:
    """Tell whether ``data``, the last bytes of a stream, is padding and the begin of an object."""
    start = data.lstrip(b"\0")[: len(SIGNATURE)]
    return bool(start) and SIGNATURE.startswith(start)


def find_object(data: Bytes, at: int) -> int:
    """Return where the next object begins at or behind ``at``, or -1.

    "LOBJ" alone does not make one, since data may hold it: the header behind it has to make sense too.
    """
    while (at := data.find(SIGNATURE, at)) >= 0 and at + 16 <= len(data):
        _, header_size, version, size, _ = _BASE.unpack_from(data, at)
        if 16 <= header_size <= LARGEST_HEADER and 1 <= version <= 3 and size >= header_size:
            return at
        at += 1
    return -1


@cache
def _libdeflate() -> Any:
    """Return ``deflate``, the fastest to inflate what is there as a whole; None where it is not installed."""
    try:
        import deflate
    except ImportError:
        return None
    return deflate


@cache
def _isal() -> Any:
    """Return ``isal.isal_zlib``, None where it is not installed; imported when there is work for it."""
    try:
        from isal import isal_zlib
    except ImportError:
        return None
    return isal_zlib
