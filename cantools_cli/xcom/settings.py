"""Parameters of devices in a TOML file, to keep, compare and bring back.

::

    [xt1]
    # AC Output voltage, Vac, 110 to 280
    1286 = 230
    # Operating mode (AUX 1): 1 Automatic, 2 Reversed automatic, 4 Manual ON, 8 Manual OFF
    1202 = 1

A table a device, a key a parameter: its number, or its name in quotes. A value is a number, or text as the
command line takes it: ``"Manual ON"``, ``"13:41"``, ``"mon,tue"``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from cantools_cli.errors import FormatError, UsageError
from cantools_cli.xcom import values
from cantools_cli.xcom.addresses import Device, parse_device
from cantools_cli.xcom.objects import XcomObject, find
from cantools_cli.xcom.readings import Reading


@dataclass(frozen=True)
class Setting:
    """A value that a file wants a parameter to have."""

    device: Device
    object: XcomObject
    value: float


def device_table(device: Device) -> str:
    """Return the line that begins a device's table."""
    return f"[{device.name}]"


def setting_lines(reading: Reading) -> str:
    """Return the lines of a parameter that was read; as a comment where it has no value."""
    one = reading.object
    head = f"# {one.name}"
    if one.options:
        head += ": " + ", ".join(f"{value} {name}" for value, name in one.options.items())
    elif one.unit:
        head += f", {one.unit}"
    if reading.value is None or values.is_missing(None, reading.value):
        return f"{head}\n# {one.number} has no value: {reading.problem or values.NOT_AVAILABLE}\n"
    label = values.label(one, reading.value)
    behind = "" if label is None or one.options else f"  # {label}"
    return f"{head}\n{one.number} = {values.format_number(reading.value)}{behind}\n"


def read_settings(text: str, source: str) -> Iterator[Setting]:
    """Yield what the TOML ``text`` of the file ``source`` wants.

    Raises:
        FormatError: it is not TOML, or not of this form.
    """
    tomllib: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).partition(" (at line ")
        line = place.partition(",")[0]
        raise FormatError(reason, source=source, position=int(line) if line.isdigit() else None) from error
    for name, table in tables.items():
        try:
            if not isinstance(table, dict):
                raise UsageError(f"{name} is in no table of a device", hint="[xt1] begins one")
            device = parse_device(name)
        except UsageError as error:
            raise FormatError(str(error), source=source, hint=error.hint) from error
        for key, value in table.items():
            try:
                yield _setting(device, key, value)
            except UsageError as error:
                raise FormatError(f"[{name}] {key}: {error}", source=source, hint=error.hint) from error


def _setting(device: Device, key: str, value: object) -> Setting:
    one, _ = find(key, "parameter", device)
    if isinstance(value, bool):
        spelled = "yes" if value else "no"
    elif isinstance(value, int | float):
        spelled = repr(value)
    elif isinstance(value, str):
        spelled = value
    else:
        raise UsageError("the value is neither a number nor text")
    return Setting(device, one, values.parse(one, spelled))
