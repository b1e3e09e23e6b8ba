"""The settings of a channel, checked before anything is opened."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.systec.constants import BIT_RATES
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bus.base import BusState
from cantools_cli.errors import UsageError, quoted

F_CLOCK = 8_000_000  #: of the controllers of the bus timing registers, in Hz


def ranged(name: str, value: Any, low: int, high: int) -> int:
    """Return the integer ``value`` of a setting.

    Raises:
        UsageError: it is not between ``low`` and ``high``.
    """
    try:
        number = int(value)
    except (ValueError, TypeError):
        raise UsageError(f"systec: {name} {quoted(value)} is not a number") from None
    if not low <= number <= high:
        raise UsageError(f"systec: {name} {number} is not between {low} and {high}")
    return number


def is_passive(state: Any) -> bool:
    """Return whether ``state``, or its name, is PASSIVE.

    Raises:
        UsageError: it is neither ACTIVE nor PASSIVE.
    """
    name = state.name if isinstance(state, BusState) else str(state).upper()
    if name not in ("ACTIVE", "PASSIVE"):
        raise UsageError(f"systec: state {quoted(state)} is neither ACTIVE nor PASSIVE")
    return name == "PASSIVE"


def registers(bitrate: int, word: int | None, timing: Any) -> tuple[int, int | None, str]:
    """Return the bus timing registers as a word, the bit rate, and its description.

    Raises:
        UsageError: the bit rate is not in the table, or the timing does not fit.
    """
    if timing is not None:
        if not hasattr(timing, "btr0"):
            raise UsageError("systec: the module has no CAN FD", hint="use BitTiming instead of BitTimingFd")
        if dict(timing).get("f_clock") not in (None, F_CLOCK):
            try:
                timing = timing.recreate_with_f_clock(F_CLOCK)
            except ValueError as error:
                text = f"systec: the timing does not fit the clock of 8 MHz: {error}"
                raise UsageError(text) from error
        word = timing.btr0 << 8 | timing.btr1
    if word is not None:
        word = ranged("btr0btr1", word, 1, 0xFFFF)
        timing = BitTiming.from_registers(F_CLOCK, word >> 8, word & 0xFF)
        return word, timing.bitrate, f"{word:#06x}"
    if bitrate not in BIT_RATES:
        rates = ", ".join(f"{rate // 1000}k" for rate in BIT_RATES)
        text = f"systec: bit rate {bitrate} is not in the table of the module"
        raise UsageError(text, hint=f"{rates}; or btr0btr1 for a clock of 8 MHz")
    text = "1 MBit/s" if bitrate == 1_000_000 else f"{bitrate // 1000} kBit/sec"
    return int(BIT_RATES[bitrate]), bitrate, text
