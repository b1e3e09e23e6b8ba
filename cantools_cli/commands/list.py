"""``canx list``: buses that can be opened here, interfaces, and formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from cantools_cli import plugins
from cantools_cli.console import options
from cantools_cli.console.options import argument
from cantools_cli.console.report import Report
from cantools_cli.console.run import Run
from cantools_cli.console.tables import print_table

_WHAT = ("buses", "interfaces", "formats")


def _kinds(incomplete: str) -> list[str]:
    return [what for what in _WHAT if what.startswith(incomplete)]


def list_command(
    what: Annotated[
        str, argument("buses|interfaces|formats", "What to list.", autocompletion=_kinds)
    ] = "buses",
    interface: options.Interface = None,
    as_json: options.Json = False,
    *,
    run: Run,
) -> int:
    """List buses that can be opened here, interfaces, or formats.

    Columns are separated by tabs if the output is not a terminal.

    \b
    canx list
    canx list formats
    canx list buses -i virtual --json
    """
    options.checked(what, "what to list:", _WHAT)
    if what == "formats":
        options.check_effect({"--interface": interface}, "formats belong to no interface")
    rows = {"buses": _buses, "interfaces": _interfaces, "formats": _formats}[what](interface, run.report)
    if as_json:
        for row in rows:
            print(json.dumps(row, separators=(",", ":"), default=str))
    else:
        print_table(list(rows))
    return 0


#: interfaces that take longer are looked for only by name
_MAX_DETECTION_SECONDS = 2.0


def _buses(interface: str | None, report: Report) -> Iterator[dict[str, Any]]:
    from cantools_cli.bus.interface import detect_available_configs

    found = 0
    rows = [plugins.interface(name) for name in ([interface] if interface else plugins.interface_names())]
    rows = [row for row in rows if interface or row.detection_seconds <= _MAX_DETECTION_SECONDS]
    details = {row.name: finder.details() if (finder := row.find()) is not None else {} for row in rows}
    for config in detect_available_configs(list(details)):
        name, channel = config["interface"], config["channel"]
        hidden = plugins.interface(name).command_settings
        if any(config.get(key) != value for key, value in hidden.items()):
            continue  # such as a bus within one process: a command could not open it
        found += 1
        shown = _settings(name, [key for key in config if key not in ("interface", "channel", *hidden)])
        address = f"{name}:{channel}" + "".join(f",{key}={config[key]}" for key in shown)
        yield _row(address, name, channel, details[name].pop(address.partition(":")[2], {}))
    for name, others in details.items():  # those that are down cannot be opened, but belong in the list
        for channel, detail in others.items():
            found += 1
            yield _row(f"{name}:{channel}", name, channel, detail)
    if not found:
        report.note("no bus found; virtual:vcan0 is always available")


def _settings(interface: str, keys: list[str]) -> list[str]:
    """Return those of ``keys`` that a bus is opened with; the others describe a detected one."""
    if interface not in plugins.INTERFACES or not keys:
        return keys
    from inspect import signature

    parameters = signature(plugins.bus_class(interface)).parameters
    described = plugins.interface(interface).descriptions
    return [key for key in keys if key in parameters and key not in described]


def _row(address: str, interface: str, channel: object, details: dict[str, Any]) -> dict[str, Any]:
    return {"bus": address, "interface": interface, "channel": channel, **details}


_PLATFORMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


def _interfaces(interface: str | None, report: Report) -> Iterator[dict[str, Any]]:
    if interface is not None and not plugins.is_interface(interface):
        plugins.bus_class(interface)  # raises, and lists the known ones
    for name in plugins.interface_names():
        if interface in (None, name):
            row = plugins.interface(name)
            try:
                found = plugins.bus_class(name)
                doc = (found.__doc__ or "").strip().splitlines()
                status = getattr(found, "_obstacle", lambda: None)() or "ready"  # a plug-in cannot tell
            except Exception as error:  # a plug-in may fail in any way; the others are still listed
                doc, status = [], str(error).removeprefix(f"{name}: ")
            needs = row.library or row.driver
            platforms = ", ".join(sorted((_PLATFORMS[platform] for platform in row.platforms), key=str.lower))
            yield {
                "interface": name,
                "status": status,
                "platforms": platforms or ("all" if row.target else ""),
                "needs": needs,
                "found": status == "ready" if needs else None,
                "from": "built in" if row.target else plugins.entry_points_of("interface")[name],
                "description": doc[0] if doc else "",
            }


def _formats(interface: str | None, report: Report) -> Iterator[dict[str, Any]]:
    for form in plugins.FORMATS.values():
        yield {
            "format": form.name,
            "suffixes": " ".join(form.suffixes),
            "options": " ".join(sorted({*form.reader_options, *form.writer_options})),
            "description": form.description,
        }
    for kind in ("reader", "writer"):
        for name, target in plugins.entry_points_of(kind).items():
            yield {
                "format": name.lstrip("."),
                "suffixes": name,
                "options": "",
                "description": f"{kind} {target}",
            }
