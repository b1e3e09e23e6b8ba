"""The start of a log with relative times: the time of the earliest of the first frames.

A later frame may be earlier than the start. It gets the time of the start and is counted as a loss: no format
of this kind has negative times, and tools disagree on them. python-can ignores such a line of ASC, and
asc2log drops the sign.
"""

from __future__ import annotations

from abc import abstractmethod
from array import array
from copy import copy
from typing import Any

from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.channels import NumberedChannels
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text_writer import TextWriter

HELD = 4096  #: frames to hold before the start of the file is chosen
#: losses of times that cannot be written
EARLY = "times before the start of the file"
FAR = "frames too long after the start of the file (left out)"
_NS_LIMIT = 1 << 63


def start_of(earliest_ns: int, step_ns: int = 1_000_000) -> int:
    """Return ``earliest_ns`` floored to ``step_ns``, or one step later where 64 bits end."""
    start = earliest_ns // step_ns * step_ns
    return start if start >= -_NS_LIMIT else start + step_ns


class RelativeWriter(TextWriter):
    """A writer of times relative to a start, the time of the earliest of the first frames.

    ``channel`` is the number, from 1, for frames without a channel.
    The first frames stay in memory until there are enough of them, or until ``flush`` or ``stop``. A subclass
    also implements ``_begin``, which writes the file header; to continue a file it sets ``_begun``. A message
    earlier than the previous one gets the time of that one; the frames of ``write`` keep their times.
    """

    is_monotonic = True

    def __init__(self, file: AnyFile, channel: int = 1, *args: Any, **kwargs: Any) -> None:
        if channel < 1:
            raise UsageError(f"channel {channel} cannot be written", hint="channels are numbers from 1")
        super().__init__(file, *args, **kwargs)
        self.channel = channel
        self._channels = NumberedChannels(channel - 1, self.note)
        self._numbers = array("H")  #: of the channels of the batch
        self._held = MessageBatch()
        self._begun = False
        self._start_ns = 0

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        numbers = self._channels.table(batch, 0xFFFE)
        self._numbers = array("H", [number + 1 for number in numbers])
        return batch

    def _begin_file(self, append: bool) -> None:
        """Do nothing: the header holds the start."""

    @abstractmethod
    def _begin(self, start_ns: int) -> None:
        """Write the header of a file that starts at ``start_ns``."""

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        if not self._begun:
            self._held.extend(batch)
            if len(self._held) >= HELD:
                self._release()
        elif len(batch):
            self._put(batch)

    def file_size(self) -> int:
        """Return an estimate of the file's size in bytes, including frames that are not written yet."""
        self._write_gathered()
        if self._received_ns is not None and len(self._held):
            self._release()  # the times of messages never go backwards, so the first is the earliest
        return self.output.written + 40 * len(self._held) + 3 * len(self._held.payload)

    def flush(self) -> None:
        self._write_gathered()
        if len(self._held):
            self._release()
        self.output.flush()

    def _release(self, *others_ns: int) -> None:
        """Start the file at the earliest of the held frames and ``others_ns``; write the held frames."""
        held, self._held = self._held, MessageBatch()
        if not self._begun:
            self._begun = True
            self._start_ns = start_of(min((*held.timestamp_ns, *others_ns), default=0))
            self._begin(self._start_ns)
        if len(held):
            self._put(held)

    @property
    def _zero_ns(self) -> int:
        """The time from which the times of a batch count."""
        return self._start_ns

    def _completed(self, batch: MessageBatch, row: int) -> MessageBatch | None:
        """Return ``batch`` with earlier times raised to the start of the file; count those."""
        zero_ns, times = self._zero_ns, batch.timestamp_ns
        if times[row] >= zero_ns:
            return None
        self._count(EARLY, sum(time < zero_ns for time in times))
        batch = copy(batch)  # the other columns are shared
        batch.timestamp_ns = array("q", [max(time, zero_ns) for time in times])
        return batch
