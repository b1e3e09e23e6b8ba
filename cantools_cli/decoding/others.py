"""KCD, SYM, ARXML and CDD files, which the package cantools reads (extra ``decode``).

It takes a second to import. A file that it refuses is not read; what it warns of is reported as a fault.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from cantools_cli.decoding.model import ContainerHeader, Database, MessageSpec, Number, SignalSpec
from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.plugins import install_hint

#: file suffix -> format of cantools
FORMATS = {".kcd": "kcd", ".sym": "sym", ".arxml": "arxml", ".cdd": "cdd"}
_FLOAT_SIZES = (16, 32, 64)


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
        with _warnings() as warnings:
            database = load_file(path, database_format=form, strict=False)
    except Exception as error:  # the package raises errors of its parsers and of its own
        raise FormatError(
            f"not a database of the format {form}: {_first_line(error)}", source=path
        ) from error
    faults = [FormatError(text, source=path) for text in dict.fromkeys(warnings)]
    messages = [_message(message, path, faults) for message in getattr(database, "messages", ())]
    records = [_record(did, path, faults) for did in getattr(database, "dids", ())]
    if not messages and not records:
        raise FormatError(f"no messages in this {form} file", source=path)
    nodes = tuple(node.name for node in getattr(database, "nodes", ()))
    version = str(getattr(database, "version", "") or "")
    return Database(path, tuple(messages), tuple(faults), nodes, version, tuple(records))


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Collect what cantools logs instead of letting it be printed."""
    import logging  # which takes 10 ms, and cantools needs anyway

    texts: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            texts.append(" ".join(record.getMessage().split()))

    logger, handler = logging.getLogger("cantools"), Collector(logging.WARNING)
    logger.addHandler(handler)
    propagates, logger.propagate = logger.propagate, False
    try:
        yield texts
    finally:
        logger.propagate = propagates
        logger.removeHandler(handler)


def _message(message: Any, path: str, faults: list[FormatError]) -> MessageSpec:
    cycle = message.cycle_time
    inner = message.contained_messages or ()
    return MessageSpec(
        message.name,
        message.frame_id,
        message.is_extended_frame,
        message.length,
        _signals(message.name, message.signals, path, faults),
        is_fd=message.is_fd or message.length > 8,
        is_j1939=message.protocol == "j1939",
        cycle_time=cycle / 1000 if cycle else None,
        senders=tuple(message.senders),
        comment=message.comment or "",
        contained={part.header_id: _contained(part, message, path, faults) for part in inner},
        # cantools has the byte order, but reads short headers as big endian always
        header=ContainerHeader(3, 1, message.header_byte_order == "big_endian") if inner else None,
    )


def _contained(part: Any, container: Any, path: str, faults: list[FormatError]) -> MessageSpec:
    return MessageSpec(
        part.name,
        container.frame_id,
        container.is_extended_frame,
        part.length,
        _signals(part.name, part.signals, path, faults),
        is_fd=True,
        cycle_time=part.cycle_time / 1000 if part.cycle_time else None,
        comment=part.comment or "",
    )


def _record(did: Any, path: str, faults: list[FormatError]) -> MessageSpec:
    return MessageSpec(
        did.name, did.identifier, False, did.length, _signals(did.name, did.datas, path, faults), is_fd=True
    )


def _signals(
    message: str, signals: Iterable[Any], path: str, faults: list[FormatError]
) -> tuple[SignalSpec, ...]:
    found = []
    for signal in signals:
        spec = _signal(signal)
        if spec.is_float and spec.size not in _FLOAT_SIZES:
            text = f"signal {quoted(spec.name)} of message {quoted(message)} is a float of {spec.size} bits"
            faults.append(FormatError(f"{text}; left out", source=path))
        else:
            found.append(spec)
    return tuple(found)


def _signal(signal: Any) -> SignalSpec:
    is_big_endian = signal.byte_order == "big_endian"
    choices = signal.conversion.choices or {}
    return SignalSpec(
        signal.name,
        8 * (signal.start // 8) + 7 - signal.start % 8 if is_big_endian else signal.start,
        signal.length,
        is_big_endian,
        getattr(signal, "is_signed", False),
        is_float=signal.conversion.is_float,
        factor=_whole(signal.conversion.scale),
        shift=_whole(signal.conversion.offset),
        minimum=signal.minimum,
        maximum=signal.maximum,
        unit=signal.unit or "",
        choices={int(raw): str(name) for raw, name in choices.items()},
        is_selector=getattr(signal, "is_multiplexer", False),
        selector=getattr(signal, "multiplexer_signal", None) or "",
        selected_by=_ranges(getattr(signal, "multiplexer_ids", None) or ()),
        start_value=getattr(signal, "raw_initial", None),
        comment=getattr(signal, "comment", None) or "",
        receivers=tuple(getattr(signal, "receivers", ())),
        spn=getattr(signal, "spn", None),
    )


def _whole(value: Number) -> Number:
    """Return an integer for a whole number, so that physical values stay integers."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53 else value


def _ranges(values: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return ascending ranges that hold ``values``."""
    ranges: list[tuple[int, int]] = []
    for value in sorted(set(values)):
        if ranges and ranges[-1][1] == value - 1:
            ranges[-1] = ranges[-1][0], value
        else:
            ranges.append((value, value))
    return tuple(ranges)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def format_of(path: str) -> str:
    """Return the format by the suffix of ``path``, "" for an unknown suffix."""
    return FORMATS.get(os.path.splitext(path)[1].lower(), "")
