"""``canx serve``: serves buses of this computer to clients of socketcand over TCP."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

from cantools_cli.console import options
from cantools_cli.console.buses import BusOptions, open_buses
from cantools_cli.console.options import argument, flag, option
from cantools_cli.console.report import say
from cantools_cli.console.run import Run
from cantools_cli.errors import UsageError

_LISTEN = "127.0.0.1:29536"


def serve_command(
    buses: Annotated[list[str] | None, argument("BUS...", options.BUS_HELP)] = None,
    listen: Annotated[str, option("--listen", "ADDRESS[:PORT]", "Where to listen.")] = _LISTEN,
    port: Annotated[int | None, option("--port", "PORT", "The port to listen on; 0 is a free one.")] = None,
    allow: Annotated[
        list[str] | None,
        option(
            "--allow",
            "ADDRESS|NETWORK",
            "Clients that may connect; by default those of this computer. Repeatable.",
        ),
    ] = None,
    read_only: Annotated[bool, flag("--read-only", "Clients cannot send.")] = False,
    error_frames: Annotated[
        bool, flag("--error-frames", "Send error frames to all clients in raw mode.")
    ] = False,
    queue: Annotated[int, option("--queue", "N", "Frames queued for a slow client at most.")] = 20_000,
    beacon: Annotated[
        str | None, option("--beacon", "ADDRESS[:PORT]", "Announce the server there every 3 s; port 42000.")
    ] = None,
    *,
    bus_options: BusOptions,
    run: Run,
) -> int:
    """Serve buses over TCP to socketcand clients.

    Other computers can connect only with --listen, and only if --allow names them. Runs until Ctrl-C.

    \b
    canx serve can0
    canx serve virtual:vcan0 --port 0
    canx serve can0 can1 --listen 0.0.0.0 --allow 192.168.0.0/24 --read-only
    canx dump socketcand:can0,host=127.0.0.1
    """
    from cantools_cli.backends.socketcand.beacon import BEACON_PORT
    from cantools_cli.backends.socketcand.codec import DEFAULT_PORT
    from cantools_cli.serve.access import parse_place
    from cantools_cli.serve.server import SocketcandServer

    report = run.report
    host, listen_port = parse_place(listen, DEFAULT_PORT, "--listen")
    if port is not None:
        names_port = listen_port == parse_place(listen, DEFAULT_PORT + 1, "--listen")[1]
        if names_port and listen != _LISTEN:
            raise UsageError(
                f"--listen {listen} and --port {port} both name a port", hint="leave out one of them"
            )
        host, listen_port = parse_place(f"[{host}]:{port}", DEFAULT_PORT, "--port")
    if queue < 1:
        raise UsageError(
            f"--queue {queue} must be greater than 0", hint="20000 frames take about 1 MB per client"
        )
    to = parse_place(beacon, BEACON_PORT, "--beacon") if beacon is not None else None
    with run, ExitStack() as stack:
        opened = open_buses(buses or (), bus_options, report, receive=True)
        for named in opened:
            stack.enter_context(named)
        server = stack.enter_context(
            SocketcandServer(
                {named.name: named.bus for named in opened},
                host,
                listen_port,
                allow=allow or (),
                read_only=read_only,
                error_frames=error_frames,
                queue_frames=queue,
                beacon=to,
                filters={named.name: named.filter for named in opened if named.filter is not None},
                on_note=say,
            )
        )
        names = ", ".join(named.name for named in opened)
        report.note(f"serving {names}, listening on {server.place}")
        server.serve(run.interruption)
    return 128 + (run.interruption.signum or 0)
