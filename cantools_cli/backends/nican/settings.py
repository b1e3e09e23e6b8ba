"""The settings of an interface as attributes of NI-CAN.

Source: National Instruments, NI-CAN Hardware and Software Manual, "ncConfig" and "Baud Rate".
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from cantools_cli.backends.nican import library as ni
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.errors import UsageError, quoted

F_CLOCK = 8_000_000  #: of the controllers, in Hz

#: numbers and values of attributes
Attributes = list[tuple[int, int]]


def encoded(channel: str) -> bytes:
    """Return the name of an interface as NI-CAN takes it.

    Raises:
        UsageError: it is not a text in ASCII.
    """
    try:
        return channel.encode("ascii")
    except (UnicodeEncodeError, AttributeError) as error:
        text = f"nican: channel {quoted(channel)} is not the name of an interface"
        raise UsageError(text, hint="such as CAN0") from error


def optional(
    listen_only: bool, receive_own_messages: bool, read_queue: int | None, write_queue: int | None
) -> Attributes:
    """Return the attributes of settings that are given.

    Raises:
        UsageError: the length of a queue is invalid.
    """
    modes = ((ni.LISTEN_ONLY, listen_only), (ni.SELF_RECEPTION, receive_own_messages))
    settings = [(key, 1) for key, is_on in modes if is_on]
    for name, key, frames in (
        ("read_queue", ni.READ_QUEUE, read_queue),
        ("write_queue", ni.WRITE_QUEUE, write_queue),
    ):
        if frames is not None:
            if not 0 <= frames < 1 << 32:
                raise UsageError(f"nican: {name} {frames} is not a number of frames")
            settings.append((key, frames))
    return settings


def baud_rate(bitrate: int | None, timing: Any, btr0btr1: int | None) -> Attributes:
    """Return the attribute of the bit rate; empty for the one that is set in MAX.

    Raises:
        UsageError: several settings determine it, or one is invalid.
    """
    if sum(value is not None for value in (bitrate, timing, btr0btr1)) > 1:
        raise UsageError("nican: only one of bitrate, timing and btr0btr1 can be given")
    if bitrate is not None:
        if not 0 < bitrate < ni.REGISTERS:
            raise UsageError(f"nican: bitrate {bitrate} is not above 0")
        return [(ni.BAUD_RATE, bitrate)]
    if timing is not None:
        btr0, btr1 = _registers(timing)
    elif btr0btr1 is not None:
        if not 0 <= btr0btr1 <= 0xFFFF:
            raise UsageError(f"nican: btr0btr1 {btr0btr1:#x} has more than 16 bits")
        btr0, btr1 = divmod(btr0btr1, 0x100)
    else:
        return []
    return [(ni.BAUD_RATE, ni.REGISTERS | btr1 << 8 | btr0)]


def bit_rate(bitrate: int | None, timing: Any, btr0btr1: int | None) -> int | None:
    """Return the bit rate of valid settings, None if MAX or impossible registers determine it."""
    if btr0btr1 is not None:
        with suppress(ValueError):
            return BitTiming.from_registers(F_CLOCK, *divmod(btr0btr1, 0x100)).bitrate
        return None
    return bitrate if timing is None else int(timing.bitrate)


def _registers(timing: Any) -> tuple[int, int]:
    if not hasattr(timing, "btr0"):
        raise UsageError("nican: NI-CAN has no CAN FD", hint="use BitTiming instead of BitTimingFd")
    try:
        fitting = timing if timing.f_clock == F_CLOCK else timing.recreate_with_f_clock(F_CLOCK)
    except ValueError as error:
        raise UsageError(f"nican: the timing does not fit the clock of 8 MHz: {error}") from error
    return fitting.btr0, fitting.btr1
