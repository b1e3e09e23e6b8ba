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
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text import Parsed, TextReader
from cantools_cli.io.text_writer import TextWriter
from cantools_cli.kernels import columns
from cantools_cli.kernels import plain as kernel
from cantools_cli.kernels.buffers import ReadBuffer

CHANNEL = "can0"  #: the channel of every frame, since the format has no channels


class PlainReader(TextReader):
    """Reads plain lines."""

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._names.add(CHANNEL)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        fields = head.partition(b"\n")[0].split()
        return len(fields) in (2, 3) and fields[0].isdigit() and len(fields[1]) in (3, 8)

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        return kernel.parse(text, at, end, first, *batch.columns())

    def _line(self, line: bytes, reason: int) -> Message | None:
        if not line.strip():
            return None
        raise FormatError(f"not a plain line: {quoted(line)}")


class PlainWriter(TextWriter):
    """Writes plain lines."""

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        return kernel.format(row, *batch.columns(), self._out)

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        self._count("frames before 1970 (left out)", 1)
        return b""

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        batch = self.without_xl(batch)
        self._count("remote frames (left out)", columns.count_words(batch.can_id, bits.CAN_RTR_FLAG))
        self._count("error frames (left out)", columns.count_words(batch.can_id, bits.CAN_ERR_FLAG))
        batch = batch.without(bits.CAN_RTR_FLAG | bits.CAN_ERR_FLAG)
        self._count("CAN FD frames (left out)", columns.count_bits(batch.flags, bits.FD))
        batch = batch.without_fd()
        self._count_details(batch, "directions", "channels", "raw DLC codes")
        return batch
