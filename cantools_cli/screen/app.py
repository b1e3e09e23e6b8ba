"""The full-screen view on textual: keys in, the table drawn at a fixed rate."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from cantools_cli.errors import CanError, FormatError, UsageError
from cantools_cli.screen import drawing
from cantools_cli.screen.drawing import Look
from cantools_cli.screen.session import Session
from cantools_cli.selection import Selection
from cantools_cli.sniff.row import Row
from cantools_cli.sniff.table import Table
from cantools_cli.sniff.view import View

if TYPE_CHECKING:
    from textual import events

#: so often the table is drawn: a frame is on the screen within a quarter of a second
DRAWN_EVERY = 0.125

#: what a key is called, by textual or by its character -> the method that it calls
KEYS = {
    "q": "quit_view",
    "escape": "leave",
    "c": "clear_rows",
    "s": "sort_by_id",
    "h": "mark_changes",
    "space": "pause",
    "up": "row_up",
    "down": "row_down",
    "pageup": "page_up",
    "pagedown": "page_down",
    "enter": "open_row",
    "left": "column_left",
    "right": "column_right",
    "r": "reverse",
    "g": "group",
    "p": "pin",
    "b": "binary",
    "#": "notch",
    "*": "unnotch",
    "/": "ask_filter",
    "t": "ask_frame",
    "w": "ask_file",
    "?": "help",
}
_QUESTIONS = {"filter": "show only: ", "frame": "send: ", "file": "record to: "}


class SniffApp(App[int]):
    """The view of one session. ``send`` and ``record`` do what the prompts ask for, and may be absent.

    Raises from them: CanError, UsageError, OSError are shown.
    """

    CSS = """
    Screen { layout: vertical; background: ansi_default; color: ansi_default; }
    Static { text-wrap: nowrap; text-overflow: clip; }
    #header { height: 2; }
    #headings { height: 1; }
    #table { height: 1fr; }
    #status { height: 1; }
    #prompt { height: 1; border: none; padding: 0; display: none; }
    """
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", priority=True, show=False),
        Binding("ctrl+z", "suspend_process", priority=True, show=False),
    ]

    def __init__(
        self,
        session: Session,
        view: View,
        look: Look,
        source: str,
        *,
        send: Callable[[str], str] | None = None,
        record: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(ansi_color=True)
        self.session = session
        self.view = view
        self.look = look
        self.source = source
        self.said = ""
        self.frozen: Table | None = None  # what is shown while paused
        self.chosen = 0  # number of the row that the keys are about
        self.page = "table"
        self._first = 0  # the line at the top
        self._asked = ""
        self._shown: list[Row] = []
        self._frozen_ns = 0
        self._send = send
        self._record = record

    def compose(self) -> ComposeResult:
        yield Static(id="header")
        yield Static(id="headings")
        yield Static(id="table")
        yield Static(id="status")
        yield Input(id="prompt")

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN and not self.is_headless:
                loop.add_signal_handler(number, self.exit, 128 + number)
        self.set_interval(DRAWN_EVERY, self.draw)
        self.draw()

    @property
    def table(self) -> Table:
        """What is shown."""
        return self.session.table if self.frozen is None else self.frozen

    # --- drawing --------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw what there is now."""
        session = self.session
        with session.lock:
            now = self._frozen_ns if self.frozen is not None else session.now_ns()
            session.rates.tick(session.now_ns())
            self.look.sorted_by = self.view.order
            self.look.pinned = self.view.pinned
            self._shown = self.view.rows(self.table.rows, now)
            self._draw_header()
            self._draw_page(now)

    def _draw_header(self) -> None:
        session = self.session
        if session.error is not None:
            state = "failed"
        elif session.has_ended:
            state = "ended"
        elif self.frozen is not None:
            state = "paused"
        else:
            state = "live" if not session.is_paced else "replaying"
        width = self.size.width
        text = drawing.header(session.table, session.rates, self.source, state, self.look, width)
        self.query_one("#header", Static).update(text)
        said = self.said or (session.notes[-1] if session.notes else "")
        if session.error is not None and not self.said:
            said = str(session.error)
        self.query_one("#status", Static).update(
            Text(said or "? help  q end", style="dim" if not said else "")
        )

    def _draw_page(self, now: int) -> None:
        table = self.table
        height = max(1, self.query_one("#table", Static).size.height)
        headings, body = Text(""), Text(drawing.HELP)
        row = self._chosen_row()
        if self.page == "table" or (self.page == "row" and row is None):
            headings = drawing.headings(table, self.look)
            body = self._table_text(now, height)
        elif self.page == "row" and row is not None:
            body = drawing.details(row, self.look, now, height)
        self.query_one("#headings", Static).update(headings)
        self.query_one("#table", Static).update(body)

    def _table_text(self, now: int, height: int) -> Text:
        at = self._chosen_index()
        self._first = max(0, min(self._first, at, max(0, len(self._shown) - height)))
        if at >= self._first + height:
            self._first = at - height + 1
        lines = [
            drawing.table_line(row, self.table, self.look, now, is_chosen=index == at)
            for index, row in enumerate(self._shown[self._first : self._first + height], self._first)
        ]
        return Text("\n", no_wrap=True, overflow="crop").join(lines)

    def _chosen_index(self) -> int:
        numbers = [row.number for row in self._shown]
        return numbers.index(self.chosen) if self.chosen in numbers else 0

    def _chosen_row(self) -> Row | None:
        return self._shown[self._chosen_index()] if self._shown else None

    # --- keys -----------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Do what a key means, unless a prompt takes it."""
        if self._asked and event.key != "escape":
            return
        name = KEYS.get(event.key) or KEYS.get(event.character or "")
        if name is not None:
            event.stop()
            self.said = ""
            getattr(self, f"do_{name}")()
            self.draw()

    def action_interrupt(self) -> None:
        self.exit(130)

    def do_quit_view(self) -> None:
        self.exit(0)

    def do_leave(self) -> None:
        """Close what is open, or end."""
        if self._asked:
            self._close_prompt()
        elif self.page != "table":
            self.page = "table"
        else:
            self.exit(0)

    def do_clear_rows(self) -> None:
        self.session.clear()
        self.frozen = None if self.frozen is None else self.session.table.copy()
        self.view.pinned.clear()
        self._shown = []

    def do_sort_by_id(self) -> None:
        self.view.order, self.view.descending = "id", False

    def do_mark_changes(self) -> None:
        self.look.marks_changes = not self.look.marks_changes

    def do_pause(self) -> None:
        if self.frozen is None:
            with self.session.lock:
                self._frozen_ns, self.frozen = self.session.now_ns(), self.session.table.copy()
        else:
            self.frozen = None
        if self.session.is_paced:
            self.session.pause.toggle()

    def _move(self, by: int) -> None:
        if self._shown:
            at = min(max(0, self._chosen_index() + by), len(self._shown) - 1)
            self.chosen = self._shown[at].number

    def do_row_up(self) -> None:
        self._move(-1)

    def do_row_down(self) -> None:
        self._move(1)

    def do_page_up(self) -> None:
        self._move(-max(1, self.query_one("#table", Static).size.height - 1))

    def do_page_down(self) -> None:
        self._move(max(1, self.query_one("#table", Static).size.height - 1))

    def do_open_row(self) -> None:
        self.page = "row" if self.page == "table" else "table"

    def do_column_left(self) -> None:
        self._sort_next(-1)

    def do_column_right(self) -> None:
        self._sort_next(1)

    def _sort_next(self, by: int) -> None:
        names = list(self.look.names_for(self.table))
        at = names.index(self.view.order) if self.view.order in names else 0
        self.view.order = names[(at + by) % len(names)]

    def do_reverse(self) -> None:
        self.view.descending = not self.view.descending

    def do_group(self) -> None:
        self.view.by_channel = not self.view.by_channel

    def do_pin(self) -> None:
        row = self._chosen_row()
        if row is not None:
            self.view.pinned ^= {row.number}

    def do_binary(self) -> None:
        self.look.is_binary = not self.look.is_binary

    def do_notch(self) -> None:
        with self.session.lock:
            self.session.table.notch(self.session.now_ns())
        self.said = "notched: what changed just now is ignored; * looks at all bits again"

    def do_unnotch(self) -> None:
        with self.session.lock:
            self.session.table.unnotch()

    def do_help(self) -> None:
        self.page = "help" if self.page != "help" else "table"

    # --- prompts --------------------------------------------------------------------------------------

    def do_ask_filter(self) -> None:
        self._ask("filter")

    def do_ask_frame(self) -> None:
        if self._send is None:
            self.said = "there is no bus to send to"
        else:
            self._ask("frame")

    def do_ask_file(self) -> None:
        if self._record is None:
            self.said = "nothing can be recorded here"
        elif self.session.on_batch is not None:
            self._answer(self._record, "")
        else:
            self._ask("file")

    def _ask(self, what: str) -> None:
        self._asked = what
        prompt = self.query_one("#prompt", Input)
        prompt.placeholder = _QUESTIONS[what]
        prompt.value = ""
        prompt.styles.display = "block"
        prompt.focus()

    def _close_prompt(self) -> None:
        self._asked = ""
        prompt = self.query_one("#prompt", Input)
        prompt.styles.display = "none"
        self.set_focus(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        asked, text = self._asked, event.value.strip()
        self._close_prompt()
        if asked == "filter":
            self._answer(self._filter, text)
        elif asked == "frame" and text and self._send is not None:
            self._answer(self._send, text)
        elif asked == "file" and text and self._record is not None:
            self._answer(self._record, text)
        self.draw()

    def _answer(self, do: Callable[[str], str], text: str) -> None:
        try:
            self.said = do(text)
        except (CanError, UsageError, FormatError, OSError, ValueError) as error:
            self.said = str(error)

    def _filter(self, text: str) -> str:
        if not text:
            self.view.chosen = None
            return ""
        is_expression = " " in text
        self.view.chosen = Selection.parse(None if is_expression else [text], text if is_expression else None)
        return f"only {text}; / and ENTER show all"


def run(app: SniffApp) -> int:
    """Show ``app`` until it ends; return the status that it ended with."""
    result: Any = app.run(mouse=False)
    return result if isinstance(result, int) else 0


def is_utf8() -> bool:
    """Whether the terminal shows more than ASCII, as far as the locale tells."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = os.environ.get(name)
        if value:
            return "utf" in value.lower()
    return False
