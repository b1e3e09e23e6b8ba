"""Frames and filters in the place of a BUS: the user forgot the bus, or the name of an option.

::

    canx send 123#11                      a frame, and no bus
    canx dump can0 -f 100:7FC 200:7F0     python-can's way to give several filters: -f takes one
    canx dump can0#FF                     the comma before a filter is missing

A path may contain #, and ID:MASK may be the host and port of an interface that the address names.
"""

from __future__ import annotations

import re

from cantools_cli.errors import UsageError, quoted

_HEX = "(?:0[xX])?[0-9A-Fa-f]+"
_FRAME = re.compile(r"(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{5}|[0-9A-Fa-f]{8})#")
_MASKED = re.compile(f"{_HEX}[:~]{_HEX}")
_RANGE = re.compile("[0-9A-Fa-f]{3}-[0-9A-Fa-f]{3}|[0-9A-Fa-f]{8}-[0-9A-Fa-f]{8}")
_IDENTIFIER = re.compile("[0-9A-Fa-f]{3}|[0-9A-Fa-f]{8}")


def is_filter(text: str) -> bool:
    """Return whether ``text`` has a form that only filters have."""
    return all(
        _MASKED.fullmatch(part) or _RANGE.fullmatch(part) or re.fullmatch(f"#{_HEX}", part)
        for part in text.split(",")
    )


def is_identifier(text: str) -> bool:
    """Return whether ``text`` has the form of a filter for one identifier, which a bus name may have, too."""
    return _IDENTIFIER.fullmatch(text) is not None


def misplaced_filter(text: str, wanted: str = "a bus") -> UsageError:
    """Return the error for a filter in the place of something else."""
    hint = f"each filter has its own -f, as in -f 123 -f {text}"
    if not is_identifier(text) and not _RANGE.fullmatch(text):
        hint += f"; or a comma after the bus: BUS,{text}"
    return UsageError(f"{quoted(text)} is a filter, not {wanted}", hint=hint)


def check(text: str, channel: str, *, is_prefixed: bool) -> None:
    """Refuse a ``channel`` of the address ``text`` that is a frame or a filter.

    ``is_prefixed`` is set if the address names an interface whose channels may look like a filter.
    """
    if "#" in channel and "/" not in channel:
        if _FRAME.match(channel):
            raise UsageError(
                f"{quoted(text)} is a frame, not a bus", hint=f"the bus comes first: canx send BUS {channel}"
            )
        if channel.startswith("#"):
            raise misplaced_filter(text)
        name, _, mask = text.partition("#")
        raise UsageError(
            f"{quoted(text)}: a bus name cannot contain #", hint=f"a filter follows a comma: {name},#{mask}"
        )
    if not is_prefixed and is_filter(channel):
        raise misplaced_filter(text)
