"""Parameters of devices in a TOML file, to save, compare and restore them.

::

    [xt1]
    # AC Output voltage, Vac, 110 to 280
    1286 = 230
    # Operating mode (AUX 1): 1 Automatic, 2 Reversed automatic, 4 Manual ON, 8 Manual OFF
    1202 = 1

Each table is a device; each key is the number of a parameter, or its name in quotes. A value is a number, or
text in the form of the command line: ``"Manual ON"``, ``"13:41"``, ``"mon,tue"``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cantools_cli.bus.config import toml_tables
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.xcom import values
from cantools_cli.xcom.addresses import Device, parse_device
from cantools_cli.xcom.objects import XcomObject, find
from cantools_cli.xcom.readings import Reading


@dataclass(frozen=True)
class Setting:
    """The value of a parameter in a file."""

    device: Device
    object: XcomObject
    value: float


def setting_lines(reading: Reading) -> str:
    """Return the lines for a parameter; a comment if it has no value."""
    obj = reading.object
    head = f"# {obj.name}"
    if obj.options:
        head += ": " + ", ".join(f"{value} {name}" for value, name in obj.options.items())
    elif obj.unit:
        head += f", {obj.unit}"
    if reading.value is None or values.is_missing(None, reading.value):
        return f"{head}\n# {obj.number} has no value: {reading.problem or values.NOT_AVAILABLE}\n"
    label = values.label(obj, reading.value)
    comment = "" if label is None or obj.options else f"  # {label}"
    return f"{head}\n{obj.number} = {values.format_number(reading.value)}{comment}\n"


def read_settings(text: str, source: str) -> Iterator[Setting]:
    """Yield the settings in the TOML ``text`` of the file ``source``."""
    for name, table in toml_tables(text, source).items():
        try:
            if not isinstance(table, dict):
                raise UsageError(f"{name} is outside of a device's table", hint="[xt1] starts a table")
            device = parse_device(name)
        except UsageError as error:
            raise FormatError(str(error), source=source, hint=error.hint) from error
        for key, value in table.items():
            try:
                yield _setting(device, key, value)
            except UsageError as error:
                raise FormatError(f"[{name}] {key}: {error}", source=source, hint=error.hint) from error


def _setting(device: Device, key: str, value: object) -> Setting:
    obj, _ = find(key, "parameter", device)
    if isinstance(value, bool):
        spelled = "yes" if value else "no"
    elif isinstance(value, int | float):
        spelled = repr(value)
    elif isinstance(value, str):
        spelled = value
    else:
        raise UsageError("the value is neither a number nor text")
    return Setting(device, obj, values.parse(obj, spelled))
