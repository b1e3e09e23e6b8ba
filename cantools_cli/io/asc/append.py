"""Appending to an ASC file: the position, and the start of its times."""

from __future__ import annotations

import re
from collections.abc import Callable

from cantools_cli.errors import UsageError
from cantools_cli.io.asc.header import AscHeader
from cantools_cli.io.files import CHUNK, OutputStream
from cantools_cli.io.text_writer import end_cut_line

_HEAD = 8192
_TAIL = 256
_END = re.compile(rb"[ \t]*End\s+TriggerBlock\s*\Z", re.IGNORECASE)
_BLOCK = re.compile(rb"^[ \t]*begin[ \t]+triggerblock\b", re.IGNORECASE | re.MULTILINE)
_MAX_BEGIN = 64


def continue_file(output: OutputStream, tz: str, note: Callable[[str], None]) -> int:
    """Position ``output`` after the last event; return the start of its times, in ns since the epoch."""
    header = AscHeader()
    for line in output.read_back(0, _HEAD).decode("cp1252", "replace").splitlines():
        if line.strip() and not header.take(line.strip()):
            header.take_start(line)
            break
    start = header.start_ns(tz, note) if header.met else None
    for wrong, why in (
        (start is None, "its start time is missing"),
        (header.base != 16, "its numbers are decimal"),
        (header.is_relative, "its times are relative"),
        (_count_blocks(output) > 1, "it has several blocks of events"),
    ):
        if wrong:
            raise UsageError(
                f"{output.name} cannot be continued: {why}", hint="canx convert writes a new file"
            )
    assert start is not None
    first = max(0, output.written - _TAIL)
    end = _END.search(output.read_back(first, output.written - first))
    if end is not None:
        output.truncate(first + end.start())
    end_cut_line(output)
    return start


def _count_blocks(output: OutputStream) -> int:
    """Return the number of blocks of events; times may restart in each."""
    count, at, kept = 0, 0, b""
    while data := output.read_back(at, CHUNK):
        at += len(data)
        text = kept + data
        line = text.rfind(b"\n") + 1
        count += len(_BLOCK.findall(text[:line]))
        kept = text[line:]
        if len(kept) >= _MAX_BEGIN:  # enough to recognise the line
            count += len(_BLOCK.findall(kept))
            kept = b"x"
    return count + len(_BLOCK.findall(kept))
