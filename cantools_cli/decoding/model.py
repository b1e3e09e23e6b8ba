"""What a database says about messages and signals, whatever the format of its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.frame.bits import CAN_EFF_FLAG

_NULL_ADDRESS = 0xFE  # of SAE J1939: a database that means any source writes it

Number = int | float
#: a value as users see it: a number, or the name of one
Value = int | float | str


@dataclass(frozen=True)
class SignalSpec:
    """A signal of a message.

    Attributes:
        start: the place of the lowest bit, counted upwards from bit 0 of byte 0; if ``is_big_endian`` that of
            the highest bit, counted from bit 7 of byte 0 downwards.
        size: bits.
        is_float: whether the bits are an IEEE 754 number of 16, 32 or 64 bits.
        factor, shift: physical value = raw value * factor + shift.
        minimum, maximum: of the physical value, None for no limit.
        choices: names of raw values.
        is_selector: whether its raw value selects signals.
        selector: the name of the signal that selects this one, "" if it is always there.
        selected_by: the ranges of raw values of ``selector`` with which it is there, inclusive.
        start_value: the raw value before the first one is known, None if the database has none.
        long_name: as in the attribute for names above 32 characters, else ``name``.
        spn: the suspect parameter number of SAE J1939, or None.
        line: where the file describes it.
    """

    name: str
    start: int
    size: int
    is_big_endian: bool = False
    is_signed: bool = False
    is_float: bool = False
    factor: Number = 1
    shift: Number = 0
    minimum: Number | None = None
    maximum: Number | None = None
    unit: str = ""
    choices: Mapping[int, str] = field(default_factory=dict)
    is_selector: bool = False
    selector: str = ""
    selected_by: tuple[tuple[int, int], ...] = ()
    start_value: Number | None = None
    comment: str = ""
    receivers: tuple[str, ...] = ()
    spn: int | None = None
    line: int = 0

    @property
    def end(self) -> int:
        """The number of bytes that a frame needs for this signal."""
        return (self.start + self.size + 7) >> 3

    @property
    def is_whole(self) -> bool:
        """Whether all physical values are whole numbers."""
        return not self.is_float and isinstance(self.factor, int) and isinstance(self.shift, int)

    @property
    def raw_limits(self) -> tuple[int, int]:
        """The least and the greatest raw value that the bits can hold."""
        if self.is_signed:
            return -(1 << self.size - 1), (1 << self.size - 1) - 1
        return 0, (1 << self.size) - 1

    def value(self, raw: Number) -> Number:
        """Return the physical value; one too large for a float as the next integer."""
        try:
            return raw * self.factor + self.shift
        except OverflowError:  # of a signal of more than 1023 bits
            from fractions import Fraction

            return round(raw * Fraction(self.factor) + Fraction(self.shift))

    def name_of(self, raw: Number) -> str | None:
        """Return the name of a raw value; one between whole numbers has none."""
        if isinstance(raw, float) and not raw.is_integer():
            return None
        return self.choices.get(int(raw))


@dataclass(frozen=True)
class ContainerHeader:
    """The header of each message in a container: its number, then the length of its data.

    Source: AUTOSAR, "Specification of I-PDU Multiplexer", dynamic container PDUs.
    """

    number_bytes: int
    length_bytes: int
    is_big_endian: bool


@dataclass(frozen=True)
class MessageSpec:
    """A message: what is in the frames of an identifier.

    Attributes:
        length: bytes of data.
        is_j1939: whether frames of the same parameter group match, whatever priority, source and
            destination they have.
        cycle_time: seconds between two frames, None if it is not sent periodically.
        contained: the messages within its data by their header, if it is an AUTOSAR container.
        header: the layout of those headers.
    """

    name: str
    arbitration_id: int
    is_extended_id: bool
    length: int
    signals: tuple[SignalSpec, ...] = ()
    is_fd: bool = False
    is_j1939: bool = False
    cycle_time: float | None = None
    senders: tuple[str, ...] = ()
    comment: str = ""
    line: int = 0
    contained: Mapping[int, MessageSpec] = field(default_factory=dict)
    header: ContainerHeader | None = None

    @property
    def key(self) -> int:
        """The identifier word, with SocketCAN's EFF bit."""
        return self.arbitration_id | (CAN_EFF_FLAG if self.is_extended_id else 0)

    @property
    def pgn(self) -> int:
        """The parameter group number of SAE J1939 in the identifier."""
        return pgn_of(self.arbitration_id)

    @cached_property
    def by_name(self) -> dict[str, SignalSpec]:
        return {signal.name: signal for signal in self.signals}

    @cached_property
    def ordered(self) -> tuple[SignalSpec, ...]:
        """The signals, each after the one that selects it."""
        done: set[str] = set()
        found: list[SignalSpec] = []
        waiting = [*self.signals]
        while waiting:
            ready = [spec for spec in waiting if spec.selector in done or spec.selector not in self.by_name]
            ready = ready or waiting  # they select one another
            found += ready
            done |= {spec.name for spec in ready}
            waiting = [spec for spec in waiting if spec.name not in done]
        return tuple(found)

    def signal(self, name: str) -> SignalSpec:
        """Return the signal with this name.

        Raises:
            UsageError: no signal has it; the hint has similar names.
        """
        found = self.by_name.get(name)
        if found is None:
            raise unknown(f"message {quoted(self.name)} has no signal", name, self.by_name)
        return found


@dataclass(frozen=True)
class Database:
    """The messages of a file.

    Attributes:
        source: the file.
        messages: in the order of the file; a later one replaces an earlier one with the same identifier.
        faults: what was left out, and why.
        records: what diagnostic services read and write; the identifier is that of the data.
    """

    source: str
    messages: tuple[MessageSpec, ...]
    faults: tuple[FormatError, ...] = ()
    nodes: tuple[str, ...] = ()
    version: str = ""
    records: tuple[MessageSpec, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, MessageSpec]:
        return {message.name: message for message in self.messages}

    @cached_property
    def by_key(self) -> dict[int, MessageSpec]:
        return {message.key: message for message in self.messages}

    @cached_property
    def by_group(self) -> dict[tuple[int, int | None], MessageSpec]:
        """The messages of SAE J1939 by parameter group number and source address.

        None is any source: the message of the null address 0xFE, else the last of the group.
        """
        found: dict[tuple[int, int | None], MessageSpec] = {}
        for message in self.messages:
            if message.is_j1939:
                found[message.pgn, message.arbitration_id & 0xFF] = message
                found[message.pgn, None] = message
        for pgn, source in [*found]:
            if source == _NULL_ADDRESS:
                found[pgn, None] = found[pgn, source]
        return found

    def of_frame(self, arbitration_id: int, is_extended_id: bool) -> MessageSpec | None:
        """Return the message of a frame, None if the database has none.

        A message of J1939 is that of the identifier, else of the parameter group and the source address,
        else of the parameter group.
        """
        found = self.by_key.get(arbitration_id | (CAN_EFF_FLAG if is_extended_id else 0))
        if found is None and is_extended_id and self.by_group:
            pgn = pgn_of(arbitration_id)
            found = self.by_group.get((pgn, arbitration_id & 0xFF)) or self.by_group.get((pgn, None))
        return found

    def message(self, name: str) -> MessageSpec:
        """Return the message with this name.

        Raises:
            UsageError: no message has it; the hint has similar names.
        """
        found = self.by_name.get(name)
        if found is None:
            raise unknown(f"{self.source} has no message", name, self.by_name)
        return found

    def all_messages(self) -> Iterator[MessageSpec]:
        """Yield the messages, each followed by those in it, and the records of diagnostic services."""
        for message in self.messages:
            yield message
            yield from message.contained.values()
        yield from self.records

    def signals(self) -> Iterator[tuple[MessageSpec, SignalSpec]]:
        """Yield every signal with its message."""
        for message in self.messages:
            for signal in message.signals:
                yield message, signal


def pgn_of(arbitration_id: int) -> int:
    """Return the parameter group number of SAE J1939 in an extended identifier."""
    group = arbitration_id >> 8 & 0x3FFFF
    return group if (group >> 8 & 0xFF) >= 240 else group & 0x3FF00  # PDU 1: the low byte is the destination


def unknown(text: str, name: str, known: Mapping[str, object]) -> UsageError:
    """Return the error about a name that is not among ``known``, with similar ones in its hint."""
    folded = {other.casefold(): other for other in known}
    near = get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    hint = f"similar: {', '.join(folded[other] for other in near)}" if near else None
    return UsageError(f"{text} {quoted(name)}", hint=hint)
