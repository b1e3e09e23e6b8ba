"""The buses of a command, opened from addresses and options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cantools_cli import plugins
from cantools_cli.bus.address import BusAddress, parse_address, resolve, stream_names
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.losses import MISSED_FRAMES
from cantools_cli.bus.not_a_bus import is_identifier, misplaced_filter
from cantools_cli.console import options
from cantools_cli.console.report import Report
from cantools_cli.errors import CanError, UsageError, quoted
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.filtering.selection import Selection
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.units import bitrate as parse_bitrate


@dataclass(eq=False, repr=False)
class BusOptions:
    """Options for every bus of the command."""

    interface: options.Interface = None
    bitrate: options.Bitrate = None
    fd: options.Fd = False
    data_bitrate: options.DataBitrate = None
    settings: options.Setting = None
    context: options.Context = None
    passive: bool = False
    hardware_times: bool = False
    wait_when_down: bool = False

    def __post_init__(self) -> None:
        self.keywords()  # raises before anything is opened
        if self.interface is not None and not plugins.is_interface(self.interface.lower()):
            plugins.bus_class(self.interface)

    def keywords(self) -> dict[str, Any]:
        """Return the given settings as keyword arguments of a bus."""
        from cantools_cli.bus.config import cast_from_string

        keywords: dict[str, Any] = {}
        for setting in self.settings or ():
            key, mark, value = setting.partition("=")
            if not mark or not key:
                raise UsageError(f"-O {quoted(setting)} is not of the form KEY=VALUE")
            keywords[key.replace("-", "_")] = cast_from_string(value)
        if self.bitrate is not None:
            keywords["bitrate"] = parse_bitrate(self.bitrate)
        if self.fd:
            keywords["fd"] = True
        if self.data_bitrate is not None:
            keywords["data_bitrate"] = parse_bitrate(self.data_bitrate)
        if self.passive:
            keywords["listen_only"] = True
        if self.hardware_times:
            keywords["hardware_timestamps"] = True
        if self.wait_when_down:
            keywords["down"] = "wait"
        return keywords


@dataclass(eq=False, repr=False)
class ListeningOptions(BusOptions):
    """The same, with --passive."""

    passive: options.Passive = False


#: settings with an option of their own
_OPTIONS = {"listen_only": "--passive", "hardware_timestamps": "--hardware-time", "down": "-D"}


@dataclass
class NamedBus:
    """An open bus, its name in a stream, and the filter of its address; leaving the context closes the bus.

    A bus without a name has several channels, and each frame carries the name of its own.
    """

    bus: BusABC
    name: str
    report: Report
    filter: FrameFilter | None = None
    receives: bool = True
    interface: plugins.Interface = field(default_factory=lambda: plugins.interface(None))

    def __enter__(self) -> NamedBus:
        return self

    def __exit__(self, *_: object) -> None:
        losses, first_fault = self.losses, self.bus.first_fault
        try:
            self.bus.shutdown()
        finally:
            self.report.bus_losses(self.name or str(self.bus), losses, first_fault)

    def chosen(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames of ``batch`` that pass the filter of the address, with the bus's name."""
        if self.name and batch.channels != (self.name,):
            batch.with_channels(lambda channel: self.name)
        return batch if self.filter is None else self.filter.select(batch)

    @property
    def losses(self) -> Counter[str]:
        """Counts of the bus's losses, without unread frames if the command only sends."""
        losses = Counter(self.bus.losses)
        if not self.receives:
            del losses[MISSED_FRAMES]
        return losses


def open_buses(
    texts: Sequence[str],
    bus_options: BusOptions,
    report: Report,
    *,
    receive: bool,
    selection: Selection | None = None,
) -> list[NamedBus]:
    """Open the buses that ``texts`` name; if one fails, close those opened earlier.

    Filters of an address, and of the command's ``selection``, are pushed down to the kernel or the adapter as
    far as possible; both must still be applied to received frames.
    """
    addresses = [parse_address(text) for text in texts] or [BusAddress("the configured bus")]
    for address in addresses:
        if address.filters and not receive:
            raise UsageError(f"{address.text}: a filter has no effect on frames that are sent")
    opened: list[NamedBus] = []
    try:
        for address, name in zip(addresses, stream_names(addresses), strict=True):
            has_filters = bool(selection and selection.filters)
            keywords = _resolved(address, bus_options, report, has_filters=has_filters)
            row = plugins.interface(keywords["interface"])
            if row.can_only_send and not receive:
                keywords["receive"] = False
            bus = open_bus(address, keywords, bus_options)
            if hasattr(bus, "on_note"):
                bus.on_note = report.note
            if keywords["channel"] in row.all_channels or len(getattr(bus, "channels", ())) > 1:
                name = ""  # frames have a channel of their own
            named = NamedBus(bus, name, report, receives=receive, interface=row)
            opened.append(named)
            if address.filters:
                named.filter = FrameFilter.parse(address.filters)
                for warning in named.filter.warnings:
                    report.note(warning)
            _push_filter(named, selection)
    except BaseException:
        for named in opened:
            named.bus.shutdown()
        raise
    return opened


def _push_filter(named: NamedBus, selection: Selection | None) -> None:
    pushed = (selection or Selection()).frame_filter(named.filter)
    if pushed is not None:
        named.bus.push_filter(pushed)


def chosen_by(
    opened: Sequence[NamedBus], select: Callable[[MessageBatch], MessageBatch]
) -> Callable[[int, MessageBatch], MessageBatch]:
    """Return the selection for ``live_batches``: the filter of the address, then ``select``."""
    return lambda index, batch: select(opened[index].chosen(batch))


def open_bus(address: BusAddress, keywords: dict[str, Any], bus_options: BusOptions) -> BusABC:
    """Open the bus of ``address`` with ``keywords``, checked against the parameters of its class."""
    import os

    from cantools_cli.bus.interface import Bus
    from cantools_cli.bus.settings import checked

    interface, channel = keywords["interface"], keywords["channel"]
    settings = {key: value for key, value in keywords.items() if key not in ("interface", "channel")}
    explicit = {**bus_options.keywords(), **address.settings}

    def place_of(key: str) -> str:
        from cantools_cli.bus.config import find_settings

        if key in explicit:
            option = "" if key in address.settings else _OPTIONS.get(key, "")
            return f"{address.text}: {option}" if option else address.text
        context = bus_options.context or os.environ.get("CANX_CONTEXT") or None
        source = find_settings(None, explicit, context).sources.get(key)
        return f"{address.text}: {source}" if source else address.text

    backend = plugins.bus_class(interface)
    settings = checked(interface, backend, settings, strict=explicit, place_of=place_of)
    try:
        return Bus(channel, interface, ignore_config=True, **settings)
    except (ValueError, TypeError) as error:  # the class refuses a setting
        if hasattr(error, "exit_status"):
            raise
        raise UsageError(f"{address.text}: {error}") from error


def _resolved(
    address: BusAddress, bus_options: BusOptions, report: Report, *, has_filters: bool
) -> dict[str, Any]:
    """Return the keywords of a bus.

    Raises:
        UsageError, CanError: as ``resolve``; or a filter was taken for a bus, such as 200 in ``-f 100 200``.
    """
    channel = address.channel or ""
    is_doubtful = has_filters and address.interface is None and is_identifier(channel)
    try:
        keywords = resolve(
            address,
            bus_options.interface,
            bus_options.keywords(),
            bus_options.context,
            note=report.note,
            detail=report.detail,
        )
    except CanError:
        if is_doubtful:
            raise misplaced_filter(channel) from None
        raise
    if is_doubtful and not plugins.interface(keywords["interface"]).has_commas:
        raise misplaced_filter(channel)
    return keywords
