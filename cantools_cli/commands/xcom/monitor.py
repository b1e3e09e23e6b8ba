"""``canx xcom monitor``: reads objects repeatedly, as a time series."""

from __future__ import annotations

import itertools
import select
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated

from cantools_cli.console import options
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.options import argument, option
from cantools_cli.console.run import Run
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.rows import Rows, open_rows
from cantools_cli.console.xcom.shared import ReadingLink, Session, chosen_device, open_session
from cantools_cli.errors import FAILURE_STATUS, UsageError
from cantools_cli.units import duration
from cantools_cli.xcom.addresses import Device
from cantools_cli.xcom.objects import XcomObject, find_readable
from cantools_cli.xcom.readings import read


def monitor_command(
    objects: Annotated[
        list[str], argument("OBJECT...", "Infos or parameters: numbers, parts of names, xt2:NUMBER.")
    ],
    device: shared.DeviceName = None,
    interval: Annotated[str, option("--interval", "TIME", "From one round to the next.")] = "1s",
    count: Annotated[int | None, option("--count -n", "N", "End after N rounds.")] = None,
    seconds: Annotated[str | None, option("--duration", "TIME", "End after TIME.")] = None,
    output: Annotated[
        str | None, option("--output -o", "FILE", "Write to a .csv, .jsonl or .parquet file.")
    ] = None,
    force: options.Force = False,
    append: options.Append = False,
    as_json: shared.Json = False,
    *,
    link: ReadingLink,
    run: Run,
) -> int:
    """Read objects repeatedly, as a time series, until Ctrl-C, -n or --duration.

    One row per reading: text on a terminal, JSON lines in a pipe, a file with -o. Rounds follow an absolute
    schedule. A failed reading is a row with its error, and the final status is 3.

    \b
    canx xcom monitor 3000 3005 --device xt1
    canx xcom monitor 3000 vt1:11004 bsp:7002 --interval 10s -o day.csv
    canx xcom monitor 3000 -n 60 | jq .value
    """
    if output not in (None, "-"):
        options.check_effect({"--json": as_json}, "the suffix of -o determines the format", "-o FILE.jsonl")
    report = run.report
    options.checked_count(count)
    period = duration(interval)
    chosen = chosen_device(device)
    wanted = [find_readable(text, chosen) for text in objects]
    if force and append:
        raise UsageError("--force and --append contradict each other")
    length = None if seconds is None else duration(seconds)
    with (
        run,
        open_session(link, report) as session,
        closing(open_rows(output, as_json=as_json, force=force, append=append)) as rows,
    ):
        schedule = _Schedule(period, length, count, run.interruption)
        failed = sum(_round(session, wanted, rows) for _ in schedule.rounds())
        if schedule.skipped:
            report.note(f"{schedule.skipped} rounds skipped: a round takes longer than {interval}")
    return run.status() or (FAILURE_STATUS if failed else 0)


def _round(session: Session, wanted: Sequence[tuple[XcomObject, Device]], rows: Rows) -> int:
    """Read every object once; return the number of failed readings."""
    failed = 0
    for item, device in wanted:
        reading = read(session.client, item, device, None, session.seconds)
        failed += reading.error is not None
        rows.put(reading)
    rows.flush()
    return failed


@dataclass
class _Schedule:
    """The times of the rounds, by an absolute clock: a slow round does not shift later ones."""

    period: float
    length: float | None
    count: int | None
    interruption: Interruption
    skipped: int = 0  #: rounds left out because the previous one was still running

    def rounds(self) -> Iterator[int]:
        """Yield the number of each round when it is due."""
        begin = due = time.monotonic()
        for number in range(self.count) if self.count is not None else itertools.count():
            if number:
                due += self.period
                late = time.monotonic() - due
                if late > 0 and self.period:
                    self.skipped += int(late // self.period)
                    due += late // self.period * self.period
            is_over = self.length is not None and due >= begin + self.length
            self._wait_until(begin + self.length if is_over and self.length is not None else due)
            if is_over or self.interruption.requested:
                return
            yield number

    def _wait_until(self, moment: float) -> None:
        while (left := moment - time.monotonic()) > 0 and not self.interruption.requested:
            if select.select([self.interruption.fd], [], [], left)[0]:
                self.interruption.awake()
