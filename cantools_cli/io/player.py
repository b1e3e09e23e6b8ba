"""python-can's ``LogReader``: the reader for the format of a file, from its suffix and first bytes."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from cantools_cli import plugins
from cantools_cli.io.base import MessageReader
from cantools_cli.io.files import AnyFile, as_input, display_name, is_path
from cantools_cli.io.formats import recognised
from cantools_cli.io.suffixes import SuffixTable, leave_out
from cantools_cli.streams.sync import MessageSync

__all__ = ["MESSAGE_READERS", "LogReader", "MessageSync"]

#: Suffix -> reader class. A program may set its own; classes of other distributions replace those of canx.
MESSAGE_READERS = SuffixTable("reader")
#: keywords that programs pass for any format; readers that do not have them ignore them
_COMMON = ("base", "relative_timestamp", "table_name")


class LogReader(MessageReader):
    """Opens a log for reading; creating a ``LogReader`` returns the reader for the format of the file.

    All other arguments are passed to that reader; a keyword of other formats is ignored with a note.
    ``relative_timestamp`` keeps the times of a format with relative times relative.

    Attributes:
        message_readers: suffix -> class, as ``MESSAGE_READERS``.

    Raises:
        FormatError: the format is not recognised.
        TypeError: no format has such a keyword.
        OSError: the file cannot be opened.
    """

    message_readers: ClassVar[SuffixTable] = MESSAGE_READERS

    def __new__(cls, filename: AnyFile, *args: Any, **kwargs: Any) -> LogReader:
        """Return the reader: a ``LogReader`` for type checkers, but in fact another ``MessageReader``."""
        suffix = MESSAGE_READERS.suffix_of(display_name(filename))
        if suffix is not None and not MESSAGE_READERS.is_ours(suffix):
            if is_path(filename):
                open(filename, "rb").close()  # raises OSError, whatever the reader does with a missing file
            return cast("LogReader", MESSAGE_READERS[suffix](filename, *args, **kwargs))
        stream = as_input(filename)
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
