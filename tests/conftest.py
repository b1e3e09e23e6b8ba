"""What every test may count on, wherever the suite was started from."""

from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

try:
    from hypothesis import settings
except ModuleNotFoundError:  # where only plug-ins and libraries written for python-can are tested
    pass
else:  # no time limit for an example: a busy machine would fail tests at random
    settings.register_profile("untimed", deadline=None, derandomize="CANX_SAME_EXAMPLES" in os.environ)
    settings.load_profile("untimed")


def pytest_configure() -> None:
    """Give signals back their meaning, for here and for the programs that tests start.

    A shell starts what it runs in the background with SIGINT ignored (POSIX 2.11), nohup with SIGHUP, and
    programs inherit that.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest tests first, so that at the end no process runs one while the other waits."""
    items.sort(key=lambda item: item.path.name != "test_contributing.py")


def pytest_collection_finish() -> None:
    """Keep the garbage collector away from the tests that were collected: they would be most of its work."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the fault matrix and the conformance of each interface.

    Here, since what spreads tests over processes loads no other conftest when it is asked for all of them.
    """
    _print_faults(terminalreporter)
    _print_conformance(terminalreporter)


def _print_conformance(terminalreporter: Any) -> None:
    """Print which behaviours each interface has shown, lacks or failed, as in ``docs/conformance.md``."""
    rows: dict[str, dict[str, list[str]]] = {}
    for outcome in ("passed", "failed", "skipped", "error"):
        for report in terminalreporter.getreports(outcome):
            _, found, case = report.nodeid.partition("test_conformance.py::test_behaviour[")
            interface, _, behaviour = case.rstrip("]").partition("-")
            if found and behaviour and (report.when == "call" or outcome != "passed"):
                lacks = dict(report.user_properties).get("lacks")
                kind = "lacks" if lacks and outcome == "passed" else outcome
                rows.setdefault(interface, {}).setdefault(kind, []).append(behaviour)
    if not rows:
        return
    terminalreporter.section("conformance: the behaviours of each interface")
    for interface, kinds in sorted(rows.items()):
        others = [
            f"{kind}: {', '.join(kinds[kind])}" for kind in ("lacks", "failed", "error") if kind in kinds
        ]
        others += [f"skipped: {len(kinds['skipped'])}"] if "skipped" in kinds else []
        line = "; ".join([f"{len(kinds.get('passed', ()))} shown", *others])
        terminalreporter.write_line(f"{interface:<14} {line}")


def _print_faults(terminalreporter: Any) -> None:
    """Print the fault matrix of ``test_faults.py``: a row a format, a column a fault."""
    rows: dict[str, dict[str, str]] = {}
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.getreports(outcome):
            _, found, case = report.nodeid.partition("test_faults.py::test_")
            fault, _, suffix = case.rstrip("]").partition("[")
            if found and suffix and (report.when == "call" or outcome != "passed"):
                said = dict(report.user_properties).get("kept", "")
                rows.setdefault(suffix, {})[fault] = said if outcome == "passed" else outcome.upper()
    if not rows:
        return
    faults = sorted({fault for row in rows.values() for fault in row})
    terminalreporter.section("the fault matrix: what was tried, and read")
    table = [["", *(fault.replace("_", " ") for fault in faults)]]
    table += [[suffix, *(row.get(fault, "-") for fault in faults)] for suffix, row in sorted(rows.items())]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        terminalreporter.write_line("  ".join(map(str.ljust, line, widths)).rstrip())
