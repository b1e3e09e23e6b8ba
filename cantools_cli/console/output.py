"""The output of a command: its path, its format with the writer's options, and when another file begins.

Everything is resolved and checked once, before a bus is opened or a file is touched.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cantools_cli import plugins
from cantools_cli.console import options
from cantools_cli.console.report import Report
from cantools_cli.console.sinks import Sink
from cantools_cli.console.sources import enlarge_pipe
from cantools_cli.errors import UsageError
from cantools_cli.io import locks
from cantools_cli.io.base import MessageWriter
from cantools_cli.io.compression import compression_of
from cantools_cli.io.files import OutputStream, appends
from cantools_cli.io.formats import check_writer, format_for_output, open_writer, parse_format
from cantools_cli.units import duration, size

OptionValue = int | bool | str
"""The value of a format's option, of the type that the writer takes."""


@dataclass(eq=False, repr=False)
class FormatOptions:
    """Options for single formats; most mean the same as ``--to FORMAT,KEY=VALUE``."""

    ns: options.Ns = False
    trc_version: options.TrcVersion = None
    index: options.Index = False

    @property
    def given(self) -> list[tuple[str, str, str, OptionValue]]:
        """The options that were given, except --ns: (spelling, format, key, value)."""
        given: list[tuple[str, str, str, OptionValue]] = []
        if self.trc_version is not None:
            given.append(("--trc-version", "trc", "version", self.trc_version))
        if self.index:
            given.append(("--index", "db", "index", True))
        return given


@dataclass(frozen=True)
class OutputFormat:
    """A format by name, and the keyword arguments of its writer."""

    name: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)

    @classmethod
    def resolve(
        cls,
        path: str | None,
        to: str | None = None,
        *,
        as_json: bool = False,
        special: FormatOptions | None = None,
        tz: str | None = None,
    ) -> OutputFormat:
        """Return the format ``to``, else the one that the suffix of ``path`` means, else log."""
        if as_json and to not in (None, "json"):
            raise UsageError(f"--json and --to {to} contradict each other")
        given: dict[str, OptionValue] = {}
        if as_json:
            name = "json"
        elif to:
            name, given = parse_format(to, writing=True)
        else:
            name = "log" if path in (None, "-") else format_for_output(path or "")
        for spelling, form, key, value in special.given if special else ():
            _check_of_format(spelling, form, key, name, given.get(key, value) == value)
            given[key] = value
        check_writer(name, given)
        row = plugins.FORMATS.get(name)
        if row is None:
            return cls(name, given)
        common: dict[str, OptionValue] = {"ns": special is not None and special.ns}
        if tz is not None:
            common["tz"] = tz
        known = row.writer_options.values()
        common = {key: value for key, value in common.items() if key in known}
        return cls(name, {**row.writing, **common, **given})

    @property
    def row(self) -> plugins.Format | None:
        """The format's row in the table, None for one of another distribution."""
        return plugins.FORMATS.get(self.name)

    @property
    def can_append(self) -> bool:
        return self.row is not None and self.row.can_append

    def open(self, stream: OutputStream, report: Report, *, append: bool = False) -> MessageWriter:
        """Return a writer to ``stream``."""
        keywords: dict[str, Any] = {**self.options, "append": True} if append else {**self.options}
        return open_writer(stream, self.name, keywords, on_note=report.note)


def _check_of_format(spelling: str, form: str, key: str, name: str, is_same: bool) -> None:
    """Raise UsageError if an option for ``form`` meets the format ``name``, or another value in --to."""
    if form != name:
        suffix = plugins.FORMATS[form].suffixes[0]
        raise UsageError(
            f"{spelling} is for {form} files, but the output is {name}",
            hint=f"-o FILE{suffix}, or --to {form}",
        )
    if not is_same:
        raise UsageError(f"{spelling} and --to {form},{key} contradict each other")


@dataclass(eq=False, repr=False)
class FileOptions:
    """Options about the files of a log."""

    force: options.Force = False
    append: options.Append = False
    max_size: options.MaxSize = None
    max_time: options.MaxTime = None
    max_files: options.MaxFiles = None
    flush_every: options.FlushEvery = "1s"


@dataclass(frozen=True)
class Rotation:
    """When the next file begins, and how many are kept; 0 means no limit."""

    max_bytes: int = 0
    max_seconds: float = 0.0
    max_files: int = 0
    #: zone of the last frame's time, after which a file is named; None for the clock in local time
    tz: str | None = None

    @property
    def moment(self) -> Callable[[int], time.struct_time] | None:
        """Returns the time for a file's name from the timestamp of its last frame; None for the clock."""
        if self.tz is None:
            return None
        from cantools_cli.clock import ns_to_wall

        return lambda stamp: ns_to_wall(stamp, self.tz or "local").timetuple()

    @classmethod
    def parse(cls, files: FileOptions, tz: str | None = None) -> Rotation | None:
        """Return the rotation that ``--max-size``, ``--max-time`` and ``--max-files`` ask for, if any."""
        max_size, max_time, max_files = files.max_size, files.max_time, files.max_files
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
            raise UsageError(f"--max-size {max_size} must be greater than 0")
        if max_time is not None and not rotation.max_seconds:
            raise UsageError(f"--max-time {max_time} must be greater than 0")
        if max_files is not None and max_files < 1:
            raise UsageError(f"--max-files {max_files} must be at least 1: the file being written counts")
        return rotation


@dataclass(frozen=True)
class Output:
    """A file, a rotation of files, or stdout, and the format that is written there."""

    path: str | None  #: None or ``-`` for stdout
    format: OutputFormat
    force: bool = False
    append: bool | None = None  #: None for a command without --append
    rotation: Rotation | None = None
    flush_every: float = 1.0

    def __post_init__(self) -> None:
        if self.is_stdout and (self.append or self.force or self.rotation is not None):
            option = "--append" if self.append else "--force" if self.force else "--max-size or --max-time"
            raise UsageError(f"{option} needs a file, -o FILE")
        if self.append:
            if self.force:
                raise UsageError("--append and --force contradict each other")
            if not self.format.can_append:
                known = " ".join(name for name, form in plugins.FORMATS.items() if form.can_append)
                raise UsageError(
                    f"{self.format.name} files cannot be continued", hint=f"formats that can: {known}"
                )

    @classmethod
    def of_files(
        cls, path: str | None, form: OutputFormat, files: FileOptions, *, rotation_tz: str | None = None
    ) -> Output:
        """Return the output of a command that has the options ``files``."""
        rotation = Rotation.parse(files, rotation_tz)
        flush_every = duration(files.flush_every)
        return cls(path, form, files.force, files.append, rotation, flush_every)

    @property
    def is_stdout(self) -> bool:
        return self.path in (None, "-")

    def open(self, report: Report) -> Sink:
        """Open the file, or stdout."""
        opener = _Opener(self, report)
        if self.is_stdout:
            return self._sink(opener.stdout(), "-", report, is_live=opener.is_live)
        path = self.path or ""
        if self.rotation is None:
            return self._sink(opener(path), path, report, is_live=opener.is_live)
        _check_rotates(path, self.format.name, self.rotation)
        from cantools_cli.io.logger import RotatingLogger

        writer = RotatingLogger(
            path,
            opener=opener,
            max_bytes=self.rotation.max_bytes,
            max_seconds=self.rotation.max_seconds,
            max_files=self.rotation.max_files,
            moment=self.rotation.moment,
        )
        return self._sink(writer, path, report, is_live=False)

    def _sink(self, writer: MessageWriter, name: str, report: Report, *, is_live: bool) -> Sink:
        return Sink(writer, name, is_live=is_live, flush_every=self.flush_every, report=report)


class _Opener:
    """Opens files of one format, one after another: a rotation's next file is always new."""

    def __init__(self, output: Output, report: Report) -> None:
        self.is_live = False  #: whether the last file opened is a pipe, a terminal or a device
        self._output = output
        self._format = output.format
        self._report = report
        self._hint = "--force replaces it"
        if output.append is not None and output.format.can_append:
            self._hint += ", --append continues it"

    def stdout(self) -> MessageWriter:
        row = self._format.row
        if row is not None and row.is_binary and os.isatty(1):
            raise UsageError(
                f"{row.name} is binary and not for a terminal", hint="-o FILE, or a pipe to another command"
            )
        file = open(1, "wb", buffering=0, closefd=False)  # noqa: SIM115  # stdout stays open
        enlarge_pipe(1)
        locks.lock(file, "stdout", shared=row is not None and row.is_lines and appends(file))
        stream = OutputStream(file, owned=False)
        stream.name, stream.is_locked = "-", True
        self.is_live = not stat.S_ISREG(os.fstat(1).st_mode)
        return self._format.open(stream, self._report)

    def __call__(self, path: str) -> MessageWriter:
        """Create ``path``, or open it to be continued, and return its writer."""
        is_new = not os.path.lexists(path)
        continues = was_cut = False
        if self._output.append:
            from cantools_cli.io.continued import open_to_continue

            continued = open_to_continue(path, self._format.name, self._report.note)
            file: Any = continued.file
            continues, was_cut = not continued.is_empty, continued.is_cut
        else:
            file = self._create(path)
        is_new = is_new and os.fstat(file.fileno()).st_size == 0
        try:
            self.is_live = not stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            stream = OutputStream(file, append=continues, compression=compression_of(path), owned=True)
            stream.name = path
            if was_cut:
                stream.write(b"\n")
            return self._format.open(stream, self._report, append=continues)
        except BaseException:
            file.close()
            if is_new:
                os.unlink(path)
            raise

    def _create(self, path: str) -> Any:
        """Create ``path`` and lock it; an existing regular file is replaced only with --force."""
        if os.path.exists(path) and not os.path.isfile(path):
            return open(path, "wb", buffering=0)
        shares = self._format.row is not None and self._format.row.is_shared
        if shares and self._output.force:
            from cantools_cli.io.sqlite.table import check_unused

            check_unused(path)

        def open_file() -> Any:
            return open(path, "wb+" if self._output.force else "xb+", 0, opener=locks.without_truncation)

        try:
            file = open_file() if shares else locks.open_locked(open_file, path, self._report.note)
        except FileExistsError:
            raise UsageError(f"{path}: already exists", hint=self._hint) from None
        file.truncate(0)  # only now that no other writer can have it open
        return file


def _check_rotates(path: str, form: str, rotation: Rotation) -> None:
    """Raise UsageError if ``path`` is not a regular file, or the size of ``form`` files is unknown."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(f"{path} is not a regular file, so no other can follow it")
    if rotation.max_bytes and not hasattr(plugins.writer_class(form), "file_size"):
        raise UsageError(
            f"the size of {form} files is not known while they are written", hint="--max-time works"
        )
