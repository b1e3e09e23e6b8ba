"""PEAK's TRC: text, one message a line, times in milliseconds from the start of the trace.

::

    ;$FILEVERSION=2.1
    ;$STARTTIME=45244.925927118056
    ;$COLUMNS=N,O,T,B,I,d,R,L,D
    ;
    ;   Start time: 14.11.2023 22:13:20.103.0
          1         1.000 DT 1  18FEF100 Tx -  8    00 01 02 03 04 05 06 07

Buses are numbers from 1: ``can0`` is 1. The start is local time, without a zone.

Loses: CAN XL frames; of error frames all but the cause, the place and the counters, and those without a
cause that the format knows; one without any class is a bus error there. Versions before 2.1 lose more: 2.0
channels and raw DLC codes; 1.3 and 1.2 raw DLC codes, CAN FD and what is finer than a microsecond; 1.1 also
channels and what is finer than 0.1 ms, 1.0 directions and what is finer than 1 ms.

Source: PEAK-System, "PEAK CAN TRC File Format"; what python-can writes is read as well.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from typing import Any

from cantools_cli import frames
from cantools_cli.batch import MessageBatch
from cantools_cli.buffers import Octets
from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.io.base import NumberedChannels, channel_number
from cantools_cli.io.files import AnyFile
from cantools_cli.io.start import RelativeWriter
from cantools_cli.io.text import MOST_CHANNELS, TextReader, end_cut_line, no_kernel
from cantools_cli.io.trc_header import (
    COLUMNS,
    VERSIONS,
    Header,
    TRCFileVersion,
    begins_file,
    format_header,
)
from cantools_cli.io.trc_lines import LineReader, from_error_bytes, to_error_bytes
from cantools_cli.kernels import columns
from cantools_cli.kernels import trc as kernel
from cantools_cli.message import Channel, Message

__all__ = ["TRCFileVersion", "TRCReader", "TRCWriter"]

_LINE = re.compile(rb"[ \t]*\d+\)?[ \t]+-?\d")
_NUMBERS = re.compile(rb"^[ \t]*(\d{1,18})\)?[ \t]", re.MULTILINE)
_NS_LIMIT = 1 << 63
_MS = 1_000_000
_MOST_MS = 9 * 10**12  # whose nanoseconds 64 bits hold
_CHANNEL_LIMIT = 0xFFFE
_OUT_ROOM = 1 << 20
_LOOK = 4096
#: files of other programs that are called .trc: how they begin
_OTHERS = (
    (re.compile(rb"@ TEXT @"), "a trace of CARBUS Analyzer"),
    (re.compile(rb".{0,40}WAVEDESC"), "a trace of a LeCroy oscilloscope"),
    (re.compile(rb"[^\t]*\t[^\t]*\t"), "a table separated by tabs, such as SavvyCAN's"),
)
_WITH_BUS = (TRCFileVersion.V1_2, TRCFileVersion.V1_3, TRCFileVersion.V2_1)
#: nanoseconds of the last digit of a time, and the width of its column
_STEPS = {TRCFileVersion.V1_0: (_MS, 10), TRCFileVersion.V1_1: (100_000, 12)}


class TRCReader(TextReader):
    """Reads TRC files of versions 1.0, 1.1, 1.2, 1.3, 2.0 and 2.1.

    Times are since the epoch, the file's start being in the zone ``tz``: by default UTC where python-can
    wrote the file, else local. With ``status`` changes of the bus's status and its error counters are error
    frames. The channel of a frame is the number of its bus, from 1; channels to be written count from 0, both
    as in python-can.
    """

    def __init__(self, file: AnyFile, *args: Any, status: bool = False, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._status = status
        self._header = Header()
        self._lines = LineReader(COLUMNS[TRCFileVersion.V1_0])
        self._plain = b""  # columns that the kernel takes
        self._layout = kernel.NO_LAYOUT
        self._numbers = array("H", [kernel.NO_CHANNEL]) * kernel.CHANNELS
        self._settled = False  # the header was read, the start is known
        self._start_ns = 0
        self._most_ms = 0

    @property
    def file_version(self) -> TRCFileVersion:
        """The version of the file, ``UNKNOWN`` before its first message was read."""
        return self._header.version if self._settled else TRCFileVersion.UNKNOWN

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        met = False
        for line in head.removeprefix(b"\xef\xbb\xbf").splitlines()[:64]:
            if not line.strip():
                continue
            if not line.startswith(b";"):
                return met and _LINE.match(line) is not None
            met = True
        return met

    def batches(self) -> Iterator[MessageBatch]:
        try:
            yield from self._as_documented(super().batches())
        finally:
            self._tell_left_out()

    def _documented_channel(self, channel: Channel) -> Channel:
        return channel_number(channel, first=1)

    def _tell_left_out(self) -> None:
        for kind, count in self._lines.left_out.items():
            self.note(f"{self.input.name}: {kind}: {count} left out")
        self._lines.left_out.clear()

    def _parse(
        self, text: Octets, at: int, end: int, batch: MessageBatch, first: int
    ) -> tuple[int, int, int]:
        if not self._plain:
            return no_kernel(at, batch, first)
        return kernel.parse(
            text,
            at,
            end,
            self._plain,
            self._layout,
            self._numbers,
            self._start_ns,
            self._most_ms,
            first,
            *batch.columns(),
        )

    def _known(self, reason: int, line: bytes) -> bool:
        if reason != kernel.CHANNEL or len(self._names.channels) >= MOST_CHANNELS:
            return False
        at = self._lines.columns.find("B")
        number = int(line.split()[at]) if at >= 0 else 1
        if number == 0:
            return False
        name = f"can{number - 1}"
        if name not in self._names.channels:
            self._names.add(name)
        self._numbers[number] = self._names.channels.index(name)
        return True

    def _line(self, line: bytes, reason: int) -> Message | None:
        stripped = line.strip()
        if not stripped:
            return None
        if stripped.startswith(b";"):
            self._header_line(_decoded(stripped))
            return None
        if not self._settled:
            self._settle(line)
        message = self._lines.read(line)
        if message is None:
            return None
        time_ns = self._start_ns + self._lines.offset_ns
        if not -_NS_LIMIT <= time_ns < _NS_LIMIT:
            raise FormatError(f"a time out of range in {quoted(line)}")
        message.timestamp_ns = time_ns
        return message

    def _header_line(self, text: str) -> None:
        if self._settled and begins_file(text):
            self._header, self._settled, self._plain = Header(), False, b""  # another file behind this one
        if not self._settled:
            self._header.take(text)

    def _settle(self, line: bytes) -> None:
        """Make what the header says hold for the lines behind it."""
        if not self._header.met and not _LINE.match(line):
            for form, name in _OTHERS:
                if form.match(line):
                    raise FormatError(f"{name}, not one of PEAK: {quoted(line, 30)}")
            raise FormatError(f"not a TRC line: {quoted(line)}")
        letters = self._header.columns
        if letters is None:
            raise FormatError(
                f"file version {quoted(self._header.version_text)} without readable $COLUMNS is not supported"
            )
        begins = self._header.start_ns(self.tz, self._header_note)
        if begins is None:
            self._header_note("no start time: its times count from 1970")
        self._settled = True
        self._start_ns = begins or 0
        self._most_ms = max(0, min((_NS_LIMIT - 1 - self._start_ns) // _MS - 1, _MOST_MS))
        self._tell_left_out()
        self._lines = LineReader(letters, status=self._status)
        is_plain = letters.endswith("D") and len({*letters}) == len(letters) and {*letters} & {*"lL"}
        fits = -_NS_LIMIT <= self._start_ns < _NS_LIMIT  # days allow for any year
        self._plain = letters.encode("ascii", "replace") if is_plain and fits else b""
        self._layout = kernel.LAYOUTS.get(self._plain, kernel.NO_LAYOUT)

    def _header_note(self, text: str) -> None:
        self.note(f"{self.input.name}: {text}")


class TRCWriter(RelativeWriter):
    """Writes TRC files.

    ``channel`` is the number, from 1, of frames that have none. ``version`` is 1.0, 1.1, 1.2, 1.3, 2.0 or
    2.1, by default 2.1. The start is in the zone ``tz``, by default local; it is that of the earliest of
    the first frames, down to the millisecond. A file that is appended to keeps its start and has to have the
    same version.

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
        if channel < 1:
            raise UsageError(f"channel {channel} cannot be written", hint="the channels of TRC count from 1")
        wanted = version if isinstance(version, TRCFileVersion) else VERSIONS.get(str(version or "2.1"))
        if wanted not in COLUMNS:
            raise UsageError(f"unknown version {quoted(str(version))}", hint=f"known: {', '.join(VERSIONS)}")
        super().__init__(file, "wt", *args, append=append, **kwargs)
        self.channel = channel
        self._version = wanted
        self._tz = tz
        self._channels = NumberedChannels(channel - 1, self.note)
        self._number = 1
        self._out = bytearray(_OUT_ROOM)
        if append and self.output.seekable and self.output.written:
            try:
                self._continue(None if version is None else wanted)
            except BaseException:
                self.output.close()
                raise

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

    def _put(self, batch: MessageBatch) -> None:
        batch = self._reduced(batch)
        table = self._channels.table(batch, _CHANNEL_LIMIT)
        numbers = array("H", [number + 1 for number in table])
        row, view = 0, memoryview(self._out)
        version, layout = int(self.file_version), self._layout()
        while row < len(batch):
            done, used, rounded = kernel.format(
                row,
                *batch.columns(),
                numbers,
                self._start_ns,
                version,
                layout,
                self._number,
                self._out,
            )
            self._count("digits of times", rounded)
            self._number += done - row
            self.output.write(view[:used])
            if done < len(batch) and batch.timestamp_ns[done] < self._start_ns:
                batch = self._not_before_start(batch)
            elif done < len(batch) and (done == row or batch.can_id[done] & frames.ERROR_BIT):
                self.output.write(self._strange(batch, done, numbers))
                done += 1
            row = done

    def _begin(self, start_ns: int) -> None:
        """Write the head; its start has milliseconds, and the first offset keeps the rest."""
        tz = self._tz or "local"
        lines = format_header(self.file_version, start_ns, tz)
        header = Header()
        for line in lines:
            header.take(line)
        if header.start_ns(tz, self.note) != start_ns:
            self.note(
                "the start occurs twice as daylight saving ends, read as the earlier: --tz UTC avoids it"
            )
        self.output.write("".join(f"{line}\r\n" for line in lines).encode())

    def _continue(self, wanted: TRCFileVersion | None) -> None:
        """Take start, version and number of the file that is appended to."""
        header = Header()
        for line in self.output.read_back(0, _LOOK).splitlines():
            if line.startswith(b";"):
                header.take(_decoded(line))
        start = header.start_ns(self._tz, self.note)
        if not header.met or header.columns != COLUMNS.get(header.version) or start is None:
            raise UsageError(f"{self.output.name} is not a TRC file that can be continued")
        if wanted not in (None, header.version):
            raise UsageError(
                f"{self.output.name} has version {header.version_text}, not the one to append",
                hint=f"trc,version={header.version_text} continues it",
            )
        self._begun, self._start_ns, self.file_version = True, start, header.version
        end_cut_line(self.output)
        size = min(self.output.written, _LOOK)
        last = _NUMBERS.findall(self.output.read_back(self.output.written - size, size))
        self._number = int(last[-1]) + 1 if last else 1

    def _reduced(self, batch: MessageBatch) -> MessageBatch:
        """Count what the version does not hold, and return the batch without frames that it has not."""
        version = self.file_version
        if version < TRCFileVersion.V2_0:
            fd = columns.count_bits(batch.flags, frames.FD)
            if fd:
                self._count("CAN FD frames (left out)", fd)
                batch = batch.without_fd()
        if version != TRCFileVersion.V2_1:
            self._count("raw DLC codes", columns.count_raw_dlc(batch.dlc_code, batch.flags))
        if version not in _WITH_BUS:
            plain = [index for index, name in enumerate(batch.channels) if name in ("can0", 0, None)]
            if len(plain) < len(batch.channels):
                self._count(
                    "channels",
                    len(batch) - sum(columns.count_entries(batch.channel, index) for index in plain),
                )
        if version == TRCFileVersion.V1_0:
            self._count("directions", columns.count_bits(batch.flags, frames.TX))
        return batch

    def _count(self, kind: str, count: int) -> None:
        if count:
            self.losses[kind] += count

    def _strange(self, batch: MessageBatch, row: int, numbers: array[int]) -> bytes:
        """Return the line of an error frame, or of one with a time that the kernel does not write."""
        if batch.can_id[row] & frames.ERROR_BIT:
            return self._error(batch[row], numbers[batch.channel[row]])
        alone = batch.part(row, row + 1)
        alone.timestamp_ns[0] = 0
        _, used, _ = kernel.format(
            0, *alone.columns(), numbers, 0, int(self.file_version), self._layout(), self._number, self._out
        )
        head = self._head(batch.timestamp_ns[row])
        return head + bytes(self._out[self._time_end() : used])

    def _layout(self) -> bytes:
        return kernel.LAYOUTS[COLUMNS[self.file_version].encode()]

    def _head(self, time_ns: int) -> bytes:
        """Return what a line begins with, number and time, and count the line."""
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
        """Return where the time of a line of 0.000 ends, which a number that was written is in front of."""
        _, width = _STEPS.get(self.file_version, (1_000, 14))
        return max(7, len(str(self._number - 1)) + (self.file_version < TRCFileVersion.V2_0)) + width

    def _error(self, message: Message, bus: int) -> bytes:
        """Return the line of an error frame; nothing where the format has no such error."""
        data = to_error_bytes(message.arbitration_id, message.data)
        if data is None:
            self._count("error frames (left out)", 1)
            return b""
        said = (message.arbitration_id or from_error_bytes(data)[0], bytes(message.data).ljust(8, b"\0"))
        self._count("error frame details", int(said != from_error_bytes(data)))
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


def _decoded(line: bytes) -> str:
    """Return a line as text: of UTF-8, else as a Western European installation writes it."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")
