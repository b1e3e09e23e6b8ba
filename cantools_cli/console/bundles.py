"""Options that several commands share, as dataclasses: a command has one parameter for each bundle.

A field annotated with a ``typer.Option`` is an option of every command that has the bundle; code alone sets
other fields. A subclass adds options after those of its base, or makes a field one by annotating it again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_type_hints


@cache
def _parameters(bundle: type) -> list[inspect.Parameter]:
    """Return the options of ``bundle`` as parameters, in the order of its fields."""
    hints = get_type_hints(bundle, include_extras=True)
    return [
        inspect.Parameter(
            option.name, inspect.Parameter.KEYWORD_ONLY, default=option.default, annotation=hints[option.name]
        )
        for option in fields(bundle)
        if hasattr(hints[option.name], "__metadata__")
    ]


def unbundled(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``command`` with a parameter for each option of its bundles, as typer expects it."""
    parameters: list[inspect.Parameter] = []
    bundles: dict[str, type] = {}
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        kind = parameter.annotation
        if isinstance(kind, type) and is_dataclass(kind):
            bundles[parameter.name] = kind
            parameters += _parameters(kind)
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    def call(**values: Any) -> Any:
        for name, kind in bundles.items():
            values[name] = kind(**{option.name: values.pop(option.name) for option in _parameters(kind)})
        return command(**values)

    call.__doc__ = command.__doc__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer looks at
    call.__annotations__ = {}  # evaluated already
    return call


def spelled(bundle: object) -> dict[str, object]:
    """Return the options of ``bundle`` as they are spelled on the command line, with their values."""
    kind: Any = type(bundle)
    return {
        parameter.annotation.__metadata__[0].default: getattr(bundle, parameter.name)
        for parameter in _parameters(kind)
    }
