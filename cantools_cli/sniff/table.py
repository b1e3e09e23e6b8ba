"""The table of a live view: one row per identifier and channel, fed with batches.

Remote frames share the row of their identifier but do not change its data; error frames have one row per
class, CAN XL frames have separate rows. Memory is bounded: at most ``LIMIT`` rows of about 8 kB, each with
its last ``PAST`` frames.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.kernels import sniff as kernel
from cantools_cli.sniff.decoding import Decoder
from cantools_cli.sniff.row import Row

#: maximum number of rows; frames of further identifiers are only counted
LIMIT = 4096
_FIRST_ROOM = 64
_SLOTS = 4 * LIMIT
_COLUMNS = ("channels", "totals", "slots", "figures", "changed", "octets", "past_ns", "past_size", "past")
#: how long a change counts as current, so that ``notch`` hides it; the value of cansniffer
HOLD_NS = 1_000_000_000


class Table:
    """Statistics of frames, one row per identifier, in the order of appearance.

    Attributes:
        rows: the rows, which are views into the table.
        channels: the channels by their number in the table.
        decoder: decodes the data of rows.
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
