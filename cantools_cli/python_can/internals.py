"""Functions that python-can does not document, under its names, for third parties that call them."""

from __future__ import annotations

from datetime import datetime

from cantools_cli.frame.message import Message

__all__ = ["convert_ascii_message_to_can_message", "systemtime_to_timestamp", "timestamp_to_systemtime"]

_SystemTime = tuple[int, int, int, int, int, int, int, int]


def convert_ascii_message_to_can_message(ascii_msg: str) -> Message | None:
    """Return the message of one line of a socketcand server; None if the line is no frame."""
    from cantools_cli.backends.socketcand.codec import Decoder, parse_frame
    from cantools_cli.errors import FormatError

    for text in Decoder().feed(ascii_msg.encode("ascii", "replace")):
        try:
            return parse_frame(text)
        except FormatError:
            return None
    return None


def timestamp_to_systemtime(timestamp: float | None) -> _SystemTime:
    """Return a local time as the numbers of BLF: year, month, day of the week, day, hour to millisecond."""
    if timestamp is None or timestamp < 631152000:  # the logs begin in 1990
        return (0,) * 8
    moment = datetime.fromtimestamp(round(timestamp, 3))
    weekday = moment.isoweekday() % 7
    date, clock = (
        (moment.year, moment.month, weekday, moment.day),
        (moment.hour, moment.minute, moment.second),
    )
    return (*date, *clock, round(moment.microsecond / 1000))


def systemtime_to_timestamp(systemtime: _SystemTime) -> float:
    """Return the seconds since 1970 of such numbers, 0 if they are no time."""
    year, month, _, day, hour, minute, second, milliseconds = systemtime
    try:
        return datetime(year, month, day, hour, minute, second, milliseconds * 1000).timestamp()
    except ValueError:
        return 0.0
