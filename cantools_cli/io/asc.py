"""Vector's ASC: text, one event a line, times from the start of the measurement.

::

    date Tue Nov 14 22:13:20.123 2023
    base hex  timestamps absolute
    internal events logged
    // version 9.0.0
    Begin Triggerblock Tue Nov 14 22:13:20.123 2023
       0.000000 Start of measurement
       2.500900 1  64              Tx   d 8 00 01 02 03 04 05 06 07
    End TriggerBlock

Channels are numbers from 1: ``can0`` is 1. The date is local time, without a zone.

Loses: of error frames the direction, and all but the cause and place of a bus error. A time keeps its
nanoseconds: the line of a frame that has some is written with nine digits. CAN XL frames are events of a
CAN XL channel (``asc_xl_lines``).

Source: Vector's ASC as its tools write it; where those differ, what python-can and can-utils read as well.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from copy import copy
from itertools import accumulate, pairwise
from operator import ne
from typing import Any

from cantools_cli import error_frames, frames
from cantools_cli.batch import MessageBatch
from cantools_cli.buffers import Octets
from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.io.asc_header import Header, begins_block, begins_file, format_date, parse_date
from cantools_cli.io.asc_lines import EventReader
from cantools_cli.io.base import BACKWARDS, NumberedChannels, channel_number
from cantools_cli.io.files import AnyFile
from cantools_cli.io.start import EARLY, RelativeWriter
from cantools_cli.io.text import FULL, TextReader, decimal_ns
from cantools_cli.kernels import asc as kernel
from cantools_cli.message import Channel, Message, timestamp_to_ns
from cantools_cli.xl import XlMessage

_EVENT = re.compile(
    rb"[ \t]*(?P<whole>[-+]?\d{1,19})(?:[.,](?P<fraction>\d+))?[ \t]+(?P<event>\S.*)", re.DOTALL
)
_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:date[ \t]|base[ \t]+(?:hex|dec)\b)", re.IGNORECASE)
_SECOND = 1_000_000_000
_NS_LIMIT = 1 << 63
_ABSURD_NS = 10 * 366 * 86_400 * _SECOND
_CHANNEL_LIMIT = 0xFFFE
_OUT_ROOM = 1 << 20
_FRACTION_AT = 11  # where a line of zero seconds and six digits goes on behind its time


class ASCReader(TextReader):
    """Reads ASC files.

    ``base`` (``hex`` or ``dec``) and absolute times hold where the file does not say. With
    ``relative_timestamp`` times are those of the file, from 0.0; without they are since the epoch, the
    file's date being in the zone ``tz``, by default local. ``start_ns`` is used in place of that date.
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
        if base.lower() not in ("hex", "dec"):
            raise UsageError(f"unknown base {quoted(base)}", hint="known: hex, dec")
        super().__init__(file, *args, tz=tz, **kwargs)
        self.base = base.lower()
        self.relative_timestamp = relative_timestamp
        self._given_start = start_ns
        self._header = self._new_header()
        self._events = EventReader(txrq=txrq)
        self._numbers = array("H", [kernel.NO_CHANNEL]) * kernel.CHANNELS
        self._settled = False  # the header was read, the start is known
        self._new_block = False  # a trigger block began: its first event tells what its times count from
        self._origin: int | None = None  # date of the first start, which relative times count from
        self._start_ns = 0
        self._most_seconds = 0
        self._offset_ns = 0  # of the latest event

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return _HEAD.match(head) is not None

    def batches(self) -> Iterator[MessageBatch]:
        try:
            yield from self._as_documented(super().batches())
        finally:
            for kind, count in self._events.left_out.items():
                self.note(f"{self.input.name}: {kind}: {count} left out")
            self._events.left_out.clear()
            if self._events.overruns:
                self.note(
                    f"{self.input.name}: frames were lost before {self._events.overruns} that are marked so"
                )
                self._events.overruns = 0

    def _documented_channel(self, channel: Channel) -> Channel:
        return channel_number(channel)

    def _parse(
        self, text: Octets, at: int, end: int, batch: MessageBatch, first: int
    ) -> tuple[int, int, int]:
        if not self._settled or self._new_block or self._header.is_relative or self._events.base != 16:
            full = first >= len(batch) or batch.offset[first] + 64 > len(batch.payload)
            return at, first, FULL if full else kernel.STRANGE
        at, rows, reason = kernel.parse(
            text, at, end, self._numbers, self._start_ns, self._most_seconds, first, *batch.columns()
        )
        if rows > first:
            self._offset_ns = batch.timestamp_ns[rows - 1] - self._start_ns
        return at, rows, reason

    def _known(self, reason: int, line: bytes) -> bool:
        if reason != kernel.CHANNEL:
            return False
        words = line.split(None, 3)
        number = int(words[2] if words[1] == b"CANFD" else words[1])
        if number == 0:
            return False
        name = f"can{number - 1}"
        if name not in self._names.channels:
            self._names.add(name)
        self._numbers[number] = self._names.channels.index(name)
        return True

    def _line(self, line: bytes, reason: int) -> Message | None:
        found = _EVENT.match(line)
        if found is None:
            self._header_line(line)
            return None
        event = found["event"]
        if event.startswith((b"Start of", b"Start der")) and not (self._settled and self._header.is_relative):
            if not self._settled:
                self._header.take_start(_decoded(line))
            return None
        if not self._settled:
            self._settle()
        self._advance(decimal_ns(found["whole"], found["fraction"] or b""), line)
        message = self._events.read(event)
        if message is not None:
            message.timestamp_ns = self._start_ns + self._offset_ns
        return message

    def _header_line(self, line: bytes) -> None:
        """Deal with a line that does not begin with a time."""
        text = _decoded(line).strip()
        if not text or text.startswith("DateTime:"):  # Kvaser's, between events
            return
        if self._settled and begins_file(text):  # another file behind this one
            self._header, self._settled = self._new_header(), False
        if self._header.take(text):
            self._new_block |= begins_block(text)
        elif self._settled or not self._header.met:
            raise FormatError(f"not an ASC line: {quoted(line)}")
        else:
            self._events.left_out["lines of the head of an unknown kind"] += 1

    def _new_header(self) -> Header:
        return Header(16 if self.base == "hex" else 10)

    def _settle(self) -> None:
        """Make what the header says hold for the events behind it."""
        self._settled = True
        self._new_block = False
        self._offset_ns = 0
        self._events.base = self._header.base
        begins = self._given_start
        if begins is None:
            begins = self._header.start_ns(self.tz or "local", self._header_note)
        if begins is None and not self.relative_timestamp:
            self._header_note("no date: its times count from 1970")
        self._start(begins if begins is not None else self._origin or 0)

    def _header_note(self, text: str) -> None:
        if not self.relative_timestamp:
            self.note(f"{self.input.name}: {text}")

    def _start(self, begins: int) -> None:
        if self._origin is None:
            self._origin = begins
        self._start_ns = begins - self._origin if self.relative_timestamp else begins
        self._most_seconds = min((_NS_LIMIT - 1 - self._start_ns) // _SECOND - 1, 10**10)

    def _advance(self, time_ns: int, line: bytes) -> None:
        """Take the time of an event."""
        if self._header.is_relative:
            time_ns += self._offset_ns
            if time_ns > _ABSURD_NS:
                self.note(
                    f"{self.input.name}: its relative times add up to over ten years; are they absolute?"
                )
        elif self._new_block:
            self._new_block = False
            begins = self._header.block_ns(self.tz or "local")
            if time_ns < self._offset_ns and begins is not None and self._given_start is None:
                self._start(begins)
        if not -_NS_LIMIT <= self._start_ns + time_ns < _NS_LIMIT:
            raise FormatError(f"a time out of range in {quoted(line)}")
        self._offset_ns = time_ns


class ASCWriter(RelativeWriter):
    """Writes ASC files.

    ``channel`` is the number, from 1, of frames that have none. The date is in the zone ``tz``, by default
    local; ``am_pm`` writes it as English installations of Vector's tools do, which ``asc2log`` does not
    read before noon. ``crlf`` ends lines as those tools do. ``timestamps_format`` is ``absolute``, from the
    start of the file, or ``relative``, from the event before. The times begin with the earliest of the first
    frames and events; a file that is appended to keeps its start.
    """

    def __init__(
        self,
        file: AnyFile,
        channel: int = 1,
        *args: Any,
        tz: str | None = None,
        am_pm: bool = False,
        crlf: bool = False,
        timestamps_format: str = "absolute",
        append: bool = False,
        **kwargs: Any,
    ) -> None:
        if timestamps_format not in ("absolute", "relative"):
            raise UsageError(
                f"unknown timestamps_format {quoted(timestamps_format)}", hint="known: absolute, relative"
            )
        if channel < 1:
            raise UsageError(f"channel {channel} cannot be written", hint="the channels of ASC count from 1")
        super().__init__(file, "wt", *args, append=append, **kwargs)
        self.channel = channel
        self._tz = tz or "local"
        self._am_pm = am_pm
        self._crlf = crlf
        self._is_relative = timestamps_format == "relative"
        self._channels = NumberedChannels(channel - 1, self.note)
        self._last_ns = 0
        self._out = bytearray(_OUT_ROOM)
        if append:
            try:
                self._continue()
            except BaseException:
                self.output.close()
                raise

    def _continue(self) -> None:
        """Go on in a file that has events already, with times from the start that it has."""
        if not self.output.seekable:
            raise UsageError(f"{self.output.name}: only an uncompressed file can be continued")
        if self.output.written:
            if self._is_relative:
                raise UsageError(f"{self.output.name}: a file of relative times cannot be continued")
            from cantools_cli.io.asc_append import continue_file

            self._start_ns = self._last_ns = continue_file(self.output, self._tz, self.note)
            self._begun = True

    @property
    def _zero_ns(self) -> int:
        """What the times of a batch that is being written count from."""
        return 0 if self._is_relative else self._start_ns

    def _put(self, batch: MessageBatch) -> None:
        if self._is_relative:
            batch = self._differences(batch)
        else:
            self._last_ns = batch.timestamp_ns[-1]
        self._put_lines(batch)

    def _differences(self, batch: MessageBatch) -> MessageBatch:
        """Return ``batch`` with the time that passed since the event before in place of each time."""
        times = [*accumulate(batch.timestamp_ns, max, initial=self._last_ns)]
        backwards = sum(map(ne, times[1:], batch.timestamp_ns))
        if backwards:
            self.losses[BACKWARDS] += backwards
        self._last_ns = times[-1]
        batch = copy(batch)  # the other columns are shared
        batch.timestamp_ns = array("q", [later - earlier for earlier, later in pairwise(times)])
        return batch

    def _put_lines(self, batch: MessageBatch) -> None:
        numbers = array("H", [number + 1 for number in self._channels.table(batch, _CHANNEL_LIMIT)])
        row, view = 0, memoryview(self._out)
        while row < len(batch):
            done, used = kernel.format(row, *batch.columns(), numbers, self._zero_ns, self._crlf, self._out)
            self.output.write(view[:used])
            if done < len(batch) and batch.timestamp_ns[done] < self._zero_ns:
                batch = self._not_before_start(batch)
            elif done < len(batch) and (done == row or self._is_strange(batch, done)):
                self.output.write(self._strange(batch, done, numbers))
                done += 1
            row = done

    def log_event(self, message: str, timestamp: float | None = None) -> None:
        """Write a line of text at ``timestamp``, by default that of the frame before it.

        Line breaks become blanks; an empty text writes nothing.
        """
        text = " ".join(message.split())
        if not text:
            return
        self._write_gathered()
        last = self._held.timestamp_ns[-1] if len(self._held) else self._last_ns
        when = last if timestamp is None else timestamp_to_ns(timestamp)
        self._release(when)
        begin = self._last_ns if self._is_relative else self._start_ns
        if when < begin:
            self.losses[BACKWARDS if self._is_relative else EARLY] += 1
        self.output.write(_time(max(when - begin, 0)) + b" " + text.encode() + self._newline)
        self._last_ns = max(when, begin) if self._is_relative else self._last_ns

    @property
    def _newline(self) -> bytes:
        return b"\r\n" if self._crlf else b"\n"

    def _begin(self, start_ns: int) -> None:
        """Write the head; the date has milliseconds, and the first offset keeps the rest."""
        self._last_ns = start_ns
        date = format_date(start_ns, self._tz, am_pm=self._am_pm)
        if parse_date(date, self._tz) != start_ns:
            self.note(
                f"{date} occurs twice as daylight saving ends, and is read as the earlier: --tz UTC avoids it"
            )
        lines = (
            f"date {date}",
            f"base hex  timestamps {'relative' if self._is_relative else 'absolute'}",
            "internal events logged",
            "// version 9.0.0",
            f"Begin Triggerblock {date}",
            "   0.000000 Start of measurement",
            "",
        )
        self.output.write(self._newline.join(line.encode() for line in lines))

    def _is_strange(self, batch: MessageBatch, row: int) -> bool:
        return bool(batch.can_id[row] & frames.ERROR_BIT or batch.flags[row] & frames.XL)

    def _strange(self, batch: MessageBatch, row: int, numbers: array[int]) -> bytes:
        """Return the line of a frame that the kernel does not write: of errors, CAN XL, far times."""
        stamp = _time(batch.timestamp_ns[row] - self._zero_ns)
        if batch.flags[row] & frames.XL:
            return self._xl(batch[row], stamp, numbers[batch.channel[row]])
        if not batch.can_id[row] & frames.ERROR_BIT:
            alone = batch.part(row, row + 1)
            alone.timestamp_ns[0] = 0
            _, used = kernel.format(0, *alone.columns(), numbers, 0, self._crlf, self._out)
            return stamp + bytes(self._out[_FRACTION_AT:used])
        message = batch[row]
        ecc = error_frames.to_ecc(message.arbitration_id, message.data)
        error_class, data = (error_frames.BUS_ERROR, bytes(8)) if ecc is None else error_frames.from_ecc(ecc)
        if message.arbitration_id not in (0, error_class) or bytes(message.data).ljust(8, b"\0") != data:
            self.losses["error frame details"] += 1
        if not message.is_rx:
            self.losses["error frame directions"] += 1
        detail = "" if ecc is None else f"\tECC: {ecc:08b}"
        return stamp + f" {numbers[batch.channel[row]]:<2d} ErrorFrame{detail}".encode() + self._newline

    def _xl(self, message: Message, stamp: bytes, number: int) -> bytes:
        from cantools_cli.io import asc_xl_lines  # few files have any

        assert isinstance(message, XlMessage)
        return stamp + f" {asc_xl_lines.event_of(message, number)}".encode() + self._newline

    def _finish(self) -> None:
        self._release()
        self.output.write(b"End TriggerBlock" + self._newline)


def _time(offset_ns: int) -> bytes:
    """Return an offset as a line begins with it: six digits of fraction, nine where it needs them."""
    seconds, rest = divmod(abs(offset_ns), _SECOND)
    whole = f"-{seconds}" if offset_ns < 0 else str(seconds)
    fraction = f"{rest // 1000:06d}" if rest % 1000 == 0 else f"{rest:09d}"
    return f"{whole:>4}.{fraction}".encode()


def _decoded(line: bytes) -> str:
    """Return a line as text: of UTF-8, else as a Western European installation writes it."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")
