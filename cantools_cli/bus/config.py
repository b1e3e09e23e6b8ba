"""Settings of a bus from the program, the environment and the configuration files.

The value of a key comes from the first of these sources that has it:

1. keywords of ``Bus``, the command line
2. ``rc``, which a program may fill
3. ``CAN_INTERFACE_HS``, ``CAN_CHANNEL_HS``, ``CAN_BITRATE_HS``, ``CAN_CONFIG_HS`` (JSON), in the context HS
4. the same names without ``_HS``
5. the section ``[HS]`` of the files
6. the section ``[default]`` of the files

The files are INI text; all are read, and a later one overrides the earlier: ``~/can.conf``,
``/etc/can.conf``, ``~/.can``, ``~/.canrc``; on Windows ``~/can.conf``, ``can.ini`` and ``%APPDATA%/can.ini``.
The last one is
``canx/config.toml`` in the user's configuration folder, with one table per context::

    [default]
    interface = "slcan"
    channel = "/dev/ttyACM0"

    [HS]
    bitrate = 500000

Settings that describe a complete bit timing also become the setting ``timing``: ``f_clock`` and the segments
of CAN FD; ``brp``, or ``bitrate`` and ``f_clock``, with ``tseg1``, ``tseg2``, ``sjw`` and ``nof_samples``;
``btr0`` and ``btr1``.

Source: the python-can manual, "Configuration".
"""

from __future__ import annotations

import operator
import os
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import cantools_cli
from cantools_cli.errors import CanInterfaceNotImplementedError, FormatError, UsageError, quoted

if TYPE_CHECKING:
    from configparser import ConfigParser, Error
    from typing import SupportsIndex

    from cantools_cli.bit_timing.classic import BitTiming, BitTimingFd

AnyFile = Any  # a path, or an open text or binary stream

#: settings of the program for every bus that it opens
rc: dict[str, Any] = {}

#: settings with an environment variable of their own
_VARIABLES = {"interface": "CAN_INTERFACE", "channel": "CAN_CHANNEL", "bitrate": "CAN_BITRATE"}
_SEGMENTS = ("tseg1", "tseg2", "sjw", "nof_samples")
_PHASES = [f"{phase}_{key}" for phase in ("nom", "data") for key in ("brp", "tseg1", "tseg2", "sjw")]
#: the settings of a timing: its class, required keys, optional keys
_TIMINGS = (
    ("BitTimingFd", ("f_clock", *_PHASES), ()),
    ("BitTiming", ("brp", *_SEGMENTS), ("f_clock",)),
    ("BitTiming", ("bitrate", "f_clock", *_SEGMENTS), ()),
    ("BitTiming", ("btr0", "btr1"), ("f_clock",)),
)
#: spellings of a boolean value
TRUTH_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?[0-9]*\.[0-9]+(?:e[-+]?[0-9]+)?")


class Settings(NamedTuple):
    """Settings, and the source of each key."""

    values: dict[str, Any]
    sources: dict[str, str]


def cast_from_string(text: str) -> str | int | float | bool:
    """Return the number or boolean that ``text`` spells, else ``text``.

    ``12``, ``-3``, ``1.5``, ``1.5e3``, ``true`` and ``False`` are converted; ``0x10``, ``1e5`` and ``1.`` are
    not.
    """
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    word = text.lower()
    return word == "true" if word in ("true", "false") else text


def load_config(
    path: AnyFile | None = None, config: dict[str, Any] | None = None, context: str | None = None
) -> dict[str, Any]:
    """Return the settings of a bus, including ``interface`` and ``channel``, from all sources.

    ``config`` contains the caller's settings; ``path`` is a file to read instead of the usual ones. The
    interface may be one of python-can that canx lacks: opening its bus is the error. ``timing`` is added to
    the keys that describe a bit timing.

    A ``context`` without a section means the default section, as in python-can; ``Bus`` and the commands
    refuse such a context.

    Raises:
        CanInterfaceNotImplementedError: the interface is unknown, or not named.
        ValueError: a source is malformed, or has an invalid value.
        TypeError: ``port`` is neither text nor a number.
    """
    from cantools_cli.plugins import DOCUMENTED_INTERFACES, interface_names, is_interface

    values = find_settings(path, config, context).values
    name = values["interface"]
    if name is None or not (name in DOCUMENTED_INTERFACES or is_interface(name)):
        raise CanInterfaceNotImplementedError(
            f'Unknown interface type "{values["interface"]}"', hint=f"known: {', '.join(interface_names())}"
        )
    return values


def find_settings(
    path: AnyFile | None = None,
    config: dict[str, Any] | None = None,
    context: str | None = None,
    asked: str = "the arguments",
) -> Settings:
    """Return the settings from all sources and the source of each; ``interface`` may be None.

    ``asked`` names the source of ``config`` itself.

    Raises:
        ValueError, TypeError: as ``load_config``.
    """
    result = Settings({}, {})
    for name, source in _sources(path, config or {}, context, asked):
        settings = {key: value for key, value in source.items() if key != "bustype"}
        if "bustype" in source:  # the old name
            settings.setdefault("interface", source["bustype"])
        for key, value in settings.items():
            if value is None and key in ("interface", "channel"):
                continue
            if key not in result.values:
                result.values[key] = cast_from_string(value) if isinstance(value, str) else value
                result.sources[key] = name
    result.values.setdefault("interface", None)
    result.values.setdefault("channel", None)
    _check(result.values)
    return result


def load_environment_config(context: str | None = None) -> dict[str, Any]:
    """Return the settings in ``CAN_INTERFACE``, ``CAN_CHANNEL``, ``CAN_BITRATE`` and ``CAN_CONFIG``.

    ``CAN_CONFIG`` is a JSON object; the other variables override it. In a ``context`` the names end in
    ``_CONTEXT``.

    Raises:
        ValueError: ``CAN_CONFIG`` is not a JSON object.
    """
    suffix = f"_{context}" if context else ""
    settings: dict[str, Any] = {}
    text = os.environ.get(f"CAN_CONFIG{suffix}")
    if text:
        import json

        try:
            settings = json.loads(text)
        except json.JSONDecodeError as error:
            raise json.JSONDecodeError(f"CAN_CONFIG{suffix}: {error.msg}", text, error.pos) from error
        except RecursionError as error:
            raise UsageError(f"CAN_CONFIG{suffix} is nested too deeply") from error
        if not isinstance(settings, dict):
            raise UsageError(f"CAN_CONFIG{suffix} is not a JSON object: {quoted(text)}")
    for key, variable in _VARIABLES.items():
        value = os.environ.get(f"{variable}{suffix}")
        if value:
            settings[key] = value
    return settings


def load_file_config(path: AnyFile | None = None, section: str = "default") -> dict[str, Any]:
    """Return the settings in ``section`` of the file ``path``, or of all the usual files.

    ``path`` may be an open stream. A file that does not exist has no settings.

    Raises:
        FormatError: a file is malformed.
    """
    settings: dict[str, Any] = {}
    for _, _, values in _files(path, section):
        settings.update(values)
    return settings


def check_context(context: str | None, origin: str = "") -> None:
    """Check that a file has a section ``context``, or the environment has variables for it.

    ``origin`` is the option or variable that names the context.
    """
    if not context or context == "default" or load_environment_config(context):
        return
    texts = [(name, text) for text, name in map(_text_of, config_files()) if text is not None]
    tables = [item for name, text in texts for item in _tables(text, name).items()]
    known = list(dict.fromkeys(section for section, table in tables if isinstance(table, dict)))
    if context in known:
        return
    if known:
        from difflib import get_close_matches

        near = get_close_matches(context, known, 1, 0.5)
        hint = f"{f'did you mean {near[0]}? ' if near else ''}sections: {', '.join(known)}"
    else:
        hint = f"no configuration file has sections; {config_files()[-1]} may have one"
    where = f"{origin}: " if origin else ""
    raise UsageError(f"{where}no section {quoted(context)} in the configuration", hint=hint)


def config_files() -> list[str]:
    """Return the paths of the configuration files; a later one overrides the earlier."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        data = os.environ.get("APPDATA", "")
        files = [os.path.join(home, "can.conf"), "can.ini", os.path.join(data, "can.ini")]
        folder = data
    else:
        files = [os.path.join(home, "can.conf"), "/etc/can.conf"]
        files += [os.path.join(home, ".can"), os.path.join(home, ".canrc")]
        folder = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(folder):
        folder = os.path.join(home, ".config")
    return [*files, os.path.join(folder, "canx", "config.toml")]


def _sources(
    path: AnyFile | None, config: dict[str, Any], context: str | None, asked: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the settings of each source, the strongest first."""
    yield asked, config
    yield "rc", cantools_cli.rc  # a program may replace the dictionary
    for suffix in [context, None] if context else [None]:
        yield "the environment" + (f" of {suffix}" if suffix else ""), load_environment_config(suffix)
    for section in [context, "default"] if context else ["default"]:
        for file, name, settings in reversed(list(_files(path, section))):
            yield f"{file} [{name}]", settings


def _files(path: AnyFile | None, section: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (name of the file, section, settings) of each existing file, the weakest first."""
    for file in [path] if path is not None else config_files():
        text, name = _text_of(file)
        if text is not None:
            settings = _tables(text, name).get(section, {})
            if not isinstance(settings, dict):
                raise FormatError(f"{section} is not a table: [{section}] begins one", source=name)
            yield name, section, settings


def _text_of(file: AnyFile) -> tuple[str | None, str]:
    """Return the text and the name of a path or an open stream; the text of a missing file is None."""
    if hasattr(file, "read"):
        data = file.read()
        return data if isinstance(data, str) else data.decode("utf-8"), str(getattr(file, "name", "-"))
    name = os.fspath(file)
    try:
        with open(name, encoding="utf-8-sig") as stream:
            return stream.read(), name
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
        return None, name  # such as the home of another user; ignored, as documented
    except UnicodeDecodeError as error:
        raise FormatError("not UTF-8 text", source=name) from error


def _tables(text: str, name: str) -> dict[str, Any]:
    """Return the sections of a configuration file."""
    if name.endswith(".toml"):
        return toml_tables(text, name)
    parser = _ini_parser(text, name)
    return {
        section: {key: _ini_value(parser, section, key) for key in parser[section]}
        for section in parser.sections()
    }


def _ini_parser(text: str, name: str) -> ConfigParser:
    import configparser

    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
    try:
        parser.read_string(text, name)
    except configparser.Error as error:
        raise FormatError(_ini_reason(error), source=name, position=_ini_line(error)) from error
    return parser


def _ini_value(parser: ConfigParser, section: str, key: str) -> str:
    from configparser import InterpolationError

    try:
        return parser.get(section, key)
    except InterpolationError:  # a literal percent sign
        return parser.get(section, key, raw=True)


def _ini_reason(error: Error) -> str:
    from configparser import DuplicateOptionError, DuplicateSectionError, MissingSectionHeaderError

    if isinstance(error, MissingSectionHeaderError):
        return f"no section such as [default] before {quoted(error.line.strip())}"
    if isinstance(error, DuplicateOptionError):
        return f"{quoted(error.option)} is defined twice in [{error.section}]"
    if isinstance(error, DuplicateSectionError):
        return f"[{error.section}] is defined twice"
    return "not of the form KEY = VALUE"


def _ini_line(error: Error) -> int | None:
    faults = getattr(error, "errors", None)  # of a ParsingError: (line, text) each
    line = faults[0][0] if faults else getattr(error, "lineno", None)
    return line if isinstance(line, int) else None


def toml_tables(text: str, name: str) -> dict[str, Any]:
    """Return the contents of the TOML file ``name``, or raise a FormatError."""
    from importlib import import_module

    tomllib: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).partition(" (at line ")
        line = place.partition(",")[0]
        raise FormatError(reason, source=name, position=int(line) if line.isdigit() else None) from error
    except RecursionError as error:
        raise FormatError("nested too deeply", source=name) from error
    return tables


def _check(values: dict[str, Any]) -> None:
    """Convert the settings with rules of their own to their documented types."""
    rules = {"port": _port, "fd": _fd, "bitrate": _rate, "data_bitrate": _rate, "state": _state}
    for key, convert in rules.items():
        if key in values:
            values[key] = convert(values[key])
    if "timing" not in values:
        timing = bit_timing(values)
        if timing is not None:
            values["timing"] = timing


def bit_timing(values: dict[str, Any]) -> BitTiming | BitTimingFd | None:
    """Return the bit timing that the settings describe, or None if they are incomplete."""
    for name, keys, others in _TIMINGS:
        if all(key in values for key in keys):
            from cantools_cli.bit_timing import classic as timing

            parts = {key: values[key] for key in (*keys, *others) if key in values}
            try:
                numbers = {key: _integer(value) for key, value in parts.items()}
                return cast("BitTiming | BitTimingFd", getattr(timing, name)(**numbers))
            except (ValueError, TypeError) as error:
                raise UsageError(f"bit timing: {error}", hint=f"made of {', '.join(parts)}") from error
    return None


def _integer(value: object) -> int:
    return int(value, 0) if isinstance(value, str) else operator.index(cast("SupportsIndex", value))


def _fd(value: object) -> bool:
    """Return ``value`` as a boolean; unlike in python-can, ``no`` is false and ``maybe`` is an error."""
    if isinstance(value, str):
        if value.lower() not in TRUTH_WORDS:
            raise UsageError(f"fd must be true or false, not {quoted(value)}")
        return TRUTH_WORDS[value.lower()]
    return value not in (0, False)


def _rate(value: object) -> object:
    from cantools_cli.units import bitrate

    return bitrate(value) if isinstance(value, str) else value


def _port(value: object) -> int:
    if isinstance(value, str):
        raise ValueError("Port config must be a number!")
    if not isinstance(value, int):
        raise TypeError("Port config must be string or integer!")
    if not 0 < value < 65535:  # the documented rule, stricter than its words
        raise ValueError("Port config must be inside 0-65535 range!")
    return value


def _state(value: object) -> object:
    """Return the state named ``PASSIVE``, or in the manual's spelling ``can.bus.BusState.PASSIVE``."""
    from cantools_cli.bus.base import BusState

    if isinstance(value, BusState):
        return value
    name = value.rpartition("BusState.")[2] if isinstance(value, str) else ""
    if name not in BusState.__members__:
        raise ValueError("State config not valid!")
    return BusState[name]
