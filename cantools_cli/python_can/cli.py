"""The options of python-can's scripts and the bus they describe; ``can.cli`` of python-can 4.6.

Spellings of 4.1 are accepted as well. With a ``prefix``, as in ``--bus1-channel``, one parser describes
several buses.

Source: the python-can manual, "Scripts".
"""

from __future__ import annotations

import argparse
import errno
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import cantools_cli
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.config import cast_from_string
from cantools_cli.plugins import DOCUMENTED_INTERFACES, SPELLINGS, interface_names

#: settings of a bus that have an option of their own
_SETTINGS = ("channel", "interface", "bitrate", "fd", "data_bitrate", "can_filters", "timing", "bus_kwargs")
_LEVELS = ("critical", "error", "warning", "info", "debug", "subdebug")
#: in a filter's ``can_id``: pass what does not match, as in SocketCAN
_INVERTED = 0x20000000


def add_bus_arguments(
    parser: argparse.ArgumentParser,
    *,
    filter_arg: bool = False,
    prefix: str | None = None,
    group_title: str | None = None,
) -> None:
    """Add the options that describe a bus to ``parser``; an absent option sets no attribute."""
    title = group_title or (f"bus arguments ({prefix})" if prefix else "bus arguments")
    group = parser.add_argument_group(title)
    start = f"{prefix}_" if prefix else ""

    def add(name: str, text: str, *letters: str, **settings: Any) -> None:
        dashed = name.replace("_", "-")
        long = [f"--{prefix}-{dashed}" if prefix else f"--{dashed}"]
        if dashed != name and not prefix:
            long.append(f"--{name}")  # as python-can 4.1 spells it
        settings.setdefault("dest", start + name)
        flags = long if prefix else [*letters, *long]
        group.add_argument(*flags, default=argparse.SUPPRESS, help=text, **settings)

    add("channel", "Channel of the interface, such as can0 or /dev/ttyACM0.", "-c", metavar="CHANNEL")
    add(
        *("interface", "Interface of the bus; default: from the configuration.", "-i"),
        choices=sorted({*DOCUMENTED_INTERFACES, *interface_names(), *SPELLINGS}),
        metavar="INTERFACE",
    )
    add("bitrate", "Bits per second.", "-b", type=int, metavar="BITRATE")
    add("fd", "Open the bus for CAN FD.", action="store_true")
    add("data_bitrate", "Bits per second of CAN FD data.", type=int, metavar="DATA_BITRATE")
    add(
        *("timing", "Bit timing: f_clock=8000000 brp=2 tseg1=5 tseg2=2 sjw=2 nof_samples=1, or that of FD."),
        nargs="+",
        action=_Timing,
        metavar="KEY=VALUE",
    )
    if filter_arg:
        add(
            *("filter", "Pass identifiers that match ID:MASK, or do not match ID~MASK; hexadecimal."),
            dest=f"{start}can_filters",
            nargs="+",
            action=ParsedFilters,
            metavar="FILTER",
        )
    add(
        *("bus_kwargs", "Further settings of the interface, such as app_name=CANalyzer serial=1234."),
        nargs="+",
        action=_BusSettings,
        metavar="KEY=VALUE",
    )


def create_bus_from_namespace(
    namespace: argparse.Namespace, *, prefix: str | None = None, **kwargs: Any
) -> BusABC:
    """Return the bus that parsed options describe; ``kwargs`` are further settings.

    Raises:
        argparse.ArgumentError: the bus cannot be opened; its cause says why.
    """
    config = {"single_handle": True, **kwargs}  # one handle for both directions, if possible
    for name in _SETTINGS:
        value = getattr(namespace, f"{prefix}_{name}" if prefix else name, None)
        if value is not None:
            config.update(value if name == "bus_kwargs" else {name: value})
    try:
        return cantools_cli.Bus(**config)
    except Exception as error:  # an interface of another distribution may raise anything
        raise argparse.ArgumentError(None, str(error)) from error


class ParsedFilters(argparse.Action):
    """Converts ``ID:MASK`` and ``ID~MASK`` to dictionaries."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> None:
        filters = []
        for text in values:
            match = re.fullmatch("([0-9A-Fa-f]{1,8})([:~])([0-9A-Fa-f]{1,8})", text)
            if match is None:
                raise argparse.ArgumentError(self, f"{text!r} is not ID:MASK or ID~MASK, hexadecimal")
            can_id = int(match[1], 16) | (_INVERTED if match[2] == "~" else 0)
            filters.append({"can_id": can_id, "can_mask": int(match[3], 16)})
        setattr(namespace, self.dest, filters)


class _Timing(argparse.Action):
    """Converts ``KEY=VALUE`` to a ``BitTiming`` or ``BitTimingFd``."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> None:
        from cantools_cli.bus.config import bit_timing

        settings = {key: _number(self, text) for key, text in _pairs(self, values)}
        try:
            timing = bit_timing(settings)
        except ValueError as error:
            raise argparse.ArgumentError(self, str(error)) from error
        if timing is None or "f_clock" not in settings:
            raise argparse.ArgumentError(self, f"no complete bit timing: {' '.join(values)}")
        setattr(namespace, self.dest, timing)


class _BusSettings(argparse.Action):
    """Converts ``KEY=VALUE`` to keywords."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> None:
        setattr(namespace, self.dest, {key: cast_from_string(text) for key, text in _pairs(self, values)})


def _pairs(action: argparse.Action, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.replace("-", "_").isidentifier():
            raise argparse.ArgumentError(action, f"{text!r} is not KEY=VALUE")
        yield key.replace("-", "_"), value


def _number(action: argparse.Action, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentError(action, f"{text!r} is not a whole number") from None


class ScriptParser(argparse.ArgumentParser):
    """Prints the help and ends with status 22 if there are no arguments."""

    def parse(self, arguments: Sequence[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
        """Return the options, and further ``--key=value`` arguments as keywords."""
        if not arguments:
            self.print_help(sys.stderr)
            raise SystemExit(errno.EINVAL)
        namespace, unknown = self.parse_known_args(arguments)
        try:
            return namespace, _parse_additional_config([*getattr(namespace, "extra_args", ()), *unknown])
        except ValueError as error:
            self.error(str(error))


def _add_extra_args(parser: Any) -> None:
    parser.add_argument(
        "extra_args",
        nargs=argparse.REMAINDER,
        help="Further --key=value: settings of the interface, or of the reader or writer of the file.",
    )


def _parse_additional_config(unknown_args: Sequence[str]) -> dict[str, Any]:
    """Return the keywords of ``--some-key=value`` arguments; numbers and booleans are converted."""
    keywords = {}
    for argument in unknown_args:
        match = re.fullmatch(r"--([a-zA-Z][a-zA-Z0-9_-]*)=(\S*)", argument)
        if match is None:
            raise ValueError(f"unknown argument {argument!r}: further settings are --key=value")
        keywords[match[1].replace("-", "_")] = cast_from_string(match[2])
    return keywords


def shared_out(
    settings: dict[str, Any], takes: Callable[[str], bool]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split ``settings`` into those that the reader or writer ``takes``, and those of the bus."""
    of_file = {key: value for key, value in settings.items() if takes(key)}
    return of_file, {key: value for key, value in settings.items() if key not in of_file}


def keywords_of(path: str | None, kind: str) -> Callable[[str], bool]:
    """Return a test for the keywords of the ``"reader"`` or ``"writer"`` of the format of ``path``."""
    from inspect import Parameter, signature

    from cantools_cli import plugins

    name = "txt" if path is None else plugins.format_of_suffix(path)[0]
    if name is None:
        return lambda key: False
    known: set[str] = set()
    for ancestor in getattr(plugins, f"{kind}_class")(name).__mro__[:-1]:
        parameters = signature(ancestor.__init__).parameters.values()
        known |= {parameter.name for parameter in parameters if parameter.kind is not Parameter.VAR_KEYWORD}
    return (known - {"self", "args", "file", "channel"}).__contains__


def _set_logging_level_from_namespace(namespace: argparse.Namespace) -> None:
    verbosity = getattr(namespace, "verbosity", None)
    if verbosity is not None:
        cantools_cli.set_logging_level(_LEVELS[min(verbosity, len(_LEVELS) - 1)])


@contextmanager
def ending_well() -> Iterator[None]:
    """Report an error as one line; SIGTERM ends a script like Ctrl-C, with its files closed."""
    handles = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _stop) if handles else None
    try:
        yield
    except _Terminated:
        raise SystemExit(128 + signal.SIGTERM) from None
    except KeyboardInterrupt:
        pass
    except Exception as error:
        _fail(error)
    finally:
        if handles:
            signal.signal(signal.SIGTERM, before)


class _Terminated(KeyboardInterrupt):
    """The process received SIGTERM."""


def _stop(*_: object) -> NoReturn:
    raise _Terminated


def _fail(error: Exception) -> NoReturn:
    from cantools_cli.cli import status_of

    is_wrapped = isinstance(error, argparse.ArgumentError) and isinstance(error.__cause__, Exception)
    raise SystemExit(status_of(error.__cause__ if is_wrapped and error.__cause__ else error)) from error
