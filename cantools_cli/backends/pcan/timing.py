"""The bit timing of a PCAN channel: two registers of an SJA1000, or the text for CAN FD.

::

    001C                                                      BTR0 and BTR1 for 500 kbit/s at 8 MHz
    f_clock=80000000,nom_brp=2,nom_tseg1=63,nom_tseg2=16,nom_sjw=8,
    data_brp=1,data_tseg1=31,data_tseg2=8,data_sjw=4          500 kbit/s and 2 Mbit/s

Sources: PEAK-System, "PCAN-Basic API", TPCANBaudrate and TPCANBitrateFD.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cantools_cli.backends.pcan import constants
from cantools_cli.bit_timing.calculator import CONTROLLERS, Limits, calculate
from cantools_cli.errors import UsageError

SAMPLE_POINT = 80.0  #: percent, of a calculated timing
_F_CLOCK = constants.VALID_PCAN_CAN_CLOCKS[0]
#: from the finest time quantum
_FD_CLOCKS = (80_000_000, 40_000_000, 60_000_000, 30_000_000, 24_000_000, 20_000_000)
_NOMINAL, _DATA = CONTROLLERS["peak"]
#: the exact bit rates whose documented keys are rounded
_ROUNDED = {95_238: 95_000, 83_333: 83_000, 47_619: 47_000, 33_333: 33_000}


class Timing(NamedTuple):
    """The argument of CAN_Initialize or of CAN_InitializeFD, and the bit rates in bit/s."""

    registers: int | None
    text: str | None
    bitrate: int
    data_bitrate: int | None = None


# --- classic ------------------------------------------------------------------------------------------


def classic(bitrate: int, sample_point: float | None = None) -> Timing:
    """Return the registers of PEAK's table for ``bitrate``, or calculated ones with exactly that bit rate.

    Raises:
        UsageError: no registers give the bit rate.
    """
    word = constants.PCAN_BITRATES.get(_ROUNDED.get(bitrate, bitrate))
    if word is not None and sample_point is None:
        return Timing(int(word), None, bitrate)
    found = _exact(bitrate, SAMPLE_POINT if sample_point is None else sample_point)
    if found is None:
        known = ", ".join(f"{rate // 1000}k" for rate in constants.PCAN_BITRATES)
        text = f"pcan: no bit timing at {_F_CLOCK // 1_000_000} MHz gives exactly {bitrate} bit/s"
        raise UsageError(text, hint=f"such as {known}")
    brp, tseg1, tseg2 = found
    return Timing(_word(brp, tseg1, tseg2, sjw=1), None, bitrate)


def _exact(bitrate: int, sample_point: float) -> tuple[int, int, int] | None:
    """Return the prescaler and segments with the nearest sample point, then the fewest prescaler ticks."""
    candidates = [
        (abs(100 * (1 + tseg1) / quanta - sample_point), brp, tseg1, quanta - 1 - tseg1)
        for brp in range(1, 65)
        for quanta in [_F_CLOCK // (brp * bitrate)]
        if quanta * brp * bitrate == _F_CLOCK
        for tseg1 in range(1, 17)
        if 1 <= quanta - 1 - tseg1 <= 8
    ]
    return min(candidates)[1:] if candidates else None


def _word(brp: int, tseg1: int, tseg2: int, sjw: int, nof_samples: int = 1) -> int:
    btr0 = sjw - 1 << 6 | brp - 1
    return btr0 << 8 | (nof_samples == 3) << 7 | tseg2 - 1 << 4 | tseg1 - 1


def of_object(timing: Any) -> Timing:
    """Return the timing of a ``BitTiming`` or ``BitTimingFd``; another clock is converted if possible.

    Raises:
        UsageError: ``timing`` is neither, or the adapter cannot have it.
    """
    if hasattr(timing, "btr0"):
        timing = _with_clock(timing, constants.VALID_PCAN_CAN_CLOCKS)
        return Timing(timing.btr0 << 8 | timing.btr1, None, timing.bitrate)
    if not hasattr(timing, "data_brp"):
        raise UsageError("pcan: timing must be a BitTiming or a BitTimingFd")
    timing = _with_clock(timing, _FD_CLOCKS)
    return fd_of_segments(f_clock=timing.f_clock, segments=dict(timing))


def _with_clock(timing: Any, clocks: Any) -> Any:
    clock = dict(timing).get("f_clock")
    if clock in clocks or (clock is None and hasattr(timing, "btr0") and "bitrate" not in dict(timing)):
        return timing
    for other in clocks:
        try:
            return timing.recreate_with_f_clock(other)
        except ValueError:
            continue
    names = ", ".join(f"{clock / 1e6:g}" for clock in clocks)
    raise UsageError(f"pcan: the timing does not fit a clock of {names} MHz")


# --- CAN FD -------------------------------------------------------------------------------------------


def fd_of_segments(
    *, f_clock: int | None = None, f_clock_mhz: int | None = None, segments: Mapping[str, int | None]
) -> Timing:
    """Return the timing of the documented settings, ``nom_brp`` to ``data_sjw``.

    Raises:
        UsageError: a setting is missing or out of range, or there are two clocks.
    """
    if f_clock is not None and f_clock_mhz is not None:
        raise UsageError("pcan: f_clock and f_clock_mhz are both given", hint="give one of them")
    clock = f_clock if f_clock is not None else f_clock_mhz
    values = {key: segments.get(key) for key in constants.PCAN_FD_PARAMETER_LIST}
    missing = [key for key, value in values.items() if value is None]
    if clock is None:
        missing.insert(0, "f_clock_mhz")
    if missing:
        hint = "give all of them, or bitrate and data_bitrate, or timing"
        raise UsageError(f"pcan: CAN FD needs {', '.join(missing)}", hint=hint)
    hertz = f_clock if f_clock is not None else (f_clock_mhz or 0) * 1_000_000
    if hertz not in constants.VALID_PCAN_FD_CLOCKS:
        clocks = ", ".join(str(valid // 1_000_000) for valid in constants.VALID_PCAN_FD_CLOCKS)
        raise UsageError(f"pcan: a clock of {hertz / 1e6:g} MHz", hint=f"adapters have {clocks} MHz")
    complete = {key: value or 0 for key, value in values.items()}
    for phase, limits in (("nom", _NOMINAL), ("data", _DATA)):
        assert limits is not None
        _check(phase, limits, complete)
    rates = [
        hertz // (complete[f"{phase}_brp"] * (1 + complete[f"{phase}_tseg1"] + complete[f"{phase}_tseg2"]))
        for phase in ("nom", "data")
    ]
    name = "f_clock" if f_clock is not None else "f_clock_mhz"
    text = ",".join(f"{key}={value}" for key, value in {name: clock, **complete}.items())
    return Timing(None, text, *rates)


def _check(phase: str, limits: Limits, values: Mapping[str, int]) -> None:
    ranges = {
        "brp": limits.brp,
        "tseg1": limits.tseg1,
        "tseg2": limits.tseg2,
        "sjw": (1, limits.max_sjw),
    }
    for key, (low, high) in ranges.items():
        value = values[f"{phase}_{key}"]
        if not low <= value <= high:
            raise UsageError(f"pcan: {phase}_{key} {value} is not in {low} to {high}")


def fd_of_rates(
    bitrate: int,
    data_bitrate: int,
    sample_point: float | None = None,
    dsample_point: float | None = None,
    *,
    f_clock: int | None = None,
    f_clock_mhz: int | None = None,
) -> Timing:
    """Return the timing with exactly these bit rates, from the finest clock or the given one.

    Raises:
        UsageError: there is none.
    """
    assert _DATA is not None
    clocks: tuple[int, ...] = _FD_CLOCKS
    if f_clock is not None or f_clock_mhz is not None:
        clocks = (f_clock if f_clock is not None else (f_clock_mhz or 0) * 1_000_000,)
    for clock in clocks:
        segments = {
            **_phase("nom", clock, bitrate, _NOMINAL, sample_point),
            **_phase("data", clock, data_bitrate, _DATA, dsample_point),
        }
        if len(segments) == len(constants.PCAN_FD_PARAMETER_LIST):
            return fd_of_segments(f_clock=clock, segments=segments)
    raise UsageError(
        f"pcan: no bit timing gives exactly {bitrate} and {data_bitrate} bit/s",
        hint="such as bitrate=500k,data_bitrate=2M",
    )


def _phase(name: str, clock: int, bitrate: int, limits: Limits, sample_point: float | None) -> dict[str, int]:
    """Return the four settings of a phase, none if the clock does not give the bit rate exactly."""
    point = SAMPLE_POINT if sample_point is None else sample_point
    found = calculate(clock, bitrate, limits, round(10 * point)) if clock > 0 else None
    if (
        found is None
        or found.brp * bitrate * (1 + found.prop_seg + found.phase_seg1 + found.phase_seg2) != clock
    ):
        return {}
    values = (found.brp, found.prop_seg + found.phase_seg1, found.phase_seg2, found.sjw)
    return dict(zip((f"{name}_{key}" for key in ("brp", "tseg1", "tseg2", "sjw")), values, strict=True))
