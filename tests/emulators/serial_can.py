"""A computer or microcontroller that speaks python-can's serial format.

Source: the python-can manual, "CAN over Serial"; python-can 4.6.1 for the three flags of an identifier.
"""

from __future__ import annotations


def frame(identifier: int, data: bytes = b"", time: int = 0, length: int | None = None) -> bytes:
    """Return a frame; ``identifier`` includes the flags, ``length`` is by default that of the data."""
    size = len(data) if length is None else length
    return (
        b"\xaa"
        + time.to_bytes(4, "little")
        + bytes((size,))
        + identifier.to_bytes(4, "little")
        + data
        + b"\xbb"
    )


class SerialCan:
    """A device that keeps the frames of the host, and returns them if ``echoes``.

    Attributes:
        frames: (time, identifier with flags, length, data) of each frame.
        faults: bytes between frames.
    """

    def __init__(self, echoes: bool = False) -> None:
        self.echoes = echoes
        self.frames: list[tuple[int, int, int, bytes]] = []
        self.faults = 0
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        self._rest += data
        while len(self._rest) >= 11:
            head, size = self._rest[:10], self._rest[5]
            identifier = int.from_bytes(head[6:], "little")
            end = 11 + (0 if identifier & 0x40000000 else size)
            if head[0] == 0xAA and size <= 8 and len(self._rest) < end:
                break
            if head[0] == 0xAA and size <= 8 and self._rest[end - 1] == 0xBB:
                time = int.from_bytes(head[1:5], "little")
                self.frames.append((time, identifier, size, self._rest[10 : end - 1]))
                self._rest = self._rest[end:]
            else:
                self.faults += 1
                self._rest = self._rest[1:]
        return data if self.echoes else b""
