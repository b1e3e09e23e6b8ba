"""Old names of keyword arguments, which functions still accept."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def deprecated_args_alias(
    deprecation_start: str = "", deprecation_end: str | None = None, **aliases: str | None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function accept keywords by their old names, with a ``DeprecationWarning``.

    ``aliases`` maps old names to new names; a keyword with None is dropped. The warning names the versions,
    if they are given.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def renamed(*args: P.args, **kwargs: P.kwargs) -> R:
            _rename_kwargs(function.__qualname__, deprecation_start, deprecation_end, kwargs, aliases, 3)
            return function(*args, **kwargs)

        return renamed

    return decorate


def _rename_kwargs(
    func_name: str,
    start: str,
    end: str | None,
    kwargs: dict[str, Any],
    aliases: Mapping[str, str | None],
    stacklevel: int = 2,
) -> None:
    """Rename or drop the deprecated keywords of a call, with a ``DeprecationWarning``.

    Raises:
        TypeError: a keyword has its old and its new name in the same call.
    """
    since = f" since version {start}" if start else ""
    until = f", and will be removed in version {end}" if end else ""
    for old, new in aliases.items():
        if old not in kwargs:
            continue
        if new in kwargs:
            raise TypeError(f"{func_name} received both {old!r} (deprecated) and {new!r}.")
        instead = f". Use {new!r} instead." if new else "."
        text = f"The {old!r} argument is deprecated{since}{until}{instead}"
        warnings.warn(text, DeprecationWarning, stacklevel=stacklevel)
        value = kwargs.pop(old)
        if new:
            kwargs[new] = value
