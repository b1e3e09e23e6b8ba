"""Parses a ``--where`` expression into a tree of predicates; ``where.py`` documents the language."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from cantools_cli.errors import UsageError, quoted
from cantools_cli.filtering.filters import IdTest
from cantools_cli.filtering.predicates import (
    AllOf,
    AnyOf,
    ByteColumn,
    Channels,
    Data,
    Every,
    Gaps,
    Length,
    Payload,
    Predicate,
    Times,
    Words,
)
from cantools_cli.filtering.where_signals import Signals, found, signal_test
from cantools_cli.filtering.where_tokens import HEXADECIMAL, Tokens
from cantools_cli.filtering.where_words import COMPARISONS, FIELDS, WORDS
from cantools_cli.frame.bits import CAN_EFF_FLAG, CAN_EFF_MASK, CAN_SFF_MASK

_ID_BITS = CAN_EFF_FLAG | CAN_EFF_MASK
_MAX_DATA = 2048  #: bytes of CAN XL
_MAX_NESTED = 50

_HINT_TESTS = f"tests: {', '.join(WORDS)}, known, every N, and comparisons of {', '.join(FIELDS)}"
#: what follows ``data`` in a test of the whole data
_PAYLOAD_TESTS = {*COMPARISONS, "in", "not", "contains"}
_HEX_DIGITS = set("0123456789abcdefABCDEF")
_HINT_COMPARISONS = "comparisons: eq ne lt le gt ge, in LOW..HIGH, in A, B, C, not in"
_HINT_JOIN = "tests are joined by and, or, not and parentheses"
_HINT_HEX = "identifiers and masks are hexadecimal, other numbers are decimal or start with 0x"
_HINT_TIME = "since the first frame: 1.5, 200ms, 10m; absolute: @1700000000, 2023-11-14T22:13:20"

T = TypeVar("T")
Range = tuple[int, int]
#: makes a test from a comparison and its range; only ``in`` has a range of more than one value
Make = Callable[[str, Range], Predicate]


class Parser(Tokens):
    """A recursive descent parser with one method per rule of the grammar."""

    def __init__(self, text: str, tz: str, signals: Signals | None = None) -> None:
        super().__init__(text)
        self.warnings: list[str] = []
        self.names_signals = False
        self._signals = signals
        self._tz = tz
        self._depth = 0

    def whole(self) -> Predicate:
        predicate = self._expression()
        if token := self.peek():
            raise self.refusal(
                f"{quoted(token)} is not expected here", self.meant(token, ("and", "or"), _HINT_JOIN)
            )
        return predicate

    def _expression(self) -> Predicate:
        return self._joined("or", lambda: self._joined("and", self._negation, AllOf), AnyOf)

    def _joined(
        self, word: str, part: Callable[[], Predicate], join: Callable[[tuple[Predicate, ...]], Predicate]
    ) -> Predicate:
        parts = [part()]
        while self.skip(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else join(tuple(parts))

    def _negation(self) -> Predicate:
        negations = 0
        while self.skip("not"):
            negations += 1
        if self.peek() == "(":
            predicate = self._parenthesis()
        else:
            predicate = self._test()
        return predicate.negated() if negations % 2 else predicate

    def _parenthesis(self) -> Predicate:
        begin = self.at
        self.take()
        self._depth += 1
        if self._depth > _MAX_NESTED:
            raise self.refusal(f"more than {_MAX_NESTED} nested parentheses", None, begin)
        predicate = self._expression()
        if not self.skip(")"):
            token = self.peek()
            reason = f'{quoted(token)} instead of ")"' if token else 'missing ")"'
            hint = self.meant(token, ("and", "or"), _HINT_JOIN) if token else _HINT_JOIN
            raise self.refusal(f'{reason} for the "(" at position {begin + 1}', hint)
        self._depth -= 1
        return predicate

    def _test(self) -> Predicate:
        token = self.peek()
        begin = self.at
        if (of_signal := signal_test(self, self._signals, self._comparison)) is not None:
            self.names_signals = True
            return of_signal
        if not token:
            raise self.refusal("a test is missing", _HINT_TESTS)
        self.take()
        if token == "data" and self.peek() == "[":
            return self._data()
        if token == "data" and self.peek() in _PAYLOAD_TESTS:
            return self._payload()
        if token in WORDS:
            return WORDS[token]
        if token in ("message", "known"):
            self.names_signals = True
            self.at = begin
            return self._message() if token == "message" else self._known()
        if token == "every":
            return self._every()
        if token == "id":
            return self._comparison(self._id_value, self._id_test(self._mask(32, decimal_is_odd=False)))
        if token in ("length", "dlc"):
            return self._comparison(partial(self.number, 0xFFFF), _test(Length, 0xFFFF))
        if token == "dlc_code":
            code = partial(ByteColumn, "dlc_code", 0xFF)
            return self._comparison(partial(self.number, 15), _test(code, 15))
        if token == "channel":
            return self._channel()
        if token in ("time", "timestamp"):
            return self._time(since_first=token == "time")
        if token in ("gap", "period"):
            gaps = partial(Gaps, token == "period")
            return self._comparison(self._duration_value, _test(gaps, (1 << 63) - 1))
        words = (*WORDS, "every", "known", "not", *(field for field in FIELDS if field.isalpha()))
        raise self.refusal(f"{quoted(token)} is not a test", self.meant(token, words, _HINT_TESTS), begin)

    def _every(self) -> Predicate:
        begin = self.place()
        step = self.number(0x7FFFFFFF)
        if not step:
            raise self.refusal("every 0 passes nothing", "every 10 passes one frame in ten", begin)
        return Every(step)

    def _comparison(self, value: Callable[[], int], make: Make) -> Predicate:
        """Parse the part after a field: a comparison and a value, or ``in`` and a set."""
        is_negated = self.skip("not")
        token = self.peek()
        if token in COMPARISONS and not is_negated:
            self.take()
            number = value()
            return make(COMPARISONS[token], (number, number))
        if token != "in":
            words = ("in",) if is_negated else (*COMPARISONS, "in", "not")
            reason = f"{quoted(token)} is not a comparison" if token else "a comparison is missing"
            raise self.refusal(reason, self.meant(token, words, _HINT_COMPARISONS))
        self.take()
        is_enclosed = self.skip("(")
        tests: list[Predicate] = []
        while True:
            tests.append(make("not in" if is_negated else "in", self._range(value)))
            if not self.skip(","):
                break
        if is_enclosed and not self.skip(")"):
            raise self.refusal('missing ")" at the end of the set', _HINT_COMPARISONS)
        if len(tests) == 1:
            return tests[0]
        return AllOf(tuple(tests)) if is_negated else AnyOf(tuple(tests))

    def _range(self, value: Callable[[], int]) -> Range:
        begin = self.place()
        low = high = value()
        if self.skip(".."):
            high = value()
            if value == self._id_value and (low ^ high) & CAN_EFF_FLAG:
                hint = "write both ends with 3 digits, or both with 8"
                raise self.refusal("a range from an 11-bit to a 29-bit identifier", hint, begin)
            if low > high:
                raise self.refusal("a range that ends below its start", None, begin)
        return low, high

    def _id_value(self) -> int:
        """Return the identifier word of an identifier: 3 digits for 11 bits, 8 for 29 bits."""
        begin, text = self.value("an identifier")
        match = HEXADECIMAL.fullmatch(text)
        if match is None:
            hint = f"a range is {text.replace('-', '..')}" if "-" in text else "id eq 123, id in 100..1FF"
            raise self.refusal(f"{quoted(text)} is not a hexadecimal identifier", hint, begin)
        digits, number = len(match[1]), int(match[1], 16)
        if digits == 3 and number <= CAN_SFF_MASK:
            return number
        if digits == 8 and number <= CAN_EFF_MASK:
            return number | CAN_EFF_FLAG
        if digits in (3, 8):
            reason = "an 11-bit identifier above 7FF" if digits == 3 else "a 29-bit identifier above 1FFFFFFF"
            hint = f"with 29 bits: {number:08X}" if digits == 3 else _HINT_HEX
            raise self.refusal(reason, hint, begin)
        padded = "" if number > CAN_SFF_MASK else f"{number:03X} (11 bits) or "
        hint = _HINT_HEX if digits > 8 else f"pad with zeros: {padded}{number:08X} (29 bits)"
        raise self.refusal(f"{digits} identifier digits, not 3 (11 bits) or 8 (29 bits)", hint, begin)

    def _id_test(self, mask: int | None) -> Make:
        bits = _ID_BITS if mask is None else CAN_EFF_FLAG | mask & CAN_EFF_MASK

        def make(comparison: str, span: Range) -> Predicate:
            if comparison in ("eq", "ne", "in", "not in"):
                self._check_bits(span, bits)
            kind = span[0] & CAN_EFF_FLAG
            low, high, outside = _bounds(comparison, span, kind, kind | CAN_EFF_MASK)
            return Words(IdTest(bits, low, high, outside), errors=True, is_open=True)

        return make

    def _data(self) -> Predicate:
        """Parse the part after ``data``: ``[N]`` or ``[N:M]``, a byte order, a mask, and a comparison."""
        self.take()
        begin = self.place()
        first = self.number(_MAX_DATA - 1)
        last = first + 1
        if self.skip(":"):
            last = self.number(_MAX_DATA)
            if not first < last <= first + 8:
                raise self.refusal("not 1 to 8 bytes", "data[2:4] covers bytes 2 and 3", begin)
        if not self.skip("]"):
            raise self.refusal('missing "]"', "data[0] is the first byte, data[2:4] covers bytes 2 and 3")
        little = self.skip("little")
        if not little:
            self.skip("big")
        size = last - first
        maximum = (1 << 8 * size) - 1
        value = partial(self.number, maximum) if size > 1 else self._byte_value
        mask = self._mask(8 * size)
        bits = maximum if mask is None else mask

        def make(comparison: str, span: Range) -> Predicate:
            if comparison in ("eq", "ne", "in", "not in"):
                self._check_bits(span, bits)
            low, high, outside = _bounds(comparison, span, 0, maximum)
            return Data(first, last, little, bits, low, high, outside)

        return self._comparison(value, make)

    def _byte_value(self) -> int:
        """Return the decimal number to compare a byte with; warn if it looks hexadecimal."""
        number = self.number(0xFF)
        text = self.text[self.value_at : self.at]
        if number > 9 and len(text) == 2:
            self.warnings.append(f"data values are decimal: {text} means 0x{number:02X}, not 0x{text}")
        return number

    def _payload(self) -> Predicate:
        """Parse a test of the whole data: a comparison with bytes, or ``contains`` and bytes."""
        begin = self.place()
        is_negated = self.skip("not")
        if self.skip("contains"):
            pattern = self._payload_value()
            if not pattern:
                raise self.refusal("contains needs at least one byte", "data contains F500", self.value_at)
            return Payload(pattern, anywhere=True, outside=is_negated)
        if is_negated:
            self.at = begin
        return self._unordered(
            "the whole data has",
            "data eq 01F50000, data[0:2] gt 1000",
            self._payload_value,
            lambda pattern, outside: Payload(pattern, outside=outside),
        )

    def _unordered(
        self, subject: str, hint: str, read: Callable[[], T], test: Callable[[T, bool], Predicate]
    ) -> Predicate:
        """Parse a comparison of values without order, which ``read`` parses."""
        begin = self.place()
        values: list[T] = []

        def value() -> int:
            values.append(read())
            return len(values) - 1

        def make(comparison: str, span: Range) -> Predicate:
            if comparison not in ("eq", "ne", "in", "not in") or span[0] != span[1]:
                raise self.refusal(f"{subject} no order, only eq, ne and in", hint, begin)
            return test(values[span[0]], comparison in ("ne", "not in"))

        return self._comparison(value, make)

    def _payload_value(self) -> bytes:
        """Return data bytes: hexadecimal, optionally separated by dots or, in quotes, by blanks."""
        begin, text = self.value("data bytes")
        digits = "".join(text.replace(".", " ").split())
        if digits[:2] in ("0x", "0X") and len(digits) > 2:
            digits = digits[2:]
        if set(digits) - _HEX_DIGITS or len(digits) % 2:
            reason = (
                "an odd number of hexadecimal digits" if not set(digits) - _HEX_DIGITS else "not hexadecimal"
            )
            raise self.refusal(f"bad data bytes {quoted(text)}: {reason}", "data eq 01F50000", begin)
        if len(digits) > 2 * _MAX_DATA:
            raise self.refusal(f"more than {_MAX_DATA} data bytes", None, begin)
        return bytes.fromhex(digits)

    def _mask(self, width: int, *, decimal_is_odd: bool = True) -> int | None:
        """Return the mask of ``& MASK``, of at most ``width`` bits; None if there is no mask."""
        if not self.skip("&"):
            return None
        begin, text = self.value("a mask")
        match = HEXADECIMAL.fullmatch(text)
        if match is None:
            raise self.refusal(f"{quoted(text)} is not a hexadecimal mask", _HINT_HEX, begin)
        mask = int(match[1], 16)
        if mask >> width:
            raise self.refusal(f"a mask of more than {width} bits", None, begin)
        if decimal_is_odd and text.isdecimal() and len(text.lstrip("0")) > 1:
            self.warnings.append(f"masks are hexadecimal: {text} means 0x{text}")
        return mask

    def _check_bits(self, span: Range, bits: int) -> None:
        if span[0] == span[1] and span[0] & ~bits:
            raise self.refusal("the value has bits outside the mask: never equal", _HINT_HEX, self.value_at)

    def _duration_value(self) -> int:
        begin, text = self.value("a duration")
        from cantools_cli.units import duration_ns

        try:
            return duration_ns(text)
        except UsageError as error:
            raise self.refusal(str(error), error.hint, begin) from error

    def _known(self) -> Predicate:
        predicate = found(self, self._signals, '"known"', lambda signals: signals.known())
        self.take()
        return predicate

    def _message(self) -> Predicate:
        found(self, self._signals, '"message"', lambda signals: None)
        self.take()
        name_at = 0

        def name() -> str:
            nonlocal name_at
            name_at, text = self.value("a message")
            return text

        def test(text: str, outside: bool) -> Predicate:
            end, self.at = self.at, name_at
            predicate = found(self, self._signals, "", lambda signals: signals.message(text, outside=outside))
            self.at = end
            return predicate

        return self._unordered("messages have", "message eq Engine, message in A, B", name, test)

    def _channel(self) -> Predicate:
        return self._unordered(
            "channels have",
            "channel eq can0, channel in can0, can1",
            lambda: self.value("a channel")[1],
            lambda name, inverted: Channels((name,), inverted),
        )

    def _time(self, *, since_first: bool) -> Predicate:
        """Parse the part after ``time`` or ``timestamp``; ``time 5`` is relative to the first frame."""
        kinds: set[bool] = set()

        def value() -> int:
            begin, text = self.value("a time")
            from cantools_cli.filtering.window import Moment

            try:
                is_number = text.replace(".", "", 1).isdecimal()
                moment = Moment.parse(f"@{text}" if is_number and not since_first else text, self._tz)
            except UsageError as error:
                raise self.refusal(str(error), error.hint, begin) from error
            kinds.add(moment.is_absolute)
            if len(kinds) > 1:
                raise self.refusal("a mix of absolute and relative times", _HINT_TIME, begin)
            return moment.nanoseconds

        def make(comparison: str, span: Range) -> Predicate:
            low, high, outside = _bounds(comparison, span, -(1 << 63), (1 << 63) - 1)
            return Times(low, high, True not in kinds, outside)

        return self._comparison(value, make)


def _bounds(comparison: str, span: Range, minimum: int, maximum: int) -> tuple[int, int, bool]:
    """Return (low, high, outside): values from low to high pass, or with ``outside`` all others."""
    low, high = span
    if comparison == "lt":
        low, high = minimum, low - 1
    elif comparison == "le":
        low = minimum
    elif comparison == "gt":
        low, high = high + 1, maximum
    elif comparison == "ge":
        high = maximum
    if low > high:
        low, high = 1, 0  # an empty range that fits every column
    return low, high, comparison in ("ne", "not in")


def _test(kind: Callable[[int, int, bool], Predicate], maximum: int) -> Make:
    """Return what makes tests of ``kind``, which takes (low, high, outside), of values up to ``maximum``."""
    return lambda comparison, span: kind(*_bounds(comparison, span, 0, maximum))
