"""The buffers that kernels take, as mypy sees them; the ``.pxd`` files say the same to the compiler.

``Octets`` and ``Room`` are bytes to read and to write, the others columns of a batch: int64, uint32
and uint16.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

Octets = bytes | bytearray | memoryview
Room = bytearray | memoryview
if TYPE_CHECKING:
    Longs = array[int]
    Ints = array[int]
    Shorts = array[int]
else:  # subscripted at run time only from Python 3.12 on
    Longs = Ints = Shorts = array
