"""Ends of lines that no kernel takes: a carriage return alone."""

from __future__ import annotations

from cantools_cli.buffers import Octets
from cantools_cli.kernels import _words as words


def has_lone_return(text: Octets, at: int, end: int) -> bool:
    """Tell whether a carriage return in ``text[at:end]`` has no newline behind it.

    One that is the last byte does not count: its newline may be still to come.
    """
    if at < 0 or end > len(text):
        raise ValueError("the text is shorter than that")
    return end > at and words.lone_returns(text, at, end - 1) != 0
