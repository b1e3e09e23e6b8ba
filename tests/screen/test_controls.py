"""The actions of keys, clicks and prompts, without a screen."""

from __future__ import annotations

import pytest

from cantools_cli.errors import CanOperationError
from cantools_cli.screen.controls import Controls, Ports
from cantools_cli.screen.keys import HELP, KEYS
from cantools_cli.screen.look import Look
from cantools_cli.screen.session import ScreenSession
from cantools_cli.sniff.columns import identifier
from cantools_cli.sniff.view import View
from tests.sniff.frames import SECOND, log

FRAMES = [
    *("1.0 can0 123#1122", "1.1 can0 124#1123", "1.2 can0 00000456#41", "1.3 can0 7FF##1AA"),
    *(f"1.4 can0 {n:03X}#" for n in range(0x300, 0x310)),
]


@pytest.fixture
def controls():
    session = ScreenSession(lambda: iter(()))
    session.table.feed(log(*FRAMES), 0)
    found = Controls(session, View(), Look(), Ports())
    found.height = 5
    found.arrange(0)
    return found


@pytest.fixture
def log_controls():
    """Return the controls of a log of 30 frames, one a second, whose player the test drives."""
    lines = [f"{n}.0 can0 123#{n:02X}" for n in range(30)]
    session = ScreenSession(lambda: iter([log(*lines)]), is_paced=True, clock=lambda: 0)
    session.ask = lambda wish: run(session, wish)
    run(session)
    return Controls(session, View(), Look(), Ports())


def run(session, wish=lambda player, now: None):
    player = session.player
    wish(player, 0)
    while True:
        if player.wants_more:
            player.read()
        if player.advance(0) != 0:
            return


def ids(controls):
    controls.arrange(0)
    shown = controls.shown[controls.first : controls.first + controls.height]
    return [identifier(row) for row in shown]


def chosen(controls):
    return identifier(controls.chosen_row())


def type_in(controls, text):
    """Type letter by letter."""
    for character in text:
        controls.key("?", character)


def answer(controls, text):
    type_in(controls, text)
    controls.key("enter")


def test_every_key_has_a_method_and_a_word_in_the_help():
    for key, name in KEYS.items():
        assert callable(getattr(Controls, f"do_{name}"))
        word = {"escape": "ESC", "space": "SPACE", "enter": "ENTER", "pageup": "up", "pagedown": "down"}
        assert word.get(key, key) in HELP
    assert max(map(len, HELP.splitlines())) < 80
    assert len(HELP.splitlines()) <= 24 - 4


def test_hidden_kinds_come_back(controls):
    controls.key("n")
    assert ids(controls) == ["00000456"]
    controls.key("a")
    controls.key("N")
    assert "00000456" not in [identifier(row) for row in controls.view.rows(controls.table.rows)]
    controls.key("A")
    assert len(controls.view.rows(controls.table.rows)) == len(FRAMES)


def test_the_ascii_column_can_be_toggled(controls):
    controls.key("@")
    assert "ascii" not in controls.look.names
    controls.key("@")
    assert controls.look.names[-1] == "ascii"


@pytest.mark.parametrize(
    ("typed", "shown", "is_explained"),
    [
        ("12", ["123", "124", "300", "301", "302"], True),
        ("124", ["124"], False),
        ("1240", ["124"], True),
        ("100-1FF", ["123", "124"], False),
        ("124:7FF", ["124"], False),
        ("id in 120..123", ["123"], False),
    ],
)
def test_a_filter_applies_while_it_is_typed(controls, typed, shown, is_explained):
    controls.key("/")
    type_in(controls, typed)
    assert (ids(controls), bool(controls.message)) == (shown, is_explained)
    assert controls.line.text == typed


def test_a_filter_is_pasted(controls):
    controls.paste("123")
    assert controls.view.chosen is None
    controls.key("/")
    controls.paste("12\n4")
    assert ids(controls) == ["124"]


def test_escape_restores_the_previous_filter(controls):
    controls.key("/")
    answer(controls, "123")
    controls.key("/")
    type_in(controls, "124")
    assert ids(controls) == ["124"]
    controls.key("escape")
    assert (ids(controls), controls.prompt, controls.message) == (["123"], "", "")
    controls.key("/")
    answer(controls, "124x")
    assert ids(controls) == ["123"]
    assert "124x" in controls.message
    controls.key("/")
    controls.key("enter")
    assert len(controls.view.rows(controls.table.rows)) == len(FRAMES)


def test_escape_closes_the_page_then_removes_the_filter_then_ends(controls):
    controls.key("/")
    answer(controls, "123")
    controls.key("?")
    for expected in (("table", True, None), ("table", False, None), ("table", False, 0)):
        controls.key("escape")
        assert (controls.page, controls.view.chosen is not None, controls.status) == expected


@pytest.mark.parametrize(
    "text", ["changed", "every 2", "gap gt 1s", "id eq 123 and period lt 5", "time lt 3s"]
)
def test_a_filter_of_rows_refuses_tests_of_a_stream(controls, text):
    controls.key("/")
    answer(controls, text)
    assert controls.view.chosen is None
    assert "not to the rows of a table" in controls.message


def test_a_click_on_a_heading_sorts_and_another_reverses(controls):
    for x, name in ((1, "id"), (8, "id"), (10, "count"), (77, "ascii"), (500, "ascii")):
        controls.view.order = "none"
        controls.click_heading(x)
        assert (controls.view.order, controls.view.descending) == (name, False)
    controls.click_heading(500)
    assert controls.view.descending
    controls.click_heading(10)
    assert (controls.view.order, controls.view.descending) == ("count", False)


def test_a_click_chooses_and_another_opens(controls):
    controls.click_line(2)
    assert (chosen(controls), controls.page) == ("300", "table")
    controls.click_line(2)
    assert controls.page == "row"
    controls.key("escape")
    controls.click_line(77)
    assert (chosen(controls), controls.page) == ("300", "table")


def test_the_wheel_scrolls_and_the_chosen_row_stays_visible(controls):
    before = ids(controls)
    controls.scroll(1)
    assert ids(controls)[0] == before[3]
    assert chosen(controls) in ids(controls)
    controls.scroll(99)
    assert ids(controls)[-1] == "00000456"
    assert chosen(controls) in ids(controls)
    controls.scroll(-99)
    assert ids(controls) == before
    assert chosen(controls) in before


def test_an_open_row_is_scrolled_by_keys_and_wheel(controls):
    controls.key("enter")
    controls.key("down")
    controls.key("pagedown")
    controls.scroll(1)
    assert controls.scrolled == 1 + 4 + 3
    controls.scroll(-9)
    assert controls.scrolled == 0


def test_a_log_is_stepped_sought_and_paused(log_controls):
    controls, player = log_controls, log_controls.session.player
    assert (controls.state, player.played) == ("replaying", 1)
    controls.key(".")
    assert (controls.state, player.played) == ("paused", 2)
    controls.key("]")
    assert player.played == 12
    controls.key("[")
    assert player.played == 2
    controls.key("}")
    assert (controls.state, player.played) == ("ended", 30)
    controls.key(",")
    assert player.played == 29
    controls.key("{")
    assert player.played == 1
    controls.key("space")
    assert controls.state == "replaying"


@pytest.mark.parametrize(
    ("place", "seconds"), [("7", 7), ("0.1m", 6), ("50%", 14.5), ("@12.5", 12.5), ("99m", 29), ("0", 0)]
)
def test_the_prompt_seeks_to_a_place_in_a_log(log_controls, place, seconds):
    log_controls.key(":")
    assert log_controls.prompt == "place"
    answer(log_controls, place)
    assert log_controls.message == ""
    assert log_controls.session.position_ns() == seconds * SECOND


@pytest.mark.parametrize("place", ["x", "101%", "12:30"])
def test_an_invalid_place_is_explained(log_controls, place):
    log_controls.key(":")
    answer(log_controls, place)
    assert place.rstrip("%") in log_controls.message
    assert log_controls.session.position_ns() == 0


@pytest.mark.parametrize("key", [".", ",", "[", "]", "{", "}", ":"])
def test_a_live_source_cannot_be_navigated(controls, key):
    controls.key(key)
    assert "only a log" in controls.message
    assert not controls.prompt


def test_prompts_send_and_record_and_report_failures(controls):
    def refuse(text):
        raise CanOperationError("no such bus")

    controls.key("t")
    assert (controls.prompt, controls.message) == ("", "no bus to send to")
    controls.key("w")
    assert (controls.prompt, controls.message) == ("", "this source cannot be recorded")
    sent = []
    other = Controls(
        controls.session, View(), Look(), Ports(lambda text: sent.append(text) or f"sent {text}", refuse)
    )
    other.key("t")
    answer(other, " 123#11 ")
    assert (sent, other.message) == (["123#11"], "sent 123#11")
    other.key("w")
    answer(other, "a.log")
    assert other.message == "no such bus"
