"""The sources of a command's frames: a file, a pipe, or buses; a signal ends every wait."""

from __future__ import annotations

import os
import select
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from cantools_cli.console import options
from cantools_cli.console.interruption import Interruption
from cantools_cli.console.report import Report, say
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.io.base import MessageReader, OnError
from cantools_cli.io.files import InputStream
from cantools_cli.io.formats import open_reader, parse_format

#: a larger pipe needs fewer context switches; the kernel allows this size without privileges
PIPE_BYTES = 1 << 20
#: longest wait on a bus without a descriptor
POLL_SECONDS = 0.05
#: how long a command still takes queued frames after a signal, if the bus never falls silent
DRAIN_SECONDS = 2.0
#: the same at an end that was set beforehand, which must not move
LATE_SECONDS = 0.1

if TYPE_CHECKING:
    from cantools_cli.bus.base import BusABC
    from cantools_cli.bus.deadline import Deadline

OnIdle = Callable[[], float | None]
"""Called before a wait; returns in how many seconds it wants to be called again, or None."""


@dataclass(eq=False, repr=False)
class ReadOptions:
    """How a log is read."""

    form: str | None = None  #: the format, with its options; None to recognise it
    on_error: options.OnError = "stop"
    strict: options.Strict = False
    tz: options.Tz = None

    def __post_init__(self) -> None:
        if self.form is not None:
            parse_format(self.form, writing=False)
        options.checked(self.on_error, "--on-error", ("stop", "skip"))
        check_zone(self.tz)

    def of_format(self, form: str | None) -> ReadOptions:
        """Return a copy for the format ``form``."""
        return replace(self, form=form)


@dataclass(eq=False, repr=False)
class ReadOptionsWithFormat(ReadOptions):
    """The same, with --from first."""

    form: options.From = None


def check_zone(tz: str | None) -> None:
    """Check the zone of --tz."""
    if tz is not None:
        from cantools_cli.clock import zone

        zone(tz)


class PatientInput:
    """A pipe, a terminal or another stream of unknown length, read as its bytes arrive.

    ``on_idle`` is called before each wait, so that everything read so far can be passed on. A signal ends the
    wait, except that a pipe is read to its end after INT.
    """

    def __init__(self, fd: int, name: str, interruption: Interruption) -> None:
        self.name = name
        self.on_idle: OnIdle = lambda: None
        self._fd = fd
        self._interruption = interruption
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        self._poll.register(interruption.fd, select.POLLIN)
        enlarge_pipe(fd)

    def fileno(self) -> int:
        return self._fd

    def read(self, size: int) -> bytes:
        return os.read(self._fd, size) if self._is_ready() else b""

    def readinto(self, room: memoryview) -> int:
        return os.readv(self._fd, [room]) if self._is_ready() else 0

    def _is_ready(self) -> bool:
        """Wait until there is something to read; return False if a signal ended the wait."""
        while not self._interruption.requested:
            ready = {fd for fd, _ in self._poll.poll(0)}
            if not ready:
                again = self.on_idle()
                ready = {fd for fd, _ in self._poll.poll(None if again is None else int(again * 1000) + 1)}
            if self._interruption.fd in ready:
                self._interruption.awake()
            elif self._fd in ready:
                return True
        return False


def enlarge_pipe(fd: int) -> None:
    """Enlarge the buffer of ``fd`` if it is a pipe and the system allows it."""
    try:
        import fcntl

        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        pass


def open_input(
    file: str, interruption: Interruption, report: Report, reading: ReadOptions
) -> tuple[MessageReader, PatientInput | None]:
    """Open ``file``, ``-`` for stdin, for reading; the second result is set if reading may wait."""
    fd = 0 if file == "-" else _opened(file)
    mode = os.fstat(fd).st_mode
    if stat.S_ISDIR(mode):
        if fd:
            os.close(fd)
        raise IsADirectoryError(21, os.strerror(21), file)
    patient = None
    source: Any
    if stat.S_ISREG(mode):
        opened = open(fd, "rb", buffering=0, closefd=bool(fd))  # noqa: SIM115  # closed by its reader
        source = InputStream(opened, owned=True)
        source.size = os.fstat(fd).st_size
    else:
        if os.isatty(fd):
            say("reading frames from the terminal; end with Ctrl-D")
        else:
            interruption.drains = True
        patient = PatientInput(fd, file, interruption)
        source = InputStream(patient)
    source.name = file
    name, settings = parse_format(reading.form, writing=False) if reading.form else (None, {})
    reader = open_reader(
        source,
        name,
        settings,
        as_command=True,
        on_error=cast("OnError", reading.on_error),
        on_note=report.note,
        tz=reading.tz,
    )
    return reader, patient


def _opened(file: str) -> int:
    """Return a descriptor of ``file``."""
    try:
        return os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        from cantools_cli.bus.not_a_bus import is_filter, misplaced_filter

        if is_filter(file):
            raise misplaced_filter(file, "a file") from None
        raise


def live_batches(
    buses: Sequence[BusABC],
    interruption: Interruption,
    on_idle: OnIdle,
    quiet_seconds: float | None = None,
    end: Deadline | None = None,
    chosen: Callable[[int, MessageBatch], MessageBatch] | None = None,
) -> Iterator[tuple[int, MessageBatch]]:
    """Yield (index of the bus, received frames) until a signal, the ``end``, or a quiet time.

    ``chosen`` returns the frames of a batch that count; a batch without any is not yielded. ``quiet_seconds``
    without a frame that counts end the iteration as well. Frames queued at the end are still delivered.
    """

    def received(index: int) -> MessageBatch | None:
        batch = buses[index].recv_batch(0)
        return batch if batch is None or chosen is None else chosen(index, batch)

    waiter = _Waiter(buses, interruption)
    last = time.monotonic()
    while not interruption.requested and not (end is not None and end.passed):
        got = False
        for index in range(len(buses)):
            batch = received(index)
            if batch is not None and len(batch):
                got = True
                yield index, batch
        if got:
            last = time.monotonic()
            continue
        limits = [on_idle(), None if end is None else end.remaining()]
        if quiet_seconds is not None:
            left = last + quiet_seconds - time.monotonic()
            if left <= 0:
                return
            limits.append(left)
        waiter.wait(min((limit for limit in limits if limit is not None), default=None))
    last = time.monotonic() + (DRAIN_SECONDS if interruption.requested else LATE_SECONDS)
    for index in range(len(buses)):
        while (batch := received(index)) is not None:
            if len(batch):
                yield index, batch
            if time.monotonic() >= last:
                break


class _Waiter:
    """Waits until a bus has frames, or a signal arrives."""

    def __init__(self, buses: Sequence[BusABC], interruption: Interruption) -> None:
        self._interruption = interruption
        self._poll = select.poll()
        self._poll.register(interruption.fd, select.POLLIN)
        self._can_wait = True
        for bus in buses:
            try:
                self._poll.register(bus.fileno(), select.POLLIN)
            except (NotImplementedError, ValueError):
                self._can_wait = False

    def wait(self, seconds: float | None) -> None:
        if not self._can_wait:
            seconds = POLL_SECONDS if seconds is None else min(seconds, POLL_SECONDS)
        for fd, _ in self._poll.poll(None if seconds is None else max(0, int(seconds * 1000)) + 1):
            if fd == self._interruption.fd:
                self._interruption.awake()
