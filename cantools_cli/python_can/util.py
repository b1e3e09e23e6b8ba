"""python-can's documented utilities.

Source: the python-can manual, "Other Utilities".
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from cantools_cli.bus.config import cast_from_string, load_config, load_environment_config, load_file_config
from cantools_cli.bus.keywords import (
    _rename_kwargs,  # noqa: F401  # imported by python-can's own tests
    deprecated_args_alias,
)
from cantools_cli.frame.bits import dlc2len, len2dlc

if TYPE_CHECKING:
    from cantools_cli.bit_timing.classic import BitTiming, BitTimingFd

    Timing = TypeVar("Timing", BitTiming, BitTimingFd)

__all__ = [
    "cast_from_string",
    "channel2int",
    "check_or_adjust_timing_clock",
    "deprecated_args_alias",
    "dlc2len",
    "len2dlc",
    "load_config",
    "load_environment_config",
    "load_file_config",
    "set_logging_level",
    "time_perfcounter_correlation",
    "time_perfcouter_correlation",
]

#: ``time.time`` steps that are worth waiting for, in seconds
_COARSE = 1e-5
_SUBDEBUG = 9


def channel2int(channel: str | int | Sequence[int] | None) -> int | None:
    """Return a channel number, or the number at the end of a channel name (``can0``), or None."""
    if isinstance(channel, int):
        return channel
    match = re.search(r"[0-9]+$", channel) if isinstance(channel, str) else None
    return int(match[0]) if match else None


def check_or_adjust_timing_clock(timing: Timing, valid_clocks: Iterable[int]) -> Timing:
    """Return ``timing`` with one of the clocks of a device, in Hz.

    That of ``timing`` where the device has it; else the first with which the bit rate and about the same
    sample point can be had, and a ``UserWarning``.

    Raises:
        CanInitializationError: it can be had with no clock.
    """
    clocks = list(valid_clocks)
    if timing.f_clock in clocks:
        return timing
    for clock in clocks:
        try:
            adjusted = timing.recreate_with_f_clock(clock)
        except ValueError:
            continue
        name = type(timing).__name__
        warnings.warn(f"Adjusted f_clock in {name} from {timing.f_clock} to {clock}", stacklevel=2)
        return adjusted
    from cantools_cli.errors import CanInitializationError

    raise CanInitializationError(
        f"The specified timing.f_clock value {timing.f_clock} doesn't match any of the allowed device "
        f"f_clock values: {', '.join(map(str, clocks))}"
    )


def _create_bus_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return ``config`` with values of the documented types and the ``timing`` that it describes.

    Raises:
        CanInterfaceNotImplementedError: the interface is not known, or none is named.
        ValueError, TypeError: a value cannot be.
    """
    from cantools_cli.bus.config import _check
    from cantools_cli.errors import CanInterfaceNotImplementedError
    from cantools_cli.plugins import DOCUMENTED_INTERFACES, is_interface

    values = {"interface": None, "channel": None, **config}
    name = values["interface"]
    if name is None or not (name in DOCUMENTED_INTERFACES or is_interface(name)):
        raise CanInterfaceNotImplementedError(f'Unknown interface type "{name}"')
    for key, value in values.items():
        values[key] = cast_from_string(value) if isinstance(value, str) else value
    _check(values)
    return values


def set_logging_level(level_name: str | None = None) -> None:
    """Set the level of the logger ``can``.

    ``level_name`` is critical, error, warning, info, debug or subdebug; anything else means debug.
    """
    import logging

    names = ("critical", "error", "warning", "info", "debug")
    known = {name: getattr(logging, name.upper()) for name in names}
    known["subdebug"] = _SUBDEBUG
    logging.getLogger("can").setLevel(known.get((level_name or "debug").lower(), logging.DEBUG))


def time_perfcounter_correlation() -> tuple[float, float]:
    """Return ``time.time()`` and ``time.perf_counter()`` of the same moment.

    Where the clock steps by more than 10 µs, the moment is that of its next step.
    """
    now = time.time()
    if time.get_clock_info("time").resolution > _COARSE:
        before = now
        while now == before:
            now = time.time()
    return now, time.perf_counter()


time_perfcouter_correlation = time_perfcounter_correlation  # as the manual spells it
