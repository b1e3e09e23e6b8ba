"""Hypothesis strategies: DBC files that follow the specification, and a model of what they mean."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from fractions import Fraction

from hypothesis import strategies as st

from cantools_cli.decoding.model import Value
from cantools_cli.frame.bits import CAN_EFF_MASK, CAN_SFF_MASK, FD_LENGTHS

#: whole ones in digits: cantools takes 1e10 for a float, and rounds the product with a wide value twice
FACTORS = ["1", "1", "2", "-1", "0.5", "0.1", "1E-3", "1.0", "-0.125", "1000000", "3.0000001", "10000000000"]
SHIFTS = ["0", "0", "-40", "0.5", "100", "1e6", "-273.15", "-1.0", "9007199254740993"]
FLOAT_CODES = {16: "e", 32: "f", 64: "d"}
NAMES_OF_VALUES = ["Off", "On", "not available", "Ω", "a;b", "", "0"]


@dataclass(frozen=True)
class DrawnSignal:
    """A signal as its DBC file describes it; ``first`` counts bits in the order of reading."""

    name: str
    first: int
    size: int
    is_big_endian: bool
    is_signed: bool
    is_float: bool = False
    factor: str = "1"
    shift: str = "0"
    choices: dict[int, str] = field(default_factory=dict)
    is_selector: bool = False
    selector: str = ""
    ranges: tuple[tuple[int, int], ...] = ()

    @property
    def cells(self) -> frozenset[int]:
        """The bits that it occupies, as byte * 8 + bit."""
        places = range(self.first, self.first + self.size)
        if self.is_big_endian:
            return frozenset(8 * (place // 8) + 7 - place % 8 for place in places)
        return frozenset(places)

    def line(self) -> str:
        mark = f"m{self.ranges[0][0]}" if self.selector else ""
        mark += "M" if self.is_selector else ""
        start = 8 * (self.first // 8) + 7 - self.first % 8 if self.is_big_endian else self.first
        order, sign = "10"[self.is_big_endian], "+-"[self.is_signed]
        scaling = f"({self.factor},{self.shift}) [0|0]"
        return f' SG_ {self.name} {mark} : {start}|{self.size}@{order}{sign} {scaling} "u" Vector__XXX'

    def raw(self, data: bytes) -> int:
        """Return the integer in its bits, read one by one."""
        if self.is_big_endian:
            places = [(place // 8, 7 - place % 8) for place in range(self.first, self.first + self.size)]
        else:
            places = [(place // 8, place % 8) for place in range(self.first, self.first + self.size)][::-1]
        value = 0
        for byte, bit in places:
            value = value << 1 | data[byte] >> bit & 1
        is_negative = self.is_signed and not self.is_float and value >> self.size - 1
        return value - (1 << self.size) if is_negative else value

    def raw_value(self, data: bytes) -> int | float:
        """Return its number before scaling in a frame that is long enough."""
        raw = self.raw(data)
        if not self.is_float:
            return raw
        octets = raw.to_bytes(self.size // 8, "little")
        return float(struct.unpack("<" + FLOAT_CODES[self.size], octets)[0])

    def value(self, data: bytes) -> Value:
        """Return its value in a frame that is long enough."""
        raw = self.raw_value(data)
        if not self.is_float and raw in self.choices:
            return self.choices[int(raw)]
        return raw * number(self.factor) + number(self.shift)


@dataclass(frozen=True)
class DrawnMessage:
    name: str
    arbitration_id: int
    is_extended_id: bool
    length: int
    signals: tuple[DrawnSignal, ...]

    @property
    def number(self) -> int:
        """The identifier as its file has it."""
        return self.arbitration_id | self.is_extended_id << 31

    def lines(self) -> list[str]:
        return [
            f"BO_ {self.number} {self.name}: {self.length} ECU",
            *(signal.line() for signal in self.signals),
        ]

    def more_lines(self) -> list[str]:
        """Return the statements about its signals that follow all messages."""
        found = []
        for signal in self.signals:
            about = f"{self.number} {signal.name}"
            if signal.choices:
                texts = " ".join(f'{raw} "{name}"' for raw, name in signal.choices.items())
                found.append(f"VAL_ {about} {texts} ;")
            if signal.is_float:
                found.append(f"SIG_VALTYPE_ {about} : {2 if signal.size == 64 else 1};")
        for signal in self.signals:
            if signal.selector and self.is_extended_multiplexing:
                ranges = ", ".join(f"{low}-{high}" for low, high in signal.ranges)
                found.append(f"SG_MUL_VAL_ {self.number} {signal.name} {signal.selector} {ranges};")
        return found

    @property
    def is_extended_multiplexing(self) -> bool:
        """Whether one number after ``m`` is not enough for its signals."""
        selected = [signal for signal in self.signals if signal.selector]
        return any(
            signal.is_selector or len(signal.ranges) > 1 or signal.ranges[0][0] != signal.ranges[0][1]
            for signal in selected
        )

    def present(self, data: bytes) -> list[DrawnSignal]:
        """Return the signals that a frame has."""
        found: dict[str, DrawnSignal] = {}
        for signal in self.signals:  # selectors precede what they select
            if signal.first + signal.size > 8 * len(data):
                continue
            if signal.selector:
                selector = found.get(signal.selector)
                if selector is None:
                    continue
                raw = selector.raw(data)
                if not any(low <= raw <= high for low, high in signal.ranges):
                    continue
            found[signal.name] = signal
        return list(found.values())

    def values(self, data: bytes) -> dict[str, Value]:
        return {signal.name: signal.value(data) for signal in self.present(data)}


def number(text: str) -> int | float:
    """Return a number of a DBC file: an integer if it is whole."""
    exact = Fraction(text)
    return int(exact) if exact.denominator == 1 else float(text)


def dbc_text(messages: list[DrawnMessage]) -> str:
    lines = ['VERSION ""', "NS_ :", "BS_:", "BU_: ECU"]
    for message in messages:
        lines += ["", *message.lines()]
    lines.append("")
    for message in messages:
        lines += message.more_lines()
    return "\n".join(lines) + "\n"


@st.composite
def _places(draw: st.DrawFn, bits: int, sizes: st.SearchStrategy[int]) -> tuple[int, int, bool]:
    size = min(draw(sizes), bits)
    return draw(st.integers(0, bits - size)), size, draw(st.booleans())


@st.composite
def signals(draw: st.DrawFn, name: str, bits: int) -> DrawnSignal:
    """Draw a signal that is not multiplexed, in a message of ``bits``."""
    widths = [size for size in FLOAT_CODES if size <= bits]
    is_float = bool(widths) and draw(st.integers(0, 4)) == 0
    sizes = (
        st.sampled_from(widths) if is_float else st.integers(1, 64) | st.sampled_from([8, 16, 64, 65, 100])
    )
    first, size, is_big_endian = draw(_places(bits, sizes))
    signal = DrawnSignal(
        name,
        first,
        size,
        is_big_endian,
        draw(st.booleans()),
        is_float,
        draw(st.sampled_from(FACTORS)),
        draw(st.sampled_from(SHIFTS)),
    )
    if is_float or draw(st.booleans()):
        return signal
    low = -(1 << size - 1) if signal.is_signed else 0
    raws = st.integers(0, 3) | st.just(low + (1 << size) - 1) | st.just(low)
    return replace(signal, choices=draw(st.dictionaries(raws, st.sampled_from(NAMES_OF_VALUES), max_size=3)))


@st.composite
def messages(draw: st.DrawFn, name: str, arbitration_id: int, is_extended_id: bool) -> DrawnMessage:
    """Draw a message of 1 to 64 bytes: plain, multiplexed, or with ranges and cascaded multiplexers."""
    length = draw(st.integers(1, 8) | st.sampled_from(FD_LENGTHS[9:]))
    bits = 8 * length
    kept: list[DrawnSignal] = []

    def keep(signal: DrawnSignal) -> bool:
        is_free = all(_may_share(signal, other) or not signal.cells & other.cells for other in kept)
        if is_free:
            kept.append(signal)
        return is_free

    selectors: list[DrawnSignal] = []
    depth = draw(st.integers(0, 2))
    for level in range(depth):
        first, size, is_big_endian = draw(_places(bits, st.integers(1, 6)))
        selector = DrawnSignal(f"Mux{level}", first, size, is_big_endian, False, is_selector=True)
        if level:
            selector = replace(selector, selector="Mux0", ranges=draw(_ranges(selectors[0])))
        if not keep(selector):
            break
        selectors.append(selector)
    for index in range(draw(st.integers(1, 6))):
        signal = draw(signals(f"S{index}", bits))
        if selectors and draw(st.booleans()):
            by = draw(st.sampled_from(selectors))
            signal = replace(signal, selector=by.name, ranges=draw(_ranges(by)))
        keep(signal)
    return DrawnMessage(name, arbitration_id, is_extended_id, length, tuple(kept))


@st.composite
def _ranges(draw: st.DrawFn, selector: DrawnSignal) -> tuple[tuple[int, int], ...]:
    highest = (1 << selector.size) - 1
    ends = st.tuples(st.integers(0, highest), st.integers(0, 3)).map(
        lambda pair: (pair[0], min(highest, pair[0] + pair[1]))
    )
    return tuple(draw(st.lists(ends, min_size=1, max_size=2)))


def _may_share(signal: DrawnSignal, other: DrawnSignal) -> bool:
    """Return whether no frame has both signals."""
    if not signal.selector or signal.selector != other.selector:
        return False
    return all(low > top or high < bottom for low, high in signal.ranges for bottom, top in other.ranges)


@st.composite
def databases(draw: st.DrawFn) -> list[DrawnMessage]:
    """Draw one to three messages of different identifiers."""
    keys = draw(st.sets(st.tuples(st.booleans(), st.integers(0, CAN_EFF_MASK)), min_size=1, max_size=3))
    found: dict[tuple[bool, int], DrawnMessage] = {}
    for index, (is_extended_id, identifier) in enumerate(sorted(keys)):
        identifier = identifier if is_extended_id else identifier & CAN_SFF_MASK
        found[is_extended_id, identifier] = draw(messages(f"M{index}", identifier, is_extended_id))
    return list(found.values())


@st.composite
def payloads(draw: st.DrawFn, length: int) -> bytes:
    """Draw the data of a frame, mostly of the length of its message, else shorter or longer."""
    size = draw(st.just(length) | st.just(length) | st.sampled_from(FD_LENGTHS))
    edges = st.sampled_from([b"\x00", b"\xff", b"\x01", b"\x80"]).map(lambda octet: octet * size)
    return draw(st.binary(min_size=size, max_size=size) | edges)
