"""``canx xcom``: Studer Xcom-CAN. One module per command, imported when it runs."""

from __future__ import annotations

import sys

import typer

#: name -> summary in ``canx xcom --help``; each is ``NAME_command`` in ``NAME.py`` here, with _ for -
COMMANDS = {
    "read-param": "Read parameters: their value, minimum and maximum.",
    "read-info": "Read user infos: what a device measures now.",
    "write-param": "Write a parameter, to RAM by default.",
    "messages": "Print the messages that devices send.",
    "scan": "Find out which devices answer.",
    "monitor": "Read objects repeatedly, as a time series.",
    "list": "Search the table of parameters, infos and messages.",
    "export": "Save all parameters of devices to a TOML file.",
    "apply": "Write the parameters of a TOML file, after showing the changes.",
    "decode": "Explain the Xcom frames in a stream or a log.",
    "simulate": "Simulate a gateway with devices.",
}


def xcom_command(ctx: typer.Context) -> None:
    """Studer Xcom-CAN: read, write and monitor an installation.

    The bus comes from --bus, else from CAN_INTERFACE and CAN_CHANNEL or the configuration. An object is a
    number, or a unique part of its name; xt2:1286 is object 1286 of the second Xtender.

    \b
    canx xcom simulate virtual:xcom &
    export CAN_INTERFACE=virtual CAN_CHANNEL=xcom
    canx xcom read-param 1286
    canx xcom read-info 3000 'State of charge' --device xt1
    canx xcom write-param 1286 231.5

    `canx xcom COMMAND --help` explains a command, `man canx-xcom` everything.
    """
    if ctx.invoked_subcommand is None:
        sys.stderr.write(ctx.get_help() + "\n")
        raise typer.Exit(2)
