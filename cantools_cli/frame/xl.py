"""CAN XL: frames as objects, their additional fields as columns, and SocketCAN's record of a frame.

::

    record, 12 + n bytes   0 priority, VCID in bits 16-23, 4 | 4 80 | SEC 1 | RRS 2 | 5 SDU type
                           6 n, 2 | 8 acceptance field, 4 | 12 data, n

The 11-bit priority decides arbitration and is the frame's ``arbitration_id``; the acceptance field identifies
the contents. CAN XL has no extended identifiers and no remote frames.

Sources: ISO 11898-1:2024 (fields), Linux ``linux/can.h`` (record).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable
from itertools import islice
from typing import ClassVar, cast

from cantools_cli.errors import FormatError
from cantools_cli.frame.bits import CAN_SFF_MASK
from cantools_cli.frame.message import Channel, Message

MAX_DATA = 2048
#: bits of a record's flags and of ``XlColumns.bits``
SEC, RRS = 0x01, 0x02
IS_XL = 0x80  #: set in every record of a CAN XL frame, and in no other
HEAD_SIZE = 12

_FORMATS = {"little": "<IBBHI", "big": ">IBBHI"}


class XlMessage(Message):
    """A CAN XL frame with 1 to 2048 bytes of data.

    Attributes:
        arbitration_id: the priority, 11 bits; ``priority`` is an alias.
        vcid: virtual network, 8 bits.
        sdt: type of the data (SDU type), 8 bits.
        sec: whether the data is secured (simple extended content).
        rrs: remote request substitution.
        acceptance_field: 32 bits.

    Raises:
        ValueError: ``check`` is set and a field is out of range.
        TypeError: ``data`` cannot be made into bytes.
    """

    __slots__ = ("acceptance_field", "rrs", "sdt", "sec", "vcid")

    is_xl: ClassVar[bool] = True

    def __init__(
        self,
        timestamp: float = 0.0,
        arbitration_id: int = 0,
        data: bytes | bytearray | memoryview | int | Iterable[int] | None = None,
        *,
        vcid: int = 0,
        sdt: int = 0,
        sec: bool = False,
        rrs: bool = False,
        acceptance_field: int = 0,
        channel: Channel = None,
        is_rx: bool = True,
        check: bool = False,
    ) -> None:
        super().__init__(
            timestamp, arbitration_id, is_extended_id=False, channel=channel, data=data, is_rx=is_rx
        )
        self.vcid = vcid
        self.sdt = sdt
        self.sec = sec
        self.rrs = rrs
        self.acceptance_field = acceptance_field
        if check:
            self._check()

    @property
    def priority(self) -> int:
        return self.arbitration_id

    @priority.setter
    def priority(self, priority: int) -> None:
        self.arbitration_id = priority

    @property
    def dlc_code(self) -> int:
        """The 11-bit code on the wire, one less than the length."""
        return self.dlc - 1

    @dlc_code.setter
    def dlc_code(self, code: int) -> None:
        raise AttributeError("the DLC code of a CAN XL frame follows from its length")

    @property
    def bits(self) -> int:
        """``SEC`` and ``RRS`` as in a record."""
        return (SEC if self.sec else 0) | (RRS if self.rrs else 0)

    def __str__(self) -> str:
        marks = f"{'    SEC' if self.sec else ''}{'    RRS' if self.rrs else ''}"
        fields = f"VCID: {self.vcid:02x}    SDT: {self.sdt:02x}    AF: {self.acceptance_field:08x}"
        return f"{super().__str__()}    XL    {fields}{marks}"

    def __repr__(self) -> str:
        parts = [
            f"timestamp={self.timestamp}",
            f"arbitration_id={self.arbitration_id:#x}",
            f"data=[{', '.join(f'{byte:#x}' for byte in self.data)}]",
            f"vcid={self.vcid:#x}",
            f"sdt={self.sdt:#x}",
            f"sec={self.sec}",
            f"rrs={self.rrs}",
            f"acceptance_field={self.acceptance_field:#x}",
        ]
        if self.channel is not None:
            parts.append(f"channel={self.channel!r}")
        if not self.is_rx:
            parts.append("is_rx=False")
        return f"XlMessage({', '.join(parts)})"

    def __copy__(self) -> XlMessage:
        twin = cast("XlMessage", super().__copy__())
        for name in XlMessage.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin

    def _rules(self) -> Iterable[tuple[bool, str]]:
        yield from islice(super()._rules(), 3)  # of the timestamp
        yield from self.field_rules()

    def field_rules(self) -> Iterable[tuple[bool, str]]:
        """Yield ``(violated, message)`` for every validation rule except those of the timestamp."""
        size = len(self.data)
        yield (
            not 0 <= self.arbitration_id <= CAN_SFF_MASK,
            f"priority {self.arbitration_id:#x} is out of range, at most 0x7ff",
        )
        yield not 1 <= size <= MAX_DATA, f"{size} data bytes, but a CAN XL frame holds 1 to {MAX_DATA}"
        yield self.dlc != size, f"dlc is {self.dlc}, but there are {size} data bytes"
        yield (
            self.is_extended_id or self.is_remote_frame or self.is_error_frame or self.is_fd,
            "a CAN XL frame is not extended, remote, an error frame or CAN FD",
        )
        yield not 0 <= self.vcid <= 0xFF, f"VCID {self.vcid:#x} is out of range, at most 0xff"
        yield not 0 <= self.sdt <= 0xFF, f"SDU type {self.sdt:#x} is out of range, at most 0xff"
        yield (
            not 0 <= self.acceptance_field <= 0xFFFFFFFF,
            f"acceptance field {self.acceptance_field:#x} is out of range, at most 0xffffffff",
        )

    def equals(
        self,
        other: Message,
        timestamp_delta: float | None = 1.0e-6,
        check_direction: bool = True,
        check_channel: bool = True,
    ) -> bool:
        return super().equals(other, timestamp_delta, check_direction, check_channel) and (
            self is other
            or (
                isinstance(other, XlMessage)
                and (self.vcid, self.sdt, self.bits) == (other.vcid, other.sdt, other.bits)
                and self.acceptance_field == other.acceptance_field
            )
        )


def pack(message: XlMessage, order: str = "little") -> bytes:
    """Return the record of ``message`` in the byte order ``order``."""
    word = message.arbitration_id | message.vcid << 16
    head = (word, IS_XL | message.bits, message.sdt, len(message.data), message.acceptance_field)
    return struct.pack(_FORMATS[order], *head) + message.data


def unpack(record: bytes, order: str = "little") -> XlMessage:
    """Return the frame of ``record``, without time, channel and direction.

    Raises:
        FormatError: the record is truncated, or its data does not have 1 to 2048 bytes.
    """
    if len(record) < HEAD_SIZE or not record[4] & IS_XL:
        raise FormatError(f"not a CAN XL frame: a record of {len(record)} bytes")
    word, bits, sdt, size, field = struct.unpack_from(_FORMATS[order], record)
    if not 1 <= size <= MAX_DATA or size != len(record) - HEAD_SIZE:
        raise FormatError(f"{size} data bytes in a CAN XL record of {len(record)}")
    return XlMessage(
        arbitration_id=word & CAN_SFF_MASK,
        data=record[HEAD_SIZE:],
        vcid=word >> 16 & 0xFF,
        sdt=sdt,
        sec=bool(bits & SEC),
        rrs=bool(bits & RRS),
        acceptance_field=field,
    )


class XlColumns:
    """The additional fields of CAN XL frames, one entry per frame of the batch; 0 for other frames.

    Attributes:
        vcid: uint8.
        sdt: uint8.
        bits: uint8, ``SEC`` and ``RRS``.
        acceptance_field: uint32.
    """

    __slots__ = ("acceptance_field", "bits", "sdt", "vcid")

    def __init__(self, rows: int = 0) -> None:
        self.vcid = bytearray(rows)
        self.sdt = bytearray(rows)
        self.bits = bytearray(rows)
        self.acceptance_field = array("I", bytes(4 * rows))

    def append(self, message: Message) -> None:
        self.extend(XlColumns(1))
        self.put(len(self.vcid) - 1, message)

    def put(self, row: int, message: Message) -> None:
        if isinstance(message, XlMessage):
            fields = (message.vcid, message.sdt, message.bits, message.acceptance_field)
        else:
            fields = (0, 0, 0, 0)
        self.vcid[row], self.sdt[row], self.bits[row], self.acceptance_field[row] = fields

    def extend(self, other: XlColumns) -> None:
        for name in self.__slots__:
            getattr(self, name).extend(getattr(other, name))

    def select(self, rows: Iterable[int]) -> XlColumns:
        rows = tuple(rows)
        result = XlColumns()
        for name in self.__slots__:
            column = getattr(self, name)
            getattr(result, name).extend([column[row] for row in rows])
        return result

    def part(self, first: int, last: int) -> XlColumns:
        result = XlColumns()
        for name in self.__slots__:
            setattr(result, name, getattr(self, name)[first:last])
        return result

    def fill(self, row: int, message: XlMessage) -> None:
        """Set the fields of ``message`` to those of ``row``."""
        message.vcid = self.vcid[row]
        message.sdt = self.sdt[row]
        message.sec = bool(self.bits[row] & SEC)
        message.rrs = bool(self.bits[row] & RRS)
        message.acceptance_field = self.acceptance_field[row]
