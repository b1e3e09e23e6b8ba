"""Many records per system call: ``recvmmsg`` and ``sendmmsg``, which Python lacks.

Their buffers are allocated once; the kernel ``records`` reads and fills them.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterator

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import records as kernel

#: maximum number of messages per call
COUNT = 256

_DONTWAIT = 0x40
#: struct mmsghdr: name, its size, vectors, how many, control messages, their size, flags, size of the record
_HEADER = struct.Struct("@PI4xPNPNi4xI4x")
_VECTOR = struct.Struct("@PN")
#: struct cmsghdr: size of the whole, level, type
_ITEM = struct.Struct("@Nii")


def is_available() -> bool:
    """Return whether this system has both calls, and the layout that the kernel expects."""
    return sys.byteorder == "little" and ctypes.sizeof(ctypes.c_void_p) == 8 and hasattr(_libc, "recvmmsg")


class Messages:
    """Buffers for 256 records, each with a name and control messages.

    Attributes:
        room: the number of messages.
        headers, names, records, control, vectors: the buffers that the kernel ``records`` uses.
    """

    def __init__(self, *, receiving: bool) -> None:
        self.room = COUNT
        self.headers = bytearray(COUNT * kernel.HEADER_SIZE)
        self.names = bytearray(COUNT * kernel.NAME_SIZE)
        self.records = bytearray(COUNT * kernel.RECORD_SIZE)
        self.control = bytearray(COUNT * kernel.CONTROL_SIZE)
        self.vectors = bytearray(COUNT * kernel.VECTOR_SIZE)
        self._address = _address(self.headers)
        names, records, control, vectors = map(
            _address, (self.names, self.records, self.control, self.vectors)
        )
        for at in range(COUNT):
            vector = at * kernel.VECTOR_SIZE
            _VECTOR.pack_into(self.vectors, vector, records + at * kernel.RECORD_SIZE, kernel.RECORD_SIZE)
            name = (names + at * kernel.NAME_SIZE, kernel.NAME_SIZE) if receiving else (0, 0)
            extra = (control + at * kernel.CONTROL_SIZE, kernel.CONTROL_SIZE) if receiving else (0, 0)
            header = (*name, vectors + vector, 1, *extra, 0, 0)
            _HEADER.pack_into(self.headers, at * kernel.HEADER_SIZE, *header)
        self._fresh = bytes(self.headers)
        self._used = 0

    def receive(self, descriptor: int) -> int:
        """Receive the queued messages; return their number.

        Raises:
            BlockingIOError: no message is queued.
            OSError: receiving failed.
        """
        used = self._used * kernel.HEADER_SIZE
        self.headers[:used] = self._fresh[:used]  # the last call changed the sizes
        self._used = 0
        self._used = _called(_libc.recvmmsg(descriptor, self._address, COUNT, _DONTWAIT, None))
        return self._used

    def interface(self, at: int) -> int:
        """Return the index of the interface that received a message."""
        return int.from_bytes(self.names[at * kernel.NAME_SIZE + 4 :][:4], sys.byteorder)

    def record(self, at: int) -> bytes:
        size = int.from_bytes(self.headers[at * kernel.HEADER_SIZE + 56 :][:4], sys.byteorder)
        return bytes(self.records[at * kernel.RECORD_SIZE :][: min(size, kernel.RECORD_SIZE)])

    def extra(self, at: int) -> Iterator[tuple[int, int, bytes]]:
        """Yield the control messages of a message as (level, type, data)."""
        used = int.from_bytes(self.headers[at * kernel.HEADER_SIZE + 40 :][:4], sys.byteorder)
        rest = self.control[at * kernel.CONTROL_SIZE :][: min(used, kernel.CONTROL_SIZE)]
        while len(rest) >= _ITEM.size:
            size, level, kind = _ITEM.unpack_from(rest)
            if not _ITEM.size <= size <= len(rest):
                return
            yield level, kind, bytes(rest[_ITEM.size : size])
            rest = rest[size + 7 & ~7 :]

    def send(self, descriptor: int, batch: MessageBatch, row: int) -> int:
        """Send frames of ``batch`` from ``row`` on; return the number of frames sent.

        Raises:
            BlockingIOError: there is no room.
            OSError: sending failed.
        """
        count = kernel.format(row, *batch.columns(), self.records, self.vectors) - row
        return _called(_libc.sendmmsg(descriptor, self._address, count, _DONTWAIT))


def _address(buffer: bytearray) -> int:
    """Return the address of ``buffer``, which is valid until its size changes."""
    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))


def _called(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer


_libc = ctypes.CDLL(None, use_errno=True)
if hasattr(_libc, "recvmmsg"):
    _libc.recvmmsg.argtypes = (
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_void_p,
    )
    _libc.sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
