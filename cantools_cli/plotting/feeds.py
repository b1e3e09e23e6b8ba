"""Batches of frames to series: one curve per channel for everything wanted."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cantools_cli.decoding.columns import Decoder, MessageTable, SignalColumn
from cantools_cli.decoding.model import Database, MessageSpec, SignalSpec
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.kernels import points as kernel
from cantools_cli.kernels import signals as signals_kernel
from cantools_cli.plotting.curve import Curve
from cantools_cli.plotting.names import Figure, Wanted
from cantools_cli.plotting.series import Series

_SECOND = 1_000_000_000


@dataclass(frozen=True)
class Settings:
    """How series are made.

    Attributes:
        limit: points kept per series.
        interval_ns: the time over which rates and loads are taken.
        bit, data_bit: the seconds of a bit; 0 if the load is not wanted.
        gap_ns: see ``Series.of_curve``.
    """

    limit: int
    interval_ns: int = _SECOND
    bit: float = 0.0
    data_bit: float = 0.0
    gap_ns: int | None = None


class Feeds:
    """Makes the series that ``wanted`` returns for a channel from batches of frames.

    Attributes:
        first_ns: the time of the earliest frame, None before the first.
        short: the frames that end before one of their signals does.
    """

    def __init__(self, wanted: Callable[[Channel], Wanted], settings: Settings) -> None:
        self.first_ns: int | None = None
        self._wanted = wanted
        self._settings = settings
        self._channels: dict[str, _ChannelFeed] = {}

    def add(self, batch: MessageBatch) -> None:
        """Add the frames of a batch."""
        if not len(batch):
            return
        earliest = min(batch.timestamp_ns[0], batch.timestamp_ns[-1])
        self.first_ns = earliest if self.first_ns is None else min(self.first_ns, earliest)
        for channel, part in _by_channel(batch):
            name = "" if channel is None else str(channel)
            feed = self._channels.get(name)
            if feed is None:
                feed = self._channels[name] = _ChannelFeed(self._wanted(channel), self._settings)
            feed.add(part)

    @property
    def short(self) -> int:
        return sum(decoder.short for feed in self._channels.values() for decoder in feed.decoders)

    def series(self) -> list[Series]:
        """Return the series that have points; their labels have the channel if there are several."""
        found = []
        is_one = len(self._channels) == 1
        for name, feed in self._channels.items():
            for one in feed.series():
                if not is_one and name:
                    one.label = f"{name} {one.label}"
                    one.group = f"{name} {one.group}"
                found.append(one)
        return found


class _ChannelFeed:
    def __init__(self, wanted: Wanted, settings: Settings) -> None:
        self._wanted = wanted
        self._settings = settings
        #: by message, signal, and source address in J1939
        self._curves: dict[tuple[str, str, int | None], Curve] = {}
        self.decoders = [Decoder(Database("", tuple(messages))) for messages in _distinct(wanted)]
        self._figures = [_FigureFeed(figure, settings) for figure in wanted.figures]
        self._names = wanted.names | {
            (message.name, signal.name) for message in wanted.octets for signal in message.signals
        }

    def add(self, batch: MessageBatch) -> None:
        for decoder in self.decoders:
            for table in decoder.tables(batch):
                for source, chosen in _by_source(table, batch):
                    self._add_table(table, source, chosen)
        for figure in self._figures:
            figure.add(batch)

    def _add_table(self, table: MessageTable, source: int | None, chosen: bytes | None) -> None:
        for column in table.columns:
            name = (table.message.name, column.signal.name)
            if name in self._names:
                key = (*name, source)
                curve = self._curves.get(key)
                if curve is None:
                    curve = self._curves[key] = Curve(self._settings.limit)
                valid = column.valid if chosen is None else _both(column.valid, chosen)
                curve.add(table.timestamp_ns, _numbers(column), valid)

    def series(self) -> Iterator[Series]:
        for is_octets, messages in ((False, self._wanted.signals), (True, self._wanted.octets)):
            for message in messages:
                for spec in message.by_name.values():
                    label = spec.name if is_octets else f"{message.name}.{spec.name}"
                    found = self._curves_of(message.name, spec.name)
                    for source, curve in found.items():
                        text = label if len(found) == 1 else f"{label} source {source:02X}"
                        yield _signal_series(curve, text, message.name, spec, self._settings.gap_ns)
        for figure in self._figures:
            if figure.curve.added or figure.has_frames:
                yield figure.series()

    def _curves_of(self, message: str, signal: str) -> dict[int | None, Curve]:
        """Return the curves of a signal with points, by their source address."""
        return {
            source: curve
            for (*name, source), curve in self._curves.items()
            if name == [message, signal] and curve.added
        }


def _by_source(table: MessageTable, batch: MessageBatch) -> Iterator[tuple[int | None, bytes | None]]:
    """Yield the source addresses of a J1939 message and which frames are theirs; None and None for others."""
    if not table.message.is_j1939:
        yield None, None
        return
    sources = bytes([batch.can_id[row] & 0xFF for row in table.rows])
    for source in sorted(set(sources)):
        is_this = bytearray(256)
        is_this[source] = 1
        yield source, sources.translate(is_this)


def _both(valid: bytearray, chosen: bytes) -> bytearray:
    both = int.from_bytes(valid, "little") & int.from_bytes(chosen, "little")
    return bytearray(both.to_bytes(len(valid), "little"))


def _distinct(wanted: Wanted) -> Iterator[list[MessageSpec]]:
    if wanted.signals:
        yield wanted.signals
    if wanted.octets:
        yield wanted.octets


def _signal_series(curve: Curve, label: str, group: str, spec: SignalSpec, gap_ns: int | None) -> Series:
    names = {float(spec.value(raw)): name for raw, name in spec.choices.items()}
    is_step = bool(names) or spec.size == 1
    return Series.of_curve(curve, label, spec.unit, names=names, is_step=is_step, gap_ns=gap_ns, group=group)


def _numbers(column: SignalColumn) -> array[float]:
    """Return the physical values as floats."""
    spec, raw = column.signal, column.raw
    if isinstance(raw, list) or spec.is_float:
        values = column.physical
        return values if isinstance(values, array) else array("d", map(float, values))
    out = array("d", bytes(8 * len(raw)))
    signals_kernel.scale(raw, len(raw), spec.is_signed, float(spec.factor), float(spec.shift), out)
    return out


def _by_channel(batch: MessageBatch) -> Iterator[tuple[Channel, MessageBatch]]:
    if not batch.channels:
        yield None, batch
        return
    count = len(batch)
    rows = array("I", bytes(4 * count))
    for index, channel in enumerate(batch.channels):
        found = kernel.rows_of(batch.channel, index, rows)
        if found == count:
            yield channel, batch
            return
        if found:
            yield channel, batch.select(rows[:found])


@dataclass
class _FigureFeed:
    """Makes the curve of one figure."""

    figure: Figure
    settings: Settings
    has_frames: bool = False
    _state: array[int] = field(default_factory=lambda: array("q", [0]))
    _total: array[float] = field(default_factory=lambda: array("d", [0.0]))
    _last_ns: int = 0
    _begin_ns: int = 0

    def __post_init__(self) -> None:
        self.curve = Curve(self.settings.limit)

    def add(self, batch: MessageBatch) -> None:
        count, key = len(batch), self.figure.key
        times = batch.timestamp_ns
        if key is not None:
            rows = array("I", bytes(4 * count))
            count = kernel.frames_of(batch.can_id, key, rows)
            times = array("q", bytes(8 * count))
            signals_kernel.times(rows, 0, count, batch.timestamp_ns, times)
        if not count:
            return
        if self.figure.kind == "period":
            self._add_periods(times)
        else:
            self._add_weights(times, self._weights(batch, count))
        self.has_frames, self._last_ns = True, times[count - 1]

    def _weights(self, batch: MessageBatch, count: int) -> array[float]:
        if self.figure.kind == "rate":
            return array("d", [1.0]) * count
        seconds = array("d", bytes(8 * count))
        settings = self.settings
        kernel.durations(batch.can_id, batch.flags, batch.offset, settings.bit, settings.data_bit, seconds)
        return seconds

    def _add_periods(self, times: array[int]) -> None:
        before = array("q", [self._last_ns]) if self.has_frames else array("q")
        all_times = before + times
        later = all_times[1:]
        distances = array("d", [(b - a) / 1e6 for a, b in zip(all_times, later, strict=False)])
        self.curve.add(later, distances)

    def _add_weights(self, times: array[int], weights: array[float]) -> None:
        if not self.has_frames:
            self._state[0] = self._begin_ns = times[0]
        count = len(weights)
        out_times, out_values = array("q", bytes(24 * count)), array("d", bytes(24 * count))
        found = kernel.tally(
            times, weights, count, self.settings.interval_ns, self._state, self._total, out_times, out_values
        )
        self._add_sums(out_times[:found], out_values[:found], self.settings.interval_ns)

    def _add_sums(self, times: array[int], sums: array[float], interval_ns: int) -> None:
        scale = _SECOND / interval_ns * (100.0 if self.figure.kind == "load" else 1.0)
        self.curve.add(times, array("d", [value * scale for value in sums]))

    def _close(self) -> None:
        """Add the point of the last interval if at least half of it has passed, or there is no other."""
        if self.figure.kind == "period" or not self.has_frames:
            return
        interval, passed = self.settings.interval_ns, self._last_ns - self._state[0]
        if 2 * passed >= interval or not self.curve.added:
            if self.figure.kind == "rate" and passed and self._total[0] > 1:
                self._total[0] -= 1  # it ends with a frame, so there is one less than frames begin
            passed = min(passed, interval) or interval
            self._add_sums(array("q", [self._state[0] + passed // 2]), self._total, passed)
        self.has_frames = False

    def series(self) -> Series:
        self._close()
        unit = {"rate": "frames/s", "load": "% busy", "period": "ms"}[self.figure.kind]
        return Series.of_curve(self.curve, self.figure.label, unit, gap_ns=0, group=self.figure.kind)
