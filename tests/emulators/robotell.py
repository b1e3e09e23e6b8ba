"""A Robotell USB-CAN adapter on a bus with another node, which keeps frames and may answer them.

The adapter confirms each setting by the same packet with byte 15 set and answers a request with the value. It
keeps settings, filters included, over closing and opening. Once a filter is enabled, frames of the bus reach
the host only if one matches.

Source: the python-can manual, "Robotell CAN-USB interface"; the packets of python-can 4.6.1.
"""

from __future__ import annotations

from collections.abc import Callable

SERIAL_NUMBER = bytes.fromhex("53FF6A064972485540601787") + bytes(4)

_ESCAPED = (0xAA, 0x55, 0xA5)
_NUMBERS = (0x01FFFFF0, 0x01FFFFF1)
_INITIALISE = 0x01FFFEC0
_BITRATE = 0x01FFFED0
_FIRST_FILTER = 0x01FFFEE0


def packet(identifier: int, data: bytes, length: int, channel: int, extended: int, remote: int) -> bytes:
    """Return a packet with its escapes and checksum."""
    body = bytearray(identifier.to_bytes(4, "little") + data.ljust(8, b"\0"))
    body += bytes((length, channel, extended, remote))
    body.append(sum(body) % 256)
    escaped = bytearray()
    for byte in body:
        escaped += bytes((0xA5, byte)) if byte in _ESCAPED else bytes((byte,))
    return b"\xaa\xaa" + bytes(escaped) + b"\x55\x55"


def frame(identifier: int, data: bytes = b"", *, extended: bool = False, remote: int | None = None) -> bytes:
    """Return the packet of a frame; ``remote`` is the number of bytes that a remote frame requests."""
    length = len(data) if remote is None else remote
    return packet(identifier, data, length, 0, int(extended), int(remote is not None))


class Robotell:
    """An adapter.

    Attributes:
        settings: the settings that were written, as 8 bytes by identifier.
        frames: (identifier, extended, remote, length, data) of each frame that the host sent.
        initialised: how often it was initialised.
        mute: the settings that it ignores.
        loses: the number of confirmations that it omits first.
        answer: a function from a frame of the host to packets that return, or None.
        before_confirmation: bytes that precede each confirmation.
        faults: malformed packets of the host.
    """

    def __init__(self) -> None:
        self.settings: dict[int, bytes] = {}
        self.frames: list[tuple[int, bool, bool, int, bytes]] = []
        self.initialised = 0
        self.mute: set[int] = set()
        self.loses = 0
        self.answer: Callable[[tuple[int, bool, bool, int, bytes]], bytes] | None = None
        self.before_confirmation = b""
        self.faults = 0
        self._state = self._idle
        self._body = bytearray()

    @property
    def bitrate(self) -> int:
        return int.from_bytes(self.settings.get(_BITRATE, bytes(8))[:4], "little")

    def filters(self) -> dict[int, tuple[int, int, bool]]:
        """Return (identifier, mask, is extended) of the enabled filters by number."""
        found = {}
        for number in range(1, 15):
            value = self.settings.get(_FIRST_FILTER + number - 1, bytes(8))
            word, mask = int.from_bytes(value[:4], "little"), int.from_bytes(value[4:], "little")
            if word & 0x80000000:
                found[number] = (word & 0x1FFFFFFF, mask, bool(word & 0x40000000))
        return found

    def passes(self, identifier: int, extended: bool) -> bool:
        """Return whether a frame of the bus reaches the host."""
        filters = self.filters().values()
        return not filters or any(
            kind == extended and (wanted ^ identifier) & mask == 0 for wanted, mask, kind in filters
        )

    def from_bus(self, identifier: int, data: bytes = b"", *, extended: bool = False) -> bytes:
        """Return what the host gets of a frame on the bus."""
        return frame(identifier, data, extended=extended) if self.passes(identifier, extended) else b""

    def feed(self, data: bytes) -> bytes:
        return b"".join(self._state(byte) for byte in data)

    # --- the state machine ----------------------------------------------------------------------------

    def _idle(self, byte: int) -> bytes:
        self._state = self._begun if byte == 0xAA else self._idle
        return b""

    def _begun(self, byte: int) -> bytes:
        self._state = self._inside if byte == 0xAA else self._idle
        self._body.clear()
        return b""

    def _inside(self, byte: int) -> bytes:
        if byte == 0xA5:
            self._state = self._escaped
        elif byte == 0x55:
            self._state = self._ending
        elif byte == 0xAA:
            self.faults += 1
            self._state = self._begun
        else:
            self._body.append(byte)
        return b""

    def _escaped(self, byte: int) -> bytes:
        self._body.append(byte)
        self._state = self._inside
        return b""

    def _ending(self, byte: int) -> bytes:
        self._state = self._idle
        body = bytes(self._body)
        if byte != 0x55 or len(body) != 17 or sum(body[:16]) % 256 != body[16]:
            self.faults += 1
            return b""
        identifier, length = int.from_bytes(body[:4], "little"), body[12]
        if body[13] == 0xFF:
            return self._setting(identifier, body[4:12], length, bool(body[15]))
        message = (
            identifier,
            bool(body[14]),
            bool(body[15]),
            length,
            body[4 : 4 + (0 if body[15] else length)],
        )
        self.frames.append(message)
        return self.answer(message) if self.answer else b""

    def _setting(self, identifier: int, value: bytes, length: int, reads: bool) -> bytes:
        if identifier in self.mute:
            return b""
        if reads:
            if identifier in _NUMBERS:
                at = 8 * _NUMBERS.index(identifier)
                value = SERIAL_NUMBER[at : at + 8]
            else:
                value = self.settings.get(identifier, bytes(8))
            return packet(identifier, value, 8, 0xFF, 1, 0)
        if identifier == _INITIALISE:
            self.initialised += 1
        else:
            self.settings[identifier] = value
        if self.loses:
            self.loses -= 1
            return b""
        return self.before_confirmation + packet(identifier, value, length, 0xFF, 1, 1)
