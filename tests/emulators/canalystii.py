"""An emulated CANalyst-II, for pyusb.

Both channels are nodes of buses that tests join: ``receive`` puts a frame of another node on a channel, and
``sent`` collects what the device puts on its bus.

Source: the traffic of the package ``canalystii`` with the adapter, as documented by its author.
"""

from __future__ import annotations

import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.emulators.usb import Core, StalledError

IDS = (0x04D8, 0x0053)
_COMMANDS = {0x02: 0, 0x04: 1}
_REPLIES = {0x82: 0, 0x84: 1}
_FRAMES_OUT = {0x01: 0, 0x03: 1}
_FRAMES_IN = {0x81: 0, 0x83: 1}
_RECORD = struct.Struct("<IIBBBBB8s")
BUFFER = 64
CAPACITY = 1000  # received frames; the oldest are lost


@dataclass(frozen=True)
class Frame:
    """A frame on the bus; ``ticks`` are the device's 100 microseconds."""

    identifier: int
    data: bytes = b""
    extended: bool = False
    remote: bool = False
    size: int | None = None  # what a remote frame requests, or garbage
    ticks: int = 0
    sending: int = 0

    def packed(self) -> bytes:
        size = len(self.data) if self.size is None else self.size
        return _RECORD.pack(
            self.identifier, self.ticks, 1, self.sending, self.remote, self.extended, size, self.data
        )


def unpacked(record: bytes) -> Frame:
    identifier, ticks, _, sending, remote, extended, size, data = _RECORD.unpack(record)
    known = b"" if remote else data[: min(size, 8)]
    return Frame(identifier, known, bool(extended), bool(remote), size, ticks, sending)


@dataclass
class Channel:
    """One CAN controller.

    Attributes:
        registers: BTR0 and BTR1 of the last INIT.
        unsent: frames without a node that acknowledges them.
        is_alone: whether no other node acknowledges.
        commands: the numbers of all commands, in order.
    """

    registers: tuple[int, int] | None = None
    is_running: bool = False
    is_alone: bool = False
    received: deque[Frame] = field(default_factory=lambda: deque(maxlen=CAPACITY))
    unsent: deque[Frame] = field(default_factory=deque)
    replies: deque[bytes] = field(default_factory=deque)
    commands: list[int] = field(default_factory=list)
    sent: list[Frame] = field(default_factory=list)
    peers: list[Channel] = field(default_factory=list)


class CanalystII(Core):
    """The adapter.

    ``stale`` are frames that survive CLEAR_RX. With ``is_dumb`` no command is answered. ``layout`` gives the
    numbers of frames of successive buffers in one transfer; ``cut`` is how many bytes transfers lack.
    ``pace`` is the number of frames sent between two status queries, 0 for all at once. ``refusals`` is how
    often transfers to the device are not accepted yet.
    """

    def __init__(self, serial: str = "") -> None:
        strings = ("", "Chuangxin Tech USBCAN/CANalyst-II", serial)
        endpoints = [number | side for number in range(1, 7) for side in (0x80, 0)]
        super().__init__(IDS, strings, endpoints)
        self.channels = (Channel(), Channel())
        self.stale: tuple[Frame, ...] = ()
        self.is_dumb = False
        self.layout: tuple[int, ...] = (3,)
        self.cut = 0
        self.pace = self.refusals = 0
        self.garbage: deque[bytes] = deque()  # buffers delivered before the next frames
        self.ticks = 0
        self.on_sent: Callable[[int, Frame], None] | None = None
        self._lock = threading.RLock()

    # --- the other nodes -------------------------------------------------------------------------------

    def receive(self, channel: int, *frames: Frame) -> None:
        """Put frames of another node on the bus; the device stamps them itself if they have no time."""
        with self._lock:
            for frame in frames:
                self.ticks = frame.ticks or self.ticks + 10
                if self.channels[channel].is_running:
                    self.channels[channel].received.append(replace(frame, ticks=self.ticks & 0xFFFFFFFF))
        self.notify()

    def acknowledge(self, channel: int) -> None:
        """Join another node, which acknowledges what waits."""
        with self._lock:
            self.channels[channel].is_alone = False
            self._transmit(channel)
        self.notify()

    # --- the device ------------------------------------------------------------------------------------

    def bulk_out(self, endpoint: int, data: bytes) -> None:
        with self._lock:
            if endpoint in _COMMANDS:
                self._command(_COMMANDS[endpoint], data)
            elif endpoint in _FRAMES_OUT:
                if self.refusals:
                    self.refusals -= 1
                    raise BlockingIOError
                self._take(_FRAMES_OUT[endpoint], data)
            else:
                raise StalledError
        self.notify()

    def bulk_in(self, endpoint: int, size: int) -> bytes | None:
        with self._lock:
            if endpoint in _REPLIES:
                replies = self.channels[_REPLIES[endpoint]].replies
                return replies.popleft() if replies else None
            if endpoint in _FRAMES_IN:
                return self._buffers(self.channels[_FRAMES_IN[endpoint]], size)
        raise StalledError

    def _command(self, number: int, data: bytes) -> None:
        if len(data) != BUFFER:
            raise StalledError
        channel = self.channels[number]
        [command] = struct.unpack_from("<I", data)
        channel.commands.append(command)
        if command == 0x01:
            _, code, mask, _, kind, _, btr0, btr1, mode, one = struct.unpack_from("<10I", data)
            if (code, mask, kind, mode, one) != (1, 0xFFFFFFFF, 1, 0, 1):
                raise StalledError
            channel.registers = (btr0, btr1)
            channel.received.extend(self.stale)
        elif command == 0x02:
            channel.is_running = channel.registers is not None
        elif command == 0x03:
            channel.is_running = False
            channel.unsent.clear()
        elif command == 0x05:
            channel.received.clear()
            channel.received.extend(self.stale)
        elif command == 0x0A and not self.is_dumb:
            if self.pace and not channel.is_alone:
                self._transmit(number)
            reply = struct.pack("<IIHH", command, self._pending(channel), len(channel.unsent), 0)
            channel.replies.append(reply.ljust(BUFFER, b"\0"))
        elif command == 0x0B and not self.is_dumb:
            counters = (0, 0, 0x3C, 0, 0, 96, 0, 8 * len(channel.unsent))
            channel.replies.append(struct.pack("<9I", command, *counters).ljust(BUFFER, b"\0"))

    def _pending(self, channel: Channel) -> int:
        return len(channel.received) + 3 * len(self.garbage)

    def _take(self, number: int, data: bytes) -> None:
        if len(data) % BUFFER:
            raise StalledError
        channel = self.channels[number]
        if not channel.is_running:
            return
        for start in range(0, len(data), BUFFER):
            count = data[start]
            if count > 3:
                raise StalledError
            for place in range(count):
                begin = start + 1 + place * _RECORD.size
                channel.unsent.append(unpacked(data[begin : begin + _RECORD.size]))
        if not channel.is_alone and not self.pace:
            self._transmit(number)

    def _transmit(self, number: int) -> None:
        channel = self.channels[number]
        for _ in range(self.pace or len(channel.unsent)):
            if not channel.unsent:
                break
            frame = channel.unsent.popleft()
            self.ticks += 10
            stamped = replace(frame, ticks=self.ticks)
            channel.sent.append(frame)
            if frame.sending & 2:
                channel.received.append(stamped)
            for peer in channel.peers:
                if peer.is_running:
                    peer.received.append(replace(stamped, sending=0))
            if self.on_sent is not None:
                self.on_sent(number, frame)

    def _buffers(self, channel: Channel, size: int) -> bytes:
        """Return as many buffers as the host reads; those without frames are empty."""
        parts = []
        for place in range(size // BUFFER):
            if self.garbage:
                parts.append(self.garbage.popleft().ljust(BUFFER, b"\0"))
                continue
            count = min(self.layout[min(place, len(self.layout) - 1)], len(channel.received))
            records = b"".join(channel.received.popleft().packed() for _ in range(count))
            parts.append((bytes((count,)) + records).ljust(BUFFER, b"\0"))
        return b"".join(parts)[: size - self.cut]


def joined(*ends: Channel) -> None:
    """Connect the channels to one bus."""
    for end in ends:
        end.peers += [other for other in ends if other is not end]
