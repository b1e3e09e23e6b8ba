"""The file header of BLF: 144 bytes with sizes, counts, and the start from which all times count.

::

    0   LOGG, u32 headerSize, u32 apiNumber, u8 applicationId, u8 compressionLevel, u8 major, u8 minor
    16  u64 fileSize, u64 unpackedSize, u32 objectCount, u32 applicationBuild
    40  start and end of the measurement, each as eight u16: year, month, weekday, day, hour, minute,
        second, millisecond; all zero for no date
    72  u64 restorePointsOffset, 64 reserved bytes

All numbers are little-endian. Sizes and counts are stale if the writer was killed, so nothing relies on them.

The file does not state its time zone. Vector's tools write local time; canx and python-can since 4.0 write
UTC, and ``written_in_utc`` recognises these two.

Source: files of Vector's tools, python-can and Wireshark, and experiments with these readers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

from cantools_cli import clock

FILE_SIGNATURE = b"LOGG"
HEADER_SIZE = 144
MIN_SIZE = 56  #: bytes up to the end of the start time
MAX_SIZE = 1 << 16  #: a header that states more is damaged
MARK = 0x63616E78  #: applicationBuild of files that canx writes in UTC

_LAYOUT = struct.Struct("<4s2L4B2Q2L16s16s72x")
_TIME = struct.Struct("<8H")
_API_NUMBER = 4_070_100  # a version of Vector's library that all readers know
_NO_DATE = bytes(16)
#: the bytes from offset 8 of every file of python-can
_PYTHON_CAN = bytes.fromhex("0500000002060801")
_LIMIT_NS = 1 << 63


@dataclass
class FileHeader:
    """The file header that canx writes; ``start_ns`` is None for a file without a date.

    ``original`` is the header of a continued file, in which only sizes, counts and the end change.
    """

    tz: str
    application_id: int = 0
    compression_level: int = 0
    start_ns: int | None = None
    last_ns: int | None = None
    file_size: int = 0
    unpacked_size: int = 0
    objects: int = 0
    original: bytes = b""

    def pack(self) -> bytes:
        """Return the bytes, with canx's mark if the times are UTC."""
        program = (_API_NUMBER, self.application_id, self.compression_level, 0, 1)
        sizes = (self.file_size, self.unpacked_size, min(self.objects, 0xFFFFFFFF))
        mark = MARK if self.tz.upper() == "UTC" else 0
        times = (pack_time(self.start_ns, self.tz), pack_time(self.last_ns, self.tz))
        data = _LAYOUT.pack(FILE_SIGNATURE, HEADER_SIZE, *program, *sizes, mark, *times)
        if not self.original:
            return data
        return self.original[:16] + data[16:36] + self.original[36:56] + data[56:72]


def pack_time(nanoseconds: int | None, tz: str) -> bytes:
    """Return the 16 bytes of a time, floored to the millisecond, as wall clock time in ``tz``."""
    if nanoseconds is None:
        return _NO_DATE
    wall = clock.ns_to_wall(nanoseconds, tz)
    year, month, *moment = wall.timetuple()[:6]
    return _TIME.pack(year, month, wall.isoweekday() % 7, *moment, wall.microsecond // 1000)


def unpack_time(raw: bytes, tz: str) -> int | None:
    """Return the nanoseconds since the epoch, None for no date; ValueError for an impossible one."""
    if raw == _NO_DATE:
        return None
    year, month, _, day, hour, minute, second, milli = _TIME.unpack(raw)
    if milli > 999:
        raise ValueError("millisecond must be in 0..999")
    try:
        nanoseconds = clock.wall_to_ns(datetime(year, month, day, hour, minute, second, milli * 1000), tz)
    except (OverflowError, OSError) as error:  # local time near the ends of the calendar
        raise ValueError("no such time in the local zone") from error
    if not -_LIMIT_NS <= nanoseconds < _LIMIT_NS:
        raise ValueError(f"year {year} is out of range")
    return nanoseconds


def header_size(head: bytes) -> int:
    """Return the position of the first object."""
    return int.from_bytes(head[4:8], "little")


def written_in_utc(head: bytes) -> bool:
    """Return whether python-can or canx wrote the file, both of which write UTC."""
    build = int.from_bytes(head[36:40], "little")
    return build == MARK or (build == 0 and head[8:16] == _PYTHON_CAN)


def read_start(head: bytes, tz: str | None) -> tuple[int, str | None]:
    """Return the start in nanoseconds since the epoch, 0 without a date; and the assumption made, or None.

    If ``tz`` is None, the time zone is UTC for writers that are known to use it, else local time.
    """
    raw = head[40:56]
    zone = tz or ("UTC" if written_in_utc(head) else "local")
    try:
        start = unpack_time(raw, zone)
    except ValueError as error:
        return 0, f"the start time is not a valid date ({error}): times count from 1970"
    if start is None:
        return 0, None
    if tz is None and zone == "local":
        return start, "the file does not state its time zone: its start is read as local time"
    return start, None


def read_header(head: bytes, tz: str | None) -> tuple[FileHeader, str | None]:
    """Return the header of a file to continue; and the assumption made for its start, or None."""
    start_ns, assumed = read_start(head, tz)
    zone = tz or ("UTC" if written_in_utc(head) else "local")
    try:
        last_ns = unpack_time(head[56:72], zone)
    except ValueError:
        last_ns = None
    objects = int.from_bytes(head[32:36], "little")
    header = FileHeader(zone, start_ns=start_ns, last_ns=last_ns, objects=objects, original=head)
    return header, assumed
