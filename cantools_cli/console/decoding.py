"""``DecodeJob``: what ``canx decode`` reads, whatever it writes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cantools_cli.console.chain import FilterChain
from cantools_cli.console.inputs import Inputs
from cantools_cli.console.progress import Progress
from cantools_cli.console.run import Run
from cantools_cli.console.sources import OnIdle, ReadOptions
from cantools_cli.frame.batch import MessageBatch

if TYPE_CHECKING:
    from cantools_cli.decoding.databases import Databases

#: suffix -> format of a table of signals
TABLES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".mf4": "mf4",
}


@dataclass
class DecodeJob:
    """The frames that a command decodes, and by what."""

    names: list[str]
    databases: Databases
    chain: FilterChain
    reading: ReadOptions
    run: Run
    skipped: int = 0  #: malformed records, once all are read

    @contextmanager
    def batches(self, *, to_stdout: bool, on_idle: OnIdle | None = None) -> Iterator[Iterator[MessageBatch]]:
        """Open the inputs; the result yields the frames chosen, until the end or a signal.

        ``on_idle`` is called before each wait for more of a stream.
        """
        run, chain = self.run, self.chain
        with Inputs(self.names, run.interruption, run.report, self.reading) as inputs:
            if on_idle is not None:
                inputs.on_idle(on_idle)
            progress = Progress(
                lambda: (inputs.consumed, inputs.size),
                lambda: chain.taken,
                share=chain.share,
                quiet=run.quiet,
                to_stdout=to_stdout,
            )
            source: AbstractContextManager[Iterable[MessageBatch]]
            source = inputs.batches_ahead() if chain.takes_all else nullcontext(inputs.batches())
            with progress, source as batches:
                yield self._chosen(batches, progress)
            run.report.faults(inputs.skipped, inputs.first_fault)
            self.skipped = inputs.skipped

    def _chosen(self, batches: Iterable[MessageBatch], progress: Progress) -> Iterator[MessageBatch]:
        for batch in batches:
            yield self.chain.select(batch)
            progress.update()
            if self.chain.is_done or self.run.interruption.requested:
                return

    def status(self, lost: int) -> int:
        """Return the exit status; ``lost`` counts the frames and values not decoded or not stored."""
        return self.run.status(self.reading.strict and (lost or self.skipped))


def table_format(output: str | None, to: str | None) -> str | None:
    """Return the format of the tables to write, None if frames are to be printed one by one."""
    if to is not None:
        name = to.lstrip(".").lower()
        return TABLES.get(f".{name}")
    if output in (None, "-"):
        return None
    path = output or ""
    if path.endswith(("/", os.sep)) or os.path.isdir(path):
        return "parquet"
    return TABLES.get(os.path.splitext(path)[1].lower())
