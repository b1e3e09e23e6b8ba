"""Where a command's frames go: stdout or a file, of any format, flushed when the source pauses."""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from cantools_cli import plugins
from cantools_cli.console.options import FormatOption
from cantools_cli.console.report import Report
from cantools_cli.console.sources import enlarge_pipe
from cantools_cli.errors import UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io import locks
from cantools_cli.io.base import MessageWriter
from cantools_cli.io.compression import compression_of
from cantools_cli.io.files import OutputStream, appends
from cantools_cli.io.formats import check_writer, format_for_output, open_writer, parse_format
from cantools_cli.units import duration, size


class Sink:
    """A writer, and when it flushes: a pipe or a terminal at each pause, a file by time.

    Attributes:
        count: frames written.
        name: what messages call the output.
    """

    def __init__(
        self, writer: MessageWriter, name: str, *, is_live: bool, flush_every: float, report: Report
    ) -> None:
        self.writer = writer
        self.name = name
        self.count = 0
        self._is_live = is_live
        self._flush_every = flush_every
        self._report = report
        self._flushed = time.monotonic()
        self._dirty = False

    @property
    def losses(self) -> Counter[str]:
        """What the format could not carry, by kind."""
        return self.writer.losses

    def file_size(self) -> int:
        """Return about how many bytes the file has so far, 0 where its writer does not say."""
        tell = getattr(self.writer, "file_size", None)
        return 0 if tell is None else int(tell())

    def write(self, batch: MessageBatch) -> None:
        if not len(batch):
            return
        self.writer.write(batch)
        self.count += len(batch)
        self._dirty = True
        if not self._is_live and time.monotonic() - self._flushed >= self._flush_every:
            self.flush()

    def flush(self) -> None:
        self.writer.flush()
        self._flushed = time.monotonic()
        self._dirty = False

    def on_idle(self) -> float | None:
        """Flush what is due before a wait; return in how many seconds the rest is."""
        if not self._dirty:
            return None
        due = 0.0 if self._is_live else self._flushed + self._flush_every - time.monotonic()
        if due <= 0:
            self.flush()
            return None
        return due

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.writer.close()
        except OSError:
            if error is None:
                raise
        self._report.losses(self.name, self.writer.losses)


@dataclass(frozen=True)
class Rotation:
    """When the next file begins, and how many are kept; 0 is no limit.

    Attributes:
        tz: the files are named with the time of their last frame in this zone; None takes the clock's, local.
    """

    max_bytes: int = 0
    max_seconds: float = 0.0
    max_files: int = 0
    tz: str | None = None

    @property
    def moment(self) -> Callable[[int], time.struct_time] | None:
        """What makes the time in a name from that of the last frame."""
        if self.tz is None:
            return None
        from cantools_cli.clock import ns_to_wall

        return lambda stamp: ns_to_wall(stamp, self.tz or "local").timetuple()

    @classmethod
    def parse(
        cls, max_size: str | None, max_time: str | None, max_files: int | None, tz: str | None = None
    ) -> Rotation | None:
        """Return what ``--max-size``, ``--max-time`` and ``--max-files`` say together, None for nothing.

        Raises:
            UsageError: one of them makes no sense.
        """
        if max_size is None and max_time is None:
            if max_files is not None:
                raise UsageError("--max-files needs --max-size or --max-time")
            return None
        rotation = cls(
            size(max_size) if max_size is not None else 0,
            duration(max_time) if max_time is not None else 0.0,
            max_files if max_files is not None else 0,
            tz,
        )
        if max_size is not None and not rotation.max_bytes:
            raise UsageError(f"--max-size {max_size} is no size for a file")
        if max_time is not None and not rotation.max_seconds:
            raise UsageError(f"--max-time {max_time} is no time for a file")
        if max_files is not None and max_files < 1:
            raise UsageError(f"--max-files {max_files}: the file that is written is one already")
        return rotation


def open_sink(
    output: str | None,
    to: str | None,
    report: Report,
    *,
    force: bool = False,
    append: bool | None = None,
    rotation: Rotation | None = None,
    flush_every: float = 1.0,
    default: str = "log",
    of_format: Iterable[FormatOption] = (),
    **options: Any,
) -> Sink:
    """Open ``output`` (None or ``-`` for stdout) in the format ``to``, or the one its suffix means.

    ``append`` is None for a command that has no such option. ``of_format`` are options for one format.

    Raises:
        UsageError: the format is not known, the file exists, binary data would go to a terminal, an option is
            for another format.
        OSError: the file cannot be created.
    """
    is_stdout = output is None or output == "-"
    name, given = checked_form(output, to, of_format, default=default)
    form = plugins.FORMATS.get(name)
    if form is not None:
        given = {
            **form.writing,
            **{key: value for key, value in options.items() if key in form.writer_options.values()},
            **given,
        }
    opener = _Opener(name, given, report, force=force, append=append)
    if is_stdout:
        check_needs_no_file(output, append=append, force=force, rotation=rotation)
        writer, live = opener.stdout()
        return Sink(writer, "-", is_live=live, flush_every=flush_every, report=report)
    label = output or ""
    if rotation is None:
        writer = opener(label)
        return Sink(writer, label, is_live=opener.is_live, flush_every=flush_every, report=report)
    _check_rotates(label, name, rotation)
    from cantools_cli.io.logger import RotatingLogger

    writer = RotatingLogger(
        label,
        opener=opener,
        max_bytes=rotation.max_bytes,
        max_seconds=rotation.max_seconds,
        max_files=rotation.max_files,
        moment=rotation.moment,
    )
    return Sink(writer, label, is_live=False, flush_every=flush_every, report=report)


def checked_form(
    output: str | None, to: str | None, of_format: Iterable[FormatOption] = (), *, default: str = "log"
) -> tuple[str, dict[str, Any]]:
    """Return the format that ``output`` is written in, and the options given for it, all of them valid.

    Nothing is opened, so a command calls it before it opens anything.

    Raises:
        UsageError: the format is not known, or an option is for another format or makes no sense.
    """
    is_stdout = output is None or output == "-"
    name, given = (
        parse_format(to, writing=True)
        if to
        else (default if is_stdout else format_for_output(output or ""), {})
    )
    for option in of_format:
        _check_of_format(option, name, given)
        given = {**given, option.key: option.value}
    check_writer(name, given)
    return name, given


def check_needs_no_file(
    output: str | None, *, append: bool | None, force: bool, rotation: Rotation | None
) -> None:
    """Refuse options that are about a file if ``output`` is standard output.

    Raises:
        UsageError: one was given.
    """
    if output in (None, "-") and (append or force or rotation is not None):
        option = "--append" if append else "--force" if force else "--max-size or --max-time"
        raise UsageError(f"{option} needs a file, -o FILE")


class _Opener:
    """Opens files of one format, one after another: a rotation's next one is always new.

    Attributes:
        is_live: whether the last one opened is no regular file.
    """

    def __init__(
        self, form: str, options: dict[str, Any], report: Report, *, force: bool, append: bool | None
    ) -> None:
        self.is_live = False
        self._form = form
        self._options = options
        self._report = report
        self._force = force
        self._append = append
        self._hint = "--force replaces it"
        if append is not None and form in plugins.FORMATS and plugins.FORMATS[form].can_append:
            self._hint += ", --append continues it"
        if append:
            if force:
                raise UsageError("--append and --force contradict each other")
            _check_appends(form)

    def stdout(self) -> tuple[MessageWriter, bool]:
        form = plugins.FORMATS.get(self._form)
        if form is not None and form.is_binary and os.isatty(1):
            raise UsageError(
                f"{self._form} is binary and not for a terminal", hint="-o FILE, or a pipe behind it"
            )
        file = open(1, "wb", buffering=0, closefd=False)  # noqa: SIM115  # stdout stays open
        enlarge_pipe(1)
        locks.lock(file, "stdout", shared=form is not None and form.is_lines and appends(file))
        stream = OutputStream(file, owned=False)
        stream.name, stream.is_locked = "-", True
        writer = open_writer(stream, self._form, self._options, on_note=self._report.note)
        return writer, not stat.S_ISREG(os.fstat(1).st_mode)

    def __call__(self, path: str) -> MessageWriter:
        """Create ``path``, or open it to be continued, and return its writer."""
        options, was_cut = self._options, False
        is_new = not os.path.lexists(path)
        if self._append:
            from cantools_cli.io.continued import open_to_continue

            found = open_to_continue(path, self._form, self._report.note)
            file: Any = found.file
            was_cut = found.is_cut
            if not found.is_empty:
                options = {**options, "append": True}
        else:
            file = self._create(path)
        is_new = is_new and os.fstat(file.fileno()).st_size == 0
        try:
            self.is_live = not stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            compression = compression_of(path)
            stream = OutputStream(file, append="append" in options, compression=compression, owned=True)
            stream.name = path
            if was_cut:
                stream.write(b"\n")
            return open_writer(stream, self._form, options, on_note=self._report.note)
        except BaseException:
            file.close()
            if is_new:
                os.unlink(path)
            raise

    def _create(self, path: str) -> Any:
        """Create ``path`` and lock it; an existing regular file is replaced only with --force."""
        if os.path.exists(path) and not os.path.isfile(path):
            return open(path, "wb", buffering=0)
        shares = self._form in plugins.FORMATS and plugins.FORMATS[self._form].is_shared
        if shares and self._force:
            from cantools_cli.io.sqlite.table import check_unused

            check_unused(path)

        def open_file() -> Any:
            return open(path, "wb+" if self._force else "xb+", 0, opener=locks.without_truncation)

        try:
            file = open_file() if shares else locks.open_locked(open_file, path, self._report.note)
        except FileExistsError:
            raise UsageError(f"{path}: exists already", hint=self._hint) from None
        file.truncate(0)  # only now that no other writer can have it open
        return file


def _check_of_format(option: FormatOption, form: str, given: dict[str, Any]) -> None:
    """Raise UsageError where an option for one format meets another one, or another value."""
    if form != option.form:
        suffix = plugins.FORMATS[option.form].suffixes[0]
        raise UsageError(
            f"{option.spelling} is for {option.form} files, and the output is {form}",
            hint=f"-o FILE{suffix}, or --to {option.form}",
        )
    if given.get(option.key, option.value) != option.value:
        raise UsageError(f"{option.spelling} and --to {option.form},{option.key} contradict each other")


def _check_appends(form: str) -> None:
    found = plugins.FORMATS.get(form)
    if found is None or not found.can_append:
        known = " ".join(name for name, one in plugins.FORMATS.items() if one.can_append)
        raise UsageError(f"{form} files cannot be continued", hint=f"formats that can: {known}")


def _check_rotates(path: str, form: str, rotation: Rotation) -> None:
    """Raise UsageError where files cannot follow one another."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(f"{path} is no regular file, so no other can follow it")
    if rotation.max_bytes and not hasattr(plugins.writer_class(form), "file_size"):
        raise UsageError(
            f"the size of {form} files is not known while they are written", hint="--max-time works"
        )
