"""candump's log lines, and its screen output.

::

    (1436509052.249713) can0 123#DEADBEEF          a log line: candump -L, -l; read and written
    (1436509052.249713) can0 00000123#R4 T         sent by the recording node
    (         0.249713) can0 123#DEADBEEF          as some loggers pad it; read only
    (1436509052.249713) can0 45123#81:01:12345678#1122      CAN XL
     (1436509052.249713)  can0  123   [2]  DE AD   the screen form, all its variants; read only

Loses: fractions of a microsecond, unless ``ns`` is set, which current can-utils and Wireshark misread. With
``compat="wireshark"`` also the direction, raw DLC codes and CAN XL frames, with ``compat="python-can"`` raw
DLC codes and CAN XL frames.

Source: can-utils, ``lib.c`` and ``candump.c``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.io.channels import channel_name
from cantools_cli.io.files import AnyFile
from cantools_cli.io.frame_text import format_frame, parse_frame
from cantools_cli.io.text import STRANGE, Parsed, TextReader, decimal_ns
from cantools_cli.io.text_writer import TextWriter
from cantools_cli.kernels import candump as kernel
from cantools_cli.kernels import columns
from cantools_cli.kernels.buffers import ReadBuffer

if TYPE_CHECKING:
    from cantools_cli.io.candump.screen_reader import ScreenLines

_LOG_LINE = re.compile(
    rb"\([ \t]*(?P<seconds>-?\d{1,19})(?:[.,](?P<fraction>\d+))?\)[ \t]+"
    rb"(?P<name>[^ \t]+)[ \t]+(?P<frame>[^ \t]+)"
    rb"(?:[ \t]+(?P<direction>[RTrt]))?[ \t]*$"
)
_CUT_LINE = re.compile(rb"\(\d+\.\d+\) \S+ [0-9A-Fa-f]{3,8}#")
_DROPS = re.compile(rb"DROPCOUNT: dropped (\d+) CAN frames?")


def _screen_lines() -> type[ScreenLines]:
    from cantools_cli.io.candump.screen_reader import ScreenLines  # most logs have none

    return ScreenLines


class CanutilsLogReader(TextReader):
    """Reads candump logs and candump's screen output.

    ``tz`` is the time zone of the screen form's dates; times of a log are since the epoch.
    """

    is_ambiguous = True  # 123#0102 may be a truncated 123#01020304
    _screen: ScreenLines | None = None
    _text: ReadBuffer = b""  #: the current piece of the file, and the end of its lines
    _text_end = 0

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        for line in head.splitlines()[:64]:
            if not line.strip() or line.startswith((b"#", b"DROPCOUNT:")):
                continue
            return bool(_LOG_LINE.match(line) or _screen_lines().recognises(line) or _CUT_LINE.match(line))
        return False

    def batches(self) -> Iterator[MessageBatch]:
        for batch in super().batches():
            if not self.named_channels and columns.count_words(batch.can_id, bits.CAN_ERR_FLAG):
                for row, word in enumerate(batch.can_id):
                    if word & bits.CAN_ERR_FLAG:  # eight digits, as an extended identifier has
                        batch.flags[row] |= bits.EXTENDED_ERROR
            yield batch

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        self._text, self._text_end = text, end
        names = self._names
        while True:
            begin = at
            if self._screen is not None:
                at, first, reason = self._screen.parse(text, at, end, names, batch, first)
                if reason != STRANGE:
                    return at, first, reason
            at, first, reason = kernel.parse(text, at, end, names.names, names.ends, first, *batch.columns())
            if self._screen is None or reason != STRANGE or at == begin:
                return at, first, reason

    def _learn(self, line: bytes) -> bool:
        name = line.split(None, 2)[1].decode("utf-8", "surrogateescape")
        return self._names.add_new(name)

    def _line(self, line: bytes, reason: int) -> Message | None:
        stripped = line.strip()
        if not stripped or stripped.startswith(b"#"):
            return None
        drops = _DROPS.match(stripped)
        if drops:
            self.note_file(f"{drops[1].decode()} frames were lost during recording")
            return None
        match = _LOG_LINE.match(line.lstrip())
        if match is not None and b"#" in match["frame"]:
            return self._log_line(match)
        if self._screen is None and not _screen_lines().recognises(line):
            raise FormatError(_reason(line))
        if self._screen is None:
            self._screen = _screen_lines()(self.tz or "local", self.note)
            self._screen.look_ahead(bytes(self._text[: self._text_end]))
        return self._screen.read(line)

    def _log_line(self, match: re.Match[bytes]) -> Message:
        message, warning = parse_frame(match["frame"].decode("ascii", "backslashreplace"))
        if warning:
            self.note(f"{self.input.name}:{self.line + 1}: {warning}")
        message.timestamp_ns = decimal_ns(match["seconds"], match["fraction"] or b"")
        message.channel = match["name"].decode("utf-8", "surrogateescape")
        message.is_rx = (match["direction"] or b"R") in b"Rr"
        return message


class CanutilsLogWriter(TextWriter):
    """Writes candump log lines.

    A message earlier than the previous one gets its time; frames passed to ``write`` keep their times.
    ``channel`` names the frames without a channel. ``ns`` writes nine digits of fraction; ``compat`` writes
    only lines that another program reads.
    """

    is_monotonic = True

    def __init__(
        self,
        file: AnyFile,
        channel: str = "vcan0",
        append: bool = False,
        *args: Any,
        ns: bool = False,
        compat: Literal["wireshark", "python-can"] | None = None,
        **kwargs: Any,
    ) -> None:
        if compat not in (None, "wireshark", "python-can"):
            raise UsageError(f"unknown compat {quoted(compat)}", hint="known: wireshark, python-can")
        super().__init__(file, append, *args, **kwargs)
        self.channel = channel
        self._digits = 9 if ns else 6
        self._compat = compat

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        plain = self._compat == "wireshark"
        names, ends = self._names, self._name_ends
        return kernel.format(row, *batch.columns(), names, ends, self._digits, plain, self._out)

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        message = batch[row]
        sign = "-" if message.timestamp_ns < 0 else ""
        if self._digits == 9:
            stamp = "{}.{:09d}".format(*divmod(abs(message.timestamp_ns), 1_000_000_000))
        else:
            stamp = "{}.{:06d}".format(*divmod((abs(message.timestamp_ns) + 500) // 1000, 1_000_000))
        sent = " T" if not message.is_rx and self._compat != "wireshark" else ""
        frame = format_frame(message, plain=self._compat == "wireshark")
        line = f"({sign}{stamp}) {self._spelt(message.channel)} {frame}{sent}\n"
        return line.encode("utf-8", "surrogateescape")

    def _spelt(self, channel: Channel) -> str:
        if channel is None:
            return self.channel
        name = channel_name(channel)
        word = log_name(name)
        if word != name:
            self.note(f"channel {quoted(name)} is written as {word}")
        return word

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        if not self._compat:
            return batch
        batch = self.without_xl(batch)
        if columns.count_raw_dlc(batch.dlc_code, batch.flags):
            self._count_details(batch, "raw DLC codes")
            batch = batch.part(0, len(batch))
            columns.clear_raw_dlc(batch.dlc_code, batch.flags)
        if self._compat == "wireshark":
            self._count_details(batch, "directions")
        return batch


def log_name(name: str) -> str:
    """Return ``name`` as one word: a log line cannot hold an empty name or one with blanks."""
    return "_".join(name.split()) or "_"


def _reason(line: bytes) -> str:
    if not line.startswith(b"("):
        return f"not a candump line: {quoted(line)}"
    stamp = re.match(rb"\(([^)]*)\)", line)
    if stamp is None or not re.fullmatch(rb"[ \t]*-?\d+[.,]\d+", stamp[1]):
        return f"bad timestamp in {quoted(line)}"
    return f"no frame such as 123#DEADBEEF in {quoted(line)}"
