"""``Series``: the points of one curve as they are drawn, and the panels that share an axis."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan

from cantools_cli.plotting.curve import Curve

#: a distance of this many typical ones is a gap
_GAP = 10
#: an axis ends here at the latest: the distance between its ends has to be finite
END = 1e307
#: more distinct values than this are no states
MOST_STATES = 32


@dataclass
class Series:
    """A named curve.

    Attributes:
        times: int64, nanoseconds, ascending.
        values: a value that is not a number breaks the curve.
        names: names of values.
        is_step: whether a value holds until the next one.
        gap_ns: two points that are farther apart are not connected; 0 connects all.
        added: the points of the log, of which ``times`` has those that show.
        endless: values that were infinite or not a number.
    """

    label: str
    unit: str
    times: array[int]
    values: array[float]
    names: Mapping[float, str] = field(default_factory=dict)
    is_step: bool = False
    gap_ns: int = 0
    added: int = 0
    endless: int = 0
    group: str = ""

    @classmethod
    def of_curve(
        cls,
        curve: Curve,
        label: str,
        unit: str = "",
        *,
        names: Mapping[float, str] | None = None,
        is_step: bool = False,
        gap_ns: int | None = None,
        group: str = "",
    ) -> Series:
        """Return the series of a curve; ``gap_ns`` None takes ten times its typical distance."""
        times, values = curve.points()
        if gap_ns is None:
            gap_ns = _GAP * curve.typical_ns
        if gap_ns:
            gap_ns = max(gap_ns, curve.width_ns)  # points nearer than that need not be neighbours
        return cls(
            label, unit, times, values, names or {}, is_step, gap_ns, curve.added, curve.endless, group
        )

    @cached_property
    def states(self) -> dict[float, str]:
        """The names of the values that occur, in ascending order; empty if the series is not one of states.

        It is if at least half of its values have names.
        """
        if not self.names:
            return {}
        found = {value for value in set(self.values) if not isnan(value)}
        named = {value for value in found if value in self.names}
        if not named or len(found) > MOST_STATES or 2 * len(named) < len(found):
            return {}
        return {value: self.names.get(value, number_text(value)) for value in sorted(found)}

    @cached_property
    def breaks(self) -> list[int]:
        """The indices of points that are not connected with the point before."""
        times, values, gap = self.times, self.values, self.gap_ns
        found = []
        for at in range(1, len(times)):
            if (gap and times[at] - times[at - 1] > gap) or isnan(values[at]) or isnan(values[at - 1]):
                found.append(at)
        return found

    def segments(self) -> Iterable[tuple[int, int]]:
        """Yield (begin, end) of the connected parts, without points that are not numbers."""
        begin = 0
        for end in (*self.breaks, len(self.times)):
            start = begin
            for at in range(begin, end):
                if isnan(self.values[at]):
                    if start < at:
                        yield start, at
                    start = at + 1
            if start < end:
                yield start, end
            begin = end

    @property
    def limits(self) -> tuple[float, float] | None:
        """The least and the greatest value, None without any."""
        finite = [value for value in self.values if not isnan(value)]
        return (min(finite), max(finite)) if finite else None


@dataclass
class Panel:
    """The series that share an axis: those of one unit, or one of states."""

    unit: str
    series: list[Series]

    @property
    def states(self) -> dict[float, str]:
        return self.series[0].states

    @property
    def title(self) -> str:
        """The label of the axis."""
        if len(self.series) == 1:
            name = self.series[0].label
            return f"{name} [{self.unit}]" if self.unit else name
        return f"[{self.unit}]" if self.unit else self.series[0].group

    @property
    def limits(self) -> tuple[float, float]:
        """The values of the lower and the upper end of the axis."""
        known = [limits for series in self.series if (limits := series.limits) is not None]
        low = min(max(min((limit[0] for limit in known), default=0.0), -END), END)
        high = min(max(max((limit[1] for limit in known), default=1.0), -END), END)
        if low == high:
            room = abs(low) * 0.1 or 1.0
            return low - room, high + room
        return low, high


def panels(series: Iterable[Series]) -> list[Panel]:
    """Return the panels: states have their own, other series share it with those of their unit.

    Series without a unit share one with those of their message.
    """
    found: dict[tuple[str, str], Panel] = {}
    for one in series:
        key = ("states", one.label) if one.states else ("unit", one.unit) if one.unit else ("of", one.group)
        panel = found.get(key)
        if panel is None:
            found[key] = Panel(one.unit, [one])
        else:
            panel.series.append(one)
    return [*found.values()]


def number_text(value: float, digits: int = 6) -> str:
    """Return a number as people write it."""
    return f"{value:.{digits}g}"
