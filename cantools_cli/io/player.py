"""A log of any format to read: the first bytes of the file, and its suffix, say which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from cantools_cli import plugins
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.base import MessageReader
from cantools_cli.io.files import AnyFile, InputStream, display_name, is_path
from cantools_cli.io.formats import recognised
from cantools_cli.io.suffixes import SuffixTable, leave_out
from cantools_cli.io.text_streams import stays_open
from cantools_cli.streams.sync import MessageSync

__all__ = ["MESSAGE_READERS", "LogReader", "MessageSync"]

#: Suffix -> the reader's class. A program may set its own; those of other distributions win over ours.
MESSAGE_READERS = SuffixTable("reader")
#: keywords that programs pass whatever the format is, and some readers do not have
_COMMON = ("base", "relative_timestamp", "table_name")


class LogReader(MessageReader):
    """Opens a log for reading: what is returned is the reader of the file's format.

    Positional and keyword arguments are that reader's; a keyword that only other formats have is left out,
    and ``notes`` says so. ``relative_timestamp``, for a format that has relative times, leaves them so.

    Attributes:
        message_readers: suffix -> class, as ``MESSAGE_READERS``.

    Raises:
        FormatError: the format is not recognised.
        TypeError: no format has such a keyword.
        OSError: the file cannot be opened.
    """

    message_readers: ClassVar[SuffixTable] = MESSAGE_READERS

    def __new__(cls, filename: AnyFile, *args: Any, **kwargs: Any) -> LogReader:
        """Return the reader: to type checkers a ``LogReader``, in truth another ``MessageReader``."""
        suffix = MESSAGE_READERS.suffix_of(display_name(filename))
        if suffix is not None and not MESSAGE_READERS.is_ours(suffix):
            if is_path(filename):
                open(filename, "rb").close()  # a reader may say anything about a missing file
            return cast("LogReader", MESSAGE_READERS[suffix](filename, *args, **kwargs))
        stream = InputStream(filename, owned=is_path(filename) or not stays_open(filename))
        try:
            kind = plugins.reader_class(recognised(stream))
            left_out = leave_out(kind, kwargs, _COMMON)
            if kwargs.get("encoding") is not None and is_path(filename):
                stream.close()
                reader = kind(filename, *args, **kwargs)  # opens it as text
            else:
                reader = kind(stream, *args, **kwargs)
        except BaseException:
            stream.close()
            raise
        for name in left_out:
            reader.note(f"{stream.name}: {name} has no effect on such files")
        return cast("LogReader", reader)

    def batches(self) -> Iterator[MessageBatch]:
        """Yield the frames in file order."""
        raise NotImplementedError("the reader of a format does this")
