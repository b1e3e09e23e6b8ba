"""``canx decode -o``: the signals of logs as tables."""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import Any

from cantools_cli.console.decoding import DecodeJob
from cantools_cli.console.report import Report, say
from cantools_cli.decoding.columns import Decoder
from cantools_cli.errors import UsageError, counted
from cantools_cli.io import locks
from cantools_cli.io.arrow.table import load_pyarrow
from cantools_cli.io.files import OutputStream
from cantools_cli.io.signals.base import SignalWriter
from cantools_cli.io.signals.files import SUFFIXES, TableFile


def write_tables(
    job: DecodeJob, output: str | None, form: str, *, is_wide: bool = False, force: bool = False
) -> int:
    """Write the values of all signals; return the exit status."""
    report = job.run.report
    target = _Target(output, form, force=force, report=report)
    if is_wide and (target.is_folder or form == "mf4"):
        kind = (
            "an MF4 file has a group per message" if form == "mf4" else "a directory has a table per message"
        )
        raise UsageError(f"--wide has no effect: {kind}")
    decoder = Decoder(job.databases)
    if form != "mf4":
        load_pyarrow()  # first, so that no file is created without it
    with job.run, job.batches(to_stdout=target.is_stdout) as batches:
        writer = _writer(decoder, target, form, is_wide=is_wide)
        try:
            for batch in batches:
                writer.write(batch)
            writer.close()
        except BaseException:
            writer.abort()
            raise
    return job.status(_tell(job, writer, target))


def _writer(decoder: Decoder, target: _Target, form: str, *, is_wide: bool) -> SignalWriter:
    if form == "mf4":
        from cantools_cli.io.signals.mf4 import SignalMF4Writer

        return SignalMF4Writer(decoder, target.stream(""))
    from cantools_cli.io.signals.tables import LongTable, MessageTables, WideTable

    if target.is_folder:
        return MessageTables(decoder, target.open)
    return WideTable(decoder, target.open) if is_wide else LongTable(decoder, target.open)


class _Target:
    """The file, the directory or the pipe that is written."""

    def __init__(self, output: str | None, form: str, *, force: bool, report: Report) -> None:
        path = "-" if output is None else output
        self.path = path
        self.is_stdout = path == "-"
        self.is_folder = not self.is_stdout and (path.endswith(("/", os.sep)) or os.path.isdir(path))
        self._form = form
        self._force = force
        self._report = report
        self._paths: set[str] = set()
        if self.is_stdout:
            if force:
                raise UsageError("--force needs a file, -o FILE")
            if form != "csv" and os.isatty(1):
                raise UsageError(f"{form} is binary and not for a terminal", hint="-o FILE")
        elif self.is_folder:
            if form == "mf4":
                raise UsageError(f"{path}: MF4 is one file", hint="-o FILE.mf4")
            if os.path.isdir(path) and os.listdir(path) and not force:
                raise UsageError(f"{path}: not an empty directory", hint="--force replaces the files in it")
            os.makedirs(path, exist_ok=True)
            _allow_all_files()

    def open(self, message: str, schema: Any) -> TableFile:
        """Open the file of a table."""
        return TableFile(self.stream(message), self._form, schema)

    def stream(self, message: str) -> OutputStream:
        """Open the file for ``message``, in a directory named after it."""
        if self.is_stdout:
            file = open(1, "wb", buffering=0, closefd=False)  # noqa: SIM115  # stdout stays open
            stream = OutputStream(file, owned=False)
            stream.name = "-"
            return stream
        path = self._path_in_folder(message) if self.is_folder else self.path

        def open_file() -> Any:
            if os.path.exists(path) and not os.path.isfile(path):
                return open(path, "wb", 0)
            return open(path, "wb+" if self._force else "xb+", 0, opener=locks.without_truncation)

        try:
            file = locks.open_locked(open_file, path, self._report.note)
        except FileExistsError:
            raise UsageError(f"{path}: already exists", hint="--force replaces it") from None
        if os.path.isfile(path):
            file.truncate(0)  # only now that no other writer can have it open
        stream = OutputStream(file, owned=True)
        stream.name = path
        return stream

    def _path_in_folder(self, message: str) -> str:
        base = re.sub(r"[^\w.+-]", "_", message).lstrip(".") or "_"
        path, count = base, 1
        while path.casefold() in self._paths:  # two messages of one name, or on disks that fold case
            count += 1
            path = f"{base}-{count}"
        self._paths.add(path.casefold())
        return os.path.join(self.path, path + SUFFIXES[self._form])


def _allow_all_files() -> None:
    """Allow as many open files as the system does: a database may have more messages than the usual 1024."""
    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (ImportError, OSError, ValueError):
        return  # fewer will do for most databases


def _tell(job: DecodeJob, writer: SignalWriter, target: _Target) -> int:
    """Report what was written, and what was not; return the number of frames and values lost."""
    report, decoder = job.run.report, writer.decoder
    missing = Counter(
        {
            f"frames whose identifier is not in {writer.source}": decoder.unknown,
            "frames of channels without a database": decoder.without_database,
            "frames too short for some signals": decoder.short,
            "messages of unknown number in containers": decoder.unknown_contained,
            **writer.skipped,
        }
    )
    missing = +missing
    if missing:
        say("not decoded: " + ", ".join(counted(count, kind) for kind, count in missing.items()))
    report.losses(target.path, writer.losses)
    report.detail(f"{counted(writer.values, 'values')} written to {target.path}")
    lost = decoder.unknown + decoder.without_database + decoder.short + decoder.unknown_contained
    return lost + writer.losses.total()
