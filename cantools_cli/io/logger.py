"""Loggers: a file name to the writer of its format, and logs in a sequence of files."""

from __future__ import annotations

import os
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, cast

from cantools_cli import plugins
from cantools_cli.batch import MessageBatch
from cantools_cli.errors import UsageError
from cantools_cli.io.base import MessageWriter
from cantools_cli.message import Message

Path = str | os.PathLike[str]

#: why ``.gz`` does not go around a format
_UNCOMPRESSIBLE = {
    ".blf": "BLF is compressed inside",
    ".db": "SQLite writes anywhere in its file",
}
#: bytes that no frame needs in any format, up to 64 bytes of data and a channel's name of sensible length
_LONGEST_FRAME = 512


class Logger(MessageWriter):
    """Opens a log for writing: what is returned is the writer that the suffix of ``filename`` means.

    ``.gz`` behind the suffix compresses. None prints to stdout. Positional and keyword arguments are the
    writer's. The file is complete only after ``stop()``.

    Raises:
        ValueError: the suffix means no format, or one that cannot be compressed.
        OSError: the file cannot be opened.
    """

    def __new__(cls, filename: Path | None, *args: Any, **kwargs: Any) -> Logger:
        """Return the writer: to type checkers a ``Logger``, in truth another ``MessageWriter``."""
        name = "txt" if filename is None else _format_of(os.fspath(filename))[0]
        return cast("Logger", plugins.writer_class(name)(filename, *args, **kwargs))

    @staticmethod
    def compress(filename: Path, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        """Open ``filename``, which ends in ``.gz``, as a text stream that compresses.

        Return the suffix before ``.gz``, and the stream. ``append=True`` adds to the file.

        Raises:
            ValueError: the format cannot be compressed.
        """
        import gzip

        path = os.fspath(filename)
        _format_of(path)
        suffix = os.path.splitext(os.path.splitext(path)[0])[1].lower()
        mode = "at" if kwargs.get("append") else "wt"
        return suffix, gzip.open(path, mode, encoding="utf-8", newline="")

    def write(self, batch: MessageBatch) -> None:
        """Write all frames of ``batch``."""
        raise NotImplementedError("the writer of a format does this")


def _format_of(path: str) -> tuple[str, str]:
    """Return the format, or suffix of another distribution, and the suffix, that ``path`` means."""
    stem, suffix = os.path.splitext(path.lower())
    gzipped = suffix == ".gz"
    if gzipped:
        suffix = os.path.splitext(stem)[1] or suffix
        if suffix in _UNCOMPRESSIBLE:
            raise UsageError(
                f"The file type {suffix} is incompatible with gzip: {_UNCOMPRESSIBLE[suffix]}",
                hint="leave out .gz",
            )
    name, _ = plugins.format_of_suffix(path)
    if name is not None:
        return name, suffix
    if suffix and not gzipped and suffix in plugins.entry_points_of("writer"):
        return suffix, suffix
    known = " ".join(form.suffixes[0] for form in plugins.FORMATS.values())
    raise UsageError(f'No write support for unknown log format "{suffix}"', hint=f"suffixes: {known}")


class BaseRotatingLogger(MessageWriter):
    """Logs to a sequence of files; a subclass says when the next one begins, and what it is called.

    A subclass sets ``_writer`` when it is made.

    Attributes:
        namer: changes the name that a finished file would get, see ``rotation_filename``.
        rotator: puts a finished file in its place, instead of a rename, see ``rotate``.
        rollover_count: the number of the next finished file.
    """

    namer: Callable[[Path], Path] | None = None
    rotator: Callable[[Path, Path], None] | None = None
    rollover_count: int = 0
    _writer: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(None)
        self.writer_args = args
        self.writer_kwargs = kwargs

    @property
    def writer(self) -> Any:
        """The writer of the file that is open now."""
        return self._writer

    def rotation_filename(self, default_name: Path) -> Path:
        """Return what ``namer`` makes of ``default_name``; without one, the same name."""
        return default_name if self.namer is None else self.namer(default_name)

    def rotate(self, source: Path, dest: Path) -> None:
        """Let ``rotator`` put the file ``source`` in the place ``dest``; without one, rename it."""
        if self.rotator is not None:
            self.rotator(source, dest)
        elif os.path.exists(source):
            os.rename(source, dest)

    def on_message_received(self, msg: Message) -> None:
        """Begin the next file if it is time, and write one message."""
        if self.should_rollover(msg):
            self.do_rollover()
        self.writer.on_message_received(msg)

    def write(self, batch: MessageBatch) -> None:
        for message in batch:
            self.on_message_received(message)

    @abstractmethod
    def should_rollover(self, msg: Message) -> bool:
        """Tell whether the next file begins before ``msg``."""

    @abstractmethod
    def do_rollover(self) -> None:
        """Finish the open file, put it in its place, and begin the next one."""

    def flush(self) -> None:
        self.writer.flush()

    def stop(self) -> None:
        """Finish the open file, which keeps its name."""
        self.writer.stop()

    def _new_writer(self, filename: Path) -> Any:
        """Open the next file; what it loses is counted together with what the others lost."""
        writer = Logger(filename, *self.writer_args, **self.writer_kwargs)
        writer.losses = self.losses
        return writer


class SizedRotatingLogger(BaseRotatingLogger):
    """Logs to a sequence of files, each of about ``max_bytes``.

    The file being written is called ``base_filename``. When it has the size it is finished and renamed to
    ``NAME_YYYY-MM-DDTHHMMSS_#NNN.SUFFIX``, with the local time and ``rollover_count``, or a higher number
    where there is such a file already. The size is looked at before each message, so that a file may be
    larger by one. 0 never begins another file. Other arguments are the writer's.

    Raises:
        ValueError: the suffix means no format, or one whose size is not known.
        OSError: a file cannot be opened.
    """

    def __init__(self, base_filename: Path, max_bytes: int = 0, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base_filename = os.fspath(base_filename)
        self.max_bytes = max_bytes
        self._gathered_since = 0  # messages that the writer may hold back, which its size does not show
        self._is_empty = True  # the open file has no frame yet: a format's head alone does not fill it
        _check_has_size(self.base_filename)
        self._writer = self._new_writer(self.base_filename)

    def should_rollover(self, msg: Message) -> bool:
        return self.max_bytes > 0 and self._room() == 0

    def on_message_received(self, msg: Message) -> None:
        super().on_message_received(msg)
        self._gathered_since += 1
        self._is_empty = False

    def on_batch_received(self, batch: MessageBatch) -> None:
        self.write(batch)

    def write(self, batch: MessageBatch) -> None:
        """Write all frames of ``batch``, as many at a time as surely fit."""
        if type(self).should_rollover is not SizedRotatingLogger.should_rollover:
            super().write(batch)  # a subclass looks at each message
            return
        if self.max_bytes <= 0:
            self.writer.write(batch)
            return
        first = 0
        while first < len(batch):
            room = self._room()
            if room == 0:
                self.do_rollover()
                room = self._room()
            last = min(len(batch), first + room)
            self.writer.write(batch.part(first, last))
            self._is_empty = False
            first = last

    def do_rollover(self) -> None:
        self.writer.stop()
        self.rotate(self.base_filename, self._free_name())
        self.rollover_count += 1
        self._gathered_since = 0
        self._is_empty = True
        self._writer = self._new_writer(self.base_filename)

    def _room(self) -> int:
        """Return how many messages fit for sure, at least 1 while the file is below its size, else 0."""
        size = self.writer.file_size()
        left = self.max_bytes - size - self._gathered_since * _LONGEST_FRAME
        if left < _LONGEST_FRAME and self._gathered_since:  # now the exact size counts
            self.writer.write(MessageBatch())  # writes what is gathered
            self._gathered_since = 0
            left = self.max_bytes - self.writer.file_size()
        return max(1, left // _LONGEST_FRAME) if left > 0 or self._is_empty else 0

    def _free_name(self) -> Path:
        """Return the next name that no file has; one that a namer makes without the number is kept."""
        previous: Path | None = None
        moment = time.localtime()
        while True:
            name = self.rotation_filename(self._default_name(moment))
            if name == previous or not os.path.exists(name):
                return name
            previous = name
            self.rollover_count += 1

    def _default_name(self, moment: time.struct_time) -> str:
        stem, suffix = os.path.splitext(self.base_filename)
        if suffix.lower() == ".gz":
            stem, inner = os.path.splitext(stem)
            suffix = inner + suffix
        return f"{stem}_{time.strftime('%Y-%m-%dT%H%M%S', moment)}_#{self.rollover_count:03}{suffix}"


def _check_has_size(path: str) -> None:
    """Raise ValueError for a format whose writer cannot tell the size of its file."""
    name, suffix = _format_of(path)
    if not hasattr(plugins.writer_class(name), "file_size"):
        known = ", ".join(form.suffixes[0] for form in plugins.FORMATS.values())
        raise UsageError(
            f'The log format "{suffix}" is not supported by SizedRotatingLogger', hint=f"suffixes: {known}"
        )
