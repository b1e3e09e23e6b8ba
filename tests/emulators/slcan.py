"""slcan adapters: LAWICEL's CANUSB and firmware that differs from it.

An adapter answers each command by CR or BEL. It accepts configuration only while its channel is closed, and
frames only while it is open and not listen-only. The profiles:

``lawicel``
    The original: every answer, time stamps of milliseconds, status flags.
``canable``, ``canable2``
    Stock firmware: no CR and no BEL at all; an empty line repeats the last command; remote frames arrive with
    zeros for the data they request. canable2 has CAN FD.
``weact``, ``nakakiyo``, ``elmue``
    CAN FD with answers, and forms of the custom bit timing of their own; nakakiyo has microseconds.
``arduino``
    A sketch that restarts when its port is opened, and prints garbage meanwhile; it does not answer ``C``.

Sources: Lawicel, "CANUSB Manual"; the firmware of the projects.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

CR, BEL = b"\r", b"\a"

_FD_SIZES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
_VERSIONS = {
    "lawicel": b"V1013",
    "canable": b"b158aa7 github.com/normaldotcom/canable-fw.git",
    "canable2": b"16ab6a3 github.com/normaldotcom/canable2-fw.git",
    "weact": b"WeAct Studio V1.0.0.2_20240101",
    "nakakiyo": b"V1013",
    "elmue": b"+Board: Multiboard",
    "arduino": b"V1013",
}
_PRESETS = {
    "lawicel": b"012345678",
    "canable": b"0123456789",
    "canable2": b"0123456789",
    "weact": b"0123456789ABCD",
    "nakakiyo": b"012345678",
    "elmue": b"0123456789",
    "arduino": b"012345678",
}
_DATA_RATES = {"canable2": b"25", "weact": b"12345", "nakakiyo": b"012458", "elmue": b"012458"}
_CUSTOM = {
    "lawicel": rb"s[0-9A-F]{4}",
    "arduino": rb"s[0-9A-F]{4}",
    "nakakiyo": rb"[sy][0-9A-F]{8}",
    "elmue": rb"[sy]\d+,\d+,\d+,\d+",
    "weact": rb"[SY](?:[0-9A-F]{4}|[0-9A-F]{6})",
}
_LISTEN = {"lawicel": b"L", "nakakiyo": b"L", "elmue": b"OS", "arduino": b"L"}


class Slcan:
    """An adapter.

    Attributes:
        commands: the lines that the host sent, without CR; an empty line is one.
        frames: the lines of the frames that went to the bus.
        is_open, listens: the state of the channel.
        stamps: 0, 1 for milliseconds, 2 for microseconds.
        clock: returns the microseconds of the adapter's counter.
        flags: the status flags, which reading clears except for those of a state.
        queue: the number of frames that the transmit queue still holds, None for any.
        boot: seconds of garbage after the first byte from the host.
        peer: called with each frame that goes to the bus; returns lines of frames that answer it.
        acks: whether a frame is acknowledged by z or Z, and not by CR alone.
        mute: commands, by their first letter, that get no answer.
        arrivals: lines, without CR, that arrive from the bus as soon as the channel is open.
    """

    def __init__(self, profile: str = "lawicel") -> None:
        self.profile = profile
        self.commands: list[bytes] = []
        self.frames: list[bytes] = []
        self.is_open = self.listens = False
        self.preset: bytes | None = None
        self.timing: list[bytes] = []
        self.data_rate: bytes | None = None
        self.stamps = 0
        self.clock: Callable[[], int] = lambda: time.monotonic_ns() // 1000
        self.flags = 0
        self.queue: int | None = None
        self.boot = 1.0 if profile == "arduino" else 0.0
        self.peer: Callable[[bytes], list[bytes]] | None = None
        self.acks = True
        self.mute = b""
        self.arrivals: list[bytes] = []
        self.code, self.mask, self.single = 0, 0xFFFFFFFF, False  # of the acceptance filter
        self._silent = profile in ("canable", "canable2")
        self._started: float | None = None
        self._line = bytearray()
        self._last = b""

    # --- the bus --------------------------------------------------------------------------------------

    def line(self, frame: bytes) -> bytes:
        """Return what the host gets when ``frame``, a line without CR, is on the bus."""
        if not self.is_open:
            return b""
        if frame[:1] in b"es":  # a report of the adapter itself
            return frame + CR
        if not self.accepts(frame):
            return b""
        if self._silent and frame[:1] in b"rR":
            frame += b"00" * int(frame[-1:], 16)
        count = self.clock()
        if self.stamps == 1:
            frame += b"%04X" % (count // 1000 % 60000)
        elif self.stamps == 2:
            frame += b"%08X" % (count % 3_600_000_000)
        return frame + CR

    def accepts(self, frame: bytes) -> bool:
        """Return whether the acceptance filter passes ``frame``."""
        if frame[:1].isupper():
            word, width = int(frame[1:9], 16) << 3, 29
        else:
            word, width = int(frame[1:4], 16) << 21, 11
        different = (word ^ self.code) & ~self.mask & 0xFFFFFFFF
        if self.single:
            return not different >> 32 - width
        halves = [((word >> 16) ^ half) & ~mask & 0xFFFF for half, mask in self._halves()]
        return any(not half >> 16 - min(width, 16) for half in halves)

    def _halves(self) -> list[tuple[int, int]]:
        return [(self.code >> 16, self.mask >> 16), (self.code & 0xFFFF, self.mask & 0xFFFF)]

    # --- the line -------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> bytes:
        if self.boot:
            now = time.monotonic()
            if self._started is None:
                self._started = now
            if now - self._started < self.boot:
                return b"\x00boot\xfe\xff\r\n"
            self.boot = 0.0
            self._line.clear()
        answer = b""
        for octet in data:
            if octet == 13:
                was_open = self.is_open
                answer += self._command(bytes(self._line))
                if self.is_open and not was_open:
                    answer += b"".join(map(self.line, self.arrivals))
                self._line.clear()
            elif octet != 10:
                self._line.append(octet)
        return answer

    def _command(self, line: bytes) -> bytes:
        self.commands.append(line)
        if not line and self._silent:
            line = self._last
        self._last = line
        answer = self._answer(line) if line else CR
        if self._silent and not answer.strip(CR + BEL):
            return b""
        return b"" if line[:1] and line[:1] in self.mute else answer

    def _answer(self, line: bytes) -> bytes:
        letter = line[:1]
        if letter in b"tTrRdDbB" and letter:
            return self._transmit(line)
        if line == b"V":
            return _VERSIONS[self.profile] + CR
        if line == b"v" and not self._silent:
            return (b"vNakakiyo FW 1.2.3" if self.profile == "nakakiyo" else b"v1014") + CR
        if line == b"N" and not self._silent:
            return b"NA123" + CR
        if line == b"F" and self.profile in ("lawicel", "nakakiyo"):
            if not self.is_open:
                return BEL
            flags, self.flags = self.flags, self.flags & 0x24
            return b"F%02X" % flags + CR
        if line == b"C":
            was_open, self.is_open = self.is_open, False
            if self.profile in ("arduino", "elmue"):
                return b""
            return CR if was_open else BEL
        if self.is_open:
            return BEL
        return CR if self._configure(line) else BEL

    def _configure(self, line: bytes) -> bool:
        """Do what a closed channel accepts; return whether it does."""
        if line == b"O" or line == _LISTEN.get(self.profile):
            if self.preset is None and not self.timing:
                self.preset = b"6"
            self.is_open, self.listens = True, line != b"O" or self.listens
        elif re.fullmatch(rb"S.", line) and line[1:] in _PRESETS[self.profile]:
            self.preset, self.timing = line[1:], []
        elif re.fullmatch(rb"Y.", line) and line[1:] in _DATA_RATES.get(self.profile, b""):
            self.data_rate = line[1:]
        elif re.fullmatch(_CUSTOM.get(self.profile, b""), line):
            self.timing.append(line)
        elif re.fullmatch(rb"Z[01]", line) and self.profile in ("lawicel", "nakakiyo", "arduino"):
            self.stamps = int(line[1:])
        elif line == b"Z2" and self.profile == "nakakiyo":
            self.stamps = 2
        elif line in (b"M0", b"M1") and self.profile == "weact":
            self.listens = line == b"M1"
        elif line in (b"W0", b"W1") and self.profile == "lawicel":
            self.single = line == b"W1"
        elif (match := re.fullmatch(rb"([Mm])([0-9A-F]{8})", line)) and self.profile == "lawicel":
            if match[1] == b"M":
                self.code = int(match[2], 16)
            else:
                self.mask = int(match[2], 16)
        else:
            return False
        return True

    def _transmit(self, line: bytes) -> bytes:
        is_extended, letter = line[:1].isupper(), line[:1].lower()
        head = 9 if is_extended else 4
        if not re.fullmatch(rb"[0-9A-Fa-f]+", line[1:]) or len(line) <= head:
            return BEL
        code = int(line[head : head + 1], 16)
        size = 0 if letter == b"r" else _FD_SIZES[code]
        if len(line) != head + 1 + 2 * size or (letter in b"tr" and code > 8):
            return BEL
        if letter in b"db" and self.profile not in _DATA_RATES:
            return BEL
        if not self.is_open or self.listens:
            return BEL
        if self.queue is not None:
            if not self.queue:
                self.flags |= 0x02
                return BEL
            self.queue -= 1
        self.frames.append(line)
        answers = self.peer(line) if self.peer is not None else []
        ack = (b"Z" if is_extended else b"z") if self.acks and self.profile != "weact" else b""
        return ack + CR + b"".join(map(self.line, answers))
