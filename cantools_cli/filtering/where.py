"""The language of ``--where``: which frames pass, in words that no shell eats.

::

    id in 100..1FF and data[0] eq 3 and not remote
    id eq 123  id eq 00000123        the digits are the kind: 3 for 11 bits, 8 for 29 bits
    id & 7F0 eq 120                  masks are hexadecimal as identifiers are, other numbers decimal or 0x
    data[2:4] little gt 1000         two bytes as one integer, the highest first unless little
    data eq 01F50000                 the whole data; data contains F500, anywhere in it
    channel eq can0 and changed      the data is not that of the last frame of its identifier
    gap gt 200ms                     the identifier paused that long; period lt 12ms: its mean period
    (error or rx) and time lt 10s and every 100

    expression  = conjunction {"or" conjunction}
    conjunction = negation {"and" negation}
    negation    = {"not"} ("(" expression ")" | test)
    test        = word | "every" N | field ["&" mask] comparison value | field ["&" mask] ["not"] "in" set
                | "data" (comparison bytes | ["not"] "in" set | ["not"] "contains" bytes)
    set         = value [".." value] {"," value [".." value]}, in parentheses or not

A comparison with bytes that a frame does not have is false, be it ``eq`` or ``ne``.
"""

from __future__ import annotations

from array import array

from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.filtering.predicates import Changed, Every, Gaps, Predicate, Times
from cantools_cli.filtering.where_memory import Memory
from cantools_cli.filtering.where_parser import Parser
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import where as kernel


class Where:
    """A ``--where`` expression, and what it remembers of one stream.

    Attributes:
        text: the expression.
        predicate: what it means.
        warnings: what is probably not meant so, a line each.
    """

    def __init__(self, text: str, *, tz: str | None = None) -> None:
        """Take an expression; dates in it that name no zone are in ``tz``, by default local time.

        Raises:
            UsageError: it is none; the message quotes it and says the position, from 1.
        """
        parser = Parser(text, tz or "local")
        self.text = text
        self.predicate = parser.whole()
        self.warnings = parser.warnings
        self._memory = Memory(needs_changes=self.predicate.has(Changed), needs_gaps=self.predicate.has(Gaps))

    def select(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames that pass: ``batch`` itself where all do, else a new one.

        The batches of a stream are given in order, each once.
        """
        rows = self.rows(batch)
        return batch if len(rows) == len(batch) else batch.select(rows)

    def rows(self, batch: MessageBatch) -> array[int]:
        """Return the rows of ``batch`` that pass, in order; otherwise as ``select``."""
        size = len(batch)
        rows = array("I", bytes(4 * size))
        if size:
            mask = bytearray(b"\1") * size
            self._memory.begin(batch)
            self.predicate.narrow(batch, self._memory, mask)
            del rows[kernel.chosen(mask, rows) :]
        return rows

    @property
    def tests_order(self) -> bool:
        """Whether the times of frames, or earlier frames, decide."""
        return self.predicate.has(Changed, Every, Gaps, Times)

    def frame_filter(self) -> FrameFilter | None:
        """Return a filter on identifiers and kinds that passes at least what the expression passes.

        It may run before, in a kernel or an adapter: what it drops would not have been counted or compared
        either. None where only everything would do, as with times since the first frame, whichever it is.
        """
        if _is_since_first(self.predicate):
            return None
        return self.predicate.frame_filter()


def _is_since_first(predicate: Predicate) -> bool:
    if isinstance(predicate, Times):
        return predicate.since_first
    return any(_is_since_first(part) for part in predicate.parts())
