"""The screen, driven by textual's pilot: keys in, text out."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("textual")

from cantools_cli.errors import CanOperationError
from cantools_cli.screen.app import SniffApp
from cantools_cli.screen.controls import Ports
from cantools_cli.screen.look import Look, sparkline
from cantools_cli.screen.session import ScreenSession
from cantools_cli.sniff.decoding import StructDecoder
from cantools_cli.sniff.table import HOLD_NS
from cantools_cli.sniff.view import View
from tests.sniff.frames import log

FRAMES = (
    *("1.0 can0 123#1122", "1.1 can0 123#1123", "1.2 can0 00000456#41", "1.3 can0 7FF##1AA"),
    "1.4 can0 20000004#0001000000000000",
)


class Source:
    """Batches that the test hands out; the session's thread waits for them."""

    def __init__(self):
        self.waiting = []
        self.ready = threading.Condition()
        self.error = None
        self.is_closed = False

    def put(self, *lines):
        with self.ready:
            self.waiting.append(log(*lines))
            self.ready.notify_all()

    def close(self, error=None):
        with self.ready:
            self.error, self.is_closed = error, True
            self.ready.notify_all()

    def batches(self):
        while True:
            with self.ready:
                self.ready.wait_for(lambda: self.waiting or self.is_closed)
                if not self.waiting:
                    if self.error is not None:
                        raise self.error
                    return
                batch = self.waiting.pop(0)
            yield batch


@asynccontextmanager
async def running(*lines, size=(100, 24), **prompts):
    source = Source()
    session = ScreenSession(source.batches, stop=source.close)
    app = SniffApp(session, View(), Look(), "can0", Ports(**prompts))
    session.start()
    try:
        async with app.run_test(size=size) as pilot:
            if lines:
                source.put(*lines)
                await fed(app, len(lines))
            yield app, pilot, source
    finally:
        session.stop()


async def fed(app, count):
    """Wait until the table has that many frames, and draw them."""
    while app.session.table.frames < count:
        await asyncio.sleep(0.001)
    app.draw()


def text(app, name="table"):
    return str(app.query_one(f"#{name}").render()).rstrip()


def ids(app):
    return [line[1:].split()[0] for line in text(app).splitlines()]


def shows(function):
    """Run a coroutine as a test."""

    def test():
        asyncio.run(asyncio.wait_for(function(), 60))

    test.__name__ = function.__name__
    return test


def is_changing(session):
    ages = session.table.rows[0].ages_ns(session.now_ns())
    return any(age is not None and age <= HOLD_NS for age in ages)


@shows
async def test_received_frames_are_shown():
    async with running(*FRAMES) as (app, _, _):
        lines = text(app).splitlines()
        assert ids(app) == ["123", "7FF", "00000456", "error"]
        assert "11 23" in lines[0]
        assert " 2 " in lines[0]
        assert "FB" in lines[1]
        assert "controller-problem{rx-overflow}" in lines[3]
        assert "5 frames" in text(app, "header")
        assert "errors 1" in text(app, "header")


@shows
async def test_a_change_is_marked_and_fades():
    async with running(*FRAMES) as (app, _, _):
        row = app.session.table.rows[0]
        from cantools_cli.screen.drawing import data_text

        (at,) = [age for age in row.changed_ns() if age >= 0]
        spans = {
            after: [str(span.style) for span in data_text(row, app.look, at + after).spans if str(span.style)]
            for after in (0, 1_500_000_000, 3_000_000_000)
        }
        assert ["reverse" in style for style in spans[0]] == [True]
        assert [("bold" in style, "reverse" in style) for style in spans[1_500_000_000]] == [(True, False)]
        assert spans[3_000_000_000] == []


@shows
async def test_keys_sort_and_reverse():
    async with running(*FRAMES) as (app, pilot, _):
        await pilot.press("right")
        assert (app.view.order, ids(app)[-1]) == ("count", "123")
        await pilot.press("r")
        assert ids(app)[0] == "123"
        await pilot.press("s")
        assert ids(app)[0] == "123"
        assert (app.view.order, app.view.descending) == ("id", False)


@shows
async def test_a_pinned_row_stays_on_top():
    async with running(*FRAMES) as (app, pilot, _):
        await pilot.press("down", "down", "p")
        assert ids(app)[0] == "00000456"
        await pilot.press("p")
        assert ids(app)[0] == "123"


@shows
async def test_clear_and_quit():
    async with running(*FRAMES) as (app, pilot, _):
        await pilot.press("c")
        assert text(app) == ""
        await pilot.press("q")
    assert app.return_value == 0


@shows
async def test_notched_bytes_are_not_marked():
    async with running(*FRAMES) as (app, pilot, source):
        await pilot.press("#")
        source.put("2.0 can0 123#1122")
        await fed(app, 6)
        assert not is_changing(app.session)
        await pilot.press("*")
        source.put("2.1 can0 123#1123")
        await fed(app, 7)
        assert is_changing(app.session)


@shows
async def test_a_pause_freezes_the_display_while_counting_continues():
    async with running(*FRAMES) as (app, pilot, source):
        await pilot.press("space")
        before = text(app)
        source.put("2.0 can0 123#9999")
        await fed(app, 6)
        assert text(app) == before
        assert "paused" in text(app, "header")
        assert "6 frames" in text(app, "header")
        await pilot.press("space")
        assert "99 99" in text(app)


@shows
async def test_data_can_be_shown_as_bits():
    async with running(*FRAMES) as (app, pilot, _):
        await pilot.press("b")
        assert "00010001 00100011" in text(app)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("123", ["123", "error"]),
        ("id in 700..7FF and data[0] eq 170", ["7FF"]),
        ("100-1FF", ["123", "error"]),
    ],
)
def test_a_filter_is_typed(typed, shown):
    async def run():
        async with running(*FRAMES) as (app, pilot, _):
            await pilot.press("slash", *("space" if key == " " else key for key in typed), "enter")
            assert ids(app) == shown
            await pilot.press("slash", "enter")
            assert len(ids(app)) == 4

    asyncio.run(asyncio.wait_for(run(), 60))


@shows
async def test_an_invalid_filter_is_explained_and_has_no_effect():
    async with running(*FRAMES) as (app, pilot, _):
        await pilot.press("slash", "x", "y", "enter")
        assert "xy" in text(app, "status")
        assert len(ids(app)) == 4


@shows
async def test_a_row_opens_with_its_last_frames():
    async with running(*FRAMES) as (app, pilot, _):
        await pilot.press("enter")
        shown = text(app)
        assert "11 22" in shown
        assert ".......9  ██" in shown
        assert shown.index("11 23") < shown.index("11 22")
        await pilot.press("escape")
        assert ids(app)[0] == "123"


@shows
async def test_help_lists_every_key():
    async with running() as (app, pilot, _):
        await pilot.press("?")
        assert all(word in text(app) for word in ("notch", "record", "SPACE", "ENTER"))


@shows
async def test_prompts_send_and_record_and_report_failures():
    done = []

    def refuse(text):
        raise CanOperationError("no such bus")

    async with running(*FRAMES, send=lambda text: done.append(text) or "sent", record=refuse) as found:
        app, pilot, _ = found
        await pilot.press("t", *"123#11", "enter")
        assert (done, text(app, "status")) == (["123#11"], "sent")
        await pilot.press("w", *"a.log", "enter")
        assert text(app, "status") == "no such bus"
        await pilot.press("t", "q", "escape")
        assert app.is_running


@shows
async def test_a_failed_bus_is_reported_and_the_table_stays():
    async with running(*FRAMES) as (app, _, source):
        source.close(CanOperationError("can0: unplugged"))
        while not app.session.has_ended:
            await asyncio.sleep(0.001)
        app.draw()
        assert "failed" in text(app, "header")
        assert text(app, "status") == "can0: unplugged"
        assert len(ids(app)) == 4


@pytest.mark.parametrize("size", [(80, 24), (20, 5), (200, 60)])
def test_every_size_is_drawn(size):
    async def run():
        lines = [f"{n}.0 can0 {n:03X}#{n & 255:02X}" for n in range(60)]
        async with running(*lines, size=size) as (app, pilot, _):
            await pilot.press("pagedown", "down")
            assert any(line.startswith(">") for line in text(app).splitlines())
            await pilot.resize_terminal(40, 12)
            await pilot.press("up")
            height = app.query_one("#table").size.height
            assert len(text(app).splitlines()) == min(60, height)

    asyncio.run(asyncio.wait_for(run(), 60))


@pytest.mark.parametrize(
    ("values", "shown"), [([], ""), ([0, 0], "▁▁"), ([1, 8], "▂█"), ([5], "█"), ([-1, 2], "▁█")]
)
def test_a_sparkline_is_between_0_and_the_largest(values, shown):
    assert sparkline(values) == shown
    assert sparkline(values, is_utf8=False).isascii()


@shows
async def test_clicks_sort_choose_and_open_and_the_wheel_scrolls():
    lines = [f"{n}.0 can0 {n:03X}#{n & 255:02X}" for n in range(60)]
    async with running(*lines) as (app, pilot, _):
        await pilot.click("#headings", offset=(6, 0))
        assert ids(app)[0] == "03B"
        await pilot.click("#table", offset=(5, 3))
        assert [line[0] for line in text(app).splitlines()[:5]] == [" ", " ", " ", ">", " "]
        await pilot.double_click("#table", offset=(5, 6))
        assert "00  35" not in text(app)
        assert "  035" in text(app).splitlines()[0]
        await pilot.press("escape")
        app.query_one("#table").post_message(scroll_event(app))
        await pilot.pause()
        assert ids(app)[0] == "038"


def scroll_event(app):
    from textual.events import MouseScrollDown

    return MouseScrollDown(app.query_one("#table"), *(1, 1, 0, 0, 0), shift=False, meta=False, ctrl=False)


@shows
async def test_a_filter_applies_while_typing_and_escape_removes_it():
    async with running(*FRAMES) as (app, pilot, _):
        await pilot.press("slash", "1", "2")
        assert len(ids(app)) == 4
        assert "show only: 12 " in text(app, "status")
        assert "2 identifier digits, not 3" in text(app, "status")
        await pilot.press("3")
        assert (ids(app), text(app, "status")) == (["123", "error"], "show only: 123")
        assert "filtered" in text(app, "header")
        await pilot.press("escape")
        assert len(ids(app)) == 4
        assert text(app, "status") == "? help  q end"
        await pilot.press("slash", "q", "escape", "q")
    assert app.return_value == 0


@shows
async def test_an_open_row_has_its_last_100_frames_and_more_lines_than_the_screen():
    lines = [f"{n}.0 can0 123#{n & 255:02X}" for n in range(150)]
    async with running(*lines, size=(80, 24)) as (app, pilot, _):
        await pilot.press("enter")
        seen = text(app).splitlines()
        assert "last 100 frames" in text(app)
        for _ in range(9):
            await pilot.press("pagedown")
        seen += text(app).splitlines()
        assert any(line.startswith("149.000000") for line in seen)
        assert seen[-1].startswith("50.000000")


@shows
async def test_values_are_shown_in_the_history_too():
    async with running() as (app, pilot, source):
        app.session.table.decoder = StructDecoder(["123:>H:10.0"])
        source.put("1.0 can0 123#0064", "1.5 can0 123#00C8", "2.0 can0 123#01")
        await fed(app, 3)
        await pilot.press("enter")
        shown = text(app).splitlines()
        assert "values  (1 of 2 bytes)" in shown
        assert [line.split()[-1] for line in shown[-2:]] == ["20", "10"]


@shows
async def test_a_log_is_stepped_and_sought_on_the_screen():
    lines = [f"{1000 + n}.0 can0 123#{n:02X}" for n in range(100)]
    session = ScreenSession(lambda: iter([log(*lines)]), is_paced=True, measured=True)
    app = SniffApp(session, View(), Look(), "a.log")
    session.start()
    async with app.run_test(size=(100, 24)) as pilot:
        await fed(app, 1)
        await pilot.press(".", ".")
        await fed(app, 3)
        assert "paused" in text(app, "header")
        assert "0:02.0/1:39.0" in text(app, "header")
        assert " 02 " in text(app)
        await pilot.press("]")
        await fed(app, 13)
        await pilot.press(":", "5", "0", "%", "enter")
        await fed(app, 50)
        assert "0:49.5/1:39.0" in text(app, "header")
        await pilot.press(",")
        while session.table.frames != 49:
            await asyncio.sleep(0.001)
        app.draw()
        assert " 30 " in text(app)
    session.stop()


@shows
async def test_drawing_after_the_end_has_no_effect():
    async with running(*FRAMES) as (app, pilot, _):
        await pilot.press("q")
    app.draw()
