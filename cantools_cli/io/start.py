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

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text_writer import TextWriter

#: frames to hold before the start of the file is chosen
HELD = 4096
#: losses of times that cannot be written
EARLY = "times before the start of the file"
FAR = "frames too long after the start of the file (left out)"
_NS_LIMIT = 1 << 63


def start_of(earliest_ns: int, step_ns: int = 1_000_000) -> int:
    """Return the start of a file with the earliest frame at ``earliest_ns``, floored to ``step_ns``.

    If that is below 64 bits of nanoseconds, the result is one step later.
    """
    start = earliest_ns // step_ns * step_ns
    return start if start >= -_NS_LIMIT else start + step_ns


def not_before(batch: MessageBatch, start_ns: int) -> tuple[MessageBatch, int]:
    """Return ``batch`` with times of at least ``start_ns``, and the number of earlier frames."""
    early = sum(time < start_ns for time in batch.timestamp_ns)
    if early:
        batch = copy(batch)  # the other columns are shared
        batch.timestamp_ns = array("q", [max(time, start_ns) for time in batch.timestamp_ns])
    return batch, early


class RelativeWriter(TextWriter):
    """A writer of times relative to a start, the time of the earliest of the first frames.

    The first frames stay in memory until there are enough of them, or until ``flush`` or ``stop``. A subclass
    also implements ``_begin``, which writes the file header; to continue a file it sets ``_begun``. A message
    earlier than the previous one gets the time of that one; the frames of ``write`` keep their times.
    """

    is_monotonic = True

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._held = MessageBatch()
        self._begun = False
        self._start_ns = 0

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
        if batch.timestamp_ns[row] >= self._zero_ns:
            return None
        batch, early = not_before(batch, self._zero_ns)
        self._count(EARLY, early)
        return batch
