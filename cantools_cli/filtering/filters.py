"""Which frames pass: candump's filters, bare identifiers and ranges, python-can's dictionaries.

::

    123:7FF              (can_id & 7FF) == (123 & 7FF): bits as SocketCAN has them, so extended ones too
    12345678:DFFFFFFF    8 digits set the extended bit of the ID; the mask says whether it matters
    400~7F0              not 400 to 40F
    123  00000123        the identifier of 11, of 29 bits: its data and its remote frames
    100-1FF              all identifiers between, the kind again by the digits
    #FF                  of the error frames only those of these classes; no filter else drops any
    j                    all filters have to pass a frame, not just one

The first three, ``#`` and ``j`` are candump's; candump has no error frames at all unless ``#`` asks.

Source: can-utils, ``candump.c`` (the tokens); the Linux kernel, ``net/can/af_can.c`` (what they pass).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from operator import index
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame import bits as frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.kernels import filters as kernel

if TYPE_CHECKING:
    from cantools_cli.filtering.can_filter import CanFilter, CanFilters

#: an error mask that passes every error frame, also one without a class
ALL_ERRORS = frames.CAN_ERR_FLAG | frames.CAN_EFF_MASK

_KIND_AND_ID = frames.CAN_EFF_FLAG | frames.CAN_EFF_MASK
#: in a dictionary's ``can_id``: pass what does not match, as in SocketCAN
_INVERTED = 0x20000000
_HEX = frozenset("0123456789abcdefABCDEF")
_FORMS = "filters are 123:7FF, 400~7F0, 123, 00000123, 100-1FF, #FF and j, separated by commas"


class IdTest(NamedTuple):
    """Passes a data or remote frame if ``low <= can_id & mask <= high``; ``inverted`` if not."""

    mask: int
    low: int
    high: int
    inverted: bool = False

    def passes(self, can_id: int) -> bool:
        return (self.low <= can_id & self.mask <= self.high) != self.inverted


EVERYTHING = IdTest(0, 0, 0)
NOTHING = IdTest(0, 0, 0, inverted=True)


class FrameFilter:
    """Passes data and remote frames by their identifier words, error frames by their class.

    Attributes:
        tests: one of them has to pass a frame, or all where ``join`` is set; all pass where there is none.
        join: whether all have to.
        error_mask: the classes of error frames that pass; no test applies to these.
        warnings: what is probably not meant so, a line each.
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
        """Return the filter that all ``tokens`` make together; each may be several, with commas between.

        Where several error masks are given, a class in any of them passes.

        Raises:
            UsageError: a token is none; the message quotes it and says the position.
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
        result = cls(tests, join=join, error_mask=ALL_ERRORS if error_mask is None else _classes(error_mask))
        result._warn()
        return result

    @classmethod
    def from_can_filters(cls, filters: CanFilters | None) -> FrameFilter:
        """Return the filter that python-can's dictionaries make; None or none of them passes everything.

        A mask there has no flags, only the bits of an identifier. If ``can_id`` has SocketCAN's bit 20000000
        and no other flag, the dictionary passes what does not match.

        Raises:
            UsageError: a dictionary lacks ``can_id`` or ``can_mask``, or they are not integers.
        """
        return cls(_dictionary_test(entry) for entry in filters or ())

    def can_filters(self) -> CanFilters | None:
        """Return dictionaries for a bus or its hardware that pass at least what this filter passes.

        None where only everything would do. The filter itself has to run behind.
        """
        found: list[CanFilter] = []
        for test in self.tests:
            entries = None if test.inverted else _dictionaries(test)
            if self.join and entries:
                return entries
            if entries is None and not self.join:
                return None
            found += entries or ()
        return found or None

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
        """Return the frames that pass: ``batch`` itself where all do, else a new one."""
        if self.passes_everything:
            return batch
        rows = self.rows(batch)
        return batch if len(rows) == len(batch) else batch.select(rows)

    def matches(self, message: Message) -> bool:
        """Tell whether one message passes."""
        if message.is_error_frame:
            return bool((message.arbitration_id | frames.CAN_ERR_FLAG) & self.error_mask)
        can_id = message.arbitration_id
        if message.is_extended_id:
            can_id |= frames.CAN_EFF_FLAG
        if message.is_remote_frame:
            can_id |= frames.CAN_RTR_FLAG
        if self.join or not self.tests:
            return all(test.passes(can_id) for test in self.tests)
        return any(test.passes(can_id) for test in self.tests)

    def _warn(self) -> None:
        inverted = sum(test.inverted for test in self.tests)
        if inverted > 1 and not self.join:
            self.warnings.append(
                f"{inverted} filters with ~ exclude only what all of them exclude, mostly nothing; "
                "add ,j to exclude what any of them excludes"
            )


def _test(text: str, begin: int, end: int) -> IdTest:
    """Return the test that ``text[begin:end]`` stands for."""
    if begin == end:
        _refuse(text, begin, "an empty filter")
    if ".." in text[begin:end]:
        low_text, _, high_text = text[begin:end].partition("..")
        _refuse(
            text,
            text.index("..", begin),
            '".." is of --where, a filter has "-"',
            f"-f {low_text}-{high_text}, or --where 'id in {low_text}..{high_text}'",
        )
    at = next((at for at in range(begin, end) if text[at] in ":~-"), end)
    separator = text[at : at + 1] if at < end else ""
    first, digits = _hexadecimal(text, begin, at)
    if separator in {":", "~"}:
        if digits == 8:
            first |= frames.CAN_EFF_FLAG
        return _masked(text, begin, first, _hexadecimal(text, at + 1, end)[0], separator == "~")
    low = _identifier(text, begin, first, digits)
    if not separator:
        return IdTest(_KIND_AND_ID, low, low)
    last, last_digits = _hexadecimal(text, at + 1, end)
    high = _identifier(text, at + 1, last, last_digits)
    if digits != last_digits:
        _refuse(text, begin, "a range from 11 to 29 bits", "both ends of a range have 3 digits, or both 8")
    if low > high:
        _refuse(text, begin, "a range whose end is below its beginning")
    return IdTest(_KIND_AND_ID, low, high)


def _masked(text: str, at: int, value: int, mask: int, inverted: bool) -> IdTest:
    """Return the test of ``ID:MASK`` or ``ID~MASK``."""
    if value & frames.CAN_ERR_FLAG:
        # candump hands this bit to the kernel, which takes it for ~
        _refuse(text, at, "an identifier over 1FFFFFFF", "error frames are filtered by class: #FF; ~ inverts")
    mask &= ~frames.CAN_ERR_FLAG
    return IdTest(mask, value & mask, value & mask, inverted)


def _identifier(text: str, at: int, value: int, digits: int) -> int:
    """Return the identifier word of a bare identifier, whose digits are its kind."""
    if digits not in (3, 8):
        number = f"{value:X}"
        padded = "" if value > frames.CAN_SFF_MASK else f"{number:0>3} (11 bits) or "
        padded += f"{number:0>8} (29 bits)"
        _refuse(
            text,
            at,
            f"{digits} identifier digits, not 3 (11 bits) or 8 (29 bits)",
            f"pad with zeros: {padded}",
        )
    if digits == 3:
        if value > frames.CAN_SFF_MASK:
            _refuse(text, at, "an identifier over 7FF, the largest of 11 bits", f"29 bits: {value:08X}")
        return value
    if value > frames.CAN_EFF_MASK:
        _refuse(text, at, "an identifier over 1FFFFFFF, the largest of 29 bits")
    return value | frames.CAN_EFF_FLAG


def _classes(mask: int) -> int:
    """Return the error mask of ``#MASK``; one with all classes also passes error frames that have none."""
    mask &= frames.CAN_EFF_MASK
    return ALL_ERRORS if mask == frames.CAN_EFF_MASK else mask


def _hexadecimal(text: str, begin: int, end: int) -> tuple[int, int]:
    """Return the number in ``text[begin:end]``, with or without 0x, and its digits, at most 8."""
    if text[begin : begin + 2] in ("0x", "0X"):
        begin += 2
    for at in range(begin, end):
        if text[at] not in _HEX:
            _refuse(text, at, f"{quoted(text[at])} is not hexadecimal")
    if begin >= end:
        _refuse(text, begin, "no hexadecimal number")
    if end - begin > 8:
        _refuse(text, begin, "a number of over 8 digits")
    return int(text[begin:end], 16), end - begin


def _refuse(text: str, at: int, reason: str, hint: str = _FORMS) -> NoReturn:
    raise UsageError(f"bad filter {quoted(text)}: {reason}, at position {at + 1}", hint=hint)


def _dictionary_test(entry: CanFilter) -> IdTest:
    try:
        can_id, can_mask = index(entry["can_id"]), index(entry["can_mask"])
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"bad filter {quoted(entry)}",
            hint='a filter is {"can_id": 0x123, "can_mask": 0x7FF, "extended": False}',
        ) from error
    if can_id & ~frames.CAN_EFF_MASK == _INVERTED and not can_mask & _INVERTED:
        test = _dictionary_test({**entry, "can_id": can_id & ~_INVERTED})
        return test._replace(inverted=not test.inverted)
    if can_id & can_mask & ~frames.CAN_EFF_MASK:
        return NOTHING  # no identifier has such a bit
    mask = can_mask & frames.CAN_EFF_MASK
    word = can_id & mask
    extended = entry.get("extended")
    if extended is not None:
        mask |= frames.CAN_EFF_FLAG
        word |= frames.CAN_EFF_FLAG if extended else 0
    return IdTest(mask, word, word)


def _dictionaries(test: IdTest) -> list[CanFilter]:
    """Return dictionaries that pass what ``test`` passes, and more where it looks at the remote bit."""
    low, high = test.low & frames.CAN_EFF_MASK, test.high & frames.CAN_EFF_MASK
    mask = test.mask & frames.CAN_EFF_MASK
    entries: list[CanFilter] = []
    while low <= high:
        # the largest block of a power of two that begins at low; a test of equality is one block of one
        size = low & -low or frames.CAN_EFF_MASK + 1
        while low + size - 1 > high:
            size >>= 1
        entry: CanFilter = {"can_id": low, "can_mask": mask & ~(size - 1)}
        if test.mask & frames.CAN_EFF_FLAG:
            entry["extended"] = bool(test.low & frames.CAN_EFF_FLAG)
        entries.append(entry)
        low += size
    return entries


def conjunction(filters: Iterable[FrameFilter]) -> FrameFilter | None:
    """Return one filter that passes at least what all ``filters`` pass together; None for everything.

    It is exact unless alternatives meet what does not merge with each of them, or two masks of errors meet.
    """
    groups: list[tuple[IdTest, ...]] = []
    error_mask = ALL_ERRORS
    for one in filters:
        if one.error_mask & error_mask == one.error_mask:
            error_mask = one.error_mask
        groups += [(test,) for test in one.tests] if one.join else [one.tests] if one.tests else []
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
    """Return one test that passes exactly what both pass, where one does."""
    for test, fixed in ((first, second), (second, first)):
        bits, value = fixed.mask, fixed.low
        lowest_bit = bits & -bits or 1 << 32
        if test.inverted or fixed.inverted or value != fixed.high or value & ~bits:
            continue
        # the fixed bits have to be above those in which the range counts
        if (test.mask | test.low | test.high) & bits == 0 and test.low ^ test.high < lowest_bit:
            return IdTest(test.mask | bits, test.low | value, test.high | value)
    return None
