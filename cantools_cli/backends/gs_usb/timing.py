"""The bit timing of an adapter, within its own constants.

Of all timings whose bit rate is off by at most 0.5 %, the search of ``bit_timing`` chooses the one with the
smallest error of the bit rate, then of the sample point.
"""

from __future__ import annotations

from cantools_cli.backends.gs_usb.codec import Registers
from cantools_cli.bit_timing.calculator import Limits, calculate
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.errors import UsageError

SAMPLE_POINT, DATA_SAMPLE_POINT = 87.5, 75.0  #: defaults in percent
_MAX_ERROR = 0.005  # of the bit rate
_MAX_SJW = 4  # of a calculated timing


def calculated(clock: int, bitrate: int, limits: Limits, sample_point: float) -> Registers:
    """Return the timing for ``bitrate`` in bit/s, with ``sample_point`` in percent.

    Raises:
        UsageError: the adapter cannot reach the bit rate.
    """
    if bitrate < 1:
        raise UsageError(f"bit rate {bitrate} bit/s is not above 0")
    if not 0 < sample_point < 100:
        raise UsageError(f"sample point {sample_point:g} % is not between 0 and 100 %")
    found = calculate(clock, bitrate, limits, round(10 * sample_point))
    if found is None or abs(found.bitrate - bitrate) > _MAX_ERROR * bitrate:
        near = f"; the nearest is {found.bitrate}" if found is not None else ""
        raise UsageError(
            f"the adapter cannot reach {bitrate} bit/s from its clock of {clock / 1e6:g} MHz{near}",
            hint="common bit rates: 125000, 250000, 500000, 1000000",
        )
    tseg1 = found.prop_seg + found.phase_seg1
    sjw = min(found.phase_seg2, _MAX_SJW, limits.max_sjw)
    return _registers(tseg1, found.phase_seg2, sjw, found.brp)


def given(timing: BitTiming | BitTimingFd, clock: int, limits: Limits) -> Registers:
    """Return the nominal timing of ``timing`` for the adapter's clock.

    Raises:
        UsageError: the adapter's clock or limits exclude it.
    """
    if isinstance(timing, BitTimingFd):
        segments = (timing.nom_tseg1, timing.nom_tseg2, timing.nom_sjw)
        return _converted(timing.nom_bitrate, timing.nom_sample_point, segments, clock, limits)
    segments = (timing.tseg1, timing.tseg2, timing.sjw)
    return _converted(timing.bitrate, timing.sample_point, segments, clock, limits)


def given_data(timing: BitTimingFd, clock: int, limits: Limits) -> Registers:
    """Return the data timing of ``timing`` for the adapter's clock.

    Raises:
        UsageError: the adapter's clock or limits exclude it.
    """
    segments = (timing.data_tseg1, timing.data_tseg2, timing.data_sjw)
    return _converted(timing.data_bitrate, timing.data_sample_point, segments, clock, limits)


def _converted(
    bitrate: int, sample_point: float, segments: tuple[int, int, int], clock: int, limits: Limits
) -> Registers:
    """Keep the segments if the clock allows them, else the bit rate and the sample point."""
    tseg1, tseg2, sjw = segments
    brp, rest = divmod(clock, bitrate * (1 + tseg1 + tseg2))
    fits = (
        limits.tseg1[0] <= tseg1 <= limits.tseg1[1]
        and limits.tseg2[0] <= tseg2 <= limits.tseg2[1]
        and limits.brp[0] <= brp <= limits.brp[1]
        and (brp - limits.brp[0]) % limits.brp_step == 0
        and sjw <= limits.max_sjw
    )
    if fits and not rest:
        return _registers(tseg1, tseg2, sjw, brp)
    return calculated(clock, bitrate, limits, sample_point)


def _registers(tseg1: int, tseg2: int, sjw: int, brp: int) -> Registers:
    prop_seg = 1 if tseg1 > 1 else 0
    return Registers(prop_seg, tseg1 - prop_seg, tseg2, sjw, brp)
