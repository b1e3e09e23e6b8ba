"""Text formats without a kernel: plain Python parses each line, straight into the columns of a batch.

A reader of such a format implements ``_rows``, which returns the frames of one line as tuples. Creating a
``Message`` for each would take twice as long.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sized
from contextlib import suppress
from typing import Any, cast

from cantools_cli.errors import FormatError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.io.files import AnyFile
from cantools_cli.io.text import FULL, STRANGE, Parsed, TextReader, decimal_ns
from cantools_cli.kernels.buffers import ReadBuffer

#: (nanoseconds, identifier with SocketCAN's flags, flags, DLC code, data, channel)
Row = tuple[int, int, int, int, bytes, str]

#: frames of one line, and their data: an NMEA 2000 message of 223 bytes takes 32 frames
MAX_ROWS = 32
_MAX_DATA = 64 * MAX_ROWS
_OCTET = re.compile(rb"[0-9A-Fa-f]{1,2}")
_DAY_NS = 86_400_000_000_000


class RowReader(TextReader):
    """Reads a log whose lines hold any number of frames each; a subclass implements ``_rows``."""

    reads_in_thread = False  # plain Python gains nothing there
    _fault_here: FormatError | None = None
    _is_dateless = False  #: whether times of the day were noted

    def __init__(self, file: AnyFile, *args: Any, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._indexes: dict[str, int] = {}
        self._day = LapClock(_DAY_NS, slack_ns=_DAY_NS // 2)

    @abstractmethod
    def _rows(self, line: bytes) -> tuple[Row, ...]:
        """Return the frames of ``line``, which comes without its end."""

    def _parse(self, text: ReadBuffer, at: int, end: int, batch: MessageBatch, first: int) -> Parsed:
        data = cast("bytes | bytearray", text)
        times, can_ids, flags, channels, codes, offset, payload = batch.columns()
        indexes, rows_of = self._indexes, self._rows
        last_row, last_octet = len(batch) - MAX_ROWS, len(payload) - _MAX_DATA
        row, lines, reason, used = first, 0, 0, offset[first]
        while at < end:
            if row > last_row or used > last_octet:
                reason = FULL
                break
            stop = data.index(b"\n", at)
            line = bytes(data[at:stop])
            if b"\r" in line:
                if line.find(b"\r", 0, -1) >= 0:  # a lone CR, which the caller makes a newline
                    reason = STRANGE
                    break
                line = line[:-1]
            begin, begin_octet = row, used
            try:
                for time_ns, can_id, mark, code, content, channel in rows_of(line):
                    index = indexes.get(channel)
                    if index is None:
                        index = indexes[channel] = self._names.index(channel)
                    channels[row] = index
                    times[row] = time_ns  # raises OverflowError beyond 64 bits
                    can_ids[row] = can_id
                    flags[row] = mark
                    codes[row] = code
                    size = len(content)
                    payload[used : used + size] = content
                    used += size
                    row += 1
                    offset[row] = used
            except (ValueError, OverflowError) as error:
                row, used = begin, begin_octet
                if isinstance(error, OverflowError):
                    error = FormatError("the timestamp is out of range (64 bits of nanoseconds)")
                hint = error.hint if isinstance(error, FormatError) else None
                self._fault_here = FormatError(
                    f"{getattr(error, 'reason', error)}: {quoted(line)}", hint=hint
                )
                reason = STRANGE
                break
            lines += 1
            self.is_ambiguous = row > begin
            at = stop + 1
        self.line += lines - (row - first)  # the caller counts a line for each row
        return at, row, reason

    def _line(self, line: bytes, reason: int) -> Message | None:
        error, self._fault_here = self._fault_here, None
        if error is not None:
            raise error
        return None

    def _of_the_day(self, clock: bytes, fraction: bytes) -> int:
        """Return the nanoseconds since the first midnight of a time such as 12:34:56 without a date."""
        hours, minutes, seconds = map(int, clock.split(b":"))
        if hours > 23 or minutes > 59 or seconds > 59:
            raise FormatError(f"invalid time of day {clock.decode()}")
        if not self._is_dateless:
            self._is_dateless = True
            self.note_file("times of day without a date: they count from 1970-01-01")
        whole_ns = (hours * 3600 + minutes * 60 + seconds) * 1_000_000_000
        return self._day.time_ns(whole_ns + decimal_ns(b"0", fraction))


def frame_row(
    time_ns: int,
    identifier: int,
    is_extended: bool,
    data: bytes,
    channel: str = "can0",
    *,
    is_sent: bool = False,
    asked_for: int | None = None,
    fd_flags: int | None = None,
) -> Row:
    """Return the row of a data frame, of CAN FD with ``fd_flags``, or remote for ``asked_for`` bytes."""
    size = len(data)
    if not 0 <= identifier <= (bits.CAN_EFF_MASK if is_extended else bits.CAN_SFF_MASK):
        width = 29 if is_extended else 11
        raise FormatError(f"identifier {identifier:X} is out of range for {width} bits")
    can_id = identifier | (bits.CAN_EFF_FLAG if is_extended else 0)
    flags = bits.TX if is_sent else 0
    if asked_for is not None:
        if not 0 <= asked_for <= 8:
            raise FormatError(f"a remote frame requests 0 to 8 bytes, not {asked_for}")
        return time_ns, can_id | bits.CAN_RTR_FLAG, flags, asked_for, b"", channel
    if fd_flags is not None:
        if size > 64 or bits.dlc2len(bits.len2dlc(size)) != size:
            raise FormatError(f"{size} is not a CAN FD length")
        return time_ns, can_id, flags | bits.FD | fd_flags, bits.len2dlc(size), data, channel
    if size > 8:
        raise FormatError(f"{size} data bytes, but a classic frame holds 8")
    return time_ns, can_id, flags, size, data, channel


def check_size(data: Sized, size: int) -> None:
    """Raise FormatError unless ``data`` has ``size`` bytes, or words."""
    if len(data) != size:
        raise FormatError(f"the length is {size}, but there are {len(data)} data bytes")


def octets(words: list[bytes], size: int | None = None) -> bytes:
    """Return the bytes of ``words``, each of one or two hexadecimal digits; ``size`` is their number."""
    if size is not None:
        check_size(words, size)
    joined = b" ".join(words)
    if len(joined) == 3 * len(words) - 1:
        with suppress(ValueError):
            return bytes.fromhex(joined.decode("ascii", "replace"))
    for word in words:
        if not _OCTET.fullmatch(word):
            raise FormatError(f"bad data byte {quoted(word)}")
    return bytes(int(word, 16) for word in words)


class LapClock:
    """Times that restart at 0 after each lap, such as a minute or a day; a pause of a lap is not detected.

    A time more than ``slack_ns`` earlier than the previous one belongs to the next lap.
    """

    def __init__(self, lap_ns: int, slack_ns: int = 0) -> None:
        self.lap_ns = lap_ns
        self._slack_ns = slack_ns
        self._last_ns = 0
        self._laps_ns = 0

    def time_ns(self, since_ns: int) -> int:
        """Return the nanoseconds since the first lap began."""
        if since_ns < self._last_ns - self._slack_ns:
            self._laps_ns += self.lap_ns
        self._last_ns = since_ns
        return self._laps_ns + since_ns
