"""``canx xcom list``: searches the table of objects."""

from __future__ import annotations

from typing import Annotated

import typer

from cantools_cli.console import options
from cantools_cli.console.options import check_effect, checked
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.shared import print_json
from cantools_cli.xcom.addresses import FAMILIES
from cantools_cli.xcom.objects import KINDS, XcomObject, search
from cantools_cli.xcom.values import format_number


def list_command(
    pattern: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATTERN...", help="Words in the number, name, unit or menu; all must match."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="parameter|info|message", help="Only objects of this kind."),
    ] = None,
    family: Annotated[
        str | None, typer.Option("--family", metavar="NAME", help="Only of xt, vt, vs, bsp, bms or rcc.")
    ] = None,
    as_json: shared.Json = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Limits, labels and menus as well.", show_default=False)
    ] = False,
    debug: options.Debug = False,
) -> int:
    """Search the table of parameters, infos and messages; no bus is needed.

    Columns are separated by tabs: number, kind, family, name, unit. Limits and defaults are those of 48 V and
    230 V systems; a device has its own. The status is 1 if nothing is found.

    \b
    canx xcom list voltage --family vt
    canx xcom list 1286 -v
    canx xcom list --kind message fan
    """
    if kind is not None:
        checked(kind, "--kind", KINDS)
    if family is not None:
        checked(family, "--family", FAMILIES)
    if as_json:
        check_effect({"--verbose": verbose}, "--json has all of it")
    found = list(search(" ".join(pattern or ()), kind, family))
    for one in found:
        if as_json:
            print_json(_as_json(one))
        else:
            print(*(str(one.number), one.kind, one.family, one.name, one.unit or one.level), sep="\t")
            if verbose:
                _print_details(one)
    return 0 if found else 1


def _as_json(one: XcomObject) -> dict[str, object]:
    return {
        "number": one.number,
        "kind": one.kind,
        "family": one.family,
        "name": one.name,
        "unit": one.unit or None,
        "format": one.format or None,
        "default": one.default,
        "min": one.minimum,
        "max": one.maximum,
        "step": one.step or None,
        "level": one.level or None,
        "options": one.options,
        "section": one.section or None,
        "note": one.note or None,
    }


def _print_details(one: XcomObject) -> None:
    numbers = (("default", one.default), ("min", one.minimum), ("max", one.maximum))
    details = [f"{name} {format_number(value)}" for name, value in numbers if value is not None]
    details += [f"{name} {text}" for name, text in (("step", one.step), ("level", one.level)) if text]
    if details:
        print("   ", ", ".join(details))
    if one.options:
        print("   ", ", ".join(f"{value} {label}" for value, label in one.options.items()))
    for text in (one.section, one.note):
        if text:
            print("   ", text)
