"""What a bridge does with frames on their way: new identifiers, and no frame for ever.

A rewriting rule, all numbers hexadecimal, 3 digits for an identifier of 11 bits and 8 for one of 29::

    123=456              one identifier by another; also of the other kind: 123=00000456
    100-1FF=300          a range: 100 becomes 300, 101 becomes 301
    100-1FF=+200         the same, as a distance; =-80 as well
    120:7F0=520          only the bits of the mask: 125 becomes 525
    can0>can1:123=456    only from the bus can0 to the bus can1; * stands for any

The first rule that names a frame's identifier rewrites it, and no other. Remote frames are rewritten as
data frames are, error frames never.
"""

from __future__ import annotations

import re
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from cantools_cli.errors import CanOperationError, UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch

#: a frame that is back within this time may be the one that was sent
RETURN_NS = 50_000_000
#: how often it may come back, each time so fast, until it is taken for one that goes round for ever
MAX_HOPS = 100
#: frames remembered for each bus
_REMEMBERED = 4096
#: identifier words whose rewriting is remembered
_TABLE_SIZE = 65_536

_ID = "(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})"
_RULE = re.compile(
    rf"(?P<first>{_ID})(?:-(?P<last>{_ID})|:(?P<mask>[0-9A-Fa-f]{{1,8}}))?"
    rf"=(?:(?P<sign>[+-])(?P<distance>[0-9A-Fa-f]{{1,8}})|(?P<new>{_ID}))"
)
_FORMS = "such as 123=456, 100-1FF=300, 100-1FF=+200, 120:7F0=520, or can0>can1:123=456"
_KIND_AND_ID = bits.CAN_EFF_FLAG | bits.CAN_EFF_MASK


@dataclass(frozen=True)
class Rewrite:
    """Replaces the identifier words that are between ``low`` and ``high`` in the bits of ``mask``.

    ``low`` becomes ``new``, those above it follow; the bits outside of the mask stay as they are.
    """

    mask: int
    low: int
    high: int
    new: int

    def matches(self, word: int) -> bool:
        return self.low <= word & self.mask <= self.high

    def new_word(self, word: int) -> int:
        """Return what ``word``, which matches, becomes."""
        return self.new + (word & self.mask) - self.low + (word & bits.CAN_EFF_MASK & ~self.mask)


class DirectedRewrite(NamedTuple):
    """A rule, and between which buses it holds; None is any."""

    source: str | None
    target: str | None
    rule: Rewrite


def parse_rewrite(text: str, names: Sequence[str]) -> list[DirectedRewrite]:
    """Return the rules of ``[FROM>TO:]RULE[,RULE...]``, for buses that are called ``names``.

    Raises:
        UsageError: a rule is none, an identifier is out of range, or no bus has that name.
    """
    source, target, rules = _direction(text, names)
    return [DirectedRewrite(source, target, _rule(text, rule.strip())) for rule in rules.split(",")]


def _direction(text: str, names: Sequence[str]) -> tuple[str | None, str | None, str]:
    if ">" not in text:
        return None, None, text
    for source in (*names, "*"):  # a name may hold a colon, so the names decide where it ends
        for target in (*names, "*"):
            head = f"{source}>{target}:"
            if text.startswith(head):
                return (
                    None if source == "*" else source,
                    None if target == "*" else target,
                    text[len(head) :],
                )
    raise UsageError(
        f"--rewrite {quoted(text)} names no direction between these buses",
        hint=f"FROM>TO:RULE, with the names {', '.join(names)}, or * for any",
    )


def _rule(text: str, rule: str) -> Rewrite:
    found = _RULE.fullmatch(rule)
    if found is None:
        _refuse(text, f"no rule in {quoted(rule)}")
    first = _word(text, found["first"])
    if found["mask"] is not None:
        return _masked(text, found, first)
    last = _word(text, found["last"]) if found["last"] is not None else first
    if (first ^ last) & bits.CAN_EFF_FLAG or last < first:
        _refuse(text, f"{quoted(rule)} is no range: both ends have 3 digits or both 8, the lower one first")
    if found["new"] is not None:
        new = _word(text, found["new"])
    else:
        new = first + int(found["sign"] + found["distance"], 16)
    kind = new & bits.CAN_EFF_FLAG if found["new"] is not None else first & bits.CAN_EFF_FLAG
    limit = kind | (bits.CAN_EFF_MASK if kind else bits.CAN_SFF_MASK)
    if not kind <= new <= new + last - first <= limit:
        _refuse(text, f"{quoted(rule)} ends outside of the identifiers of {29 if kind else 11} bits")
    return Rewrite(_KIND_AND_ID, first, last, new)


def _masked(text: str, found: re.Match[str], word: int) -> Rewrite:
    """Return the rule of ``ID:MASK=ID``."""
    kind = word & bits.CAN_EFF_FLAG
    mask = int(found["mask"], 16) & (bits.CAN_EFF_MASK if kind else bits.CAN_SFF_MASK)
    if found["new"] is None:
        _refuse(text, "a mask goes with an identifier, not with a distance")
    new = _word(text, found["new"])
    if (new ^ word) & bits.CAN_EFF_FLAG:
        _refuse(text, "a mask keeps bits, so both identifiers have 3 digits, or both 8")
    low = kind | (word & mask)
    return Rewrite(mask | bits.CAN_EFF_FLAG, low, low, kind | (new & mask))


def _word(text: str, digits: str) -> int:
    value = int(digits, 16)
    limit, bit = (bits.CAN_SFF_MASK, 0) if len(digits) == 3 else (bits.CAN_EFF_MASK, bits.CAN_EFF_FLAG)
    if value > limit:
        _refuse(text, f"{quoted(digits)} is above {limit:X}, the last identifier with so many digits")
    return value | bit


def _refuse(text: str, reason: str) -> NoReturn:
    raise UsageError(f"bad --rewrite {quoted(text)}: {reason}", hint=_FORMS)


class Rewriter:
    """The rules of one direction.

    Attributes:
        rewritten: frames that got another identifier.
    """

    def __init__(self, rules: Sequence[Rewrite]) -> None:
        self.rewritten = 0
        self._rules = tuple(rules)
        self._table: dict[int, int] = {}  # words seen so far: what each becomes

    def apply(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames as they go on: ``batch`` itself where none changes, else a new one."""
        if not self._rules:
            return batch
        table = self._table
        for word in set(batch.can_id) - table.keys():
            if len(table) >= _TABLE_SIZE:
                table.clear()
                return self.apply(batch)
            table[word] = self._new_word(word)
        words = array("I", [table[word] for word in batch.can_id])
        if batch.xl is not None:  # a priority is no identifier, and has no 29 bits
            kept = zip(batch.can_id, words, batch.flags, strict=True)
            words = array("I", [old if flags & bits.XL else new for old, new, flags in kept])
        changed = sum(map(int.__ne__, words, batch.can_id))
        if not changed:
            return batch
        self.rewritten += changed
        batch = batch.part(0, len(batch))
        batch.can_id = words
        return batch

    def _new_word(self, word: int) -> int:
        if not word & bits.CAN_ERR_FLAG:
            bare = word & ~bits.CAN_RTR_FLAG
            for rule in self._rules:
                if rule.matches(bare):
                    return rule.new_word(bare) | (word & bits.CAN_RTR_FLAG)
        return word


class LoopGuard:
    """Notices frames that go round between bridges for ever.

    Where two bridges join the same buses, each frame that one of them forwards to a bus comes back to it
    from there, by way of the other. A frame that comes back so soon, so often, is refused. Frames that two
    programs send alternately look the same only while they do so without a pause.
    """

    def __init__(self, buses: int, max_hops: int = MAX_HOPS) -> None:
        self._max_hops = max_hops
        # for each bus, the frames sent there: (when, how often they came back before that)
        self._sent: list[OrderedDict[tuple[int, int, bytes], tuple[int, int]]] = [
            OrderedDict() for _ in range(buses)
        ]

    def check(
        self, source: int, received: MessageBatch, sent: Sequence[tuple[int, MessageBatch]], now_ns: int
    ) -> None:
        """Take note of frames from the bus ``source``, and what each other bus gets of them, row by row.

        Raises:
            CanOperationError: one of them came back too often.
        """
        if not self._max_hops:
            return
        before = self._sent[source]
        hops = array("H", bytes(2 * len(received)))
        for row, key in enumerate(_keys(received)):
            known = before.get(key)
            if known is not None and now_ns - known[0] <= RETURN_NS:
                hops[row] = known[1] + 1
                if hops[row] > self._max_hops:
                    raise _loop(received, row)
        for target, batch in sent:
            remembered = self._sent[target]
            for key, count in zip(_keys(batch), hops, strict=True):
                remembered[key] = (now_ns, count)
                remembered.move_to_end(key)
            while len(remembered) > _REMEMBERED:
                remembered.popitem(last=False)


def _keys(batch: MessageBatch) -> list[tuple[int, int, bytes]]:
    """Return what makes each frame the same as another."""
    payload, offset = bytes(batch.payload), batch.offset
    return [
        (can_id, code, payload[offset[row] : offset[row + 1]])
        for row, (can_id, code) in enumerate(zip(batch.can_id, batch.dlc_code, strict=True))
    ]


def _loop(batch: MessageBatch, row: int) -> CanOperationError:
    word = batch.can_id[row]
    digits = 8 if word & bits.CAN_EFF_FLAG else 3
    name = f"{word & bits.CAN_EFF_MASK:0{digits}X}"
    return CanOperationError(
        f"frames go round for ever: {name} came back again and again from where it had been sent",
        hint="does another bridge join the same buses? --max-hops 0 takes no notice",
    )
