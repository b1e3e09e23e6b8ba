"""python-can's documented utilities.

Source: the python-can manual, "Other Utilities".
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from cantools_cli.config import cast_from_string, load_config, load_environment_config, load_file_config
from cantools_cli.frames import dlc2len, len2dlc

__all__ = [
    "cast_from_string",
    "channel2int",
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

P = ParamSpec("P")
R = TypeVar("R")

#: ``time.time`` steps that are worth waiting for, in seconds
_COARSE = 1e-5
_SUBDEBUG = 9


def channel2int(channel: str | int | None) -> int | None:
    """Return the number at the end of a channel's name (``can0``), or the number that it is; else None."""
    if isinstance(channel, int):
        return channel
    found = re.search(r"[0-9]+$", channel) if isinstance(channel, str) else None
    return int(found[0]) if found else None


def deprecated_args_alias(
    deprecation_start: str = "", deprecation_end: str | None = None, **aliases: str | None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function still take keywords by their old names, each with a ``DeprecationWarning``.

    ``aliases`` are old names and the new ones; None for a keyword that is of no use any more and is
    dropped. The versions, where given, are named in the warning.
    """
    since = f" since version {deprecation_start}" if deprecation_start else ""
    until = f", and will be removed in version {deprecation_end}" if deprecation_end else ""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def renamed(*args: P.args, **kwargs: P.kwargs) -> R:
            for old, new in aliases.items():
                if old not in kwargs:
                    continue
                if new in kwargs:
                    name = function.__qualname__
                    raise TypeError(f"{name} received both {old!r} (deprecated) and {new!r}.")
                instead = f". Use {new!r} instead." if new else "."
                warnings.warn(
                    f"The {old!r} argument is deprecated{since}{until}{instead}",
                    DeprecationWarning,
                    stacklevel=2,
                )
                value = kwargs.pop(old)
                if new:
                    kwargs[new] = value
            return function(*args, **kwargs)

        return renamed

    return decorate


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
    """Return ``time.time()`` and the ``time.perf_counter()`` of that moment.

    Where the clock steps by more than 10 µs, the moment is that of its next step.
    """
    now = time.time()
    if time.get_clock_info("time").resolution > _COARSE:
        before = now
        while now == before:
            now = time.time()
    return now, time.perf_counter()


time_perfcouter_correlation = time_perfcounter_correlation  # as the manual spells it
