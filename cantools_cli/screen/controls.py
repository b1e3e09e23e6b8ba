"""The actions of keys, mouse and prompts; depends on textual only for the names of keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partialmethod

from cantools_cli.errors import CanError, FormatError, UsageError
from cantools_cli.filtering.selection import Selection
from cantools_cli.filtering.window import Moment
from cantools_cli.screen.keys import KEYS
from cantools_cli.screen.line import Line
from cantools_cli.screen.look import Look, column_at
from cantools_cli.screen.session import ScreenSession
from cantools_cli.sniff.table import Row, Table
from cantools_cli.sniff.view import View, parse_filter
from cantools_cli.streams.replay import Ratio
from cantools_cli.units import percentage

_SOON_NS, _LATER_NS = 10_000_000_000, 60_000_000_000
_WHEEL_LINES = 3


@dataclass
class Ports:
    """Callables behind the prompts for sending and recording; None if they are unavailable.

    Their CanError, UsageError and OSError exceptions are shown.
    """

    send: Callable[[str], str] | None = None
    record: Callable[[str], str] | None = None


class Controls:
    """The state of the screen, without drawing."""

    def __init__(self, session: ScreenSession, view: View, look: Look, ports: Ports) -> None:
        self.session = session
        self.view = view
        self.look = look
        self.message = ""  #: the text in the last line
        self.page = "table"  #: "table", "row" or "help"
        self.chosen = -1  #: number of the chosen row; -1 is the top row
        #: the rows in order; ``first`` is the index of the top row, ``height`` the number of lines
        self.shown: list[Row] = []
        self.first = 0
        self.height = 1
        self.scrolled = 0  #: the top line of an opened row
        #: copy of the table, shown while a live view is paused, made at ``frozen_ns``
        self.frozen: Table | None = None
        self.frozen_ns = 0
        self.prompt = ""  #: kind of the open prompt, or empty; ``line`` is its text
        self.line = Line()
        self.status: int | None = None  #: exit status; None until the user ends the program
        self._ports = ports
        self._chosen_before: Selection | None = None

    @property
    def table(self) -> Table:
        """The displayed table."""
        return self.session.table if self.frozen is None else self.frozen

    @property
    def state(self) -> str:
        """The state of the source in one word."""
        session, player = self.session, self.session.player
        if session.error is not None:
            return "failed"
        if self.frozen is not None:
            return "paused"
        if player is None:
            return "ended" if session.has_ended else "live"
        if player.is_seeking:
            return "seeking"
        return "ended" if player.has_ended else "paused" if player.is_paused else "replaying"

    def arrange(self, now_ns: int) -> None:
        """Update the displayed rows and scroll to the chosen one."""
        self.look.sorted_by = self.view.order
        self.look.pinned = self.view.pinned
        self.look.hold_ns = self.session.table.hold_ns
        self.shown = self.view.rows(self.table.rows, now_ns)
        at = self.chosen_index()
        self.first = max(0, min(self.first, at, max(0, len(self.shown) - self.height)))
        if at >= self.first + self.height:
            self.first = at - self.height + 1

    def chosen_index(self) -> int:
        numbers = [row.number for row in self.shown]
        return numbers.index(self.chosen) if self.chosen in numbers else 0

    def chosen_row(self) -> Row | None:
        return self.shown[self.chosen_index()] if self.shown else None

    def key(self, key: str, character: str | None = None) -> None:
        """Handle a key, given by textual's name and its character."""
        if not self.prompt:
            name = KEYS.get(key) or KEYS.get(character or "")
            if name is not None:
                self.message = ""
                getattr(self, f"do_{name}")()
        elif key == "escape":
            self._abandon()
        elif key == "enter":
            self._answer(self.line.text.strip())
        elif self.line.key(key, character):
            self._typed()

    def paste(self, text: str) -> None:
        """Insert pasted text into an open prompt."""
        if self.prompt:
            self.line.insert("".join(filter(str.isprintable, text)))
            self._typed()

    def do_end(self) -> None:
        self.status = 0

    def do_leave(self) -> None:
        """Close the open page, else remove the filter, else end."""
        if self.page != "table":
            self.page = "table"
        elif self.view.chosen is not None:
            self.view.chosen = None
        else:
            self.status = 0

    def do_clear(self) -> None:
        self.session.clear()
        self.frozen = None if self.frozen is None else self.session.table.copy()
        self.view.pinned.clear()
        self.chosen = -1
        self.shown = []

    def do_sort_by_id(self) -> None:
        self.view.order, self.view.descending = "id", False

    def do_mark_changes(self) -> None:
        self.look.marks_changes = not self.look.marks_changes

    def do_pause(self) -> None:
        if self.session.player is not None:
            self.session.ask(lambda player, now: player.pause(now, is_on=not player.is_paused))
        elif self.frozen is not None:
            self.frozen = None
        else:
            with self.session.lock:
                self.frozen_ns, self.frozen = self.session.now_ns(), self.session.table.copy()

    def do_page_up(self) -> None:
        self._move(1 - max(2, self.height))

    def do_page_down(self) -> None:
        self._move(max(2, self.height) - 1)

    def _move(self, by: int) -> None:
        if self.page == "row":
            self.scrolled = max(0, self.scrolled + by)
        elif self.shown:
            at = min(max(0, self.chosen_index() + by), len(self.shown) - 1)
            self.chosen = self.shown[at].number

    do_up = partialmethod(_move, -1)
    do_down = partialmethod(_move, 1)

    def do_open_row(self) -> None:
        self.page = "row" if self.page == "table" else "table"
        self.scrolled = 0
        self._hold_on()

    def _hold_on(self) -> None:
        """Keep the current row chosen if rows are inserted before it."""
        row = self.chosen_row()
        self.chosen = -1 if row is None else row.number

    def _sort_next(self, by: int) -> None:
        names = list(self.look.names_for(self.table))
        at = names.index(self.view.order) if self.view.order in names else 0
        self.view.order = names[(at + by) % len(names)]

    do_column_left = partialmethod(_sort_next, -1)
    do_column_right = partialmethod(_sort_next, 1)

    def do_reverse(self) -> None:
        self.view.descending = not self.view.descending

    def do_group(self) -> None:
        self.view.by_channel = not self.view.by_channel

    def do_pin(self) -> None:
        self._hold_on()
        if self.chosen >= 0:
            self.view.pinned ^= {self.chosen}

    def do_binary(self) -> None:
        self.look.is_binary = not self.look.is_binary

    def do_ascii(self) -> None:
        self.look.toggle("ascii")

    def do_notch(self) -> None:
        with self.session.lock:
            self.session.table.notch(self.session.now_ns())
        self.message = "bits that changed just now are ignored; * stops ignoring them"

    def do_unnotch(self) -> None:
        with self.session.lock:
            self.session.table.unnotch()

    def _hide(self, name: str, is_hidden: bool) -> None:
        setattr(self.view, name, is_hidden)

    do_hide_standard = partialmethod(_hide, "hides_standard", True)
    do_show_standard = partialmethod(_hide, "hides_standard", False)
    do_hide_extended = partialmethod(_hide, "hides_extended", True)
    do_show_extended = partialmethod(_hide, "hides_extended", False)

    def do_help(self) -> None:
        self.page = "help" if self.page != "help" else "table"

    def _step(self, frames: int) -> None:
        if self._is_log():
            self.session.ask(lambda player, now: player.step(now, frames))

    def _seek_by(self, by_ns: int) -> None:
        if self._is_log():
            self.session.ask(lambda player, now: player.seek_by(now, by_ns))

    do_step = partialmethod(_step, 1)
    do_step_back = partialmethod(_step, -1)
    do_later = partialmethod(_seek_by, _SOON_NS)
    do_earlier = partialmethod(_seek_by, -_SOON_NS)
    do_much_later = partialmethod(_seek_by, _LATER_NS)
    do_much_earlier = partialmethod(_seek_by, -_LATER_NS)

    def _is_log(self) -> bool:
        if self.session.player is None:
            self.message = "only a log file can be navigated"
        return self.session.player is not None

    def _go_to(self, text: str) -> str:
        if text.endswith("%"):
            share = Ratio(round(1e6 * percentage(text)), 1_000_000)
            self.session.ask(lambda player, now: player.seek_share(share))
            return ""
        place = Moment.parse(text)
        seek = "seek_time" if place.is_absolute else "seek"
        self.session.ask(lambda player, now: getattr(player, seek)(place.nanoseconds))
        return ""

    def click_heading(self, x: int) -> None:
        """Sort by the column at ``x``, or reverse the order if it is sorted by that column."""
        name = column_at(self.look, self.table, x)
        if self.page != "table" or not name:
            return
        if name == self.view.order:
            self.do_reverse()
        else:
            self.view.order, self.view.descending = name, False

    def click_line(self, y: int) -> None:
        """Choose the row in line ``y`` of the table; open it if it is chosen already."""
        at = self.first + y
        if self.page != "table" or not 0 <= at < len(self.shown):
            return
        if at == self.chosen_index():
            self.do_open_row()
        else:
            self.chosen = self.shown[at].number

    def scroll(self, lines: int) -> None:
        """Scroll by steps of the wheel; the chosen row stays visible."""
        by = lines * _WHEEL_LINES
        if self.page == "row":
            self._move(by)
        elif self.page == "table" and self.shown:
            last = max(0, len(self.shown) - self.height)
            at = self.chosen_index()
            self.first = min(max(0, self.first + by), last)
            at = min(max(at, self.first), self.first + self.height - 1, len(self.shown) - 1)
            self.chosen = self.shown[at].number

    def do_ask_filter(self) -> None:
        self._chosen_before = self.view.chosen
        self._open_prompt("filter")

    def do_ask_frame(self) -> None:
        if self._ports.send is None:
            self.message = "no bus to send to"
        else:
            self._open_prompt("frame")

    def do_ask_file(self) -> None:
        if self._ports.record is None:
            self.message = "this source cannot be recorded"
        elif self.session.on_batch is not None:
            self._perform(self._ports.record, "")
        else:
            self._open_prompt("file")

    def do_ask_place(self) -> None:
        if self._is_log():
            self._open_prompt("place")

    def _open_prompt(self, what: str) -> None:
        self.prompt, self.line = what, Line()

    def _typed(self) -> None:
        """Apply a filter while it is typed; an invalid or incomplete one has no effect."""
        if self.prompt == "filter":
            self._perform(self._filter, self.line.text.strip())

    def _abandon(self) -> None:
        if self.prompt == "filter":
            self.view.chosen = self._chosen_before
        self.prompt = self.message = ""

    def _answer(self, text: str) -> None:
        prompt, self.prompt, self.message = self.prompt, "", ""
        if prompt == "filter":
            self.view.chosen = self._chosen_before
            self._perform(self._filter, text)
            self.message = self.message or (f"showing only {text}; / ENTER shows all" if text else "")
        elif prompt == "frame" and self._ports.send is not None:
            self._perform(self._ports.send, text)
        elif prompt == "file" and text and self._ports.record is not None:
            self._perform(self._ports.record, text)
        elif prompt == "place" and text:
            self._perform(self._go_to, text)

    def _perform(self, do: Callable[[str], str], text: str) -> None:
        try:
            self.message = do(text)
        except (CanError, UsageError, FormatError, OSError, ValueError) as error:
            self.message = str(error)

    def _filter(self, text: str) -> str:
        self.view.chosen = parse_filter(text, self.view.signals) if text else None
        return ""
