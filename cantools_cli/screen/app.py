"""The textual application: passes keys and clicks to ``Controls`` and redraws at a fixed rate."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from cantools_cli.screen import drawing
from cantools_cli.screen.controls import Controls, Ports
from cantools_cli.screen.details import details
from cantools_cli.screen.header import header
from cantools_cli.screen.keys import HELP, QUESTIONS
from cantools_cli.screen.look import Look
from cantools_cli.screen.session import ScreenSession
from cantools_cli.sniff.view import View

if TYPE_CHECKING:
    from textual import events

#: seconds between redraws: a frame is on the screen within a quarter of a second
DRAWN_EVERY = 0.125


class SniffApp(App[int]):
    """The view of one session; its result is an exit status."""

    CSS = """
    Screen { layout: vertical; background: ansi_default; color: ansi_default; }
    Static { text-wrap: nowrap; text-overflow: clip; }
    #header { height: 2; }
    #headings { height: 1; }
    #table { height: 1fr; }
    #status { height: 1; }
    """
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False  # clicks choose rows; terminals select text with SHIFT
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", priority=True, show=False),
        Binding("ctrl+z", "suspend_process", priority=True, show=False),
    ]

    def __init__(
        self, session: ScreenSession, view: View, look: Look, source: str, ports: Ports | None = None
    ) -> None:
        super().__init__(ansi_color=True)
        self.session = session
        self.view = view
        self.look = look
        self.source = source
        self.controls = Controls(session, view, look, ports or Ports())
        self.on_asked: Callable[[int], None] = lambda status: None
        self._before: dict[int, Any] = {}  # signal handlers to restore
        self._own_loop: asyncio.AbstractEventLoop | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="header")
        yield Static(id="headings")
        yield Static(id="table")
        yield Static(id="status")

    def on_mount(self) -> None:
        self._own_loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN and not self.is_headless:
                # not a handler of the loop: those do not run while the loop blocks on writing to the terminal
                self._before[number] = signal.signal(number, self._signalled)
        self._suspend_between_events()
        self.set_interval(DRAWN_EVERY, self.draw)
        self.draw()

    def _suspend_between_events(self) -> None:
        """Run textual's handler of SIGTSTP from the loop.

        It ends textual's threads. If it interrupts code that holds a lock of theirs, both wait for ever.
        """
        suspend = signal.getsignal(signal.SIGTSTP) if hasattr(signal, "SIGTSTP") else None
        loop = asyncio.get_running_loop()
        if callable(suspend):

            def suspend_soon(number: int, frame: object) -> None:
                loop.call_soon_threadsafe(suspend, number, None)

            self._before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, suspend_soon)

    def _signalled(self, number: int, frame: object) -> None:
        self.on_asked(128 + number)
        self.end(128 + number)

    def end(self, status: int) -> None:
        """End with ``status``; may be called from any thread."""
        if self._own_loop is not None:
            with suppress(RuntimeError):  # the loop is closed: the application has ended
                self._own_loop.call_soon_threadsafe(self.exit, status)

    def run_to_end(self) -> int:
        """Run, restore the signal handlers, and return the exit status."""
        try:
            result: Any = self.run()
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._before.clear()
        return result if isinstance(result, int) else 0

    def draw(self) -> None:
        """Redraw the screen."""
        widgets = self.query("#header, #headings, #table, #status")
        if len(widgets) < 4:  # the last call comes after the widgets are removed
            return
        session, controls = self.session, self.controls
        controls.height = max(1, self.query_one("#table", Static).size.height)
        with session.lock:
            now = controls.frozen_ns if controls.frozen is not None else session.now_ns()
            session.keep_rates()
            controls.arrange(now)
            text = header(
                session, self.view, controls.table, self.source, controls.state, self.look, self.size.width
            )
            headings, body = self._page(now)
        parts = {"header": text, "headings": headings, "table": body, "status": self._status()}
        for name, shown in parts.items():
            if not self.look.is_utf8:
                shown.plain = shown.plain.encode("ascii", "replace").decode()
            self.query_one(f"#{name}", Static).update(shown)

    def _status(self) -> Text:
        """Return the last line: a prompt or a message."""
        session, controls = self.session, self.controls
        message = controls.message
        if controls.prompt:
            line = controls.line
            text = Text(f"{QUESTIONS[controls.prompt]}{line.text[: line.at]}")
            text.append(line.text[line.at : line.at + 1] or " ", style="reverse")
            text.append(line.text[line.at + 1 :])
            return text.append(f"  {message}", style="dim")
        if not message:
            message = str(session.error or "") or (session.notes[-1] if session.notes else "")
        return Text(message) if message else Text("? help  q end", style="dim")

    def _page(self, now: int) -> tuple[Text, Text]:
        """Return the headings and the text below them."""
        controls, look = self.controls, self.look
        row = controls.chosen_row()
        if controls.page == "help":
            return Text(""), Text(HELP)
        if controls.page == "row" and row is not None:
            lines = details(row, look, now)
            controls.scrolled = max(0, min(controls.scrolled, len(lines) - controls.height))
            lines = lines[controls.scrolled :]
            return Text(""), _joined(lines[: controls.height])
        first, at = controls.first, controls.chosen_index()
        rows = controls.shown[first : first + controls.height]
        table = controls.table
        lines = [
            drawing.table_line(row, table, look, now, is_chosen=index == at)
            for index, row in enumerate(rows, first)
        ]
        return drawing.headings(table, look), _joined(lines)

    def on_key(self, event: events.Key) -> None:
        self.controls.key(event.key, event.character)
        self._go_on()

    def on_paste(self, event: events.Paste) -> None:
        self.controls.paste(event.text)
        self._go_on()

    def action_interrupt(self) -> None:
        self.exit(130)

    def on_click(self, event: events.Click) -> None:
        """Sort by a column, or choose or open a row."""
        name = event.widget.id if event.widget is not None else None
        if name == "headings":
            self.controls.click_heading(event.x)
        elif name == "table":
            self.controls.click_line(event.y)
        self._go_on()

    def on_mouse_scroll_down(self) -> None:
        self.controls.scroll(1)
        self._go_on()

    def on_mouse_scroll_up(self) -> None:
        self.controls.scroll(-1)
        self._go_on()

    def _go_on(self) -> None:
        """Apply the effect of a key or a click."""
        if self.controls.status is not None:
            self.exit(self.controls.status)
        self.draw()


def _joined(lines: list[Text]) -> Text:
    return Text("\n", no_wrap=True, overflow="crop").join(lines)


def is_utf8() -> bool:
    """Return whether the terminal shows UTF-8, according to the locale."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = os.environ.get(name)
        if value:
            return "utf" in value.lower()
    return False
