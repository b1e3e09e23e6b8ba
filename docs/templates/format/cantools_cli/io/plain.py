"""plain: one line per frame, with microseconds, identifier and data.

::

    1700000000123456 123 DEADBEEF       3 digits of identifier: 11 bits
    1700000000123460 00000123           8 digits: 29 bits; this frame has no data

Loses: remote, error, CAN FD and CAN XL frames, which are left out; channels, directions, raw DLC codes, and
the nanoseconds below a microsecond.

Source: name the document that specifies the format, and its section.
"""

from __future__ import annotations

from typing import Any

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.base import FileIOMessageWriter
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text import TextReader, end_cut_line
from cantools_cli.kernels import columns
from cantools_cli.kernels import plain as kernel
from cantools_cli.kernels.buffers import ReadBuffer

CHANNEL = "can0"  #: the channel of every frame, since the format has no channels
_OUT_ROOM = 1 << 20


class PlainReader(TextReader):
    """Reads plain lines."""

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._names.add(CHANNEL)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        fields = head.partition(b"\n")[0].split()
        return len(fields) in (2, 3) and fields[0].isdigit() and len(fields[1]) in (3, 8)

    def _parse(
        self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int
    ) -> tuple[int, int, int]:
        return kernel.parse(text, at, end, first, *batch.columns())

    def _line(self, line: bytes, reason: int) -> Message | None:
        if not line.strip():
            return None
        raise FormatError(f"not a plain line: {quoted(line)}")


class PlainWriter(FileIOMessageWriter):
    """Writes plain lines."""

    def __init__(self, file: AnyFile, append: bool = False, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, append=append, **kwargs)
        self._out = bytearray(_OUT_ROOM)
        end_cut_line(self.output)

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        batch = self._carried(batch)
        row, view = 0, memoryview(self._out)
        while row < len(batch):
            done, used = kernel.format(row, *batch.columns(), self._out)
            self.output.write(view[:used])
            if used == 0:
                self._lose("frames before 1970 (left out)", 1)
                done += 1
            row = done

    def _carried(self, batch: MessageBatch) -> MessageBatch:
        """Count what the format cannot carry, and return ``batch`` without the frames left out."""
        batch = self.without_xl(batch)
        self._lose("remote frames (left out)", columns.count_words(batch.can_id, bits.CAN_RTR_FLAG))
        self._lose("error frames (left out)", columns.count_words(batch.can_id, bits.CAN_ERR_FLAG))
        batch = batch.without(bits.CAN_RTR_FLAG | bits.CAN_ERR_FLAG)
        fd = columns.count_bits(batch.flags, bits.FD)
        if fd:
            self._lose("CAN FD frames (left out)", fd)
            batch = batch.select([row for row, flags in enumerate(batch.flags) if not flags & bits.FD])
        self._lose("directions", columns.count_bits(batch.flags, bits.TX))
        self._lose("raw DLC codes", columns.count_raw_dlc(batch.dlc_code, batch.flags))
        carried = [index for index, channel in enumerate(batch.channels) if channel in (CHANNEL, None)]
        self._lose("channels", len(batch) - sum(batch.channel.count(index) for index in carried))
        return batch

    def _lose(self, kind: str, count: int) -> None:
        if count:
            self.losses[kind] += count
