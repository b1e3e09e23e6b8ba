"""``read-param`` and ``read-info``: read and print each object; a failure does not stop the others."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cantools_cli.console.report import Report, say
from cantools_cli.console.xcom.shared import XcomLink, chosen_device, open_session, print_json, print_line
from cantools_cli.errors import FAILURE_STATUS, UsageError
from cantools_cli.xcom.codec import Part
from cantools_cli.xcom.node import Timeout
from cantools_cli.xcom.objects import find
from cantools_cli.xcom.readings import Reading, read


def print_readings(
    link: XcomLink,
    report: Report,
    texts: Sequence[str],
    kind: str,
    device_name: str | None,
    parts: Sequence[Part | None],
    *,
    as_json: bool,
    value_only: bool,
) -> int:
    """Read the objects that ``texts`` name, print them, and return the exit status."""
    if as_json and value_only:
        raise UsageError("--json and --value contradict each other")
    device = chosen_device(device_name)
    wanted = [find(text, kind, device) for text in texts]
    status, hint = 0, None
    with open_session(link, report) as session:
        for item, asked in wanted:
            for part in parts:
                reading = read(session.client, item, asked, part, session.seconds)
                _print(reading, as_json=as_json, value_only=value_only)
                if reading.error is not None:
                    status = FAILURE_STATUS
                    if isinstance(reading.error, Timeout):
                        hint = reading.error.hint
    if hint and not report.quiet:
        sys.stderr.write(f"hint: {hint}\n")
    return status


def _print(reading: Reading, *, as_json: bool, value_only: bool) -> None:
    if as_json:
        print_json(reading.as_json())
    if reading.error is not None:
        say(str(reading))
    elif value_only:
        print_line(reading.number_text or "n/a")
    elif not as_json:
        print_line(str(reading))
