"""Options of python-can's scripts as those of canx's commands, where they collide with none of theirs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

#: spelling there -> spelling here, empty for an option that asks for what happens anyway
SPELLINGS = {
    "--active": "",
    "--data_bitrate": "--data-bitrate",
    "--file_name": "--output",
    "--file_size": "--max-size",
    "-a": "--append",
    "-b": "--bitrate",
    "-s": "--max-size",
}
#: spellings of the bus as an option, which is an argument here
_CHANNEL = ("-c", "--channel")


def respelled(arguments: Sequence[str], known: Collection[str]) -> list[str]:
    """Return ``arguments`` with the spellings of a command whose options are ``known``.

    A bus that is an option becomes the last argument. What follows ``--`` stays as it is.
    """
    found: list[str] = []
    buses: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument == "--":
            return [*found, "--", *rest, *buses]
        if name in _CHANNEL and name not in known and "--interface" in known:
            channel = value if equals else next(rest, None)
            if channel is None:
                return list(arguments)  # without its value it is an error, and the command's
            buses.append(channel)
        elif name in SPELLINGS and name not in known and (SPELLINGS[name] or "--passive") in known:
            found += [SPELLINGS[name] + equals + value] if SPELLINGS[name] else []
        else:
            found.append(argument)
    return [*found, *(["--"] if buses else []), *buses]
