"""The settings of a bus, checked without the hardware."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from cantools_cli.backends.ixxat import timing
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import BusState
from cantools_cli.errors import UsageError, quoted


@dataclass(frozen=True)
class Options:
    """The settings of a controller, already checked."""

    rx_fifo_size: int
    tx_fifo_size: int
    extended: bool = True
    bitrate: int = 500_000
    data_bitrate: int = 2_000_000
    nominal: timing.Segments = timing.NO_SEGMENTS
    data: timing.Segments = timing.NO_SEGMENTS
    timing: BitTiming | BitTimingFd | None = None

    def check(self, is_fd: bool) -> None:
        """Check the bit timing, as far as it does not depend on the controller.

        Raises:
            UsageError: a bit rate has no preset, or a value is out of range.
        """
        if not is_fd:
            timing.registers(self.bitrate, self.timing)
        elif self.timing is None:
            self.phases()

    def phases(self) -> tuple[Any, Any]:
        """Return the nominal and the data phase by bit rate."""
        return (
            timing.phase(self.bitrate, self.nominal, timing.NOMINAL, "abr"),
            timing.phase(self.data_bitrate, self.data, timing.DATA, "dbr"),
        )

    def bit_rates(self, is_fd: bool) -> tuple[int, int | None]:
        if isinstance(self.timing, BitTimingFd):
            return self.timing.nom_bitrate, self.timing.data_bitrate
        bitrate = self.bitrate if self.timing is None else self.timing.bitrate
        if not is_fd:
            return bitrate, None
        return bitrate, self.data_bitrate if self.timing is None else bitrate


def channel_number(channel: Any) -> int:
    """Return the number of a channel, which may be text."""
    try:
        number = int(channel)
    except (ValueError, TypeError):
        number = -1
    if number < 0 or isinstance(channel, float):
        text = f"ixxat: channel {quoted(channel)} is not a number from 0 on"
        raise UsageError(text, hint="such as ixxat:0")
    return number


def fifo_size(name: str, size: int | None, default: int) -> int:
    if size is None:
        return default
    if not 0 < size <= 0xFFFF:
        raise UsageError(f"ixxat: {name} {size} is not in 1 to 65535")
    return size


def renamed(old: str, value: Any, other: Any) -> Any:
    """Return the value of a setting that may have its old name."""
    if value is None:
        return other
    warnings.warn(
        f"the setting {old} of ixxat has another name since python-can 4.0", DeprecationWarning, stacklevel=3
    )
    return value if other is None else other


def is_passive(state: Any) -> bool:
    """Return whether the state, or its name, is PASSIVE.

    Raises:
        UsageError: it cannot be set.
    """
    name = state.name if isinstance(state, BusState) else str(state).upper()
    if name not in ("ACTIVE", "PASSIVE"):
        raise UsageError(f"ixxat: the state cannot be set to {quoted(name)}", hint="ACTIVE, PASSIVE")
    return name == "PASSIVE"
