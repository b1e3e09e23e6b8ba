"""Writing Vector's ASC."""

from __future__ import annotations

from array import array
from copy import copy
from itertools import accumulate, pairwise
from operator import ne
from typing import Any

from cantools_cli.errors import UsageError
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import timestamp_to_ns
from cantools_cli.frame.xl import XlMessage
from cantools_cli.io.asc.header import format_date, parse_date
from cantools_cli.io.base import BACKWARDS, check_known
from cantools_cli.io.files import AnyFile
from cantools_cli.io.start import EARLY, RelativeWriter
from cantools_cli.kernels import asc as kernel

_SECOND = 1_000_000_000

_FRACTION_AT = 11  # end of the time in a line of 0 seconds and six digits


class ASCWriter(RelativeWriter):
    """Writes ASC files.

    ``channel`` is the number, from 1, for frames without a channel. The date is in the zone ``tz``, by
    default local; ``am_pm`` selects the 12-hour clock of English installations of Vector's tools, which
    ``asc2log`` cannot read before noon. ``crlf`` ends lines as those tools do. ``timestamps_format`` is
    ``absolute``, from the start of the file, or ``relative``, from the previous event. Times count from the
    earliest of the first frames and events; an appended file keeps its start.
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
        check_known("timestamps_format", timestamps_format, ("absolute", "relative"))
        super().__init__(file, channel, *args, append=append, **kwargs)
        self._tz = tz or "local"
        self._am_pm = am_pm
        self._crlf = crlf
        self._newline = b"\r\n" if crlf else b"\n"
        self._is_relative = timestamps_format == "relative"
        self._last_ns = 0
        if append:
            with self.closed_on_error():
                self._continue()

    def _continue(self) -> None:
        """Append to a file with events; times count from its start."""
        if not self.output.seekable:
            raise UsageError(f"{self.output.name}: only an uncompressed file can be continued")
        if self.output.written:
            if self._is_relative:
                raise UsageError(f"{self.output.name}: a file with relative times cannot be continued")
            from cantools_cli.io.asc.append import continue_file

            self._start_ns = self._last_ns = continue_file(self.output, self._tz, self.note)
            self._begun = True

    @property
    def _zero_ns(self) -> int:
        return 0 if self._is_relative else self._start_ns

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        super()._prepared(batch)
        if self._is_relative:
            return self._differences(batch)
        self._last_ns = batch.timestamp_ns[-1]
        return batch

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        return kernel.format(row, *batch.columns(), self._numbers, self._zero_ns, self._crlf, self._out)

    def _differences(self, batch: MessageBatch) -> MessageBatch:
        """Return ``batch`` with times since the previous event."""
        times = [*accumulate(batch.timestamp_ns, max, initial=self._last_ns)]
        self._count(BACKWARDS, sum(map(ne, times[1:], batch.timestamp_ns)))
        self._last_ns = times[-1]
        batch = copy(batch)  # the other columns are shared
        batch.timestamp_ns = array("q", [later - earlier for earlier, later in pairwise(times)])
        return batch

    def log_event(self, message: str, timestamp: float | None = None) -> None:
        """Write a line of text at ``timestamp``, by default the time of the previous frame.

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

    def _begin(self, start_ns: int) -> None:
        """Write the header; its date has milliseconds, and the first offset the rest."""
        self._last_ns = start_ns
        date = format_date(start_ns, self._tz, am_pm=self._am_pm)
        if parse_date(date, self._tz) != start_ns:
            self.note(
                f"{date} occurs twice as daylight saving time ends, and is read as the earlier time: "
                "--tz UTC avoids it"
            )
        style = f"base hex  timestamps {'relative' if self._is_relative else 'absolute'}"
        begin = (f"Begin Triggerblock {date}", "   0.000000 Start of measurement", "")
        lines = (f"date {date}", style, "internal events logged", "// version 9.0.0", *begin)
        self.output.write(self._newline.join(line.encode() for line in lines))

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        """Return the line of a row that the kernel refuses: error frames, CAN XL, distant times."""
        stamp = _time(batch.timestamp_ns[row] - self._zero_ns)
        number = self._numbers[batch.channel[row]]
        if batch.flags[row] & bits.XL:
            from cantools_cli.io.asc import xl_lines  # few files have any

            frame = batch[row]
            assert isinstance(frame, XlMessage)
            return stamp + f" {xl_lines.event_of(frame, number)}".encode() + self._newline
        if not batch.can_id[row] & bits.CAN_ERR_FLAG:
            alone = batch.part(row, row + 1)
            alone.timestamp_ns[0] = self._zero_ns
            _, used = self._format(alone, 0)
            return stamp + bytes(self._out[_FRACTION_AT:used])
        message = batch[row]
        ecc = error_frames.to_ecc(message.arbitration_id, message.data)
        error_class, data = (error_frames.BUS_ERROR, bytes(8)) if ecc is None else error_frames.from_ecc(ecc)
        if message.arbitration_id not in (0, error_class) or bytes(message.data).ljust(8, b"\0") != data:
            self._count("error frame details", 1)
        self._count("error frame directions", int(not message.is_rx))
        detail = "" if ecc is None else f"\tECC: {ecc:08b}"
        return stamp + f" {number:<2d} ErrorFrame{detail}".encode() + self._newline

    def _finish(self) -> None:
        self._release()
        self.output.write(b"End TriggerBlock" + self._newline)


def _time(offset_ns: int) -> bytes:
    """Return an offset as a line begins with it: six digits of fraction, or nine if needed."""
    seconds, rest = divmod(abs(offset_ns), _SECOND)
    whole = f"-{seconds}" if offset_ns < 0 else str(seconds)
    fraction = f"{rest // 1000:06d}" if rest % 1000 == 0 else f"{rest:09d}"
    return f"{whole:>4}.{fraction}".encode()
