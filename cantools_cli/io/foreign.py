"""Adapters for python-can readers and writers of other distributions, which work on single messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cantools_cli.bus.listeners import is_nearer
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.base import MessageReader, MessageWriter, gathered
from cantools_cli.io.files import InputStream, OutputStream


def gives_batches(kind: type) -> bool:
    """Return whether a reader class defines ``batches`` at least as deep in its hierarchy as ``__iter__``."""
    own = getattr(kind, "batches", MessageReader.batches)
    return own is not MessageReader.batches and is_nearer(kind, "batches", "__iter__")


def takes_batches(kind: type) -> bool:
    """Return whether a writer class defines ``write`` at least as deep as ``on_message_received``."""
    own = getattr(kind, "write", MessageWriter.write)
    return own is not MessageWriter.write and is_nearer(kind, "write", "on_message_received")


class ForeignReader(MessageReader):
    """Yields the messages of ``documented``, another distribution's reader that opened ``stream`` itself."""

    def __init__(self, documented: Any, stream: InputStream, **options: Any) -> None:
        super().__init__(stream, **options)
        self._documented = documented

    def batches(self) -> Iterator[MessageBatch]:
        return gathered(self._documented)

    def stop(self) -> None:
        super().stop()
        self._documented.stop()


class ForeignWriter(MessageWriter):
    """Passes messages to ``documented``, another distribution's writer; ``stream`` holds the file's lock."""

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
