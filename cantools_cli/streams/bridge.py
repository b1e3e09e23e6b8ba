"""Rewriting of identifiers and loop detection for a bridge.

The form of a rewriting rule; numbers are hexadecimal, identifiers have 3 digits (11 bits) or 8 (29 bits)::

    123=456              one identifier; the kind may change: 123=00000456
    100-1FF=300          a range: 100 becomes 300, 101 becomes 301
    100-1FF=+200         the same as an offset; =-80 is possible too
    120:7F0=520          only the bits of the mask: 125 becomes 525
    can0>can1:123=456    only from the bus can0 to the bus can1; * is any bus

The first rule that matches an identifier applies. It rewrites data and remote frames, never error frames.
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

#: a frame received within this time after an equal one was sent may be that frame, returning
RETURN_NS = 50_000_000
#: consecutive returns of a frame before it counts as a forwarding loop
MAX_HOPS = 100
#: frames remembered per bus
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
    """Rewrites identifier words with ``low <= word & mask <= high``.

    ``low`` becomes ``new``, ``low + 1`` becomes ``new + 1``; bits outside the mask are kept.
    """

    mask: int
    low: int
    high: int
    new: int

    def matches(self, word: int) -> bool:
        return self.low <= word & self.mask <= self.high

    def new_word(self, word: int) -> int:
        """Return the rewritten form of ``word``, which must match."""
        return self.new + (word & self.mask) - self.low + (word & bits.CAN_EFF_MASK & ~self.mask)


class DirectedRewrite(NamedTuple):
    """A rule that applies to frames from ``source`` to ``target``; None is any bus."""

    source: str | None
    target: str | None
    rule: Rewrite


def parse_rewrite(text: str, names: Sequence[str]) -> list[DirectedRewrite]:
    """Parse ``[FROM>TO:]RULE[,RULE...]``; ``names`` are the names of the buses."""
    source, target, rules = _direction(text, names)
    return [DirectedRewrite(source, target, _rule(text, rule.strip())) for rule in rules.split(",")]


def _direction(text: str, names: Sequence[str]) -> tuple[str | None, str | None, str]:
    if ">" not in text:
        return None, None, text
    for source in (*names, "*"):  # names may contain colons, so only the known ones tell where a name ends
        for target in (*names, "*"):
            head = f"{source}>{target}:"
            if text.startswith(head):
                return (
                    None if source == "*" else source,
                    None if target == "*" else target,
                    text[len(head) :],
                )
    raise UsageError(
        f"--rewrite {quoted(text)} does not start with a direction between two of the buses",
        hint=f"FROM>TO:RULE, with buses {', '.join(names)}, or * for any",
    )


def _rule(text: str, rule: str) -> Rewrite:
    match = _RULE.fullmatch(rule)
    if match is None:
        _refuse(text, f"{quoted(rule)} is not a rule")
    first = _word(text, match["first"])
    if match["mask"] is not None:
        return _masked(text, match, first)
    last = _word(text, match["last"]) if match["last"] is not None else first
    if (first ^ last) & bits.CAN_EFF_FLAG or last < first:
        _refuse(text, f"{quoted(rule)} is not a range: both ends need 3 digits or 8, the lower one first")
    if match["new"] is not None:
        new = _word(text, match["new"])
    else:
        new = first + int(match["sign"] + match["distance"], 16)
    kind = new & bits.CAN_EFF_FLAG if match["new"] is not None else first & bits.CAN_EFF_FLAG
    limit = kind | (bits.CAN_EFF_MASK if kind else bits.CAN_SFF_MASK)
    if not kind <= new <= new + last - first <= limit:
        _refuse(text, f"{quoted(rule)} leaves the range of {29 if kind else 11}-bit identifiers")
    return Rewrite(_KIND_AND_ID, first, last, new)


def _masked(text: str, match: re.Match[str], word: int) -> Rewrite:
    """Return the rule for ``ID:MASK=ID``."""
    kind = word & bits.CAN_EFF_FLAG
    mask = int(match["mask"], 16) & (bits.CAN_EFF_MASK if kind else bits.CAN_SFF_MASK)
    if match["new"] is None:
        _refuse(text, "a mask needs a new identifier, not an offset")
    new = _word(text, match["new"])
    if (new ^ word) & bits.CAN_EFF_FLAG:
        _refuse(text, "with a mask, both identifiers need 3 digits, or both 8")
    low = kind | (word & mask)
    return Rewrite(mask | bits.CAN_EFF_FLAG, low, low, kind | (new & mask))


def _word(text: str, digits: str) -> int:
    value = int(digits, 16)
    limit, bit = (bits.CAN_SFF_MASK, 0) if len(digits) == 3 else (bits.CAN_EFF_MASK, bits.CAN_EFF_FLAG)
    if value > limit:
        _refuse(text, f"{quoted(digits)} is above {limit:X}, the largest identifier of {len(digits)} digits")
    return value | bit


def _refuse(text: str, reason: str) -> NoReturn:
    raise UsageError(f"bad --rewrite {quoted(text)}: {reason}", hint=_FORMS)


class Rewriter:
    """Applies the rules of one direction."""

    def __init__(self, rules: Sequence[Rewrite]) -> None:
        self.rewritten = 0
        self._rules = tuple(rules)
        self._table: dict[int, int] = {}  # the rewritten form of each word seen so far

    def apply(self, batch: MessageBatch) -> MessageBatch:
        """Return the rewritten frames; ``batch`` itself if no frame changes."""
        if not self._rules:
            return batch
        table = self._table
        for word in set(batch.can_id) - table.keys():
            if len(table) >= _TABLE_SIZE:
                table.clear()
                return self.apply(batch)
            table[word] = self._new_word(word)
        words = array("I", [table[word] for word in batch.can_id])
        if batch.xl is not None:  # the priority of a CAN XL frame is not an identifier
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
    """Detects forwarding loops.

    If two bridges join the same buses, every frame that one of them forwards to a bus returns from there by
    way of the other. A frame that keeps returning within ``RETURN_NS``, ``max_hops`` times in a row, is such
    a loop. Two programs that exchange equal frames look the same only while they never pause.
    """

    def __init__(self, buses: int, max_hops: int = MAX_HOPS) -> None:
        self._max_hops = max_hops
        # for each bus, the frames sent to it: (time, number of earlier returns)
        self._sent: list[OrderedDict[tuple[int, int, bytes], tuple[int, int]]] = [
            OrderedDict() for _ in range(buses)
        ]

    def check(
        self, source: int, received: MessageBatch, sent: Sequence[tuple[int, MessageBatch]], now_ns: int
    ) -> None:
        """Record frames received from the bus ``source`` and, row by row, the frames ``sent`` to other buses.

        Raises:
            CanOperationError: a frame returned more than ``max_hops`` times.
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
    """Return one key per frame; equal frames have equal keys."""
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
        f"forwarding loop: {name} keeps returning from the bus it was sent to",
        hint="another bridge may join the same buses; --max-hops 0 disables this check",
    )
