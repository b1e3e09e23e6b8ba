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
_NOMINAL, _DATA = CONTROLLERS["peak"].nominal, CONTROLLERS["peak"].data or CONTROLLERS["peak"].nominal
#: the exact bit rates whose documented keys are rounded
_ROUNDED = {95_238: 95_000, 83_333: 83_000, 47_619: 47_000, 33_333: 33_000}


class Timing(NamedTuple):
    """The argument of CAN_Initialize or of CAN_InitializeFD, and the bit rates in bit/s."""

    registers: int | None
    text: str | None
    bitrate: int
    data_bitrate: int | None = None


def of_settings(
    timing: Any,
    bitrate: int,
    data_bitrate: int | None,
    *,
    fd: bool,
    points: tuple[float | None, float | None],
    clocks: tuple[int | None, int | None],
    segments: Mapping[str, int | None],
) -> Timing:
    """Return the timing of a bus; ``points`` are in percent, ``clocks`` in Hz and in MHz.

    Raises:
        UsageError: the settings are incomplete, contradict each other, or the adapter cannot have them.
    """
    if timing is not None:
        return of_object(timing)
    if not fd:
        return classic(bitrate, points[0])
    f_clock, f_clock_mhz = clocks
    if f_clock is not None and f_clock_mhz is not None:
        raise UsageError("pcan: f_clock and f_clock_mhz are both given", hint="give one of them")
    name, clock = ("f_clock", f_clock) if f_clock_mhz is None else ("f_clock_mhz", f_clock_mhz)
    if data_bitrate is not None and not any(value is not None for value in segments.values()):
        return fd_of_rates(bitrate, data_bitrate, *points, hertz=_hertz(name, clock))
    return fd_of_segments(clock, segments, name)


def _hertz(name: str, clock: int | None) -> int | None:
    """Return the clock in Hz.

    Raises:
        UsageError: no adapter has it.
    """
    hertz = clock if clock is None or name == "f_clock" else clock * 1_000_000
    if hertz is not None and hertz not in constants.VALID_PCAN_FD_CLOCKS:
        valid = ", ".join(str(each // 1_000_000) for each in constants.VALID_PCAN_FD_CLOCKS)
        raise UsageError(f"pcan: no adapter has a clock of {hertz / 1e6:g} MHz", hint=f"valid: {valid} MHz")
    return hertz


# --- classic ------------------------------------------------------------------------------------------


def classic(bitrate: int, sample_point: float | None = None) -> Timing:
    """Return the registers of PEAK's table for ``bitrate``, or calculated ones with exactly that bit rate.

    Raises:
        UsageError: no registers give the bit rate.
    """
    word = constants.PCAN_BITRATES.get(_ROUNDED.get(bitrate, bitrate))
    if word is not None and sample_point is None:
        return Timing(int(word), None, bitrate)
    point = SAMPLE_POINT if sample_point is None else sample_point
    found = _exact(bitrate, point) if bitrate > 0 else None
    if found is None:
        known = ", ".join(f"{rate // 1000}k" for rate in constants.PCAN_BITRATES)
        text = f"pcan: no bit timing at {_F_CLOCK // 1_000_000} MHz gives exactly {bitrate} bit/s"
        raise UsageError(text, hint=f"such as {known}")
    brp, tseg1, tseg2 = found
    return Timing(_word(brp, tseg1, tseg2), None, bitrate)


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


def _word(brp: int, tseg1: int, tseg2: int) -> int:
    """Return BTR0 and BTR1 with a resynchronisation of one quantum and one sample per bit."""
    return brp - 1 << 8 | tseg2 - 1 << 4 | tseg1 - 1


def of_object(timing: Any) -> Timing:
    """Return the timing of a ``BitTiming`` or ``BitTimingFd``; another clock is converted if possible.

    Raises:
        UsageError: ``timing`` is neither, or the adapter cannot have it.
    """
    if hasattr(type(timing), "btr0"):  # the value itself may be unknown
        timing = _with_clock(timing, constants.VALID_PCAN_CAN_CLOCKS)
        bitrate = _F_CLOCK // (timing.brp * (1 + timing.tseg1 + timing.tseg2))
        return Timing(timing.btr0 << 8 | timing.btr1, None, bitrate)
    if not hasattr(type(timing), "data_brp"):
        raise UsageError("pcan: timing must be a BitTiming or a BitTimingFd")
    timing = _with_clock(timing, _FD_CLOCKS)
    return fd_of_segments(timing.f_clock, dict(timing))


def _with_clock(timing: Any, clocks: Any) -> Any:
    clock = dict(timing).get("f_clock")
    if clock in clocks or (clock is None and "bitrate" not in dict(timing)):
        return timing
    for other in clocks:
        try:
            return timing.recreate_with_f_clock(other)
        except ValueError:
            continue
    names = ", ".join(f"{other / 1e6:g}" for other in clocks)
    raise UsageError(f"pcan: the timing fits no clock of the adapters: {names} MHz")


# --- CAN FD -------------------------------------------------------------------------------------------


def fd_of_segments(clock: int | None, segments: Mapping[str, int | None], name: str = "f_clock") -> Timing:
    """Return the timing of ``nom_brp`` to ``data_sjw`` and of the setting ``name``, the clock.

    Raises:
        UsageError: a setting is missing or out of range.
    """
    values = {key: segments.get(key) for key in constants.PCAN_FD_PARAMETER_LIST}
    missing = [key for key, value in {"f_clock_mhz": clock, **values}.items() if value is None]
    if missing:
        hint = "give all of them, or bitrate and data_bitrate, or timing"
        raise UsageError(f"pcan: CAN FD needs {', '.join(missing)}", hint=hint)
    hertz = _hertz(name, clock) or 0
    complete = {key: value or 0 for key, value in values.items()}
    _check("nom", _NOMINAL, complete)
    _check("data", _DATA, complete)
    rates = [
        hertz // (complete[f"{phase}_brp"] * (1 + complete[f"{phase}_tseg1"] + complete[f"{phase}_tseg2"]))
        for phase in ("nom", "data")
    ]
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
    hertz: int | None = None,
) -> Timing:
    """Return the timing with exactly these bit rates, from the clock ``hertz`` or the finest possible one.

    Raises:
        UsageError: no timing fits.
    """
    for clock in _FD_CLOCKS if hertz is None else (hertz,):
        segments = {
            **_phase("nom", clock, bitrate, _NOMINAL, sample_point),
            **_phase("data", clock, data_bitrate, _DATA, dsample_point),
        }
        if len(segments) == len(constants.PCAN_FD_PARAMETER_LIST):
            return fd_of_segments(clock, segments)
    raise UsageError(
        f"pcan: no bit timing gives exactly {bitrate} and {data_bitrate} bit/s",
        hint="such as bitrate=500k,data_bitrate=2M",
    )


def _phase(name: str, clock: int, bitrate: int, limits: Limits, sample_point: float | None) -> dict[str, int]:
    """Return the four settings of a phase, none if the clock does not give the bit rate exactly."""
    point = SAMPLE_POINT if sample_point is None else sample_point
    found = calculate(clock, bitrate, limits, round(10 * point)) if bitrate > 0 else None
    if (
        found is None
        or found.brp * bitrate * (1 + found.prop_seg + found.phase_seg1 + found.phase_seg2) != clock
    ):
        return {}
    values = (found.brp, found.prop_seg + found.phase_seg1, found.phase_seg2, found.sjw)
    return dict(zip((f"{name}_{key}" for key in ("brp", "tseg1", "tseg2", "sjw")), values, strict=True))
