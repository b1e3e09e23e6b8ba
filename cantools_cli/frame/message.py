"""A CAN frame as an object: python-can's documented ``Message``, with exact time."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from math import isinf, isnan
from typing import Any, ClassVar, cast

from cantools_cli.frame.bits import len2dlc

Channel = str | int | None

_NANO = 1_000_000_000


def timestamp_to_ns(timestamp: float) -> int:
    """Return ``timestamp`` in nanoseconds, from its shortest decimal representation.

    ``1700000000.123456`` gives ``1700000000123456000``; multiplying the double would give ...456001.

    Raises:
        ValueError: ``timestamp`` is not finite.
    """
    if isnan(timestamp) or isinf(timestamp):
        raise ValueError(f"timestamp {timestamp} has no nanoseconds")
    text = repr(float(timestamp))
    whole, _, fraction = text.partition(".")
    if "e" in text or len(fraction) > 9:
        from decimal import Decimal  # rare, and slow to import

        return int((Decimal(text) * _NANO).to_integral_value())
    nanoseconds = int(whole.lstrip("-")) * _NANO + int(fraction.ljust(9, "0"))
    return -nanoseconds if whole.startswith("-") else nanoseconds


class Message:
    """A CAN frame to send, received, or read from a log.

    Messages compare by identity; ``equals`` compares by value. ``dlc`` is a length in bytes, also for CAN FD;
    for a remote frame it is the requested length. A bytearray given as ``data`` is kept, not copied.

    Attributes:
        is_xl: whether this is a CAN XL frame, an ``XlMessage``.
        timestamp: seconds since the epoch; setting it sets ``timestamp_ns``, and vice versa.
        timestamp_ns: the timestamp in nanoseconds, exact.
        dlc_code: the 4-bit code on the wire. It differs from ``dlc`` for CAN FD, and for a classic frame
            of 8 bytes that was sent with a code of 9 to 15.

    Raises:
        ValueError: ``check`` is set and the arguments contradict each other or are out of range.
        TypeError: ``data`` cannot be made into bytes.
    """

    __slots__ = (
        "__weakref__",
        "_dlc_code",
        "_timestamp",
        "_timestamp_ns",
        "arbitration_id",
        "bitrate_switch",
        "channel",
        "data",
        "dlc",
        "error_state_indicator",
        "is_error_frame",
        "is_extended_id",
        "is_fd",
        "is_remote_frame",
        "is_rx",
    )

    is_xl: ClassVar[bool] = False

    _timestamp: float | None
    _timestamp_ns: int | None
    _dlc_code: int | None
    data: bytearray

    def __init__(
        self,
        timestamp: float = 0.0,
        arbitration_id: int = 0,
        is_extended_id: bool = True,
        is_remote_frame: bool = False,
        is_error_frame: bool = False,
        channel: Channel = None,
        dlc: int | None = None,
        data: bytes | bytearray | memoryview | int | Iterable[int] | None = None,
        is_fd: bool = False,
        is_rx: bool = True,
        bitrate_switch: bool = False,
        error_state_indicator: bool = False,
        check: bool = False,
    ) -> None:
        self._timestamp = timestamp
        self._timestamp_ns = None
        self._dlc_code = None
        self.arbitration_id = arbitration_id
        self.is_extended_id = is_extended_id
        self.is_remote_frame = is_remote_frame
        self.is_error_frame = is_error_frame
        self.channel = channel
        self.is_fd = is_fd
        self.is_rx = is_rx
        self.bitrate_switch = bitrate_switch
        self.error_state_indicator = error_state_indicator
        if data is None or is_remote_frame:
            self.data = bytearray()
        elif isinstance(data, bytearray):
            self.data = data
        else:
            try:
                self.data = bytearray(data)
            except TypeError as error:
                raise TypeError(f"cannot make data from {data!r} of type {type(data).__name__}") from error
        self.dlc = len(self.data) if dlc is None else dlc
        if check:
            self._check()

    @property
    def timestamp(self) -> float:
        if self._timestamp is None and self._timestamp_ns is not None:
            self._timestamp = self._timestamp_ns / _NANO
        return cast("float", self._timestamp)  # or None, if a program set that

    @timestamp.setter
    def timestamp(self, seconds: float) -> None:
        self._timestamp = seconds
        self._timestamp_ns = None

    @property
    def timestamp_ns(self) -> int:
        if self._timestamp_ns is None:
            self._timestamp_ns = timestamp_to_ns(self.timestamp)
        return self._timestamp_ns

    @timestamp_ns.setter
    def timestamp_ns(self, nanoseconds: int) -> None:
        self._timestamp_ns = nanoseconds
        self._timestamp = None

    @property
    def dlc_code(self) -> int:
        if self._dlc_code is not None and self.dlc == 8 and not self.is_fd:
            return self._dlc_code
        return len2dlc(self.dlc) if self.is_fd else self.dlc

    @dlc_code.setter
    def dlc_code(self, code: int) -> None:
        self._dlc_code = code if code > 8 else None

    def __str__(self) -> str:
        """Return the line that python-can 4 prints; the manual of 4.1 shows two older forms."""
        identifier = f"{self.arbitration_id:08x}" if self.is_extended_id else f"{self.arbitration_id:03x}"
        flags = " ".join(
            (
                "X" if self.is_extended_id else "S",
                "Rx" if self.is_rx else "Tx",
                "E" if self.is_error_frame else " ",
                "R" if self.is_remote_frame else " ",
                "F" if self.is_fd else " ",
                "BS" if self.bitrate_switch else "  ",
                "EI" if self.error_state_indicator else "  ",
            )
        )
        fields = [
            f"Timestamp: {self.timestamp:15.6f}",
            f"ID: {identifier:>8}",
            flags,
            f"DL: {self.dlc:2d}",
            f"{self.data[: self.dlc].hex(' '):<24}",
        ]
        if self.data and self.data.isalnum():
            fields.append(f"'{self.data.decode('ascii')}'")
        if self.channel is not None:
            fields.append(f"Channel: {self.channel}")
        return "    ".join(fields).rstrip()

    def __len__(self) -> int:
        return self.dlc

    def __bool__(self) -> bool:
        return True

    def __bytes__(self) -> bytes:
        return bytes(self.data)

    def __repr__(self) -> str:
        parts = [
            f"timestamp={self.timestamp}",
            f"arbitration_id={self.arbitration_id:#x}",
            f"is_extended_id={self.is_extended_id}",
        ]
        if not self.is_rx:
            parts.append("is_rx=False")
        if self.is_remote_frame:
            parts.append("is_remote_frame=True")
        if self.is_error_frame:
            parts.append("is_error_frame=True")
        if self.channel is not None:
            parts.append(f"channel={self.channel!r}")
        parts += [f"dlc={self.dlc}", f"data=[{', '.join(f'{byte:#x}' for byte in self.data)}]"]
        if self.is_fd:
            parts += [
                "is_fd=True",
                f"bitrate_switch={self.bitrate_switch}",
                f"error_state_indicator={self.error_state_indicator}",
            ]
        return f"can.Message({', '.join(parts)})"

    def __format__(self, format_spec: str) -> str:
        if format_spec:
            raise ValueError("non-empty format_specs are not supported")
        return str(self)

    def __copy__(self) -> Message:
        twin = type(self).__new__(type(self))
        for name in Message.__slots__:
            if name != "__weakref__":
                setattr(twin, name, getattr(self, name))
        return twin

    def __deepcopy__(self, memo: dict[int, Any] | None) -> Message:
        twin = self.__copy__()
        twin.data = bytearray(self.data)
        twin.channel = deepcopy(self.channel, memo)
        return twin

    def _check(self) -> None:
        for violated, text in self._rules():
            if violated:
                raise ValueError(text)

    def _rules(self) -> Iterable[tuple[bool, str]]:
        """Yield ``(violated, message)`` for every validation rule, in the documented order."""
        yield self.timestamp < 0.0, "the timestamp may not be negative"
        yield isinf(self.timestamp), "the timestamp may not be infinite"
        yield isnan(self.timestamp), "the timestamp may not be NaN"
        yield (
            self.is_remote_frame and self.is_error_frame,
            "a message cannot be a remote and an error frame at the same time",
        )
        yield self.is_remote_frame and self.is_fd, "CAN FD does not support remote frames"
        yield self.arbitration_id < 0, "arbitration IDs may not be negative"
        if self.is_extended_id:
            yield self.arbitration_id >= 1 << 29, "Extended arbitration IDs must be less than 2^29"
        else:
            yield self.arbitration_id >= 1 << 11, "Normal arbitration IDs must be less than 2^11"
        yield self.dlc < 0, "DLC may not be negative"
        if self.is_fd:
            yield self.dlc > 64, f"DLC was {self.dlc} but it should be <= 64 for CAN FD frames"
        else:
            yield self.dlc > 8, f"DLC was {self.dlc} but it should be <= 8 for normal CAN frames"
        yield (
            not self.is_remote_frame and self.dlc != len(self.data),
            "the DLC and the length of the data must match up for non remote frames",
        )
        if not self.is_fd:
            yield self.bitrate_switch, "bitrate switch is only allowed for CAN FD frames"
            yield self.error_state_indicator, "error state indicator is only allowed for CAN FD frames"

    def equals(
        self,
        other: Message,
        timestamp_delta: float | None = 1.0e-6,
        check_direction: bool = True,
        check_channel: bool = True,
    ) -> bool:
        """Return whether ``other`` has the same contents.

        ``timestamp_delta`` is the permitted difference of the timestamps in seconds; None ignores them.
        """
        return self is other or (
            (timestamp_delta is None or abs(self.timestamp - other.timestamp) <= timestamp_delta)
            and (self.is_rx == other.is_rx or not check_direction)
            and self.arbitration_id == other.arbitration_id
            and self.is_extended_id == other.is_extended_id
            and self.dlc == other.dlc
            and self.data == other.data
            and self.is_remote_frame == other.is_remote_frame
            and self.is_error_frame == other.is_error_frame
            and (self.channel == other.channel or not check_channel)
            and self.is_fd == other.is_fd
            and self.bitrate_switch == other.bitrate_switch
            and self.error_state_indicator == other.error_state_indicator
            and self.is_xl == getattr(other, "is_xl", False)  # a message of another library may lack it
        )


def as_message(foreign: Any) -> Message:
    """Return a copy of ``foreign``, a message of another library."""
    message = Message(
        timestamp=foreign.timestamp,
        arbitration_id=foreign.arbitration_id,
        is_extended_id=foreign.is_extended_id,
        is_remote_frame=foreign.is_remote_frame,
        is_error_frame=foreign.is_error_frame,
        channel=foreign.channel,
        dlc=foreign.dlc,
        is_fd=foreign.is_fd,
        is_rx=foreign.is_rx,
        bitrate_switch=foreign.bitrate_switch,
        error_state_indicator=foreign.error_state_indicator,
    )
    message.data = bytearray(foreign.data)
    return message
