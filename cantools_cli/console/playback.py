"""The parts of ``canx replay``: a log, read in parts and several times, and the buses it is sent to."""

from __future__ import annotations

import gc
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count as count_from

from cantools_cli.console.buses import BusOptions, NamedBus, open_buses
from cantools_cli.console.chain import FilterChain
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.report import Report, say
from cantools_cli.console.sources import OnIdle, ReadOptions, open_input
from cantools_cli.errors import CanError, FormatError, UsageError, counted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.io.files import InputStream
from cantools_cli.streams.outlet import Outlet
from cantools_cli.streams.replay import LogPart
from cantools_cli.streams.routes import Routes, channel_names, channels_there


@dataclass(eq=False)
class Log:
    """The frames of a log to replay.

    An error while reading is kept until the frames before it are replayed.
    """

    file: str
    chain: FilterChain  #: chooses the frames, in all passes together
    routes: Routes
    report: Report
    interruption: Interruption
    reading: ReadOptions
    passes: int | None = 1

    def __post_init__(self) -> None:
        self.error: FormatError | OSError | None = None  #: the error that ended reading early
        self.skipped = 0
        self.unmapped: Counter[str] = Counter()  #: frames without a destination, by the channel's name
        self.first_ns: int | None = None
        self.on_idle: OnIdle = lambda: None
        self.chain.route = self._mapped if self.routes.rules else None
        #: returns the number of frames sent in all passes so far; set by the caller
        self.sent: Callable[[], int] = lambda: 0
        self._input: InputStream | None = None
        self._marks: deque[tuple[int, int]] = deque([(0, 0)])  # (frames to send, bytes they were read from)
        self._before = 0  # bytes before the first frame that is sent
        self._first_fault: FormatError | None = None
        self._seen: set[str] = set()  # all possible names of the channels seen
        self._channels: list[str] = []  # their usual names
        self._is_whole = False
        if self.file == "-":
            self._check_passes()

    @property
    def consumed(self) -> int:
        """Bytes of the file whose frames were sent; reading is ahead of that."""
        sent, marks = self.sent(), self._marks
        while len(marks) > 2 and marks[1][0] <= sent:
            marks.popleft()
        (begun, low), (end, high) = marks[0], marks[-1] if len(marks) == 1 else marks[1]
        done = low + (high - low) * min(sent - begun, end - begun) // max(end - begun, 1)
        return max(done - self._before, 0)

    def share(self, now_ns: int) -> float:
        """Return how near --count and --end are at a frame of ``now_ns``, from 0 to 1."""
        if self.passes != 1:
            return 0.0
        by_count = min(self.sent() / self.chain.count, 1.0) if self.chain.count else 0.0
        return max(by_count, self.chain.window.share_at(now_ns))

    @property
    def size(self) -> int | None:
        whole = self._input.size if self._input is not None and self.passes == 1 else None
        return None if whole is None else max(whole - self._before, 0)

    @property
    def lost(self) -> int:
        """Records of the log that were not replayed, not counting those excluded by an option."""
        return self.skipped + self.chain.error_frames + sum(self.unmapped.values())

    def parts(self, rows: int) -> Iterator[MessageBatch | None]:
        """Yield the frames in parts of at most ``rows``, and None before each further pass."""
        for number in count_from(1):
            was_empty = True
            for batch in self._batches():
                was_empty = False
                for first in range(0, len(batch), rows):
                    last = min(first + rows, len(batch))
                    yield batch if last - first == len(batch) else batch.part(first, last)
            finished = self.error is not None or self.chain.left == 0 or number == self.passes
            if finished or was_empty:
                return
            gc.collect()  # automatic collection is off while frames are sent
            self.chain.begin_again()
            yield None

    def _batches(self) -> Iterator[MessageBatch]:
        if self.chain.left == 0:
            return
        try:
            yield from self._one_pass()
        except (FormatError, OSError) as error:
            self.error = error

    def _one_pass(self) -> Iterator[MessageBatch]:
        reader, patient = open_input(self.file, self.interruption, self.report, self.reading)
        with reader:
            self._input = reader.input
            if patient is not None:
                self._check_passes()
                self.interruption.drains = False  # Ctrl-C ends a replay even if the pipe is not empty
                patient.on_idle = self.on_idle
            try:
                for batch in reader.batches():
                    batch = self.chain.select(batch)
                    self._mark(len(batch), reader.consumed)
                    if len(batch):
                        if self.first_ns is None:
                            self.first_ns = batch.timestamp_ns[0]
                        yield batch
                    if self.chain.is_done or self.interruption.requested:
                        return
                self._is_whole = True
            finally:
                self.skipped += reader.skipped
                self._first_fault = self._first_fault or reader.first_fault

    def _mark(self, count: int, consumed: int) -> None:
        """Record that ``count`` more frames were read up to the byte ``consumed``."""
        if not self._marks[-1][0] and not count:
            self._before = consumed
        _ = self.consumed  # drops the marks of sent frames
        frames_before, bytes_before = self._marks[-1]
        if len(self._marks) > 1 and (consumed == bytes_before or not count):
            self._marks.pop()
        self._marks.append((frames_before + count, consumed))

    def _check_passes(self) -> None:
        if self.passes != 1:
            raise UsageError(
                f"{self.file}: this input can be read only once", hint="--loop needs the name of a file"
            )

    def _mapped(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames that a rule gives a destination."""
        dropped = set()
        for index in set(batch.channel):
            names = channel_names(batch.channels[index])
            if names[0] not in self._channels:
                self._channels.append(names[0])
            self._seen.update(names)
            if not self.routes.of(batch.channels[index]):
                dropped.add(index)
                self.unmapped[names[0]] += batch.channel.count(index)
        if not dropped:
            return batch
        return batch.select(
            array("I", [row for row, index in enumerate(batch.channel) if index not in dropped])
        )

    def tell(self) -> None:
        """Report frames and records that were left out."""
        self.report.faults(self.skipped, self._first_fault)
        self.chain.tell_error_frames(self.report)
        if self.unmapped:
            what = ", ".join(f"{counted(count, 'frames')} of {name}" for name, count in self.unmapped.items())
            say(f"not sent, since no --map names their channel: {what}")
        for rule in self.routes.rules if self._is_whole else ():
            if rule.source not in self._seen:
                there = channels_there(self._channels)
                self.report.note(
                    f"--map {rule.source}={rule.target}: no selected frame is on channel {rule.source}{there}"
                )


class Outlets:
    """The buses that frames are sent to, opened on first use, or at once if an option names them."""

    def __init__(
        self, routes: Routes, options: BusOptions, report: Report, timeout: float, stack: ExitStack
    ) -> None:
        self.count = 0  #: frames sent; a frame for two buses counts once
        self.last_ns = 0
        self._routes = routes
        self._options = options
        self._report = report
        self._timeout = timeout
        self._stack = stack
        self._open: dict[str, Outlet] = {}
        self._buses: list[NamedBus] = []
        self._known: dict[Channel, tuple[Outlet, ...]] = {}
        for target in routes.targets:
            self._outlet(target)

    @property
    def lost(self) -> int:
        """How many frames a bus did not take, and how many messages from a bus were lost or malformed."""
        return sum(outlet.losses.total() for outlet in self._open.values()) + sum(
            bus.losses.total() for bus in self._buses
        )

    def open_for(self, batch: MessageBatch) -> MessageBatch:
        """Open the buses for ``batch`` before it is due, and return it."""
        for index in set(batch.channel):
            channel = batch.channels[index]
            if channel not in self._known:
                self._known[channel] = tuple(self._outlet(name) for name in self._routes.of(channel))
        return batch

    def send(self, batch: MessageBatch) -> None:
        """Send each frame to its buses.

        Raises:
            CanError: a bus failed, or had no room in time.
        """
        by_outlet: dict[Outlet, set[int]] = {}
        used = set(batch.channel)
        for index in used:
            for outlet in self._known[batch.channels[index]]:
                by_outlet.setdefault(outlet, set()).add(index)
        before = sum(outlet.sent for outlet in by_outlet)
        try:
            for outlet, indices in by_outlet.items():
                if indices == used:
                    outlet.send(batch)
                else:
                    rows = [row for row, index in enumerate(batch.channel) if index in indices]
                    outlet.send(batch.select(array("I", rows)))
        except CanError:
            self.count += min(len(batch), sum(outlet.sent for outlet in by_outlet) - before)
            raise
        self.count += len(batch)
        self.last_ns = batch.timestamp_ns[-1]

    def prepared(self, batch: MessageBatch) -> LogPart:
        """Open the buses for ``batch``, and prepare sending, before its frames are due."""
        self.open_for(batch)
        routes = {index: self._known[batch.channels[index]] for index in set(batch.channel)}
        sends = {outlet: outlet.prepared(batch) for outlets in routes.values() for outlet in outlets}
        go_the_same_way = len(set(routes.values())) == 1

        def send(first: int, last: int) -> None:
            if last - first > 1 and not go_the_same_way:
                self.send(batch.part(first, last))
                return
            outlets = routes[batch.channel[first]]
            for number, outlet in enumerate(outlets):
                before = outlet.sent
                try:
                    sends[outlet](first, last)
                except CanError:
                    self.count += outlet.sent - before if number == 0 else last - first
                    raise
            self.count += last - first
            self.last_ns = batch.timestamp_ns[last - 1]

        return LogPart(batch.timestamp_ns, send)

    def seconds_into(self, log: Log) -> float:
        """Return the time of the last frame sent, in seconds since the first."""
        return (
            (self.last_ns - log.first_ns) / 1_000_000_000 if self.count and log.first_ns is not None else 0.0
        )

    def _outlet(self, text: str) -> Outlet:
        outlet = self._open.get(text)
        if outlet is None:
            (opened,) = open_buses([text], self._options, self._report, receive=False)
            self._buses.append(self._stack.enter_context(opened))
            outlet = self._open[text] = Outlet(opened.bus, text, self._timeout)
        return outlet

    def tell(self) -> None:
        """Report the frames that buses did not accept."""
        for outlet in self._open.values():
            self._report.losses(outlet.name, outlet.losses)
            if outlet.refusal is not None:
                self._report.note(f"{outlet.name}: {outlet.refusal}")
