"""``canx db``: the messages and signals of a database, likely mistakes, and differences from another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from cantools_cli.console import options
from cantools_cli.console.databases import report_faults
from cantools_cli.console.options import argument, flag, option
from cantools_cli.console.run import Run
from cantools_cli.console.tables import print_table
from cantools_cli.errors import UsageError, counted

if TYPE_CHECKING:
    from cantools_cli.decoding.model import Database, MessageSpec

_HEX = re.compile(r"(?:0[xX])?(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})")


def db_command(
    file: Annotated[str, argument("FILE", "Database: DBC, KCD, SYM, ARXML, CDD.")],
    names: Annotated[
        list[str] | None,
        argument("MESSAGE...", "Messages to show with their signals and bits: a name, or an identifier."),
    ] = None,
    signals: Annotated[bool, flag("--signals", "List all signals instead of messages.")] = False,
    check: Annotated[bool, flag("--check", "List likely mistakes; status 1 if there are any.")] = False,
    diff: Annotated[
        str | None, option("--diff", "OTHER", "List what OTHER changes in FILE; status 1 if it does.")
    ] = None,
    as_json: options.Json = False,
    j1939: options.J1939 = False,
    encoding: options.Encoding = None,
    *,
    run: Run,
) -> int:
    """Show the messages and signals of a database, check it, or compare it with another.

    Columns are separated by tabs if the output is not a terminal.

    \b
    canx db car.dbc
    canx db car.dbc Engine
    canx db car.dbc --signals --json | jq .unit
    canx db car.dbc --check
    canx db old.dbc --diff new.dbc
    """
    chosen = {"--signals": signals, "--check": check, "--diff": diff, "MESSAGE": names}
    given = [spelling for spelling, value in chosen.items() if value]
    if len(given) > 1:
        raise UsageError(f"{given[0]} and {given[1]} exclude each other")
    database = _loaded(file, j1939, encoding)
    if check:
        return _check(database, as_json)
    report_faults(database.faults, run.report)
    if diff is not None:
        other = _loaded(diff, j1939, encoding)
        report_faults(other.faults, run.report)
        return _diff(database, other, as_json)
    if names:
        _show([_message(database, name) for name in names], as_json)
    elif signals:
        _list_signals(database, as_json)
    else:
        _list_messages(database, as_json)
    return 0


def _loaded(path: str, is_j1939: bool, encoding: str | None) -> Database:
    from cantools_cli.decoding.databases import as_j1939
    from cantools_cli.decoding.load import load

    database = load(path, encoding)
    return as_j1939(database) if is_j1939 else database


def _check(database: Database, as_json: bool) -> int:
    from cantools_cli.decoding.checks import problems

    found = problems(database)
    for fault in found:
        if as_json:
            _print_object({"file": fault.source, "line": fault.position, "problem": fault.reason})
        else:
            print(fault)
    if not found and not as_json:
        signals = counted(sum(1 for _ in database.signals()), "signals")
        messages = counted(len(database.messages), "messages")
        print(f"{database.source}: {messages}, {signals}, no mistakes found")
    return 1 if found else 0


def _diff(before: Database, after: Database, as_json: bool) -> int:
    from cantools_cli.console.database_rows import difference_object, difference_text
    from cantools_cli.decoding.differences import differences

    found = list(differences(before, after))
    for difference in found:
        if as_json:
            _print_object(difference_object(difference))
        else:
            print(difference_text(difference))
    return 1 if found else 0


def _list_messages(database: Database, as_json: bool) -> None:
    from cantools_cli.console.database_rows import message_object, message_row

    if as_json:
        for message in database.all_messages():
            _print_object(message_object(message))
    else:
        print_table([message_row(message) for message in database.all_messages()])


def _list_signals(database: Database, as_json: bool) -> None:
    from cantools_cli.console.database_rows import signal_object, signal_row

    rows = []
    for message in database.all_messages():
        for number, signal in enumerate(message.signals, 1):
            if as_json:
                _print_object({"message": message.name, **signal_object(signal)})
            else:
                row = signal_row(number, signal)
                del row["no"]
                rows.append({"message": message.name, **row})
    print_table(rows)


def _show(messages: Iterable[MessageSpec], as_json: bool) -> None:
    from cantools_cli.console.database_rows import identifier, message_object, signal_row
    from cantools_cli.decoding.layout import drawings

    for index, message in enumerate(messages):
        if as_json:
            _print_object(message_object(message))
            continue
        if index:
            print()
        group = f", parameter group {message.pgn:05X}" if message.is_j1939 else ""
        print(f"{message.name}: {identifier(message)}, {counted(message.length, 'bytes')}{group}")
        if message.comment:
            print(" ".join(message.comment.split()))
        print_table([signal_row(number, signal) for number, signal in enumerate(message.signals, 1)])
        for condition, lines in drawings(message):
            print(f"\n{condition}:" if condition else "")
            print("\n".join(lines))


def _message(database: Database, name: str) -> MessageSpec:
    """Return the message with this name, else the one with this hexadecimal identifier."""
    found = next((message for message in database.all_messages() if message.name == name), None)
    if found is None and _HEX.fullmatch(name):
        digits = name.lower().removeprefix("0x")
        found = database.of_frame(int(digits, 16), len(digits) > 3)
    return found or database.message(name)


def _print_object(found: dict[str, Any]) -> None:
    print(json.dumps(found, separators=(",", ":"), ensure_ascii=False))
