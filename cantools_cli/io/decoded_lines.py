"""Log lines, JSON lines and lines on a screen with the signals of each frame.

::

    (1700000000.000000) can0 123#DC052A :: Engine(Speed: 1500 rpm, Gear: Third)
    {"timestamp":1700000000.000000,...,"data":"dc052a","message":"Engine","signals":{"Speed":1500,...}}

``decoding/text.py`` explains the text.
"""

from __future__ import annotations

from typing import Any

from cantools_cli.decoding.text import SignalText
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.candump.log import CanutilsLogWriter
from cantools_cli.io.candump.screen_writer import CandumpScreenWriter, CandumpWriter, ScreenWriter
from cantools_cli.io.files import AnyFile
from cantools_cli.io.jsonl import JsonWriter
from cantools_cli.io.text_writer import TextWriter


class _WithSignals(TextWriter):
    """A writer of one line per frame, to which it adds the signals."""

    _gap, _end = b" :: ", b"\n"

    def __init__(self, file: AnyFile, *args: Any, signals: SignalText, **kwargs: Any) -> None:
        super().__init__(file, *args, **kwargs)
        self._signals = signals
        self._texts: list[str] = []

    def _prepared(self, batch: MessageBatch) -> MessageBatch:
        batch = super()._prepared(batch)
        self._texts = self._signals.rows(batch)
        return batch

    def _format(self, batch: MessageBatch, row: int) -> tuple[int, int]:
        return row, 0

    def _line(self, batch: MessageBatch, row: int) -> bytes:
        line = super()._line(batch, row)  # type: ignore[safe-super]  # of the writer it is mixed into
        text = self._texts[row].encode("utf-8", "surrogateescape")
        return line.removesuffix(self._end) + self._gap + text + self._end if text and line else line


class SignalLogWriter(_WithSignals, CanutilsLogWriter):
    """Log lines with signals."""


class SignalJsonWriter(_WithSignals, JsonWriter):
    """JSON lines with signals."""

    _gap, _end = b",", b"}\n"


class SignalCandumpWriter(_WithSignals, CandumpWriter):
    """candump's lines with signals."""


class SignalScreenWriter(_WithSignals, ScreenWriter):
    """Aligned lines with signals."""


class SignalCandumpScreenWriter(_WithSignals, CandumpScreenWriter):
    """candump's lines for a screen, with signals."""


#: by the name of the format
WRITERS: dict[str, type[_WithSignals]] = {
    "log": SignalLogWriter,
    "json": SignalJsonWriter,
    "candump": SignalCandumpWriter,
}
