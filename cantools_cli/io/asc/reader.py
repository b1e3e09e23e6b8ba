"""Reading Vector's ASC."""

from __future__ import annotations

import re
from typing import Any

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.asc.header import AscHeader, begins_block, begins_file
from cantools_cli.io.asc.lines import EventReader, channel_of
from cantools_cli.io.base import check_known
from cantools_cli.io.channels import channel_number
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text import NumberedReader, Parsed, decimal_ns, decoded, no_kernel
from cantools_cli.kernels import asc as kernel
from cantools_cli.kernels.buffers import ReadBuffer

_EVENT = re.compile(
    rb"[ \t]*(?P<whole>[-+]?\d{1,19})(?:[.,](?P<fraction>\d+))?[ \t]+(?P<event>\S.*)", re.DOTALL
)
_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:date[ \t]|base[ \t]+(?:hex|dec)\b)", re.IGNORECASE)
_SECOND = 1_000_000_000
_NS_LIMIT = 1 << 63
_ABSURD_NS = 10 * 366 * 86_400 * _SECOND


class ASCReader(NumberedReader):
    """Reads ASC files.

    ``base`` (``hex`` or ``dec``) and absolute times are the defaults of a file without a header. With
    ``relative_timestamp`` times are those of the file, from 0.0; without they are since the epoch, the
    file's date being in the zone ``tz``, by default local. ``start_ns`` overrides that date.
    ``txrq`` keeps requests to transmit as sent frames. The channel of a frame is a number, from 0.
    """

    def __init__(
        self,
        file: AnyFile,
        base: str = "hex",
        relative_timestamp: bool = True,
        *args: Any,
        tz: str | None = None,
        start_ns: int | None = None,
        txrq: bool = False,
        **kwargs: Any,
    ) -> None:
        check_known("base", base.lower(), ("hex", "dec"))
        super().__init__(file, *args, tz=tz, **kwargs)
        self.base = base.lower()
        self.relative_timestamp = relative_timestamp
        self._given_start = start_ns
        self._header = self._new_header()
        self._events = EventReader(self.left_out, txrq=txrq)
        self._settled = False  # the header was read, the start is known
        self._new_block = False  # a trigger block began: its first event decides where its times start
        self._origin: int | None = None  # date of the first start, which relative times count from
        self._start_ns = 0
        self._most_seconds = 0
        self._offset_ns = 0  # of the latest event

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return _HEAD.match(head) is not None

    def _note_end(self) -> None:
        super()._note_end()
        if self._events.overruns:
            self.note_file(f"frames marked as following lost frames: {self._events.overruns}")
            self._events.overruns = 0

    _documented_channel = staticmethod(channel_number)

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        if not self._settled or self._new_block or self._header.is_relative or self._events.base != 16:
            return no_kernel(at, batch, first)
        at, rows, reason = kernel.parse(
            text, at, end, self._numbers, self._start_ns, self._most_seconds, first, *batch.columns()
        )
        if rows > first:
            self._offset_ns = batch.timestamp_ns[rows - 1] - self._start_ns
        return at, rows, reason

    def _numbered(self, line: bytes) -> tuple[int, str]:
        words = line.split(None, 3)
        number = words[2] if words[1] == b"CANFD" else words[1]
        return int(number), channel_of(number)

    def _line(self, line: bytes, reason: int) -> Message | None:
        match = _EVENT.match(line)
        if match is None:
            self._header_line(line)
            return None
        event = match["event"]
        if event.startswith((b"Start of", b"Start der")) and not (self._settled and self._header.is_relative):
            if not self._settled:
                self._header.take_start(decoded(line))
            return None
        if not self._settled:
            self._settle()
        self._advance(decimal_ns(match["whole"], match["fraction"] or b""), line)
        message = self._events.read(event)
        if message is not None:
            message.timestamp_ns = self._start_ns + self._offset_ns
        return message

    def _header_line(self, line: bytes) -> None:
        """Parse a line that does not begin with a time."""
        text = decoded(line).strip()
        if not text or text.startswith("DateTime:"):  # Kvaser's, between events
            return
        if self._settled and begins_file(text):  # another file follows this one
            self._header, self._settled = self._new_header(), False
        if self._header.take(text):
            self._new_block |= begins_block(text)
        elif self._settled or not self._header.met:
            raise FormatError(f"not an ASC line: {quoted(line)}")
        else:
            self.left_out["unknown header lines"] += 1

    def _new_header(self) -> AscHeader:
        return AscHeader(16 if self.base == "hex" else 10)

    def _settle(self) -> None:
        """Apply the header to the events that follow it."""
        self._settled = True
        self._new_block = False
        self._offset_ns = 0
        self._events.base = self._header.base
        begins = self._given_start
        if begins is None:
            begins = self._header.start_ns(self.tz or "local", self._header_note)
        if begins is None and not self.relative_timestamp:
            self._header_note("no date: times count from 1970")
        self._start(begins if begins is not None else self._origin or 0)

    def _header_note(self, text: str) -> None:
        if not self.relative_timestamp:
            self.note_file(f"{text}")

    def _start(self, begins: int) -> None:
        if self._origin is None:
            self._origin = begins
        self._start_ns = begins - self._origin if self.relative_timestamp else begins
        self._most_seconds = min((_NS_LIMIT - 1 - self._start_ns) // _SECOND - 1, 10**10)

    def _advance(self, time_ns: int, line: bytes) -> None:
        """Set the time of the current event."""
        if self._header.is_relative:
            time_ns += self._offset_ns
            if time_ns > _ABSURD_NS:
                self.note_file("the relative times add up to more than 10 years; are they absolute?")
        elif self._new_block:
            self._new_block = False
            begins = self._header.block_ns(self.tz or "local")
            if time_ns < self._offset_ns and begins is not None and self._given_start is None:
                self._start(begins)
        if not -_NS_LIMIT <= self._start_ns + time_ns < _NS_LIMIT:
            raise FormatError(f"timestamp out of range in {quoted(line)}")
        self._offset_ns = time_ns
