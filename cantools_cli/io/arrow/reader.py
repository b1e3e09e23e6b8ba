"""The reader of Arrow streams and files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.arrow.table import TableReader
from cantools_cli.io.files import CHUNK, InputStream

FILE_MAGIC = b"ARROW1\0\0"
_FILE_END = b"ARROW1"
_CONTINUATION = b"\xff\xff\xff\xff"
MAX_BYTES = 1 << 29  #: bytes of a record batch, which has to be in memory as a whole
_PIECE = 1 << 24  #: bytes of one read


class ArrowReader(TableReader):
    """Reads Arrow streams and files of any program, also while they are being written."""

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
        self.note_input()

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
                    self.note_file("has no footer, so it was not closed")
                return
            except (self._arrow.ArrowException, OSError, MemoryError, ValueError) as error:
                if source.at_end and table is None:
                    self.note_file("ends inside a record batch, which was dropped")
                    return
                self.fault(_fault(error, begin))
                if source.position == begin:  # pyarrow cannot continue
                    return
                continue
            yield from self._frames(table)

    def _open(self, source: _Source) -> Any:
        """Return pyarrow's reader of record batches, None if the file ends inside the schema."""
        try:
            stream = self._arrow.ipc.open_stream(source)
        except (self._arrow.ArrowException, OSError, MemoryError, ValueError) as error:
            if source.at_end:
                self.note_file("ends inside the schema")
                return None
            fault = _fault(error, 0)
            fault.source = self.input.name
            raise fault from None
        self._use(stream.schema)
        return stream


class _Source:
    """The input as a file for pyarrow, which returns less than it is asked for only at the end."""

    closed = False

    def __init__(self, stream: InputStream) -> None:
        self.position = 0  #: bytes read so far
        self.at_end = False  #: whether a read reached the end
        self._stream = stream
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes; memory grows with the data, not with ``size``."""
        if size > MAX_BYTES:
            raise ValueError(f"a record batch of {size} bytes, more than {MAX_BYTES}")
        pieces, have = [], 0
        while have < size:
            # bounded, since a file allocates all that it is asked for
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
        """Put back ``data``, the last bytes that were read."""
        self._rest = data + self._rest
        self.position -= len(data)

    def rest(self) -> bytes:
        """Read to the end; return the last 8 bytes."""
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
    reason = " ".join(str(error).split()) or "not enough memory for its stated size"
    return FormatError(f"invalid Arrow data: {reason}", byte=position)
