"""The bit timing of CAN FD, which has two phases; see ``classic``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cantools_cli.bit_timing.phase import SAMPLE_POINT_TOLERANCE, Phase, Timing, Value

if TYPE_CHECKING:
    from typing_extensions import Self

_FD_KEYS = (
    "f_clock",
    *("nom_brp", "nom_tseg1", "nom_tseg2", "nom_sjw"),
    *("data_brp", "data_tseg1", "data_tseg2", "data_sjw"),
)


class BitTimingFd(Timing):
    """The timing of a CAN FD bus: the nominal phase, and the data phase of frames that switch the rate.

    Raises:
        ValueError: the values contradict each other, or with ``strict`` exceed common controllers.
    """

    __slots__ = ()

    def __init__(
        self,
        f_clock: int,
        nom_brp: int,
        nom_tseg1: int,
        nom_tseg2: int,
        nom_sjw: int,
        data_brp: int,
        data_tseg1: int,
        data_tseg2: int,
        data_sjw: int,
        strict: bool = False,
    ) -> None:
        nominal = (nom_brp, nom_tseg1, nom_tseg2, nom_sjw)
        data = (data_brp, data_tseg1, data_tseg2, data_sjw)
        self._values = dict(zip(_FD_KEYS, (f_clock, *nominal, *data), strict=True))
        self._raise_first(self._broken_rules())
        if strict:
            self._raise_first(self._broken_strict_rules())

    def _broken_rules(self) -> Iterator[str]:
        for key, value in self._values.items():
            if value < 0:
                yield f"'{key}' (={value}) must not be negative."
        for name, brp in (("nominal", self.nom_brp), ("data", self.data_brp)):
            if brp < 1:
                yield f"{name} bitrate prescaler (={brp}) must be at least 1."
        if self.data_bitrate < self.nom_bitrate:
            yield (
                f"data_bitrate (={self.data_bitrate}) must be greater than or equal to "
                f"nom_bitrate (={self.nom_bitrate})"
            )
        for name, phase in (("nom", self._nominal), ("data", self._data)):
            if phase.sjw > phase.tseg2:
                yield f"{name}_sjw (={phase.sjw}) must not be greater than {name}_tseg2 (={phase.tseg2})."
        for what, name, phase in (("arbitration", "nom", self._nominal), ("data", "data", self._data)):
            if phase.sample_point < 50.0:
                yield (
                    f"The {what} sample point must be greater than or equal to 50% "
                    f"({name}_sample_point={phase.sample_point:.2f}%)."
                )

    def _broken_strict_rules(self) -> Iterator[str]:
        yield from self._outside("Nominal bit time", self.nbt, 8, 80, end="")
        yield from self._outside("Nominal bit time", self.dbt, 5, 25, end="")  # python-can's text
        yield from self._outside("data_tseg1", self.data_tseg1, 1, 16)
        yield from self._outside("data_tseg2", self.data_tseg2, 2, 8)
        yield from self._outside("data_sjw", self.data_sjw, 1, 8)
        half = 1 if self.nom_brp == self.data_brp else 2
        yield from self._outside("nom_tseg1", self.nom_tseg1, 2, 128 // half)
        yield from self._outside("nom_tseg2", self.nom_tseg2, 2, 32 // half)
        yield from self._outside("nom_sjw", self.nom_sjw, 1, 32 // half)

    @classmethod
    def from_bitrate_and_segments(
        cls,
        f_clock: int,
        nom_bitrate: int,
        nom_tseg1: int,
        nom_tseg2: int,
        nom_sjw: int,
        data_bitrate: int,
        data_tseg1: int,
        data_tseg2: int,
        data_sjw: int,
        strict: bool = False,
    ) -> Self:
        """Return the timing with the prescalers that come closest to the two bit rates.

        Raises:
            ValueError: as the class; or a bit rate is off by more than 1/256.
        """
        nom_brp = cls._prescaler(f_clock, nom_bitrate, 1 + nom_tseg1 + nom_tseg2, "Invalid inputs.")
        data_brp = cls._prescaler(f_clock, data_bitrate, 1 + data_tseg1 + data_tseg2, "Invalid inputs.")
        nominal = (nom_brp, nom_tseg1, nom_tseg2, nom_sjw)
        timing = cls(f_clock, *nominal, data_brp, data_tseg1, data_tseg2, data_sjw, strict)
        cls._raise_first(cls._diverging("nom. ", timing.nom_bitrate, nom_bitrate))
        cls._raise_first(cls._diverging("data ", timing.data_bitrate, data_bitrate))
        return timing

    @classmethod
    def iterate_from_sample_point(
        cls,
        f_clock: int,
        nom_bitrate: int,
        nom_sample_point: float,
        data_bitrate: int,
        data_sample_point: float,
    ) -> Iterator[Self]:
        """Yield all strict timings near the bit rates and the sample points (percent), by prescalers."""
        if nom_sample_point < 50.0:
            raise ValueError(f"nom_sample_point (={nom_sample_point}) must not be below 50%.")
        if data_sample_point < 50.0:
            raise ValueError(f"data_sample_point (={data_sample_point}) must not be below 50%.")
        near_data = [*Phase.near(f_clock, data_bitrate, data_sample_point, 256, 1, min_tseg2=2, max_sjw=16)]
        for nominal in Phase.near(f_clock, nom_bitrate, nom_sample_point, 256, 1, min_tseg2=2, max_sjw=128):
            for data in near_data:
                try:
                    yield cls(f_clock, *nominal, *data, strict=True)
                except ValueError:
                    continue

    @classmethod
    def from_sample_point(
        cls,
        f_clock: int,
        nom_bitrate: int,
        nom_sample_point: float,
        data_bitrate: int,
        data_sample_point: float,
    ) -> Self:
        """Return the strict timing closest to the sample points (percent), if possible with equal prescalers.

        Raises:
            ValueError: no timing fits, or a sample point is below 50 %.
        """
        points = (nom_bitrate, nom_sample_point, data_bitrate, data_sample_point)
        timings = [*cls.iterate_from_sample_point(f_clock, *points)]
        timings = [timing for timing in timings if timing.nom_brp == timing.data_brp] or timings

        def merit(timing: Self) -> tuple[float, int, int]:
            off = abs(timing.nom_sample_point - nom_sample_point)
            off += abs(timing.data_sample_point - data_sample_point)
            return off, abs(timing.nom_brp - timing.data_brp), timing.nom_brp + timing.data_brp

        if not timings:
            raise ValueError("No suitable bit timings found.")
        return min(timings, key=merit)

    def recreate_with_f_clock(self, f_clock: int) -> Self:
        """Return a timing with these bit rates and sample points (within 1 point) for another clock.

        Raises:
            ValueError: no timing fits.
        """
        nominal, data = self._nominal, self._data
        rates = ((self.nom_bitrate, *nominal[1:]), (self.data_bitrate, *data[1:]))
        try:
            return self.from_bitrate_and_segments(f_clock, *rates[0], *rates[1], strict=True)
        except ValueError:
            pass
        points = (self.nom_bitrate, self.nom_sample_point, self.data_bitrate, self.data_sample_point)
        near = self.from_sample_point(f_clock, *points)
        moved = (
            near.nom_sample_point - self.nom_sample_point,
            near.data_sample_point - self.data_sample_point,
        )
        if max(map(abs, moved)) > SAMPLE_POINT_TOLERANCE:
            raise ValueError("f_clock change failed because of sample point discrepancy.")
        nominal = near._nominal._replace(sjw=nominal.rescaled_sjw(near._nominal, 128))
        data = near._data._replace(sjw=data.rescaled_sjw(near._data, 16))
        return type(self)(f_clock, *nominal, *data, strict=True)

    @property
    def _nominal(self) -> Phase:
        return Phase(self.nom_brp, self.nom_tseg1, self.nom_tseg2, self.nom_sjw)

    @property
    def _data(self) -> Phase:
        return Phase(self.data_brp, self.data_tseg1, self.data_tseg2, self.data_sjw)

    nom_brp = Value("The prescaler of the nominal phase.")
    nom_tseg1 = Value("The quanta of the nominal phase from the sync quantum to the sample point.")
    nom_tseg2 = Value("The quanta of the nominal phase from the sample point to the end of the bit.")
    nom_sjw = Value("The largest shift of the sample point in the nominal phase, in quanta.")
    data_brp = Value("The prescaler of the data phase.")
    data_tseg1 = Value("The quanta of the data phase from the sync quantum to the sample point.")
    data_tseg2 = Value("The quanta of the data phase from the sample point to the end of the bit.")
    data_sjw = Value("The largest shift of the sample point in the data phase, in quanta.")

    @property
    def nom_bitrate(self) -> int:
        """The bit rate of the nominal phase in bit/s."""
        return self._nominal.bitrate(self.f_clock)

    @property
    def nom_sample_point(self) -> float:
        """The sample point of the nominal phase in percent of a bit."""
        return self._nominal.sample_point

    @property
    def nom_tq(self) -> int:
        """The length of a quantum of the nominal phase in nanoseconds."""
        return self._nominal.tq(self.f_clock)

    @property
    def nbt(self) -> int:
        """The quanta of a bit of the nominal phase."""
        return self._nominal.nbt

    @property
    def data_bitrate(self) -> int:
        """The bit rate of the data phase in bit/s."""
        return self._data.bitrate(self.f_clock)

    @property
    def data_sample_point(self) -> float:
        """The sample point of the data phase in percent of a bit."""
        return self._data.sample_point

    @property
    def data_tq(self) -> int:
        """The length of a quantum of the data phase in nanoseconds."""
        return self._data.tq(self.f_clock)

    @property
    def dbt(self) -> int:
        """The quanta of a bit of the data phase."""
        return self._data.nbt

    def oscillator_tolerance(self, node_loop_delay_ns: float = 250.0, bus_length_m: float = 10.0) -> float:
        """Return the permitted deviation of the nodes' clocks in percent.

        Source: ISO 11898-1, "Oscillator tolerance", conditions 1 to 5.
        """
        nominal, data = self._nominal, self._data
        shorter = nominal.shorter_segment(self.nom_tq, node_loop_delay_ns, bus_length_m)
        ratio = nominal.brp / data.brp
        conditions = (
            *nominal.tolerances(shorter),
            data.sjw / (2 * 10 * data.nbt),
            shorter / (2 * ((6 * data.nbt - data.tseg2) * data.brp / nominal.brp + 7 * nominal.nbt)),
            (data.sjw - max(0, ratio - 1))
            / (2 * ((2 * nominal.nbt - nominal.tseg2) * ratio + data.tseg2 + 4 * data.nbt)),
        )
        return self._tolerance(conditions)

    def __str__(self) -> str:
        fields = []
        for letter, phase in (("N", self._nominal), ("D", self._data)):
            fields += [
                f"{letter}BR: {phase.bitrate(self.f_clock):_} bit/s",
                f"{letter}SP: {phase.sample_point:.2f}%",
                f"{letter}BRP: {phase.brp}",
                f"{letter}TSEG1: {phase.tseg1}",
                f"{letter}TSEG2: {phase.tseg2}",
                f"{letter}SJW: {phase.sjw}",
            ]
        return ", ".join([*fields, self._clock_text()])
