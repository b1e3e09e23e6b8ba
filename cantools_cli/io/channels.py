"""Channels in log formats: tables of names and numbers for the kernels."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.kernels import columns

UNKNOWN = 0xFFFF  #: the entry of a number without a channel, in the tables of all kernels
MAX_CHANNELS = 4096  #: channels of a log: kernels search their names once per line


def channel_name(channel: Channel) -> str:
    """Return the name of ``channel``: ``canN`` for a number N, ``can0`` for None."""
    if channel is None:
        return "can0"
    return f"can{channel}" if isinstance(channel, int) else channel


class NameTable:
    """The names of channels as ``spelt``, for a kernel: all in ``names``, the end of each in ``ends``."""

    def __init__(
        self, channels: tuple[Channel, ...] = (), spelt: Callable[[Channel], str] = channel_name
    ) -> None:
        self.channels: tuple[Channel, ...] = ()
        self.names = b""
        self.ends = array("I")
        self._spelt = spelt
        for channel in channels:
            self.add(channel)

    def add(self, channel: Channel) -> None:
        """Add ``channel``."""
        self.add_as(channel, self._spelt(channel).encode("utf-8", "surrogateescape"))

    def index(self, channel: Channel) -> int:
        """Return the index of ``channel``, added if it is new; FormatError beyond ``MAX_CHANNELS``."""
        if channel not in self.channels:
            if len(self.channels) >= MAX_CHANNELS:
                raise FormatError(f"more than {MAX_CHANNELS} channels")
            self.add(channel)
        return self.channels.index(channel)

    def add_new(self, channel: Channel) -> bool:
        """Add ``channel`` unless it was added before; return whether it was added."""
        is_new = channel not in self.channels
        if is_new:
            self.add(channel)
        return is_new

    def add_as(self, channel: Channel, text: bytes) -> None:
        """Add ``channel``, spelled ``text`` in the format."""
        self.channels += (channel,)
        self.names += text
        self.ends.append(len(self.names))


class ChannelTable:
    """The channels of a file that numbers them, for look-ups by a kernel."""

    def __init__(self) -> None:
        self.channels: tuple[Channel, ...] = ()  #: the channels so far, in the order of their appearance
        self.entries = array("H")  #: by number: the index of its channel in ``channels``, or ``UNKNOWN``

    def add(self, number: int, channel: Channel) -> None:
        """Assign ``channel`` to ``number``; several numbers may have the same channel."""
        if channel not in self.channels:
            self.channels += (channel,)
        self.entries.extend([UNKNOWN] * (number + 1 - len(self.entries)))
        self.entries[number] = self.channels.index(channel)


class NumberedChannels:
    """Assigns numbers from 0 to channels, for a format without channel names.

    ``canN``, ``vcanN``, and a number N become N, and None becomes ``default``. Any other name, and a name
    whose number is already in use by another channel, gets the next free number, with a note.
    """

    def __init__(
        self, default: int = 0, note: Callable[[str], None] | None = None, *, first: int = 1
    ) -> None:
        self._default = default
        self._note = note
        self._first = first  # the first number of the format, for the note
        self._numbers: dict[Channel, int] = {}
        self._owners: dict[int, str] = {}  # by number: the name that it was assigned to

    def number(self, channel: Channel) -> int:
        """Return the number of ``channel``."""
        known = self._numbers.get(channel)
        if known is None:
            known = self._numbers[channel] = self._choose(channel)
        return known

    def table(self, batch: MessageBatch, limit: int) -> array[int]:
        """Return the numbers of the batch's channels as uint16."""
        for channel in batch.channels:  # names with a number first, so that no other name takes that number
            if channel is None or _own_number(channel) is not None:
                self.number(channel)
        numbers = [self.number(channel) for channel in batch.channels]
        for channel, number in zip(batch.channels, numbers, strict=True):
            if number > limit:
                raise UsageError(f"channel {quoted(channel)} exceeds {limit}, the format's largest number")
        return array("H", numbers)

    def _choose(self, channel: Channel) -> int:
        if channel is None:
            self._owners.setdefault(self._default, "can")
            return self._default
        number = _own_number(channel)
        owner = str(channel).rstrip("0123456789") or "can"
        if number is not None and self._owners.setdefault(number, owner) == owner:
            return number
        number = self._default
        while number in self._owners:
            number += 1
        self._owners[number] = str(channel)
        if self._note is not None:
            blank = not str(channel).strip()
            self._note(
                f"{quoted(channel) if blank else channel} is written as channel {number + self._first}"
            )
        return number


def count_named(batch: MessageBatch) -> int:
    """Return the number of frames on other channels than can0: a format without channels loses them."""
    plain = [index for index, channel in enumerate(batch.channels) if channel in ("can0", 0, None)]
    if len(plain) == len(batch.channels):
        return 0
    return len(batch) - sum(columns.count_entries(batch.channel, index) for index in plain)


def channel_number(channel: Channel, first: int = 0) -> Channel:
    """Return the number of a channel named ``can0``, ``can1`` and so on; ``can0`` is ``first``."""
    number = _own_number(channel)
    return channel if number is None else number + first


def _own_number(channel: Channel) -> int | None:
    """Return the number in the name of a channel, None if it has none."""
    if channel is None or (isinstance(channel, int) and channel < 0):
        return None
    name = str(channel)
    stem = name.rstrip("0123456789")
    if stem in ("can", "vcan", "") and len(stem) < len(name) <= len(stem) + 5:
        return int(name[len(stem) :])
    return None
