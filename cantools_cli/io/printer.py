"""The output of ``print(message)``, one line per frame, without trailing blanks.

::

    Timestamp: 1700000000.123456    ID:      123    S Rx                DL:  3    01 02 03
    Timestamp: 1700000000.125456    ID:      7ff    S Rx   R            DL:  4
    Timestamp: 1700000000.128456    ID: 1abcdef0    X Tx     F BS EI    DL:  1    01

``'text'`` follows data of letters and digits only, and ``Channel: can0`` ends the line of a frame with a
channel. The flags are X extended or S standard, Rx or Tx, E error, R remote, F CAN FD, BS bit rate switch, EI
error state indicator. ``DL`` is the length, for a remote frame the requested one; older versions call it
``DLC``. The form of python-can 1.x, which the HCRL and OTIDS data sets have, is read as well: three digits
instead of the flags, for remote, extended and error::

    Timestamp: 1479121434.850202        ID: 0350    000    DLC: 8    05 28 84 66 6d 00 00 a2

Loses: CAN XL frames; fractions of a microsecond; raw DLC codes; whether a channel of digits alone was a name,
since it is read as a number.

Source: python-can's documentation, "Printer", and its output.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text import Parsed, TextReader, seconds_to_ns
from cantools_cli.io.text_writer import TextWriter
from cantools_cli.kernels import columns
from cantools_cli.kernels import printed as kernel
from cantools_cli.kernels.buffers import ReadBuffer

_LINE = re.compile(
    r"\s*Timestamp:\s*(?P<time>-?\d+(?:\.\d*)?)\s+ID:\s*(?P<id>[0-9a-fA-F]{3,8})\s+"
    r"(?P<flags>[XS](?:\s+(?:Rx|Tx|E|R|F|BS|EI))*|[01]{3})\s+DLC?:\s*(?P<dl>\d{1,2})(?P<rest>\s.*|)",
    re.ASCII | re.DOTALL,
)
#: the flags of python-can 1.x: remote, extended, error
_OLD_FLAGS = {
    f"{remote}{extended}{error}": ["X" if extended else "S", "R" * remote, "E" * error]
    for remote in (0, 1)
    for extended in (0, 1)
    for error in (0, 1)
}
_BEHIND = re.compile(r"(?:'[^']*')?\s*(?:Channel:(?: (?P<channel>.*))?)?", re.DOTALL)
_BYTE = re.compile(r"[0-9a-fA-F]{2}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


class PrinterReader(TextReader):
    """Reads printed messages."""

    is_ambiguous = True  # Channel: can1 may be a truncated Channel: can12

    @staticmethod
    def _spelt(channel: Channel) -> str:
        """Return ``channel`` as a line has it after ``Channel:``; None is empty."""
        return "" if channel is None else f" {_one_line(channel)}"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return head.lstrip().startswith(b"Timestamp:")

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        return kernel.parse(text, at, end, self._names.names, self._names.ends, first, *batch.columns())

    def _learn(self, line: bytes) -> bool:
        _, mark, text = line.rstrip(b"\r\n").partition(b"Channel:")
        return self._names.add_new(_channel(text[1:].decode("utf-8", "surrogateescape")) if mark else None)

    def _line(self, line: bytes, reason: int) -> Message | None:
        text = line.decode("utf-8", "surrogateescape")
        if not text.strip():
            return None
        match = _LINE.fullmatch(text)
        if match is None:
            raise FormatError(f"not a printed message: {quoted(line)}")
        flags = _OLD_FLAGS.get(match["flags"]) or match["flags"].split()
        message = Message(
            arbitration_id=int(match["id"], 16),
            is_extended_id=flags[0] == "X",
            is_remote_frame="R" in flags,
            is_error_frame="E" in flags,
            dlc=int(match["dl"]),
            is_fd="F" in flags,
            is_rx="Tx" not in flags,
            bitrate_switch="BS" in flags,
            error_state_indicator="EI" in flags,
        )
        message.timestamp_ns = seconds_to_ns(match["time"])
        message.data, behind = _data(match["rest"], 0 if message.is_remote_frame else message.dlc, line)
        end = _BEHIND.fullmatch(behind)
        if end is None:
            raise FormatError(f"{quoted(behind)} after {len(message.data)} data bytes, in {quoted(line)}")
        if "Channel:" in behind:
            message.channel = _channel(end["channel"] or "")
        return message


class Printer(TextWriter):
    """Prints messages to a file, or at once to stdout when ``file`` is None.

    Attributes:
        write_to_file: whether there is a file.
    """

    _is_refused = False  #: whether the kernel refuses all rows of the batch

    def __init__(self, file: AnyFile | None = None, append: bool = False, *args: Any, **kwargs: Any) -> None:
        self.write_to_file = file is not None
        super().__init__(_Stdout() if file is None else file, append, *args, **kwargs)
        if file is None:
            self.file = None

    def on_message_received(self, msg: Message) -> None:
        super().on_message_received(msg)
        if not self.write_to_file:
            self.flush()

    def on_batch_received(self, batch: MessageBatch) -> None:
        self.write(batch)
        if not self.write_to_file:
            self.flush()

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        if self._is_refused:
            return row, 0
        return kernel.format(row, *batch.columns(), self._names, self._name_ends, self._out)

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        return f"{batch[row]}\n".encode("utf-8", "surrogateescape")

    def _spelt(self, channel: Channel) -> str:
        return spell_column(channel)

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        batch = self.without_xl(batch)
        self._count_details(batch, "raw DLC codes")
        self._is_refused = columns.count_bits(batch.flags, bits.EXTENDED_ERROR) > 0  # it writes no X for them
        return batch


class _Stdout:
    """The current ``sys.stdout`` as a text stream."""

    encoding = "utf-8"

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def spell_column(channel: Channel) -> str:
    """Return the column of ``channel`` with the blanks before it; None is empty."""
    return "" if channel is None else f"    Channel: {_one_line(channel)}".rstrip()


def _data(text: str, size: int, line: bytes) -> tuple[bytearray, str]:
    """Return ``size`` bytes, and the text after them."""
    tokens = text.split(None, size)
    behind = tokens.pop() if len(tokens) > size else ""
    for token in tokens:
        if not _BYTE.fullmatch(token):
            raise FormatError(f"bad data byte {quoted(token)}, in {quoted(line)}")
    if len(tokens) < size:
        raise FormatError(f"DL is {size}, but there are {len(tokens)} data bytes, in {quoted(line)}")
    return bytearray.fromhex("".join(tokens)), behind


def _one_line(channel: str | int) -> str:
    """Return the name of ``channel`` without the line ends that would cut a message in two."""
    return " ".join(re.split(r"[\r\n]+", str(channel)))


def _channel(text: str) -> Channel:
    return int(text) if _NUMBER.fullmatch(text) else text
