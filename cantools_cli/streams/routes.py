"""Routing of channels: the buses, or new channels, that frames of a log go to with ``--map``."""

from __future__ import annotations

from dataclasses import dataclass

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.message import Channel


@dataclass(frozen=True)
class Rule:
    """Maps frames recorded on the channel ``source`` to the bus or channel ``target``."""

    source: str
    target: str

    @classmethod
    def parse(cls, text: str, form: str = "SRC=BUS") -> Rule:
        """Parse a rule; ``form`` describes it in the message of an error."""
        source, mark, target = (part.strip() for part in text.partition("="))
        if not (mark and source and target):
            raise UsageError(
                f"--map {quoted(text)} does not have the form {form}",
                hint="the channel of the log comes first, as in can0=vcan2; canplayer reverses the order",
            )
        return cls(source, target)


class Routes:
    """The buses that frames of each channel go to.

    Rules for a channel come first; ``default`` takes the frames of all other channels. Without rules and
    default, the name of a channel is the name of its bus.
    """

    def __init__(self, rules: list[Rule], default: str | None = None) -> None:
        self.rules = rules
        self.default = default

    @property
    def targets(self) -> list[str]:
        """The buses named by rules and default, without duplicates."""
        known = [rule.target for rule in self.rules] + ([self.default] if self.default is not None else [])
        return list(dict.fromkeys(known))

    def of(self, channel: Channel) -> tuple[str, ...]:
        """Return the buses that frames of ``channel`` go to.

        Raises:
            UsageError: the channel would name the bus, but is not a valid name.
        """
        names = channel_names(channel)
        targets = tuple(dict.fromkeys(rule.target for rule in self.rules if rule.source in names))
        if targets:
            return targets
        if self.default is not None:
            return (self.default,)
        return () if self.rules else (_bus_of(channel),)


def channels_there(names: list[str]) -> str:
    """Return the end of a message about a channel that is missing from ``names``."""
    shown = [*names[:8], "..."] if len(names) > 8 else names
    return f", only {', '.join(shown)}" if shown else ""


def channel_names(channel: Channel) -> tuple[str, ...]:
    """Return the names of ``channel``: a number N is ``canN`` and ``N``, a missing channel ``can0``."""
    if channel is None:
        return ("can0",)
    return (f"can{channel}", str(channel)) if isinstance(channel, int) else (channel,)


def _bus_of(channel: Channel) -> str:
    """Return ``channel`` as the name of a bus; refuse names with characters that could have a meaning."""
    hint = "name a BUS, or --map SRC=BUS"
    if channel is None:
        raise UsageError("the log has frames without a channel", hint=hint)
    name = channel_names(channel)[0]
    if not name or any(not letter.isalnum() and letter not in "_-." for letter in name):
        raise UsageError(f"channel {quoted(name)} of the log is not a valid bus name", hint=hint)
    return name


class Renaming:
    """Renames the channels of a log, for ``canx convert --map``."""

    def __init__(self, rules: list[Rule]) -> None:
        targets: dict[str, str] = {}
        for rule in rules:
            other = targets.setdefault(rule.source, rule.target)
            if other != rule.target:
                both = f"--map {rule.source}={other} and --map {rule.source}={rule.target}"
                raise UsageError(f"{both}: a frame can have only one channel")
        self.unused = list(rules)  #: the rules whose channel has not been seen yet
        self._rules = rules
        self._seen: dict[str, None] = {}

    @property
    def seen(self) -> str:
        """The end of a message about a missing channel: the channels seen so far."""
        return channels_there(list(self._seen))

    def channel(self, channel: Channel) -> Channel:
        """Return the new channel of ``channel``; a target of decimal digits becomes an int."""
        names = channel_names(channel)
        self._seen[names[0]] = None
        for rule in self._rules:
            if rule.source in names:
                self.unused = [other for other in self.unused if other.source != rule.source]
                return int(rule.target) if rule.target.isdecimal() and rule.target.isascii() else rule.target
        return channel
