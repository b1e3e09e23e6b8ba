"""The setup string of a USB2CAN adapter: its serial number and the bit timing.

::

    ED000200; 500                 a bit rate of the library's table, in kbit/s
    ED000200; 0; 13; 2; 1; 40     tseg1, tseg2, sjw and brp for the clock of 32 MHz: 50 kbit/s

For a bit rate that is not in its table, the library silently selects 125 kbit/s.

Sources: the driver ``usb2can`` of 8devices in the VSCP project (fields, table); Linux
``drivers/net/can/usb/usb_8dev.c`` (limits).
"""

from __future__ import annotations

from typing import Any

from cantools_cli.bit_timing.calculator import Limits, calculate
from cantools_cli.errors import UsageError, quoted

F_CLOCK = 32_000_000  #: of the controller, in Hz
MAX_BITRATE = 1_000_000
#: bit rates of the library's table, in bit/s
TABLE = (125_000, 250_000, 500_000, 800_000, 1_000_000)
LIMITS = Limits((1, 16), (1, 8), 4, (1, 1024))

_SAMPLE_POINT = 875  # tenths of a percent
_MAX_ERROR = 0.0005  # of the bit rate


def connector(serial: str, bitrate: int, timing: Any = None) -> tuple[str, int]:
    """Return the setup string, and the bit rate in bit/s that it selects.

    ``timing`` is a ``BitTiming`` for any clock, and overrides ``bitrate``, which is limited to 1 Mbit/s.

    Raises:
        UsageError: the serial number cannot be part of a setup string, or the adapter cannot reach the bit
            rate or the timing.
    """
    if not serial.isascii() or not serial.isprintable() or ";" in serial:
        raise UsageError(
            f"usb2can: {quoted(serial)} is not a serial number", hint="it has 8 letters and digits"
        )
    if timing is not None:
        return _with_timing(serial, timing)
    bitrate = min(bitrate, MAX_BITRATE)
    if bitrate in TABLE:
        return f"{serial}; {bitrate // 1000}", bitrate
    found = calculate(F_CLOCK, bitrate, LIMITS, _SAMPLE_POINT) if bitrate > 0 else None
    if found is None or abs(found.bitrate - bitrate) > _MAX_ERROR * bitrate:
        near = f"; the nearest is {found.bitrate}" if found is not None else ""
        raise UsageError(
            f"usb2can: the adapter cannot reach {bitrate} bit/s from its clock of 32 MHz{near}",
            hint="common bit rates: 125000, 250000, 500000, 1000000",
        )
    tseg1 = found.prop_seg + found.phase_seg1
    return _explicit(serial, tseg1, found.phase_seg2, 1, found.brp), found.bitrate


def _with_timing(serial: str, timing: Any) -> tuple[str, int]:
    if not hasattr(timing, "tseg1"):
        raise UsageError("usb2can: the adapter has no CAN FD", hint="use BitTiming instead of BitTimingFd")
    clock = dict(timing).get("f_clock")
    if clock != F_CLOCK:
        try:
            timing = timing.recreate_with_f_clock(F_CLOCK)
        except ValueError as error:
            raise UsageError(f"usb2can: the timing does not fit the clock of 32 MHz: {error}") from error
    return _explicit(serial, timing.tseg1, timing.tseg2, timing.sjw, timing.brp), timing.bitrate


def _explicit(serial: str, tseg1: int, tseg2: int, sjw: int, brp: int) -> str:
    return f"{serial}; 0; {tseg1}; {tseg2}; {sjw}; {brp}"
