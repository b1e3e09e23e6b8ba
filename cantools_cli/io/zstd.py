"""Zstandard data, as ``.zst`` files have it, unpacked block by block so that memory stays bounded.

Source: RFC 8878, section 3.1 (frames and blocks) and 3.1.2 (skippable frames).
"""

from __future__ import annotations

from typing import Any

from cantools_cli.errors import UsageError

MAGIC = b"\x28\xb5\x2f\xfd"
LEVEL = 3
_SKIPPABLE = b"\x2a\x4d\x18"  # behind any of 50 to 5F
#: no block is larger when it is unpacked
_BLOCK_LIMIT = 1 << 17
_RLE = 1  # a block of this type is one byte, however often it stands there
_CHECKSUM_BIT = 0x04  # of the frame's descriptor, the byte behind the magic number
_MIN_HEADER = 5  # then it is known how long it is
_SKIPPABLE_HEADER = 8


def is_skippable(head: bytes) -> bool:
    """Tell whether a frame without data begins here, as some compressors write for their own purposes."""
    return len(head) >= 4 and head[0] & 0xF0 == 0x50 and head[1:4] == _SKIPPABLE


def begins(head: bytes) -> bool:
    """Tell whether a frame begins here, or may: where there are fewer bytes than that takes."""
    return MAGIC.startswith(head[:4]) or (head[0] & 0xF0 == 0x50 and _SKIPPABLE.startswith(head[1:4]))


class ZstdError(ValueError):
    """The data is not what a compressor writes."""


def _library() -> Any:
    """Return the module ``zstandard``.

    Raises:
        UsageError: it is not installed.
    """
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

    The library gives all that a piece of data unpacks to at once, which may be thousands of times its size.
    So it gets a few whole blocks at a time, whose sizes stand before them.

    Attributes:
        eof: whether the end of the frame was reached.
        unused_data: what follows that end.
        unconsumed_tail: what has not been looked at, since enough was unpacked.
    """

    def __init__(self) -> None:
        self.eof = False
        self.unused_data = b""
        self.unconsumed_tail = b""
        self._library = _library()
        self._inflate: Any = None  # None until the frame's header is complete
        self._kept = b""  # the begin of a block or header whose rest is still to come
        self._tail = 0  # bytes of checksum behind the last block
        self._skip = 0  # bytes of a skippable frame still to come
        self._is_last = False
        # what was met behind data that was good; the error itself would hold on to all this
        self._damage = ""

    def decompress(self, data: bytes, size: int) -> bytes:
        """Return what ``data`` unpacks to, about ``size`` bytes at most.

        What is before damage comes first, and the error with the next piece of data.

        Raises:
            ZstdError: the data is damaged.
        """
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
        """Unpack up to ``limit`` whole blocks, and return their content, where they end, if that many came.

        One by one, since the library gives nothing of data with damage in it.
        """
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
        """Read the frame's header and return its size; 0 where it is not complete, or there are no blocks."""
        if is_skippable(data):
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
        """Return where the block at ``at`` ends, or the checksum behind the last; and if more may follow.

        The checksum comes alone, since a wrong one says nothing of the blocks before it.
        """
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
        """Return what makes everything so far readable."""
        return bytes(self._deflate.flush(self._flush_block))

    def finish(self) -> bytes:
        """Return the end of the frame."""
        return bytes(self._deflate.flush())
