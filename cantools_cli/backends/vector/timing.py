"""The bit timing of a channel: what the user wants, how the driver gets it, and what it really has.

The driver itself calculates the timing of a classic channel from a bit rate. It takes the segments of CAN FD
in quanta of 80 MHz, those of classic CAN in quanta of 16 MHz, or as registers for 8 MHz.

Source: Vector, XL Driver Library manual, "xlCanSetChannelParams", "xlCanFdSetConfiguration".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from cantools_cli.backends.vector.channels import VectorBusParams
from cantools_cli.backends.vector.xldefine import XL_CANFD_BusParams_CanOpMode
from cantools_cli.errors import UsageError

FD_CLOCK, CHIP_CLOCK, REGISTER_CLOCK = 80_000_000, 16_000_000, 8_000_000  #: Hz
DEFAULT_BITRATE = 500_000  #: of CAN FD in bit/s

_MAX_QUANTA, _MAX_DATA_QUANTA = 160, 40  # per bit of a recommended timing
_MAX_PRESCALER = 512
_RATE_TOLERANCE = 256  # bit rates may differ by one part of this
_SAMPLE_POINT_TOLERANCE = 2.0  # percentage points
_FD_MODE = XL_CANFD_BusParams_CanOpMode.XL_BUS_PARAMS_CANOPMODE_CANFD
_CLASSIC_MODE = XL_CANFD_BusParams_CanOpMode.XL_BUS_PARAMS_CANOPMODE_CAN20


class PhaseSegments(NamedTuple):
    """The quanta of a bit after the first one."""

    tseg1: int
    tseg2: int
    sjw: int

    @property
    def quanta(self) -> int:
        return 1 + self.tseg1 + self.tseg2

    @property
    def sample_point(self) -> float:
        return 100 * (1 + self.tseg1) / self.quanta


DEFAULT_SEGMENTS = PhaseSegments(6, 3, 2)  #: documented, for both phases


class PhaseTiming(NamedTuple):
    """The bit rate in bit/s and the segments of one phase of CAN FD."""

    bitrate: int
    segments: PhaseSegments


class FdTiming(NamedTuple):
    """The timing of both phases of CAN FD."""

    nominal: PhaseTiming
    data: PhaseTiming

    def words(self) -> tuple[int, ...]:
        """Return the first eight fields of XLcanFdConf."""
        return tuple(
            number
            for rate, (tseg1, tseg2, sjw) in (self.nominal, self.data)
            for number in (rate, sjw, tseg1, tseg2)
        )


@dataclass(frozen=True)
class WantedTiming:
    """The timing that a bus shall have.

    Attributes:
        bitrate, data_bitrate: in bit/s, None if not given.
        classic: a timing of classic CAN for 16 or 8 MHz, or None.
        fd: the possible timings of CAN FD, the preferred one first; empty for classic CAN.
        sample_points: of both phases in percent, None if any will do.
    """

    bitrate: int | None = None
    data_bitrate: int | None = None
    classic: Any = None
    fd: tuple[FdTiming, ...] = ()
    sample_points: tuple[float | None, float | None] = (None, None)

    @property
    def is_checked(self) -> bool:
        """Whether a channel with other settings does not serve."""
        return bool(self.bitrate or self.fd)


def wanted(
    timing: Any,
    *,
    fd: bool,
    bitrate: int | None,
    data_bitrate: int | None,
    nominal: PhaseSegments = DEFAULT_SEGMENTS,
    data: PhaseSegments = DEFAULT_SEGMENTS,
) -> WantedTiming:
    """Return what the settings of a bus mean; ``timing`` replaces the others.

    Raises:
        UsageError: the clock of the driver excludes a bit rate or the timing.
    """
    try:
        if hasattr(timing, "nom_bitrate"):
            return _of_fd_timing(timing)
        if timing is not None:
            return _of_classic_timing(timing)
        for name, given in (("bitrate", bitrate), ("data_bitrate", data_bitrate)):
            if given is not None and given < 1:
                raise UsageError(f"vector: {name} {given} is not above 0")
        if not fd:
            return WantedTiming(bitrate)
        if min(*nominal, *data) < 1:
            raise UsageError(f"vector: the segments {(*nominal, *data)} must be at least 1")
        rate = bitrate or DEFAULT_BITRATE
        data_rate = data_bitrate or rate
        if data_rate < rate:
            raise UsageError(f"vector: data_bitrate {data_rate} is below bitrate {rate}")
        points = None if nominal == DEFAULT_SEGMENTS else nominal.sample_point
        data_points = None if data == DEFAULT_SEGMENTS else data.sample_point
        timings = tuple(_fd_timings(rate, data_rate, nominal, data))
        return WantedTiming(bitrate, data_bitrate, None, timings, (points, data_points))
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"vector: the timing does not fit the clock of the driver: {error}") from error


def _of_fd_timing(timing: Any) -> WantedTiming:
    if timing.f_clock != FD_CLOCK:
        timing = timing.recreate_with_f_clock(FD_CLOCK)
    nominal = PhaseSegments(timing.nom_tseg1, timing.nom_tseg2, timing.nom_sjw)
    data = PhaseSegments(timing.data_tseg1, timing.data_tseg2, timing.data_sjw)
    rates = timing.nom_bitrate, timing.data_bitrate
    both = FdTiming(PhaseTiming(rates[0], nominal), PhaseTiming(rates[1], data))
    return WantedTiming(*rates, None, (both,), (nominal.sample_point, data.sample_point))


def _of_classic_timing(timing: Any) -> WantedTiming:
    if timing.f_clock not in (CHIP_CLOCK, REGISTER_CLOCK):
        try:
            timing = timing.recreate_with_f_clock(CHIP_CLOCK)
        except ValueError:
            timing = timing.recreate_with_f_clock(REGISTER_CLOCK)
    return WantedTiming(timing.bitrate, None, timing, (), (timing.sample_point, None))


def _fd_timings(rate: int, data_rate: int, nominal: PhaseSegments, data: PhaseSegments) -> Iterator[FdTiming]:
    """Yield the timing with the given segments; for default segments the recommended one as well."""
    nominals = [*_phases(rate, nominal, _MAX_QUANTA)]
    datas = [*_phases(data_rate, data, _MAX_DATA_QUANTA)]
    preferred, recommended = FdTiming(nominals[0], datas[0]), FdTiming(nominals[-1], datas[-1])
    if (preferred.nominal.segments, preferred.data.segments) == (nominal, data):
        yield preferred
    if (
        recommended != preferred
        or recommended.nominal.segments != nominal
        or recommended.data.segments != data
    ):
        yield recommended


def _phases(rate: int, segments: PhaseSegments, most_quanta: int) -> Iterator[PhaseTiming]:
    exact = _exact(rate, segments)
    if exact is not None:
        yield exact
    if segments == DEFAULT_SEGMENTS:
        yield recommended_phase(rate, most_quanta)
    elif exact is None:
        text = f"vector: tseg1 {segments.tseg1} and tseg2 {segments.tseg2} do not reach {rate} bit/s"
        raise UsageError(text, hint="the driver divides 80 MHz by 1 + tseg1 + tseg2")


def _exact(rate: int, segments: PhaseSegments) -> PhaseTiming | None:
    """Return the phase with these segments, None if no prescaler reaches the bit rate."""
    prescaler = round(FD_CLOCK / (rate * segments.quanta))
    return _phase(rate, segments, prescaler)


def _phase(rate: int, segments: PhaseSegments, prescaler: int) -> PhaseTiming | None:
    if not 1 <= prescaler <= _MAX_PRESCALER:
        return None
    effective = round(FD_CLOCK / (prescaler * segments.quanta))
    return PhaseTiming(effective, segments) if abs(effective - rate) * _RATE_TOLERANCE < rate else None


def recommended_phase(rate: int, most_quanta: int) -> PhaseTiming:
    """Return the timing of a phase with a sample point near 80 % and as many quanta as possible.

    Raises:
        UsageError: the clock of 80 MHz does not reach the bit rate.
    """
    for prescaler in range(1, _MAX_PRESCALER + 1):
        quanta = round(FD_CLOCK / (rate * prescaler))
        if quanta > most_quanta:
            continue
        if quanta < 5:
            break
        tseg2 = max(1, round(quanta / 5))
        phase = _phase(rate, PhaseSegments(quanta - 1 - tseg2, tseg2, tseg2), prescaler)
        if phase is not None:
            return phase
    raise UsageError(f"vector: the clock of 80 MHz does not reach {rate} bit/s")


def differences(params: VectorBusParams | None, timing: WantedTiming) -> list[str]:
    """Return how the settings of a channel differ from ``timing``, as ``NAME VALUE instead of WANTED``."""
    if params is None:
        return ["a bus that is not CAN"]
    found, fd = [], params.canfd
    mode = params.can.can_op_mode
    if mode and not mode & (_FD_MODE if timing.fd else _CLASSIC_MODE):  # some devices never report it
        found.append("CAN 2.0 instead of CAN FD" if timing.fd else "CAN FD instead of CAN 2.0")
    rates = [("bit rate", params.can.bitrate, timing.bitrate)]
    nominal = PhaseSegments(fd.tseg1_abr, fd.tseg2_abr, fd.sjw_abr)
    points = [("sample point", nominal, timing.sample_points[0])]
    if timing.fd:
        data = PhaseSegments(fd.tseg1_dbr, fd.tseg2_dbr, fd.sjw_dbr)
        rates.append(("data bit rate", fd.data_bitrate, timing.data_bitrate))
        points.append(("data sample point", data, timing.sample_points[1]))
    for name, rate, wanted_rate in rates:
        if wanted_rate and abs(rate - wanted_rate) * _RATE_TOLERANCE >= wanted_rate:
            found.append(f"{name} {rate} instead of {wanted_rate}")
    for name, segments, point in points:
        if point and abs(segments.sample_point - point) >= _SAMPLE_POINT_TOLERANCE:
            found.append(f"{name} {segments.sample_point:.1f} % instead of {point:.1f} %")
    return found
