"""The buffers that kernels take, as mypy sees them; the ``.pxd`` files say the same to the compiler.

``Octets`` and ``Room`` are bytes to read and to write, the others columns: int64, uint32, uint16, and
``Doubles`` floating point.
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
    Doubles = array[float]
else:  # subscripted at run time only from Python 3.12 on
    Longs = Ints = Shorts = Doubles = array
