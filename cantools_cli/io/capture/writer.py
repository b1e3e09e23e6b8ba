"""The loop that both writers of captures share."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from collections.abc import Callable
from typing import Any, ClassVar

from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.base import FileIOMessageWriter
from cantools_cli.io.continued import cannot_continue, naming
from cantools_cli.io.files import AnyFile
from cantools_cli.kernels import capture as kernel

_OUT_ROOM = 1 << 18
_CHUNK = 1 << 20
SECTION = b"\x0a\x0d\x0d\x0a"  #: the type of a section header block, in either byte order
ORDERS = {b"\x4d\x3c\x2b\x1a": False, b"\x1a\x2b\x3c\x4d": True}  #: the byte order: whether it is big-endian


class CaptureWriter(FileIOMessageWriter):
    """Writes a capture; a subclass implements ``_begin``, ``_interfaces_of`` and ``_xl_record``."""

    blocks = False  #: whether it is pcapng
    last_ns = (1 << 63) - 1  #: the last time of the format
    moved_times: ClassVar[str]  #: the loss of times that the format does not have

    def __init__(self, file: AnyFile, append: bool = False, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, "wb", *args, append=append, **kwargs)
        self._unit = 1  # nanoseconds per tick
        self._out = bytearray(_OUT_ROOM)
        with self.closed_on_error():
            self._begin(self.output.seek_end() if append else 0)

    @abstractmethod
    def _begin(self, size: int) -> None:
        """Write the head of a new file, or continue one of ``size`` bytes."""

    @abstractmethod
    def _interfaces_of(self, batch: MessageBatch) -> array[int]:
        """Return the number of the interface of each channel of ``batch``; count the losses of the batch."""

    @abstractmethod
    def _xl_record(self, message: XlMessage, time_ns: int, interface: int) -> bytes:
        """Return the record of a CAN XL frame, with a time that the format has."""

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        interfaces = self._interfaces_of(batch)
        columns, row, view = batch.columns(), 0, memoryview(self._out)
        while row < len(batch):
            done, used, moved = kernel.format(row, *columns, interfaces, self.blocks, self._unit, self._out)
            self.output.write(view[:used])
            self._count(self.moved_times, moved)
            if done < len(batch) and batch.flags[done] & bits.XL:
                message = batch[done]
                assert isinstance(message, XlMessage)
                time_ns = min(max(message.timestamp_ns, 0), self.last_ns)
                self._count(self.moved_times, time_ns != message.timestamp_ns)
                self.output.write(self._xl_record(message, time_ns, interfaces[batch.channel[done]]))
                done += 1
            elif done == row:
                self.losses["malformed frames (left out)"] += 1
                done += 1
            row = done

    def _drop_rest(self, begin: int, size: int, record: str) -> None:
        """Cut the file of ``size`` bytes after its last complete record; the first one is at ``begin``."""
        with naming(self.output.name):
            end = _find_end(self.output.read_back, begin, size, blocks=self.blocks)
        if end < size:
            self.note(f"{self.output.name}: ended inside a {record}, whose {size - end} bytes were dropped")
            self.output.truncate(end)


def _find_end(read: Callable[[int, int], bytes], begin: int, size: int, *, blocks: bool) -> int:
    """Follow the records of a file of ``size`` bytes from ``begin``; return the end of the last whole one."""
    position, big = begin, False
    while position < size:
        text = read(position, _CHUNK)
        at, reason = kernel.walk(text, 0, len(text), blocks, big)
        position += at
        if reason == kernel.CUT and at:
            continue
        if reason == kernel.CUT:
            break
        if reason == kernel.STRANGE:
            head = text[at : at + 12]
            if blocks and head[:4] == SECTION:
                big = ORDERS.get(head[8:12], big)
            length = int.from_bytes(head[4:8], "big" if big else "little")
            if not blocks or length < 12 or length & 3:
                raise cannot_continue("invalid record", position)
            if position + length > size:
                break
            if read(position + length - 4, 4) != head[4:8]:
                raise cannot_continue("invalid record", position)
            position += length
    if size - position > kernel.LARGEST_RECORD:  # too much for an incomplete record: its length is wrong
        raise cannot_continue("a record exceeds the end of the file", position)
    return position
