"""Splitting a log by channel, identifier or time."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.streams.routes import channel_names
from cantools_cli.units import duration_ns

_SECOND = 1_000_000_000


def parse(text: str, tz: str = "local") -> Splitter:
    """Return the splitter for ``channel``, ``id`` or ``time=SIZE``; parts are named in the zone ``tz``."""
    kind, mark, size = text.partition("=")
    if text == "channel":
        return ByChannel()
    if text == "id":
        return ById()
    if kind == "time" and mark:
        nanoseconds = duration_ns(size)
        if nanoseconds:
            return ByTime(nanoseconds, tz)
    raise UsageError(
        f"unknown --split-by {quoted(text)}", hint="use channel, id, or time=SIZE as in time=10m"
    )


class ByChannel:
    """One part per channel; channel number N is named ``canN``, frames without a channel go to ``can0``."""

    def parts(self, batch: MessageBatch) -> Iterator[tuple[str, MessageBatch]]:
        """Yield ``(name, frames)`` for each part; frames keep their order."""
        names = [channel_names(channel)[0] for channel in batch.channels]
        return _dealt(batch, [names[index] for index in batch.channel])


class ById:
    """One part per identifier, named by its 3 or 8 digits; all error frames go to ``error``."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def parts(self, batch: MessageBatch) -> Iterator[tuple[str, MessageBatch]]:
        names = self._names
        for can_id in set(batch.can_id).difference(names):
            names[can_id] = _identifier(can_id)
        return _dealt(batch, [names[can_id] for can_id in batch.can_id])


class ByTime:
    """One part per ``size_ns``, counted from the first frame and named after its start time."""

    def __init__(self, size_ns: int, tz: str = "local") -> None:
        self._size_ns = size_ns
        self._tz = tz
        self._first_ns: int | None = None
        self._names: dict[int, str] = {}
        self._taken: set[str] = set()

    def parts(self, batch: MessageBatch) -> Iterator[tuple[str, MessageBatch]]:
        if not len(batch):
            return iter(())
        first = self._first_ns = batch.timestamp_ns[0] if self._first_ns is None else self._first_ns
        size, name = self._size_ns, self._name
        return _dealt(batch, [name((stamp - first) // size) for stamp in batch.timestamp_ns])

    def _name(self, number: int) -> str:
        if number in self._names:
            return self._names[number]
        from cantools_cli.clock import ns_to_wall

        begin = (self._first_ns or 0) + number * self._size_ns
        name = ns_to_wall(begin, self._tz).strftime("%Y-%m-%dT%H%M%S")
        if self._size_ns % _SECOND:
            name += f".{begin % _SECOND:09d}"
        plain, count = name, 1
        while name in self._taken:  # the end of daylight saving time repeats an hour
            count += 1
            name = f"{plain}_{count}"
        self._taken.add(name)
        self._names[number] = name
        return name


#: splits the batches of one log, in order
Splitter = ByChannel | ById | ByTime


def _identifier(can_id: int) -> str:
    if can_id & bits.CAN_ERR_FLAG:
        return "error"
    if can_id & bits.CAN_EFF_FLAG:
        return f"{can_id & bits.CAN_EFF_MASK:08X}"
    return f"{can_id & bits.CAN_SFF_MASK:03X}"


def _dealt(batch: MessageBatch, names: Sequence[str]) -> Iterator[tuple[str, MessageBatch]]:
    if len(set(names)) == 1:
        yield names[0], batch
        return
    rows: dict[str, array[int]] = {}
    for row, name in enumerate(names):
        part = rows.get(name)
        if part is None:
            part = rows[name] = array("I")
        part.append(row)
    for name, chosen in rows.items():
        yield name, batch.select(chosen)
