"""Selection and order of the displayed rows."""

from __future__ import annotations

import pytest

from cantools_cli.errors import UsageError
from cantools_cli.sniff.columns import identifier
from cantools_cli.sniff.table import Table
from cantools_cli.sniff.view import View, parse_filter
from tests.sniff.frames import log

FRAMES = (
    *("1.0 can0 123#1122", "1.1 can0 124#R", "1.2 can0 00000456#41", "1.3 can0 0FD##1AA"),
    "1.4 can0 20000004#0001000000000000",
)


def shown(view):
    table = Table()
    table.feed(log(*FRAMES))
    return [identifier(row) for row in view.rows(table.rows)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("123", ["123", "error"]),
        ("00000456", ["00000456", "error"]),
        ("100-1FF", ["123", "124", "error"]),
        ("120:7F0", ["123", "124", "error"]),
        ("123,0FD", ["0FD", "123", "error"]),
        ("id in 100..123", ["123", "error"]),
        ("remote", ["124"]),
        ("fd", ["0FD"]),
        ("not error and data[0] eq 65", ["00000456"]),
    ],
)
def test_a_filter_is_tokens_or_an_expression(text, ids):
    assert shown(View(chosen=parse_filter(text))) == ids


@pytest.mark.parametrize("text", ["1", "12", "12345", "id in", "100-", "x y", "99999999:"])
def test_invalid_filters_are_refused(text):
    with pytest.raises(UsageError):
        parse_filter(text)


@pytest.mark.parametrize(
    ("standard", "extended", "ids"),
    [
        (True, False, ["00000456", "error"]),
        (False, True, ["0FD", "123", "124", "error"]),
        (True, True, ["error"]),
    ],
)
def test_identifiers_of_a_kind_can_be_hidden_but_not_errors(standard, extended, ids):
    assert shown(View(hides_standard=standard, hides_extended=extended)) == ids


def test_a_pinned_row_is_never_hidden():
    assert shown(View(hides_standard=True, pinned={0})) == ["123", "00000456", "error"]
