"""``canx xcom apply``: writes the parameters of a TOML file that differ from the device."""

from __future__ import annotations

import os
from typing import Annotated

from cantools_cli.console.options import argument, check_effect, checked, flag, option
from cantools_cli.console.report import Report, say
from cantools_cli.console.run import Run
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.shared import PatientLink, chosen_device, confirm, open_session, print_line
from cantools_cli.errors import CanError, FormatError, UsageError, counted
from cantools_cli.xcom import values
from cantools_cli.xcom.codec import Part
from cantools_cli.xcom.journal import Journal, warning
from cantools_cli.xcom.settings import read_settings
from cantools_cli.xcom.writing import Plan, Writer

_PARTS = {"ram": Part.RAM, "flash": Part.FLASH}


def apply_command(
    file: Annotated[str, argument("FILE", "A file of canx xcom export; - is stdin.")],
    device: Annotated[str | None, option("--device -d", "DEVICE", "Only the table of this device.")] = None,
    part: Annotated[str, option("--part", "ram|flash", "Where to write.")] = "ram",
    dry_run: Annotated[bool, flag("--dry-run", "Print the differences, and write nothing.")] = False,
    yes: Annotated[bool, flag("--yes -y", "Do not ask before writing.")] = False,
    force: Annotated[bool, flag("--force", "Ignore limits and guards.")] = False,
    journal: Annotated[str | None, option("--journal", "FILE", "File that counts writes to flash.")] = None,
    *,
    link: PatientLink,
    run: Run,
) -> int:
    """Write the parameters of a TOML file that differ from the device, after showing the differences.

    All parameters are checked before the first is written; if the device would refuse one, none is written.
    The comparison is with flash, since RAM cannot be read. With --dry-run, the status is 1 if any differ.

    \b
    canx xcom apply xt1.toml --dry-run
    canx xcom apply xt1.toml --yes
    canx xcom apply installation.toml --device vt1 --part flash
    """
    checked(part, "--part", _PARTS)
    if part == "ram":
        check_effect({"--journal": journal}, "only writes to flash are counted", "--part flash")
    only = chosen_device(device)
    wanted = [setting for setting in read_settings(_text(file), file) if only in (None, setting.device)]
    if not wanted:
        raise UsageError(f"{file} has no parameter" + (f" of {device}" if device else ""))
    if not (yes or dry_run):
        shared.require_terminal("writing")
    report = run.report
    with open_session(link, report) as session:
        writer = Writer(
            session.client, Journal(journal), session.bus_name, timeout=session.seconds, force=force
        )
        wishes = ((setting.object, setting.device, setting.value) for setting in wanted)
        plans = [plan for wish in wishes if (plan := writer.plan_if_changed(*wish, _PARTS[part])) is not None]
        for plan in plans:
            before = "?" if plan.present is None else values.text(plan.object, plan.present)
            print_line(f"{plan.heading}: {before} -> {values.text(plan.object, plan.value)}")
        report.note(f"{len(plans)} of {len(wanted)} parameters differ")
        if dry_run or not plans:
            return 1 if plans else 0
        confirm(f"write {counted(len(plans), 'parameters')} to {part}", yes=yes)
        return _write(writer, plans, report)


def _text(file: str) -> str:
    with open(0 if file == "-" else os.fspath(file), "rb", closefd=file != "-") as stream:
        data = stream.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError("not UTF-8 text", source=file) from error


def _write(writer: Writer, plans: list[Plan], report: Report) -> int:
    """Write the parameters; a failure stops the rest, which may depend on it."""
    for done, plan in enumerate(plans):
        if plan.part == Part.FLASH:
            worn = warning(plan.wear)
            if worn is not None:
                say(f"{plan.heading}: {worn}")
        try:
            writer.carry_out(plan)
        except CanError as error:
            say(f"{done} of {counted(len(plans), 'parameters')} were written before {plan.heading}")
            error.hint = error.hint or "written parameters stay; apply the file again once the cause is fixed"
            raise
    report.note(
        f"{counted(len(plans), 'parameters')} written to {'flash' if plans[0].part == Part.FLASH else 'ram'}"
    )
    return 0
