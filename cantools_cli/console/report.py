"""Messages for people: one line each, on stderr."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from contextlib import suppress

from cantools_cli.errors import FormatError, counted, printable


class Report:
    """Prints notes, losses and faults; ``quiet`` suppresses notes, never losses or errors."""

    def __init__(self, *, quiet: bool = False, verbose: int = 0) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self._said: set[str] = set()

    def note(self, text: str) -> None:
        """Print ``text``, once."""
        if not self.quiet and text not in self._said:
            self._said.add(text)
            say(text)

    def detail(self, text: str) -> None:
        """Print ``text`` if details are wanted (-v)."""
        if self.verbose:
            say(text)

    def losses(self, name: str, losses: Counter[str]) -> None:
        """Print on one line the losses of a format."""
        if losses:
            say(f"{name}: lost {', '.join(_loss(kind, count) for kind, count in losses.items())}")

    def bus_losses(self, name: str, losses: Counter[str], first_fault: FormatError | None) -> None:
        """Print on one line what a bus lost or could not read, and the first malformed message."""
        if losses:
            kinds = sorted(losses, key=lambda kind: kind.startswith("malformed"))
            text = ", ".join(counted(losses[kind], kind) for kind in kinds)
            say(f"{name}: {text}, the first: {first_fault}" if first_fault else f"{name}: {text}")

    def faults(self, count: int, first: FormatError | None) -> None:
        """Print the number of malformed records skipped, and the first of them."""
        if count:
            say(f"{counted(count, 'malformed records')} skipped, the first: {first}")


def _loss(kind: str, count: int) -> str:
    """Return the number of frames lost, or of frames that lost a detail such as the channel."""
    is_of_frames = re.search(r"\b(frames|packets|messages|records)\b", kind) is not None
    return counted(count, kind) if is_of_frames else f"{kind} of {counted(count, 'frames')}"


class StatusLine:
    """The line at the bottom of the terminal that shows progress; other messages replace it."""

    def __init__(self) -> None:
        self._is_shown = False

    def show(self, text: str) -> None:
        """Show ``text``, cut to the width of the terminal, instead of the previous one."""
        with suppress(OSError):
            width = os.get_terminal_size(2).columns
            os.write(2, f"\r\x1b[K{text[: width - 1] if width else text}".encode())
            self._is_shown = True

    def clear(self) -> None:
        if self._is_shown:
            self._is_shown = False
            with suppress(OSError):
                os.write(2, b"\r\x1b[K")


status_line = StatusLine()


def say(text: str) -> None:
    """Print ``text`` after the program's name on stderr, which may be closed.

    The text may contain names and data from files: unprintable characters are escaped.
    """
    status_line.clear()
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(f"canx: {printable(text)}\n")
        sys.stderr.flush()


def print_error(error: BaseException) -> None:
    """Print ``error`` on one line, then its afterword and its hint, if any."""
    say(" ".join(_text(error).split("\n")))
    afterword = getattr(error, "afterword", None)
    if afterword:
        say(afterword)
    hint = getattr(error, "hint", None)
    if hint:
        with suppress(AttributeError, OSError, ValueError):
            sys.stderr.write(f"hint: {printable(hint)}\n")


def _text(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and type(error).__module__ == "builtins":
        name = error.filename
        if isinstance(name, bytes):
            name = os.fsdecode(name)
        return f"{name}: {error.strerror}" if isinstance(name, str) else error.strerror
    return str(error) or type(error).__name__


def use_colour(choice: str, fd: int) -> bool:
    """Return whether to colour the output on ``fd``: ``auto``, ``always`` or ``never``."""
    if choice != "auto":
        return choice == "always"
    environment = os.environ
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb" or environment.get("CLICOLOR") == "0":
        return False
    if environment.get("FORCE_COLOR") or environment.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return os.isatty(fd)
