"""The options that name databases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cantools_cli.console import options
from cantools_cli.console.report import Report
from cantools_cli.errors import FormatError, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cantools_cli.decoding.databases import Databases


@dataclass(eq=False, repr=False)
class DatabaseOptions:
    """The databases that describe frames, and how to read them."""

    dbc: options.Dbc = None
    j1939: options.J1939 = False
    encoding: options.Encoding = None

    def load(self, report: Report) -> Databases | None:
        """Load the databases and report their faults; return None if none is named."""
        if not self.dbc:
            given = {"--j1939": self.j1939, "--encoding": self.encoding}
            options.check_effect(given, "no database is named", "--dbc FILE names one")
            return None
        from cantools_cli.decoding.databases import Databases  # not needed without signals

        databases = Databases.load(self.dbc, encoding=self.encoding, is_j1939=self.j1939)
        report_faults(databases.faults, report)
        return databases


def report_faults(faults: Sequence[FormatError], report: Report) -> None:
    """Print the first of ``faults``, the number of others, and the command that lists them."""
    if faults:
        more = f"; {counted(len(faults) - 1, 'more faults')}" if len(faults) > 1 else ""
        source = faults[0].source
        report.note(f"{faults[0]}{more}: canx db --check {source} lists them" if more else str(faults[0]))
