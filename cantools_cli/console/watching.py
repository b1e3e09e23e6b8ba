"""The sources of ``canx sniff``: buses, a stream, or logs, as batches of the selected frames."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from cantools_cli import plugins
from cantools_cli.bus.address import parse_address
from cantools_cli.bus.deadline import Deadline
from cantools_cli.console.buses import BusOptions, NamedBus, chosen_by, open_buses
from cantools_cli.console.chain import FilterChain
from cantools_cli.console.inputs import Inputs
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.report import Report
from cantools_cli.console.sources import OnIdle, ReadOptions, live_batches
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.filtering.selection import Selection
from cantools_cli.filtering.window import Moment
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.sniff.rates import Speed
from cantools_cli.units import bitrate


def is_log(text: str) -> bool:
    """Return whether ``text`` is stdin or a file, not a bus.

    A name with neither a dot nor a slash is a bus, whatever files there are.
    """
    if text == "-":
        return True
    prefix, mark, _ = text.partition(":")
    is_address = bool(mark) and prefix in plugins.INTERFACES
    return not is_address and ("." in text or "/" in text) and os.path.exists(text)


class WatchedBuses:
    """Live buses, until a signal."""

    is_live = True  #: whether frames arrive live, not from a log

    def __init__(
        self,
        texts: Sequence[str],
        bus_options: BusOptions,
        chosen: Selection,
        report: Report,
        interruption: Interruption,
    ) -> None:
        self.on_idle: OnIdle = lambda: None  #: called before each wait; see ``sources.OnIdle``
        self._chosen = chosen
        self._report = report
        self._interruption = interruption
        self._stack = ExitStack()
        self.opened = open_buses(texts, bus_options, report, receive=True, selection=chosen)
        for named in self.opened:
            self._stack.enter_context(named)
        addresses = [parse_address(text) for text in texts]
        settings = [address.settings for address in addresses] or [{}]
        self._given = [bus_options.keywords() | setting for setting in settings]

    @property
    def speeds(self) -> dict[Channel, Speed]:
        """The known bit rates, by channel."""
        return {
            named.name: _speed(named, given)
            for named, given in zip(self.opened, self._given, strict=True)
            if named.name
        }

    def missed(self) -> int:
        """Return how many frames, packets and messages were lost or malformed so far."""
        return sum(named.losses.total() for named in self.opened)

    def batches(self, seconds: float | None = None) -> Iterator[MessageBatch]:
        """Yield the selected frames for ``seconds``, or until a signal."""
        buses = [named.bus for named in self.opened]
        end = None if seconds is None else Deadline(seconds)
        chosen = chosen_by(self.opened, self._chosen.select)
        for _, batch in live_batches(buses, self._interruption, self.on_idle, end=end, chosen=chosen):
            yield batch

    def tell(self) -> int:
        """Return how many buses lost something; closing them reports it."""
        return sum(bool(named.losses) for named in self.opened)

    def __enter__(self) -> WatchedBuses:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _speed(named: NamedBus, given: dict[str, object]) -> Speed:
    """Return the bit rates that the settings give, else those that the interface reports."""
    nominal, fast = (_rate(given.get(name)) for name in ("bitrate", "data_bitrate"))
    return Speed(nominal, fast) if nominal is not None else Speed(*named.bus.bit_rates)


def _rate(value: object) -> int | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        return bitrate(str(value))
    except UsageError:
        return None


class WatchedLogs:
    """Logs merged by time, or a stream on stdin; each call of ``batches`` reads files from the start."""

    is_live = False

    def __init__(
        self,
        files: Sequence[str],
        bus_options: BusOptions,
        chosen: Selection,
        report: Report,
        interruption: Interruption,
        reading: ReadOptions,
    ) -> None:
        self.on_idle: OnIdle = lambda: None
        self._chosen = chosen
        self._report = report
        self._interruption = interruption
        given = bus_options.keywords()
        self._speed = Speed(_rate(given.get("bitrate")), _rate(given.get("data_bitrate")))
        self._seen: dict[Channel, Speed] = {}
        self._open = partial(Inputs, files, interruption, report, reading)
        self._inputs = self._open()
        self._is_begun = False
        self._skipped = 0
        self._first_fault: FormatError | None = None

    @property
    def speeds(self) -> dict[Channel, Speed]:
        return self._seen

    @property
    def size(self) -> int | None:
        """Bytes of all files; None if one is a stream of unknown length."""
        return self._inputs.size

    def batches(self, seconds: float | None = None) -> Iterator[MessageBatch]:
        if self._is_begun:
            self._note_faults()
            self._inputs.__exit__()
            self._inputs = self._open()
        self._is_begun = True
        chain = FilterChain(
            self._chosen.again(), end=None if seconds is None else Moment(round(seconds * 1e9))
        )
        self._inputs.on_idle(self.on_idle)
        for batch in self._inputs.batches():
            self._seen.update((channel, self._speed) for channel in batch.channels)
            yield chain.select(batch)
            if chain.is_done or self._interruption.requested:
                return

    def _note_faults(self) -> None:
        """Keep the faults of the longest pass; each pass meets the same ones."""
        if self._inputs.skipped > self._skipped:
            self._skipped, self._first_fault = self._inputs.skipped, self._inputs.first_fault

    def tell(self) -> int:
        self._note_faults()
        self._report.faults(self._skipped, self._first_fault)
        return self._skipped

    def __enter__(self) -> WatchedLogs:
        return self

    def __exit__(self, *_: object) -> None:
        self._inputs.__exit__()


Watched = WatchedBuses | WatchedLogs
