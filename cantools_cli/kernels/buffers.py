"""Types of the buffers that kernels take, for mypy; the ``.pxd`` files give the compiler the same types.

``ReadBuffer`` and ``WriteBuffer`` hold bytes, ``Word`` is 8 bytes as a number, the others are columns of the
element type in their name.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

ReadBuffer = bytes | bytearray | memoryview
WriteBuffer = bytearray | memoryview
Word = int  # of 64 bits, unsigned
if TYPE_CHECKING:
    Int64s = array[int]
    UInt32s = array[int]
    UInt16s = array[int]
    Float64s = array[float]
else:  # subscripted at run time only from Python 3.12 on
    Int64s = UInt32s = UInt16s = Float64s = array
