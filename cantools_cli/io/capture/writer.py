"""The loop that both writers of captures share."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from typing import Any, ClassVar

from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.base import FileIOMessageWriter
from cantools_cli.io.capture.append import find_end
from cantools_cli.io.continued import naming
from cantools_cli.io.files import AnyFile
from cantools_cli.kernels import capture as kernel

_OUT_ROOM = 1 << 18


class CaptureWriter(FileIOMessageWriter):
    """Writes a capture, or continues one with ``append``.

    A subclass implements ``_begin``, ``_interfaces_of`` and ``_write_xl``.
    """

    blocks = False  #: whether it is pcapng
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
    def _write_xl(self, message: XlMessage, interface: int) -> None:
        """Write a CAN XL frame."""

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        interfaces = self._interfaces_of(batch)
        columns, row, view = batch.columns(), 0, memoryview(self._out)
        while row < len(batch):
            done, used, moved = kernel.format(row, *columns, interfaces, self.blocks, self._unit, self._out)
            self.output.write(view[:used])
            if moved:
                self.losses[self.moved_times] += moved
            if done < len(batch) and batch.flags[done] & bits.XL:
                message = batch[done]
                assert isinstance(message, XlMessage)
                self._write_xl(message, interfaces[batch.channel[done]])
                done += 1
            elif done == row:
                self.losses["malformed frames (left out)"] += 1
                done += 1
            row = done

    def _drop_rest(self, begin: int, size: int, record: str) -> None:
        """Cut the file of ``size`` bytes after its last complete record; the first one is at ``begin``."""
        with naming(self.output.name):
            end = find_end(self.output.read_back, begin, size, blocks=self.blocks)
        if end < size:
            self.note(f"{self.output.name}: ended inside a {record}, whose {size - end} bytes were dropped")
            self.output.truncate(end)
