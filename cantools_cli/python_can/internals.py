"""Undocumented functions of python-can that third parties call."""

from __future__ import annotations

from datetime import datetime

from cantools_cli.frame.message import Message

__all__ = ["convert_ascii_message_to_can_message", "systemtime_to_timestamp", "timestamp_to_systemtime"]

_SystemTime = tuple[int, int, int, int, int, int, int, int]


def convert_ascii_message_to_can_message(ascii_msg: str) -> Message | None:
    """Return the message of one line of a socketcand server, or None if the line is not a frame."""
    from cantools_cli.backends.socketcand.codec import SocketcandDecoder, parse_frame
    from cantools_cli.errors import FormatError

    for text in SocketcandDecoder().feed(ascii_msg.encode("ascii", "replace")):
        try:
            return parse_frame(text)
        except FormatError:
            return None
    return None


def timestamp_to_systemtime(timestamp: float | None) -> _SystemTime:
    """Return a local time as in BLF: year, month, weekday, day, hour, minute, second, millisecond."""
    if timestamp is None or timestamp < 631152000:  # python-can's lower limit, 1990
        return (0,) * 8
    moment = datetime.fromtimestamp(round(timestamp, 3))
    weekday = moment.isoweekday() % 7
    date, clock = (
        (moment.year, moment.month, weekday, moment.day),
        (moment.hour, moment.minute, moment.second),
    )
    return (*date, *clock, round(moment.microsecond / 1000))


def systemtime_to_timestamp(systemtime: _SystemTime) -> float:
    """Return the seconds since 1970 of a local time as in BLF, or 0 if it is invalid."""
    year, month, _, day, hour, minute, second, milliseconds = systemtime
    try:
        return datetime(year, month, day, hour, minute, second, milliseconds * 1000).timestamp()
    except ValueError:
        return 0.0
