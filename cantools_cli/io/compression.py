"""Compression of logs: recognised by suffix or first bytes; objects that compress and decompress."""

from __future__ import annotations

import os
import zlib
from typing import Any

from cantools_cli.kernels.buffers import ReadBuffer
from cantools_cli.plugins import COMPRESSIONS

GZIP_MAGIC = b"\x1f\x8b"
#: unsupported compressions: (name, command that decompresses), for the error message
UNSUPPORTED_MAGIC = {
    b"\x04\x22\x4d\x18": ("lz4", "lz4 -dc"),
    b"\xfd7zXZ\x00": ("xz", "xz -dc"),
    b"BZh": ("bzip2", "bzip2 -dc"),
}
#: the first bytes of compressed data: gzip, zstd and its skippable frames, lz4, xz, bzip2
FIRST_BYTES = frozenset(b"\x1f\x28\x04\xfdB") | frozenset(range(0x50, 0x60))
_GZIP_WBITS = 31


def compression_of(path: str) -> str | None:
    """Return the compression for the suffix of ``path``: ``gzip``, ``zstd`` or None."""
    return COMPRESSIONS.get(os.path.splitext(path)[1].lower())


def compression_at(head: bytes) -> str:
    """Return the compression of data that starts with ``head``, empty for none."""
    if head.startswith(GZIP_MAGIC):
        return "gzip"
    if len(head) >= 4 and head[0] in FIRST_BYTES and head[1] in b"\xb5\x2a":  # not a log line's "(1"
        from cantools_cli.io import zstd

        return "zstd" if zstd.begins(head) else ""
    return ""


def goes_on(compression: str, head: bytes) -> bool:
    """Return whether ``head`` is, or may be, the start of another member of the same compression."""
    if compression == "gzip":
        return GZIP_MAGIC.startswith(head[:2])
    from cantools_cli.io import zstd

    return zstd.begins(head)


def inflater(compression: str) -> Any:
    """Return a decompressor of one member, with the interface of ``zlib.decompressobj``."""
    if compression == "gzip":
        return _GzipInflater()
    from cantools_cli.io import zstd

    return zstd.Inflater()


class _GzipInflater:
    """Unpacks one gzip member like ``zlib.decompressobj``, but returns the data before damage first."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=_GZIP_WBITS)
        self._rest: bytes | None = None  # the data from the damage on

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    @property
    def unconsumed_tail(self) -> bytes:
        return self._inflate.unconsumed_tail if self._rest is None else self._rest

    def decompress(self, data: bytes, size: int) -> bytes:
        """Return the unpacked ``data``, at most ``size`` bytes."""
        before = self._inflate.copy()
        try:
            return self._inflate.decompress(data, size)
        except zlib.error:
            if self._rest is not None:
                raise
            intact = self._before_damage(before, data, size)
            if not intact:
                raise
            return intact

    def _before_damage(self, inflate: Any, data: bytes, size: int) -> bytes:
        """Return the data before the damage, unpacked by ``inflate`` in steps that are halved."""
        pieces, at, step = [], 0, len(data)
        while step:
            trial = inflate.copy()
            try:
                piece = trial.decompress(data[at : at + step], size)
            except zlib.error:
                step //= 2
                continue
            pieces.append(piece)
            inflate, at = trial, at + step
        self._inflate, self._rest = inflate, data[at:]
        return b"".join(pieces)


class _GzipDeflater:
    """Compresses into one gzip member, with the interface of ``zstd.Deflater``."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, _GZIP_WBITS)

    def compress(self, data: ReadBuffer) -> bytes:
        return self._deflate.compress(data)

    def flush_block(self) -> bytes:
        return self._deflate.flush(zlib.Z_FULL_FLUSH)

    def finish(self) -> bytes:
        return self._deflate.flush()


def deflater(compression: str | None) -> Any:
    """Return a compressor into one member, or None for no compression."""
    if compression is None:
        return None
    if compression == "gzip":
        return _GzipDeflater()
    from cantools_cli.io import zstd

    return zstd.Deflater()
