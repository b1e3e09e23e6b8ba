"""One row of the table: an identifier on a channel with its statistics."""

from __future__ import annotations

from array import array
from typing import NamedTuple, Protocol

from cantools_cli.frame import bits
from cantools_cli.frame.error_frames import explain
from cantools_cli.frame.message import Channel, Message
from cantools_cli.kernels import sniff as kernel
from cantools_cli.sniff.decoding import Decoder, Value

_REMOTE = 0x8000
_XL_BIT = 1 << 32


class Past(NamedTuple):
    """An earlier frame of a row."""

    time_ns: int
    length: int
    is_remote_frame: bool
    data: bytes


class Columns(Protocol):
    """The columns of a table; those of earlier frames are ring buffers."""

    hold_ns: int
    first_ns: int | None
    decoder: Decoder | None
    channels: list[Channel]
    figures: array[int]
    changed: array[int]
    octets: bytearray
    past_ns: array[int]
    past_size: array[int]
    past: bytearray


class Row:
    """An identifier on a channel: a view into the table, always up to date."""

    __slots__ = ("_at", "_table", "number")

    def __init__(self, table: Columns, number: int) -> None:
        self._table = table
        self.number = number
        self._at = number * kernel.FIGURES

    def _figure(self, index: int) -> int:
        return self._table.figures[self._at + index]

    def _plane(self, index: int, size: int) -> bytes:
        begin = (self.number * kernel.PLANES + index) * kernel.WIDTH
        return bytes(self._table.octets[begin : begin + size])

    # --- identity -------------------------------------------------------------------------------------

    @property
    def key(self) -> int:
        """Channel and identifier as one number, stable if the row is removed and created again."""
        return self._figure(kernel.KEY)

    @property
    def channel(self) -> Channel:
        return self._table.channels[self._figure(kernel.KEY) >> 33]

    @property
    def can_id(self) -> int:
        """The identifier with SocketCAN's EFF and ERR bits."""
        return (self._figure(kernel.KEY) & 0x1_FFFF_FFFF) - 1 & 0xFFFFFFFF

    @property
    def arbitration_id(self) -> int:
        return self.can_id & bits.CAN_EFF_MASK

    @property
    def is_extended_id(self) -> bool:
        return bool(self.can_id & bits.CAN_EFF_FLAG)

    @property
    def is_error_frame(self) -> bool:
        return bool(self.can_id & bits.CAN_ERR_FLAG)

    @property
    def is_xl(self) -> bool:
        return bool((self._figure(kernel.KEY) & 0x1_FFFF_FFFF) - 1 & _XL_BIT)

    # --- counts and times -----------------------------------------------------------------------------

    @property
    def count(self) -> int:
        return self._figure(kernel.COUNT)

    @property
    def first_ns(self) -> int:
        return self._figure(kernel.FIRST)

    @property
    def last_ns(self) -> int:
        """Timestamp of the last frame."""
        return self._figure(kernel.LAST)

    @property
    def elapsed_ns(self) -> int:
        """Time from the first frame of the table to the last frame of the row."""
        first = self._table.first_ns
        return 0 if first is None else self.last_ns - first

    @property
    def seen_ns(self) -> int:
        """When the last frame was fed, in the time of the view."""
        return self._figure(kernel.SEEN)

    @property
    def period_ns(self) -> int | None:
        """Time between the last two frames; None if there is only one, as in the following properties."""
        return self._of_two(kernel.PERIOD)

    @property
    def shortest_ns(self) -> int | None:
        return self._of_two(kernel.SHORTEST)

    @property
    def longest_ns(self) -> int | None:
        return self._of_two(kernel.LONGEST)

    @property
    def mean_ns(self) -> int | None:
        """The recent mean period: an exponential average with weight 1/16."""
        mean = self._of_two(kernel.MEAN)
        return None if mean is None else mean >> 4

    @property
    def jitter_ns(self) -> int | None:
        """The difference between consecutive periods, averaged in the same way.

        Source: RFC 3550, 6.4.1.
        """
        jitter = self._of_two(kernel.JITTER)
        return None if jitter is None else jitter >> 4

    def _of_two(self, index: int) -> int | None:
        return self._figure(index) if self.count > 1 else None

    def rate(self, now_ns: int | None = None) -> float:
        """Return the recent rate in frames/s at ``now_ns``; without it, the rate from first to last frame."""
        if self.count < 2:
            return 0.0
        if now_ns is None:
            span = self.last_ns - self.first_ns
            return (self.count - 1) * 1e9 / span if span > 0 else 0.0
        return 1e9 / max(self.mean_ns or 0, now_ns - self.seen_ns, 1)

    # --- the last frame -------------------------------------------------------------------------------

    @property
    def length(self) -> int:
        """Length of the last frame in bytes; the requested length of a remote frame."""
        return self._figure(kernel.SIZE)

    @property
    def flags(self) -> int:
        """FD, BRS, ESI, TX and XL of the last frame, as in a batch."""
        return self._figure(kernel.FLAGS)

    @property
    def is_remote_frame(self) -> bool:
        return bool(self._figure(kernel.REMOTE))

    @property
    def data(self) -> bytes:
        """Data of the last frame that is not a remote frame; the first 64 bytes of a CAN XL frame."""
        return self._plane(kernel.DATA, max(0, self._figure(kernel.STORED) - 1))

    @property
    def meaning(self) -> str:
        """The meaning of an error frame; empty for other frames."""
        return explain(self.arbitration_id, self.data) if self.is_error_frame else ""

    def values(self) -> list[Value] | None:
        """Return the decoded values of the data; None without a decoder for them.

        Raises:
            ValueError: the data does not match its description.
        """
        return self.values_in(self.data) if self._figure(kernel.STORED) else None

    def values_in(self, data: bytes) -> list[Value] | None:
        """Return the decoded values of the data of another frame of this row; like ``values``."""
        decoder = self._table.decoder
        if decoder is None or self.is_error_frame:
            return None
        return decoder(self.arbitration_id, self.is_extended_id, data)

    # --- changes --------------------------------------------------------------------------------------

    def changed_ns(self) -> list[int]:
        """Return the time of the last change of each byte, in the time of the view, or ``NEVER``."""
        begin = self.number * kernel.WIDTH
        return list(self._table.changed[begin : begin + len(self.data)])

    def ages_ns(self, now_ns: int) -> list[int | None]:
        """Return the time since the last change of each byte; None if it never changed."""
        return [None if at == kernel.NEVER else max(0, now_ns - at) for at in self.changed_ns()]

    def is_changing(self, now_ns: int) -> bool:
        """Whether a byte changed within the last ``hold_ns`` of the table."""
        hold = self._table.hold_ns
        return any(age is not None and age <= hold for age in self.ages_ns(now_ns))

    @property
    def recent_bits(self) -> bytes:
        """The bits that changed in the latest change of each byte."""
        return self._plane(kernel.RECENT, len(self.data))

    @property
    def changed_bits(self) -> bytes:
        """The bits that ever changed."""
        return self._plane(kernel.EVER, len(self.data))

    @property
    def notched_bits(self) -> bytes:
        """The bits whose changes are ignored."""
        return self._plane(kernel.NOTCH, len(self.data))

    @property
    def lowest(self) -> bytes:
        """The lowest value of each byte."""
        return self._plane(kernel.LOW, len(self.data))

    @property
    def highest(self) -> bytes:
        return self._plane(kernel.HIGH, len(self.data))

    def notch(self, now_ns: int) -> None:
        """Ignore from now on the bits that are changing."""
        table = self._table
        begin = self.number * kernel.PLANES * kernel.WIDTH
        for index, age in enumerate(self.ages_ns(now_ns)):
            if age is not None and age <= table.hold_ns:
                place = begin + index
                recent = table.octets[place + kernel.RECENT * kernel.WIDTH]
                table.octets[place + kernel.NOTCH * kernel.WIDTH] |= recent
                table.changed[self.number * kernel.WIDTH + index] = kernel.NEVER

    def unnotch(self) -> None:
        """Stop ignoring bits."""
        self._set_notch_plane(bytes(kernel.WIDTH))

    @property
    def notch_plane(self) -> bytes:
        """The bits whose changes are ignored, for the maximum length of data."""
        return self._plane(kernel.NOTCH, kernel.WIDTH)

    def ignore(self, plane: bytes) -> None:
        """Ignore the bits of a ``notch_plane``, including their earlier changes."""
        self._set_notch_plane(plane)
        begin = self.number * kernel.WIDTH
        for index, (recent, notched) in enumerate(zip(self.recent_bits, plane, strict=False)):
            if not recent & ~notched:
                self._table.changed[begin + index] = kernel.NEVER

    def _set_notch_plane(self, plane: bytes) -> None:
        begin = (self.number * kernel.PLANES + kernel.NOTCH) * kernel.WIDTH
        self._table.octets[begin : begin + kernel.WIDTH] = plane

    # --- frames ---------------------------------------------------------------------------------------

    def past(self) -> list[Past]:
        """Return the last frames, at most ``PAST``, oldest first."""
        table, count = self._table, self.count
        frames = []
        for index in range(max(0, count - kernel.PAST), count):
            ring = self.number * kernel.PAST + index % kernel.PAST
            size = table.past_size[ring]
            is_remote, length = bool(size & _REMOTE), size & ~_REMOTE
            kept = 0 if is_remote else min(length, kernel.WIDTH)
            begin = ring * kernel.WIDTH
            data = bytes(table.past[begin : begin + kept])
            frames.append(Past(table.past_ns[ring], length, is_remote, data))
        return frames

    def message(self) -> Message:
        """Return the last frame with the displayed data."""
        flags = self.flags
        is_classic = not flags & bits.FD
        message = Message(
            arbitration_id=self.arbitration_id,
            is_extended_id=self.is_extended_id,
            is_remote_frame=self.is_remote_frame,
            is_error_frame=self.is_error_frame,
            is_fd=not is_classic,
            bitrate_switch=bool(flags & bits.BRS),
            error_state_indicator=bool(flags & bits.ESI),
            is_rx=not flags & bits.TX,
            channel=self.channel,
            dlc=self.length if self.is_remote_frame else None,
            data=None if self.is_remote_frame else self.data[:8] if self.is_xl else self.data,
        )
        message.timestamp_ns = self.last_ns
        return message
