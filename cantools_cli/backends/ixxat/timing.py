"""The bit timing of a controller: registers for ``vcinpl``, two phases for ``vcinpl2``.

vcinpl sets the registers of an SJA1000 at 16 MHz. vcinpl2 takes a bit rate and the ratio of the segments,
from which the driver derives prescaler and quanta; segment 1 includes the sync quantum. In its raw mode it
takes a prescaler and quanta without the sync quantum.

Source: HMS Networks, VCI 3 and 4 headers ``cantype.h``: ``CAN_BT0_*``, ``CANBTP`` and ``CAN_BTMODE_*``; the
python-can manual, "IXXAT" (the presets).
"""

from __future__ import annotations

from typing import NamedTuple

from cantools_cli.backends.ixxat import constants
from cantools_cli.backends.ixxat.structures import CANBTP, CANCAPABILITIES2
from cantools_cli.bit_timing.calculator import Limits, calculate
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.errors import UsageError

F_CLOCK = 8_000_000  #: of the quanta of an SJA1000 at 16 MHz, in Hz
_SJA1000 = Limits((1, 16), (1, 8), 4, (1, 64))

#: bit rate -> bus timing registers 0 and 1
REGISTERS = {
    5_000: (0x3F, 0x7F),
    10_000: (0x31, 0x1C),
    20_000: (0x18, 0x1C),
    50_000: (0x09, 0x1C),
    100_000: (0x04, 0x1C),
    125_000: (0x03, 0x1C),
    250_000: (0x01, 0x1C),
    500_000: (0x00, 0x1C),
    **dict.fromkeys((666_000, 666_666, 666_667, 667_000), (0x00, 0x18)),
    800_000: (0x00, 0x16),
    1_000_000: (0x00, 0x14),
}


class Segments(NamedTuple):
    """The ratio of the segments of a bit; ``tdo`` is the offset of the secondary sample point."""

    tseg1: int | None = None
    tseg2: int | None = None
    sjw: int | None = None
    tdo: int | None = None


NO_SEGMENTS = Segments()
_COMMON = Segments(14, 2, 1, 0)
#: bit rate -> nominal phase
NOMINAL = {
    5_000: Segments(17, 8, 1, 0),
    **dict.fromkeys((10_000, 20_000, 50_000, 100_000, 125_000), _COMMON),
    **dict.fromkeys((250_000, 500_000, 1_000_000), Segments(6400, 1600, 1600, 0)),
    800_000: Segments(8, 2, 1, 0),
}
#: bit rate -> data phase
DATA = {
    500_000: Segments(6400, 1600, 1600, 6400),
    833_333: Segments(1600, 400, 400, 1620),
    1_000_000: Segments(1600, 400, 400, 1600),
    1_538_461: Segments(1000, 300, 300, 1040),
    2_000_000: Segments(1600, 400, 400, 1600),
    4_000_000: Segments(800, 200, 200, 800),
    5_000_000: Segments(600, 200, 200, 600),
    6_666_666: Segments(400, 200, 200, 402),
    8_000_000: Segments(400, 100, 100, 250),
    10_000_000: Segments(300, 100, 100, 200),
}


def registers(bitrate: int, timing: BitTiming | BitTimingFd | None) -> tuple[int, int]:
    """Return bus timing registers 0 and 1.

    Raises:
        UsageError: the controller cannot reach the bit rate exactly, or the timing does not fit its clock.
    """
    if timing is not None:
        return _of_timing(timing)
    if bitrate in REGISTERS:
        return REGISTERS[bitrate]
    found = calculate(F_CLOCK, bitrate, _SJA1000) if bitrate > 0 else None
    if (
        found is None
        or found.brp * (1 + found.prop_seg + found.phase_seg1 + found.phase_seg2) * bitrate != F_CLOCK
    ):
        rates = ", ".join(f"{rate / 1000:g}k" for rate in REGISTERS if rate % 1000 == 0)
        raise UsageError(
            f"ixxat: the controller cannot reach {bitrate} bit/s from its clock of 8 MHz",
            hint=f"such as {rates}",
        )
    tseg1 = found.prop_seg + found.phase_seg1
    timing = BitTiming(None, F_CLOCK, found.brp, tseg1, found.phase_seg2, min(found.sjw, 4))
    return timing.btr0, timing.btr1


def _of_timing(timing: BitTiming | BitTimingFd) -> tuple[int, int]:
    if not isinstance(timing, BitTiming):
        raise UsageError("ixxat: a timing of two phases needs CAN FD", hint="open the bus with fd=true")
    if dict(timing).get("f_clock") not in (None, F_CLOCK):
        try:
            timing = timing.recreate_with_f_clock(F_CLOCK)
        except ValueError as error:
            raise UsageError(f"ixxat: the timing does not fit the clock of 8 MHz: {error}") from error
    return timing.btr0, timing.btr1


def phase(bitrate: int, given: Segments, presets: dict[int, Segments], what: str) -> CANBTP:
    """Return one phase by its bit rate: the preset, with the values of ``given`` that are not None.

    ``what`` is ``abr`` or ``dbr``, the suffix of the settings.

    Raises:
        UsageError: the bit rate is not in the table, and a segment is missing; or a value has no 16 bits.
    """
    preset = presets.get(bitrate, Segments())
    tseg1, tseg2, sjw, tdo = (
        fallback if value is None else value for value, fallback in zip(given, preset, strict=True)
    )
    if bitrate < 1 or tseg1 is None or tseg2 is None or sjw is None:
        rates = ", ".join(f"{rate / 1000:g}k" for rate in presets)
        raise UsageError(
            f"ixxat: bit rate {bitrate} needs tseg1_{what}, tseg2_{what} and sjw_{what}",
            hint=f"rates without them: {rates}",
        )
    if tdo is None or (given.tdo is None and given.tseg1 is not None):
        tdo = tseg1 if what == "dbr" else 0
    for name, value, least in (("tseg1", tseg1, 1), ("tseg2", tseg2, 1), ("sjw", sjw, 1), ("ssp", tdo, 0)):
        if not least <= value <= 0xFFFF:
            raise UsageError(f"ixxat: {name}_{what} {value} is not in {least} to 65535")
    return CANBTP(0, bitrate, tseg1, tseg2, sjw, tdo)


def raw_phases(timing: BitTiming | BitTimingFd, caps: CANCAPABILITIES2) -> tuple[CANBTP, CANBTP]:
    """Return both phases of a timing in the controller's own quanta; a classic timing has one for both.

    Raises:
        UsageError: the controller's clock or limits exclude it.
    """
    clock = caps.dwCanClkFreq
    if dict(timing).get("f_clock") not in (None, clock):
        try:
            timing = timing.recreate_with_f_clock(clock)
        except ValueError as error:
            text = f"ixxat: the timing does not fit the clock of {clock / 1e6:g} MHz: {error}"
            raise UsageError(text) from error
    mode = constants.CAN_BTMODE_RAW
    if isinstance(timing, BitTimingFd):
        nominal = CANBTP(mode, timing.nom_brp, timing.nom_tseg1, timing.nom_tseg2, timing.nom_sjw, 0)
        segments = (timing.data_tseg1, timing.data_tseg2, timing.data_sjw, 1 + timing.data_tseg1)
        data = CANBTP(mode, timing.data_brp, *segments)
    else:
        triple = constants.CAN_BTMODE_TSM if timing.nof_samples == 3 else 0
        nominal = CANBTP(mode | triple, timing.brp, timing.tseg1, timing.tseg2, timing.sjw, 0)
        data = CANBTP(mode, timing.brp, timing.tseg1, timing.tseg2, timing.sjw, 0)
    _check(nominal, caps.sSdrRangeMin, caps.sSdrRangeMax, "nominal")
    if isinstance(timing, BitTimingFd):
        _check(data, caps.sFdrRangeMin, caps.sFdrRangeMax, "data")
    return nominal, data


def _check(wanted: CANBTP, least: CANBTP, most: CANBTP, what: str) -> None:
    names = {"dwBPS": "prescaler", "wTS1": "tseg1", "wTS2": "tseg2", "wSJW": "sjw"}
    for field, noun in names.items():
        value, low, high = getattr(wanted, field), getattr(least, field), getattr(most, field)
        if not low <= value <= high:
            raise UsageError(f"ixxat: the {what} {noun} {value} is not in {low} to {high}")
