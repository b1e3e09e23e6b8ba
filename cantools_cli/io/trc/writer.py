"""Writing PEAK's TRC."""

from __future__ import annotations

import re
from typing import Any

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.files import AnyFile
from cantools_cli.io.start import RelativeWriter
from cantools_cli.io.text import decoded
from cantools_cli.io.text_writer import end_cut_line
from cantools_cli.io.trc.header import COLUMNS, VERSIONS, TRCFileVersion, TrcHeader, format_header
from cantools_cli.io.trc.lines import from_error_bytes, to_error_bytes
from cantools_cli.kernels import columns
from cantools_cli.kernels import trc as kernel

_MS = 1_000_000

_NUMBERS = re.compile(rb"^[ \t]*(\d{1,18})\)?[ \t]", re.MULTILINE)
_LOOK = 4096
_WITH_BUS = (TRCFileVersion.V1_2, TRCFileVersion.V1_3, TRCFileVersion.V2_1)
#: nanoseconds of the last digit of a time, and the width of its column
_STEPS = {TRCFileVersion.V1_0: (_MS, 10), TRCFileVersion.V1_1: (100_000, 12)}


class TRCWriter(RelativeWriter):
    """Writes TRC files.

    ``channel`` is the number, from 1, for frames without a channel. ``version`` is 1.0, 1.1, 1.2, 1.3, 2.0 or
    2.1, by default 2.1. The start, in the zone ``tz``, by default local, is the time of the earliest of the
    first frames, floored to the millisecond. An appended file keeps its start, and must have the same
    version.

    Attributes:
        file_version: the version, which may be set before the first message.
    """

    def __init__(
        self,
        file: AnyFile,
        channel: int = 1,
        *args: Any,
        version: str | TRCFileVersion | None = None,
        tz: str | None = None,
        append: bool = False,
        **kwargs: Any,
    ) -> None:
        wanted = version if isinstance(version, TRCFileVersion) else VERSIONS.get(str(version or "2.1"))
        if wanted not in COLUMNS:
            raise UsageError(f"unknown version {quoted(str(version))}", hint=f"known: {', '.join(VERSIONS)}")
        super().__init__(file, channel, *args, append=append, **kwargs)
        self._version = wanted
        self._tz = tz
        self._number = 1
        if append and self.output.seekable and self.output.written:
            with self.closed_on_error():
                self._continue(None if version is None else wanted)

    @property
    def file_version(self) -> TRCFileVersion:
        return self._version

    @file_version.setter
    def file_version(self, version: TRCFileVersion) -> None:
        if version not in COLUMNS:
            raise NotImplementedError(f"version {version.name} of TRC cannot be written")
        self._version = version

    def write(self, batch: MessageBatch) -> None:
        super().write(self.without_xl(batch))

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        done, used, rounded = self._lines(batch, row, self._start_ns)
        self._count("digits of times", rounded)
        self._number += done - row
        return done, used

    def _lines(self, batch: MessageBatch, row: int, start_ns: int) -> tuple[int, int, int]:
        version, layout = int(self.file_version), kernel.LAYOUTS[COLUMNS[self.file_version].encode()]
        return kernel.format(
            row, *batch.columns(), self._numbers, start_ns, version, layout, self._number, self._out
        )

    def _begin(self, start_ns: int) -> None:
        """Write the header; its start has milliseconds, and the first offset the rest."""
        tz = self._tz or "local"
        lines = format_header(self.file_version, start_ns, tz)
        header = TrcHeader()
        for line in lines:
            header.take(line)
        if header.start_ns(tz, self.note) != start_ns:
            self.note(
                "the start occurs twice as daylight saving time ends, and is read as the earlier time: "
                "--tz UTC avoids it"
            )
        self.output.write("".join(f"{line}\r\n" for line in lines).encode())

    def _continue(self, wanted: TRCFileVersion | None) -> None:
        """Read start, version and last number of the file to append to."""
        header = TrcHeader()
        for line in self.output.read_back(0, _LOOK).splitlines():
            if line.startswith(b";"):
                header.take(decoded(line))
        start = header.start_ns(self._tz, self.note)
        if not header.met or header.columns != COLUMNS.get(header.version) or start is None:
            raise UsageError(
                f"{self.output.name} cannot be continued: no header with a start time and the usual columns"
            )
        if wanted not in (None, header.version):
            raise UsageError(
                f"{self.output.name} cannot be continued in another version than {header.version_text}",
                hint=f"trc,version={header.version_text} continues it",
            )
        self._begun, self._start_ns, self.file_version = True, start, header.version
        end_cut_line(self.output)
        size = min(self.output.written, _LOOK)
        last = _NUMBERS.findall(self.output.read_back(self.output.written - size, size))
        self._number = int(last[-1]) + 1 if last else 1

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        version = self.file_version
        if version < TRCFileVersion.V2_0:
            fd = columns.count_bits(batch.flags, bits.FD)
            if fd:
                self._count("CAN FD frames (left out)", fd)
                batch = batch.without_fd()
        if version != TRCFileVersion.V2_1:
            self._count_details(batch, "raw DLC codes")
        if version not in _WITH_BUS:
            self._count_details(batch, "channels")
        if version == TRCFileVersion.V1_0:
            self._count_details(batch, "directions")
        return super()._prepared(batch)

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        """Return the line of an error frame, or of a row whose time the kernel refuses."""
        if batch.can_id[row] & bits.CAN_ERR_FLAG:
            return self._error(batch[row], self._numbers[batch.channel[row]])
        alone = batch.part(row, row + 1)
        alone.timestamp_ns[0] = 0
        _, used, _ = self._lines(alone, 0, 0)
        head = self._head(batch.timestamp_ns[row])
        return head + bytes(self._out[self._time_end() : used])

    def _head(self, time_ns: int) -> bytes:
        """Return number and time of the next line, and count it."""
        is_new = self.file_version >= TRCFileVersion.V2_0
        step, width = _STEPS.get(self.file_version, (1_000, 14))
        offset = time_ns - self._start_ns
        if is_new and offset % step:
            step = 1
        units, rest = divmod(abs(offset) + step // 2, step)
        self._count("digits of times", int(rest != step // 2))
        whole, part = divmod(units, _MS // step)
        digits = len(str(_MS // step)) - 1
        text = f"{'-' if offset < 0 else ''}{whole}" + (f".{part:0{digits}d}" if digits else "")
        if digits == 6:
            width += 3
        number = f"{self._number:7d}" if is_new else f"{self._number:6d})"
        self._number += 1
        return f"{number} {text:>{width - 1}}".encode()

    def _time_end(self) -> int:
        """Return the end of the time in a line of 0.000, after the number written last."""
        _, width = _STEPS.get(self.file_version, (1_000, 14))
        return max(7, len(str(self._number - 1)) + (self.file_version < TRCFileVersion.V2_0)) + width

    def _error(self, message: Message, bus: int) -> bytes:
        """Return the line of an error frame; empty, and counted, if the format has no such error."""
        data = to_error_bytes(message.arbitration_id, message.data)
        if data is None:
            self._count("error frames (left out)", 1)
            return b""
        content = (message.arbitration_id or from_error_bytes(data)[0], bytes(message.data).ljust(8, b"\0"))
        self._count("error frame details", int(content != from_error_bytes(data)))
        version = self.file_version
        if version < TRCFileVersion.V2_0 and version != TRCFileVersion.V1_0:
            self._count("error frame directions", int(not message.is_rx))
        direction = "Rx" if message.is_rx else "Tx"
        kind = f"{data[0]:04X}"
        middle = {
            TRCFileVersion.V1_0: f"  {kind:>8}  4  ERROR ",
            TRCFileVersion.V1_1: f"  Error  {kind:>8}  4  ",
            TRCFileVersion.V1_2: f"  {bus:<2d} Error  {kind:>8}  4  ",
            TRCFileVersion.V1_3: f" {bus:<2d} Error {kind:>8} -  4    ",
            TRCFileVersion.V2_0: f" ER {'':8} {direction}    ",
            TRCFileVersion.V2_1: f" ER {bus:<2d} {'-':>8} {direction} -  5    ",
        }[version]
        shown = data if version >= TRCFileVersion.V2_0 else data[1:]
        octets = "".join(f"{octet:02X} " for octet in shown)
        return self._head(message.timestamp_ns) + f"{middle}{octets}\r\n".encode()

    def _finish(self) -> None:
        self._release()
