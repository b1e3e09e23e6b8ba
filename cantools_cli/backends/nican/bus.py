"""The bus of an interface of NI-CAN."""

from __future__ import annotations

import os
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from cantools_cli.backends.nican import codec, settings
from cantools_cli.backends.nican import library as ni
from cantools_cli.backends.nican.errors import DEVICE_GONE, NicanOperationError
from cantools_cli.backends.nican.filters import PASS_ALL, Comparators, comparators
from cantools_cli.backends.nican.session import NicanSession
from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus
from cantools_cli.bus.base import BusState
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import CanError, CanOperationError, CanTimeoutError, UsageError, quoted
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import rx_overflow

OVERFLOWS = "overflows of the receive queue"

_MAX_FRAMES = 4096  # of one batch
_SEND_SECONDS = 1.0  # until a send without a timeout gives up
_MAX_ERROR_NS = 60_000_000_000  # of the driver's clock
_PASSIVE = 128  # error counter


class NicanBus(LibraryBus):
    """An interface of National Instruments through NI-CAN, such as ``CAN0``.

    Without ``bitrate``, in bit/s, the interface has the one that is set in NI's program MAX. ``timing``, a
    BitTiming, or ``btr0btr1``, such as 0x001C, sets the registers of the controller, which has a clock of
    8 MHz. ``read_queue`` and ``write_queue`` are numbers of frames.

    With ``log_errors`` communication errors are received as error frames, whose data byte 5 is the lowest
    byte of NI-CAN's status. One filter of each kind of identifiers is set in the hardware. To widen the
    filters later, the interface is closed and opened again, which loses the frames of this moment.
    Timestamps are the driver's; ``timestamps="host"`` selects the time of arrival. Sending waits for room,
    by default for a second, and not for an acknowledgement.

    Raises:
        UsageError: a setting is invalid; it is a ValueError.
        CanInterfaceNotImplementedError: NI-CAN is not installed.
        NicanInitializationError: there is no such interface, it is in use, or NI-CAN refused a setting.
    """

    def __init__(
        self,
        channel: str,
        can_filters: CanFilters | None = None,
        bitrate: int | None = None,
        log_errors: bool = True,
        *,
        timing: Any | None = None,
        btr0btr1: int | None = None,
        listen_only: bool = False,
        receive_own_messages: bool = False,
        read_queue: int | None = None,
        write_queue: int | None = None,
        timestamps: str = "device",
        library: str | os.PathLike[str] | None = None,
        dll: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("nican", NicanBus, kwargs)
        if timestamps not in ("device", "host"):
            raise UsageError(f"nican: timestamps {quoted(timestamps)} is neither device nor host")
        self._attributes = [
            *((ni.START_ON_OPEN, 1), (ni.LOG_ERRORS, int(log_errors)), (ni.TIME_FORMAT, ni.ABSOLUTE)),
            *settings.baud_rate(bitrate, timing, btr0btr1),
            *settings.optional(listen_only, receive_own_messages, read_queue, write_queue),
        ]
        self.channel = channel
        self._name = f"nican:{channel}"
        self._listen_only = listen_only
        self._bit_rate = settings.bit_rate(bitrate, timing, btr0btr1)
        self._driver = ni.Driver(self._name, given(library, dll))
        self._passing = comparators(can_filters)
        with self._prepared():
            self._session = NicanSession(
                self._driver, settings.encoded(channel), self._all_attributes(self._passing)
            )
        try:
            self._read_lock = threading.Lock()  # for reading, and for the only wait that NI-CAN allows
            self._send_lock = threading.Lock()  # so that no frame is written while the interface reopens
            self._undecoded: list[bytes] = []
            self._overflows = 0  # reported already
            self._failure: CanOperationError | None = None
            self._opened_ns = time.time_ns()
            self._has_warned = False
            self._own = codec.OwnFrames() if receive_own_messages else None
            self._own_lock = threading.Lock()
            self._is_stamped = timestamps == "device"
            self._decoder = codec.Decoder(
                *(channel, self.losses),
                times_ns=self._times_ns,
                is_own=self._is_own if receive_own_messages else None,
                skipped=self._log_skipped,
            )
            super().__init__(channel, can_filters, **kwargs)
        except BaseException:
            self.is_shutdown = True
            with suppress(CanError):
                self._close()
            raise
        self._driver.opened()
        self.channel_info = f"NI-CAN: {channel}"

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._bit_rate, None

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        if not self._read_lock.acquire(blocking=False):
            return None  # another thread waits, and receives what comes
        try:
            pieces = self._read_queued()
            overflows, self._overflows = self._session.overflows - self._overflows, self._session.overflows
            if pieces or overflows:
                return self._decoded(pieces, overflows)
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            return None
        finally:
            self._read_lock.release()

    def _read_queued(self) -> list[bytes]:
        """Return what is queued; the lock for reading is held."""
        pieces, self._undecoded = self._undecoded, []
        frames = sum(map(len, pieces)) // codec.READ_SIZE
        while frames < _MAX_FRAMES and self._may_read:
            piece = b""
            with self._kept():
                piece = self._session.read()
            if not piece:
                break
            pieces.append(piece)
            frames += len(piece) // codec.READ_SIZE
        return pieces

    @property
    def _may_read(self) -> bool:
        return self._failure is None and self._lost is None

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Keep an error of reading until everything read before it was received."""
        try:
            yield
        except NicanOperationError as error:
            if error.error_code == DEVICE_GONE:
                self._lose(error)
            else:
                self._failure = error

    def _decoded(self, pieces: list[bytes], overflows: int) -> MessageBatch:
        batch = self._decoder.feed(b"".join(pieces))
        if overflows:
            self.losses[OVERFLOWS] += overflows
            time_ns = batch.timestamp_ns[-1] if len(batch) else time.time_ns()
            batch.append(rx_overflow(time_ns, self.channel))
        return batch

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        if not self._read_lock.acquire(timeout=seconds):
            return
        try:
            remaining = end - time.monotonic()
            if remaining > 0 and self._may_read and not self._undecoded:
                with self._kept():
                    self._session.wait(remaining)
        finally:
            self._read_lock.release()

    def _times_ns(self, filetimes: Sequence[int]) -> array[int]:
        """Return the driver's times, that of arrival if the driver's clock is wrong."""
        now = time.time_ns()
        if self._is_stamped and filetimes:
            earliest = codec.filetime(self._opened_ns - _MAX_ERROR_NS)
            latest = codec.filetime(now + _MAX_ERROR_NS)
            if earliest <= min(filetimes) and max(filetimes) <= latest:
                return codec.unix_ns(filetimes)
            if not self._has_warned:
                import logging

                self._has_warned = True
                text = "%s: the driver's clock is wrong; frames get the time of their arrival"
                logging.getLogger("can").warning(text, self._name)
        return array("q", [now]) * len(filetimes)

    def _is_own(self, frame: bytes) -> bool:
        with self._own_lock:
            return self._own is not None and self._own.take(frame, time.monotonic_ns())

    def _log_skipped(self, kind: str) -> None:
        import logging

        logging.getLogger("can").debug("%s: skipped a frame of type %s", self._name, kind)

    # --- filters --------------------------------------------------------------------------------------

    def _all_attributes(self, passing: Comparators) -> settings.Attributes:
        standard, extended = passing.standard or PASS_ALL, passing.extended or PASS_ALL
        flag = codec.EXTENDED if extended.mask else 0
        return [
            *self._attributes,
            (ni.STANDARD_COMPARATOR, standard.value),
            (ni.STANDARD_MASK, standard.mask),
            (ni.EXTENDED_COMPARATOR, extended.value | flag),
            (ni.EXTENDED_MASK, extended.mask),
        ]

    def _apply_filters(self, filters: CanFilters | None) -> None:
        wanted = comparators(filters)
        if self._passing.covers(wanted):
            return  # the software filter does the rest
        with self._gate, self._read_lock, self._send_lock:
            self._undecoded = self._read_queued()
            try:
                if self._may_read:
                    self._session.reopen(self._all_attributes(wanted))
                    self._passing = wanted
            except NicanOperationError as error:
                self._lose(error)
                raise
            finally:
                if self._lost is not None and self._undecoded:  # nothing reads any more
                    self._echoes.append(self._decoded(self._undecoded, 0))

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        if self._listen_only:
            raise CanOperationError(f"{self._name}: the bus listens only", sent=0)
        codec.check(batch)
        deadline = Deadline(_SEND_SECONDS if timeout is None else timeout)
        for row in range(len(batch)):
            try:
                self._write(codec.encode(batch, row), deadline)
            except CanError as error:
                error.sent = row
                raise

    def _write(self, frame: bytes, deadline: Deadline) -> None:
        while True:
            with self._gate, self._send_lock:
                if self._lost is not None:
                    raise self._lost
                if self._written(frame):
                    return
            if deadline.passed:
                raise CanTimeoutError(
                    f"{self._name}: the write queue is full",
                    hint="does another node acknowledge the frames? check bit rate, wiring and termination",
                )
            deadline.pause()

    def _written(self, frame: bytes) -> bool:
        """Write a frame, noting it before the driver can return it; return False if there is no room."""
        if self._own is None:
            return self._session.write(frame)
        with self._own_lock:
            self._own.add(frame, time.monotonic_ns())
        is_written = False
        try:
            is_written = self._session.write(frame)
        finally:
            if not is_written:
                with self._own_lock:
                    self._own.remove(frame)
        return is_written

    # --- state and end --------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """The state of the controller, from its error counters.

        Drivers that do not return them report them in error frames: the last one tells the state.
        """
        self._check_open()
        with self._gate:
            state = self._session.attribute(ni.STATE)
            counters = [self._session.attribute(key) for key in (ni.TX_ERRORS, ni.RX_ERRORS)]
        if state is not None and state & ni.STOPPED:
            return BusState.ERROR
        highest = max(self._decoder.counters[at] if n is None else n for at, n in enumerate(counters))
        return BusState.PASSIVE if highest >= _PASSIVE else BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError(
            "NI-CAN cannot change the mode of an open interface; listen_only opens it so"
        )

    def reset(self) -> None:
        """Reset the controller, which clears its error counters and both queues, and start it again.

        Raises:
            NicanOperationError: the driver refused it.
            CanOperationError: the bus is closed.
        """
        self._check_open()
        with self._gate, self._read_lock:
            self._undecoded = []
            self._session.reset()
            self._keep_waiting(None)  # fetched from the queue, but not returned yet

    def _release(self) -> None:
        self._session.close()

    @staticmethod
    def _obstacle() -> str | None:
        return ni.LIBRARY.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the interfaces of all cards."""
        return [{"interface": "nican", "channel": name} for name in ni.interfaces()]
