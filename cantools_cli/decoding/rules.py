"""Counters and checksums in sent frames: signals that a rule sets in each frame.

::

    Engine.Alive                        counts over all values of the signal, from 0
    Engine.Alive=0..14                  counts from 0 to 14
    Engine.Check=crc8-j1850             checksum of all bytes but its own
    Engine.Check=crc8-autosar,bytes=1-7,suffix=1234    of bytes 1 to 7, then 12 34, such as a data ID

Source: the catalogue of parametrised CRC algorithms (names, polynomials and check values); AUTOSAR,
"Specification of CRC Routines".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from cantools_cli.decoding.encode import put, taken
from cantools_cli.decoding.model import MessageSpec, SignalSpec, unknown
from cantools_cli.errors import UsageError, quoted

_TARGET = re.compile(r"(.+?)\.([^.=]+)(?:=(.*))?", re.DOTALL)
_RANGE = re.compile(r"([0-9]{1,18})\.\.([0-9]{1,18})")
_BYTES = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3}))?")


class Crc(NamedTuple):
    """A cyclic redundancy check of ``size`` bits, as the catalogue describes it.

    ``is_reflected`` is for the input and the result alike.
    """

    size: int
    polynomial: int
    initial: int
    is_reflected: bool
    final: int


ALGORITHMS: dict[str, Crc | None] = {
    "crc8-j1850": Crc(8, 0x1D, 0xFF, False, 0xFF),
    "crc8-j1850-zero": Crc(8, 0x1D, 0x00, False, 0x00),
    "crc8-autosar": Crc(8, 0x2F, 0xFF, False, 0xFF),
    "crc8-smbus": Crc(8, 0x07, 0x00, False, 0x00),
    "crc16-ccitt": Crc(16, 0x1021, 0xFFFF, False, 0x0000),
    "crc16-arc": Crc(16, 0x8005, 0x0000, True, 0x0000),
    "crc32": Crc(32, 0x04C11DB7, 0xFFFFFFFF, True, 0xFFFFFFFF),
    "crc32-autosar": Crc(32, 0xF4ACFB13, 0xFFFFFFFF, True, 0xFFFFFFFF),
    "xor": None,
    "sum": None,
    "sum-complement": None,
}


def checksum(name: str, data: bytes, size: int) -> int:
    """Return the checksum of ``data``; a sum has ``size`` bits."""
    crc = ALGORITHMS[name]
    if crc is None:
        if name == "xor":
            value = 0
            for octet in data:
                value ^= octet
            return value
        total = sum(data)
        return (total if name == "sum" else ~total) & ((1 << size) - 1)
    value, top, mask = crc.initial, 1 << crc.size - 1, (1 << crc.size) - 1
    for octet in data:
        if crc.is_reflected:
            octet = _reflected(octet, 8)
        value ^= octet << crc.size - 8
        for _ in range(8):
            value = (value << 1 ^ crc.polynomial) & mask if value & top else value << 1
    return (_reflected(value, crc.size) if crc.is_reflected else value) ^ crc.final


def _reflected(value: int, size: int) -> int:
    return int(f"{value:0{size}b}"[::-1], 2)


@dataclass
class CounterRule:
    """Increments a signal in each frame of its message, from ``low`` to ``high`` and again from ``low``.

    The first frame has the value that it has without the rule, or the one after it with ``is_after``.
    """

    message: MessageSpec
    signal: SignalSpec
    low: int
    high: int
    is_after: bool = False
    _next: int | None = None

    def apply(self, data: bytearray) -> None:
        """Set the signal in the data of a frame."""
        if self._next is None:
            first = int(taken(self.signal, data)) + self.is_after
            self._next = first if self.low <= first <= self.high else self.low
        put(self.signal, self._next, data)
        self._next = self.low if self._next == self.high else self._next + 1


@dataclass
class ChecksumRule:
    """Sets a signal to the checksum of bytes of the frame.

    Without ``places``, these are all bytes except those of the signal.
    """

    message: MessageSpec
    signal: SignalSpec
    algorithm: str
    places: tuple[int, ...] = ()
    prefix: bytes = b""
    suffix: bytes = b""

    @cached_property
    def _covered(self) -> tuple[int, ...]:
        first = self.signal.start >> 3
        own = range(first, self.signal.end)
        return self.places or tuple(place for place in range(self.message.length) if place not in own)

    def apply(self, data: bytearray) -> None:
        """Set the signal in the data of a frame."""
        put(self.signal, 0, data)
        covered = bytes(data[place] for place in self._covered)
        value = checksum(self.algorithm, self.prefix + covered + self.suffix, self.signal.size)
        put(self.signal, value & ((1 << self.signal.size) - 1), data)


@dataclass
class Rules:
    """The counters and checksums of a command; counters are set first."""

    counters: list[CounterRule] = field(default_factory=list)
    checksums: list[ChecksumRule] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.counters or self.checksums)

    def names(self, message: MessageSpec) -> set[str]:
        """Return the signals of ``message`` that rules set."""
        return {rule.signal.name for rule in self._of(message)}

    def apply(self, message: MessageSpec, data: bytearray) -> None:
        """Set the signals of a frame of ``message``."""
        for rule in self._of(message):
            rule.apply(data)

    def continue_after(self, message: MessageSpec) -> None:
        """Have the counters of ``message`` continue after the value in the first frame."""
        for rule in self.counters:
            rule.is_after |= rule.message == message

    def messages(self) -> Iterator[MessageSpec]:
        """Yield the message of each rule."""
        yield from (rule.message for rule in self.counters)
        yield from (rule.message for rule in self.checksums)

    def _of(self, message: MessageSpec) -> Iterator[CounterRule | ChecksumRule]:
        yield from (rule for rule in self.counters if rule.message is message)
        yield from (rule for rule in self.checksums if rule.message is message)


def parse_rules(
    counters: Iterable[str], checksums: Iterable[str], messages: Sequence[MessageSpec], source: str
) -> Rules:
    """Return the rules of ``--counter`` and ``--crc``.

    Raises:
        UsageError: a text is malformed, names what does not exist, or a signal that cannot hold the value.
    """
    return Rules(
        [_counter(text, messages, source) for text in counters],
        [_checksum(text, messages, source) for text in checksums],
    )


def _target(
    option: str, text: str, messages: Sequence[MessageSpec], source: str
) -> tuple[MessageSpec, SignalSpec, str]:
    match = _TARGET.fullmatch(text.strip())
    if match is None:
        form = "Engine.Alive" if option == "--counter" else "Engine.Check=crc8-j1850"
        raise UsageError(f"{option} {quoted(text)} does not name a signal", hint=f"{option} {form}")
    by_name = {message.name: message for message in messages}
    message = by_name.get(match[1])
    if message is None:
        raise unknown(f"{source} has no message", match[1], by_name)
    spec = message.signal(match[2])
    if spec.is_float or spec.end > message.length:
        why = "a float" if spec.is_float else f"outside of message {quoted(message.name)}"
        raise UsageError(f"{option} {quoted(text)}: signal {quoted(spec.name)} is {why}")
    return message, spec, match[3] or ""


def _counter(text: str, messages: Sequence[MessageSpec], source: str) -> CounterRule:
    message, spec, limits = _target("--counter", text, messages, source)
    least, most = spec.raw_limits
    low, high = max(0, least), most
    if limits:
        match = _RANGE.fullmatch(limits)
        if match is None:
            raise UsageError(f"--counter {quoted(text)}: {quoted(limits)} is not a range", hint="as in 0..14")
        low, high = int(match[1]), int(match[2])
        if not low < high <= most:
            raise UsageError(f"--counter {quoted(text)}: the range is not within 0..{most}")
    return CounterRule(message, spec, low, high)


def _checksum(text: str, messages: Sequence[MessageSpec], source: str) -> ChecksumRule:
    message, spec, how = _target("--crc", text, messages, source)
    name, *settings = how.split(",")
    if name not in ALGORITHMS:
        error = unknown(f"--crc {quoted(text)}: no algorithm", name, ALGORITHMS)
        raise UsageError(str(error), hint=error.hint or f"one of {', '.join(ALGORITHMS)}")
    crc = ALGORITHMS[name]
    size = crc.size if crc else 8
    if spec.size < size or (crc and spec.size != size):
        raise UsageError(
            f"--crc {quoted(text)}: signal {quoted(spec.name)} has {spec.size} bits, {name} has {size}"
        )
    rule = ChecksumRule(message, spec, name)
    for setting in settings:
        key, _, value = setting.strip().partition("=")
        if key == "bytes":
            rule.places = _places(text, value, message)
        elif key in ("prefix", "suffix"):
            try:
                setattr(rule, key, bytes.fromhex(value))
            except ValueError:
                raise UsageError(f"--crc {quoted(text)}: {quoted(value)} is not hexadecimal") from None
        else:
            raise UsageError(
                f"--crc {quoted(text)}: no setting {quoted(key)}", hint="bytes, prefix or suffix"
            )
    return rule


def _places(text: str, value: str, message: MessageSpec) -> tuple[int, ...]:
    """Return the bytes of ``1-7``, or ``0+2-7`` for several ranges, in this order."""
    places: list[int] = []
    for part in value.split("+"):
        match = _BYTES.fullmatch(part)
        if match is None:
            raise UsageError(
                f"--crc {quoted(text)}: {quoted(value)} is not a range of bytes", hint="bytes=1-7"
            )
        low = int(match[1])
        places += range(low, int(match[2] or low) + 1)
    if not places or max(places) >= message.length:
        reason = f"bytes {quoted(value)} are not within 0-{message.length - 1}"
        raise UsageError(f"--crc {quoted(text)}: {reason}")
    return tuple(places)
