"""``canx gen``: generates frames by rule, to stdout, a file or a bus."""

from __future__ import annotations

import select
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cantools_cli.bus.address import is_log_name
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.deadline import Deadline
from cantools_cli.console import options
from cantools_cli.console.bundles import spelled
from cantools_cli.console.buses import BusOptions, open_buses
from cantools_cli.console.databases import DatabaseOptions
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.naming import RuleOptions
from cantools_cli.console.options import argument, flag, option
from cantools_cli.console.output import FormatOptions, Output, OutputFormat
from cantools_cli.console.run import Run
from cantools_cli.errors import CanTimeoutError, UsageError, counted
from cantools_cli.streams.generator import BATCH_ROWS, Generator
from cantools_cli.units import duration_ns, milliseconds_must_have_unit, rate

if TYPE_CHECKING:
    from cantools_cli.decoding.databases import Databases
    from cantools_cli.decoding.traffic import Traffic

#: the default gap of cangen
DEFAULT_GAP_NS = 200_000_000
#: a schedule this late was suspended; it restarts from now instead of flooding the bus
STOPPED_NS = 1_000_000_000
#: between two frames of a message without a cycle time
NO_CYCLE_NS = 1_000_000_000


@dataclass(eq=False, repr=False)
class FrameRules:
    """Options for the kinds of frames, and for what is in them."""

    extended: Annotated[bool, flag("--extended -e", "29-bit identifiers.")] = False
    can_fd: Annotated[bool, flag("--can-fd -f", "CAN FD frames.")] = False
    bitrate_switch: Annotated[bool, flag("--brs -b", "CAN FD with bit rate switch.")] = False
    esi: Annotated[bool, flag("--esi -E", "CAN FD with error state indicator.")] = False
    remote: Annotated[bool, flag("--remote -R", "Remote frames.")] = False
    can_xl: Annotated[bool, flag("--can-xl -X", "CAN XL frames, and no others.")] = False
    raw_dlc: Annotated[bool, flag("--raw-dlc -8", "Also raw DLC codes 9 to 15.")] = False
    mix: Annotated[bool, flag("--mix -m", "A mix of the given kinds; of all kinds if none is given.")] = False
    identifier: Annotated[str, option("--id -I", "MODE", "r random, e even, o odd, i increment, or hex.")] = (
        "r"
    )
    length: Annotated[
        str | None, option("--length -L", "MODE", "r random, i increment, or a DLC code; CAN XL: bytes.")
    ] = None
    data: Annotated[
        str, option("--data -D", "MODE", "r random, i increment, or hex, x for random digits.")
    ] = "r"
    xl_flags: Annotated[str | None, option("--xl-flags -F", "MODE", "CAN XL: r, i or 1 SEC, 2 RRS. [0]")] = (
        None
    )
    sdt: Annotated[str | None, option("--sdt -S", "MODE", "CAN XL: SDU type, r, i or hex. [0]")] = None
    acceptance_field: Annotated[
        str | None, option("--acceptance-field -A", "MODE", "CAN XL: r, i or hex. [r]")
    ] = None
    vcid: Annotated[str | None, option("--vcid -V", "MODE", "CAN XL: VCID, r, i or hex. [0]")] = None

    def check_unused(self, frames_per_second: str | None) -> None:
        """Refuse any of these options, and --rate, next to a database."""
        defaults = spelled(FrameRules())
        given = {name: value for name, value in spelled(self).items() if value != defaults[name]}
        options.check_effect(
            {**given, "--rate": frames_per_second}, "the database describes the frames", "leave out --dbc"
        )

    def generator(self, **schedule: Any) -> Generator:
        """Return a generator of these frames."""
        kinds: dict[str, Any] = {
            "is_extended_id": self.extended,
            "is_remote_frame": self.remote,
            "is_fd": self.can_fd,
            "bitrate_switch": self.bitrate_switch,
            "error_state_indicator": self.esi,
            "raw_dlc": self.raw_dlc,
            "mix": self.mix,
        }
        fields = {
            "flags": self.xl_flags,
            "sdt": self.sdt,
            "acceptance_field": self.acceptance_field,
            "vcid": self.vcid,
        }
        given = {name: text for name, text in fields.items() if text is not None}
        contents: dict[str, Any] = {"identifier": self.identifier, "length": self.length, "data": self.data}
        if not self.can_xl:
            if given:
                raise UsageError(
                    f"{next(iter(given))} is a field of CAN XL frames", hint="-X generates these"
                )
            return Generator(**kinds, **contents, **schedule)
        if any(kinds.values()):
            raise UsageError(
                "CAN XL cannot be combined with another kind of frame", hint="leave out -e -f -b -E -R -8 -m"
            )
        from cantools_cli.streams.xl_generator import XlGenerator

        return XlGenerator(**given, **contents, **schedule)


def gen_command(
    bus: Annotated[
        str | None, argument("BUS", "Send to this bus, in real time; without it: stdout or -o.")
    ] = None,
    *,
    rules: FrameRules,
    databases: DatabaseOptions,
    signal_rules: RuleOptions,
    gap: Annotated[
        str | None, option("--gap -g", "TIME", "Time between frames, with a unit. [200ms]")
    ] = None,
    frames_per_second: Annotated[
        str | None, option("--rate", "N", "Frames per second, instead of a gap.")
    ] = None,
    count: options.Count = None,
    seconds: Annotated[
        str | None, option("--duration", "TIME", "End after frames that span TIME: 10s, 5m.")
    ] = None,
    seed: Annotated[int | None, option("--seed", "N", "Seed; equal seeds generate equal frames.")] = None,
    start: Annotated[
        str | None, option("--start", "SECONDS", "First timestamp; now, or 0 with --seed.")
    ] = None,
    channel: Annotated[str | None, option("--channel", "NAME", "Channel of the frames. [can0]")] = None,
    output: options.Output = None,
    to_format: options.To = None,
    as_json: options.Json = False,
    ns: options.Ns = False,
    force: options.Force = False,
    bus_options: BusOptions,
    run: Run,
) -> int:
    """Generate frames, to stdout, a file or a bus.

    Without BUS, frames are written as fast as possible, and --gap or --rate only space their timestamps.
    Option letters are those of cangen; lengths are uniformly distributed. With --dbc, each message of the
    database is generated at its cycle time, with signals that move between their limits.

    \b
    canx gen -n 1000 | canx convert --to asc
    canx gen -n 100000 --seed 1 | canx send vcan0
    canx gen vcan0 -g 10ms -I 42A -L 1 -D i
    canx gen vcan0 --rate 1000 --duration 10s
    canx gen -m --rate 5000 -n 1000000 -o mix.blf
    canx gen --dbc car.dbc --duration 60s -o drive.blf
    """
    report = run.report
    if bus is None:
        options.check_effect(spelled(bus_options), "the frames go to no bus", "canx gen BUS sends them")
        if channel == "":
            raise UsageError("--channel is empty", hint="such as can0")
    else:
        options.check_effect(
            {"--ns": ns, "--force": force, "--channel": channel, "--start": start}, "the frames go to a bus"
        )
    gap_ns = None if gap is None else round(milliseconds_must_have_unit(gap, "-g") * 1_000_000_000)
    known = databases.load(report)
    if known is None:
        options.check_effect(signal_rules.given(), "no database is named", "--dbc FILE names one")
        if gap is None and frames_per_second is None:
            gap_ns = DEFAULT_GAP_NS
    duration_given = _duration_ns(seconds, gap_ns, to_bus=bus is not None)
    schedule = {
        "seed": seed,
        "start_ns": _start_ns(start, seed),
        "gap_ns": gap_ns,
        "count": options.checked_count(count),
        "duration_ns": duration_given,
    }
    name = "can0" if channel is None else channel
    generator: Generator | Traffic
    if known is not None:
        rules.check_unused(frames_per_second)
        generator = _traffic(known, signal_rules, name, bus, run, **schedule)
    else:
        rate_given = None if frames_per_second is None else rate(frames_per_second)
        generator = rules.generator(rate=rate_given, channel=name, **schedule)
    form = OutputFormat.resolve(output, to_format, as_json=as_json, special=FormatOptions(ns))
    report.detail(f"--seed {generator.seed} makes these frames again")
    with run:
        if bus is None:
            made = _write(generator, run, Output(output, form, force))
        elif output is not None or to_format is not None or as_json:
            raise UsageError(
                "frames go to BUS or to a file, not both", hint="canx gen ... | tee FILE | canx send BUS"
            )
        elif is_log_name(bus):
            raise UsageError(f"{bus}: a log file, not a bus", hint=f"-o {bus} writes it")
        else:
            (opened,) = open_buses([bus], bus_options, report, receive=False)
            with opened:
                made = _send(generator, opened.bus, run.interruption, duration_given)
        report.detail(f"{made} frames")
    return run.status(is_no=count is not None and made < count)


def _traffic(
    known: Databases,
    rules: RuleOptions,
    channel: str,
    bus: str | None,
    run: Run,
    *,
    gap_ns: int | None,
    **more: Any,
) -> Traffic:
    """Return the traffic of a database: that of the bus, or of all channels."""
    from cantools_cli.decoding.rules import parse_rules
    from cantools_cli.decoding.traffic import Traffic

    if bus is not None:
        from cantools_cli.console.named_frames import database_for

        database = database_for(known, bus)
        messages = [(channel, message) for message in database.by_key.values()]
    else:
        messages = [
            ((scope.channels or (channel,))[0], message)
            for scope in known.scopes
            for message in scope.database.by_key.values()
        ]
    if gap_ns == 0:
        raise UsageError("--gap 0 has no effect: messages have cycle times")
    specs = [message for _, message in messages]
    sources = ", ".join(scope.database.source for scope in known.scopes)
    signal_rules = parse_rules(rules.counters or (), rules.checksums or (), specs, sources)
    without = sum(1 for _, message in messages if message.cycle_time is None)
    if without:
        every = f"{(gap_ns or NO_CYCLE_NS) / 1_000_000:g} ms"
        run.report.note(f"{counted(without, 'messages')} without a cycle time, generated every {every}")
    traffic = Traffic(messages, signal_rules, gap_ns=gap_ns or NO_CYCLE_NS, **more)
    if traffic.too_long:
        names = ", ".join(message.name for message in traffic.too_long[:3])
        if traffic.is_done:
            raise UsageError(f"{sources}: all messages are longer than a frame: {names}")
        kind = f"messages longer than a frame (left out), such as {names}"
        run.report.losses(sources, Counter({kind: len(traffic.too_long)}))
    return traffic


def _duration_ns(text: str | None, gap_ns: int | None, *, to_bus: bool) -> int | None:
    """Return the nanoseconds of ``--duration``."""
    if text is None:
        return None
    if gap_ns == 0 and not to_bus:
        raise UsageError(
            "--duration without BUS needs a gap greater than 0", hint="-n limits the number of frames"
        )
    return duration_ns(text)


def _start_ns(start: str | None, seed: int | None) -> int:
    if start is not None:
        return duration_ns(start)
    return time.time_ns() // 1000 * 1000 if seed is None else 0


def _write(generator: Generator | Traffic, run: Run, target: Output) -> int:
    """Write all frames, or those up to a signal; return their number."""
    with target.open(run.report) as sink:
        for batch in generator.batches():
            sink.write(batch)
            if run.interruption.requested:
                break
    return sink.count


def _send(
    generator: Generator | Traffic, bus: BusABC, interruption: Interruption, duration_ns: int | None
) -> int:
    """Send frames when they are due, by an absolute schedule, so that errors do not add up.

    Return the number of frames sent until the generator's end, a signal, or the end of ``duration_ns``.
    """
    first = time.monotonic_ns()
    end = Deadline(None if duration_ns is None else duration_ns / 1_000_000_000)
    while not generator.is_done and not interruption.requested and not end.passed:
        due = min(generator.due(time.monotonic_ns() - first), BATCH_ROWS)
        if due:
            batch = generator.take(due)
            try:
                bus.send_batch(batch, end.remaining())
            except CanTimeoutError as error:
                if not end.passed:
                    raise
                return generator.drawn - len(batch) + (error.sent or 0)
            continue
        wait = first + generator.next_ns() - time.monotonic_ns()
        if wait > 0:
            select.select([interruption.fd], [], [], wait / 1_000_000_000)
        late = time.monotonic_ns() - first - generator.next_ns()
        if late > STOPPED_NS:
            first += late
    return generator.drawn
