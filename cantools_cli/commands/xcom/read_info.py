"""``canx xcom read-info``: reads the present measurements of a device."""

from __future__ import annotations

from typing import Annotated

from cantools_cli.console.options import argument, flag
from cantools_cli.console.run import Run
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.reading import print_readings
from cantools_cli.console.xcom.shared import ReadingLink


def read_info_command(
    infos: Annotated[list[str], argument("INFO...", "A number, part of a name, or xt2:NUMBER.")],
    device: shared.DeviceName = None,
    as_json: shared.Json = False,
    value_only: Annotated[bool, flag("--value", "Print only the number.")] = False,
    *,
    link: ReadingLink,
    run: Run,
) -> int:
    """Read user infos: what a device measures now.

    If one cannot be read, the others still are, and the status is 3.

    \b
    canx xcom read-info 3000
    canx xcom read-info 'Battery cycle phase' --device xt1
    canx xcom read-info 3000 vt1:11004 bsp:7002 --json
    """
    return print_readings(
        link, run.report, infos, "info", device, [None], as_json=as_json, value_only=value_only
    )
