"""Translates options of python-can's scripts, unless they collide with an option of the command."""

from __future__ import annotations

from collections.abc import Collection, Sequence

#: python-can's spelling -> spelling of canx, empty for an option that requests the default
SPELLINGS = {
    "--active": "",
    "--data_bitrate": "--data-bitrate",
    "--file_name": "--output",
    "--file_size": "--max-size",
    "-a": "--append",
    "-b": "--bitrate",
    "-s": "--max-size",
}
#: spellings of the bus as an option; for canx it is an argument
_CHANNEL = ("-c", "--channel")


def respelled(arguments: Sequence[str], known: Collection[str]) -> list[str]:
    """Return ``arguments`` in the spellings of a command with the options ``known``.

    A bus given as an option becomes the last argument. Everything after ``--`` stays as it is.
    """
    translated: list[str] = []
    buses: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument == "--":
            return [*translated, "--", *rest, *buses]
        if name in _CHANNEL and name not in known and "--interface" in known:
            channel = value if equals else next(rest, None)
            if channel is None:
                return list(arguments)  # without a value, the command reports the error
            buses.append(channel)
        elif name in SPELLINGS and name not in known and (SPELLINGS[name] or "--passive") in known:
            translated += [SPELLINGS[name] + equals + value] if SPELLINGS[name] else []
        else:
            translated.append(argument)
    return [*translated, *(["--"] if buses else []), *buses]
