"""Buses of a command, from addresses and options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cantools_cli.address import BusAddress, parse_address, resolve, stream_names
from cantools_cli.bus import BusABC
from cantools_cli.commands.report import Report
from cantools_cli.errors import UsageError
from cantools_cli.filters import FrameFilter
from cantools_cli.selection import Selection
from cantools_cli.units import bitrate as parse_bitrate


@dataclass
class BusOptions:
    """What the options say about every bus of the command."""

    interface: str | None = None
    bitrate: str | None = None
    fd: bool = False
    data_bitrate: str | None = None
    settings: Sequence[str] = ()
    context: str | None = None

    def keywords(self) -> dict[str, Any]:
        """Return the settings that were given, as keywords of a bus.

        Raises:
            UsageError: one is not of the form KEY=VALUE.
        """
        from cantools_cli.util import cast_from_string

        given: dict[str, Any] = {}
        for setting in self.settings:
            key, mark, value = setting.partition("=")
            if not mark or not key:
                raise UsageError(f"-O {setting!r} is not of the form KEY=VALUE")
            given[key.replace("-", "_")] = cast_from_string(value)
        if self.bitrate is not None:
            given["bitrate"] = parse_bitrate(self.bitrate)
        if self.fd:
            given["fd"] = True
        if self.data_bitrate is not None:
            given["data_bitrate"] = parse_bitrate(self.data_bitrate)
        return given


@dataclass
class NamedBus:
    """An open bus, what its frames' channel is called in a stream, and the filter behind its address."""

    bus: BusABC
    name: str
    filter: FrameFilter | None = field(default=None)


def open_buses(
    texts: Sequence[str],
    options: BusOptions,
    report: Report,
    *,
    receive: bool,
    send: bool,
    selection: Selection | None = None,
) -> list[NamedBus]:
    """Open the buses that ``texts`` name; where one fails, those opened before are closed.

    What of the filters behind an address, and of the ``selection`` that the command goes on to make, a kernel
    or an adapter can do, it does; both have to run behind all the same.

    Raises:
        UsageError, CanError: an address makes no sense, a bus cannot be opened.
    """
    from cantools_cli.interface import Bus

    addresses = [parse_address(text) for text in texts] or [BusAddress("the configured bus")]
    for address in addresses:
        if address.filters and not receive:
            raise UsageError(f"{address.text}: a filter behind BUS means nothing where frames are only sent")
    opened: list[NamedBus] = []
    try:
        for address, name in zip(addresses, stream_names(addresses), strict=True):
            keywords = resolve(
                address,
                options.interface,
                options.keywords(),
                options.context,
                note=report.note,
                detail=report.detail,
            )
            if keywords.get("interface") == "virtual" and not receive:
                keywords["receive"] = False
            bus = Bus(**keywords, ignore_config=True)
            opened.append(NamedBus(bus, name))
            opened[-1].filter = _filter_of(address, report)
            _push_filter(opened[-1], selection)
    except BaseException:
        for one in opened:
            one.bus.shutdown()
        raise
    return opened


def _filter_of(address: BusAddress, report: Report) -> FrameFilter | None:
    if not address.filters:
        return None
    chosen = FrameFilter.parse(address.filters)
    for warning in chosen.warnings:
        report.note(warning)
    return chosen


def _push_filter(one: NamedBus, selection: Selection | None) -> None:
    pushed = (selection or Selection()).frame_filter(one.filter)
    if pushed is not None:
        one.bus.push_filter(pushed)
