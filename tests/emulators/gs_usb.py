"""An emulated gs_usb adapter: requests and transfers as candleLight, CANable 2 and CANtact Pro have them.

Sources: Linux's ``drivers/net/can/usb/gs_usb.c`` (requests, structures, flags); the behaviour of the firmware
candleLight_fw as its users report it.
"""

from __future__ import annotations

import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.emulators.usb import Core, StalledError, UnpluggedError

(HOST_FORMAT, BITTIMING, MODE, BERR, BT_CONST, DEVICE_CONFIG, TIMESTAMP, IDENTIFY) = range(8)
GET_USER_ID, SET_USER_ID, DATA_BITTIMING, BT_CONST_EXT, SET_TERMINATION, GET_TERMINATION, GET_STATE = range(
    8, 15
)

LISTEN_ONLY, LOOPBACK, TRIPLE, ONE_SHOT, HW_TIMESTAMP = (1 << bit for bit in range(5))
HAS_IDENTIFY, FD, PAD_QUIRK, HAS_BT_CONST_EXT = 1 << 5, 1 << 8, 1 << 9, 1 << 10
HAS_TERMINATION, BUS_ERRORS, HAS_STATE = 1 << 11, 1 << 12, 1 << 13
_FEATURES_ONLY = HAS_IDENTIFY | HAS_BT_CONST_EXT | HAS_TERMINATION | HAS_STATE

OVERFLOWN, IS_FD, HAS_BRS, HAS_ESI = 1, 2, 4, 8
FROM_BUS = 0xFFFFFFFF
EFF, RTR, ERR = 0x80000000, 0x40000000, 0x20000000
ACTIVE, WARNING, PASSIVE, BUS_OFF, STOPPED = range(5)

_HEAD = struct.Struct("<IIBBBB")
_FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
BUFFERS = 10  #: frames that wait for the bus, per channel


class Frame(NamedTuple):
    """A frame on the bus: the identifier with its flag bits, the DLC code, the data, the FD flags."""

    can_id: int
    code: int
    data: bytes = b""
    flags: int = 0


#: a protocol violation on the bus, a bit stuffing error
_DISTURBED = Frame(ERR | 0x88, 8, b"\0\0\x04\0\0\0\0\0")


class Limits(NamedTuple):
    tseg1: tuple[int, int] = (1, 16)
    tseg2: tuple[int, int] = (1, 8)
    sjw: int = 4
    brp: tuple[int, int, int] = (1, 1024, 1)

    def packed(self) -> bytes:
        return struct.pack("<8I", *self.tseg1, *self.tseg2, self.sjw, *self.brp)

    def allow(self, timing: tuple[int, ...]) -> bool:
        prop, phase1, phase2, sjw, brp = timing
        low, high, step = self.brp
        return (
            self.tseg1[0] <= prop + phase1 <= self.tseg1[1]
            and self.tseg2[0] <= phase2 <= self.tseg2[1]
            and 1 <= sjw <= self.sjw
            and low <= brp <= high
            and (brp - low) % step == 0
        )


_BXCAN = Limits()


@dataclass(frozen=True)
class Profile:
    """A kind of adapter."""

    channels: int = 1
    clock: int = 48_000_000
    features: int = 0x1F | HAS_IDENTIFY
    limits: Limits = _BXCAN
    data_limits: Limits | None = None
    software: int = 2
    hardware: int = 1
    strings: tuple[str, str] = ("bytewerk", "candleLight USB to CAN adapter")
    data_timing_request: int = DATA_BITTIMING


_NOMINAL_FD = Limits((1, 256), (1, 128), 128, (1, 512, 1))
_DATA_FD = Limits((1, 32), (1, 16), 16, (1, 32, 1))
CLASSIC = Profile()
TWO_CHANNELS = Profile(channels=2, features=0x1F | HAS_IDENTIFY | HAS_STATE | HAS_TERMINATION)
FD_80 = Profile(
    clock=80_000_000,
    features=0x1F | HAS_IDENTIFY | FD | HAS_BT_CONST_EXT | HAS_TERMINATION | HAS_STATE,
    limits=_NOMINAL_FD,
    data_limits=_DATA_FD,
    strings=("Openlight Labs", "CANable2 gs_usb"),
)
FD_TWO = Profile(**{**FD_80.__dict__, "channels": 2})
CANTACT_PRO = Profile(
    channels=2,
    clock=40_000_000,
    features=0x1F | FD | PAD_QUIRK,
    strings=("LinkLayer Labs", "CANtact Pro"),
    data_limits=_DATA_FD,
    limits=_NOMINAL_FD,
    data_timing_request=GET_USER_ID,  # which older firmware had in this place
)


@dataclass
class EmulatedChannel:
    timing: tuple[int, ...] | None = None
    data_timing: tuple[int, ...] | None = None
    is_started: bool = False
    flags: int = 0
    termination: int = 0
    state: tuple[int, int, int] = (ACTIVE, 0, 0)
    waiting: deque[bytes] = field(default_factory=deque)  # sent, but not yet on the bus
    peers: list[tuple[GsUsbCore, int]] = field(default_factory=list)  # on the same bus


class GsUsbCore(Core):
    """An adapter.

    Attributes:
        requests: (number, value, data) of each control request.
        refused: numbers of requests that stall.
        acknowledges: whether another node acknowledges frames; if not, they are never sent.
        holds: whether frames wait until ``release``.
        sent: (channel, frame) of each frame that was on the bus.
        identified: the last value of IDENTIFY.
    """

    def __init__(
        self,
        profile: Profile = CLASSIC,
        serial: str = "0123456789ABCDEF",
        *,
        ids: tuple[int, int] = (0x1D50, 0x606F),
        endpoints: tuple[int, int] = (0x81, 0x02),
        packet: int = 64,
    ) -> None:
        super().__init__(ids, (*profile.strings, serial), endpoints, packet=packet)
        self.profile = profile
        self.channels = [EmulatedChannel() for _ in range(profile.channels)]
        self.requests: list[tuple[int, int, bytes]] = []
        self.refused: set[int] = set()
        self.acknowledges = True
        self.holds = False
        self.sent: list[tuple[int, Frame]] = []
        self.identified = 0
        self.wedged = False
        self.queue: deque[bytes] = deque()  # transfers to the host
        self.has_format = False
        self._began = time.monotonic_ns()
        self.skew_us = 0
        self._lock = threading.RLock()

    def now_us(self) -> int:
        """Return the counter, which has 32 bits."""
        return ((time.monotonic_ns() - self._began) // 1000 + self.skew_us) & 0xFFFFFFFF

    # --- control requests ------------------------------------------------------------------------------

    def control(
        self, request_type: int, request: int, value: int, index: int, data: bytes, size: int
    ) -> bytes:
        with self._lock:
            self.requests.append((request, value, data))
            if request in self.refused or request_type not in (0x41, 0xC1) or index:
                raise StalledError
            if request == HOST_FORMAT:
                self.has_format = data == b"\xef\xbe\0\0"
                return b""
            if request == DEVICE_CONFIG:
                return struct.pack(
                    "<3xBII", self.profile.channels - 1, self.profile.software, self.profile.hardware
                )
            if request == TIMESTAMP:
                return struct.pack("<I", self.now_us())
            if value >= len(self.channels):
                raise StalledError
            channel = self.channels[value]
            if request_type == 0xC1:
                return self._read(channel, request)
            self._write(channel, request, data)
            return b""

    def _read(self, channel: EmulatedChannel, request: int) -> bytes:
        profile = self.profile
        head = struct.pack("<II", profile.features, profile.clock) + profile.limits.packed()
        if request == BT_CONST:
            return head
        if request == BT_CONST_EXT and profile.features & HAS_BT_CONST_EXT and profile.data_limits:
            return head + profile.data_limits.packed()
        if request == GET_TERMINATION and profile.features & HAS_TERMINATION:
            return struct.pack("<I", channel.termination)
        if request == GET_STATE and profile.features & HAS_STATE:
            return struct.pack("<3I", *channel.state)
        raise StalledError

    def _write(self, channel: EmulatedChannel, request: int, data: bytes) -> None:
        profile = self.profile
        if request == BITTIMING:
            channel.timing = _checked(data, profile.limits)
        elif request == profile.data_timing_request and profile.data_limits is not None:
            channel.data_timing = _checked(data, profile.data_limits)
        elif request == MODE:
            self._set_mode(channel, *struct.unpack("<II", data))
        elif request == IDENTIFY and profile.features & HAS_IDENTIFY:
            [self.identified] = struct.unpack("<I", data)
        elif request == SET_TERMINATION and profile.features & HAS_TERMINATION:
            [channel.termination] = struct.unpack("<I", data)
        else:
            raise StalledError

    def _set_mode(self, channel: EmulatedChannel, mode: int, flags: int) -> None:
        if mode == 0:
            channel.is_started, channel.flags = False, 0
            channel.waiting.clear()
            return
        if channel.timing is None or flags & ~(self.profile.features & ~_FEATURES_ONLY):
            raise StalledError
        if flags & FD and channel.data_timing is None:
            raise StalledError
        channel.is_started, channel.flags = True, flags
        channel.state = (ACTIVE, 0, 0)

    def reset(self) -> None:
        super().reset()
        with self._lock:
            self.wedged = False
            for channel in self.channels:
                channel.is_started = False
                channel.waiting.clear()

    # --- transfers -------------------------------------------------------------------------------------

    def bulk_out(self, endpoint: int, data: bytes) -> None:
        with self._lock:
            if not self.is_plugged:
                raise UnpluggedError
            is_fd = len(data) > 10 and bool(data[10] & IS_FD)
            size = (76 if is_fd else 20) + bool(self.profile.features & PAD_QUIRK)
            cannot = is_fd and not self.profile.features & FD
            if endpoint != self.endpoints[1] or self.wedged or len(data) < size or cannot:
                self.wedged = True
                raise StalledError
            channel = self.channels[data[9]] if data[9] < len(self.channels) else None
            if channel is None or not channel.is_started or channel.flags & LISTEN_ONLY:
                return
            if len(channel.waiting) >= BUFFERS:
                raise BlockingIOError  # the device does not accept the transfer yet
            channel.waiting.append(data)
        if not self.holds:
            self.release()

    def release(self, count: int = 1 << 30) -> None:
        """Put the frames that wait on the bus, up to ``count`` of each channel."""
        heard: list[tuple[tuple[GsUsbCore, int], Frame, float]] = []
        with self._lock:
            for number, channel in enumerate(self.channels):
                rate = self.bit_rate(number)
                for _ in range(min(count, len(channel.waiting)) if self._is_acknowledged(number) else 0):
                    frame = self._transmit(number, channel, channel.waiting.popleft())
                    if not channel.flags & LOOPBACK:
                        heard += [(peer, frame, rate) for peer in channel.peers]
                if channel.waiting and not self.holds:  # it is repeated, and disturbs the others
                    heard += [
                        (peer, _DISTURBED, rate)
                        for peer in channel.peers
                        if peer[0].bit_rate(peer[1]) != rate
                    ]
        for (peer, number), frame, rate in heard:  # they lock their own adapters
            peer.hear(number, frame, rate)
        self.notify()

    def bit_rate(self, channel: int) -> float:
        """Return the nominal bit rate, 0 before it is set."""
        timing = self.channels[channel].timing
        if timing is None:
            return 0
        prop, phase1, phase2, _, brp = timing
        return self.profile.clock / (brp * (1 + prop + phase1 + phase2))

    def _is_acknowledged(self, number: int) -> bool:
        """Return whether a node acknowledges frames: of those on the same bus, one with the same bit rate."""
        channel = self.channels[number]
        if not self.acknowledges or not channel.peers or channel.flags & LOOPBACK:
            return self.acknowledges
        return any(
            peer.channels[other].is_started
            and not peer.channels[other].flags & LISTEN_ONLY
            and peer.bit_rate(other) == self.bit_rate(number)
            for peer, other in channel.peers
        )

    def hear(self, channel: int, frame: Frame, rate: float) -> None:
        """Take a frame of another node; at another bit rate it is an error on the bus."""
        self.receive(channel, frame if rate == self.bit_rate(channel) else _DISTURBED)

    def _transmit(self, number: int, channel: EmulatedChannel, data: bytes) -> Frame:
        echo_id, can_id, code, _, flags, _ = _HEAD.unpack_from(data)
        length = _FD_LENGTHS[code & 15] if flags & IS_FD else min(code, 8)
        frame = Frame(can_id, code, b"" if can_id & RTR else data[12 : 12 + length], flags)
        self._queue_in(echo_id, number, frame)
        if channel.flags & LOOPBACK:
            self._queue_in(FROM_BUS, number, frame)
        else:
            self.sent.append((number, frame))
        return frame

    def bulk_in(self, endpoint: int, size: int) -> bytes | None:
        with self._lock:
            if not self.queue:
                return None
            data = self.queue.popleft()
            if len(data) > size:
                raise OverflowError
            return data

    # --- the bus ---------------------------------------------------------------------------------------

    def receive(self, channel: int, frame: Frame) -> None:
        """Take a frame from the bus; a controller that is not in the mode of CAN FD takes no such frame."""
        with self._lock:
            here = self.channels[channel]
            if here.is_started and (here.flags & FD or not frame.flags & IS_FD):
                self._queue_in(FROM_BUS, channel, frame)
        self.notify()

    def receive_raw(self, data: bytes) -> None:
        """Give the host any transfer."""
        with self._lock:
            self.queue.append(data)
        self.notify()

    def change_state(self, channel: int, state: int, rx_errors: int, tx_errors: int) -> None:
        """Set the state of a controller, and report it by an error frame."""
        self.channels[channel].state = (state, rx_errors, tx_errors)
        detail = {WARNING: 0x08, PASSIVE: 0x20}.get(state, 0)
        data = bytes((0, detail, 0, 0, 0, 0, min(tx_errors, 255), min(rx_errors, 255)))
        self.receive(channel, Frame(ERR | (0x40 if state == BUS_OFF else 0x04), 8, data))

    def packed(self, echo_id: int, channel: int, frame: Frame, stamp: int | None = None) -> bytes:
        """Return the transfer of ``frame`` to the host."""
        flags = self.channels[channel].flags
        data = frame.data.ljust(64 if frame.flags & IS_FD else 8, b"\0")
        result = _HEAD.pack(echo_id, frame.can_id, frame.code, channel, frame.flags, 0) + data
        if flags & HW_TIMESTAMP:
            result += struct.pack("<I", self.now_us() if stamp is None else stamp)
        return result

    def _queue_in(self, echo_id: int, channel: int, frame: Frame) -> None:
        self.queue.append(self.packed(echo_id, channel, frame))


def connect(*ends: tuple[GsUsbCore, int]) -> None:
    """Join channels of adapters to one bus."""
    for core, number in ends:
        for other, other_number in ends:
            if (other, other_number) != (core, number):
                core.channels[number].peers.append((other, other_number))


def _checked(data: bytes, limits: Limits) -> tuple[int, ...]:
    if len(data) != 20:
        raise StalledError
    timing = struct.unpack("<5I", data)
    if not limits.allow(timing):
        raise StalledError
    return timing
