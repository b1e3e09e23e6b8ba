"""A pipe that gives a few bytes at a time."""

from __future__ import annotations

import io


class Pieces(io.RawIOBase):
    """Gives ``data`` in reads of at most ``size`` bytes."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__()
        self._data, self._size = io.BytesIO(data), size

    def read(self, size: int = -1) -> bytes:
        return self._data.read(self._size)
