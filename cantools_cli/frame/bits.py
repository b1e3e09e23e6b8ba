"""Constants of CAN frames: identifier bits, flags, lengths.

Sources: ISO 11898-1:2015 (DLC coding), the Linux kernel's ``linux/can.h`` (identifier bits).
"""

from __future__ import annotations

# The identifier word of SocketCAN, used by the ``can_id`` column of a batch.
CAN_EFF_FLAG = 0x80000000
CAN_RTR_FLAG = 0x40000000
CAN_ERR_FLAG = 0x20000000
CAN_EFF_MASK = 0x1FFFFFFF
CAN_SFF_MASK = 0x7FF

# The ``flags`` column of a batch.
FD = 0x01
BRS = 0x02
ESI = 0x04
TX = 0x08
XL = 0x10
#: an error frame to which a program gave an extended identifier; it has no meaning, but is preserved
EXTENDED_ERROR = 0x20

#: CAN FD length in bytes by 4-bit DLC code
FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
_FD_CODES = bytes(next(code for code, size in enumerate(FD_LENGTHS) if size >= n) for n in range(65))


def dlc2len(dlc: int) -> int:
    """Return the CAN FD data length in bytes (0 to 64) of the 4-bit code ``dlc``.

    Raises:
        ValueError: ``dlc`` is not in 0 to 15.
    """
    if not 0 <= dlc <= 15:
        raise ValueError(f"DLC code {dlc} is not in 0 to 15")
    return FD_LENGTHS[dlc]


def len2dlc(length: int) -> int:
    """Return the smallest 4-bit code whose CAN FD length holds ``length`` bytes (0 to 64).

    Raises:
        ValueError: ``length`` is not in 0 to 64.
    """
    if not 0 <= length <= 64:
        raise ValueError(f"length {length} is not in 0 to 64")
    return _FD_CODES[length]
