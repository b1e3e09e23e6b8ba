"""``canx xcom scan``: finds the devices on a bus."""

from __future__ import annotations

from typing import Annotated

from cantools_cli.console.options import checked, option
from cantools_cli.console.run import Run
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.shared import ReadingLink, open_session, print_json, print_line
from cantools_cli.xcom.addresses import FAMILIES
from cantools_cli.xcom.scan import SCANNED, Found, scan


def scan_command(
    families: Annotated[str, option("--family", "NAME,...", "Which kinds to look for.")] = ",".join(SCANNED),
    as_json: shared.Json = False,
    *,
    link: ReadingLink,
    run: Run,
) -> int:
    """Find out which devices answer: kind, address, model, software, serial number.

    It only reads. The status is 3 if no device answers.

    \b
    canx xcom scan
    canx xcom scan --family xt,vt
    canx xcom scan --json
    """
    wanted = [name.strip() for name in families.split(",") if name.strip()]
    for name in wanted:
        checked(name, "--family", SCANNED)
    report = run.report
    answers = 0
    with open_session(link, report) as session:
        for found in scan(session.client, wanted, session.seconds):
            answers += 1
            _print(found, as_json=as_json)
    if not answers:
        report.note("no device answers")
    return 0 if answers else 3


def _print(found: Found, *, as_json: bool) -> None:
    device, label = found.device, FAMILIES[found.device.family or "xt"].label
    if as_json:
        print_json(
            {
                "device": device.name,
                "address": device.address,
                "kind": label,
                "model": found.model,
                "version": found.version,
                "serial": found.serial,
            }
        )
        return
    version = f", software {found.version}" if found.version else ""
    serial = f", serial {found.serial}" if found.serial else ""
    model = f" {found.model}" if found.model not in (None, label) else ""
    print_line(f"{device.name} ({device.address}): {label}{model}{version}{serial}")
