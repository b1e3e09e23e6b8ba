"""Frames by rule: what cangen sends, as batches, without a bus.

Nothing here looks at a clock: timestamps are counted from where the caller starts them, and the same seed
gives the same frames on every machine. Lengths are uniform, where cangen's are a random nibble clipped
to 8; random data of CAN FD is random to its end.

Source: can-utils, cangen's usage.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.kernels import generate as kernel

#: frames of a batch, unless the caller wants another number
BATCH_ROWS = 8192

_NANO = 1_000_000_000
_LAST_NS = (1 << 63) - 1
_HEX = frozenset("0123456789abcdefABCDEF")
_ID_MODES = {"r": kernel.RANDOM, "e": kernel.EVEN, "o": kernel.ODD, "i": kernel.INCREMENT}
_COUNTED_MODES = {"r": kernel.RANDOM, "i": kernel.INCREMENT}


class Generator:
    """Frames by rule; every one is drawn once, so that a second iteration goes on behind the first.

    The flags say what all frames are. With ``mix`` they say what some of them are, at random; if none is
    set, ``mix`` means all of them but ``raw_dlc``.

    ``identifier`` is ``r`` random, ``e`` random even, ``o`` random odd, ``i`` counted up, or hexadecimal.
    ``length`` is ``r``, ``i`` or a DLC code, 9 to 15 with CAN FD or ``raw_dlc`` only; if None it is ``r``,
    or that of fixed data. ``data`` is ``r``, ``i`` (a 64-bit little-endian counter) or hexadecimal with
    ``x`` for random digits, filled up with zeros.

    ``gap_ns`` or ``rate`` (frames a second) only spaces the timestamps, from ``start_ns`` on. The frames end
    with ``count``, or with the last one before ``duration_ns`` after the first is over; with a gap of 0
    ``duration_ns`` ends nothing.

    Attributes:
        seed: what all randomness follows from; drawn if None was given.
        drawn: frames drawn so far.

    Raises:
        UsageError: a mode is none, or they contradict each other.
    """

    def __init__(
        self,
        *,
        is_extended_id: bool = False,
        is_remote_frame: bool = False,
        is_fd: bool = False,
        bitrate_switch: bool = False,
        error_state_indicator: bool = False,
        raw_dlc: bool = False,
        mix: bool = False,
        identifier: str = "r",
        length: str | None = None,
        data: str = "r",
        seed: int | None = None,
        start_ns: int = 0,
        gap_ns: int | None = None,
        rate: float | None = None,
        count: int | None = None,
        duration_ns: int | None = None,
        channel: Channel = None,
    ) -> None:
        self.seed = int.from_bytes(os.urandom(4), "big") if seed is None else seed
        self.drawn = 0
        self._state = array("I", kernel.seeded(self.seed))
        self._kinds = _kinds(
            (kernel.EXTENDED if is_extended_id else 0)
            | (kernel.REMOTE if is_remote_frame else 0)
            | (kernel.FD if is_fd or bitrate_switch or error_state_indicator else 0)
            | (kernel.BRS if bitrate_switch else 0)
            | (kernel.ESI if error_state_indicator else 0)
            | (kernel.RAW if raw_dlc else 0),
            mix,
        )
        self._id_mode, self._identifier = parse_identifier(identifier, self._kinds)
        self._data = parse_data(data, 64 if self._kinds & kernel.FD else 8)
        self._length_mode, self._length = _length(length, self._kinds, self._data)
        if not 0 <= start_ns <= _LAST_NS:
            raise UsageError(f"a start at {start_ns} ns is not between 1970 and 2262")
        self._start_ns = start_ns
        self._gap = _gap(gap_ns, rate)
        if count is not None and count < 0:
            raise UsageError(f"a count of {count} is negative")
        self._count = self._least(count, duration_ns)
        self._channel = channel

    def _least(self, count: int | None, duration_ns: int | None) -> int | None:
        """Return how many frames there are at most."""
        numerator, denominator = self._gap
        if duration_ns is None or not numerator:
            return count
        within = -(-duration_ns * denominator // numerator)
        return within if count is None else min(count, within)

    def take(self, rows: int) -> MessageBatch:
        """Return the next ``rows`` frames; fewer, or none, where ``count`` is reached.

        Raises:
            UsageError: the next timestamp does not fit 64 bits.
        """
        rows = self._rows(rows)
        if rows < 1:
            return MessageBatch(channels=(self._channel,))
        numerator, denominator = self._gap
        step, extra = divmod(numerator, denominator)
        since, rest = divmod(self.drawn * numerator, denominator)
        time = self._start_ns + since
        batch = MessageBatch.with_room(rows, rows * self._most(), (self._channel,))
        kernel.fill(
            self._state,
            self.drawn,
            time,
            step,
            rest,
            extra,
            denominator,
            self._kinds,
            self._id_mode,
            self._identifier,
            self._length_mode,
            self._length,
            self._data.mode,
            self._data.pattern,
            self._data.mask,
            *batch.columns(),
        )
        self.drawn += rows
        return batch.cut(rows)

    def _rows(self, rows: int) -> int:
        """Return how many of ``rows`` there are before ``count`` and the end of all timestamps."""
        if self._count is not None:
            rows = min(rows, self._count - self.drawn)
        if rows < 1:
            return 0
        numerator, denominator = self._gap
        time = self._start_ns + self.drawn * numerator // denominator
        rows = min(rows, (_LAST_NS - time) // (numerator // denominator + 1))
        if rows < 1:
            raise UsageError(
                f"the timestamps run past the year 2262 at frame {self.drawn + 1}",
                hint="a smaller gap, or fewer",
            )
        return rows

    def due(self, elapsed_ns: int) -> int:
        """Return how many frames are due, and not drawn yet, so long after the first; a gap of 0: a batch."""
        numerator, denominator = self._gap
        if not numerator:
            return BATCH_ROWS
        return max(0, elapsed_ns * denominator // numerator + 1 - self.drawn)

    def next_ns(self) -> int:
        """Return how many nanoseconds after the first the next frame is due."""
        numerator, denominator = self._gap
        return -(-self.drawn * numerator // denominator)

    @property
    def is_done(self) -> bool:
        """Whether ``count`` is reached."""
        return self._count is not None and self.drawn >= self._count

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[MessageBatch]:
        """Yield frames in batches of at most ``rows`` until ``count`` is reached, without one for ever."""
        while batch := self.take(rows):
            yield batch

    def __iter__(self) -> Iterator[Message]:
        """Yield the frames one by one; each is drawn when it is asked for."""
        while batch := self.take(1):
            yield batch[0]

    def _most(self) -> int:
        """Return the most bytes of data that a frame may have."""
        if self._kinds & kernel.FD:
            if self._length_mode == kernel.FIXED:
                return max(1, bits.FD_LENGTHS[self._length])
            return 64
        return 8


class _Data(NamedTuple):
    """Bytes, and which of their bits are random; ``size`` is that of fixed data as given."""

    mode: int
    pattern: bytes
    mask: bytes
    size: int = 0


def _kinds(named: int, mix: bool) -> int:
    if mix:
        raw = named & kernel.RAW
        named &= ~kernel.RAW
        if not named:
            named = kernel.EXTENDED | kernel.REMOTE | kernel.FD | kernel.BRS | kernel.ESI
        return named | raw | kernel.MIX
    if named & kernel.FD and named & kernel.REMOTE:
        raise UsageError("CAN FD has no remote frames", hint="a mix has both kinds")
    if named & kernel.FD and named & kernel.RAW:
        raise UsageError(
            "raw DLC codes are of classic frames, and all frames are CAN FD", hint="a mix has both kinds"
        )
    return named


def parse_identifier(text: str, kinds: int) -> tuple[int, int]:
    """Return (mode, fixed identifier)."""
    if text in _ID_MODES:
        return _ID_MODES[text], 0
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    if not digits or set(digits) - _HEX:
        raise UsageError(
            f"bad identifier {quoted(text)}",
            hint="r random, e random even, o random odd, i counted up, or hexadecimal",
        )
    value = int(digits[-16:], 16) if len(digits.lstrip("0")) <= 16 else 1 << 64
    if value > bits.CAN_EFF_MASK:
        raise UsageError(f"identifier {quoted(text)} is over 1FFFFFFF, the largest of 29 bits")
    if value > bits.CAN_SFF_MASK and (not kinds & kernel.EXTENDED or kinds & kernel.MIX):
        raise UsageError(
            f"identifier {quoted(text)} is over 7FF, the largest of 11 bits",
            hint="all frames have to be extended",
        )
    return kernel.FIXED, value


def _length(text: str | None, kinds: int, data: _Data) -> tuple[int, int]:
    """Return (mode, fixed DLC code)."""
    if text is None and data.size:
        return kernel.FIXED, bits.len2dlc(data.size)
    if text is None:
        return kernel.RANDOM, 0
    if text in _COUNTED_MODES:
        return _COUNTED_MODES[text], 0
    if not text.isascii() or not text.isdigit():
        raise UsageError(
            f"bad length {quoted(text)}", hint="r random, i counted up, or a DLC code from 0 to 15"
        )
    code = int(text[-18:]) if len(text.lstrip("0")) <= 18 else 1 << 64
    if code > 15:
        stands = f"{bits.len2dlc(code)} stands for {code} bytes" if code in bits.FD_LENGTHS else None
        raise UsageError(f"length {quoted(text)} is no DLC code, they end with 15", hint=stands)
    if code > 8 and not kinds & (kernel.FD | kernel.RAW):
        raise UsageError(
            f"length {quoted(text)} is over 8",
            hint="9 to 15 are DLC codes of CAN FD (12 to 64 bytes), or raw ones of classic frames",
        )
    return kernel.FIXED, code


def parse_data(text: str, most: int) -> _Data:
    """Return what ``text`` says of the data of frames that hold ``most`` bytes."""
    room = max(64, most)
    if text == "r":
        return _Data(kernel.RANDOM, bytes(room), b"\xff" * room)
    if text == "i":
        return _Data(kernel.INCREMENT, bytes(room), bytes(room))
    if not text or set(text) - _HEX - {"x", "X"}:
        raise UsageError(
            f"bad data {quoted(text)}",
            hint="r random, i counted up, or hexadecimal, with x for random digits",
        )
    if len(text) % 2:
        raise UsageError(f"odd number of hex digits in data {quoted(text)}", hint="two digits a byte")
    size = len(text) // 2
    if size > most:
        hint = "CAN FD frames hold 64" if most == 8 else None
        raise UsageError(f"{size} bytes of data in {quoted(text)}: frames hold {most}", hint=hint)
    text = text.lower()
    pattern = bytes.fromhex(text.replace("x", "0")).ljust(room, b"\0")
    mask = bytes.fromhex("".join("f" if digit == "x" else "0" for digit in text)).ljust(room, b"\0")
    return _Data(kernel.RANDOM if "x" in text else kernel.FIXED, pattern, mask, size)


def _gap(gap_ns: int | None, rate: float | None) -> tuple[int, int]:
    """Return the gap in nanoseconds as a ratio, so that a rate does not drift."""
    if rate is None:
        if gap_ns is not None and gap_ns < 0:
            raise UsageError(f"a gap of {gap_ns} ns is negative")
        return min(gap_ns or 0, _LAST_NS), 1
    if gap_ns is not None:
        raise UsageError("a gap and a rate say the same", hint="give one of them")
    if not 1e-6 <= rate <= _NANO:
        raise UsageError(f"a rate of {rate:g} frames a second is not between 0.000001 and 1000000000")
    frames_over, seconds = rate.as_integer_ratio()
    return seconds * _NANO, frames_over
