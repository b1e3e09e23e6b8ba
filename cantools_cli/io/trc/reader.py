"""Reading PEAK's TRC."""

from __future__ import annotations

import re
from typing import Any

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.io.channels import channel_number
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text import NumberedReader, Parsed, decoded, no_kernel
from cantools_cli.io.trc.header import COLUMNS, TRCFileVersion, TrcHeader, begins_file
from cantools_cli.io.trc.lines import LineReader, bus_name
from cantools_cli.kernels import trc as kernel
from cantools_cli.kernels.buffers import ReadBuffer

_LINE = re.compile(rb"[ \t]*\d+\)?[ \t]+-?\d")
_NS_LIMIT = 1 << 63
_MS = 1_000_000
_MAX_MS = 9 * 10**12  # whose nanoseconds 64 bits hold
#: first bytes of other programs' files with the suffix .trc
_OTHERS = (
    (re.compile(rb"@ TEXT @"), "a trace of CARBUS Analyzer"),
    (re.compile(rb".{0,40}WAVEDESC"), "a trace of a LeCroy oscilloscope"),
    (re.compile(rb"[^\t]*\t[^\t]*\t"), "a table separated by tabs, such as SavvyCAN's"),
)


class TRCReader(NumberedReader):
    """Reads TRC files of versions 1.0, 1.1, 1.2, 1.3, 2.0 and 2.1.

    Times are since the epoch; the start in the file is in the zone ``tz``, by default UTC if python-can wrote
    the file, else local. With ``status``, status changes and error counters are read as error frames. The
    channel of a frame is the number of its bus, from 1; the writer counts channels from 0, both as in
    python-can.
    """

    def __init__(self, file: AnyFile, *args: Any, status: bool = False, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._status = status
        self._header = TrcHeader()
        self._lines = LineReader(COLUMNS[TRCFileVersion.V1_0], self.left_out)
        self._plain = b""  # columns that the kernel parses
        self._layout = kernel.NO_LAYOUT
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

    def _documented_channel(self, channel: Channel) -> Channel:
        return channel_number(channel, first=1)

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        if not self._plain:
            return no_kernel(at, batch, first)
        header = (self._plain, self._layout, self._numbers, self._start_ns, self._most_ms)
        others = (*header, first, *batch.columns())
        return kernel.parse(text, at, end, *others)

    def _numbered(self, line: bytes) -> tuple[int, str]:
        at = self._lines.columns.find("B")
        number = line.split()[at] if at >= 0 else b"1"
        return int(number), bus_name(number)

    def _line(self, line: bytes, reason: int) -> Message | None:
        stripped = line.strip()
        if not stripped:
            return None
        if stripped.startswith(b";"):
            self._header_line(decoded(stripped))
            return None
        if not self._settled:
            self._settle(line)
        message = self._lines.read(line)
        if message is None:
            return None
        time_ns = self._start_ns + self._lines.offset_ns
        if not -_NS_LIMIT <= time_ns < _NS_LIMIT:
            raise FormatError(f"timestamp out of range in {quoted(line)}")
        message.timestamp_ns = time_ns
        return message

    def _header_line(self, text: str) -> None:
        if self._settled and begins_file(text):
            self._header, self._settled, self._plain = (
                TrcHeader(),
                False,
                b"",
            )  # another file follows this one
        if not self._settled:
            self._header.take(text)

    def _settle(self, line: bytes) -> None:
        """Apply the header to the lines that follow it."""
        if not self._header.met and not _LINE.match(line):
            for form, name in _OTHERS:
                if form.match(line):
                    raise FormatError(f"{name}, not a PEAK trace: {quoted(line, 30)}")
            raise FormatError(f"not a TRC line: {quoted(line)}")
        letters = self._header.columns
        if letters is None:
            raise FormatError(
                f"file version {quoted(self._header.version_text)} without readable $COLUMNS is not supported"
            )
        begins = self._header.start_ns(self.tz, self.note_file)
        if begins is None:
            self.note_file("no start time: times count from 1970")
        self._settled = True
        self._start_ns = begins or 0
        self._most_ms = max(0, min((_NS_LIMIT - 1 - self._start_ns) // _MS - 1, _MAX_MS))
        self._lines = LineReader(letters, self.left_out, status=self._status)
        is_plain = letters.endswith("D") and len({*letters}) == len(letters) and {*letters} & {*"lL"}
        fits = -_NS_LIMIT <= self._start_ns < _NS_LIMIT  # days allow for any year
        self._plain = letters.encode("ascii", "replace") if is_plain and fits else b""
        self._layout = kernel.LAYOUTS.get(self._plain, kernel.NO_LAYOUT)
