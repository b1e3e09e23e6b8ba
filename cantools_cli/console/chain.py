"""The frames of its input that a command takes: the options that choose them, and how they apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cantools_cli.console import options
from cantools_cli.console.report import Report
from cantools_cli.errors import UsageError, counted
from cantools_cli.filtering.selection import Selection
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch

if TYPE_CHECKING:
    from cantools_cli.decoding.databases import Databases
    from cantools_cli.filtering.window import Moment


@dataclass(eq=False, repr=False)
class Filters:
    """The filters and the expression that frames have to pass."""

    filters: options.Filter = None
    where: options.Where = None

    def selection(
        self,
        report: Report,
        tz: str | None = None,
        databases: Databases | None = None,
        *,
        shows_signals: bool = False,
    ) -> Selection:
        """Return them as one object, and report likely mistakes in them.

        The expression may name messages and signals of ``databases``, and has to if nothing else uses them.
        """
        signals = None
        if databases is not None and self.where is not None:
            from cantools_cli.decoding.signal_tests import DatabaseSignals  # not needed without signals

            signals = DatabaseSignals(databases)
        selection = Selection.parse(self.filters, self.where, tz=tz, signals=signals)
        if databases is not None and not shows_signals and not selection.names_signals:
            raise UsageError(
                "--dbc has no effect: --where names no signal", hint="--where 'Engine.Speed gt 3000'"
            )
        for warning in selection.warnings:
            report.note(warning)
        return selection


@dataclass(eq=False, repr=False)
class TimeSpan:
    """The part of a log by time."""

    start: options.Start = None
    end: options.End = None

    def moments(self, tz: str | None) -> tuple[Moment | None, Moment | None]:
        """Return the start and the end; dates without a zone are in ``tz``."""
        from cantools_cli.filtering.window import Moment, check_order

        start, end = (
            None if text is None else Moment.parse(text, tz or "local") for text in (self.start, self.end)
        )
        check_order(start, end)
        return start, end


class FilterChain:
    """Passes frames by time, by filters and expression, by kind, by route, and by count, in this order."""

    def __init__(
        self,
        selection: Selection,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        passes_error_frames: bool = True,
        count: int | None = None,
    ) -> None:
        from cantools_cli.filtering.window import Window  # not needed to send one frame

        self.window = Window(start, end)  #: the part by time, of the pass under way
        #: frames that may still pass; None for no limit
        self.left = self.count = options.checked_count(count)
        #: returns the frames that have a destination
        self.route: Callable[[MessageBatch], MessageBatch] | None = None
        #: frames given to ``select``, the timestamp of the last of them, and error frames left out
        self.taken = self.last_ns = self.error_frames = 0
        self._selection = selection
        self._span = start, end
        self._passes_error_frames = passes_error_frames

    @property
    def takes_all(self) -> bool:
        """Whether the input is read to its end."""
        return self.count is None and not self.window.has_end

    @property
    def is_done(self) -> bool:
        """Whether no later frame passes."""
        return self.left == 0 or self.window.is_past

    def share(self) -> float:
        """Return how near --count and --end are, from 0 to 1."""
        by_count = 1 - self.left / self.count if self.left is not None and self.count else 0.0
        return max(by_count, self.window.share_at(self.last_ns))

    def begin_again(self) -> None:
        """Forget earlier frames, for another pass over the input; the count goes on."""
        self.window = type(self.window)(*self._span)
        self._selection = self._selection.again()

    def select(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames that pass: ``batch`` itself if all do, else a new one."""
        if len(batch):
            self.taken += len(batch)
            self.last_ns = batch.timestamp_ns[-1]
        batch = self._selection.select(self.window.select(batch))
        if not self._passes_error_frames:
            whole = len(batch)
            batch = batch.without(bits.CAN_ERR_FLAG)
            self.error_frames += whole - len(batch)
        if self.route is not None:
            batch = self.route(batch)
        if self.left is not None:
            if len(batch) > self.left:
                batch = batch.part(0, self.left)
            self.left -= len(batch)
        return batch

    def tell_error_frames(self, report: Report) -> None:
        """Report the error frames that were left out."""
        if self.error_frames:
            report.note(f"{counted(self.error_frames, 'error frames')} left out; --error-frames sends them")
