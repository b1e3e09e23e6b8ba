"""The loop of every text reader: a kernel parses most lines, plain Python the rest."""

from __future__ import annotations

import re
from abc import abstractmethod
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import Any

from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.io.base import MessageReader
from cantools_cli.io.batch_room import BatchRoom
from cantools_cli.io.channels import MAX_CHANNELS, UNKNOWN, NameTable, channel_name
from cantools_cli.io.files import AnyFile
from cantools_cli.kernels.buffers import ReadBuffer

#: bytes read at once: thousands of lines of any format, so that starting a batch costs nothing
PIECE = 1 << 19
#: bytes of the longest line: a CAN XL frame in hexadecimal has 4 KiB; a longer line is not text
LINE_LIMIT = 1 << 20
_NUMBERS = 256  #: numbers of channels that kernels look up; plain Python reads others
#: first bytes of a file, by which its format is recognised
_HEAD = 4096
_BOM = b"\xef\xbb\xbf"
_SECONDS = re.compile(r"(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?", re.ASCII)

FULL = 1  #: returned by every kernel: the batch is full
STRANGE = 2  #: returned by every kernel: the line is left to plain Python
NEW_CHANNEL = 3  #: returned by every kernel: the channel of the line is not in its table

Parsed = tuple[int, int, int]  #: where a kernel stopped, rows, reason


class TextReader(MessageReader):
    """Reads a log of lines.

    A subclass implements ``_parse``, which runs its kernel, and ``_line``, which parses one line that the
    kernel refused; and ``_learn``, if its kernel looks channels up in a table.
    """

    reads_in_thread = True
    is_text = True
    is_ambiguous = False  #: whether a truncated line can look complete

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, "rt", *args, **kwargs)
        self.line = 0  #: lines read so far
        self.left_out: Counter[str] = Counter()  #: records that are not frames, by kind; noted at the end
        self._room = BatchRoom(8, 16)  # at first for short lines
        self._newline_missing = False
        self._last_dropped = False
        self._names = NameTable(spelt=self._spelt)  #: the channels met so far

    def _spelt(self, channel: Channel) -> str:
        """Return ``channel`` as the format spells it."""
        return channel_name(channel)

    @abstractmethod
    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        """Fill rows of ``batch`` from ``first`` on."""

    @abstractmethod
    def _line(self, line: bytes, reason: int) -> Message | None:
        """Return the frame of a line that the kernel refused, given without its end; None if it has none."""

    def _known(self, reason: int, line: bytes) -> bool:
        """Complete the kernel's tables for ``line``; return whether the kernel can go on there."""
        return reason == NEW_CHANNEL and len(self._names.channels) < MAX_CHANNELS and self._learn(line)

    def _learn(self, line: bytes) -> bool:
        """Add the channel of ``line`` to the kernel's table; return whether it can be added."""
        return False

    def _note_end(self) -> None:
        """Note what reading left out, when it ends or is abandoned."""
        for kind, count in self.left_out.items():
            self.note_file(f"{kind}: {count} left out")
        self.left_out.clear()

    def batches(self) -> Iterator[MessageBatch]:
        try:
            yield from self._as_documented(self._all_batches())
        finally:
            self._note_end()

    def _all_batches(self) -> Iterator[MessageBatch]:
        head, has_frames = b"", False
        for text, end in self._chunks():
            if not has_frames and len(head) < _HEAD:  # a pipe returns it in pieces
                head += bytes(text[: min(end, _HEAD - len(head))])
            for batch in self._chunk_batches(text, end):
                has_frames = True
                yield batch
        if self.skipped and not has_frames:
            self._check_kind(head)
        if self._newline_missing and self.is_ambiguous and not self._last_dropped:
            self.note(f"{self.input.name}:{self.line}: no newline at the end, so this frame may be cut short")
        self.note_input()

    def _check_kind(self, head: bytes) -> None:
        """Raise NotALogError unless the only record is malformed in a file of the right kind, or cut."""
        if self.skipped == 1 and (self._newline_missing or self.recognises(_unified(head))):
            return
        self.refuse()

    def _chunk_batches(self, text: bytes | bytearray, end: int) -> Iterator[MessageBatch]:
        at = 0
        while at < end:
            batch = self._room.batch(end - at, self._names.channels)
            begin = at
            first = rows = 0
            fault = None
            unified = b""  # the remaining text, if lone carriage returns end lines as well
            while at < end:
                at, rows, reason = self._parse(text, at, end, batch, first)
                self.line += rows - first
                first = rows
                if at >= end or reason == FULL:
                    break
                stop = text.index(b"\n", at) + 1
                line = bytes(text[at:stop])
                if line.find(b"\r", 0, -2) >= 0:  # kernels refuse such a line
                    unified = _unified(bytes(text[at:end]))
                    at = end
                    break
                if self._known(reason, line):
                    batch.channels = self._names.channels
                    continue
                try:
                    message = self._line(line[:-1].rstrip(b"\r"), reason)
                    if message is not None:
                        batch.put(rows, message)
                        self._names.index(message.channel)
                        first = rows = rows + 1
                except (FormatError, ValueError) as error:
                    fault = self._fault(error, line)
                self.line += 1
                at = stop
                if fault is not None:
                    break
            if rows:
                batch.channels = self._names.channels
                self._room.learn(at - begin, rows, batch.offset[rows])
                yield batch.cut(rows)
            if unified:
                yield from self._chunk_batches(unified, len(unified))
            if fault is not None:
                if at >= end and self._newline_missing and self.line > 1:
                    self.note(f"{self.input.name}:{self.line}: ends inside a line, which was dropped")
                    self._last_dropped = True
                    return
                self.fault(fault)

    def _fault(self, error: ValueError, line: bytes) -> FormatError | None:
        """Return the error of a malformed line; None if the line is only padding."""
        if line.strip(b"\0\r\n ") == b"":
            self.note(
                f"{self.input.name}:{self.line + 1}: NUL bytes left out, as a crashed logger leaves them"
            )
            return None
        if not isinstance(error, FormatError):
            error = FormatError(str(error))
        error.position = self.line + 1
        return error

    def _chunks(self) -> Iterator[tuple[bytes | bytearray, int]]:
        """Yield (text, end) of whole lines, each ending with a newline, as soon as they are read.

        A text is valid until the next one: all share one buffer, since copying a piece would take a quarter
        of its parse time.
        """
        text = bytearray(PIECE + (1 << 16))  # more than a line, mostly
        have = 0
        self._starts = True
        while size := self.input.read_behind(text, have, PIECE):
            last, have = have, have + size
            begin = max(0, last - 1)
            if self._starts:
                begin, have = 0, self._without_mark(text, have)
            cut = text.rfind(b"\n", 0, have) + 1
            if not cut and text.find(b"\r", begin, have - 1) >= 0:
                unified = _unified(bytes(text[:have]))
                text[:have] = unified
                have = len(unified)
                cut = text.rfind(b"\n", 0, have) + 1
            if cut:
                yield text, cut
                text[: have - cut] = text[cut:have]
                have -= cut
            elif have > LINE_LIMIT:
                self.fault(FormatError(f"a line of more than {LINE_LIMIT} bytes", position=self.line + 1))
                have = 0
        rest = _unified(bytes(text[:have]))
        cut = rest.rfind(b"\n") + 1  # the last line that a lone carriage return ends
        if cut:
            yield rest, cut
            rest = rest[cut:]
        if rest:
            self._newline_missing = not rest.endswith(b"\r")
            if self._newline_missing and self.is_ambiguous and self.input.notes:  # the compression was cut
                self.note(f"{self.input.name}:{self.line + 1}: ends inside a line, which was dropped")
                self._last_dropped = True
                return
            rest = rest.rstrip(b"\r") + b"\n"
            yield rest, len(rest)

    def _without_mark(self, text: bytearray, have: int) -> int:
        """Drop a byte order mark at the start of ``text``; return the number of bytes left."""
        start = bytes(text[: min(have, len(_BOM))])
        if start == _BOM:
            text[: have - len(_BOM)] = text[len(_BOM) : have]
            have -= len(_BOM)
        self._starts = len(start) < len(_BOM) and _BOM.startswith(start)
        return have


class NumberedReader(TextReader):
    """Reads a log of lines whose channels are numbers; a subclass also implements ``_numbered``."""

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._numbers = array("H", [UNKNOWN]) * _NUMBERS  #: by number: the index of the channel

    @abstractmethod
    def _numbered(self, line: bytes) -> tuple[int, str]:
        """Return the number of the channel in ``line``, which the kernel has parsed, and the name for it."""

    def _learn(self, line: bytes) -> bool:
        try:
            number, name = self._numbered(line)
        except FormatError:
            return False  # which _line raises again, with the line
        self._numbers[number] = self._names.index(name)
        return True


def first_line(head: bytes, comments: tuple[bytes, ...] = ()) -> bytes:
    """Return the first line of ``head``, stripped, that is neither blank nor one of ``comments``."""
    lines = map(bytes.strip, head.removeprefix(_BOM).splitlines())
    return next((line for line in lines if line and not line.startswith(comments)), b"")


def decoded(line: bytes) -> str:
    """Return a line as text: UTF-8, or else the code page of Western European Windows."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def no_kernel(at: int, batch: MessageBatch, first: int) -> Parsed:
    """Return the result of a kernel that refuses every line."""
    has_room = first < len(batch) and batch.offset[first] + 64 <= len(batch.payload)
    return at, first, STRANGE if has_room else FULL


def decimal_ns(whole: bytes, fraction: bytes) -> int:
    """Return the nanoseconds of a decimal number of seconds, rounded half up after the ninth digit."""
    digits = fraction[:10].ljust(10, b"0")
    nanoseconds = (int(digits) + 5) // 10
    if whole.startswith(b"-"):
        return int(whole) * 1_000_000_000 - nanoseconds
    return int(whole) * 1_000_000_000 + nanoseconds


def seconds_to_ns(text: str) -> int:
    """Return the nanoseconds of a number of seconds such as ``12.5`` or ``1e-05``, digit by digit.

    Raises:
        ValueError: ``text`` is not such a number, or out of range.
    """
    match = _SECONDS.fullmatch(text)
    if match is None:
        raise ValueError("not a number of seconds")
    sign, whole, fraction, exponent = match.groups(default="")
    point = len(whole) + int(exponent or 0)
    if point > 19:  # its digits alone could fill the memory
        raise ValueError("out of range")
    digits = "0" * min(-point, 10) + whole + fraction
    point = max(point, 0)
    return decimal_ns((sign + (digits[:point] or "0")).encode(), digits[point:].encode())


def _unified(data: bytes) -> bytes:
    """Return ``data`` with newlines for all line ends, also a lone CR, but for one at the very end."""
    last = b"\r" if data.endswith(b"\r") else b""
    return data[: len(data) - len(last)].replace(b"\r\n", b"\n").replace(b"\r", b"\n") + last
