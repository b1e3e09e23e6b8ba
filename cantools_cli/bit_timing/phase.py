"""What classic and CAN FD bit timing have in common: the arithmetic of one phase, and its texts.

Sources: see ``timing``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import NamedTuple

#: how far the bit rate may be off: 1/256 of it
TOLERANCE = 256
#: how far the sample point may move with a new clock, in percentage points
SAMPLE_POINT_TOLERANCE = 1.0
#: of a signal on the cable
_NS_PER_METER = 5


class Phase(NamedTuple):
    """The timing of one phase; CAN FD has two."""

    brp: int
    tseg1: int
    tseg2: int
    sjw: int

    @property
    def nbt(self) -> int:
        return 1 + self.tseg1 + self.tseg2

    @property
    def sample_point(self) -> float:
        return 100.0 * (1 + self.tseg1) / self.nbt

    def bitrate(self, f_clock: int) -> int:
        return round(f_clock / (self.nbt * self.brp))

    def tq(self, f_clock: int) -> int:
        return round(self.brp / f_clock * 1e9)


class Timing(Mapping[str, int]):
    """What the two classes have in common: read-only, equal by content, hashable."""

    __slots__ = ("_values",)

    _values: dict[str, int]

    def __getitem__(self, key: str) -> int:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._values == other._values

    def __hash__(self) -> int:
        return hash(tuple(self._values.items()))

    def __repr__(self) -> str:
        keywords = ", ".join(f"{key}={value}" for key, value in self._values.items())
        return f"can.{type(self).__name__}({keywords})"

    def _known(self, key: str) -> int:
        try:
            return self._values[key]
        except KeyError:
            raise ValueError(f"{key} is not known: it was not given, nor what it follows from") from None

    @property
    def f_clock(self) -> int:
        """The clock that is divided, in Hz."""
        return self._known("f_clock")


def raise_first(texts: Iterable[str]) -> None:
    for text in texts:
        raise ValueError(text)


def outside(name: str, value: int, low: int, high: int, end: str = ".") -> Iterator[str]:
    if not low <= value <= high:
        yield f"{name} (={value}) must be in [{low}...{high}]{end}"


def diverging(which: str, effective: int, requested: int) -> str:
    return (
        f"the effective {which}bitrate (={effective}) diverges "
        f"from the requested {which}bitrate (={requested})"
    )


def clock_text(f_clock: int) -> str:
    return f"CLK: {round(f_clock / 1e6)}MHz"


def prescaler(f_clock: int, bitrate: int, nbt: int, failure: str) -> int:
    try:
        return round(f_clock / (bitrate * nbt))
    except ZeroDivisionError:
        raise ValueError(failure) from None


def phases_near(
    f_clock: int,
    bitrate: int,
    sample_point: float,
    max_brp: int,
    min_nbt: int,
    min_tseg2: int,
    max_sjw: int,
) -> Iterator[Phase]:
    """Yield for each prescaler the segments nearest to ``sample_point``, where the bit rate fits."""
    for brp in range(1, max_brp + 1):
        nbt = int(f_clock / (bitrate * brp))
        if nbt < min_nbt:
            return
        if abs(f_clock / (nbt * brp) - bitrate) > bitrate / TOLERANCE:
            continue
        tseg1 = min(round(sample_point / 100 * nbt) - 1, nbt - 1 - min_tseg2)
        tseg2 = nbt - 1 - tseg1
        yield Phase(brp, tseg1, tseg2, min(tseg2, max_sjw))


def rescaled_sjw(old: Phase, new: Phase, limit: int) -> int:
    """Return the jump width of ``old`` as the same part of a bit of ``new``."""
    return max(1, min(round(old.sjw / old.nbt * new.nbt), new.tseg2, limit))


def shorter_buffer(phase: Phase, tq: int, node_loop_delay_ns: float, bus_length_m: float) -> int:
    """Return the shorter of the two phase segments; what propagation takes is no part of the first."""
    propagation = ceil(2 * (node_loop_delay_ns + _NS_PER_METER * bus_length_m) / tq)
    return min(phase.tseg1 - propagation, phase.tseg2)


def nominal_conditions(phase: Phase, shorter: int) -> tuple[float, float]:
    return phase.sjw / (2 * 10 * phase.nbt), shorter / (2 * (13 * phase.nbt - phase.tseg2))


def tolerance(conditions: Iterable[float]) -> float:
    return max(0.0, min(conditions) * 100)
