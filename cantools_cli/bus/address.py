"""Bus addresses of the command line: ``[INTERFACE:]CHANNEL[,key=value...]``.

::

    can0                                     the interface is configured, or the kernel's
    slcan:/dev/ttyACM0@115200,bitrate=500k   a part with = is a setting
    vector:0,1,app_name=CANalyzer            other parts belong to the channel: 0,1
    can0,123:7FF,#FF                         candump's filters may follow as well
    slcan:/dev/ttyACM0?bitrate=500k&fd=true  settings as in a URL; quote it for the shell
    socket://host:4000                       a prefix counts only if it is the name of an interface

Missing parts come from the environment and the configuration files.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cantools_cli import plugins
from cantools_cli.bus.config import cast_from_string, check_context, find_settings
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanInterfaceNotImplementedError,
    FormatError,
    UsageError,
    quoted,
)

_PREFIX = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*):(?!//)(.*)", re.DOTALL)
_IPV6 = re.compile(r"[0-9A-Fa-f:]+")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_FILTER = re.compile(r"(?:0[xX])?[0-9A-Fa-f]+[:~](?:0[xX])?[0-9A-Fa-f]+|#(?:0[xX])?[0-9A-Fa-f]+|[jJ](?:oin)?")


@dataclass
class BusAddress:
    """The parts of a bus address."""

    text: str  #: the whole address
    interface: str | None = None
    channel: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)  #: keywords of the bus
    filters: list[str] = field(default_factory=list)  #: candump's filter tokens


def parse_address(text: str) -> BusAddress:
    """Parse a bus address."""
    if not text.strip():
        raise UsageError("the name of a bus is empty", hint="such as can0, virtual:vcan0, slcan:/dev/ttyACM0")
    address = BusAddress(text)
    rest = text.strip()
    prefix = _PREFIX.fullmatch(rest)
    if prefix is not None and plugins.is_interface(prefix[1].lower()):
        address.interface, rest = prefix[1].lower(), prefix[2]
    parts = rest.split(",")
    before, _, query = rest.partition("?")
    if "=" in query and "=" not in before and "://" not in before:  # a URL keeps its query
        parts = [*before.split(","), *re.split("[&,]", query)]
    channel = [] if _KEY.fullmatch(parts[0].partition("=")[0]) and "=" in parts[0] else [parts.pop(0)]
    for part in parts:
        if "=" in part:
            _add_setting(address, part)
        elif _FILTER.fullmatch(part):
            address.filters.append(part)
        else:
            channel.append(part)
    name = ",".join(channel)
    address.channel = name or None
    if "#" in name or name[:1] in "0123456789abcdefABCDEF":
        from cantools_cli.bus import not_a_bus  # few channels begin like that

        takes_any = address.interface is not None and plugins.interface(address.interface).has_commas
        not_a_bus.check(text, name, is_prefixed=takes_any)
    return address


def is_log_name(text: str) -> bool:
    """Return whether ``text`` has the suffix of a log format and names no interface."""
    prefix = _PREFIX.fullmatch(text)
    is_address = prefix is not None and plugins.is_interface(prefix[1].lower())
    return not is_address and plugins.format_of_suffix(text)[0] is not None


def _add_setting(address: BusAddress, part: str) -> None:
    key, _, value = part.partition("=")
    if not _KEY.fullmatch(key):
        raise UsageError(f"{address.text}: {quoted(part)} is not of the form KEY=VALUE")
    if key in ("interface", "channel"):
        raise UsageError(f"{address.text}: {key} is not a setting", hint="INTERFACE:CHANNEL,KEY=VALUE")
    address.settings[key.replace("-", "_")] = cast_from_string(value)


def resolve(
    address: BusAddress,
    interface: str | None = None,
    settings: Mapping[str, Any] | None = None,
    context: str | None = None,
    *,
    note: Callable[[str], None] | None = None,
    detail: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Return the keywords for ``Bus``: those of ``address``, then of the options, then of the configuration.

    ``interface``, ``settings`` and ``context`` are options of the command line. ``note`` is called with notes
    for the user, ``detail`` with the source of each setting.
    """
    if address.interface is None and interface is None:
        _check_is_no_file(address.channel or "")
    asked = {
        **(settings or {}),
        **address.settings,
        "interface": address.interface or interface,
        "channel": address.channel,
    }
    origin = "--context" if context else "CANX_CONTEXT"
    context = context or os.environ.get("CANX_CONTEXT") or None
    check_context(context, origin)
    try:
        with warnings.catch_warnings(record=True) as caught:  # they address programmers
            warnings.simplefilter("always")
            values, sources = find_settings(None, asked, context, "the command line")
    except FormatError:
        raise
    except (ValueError, TypeError) as error:
        raise UsageError(f"{address.text}: {error}", hint=getattr(error, "hint", None)) from error
    if note is not None:
        for warning in caught:
            note(f"{address.text}: {warning.message}")
    row = plugins.interface(values["interface"])
    if not (row.name and row.has_commas) and "," in str(address.channel or ""):
        part = str(address.channel).split(",", 1)[1]
        raise UsageError(
            f"{address.text}: {quoted(part)} is neither KEY=VALUE nor a filter such as 123:7FF",
            hint="use -f for a bare identifier or a range",
        )
    if values["interface"] is None:
        row = _interface_of_bare(values["channel"], note)
        values["interface"] = row.name
        sources["interface"] = "the channel's name"
    if row.needs_channel and (values["channel"] is None or not str(values["channel"]).strip()):
        raise UsageError(f"{address.text}: no channel given", hint=f"such as {row.name}:{row.example}")
    values.update((key, value) for key, value in row.command_settings.items() if key not in asked)
    values = {**row.defaults, **values}
    if detail is not None:
        for key, source in sources.items():
            detail(f"{address.text}: {key}={values[key]}, from {source}")
    return values


def stream_names(addresses: Sequence[BusAddress]) -> list[str]:
    """Return the name of each bus in a stream: its channel, with a number if another bus has the same.

    Names contain no blanks, which separate the fields of a stream.
    """
    names: list[str] = []
    for address in addresses:
        stem = "_".join((address.channel or address.interface or "bus").split())
        name, number = stem, 2
        while name in names:
            name, number = f"{stem}-{number}", number + 1
        names.append(name)
    return names


def _interface_of_bare(channel: object, note: Callable[[str], None] | None) -> plugins.Interface:
    """Return the interface of ``channel`` if no source names one."""
    if channel is None:
        raise UsageError("no bus given", hint="such as can0, virtual:vcan0, or CAN_CHANNEL=can0")
    name = str(channel)
    obstacle: str | None = None
    for row in plugins.INTERFACES.values():
        finder = row.find() if row.has_bare_channels else None
        if finder is not None:
            channels = finder.channels()
            if name in channels or (name in row.all_channels and channels):
                return row
            obstacle = finder.obstacle()
    for row in plugins.INTERFACES.values() if obstacle else ():
        if row.stands_in_for and name.startswith(row.stands_in_for):
            if note is not None:
                note(f"{name}: {obstacle}; using {row.name}:{name}, a bus within this computer")
            return row
    raise _no_such_bus(name, obstacle)


def _check_is_no_file(name: str) -> None:
    """Refuse the name of a log: a configured interface would open a bus of that name."""
    is_file = os.path.isfile(name)
    if not is_log_name(name) and not (is_file and "/" in name):
        return
    if is_file:
        raise UsageError(
            f"{name}: a log file, not a bus",
            hint=f"canx convert {name} prints its frames, canx replay {name} BUS sends them",
        )
    raise UsageError(
        f"{name}: no such file, and not the name of a bus",
        hint="such as can0 or virtual:vcan0; -o names an output",
    )


def _no_such_bus(name: str, obstacle: str | None) -> CanError:
    prefix = _PREFIX.fullmatch(name)
    if prefix is not None and not _IPV6.fullmatch(name):
        known = ", ".join(plugins.interface_names())
        return CanInterfaceNotImplementedError(
            f"{name}: unknown interface {quoted(prefix[1])}", hint=f"known: {known}"
        )
    if os.path.isfile(name):
        return CanInitializationError(
            f"{name}: no such bus, but a file has this name", hint=f"use ./{name} for the file"
        )
    here = [
        channel if row.has_bare_channels else f"{row.name}:{channel}" for row, channel in existing_channels()
    ]
    there_is = f"buses here: {', '.join(here)}; " if here else ""
    virtual = name if name.startswith("vcan") else "vcan0"
    if obstacle is None:
        reason = "the kernel has no such CAN interface, and no other interface is given"
        make = f"ip link add dev {virtual} type vcan creates it; virtual:{virtual} works without"
    else:
        reason = f"no interface given, and {obstacle}"
        make = f"INTERFACE:CHANNEL names one; virtual:{virtual} is a bus without hardware"
    return CanInitializationError(f"{name}: {reason}", hint=there_is + make)


def existing_channels() -> Iterator[tuple[plugins.Interface, str]]:
    """Yield the interface and the channel of each bus that can be found without waiting."""
    for row in plugins.INTERFACES.values():
        finder = row.find()
        for channel in finder.channels() if finder is not None else ():
            yield row, channel
