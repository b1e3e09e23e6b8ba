"""The arguments of canSetBusParams and canSetBusParamsFd for the settings of a bus.

A bit rate is a preset of the library if it has one and no segments are given; else canx passes the rate and
the segments, which it calculates from the clock: 8 MHz for a classic channel, 80 MHz for CAN FD. The
registers of ``BitTiming`` are not passed on, since canSetBusParamsC200 reads them for a clock of 8 MHz.

Source: Kvaser's ``canstat.h`` and Linux SDK 5.49.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from cantools_cli.backends.kvaser import constants as c
from cantools_cli.bit_timing.calculator import CONTROLLERS, Limits, calculate
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.errors import UsageError

CLASSIC_CLOCK, FD_CLOCK = 8_000_000, 80_000_000  #: Hz
_CLASSIC_LIMITS = CONTROLLERS["sja1000"].nominal
_FD_LIMITS = CONTROLLERS["kvaser_usb"].nominal
_FD_SAMPLE_POINT = 800  # that of the presets, in tenths of a percent
_MAX_ERROR = 0.005  # of a calculated bit rate
_SAMPLES = (0, 1, 3)

#: bit rate -> preset of a classic channel
PRESETS = {
    1_000_000: c.canBITRATE_1M,
    500_000: c.canBITRATE_500K,
    250_000: c.canBITRATE_250K,
    125_000: c.canBITRATE_125K,
    100_000: c.canBITRATE_100K,
    83_000: c.canBITRATE_83K,
    62_000: c.canBITRATE_62K,
    50_000: c.canBITRATE_50K,
    10_000: c.canBITRATE_10K,
}
#: bit rate -> preset of each phase of a CAN FD channel
FD_PRESETS = {
    500_000: c.canFD_BITRATE_500K_80P,
    1_000_000: c.canFD_BITRATE_1M_80P,
    2_000_000: c.canFD_BITRATE_2M_80P,
    4_000_000: c.canFD_BITRATE_4M_80P,
    8_000_000: c.canFD_BITRATE_8M_60P,
}
#: presets whose name is not their bit rate
_RATES = {c.canBITRATE_83K: 83_333, c.canBITRATE_62K: 62_500}


class Segments(NamedTuple):
    """The quanta before and after the sample point, and of a resynchronisation; 0 if not given."""

    tseg1: int = 0
    tseg2: int = 0
    sjw: int = 0


class PhaseParams(NamedTuple):
    """The arguments for one phase; ``freq`` is a bit rate or a negative preset, ``bitrate`` the bit rate."""

    freq: int
    tseg1: int
    tseg2: int
    sjw: int
    bitrate: int


@dataclass(frozen=True)
class BusParams:
    """The arguments for a channel; ``data`` is None for a classic one."""

    nominal: PhaseParams
    samples: int
    data: PhaseParams | None = None


def bus_params(
    timing: BitTiming | BitTimingFd | None,
    *,
    fd: bool,
    bitrate: int,
    data_bitrate: int | None,
    nominal: Segments,
    data: Segments,
    samples: int,
) -> BusParams:
    """Return the arguments for a channel; ``timing`` replaces the other settings.

    Raises:
        UsageError: the settings contradict each other, or no timing has the bit rate.
    """
    if isinstance(timing, BitTimingFd):
        return _of_fd_timing(timing)
    if timing is not None:
        return _of_classic_timing(timing, fd)
    if samples not in _SAMPLES:
        raise UsageError(f"kvaser: no_samp {samples} is not 1 or 3")
    _check_complete(nominal, "tseg1, tseg2 and sjw")
    _check_complete(data, "tseg1_dbr, tseg2_dbr and sjw_dbr")
    if not fd:
        return BusParams(_phase(bitrate, nominal, PRESETS, CLASSIC_CLOCK, _CLASSIC_LIMITS), samples)
    if not any(data) and data_bitrate in (None, bitrate):
        data = nominal
    return BusParams(
        _phase(bitrate, nominal, FD_PRESETS, FD_CLOCK, _FD_LIMITS),
        samples,
        _phase(bitrate if data_bitrate is None else data_bitrate, data, FD_PRESETS, FD_CLOCK, _FD_LIMITS),
    )


def _check_complete(segments: Segments, names: str) -> None:
    if any(segments) and not all(segments):
        raise UsageError(f"kvaser: {names} are necessary together", hint="or none: the driver has a default")
    if any(value < 0 for value in segments):
        raise UsageError(f"kvaser: {names} must not be negative")


def _phase(
    bitrate: int, segments: Segments, presets: dict[int, int], clock: int, limits: Limits
) -> PhaseParams:
    if bitrate < 1:
        raise UsageError(f"kvaser: bit rate {bitrate} is not above 0")
    if any(segments):
        return PhaseParams(bitrate, *segments, bitrate)
    if bitrate in presets:
        preset = presets[bitrate]
        return PhaseParams(preset, 0, 0, 0, _RATES.get(preset, bitrate))
    point = _FD_SAMPLE_POINT if clock == FD_CLOCK else None
    found = calculate(clock, bitrate, limits, point)
    if found is None or abs(found.bitrate - bitrate) > _MAX_ERROR * bitrate:
        rates = ", ".join(f"{rate / 1000:g}k" for rate in presets)
        raise UsageError(
            f"kvaser: no timing of a clock of {clock // 1_000_000} MHz has the bit rate {bitrate}",
            hint=f"the driver has {rates}; tseg1, tseg2 and sjw set another one",
        )
    tseg1 = found.prop_seg + found.phase_seg1
    return PhaseParams(bitrate, tseg1, found.phase_seg2, found.sjw, bitrate)


def _of_classic_timing(timing: BitTiming, fd: bool) -> BusParams:
    if fd:
        raise UsageError("kvaser: a CAN FD channel needs a BitTimingFd", hint="or leave fd out")
    if dict(timing).get("f_clock") is None and "bitrate" not in dict(timing):
        raise UsageError("kvaser: the timing has no clock, so its bit rate is unknown", hint="set f_clock")
    segments = (timing.tseg1, timing.tseg2, timing.sjw)
    return BusParams(PhaseParams(timing.bitrate, *segments, timing.bitrate), timing.nof_samples)


def _of_fd_timing(timing: BitTimingFd) -> BusParams:
    if timing.f_clock != FD_CLOCK:
        try:
            timing = timing.recreate_with_f_clock(FD_CLOCK)
        except ValueError as error:
            raise UsageError(f"kvaser: the timing does not fit the clock of 80 MHz: {error}") from error
    nominal = (timing.nom_bitrate, timing.nom_tseg1, timing.nom_tseg2, timing.nom_sjw, timing.nom_bitrate)
    data = (timing.data_bitrate, timing.data_tseg1, timing.data_tseg2, timing.data_sjw, timing.data_bitrate)
    return BusParams(PhaseParams(*nominal), 1, PhaseParams(*data))
