"""The arithmetic of one phase, and the base class of the two bit timings.

Sources: as in ``classic``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple, overload

if TYPE_CHECKING:
    from typing_extensions import Self

#: largest change of the sample point by another clock, in percentage points
SAMPLE_POINT_TOLERANCE = 1.0

_TOLERANCE = 256  # the bit rate may be off by 1/256
_NS_PER_METER = 5  # of a signal on the cable


class Phase(NamedTuple):
    """The timing of one phase in quanta; CAN FD has two phases."""

    brp: int
    tseg1: int
    tseg2: int
    sjw: int

    @property
    def nbt(self) -> int:
        return 1 + self.tseg1 + self.tseg2

    @property
    def sample_point(self) -> float:
        return 100 * (1 + self.tseg1) / self.nbt  # of integers: a float could overflow

    def bitrate(self, f_clock: int) -> int:
        return round(f_clock / (self.nbt * self.brp))

    def tq(self, f_clock: int) -> int:
        return round(self.brp / f_clock * 1e9)

    def rescaled_sjw(self, other: Phase, limit: int) -> int:
        """Return the jump width that is the same part of a bit in the phase ``other``."""
        return max(1, min(round(self.sjw / self.nbt * other.nbt), other.tseg2, limit))

    def shorter_segment(self, tq: int, node_loop_delay_ns: float, bus_length_m: float) -> int:
        """Return the length of the shorter phase segment; the first one is without the propagation time."""
        propagation = ceil(2 * (node_loop_delay_ns + _NS_PER_METER * bus_length_m) / tq)
        return min(self.tseg1 - propagation, self.tseg2)

    def tolerances(self, shorter: int) -> tuple[float, float]:
        """Return the oscillator tolerances of conditions 1 and 2 of ISO 11898-1."""
        return self.sjw / (2 * 10 * self.nbt), shorter / (2 * (13 * self.nbt - self.tseg2))

    @classmethod
    def near(
        cls,
        f_clock: int,
        bitrate: int,
        sample_point: float,
        max_brp: int,
        min_nbt: int,
        min_tseg2: int,
        max_sjw: int,
    ) -> Iterator[Self]:
        """Yield the phase nearest to ``sample_point`` for each prescaler that gives the bit rate."""
        for brp in range(1, max_brp + 1):
            nbt = int(f_clock / (bitrate * brp))
            if nbt < min_nbt:
                return
            if abs(f_clock / (nbt * brp) - bitrate) > bitrate / _TOLERANCE:
                continue
            tseg1 = min(round(sample_point / 100 * nbt) - 1, nbt - 1 - min_tseg2)
            tseg2 = nbt - 1 - tseg1
            yield cls(brp, tseg1, tseg2, min(tseg2, max_sjw))


class Value:
    """A given value of a timing, read-only; ValueError if it was not given and cannot be calculated."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, timing: None, owner: type) -> Self: ...
    @overload
    def __get__(self, timing: Timing, owner: type) -> int: ...
    def __get__(self, timing: Timing | None, owner: type) -> Any:
        if timing is None:
            return self
        try:
            return timing._values[self._name]
        except KeyError:
            raise ValueError(
                f"{self._name} is unknown: it was neither given nor can it be calculated"
            ) from None


class Timing(Mapping[str, int]):
    """The base class of the two bit timings: read-only, equal by content, hashable."""

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

    f_clock = Value("The clock of the controller, in Hz.")

    def _clock_text(self) -> str:
        return f"CLK: {round(self.f_clock / 1e6)}MHz"

    @staticmethod
    def _raise_first(faults: Iterable[str]) -> None:
        """Raise the first of ``faults`` as a ValueError, if there is any."""
        for fault in faults:
            raise ValueError(fault)

    @staticmethod
    def _outside(name: str, value: int, low: int, high: int, end: str = ".") -> Iterator[str]:
        if not low <= value <= high:
            yield f"{name} (={value}) must be in [{low}...{high}]{end}"

    @staticmethod
    def _diverging(which: str, effective: int, requested: int) -> Iterator[str]:
        if abs(effective - requested) > requested / _TOLERANCE:
            yield (
                f"the effective {which}bitrate (={effective}) diverges "
                f"from the requested {which}bitrate (={requested})"
            )

    @staticmethod
    def _prescaler(f_clock: int, bitrate: int, nbt: int, failure: str) -> int:
        try:
            return round(f_clock / (bitrate * nbt))
        except ZeroDivisionError:
            raise ValueError(failure) from None

    @staticmethod
    def _tolerance(conditions: Iterable[float]) -> float:
        """Return the strictest of ``conditions`` in percent."""
        return max(0.0, min(conditions) * 100)
