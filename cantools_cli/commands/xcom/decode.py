"""``canx xcom decode``: explains the Xcom frames in a stream."""

from __future__ import annotations

from typing import Annotated, Any

from cantools_cli.console import options
from cantools_cli.console.inputs import Inputs
from cantools_cli.console.options import flag
from cantools_cli.console.run import Run
from cantools_cli.console.sources import ReadOptions
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.shared import print_json
from cantools_cli.frame.message import Message
from cantools_cli.xcom.explain import Explained, explain


def decode_command(
    files: options.Files = None,
    from_format: options.From = None,
    as_json: shared.Json = False,
    lenient: Annotated[
        bool, flag("--lenient", "Accept reserved bits, and replies with extra bytes.")
    ] = False,
    *,
    reading: ReadOptions,
    run: Run,
) -> int:
    """Explain the Xcom frames in a stream or a log, one line each; other frames are skipped.

    Other protocols use 29-bit identifiers too: a frame counts if its service, its length and the address of
    one device match.

    \b
    canx dump can0 | canx xcom decode
    canx xcom decode trace.blf
    canx xcom decode trace.log --json | jq .value
    """
    report = run.report
    matching = total = 0
    reading = reading.of_format(from_format)
    with run, Inputs(files or ["-"], run.interruption, report, reading) as inputs:
        for batch in inputs.batches():
            for message in batch:
                total += 1
                explained = explain(message, lenient=lenient)
                if explained is not None:
                    matching += 1
                    _print(message, explained, as_json=as_json)
            if run.interruption.requested:
                break
        report.faults(inputs.skipped, inputs.first_fault)
        report.detail(f"{matching} of {total} frames are Xcom-CAN frames")
    return run.status(reading.strict and inputs.skipped)


def _print(message: Message, explained: Explained, *, as_json: bool) -> None:
    if as_json:
        head: dict[str, Any] = {"timestamp": round(message.timestamp, 6), "channel": message.channel}
        print_json(head | explained.as_json())
    else:
        print(f"({message.timestamp_ns / 1e9:.6f}) {message.channel} {explained}", flush=True)
