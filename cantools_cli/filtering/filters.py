"""Filters by identifier and error class: candump's tokens, identifiers, ranges, python-can's dictionaries.

::

    123:7FF              (can_id & 7FF) == (123 & 7FF), on SocketCAN's words: extended identifiers match too
    12345678:DFFFFFFF    8 digits set the EFF bit of the identifier; it is compared if the mask contains it
    400~7F0              every identifier except 400 to 40F
    123  00000123        one 11-bit, one 29-bit identifier: data and remote frames
    100-1FF              a range of identifiers; 3 or 8 digits give the kind
    #FF                  error frames of these classes only; no other filter drops error frames
    j                    join: a frame has to pass all filters instead of one of them

The first three, ``#`` and ``j`` are candump's. Unlike here, candump shows error frames only with ``#``.

Source: can-utils, ``candump.c`` (tokens); the Linux kernel, ``net/can/af_can.c`` (matching).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from operator import index
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.kernels import filters as kernel

if TYPE_CHECKING:
    from cantools_cli.filtering.can_filter import CanFilter, CanFilters

#: an error mask that passes every error frame, even one without a class
ALL_ERRORS = bits.CAN_ERR_FLAG | bits.CAN_EFF_MASK

_KIND_AND_ID = bits.CAN_EFF_FLAG | bits.CAN_EFF_MASK
#: SocketCAN's CAN_INV_FILTER: in a dictionary's ``can_id`` it inverts the filter
_INVERTED = 0x20000000
_HEX = frozenset("0123456789abcdefABCDEF")
_FORMS = "filters are 123:7FF, 400~7F0, 123, 00000123, 100-1FF, #FF and j, separated by commas"


class IdTest(NamedTuple):
    """Passes a data or remote frame if ``low <= can_id & mask <= high``; ``inverted`` negates the test."""

    mask: int
    low: int
    high: int
    inverted: bool = False

    def passes(self, can_id: int) -> bool:
        return (self.low <= can_id & self.mask <= self.high) != self.inverted


EVERYTHING = IdTest(0, 0, 0)
NOTHING = IdTest(0, 0, 0, inverted=True)


class FrameFilter:
    """Passes data and remote frames by identifier, error frames by class.

    Attributes:
        tests: a frame has to pass one of these tests, or all of them if ``join`` is set. Without tests
            every frame passes. Tests do not apply to error frames.
        error_mask: classes of the error frames that pass.
        warnings: likely mistakes in the filters, one line each.
    """

    def __init__(
        self, tests: Iterable[IdTest] = (), *, join: bool = False, error_mask: int = ALL_ERRORS
    ) -> None:
        self.tests = tuple(tests)
        self.join = join
        self.error_mask = error_mask
        self.warnings: list[str] = []
        self._words = array("I", [int(word) for test in self.tests for word in test])

    @classmethod
    def parse(cls, tokens: Iterable[str]) -> FrameFilter:
        """Return the filter for all ``tokens``; each may hold several tokens separated by commas.

        Error masks of several tokens are combined: an error frame passes if any of them has its class.

        Raises:
            UsageError: a token is not a filter; the message quotes it with its position.
        """
        tests: list[IdTest] = []
        join = False
        error_mask: int | None = None
        for text in (tokens,) if isinstance(tokens, str) else tokens:
            end = -1
            for part in text.split(","):
                begin, end = end + 1, end + 1 + len(part)
                token = part.strip()
                at = begin + len(part) - len(part.lstrip())
                if token[:1] in ("j", "J"):
                    join = True
                elif token[:1] == "#":
                    error_mask = (error_mask or 0) | _hexadecimal(text, at + 1, at + len(token))[0]
                else:
                    tests.append(_test(text, at, at + len(token)))
        classes = bits.CAN_EFF_MASK if error_mask is None else error_mask & bits.CAN_EFF_MASK
        # with all classes, error frames without a class pass as well
        result = cls(tests, join=join, error_mask=ALL_ERRORS if classes == bits.CAN_EFF_MASK else classes)
        result._warn()
        return result

    @classmethod
    def from_can_filters(cls, filters: CanFilters | None) -> FrameFilter:
        """Return the filter for python-can's dictionaries; None or an empty sequence passes everything.

        Flags in ``can_mask`` are ignored. If bit 20000000 (CAN_INV_FILTER) is the only flag in ``can_id``,
        the dictionary is inverted.

        Raises:
            UsageError: ``can_id`` or ``can_mask`` is missing or not an integer.
        """
        return cls(_dictionary_test(entry) for entry in filters or ())

    def can_filters(self) -> CanFilters | None:
        """Return dictionaries for a bus or its hardware that pass at least the frames of this filter.

        None if no dictionaries can express that. The filter itself still has to be applied afterwards.
        """
        dictionaries: list[CanFilter] = []
        for test in self.tests:
            entries = None if test.inverted else _dictionaries(test)
            if self.join and entries:
                return entries
            if entries is None and not self.join:
                return None
            dictionaries += entries or ()
        return dictionaries or None

    @property
    def passes_everything(self) -> bool:
        return not self.tests and self.error_mask == ALL_ERRORS

    def rows(self, batch: MessageBatch) -> array[int]:
        """Return the rows of ``batch`` that pass, in order."""
        rows = array("I", bytes(4 * len(batch)))
        count = kernel.select(batch.can_id, self._words, self.join, self.error_mask, rows)
        del rows[count:]
        return rows

    def select(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames that pass; ``batch`` itself if all do."""
        if self.passes_everything:
            return batch
        rows = self.rows(batch)
        return batch if len(rows) == len(batch) else batch.select(rows)

    def matches(self, message: Message) -> bool:
        """Return whether ``message`` passes."""
        if message.is_error_frame:
            return bool((message.arbitration_id | bits.CAN_ERR_FLAG) & self.error_mask)
        can_id = message.arbitration_id
        if message.is_extended_id:
            can_id |= bits.CAN_EFF_FLAG
        if message.is_remote_frame:
            can_id |= bits.CAN_RTR_FLAG
        if self.join or not self.tests:
            return all(test.passes(can_id) for test in self.tests)
        return any(test.passes(can_id) for test in self.tests)

    def _warn(self) -> None:
        inverted = sum(test.inverted for test in self.tests)
        if inverted > 1 and not self.join:
            self.warnings.append(
                f"{inverted} filters with ~ drop only frames that all of them drop, usually none; "
                "add ,j to drop frames that any of them drops"
            )


def _test(text: str, begin: int, end: int) -> IdTest:
    """Parse the token ``text[begin:end]``."""
    if begin == end:
        _refuse(text, begin, "an empty filter")
    if ".." in text[begin:end]:
        low_text, _, high_text = text[begin:end].partition("..")
        _refuse(
            text,
            text.index("..", begin),
            'a range is written with "-" here, ".." is for --where',
            f"-f {low_text}-{high_text}, or --where 'id in {low_text}..{high_text}'",
        )
    at = next((at for at in range(begin, end) if text[at] in ":~-"), end)
    separator = text[at : at + 1] if at < end else ""
    first, digits = _hexadecimal(text, begin, at)
    if separator in {":", "~"}:
        if digits == 8:
            first |= bits.CAN_EFF_FLAG
        return _masked(text, begin, first, _hexadecimal(text, at + 1, end)[0], separator == "~")
    low = _identifier(text, begin, first, digits)
    if not separator:
        return IdTest(_KIND_AND_ID, low, low)
    last, last_digits = _hexadecimal(text, at + 1, end)
    high = _identifier(text, at + 1, last, last_digits)
    if digits != last_digits:
        _refuse(
            text,
            begin,
            "a range from an 11-bit to a 29-bit identifier",
            "write both ends with 3 digits, or both with 8",
        )
    if low > high:
        _refuse(text, begin, "a range that ends below its start")
    return IdTest(_KIND_AND_ID, low, high)


def _masked(text: str, at: int, value: int, mask: int, inverted: bool) -> IdTest:
    """Return the test for ``ID:MASK`` or ``ID~MASK``."""
    if value & bits.CAN_ERR_FLAG:
        # candump passes this bit on to the kernel, where it inverts the filter
        _refuse(text, at, "an identifier above 1FFFFFFF", "#FF filters error frames by class; ~ inverts")
    mask &= ~bits.CAN_ERR_FLAG
    return IdTest(mask, value & mask, value & mask, inverted)


def _identifier(text: str, at: int, value: int, digits: int) -> int:
    """Return the identifier word of a bare identifier: 3 digits for 11 bits, 8 for 29 bits."""
    if digits not in (3, 8):
        number = f"{value:X}"
        padded = "" if value > bits.CAN_SFF_MASK else f"{number:0>3} (11 bits) or "
        padded += f"{number:0>8} (29 bits)"
        _refuse(
            text,
            at,
            f"{digits} identifier digits, not 3 (11 bits) or 8 (29 bits)",
            f"pad with zeros: {padded}",
        )
    if digits == 3:
        if value > bits.CAN_SFF_MASK:
            _refuse(text, at, "an 11-bit identifier above 7FF", f"with 29 bits: {value:08X}")
        return value
    if value > bits.CAN_EFF_MASK:
        _refuse(text, at, "a 29-bit identifier above 1FFFFFFF")
    return value | bits.CAN_EFF_FLAG


def _hexadecimal(text: str, begin: int, end: int) -> tuple[int, int]:
    """Return the number in ``text[begin:end]``, with or without 0x, and its count of digits, at most 8."""
    if text[begin : begin + 2] in ("0x", "0X"):
        begin += 2
    for at in range(begin, end):
        if text[at] not in _HEX:
            _refuse(text, at, f"{quoted(text[at])} is not hexadecimal")
    if begin >= end:
        _refuse(text, begin, "a hexadecimal number is missing")
    if end - begin > 8:
        _refuse(text, begin, "a number of more than 8 digits")
    return int(text[begin:end], 16), end - begin


def _refuse(text: str, at: int, reason: str, hint: str = _FORMS) -> NoReturn:
    raise UsageError(f"bad filter {quoted(text)}: {reason}, at position {at + 1}", hint=hint)


def _dictionary_test(entry: CanFilter) -> IdTest:
    own: IdTest | None = getattr(entry, "id_test", None)  # a filter of hardware, with values of its own
    if own is not None:
        return own
    try:
        can_id, can_mask = index(entry["can_id"]), index(entry["can_mask"])
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"bad filter {quoted(entry)}",
            hint='a filter is {"can_id": 0x123, "can_mask": 0x7FF, "extended": False}',
        ) from error
    if can_id & ~bits.CAN_EFF_MASK == _INVERTED and not can_mask & _INVERTED:
        test = _dictionary_test({**entry, "can_id": can_id & ~_INVERTED})
        return test._replace(inverted=not test.inverted)
    if can_id & can_mask & ~bits.CAN_EFF_MASK:
        return NOTHING  # an identifier has no such bit
    mask = can_mask & bits.CAN_EFF_MASK
    word = can_id & mask
    extended = entry.get("extended")
    if extended is not None:
        mask |= bits.CAN_EFF_FLAG
        word |= bits.CAN_EFF_FLAG if extended else 0
    return IdTest(mask, word, word)


def _dictionaries(test: IdTest) -> list[CanFilter]:
    """Return dictionaries equivalent to ``test``, except that they ignore the RTR bit."""
    low, high = test.low & bits.CAN_EFF_MASK, test.high & bits.CAN_EFF_MASK
    mask = test.mask & bits.CAN_EFF_MASK
    entries: list[CanFilter] = []
    while low <= high:
        # the largest power-of-two block that starts at low; a test for equality is a single block of size 1
        size = low & -low or bits.CAN_EFF_MASK + 1
        while low + size - 1 > high:
            size >>= 1
        entry: CanFilter = {"can_id": low, "can_mask": mask & ~(size - 1)}
        if test.mask & bits.CAN_EFF_FLAG:
            entry["extended"] = bool(test.low & bits.CAN_EFF_FLAG)
        entries.append(entry)
        low += size
    return entries


def conjunction(filters: Iterable[FrameFilter]) -> FrameFilter | None:
    """Return one filter that passes at least the frames that all ``filters`` pass; None for everything.

    Exact, except when an any-of filter cannot be merged with another filter, or when both restrict error
    classes.
    """
    groups: list[tuple[IdTest, ...]] = []
    error_mask = ALL_ERRORS
    for part in filters:
        if part.error_mask & error_mask == part.error_mask:
            error_mask = part.error_mask
        groups += [(test,) for test in part.tests] if part.join else [part.tests] if part.tests else []
    chosen = next((group for group in groups if len(group) > 1), groups[0] if groups else ())
    others: list[IdTest] = []
    for group in groups:
        if group is chosen or len(group) > 1:
            continue
        merged = [_merged(test, group[0]) for test in chosen]
        if None in merged:
            others += group
        else:
            chosen = tuple(test for test in merged if test is not None)
    if len(chosen) == 1:
        result = FrameFilter([*chosen, *others], join=bool(others), error_mask=error_mask)
    else:
        result = FrameFilter(chosen, error_mask=error_mask)
    return None if result.passes_everything else result


def _merged(first: IdTest, second: IdTest) -> IdTest | None:
    """Return the single test that equals both together, None if there is no such test."""
    for test, fixed in ((first, second), (second, first)):
        mask, value = fixed.mask, fixed.low
        lowest_bit = mask & -mask or 1 << 32
        if test.inverted or fixed.inverted or value != fixed.high or value & ~mask:
            continue
        # the fixed bits must lie above the bits that vary within the range
        if (test.mask | test.low | test.high) & mask == 0 and test.low ^ test.high < lowest_bit:
            return IdTest(test.mask | mask, test.low | value, test.high | value)
    return None
