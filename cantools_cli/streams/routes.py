"""Which buses the frames of a log go to: ``--map``."""

from __future__ import annotations

from dataclasses import dataclass

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.message import Channel


@dataclass(frozen=True)
class Rule:
    """Frames recorded on ``source`` go to the bus, or get the channel, ``target``."""

    source: str
    target: str

    @classmethod
    def parse(cls, text: str, form: str = "SRC=BUS") -> Rule:
        """Return what ``text`` says, which is of the form ``form``.

        Raises:
            UsageError: it is not of that form.
        """
        source, mark, target = (part.strip() for part in text.partition("="))
        if not (mark and source and target):
            raise UsageError(
                f"--map {quoted(text)} is not of the form {form}",
                hint="the log's channel first, as in can0=vcan2; canplayer has them the other way round",
            )
        return cls(source, target)


class Routes:
    """Which buses the frames of each channel of a log go to.

    With rules, those that name the channel say; ``default`` takes the frames of all other channels. With
    neither, each channel is the name of its bus.
    """

    def __init__(self, rules: list[Rule], default: str | None = None) -> None:
        self.rules = rules
        self.default = default

    @property
    def targets(self) -> list[str]:
        """All buses that are known beforehand, each once."""
        known = [rule.target for rule in self.rules] + ([self.default] if self.default is not None else [])
        return list(dict.fromkeys(known))

    def of(self, channel: Channel) -> tuple[str, ...]:
        """Return the buses that frames of ``channel`` go to.

        Raises:
            UsageError: the channel is to be the bus, but is no name of one.
        """
        names = channel_names(channel)
        found = tuple(dict.fromkeys(rule.target for rule in self.rules if rule.source in names))
        if found:
            return found
        if self.default is not None:
            return (self.default,)
        return () if self.rules else (_bus_of(channel),)


def channels_there(names: list[str]) -> str:
    """Return the end of a message about a channel that is not among ``names``."""
    shown = [*names[:8], "..."] if len(names) > 8 else names
    return f", only {', '.join(shown)}" if shown else ""


def channel_names(channel: Channel) -> tuple[str, ...]:
    """Return what ``channel`` may be called: a number N is also ``canN``, and no channel ``can0``."""
    if channel is None:
        return ("can0",)
    return (f"can{channel}", str(channel)) if isinstance(channel, int) else (channel,)


def _bus_of(channel: Channel) -> str:
    """Return the bus that has the name of ``channel``: never one that the log's author chose freely."""
    hint = "name a BUS, or --map SRC=BUS"
    if channel is None:
        raise UsageError("the log does not say which bus its frames were on", hint=hint)
    name = channel_names(channel)[0]
    if not name or any(not letter.isalnum() and letter not in "_-." for letter in name):
        raise UsageError(f"the log's channel {quoted(name)} is not the name of a bus", hint=hint)
    return name


class Renaming:
    """New channels for the frames of a log: ``canx convert --map``.

    Attributes:
        unused: the rules whose channel has not been seen yet.

    Raises:
        UsageError: a channel is to get two names.
    """

    def __init__(self, rules: list[Rule]) -> None:
        targets: dict[str, str] = {}
        for rule in rules:
            other = targets.setdefault(rule.source, rule.target)
            if other != rule.target:
                both = f"--map {rule.source}={other} and --map {rule.source}={rule.target}"
                raise UsageError(f"{both}: a frame has one channel")
        self.unused = list(rules)
        self._rules = rules
        self._seen: dict[str, None] = {}

    @property
    def is_empty(self) -> bool:
        return not self._rules

    @property
    def seen(self) -> str:
        """The channels that there are, for the message that one is not."""
        return channels_there(list(self._seen))

    def channel(self, channel: Channel) -> Channel:
        """Return what ``channel`` becomes; the rule that names it says, digits alone are a number."""
        names = channel_names(channel)
        self._seen[names[0]] = None
        for rule in self._rules:
            if rule.source in names:
                self.unused = [one for one in self.unused if one.source != rule.source]
                return int(rule.target) if rule.target.isdecimal() and rule.target.isascii() else rule.target
        return channel
