"""The frames a command selects: filters and a ``--where`` expression in one object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cantools_cli.frame.batch import MessageBatch

if TYPE_CHECKING:
    from cantools_cli.filtering.filters import FrameFilter
    from cantools_cli.filtering.where import Where
    from cantools_cli.filtering.where_signals import Signals


class Selection:
    """Passes frames that pass every filter and then the expression.

    An expression may depend on earlier frames (``changed``, ``every``, ``time``): use one selection per
    stream, with its batches in order.
    """

    def __init__(
        self,
        *filters: FrameFilter | None,
        where: str | None = None,
        tz: str | None = None,
        signals: Signals | None = None,
    ) -> None:
        #: applied first; the expression sees only frames that pass them
        self.filters = tuple(part for part in filters if part is not None and not part.passes_everything)
        #: likely mistakes in the filters or the expression, one line each
        self.warnings = [line for part in filters if part is not None for line in part.warnings]
        self._where: Where | None = None
        self._tz = tz
        self.signals = signals  #: the messages and signals that an expression may name
        if where is not None:
            from cantools_cli.filtering.where import Where  # imported only if there is an expression

            self._where = Where(where, tz=tz, signals=signals)
            self.warnings += self._where.warnings

    @classmethod
    def parse(
        cls,
        tokens: Iterable[str] | None,
        where: str | None = None,
        *,
        tz: str | None = None,
        signals: Signals | None = None,
    ) -> Selection:
        """Parse the arguments of ``--filter`` and ``--where``; dates without a zone are in ``tz``."""
        if not tokens:
            return cls(where=where, tz=tz, signals=signals)
        from cantools_cli.filtering.filters import FrameFilter  # imported only if there are filters

        return cls(FrameFilter.parse(tokens), where=where, tz=tz, signals=signals)

    def again(self) -> Selection:
        """Return an equal selection for another stream, without memory of earlier frames."""
        where = self._where.text if self._where else None
        return Selection(*self.filters, where=where, tz=self._tz, signals=self.signals)

    @property
    def passes_everything(self) -> bool:
        return not self.filters and self._where is None

    @property
    def names_signals(self) -> bool:
        """Whether the expression names messages or signals."""
        return self._where is not None and self._where.names_signals

    @property
    def tests_order(self) -> bool:
        """Whether the expression depends on the times of frames, or on earlier frames."""
        return self._where is not None and self._where.tests_order

    def select(self, batch: MessageBatch) -> MessageBatch:
        """Return the frames that pass; ``batch`` itself if all do."""
        for part in self.filters:
            batch = part.select(batch)
        return batch if self._where is None else self._where.select(batch)

    def frame_filter(self, *others: FrameFilter | None) -> FrameFilter | None:
        """Return one filter that passes at least the frames that this selection and ``others`` pass.

        A bus may apply it first (``push_filter``) without changing the result. None passes everything.
        """
        parts = [part for part in others if part is not None] + list(self.filters)
        from cantools_cli.filtering.filters import conjunction

        pushed = None if self._where is None else self._where.frame_filter()
        return conjunction([*parts, pushed] if pushed is not None else parts)
