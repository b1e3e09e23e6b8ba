"""``canx xcom simulate``: simulates a gateway with devices."""

from __future__ import annotations

import time
from typing import Annotated

from cantools_cli.console import options
from cantools_cli.console.options import argument, flag, option
from cantools_cli.console.run import Run
from cantools_cli.console.sources import live_batches
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.shared import Wire
from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.message import Message
from cantools_cli.units import duration
from cantools_cli.xcom import values
from cantools_cli.xcom.addresses import parse_device
from cantools_cli.xcom.explain import explain
from cantools_cli.xcom.faults import Fault
from cantools_cli.xcom.objects import find
from cantools_cli.xcom.plant import DAY, Plant
from cantools_cli.xcom.simulation import Simulation
from cantools_cli.xcom.simulator import DEFAULT_DEVICES, Gateway, Unit, parse_notice, parse_units


def simulate_command(
    bus: Annotated[
        str | None, argument("[BUS]", "The bus: [INTERFACE:]CHANNEL[,KEY=VALUE...]; else configured.")
    ] = None,
    devices: Annotated[str, option("--devices", "DEVICE,...", "Simulated devices.")] = DEFAULT_DEVICES,
    still: Annotated[bool, flag("--still", "Keep all values constant.")] = False,
    clock: Annotated[
        str | None, option("--clock", "HH:MM", "Time of day at the start; by default the local time.")
    ] = None,
    day: Annotated[str, option("--day", "TIME", "How long a day takes.")] = "24h",
    seed: Annotated[int, option("--seed", "N", "Seed of the weather.")] = 1,
    presets: Annotated[
        list[str] | None, option("--set", "[DEVICE:]PARAMETER=VALUE", "A value in flash. Repeatable.")
    ] = None,
    notices: Annotated[
        list[str] | None,
        option(
            "--notify",
            "DEVICE:MESSAGE[:VALUE][@TIME]",
            "Send a message at the start, and every TIME. Repeatable.",
        ),
    ] = None,
    notify_to: Annotated[int, option("--notify-to", "ADDRESS", "Destination of messages.")] = 500,
    faults: Annotated[
        list[str] | None,
        option(
            "--fault",
            "KIND[=VALUE][@DEVICE][/N]",
            "silence, late, short, wrong-source, wrong-object, duplicate, busy, error or standard, in "
            "all replies or every Nth. Repeatable.",
        ),
    ] = None,
    latency: Annotated[str, option("--latency", "TIME", "How long a reply takes.")] = "5ms",
    exclusive: Annotated[
        bool, flag("--exclusive", "Answer malformed requests with an error, not with silence.")
    ] = False,
    only: Annotated[bool, flag("--only", "Ignore requests to other devices: two gateways on a bus.")] = False,
    flags: Annotated[int, option("--flags", "N", "Reserved bits in replies, 0 to 62.")] = 0,
    log: Annotated[bool, flag("--log", "Print received and sent frames.")] = False,
    *,
    wire: Wire,
    run: Run,
) -> int:
    """Simulate a gateway with devices, until Ctrl-C.

    Values follow a day: sun from 6:00 to 18:00, load in the morning and in the evening, a battery between
    them. Parameters have their real limits, and invalid requests get the errors of a real device. Faults
    occur only with --fault.

    \b
    canx xcom simulate virtual:xcom
    canx xcom simulate virtual:xcom --devices xt1,vt1 --day 10m --log
    canx xcom simulate virtual:xcom --fault late=1.5@xt1 --fault silence/3
    canx xcom simulate virtual:xcom --notify xt1:16@5s
    """
    report = run.report
    if not 0 <= flags <= 62 or flags & 1 or not 0 <= notify_to <= 1023:
        raise UsageError("--flags must be even and at most 62, --notify-to at most 1023")
    if still:
        options.check_effect(
            {"--clock": clock, "--seed": seed != 1}, "with --still no value changes by itself"
        )
    seconds = duration(latency)
    units = parse_units(devices)
    for preset in presets or ():
        _preset(units, preset)
    length = duration(day)
    if not length:
        raise UsageError("--day must be greater than 0")
    gateway = Gateway(
        units,
        exclusive=exclusive,
        only=only,
        faults=[Fault.parse(text) for text in faults or ()],
        plant=None if still else Plant(_seconds_of_day(clock), seed),
        notify_to=notify_to,
        flags=flags,
    )
    messages = [parse_notice(text) for text in notices or ()]
    wire.bus = bus
    keywords = wire.keywords(report)
    with run, wire.open(keywords, report) as opened:
        simulation = Simulation(
            opened.bus,
            gateway,
            latency=seconds,
            speed=DAY / length,
            notices=messages,
            on_frame=_print_frame if log else None,
        )
        report.note(f"{', '.join(unit.name for unit in units)} on {opened.name}")
        for _, batch in live_batches([opened.bus], run.interruption, simulation.send_due):
            simulation.handle(batch)
    return 128 + (run.interruption.signum or 0)


def _preset(units: list[Unit], text: str) -> None:
    name, mark, value = text.rpartition("=")
    if not mark:
        raise UsageError(f"--set {quoted(text)} is not of the form PARAMETER=VALUE")
    prefix, _, rest = name.partition(":")
    device = parse_device(prefix) if rest else None
    parameter, device = find(rest or name, "parameter", device)
    unit = next((unit for unit in units if unit.address == device.address), None)
    if unit is None or parameter.number not in unit.parameters:
        raise UsageError(f"--set {quoted(text)}: {device.name} is not simulated, or has no such parameter")
    unit.flash[parameter.number] = unit.ram[parameter.number] = values.parse(parameter, value)


def _seconds_of_day(text: str | None) -> float:
    if text is None:
        now = time.localtime()
        return now.tm_hour * 3600.0 + now.tm_min * 60 + now.tm_sec
    hours, mark, minutes = text.partition(":")
    if not (mark and hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60):
        raise UsageError(f"--clock {quoted(text)} is not a time of day", hint="such as 13:41")
    return int(hours) * 3600.0 + int(minutes) * 60


def _print_frame(what: str, message: Message) -> None:
    explained = explain(message, lenient=True)
    frame = f"{message.arbitration_id:08X}#{bytes(message.data).hex().upper()}"
    shared.print_line(f"{frame}  {explained}" if explained is not None else f"{frame}  {what}")
