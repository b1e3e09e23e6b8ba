"""python-can's loggers: the writer for a file name, and logs in a sequence of files."""

from __future__ import annotations

import os
import re
import time
from abc import abstractmethod
from array import array
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, cast

from cantools_cli import plugins
from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.base import MessageWriter
from cantools_cli.io.suffixes import SuffixTable, leave_out

Path = str | os.PathLike[str]

#: Suffix -> writer class. A program may set its own; classes of other distributions replace those of canx.
MESSAGE_WRITERS = SuffixTable("writer")
#: keywords that programs pass for any format; writers that do not have them ignore them
_COMMON = ("append", "channel", "compression_level", "database", "encoding", "table_name")
#: bytes that a frame needs at most, in any format, with 64 bytes of data and a channel name of usual length
_MAX_FRAME = 512


class Logger(MessageWriter):
    """Opens a log for writing; creating a ``Logger`` returns the writer for the suffix of ``filename``.

    A further suffix ``.gz`` or ``.zst`` compresses the file. None prints to stdout. All other arguments are
    passed to the writer; a keyword of other formats is ignored with a note. The file is complete only after
    ``stop()``.

    Attributes:
        message_writers: suffix -> class, as ``MESSAGE_WRITERS``.

    Raises:
        ValueError: no format has the suffix.
        TypeError: no format has such a keyword.
        OSError: the file cannot be opened.
    """

    message_writers: ClassVar[SuffixTable] = MESSAGE_WRITERS

    def __new__(cls, filename: Path | None, *args: Any, **kwargs: Any) -> Logger:
        """Return the writer: a ``Logger`` for type checkers, but in fact another ``MessageWriter``."""
        suffix = ".txt" if filename is None else _suffix_of(os.fspath(filename))
        kind = MESSAGE_WRITERS[suffix]
        left_out = leave_out(kind, kwargs, _COMMON) if MESSAGE_WRITERS.is_ours(suffix) else []
        writer = kind(filename, *args, **kwargs)
        for name in left_out:
            writer.note(f"{name} has no effect on {suffix} files")
        return cast("Logger", writer)

    @staticmethod
    def compress(filename: Path, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        """Open ``filename``, which ends in ``.gz``, as a compressing stream: a text stream for a text format.

        Return the suffix before ``.gz``, and the stream. ``append=True`` adds to the file.

        Raises:
            ValueError: the format cannot be compressed while it is written.
        """
        import gzip

        path = os.fspath(filename)
        suffix = _suffix_of(path)
        if suffix == ".db":
            raise UsageError(
                f"The file type {suffix} is incompatible with gzip: SQLite writes anywhere in its file",
                hint="Logger compresses it at the end",
            )
        form = plugins.FORMATS.get(plugins.format_of_suffix(path)[0] or "")
        mode = "a" if kwargs.get("append") else "w"
        if form is not None and form.is_binary:
            return suffix, gzip.open(path, f"{mode}b")
        return suffix, gzip.open(path, f"{mode}t", encoding="utf-8", newline="")


def _suffix_of(path: str) -> str:
    """Return the suffix of ``path`` that has a writer."""
    suffix = MESSAGE_WRITERS.suffix_of(path)
    if suffix is None:
        stem, compressed = plugins.peeled(path.lower())
        other = os.path.splitext(stem)[1] or compressed
        known = " ".join(form.suffixes[0] for form in plugins.writable().values())
        raise UsageError(f'No write support for unknown log format "{other}"', hint=f"suffixes: {known}")
    return suffix


class BaseRotatingLogger(MessageWriter):
    """Logs to a sequence of files; a subclass decides when to start the next file, and names the files.

    The constructor of a subclass sets ``_writer``.

    Attributes:
        namer: changes the name of a finished file, see ``rotation_filename``.
        rotator: moves a finished file, instead of a rename, see ``rotate``.
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
        """The writer of the current file."""
        return self._writer

    def rotation_filename(self, default_name: Path) -> Path:
        """Return the result of ``namer`` for ``default_name``, or the same name without a ``namer``."""
        return default_name if self.namer is None else self.namer(default_name)

    def rotate(self, source: Path, dest: Path) -> None:
        """Move the file ``source`` to ``dest`` with ``rotator``, or rename it without a ``rotator``."""
        if self.rotator is not None:
            self.rotator(source, dest)
        elif os.path.exists(source):
            os.rename(source, dest)

    def on_message_received(self, msg: Message) -> None:
        """Start the next file if it is due, and write one message."""
        if self.should_rollover(msg):
            self.do_rollover()
        self.writer.on_message_received(msg)

    def write(self, batch: MessageBatch) -> None:
        for message in batch:
            self.on_message_received(message)

    @abstractmethod
    def should_rollover(self, msg: Message) -> bool:
        """Return whether to start the next file before ``msg``."""

    @abstractmethod
    def do_rollover(self) -> None:
        """Finish the current file, move it, and start the next one."""

    def flush(self) -> None:
        self.writer.flush()

    def stop(self) -> None:
        """Finish the current file, which keeps its name."""
        self.writer.stop()

    def _get_new_writer(self, filename: Path) -> Any:
        """Open the next file, with one count of losses for all files."""
        writer = Logger(filename, *self.writer_args, **self.writer_kwargs)
        writer.losses = self.losses
        return writer


class RotatingLogger(BaseRotatingLogger):
    """Logs to a sequence of files, limited by size (``max_bytes``) and duration (``max_seconds``).

    The current file is named ``base_filename``. When it reaches a limit it is finished and renamed to
    ``NAME_YYYY-MM-DDTHHMMSS_#NNN.SUFFIX``, with the local time and ``rollover_count``, or a higher number if
    such a file exists. The size is checked before each message, so a file may exceed it by one message. The
    duration is that of the timestamps: a message ``max_seconds`` or more away from the first message of the
    file starts the next file. 0 means no limit.

    ``max_files`` is the number of files to keep, including the current one: older files are removed, starting
    with files of earlier runs that have such names. With a ``namer`` or a ``rotator``, only files of this
    logger are removed. ``opener`` opens each file instead of ``Logger``. ``moment`` returns the time for a
    file name instead of the clock; its argument is the timestamp of the last message, in nanoseconds since
    the epoch. All other arguments are passed to the writer.

    Raises:
        ValueError: no format has the suffix, or the size is limited and its writer does not know it.
        OSError: a file cannot be opened.
    """

    def __init__(
        self,
        base_filename: Path,
        *args: Any,
        max_bytes: int = 0,
        max_seconds: float = 0.0,
        max_files: int = 0,
        opener: Callable[[str], Any] | None = None,
        moment: Callable[[int], time.struct_time] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.base_filename = os.fspath(base_filename)
        self.max_bytes = max_bytes
        self.max_seconds = max_seconds
        self.max_files = max_files
        self._opener = opener
        self._moment = moment
        self._finished: list[str] = []
        self._left = 0  # bytes that were left when the size was last checked
        self._gathered_since = 0  # messages since then
        self._is_empty = True  # the current file has no frame: a header alone does not fill it
        self._first_ns: int | None = None  # of the current file
        if opener is None and max_bytes > 0:
            _check_has_size(self.base_filename)
        self._writer = self._get_new_writer(self.base_filename)

    def should_rollover(self, msg: Message) -> bool:
        if self.max_bytes > 0 and self._room() == 0:
            return True
        return msg.timestamp is not None and self._is_late(msg.timestamp_ns)

    def on_message_received(self, msg: Message) -> None:
        super().on_message_received(msg)
        self._gathered_since += 1
        self._is_empty = False
        if msg.timestamp is not None:
            self._last_ns = msg.timestamp_ns
            if self._first_ns is None:
                self._first_ns = self._last_ns

    def on_batch_received(self, batch: MessageBatch) -> None:
        self.write(batch)

    def write(self, batch: MessageBatch) -> None:
        """Write all frames of ``batch``, in parts that fit into the current file."""
        if type(self).should_rollover is not RotatingLogger.should_rollover:
            super().write(batch)  # a subclass checks each message
            return
        stamps, first, rows = batch.timestamp_ns, 0, len(batch)
        while first < rows:
            room = self._room() if self.max_bytes > 0 else rows
            if room == 0 or self._is_late(stamps[first]):
                self.do_rollover()
                room = self._room() if self.max_bytes > 0 else rows
            if self._first_ns is None:
                self._first_ns = stamps[first]
            last = min(rows, first + room)
            last = self._late_row(stamps[first:last]) + first
            self._left = 0
            self.writer.write(batch if last - first == rows else batch.part(first, last))
            self._last_ns = stamps[last - 1]
            self._is_empty = False
            first = last

    def do_rollover(self) -> None:
        self.writer.stop()
        name = self._free_name()
        self.rotate(self.base_filename, name)
        self._finished.append(os.fspath(name))
        self.rollover_count += 1
        self._left = self._gathered_since = 0
        self._is_empty = True
        self._first_ns = None
        self._remove_old()
        self._writer = self._get_new_writer(self.base_filename)

    def _get_new_writer(self, filename: Path) -> Any:
        if self._opener is None:
            return super()._get_new_writer(filename)
        writer = self._opener(os.fspath(filename))
        writer.losses = self.losses
        return writer

    def _room(self) -> int:
        """Return the number of messages that certainly fit: at least 1 below the limit, 0 above it."""
        left = self._left - self._gathered_since * _MAX_FRAME
        if left < _MAX_FRAME:  # ask for the exact size, for which the writer writes gathered messages
            left = self._left = self.max_bytes - self.writer.file_size()
            self._gathered_since = 0
        return max(1, left // _MAX_FRAME) if left > 0 or self._is_empty else 0

    def _is_late(self, stamp: int) -> bool:
        """Return whether ``stamp`` is too far from the first of the file, either way: clocks jump."""
        if self._first_ns is None or self.max_seconds <= 0:
            return False
        return abs(stamp - self._first_ns) >= self.max_seconds * 1_000_000_000

    def _late_row(self, stamps: array[int]) -> int:
        """Return the first row whose message belongs to the next file, or the number of rows."""
        if self.max_seconds <= 0 or not (self._is_late(min(stamps)) or self._is_late(max(stamps))):
            return len(stamps)
        return next(row for row, stamp in enumerate(stamps) if self._is_late(stamp))

    def _free_name(self) -> Path:
        """Return the next unused name; a name from a namer that ignores the number is kept."""
        previous: Path | None = None
        moment = time.localtime() if self._moment is None else self._moment(self._last_ns)
        while True:
            stem, suffix = plugins.split_suffix(self.base_filename)
            stamp = time.strftime("%Y-%m-%dT%H%M%S", moment)
            name = self.rotation_filename(f"{stem}_{stamp}_#{self.rollover_count:03}{suffix}")
            if name == previous or not os.path.exists(name):
                return name
            previous = name
            self.rollover_count += 1

    def _remove_old(self) -> None:
        """Remove the oldest files beyond ``max_files``; a file that no longer exists is ignored."""
        if self.max_files <= 0:
            return
        known = self._earlier() + self._finished
        for name in known[: max(0, len(known) + 1 - self.max_files)]:
            with suppress(FileNotFoundError):
                os.remove(name)
            if name in self._finished:
                self._finished.remove(name)

    def _earlier(self) -> list[str]:
        """Return the files of earlier runs, the oldest first, recognised and sorted by their names."""
        if self.namer is not None or self.rotator is not None:
            return []
        stem, suffix = plugins.split_suffix(self.base_filename)
        folder, base = os.path.split(stem)
        pattern = re.compile(
            re.escape(base) + r"_([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6})_#([0-9]{3,})" + re.escape(suffix)
        )
        files = []
        for name in os.listdir(folder or "."):
            match = pattern.fullmatch(name)
            path = os.path.join(folder, name)
            if match and path not in self._finished:
                files.append((match[1], int(match[2]), path))
        return [path for _, _, path in sorted(files)]


class SizedRotatingLogger(RotatingLogger):
    """Logs to a sequence of files of about ``max_bytes`` each; 0 means no limit."""

    def __init__(self, base_filename: Path, max_bytes: int = 0, *args: Any, **kwargs: Any) -> None:
        _check_has_size(os.fspath(base_filename))
        super().__init__(base_filename, *args, max_bytes=max_bytes, **kwargs)


class TimedRotatingLogger(RotatingLogger):
    """Logs to a sequence of files of ``max_seconds`` each; 0 means no limit."""

    def __init__(self, base_filename: Path, max_seconds: float = 0.0, *args: Any, **kwargs: Any) -> None:
        super().__init__(base_filename, *args, max_seconds=max_seconds, **kwargs)


def _check_has_size(path: str) -> None:
    """Raise ValueError for a format whose writer does not know the size of its file."""
    suffix = _suffix_of(path)
    if not hasattr(MESSAGE_WRITERS[suffix], "file_size"):
        known = ", ".join(form.suffixes[0] for form in plugins.writable().values())
        raise UsageError(
            f'The log format "{suffix}" is not supported by SizedRotatingLogger', hint=f"suffixes: {known}"
        )
