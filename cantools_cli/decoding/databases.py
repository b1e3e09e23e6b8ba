"""The databases of a command: which one describes the frames of which channel.

::

    a.dbc                          all channels
    can0=a.dbc,can1=b.dbc          these channels; frames of others have no database
    can0=a.dbc b.dbc               can0 by a.dbc, all others by b.dbc

Several files for the same channels are one database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cantools_cli.decoding.load import load
from cantools_cli.decoding.model import Database, MessageSpec, SignalSpec, unknown
from cantools_cli.errors import FormatError, UsageError, quoted
from cantools_cli.frame.message import Channel
from cantools_cli.streams.routes import channel_names


@dataclass(frozen=True)
class Scope:
    """A database and the channels whose frames it describes.

    Attributes:
        channels: names of channels; empty for all channels that no other scope names.
    """

    database: Database
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Databases:
    """The databases of a command, each with its channels."""

    scopes: tuple[Scope, ...]

    @classmethod
    def of(cls, *databases: Database) -> Databases:
        """Return ``databases`` as one that describes all channels."""
        return cls((Scope(_merged(databases)),))

    @classmethod
    def load(cls, texts: Sequence[str], *, encoding: str | None = None, is_j1939: bool = False) -> Databases:
        """Load the files that ``texts`` name, each ``FILE`` or ``CHANNEL=FILE``, with commas between them.

        ``encoding`` is that of texts in DBC files. With ``is_j1939``, all messages with an extended
        identifier are parameter groups of SAE J1939.

        Raises:
            UsageError: a text has another form, or a format needs a package that is not installed.
            FormatError: a file is not a database.
            OSError: a file cannot be read.
        """
        loaded: dict[str, Database] = {}
        by_channel: dict[str, list[Database]] = {}
        for channel, path in _parts(texts):
            if path not in loaded:
                loaded[path] = _of_frames(path, encoding, is_j1939)
            by_channel.setdefault(channel, []).append(loaded[path])
        return cls(
            tuple(
                Scope(_merged(databases), (channel,) if channel else ())
                for channel, databases in by_channel.items()
            )
        )

    @property
    def faults(self) -> list[FormatError]:
        """What the files hold but canx left out or changed, each once."""
        found = {str(fault): fault for scope in self.scopes for fault in scope.database.faults}
        return list(found.values())

    def covers(self, scope: Scope, channel: Channel) -> bool:
        """Return whether ``scope`` describes the frames of ``channel``."""
        names = channel_names(channel)
        if scope.channels:
            return any(name in names for name in scope.channels)
        return not any(name in names for other in self.scopes for name in other.channels)

    def for_channel(self, channel: Channel) -> Database | None:
        """Return the database for the frames of ``channel``, or None."""
        return next((scope.database for scope in self.scopes if self.covers(scope, channel)), None)

    def messages(self) -> Iterator[tuple[Scope, MessageSpec]]:
        """Yield the messages of all databases."""
        for scope in self.scopes:
            for message in scope.database.messages:
                yield scope, message

    def find(self, name: str) -> list[tuple[Scope, MessageSpec]]:
        """Return the messages called ``name``: one for each database that has it.

        Raises:
            UsageError: no database has it; the hint has similar names.
        """
        found = [(scope, message) for scope, message in self.messages() if message.name == name]
        if not found:
            sources = ", ".join(scope.database.source for scope in self.scopes)
            raise unknown(
                f"{sources} has no message", name, {message.name: 0 for _, message in self.messages()}
            )
        return found

    def find_signal(self, message: str, signal: str) -> list[tuple[Scope, MessageSpec, SignalSpec]]:
        """Return the signals called ``signal`` in messages called ``message``.

        Raises:
            UsageError: no database has it; the hint has similar names.
        """
        pairs = self.find(message)
        found = [(scope, spec, one) for scope, spec in pairs for one in spec.signals if one.name == signal]
        if not found:
            pairs[0][1].signal(signal)  # raises
        return found


def _parts(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the channel, "" for all, and the path of each file."""
    for text in texts:
        for part in [text] if os.path.exists(text) else text.split(","):
            channel, mark, path = part.partition("=")
            if not mark or os.path.exists(part):
                channel, path = "", part
            if not path or (mark and not channel and path != part):
                raise UsageError(
                    f"--dbc {quoted(text)} does not have the form FILE or CHANNEL=FILE",
                    hint="as in engine.dbc, or in can0=engine.dbc,can1=body.dbc",
                )
            yield channel, path


def _of_frames(path: str, encoding: str | None, is_j1939: bool) -> Database:
    database = load(path, encoding)
    if not database.messages:
        raise FormatError("describes data of diagnostic services, not frames", source=path)
    return as_j1939(database) if is_j1939 else database


def _merged(databases: Sequence[Database]) -> Database:
    """Return ``databases`` as one; a later message replaces an earlier one with its identifier."""
    if len(databases) == 1:
        return databases[0]
    faults = [fault for database in databases for fault in database.faults]
    messages: dict[int, MessageSpec] = {}
    sources: dict[int, str] = {}
    for database in databases:
        for key, message in database.by_key.items():
            other = messages.pop(key, None)
            if other is not None and sources[key] != database.source:
                reason = f"message {quoted(message.name)} replaces {quoted(other.name)} of {sources[key]}"
                faults.append(FormatError(reason, source=database.source, position=message.line or None))
            messages[key], sources[key] = message, database.source
    return Database(
        ", ".join(dict.fromkeys(database.source for database in databases)),
        tuple(messages.values()),
        tuple(faults),
        tuple(dict.fromkeys(node for database in databases for node in database.nodes)),
    )


def as_j1939(database: Database) -> Database:
    """Return ``database`` with all messages of extended identifiers as parameter groups of SAE J1939."""
    messages = (replace(message, is_j1939=message.is_extended_id) for message in database.messages)
    return replace(database, messages=tuple(messages))
