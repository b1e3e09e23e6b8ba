"""The columns of separated text.

A column is a number from 0, from the end if it is negative, or a name in the header, in any case. Two of them
with a colon are a range: ``3:11`` are the columns 3 to 10, ``3:`` all from 3 on, ``3:-1`` the same but for
the last one, and ``B1:B8`` those from B1 to B8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cantools_cli.errors import UsageError, quoted

Spec = int | str | bool

#: options of the user for places with another name here
_OPTIONS = {"identifier": "id", "direction": "dir"}
_INTEGER = re.compile(r"-?[0-9]{1,4}")
#: usual names in a header, as ``_normal`` returns them
_KNOWN: dict[str, tuple[str, ...]] = {
    "time": ("time", "timestamp", "time stamp", "abs time", "time s", "t", "time offset", "ts"),
    "identifier": (
        *("id", "can id", "canid", "arbitration id", "arb id", "addr", "address", "identifier"),
        *("message id", "messageid", "msg id", "frame id", "id hex", "can id hex"),
    ),
    "dlc": ("dlc", "len", "length", "dl", "data length", "message length", "messagelength", "size"),
    "data": ("data", "data field", "payload", "data hex", "data bytes", "message", "databytes"),
    "channel": ("channel", "bus", "chan", "ch", "interface", "chn", "can bus"),
    "direction": ("dir", "direction", "rx tx", "tx rx", "rxtx"),
    "extended": ("extended", "ext", "xtd", "ide", "is extended id", "extended id"),
    "remote": ("remote", "rtr", "is remote frame"),
    "fd": ("fd", "is fd", "fdf", "edl"),
    "error": ("error", "is error frame"),
}
_OCTET = re.compile(r"(?:b|d|db|byte|data|data byte) ?([0-9]{1,2})")
_UNIT = re.compile(r" (s|ms|us|ns|sec|seconds)$")


@dataclass
class Places:
    """The columns of a row, resolved to numbers; None for those that a row lacks.

    ``time`` and ``data`` may be slices: a date and a time, and data bytes in one column each. A flag may be a
    constant.
    """

    identifier: int
    time: int | slice | None = None
    data: int | slice | None = None
    dlc: int | None = None
    channel: int | None = None
    direction: int | None = None
    tx: int | bool | None = None
    extended: int | bool | None = None
    remote: int | bool | None = None
    fd: int | bool | None = None
    error: int | bool | None = None

    def __post_init__(self) -> None:
        single = [self.identifier]
        for value in (self.time, self.data, self.dlc, self.channel, self.direction):
            single += [value] if isinstance(value, int) else []
        for value in (self.tx, self.extended, self.remote, self.fd, self.error):
            single += [value] if isinstance(value, int) and not isinstance(value, bool) else []
        slices = [value for value in (self.time, self.data) if isinstance(value, slice)]
        if isinstance(self.time, slice):
            single += [self.time.start]
        #: columns that a row has at least
        self.needed = max(place + 1 if place >= 0 else -place for place in single)
        #: the last column used, negative if it is unknown
        self.last = max(single + [value.stop - 1 for value in slices if value.stop is not None])
        #: whether a column after ``last`` proves that the row is whole
        self.closes = min(single) >= 0 and all(value.stop is not None and value.stop > 0 for value in slices)


def resolved(specs: Mapping[str, Spec], header: Sequence[str] | None) -> Places | None:
    """Return the places that ``specs`` name; None if ``header`` lacks a name, or is missing and needed."""
    names = [_normal(name) for name in header] if header is not None else []
    places: dict[str, int | bool | slice | None] = {}
    for key, spec in specs.items():
        if isinstance(spec, bool):
            if key not in ("extended", "remote", "fd", "error", "tx"):
                raise UsageError(
                    f"{_OPTIONS.get(key, key)}={spec} is not a column",
                    hint="a number from 0, or a name in the header",
                )
            places[key] = spec
            continue
        text = str(spec).strip()
        place = _place(text, names)
        if place is None:
            return None
        if isinstance(place, slice) and key not in ("time", "data"):
            raise UsageError(f"{_OPTIONS.get(key, key)}={text}: only time and data can be several columns")
        places[key] = place
    return Places(**places)  # type: ignore[arg-type]  # checked by key above


def _place(text: str, names: Sequence[str]) -> int | slice | None:
    """Return the column, or columns, of ``text``; None for a name that the header lacks."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _normal(text) in names:
        return names.index(_normal(text))
    first, mark, last = text.partition(":")
    if not mark:
        return None
    start = _place(first, names) if first else None
    if not isinstance(start, int):
        return None
    if not last:
        return slice(start, None)
    stop = _place(last, names)
    if not isinstance(stop, int):
        return None
    return slice(start, stop if _INTEGER.fullmatch(last) else stop + 1)


def is_by_name(specs: Mapping[str, Spec]) -> bool:
    """Return whether a header is needed to find the columns."""
    return not specs or resolved(specs, None) is None


def guessed(header: Sequence[str]) -> tuple[dict[str, Spec], str | None]:
    """Return the columns whose names in ``header`` are known, and the unit that the time's name ends with."""
    specs: dict[str, Spec] = {}
    unit = None
    for number, name in enumerate(map(_normal, header)):
        ending = _UNIT.search(name)
        plain = name[: ending.start()] if ending else name
        for key, known in _KNOWN.items():
            if name in known or (key == "time" and plain in known):
                specs.setdefault(key, number)
                if key == "time" and ending and specs[key] == number:
                    unit = ending[1]
    octets = [number for number, name in enumerate(map(_normal, header)) if _OCTET.fullmatch(name)]
    if octets and "data" not in specs and octets == [*range(octets[0], octets[-1] + 1)]:
        specs["data"] = f"{octets[0]}:{octets[-1] + 1}"
    return specs, {"sec": "s", "seconds": "s"}.get(unit or "", unit)


def listed(header: Sequence[str]) -> str:
    """Return the names of a header for a message."""
    return ", ".join(quoted(name, 30) for name in header[:16]) + (", ..." if len(header) > 16 else "")


def _normal(name: str) -> str:
    """Return a name in lower case, with one blank for each run of anything but letters and digits."""
    return " ".join(re.sub(r"[^0-9a-zµ]+", " ", name.lower()).replace("µ", "u").split())
