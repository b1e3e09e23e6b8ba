"""The expression language of ``--where``, spelled with words that need no quoting in a shell.

::

    id in 100..1FF and data[0] eq 3 and not remote
    id eq 123  id eq 00000123        3 digits for an 11-bit identifier, 8 for a 29-bit one
    id & 7F0 eq 120                  identifiers and masks are hexadecimal, other numbers decimal or 0x
    data[2:4] little gt 1000         two bytes as one integer, big-endian unless "little"
    data eq 01F50000                 the whole data; "data contains F500" searches it
    channel eq can0 and changed      the data differs from that of the last frame of the identifier
    gap gt 200ms                     the time since the last frame of the identifier; period is its mean
    Engine.Speed gt 3000             a signal of a database, by its physical value
    Engine.Gear in First, Second     or by the name of its value; message eq Engine, known
    (error or rx) and time lt 10s and every 100

    expression  = conjunction {"or" conjunction}
    conjunction = negation {"and" negation}
    negation    = {"not"} ("(" expression ")" | test)
    test        = word | "every" N | field ["&" mask] comparison value | field ["&" mask] ["not"] "in" set
                | "data" (comparison bytes | ["not"] "in" set | ["not"] "contains" bytes)
                | MESSAGE "." SIGNAL (comparison value | ["not"] "in" set)
    set         = value [".." value] {"," value [".." value]}, in parentheses or not

A comparison with bytes, or a signal, that a frame does not have is false, ``eq`` and ``ne`` alike.
"""

from __future__ import annotations

from array import array

from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.filtering.predicates import Changed, Every, Gaps, Predicate, Times
from cantools_cli.filtering.where_memory import Memory
from cantools_cli.filtering.where_parser import Parser
from cantools_cli.filtering.where_signals import Signals
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import where as kernel


class Where:
    """A ``--where`` expression with its memory of one stream."""

    def __init__(self, text: str, *, tz: str | None = None, signals: Signals | None = None) -> None:
        """Parse ``text``; dates without a zone are in ``tz``, by default local time.

        ``signals`` knows the messages and signals that the expression may name.

        Raises:
            UsageError: the expression is invalid; the message quotes it with the position, from 1.
        """
        parser = Parser(text, tz or "local", signals)
        self.text = text
        self.predicate = parser.whole()
        self.names_signals = parser.names_signals  #: whether it names messages or signals
        self.warnings = parser.warnings  #: likely mistakes in the expression, one line each
        self._memory = Memory(needs_changes=self.predicate.has(Changed), needs_gaps=self.predicate.has(Gaps))

    def select(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames that pass; ``batch`` itself if all do.

        Call it once for each batch of a stream, in order.
        """
        rows = self.rows(batch)
        return batch if len(rows) == len(batch) else batch.select(rows)

    def rows(self, batch: MessageBatch) -> array[int]:
        """Return the rows of ``batch`` that pass, in order; like ``select``."""
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
        """Whether the result depends on timestamps or on earlier frames."""
        return self.predicate.has(Changed, Every, Gaps, Times)

    def frame_filter(self) -> FrameFilter | None:
        """Return a filter on identifiers and kinds that passes at least the frames of the expression.

        It may be applied first, in a kernel or an adapter: the expression neither counts nor compares the
        frames it drops. None passes everything, as needed for times since the first frame of any identifier.
        """
        if _is_since_first(self.predicate):
            return None
        return self.predicate.frame_filter()


def _is_since_first(predicate: Predicate) -> bool:
    if isinstance(predicate, Times):
        return predicate.since_first
    return any(_is_since_first(part) for part in predicate.parts())
