"""The bit timing of classic CAN.

A bit is one sync quantum, ``tseg1`` quanta up to the sample point and ``tseg2`` quanta after it. A quantum is
``brp`` periods of ``f_clock``, the clock of the controller: 8 MHz for an SJA1000 with a 16 MHz crystal. All
rounding is half to even.

Sources: ISO 11898-1:2015, "Bit timing"; the register layout is that of the SJA1000 data sheet; the names
and texts are python-can's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bit_timing.phase import SAMPLE_POINT_TOLERANCE, Phase, Timing, Value

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["BitTiming", "BitTimingFd"]

_MAX_BRP = 64
_MAX_BITRATE = 1_000_000
_CLASSIC_KEYS = ("f_clock", "brp", "tseg1", "tseg2", "sjw", "nof_samples")


class BitTiming(Timing):
    """The timing of a classic bus.

    Usually all of ``f_clock`` (Hz), ``brp``, ``tseg1``, ``tseg2`` and ``sjw`` (quanta) are given.
    ``bitrate`` may replace ``brp``; the registers ``btr0`` and ``btr1`` may replace everything but the clock.
    Without ``f_clock``, properties that depend on it raise ValueError. ``nof_samples`` is 1, or 3 for a slow
    bus. A bit rate that differs slightly from ``bitrate`` is a warning.

    Positional arguments have the order of python-can 4.1 or that of later versions, ``f_clock, brp, tseg1,
    tseg2, sjw, nof_samples, strict``; their size decides: no bit rate is above 1 Mbit/s, no clock below, and
    no prescaler above 64.

    Raises:
        ValueError: a value is out of the range of an SJA1000, or with ``strict`` of common controllers.
        TypeError: arguments are missing or contradict each other.
    """

    __slots__ = ()

    def __init__(
        self,
        bitrate: int | None = None,
        f_clock: int | None = None,
        brp: int | None = None,
        tseg1: int | None = None,
        tseg2: int | None = None,
        sjw: int | None = None,
        nof_samples: int = 1,
        btr0: int | None = None,
        btr1: int | None = None,
        *,
        strict: bool = False,
    ) -> None:
        if f_clock is None and bitrate is not None and bitrate > _MAX_BITRATE:
            f_clock, bitrate = bitrate, None
        if bitrate is not None and f_clock is not None and f_clock <= _MAX_BRP:
            later = _in_later_order(bitrate, f_clock, brp, tseg1, tseg2, sjw, nof_samples)
            self.__init__(btr0=btr0, btr1=btr1, **{"strict": strict, **later})  # type: ignore[misc]  # once more
            return
        if btr0 is not None and btr1 is not None:
            if (brp, tseg1, tseg2, sjw) != (None, None, None, None):
                raise TypeError("btr0 and btr1 replace brp, tseg1, tseg2 and sjw: give either")
            (brp, tseg1, tseg2, sjw), nof_samples = _from_registers(btr0, btr1)
        if tseg1 is None or tseg2 is None or sjw is None or (brp is None and bitrate is None):
            raise TypeError("BitTiming needs tseg1, tseg2, sjw, and brp or bitrate; or btr0 and btr1")
        if bitrate is not None:
            nbt = 1 + tseg1 + tseg2
            if brp is None and f_clock is not None:
                brp = self._prescaler(f_clock, bitrate, nbt, "Invalid inputs")
            elif brp is not None and f_clock is None:
                f_clock = bitrate * brp * nbt
        values = zip(_CLASSIC_KEYS, (f_clock, brp, tseg1, tseg2, sjw, nof_samples), strict=True)
        self._values = {key: value for key, value in values if value is not None}
        if bitrate is not None and "f_clock" not in self._values:
            self._values["bitrate"] = bitrate
        self._raise_first(self._broken_rules(strict))
        for text in () if bitrate is None else self._diverging("", self.bitrate, bitrate):
            from warnings import warn

            warn(text, stacklevel=2)

    def _broken_rules(self, strict: bool) -> Iterator[str]:
        brp = self._values.get("brp", 1)  # an unknown one breaks no rule
        yield from self._outside("bitrate prescaler", brp, 1, 64)
        yield from self._outside("tseg1", self.tseg1, 1, 16)
        yield from self._outside("tseg2", self.tseg2, 1, 8)
        yield from self._outside("sjw", self.sjw, 1, 4)
        if self.sjw > self.tseg2:
            yield f"sjw (={self.sjw}) must not be greater than tseg2 (={self.tseg2})."
        if self.sample_point < 50.0:
            yield (
                "The sample point must be greater than or equal to 50% "
                f"(sample_point={self.sample_point:.2f}%)."
            )
        if self.nof_samples not in (1, 3):
            yield "nof_samples must be 1 or 3"
        if strict:
            yield from self._outside("nominal bit time", self.nbt, 8, 25)
            yield from self._outside("bitrate prescaler", brp, 1, 32)
            if self._has_bitrate and not 5_000 <= self.bitrate <= 1_000_000:
                yield f"bitrate (={self.bitrate}) must be in [5,000...1,000,000]."

    @classmethod
    def from_bitrate_and_segments(
        cls,
        f_clock: int,
        bitrate: int,
        tseg1: int,
        tseg2: int,
        sjw: int,
        nof_samples: int = 1,
        strict: bool = False,
    ) -> Self:
        """Return the timing with the prescaler that comes closest to ``bitrate``.

        Raises:
            ValueError: as the class; or the bit rate is off by more than 1/256.
        """
        brp = cls._prescaler(f_clock, bitrate, 1 + tseg1 + tseg2, "Invalid inputs")
        timing = cls(None, f_clock, brp, tseg1, tseg2, sjw, nof_samples, strict=strict)
        cls._raise_first(cls._diverging("", timing.bitrate, bitrate))
        return timing

    @classmethod
    def from_registers(cls, f_clock: int, btr0: int, btr1: int) -> Self:
        """Return the timing of the bus timing registers 0 and 1 of an SJA1000."""
        phase, nof_samples = _from_registers(btr0, btr1)
        return cls(None, f_clock, *phase, nof_samples)

    @classmethod
    def iterate_from_sample_point(
        cls, f_clock: int, bitrate: int, sample_point: float = 69.0
    ) -> Iterator[Self]:
        """Yield all strict timings near ``bitrate`` and ``sample_point`` (percent), by prescaler."""
        if sample_point < 50.0:
            raise ValueError(f"sample_point (={sample_point}) must not be below 50%.")
        for phase in Phase.near(f_clock, bitrate, sample_point, 64, min_nbt=8, min_tseg2=1, max_sjw=4):
            try:
                yield cls(None, f_clock, *phase, strict=True)
            except ValueError:
                continue

    @classmethod
    def from_sample_point(cls, f_clock: int, bitrate: int, sample_point: float = 69.0) -> Self:
        """Return the strict timing closest to ``sample_point`` (percent), with the smallest prescaler.

        Raises:
            ValueError: no timing fits, or the sample point is below 50 %.
        """
        timings = cls.iterate_from_sample_point(f_clock, bitrate, sample_point)
        best = min(timings, key=lambda timing: abs(timing.sample_point - sample_point), default=None)
        if best is None:
            raise ValueError("No suitable bit timings found.")
        return best

    def recreate_with_f_clock(self, f_clock: int) -> Self:
        """Return a timing with this bit rate and sample point (within 1 percentage point) for another clock.

        Raises:
            ValueError: no timing fits.
        """
        rest = (self.tseg1, self.tseg2, self.sjw, self.nof_samples)
        try:
            return self.from_bitrate_and_segments(f_clock, self.bitrate, *rest, strict=True)
        except ValueError:
            pass
        near = self.from_sample_point(f_clock, self.bitrate, self.sample_point)
        if abs(near.sample_point - self.sample_point) > SAMPLE_POINT_TOLERANCE:
            raise ValueError("f_clock change failed because of sample point discrepancy.")
        sjw = self._phase.rescaled_sjw(near._phase, 4)
        phase = (near.brp, near.tseg1, near.tseg2, sjw)
        return type(self)(None, f_clock, *phase, self.nof_samples, strict=True)

    @property
    def _phase(self) -> Phase:
        return Phase(self._values.get("brp", 0), self.tseg1, self.tseg2, self.sjw)

    @property
    def _has_bitrate(self) -> bool:
        return "bitrate" in self._values or "f_clock" in self._values

    brp = Value("The prescaler.")
    tseg1 = Value("The quanta from the sync quantum to the sample point.")
    tseg2 = Value("The quanta from the sample point to the end of the bit.")
    sjw = Value("The largest shift of the sample point by resynchronisation, in quanta.")
    nof_samples = Value("The number of samples per bit.")

    @property
    def bitrate(self) -> int:
        """The bit rate in bit/s."""
        if "bitrate" in self._values:
            return self._values["bitrate"]
        return self._phase.bitrate(self.f_clock)

    @property
    def nbt(self) -> int:
        """The quanta of a bit."""
        return self._phase.nbt

    @property
    def tq(self) -> int:
        """The length of a quantum in nanoseconds."""
        return Phase(self.brp, 0, 0, 0).tq(self.f_clock)

    @property
    def sample_point(self) -> float:
        """The sample point in percent of the bit."""
        return self._phase.sample_point

    @property
    def btr0(self) -> int:
        """Bus timing register 0: SJW in bits 7 and 6, BRP in 5 to 0."""
        return (self.sjw - 1) << 6 | (self.brp - 1)

    @property
    def btr1(self) -> int:
        """Bus timing register 1: SAM in bit 7, TSEG2 in 6 to 4, TSEG1 in 3 to 0."""
        return (self.nof_samples == 3) << 7 | (self.tseg2 - 1) << 4 | (self.tseg1 - 1)

    def oscillator_tolerance(self, node_loop_delay_ns: float = 250.0, bus_length_m: float = 10.0) -> float:
        """Return the permitted deviation of the nodes' clocks in percent.

        Source: ISO 11898-1, "Oscillator tolerance", conditions 1 and 2.
        """
        shorter = self._phase.shorter_segment(self.tq, node_loop_delay_ns, bus_length_m)
        return self._tolerance(self._phase.tolerances(shorter))

    def __str__(self) -> str:
        known = self._values
        fields = []
        if self._has_bitrate:
            fields.append(f"BR: {self.bitrate:_} bit/s")
        fields.append(f"SP: {self.sample_point:.2f}%")
        if "brp" in known:
            fields.append(f"BRP: {self.brp}")
        fields += [f"TSEG1: {self.tseg1}", f"TSEG2: {self.tseg2}", f"SJW: {self.sjw}"]
        if "brp" in known:
            fields.append(f"BTR: {self.btr0:02X}{self.btr1:02X}h")
        if "f_clock" in known:
            fields.append(self._clock_text())
        return ", ".join(fields)


def _in_later_order(
    f_clock: int,
    brp: int,
    third: int | None,
    fourth: int | None,
    fifth: int | None,
    sixth: int | None,
    seventh: int,
) -> dict[str, Any]:
    """Return positional arguments in the order of later versions of python-can as keywords.

    The arguments after the last positional one were given as keywords.
    """
    keywords: dict[str, Any] = {"f_clock": f_clock, "brp": brp}
    rest = (third, fourth, fifth, sixth)
    count = next((at for at, value in enumerate(rest) if value is None), len(rest))
    by_place = ("tseg1", "tseg2", "sjw", "nof_samples")
    keywords |= zip(by_place[:count], rest[:count], strict=True)
    by_name = ("brp", "tseg1", "tseg2", "sjw")
    for name, value in zip(by_name[count:], rest[count:], strict=True):
        if value is not None:
            keywords[name] = value
    if count < len(rest):
        keywords["nof_samples"] = seventh
    elif isinstance(seventh, bool):
        keywords["strict"] = seventh
    return keywords


def _from_registers(btr0: int, btr1: int) -> tuple[Phase, int]:
    for name, value in (("btr0", btr0), ("btr1", btr1)):
        if not 0 <= value < 1 << 16:
            raise ValueError(f"Invalid {name} value. ({value})")
    # The upper byte of a 16-bit btr0 is left in, so that sjw is out of range then.
    phase = Phase((btr0 & 0x3F) + 1, (btr1 & 0xF) + 1, (btr1 >> 4 & 0x7) + 1, (btr0 >> 6) + 1)
    return phase, 3 if btr1 & 0x80 else 1
