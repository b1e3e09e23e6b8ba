"""The command line: the table of commands, and the one place that turns an error into a message."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

#: name -> summary in ``canx --help``; a command is ``NAME_command`` in ``commands/NAME.py``, imported when it
#: runs. A group is a package there, with a table of its own.
COMMANDS = {
    "dump": "Print or log the frames of one or more buses.",
    "send": "Send frames, from arguments or from stdin, to a bus.",
    "convert": "Convert a log, or a stream of frames, to another format.",
    "replay": "Send a log to buses with its original timing.",
    "bridge": "Forward the frames of each bus to the others.",
    "serve": "Serve buses over TCP to socketcand clients.",
    "sniff": "Watch buses: one row per identifier, with periods and changes.",
    "db": "Show, check and compare databases of signals.",
    "plot": "Plot signals, bytes, rates and loads over time.",
    "gen": "Generate frames, to stdout, a file or a bus.",
    "list": "List available buses, interfaces and formats.",
    "decode": "Decode frames to the values of their signals, by a database.",
    "xcom": "Studer Xcom-CAN: read, write and monitor an installation.",
}
#: the environment variable with which a shell's script asks for completions
_COMPLETING = "_CANX_COMPLETE"
_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class _Plain:
    """Converts a parameter without pydantic, whose import takes longer than sending a frame."""

    def __init__(self, convert: Any) -> None:
        self._convert = convert

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        many = param.multiple or param.nargs == -1
        if value is None:
            return () if many else None
        try:
            return tuple(self._convert(element) for element in value) if many else self._convert(value)
        except ValueError as error:
            from cantools_cli.errors import quoted

            raise typer.BadParameter(
                f"{quoted(value)} is not a whole number", ctx=ctx, param=param
            ) from error


class _PlainParameters:
    """Mixin of a command that converts its parameters, including ``--help``, without pydantic."""

    def get_params(self, ctx: Any) -> Any:
        params = super().get_params(ctx)  # type: ignore[misc]  # of the typer class it is mixed into
        for param in params:
            kind = getattr(getattr(param, "type_descriptor", None), "annotation", str)
            param._runtime_param = _Plain(kind if kind in (int, float, bool) else str)
        if _COMPLETING in os.environ:
            from cantools_cli.console import completion

            completion.use(params)
        return params

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line; optional arguments are in brackets."""
        arguments = [param for param in self.get_params(ctx) if param.param_type_name == "argument"]
        pieces = super().collect_usage_pieces(ctx)  # type: ignore[misc]  # of the typer class it is mixed into
        first = len(pieces) - len(arguments) - (1 if isinstance(self, TyperGroup) else 0)
        pieces[first : first + len(arguments)] = [_usage_name(argument) for argument in arguments]
        return list(pieces)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections on arguments and options."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):
            if param.param_type_name == "argument":
                sections["Arguments"].append((str(param.metavar or param.name), param.help or ""))
            elif (record := param.get_help_record(ctx)) is not None:
                sections["Options"].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
        if isinstance(self, Commands):
            self.format_commands(ctx, formatter)


def _usage_name(argument: Any) -> str:
    name = str(argument.metavar or argument.name)
    return name if argument.required or name.startswith("[") else f"[{name}]"


class Command(_PlainParameters, TyperCommand):
    """A command whose parameters are plain text, numbers and flags; ``units`` parses the text further."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        from cantools_cli.console.spellings import respelled

        known = {name for param in self.params for name in param.opts if param.param_type_name == "option"}
        return super().parse_args(ctx, respelled(args, known))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # typer would make it status 1
            _abandon_stdout()
            raise typer.Exit(141) from None


class Commands(_PlainParameters, TyperGroup):
    """Commands by name, each imported on use.

    Attributes:
        table: name -> summary in the help.
        package: the package of their modules.
    """

    table = COMMANDS
    package = "cantools_cli.commands"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands = cast("Any", dict.fromkeys(self.table))  # the names, for suggestions

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name == "help" and self.table is COMMANDS:
            return _as_command(help_of, "help")
        if cmd_name not in self.table:
            return None
        name = cmd_name.replace("-", "_")
        module = import_module(f"{self.package}.{name}")
        function = getattr(module, f"{name}_command")
        if hasattr(module, "COMMANDS"):
            return _as_group(function, cmd_name, module.COMMANDS, module.__name__)
        return _as_command(function, cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.table.items()))

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        from typer._click.shell_completion import CompletionItem

        return [
            CompletionItem(name, help=text)
            for name, text in self.table.items()
            if name.startswith(incomplete)
        ]


def _as_command(function: Any, name: str) -> Any:
    from cantools_cli.console.bundles import unbundled

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, cls=Command, context_settings=_SETTINGS)(unbundled(function))
    return typer.main.get_command(app)


def _as_group(
    function: Any, name: str, table: dict[str, str], package: str, *, add_completion: bool = False
) -> Any:
    """Return a group of the commands in ``table``; ``function`` runs first."""
    app = typer.Typer(
        name=name,
        cls=type(f"Commands of {name}", (Commands,), {"table": table, "package": package}),
        add_completion=add_completion,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_SETTINGS,
        invoke_without_command=True,
    )
    app.callback()(function)
    return typer.main.get_command(app)


def _complete_command(ctx: typer.Context, args: list[str], incomplete: str) -> list[tuple[str, str]]:
    """Return the commands that can follow the words typed after ``canx help``."""
    words = ctx.params.get("command") or []
    table = COMMANDS if words else COMMANDS | _TOPICS
    for word in words:
        module = import_module(f"cantools_cli.commands.{word}") if word in table else None
        table = getattr(module, "COMMANDS", {})
    return [(name, text) for name, text in table.items() if name.startswith(incomplete)]


#: topics of ``canx help`` in addition to commands, and their manual pages
MANUALS = {
    "adapters": "canx-adapters.7",
    "filters": "canx-filters.7",
    "formats": "canx-formats.7",
    "vendors": "canx-vendors.7",
}
_TOPICS = {name: f"The manual of {name}." for name in MANUALS}


def help_of(
    ctx: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND...", help="The command to explain.", autocompletion=_complete_command
        ),
    ] = None,
) -> None:
    """Show the help of a command, as `canx COMMAND --help` does, or the manual of a topic."""
    assert ctx.parent is not None
    if command and command[0] in MANUALS and len(command) == 1:
        from cantools_cli.console.manual import show

        show(MANUALS[command[0]])
        return
    with ExitStack() as stack:
        context: Any = ctx.parent
        for name in command or ():
            table = getattr(context.command, "table", {})
            subcommand = context.command.get_command(context, name) if table else None
            if subcommand is None:
                known = f"; there are {', '.join(table)}" if table else ""
                from cantools_cli.errors import quoted

                raise typer.BadParameter(f"no such command {quoted(name)}{known}")
            context = stack.enter_context(
                subcommand.make_context(name, [], parent=context, resilient_parsing=True)
            )
        typer.echo(context.command.get_help(context))


def canx(
    ctx: typer.Context,
    version: bool = typer.Option(
        False, "--version", help="Show versions, and whether the kernels are compiled."
    ),
    as_json: bool = typer.Option(False, "--json", help="With --version: print a JSON object."),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    """A Unix toolbox for CAN buses: frames flow through pipes.

    \b
    canx dump can0 | canx convert -o trace.blf      record a bus
    canx send vcan0 123#DEADBEEF                    send a frame
    canx gen -n 1000 | canx convert --to asc        generate frames as ASC

    `canx help COMMAND` explains a command, `man canx` everything.
    """
    if version:
        from cantools_cli.commands.version import print_version

        print_version(as_json=as_json)
        raise typer.Exit
    if as_json:
        raise typer.BadParameter("--json has no effect without --version; commands have their own")
    if ctx.invoked_subcommand is None:
        sys.stderr.write(ctx.get_help() + "\n")
        raise typer.Exit(2)


def _group() -> Any:
    return _as_group(canx, "canx", COMMANDS, "cantools_cli.commands", add_completion=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status, or by the signal that ended it."""
    _open_standard_streams()
    status = run(list(sys.argv[1:] if arguments is None else arguments))
    if status in (129, 130, 143):
        from cantools_cli.console.interruption import end_by

        end_by(status - 128)
    sys.exit(status)


def _open_standard_streams() -> None:
    """Open /dev/null on any of descriptors 0 to 2 that is closed, or the next opened file would become one.

    Reading from a closed stdin and writing to a closed stdout still fail.
    """
    for descriptor, failing in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_RDWR)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, failing)  # the lowest free descriptor, this one
            if descriptor == 1:
                sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # for ``print``


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status; every error is reported here, on one line of stderr.

    0: done. 1: the answer is no. 2: wrong usage or bad input. 3: a bus, device or disk failed. 128+n: ended
    by signal n.
    """
    debug = "--debug" in arguments
    try:
        if arguments[:1] in (["--install-completion"], ["--show-completion"]):
            from cantools_cli.console.completion import install_or_show

            return install_or_show(*arguments)
        if _COMPLETING in os.environ:
            from cantools_cli.console import completion

            group = _group()  # it registers typer's own classes
            completion.register()
            group.main(args=arguments, prog_name="canx", standalone_mode=False)
        result = _group().main(args=arguments, prog_name="canx", standalone_mode=False)
        _flush_stdout()
        return result if isinstance(result, int) else 0
    except BaseException as error:
        if debug and not isinstance(error, SystemExit | typer.Exit):
            from traceback import print_exc

            print_exc()
        return status_of(error)


def _flush_stdout() -> None:
    """Write the buffer of ``print``; at exit, Python would report a failure as a traceback.

    Raises:
        OSError: stdout cannot be written.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise typer.Exit(141) from None
    except OSError as error:
        _abandon_stdout()
        error.filename = "-"
        raise


def status_of(error: BaseException) -> int:
    """Report ``error`` to the user, and return its exit status."""
    from cantools_cli.console.report import print_error, say

    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, typer.Abort | KeyboardInterrupt):
        return 130
    if type(error).__name__ == "Stopped":
        return 128 + int(getattr(error, "signum", 2))
    if hasattr(error, "format_message"):  # an error of typer, such as an unknown option
        say(error.format_message())
        context = getattr(error, "ctx", None)
        if context is not None:
            sys.stderr.write(f"hint: {context.command_path} --help\n")
        return int(getattr(error, "exit_code", 2))
    status = getattr(error, "exit_status", None)
    if status is not None:
        print_error(error)
        return int(status)
    if isinstance(error, OSError):
        print_error(error)
        return 2 if isinstance(error, _WRONG_NAMES) else 3
    say(f"internal error: {type(error).__name__}: {error}")
    sys.stderr.write("hint: please report it with the output of --debug\n")
    return 3


#: of a wrong file name; any other error of the system is a disk or a device that failed
_WRONG_NAMES = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError)


def _abandon_stdout() -> None:
    """Redirect stdout to /dev/null, or Python would report the failure again when it flushes at exit."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
    except OSError:
        pass
