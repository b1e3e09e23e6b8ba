"""Reads batches of frames from the records of an MDF 4 data group; ``kernels/mf4.py`` reads the common ones.

The payload of a frame may be in its record, in a record of variable length after it, or at a byte of another
stream that the record points to: u32 length, then the data.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.io.batch_room import BatchRoom
from cantools_cli.io.channels import ChannelTable
from cantools_cli.io.mf4.blocks import Blocks, Fragment, UnknownLayoutError, unpacked
from cantools_cli.io.mf4.decode import decode, value_of
from cantools_cli.io.mf4.layout import (
    MAX_RECORD,
    MAX_RECORD_IDS,
    DataGroup,
    Group,
    Layout,
    Numbers,
    error_type_of,
    own_data_size,
    plan_of,
)
from cantools_cli.io.mf4.window import DataWindow
from cantools_cli.kernels import mf4 as kernel
from cantools_cli.kernels import mf4_order as order


class RecordStream:
    """Reads the frames of one data group, or of ``only`` some kinds of its records."""

    def __init__(
        self,
        blocks: Blocks,
        layout: Layout,
        data_group: DataGroup,
        note: Callable[[str], None],
        fault: Callable[[FormatError], None],
        only: Sequence[Group] | None = None,
    ) -> None:
        self.masked = 0  #: records left out since they are marked as invalid
        self.is_lost = False  #: whether the start of the next record is unknown
        self._blocks = blocks
        self._group = data_group
        self._groups = data_group.groups
        self._start_ns = layout.start_ns
        self._first_channel = layout.counts_channels_from
        self._note = note
        self._fault = fault
        self._table = ChannelTable()
        self._room = BatchRoom(16, 8)
        self._tail = b""
        self._to_skip = 0
        self._position = 0  # of the first byte of the tail, if ``_is_exact``; else of its fragment
        self._is_exact = True
        self._error_types: dict[int, Numbers] = {}
        self._make_plans(only)
        self._window = DataWindow(blocks, max((group.data_stream for group in self._groups), default=0))

    def batches(self, chunk: int) -> Iterator[MessageBatch]:
        """Yield the frames in file order; the file is read ``chunk`` bytes at a time."""
        is_cut = False
        for fragment in self._fragments():
            self._is_exact = fragment.columns is None
            if not self._tail:
                self._position = fragment.at
            try:
                for piece in unpacked(self._blocks.read, fragment, chunk):
                    yield from self._frames_of(piece)
                    if self.is_lost:
                        return
            except FormatError as error:
                self._fault(error)
                return
            is_cut = fragment.is_cut
        if self._tail or self._to_skip:
            self._note("ends inside a record, which was dropped")
        elif is_cut:
            self._note("ends inside a data block; the frames before the cut were read")

    def is_in_order(self, chunk: int) -> bool:
        """Return whether the times of the readable records never go backwards."""
        tail, latest_ns = b"", 0
        try:
            for fragment in self._blocks.fragments(self._group.data, "DT"):
                for piece in unpacked(self._blocks.read, fragment, chunk):
                    text = b"".join((tail, piece, bytes(8)))
                    end = len(text) - 8
                    at, reason, latest_ns = order.scan(
                        text, 0, end, self._group.id_size, self._kinds, self._plan, self._scales, latest_ns
                    )
                    if reason in (order.BACK, order.STRANGE):
                        return False
                    if reason == order.LOST:
                        return True
                    tail = text[at:end]
        except FormatError:
            pass  # reading reports it
        return True

    def _fragments(self) -> Iterator[Fragment]:
        try:
            yield from self._blocks.fragments(self._group.data, "DT")
        except FormatError as error:
            self._fault(error)

    def _make_plans(self, only: Sequence[Group] | None) -> None:
        indices = {group.at: index for index, group in enumerate(self._groups) if group.is_variable}
        ids = [group.record_id for group in self._groups] if self._group.id_size else [0]
        if self._group.id_size not in (0, 1, 2, 4, 8) or max(ids) >= MAX_RECORD_IDS:
            reason = f"record numbers of {self._group.id_size} bytes up to {max(ids)}"
            raise UnknownLayoutError(reason, byte=self._group.at)
        if not self._group.id_size and not self._groups[0].size:
            raise FormatError("records of 0 bytes", byte=self._groups[0].at)
        self._kinds = array("H", [kernel.UNKNOWN] * (max(ids) + 1))
        self._plan = array("q")
        self._scales = array("d")
        own = bytearray(256)
        for index, group in enumerate(self._groups[: len(ids)]):
            self._kinds[ids[index]] = index
            plan, scale = plan_of(self._blocks, group, indices, self._start_ns)
            if only is not None and group.event and group not in only:
                plan[kernel.KIND], plan[kernel.USUAL] = kernel.SKIP, 0
            self._plan.extend(plan)
            self._scales.append(scale)
            if self._group.id_size == 1:
                own[ids[index]] = own_data_size(plan)
            if group.event == "CAN_ErrorFrame":
                self._error_types[index] = error_type_of(self._blocks, group)
        self._own = bytes(own) if any(own) else b""
        self._running = array("q", bytes(8 * len(self._scales)))

    def _frames_of(self, piece: bytes) -> Iterator[MessageBatch]:
        """Yield the frames that end in ``piece``, the next one of the stream."""
        skipped = min(self._to_skip, len(piece))
        self._to_skip -= skipped
        self._position += skipped
        text = self._tail + piece[skipped:]
        at, reason = 0, kernel.FULL
        while reason not in (kernel.DONE, kernel.CUT, kernel.LOST):
            begin = at
            batch = self._room.batch(len(text) - at, self._table.channels)
            at, rows, reason, fault = self._fill(text, at, batch)
            if rows:
                self._room.learn(at - begin, rows, batch.offset[rows])
                batch.channels = self._table.channels
                yield batch.cut(rows)
            if fault is not None:
                self._fault(fault)
        self.is_lost = reason == kernel.LOST
        self._position += at if self._is_exact else 0
        self._tail = text[at:]

    def _fill(self, text: bytes, at: int, batch: MessageBatch) -> tuple[int, int, int, FormatError | None]:
        """Read records into ``batch``; return (end of the last one, rows, reason to stop, fault)."""
        rows, looked = 0, -1
        while True:
            at, rows, reason = self._parse(text, at, rows, batch)
            try:
                if reason == kernel.WINDOW and looked != at:
                    looked = at
                    _, begin, plan = self._record(text, at)
                    self._window.move(value_of(text[begin:], plan, kernel.POINTER))
                elif reason in (kernel.WINDOW, kernel.CHANNEL, kernel.STRANGE):
                    at, rows = self._rare(text, at, rows, batch)
                elif reason == kernel.CUT:
                    return self._cut(text, at), rows, reason, None
                elif reason == kernel.LOST:
                    number = text[at : at + self._group.id_size].hex(" ")
                    error = FormatError(f"unknown record number {number}, so reading ends here")
                    return at, rows, reason, self._placed(error, at)
                else:
                    return at, rows, reason, None
            except FormatError as error:
                _, begin, plan = self._record(text, at)
                return begin + int(plan[kernel.LENGTH]), rows, kernel.STRANGE, self._placed(error, at)

    def _placed(self, error: FormatError, at: int) -> FormatError:
        if error.position is None:
            error.position = self._position + at if self._is_exact else self._position
            error.unit = "byte"
        return error

    def _parse(self, text: bytes, at: int, rows: int, batch: MessageBatch) -> tuple[int, int, int]:
        group = (self._group.id_size, self._kinds, self._plan, self._scales, self._own, self._running)
        tables = (self._window.data, self._window.begin, self._start_ns, self._table.entries)
        others = (*group, *tables, rows, *batch.columns())
        return kernel.parse(text, at, len(text), *others)

    def _record(self, text: bytes, at: int) -> tuple[int, int, memoryview]:
        """Return (index of the plan, first byte after the number, plan) of the record at ``at``."""
        begin = at + self._group.id_size
        index = self._kinds[int.from_bytes(text[at:begin], "little")]
        return index, begin, memoryview(self._plan)[index * kernel.PLAN : (index + 1) * kernel.PLAN]

    def _cut(self, text: bytes, at: int) -> int:
        """Return where to continue after the record at ``at``, which ``text`` cuts; a huge one is skipped."""
        if len(text) - at < self._group.id_size:
            return at
        index, begin, plan = self._record(text, at)
        size = int(plan[kernel.LENGTH])
        if plan[kernel.KIND] == kernel.VARIABLE:
            if len(text) - begin < 4:
                return at
            size = 4 + int.from_bytes(text[begin : begin + 4], "little")
            if size > MAX_RECORD:
                self._running[index] += size
        elif begin + size <= len(text):  # the record is complete, but not the data after it
            entry = begin + size + self._group.id_size
            if int.from_bytes(text[entry : entry + 4], "little") > MAX_RECORD:
                raise FormatError("more data than a frame has")
            return at
        if size <= MAX_RECORD:
            return at
        self._to_skip = begin + size - len(text)
        return len(text)

    def _rare(self, text: bytes, at: int, rows: int, batch: MessageBatch) -> tuple[int, int]:
        """Read one record without the kernel, and enter its channel in the table; return (its end, rows)."""
        index, begin, plan = self._record(text, at)
        record = text[begin : begin + int(plan[kernel.LENGTH])]
        for number in range(plan[kernel.MASKS]):
            place, mask = plan[kernel.PLAN_MASKS + 2 * number :][:2]
            if record[place] & mask:
                self.masked += 1
                return begin + len(record), rows
        data = self._data(text, begin, record, plan)
        error_type = self._error_types.get(index)
        message = decode(record, plan, self._scales[index], self._start_ns, data, error_type)
        message.channel = self._channel(value_of(record, plan, kernel.BUS))
        batch.channels = self._table.channels
        batch.put(rows, message)
        return begin + len(record), rows + 1  # the data after it is skipped next

    def _data(self, text: bytes, begin: int, record: bytes, plan: memoryview) -> bytes:
        """Return the available payload of a record."""
        mode = plan[kernel.DATA_MODE]
        if mode == kernel.INLINE:
            return record[plan[kernel.DATA_AT] :][: plan[kernel.DATA_SIZE]]
        if mode == kernel.STREAM:
            return self._window.entry(value_of(record, plan, kernel.POINTER))
        at, group = begin + len(record), plan[kernel.DATA_GROUP]
        entry = at + self._group.id_size
        if mode == kernel.NO_DATA or entry + 4 > len(text) or not self._is_variable(text[at:entry], group):
            return b""
        pointer = value_of(record, plan, kernel.POINTER)
        if pointer != self._running[group]:
            raise FormatError(
                f"its data should be at byte {pointer}, but byte {self._running[group]} follows"
            )
        size = int.from_bytes(text[entry : entry + 4], "little")
        return text[entry + 4 : entry + 4 + size]

    def _is_variable(self, number: bytes, group: int) -> bool:
        value = int.from_bytes(number, "little")
        return value < len(self._kinds) and self._kinds[value] == group

    def _channel(self, number: int) -> Channel:
        """Return the channel of a ``number`` in the file, and enter it in the table for the kernel."""
        if number > 0xFFFE:
            raise FormatError(f"the bus channel {number} is out of range")
        if number < self._first_channel:
            self._note("channel 0, which MDF does not have, is read as can0")
        name = f"can{max(number - self._first_channel, 0)}"
        self._table.add(number, name)
        return name
