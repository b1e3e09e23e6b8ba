"""The base classes of all readers and writers of log formats.

A reader yields batches in file order; a writer accepts batches and single messages. Both are context
managers, hold one chunk at a time, and never print: they record ``notes`` and ``losses``, and call
``on_note`` with each note at once.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from itertools import accumulate
from operator import ne
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from cantools_cli.bus.listeners import Listener
from cantools_cli.errors import FormatError, NotALogError, UsageError, printable, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message, as_message
from cantools_cli.io.channels import count_named
from cantools_cli.io.files import AnyFile, InputStream, OutputStream, as_input, display_name, is_path
from cantools_cli.io.text_streams import stays_open
from cantools_cli.kernels import columns

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["BaseIOHandler", "FileIOMessageWriter", "MessageReader", "MessageWriter"]

OnError = Literal["stop", "skip"]

#: rows and bytes of payload of a batch that a reader fills, chosen for the processor's cache
BATCH_ROWS = 8192
BATCH_PAYLOAD = 1 << 17
GATHERED = 512  #: messages that a writer gathers to one batch
BACKWARDS = "times that go backwards"  #: the loss of a writer that raises times which go backwards
#: details that a format may lack: the number of frames of a batch that have them
_DETAILS: dict[str, Callable[[MessageBatch], int]] = {
    "raw DLC codes": lambda batch: columns.count_raw_dlc(batch.dlc_code, batch.flags),
    "CAN FD marks": lambda batch: columns.count_bits(batch.flags, bits.FD),
    "directions": lambda batch: columns.count_bits(batch.flags, bits.TX),
    "channels": count_named,
}


class BaseIOHandler:
    """A reader or writer of a file; a context manager that calls ``stop()`` at the end.

    A path is opened in ``mode``, as text in UTF-8 by default. ``stop()`` closes the file, even one that the
    caller opened, except for the standard streams and streams in memory.

    Attributes:
        file: the open stream, or None.
        notes: the notes so far, one line each.
    """

    file: Any

    def __init__(
        self,
        file: AnyFile | None = None,
        mode: str = "rt",
        *args: Any,
        encoding: str | None = None,
        on_note: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> None:
        self.file = _opened(file, mode, encoding) if is_path(file) else file
        self.notes: list[str] = []
        self.on_note = on_note
        super().__init__()

    def note(self, text: str) -> None:
        """Record ``text`` for the user, once; it is made printable, since it may quote a file."""
        text = printable(text)
        if text not in self.notes:
            self.notes.append(text)
            if self.on_note is not None:
                self.on_note(text)

    def stop(self) -> None:
        """Finish, and close the file."""
        if self.file is not None and not stays_open(self.file):
            self.file.close()

    def close(self) -> None:
        self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def check_known(option: str, value: str, known: Iterable[str]) -> None:
    """Raise UsageError unless ``value`` is one of the ``known`` values of ``option``."""
    if value not in known:
        raise UsageError(f"unknown {option} {quoted(value)}", hint=f"known: {', '.join(known)}")


def _implements(handler: object, name: str, *, of: type) -> bool:
    """Return whether the class of ``handler`` has a method ``name`` other than that of ``of``."""
    return getattr(type(handler), name) is not getattr(of, name)


def _refuse_unknown(handler: object, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """Raise TypeError if any arguments are left, as for a function call with too many."""
    kind = type(handler).__name__
    for keyword in keywords:
        raise TypeError(f"{kind}() got an unexpected keyword argument '{keyword}'")
    if arguments:
        raise TypeError(f"{kind}() got {len(arguments)} positional arguments too many")


def _opened(path: AnyFile, mode: str, encoding: str | None) -> Any:
    """Open ``path``; text is UTF-8 by default."""
    return open(path, mode, encoding=encoding or (None if "b" in mode else "utf-8"))


class MessageReader(BaseIOHandler):
    """Reads a log from a path or a stream.

    A subclass implements ``batches``, which reads bytes from ``input``. python-can's documented way works as
    well: ``__iter__`` alone, which yields messages from ``file``; a path is opened in ``mode``. ``encoding``
        is that of a text file given by its path, UTF-8 by default.

    ``on_error`` selects the reaction to a malformed record: ``stop`` raises ``FormatError`` after the frames
    before the record were yielded; ``skip`` counts the record and continues.

    Channels are as python-can documents them: numbers if the format numbers its channels, None if it has
    none. With ``named_channels`` both are named ``can0``, ``can1`` and so on, as the commands need them.

    Attributes:
        skipped: the number of malformed records that were skipped.
        first_fault: the error of the first skipped record.
        reads_in_thread: whether ``batches`` is faster in a thread of its own.
        is_text: whether the format is text, so that ``file`` is a text stream.
    """

    reads_in_thread = False
    is_text = False
    input: InputStream

    def __init__(
        self,
        file: AnyFile,
        mode: str = "rt",
        *args: Any,
        on_error: OnError = "stop",
        tz: str | None = None,
        named_channels: bool = False,
        encoding: str | None = None,
        on_note: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> None:
        if tz is not None:
            from cantools_cli.clock import zone

            zone(tz)  # raises UsageError for an unknown zone, before any line is read
        if _implements(self, "batches", of=MessageReader):
            _refuse_unknown(self, args, kwargs)
            super().__init__(None, on_note=on_note)
            self.input = self._input(file, encoding)
            self.file = self.input.text() if self.is_text else self.input.file
        elif _implements(self, "__iter__", of=MessageReader):
            super().__init__(file, mode, *args, encoding=encoding, on_note=on_note, **kwargs)
        else:
            raise TypeError(f"{type(self).__name__} implements neither __iter__ nor batches")
        self.named_channels = named_channels
        self.on_error = on_error
        self.tz = tz
        self.skipped = 0
        self.first_fault: FormatError | None = None

    def _input(self, file: AnyFile, encoding: str | None) -> InputStream:
        if encoding is not None and is_path(file):
            if not self.is_text:
                raise TypeError(f"{type(self).__name__}() has no encoding: its format is binary")
            file = _opened(file, "rt", encoding)
        return as_input(file)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Return whether a file is of this format, from its first bytes without compression."""
        return False

    def batches(self) -> Iterator[MessageBatch]:
        """Yield the frames in file order, in batches of bounded size."""
        return gathered(self)

    @property
    def consumed(self) -> int:
        """Bytes of the file read so far, before decompression; the total is ``input.size``."""
        return self.input.consumed

    def __iter__(self) -> Iterator[Message]:
        for batch in self.batches():
            yield from batch

    def stop(self) -> None:
        if _implements(self, "batches", of=MessageReader):
            self.input.close()
        else:
            super().stop()

    def _as_documented(self, batches: Iterable[MessageBatch]) -> Iterator[MessageBatch]:
        """Yield ``batches``, in place of named channels with the documented ones unless names are wanted."""
        for batch in batches:
            if not self.named_channels:
                batch.with_channels(self._documented_channel)
            yield batch

    def _documented_channel(self, channel: Channel) -> Channel:
        """Return the channel of python-can's documentation for the named ``channel``."""
        return channel

    def fault(self, error: FormatError) -> None:
        """Raise ``error``, or count it if faults are skipped."""
        error.source = display_name(self.file) if not hasattr(self, "input") else self.input.name
        if isinstance(error, NotALogError):
            raise error
        if self.on_error == "stop":
            error.hint = error.hint or "--on-error skip continues after it"
            raise error
        self.skipped += 1
        if self.first_fault is None:
            self.first_fault = error

    def note_file(self, text: str) -> None:
        """Keep ``text`` about the file, once; the note begins with the file's name."""
        self.note(f"{self.input.name}: {text}")

    def note_input(self) -> None:
        """Keep the notes of ``input``, which are complete at the end of the file."""
        for text in self.input.notes:
            self.note_file(text)

    def refuse(self) -> NoReturn:
        """Raise NotALogError, since all records of the file were skipped."""
        count = f"{self.skipped} malformed record{'s' if self.skipped > 1 else ''}"
        raise NotALogError(
            f"not a log that canx recognises: {count} and no frame; the first error: {self.first_fault}",
            source=self.input.name,
            hint="--from names the format",
        )


def gathered(messages: Iterable[Message]) -> Iterator[MessageBatch]:
    """Yield ``messages`` in batches."""
    batch = MessageBatch()
    for message in messages:
        batch.append(message)
        if len(batch) >= GATHERED:
            yield batch
            batch = MessageBatch()
    if len(batch):
        yield batch


class MessageWriter(BaseIOHandler, Listener):
    """Writes frames, as batches or one at a time.

    A subclass implements ``write``. python-can's documented way works as well: ``on_message_received`` alone,
    which writes to ``file``; a path is opened in ``mode``.

    Attributes:
        losses: the number of frames with a loss, by the kind of information that the format cannot hold.
        is_monotonic: whether a message earlier than the previous one gets the time of that one, as python-can
            documents it; the frames of ``write`` always keep their times.
    """

    is_monotonic = False

    def __init__(
        self,
        file: AnyFile | None,
        mode: str = "wt",
        *args: Any,
        on_note: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> None:
        if _implements(self, "write", of=MessageWriter):
            _refuse_unknown(self, args, kwargs)
            super().__init__(None, on_note=on_note)
            self.file = file
        elif _implements(self, "on_message_received", of=MessageWriter):
            super().__init__(file, mode, *args, on_note=on_note, **kwargs)
        else:
            raise TypeError(f"{type(self).__name__} implements neither on_message_received nor write")
        self.losses: Counter[str] = Counter()
        self._gathered = MessageBatch()
        self._received_ns: int | None = None  # the time of the last message

    def write(self, batch: MessageBatch) -> None:
        """Append all frames of ``batch``.

        Raises:
            OSError: writing to the file failed.
        """
        for message in batch:
            self.on_message_received(message)

    def on_message_received(self, msg: Message) -> None:
        """Write one message; it may stay in memory until ``flush`` or ``stop``.

        A message without a timestamp gets that of the previous message, or 0.
        """
        if not isinstance(msg, Message):
            msg = as_message(msg)
        last = self._received_ns
        if msg.timestamp is None or (self.is_monotonic and last is not None and msg.timestamp_ns < last):
            if msg.timestamp is not None:
                self.losses[BACKWARDS] += 1
            msg = copy(msg)
            msg.timestamp_ns = last or 0
        self._gathered.append(msg)  # raises ValueError for a time beyond 64 bits
        self._received_ns = msg.timestamp_ns
        if len(self._gathered) >= GATHERED:
            self._write_gathered()

    def on_batch_received(self, batch: MessageBatch) -> None:
        if self.is_monotonic and len(batch):
            batch = self._forward(batch)
        self.write(batch)

    def _forward(self, batch: MessageBatch) -> MessageBatch:
        """Return ``batch`` with times that never go backwards, and count the changed ones."""
        first = batch.timestamp_ns[0] if self._received_ns is None else self._received_ns
        times = array("q", accumulate(batch.timestamp_ns, max, initial=first))[1:]
        self._received_ns = times[-1]
        if times == batch.timestamp_ns:
            return batch
        changed = sum(map(ne, times, batch.timestamp_ns))
        self.losses[BACKWARDS] += changed
        batch = copy(batch)  # the other columns are shared
        batch.timestamp_ns = times
        return batch

    def without_xl(self, batch: MessageBatch) -> MessageBatch:
        """Return ``batch`` without its CAN XL frames, which are counted as lost."""
        if batch.xl is None:
            return batch
        left = batch.without_xl()
        self.losses["CAN XL frames (left out)"] += len(batch) - len(left)
        return left

    def _count(self, kind: str, count: int) -> None:
        """Count ``count`` losses of ``kind``."""
        if count:
            self.losses[kind] += count

    def _count_details(self, batch: MessageBatch, *kinds: str) -> None:
        """Count the frames of ``batch`` that lose details of ``kinds``."""
        for kind in kinds:
            self._count(kind, _DETAILS[kind](batch))

    def _write_gathered(self) -> None:
        if len(self._gathered):
            batch, self._gathered = self._gathered, MessageBatch()
            self.write(batch)

    def flush(self) -> None:
        """Pass all frames to the operating system, so that they survive a crash of this process."""
        self._write_gathered()


class FileIOMessageWriter(MessageWriter):
    """A writer to a file.

    A subclass implements ``write``, which writes to ``output``, and ``_finish`` if the format ends a file in
    some way; or ``on_message_received`` alone, which writes to ``file``. A binary format has a ``mode`` with
    a ``b``. ``encoding`` is that of a text file given by its path, UTF-8 by default.
    """

    def __init__(
        self,
        file: AnyFile,
        mode: str = "wt",
        *args: Any,
        append: bool = False,
        encoding: str | None = None,
        **kwargs: Any,
    ) -> None:
        if file is None:
            raise ValueError("a writer needs a file")
        if _implements(self, "write", of=MessageWriter):
            super().__init__(None, mode, *args, **kwargs)
            if encoding is not None and is_path(file):
                if "b" in mode:
                    raise TypeError(f"{type(self).__name__}() has no encoding: its format is binary")
                file = _opened(file, "at" if append else "wt", encoding)
        else:
            super().__init__(file, mode, *args, encoding=encoding, **kwargs)
            file = self.file
        self.output = (
            file
            if isinstance(file, OutputStream)
            else OutputStream(
                file, append=append, owned=is_path(file) or not stays_open(file), is_binary="b" in mode
            )
        )
        self.file = self.output.file
        self._open = True

    def file_size(self) -> int:
        """Return an estimate of the file's size in bytes."""
        if not _implements(self, "write", of=MessageWriter):
            return int(self.file.tell())
        self._write_gathered()
        return self.output.written

    def flush(self) -> None:
        super().flush()
        self.output.flush()

    def stop(self) -> None:
        """Write the gathered messages and the end of the file, and close it; a second call does nothing."""
        if not self._open:
            return
        self._open = False
        try:
            self._write_gathered()
            self._finish()
        finally:
            self.output.close()

    def _finish(self) -> None:
        """Write the end of the file, after the last frame."""

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """Close the file if the body, the rest of a constructor, raises anything."""
        try:
            yield
        except BaseException:
            self.output.close()
            raise
