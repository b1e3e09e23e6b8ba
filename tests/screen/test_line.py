"""The input line of a prompt."""

from __future__ import annotations

import pytest

from cantools_cli.screen.line import Line


@pytest.mark.parametrize(
    ("keys", "text", "at"),
    [
        ("a b c", "abc", 3),
        ("a b left c", "acb", 2),
        ("a b left left left c", "cab", 1),
        ("a right b home c end d", "cabd", 4),
        ("a b backspace c", "ac", 2),
        ("backspace a home backspace", "a", 0),
        ("a b c left left delete", "ac", 1),
        ("delete a delete", "a", 1),
        ("a b c left ctrl+u d", "dc", 1),
        ("a f5 tab b", "ab", 2),
        ("a ctrl+a b ctrl+e c ctrl+b ctrl+f d", "bacd", 4),
    ],
)
def test_keys_edit_the_line(keys, text, at):
    line = Line()
    for key in keys.split():
        before = line.text
        assert line.key(key, key if len(key) == 1 else None) == (line.text != before)
    assert (line.text, line.at) == (text, at)
