"""The table of a live view: one row per identifier and channel, fed with batches.

Remote frames share the row of their identifier but do not change its data; error frames have one row per
class, CAN XL frames have separate rows. Memory is bounded: at most ``LIMIT`` rows of about 8 kB, each with
its last ``PAST`` frames.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import explain
from cantools_cli.frame.message import Channel, Message
from cantools_cli.kernels import sniff as kernel
from cantools_cli.sniff.decoding import Decoder, Value

#: maximum number of rows; frames of further identifiers are only counted
LIMIT = 4096
_FIRST_ROOM = 64
_SLOTS = 4 * LIMIT
_COLUMNS = ("channels", "totals", "slots", "figures", "changed", "octets", "past_ns", "past_size", "past")
#: how long a change counts as current, so that ``notch`` hides it; the value of cansniffer
HOLD_NS = 1_000_000_000
_REMOTE = 0x8000
_XL_BIT = 1 << 32


class Past(NamedTuple):
    """An earlier frame of a row."""

    time_ns: int
    length: int
    is_remote_frame: bool
    data: bytes


class _Figure:
    """One of a row's figures in the table."""

    def __init__(self, index: int) -> None:
        self._index = index

    def __get__(self, row: Row, owner: object = None) -> int:
        return row._table.figures[row._at + self._index]


class _OfTwo(_Figure):
    """A figure about two frames, None if the row has only one."""

    def __get__(self, row: Row, owner: object = None) -> int | None:  # type: ignore[override]  # or None
        return super().__get__(row) if row.count > 1 else None


class _Octets:
    """One of a row's planes of octets in the table, as long as its data."""

    def __init__(self, index: int) -> None:
        self._index = index

    def __get__(self, row: Row, owner: object = None) -> bytes:
        return row._plane(self._index, len(row.data))


class Row:
    """An identifier on a channel: a view into the table, always up to date."""

    __slots__ = ("_at", "_table", "number")

    def __init__(self, table: Table, number: int) -> None:
        self._table = table
        self.number = number
        self._at = number * kernel.FIGURES

    def _plane(self, index: int, size: int) -> bytes:
        begin = (self.number * kernel.PLANES + index) * kernel.WIDTH
        return bytes(self._table.octets[begin : begin + size])

    #: channel and identifier as one number, stable if the row is removed and created again
    key = _Figure(kernel.KEY)

    @property
    def channel(self) -> Channel:
        return self._table.channels[self.key >> 33]

    @property
    def can_id(self) -> int:
        """The identifier with SocketCAN's EFF and ERR bits."""
        return (self.key & 0x1_FFFF_FFFF) - 1 & 0xFFFFFFFF

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
        return bool((self.key & 0x1_FFFF_FFFF) - 1 & _XL_BIT)

    count = _Figure(kernel.COUNT)
    first_ns = _Figure(kernel.FIRST)
    #: timestamp of the last frame
    last_ns = _Figure(kernel.LAST)
    #: when the last frame was fed, in the time of the view
    seen_ns = _Figure(kernel.SEEN)
    #: time between the last two frames
    period_ns = _OfTwo(kernel.PERIOD)
    shortest_ns = _OfTwo(kernel.SHORTEST)
    longest_ns = _OfTwo(kernel.LONGEST)
    _mean = _OfTwo(kernel.MEAN)
    _jitter = _OfTwo(kernel.JITTER)

    @property
    def elapsed_ns(self) -> int:
        """Time from the first frame of the table to the last frame of the row."""
        first = self._table.first_ns
        return 0 if first is None else self.last_ns - first

    @property
    def mean_ns(self) -> int | None:
        """The recent mean period: an exponential average with weight 1/16."""
        return None if self._mean is None else self._mean >> 4

    @property
    def jitter_ns(self) -> int | None:
        """The difference between consecutive periods, averaged in the same way.

        Source: RFC 3550, 6.4.1.
        """
        return None if self._jitter is None else self._jitter >> 4

    def rate(self, now_ns: int | None = None) -> float:
        """Return the recent rate in frames/s at ``now_ns``; without it, the rate from first to last frame."""
        if self.count < 2:
            return 0.0
        if now_ns is None:
            span = self.last_ns - self.first_ns
            return (self.count - 1) * 1e9 / span if span > 0 else 0.0
        return 1e9 / max(self.mean_ns or 0, now_ns - self.seen_ns, 1)

    #: length of the last frame in bytes; the requested length of a remote frame
    length = _Figure(kernel.SIZE)
    #: FD, BRS, ESI, TX and XL of the last frame, as in a batch
    flags = _Figure(kernel.FLAGS)
    _remote = _Figure(kernel.REMOTE)
    _stored = _Figure(kernel.STORED)  # 0 before any data, else its size plus 1

    @property
    def is_remote_frame(self) -> bool:
        return bool(self._remote)

    @property
    def data(self) -> bytes:
        """Data of the last frame that is not a remote frame; the first 64 bytes of a CAN XL frame."""
        return self._plane(kernel.DATA, max(0, self._stored - 1))

    @property
    def meaning(self) -> str:
        """The meaning of an error frame; empty for other frames."""
        return explain(self.arbitration_id, self.data) if self.is_error_frame else ""

    def values(self) -> list[Value] | None:
        """Return the decoded values of the data; None without a decoder, ValueError if it does not match."""
        return self.values_in(self.data) if self._stored else None

    def values_in(self, data: bytes) -> list[Value] | None:
        """Return the decoded values of the data of another frame of this row; like ``values``."""
        decoder = self._table.decoder
        if decoder is None or self.is_error_frame:
            return None
        return decoder(self.arbitration_id, self.is_extended_id, data, self.channel)

    def changed_ns(self) -> list[int]:
        """Return the time of the last change of each byte, in the time of the view, or ``NEVER``."""
        begin = self.number * kernel.WIDTH
        return list(self._table.changed[begin : begin + len(self.data)])

    def ages_ns(self, now_ns: int) -> list[int | None]:
        """Return the time since the last change of each byte; None if it never changed."""
        return [None if at == kernel.NEVER else max(0, now_ns - at) for at in self.changed_ns()]

    #: the bits that changed in the latest change of each byte
    recent_bits = _Octets(kernel.RECENT)
    #: the bits that ever changed
    changed_bits = _Octets(kernel.EVER)
    #: the lowest value of each byte
    lowest = _Octets(kernel.LOW)
    highest = _Octets(kernel.HIGH)

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


class Table:
    """Statistics of frames, one row per identifier, in the order of appearance.

    Attributes:
        first_ns, last_ns: timestamps of the first and the last frame; None if the table is empty.
    """

    def __init__(self, hold_ns: int = HOLD_NS) -> None:
        self.hold_ns = hold_ns
        self.decoder: Decoder | None = None
        self.channels: list[Channel] = []
        self.totals = array("q")
        self._numbers: dict[tuple[type, Channel], int] = {}
        self._kept_notches: dict[int, bytes] = {}  # of rows that may be created again
        self.clear()

    def clear(self) -> None:
        """Remove all rows and reset the totals of channels."""
        self.rows: list[Row] = []
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self.totals = array("q", bytes(8 * len(self.totals)))
        self.slots = array("I", bytes(4 * _SLOTS))
        self.figures = array("q")
        self.changed = array("q")
        self.octets = bytearray()
        self.past_ns = array("q")
        self.past_size = array("H")
        self.past = bytearray()
        self._kept_notches = {}
        self._grow(_FIRST_ROOM)

    def restart(self) -> None:
        """Clear the table to feed the same frames again; ignored bits stay ignored."""
        kept = self._kept_notches | {row.key: row.notch_plane for row in self.rows if any(row.notch_plane)}
        self.clear()
        self._kept_notches = kept

    def copy(self) -> Table:
        """Return an independent copy of the table."""
        other = Table(self.hold_ns)
        for name in _COLUMNS:
            setattr(other, name, getattr(self, name)[:])
        other.decoder = self.decoder
        other._numbers = dict(self._numbers)
        other.first_ns, other.last_ns = self.first_ns, self.last_ns
        other.rows = [Row(other, row.number) for row in self.rows]
        return other

    def feed(self, batch: MessageBatch, now_ns: int | None = None) -> None:
        """Add the frames of ``batch``; changes are dated ``now_ns``, by default by their timestamps."""
        if not len(batch):
            return
        numbers = array("H", [self._number(channel) for channel in batch.channels])
        now = kernel.NEVER if now_ns is None else max(0, now_ns)
        row, used = 0, len(self.rows)
        while True:
            row, used = kernel.absorb(
                row,
                *batch.columns(),
                numbers,
                now,
                self.hold_ns,
                LIMIT,
                used,
                self.slots,
                self.figures,
                self.changed,
                self.octets,
                self.past_ns,
                self.past_size,
                self.past,
                self.totals,
            )
            if row == len(batch):
                break
            self._grow(min(LIMIT, 2 * used))
        fresh = [Row(self, index) for index in range(len(self.rows), used)]
        self.rows += fresh
        for new_row in fresh if self._kept_notches else ():
            new_row.ignore(self._kept_notches.pop(new_row.key, bytes(kernel.WIDTH)))
        if self.first_ns is None:
            self.first_ns = batch.timestamp_ns[0]
        self.last_ns = batch.timestamp_ns[-1]

    def _number(self, channel: Channel) -> int:
        key = (type(channel), channel)  # 1 is not True
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.channels)
            self.channels.append(channel)
            self.totals.extend(array("q", bytes(8 * kernel.TOTALS)))
        return number

    def _grow(self, rows: int) -> None:
        more = rows - len(self.figures) // kernel.FIGURES
        self.figures.frombytes(bytes(8 * kernel.FIGURES * more))
        self.changed.frombytes(bytes(8 * kernel.WIDTH * more))
        self.octets.extend(bytes(kernel.PLANES * kernel.WIDTH * more))
        self.past_ns.frombytes(bytes(8 * kernel.PAST * more))
        self.past_size.frombytes(bytes(2 * kernel.PAST * more))
        self.past.extend(bytes(kernel.WIDTH * kernel.PAST * more))

    def notch(self, now_ns: int) -> None:
        """Ignore from now on every bit that is changing."""
        for row in self.rows:
            row.notch(now_ns)

    def unnotch(self) -> None:
        """Stop ignoring bits."""
        self._kept_notches = {}
        for row in self.rows:
            row.unnotch()

    @property
    def frames(self) -> int:
        """Total number of frames."""
        return sum(self.sums(kernel.FRAMES))

    @property
    def errors(self) -> int:
        """Total number of error frames."""
        return sum(self.sums(kernel.ERRORS))

    @property
    def crowded(self) -> int:
        """Number of frames without a row, because the table has ``LIMIT`` rows already."""
        return sum(self.sums(kernel.CROWDED))

    def sums(self, figure: int) -> Iterator[int]:
        """Yield one total per channel."""
        return iter(self.totals[figure :: kernel.TOTALS])
