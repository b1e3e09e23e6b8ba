"""``canx xcom messages``: prints the messages of devices as they arrive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from cantools_cli.bus.base import BusABC
from cantools_cli.bus.deadline import Deadline
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.options import checked_count, flag, option
from cantools_cli.console.run import Run
from cantools_cli.console.sources import live_batches
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.shared import XcomLink, open_session, print_json, print_line
from cantools_cli.errors import UsageError
from cantools_cli.units import duration as parse_duration
from cantools_cli.xcom.addresses import NOTIFICATION_ADDRESS, device_name
from cantools_cli.xcom.explain import Explained, explain
from cantools_cli.xcom.objects import lookup, message_text


def messages_command(
    follow: Annotated[bool, flag("--follow", "Listen until Ctrl-C.")] = False,
    seconds: Annotated[str | None, option("--duration", "TIME", "How long to listen. [5s]")] = None,
    count: Annotated[int | None, option("--count -n", "N", "End after N messages.")] = None,
    as_json: shared.Json = False,
    *,
    link: XcomLink,
    run: Run,
) -> int:
    """Print the messages that devices send: warnings, errors, notes.

    There is no history: only messages sent while it listens are printed. With -n, the status is 1 if fewer
    came.

    \b
    canx xcom messages --follow
    canx xcom messages --duration 1m --json
    canx xcom messages --follow -n 1
    """
    report = run.report
    checked_count(count)
    if follow and seconds is not None:
        raise UsageError("--follow and --duration contradict each other")
    length = None if follow else parse_duration(seconds or "5s")
    printed = 0
    with run, open_session(link, report) as session:
        heard = _messages(session.client.node.bus, link.source, run.interruption, Deadline(length))
        for when, explained in heard:
            _print(when, explained, as_json=as_json)
            printed += 1
            if count is not None and printed >= count:
                break
    return run.status(is_no=count is not None and printed < count)


def _messages(
    bus: BusABC, address: int, interruption: Interruption, end: Deadline
) -> Iterator[tuple[float, Explained]]:
    """Yield (time, message of a device) until a signal or the end."""
    for _, batch in live_batches([bus], interruption, lambda: None, end=end):
        for message in batch:
            explained = explain(message, lenient=True)
            if explained is None or explained.what != "message":
                continue
            if explained.identifier.destination in (address, NOTIFICATION_ADDRESS):
                yield message.timestamp, explained


def _print(when: float, explained: Explained, *, as_json: bool) -> None:
    number, source = explained.content.object_id, explained.identifier.source
    known = lookup("message", number)
    if as_json:
        print_json(
            {
                "timestamp": round(when, 6),
                "device": device_name(source),
                "address": source,
                "number": number,
                "level": known.level if known else None,
                "text": known.name if known else None,
                "value": int(explained.content.value or 0),
            }
        )
        return
    value = f" (value {explained.content.value:.0f})" if explained.content.value else ""
    moment = datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M:%S")
    print_line(f"{moment} {device_name(source)} {message_text(number)}{value}")
