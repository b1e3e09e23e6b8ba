"""Readers and writers written for python-can's documentation, which know single messages only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cantools_cli.bus.listeners import is_nearer
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.base import MessageReader, MessageWriter, gathered
from cantools_cli.io.files import InputStream, OutputStream


def gives_batches(kind: type) -> bool:
    """Return whether ``batches`` of a reader's class is as new as its ``__iter__``."""
    own = getattr(kind, "batches", MessageReader.batches)
    return own is not MessageReader.batches and is_nearer(kind, "batches", "__iter__")


def takes_batches(kind: type) -> bool:
    """Return whether ``write`` of a writer's class is as new as its ``on_message_received``."""
    own = getattr(kind, "write", MessageWriter.write)
    return own is not MessageWriter.write and is_nearer(kind, "write", "on_message_received")


class ForeignReader(MessageReader):
    """Makes batches of the messages that ``documented``, a reader of another distribution, iterates over.

    ``documented`` opened the file itself; ``stream`` is what it was recognised by.
    """

    def __init__(self, documented: Any, stream: InputStream, **options: Any) -> None:
        super().__init__(stream, **options)
        self._documented = documented

    def batches(self) -> Iterator[MessageBatch]:
        return gathered(self._documented)

    def stop(self) -> None:
        super().stop()
        self._documented.stop()


class ForeignWriter(MessageWriter):
    """Hands batches message by message to ``documented``, a writer of another distribution.

    ``documented`` opened the file itself; ``stream`` holds the file's lock meanwhile.
    """

    def __init__(self, documented: Any, stream: OutputStream | None = None) -> None:
        super().__init__(None)
        self._documented = documented
        self._stream = stream

    def write(self, batch: MessageBatch) -> None:
        for message in self.without_xl(batch):
            self._documented.on_message_received(message)

    def stop(self) -> None:
        try:
            self._write_gathered()
            self._documented.stop()
        finally:
            if self._stream is not None:
                self._stream.close()
