"""What ``canx plot`` reads and writes: series from the inputs, a picture to a file or the terminal."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cantools_cli.errors import UsageError, counted, quoted
from cantools_cli.io import locks

if TYPE_CHECKING:
    from cantools_cli.console.report import Report
    from cantools_cli.decoding.databases import Databases
    from cantools_cli.frame.message import Channel
    from cantools_cli.plotting.names import Wanted
    from cantools_cli.plotting.series import Series

FORMS = {".png": "png", ".svg": "svg", ".html": "html", ".htm": "html", ".txt": "text"}
#: series in a picture; a page has more room
MOST_SERIES = {"png": 24, "svg": 24, "text": 24, "html": 200}
_POINTS = 32_768  # enough for every column of pixels of a picture
_PAGE_POINTS = 1_000_000
_ALL_POINTS = 4_000_000  # of all series together, 16 bytes each


def output_form(output: str | None, to: str | None) -> str:
    """Return png, svg, html or text, for the terminal: by ``--to``, else by the suffix of ``output``."""
    known = "png, svg, html, text"
    if to is not None:
        form = to.lstrip(".").lower()
        if form not in FORMS.values():
            raise UsageError(f"--to {quoted(to)} is not one of {known}")
        return form
    if output in (None, "-"):
        return "text"
    suffix = os.path.splitext(output or "")[1].lower()
    if suffix not in FORMS:
        raise UsageError(f"{output}: the suffix names no picture", hint=f"--to one of {known}")
    return FORMS[suffix]


def points_limit(form: str, given: int | None, series: int) -> int:
    """Return the number of points to keep of each series; ``series`` is their number."""
    if given is not None:
        if given < 16:
            raise UsageError(f"--points {given} must be at least 16")
        return given
    usual = max(_PAGE_POINTS // max(series, 1), _POINTS) if form == "html" else _POINTS
    return max(4096, min(usual, _ALL_POINTS // max(series, 1)))


@dataclass
class Choice:
    """Which series are wanted, by channel: names are looked up in the database of the channel."""

    words: Sequence[str]
    databases: Databases | None

    def __post_init__(self) -> None:
        from cantools_cli.plotting.names import Wanted, parse

        if self.databases is None:
            self._plain = parse(self.words, None)
            return
        self._of: dict[int, Wanted] = {}
        plain = [word for word in self.words if self._error(word, None) is None]
        self._plain = parse(plain, None) if plain else Wanted()
        for word in self.words:
            self._check(word)
        for scope in self.databases.scopes:
            known = [word for word in self.words if self._error(word, scope.database) is None]
            if known or not self.words:
                self._of[id(scope.database)] = parse(known, scope.database)

    @staticmethod
    def _error(word: str, database: Any) -> UsageError | None:
        from cantools_cli.plotting.names import parse

        try:
            parse([word], database)
        except UsageError as error:
            return error
        return None

    def _check(self, word: str) -> None:
        """Raise UsageError if no database knows ``word``."""
        assert self.databases is not None
        errors = [self._error(word, scope.database) for scope in self.databases.scopes]
        if all(errors):
            raise errors[0] or UsageError(word)

    def of_channel(self, channel: Channel) -> Wanted:
        """Return what is wanted of the frames of ``channel``."""
        if self.databases is None:
            return self._plain
        database = self.databases.for_channel(channel)
        return self._plain if database is None else self._of.get(id(database), self._plain)

    @property
    def count(self) -> int:
        """The number of series of a channel."""
        return max((one.count for one in (self._plain, *getattr(self, "_of", {}).values())), default=1)

    @property
    def figures(self) -> set[str]:
        """The kinds of figures of frames that are wanted."""
        found = (self._plain, *getattr(self, "_of", {}).values())
        return {figure.kind for wanted in found for figure in wanted.figures}


def axis_label(origin_ns: int, tz: str | None) -> str:
    """Return the label of the axis of time, whose zero is ``origin_ns``."""
    if origin_ns < 10**17:  # before 1973: a log with times since its start
        return "seconds since the first frame"
    from cantools_cli.clock import ns_to_wall

    zone = tz or "UTC"
    text = ns_to_wall(origin_ns, zone).isoformat(sep=" ", timespec="milliseconds")
    return f"seconds since {text} {zone}"


def report_series(series: list[Series], short: int, report: Report) -> None:
    """Report values that are not finite, and frames that were too short."""
    for one in series:
        if one.endless:
            report.note(f"{one.label}: {counted(one.endless, 'values')} not finite, shown as gaps")
    if short:
        report.note(f"{counted(short, 'frames')} too short for a signal")


def limited(series: list[Series], form: str, report: Report) -> list[Series]:
    """Return the series that the picture has room for, the first ones."""
    most = MOST_SERIES[form]
    if len(series) > most:
        report.note(f"the first {most} of {len(series)} series are shown; -s NAME chooses others")
    return series[:most]


def write_output(output: str | None, data: bytes, *, force: bool, report: Report) -> None:
    """Write ``data`` to the file ``output``, or to stdout."""
    if output in (None, "-"):
        sys.stdout.flush()
        with open(1, "wb", closefd=False) as stream:
            stream.write(data)
        return
    path = output or ""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as stream:
            stream.write(data)
        return

    def open_file() -> Any:
        return open(path, "wb+" if force else "xb+", 0, opener=locks.without_truncation)

    try:
        file = locks.open_locked(open_file, path, report.note)
    except FileExistsError:
        raise UsageError(f"{path}: already exists", hint="--force replaces it") from None
    with file:
        file.truncate(0)
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]


def check_output(output: str | None, form: str, *, force: bool) -> None:
    """Refuse an existing file, and a binary picture on a terminal, before anything is read."""
    if output in (None, "-"):
        if form == "png" and os.isatty(1):
            raise UsageError("png is binary and not for a terminal", hint="-o FILE")
        if force:
            raise UsageError("--force needs a file, -o FILE")
    elif os.path.isfile(output or "") and not force:
        raise UsageError(f"{output}: already exists", hint="--force replaces it")


def picture_bytes(form: str, draw: Callable[[Any], None]) -> bytes:
    """Return what ``draw`` writes into a file."""
    file = io.BytesIO()
    draw(file)
    return file.getvalue()
