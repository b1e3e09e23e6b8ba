"""A reference model of expressions in plain Python, one message at a time, to compare the columns with.

A node is a text and ``ask``, which answers for one message of a ``Stream``. A leaf may answer None: what an
error frame has no identifier for is left open, and passes, negated or not.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from cantools_cli.frame.message import Message

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
SYMBOLS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
SECOND = 1_000_000_000


@dataclass
class Stream:
    """What was seen of a stream so far."""

    first_ns: int | None = None
    last: dict[Any, Any] = field(default_factory=dict)
    changed: bool = False
    counts: dict[int, int] = field(default_factory=dict)
    arrivals: dict[Any, list[int]] = field(default_factory=dict)
    gap_ns: int | None = None
    period_ns: int | None = None

    def take(self, message: Message) -> None:
        if self.first_ns is None:
            self.first_ns = message.timestamp_ns
        kind = (message.is_extended_id and not message.is_error_frame, message.is_remote_frame)
        key = (message.channel, message.arbitration_id, kind, message.is_error_frame)
        data = (message.dlc, bytes(message.data))
        self.changed = self.last.get(key) != data
        self.last[key] = data
        times = self.arrivals.setdefault(key, [])
        times.append(message.timestamp_ns)
        gaps = [max(0, after - before) for before, after in itertools.pairwise(times)]
        self.gap_ns = gaps[-1] if gaps else None
        self.period_ns = None
        if gaps:
            sixteen = 16 * gaps[0]
            for gap in gaps[1:]:
                sixteen += gap - (sixteen + 8) // 16
            self.period_ns = (sixteen + 8) // 16


@dataclass
class Leaf:
    text: str
    answer: Callable[[Message, Stream], bool | None]

    def ask(self, message: Message, stream: Stream, wanted: bool) -> bool:
        answer = self.answer(message, stream)
        return True if answer is None else answer == wanted


@dataclass
class Count:
    step: int

    @property
    def text(self) -> str:
        return f"every {self.step}"

    def ask(self, message: Message, stream: Stream, wanted: bool) -> bool:
        count = stream.counts.get(id(self), 0)
        stream.counts[id(self)] = count + 1
        return (count % self.step == 0) == wanted


@dataclass
class Not:
    part: Any

    @property
    def text(self) -> str:
        return f"not ({self.part.text})"

    def ask(self, message: Message, stream: Stream, wanted: bool) -> bool:
        return bool(self.part.ask(message, stream, not wanted))


@dataclass
class Joined:
    word: str
    parts: list[Any]

    @property
    def text(self) -> str:
        return f" {self.word} ".join(f"({part.text})" for part in self.parts)

    def ask(self, message: Message, stream: Stream, wanted: bool) -> bool:
        answers = (part.ask(message, stream, wanted) for part in self.parts)
        return all(answers) if (self.word == "and") == wanted else any(answers)


def passing(node: Any, messages: Iterable[Message]) -> list[int]:
    """Return which of ``messages`` pass, in a stream of their own."""
    stream = Stream()
    rows = []
    for row, message in enumerate(messages):
        stream.take(message)
        if node.ask(message, stream, True):
            rows.append(row)
    return rows


WORDS: dict[str, Callable[[Message], bool | None]] = {
    "data": lambda m: not m.is_remote_frame and not m.is_error_frame,
    "remote": lambda m: m.is_remote_frame,
    "error": lambda m: m.is_error_frame,
    "base": lambda m: None if m.is_error_frame else not m.is_extended_id,
    "extended": lambda m: None if m.is_error_frame else m.is_extended_id,
    "fd": lambda m: m.is_fd,
    "brs": lambda m: m.bitrate_switch,
    "esi": lambda m: m.error_state_indicator,
    "xl": lambda m: False,
    "rx": lambda m: m.is_rx,
    "tx": lambda m: not m.is_rx,
}


def word(name: str) -> Leaf:
    return Leaf(name, lambda message, stream: WORDS[name](message))


@st.composite
def comparisons(draw: st.DrawFn, values: st.SearchStrategy[int], show: Callable[[int], str]) -> Any:
    """Draw (text, function of a value) of a comparison, a range or a set."""
    kind = draw(st.sampled_from(["compare", "range", "set"]))
    if kind == "compare":
        name, value = draw(st.sampled_from(sorted(OPERATORS))), draw(values)
        text = SYMBOLS[name] if draw(st.booleans()) else name
        return f"{text} {show(value)}", lambda found: OPERATORS[name](found, value)
    is_in = draw(st.booleans())
    if kind == "range":
        low, high = sorted((draw(values), draw(values)))
        text, test = f"in {show(low)}..{show(high)}", lambda found: low <= found <= high
    else:
        members = draw(st.lists(values, min_size=1, max_size=3))
        text, test = f"in {', '.join(map(show, members))}", lambda found: found in members
    return text if is_in else f"not {text}", lambda found: test(found) == is_in


@st.composite
def identifier_tests(draw: st.DrawFn) -> Leaf:
    digits = draw(st.sampled_from([3, 8]))
    mask = draw(st.none() | st.sampled_from([0x7FF, 0x7F0, 0x3, 0x1FFFFFFF]))
    most = 0x7FF if digits == 3 else 0x1FFFFFFF
    bits = most if mask is None else mask & most
    values = (st.integers(0, 4) | st.integers(0, most)).map(lambda value: value & bits)
    text, test = draw(comparisons(values, lambda value: f"{value:0{digits}X}"))
    is_negative = text.startswith(("ne", "!=", "not"))

    def answer(message: Message, stream: Stream) -> bool | None:
        if message.is_error_frame:
            return None
        if message.is_extended_id != (digits == 8):
            return is_negative
        return bool(test(message.arbitration_id & (0x1FFFFFFF if mask is None else mask)))

    return Leaf(f"id {'' if mask is None else f'& {mask:X} '}{text}", answer)


@st.composite
def data_tests(draw: st.DrawFn) -> Leaf:
    begin, size = draw(st.integers(0, 9)), draw(st.integers(1, 8) | st.just(1))
    order = draw(st.sampled_from(["", "big ", "little "]))
    most = 256**size - 1
    mask = draw(st.none() | st.integers(0, most))
    bits = most if mask is None else mask
    values = (st.integers(0, 3) | st.integers(0, most)).map(lambda value: value & bits)
    text, test = draw(comparisons(values, draw(st.sampled_from([str, hex]))))
    place = f"{begin}" if size == 1 else f"{begin}:{begin + size}"

    def answer(message: Message, stream: Stream) -> bool:
        octets = message.data[begin : begin + size]
        value = int.from_bytes(octets, "little" if order == "little " else "big")
        return len(octets) == size and bool(test(value & bits))

    return Leaf(f"data[{place}] {order}{'' if mask is None else f'& {mask:02X} '}{text}", answer)


@st.composite
def number_tests(draw: st.DrawFn) -> Leaf:
    name = draw(st.sampled_from(["length", "dlc", "dlc_code"]))
    text, test = draw(comparisons(st.integers(0, 15), str))
    attribute = "dlc_code" if name == "dlc_code" else "dlc"
    return Leaf(f"{name} {text}", lambda message, stream: bool(test(getattr(message, attribute))))


@st.composite
def time_tests(draw: st.DrawFn) -> Leaf:
    form = draw(st.sampled_from(["time {}ms", "time @{}", "timestamp {}"]))
    unit = 1_000_000 if form == "time {}ms" else SECOND
    name, _, shape = form.partition(" ")
    text, test = draw(comparisons(st.integers(0, 3000 if unit < SECOND else 3), shape.format))

    def answer(message: Message, stream: Stream) -> bool:
        assert stream.first_ns is not None
        since = stream.first_ns if form == "time {}ms" else 0
        return bool(test((message.timestamp_ns - since) / unit))

    return Leaf(f"{name} {text}", answer)


@st.composite
def channel_tests(draw: st.DrawFn) -> Leaf:
    name, text = (
        draw(st.sampled_from(["can0", "can1", "1", "None"])),
        draw(st.sampled_from(["eq", "not in", "!="])),
    )

    def answer(message: Message, stream: Stream) -> bool:
        is_there = message.channel is not None and str(message.channel) == name
        return is_there == (text == "eq")

    return Leaf(f"channel {text} {name}", answer)


@st.composite
def gap_tests(draw: st.DrawFn) -> Leaf:
    name = draw(st.sampled_from(["gap", "period"]))
    text, test = draw(comparisons(st.integers(0, 1500), "{}ms".format))

    def answer(message: Message, stream: Stream) -> bool:
        found = stream.gap_ns if name == "gap" else stream.period_ns
        return found is not None and bool(test(found / 1_000_000))

    return Leaf(f"{name} {text}", answer)


@st.composite
def payload_tests(draw: st.DrawFn) -> Leaf:
    pattern = draw(st.lists(st.integers(0, 3), max_size=3).map(bytes))
    name = draw(st.sampled_from(["eq", "!=", "in", "not in", "contains", "not contains"]))
    if "contains" in name:
        pattern = pattern or b"\1"
    is_negative = name.startswith(("!", "not"))

    def answer(message: Message, stream: Stream) -> bool:
        if message.is_remote_frame:
            return False
        data = bytes(message.data)
        hit = pattern in data if "contains" in name else pattern == data
        return hit != is_negative

    return Leaf(f"data {name} '{pattern.hex(draw(st.sampled_from(' .')))}'", answer)


CHANGED = st.builds(lambda: Leaf("changed", lambda message, stream: stream.changed))
COUNTS = st.builds(Count, st.integers(1, 4))
IDENTIFIERS = identifier_tests() | st.sampled_from(sorted(WORDS)).map(word)
REMEMBERING = CHANGED | COUNTS | time_tests() | gap_tests()
LEAVES = st.one_of(
    IDENTIFIERS, data_tests(), payload_tests(), number_tests(), channel_tests(), REMEMBERING, REMEMBERING
)


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda parts: (
            st.builds(Not, parts)
            | st.builds(Joined, st.sampled_from(["and", "or"]), st.lists(parts, min_size=2, max_size=3))
        ),
        max_leaves=6,
    )


@st.composite
def alike(draw: st.DrawFn, messages: st.SearchStrategy[Message]) -> Message:
    """Draw a message of which others of the stream have the identifier, the time and some of the data."""
    message = draw(messages)
    if draw(st.booleans()):
        message.arbitration_id &= 3
    message.timestamp_ns = draw(st.integers(0, 3000)) * 1_000_000
    message.data = bytearray(octet & 3 for octet in message.data)
    return message
