"""Options shared by the commands of ``canx xcom``, and the client they open."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from cantools_cli import plugins
from cantools_cli.bus.address import BusAddress, parse_address, resolve
from cantools_cli.console import options
from cantools_cli.console.buses import BusOptions, NamedBus, open_bus
from cantools_cli.console.options import flag, option
from cantools_cli.console.report import Report, say
from cantools_cli.errors import UsageError
from cantools_cli.units import duration
from cantools_cli.xcom.addresses import Device, family_of, parse_device
from cantools_cli.xcom.client import BITRATES, StuCanPublicClient
from cantools_cli.xcom.codec import ADDRESS_MASK

DEFAULT_BITRATE = 125_000


def _devices(incomplete: str) -> Iterable[str]:
    names = [f"xt{n}" for n in range(1, 10)] + [f"{f}{n}" for f in ("vt", "vs") for n in range(1, 16)]
    return [name for name in [*names, "bsp", "bms"] if name.startswith(incomplete)]


BusName = Annotated[
    str | None, option("--bus", "BUS", "The bus: [INTERFACE:]CHANNEL[,KEY=VALUE...]; else configured.")
]
DeviceName = Annotated[
    str | None,
    option(
        "--device -d",
        "DEVICE",
        "xt1, vt2, vs1, bsp, bms, or an address; else the first that has the object.",
        autocompletion=_devices,
    ),
]
Bitrate = Annotated[str | None, option("--bitrate -b", "RATE", "Bit rate, as the gateway is set; else 125k.")]
Source = Annotated[int, option("--source", "ADDRESS", "Our own address.")]
Timeout = Annotated[str, option("--timeout", "TIME", "How long to wait for a reply.")]
Retries = Annotated[int, option("--retries", "N", "Repeat a failed read up to N times; writes never.")]
Json = Annotated[bool, flag("--json", "One JSON object per line.")]


@dataclass(eq=False, repr=False)
class Wire:
    """Options for the bus."""

    bus: str | None = None
    interface: options.Interface = None
    bitrate: Bitrate = None
    settings: options.Setting = None
    context: options.Context = None

    @property
    def address(self) -> BusAddress:
        return BusAddress("the configured bus") if self.bus is None else parse_address(self.bus)

    @property
    def _options(self) -> BusOptions:
        return BusOptions(self.interface, self.bitrate, settings=self.settings, context=self.context)

    def open(self, keywords: dict[str, Any], report: Report) -> NamedBus:
        """Open the bus with its ``keywords``."""
        name = f"{keywords['interface']}:{keywords['channel']}"
        return NamedBus(open_bus(self.address, keywords, self._options), name, report)

    def keywords(self, report: Report) -> dict[str, Any]:
        """Return the keywords of the bus; its bit rate is the gateway's usual one unless another is set."""
        address = self.address
        if address.filters:
            raise UsageError(f"{address.text}: a filter has no effect here")
        keywords = resolve(
            address,
            self.interface,
            self._options.keywords(),
            self.context,
            note=report.note,
            detail=report.detail,
        )
        if "timing" not in keywords and not plugins.interface(keywords["interface"]).has_system_bitrate:
            keywords.setdefault("bitrate", DEFAULT_BITRATE)
        if keywords.get("bitrate", DEFAULT_BITRATE) not in BITRATES:
            known = ", ".join(str(rate) for rate in BITRATES)
            report.note(f"no gateway can be set to {keywords['bitrate']} bit/s, only to {known}")
        return keywords


@dataclass(eq=False, repr=False)
class XcomLink(Wire):
    """Options for the bus and the client on it."""

    bus: BusName = None
    source: Source = 0
    timeout: str = "1s"
    retries: int = 0

    @property
    def seconds(self) -> float:
        """The timeout of a reply."""
        seconds = duration(self.timeout)
        if not seconds:
            raise UsageError("--timeout 0 leaves no time for a reply", hint="such as --timeout 2")
        return seconds


@dataclass(eq=False, repr=False)
class ReplyLink(XcomLink):
    """The same, with --timeout."""

    timeout: Timeout = "1s"


@dataclass(eq=False, repr=False)
class ReadingLink(ReplyLink):
    """The same, with --retries."""

    retries: Retries = 0


@dataclass(eq=False, repr=False)
class PatientLink(ReadingLink):
    """The same, for commands that read a whole device: a read is tried again once."""

    retries: Retries = 1


@dataclass
class Session:
    """An open client, and the name of its bus in the journal."""

    client: StuCanPublicClient
    bus_name: str
    seconds: float


@contextmanager
def open_session(link: XcomLink, report: Report) -> Iterator[Session]:
    """Open the bus and a client on it."""
    if not 0 <= link.source <= ADDRESS_MASK:
        raise UsageError(f"--source {link.source} is not from 0 to {ADDRESS_MASK}")
    if family_of(link.source) is not None:
        name = Device(link.source, family_of(link.source)).name
        raise UsageError(f"--source {link.source} is the address of {name}", hint="0 to 99 are free")
    if link.retries < 0:
        raise UsageError(f"--retries {link.retries} is negative")
    seconds, keywords = link.seconds, link.keywords(report)
    on_detail = report.detail if report.verbose else None
    with link.open(keywords, report) as opened:
        client = StuCanPublicClient(link.source, bus=opened.bus, on_detail=on_detail)
        client.retries = link.retries
        with client:
            yield Session(client, opened.name, seconds)


def chosen_device(name: str | None) -> Device | None:
    """Return the device of ``--device``, if given."""
    return None if name is None else parse_device(name)


def print_json(row: dict[str, Any]) -> None:
    """Print an object on one line."""
    print_line(json.dumps(row, separators=(",", ":"), ensure_ascii=False, allow_nan=False))


def print_line(text: str) -> None:
    """Print a line without buffering, for pipes."""
    print(text, flush=True)


def confirm(question: str, *, yes: bool) -> None:
    """Ask on the terminal, unless ``yes`` is set."""
    if yes:
        return
    require_terminal(question)
    say(f"{question}? [y/N]")
    if input().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was written")


def require_terminal(what: str) -> None:
    """Refuse ``what`` without a terminal to ask on."""
    if not (os.isatty(0) and os.isatty(2)):
        raise UsageError(
            f"{what}: no terminal to ask for confirmation; nothing was sent", hint="--yes confirms in scripts"
        )
