"""Completion of messages, signals and named values, by the databases named earlier on the line.

Only DBC files are read: other formats take longer than a shell can wait.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cantools_cli.decoding.databases import Databases
from cantools_cli.decoding.model import MessageSpec
from cantools_cli.decoding.others import format_of
from cantools_cli.errors import FormatError, UsageError

_WORD = re.compile(r"[^\s()!]*\Z")


def messages(context: Any) -> dict[str, MessageSpec]:
    """Return the messages by name; none without a database that can be read."""
    texts = context.params.get("dbc") or ()
    try:
        if any(format_of(part.rpartition("=")[2]) for text in texts for part in text.split(",")):
            return {}
        return {message.name: message for _, message in Databases.load(list(texts)).messages()}
    except (FormatError, UsageError, OSError):
        return {}


def frames(context: Any, text: str) -> Iterator[str]:
    """Yield what may follow in a frame by name: ``Engine(Speed=1500,Gear=Third)``."""
    known = messages(context)
    name, mark, _ = text.partition("(")
    if not mark:
        yield from (f"{other}(" for other in known if other.startswith(name))
        return
    message = known.get(name.strip())
    if message is None:
        return
    begin = max(text.rfind(","), text.index("(")) + 1
    begin += len(text[begin:]) - len(text[begin:].lstrip())
    before, part = text[:begin], text[begin:]
    found = re.match(r"([^=:]*?)\s*[=:]\s*", part)
    if found is None:
        given = set(re.findall(r"[(,]\s*([^\s=:,()]+)\s*[=:]", before))
        names = (spec.name for spec in message.signals if spec.name not in given)
        yield from (f"{before}{signal}=" for signal in names if signal.startswith(part))
    elif found[1] in message.by_name:
        value, lead = part[found.end() :], before + found[0]
        for choice in dict.fromkeys(message.by_name[found[1]].choices.values()):
            if choice.startswith(value):
                yield f"{lead}{choice})"


def signals(context: Any, text: str) -> Iterator[str]:
    """Yield the signals, each as ``Engine.Speed``, for the word at the end of ``text``."""
    word = _WORD.search(text)
    begin = word.start() if word else len(text)
    for message in messages(context).values():
        for spec in message.signals:
            name = f"{message.name}.{spec.name}"
            if name.startswith(text[begin:]):
                yield text[:begin] + name


def checksums(context: Any, text: str) -> Iterator[str]:
    """Yield the signals, or after an equal sign the algorithms of ``--crc``."""
    signal, mark, begun = text.partition("=")
    if not mark:
        yield from (f"{name}=" for name in signals(context, text))
        return
    from cantools_cli.decoding.rules import ALGORITHMS

    yield from (f"{signal}={name}" for name in ALGORITHMS if name.startswith(begun))
