"""The loop of every text writer: a kernel formats most rows, plain Python the rest."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.io.base import FileIOMessageWriter
from cantools_cli.io.channels import NameTable, channel_name
from cantools_cli.io.files import AnyFile, OutputStream

_OUT_SIZE = 1 << 20
#: more bytes than any kernel needs for a line: one that stops with this room left refuses the next row
_MAX_LINE = 1 << 16
_PADDING = bytes(24)  #: bytes after the last name: kernels copy names in words of up to 24 bytes


class TextWriter(FileIOMessageWriter):
    """Writes a log of lines.

    A subclass implements ``_format``, which runs its kernel, and ``_line``, which formats one row in plain
    Python; ``_prepared``, if the format cannot hold every frame; ``_spelt``, if it spells channels
    differently; and sets ``_header``, with which a new file begins.
    """

    _header = b""

    def __init__(self, file: AnyFile, append: bool = False, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, "wt", *args, append=append, **kwargs)
        self._out = bytearray(_OUT_SIZE)  #: output of the kernel
        self._named_channels: tuple[Channel, ...] | None = None  # that the names were made for
        self._names = b""  #: the channels of the batch, spelt for the kernel
        self._name_ends = NameTable().ends
        self._begin_file(append)

    @abstractmethod
    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        """Write rows of ``batch`` from ``row`` on to ``_out``; return (first row not written, bytes)."""

    @abstractmethod
    def _line(self, batch: MessageBatch, row: int) -> bytes:
        """Return the line of a row that the kernel refused; empty after counting it in ``losses``."""

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames that the format can hold; count the others, and lost details, in ``losses``."""
        return batch

    def _spelt(self, channel: Channel) -> str:
        """Return ``channel`` as the format spells it."""
        return channel_name(channel)

    def _completed(self, batch: MessageBatch, row: int) -> MessageBatch | None:
        """Complete the kernel's tables, or ``batch``, for a refused row; return None if it stays refused."""
        return None

    def _begin_file(self, append: bool) -> None:
        """Write the header of a new file; check that of a file to append to, and end its last line."""
        if not append or (self.output.seekable and not self.output.written):
            self.output.write(self._header)
        elif self.output.seekable:
            with self.closed_on_error():
                self._check_header(self.output.read_back(0, 2 * len(self._header)))
            end_cut_line(self.output)

    def _check_header(self, head: bytes) -> None:
        """Raise UsageError unless the rows of this writer fit a file that begins with ``head``."""

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        self._put(batch)

    def _put(self, batch: MessageBatch) -> None:
        batch = self._prepared(batch)
        if self._named_channels != batch.channels:
            self._named_channels = batch.channels
            table = NameTable(batch.channels, self._spelt)
            self._names, self._name_ends = table.names + _PADDING, table.ends
        row, count, view = 0, len(batch), memoryview(self._out)
        lines = bytearray()  # of refused rows, since each write may be a system call
        while row < count:
            done, used = self._format(batch, row)
            if used:
                if lines:
                    self.output.write(lines)
                    lines = bytearray()
                self.output.write(view[:used])
            if done < count and (done == row or used < _OUT_SIZE - _MAX_LINE):
                completed = self._completed(batch, done)
                if completed is None:
                    lines += self._line(batch, done)
                    done += 1
                else:
                    batch = completed
            row = done
        self.output.write(lines)


def end_cut_line(output: OutputStream) -> None:
    """End the last line of a file that is continued, which a crash may have cut."""
    if output.written and output.seekable and output.read_back(output.written - 1, 1) != b"\n":
        output.write(b"\n")
