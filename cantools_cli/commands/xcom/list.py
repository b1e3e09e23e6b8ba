"""``canx xcom list``: searches the table of objects."""

from __future__ import annotations

from typing import Annotated

from cantools_cli.console import options
from cantools_cli.console.options import argument, check_effect, checked, flag, option
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.shared import print_json
from cantools_cli.xcom.addresses import FAMILIES
from cantools_cli.xcom.objects import KINDS, XcomObject, search
from cantools_cli.xcom.values import format_number


def list_command(
    pattern: Annotated[
        list[str] | None, argument("PATTERN...", "Words in the number, name, unit or menu; all must match.")
    ] = None,
    kind: Annotated[
        str | None, option("--kind", "parameter|info|message", "Only objects of this kind.")
    ] = None,
    family: Annotated[str | None, option("--family", "NAME", "Only of xt, vt, vs, bsp, bms or rcc.")] = None,
    as_json: shared.Json = False,
    verbose: Annotated[
        bool, flag("--verbose -v", "Limits, labels and menus as well.", show_default=False)
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
    items = list(search(" ".join(pattern or ()), kind, family))
    for item in items:
        if as_json:
            print_json(_as_json(item))
        else:
            print(*(str(item.number), item.kind, item.family, item.name, item.unit or item.level), sep="\t")
            if verbose:
                _print_details(item)
    return 0 if items else 1


def _as_json(item: XcomObject) -> dict[str, object]:
    return {
        "number": item.number,
        "kind": item.kind,
        "family": item.family,
        "name": item.name,
        "unit": item.unit or None,
        "format": item.format or None,
        "default": item.default,
        "min": item.minimum,
        "max": item.maximum,
        "step": item.step or None,
        "level": item.level or None,
        "options": item.options,
        "section": item.section or None,
        "note": item.note or None,
    }


def _print_details(item: XcomObject) -> None:
    numbers = (("default", item.default), ("min", item.minimum), ("max", item.maximum))
    details = [f"{name} {format_number(value)}" for name, value in numbers if value is not None]
    details += [f"{name} {text}" for name, text in (("step", item.step), ("level", item.level)) if text]
    if details:
        print("   ", ", ".join(details))
    if item.options:
        print("   ", ", ".join(f"{value} {label}" for value, label in item.options.items()))
    for text in (item.section, item.note):
        if text:
            print("   ", text)
