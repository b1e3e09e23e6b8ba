"""The logs that a command reads, several merged by time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext

from cantools_cli.console.interruption import Interruption
from cantools_cli.console.report import Report
from cantools_cli.console.sources import OnIdle, PatientInput, ReadOptions, open_input
from cantools_cli.errors import FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.base import MessageReader
from cantools_cli.io.processors import usable_processors

_LARGE = 4 << 20  # bytes from which on reading in a thread pays


class Inputs:
    """Opens all ``files``, ``-`` for stdin, and reads them as one log."""

    def __init__(
        self, files: Sequence[str], interruption: Interruption, report: Report, reading: ReadOptions
    ) -> None:
        if files.count("-") > 1:
            raise UsageError("stdin can be read only once", hint="- is given twice")
        self._report = report
        self._readers: list[MessageReader] = []
        self._patient: list[PatientInput] = []
        with ExitStack() as stack:
            for file in files:
                reader, patient = open_input(file, interruption, report, reading)
                self._readers.append(stack.enter_context(reader))
                if patient is not None:
                    self._patient.append(patient)
            self._stack = stack.pop_all()

    @property
    def consumed(self) -> int:
        """Bytes read so far, before decompression."""
        return sum(reader.consumed for reader in self._readers)

    @property
    def size(self) -> int | None:
        """Bytes of all files; None if one is a stream of unknown length."""
        sizes = [reader.input.size for reader in self._readers]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def skipped(self) -> int:
        """Malformed records skipped."""
        return sum(reader.skipped for reader in self._readers)

    @property
    def first_fault(self) -> FormatError | None:
        return next((reader.first_fault for reader in self._readers if reader.first_fault), None)

    def on_idle(self, hook: OnIdle) -> None:
        """Call ``hook`` before each wait for more bytes."""
        for patient in self._patient:
            patient.on_idle = hook

    def batches(self) -> Iterator[MessageBatch]:
        if len(self._readers) == 1:
            return iter(self._readers[0].batches())
        from cantools_cli.streams.merge import merged

        names = [reader.input.name for reader in self._readers]
        return merged(self._readers, lambda index, text: self._report.note(f"{names[index]}: {text}"))

    def batches_ahead(self) -> AbstractContextManager[Iterable[MessageBatch]]:
        """Return a context with the same batches, read in a thread if that is faster.

        It is faster for large regular files on more than one processor.
        """
        if (
            (self.size or 0) < _LARGE
            or usable_processors() < 2
            or not all(reader.reads_in_thread for reader in self._readers)
        ):
            return nullcontext(self.batches())
        from cantools_cli.io.ahead import BatchesAhead

        return BatchesAhead(self.batches())

    def __enter__(self) -> Inputs:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def check_is_input(output: str | None, files: Sequence[str]) -> None:
    """Refuse a last file that is missing and looks like the output: ``canx convert a.blf b.asc``."""
    *others, last = files
    if output is None and others and last != "-" and not os.path.exists(last):
        raise UsageError(f"{last}: no such file", hint=f"-o {last} writes it")


def check_not_read(output: str | None, files: Sequence[str]) -> None:
    """Refuse an ``output`` that is one of the ``files`` read."""
    if output is None or output == "-" or not os.path.isfile(output):
        return
    for file in files:
        if file != "-" and os.path.exists(file) and os.path.samefile(file, output):
            raise UsageError(f"{output} is an input and cannot be the output as well", hint="another -o FILE")
