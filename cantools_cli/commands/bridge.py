"""``canx bridge``: forwards the frames of each bus to the others."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated

from cantools_cli.bus.address import parse_address, stream_names
from cantools_cli.console import options
from cantools_cli.console.buses import BusOptions, NamedBus, open_buses
from cantools_cli.console.chain import FilterChain, Filters
from cantools_cli.console.databases import DatabaseOptions
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.options import argument, flag, option
from cantools_cli.console.report import Report
from cantools_cli.console.run import Run
from cantools_cli.console.sources import live_batches
from cantools_cli.errors import UsageError, counted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.streams.bridge import MAX_HOPS, DirectedRewrite, LoopGuard, Rewriter, parse_rewrite
from cantools_cli.streams.outlet import Outlet, QueuedOutlet
from cantools_cli.units import duration

#: interval at which buses with queued frames are checked for failures
_LOOK_SECONDS = 0.05


def bridge_command(
    buses: Annotated[
        list[str],
        argument("BUS BUS...", f"{options.BUS_HELP} A filter selects the frames taken from this bus."),
    ],
    one_way: Annotated[bool, flag("--one-way", "Only from the first bus to the others.")] = False,
    rewrites: Annotated[
        list[str] | None,
        option(
            "--rewrite",
            "[FROM>TO:]RULE",
            "Change identifiers: 123=456, 100-1FF=+200, 120:7F0=520. Repeatable.",
        ),
    ] = None,
    *,
    databases: DatabaseOptions,
    filters: Filters,
    error_frames: Annotated[
        bool, flag("--error-frames", "Forward error frames too; by default they are left out.")
    ] = False,
    timeout: Annotated[
        str, option("--timeout", "TIME", "How long to wait for a slow bus before frames are dropped.")
    ] = "1s",
    max_hops: Annotated[
        int, option("--max-hops", "N", "Stop when a frame returns more than N times in a row; 0: never.")
    ] = MAX_HOPS,
    count: options.Count = None,
    strict: options.Strict = False,
    bus_options: BusOptions,
    run: Run,
) -> int:
    """Forward the frames of each bus to the others.

    Runs until Ctrl-C; -v prints the number of frames per bus at the end. A slow bus does not delay others.

    \b
    canx bridge can0 can1
    canx bridge can0,100:700 cannelloni:192.168.1.5:20000
    canx bridge can0 udp_multicast:239.74.163.2 --one-way
    canx bridge can0 can1 --rewrite "can0>can1:100-1FF=+200"
    """
    report = run.report
    options.checked_count(count)
    names = _checked_names(buses)
    rules = [rule for text in rewrites or () for rule in parse_rewrite(text, names)]
    if one_way:
        for rule in rules:
            if rule.source not in (None, names[0]) or rule.target == names[0]:
                way = f"{rule.source or '*'}>{rule.target or '*'}"
                raise UsageError(f"--rewrite {way} has no effect: --one-way goes from {names[0]} only")
    selection = filters.selection(report, databases=databases.load(report))
    selections = [selection, *(selection.again() for _ in buses[1:])]
    seconds = duration(timeout)
    with run, ExitStack() as stack:
        opened: list[NamedBus] = []
        for text, name, chosen in zip(buses, names, selections, strict=True):
            is_source = not (one_way and opened)
            filtered = chosen if is_source else None
            (named,) = open_buses([text], bus_options, report, receive=is_source, selection=filtered)
            opened.append(stack.enter_context(named))
            named.name = name
        sources = opened[:1] if one_way else opened
        chains = [FilterChain(one, passes_error_frames=error_frames) for one in selections]
        targets = [
            None if one_way and index == 0 else QueuedOutlet(Outlet(one.bus, one.name, seconds), seconds)
            for index, one in enumerate(opened)
        ]
        bridge = Bridge(sources, targets, chains, rules, max_hops)
        try:
            bridge.run(run.interruption, count)
        finally:
            lost = bridge.close(seconds, report)
    return run.status(strict and lost)


def _checked_names(buses: Sequence[str]) -> list[str]:
    addresses = [parse_address(text) for text in buses]
    if len(addresses) < 2:
        raise UsageError("a bridge needs at least two buses", hint="canx bridge can0 can1")
    seen: dict[tuple[object, ...], str] = {}
    for address in addresses:
        same = (address.interface, address.channel, *sorted(map(str, address.settings.items())))
        if same in seen:
            raise UsageError(f"{address.text} and {seen[same]} are the same bus")
        seen[same] = address.text
        if address.settings.get("receive_own_messages"):
            raise UsageError(f"{address.text}: with receive_own_messages a bridge would forward frames back")
    return stream_names(addresses)


@dataclass(eq=False)
class Bridge:
    """Queues the frames received from each source for every other bus.

    ``targets`` has an entry for each bus, None for one that is not sent to; the sources are the first buses.
    """

    sources: Sequence[NamedBus]
    targets: Sequence[QueuedOutlet | None]
    chains: Sequence[FilterChain]
    rules: Sequence[DirectedRewrite]
    max_hops: int

    def __post_init__(self) -> None:
        self._guard = LoopGuard(len(self.targets), self.max_hops)
        self._received = 0
        self._forwarded = [0] * len(self.sources)
        self._rewriters: dict[tuple[int, int], Rewriter] = {}
        for index, source in enumerate(self.sources):
            for other, target in enumerate(self.targets):
                if target is not None and other != index:
                    self._rewriters[index, other] = Rewriter(
                        [
                            rule.rule
                            for rule in self.rules
                            if rule.source in (None, source.name)
                            and rule.target in (None, target.outlet.name)
                        ]
                    )

    def run(self, interruption: Interruption, count: int | None) -> None:
        """Forward until a signal, or ``count`` frames."""
        if count == 0:
            return
        buses = [source.bus for source in self.sources]
        for index, batch in live_batches(buses, interruption, self._on_idle):
            source = self.sources[index]
            batch = self.chains[index].select(batch if source.filter is None else source.filter.select(batch))
            if count is not None and self._received + len(batch) >= count:
                batch = batch.part(0, count - self._received)
            self._forward(index, batch)
            self._check()
            if self._received == count:
                return

    def _forward(self, index: int, batch: MessageBatch) -> None:
        if not len(batch):
            return
        self._received += len(batch)
        self._forwarded[index] += len(batch)
        ways = [
            (other, self._rewriters[index, other].apply(batch))
            for other in range(len(self.targets))
            if (index, other) in self._rewriters
        ]
        self._guard.check(index, batch, ways, time.monotonic_ns())
        for other, rewritten in ways:
            target = self.targets[other]
            assert target is not None
            target.send(rewritten)

    def _check(self) -> None:
        for target in self.targets:
            if target is not None and target.error is not None:
                raise target.error

    def _on_idle(self) -> float | None:
        self._check()
        return _LOOK_SECONDS if any(one is not None and one.is_busy for one in self.targets) else None

    def close(self, timeout: float, report: Report) -> int:
        """Send queued frames for up to ``timeout`` seconds; report and return the losses."""
        end = time.monotonic() + timeout
        lost = 0
        for index, source in enumerate(self.sources):
            lost += source.losses.total()
            report.detail(f"{source.name}: {counted(self._forwarded[index], 'frames')} received")
        for target in self.targets:
            if target is None:
                continue
            target.close(max(0.0, end - time.monotonic()))
            outlet = target.outlet
            lost += sum(outlet.losses.values())
            report.losses(outlet.name, outlet.losses)
            if outlet.refusal is not None:
                report.note(f"{outlet.name}: {outlet.refusal}")
            report.detail(f"{outlet.name}: {counted(outlet.sent, 'frames')} sent")
        for (index, other), rewriter in self._rewriters.items():
            if rewriter.rewritten:
                names = self.sources[index].name, self.targets[other].outlet.name  # type: ignore[union-attr]
                report.detail(f"{names[0]}>{names[1]}: {counted(rewriter.rewritten, 'frames')} rewritten")
        if self.rules and self._received and not any(one.rewritten for one in self._rewriters.values()):
            report.note("--rewrite changed nothing: no frame had a matching identifier")
        left_out = sum(chain.error_frames for chain in self.chains)
        if left_out:
            report.note(f"{counted(left_out, 'error frames')} left out; --error-frames forwards them")
        return lost
