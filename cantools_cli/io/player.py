"""A log of any format to read: the first bytes of the file, and its suffix, say which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from cantools_cli import plugins
from cantools_cli.batch import MessageBatch
from cantools_cli.io.base import MessageReader
from cantools_cli.io.files import AnyFile, InputStream
from cantools_cli.io.formats import recognised
from cantools_cli.sync import MessageSync

__all__ = ["LogReader", "MessageSync"]


class LogReader(MessageReader):
    """Opens a log for reading: what is returned is the reader of the file's format.

    Positional and keyword arguments are that reader's; ``relative_timestamp``, for a format that has
    relative times, leaves them so.

    Raises:
        FormatError: the format is not recognised.
        OSError: the file cannot be opened.
    """

    def __new__(cls, filename: AnyFile, *args: Any, **kwargs: Any) -> LogReader:
        """Return the reader: to type checkers a ``LogReader``, in truth another ``MessageReader``."""
        stream = InputStream(filename)
        try:
            name = recognised(stream)
            reader = plugins.reader_class(name)
            if name in plugins.FORMATS:
                return cast("LogReader", reader(stream, *args, **kwargs))
        except BaseException:
            stream.close()
            raise
        stream.close()
        return cast("LogReader", reader(filename, *args, **kwargs))  # another distribution's opens it itself

    def batches(self) -> Iterator[MessageBatch]:
        """Yield the frames in file order."""
        raise NotImplementedError("the reader of a format does this")
