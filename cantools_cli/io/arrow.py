"""Apache Arrow: the columns of frames, for pipes and files.

::

    stream (.arrows, pipes)    schema | record batch | record batch | ... | end
    file   (.arrow)            ARROW1 and 2 zeros | stream | footer: where each record batch is | ARROW1

A message is ffffffff, the size of its description, the description, and its columns, each at a multiple of 8
bytes. The columns are those of ``arrow_interface``.

A file is read as the stream in it, so that a pipe can have it, and so that one without a footer, as a killed
writer leaves it, is as good as any.

Loses: characters of a channel's name that are not Unicode, which are escaped.

Source: Apache Arrow, "Arrow Columnar Format", Serialization and Interprocess Communication.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any, Literal

from cantools_cli.batch import MessageBatch
from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.io.arrow_table import Pieces, TableReader, load_pyarrow
from cantools_cli.io.base import BATCH_ROWS, FileIOMessageWriter
from cantools_cli.io.files import CHUNK, AnyFile, InputStream
from cantools_cli.kernels import columns
from cantools_cli.message import Channel

FILE_MAGIC = b"ARROW1\0\0"
_FILE_END = b"ARROW1"
_CONTINUATION = b"\xff\xff\xff\xff"
#: bytes of a record batch that are read at most: it has to be in memory as a whole
MOST_BYTES = 1 << 29
_PIECE = 1 << 24  #: bytes that the input is asked for at a time
_COMPRESSIONS = ("none", "lz4", "zstd")


class ArrowReader(TableReader):
    """Reads Arrow streams and files, also of other programs, and while they are written."""

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        if head.startswith(FILE_MAGIC):
            return True
        size = int.from_bytes(head[4:8], "little")
        return head.startswith(_CONTINUATION) and 0 < size < 1 << 24 and size % 8 == 0

    def batches(self) -> Iterator[MessageBatch]:
        source = _Source(self.input)
        head = source.read(8)
        if head:
            yield from self._messages(source, head)
        for note in self.input.notes:
            self.note(f"{self.input.name}: {note}")

    def _messages(self, source: _Source, head: bytes) -> Iterator[MessageBatch]:
        is_file = head == FILE_MAGIC
        if not is_file:
            source.unread(head)
        stream = self._open(source)
        while stream is not None:
            begin, table = source.position, None
            try:
                table = stream.read_next_batch()
                table.validate(full=True)
            except StopIteration:
                if is_file and not source.rest().endswith(_FILE_END):
                    self._say("ends inside the file, without its footer: it was not closed")
                return
            except (self._arrow.ArrowException, OSError, MemoryError, ValueError) as error:
                if source.at_end and table is None:
                    self._say("ends inside a record batch, which was dropped")
                    return
                self.fault(_fault(error, begin))
                if source.position == begin:  # pyarrow has given up
                    return
                continue
            yield from self._frames(table)

    def _open(self, source: _Source) -> Any:
        """Return what reads the record batches, None where the file ends before them.

        Raises:
            FormatError: they have no columns that can be read.
        """
        try:
            stream = self._arrow.ipc.open_stream(source)
        except (self._arrow.ArrowException, OSError, MemoryError, ValueError) as error:
            if source.at_end:
                self._say("ends inside the schema")
                return None
            fault = _fault(error, 0)
            fault.source = self.input.name
            raise fault from None
        self._use(stream.schema)
        return stream

    def _say(self, text: str) -> None:
        self.note(f"{self.input.name}: {text}")


class _Source:
    """The input as pyarrow reads it: so many bytes, fewer only at the end.

    Attributes:
        position: bytes taken so far.
        at_end: whether there were fewer.
    """

    closed = False

    def __init__(self, stream: InputStream) -> None:
        self.position = 0
        self.at_end = False
        self._stream = stream
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes; memory grows with what is there, not with what is asked for."""
        if size > MOST_BYTES:
            raise ValueError(f"a record batch of {size} bytes, more than {MOST_BYTES}")
        pieces, have = [], 0
        while have < size:
            # a file makes room for all that it is asked for
            piece = self._rest or self._stream.read(min(max(CHUNK, size - have), _PIECE) if have else CHUNK)
            if not piece:
                self.at_end = True
                break
            self._rest = piece[size - have :]
            pieces.append(piece[: size - have])
            have += len(pieces[-1])
        self.position += have
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def unread(self, data: bytes) -> None:
        """Put back what was read last."""
        self._rest = data + self._rest
        self.position -= len(data)

    def rest(self) -> bytes:
        """Read on to the end; return the last bytes."""
        last = self._rest[-8:]
        self._rest = b""
        while piece := self._stream.read():
            last = (last + piece[-8:])[-8:]
        return last

    def tell(self) -> int:
        return self.position

    def close(self) -> None:
        """Do nothing: the input belongs to the reader."""


def _fault(error: Exception, position: int) -> FormatError:
    reason = " ".join(str(error).split()) or "it claims more than there is memory"
    return FormatError(f"not what Arrow writes: {reason}", position=position, unit="byte")


class ArrowWriter(FileIOMessageWriter):
    """Writes an Arrow stream, or where the name ends in ``.arrow`` a file; ``layout`` says which.

    Frames gather until there are enough for a record batch; ``flush`` writes those that there are.
    ``compression`` is ``none``, ``lz4`` or ``zstd``. A log cannot be continued.
    """

    def __init__(
        self,
        file: AnyFile,
        append: bool = False,
        *args: Any,
        layout: Literal["stream", "file"] | None = None,
        compression: str = "none",
        **kwargs: Any,
    ) -> None:
        arrow = load_pyarrow()
        if layout not in (None, "stream", "file"):
            raise UsageError(f"unknown layout {quoted(layout)}", hint="known: stream, file")
        if compression not in _COMPRESSIONS:
            raise UsageError(
                f"unknown compression {quoted(compression)}", hint=f"known: {', '.join(_COMPRESSIONS)}"
            )
        if append:
            raise UsageError(
                "an Arrow log cannot be continued", hint="write another file, and join them later"
            )
        super().__init__(file, "wb", *args, **kwargs)
        if layout is None:
            layout = "file" if self.output.name.lower().endswith(".arrow") else "stream"
        self._arrow = arrow
        self._held = MessageBatch()  # too few for a record batch of their own
        self._channels: tuple[Channel, ...] = ()
        self._pieces = Pieces()
        # a file may add to a dictionary but not replace it; streams with additions are not read by all
        options = arrow.ipc.IpcWriteOptions(
            compression=None if compression == "none" else compression,
            emit_dictionary_deltas=layout == "file",
        )
        make = arrow.ipc.new_file if layout == "file" else arrow.ipc.new_stream
        self._stream = make(self._pieces, arrow.schema(MessageBatch()), options=options)

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        lost = unwritable_names(batch)
        if lost:
            self.losses["characters of channel names"] += lost
        if len(batch) >= BATCH_ROWS // 2:
            self._write_held()
            self._put(batch)
        elif len(batch):
            self._held.extend(batch)
            if len(self._held) >= BATCH_ROWS:
                self._write_held()

    def file_size(self) -> int:
        """Return an estimate of the file's size in bytes: what is written, and what waits."""
        return self.output.written + 20 * len(self._held) + len(self._held.payload)

    def flush(self) -> None:
        self._write_gathered()
        self._write_held()
        self.output.flush()

    def _write_held(self) -> None:
        held, self._held = self._held, MessageBatch()
        if len(held):
            self._put(held)

    def _put(self, batch: MessageBatch) -> None:
        """Write ``batch`` as one record batch, its channels by the dictionary of all so far."""
        for channel in batch.channels:
            if channel not in self._channels:
                self._channels += (channel,)
        if batch.channels != self._channels:
            batch = with_dictionary(batch, self._channels)
        self._stream.write_batch(self._arrow.record_batch(batch))
        self.output.write(self._pieces.take())

    def _finish(self) -> None:
        self._write_held()
        self._stream.close()
        self.output.write(self._pieces.take())


def with_dictionary(batch: MessageBatch, channels: tuple[Channel, ...]) -> MessageBatch:
    """Return the same frames, sharing all but ``channel``, with more ``channels``."""
    view = MessageBatch(channels=channels)
    view.timestamp_ns, view.can_id, view.flags, _, view.dlc_code, view.offset, view.payload = batch.columns()
    view.channel = batch.channel[:]
    table = array("H", [channels.index(channel) for channel in batch.channels])
    columns.translate(view.channel, 0, table)
    view.xl = batch.xl
    return view


def unwritable_names(batch: MessageBatch) -> int:
    """Return how many frames are on channels whose names UTF-8 has no bytes for."""
    count = 0
    for index, channel in enumerate(batch.channels):
        if isinstance(channel, str) and any("\ud800" <= character <= "\udfff" for character in channel):
            count += columns.count_entries(batch.channel, index)
    return count
