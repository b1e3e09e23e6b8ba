"""The times of frames that an slcan adapter stamps."""

from __future__ import annotations

from collections.abc import Sequence

from cantools_cli.backends.transport.device_clock import DeviceClock

_MINUTE_MS, _HOUR_US = 60_000, 3_600_000_000


class StampClock:
    """The times of frames with a counter: milliseconds of 4 digits, or microseconds of 8."""

    def __init__(self) -> None:
        self._clocks: dict[int, tuple[int, DeviceClock]] = {}

    def __call__(self, digits: int, counts: Sequence[int], time_ns: int) -> Sequence[int]:
        whole, tick_ns = (_MINUTE_MS, 1_000_000) if digits == 4 else (_HOUR_US, 1000)
        modulus, clock = self._clocks.get(digits) or (whole, DeviceClock(whole, tick_ns))
        if modulus == whole and max(counts) >= whole:  # firmware that counts on
            modulus = 1 << 4 * digits
            clock = DeviceClock(modulus, tick_ns)
        self._clocks[digits] = modulus, clock
        return clock.times_ns(counts)
