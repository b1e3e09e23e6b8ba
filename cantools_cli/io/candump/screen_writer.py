"""Aligned lines for a terminal, in canx's own form or candump's.

::

    22:13:20.123456  can0  Rx       123   [3]  DE AD BE                   '...'

candump's form can be read back (``screen_reader.py``), canx's own form cannot.
"""

from __future__ import annotations

from abc import abstractmethod
from array import array
from itertools import pairwise
from typing import Any

from cantools_cli.clock import ns_to_wall
from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import explain as explain_error
from cantools_cli.frame.message import Channel, Message
from cantools_cli.frame.xl import IS_XL, XlMessage
from cantools_cli.io.candump.log import log_name
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text_writer import TextWriter
from cantools_cli.kernels import columns
from cantools_cli.kernels import screen_lines as kernel

#: data bytes in a line; the rest of a longer CAN XL frame is not shown
_MAX_SHOWN = 64
_FORMS = {
    None: kernel.NO_TIME,
    "a": kernel.ABSOLUTE,
    "A": kernel.DATED,
    "z": kernel.SINCE_FIRST,
    "d": kernel.DIFFERENCE,
}
_RESET = "\x1b[0m"
_DIM = "\x1b[2m"
_RED = "\x1b[31m"
_CHANNEL_COLOURS = ("\x1b[34m", "\x1b[32m", "\x1b[35m", "\x1b[36m", "\x1b[33m")


class Stamps:
    """The time column: ``a`` seconds, ``d`` since the last frame, ``z`` the first, ``A`` date, None time."""

    def __init__(self, form: str | None, tz: str) -> None:
        self._form = form
        self._tz = tz
        self.zero: int | None = None  #: the time that the next one is relative to, if any

    def text(self, nanoseconds: int) -> str:
        if self._form in ("d", "z"):
            since = 0 if self.zero is None else max(0, nanoseconds - self.zero)
            if self.zero is None or self._form == "d":
                self.zero = nanoseconds
            return f"{since // 1_000_000_000:03d}.{since // 1_000 % 1_000_000:06d}"
        micros = (nanoseconds + 500) // 1000
        if self._form == "a":
            seconds, rest = divmod(abs(micros), 1_000_000)
            return f"{'-' if micros < 0 else ''}{seconds:010d}.{rest:06d}"
        wall = ns_to_wall(micros * 1000, self._tz)
        return wall.strftime("%Y-%m-%d %H:%M:%S.%f" if self._form == "A" else "%H:%M:%S.%f")


class _ScreenWriter(TextWriter):
    """A writer of lines with a column of times and one of channels, aligned."""

    def __init__(
        self,
        file: AnyFile,
        *args: Any,
        timestamps: str | None = None,
        tz: str = "local",
        explain: bool = False,
        direction: bool = False,
        colour: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(file, *args, **kwargs)
        self._stamps = Stamps(timestamps, tz)
        self._timestamps = timestamps
        self._explain = explain
        self._direction = direction
        self._colour = colour
        self._width = 0  # of the column of channels

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        width = max((len(self._name(channel)) for channel in batch.channels), default=0)
        if width > self._width:
            self._width = width
            self._named_channels = None  # whose names have to be aligned again
        return batch

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        return row, 0

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        return self._text(batch[row]).encode("utf-8", "surrogateescape")

    @abstractmethod
    def _text(self, message: Message) -> str:
        """Return the line of ``message``."""

    @staticmethod
    def _name(channel: Channel) -> str:
        """Return ``channel`` as the lines name it."""
        return str(channel)


class ScreenWriter(_ScreenWriter):
    """canx's own form: time, channel, direction, identifier, length, data, text, flags."""

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._colours: dict[str, str] = {}

    def _painted(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colour else text

    def _text(self, message: Message) -> str:
        name = str(message.channel)
        stamp = self._painted(self._stamps.text(message.timestamp_ns), _DIM)
        colour = self._colours.setdefault(name, _CHANNEL_COLOURS[len(self._colours) % len(_CHANNEL_COLOURS)])
        channel = self._painted(f"{name:>{self._width}}", colour)
        start = f"{stamp}  {channel}  {'Rx' if message.is_rx else 'Tx'}  "
        if message.is_error_frame:
            words = explain_error(message.arbitration_id, bytes(message.data))
            return f"{start}{self._painted('   error', _RED)}         {words}\n"
        digits = 8 if message.is_extended_id else 3
        identifier = f"{f'{message.arbitration_id:0{digits}X}':>8}"
        length = f"[{message.dlc}]"
        if message.is_remote_frame:
            return f"{start}{identifier}  {length:>4}  remote request{self._raw(message)}\n"
        shown = message.data[:_MAX_SHOWN]  # all of any frame but CAN XL's
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in shown)
        flags = self._flags(message)
        data = shown.hex(" ").upper() + (" ..." if len(shown) < len(message.data) else "")
        return (
            f"{start}{identifier}  {length:>4}  {data:<23}  {self._painted(repr(text)[1:-1], _DIM)}{flags}\n"
        )

    def _flags(self, message: Message) -> str:
        if isinstance(message, XlMessage):
            marks = f"{' SEC' if message.sec else ''}{' RRS' if message.rrs else ''}"
            fields = f"VCID {message.vcid:02X} SDT {message.sdt:02X} AF {message.acceptance_field:08X}"
            return f"  XL {fields}{marks}"
        if not message.is_fd:
            return self._raw(message)
        esi = " ESI" if message.error_state_indicator else ""
        return f"  FD{' BRS' if message.bitrate_switch else ''}{esi}"

    @staticmethod
    def _raw(message: Message) -> str:
        return f"  DLC {message.dlc_code}" if message.dlc_code > 8 and not message.is_fd else ""


class CandumpScreenWriter(_ScreenWriter):
    """candump's screen output, byte for byte. Source: the output of can-utils' ``candump.c``."""

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._indents = False  # 11-bit identifiers, once a 29-bit one was seen
        self._second = bytes(kernel.DATE_ROOM)  # the last date and second, as text and nanoseconds
        self._second_ns = -1_000_000_000  # at first none that the kernel could write

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        form = _FORMS.get(self._timestamps)
        if form is None:
            return row, 0
        zero = self._stamps.zero
        state = array("q", (zero or 0, zero is not None, self._indents, self._second_ns))
        names, ends = self._names, self._name_ends
        done, used = kernel.format(
            row, *batch.columns(), names, ends, form, self._second, self._direction, state, self._out
        )
        if state[kernel.HAS_ZERO] and form in (kernel.SINCE_FIRST, kernel.DIFFERENCE):
            self._stamps.zero = state[kernel.ZERO_NS]
        self._indents = bool(state[kernel.INDENTS])
        return done, used

    def _spelt(self, channel: Channel) -> str:
        return f"  {self._name(channel):>{self._width}}"

    @staticmethod
    def _name(channel: Channel) -> str:
        """Return the name of ``channel`` as one word: candump's readers split lines at blanks."""
        return log_name(channel) if isinstance(channel, str) else str(channel)

    def _completed(self, batch: MessageBatch, row: int) -> MessageBatch | None:
        return batch if self._turned(batch.timestamp_ns[row]) else None

    def _turned(self, nanoseconds: int) -> bool:
        """Set the second whose date the kernel writes; return whether it changed."""
        second_ns = (nanoseconds + 500) // 1_000_000_000 * 1_000_000_000
        if self._timestamps != "A" or second_ns == self._second_ns or nanoseconds < 0:
            return False
        self._second = f" ({self._stamps.text(second_ns)[:19]}.".encode().ljust(kernel.DATE_ROOM)
        self._second_ns = second_ns
        return True

    def _text(self, message: Message) -> str:
        stamp = f" ({self._stamps.text(message.timestamp_ns)})" if self._timestamps else ""
        marks = ""
        if self._direction:
            brs, esi = "B" if message.bitrate_switch else "-", "E" if message.error_state_indicator else "-"
            if isinstance(message, XlMessage):
                brs, esi = "S" if message.sec else "-", "R" if message.rrs else "-"
            marks = f"  {'RX' if message.is_rx else 'TX'} {brs} {esi}"
        wide = message.is_extended_id or message.is_error_frame
        self._indents = self._indents or wide or message.is_xl
        word = message.arbitration_id | (0x20000000 if message.is_error_frame else 0)
        identifier = f"{word:08X}" if wide else f"{'     ' if self._indents else ''}{word:03X}"
        length = f" [{message.dlc:02d}]" if message.is_fd else f"  [{message.dlc}]"
        if isinstance(message, XlMessage):
            fields = f"{IS_XL | message.bits:02X}:{message.sdt:02X}:{message.acceptance_field:08X}"
            length = f"[{message.dlc:04d}] ({message.vcid:02X}|{fields})"
        line = f"{stamp}{self._spelt(message.channel)}{marks}  {identifier} {length}"
        line += "" if message.is_xl else " "
        if message.is_remote_frame:
            return f"{line} remote request\n"
        line += "".join(f" {byte:02X}" for byte in message.data[:_MAX_SHOWN])
        if message.dlc > _MAX_SHOWN:
            line += " ..."
        if message.is_error_frame:
            line += f"{'ERRORFRAME':>{3 * (8 - message.dlc) + 13}}"
            if self._explain:
                line += f"\n\t{explain_error(message.arbitration_id, bytes(message.data))}"
        return line + "\n"


class CandumpWriter(CandumpScreenWriter):
    """candump's screen output as a log format, with the time.

    Loses: fractions of a microsecond, raw DLC codes, CAN XL frames of more than 64 bytes; without
    ``direction`` also directions and CAN FD's BRS and ESI.

    ``timestamps`` is ``a`` (absolute), ``z`` (since the first frame), ``d`` (since the previous frame), ``A``
    (date and time) or ``none``.

    Raises:
        UsageError: ``timestamps`` is unknown.
    """

    def __init__(self, file: AnyFile, *, timestamps: str = "a", tz: str | None = None, **kwargs: Any) -> None:
        if timestamps not in ("none", *filter(None, _FORMS)):
            raise UsageError(
                f"unknown time form {quoted(str(timestamps))}",
                hint="a absolute, z since the first frame, d since the previous frame, A date and time, none",
            )
        form = None if timestamps == "none" else timestamps
        super().__init__(file, timestamps=form, tz=tz or "local", **kwargs)

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        if batch.xl is not None:
            sizes = [end - begin for begin, end in pairwise(batch.offset)]
            rows = zip(range(len(batch)), batch.flags, sizes, strict=True)
            shown = [row for row, mark, size in rows if not mark & bits.XL or size <= _MAX_SHOWN]
            if len(shown) < len(batch):
                self._count("CAN XL frames of more than 64 bytes (left out)", len(batch) - len(shown))
                batch = batch.select(shown)
        self._count_details(batch, "raw DLC codes")
        if not self._direction:
            self._count_details(batch, "directions")
            self._count("CAN FD's BRS and ESI", columns.count_bits(batch.flags, bits.BRS | bits.ESI))
        return super()._prepared(batch)
