"""``canx xcom read-param``: reads the values of parameters."""

from __future__ import annotations

from typing import Annotated

from cantools_cli.console.options import argument, checked, flag, option
from cantools_cli.console.run import Run
from cantools_cli.console.xcom import shared
from cantools_cli.console.xcom.reading import print_readings
from cantools_cli.console.xcom.shared import ReadingLink
from cantools_cli.xcom.codec import Part

_PARTS = {
    "flash": [Part.FLASH],
    "min": [Part.MIN],
    "max": [Part.MAX],
    "ram": [Part.RAM],
    "all": [Part.FLASH, Part.MIN, Part.MAX],
}


def read_param_command(
    parameters: Annotated[list[str], argument("PARAMETER...", "A number, part of a name, or xt2:NUMBER.")],
    device: shared.DeviceName = None,
    part: Annotated[
        str, option("--part", "flash|min|max|ram|all", "Which value; ram reads as flash.")
    ] = "flash",
    as_json: shared.Json = False,
    value_only: Annotated[bool, flag("--value", "Print only the number.")] = False,
    *,
    link: ReadingLink,
    run: Run,
) -> int:
    """Read parameters: their value, minimum and maximum.

    RAM cannot be read: --part ram returns the value in flash. If one parameter cannot be read, the others
    still are, and the status is 3.

    \b
    canx xcom read-param 1286
    canx xcom read-param 'Floating voltage' --device xt1 --part all
    canx xcom read-param xt1:1107 xt2:1107 --json
    """
    checked(part, "--part", _PARTS)
    return print_readings(
        link,
        run.report,
        parameters,
        "parameter",
        device,
        _PARTS[part],
        as_json=as_json,
        value_only=value_only,
    )
