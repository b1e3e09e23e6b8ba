"""The text of DBC files: its encoding, its statements, and the form of each."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from cantools_cli.decoding.model import Number
from cantools_cli.errors import UsageError, quoted

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
STRING = r'"(?:[^"\\]|\\.|\\(?="\s*(?:;|$)))*"'
NAME = r"[^\s:|@,;()\[\]\"\x00-\x1f\x7f-\x9f]+"  # no control characters: names are printed on terminals
_KEYWORD = re.compile(
    r"[ \t]*(VERSION|NS_|BS_|BU_|BO_TX_BU_|BO_|SG_MUL_VAL_|SG_|VAL_TABLE_|VAL_|CM_|BA_DEF_DEF_REL_"
    r"|BA_DEF_DEF_|BA_DEF_SGTYPE_|BA_DEF_REL_|BA_DEF_|BA_SGTYPE_|BA_REL_|BA_|SIG_VALTYPE_|SIG_TYPE_REF_|SIG_GROUP_"
    r"|SIGTYPE_VALTYPE_|SGTYPE_VAL_|SGTYPE_|EV_DATA_|ENVVAR_DATA_|EV_|CAT_DEF_|CAT_|FILTER)(?![A-Za-z0-9_])"
)
MESSAGE = re.compile(rf"BO_\s+(\d+)\s+({NAME})\s*:\s*(\d+)(?:\s+({NAME}))?\s*;?")
SIGNAL = re.compile(
    rf"SG_\s+({NAME})(?:\s+(M|m\d+M?))?\s*:\s*(\d+)\s*\|\s*(\d+)\s*@\s*([01])\s*([-+])"
    rf"\s*\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)\s*\[\s*({_NUMBER})\s*\|\s*({_NUMBER})\s*\]"
    rf"\s*({STRING})\s*(.*)",
    re.DOTALL,
)
VALUES = re.compile(rf"VAL_\s+(\d+)\s+({NAME})\s+(.*)", re.DOTALL)
TABLE = re.compile(rf"VAL_TABLE_\s+({NAME})\s+(.*)", re.DOTALL)
_CHOICE = re.compile(rf"({_NUMBER}|0[xX][0-9a-fA-F]+)\s*({STRING})\s*")
KIND = re.compile(rf"SIG_VALTYPE_\s+(\d+)\s+({NAME})\s*:?\s*(\d)\s*;?")
RANGES = re.compile(rf"SG_MUL_VAL_\s+(\d+)\s+({NAME})\s+({NAME})\s+(.*)", re.DOTALL)
COMMENT = re.compile(rf"CM_\s+(?:(BO_|SG_|BU_|EV_)\s+)?(?:(\d+)\s+)?(?:({NAME})\s+)?({STRING})\s*;?")
DEFINITION = re.compile(rf"BA_DEF_\s+(?:(?:BO_|SG_|BU_|EV_)\s+)?({STRING})\s+(\w+)\s*(.*)", re.DOTALL)
DEFAULT = re.compile(rf"BA_DEF_DEF_\s+({STRING})\s+({STRING}|{_NUMBER})\s*;?")
ATTRIBUTE = re.compile(
    rf"BA_\s+({STRING})\s+(?:(BO_|SG_|BU_|EV_)\s+)?(?:(\d+)\s+)?(?:({NAME})\s+)?({STRING}|{_NUMBER})\s*;?"
)
SENDERS = re.compile(r"BO_TX_BU_\s+(\d+)\s*:\s*(.*)", re.DOTALL)


_LARGEST = int(sys.float_info.max)
_QUOTE = re.compile(r'(?<!\\)"')
_MAX_RECOVERIES = 20  # after strings that do not end, each of which reads the rest of the file once


class Statement(NamedTuple):
    keyword: str
    text: str
    line: int


def decoded(data: bytes, encoding: str | None) -> str:
    """Return the text of a file; without ``encoding``, UTF-8 if it is valid UTF-8, else Windows-1252.

    Raises:
        UsageError: there is no such encoding.
    """
    if encoding is None:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            encoding = "cp1252"
            data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    except (LookupError, UnicodeError) as error:  # or one that is not for whole texts
        raise UsageError(
            f"no encoding {quoted(encoding)}", hint="as in utf-8, cp1252, gbk, shift_jis"
        ) from error


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements: each begins with a keyword at the start of a line outside of strings.

    If a string does not end, its statement is one line, and the next line begins another.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    begin = 0
    for attempt in range(_MAX_RECOVERIES + 1):
        whole = attempt == _MAX_RECOVERIES
        last = None
        for statement, is_complete in _scanned(lines, begin):
            last = None
            if not is_complete and not whole:
                last = statement
                break
            yield statement
        if last is None:
            return
        begin = last.line
        yield Statement(last.keyword, lines[begin - 1].strip(), begin)


def _scanned(lines: list[str], first: int) -> Iterator[tuple[Statement, bool]]:
    """Yield the statements from the line ``first`` on, counted from 0, each with whether its strings end."""
    keyword, begin, is_inside = "", 0, False
    kept: list[str] = []
    for number in range(first, len(lines)):
        line = lines[number]
        match = None if is_inside else _KEYWORD.match(line)
        if match is not None and not (keyword == "NS_" and not line[match.end() :].strip(" :\t")):
            if keyword:
                yield Statement(keyword, "\n".join(kept).strip(), begin), True
            keyword, begin, kept = match[1], number + 1, []
        if "//" in line:
            line = _without_comment(line, is_inside)
        kept.append(line)
        if '"' in line:
            is_inside ^= len(_QUOTE.findall(line)) % 2 == 1
    if keyword:
        yield Statement(keyword, "\n".join(kept).strip(), begin), not is_inside


def _without_comment(line: str, is_inside: bool) -> str:
    """Return ``line`` up to a comment; ``is_inside`` tells whether it begins inside a string."""
    place = 0
    for part in _QUOTE.split(line):
        at = -1 if is_inside else part.find("//")
        if at >= 0:
            return line[: place + at].rstrip()
        place += len(part) + 1
        is_inside = not is_inside
    return line


def matched(pattern: re.Pattern[str], statement: Statement, kind: str) -> re.Match[str]:
    """Return the match of a whole statement.

    Raises:
        ValueError: it has another form.
    """
    match = pattern.fullmatch(statement.text)
    if match is None:
        raise ValueError(f"malformed {kind}: {quoted(' '.join(statement.text.split()))}")
    return match


def choices(text: str) -> dict[int, str]:
    """Return the names of raw values; the last of two for one value counts."""
    text = text.rstrip("; \t\n")
    found: dict[int, str] = {}
    place = 0
    while place < len(text):
        match = _CHOICE.match(text, place)
        if match is None:
            raise ValueError(f"malformed value table: {quoted(text[place:])}")
        number = match[1]
        found[int(number, 16) if number[:2].lower() == "0x" else int(number_of(number))] = text_of(match[2])
        place = match.end()
    return found


def number_of(text: str) -> Number:
    """Return a number, an integer if it is whole and exact."""
    value: Number
    try:
        value = int(text)
    except ValueError:
        value = float(text)
    if not -_LARGEST <= value <= _LARGEST:
        raise ValueError(f"{quoted(text)} is too large")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        value = int(value)
    return value


def value_of(text: str) -> Any:
    return text_of(text) if text.startswith('"') else number_of(text)


def text_of(text: str) -> str:
    return text[1:-1].replace('\\"', '"')
