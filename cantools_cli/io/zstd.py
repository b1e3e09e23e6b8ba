"""Zstandard data of ``.zst`` files, unpacked block by block in bounded memory.

Source: RFC 8878, section 3.1 (frames and blocks) and 3.1.2 (skippable frames).
"""

from __future__ import annotations

from typing import Any

from cantools_cli.errors import UsageError

MAGIC = b"\x28\xb5\x2f\xfd"
LEVEL = 3
_SKIPPABLE = b"\x2a\x4d\x18"  # after any byte from 50 to 5F
_BLOCK_LIMIT = 1 << 17  #: bytes of an unpacked block
_RLE = 1  # a block of this type stores one byte, which is repeated
_CHECKSUM_BIT = 0x04  # of the frame's descriptor, the byte after the magic number
_MIN_HEADER = 5  # enough to know the size of the header
_SKIPPABLE_HEADER = 8


def begins(head: bytes) -> bool:
    """Return whether ``head`` starts a frame, or is too short to exclude that."""
    return MAGIC.startswith(head[:4]) or (head[0] & 0xF0 == 0x50 and _SKIPPABLE.startswith(head[1:4]))


class ZstdError(ValueError):
    """The compressed data is damaged."""


def _library() -> Any:
    """Return the module ``zstandard``."""
    try:
        import zstandard
    except ImportError as error:
        raise UsageError(
            "zstd compression needs zstandard, which is not installed",
            hint="pip install zstandard; or zstd -dc FILE | canx ...",
        ) from error
    return zstandard


class Inflater:
    """Unpacks one frame; the interface is that of ``zlib.decompressobj``.

    The library unpacks a piece of data as a whole, possibly to thousands of times its size. So it is fed a
    few complete blocks at a time; the size of each precedes it.
    """

    def __init__(self) -> None:
        self.eof = False  #: whether the end of the frame was reached
        self.unused_data = b""  #: the data after that end
        self.unconsumed_tail = b""  #: the data that was not processed, since enough was unpacked
        self._library = _library()
        self._inflate: Any = None  # None until the frame's header is complete
        self._kept = b""  # the start of an incomplete block or header
        self._tail = 0  # bytes of checksum after the last block
        self._skip = 0  # remaining bytes of a skippable frame
        self._is_last = False
        # an error after intact data, as text: the exception would keep all data in memory
        self._damage = ""

    def decompress(self, data: bytes, size: int) -> bytes:
        """Return the unpacked ``data``, about ``size`` bytes at most; damage is raised by the next call."""
        if self._damage:
            raise ZstdError(self._damage)
        data, self._kept, self.unconsumed_tail = self._kept + data, b"", b""
        if self._skip:
            return self._skipped(data)
        try:
            end = 0
            if self._inflate is None:
                end = self._begin(data)
                if self._inflate is None:
                    return b""
            out, end, is_enough = self._unpacked(data, end, max(1, size // _BLOCK_LIMIT))
        except self._library.ZstdError as error:
            raise ZstdError(str(error)) from error
        if self.eof:
            self.unused_data = data[end:]
        elif is_enough:
            self.unconsumed_tail = data[end:]
        else:
            self._kept = data[end:]
        return out

    def _unpacked(self, data: bytes, header: int, limit: int) -> tuple[bytes, int, bool]:
        """Unpack ``limit`` blocks, one by one as damage costs a whole call; return (content, end, all)."""
        pieces, begin, end = [], 0, header
        is_enough = False
        for _ in range(limit):
            end, is_enough = self._block(data, end)
            try:
                if end > begin:
                    pieces.append(self._inflate.decompress(data[begin:end]))
            except self._library.ZstdError as error:
                if not any(pieces):
                    raise
                self._damage = str(error)
                self.eof = False
                return b"".join(pieces), begin, True
            begin = end
            if not is_enough:
                break
        return b"".join(pieces), end, is_enough

    def _begin(self, data: bytes) -> int:
        """Read the frame's header; return its size, 0 if it is incomplete or the frame has no blocks."""
        if data[1:4] == _SKIPPABLE and data[0] & 0xF0 == 0x50:  # it holds no data
            if len(data) < _SKIPPABLE_HEADER:
                self._kept = data
                return 0
            self._skip = _SKIPPABLE_HEADER + int.from_bytes(data[4:8], "little")
            self._skipped(data)
            return 0
        if len(data) < _MIN_HEADER and (not data or begins(data)):
            self._kept = data
            return 0
        size = self._library.frame_header_size(data)
        if len(data) < size:
            self._kept = data
            return 0
        self._tail = 4 if data[4] & _CHECKSUM_BIT else 0
        self._inflate = self._library.ZstdDecompressor().decompressobj()
        return int(size)

    def _block(self, data: bytes, at: int) -> tuple[int, bool]:
        """Return (end of the block at ``at``, whether more may follow); the checksum counts as a block."""
        if self._is_last:
            if len(data) < at + self._tail:
                return at, False
            self.eof = True
            return at + self._tail, False
        head = int.from_bytes(data[at : at + 3], "little")
        end = at + 3 + (1 if head >> 1 & 3 == _RLE else head >> 3)
        if len(data) < max(end, at + 3):
            return at, False
        self._is_last = bool(head & 1)
        self.eof = self._is_last and not self._tail
        return end, not self.eof

    def _skipped(self, data: bytes) -> bytes:
        rest = data[self._skip :]
        self._skip -= len(data) - len(rest)
        if self._skip == 0:
            self.eof = True
            self.unused_data = rest
        return b""


class Deflater:
    """Compresses into one frame; the interface is that of ``zlib.compressobj``."""

    def __init__(self) -> None:
        library = _library()
        self._deflate = library.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj()
        self._flush_block = library.COMPRESSOBJ_FLUSH_BLOCK

    def compress(self, data: bytes | bytearray | memoryview) -> bytes:
        return bytes(self._deflate.compress(data))

    def flush_block(self) -> bytes:
        """Return the bytes that make all data so far readable."""
        return bytes(self._deflate.flush(self._flush_block))

    def finish(self) -> bytes:
        """Return the end of the frame."""
        return bytes(self._deflate.flush())
