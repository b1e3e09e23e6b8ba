"""Figures for the header of a live view: frame rate with history, and the load of each channel."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from cantools_cli.frame.message import Channel
from cantools_cli.kernels import sniff as kernel
from cantools_cli.sniff.table import Table

_SECOND_NS = 1_000_000_000
#: length of the history in seconds
SECONDS = 60


@dataclass(frozen=True)
class Speed:
    """The bit rates of a channel, in bit/s; None if unknown."""

    bitrate: int | None = None
    data_bitrate: int | None = None


class ChannelFigures(NamedTuple):
    """Totals of a channel, in one interval or since the start.

    ``load`` is the busy share of the time, 0 to 1; None if the bit rate is unknown. It is an estimate that
    assumes one stuff bit per 16 bits.
    """

    channel: Channel
    frames: int
    errors: int
    load: float | None


class Rates:
    """Derives rates from the totals of a table, once per second of the times passed to ``tick``."""

    def __init__(self, table: Table, speeds: dict[Channel, Speed] | None = None) -> None:
        self.frames_per_second = 0.0  #: rate in the last full second
        #: rates of the last ``SECONDS`` seconds, oldest first
        self.history: deque[float] = deque(maxlen=SECONDS)
        self.channels: list[ChannelFigures] = []  #: figures of the last full second
        self._table = table
        self._speeds = speeds or {}
        self._since_ns: int | None = None
        self._before = array("q")

    def tick(self, now_ns: int) -> bool:
        """Close the interval at ``now_ns`` if it lasted a second; return whether it did."""
        if self._since_ns is None or now_ns < self._since_ns:
            self._begin(now_ns)
            return False
        took = now_ns - self._since_ns
        if took < _SECOND_NS:
            return False
        self.channels = self._figures(took, self._before)
        self.frames_per_second = sum(figures.frames for figures in self.channels) * _SECOND_NS / took
        self.history.extend([self.frames_per_second] * min(SECONDS, took // _SECOND_NS))
        self._begin(now_ns)
        return True

    def restart(self) -> None:
        """Start a new interval after the table was cleared; the history stays."""
        self._since_ns = None

    def whole(self, duration_ns: int | None = None) -> list[ChannelFigures]:
        """Return the figures since the start; the duration is by default that from first to last frame."""
        first, last = self._table.first_ns, self._table.last_ns
        if duration_ns is None:
            duration_ns = last - first if first is not None and last is not None else 0
        return self._figures(duration_ns, array("q"))

    def _begin(self, now_ns: int) -> None:
        self._since_ns = now_ns
        self._before = self._table.totals[:]

    def _figures(self, took_ns: int, before: array[int]) -> list[ChannelFigures]:
        totals = self._table.totals
        figures = []
        for number, channel in enumerate(self._table.channels):
            at = number * kernel.TOTALS
            now = totals[at : at + kernel.TOTALS]
            then = before[at : at + kernel.TOTALS] or [0] * kernel.TOTALS
            frames, errors, nominal, fast, _, *_ = (b - a for a, b in zip(then, now, strict=True))
            load = self._load(channel, nominal, fast, took_ns)
            figures.append(ChannelFigures(channel, frames, errors, load))
        return figures

    def _load(self, channel: Channel, nominal: int, fast: int, took_ns: int) -> float | None:
        speed = self._speeds.get(channel, Speed())
        if speed.bitrate is None or took_ns <= 0:
            return None
        seconds = nominal / speed.bitrate + fast / (speed.data_bitrate or speed.bitrate)
        return seconds * _SECOND_NS / took_ns
