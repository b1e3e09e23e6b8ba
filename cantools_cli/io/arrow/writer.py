"""The writer of Arrow streams and files."""

from __future__ import annotations

from array import array
from typing import Any, Literal

from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.io.arrow.table import Pieces, TableWriter, load_pyarrow
from cantools_cli.io.base import BATCH_ROWS, check_known
from cantools_cli.io.files import AnyFile
from cantools_cli.kernels import columns


class ArrowWriter(TableWriter):
    """Writes an Arrow stream or file.

    ``layout`` is ``stream`` or ``file``, by default ``file`` if the name ends in ``.arrow``. Frames gather
    until there are enough for a record batch; ``flush`` writes them earlier. ``compression`` is ``none``,
    ``lz4`` or ``zstd``. An Arrow log cannot be continued.
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
        arrow = load_pyarrow()  # first, so that no file is created without it
        check_known("layout", layout or "stream", ("stream", "file"))
        check_known("compression", compression, ("none", "lz4", "zstd"))
        if append:
            raise UsageError(
                "an Arrow log cannot be continued", hint="write another file and join them later"
            )
        super().__init__(file, *args, **kwargs)
        if layout is None:
            layout = "file" if self.output.name.lower().endswith(".arrow") else "stream"
        self._channels: tuple[Channel, ...] = ()
        self._pieces = Pieces()
        # a file may extend a dictionary, but not replace it; not all readers support extensions in streams
        options = arrow.ipc.IpcWriteOptions(
            compression=None if compression == "none" else compression,
            emit_dictionary_deltas=layout == "file",
        )
        make = arrow.ipc.new_file if layout == "file" else arrow.ipc.new_stream
        self._stream = make(self._pieces, arrow.schema(MessageBatch()), options=options)

    def write(self, batch: MessageBatch) -> None:
        self._write_gathered()
        self._count_losses(batch)
        if len(batch) >= BATCH_ROWS // 2:
            self._write_held()
            self._put(batch)
        elif len(batch):
            self._held.extend(batch)
            if len(self._held) >= BATCH_ROWS:
                self._write_held()

    def file_size(self) -> int:
        """Return an estimate of the file's size in bytes, including frames that are not written yet."""
        return self.output.written + 20 * len(self._held) + len(self._held.payload)

    def _put(self, batch: MessageBatch) -> None:
        """Write ``batch`` as one record batch, with the dictionary of all channels so far."""
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
    """Return ``batch`` with more ``channels``; all columns but ``channel`` are shared."""
    view = MessageBatch(channels=channels)
    view.timestamp_ns, view.can_id, view.flags, _, view.dlc_code, view.offset, view.payload = batch.columns()
    view.channel = batch.channel[:]
    table = array("H", [channels.index(channel) for channel in batch.channels])
    columns.translate(view.channel, 0, table)
    view.xl = batch.xl
    return view
