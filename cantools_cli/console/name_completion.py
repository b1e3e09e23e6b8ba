"""Completion of messages, signals and named values, by the databases named earlier on the line.

Only DBC files are read: other formats take longer than a shell can wait.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cantools_cli.decoding import dbc
from cantools_cli.decoding.model import MessageSpec
from cantools_cli.decoding.others import format_of
from cantools_cli.errors import FormatError

#: bytes of a file that is read as a whole
_LARGE = 50_000
_MANY = 20
_MESSAGE = re.compile(rb"^[ \t]*BO_[ \t]+([0-9]+)[ \t]+([^\s:]+)", re.MULTILINE)
_WORD = re.compile(r"[^\s()!]*\Z")


def messages(context: Any, begun: str, *, is_whole: bool) -> dict[str, MessageSpec | None]:
    """Return the message called ``begun`` if ``is_whole``, else all whose name begins with it.

    Of a large file, only these are read; if they are more than ``_MANY``, just their names (None). A file
    that cannot be read has no messages.
    """
    found: dict[str, MessageSpec | None] = {}
    parts = [part for text in context.params.get("dbc") or () for part in text.split(",")]
    for path in (part.rpartition("=")[2] for part in parts):
        try:
            if not format_of(path):
                with open(path, "rb") as file:
                    found.update(_messages_in(file.read(), begun))
        except (FormatError, OSError):
            continue
    return {name: found[name] for name in found if name == begun or not is_whole}


def _messages_in(data: bytes, begun: str) -> dict[str, MessageSpec | None]:
    if b"SystemMessageLongSymbol" not in data and len(data) > _LARGE:
        heads = [head for head in _MESSAGE.finditer(data) if head[2].startswith(begun.encode())]
        found: dict[str, MessageSpec | None] = {head[2].decode(errors="replace"): None for head in heads}
        if len(heads) > _MANY:
            heads = [head for head in heads if head[2] == begun.encode()]
        data = b"".join(_about(data, head) for head in heads)
        if data:
            found.update({message.name: message for message in dbc.read(data, "").messages})
        return found
    messages = dbc.read(data, "").messages
    return {message.name: message for message in messages if message.name.startswith(begun)}


def _about(data: bytes, head: re.Match[bytes]) -> bytes:
    """Return the lines about one message: its own, and those with its number."""
    following = _MESSAGE.search(data, head.end())
    block = data[head.start() : following.start() if following else len(data)]
    values = re.findall(rb"^[ \t]*VAL_[ \t]+" + head[1] + rb"[ \t].*$", data, re.MULTILINE)
    return b"\n".join([block, *values, b""])


def frames(context: Any, text: str) -> Iterator[str]:
    """Yield what may follow in a frame by name: ``Engine(Speed=1500,Gear=Third)``."""
    name, mark, _ = text.partition("(")
    known = messages(context, name.strip(), is_whole=bool(mark))
    if not mark:
        yield from (f"{other}(" for other in known)
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
    begun, mark, _ = text[begin:].partition(".")
    for name, message in messages(context, begun, is_whole=bool(mark)).items():
        if message is None:
            yield f"{text[:begin]}{name}."
            continue
        for signal in (f"{name}.{spec.name}" for spec in message.signals):
            if signal.startswith(text[begin:]):
                yield text[:begin] + signal


def checksums(context: Any, text: str) -> Iterator[str]:
    """Yield the signals, or after an equal sign the algorithms of ``--crc``."""
    signal, mark, begun = text.partition("=")
    if not mark:
        yield from (f"{name}=" for name in signals(context, text))
        return
    from cantools_cli.decoding.rules import ALGORITHMS

    yield from (f"{signal}={name}" for name in ALGORITHMS if name.startswith(begun))
