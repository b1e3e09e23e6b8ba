"""Frames given by name, as ``canx send`` sends them."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cantools_cli.bus.address import parse_address, stream_names
from cantools_cli.bus.base import BusABC
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.report import Report
from cantools_cli.decoding.databases import Databases
from cantools_cli.decoding.encode import LAST, SELECTS, START, ZERO, Filled, fill, frame
from cantools_cli.decoding.model import Database, MessageSpec
from cantools_cli.decoding.naming import NamedFrame, is_name, parse
from cantools_cli.decoding.rules import Rules, parse_rules
from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

#: seconds that ``send`` waits at most for the last frame, unless --last sets them
DEFAULT_WAIT = 2.0
_SHOWN = 6
_WORDS = {LAST: "from the last frame", START: "start value", ZERO: "zero", SELECTS: "selects the others"}


def database_for(databases: Databases, bus: str) -> Database:
    """Return the database that describes the frames of the bus with the address ``bus``."""
    if len(databases.scopes) == 1 and not databases.scopes[0].channels:
        return databases.scopes[0].database
    (name,) = stream_names([parse_address(bus)])
    found = databases.for_channel(name)
    if found is None:
        raise UsageError(f"--dbc names no database for {quoted(name)}", hint=f"--dbc {name}=FILE")
    return found


@dataclass(eq=False)
class _Entry:
    """A frame to send: by name, or as bytes of a message with rules."""

    named: NamedFrame | None
    message: Message | None = None
    spec: MessageSpec | None = None
    filled: Filled | None = None


class NamedFrames:
    """The frames of a command line, some of them by name.

    Attributes:
        wait: seconds to wait for frames on the bus, whose signals the frames by name keep.
    """

    def __init__(self, entries: Sequence[_Entry], rules: Rules, wait: float | None) -> None:
        self._entries = entries
        self._rules = rules
        self._last: dict[int, bytes] = {}
        self._wanted = {spec.key: spec for spec in self._unset()}
        cycles = [2 * (spec.cycle_time or 0) for spec in self._wanted.values()]
        self.wait = min(max(cycles, default=0.0), DEFAULT_WAIT) if wait is None else wait
        if not self._wanted:
            self.wait = 0.0
        self._tells_missing = wait is not None

    @classmethod
    def parse(
        cls,
        texts: Sequence[str],
        database: Database,
        counters: Sequence[str],
        checksums: Sequence[str],
        wait: float | None,
        report: Report,
        *,
        strict: bool,
    ) -> NamedFrames:
        """Return the frames that ``texts`` describe; a malformed one stops them all."""
        from cantools_cli.io.frame_text import parse_frame

        messages = [*database.by_key.values()]
        entries = []
        for text in texts:
            if is_name(text):
                named = parse(text, messages, database.source)
                fill(named.message, named.raws)  # raises before the bus is opened
                frame(named.message, bytes(named.message.length))
                for rounded in named.rounded:
                    report.note(rounded)
                entries.append(_Entry(named, spec=named.message))
            else:
                message, warning = parse_frame(text, pad=not strict)
                if warning:
                    report.note(warning)
                entries.append(_Entry(None, message, _spec_of(message, database)))
        rules = parse_rules(counters, checksums, messages, database.source)
        sent = [entry.spec for entry in entries]
        for spec in rules.messages():
            if spec not in sent:
                raise UsageError(f"a rule is for message {quoted(spec.name)}, which is not sent")
        return cls(entries, rules, wait)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def messages(self) -> Iterator[Message]:
        """The frames that were given as bytes."""
        return (entry.message for entry in self._entries if entry.message is not None)

    def listen(self, bus: BusABC, interruption: Interruption, report: Report) -> None:
        """Wait until each message with unset signals was received, at most ``wait`` seconds."""
        end = time.monotonic() + self.wait
        missing = {*self._wanted}
        while missing and not interruption.requested:
            left = end - time.monotonic()
            if left <= 0:
                break
            select.select([bus.fileno(), interruption.fd], [], [], left)
            batch = bus.recv_batch(0)
            for message in batch or ():
                if message.is_error_frame or message.is_remote_frame:
                    continue
                key = message.arbitration_id | (0x80000000 if message.is_extended_id else 0)
                if key in self._wanted:
                    self._last[key] = bytes(message.data)
                    missing.discard(key)
        if missing and self._tells_missing:
            names = ", ".join(self._wanted[key].name for key in missing)
            report.note(f"no frame of {names} received in {self.wait:g} s")

    def complete(self, report: Report) -> None:
        """Set the signals that were not given, and report what they are set to."""
        for key in self._last:
            self._rules.continue_after(self._wanted[key])
        for entry in self._entries:
            if entry.named is None:
                continue
            spec = entry.named.message
            entry.filled = fill(spec, entry.named.raws, self._last.get(spec.key))
            self._last[spec.key] = bytes(entry.filled.data)
            set_by_rule = self._rules.names(spec)
            text = _origins(entry.filled, set_by_rule)
            if text:
                report.note(f"{spec.name}: {text}")

    def batch(self) -> MessageBatch:
        """Return all frames, with the next values of their counters."""
        return MessageBatch([self._frame(entry) for entry in self._entries])

    def row(self, number: int) -> MessageBatch:
        """Return the frame whose turn is ``number``, with the next values of its counters."""
        return MessageBatch([self._frame(self._entries[number % len(self._entries)])])

    def _frame(self, entry: _Entry) -> Message:
        if entry.named is not None and entry.filled is not None:
            data = bytearray(entry.filled.data)
            self._rules.apply(entry.named.message, data)
            return frame(entry.named.message, data)
        assert entry.message is not None
        if entry.spec is not None and len(entry.message.data) >= entry.spec.length:
            data = bytearray(entry.message.data)
            self._rules.apply(entry.spec, data)
            entry.message.data = data
        return entry.message

    def _unset(self) -> Iterator[MessageSpec]:
        """Yield the messages with a signal that is neither given nor a checksum."""
        seen: set[int] = set()
        checks = {(rule.message.key, rule.signal.name) for rule in self._rules.checksums}
        for entry in self._entries:
            if entry.named is None or entry.named.message.key in seen:
                continue
            spec = entry.named.message
            seen.add(spec.key)
            given = entry.named.raws
            if any(
                signal.name not in given and (spec.key, signal.name) not in checks for signal in spec.signals
            ):
                yield spec


def _spec_of(message: Message, database: Database) -> MessageSpec | None:
    if message.is_error_frame or message.is_remote_frame:
        return None
    return database.of_frame(message.arbitration_id, message.is_extended_id)


def _origins(filled: Filled, set_by_rule: set[str]) -> str:
    """Return what sets the signals that were not given: ``A, B zero; C from the last frame``."""
    parts = []
    for origin, words in _WORDS.items():
        names = [name for name, why in filled.origins.items() if why == origin and name not in set_by_rule]
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            parts.append(f"{', '.join(names[:_SHOWN])}{more} {words}")
    return "; ".join(parts)
