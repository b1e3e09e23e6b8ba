"""``canx xcom write-param``: writes one value, checked before and after."""

from __future__ import annotations

from typing import Annotated

from cantools_cli.console.options import argument, check_effect, checked, flag, option
from cantools_cli.console.report import say
from cantools_cli.console.run import Run
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.shared import (
    ReplyLink,
    chosen_device,
    confirm,
    open_session,
    print_json,
    print_line,
)
from cantools_cli.xcom import values
from cantools_cli.xcom.codec import Part, Service, encode_request, frame
from cantools_cli.xcom.journal import ENDURANCE, Journal, warning
from cantools_cli.xcom.objects import find
from cantools_cli.xcom.writing import Outcome, Plan, Writer

_PARTS = {"ram": Part.RAM, "flash": Part.FLASH}


def write_param_command(
    parameter: Annotated[str, argument("PARAMETER", "A number, part of a name, or xt2:NUMBER.")],
    value: Annotated[str, argument("VALUE", "A number, yes or no, a label, 13:41, mon,tue.")],
    device: shared.DeviceName = None,
    part: Annotated[str, option("--part", "ram|flash", "Where to write.")] = "ram",
    yes: Annotated[bool, flag("--yes -y", "Do not ask before writing to flash.")] = False,
    force: Annotated[
        bool, flag("--force", "Ignore limits and guards; write to flash even an equal value.")
    ] = False,
    broadcast: Annotated[bool, flag("--broadcast", "Write to all devices of a kind: --device xt.")] = False,
    dry_run: Annotated[bool, flag("--dry-run", "Print the frame, and send nothing.")] = False,
    as_json: shared.Json = False,
    journal: Annotated[str | None, option("--journal", "FILE", "File that counts writes to flash.")] = None,
    *,
    link: ReplyLink,
    run: Run,
) -> int:
    """Write a parameter, to RAM by default.

    RAM is lost at a restart, has no write limit, and cannot be read back. Flash endures 1000 writes per
    parameter: a write needs a confirmation, is counted in a journal, and read back. The limits that the
    device reports are respected. An unanswered write is not repeated.

    \b
    canx xcom write-param 1286 231.5
    canx xcom write-param 1202 'Manual ON' --device xt2
    canx xcom write-param 1286 230 --part flash --yes
    canx xcom write-param 1107 20 --device xt --broadcast
    """
    checked(part, "--part", _PARTS)
    if part == "ram":
        check_effect({"--journal": journal}, "only writes to flash are counted", "--part flash")
    item, target = find(parameter, "parameter", chosen_device(device))
    wanted = values.parse(item, value)
    report = run.report
    if dry_run:
        data = encode_request(Service.WRITE_PARAMETER, item.number, _PARTS[part], wanted)
        message = frame(target.address, link.source, Service.WRITE_PARAMETER, data)
        print_line(f"{message.arbitration_id:08X}#{data.hex().upper()}")
        return 0
    if _PARTS[part] == Part.FLASH and not yes:
        shared.require_terminal("writing to flash")
    with open_session(link, report) as session:
        writer = Writer(
            session.client,
            Journal(journal),
            session.bus_name,
            timeout=session.seconds,
            force=force,
            broadcast=broadcast,
        )
        plan = writer.plan(item, target, wanted, _PARTS[part])
        if plan.part == Part.FLASH:
            if plan.is_unchanged and not force:
                report.note("flash already holds this value; it is not written again")
                _print(plan, None, as_json=as_json)
                return 0
            worn = warning(plan.wear)
            if worn is not None:
                say(f"{plan.heading}: {worn}")
            what = f"{values.text(plan.object, plan.value)} to flash of {plan.heading}"
            confirm(f"write {what}, write number {plan.wear + 1} of {ENDURANCE}", yes=yes)
        outcome = writer.carry_out(plan)
    _print(plan, outcome, as_json=as_json)
    if plan.part == Part.FLASH:
        report.detail(f"{plan.wear + 1} of {ENDURANCE} writes to flash, by {Journal(journal).path}")
    if outcome.stored is not None and outcome.stored != wanted:
        report.note(f"the device stored {values.text(item, outcome.stored)}")
    return 0


def _print(plan: Plan, outcome: Outcome | None, *, as_json: bool) -> None:
    part = "ram" if plan.part == Part.RAM else "flash"
    verified = None if outcome is None else outcome.verified
    if as_json:
        row = {
            "device": plan.device.name,
            "address": plan.device.address,
            "number": plan.object.number,
            "name": plan.object.name,
            "part": part,
            "value": values.json_number(plan.object, plan.value),
            "flash_before": _json(plan, plan.present),
            "min": _json(plan, plan.minimum),
            "max": _json(plan, plan.maximum),
            "written": outcome is not None,
            "verified": verified is not None,
        }
        print_json(row)
        return
    text = f"{plan.heading}: {values.text(plan.object, plan.value)}"
    if outcome is None:
        print_line(f"{text}, in flash before")
        return
    text += f", written to {part}"
    if plan.minimum is not None and plan.maximum is not None:
        low, high = values.format_number(plan.minimum), values.format_number(plan.maximum)
        before = "" if plan.present is None else f", flash {values.format_number(plan.present)} before"
        text += f" ({low} to {high}{before})"
    print_line(text + (", read back" if verified is not None else ""))
    for line in outcome.others:
        print_line(f"  {line}")


def _json(plan: Plan, value: float | None) -> float | int | None:
    return None if value is None else values.json_number(plan.object, value)
