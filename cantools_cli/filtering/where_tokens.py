"""Tokens of a ``--where`` expression, read from left to right, and errors with a position."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cantools_cli.errors import UsageError, quoted
from cantools_cli.filtering.where_words import SPELLINGS

_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|==|!=|<=|>=|<>|=>|=<|&&|\|\||\.\.|[0-9]\w*|\S")
_VALUE = re.compile(r"(?:(?!\.\.)[^\s()\[\],&<>=!|\"'])+")
_DECIMAL = re.compile(r"0[xX][0-9A-Fa-f]+|[0-9]+", re.ASCII)
HEXADECIMAL = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{1,16})", re.ASCII)


class Tokens:
    """A text with a read position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0  #: the read position, from 0
        self.value_at = 0  #: position of the value that was read last

    def place(self) -> int:
        """Skip blanks; return the position of the next token."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at

    def peek(self) -> str:
        """Return the next token without consuming it; empty at the end."""
        match = _TOKEN.match(self.text, self.place())
        return match[0] if match else ""

    def take(self) -> None:
        """Consume the next token."""
        self.at += len(self.peek())

    def skip(self, token: str) -> bool:
        """Consume ``token`` if it comes next; return whether it did."""
        if self.peek() != token:
            return False
        self.take()
        return True

    def value(self, what: str) -> tuple[int, str]:
        """Return the position of the next value, and the value; in quotes it may hold any character."""
        begin = self.value_at = self.place()
        quote = self.text[begin : begin + 1]
        if quote in ("'", '"') and quote:
            end = self.text.find(quote, begin + 1)
            if end < 0:
                raise self.refusal("a missing closing quote", None, begin)
            self.at = end + 1
            return begin, self.text[begin + 1 : end]
        match = _VALUE.match(self.text, begin)
        if match is None:
            token = self.peek()
            raise self.refusal(f"{quoted(token)} instead of {what}" if token else f"{what} is missing", None)
        self.at = match.end()
        return begin, match[0]

    def number(self, maximum: int) -> int:
        """Return the next number, decimal or with 0x."""
        begin = self.value_at = self.place()
        match = _VALUE.match(self.text, begin)
        text = match[0].partition(":")[0] if match else ""  # in data[2:4]
        if not text:
            token = self.peek()
            raise self.refusal(
                f"{quoted(token)} instead of a number" if token else "a number is missing", None
            )
        if _DECIMAL.fullmatch(text) is None:
            hint = (
                f"hexadecimal is written as 0x{text}"
                if HEXADECIMAL.fullmatch(text)
                else "numbers are decimal, or hexadecimal as in 0x1F"
            )
            raise self.refusal(f"{quoted(text)} is not a number", hint, begin)
        number = int(text, 16) if text[:2] in ("0x", "0X") else int(text[:40])
        if number > maximum:
            raise self.refusal(f"{text} is above the maximum of {maximum}", None, begin)
        self.at = begin + len(text)
        return number

    def meant(self, token: str, words: Sequence[str], hint: str) -> str:
        """Return ``hint``, after a suggestion if ``token`` resembles a known word."""
        from difflib import get_close_matches

        meant = next((word for word, others in SPELLINGS.items() if token.lower() in others.split()), None)
        close = [meant] if meant else get_close_matches(token.lower(), [*words, "and", "or"], 1, 0.6)
        return f"did you mean {close[0]}? {hint}" if close and close[0] != token else hint

    def refusal(self, reason: str, hint: str | None = None, at: int | None = None) -> UsageError:
        """Return an error located at the next token, or at position ``at``."""
        place = self.place() if at is None else at
        text = f"bad expression {quoted(self.text, 120)}: {reason}, at position {place + 1}"
        return UsageError(text, hint=hint or "canx-filters(7) explains expressions")
