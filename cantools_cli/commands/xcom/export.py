"""``canx xcom export``: saves all parameters of devices to a TOML file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import IO, Annotated

from cantools_cli.console import options
from cantools_cli.console.options import argument
from cantools_cli.console.report import Report
from cantools_cli.console.run import Run
from cantools_cli.console.xcom.shared import PatientLink, Session, open_session
from cantools_cli.errors import FAILURE_STATUS, CanOperationError, UsageError, counted
from cantools_cli.xcom.addresses import Device, parse_device
from cantools_cli.xcom.node import Timeout
from cantools_cli.xcom.objects import of_family
from cantools_cli.xcom.readings import read
from cantools_cli.xcom.settings import setting_lines


def export_command(
    devices: Annotated[list[str], argument("DEVICE...", "xt1, vt1, bsp, ...")],
    output: options.Output = None,
    force: options.Force = False,
    *,
    link: PatientLink,
    run: Run,
) -> int:
    """Save all parameters of devices, as they are in flash, to a TOML file.

    Commands, and parameters that a device does not have, are left out. A parameter that cannot be read
    becomes a comment, and the status is 3.

    \b
    canx xcom export xt1 -o xt1.toml
    canx xcom export xt1 vt1 bsp -o installation.toml
    canx xcom export xt1 | grep 1286
    """
    wanted = [parse_device(name) for name in devices]
    for device in wanted:
        if device.is_group or device.family is None:
            raise UsageError(f"{device.name} is not a single device of a known kind", hint="such as xt1")
    if output in (None, "-"):
        options.check_effect({"--force": force}, "there is no file", "-o FILE")
    report = run.report
    failed = 0
    with open_session(link, report) as session, _opened(output, force=force) as file:
        file.write(f"# made by canx xcom export, {datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC\n")
        for device in wanted:
            failed += _export(session, device, file, report)
    return FAILURE_STATUS if failed else 0


def _export(session: Session, device: Device, file: IO[str], report: Report) -> int:
    """Write the table of one device; return the number of unreadable parameters."""
    failed = exported = 0
    assert device.family is not None
    file.write(f"\n[{device.name}]\n")
    for parameter in of_family("parameter", device.family):
        if parameter.is_signal or parameter.format == "not_supported":
            continue
        reading = read(session.client, parameter, device, None, session.seconds)
        if not exported and (isinstance(reading.error, Timeout) or "DEVICE_NOT_FOUND" in reading.problem):
            raise CanOperationError(str(reading), hint="canx xcom scan lists devices that answer")
        if reading.error is not None and "OBJECT_ID_NOT_FOUND" in reading.problem:
            report.detail(str(reading))
            continue
        failed += reading.error is not None
        exported += reading.error is None
        if reading.error is not None:
            report.note(str(reading))
        file.write(setting_lines(reading))
        file.flush()
    report.note(
        f"{device.name}: {counted(exported, 'parameters')}" + (f", {failed} not read" if failed else "")
    )
    return failed


@contextmanager
def _opened(path: str | None, *, force: bool) -> Iterator[IO[str]]:
    """Open stdout, or a file that must not exist."""
    if path is None or path == "-":
        yield sys.stdout
        return
    try:
        file = open(path, "w" if force else "x", encoding="utf-8")  # noqa: SIM115  # closed below
    except FileExistsError:
        raise UsageError(f"{path}: already exists", hint="--force replaces it") from None
    try:
        with file:
            yield file
    except BaseException:
        if os.path.getsize(path) < 100:
            os.unlink(path)  # nothing but the heading
        raise
