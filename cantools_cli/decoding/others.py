"""KCD, SYM, ARXML and CDD files, which the package cantools reads (extra ``decode``).

It takes a second to import. Signals of containers and databases that it refuses are its to judge.
"""

from __future__ import annotations

import os
from typing import Any

from cantools_cli.decoding.model import Database, MessageSpec, SignalSpec
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.plugins import install_hint

#: file suffix -> format of cantools
FORMATS = {".kcd": "kcd", ".sym": "sym", ".arxml": "arxml", ".cdd": "cdd"}


def read(path: str, form: str) -> Database:
    """Return the database in a file of the format ``form``.

    Raises:
        UsageError: cantools is not installed.
        FormatError: cantools cannot read the file.
        OSError: the file cannot be opened.
    """
    try:
        from cantools.database import load_file
    except ImportError as error:
        raise UsageError(
            f"{path}: reading {form} needs cantools, which is not installed",
            hint=install_hint("cantools", "decode"),
        ) from error
    with open(path, "rb"):  # cantools has its own words for what is missing
        pass
    try:
        database = load_file(path, database_format=form, strict=False)
    except Exception as error:  # the package raises errors of its parsers and of its own
        raise FormatError(
            f"not a database of the format {form}: {_first_line(error)}", source=path
        ) from error
    messages = [_message(message) for message in getattr(database, "messages", ())]
    if not messages:
        raise FormatError(f"no messages in this {form} file", source=path)
    nodes = tuple(node.name for node in getattr(database, "nodes", ()))
    return Database(path, tuple(messages), (), nodes, str(getattr(database, "version", "") or ""))


def _message(message: Any) -> MessageSpec:
    cycle = message.cycle_time
    return MessageSpec(
        message.name,
        message.frame_id,
        message.is_extended_frame,
        message.length,
        tuple(_signal(signal) for signal in message.signals),
        is_fd=message.is_fd or message.length > 8,
        is_j1939=message.protocol == "j1939",
        cycle_time=cycle / 1000 if cycle else None,
        senders=tuple(message.senders),
        comment=message.comment or "",
    )


def _signal(signal: Any) -> SignalSpec:
    is_big_endian = signal.byte_order == "big_endian"
    selected = signal.multiplexer_ids or ()
    choices = signal.conversion.choices or {}
    return SignalSpec(
        signal.name,
        8 * (signal.start // 8) + 7 - signal.start % 8 if is_big_endian else signal.start,
        signal.length,
        is_big_endian,
        signal.is_signed,
        is_float=signal.conversion.is_float,
        factor=signal.conversion.scale,
        shift=signal.conversion.offset,
        minimum=signal.minimum,
        maximum=signal.maximum,
        unit=signal.unit or "",
        choices={int(raw): str(name) for raw, name in choices.items()},
        is_selector=signal.is_multiplexer,
        selector=signal.multiplexer_signal or "",
        selected_by=tuple((value, value) for value in selected),
        start_value=signal.raw_initial,
        comment=signal.comment or "",
        receivers=tuple(signal.receivers),
        spn=signal.spn,
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def format_of(path: str) -> str:
    """Return the format by the suffix of ``path``, "" if it is none of these."""
    return FORMATS.get(os.path.splitext(path)[1].lower(), "")
