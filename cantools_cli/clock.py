"""Conversion between nanoseconds since the epoch and the wall-clock times of logs, which have no time zone.

A zone is an IANA name, ``UTC``, or ``local`` for the zone of this machine. An hour that the end of daylight
saving time repeats is the earlier one.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo

from cantools_cli.errors import UsageError, quoted

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def zone(name: str) -> tzinfo | None:
    """Return the zone ``name``, or None for local time, as in ``datetime``."""
    if name == "local":
        return None
    if name.upper() == "UTC":
        return timezone.utc
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"unknown time zone {quoted(name)}", hint="local, UTC, or a name such as Europe/Berlin"
        ) from error


def wall_to_ns(wall: datetime, tz: str) -> int:
    """Return the nanoseconds since the epoch of the naive ``wall`` in the zone ``tz``."""
    where = zone(tz)
    aware = wall.astimezone() if where is None else wall.replace(tzinfo=where)
    since = aware - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def ns_to_wall(nanoseconds: int, tz: str) -> datetime:
    """Return the naive wall-clock time in the zone ``tz``, floored to the microsecond."""
    moment = _EPOCH + timedelta(microseconds=nanoseconds // 1_000)
    return moment.astimezone(zone(tz)).replace(tzinfo=None)
