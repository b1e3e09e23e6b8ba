"""canx JSON lines: one object per line and frame, with the names of ``Message``'s attributes.

::

    {"timestamp":1436509052.249713,"channel":"can0","arbitration_id":291,"is_extended_id":false,
     "dlc":4,"data":"deadbeef"}                                                      all on one line

These keys are always there, in this order. Others follow if the frame is not a received classic data frame:
``is_remote_frame``, ``is_error_frame``, ``is_fd``, ``bitrate_switch``, ``error_state_indicator``
when true, ``is_rx`` when false, ``dlc_code`` for a classic frame of 8 bytes whose code is 9 to 15. A CAN XL
frame has ``is_xl`` true, its priority as ``arbitration_id``, ``vcid``, ``sdt`` and ``acceptance_field`` as
numbers, and ``sec`` and ``rrs`` when true.
``timestamp`` has six digits, which a double can hold; a finer time is followed by ``timestamp_ns``, the exact
time as a string, which takes precedence on reading.

The reader accepts JSON objects with these keys in any order; only ``arbitration_id`` and ``is_extended_id``
are required.

Loses: nothing.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeGuard

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.frame.xl import MAX_DATA, XlMessage
from cantools_cli.io.text import Parsed, TextReader, seconds_to_ns
from cantools_cli.io.text_writer import TextWriter
from cantools_cli.kernels import jsonl as kernel
from cantools_cli.kernels.buffers import ReadBuffer

_CHANNEL = re.compile(rb'"channel": *("(?:[^"\\]|\\.)*"|[^ ,\n]*)')
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_DATA = re.compile(r"(?:[0-9a-fA-F]{2})*")
_FLAGS = ("is_remote_frame", "is_error_frame", "is_fd", "bitrate_switch", "error_state_indicator")
_KEYS = {"timestamp", "timestamp_ns", "channel", "arbitration_id", "is_extended_id", "dlc", "data", *_FLAGS}
_KEYS |= {"is_rx", "dlc_code", "is_xl", "vcid", "sdt", "acceptance_field", "sec", "rrs"}
_MAX_NOTES = 20


class JsonReader(TextReader):
    """Reads JSON lines; an unknown key is noted once and ignored."""

    def _spelt(self, channel: Channel) -> str:
        return json.dumps(channel)

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head.lstrip()[:1] == b"{"

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        return kernel.parse(text, at, end, self._names.names, self._names.ends, first, *batch.columns())

    def _learn(self, line: bytes) -> bool:
        match = _CHANNEL.search(line)
        try:
            channel = None if match is None else json.loads(match[1])
        except (ValueError, RecursionError):
            return False
        if match is None or not _is_channel(channel) or not _is_encodable(channel):
            return False
        self._names.add_as(channel, match[1])
        return True

    def _line(self, line: bytes, reason: int) -> Message | None:
        if not line.strip():
            return None
        try:
            record = json.loads(line, parse_float=_Decimal, parse_constant=_Decimal)
        except (ValueError, RecursionError) as error:
            raise FormatError(f"not JSON: {getattr(error, 'msg', error)}, in {quoted(line)}") from None
        if not isinstance(record, dict):
            raise FormatError(f"not a JSON object: {quoted(line)}")
        for key in sorted(record.keys() - _KEYS)[: max(_MAX_NOTES - len(self.notes), 0)]:
            self.note_file(f"unknown key {quoted(key)} left out")
        return _Record(record, line).message()


class JsonWriter(TextWriter):
    """Writes JSON lines."""

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        return kernel.format(row, *batch.columns(), self._names, self._name_ends, self._out)

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        return format_line(batch[row])

    def _spelt(self, channel: Channel) -> str:
        return json.dumps(channel)


def format_line(message: Message) -> bytes:
    """Return the line of one frame, as the kernel writes it, also before 1970 and of CAN XL."""
    nanoseconds = message.timestamp_ns
    micro = (abs(nanoseconds) + 500) // 1000
    sign = "-" if nanoseconds < 0 else ""
    stamp = f"{sign}{micro // 1_000_000}.{micro % 1_000_000:06d}"
    if nanoseconds % 1000:
        stamp += f',"timestamp_ns":"{nanoseconds}"'
    parts = [
        f'{{"timestamp":{stamp}',
        f'"channel":{json.dumps(message.channel)}',
        f'"arbitration_id":{message.arbitration_id}',
        f'"is_extended_id":{"true" if message.is_extended_id else "false"}',
        f'"dlc":{message.dlc}',
        f'"data":"{message.data.hex()}"',
    ]
    parts += [f'"{key}":true' for key in _FLAGS if getattr(message, key)]
    if not message.is_rx:
        parts.append('"is_rx":false')
    if isinstance(message, XlMessage):
        parts += [
            '"is_xl":true',
            f'"vcid":{message.vcid}',
            f'"sdt":{message.sdt}',
            f'"acceptance_field":{message.acceptance_field}',
        ]
        parts += [f'"{key}":true' for key in ("sec", "rrs") if getattr(message, key)]
    elif message.dlc_code > 8 and not message.is_fd:
        parts.append(f'"dlc_code":{message.dlc_code}')
    return (",".join(parts) + "}\n").encode("ascii")


class _Decimal(str):
    """The text of a number, distinct from a string: a double would lose digits of a time."""

    __slots__ = ()


class _Record:
    """One object, parsed key by key; errors quote the line."""

    def __init__(self, record: dict[str, Any], line: bytes) -> None:
        self._record = record
        self._line = line

    def message(self) -> Message:
        if self._flag("is_xl"):
            return self._xl()
        message = Message(
            arbitration_id=self._integer("arbitration_id", bits.CAN_EFF_MASK),
            is_remote_frame=self._flag("is_remote_frame"),
            is_error_frame=self._flag("is_error_frame"),
            channel=self._channel(),
            is_fd=self._flag("is_fd"),
            is_rx=self._flag("is_rx", True),
            bitrate_switch=self._flag("bitrate_switch"),
            error_state_indicator=self._flag("error_state_indicator"),
        )
        message.is_extended_id = self._extended(message)
        message.timestamp_ns = self._time()
        if (message.bitrate_switch or message.error_state_indicator) and not message.is_fd:
            raise self._fault("bitrate_switch and error_state_indicator go with is_fd only")
        self._lengths(message)
        return message

    def _xl(self) -> XlMessage:
        message = XlMessage(
            arbitration_id=self._integer("arbitration_id", bits.CAN_SFF_MASK),
            data=self._data(),
            vcid=self._integer("vcid", 0xFF, default=0),
            sdt=self._integer("sdt", 0xFF, default=0),
            sec=self._flag("sec"),
            rrs=self._flag("rrs"),
            acceptance_field=self._integer("acceptance_field", 0xFFFFFFFF, default=0),
            channel=self._channel(),
            is_rx=self._flag("is_rx", True),
        )
        message.timestamp_ns = self._time()
        size = len(message.data)
        if not 1 <= size <= MAX_DATA or self._integer("dlc", MAX_DATA, default=size) != size:
            raise self._fault(
                f"{size} data bytes, but a CAN XL frame has 1 to {MAX_DATA}, and as many as its dlc"
            )
        for key in ("is_extended_id", *_FLAGS):
            if self._flag(key):
                raise self._fault(f"a CAN XL frame cannot have {key}")
        return message

    def _lengths(self, message: Message) -> None:
        message.data = self._data()
        message.dlc = self._integer("dlc", 64, default=len(message.data))
        if message.is_remote_frame:
            if message.data:
                raise self._fault("a remote frame has no data")
        elif message.dlc != len(message.data):
            raise self._fault(f"dlc is {message.dlc}, but there are {len(message.data)} data bytes")
        if message.is_fd and bits.dlc2len(bits.len2dlc(message.dlc)) != message.dlc:
            raise self._fault(f"{message.dlc} is not a CAN FD length")
        if not message.is_fd and message.dlc > 8:
            raise self._fault(f"dlc is {message.dlc}, but a classic frame has at most 8; is_fd marks CAN FD")
        code = self._integer("dlc_code", 15, default=message.dlc_code)
        if code != message.dlc_code:
            if message.is_fd or message.dlc != 8 or code < 8:
                raise self._fault(f"dlc_code {code} does not go with dlc {message.dlc}")
            message.dlc_code = code

    def _extended(self, message: Message) -> bool:
        if message.is_error_frame:
            self._flag("is_extended_id")
            return False
        if "is_extended_id" not in self._record:
            raise self._fault("is_extended_id is missing")
        extended = self._flag("is_extended_id")
        if message.arbitration_id > bits.CAN_SFF_MASK and not extended:
            number = message.arbitration_id
            raise self._fault(f"arbitration_id {number} is above 2047, the largest 11-bit identifier")
        return extended

    def _time(self) -> int:
        exact = self._record.get("timestamp_ns")
        if exact is not None:
            is_text = isinstance(exact, str | int) and not isinstance(exact, bool)
            if not is_text or not _INTEGER.fullmatch(str(exact)):
                raise self._fault(f"timestamp_ns is {_shown(exact)}, not whole nanoseconds as a string")
            return int(exact)
        seconds = self._record.get("timestamp", 0)
        if isinstance(seconds, int) and not isinstance(seconds, bool):
            return seconds * 1_000_000_000
        if not isinstance(seconds, _Decimal):
            raise self._fault(f"timestamp is {_shown(seconds)}, not a number of seconds")
        try:
            return seconds_to_ns(seconds)
        except ValueError as error:
            raise self._fault(f"timestamp is {_shown(seconds)}, {error}") from None

    def _channel(self) -> Channel:
        channel: object = self._record.get("channel")
        if not _is_channel(channel) or not _is_encodable(channel):
            raise self._fault(f"channel is {_shown(channel)}, not a name, a whole number or null")
        return channel

    def _data(self) -> bytearray:
        data = self._record.get("data", "")
        if not isinstance(data, str) or isinstance(data, _Decimal):
            raise self._fault(f"data is {_shown(data)}, not a string of hex digits")
        if not _DATA.fullmatch(data):
            raise self._fault(f"data is {_shown(data)}, not pairs of hex digits")
        return bytearray.fromhex(data)

    def _flag(self, key: str, default: bool = False) -> bool:
        value = self._record.get(key, default)
        if not isinstance(value, bool):
            raise self._fault(f"{key} is {_shown(value)}, not true or false")
        return value

    def _integer(self, key: str, most: int, default: int | None = None) -> int:
        value = self._record.get(key, default)
        if value is None:
            raise self._fault(f"{key} is missing")
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise self._fault(f"{key} is {_shown(value)}, not 0 to {most}")
        return value

    def _fault(self, reason: str) -> FormatError:
        return FormatError(f"{reason}, in {quoted(self._line)}")


def _is_encodable(channel: Channel) -> bool:
    """Return whether other formats can hold a name: JSON's escapes can spell halves of a character."""
    try:
        str(channel).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _is_channel(channel: object) -> TypeGuard[Channel]:
    return channel is None or (isinstance(channel, str | int) and not isinstance(channel, bool | _Decimal))


def _shown(value: object) -> str:
    return quoted(value if isinstance(value, str) else json.dumps(value))
