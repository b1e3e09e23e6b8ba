"""The objects of Studer devices (parameters, user infos, messages), found by number or part of a name.

``objects.tsv.gz`` next to this module has one row per object; ``pack`` creates it from comma-separated values
with the same columns. Limits and defaults are for 48 V batteries and 230 V mains; the limits of an actual
device have to be read from it.

Source: Studer Innotec, "Xtender serial protocol", appendix V1.6.42 (28.05.2025): numbers, names, units,
limits. Xcom-CAN has the same objects.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from cantools_cli.errors import UsageError, quoted
from cantools_cli.xcom.addresses import FAMILIES, Device, parse_device
from cantools_cli.xcom.codec import LARGEST_ID

COLUMNS = (
    *("number", "kind", "device_family", "name", "unit", "format", "default", "min", "max"),
    *("step", "level", "options", "short", "section", "note"),
)
KINDS = ("parameter", "info", "message")
#: parameters that switch, reset or reconfigure a device, in addition to all commands (``is_signal``)
GUARDED = frozenset(
    (
        *(1124, 1125, 1127, 1128, 1287, 1395, 1399, 1415, 1468, 1550, 1576, 1628),
        *(6003, 6004, 6005, 6057),
        *(10001, 10039, 10040, 10051, 10056, 10057, 10058, 10342),
        *(14038, 14039, 14059, 14067, 14068, 14069, 14218),
        *(5033, 5041, 5043, 5044, 5047, 5061, 5062, 5068, 5070, 5071, 5075, 5095, 5103, 5121),
    )
)
#: family -> infos with its type, its software version (high, low) and its serial number (high, low)
IDENTITY = {
    "xt": (3124, (3130, 3131), (3156, 3157)),
    "bsp": (7034, (7037, 7038), (7048, 7049)),
    "bms": (7053, (7054, 7054), (7048, 7049)),
    "vt": (11015, (11050, 11051), (11067, 11068)),
    "vs": (15074, (15077, 15078), (15102, 15103)),
}
#: family -> an info of all its devices that the family sharing their address lacks
PROBES = {"xt": 3000, "bsp": 7034, "bms": 7054, "vt": 11000, "vs": 15000}
#: family -> the thousands of its numbers
_THOUSANDS = {"xt": (1, 3), "rcc": (5,), "bsp": (6, 7), "vt": (10, 11), "vs": (14, 15)}
_SHOWN = 8  # candidates in the hint of an ambiguous name


@dataclass(frozen=True)
class XcomObject:
    """A parameter, a user info or a message."""

    number: int
    kind: str  #: parameter, info or message
    family: str  #: xt, rcc, bsp, bms, vt or vs; ``xt120`` for limits of 120 V Xtenders, ``any`` for messages
    name: str = ""
    unit: str = ""
    format: str = ""  #: float, bool, short_enum, long_enum, int32, not_supported; empty if unknown
    #: as in the table; None if missing
    default: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    step: str = ""  #: a number, ``one_bit``, ``bitfield`` or ``signal``; may be empty
    level: str = ""  #: access level of a parameter, severity of a message
    options: dict[int, str] = field(default_factory=dict)  #: number -> label
    short: str = ""
    section: str = ""
    note: str = ""

    @property
    def is_signal(self) -> bool:
        """Whether it is a command, executed by writing 1; its value has no meaning."""
        return self.step == "signal"

    @property
    def is_guarded(self) -> bool:
        """Whether writing it switches, resets or reconfigures a device."""
        return self.kind == "parameter" and (self.is_signal or self.number in GUARDED)

    @property
    def editing_step(self) -> float:
        """The step by which a remote control changes the value, or 0."""
        try:
            return float(self.step)
        except ValueError:
            return 0.0


def pack(text: str) -> bytes:
    """Return the data file for a table of comma-separated values with the columns ``COLUMNS``."""
    import csv
    import gzip
    import io

    rows = csv.DictReader(io.StringIO(text))
    lines = ("\t".join(row[column].replace("\t", " ") for column in COLUMNS) for row in rows)
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), 9, mtime=0)


@cache
def table() -> tuple[XcomObject, ...]:
    """Return all objects, in the order of the file."""
    path = os.path.join(os.path.dirname(__file__), "objects.tsv.gz")
    with open(path, "rb") as file:
        text = zlib.decompress(file.read(), zlib.MAX_WBITS | 16).decode()
    return tuple(map(_parsed, text.splitlines()))


def _parsed(line: str) -> XcomObject:
    number, kind, family, name, unit, form, default, low, high, step, level, options, *rest = line.split("\t")
    labels = (pair.partition("=") for pair in options.split(";") if pair)
    return XcomObject(
        int(number),
        kind,
        family,
        name,
        unit,
        form,
        _number(default),
        _number(low),
        _number(high),
        step,
        level,
        {int(value): label for value, _, label in labels},
        *rest,
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


@cache
def _by_number() -> dict[tuple[str, int], list[XcomObject]]:
    objects: dict[tuple[str, int], list[XcomObject]] = {}
    for obj in table():
        if obj.family != "xt120":
            objects.setdefault((obj.kind, obj.number), []).append(obj)
    return objects


def lookup(kind: str, number: int, family: str | None = None) -> XcomObject | None:
    """Return the object with ``number``, of any family if that is None; None if it is unknown."""
    objects = _by_number().get((kind, number), [])
    return next((obj for obj in objects if family in (None, obj.family, "any")), None)


def message_text(number: int) -> str:
    """Return a text such as ``Warning (016): Fan error detected``."""
    message = lookup("message", number)
    if message is None:
        return f"({number:03d}): unknown message"
    text = f"({number:03d}): {message.name}"
    return f"{message.level.capitalize()} {text}" if message.level else text


def of_family(kind: str, family: str) -> list[XcomObject]:
    """Return all objects of a kind and family."""
    return [obj for obj in table() if obj.kind == kind and obj.family == family]


def search(pattern: str, kind: str | None = None, family: str | None = None) -> Iterator[XcomObject]:
    """Yield objects that contain all words of ``pattern`` in number, name, unit, short name or section."""
    words = pattern.casefold().split()
    for obj in table():
        if obj.family == "xt120" or (kind and obj.kind != kind) or (family and obj.family != family):
            continue
        fields = (str(obj.number), obj.name, obj.unit, obj.short, obj.section)
        text = "\n".join(fields).casefold()
        if all(word in text for word in words):
            yield obj


def default_device(family: str) -> Device:
    """Return the first unit of a family."""
    return Device(FAMILIES[family].group + 1, family)


def find(text: str, kind: str, device: Device | None = None) -> tuple[XcomObject, Device]:
    """Return the object with a number, or with a unique part of a name, and the device to ask.

    ``xt2:1286`` includes the device. The default is the first unit of the object's family. Numbers missing
    from the table are accepted if the device is given.
    """
    prefix, mark, rest = text.partition(":")
    if mark and rest.strip():
        try:
            device = parse_device(prefix)
        except UsageError:
            pass
        else:
            text = rest
    word = text.strip()
    if word.isascii() and word.isdigit():
        return _of_number(int(word), kind, device)
    return _of_name(word, kind, device)


def find_readable(text: str, device: Device | None = None) -> tuple[XcomObject, Device]:
    """Return a user info, else a parameter; like ``find``."""
    try:
        return find(text, "info", device)
    except UsageError as error:
        try:
            return find(text, "parameter", device)
        except UsageError:
            raise error from None


def _families(device: Device | None) -> tuple[str, ...]:
    """Return the possible families of a device; empty if unknown."""
    if device is None or device.family is None:
        return ()
    return ("bsp", "bms") if device.family == "bsp" else (device.family,)


def _of_number(number: int, kind: str, device: Device | None) -> tuple[XcomObject, Device]:
    if number > LARGEST_ID:
        raise UsageError(f"{number} is not an object number: the largest is {LARGEST_ID}")
    if device is not None:
        for family in _families(device) or (None,):
            obj = lookup(kind, number, family)
            if obj is not None:
                return obj, device
        return XcomObject(number, kind, device.family or "", f"{kind} {number}"), device
    obj = lookup(kind, number)
    if obj is not None:
        return obj, default_device(obj.family)
    other = next((k for k in KINDS if k not in (kind, "message") and lookup(k, number)), None)
    if other is not None:
        verb = {"info": "read-info", "parameter": "read-param"}[other]
        raise UsageError(f"{number} is not a {kind}, it is a{'n' * (other == 'info')} {other}", hint=verb)
    near = next((name for name, thousands in _THOUSANDS.items() if number // 1000 in thousands), None)
    hint = f"--device {near}1 asks a device anyway" if near else "canx xcom list shows all objects"
    raise UsageError(f"unknown {kind} {number}", hint=hint)


def _of_name(word: str, kind: str, device: Device | None) -> tuple[XcomObject, Device]:
    families = _families(device)
    if not word:
        raise UsageError("the name of the object is empty", hint="canx xcom list shows all objects")
    key = word.casefold()
    known = [
        obj
        for obj in table()
        if obj.kind == kind and obj.family != "xt120" and (not families or obj.family in families)
    ]
    exact = [obj for obj in known if key in (obj.name.casefold(), obj.short.casefold())]
    matches = exact or [obj for obj in known if key in obj.name.casefold()]
    distinct = list({(obj.number, obj.name): obj for obj in matches}.values())
    if not matches:
        raise UsageError(f"no {kind} has {quoted(word)} in its name", hint="canx xcom list WORD searches")
    if len(distinct) > 1:
        shown = ", ".join(f"{obj.number} {obj.name}" for obj in distinct[:_SHOWN])
        more = f", and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
        raise UsageError(f"{quoted(word)} matches {len(distinct)} {kind}s", hint=shown + more)
    return matches[0], device or default_device(matches[0].family)
