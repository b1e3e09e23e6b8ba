"""Tests of signals in an expression, and what it needs of a database for them.

The package ``decoding`` implements it; expressions only know these interfaces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from cantools_cli.errors import UsageError, quoted
from cantools_cli.filtering.predicates import Predicate
from cantools_cli.filtering.where_tokens import Tokens

if TYPE_CHECKING:
    from fractions import Fraction

T = TypeVar("T")
#: parses a comparison, see ``signal_test``
Compare = Callable[[Callable[[], int], Callable[[str, tuple[int, int]], Predicate]], Predicate]

#: the reference of a signal, as an expression may begin a test: ``Engine.Speed``
REFERENCE = re.compile(r"([^\W\d]\w*)\.(\w+)")
#: a number that a signal is compared with
NUMBER = re.compile(
    r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?|0[xX][0-9a-fA-F]{1,32}", re.ASCII
)


@dataclass(frozen=True)
class Bounds:
    """Physical values from ``low`` to ``high``; None is no bound. ``outside`` means all others."""

    low: Fraction | None
    high: Fraction | None
    includes_ends: bool = True
    outside: bool = False


class SignalTests(Protocol):
    """Makes the tests of one signal."""

    @property
    def names(self) -> Iterable[str]:
        """The names of values."""

    def between(self, bounds: Bounds) -> Predicate:
        """Return a test of the physical value."""

    def named(self, name: str, *, outside: bool) -> Predicate:
        """Return a test whether the value is the one called ``name``, with ``outside`` another one."""


class Signals(Protocol):
    """The messages and signals of the databases of a command."""

    def signal(self, message: str, signal: str) -> SignalTests:
        """Return what makes the tests of a signal.

        Raises:
            UsageError: no such message or signal; the hint has similar names.
        """

    def message(self, name: str, *, outside: bool) -> Predicate:
        """Return a test whether frames are of the message ``name``; the same errors."""

    def known(self) -> Predicate:
        """Return a test whether a database describes the frame."""


def number(text: str) -> Fraction | None:
    """Return the number that ``text`` spells, decimal or with 0x, or None."""
    if NUMBER.fullmatch(text) is None:
        return None
    from fractions import Fraction  # with decimal, it takes longer than parsing an expression

    return Fraction(int(text, 16)) if text[:2] in ("0x", "0X") else Fraction(text)


def bounds(comparison: str, low: Fraction, high: Fraction) -> Bounds:
    """Return the bounds of a comparison; ``low`` and ``high`` differ with ``in`` only."""
    if comparison in ("lt", "le"):
        return Bounds(None, high, includes_ends=comparison == "le")
    if comparison in ("gt", "ge"):
        return Bounds(low, None, includes_ends=comparison == "ge")
    return Bounds(low, high, outside=comparison in ("ne", "not in"))


def signal_test(tokens: Tokens, signals: Signals | None, compare: Compare) -> Predicate | None:
    """Parse a test that begins with a signal; None if the next one does not.

    ``compare`` parses a comparison: it takes the parser of a value, which returns the number of the value,
    and what makes the test from the comparison and two of these numbers.
    """
    match = REFERENCE.match(tokens.text, tokens.place())
    if match is None:
        return None
    tests = found(tokens, signals, quoted(match[0]), lambda known: known.signal(match[1], match[2]))
    tokens.at = match.end()
    values: list[Fraction | str] = []

    def value() -> int:
        values.append(_value(tokens, match[0], tests))
        return len(values) - 1

    def make(comparison: str, span: tuple[int, int]) -> Predicate:
        low, high = values[span[0]], values[span[1]]
        if not isinstance(low, str) and not isinstance(high, str):
            if low > high:
                raise tokens.refusal("a range that ends below its start", None, tokens.value_at)
            return tests.between(bounds(comparison, low, high))
        if comparison not in ("eq", "ne", "in", "not in") or span[0] != span[1]:
            hint = f"{match[0]} gt 3, {match[0]} in A, B"
            raise tokens.refusal("names have no order, only eq, ne and in", hint, tokens.value_at)
        return tests.named(str(low), outside=comparison in ("ne", "not in"))

    return compare(value, make)


def found(tokens: Tokens, signals: Signals | None, what: str, find: Callable[[Signals], T]) -> T:
    """Return what ``find`` finds in ``signals``; errors are located at the next token."""
    begin = tokens.place()
    if signals is None:
        raise tokens.refusal(f"{what} needs a database", "--dbc FILE names one", begin)
    try:
        return find(signals)
    except UsageError as error:
        raise tokens.refusal(str(error), error.hint, begin) from error


def _value(tokens: Tokens, reference: str, tests: SignalTests) -> Fraction | str:
    begin, text = tokens.value("a value")
    is_quoted = tokens.text[begin] in "'\""
    if not is_quoted and (value := number(text)) is not None:
        return value
    names = [*tests.names]
    if text in names:
        return text
    if not names:
        raise tokens.refusal(
            f"{quoted(text)} is not a number, and values of {reference} have no names", None, begin
        )
    from difflib import get_close_matches

    near = get_close_matches(text, names, 3, 0.5) or names[:5]
    hint = f"names: {', '.join(near)}{', ...' if len(near) < len(names) else ''}"
    raise tokens.refusal(f"{quoted(text)} is neither a number nor the name of a value", hint, begin)
