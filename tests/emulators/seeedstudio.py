"""Seeed Studio's USB-CAN Analyzer on a bus whose frames a test provides.

It takes a set-up message and has no answer to it, reports its error counters on request, and returns frames
of the host in the two loopback modes. In the silent modes it does not send to the bus.

Source: the python-can manual, "Seeed Studio USB-CAN Analyzer"; the messages of python-can 4.6.1.
"""

from __future__ import annotations

from typing import NamedTuple


class Setup(NamedTuple):
    """The content of a set-up message."""

    speed: int
    frame_type: int
    filter_id: int
    filter_mask: int
    mode: int
    once: int


def frame(identifier: int, data: bytes = b"", *, extended: bool = False, remote: int | None = None) -> bytes:
    """Return the bytes of a frame; ``remote`` is the number of bytes that a remote frame requests."""
    kind = 0xC0 | (0x20 if extended else 0) | (0x10 if remote is not None else 0)
    kind |= len(data) if remote is None else remote
    return b"\xaa" + bytes((kind,)) + identifier.to_bytes(4 if extended else 2, "little") + data + b"\x55"


def status(rx: int, tx: int) -> bytes:
    """Return the answer to a status request."""
    body = bytes((4, rx, tx)) + bytes(14)
    return b"\xaa\x55" + body + bytes((sum(body) % 256,))


class Seeed:
    """An adapter.

    Attributes:
        setups: the set-up messages with a valid checksum.
        frames: (identifier, extended, remote, length, data) of each frame that went to the bus.
        counters: its error counters for receiving and sending.
        reports_status: whether it answers status requests.
        faults: malformed messages and bytes between messages.
    """

    def __init__(self) -> None:
        self.setups: list[Setup] = []
        self.frames: list[tuple[int, bool, bool, int, bytes]] = []
        self.counters = (0, 0)
        self.reports_status = True
        self.ignores = 0  # status requests that it does not answer first
        self.faults = 0
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        self._rest += data
        answers = []
        while self._rest:
            size = self._size()
            if size is None or len(self._rest) < size:
                break
            text, self._rest = self._rest[:size], self._rest[size:]
            answers.append(self._message(text))
        return b"".join(answers)

    def _size(self) -> int | None:
        if self._rest[0] != 0xAA:
            return 1
        if len(self._rest) < 2:
            return None
        kind = self._rest[1]
        if kind == 0x55:
            return 20
        if kind & 0xC0 != 0xC0 or kind & 0x0F > 8:
            return 1
        return 3 + (4 if kind & 0x20 else 2) + (0 if kind & 0x10 else kind & 0x0F)

    def _message(self, text: bytes) -> bytes:
        if len(text) == 1 or (text[1] != 0x55 and text[-1] != 0x55):
            self.faults += 1
            return b""
        if text[1] == 0x55:
            return self._command(text)
        kind = text[1]
        begin = 6 if kind & 0x20 else 4
        identifier = int.from_bytes(text[2:begin], "little")
        mode = self.setups[-1].mode if self.setups else 0
        if mode & 2 == 0:
            self.frames.append(
                (identifier, bool(kind & 0x20), bool(kind & 0x10), kind & 0x0F, text[begin:-1])
            )
        return text if mode & 1 else b""

    def _command(self, text: bytes) -> bytes:
        if sum(text[2:19]) % 256 != text[19]:
            self.faults += 1
            return b""
        if text[2] == 0x12:
            words = int.from_bytes(text[5:9], "little"), int.from_bytes(text[9:13], "little")
            self.setups.append(Setup(text[3], text[4], *words, text[13], text[14]))
        elif text[2] == 0x04 and self.reports_status:
            if self.ignores:
                self.ignores -= 1
                return b""
            return status(*self.counters)
        return b""
