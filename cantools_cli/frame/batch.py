"""Many CAN frames as columns, which readers, buses, filters and writers exchange."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence

from cantools_cli.errors import InvalidMessageError
from cantools_cli.frame import bits
from cantools_cli.frame.message import Channel, Message, as_message
from cantools_cli.frame.xl import XlColumns, XlMessage
from cantools_cli.kernels import columns as kernel

_TIME_LIMIT = 1 << 63
_new = Message.__new__
_EFF_MASK = bits.CAN_EFF_MASK
_UNUSUAL_ID, _UNUSUAL = bits.CAN_RTR_FLAG | bits.CAN_ERR_FLAG, bits.XL | bits.EXTENDED_ERROR
_FD, _BRS, _ESI, _TX = bits.FD, bits.BRS, bits.ESI, bits.TX
#: a time this close behind an end is the end, rounded to a microsecond or to a double of seconds
_ROUNDING_NS = 2000
_LONG, _INT, _SHORT = array("q", (0,)), array("I", (0,)), array("H", (0,))


# Makes glibc reuse freed batches instead of returning their memory to the kernel: it keeps up to twice the
# largest block freed so far. Fresh pages for each batch cost 20 ns per frame, a third of the time of parsing
# a line; a block that was never written costs nothing.
bytes(1 << 21)


class MessageBatch:
    """Frames as columns with one entry per frame; each column supports the buffer protocol.

    The caller owns a batch that a reader or a bus returns.

    Attributes:
        timestamp_ns: int64, nanoseconds since the epoch.
        can_id: uint32, the identifier with SocketCAN's EFF, RTR and ERR bits. An error frame has its class
            bits here and never the EFF bit.
        flags: uint8, the bits ``FD``, ``BRS``, ``ESI``, ``TX``, ``XL`` and ``EXTENDED_ERROR`` of ``bits``.
        channel: uint16, index into ``channels``.
        dlc_code: uint8, the 4-bit code on the wire, of a remote frame the requested one; 0 for CAN XL.
        offset: uint32, start of the data of each frame in ``payload``; one entry more than frames.
        payload: uint8, the data of all frames without gaps.
        channels: the channels of the batch, each a name, a number or None.
        xl: the fields that only CAN XL frames have, or None. Kernels do not use it: those that write stop at
            a CAN XL frame, or get none.
    """

    __slots__ = (
        "can_id",
        "channel",
        "channels",
        "dlc_code",
        "flags",
        "offset",
        "payload",
        "timestamp_ns",
        "xl",
    )

    xl: XlColumns | None

    def __init__(self, messages: Iterable[Message] = (), *, channels: tuple[Channel, ...] = ()) -> None:
        self.timestamp_ns = array("q")
        self.can_id = array("I")
        self.flags = bytearray()
        self.channel = array("H")
        self.dlc_code = bytearray()
        self.offset = array("I", (0,))
        self.payload = bytearray()
        self.channels = channels
        self.xl = None
        for message in messages:
            self.append(message)

    @classmethod
    def with_room(cls, rows: int, payload_bytes: int, channels: tuple[Channel, ...] = ()) -> MessageBatch:
        """Return a batch with room for a kernel to fill; ``cut`` it to its length afterwards."""
        batch = cls.__new__(cls)
        batch.timestamp_ns = _LONG * rows
        batch.can_id = _INT * rows
        batch.flags = bytearray(rows)
        batch.channel = _SHORT * rows
        batch.dlc_code = bytearray(rows)
        batch.offset = _INT * (rows + 1)
        batch.payload = bytearray(payload_bytes)
        batch.channels = channels
        batch.xl = None
        return batch

    def cut(self, rows: int) -> MessageBatch:
        """Drop the rows from ``rows`` on and their payload; return the batch."""
        end = self.offset[rows]
        del self.timestamp_ns[rows:]
        del self.can_id[rows:]
        del self.flags[rows:]
        del self.channel[rows:]
        del self.dlc_code[rows:]
        del self.offset[rows + 1 :]
        del self.payload[end:]
        if self.xl is not None:
            self.xl = self._kept(self.xl.part(0, rows))
        return self

    def columns(
        self,
    ) -> tuple[array[int], array[int], bytearray, array[int], bytearray, array[int], bytearray]:
        """Return all columns, in the order of the kernels' parameters."""
        return (
            self.timestamp_ns,
            self.can_id,
            self.flags,
            self.channel,
            self.dlc_code,
            self.offset,
            self.payload,
        )

    def __len__(self) -> int:
        return len(self.timestamp_ns)

    def append(self, message: Message) -> None:
        """Add one frame.

        Raises:
            ValueError: the identifier or the timestamp is out of range, the frame has too much data, or its
                ``dlc`` is not the length of its data.
        """
        if not isinstance(message, Message):
            message = as_message(message)
        size = len(message.data)
        can_id, flags, code = _checked(message, size)
        nanoseconds = message.timestamp_ns
        if not -_TIME_LIMIT <= nanoseconds < _TIME_LIMIT:
            nanoseconds = _end_near(nanoseconds)
        self.channel.append(self.channel_index(message.channel))
        self.timestamp_ns.append(nanoseconds)
        self.can_id.append(can_id)
        self.flags.append(flags)
        self.dlc_code.append(code)
        self.payload += message.data
        self.offset.append(self.offset[-1] + size)
        if self.xl is not None:
            self.xl.append(message)
        elif message.is_xl:
            self.xl = XlColumns(len(self))
            self.xl.put(-1, message)

    def put(self, row: int, message: Message) -> None:
        """Set row ``row`` of a batch with room, whose earlier rows are set.

        Raises:
            ValueError: as ``append``.
            IndexError: there is no such row, or no room for the data; CAN XL data needs no room.
        """
        size = len(message.data)
        can_id, flags, code = _checked(message, size)
        nanoseconds = message.timestamp_ns
        if not -_TIME_LIMIT <= nanoseconds < _TIME_LIMIT:
            nanoseconds = _end_near(nanoseconds)
        begin = self.offset[row]
        if message.is_xl:
            self.payload.extend(bytes(size))
            self.xl = self.xl or XlColumns(len(self))
        if begin + size > len(self.payload):
            raise IndexError("no room for the payload")
        self.timestamp_ns[row] = nanoseconds
        self.channel[row] = self.channel_index(message.channel)
        self.can_id[row] = can_id
        self.flags[row] = flags
        self.dlc_code[row] = code
        self.payload[begin : begin + size] = message.data
        self.offset[row + 1] = begin + size
        if self.xl is not None:
            self.xl.put(row, message)

    def channel_index(self, channel: Channel) -> int:
        """Return the index of ``channel`` in ``channels``, adding it if it is new.

        A number and a name are different channels: ``0`` is not ``"0"``.
        """
        try:
            return self.channels.index(channel)
        except ValueError:
            if len(self.channels) > 0xFFFF:
                raise ValueError("more than 65536 channels") from None
            self.channels += (channel,)
            return len(self.channels) - 1

    def extend(self, other: MessageBatch) -> None:
        """Add all frames of ``other``, matching its channels by name."""
        rows, end = len(self), self.offset[-1]
        if other is self:  # a buffer cannot be appended to itself
            other = self.part(0, rows)
        if end + len(other.payload) > 0xFFFFFFFF:
            raise ValueError("a batch holds at most 4 GiB of data")
        table = array("H", [self.channel_index(channel) for channel in other.channels])
        if self.xl is not None or other.xl is not None:
            self.xl = self.xl or XlColumns(rows)
            self.xl.extend(other.xl or XlColumns(len(other)))
        self.timestamp_ns += other.timestamp_ns
        self.can_id += other.can_id
        self.flags += other.flags
        self.channel += other.channel
        self.dlc_code += other.dlc_code
        self.offset += other.offset[1:]
        self.payload += other.payload
        kernel.translate(self.channel, rows, table)
        kernel.shift(self.offset, rows + 1, end)

    def select(self, rows: Sequence[int] | array[int]) -> MessageBatch:
        """Return a new batch of the given rows, in the given order."""
        wanted = rows if isinstance(rows, array) and rows.typecode == "I" else array("I", rows)
        size = kernel.payload_of(wanted, self.offset)
        result = MessageBatch.with_room(len(wanted), size, self.channels)
        kernel.gather(wanted, *self.columns(), *result.columns())
        if self.xl is not None:
            result.xl = result._kept(self.xl.select(wanted))
        return result

    def without(self, mask: int) -> MessageBatch:
        """Return the rows whose ``can_id`` has no bit of ``mask``; the batch itself if those are all."""
        rows = array("I", bytes(4 * len(self)))
        count = kernel.rows_without(self.can_id, mask, rows)
        return self if count == len(self) else self.select(rows[:count])

    def without_fd(self, above: int = -1) -> MessageBatch:
        """Return all rows but CAN FD frames with a code over ``above``; the batch itself if that is all."""
        rows = array("I", bytes(4 * len(self)))
        count = kernel.rows_without_fd(self.dlc_code, self.flags, above, rows)
        return self if count == len(self) else self.select(rows[:count])

    def without_xl(self) -> MessageBatch:
        """Return all rows but CAN XL frames; the batch itself if those are all."""
        if self.xl is None:
            return self
        return self.select([row for row, flags in enumerate(self.flags) if not flags & bits.XL])

    def _kept(self, xl: XlColumns) -> XlColumns | None:
        """Return ``xl`` if a row needs it."""
        return xl if kernel.count_bits(self.flags, bits.XL) else None

    def part(self, first: int, last: int) -> MessageBatch:
        """Return a new batch of the rows ``first`` to ``last - 1``."""
        begin, end = self.offset[first], self.offset[last]
        part = MessageBatch(channels=self.channels)
        part.timestamp_ns = self.timestamp_ns[first:last]
        part.can_id = self.can_id[first:last]
        part.flags = self.flags[first:last]
        part.channel = self.channel[first:last]
        part.dlc_code = self.dlc_code[first:last]
        part.offset = self.offset[first : last + 1]
        part.payload = self.payload[begin:end]
        if begin:
            kernel.shift(part.offset, 0, -begin)
        if self.xl is not None:
            part.xl = part._kept(self.xl.part(first, last))
        return part

    def with_channels(self, rename: Callable[[Channel], Channel]) -> MessageBatch:
        """Rename the channels in place and return the batch; the columns stay as they are."""
        self.channels = tuple(rename(channel) for channel in self.channels)
        return self

    def __getitem__(self, row: int) -> Message:
        if row < 0:
            row += len(self)
            if row < 0:
                raise IndexError("no such row")
        try:
            return self._message(row, self.can_id[row], self.flags[row], self.dlc_code[row])
        except IndexError:
            raise IndexError("no such row") from None

    def __iter__(self) -> Iterator[Message]:
        make = self._message
        for row, (can_id, flags, code) in enumerate(zip(self.can_id, self.flags, self.dlc_code, strict=True)):
            yield make(row, can_id, flags, code)

    def _message(self, row: int, can_id: int, flags: int, code: int) -> Message:
        """Return the frame of a row; all but the row are its columns, which the caller has at hand."""
        offset = self.offset
        data = self.payload[offset[row] : offset[row + 1]]
        if can_id & _UNUSUAL_ID or flags & _UNUSUAL:
            message = self._unusual(row, can_id, flags, code, data)
        else:
            message = _new(Message)
            message.dlc = len(data)
            message._dlc_code = None if code <= 8 or flags & _FD else code
            message.is_extended_id = can_id > _EFF_MASK
            message.is_remote_frame = message.is_error_frame = False
            if flags:
                message.is_fd = flags & _FD != 0
                message.bitrate_switch = flags & _BRS != 0
                message.error_state_indicator = flags & _ESI != 0
                message.is_rx = flags & _TX == 0
            else:
                message.is_fd = message.bitrate_switch = message.error_state_indicator = False
                message.is_rx = True
        message.data = data
        message._timestamp = None
        message._timestamp_ns = self.timestamp_ns[row]
        message.arbitration_id = can_id & _EFF_MASK
        channels = self.channels
        message.channel = channels[0] if len(channels) == 1 else channels[self.channel[row]]
        return message

    def _unusual(self, row: int, can_id: int, flags: int, code: int, data: bytearray) -> Message:
        """Return a remote, error or CAN XL frame without the fields that all frames have in common."""
        message = _new(XlMessage if flags & bits.XL else Message)
        is_fd = bool(flags & bits.FD)
        remote = bool(can_id & bits.CAN_RTR_FLAG)
        message.dlc = min(code, 8) if remote else len(data)
        if isinstance(message, XlMessage):
            message._dlc_code = None
            if self.xl is not None:
                self.xl.fill(row, message)
        else:
            message._dlc_code = code if code > 8 and not is_fd else None
        message.is_extended_id = bool(can_id & bits.CAN_EFF_FLAG or flags & bits.EXTENDED_ERROR)
        message.is_remote_frame = remote
        message.is_error_frame = bool(can_id & bits.CAN_ERR_FLAG)
        message.is_fd = is_fd
        message.is_rx = not flags & bits.TX
        message.bitrate_switch = bool(flags & bits.BRS)
        message.error_state_indicator = bool(flags & bits.ESI)
        return message

    def __arrow_c_schema__(self) -> object:
        """Return the types of the columns for Arrow's PyCapsule interface; see ``frame.arrow``."""
        from cantools_cli.frame.arrow import schema_capsule

        return schema_capsule()

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Return (types, columns) for Arrow, mostly without a copy; the batch cannot grow while they exist.

        Raises:
            ValueError: the batch holds more than 2 GiB of data.
        """
        from cantools_cli.frame.arrow import array_capsules

        return array_capsules(self)

    def __repr__(self) -> str:
        return f"<MessageBatch of {len(self)} frames on {', '.join(map(str, self.channels)) or 'no channel'}>"


def sendable(messages: Iterable[Message]) -> MessageBatch:
    """Return the batch of ``messages`` to send.

    Raises:
        InvalidMessageError: a message is not a CAN frame.
    """
    try:
        return MessageBatch(messages)
    except ValueError as error:
        raise InvalidMessageError(str(error), sent=0) from error


def _end_near(time_ns: int) -> int:
    """Return the first or the last time of 64 bits if ``time_ns`` is that one rounded; else ValueError."""
    end = max(-_TIME_LIMIT, min(time_ns, _TIME_LIMIT - 1))
    if abs(time_ns - end) > _ROUNDING_NS:
        raise ValueError("the timestamp is out of range, 64 bits of nanoseconds")
    return end


def _checked(message: Message, size: int) -> tuple[int, int, int]:
    """Return (can_id, flags, dlc_code) of ``message``, or raise ValueError."""
    if isinstance(message, XlMessage):
        for violated, text in message.field_rules():
            if violated:
                raise ValueError(text)
        return message.arbitration_id, bits.XL | (0 if message.is_rx else bits.TX), 0
    identifier = message.arbitration_id
    limit = bits.CAN_EFF_MASK if message.is_extended_id or message.is_error_frame else bits.CAN_SFF_MASK
    if not 0 <= identifier <= limit:
        raise ValueError(f"arbitration id {identifier:#x} is out of range, at most {limit:#x}")
    if size > (64 if message.is_fd else 8):
        kind = "a CAN FD frame holds 64" if message.is_fd else "a classic frame holds 8"
        raise ValueError(f"{size} data bytes, but {kind}")
    if message.is_error_frame:
        can_id = identifier | bits.CAN_ERR_FLAG
    else:
        can_id = identifier | (bits.CAN_EFF_FLAG if message.is_extended_id else 0)
    if message.is_remote_frame:
        if message.is_fd or message.is_error_frame or not 0 <= message.dlc <= 8:
            raise ValueError("a remote frame is classic, not an error frame, and requests 0 to 8 bytes")
        if size:
            raise ValueError("a remote frame has no data")
        can_id |= bits.CAN_RTR_FLAG
    elif message.dlc != size:
        raise ValueError(f"dlc is {message.dlc}, but there are {size} data bytes")
    flags = bits.FD if message.is_fd else 0
    if message.is_fd:
        if bits.dlc2len(bits.len2dlc(size)) != size:
            raise ValueError(f"{size} is not a CAN FD length")
        flags |= bits.BRS if message.bitrate_switch else 0
        flags |= bits.ESI if message.error_state_indicator else 0
    if message.is_error_frame and message.is_extended_id:
        flags |= bits.EXTENDED_ERROR
    if not message.is_rx:
        flags |= bits.TX
    return can_id, flags, message.dlc_code
