"""What the fault matrix is made of: frames, files with marks at each flush, disks that fill up, bounds.

::

    mark   (size of the file, frames in it) after a flush: what must be readable if the rest is lost
"""

from __future__ import annotations

import errno
import io
import os
import random
import resource
import signal
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cantools_cli import plugins
from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.compression import compression_of
from cantools_cli.io.files import OutputStream
from cantools_cli.io.formats import open_reader, open_writer

#: all formats that can be written, each as the suffix of a file, and compressed where that may be
SUFFIXES = tuple(form.suffixes[0].lstrip(".") for form in plugins.writable().values()) + tuple(
    f"{form.suffixes[0]}{compression}".lstrip(".")
    for compression in (".gz", ".zst")
    for form in plugins.writable().values()
    if form.is_compressible and (compression == ".gz" or form.name in ("log", "pcap"))
)
COUNT = 200
STEP = 10  # frames between two flushes
#: bytes of address space that reading a damaged file may need beside what a whole one needed
_ROOM = 256 << 20
_LONGEST = 20  # seconds

Frame = tuple[int, int, bytes]
"""(nanoseconds since the epoch, identifier with the bits of SocketCAN, data)"""
Mark = tuple[int, int]


def frames(count: int = COUNT) -> list[Message]:
    """Return different classic frames, 1 ms and 1 us apart, every other of them extended."""
    draw = random.Random(1)
    found = []
    for number in range(count):
        is_extended = number % 2 == 1
        message = Message(
            arbitration_id=(number * 65537 if is_extended else number)
            & (0x1FFFFFFF if is_extended else 0x7FF),
            is_extended_id=is_extended,
            channel="can0",
            data=draw.randbytes(8),
        )
        message.timestamp_ns = 1_700_000_000_000_000_000 + number * 1_001_000
        found.append(message)
    return found


def log_line(message: Message) -> bytes:
    """Return ``message`` as candump writes it."""
    seconds, rest = divmod(message.timestamp_ns, 1_000_000_000)
    number = f"{message.arbitration_id:08X}" if message.is_extended_id else f"{message.arbitration_id:03X}"
    return f"({seconds}.{rest // 1000:06}) can0 {number}#{message.data.hex().upper()}\n".encode()


def identities(found: list[Frame] | list[Message]) -> list[tuple[int, bytes]]:
    """Return what every format carries exactly: (identifier with the EFF bit, data)."""
    return [
        frame[1:]
        if isinstance(frame, tuple)
        else (frame.arbitration_id | frame.is_extended_id << 31, bytes(frame.data))
        for frame in found
    ]


@dataclass
class Result:
    """What reading a file gave: its frames, what was said, and the error that ended it."""

    frames: list[Frame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: FormatError | None = None
    skipped: int = 0

    @property
    def is_said(self) -> bool:
        return bool(self.notes or self.error or self.skipped)


def read(path: Path, on_error: str = "stop") -> Result:
    """Read ``path`` as the commands do; any error but ``FormatError`` passes."""
    result = Result()
    try:
        with open_reader(str(path), as_command=True, tz="UTC", on_error=on_error) as reader:
            try:
                for batch in reader.batches():
                    result.frames += _rows(batch)
            finally:
                result.notes, result.skipped = reader.notes, reader.skipped
    except FormatError as error:
        result.error = error
    return result


def _rows(batch: MessageBatch) -> Iterator[Frame]:
    ends = batch.offset
    for row in range(len(batch)):
        yield (
            batch.timestamp_ns[row],
            batch.can_id[row],
            bytes(batch.payload[ends[row] : ends[row + 1]]),
        )


def writer_of(path: Path, file: Any = None) -> Any:
    """Return the writer that commands use for ``path``, writing to ``file`` where one is given."""
    name, _ = plugins.format_of_suffix(str(path))
    form = plugins.FORMATS[name or ""]
    options = dict(form.writing)
    if "tz" in form.writer_options:
        options["tz"] = "UTC"
    if file is None:
        return open_writer(str(path), form.name, options)
    stream = OutputStream(file, compression=compression_of(path.name), owned=True)
    stream.name = str(path)
    return open_writer(stream, form.name, options)


def batches(messages: list[Message], step: int = STEP) -> Iterator[MessageBatch]:
    for first in range(0, len(messages), step):
        batch = MessageBatch()
        for message in messages[first : first + step]:
            batch.append(message)
        yield batch


@dataclass
class Whole:
    """A file without any fault, flushed every ``STEP`` frames.

    Attributes:
        marks: None where sizes say nothing, since SQLite keeps what is new in another file.
    """

    data: bytes
    frames: list[Frame]
    marks: list[Mark]

    def kept_before(self, position: int) -> int:
        """Return how many frames were flushed before the byte at ``position`` was written."""
        at = bisect_right(self.marks, (position, COUNT))
        return self.marks[at - 1][1] if at else 0

    def first_behind(self, position: int) -> int:
        """Return the first frame of what was written after the flush behind ``position``."""
        return next((count for size, count in self.marks if size > position), COUNT)


def whole_file(path: Path) -> Whole:
    """Write ``path``, and say what it holds."""
    marks = []
    messages = frames()
    with writer_of(path) as writer:
        for number, batch in enumerate(batches(messages), 1):
            writer.write(batch)
            writer.flush()
            marks.append((path.stat().st_size, number * STEP))
    result = read(path)
    assert (result.error, result.skipped) == (None, 0)
    assert identities(result.frames) == identities(messages)
    return Whole(path.read_bytes(), result.frames, [] if path.suffix == ".db" else marks)


class Disk(io.FileIO):
    """A file on a disk with ``room`` bytes, which shows its content before, within and after each write.

    Attributes:
        states: what a kill could have left so far, each with the frames that were flushed by then.
        flushed: frames that are safe; to be set after each flush.
    """

    def __init__(self, path: Path, room: int | None = None, *, keep: bool = False) -> None:
        super().__init__(path, "w+b")
        self.states: list[tuple[bytes, int]] = []
        self.flushed = 0
        self._path = path
        self._room = room
        self._keep = keep

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        if self._room is not None:
            view = view[: max(0, self._room - self.tell())]
            if not view and len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        elif self._keep and len(view) > 1:
            super().write(view[: len(view) // 2])
            self._show()
            return len(view) // 2 + (super().write(view[len(view) // 2 :]) or 0)
        count = super().write(view) or 0
        if self._keep:
            self._show()
        return count

    def truncate(self, size: int | None = None, /) -> int:
        done = super().truncate(size)
        if self._keep:
            self._show()
        return done

    def _show(self) -> None:
        self.states.append((self._path.read_bytes(), self.flushed))


@contextmanager
def bounded() -> Iterator[None]:
    """Let the body take no more than some memory, nor longer than some seconds."""

    def too_long(signum: int, frame: Any) -> None:
        raise TimeoutError("reading does not end")

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(_LONGEST)
    resource.setrlimit(resource.RLIMIT_AS, (used + _ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
