"""Keywords by their old names, for functions that take them still."""

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
    """Let a function still take keywords by their old names, each with a ``DeprecationWarning``.

    ``aliases`` are old names and the new ones; None for a keyword that is of no use any more and is
    dropped. The versions, where given, are named in the warning.
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
    """Rename the keywords of a call, or drop them, each with a ``DeprecationWarning``.

    Raises:
        TypeError: a keyword is given by its old and its new name.
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
