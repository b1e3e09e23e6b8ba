"""Interface ``nixnet``: a CAN interface of National Instruments, by NI-XNET."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any, NoReturn, TypeVar

from cantools_cli.backends.nixnet import codec
from cantools_cli.backends.nixnet import library as xnet
from cantools_cli.backends.nixnet import timing as timings
from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus, release_all
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    UsageError,
    counted,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import rx_overflow

OVERFLOWS = "receive queue overflows"
UNSENT = "unsent frames discarded when closing"

_LOG = "can.nixnet"
_READ_BYTES = 8192  # of one call
_DRAIN_BYTES = 8 * _READ_BYTES
_SEND_SLICE = 0.1  # seconds in the library, which closing has to wait for
_LAST_FRAMES = 0.25  # seconds that closing waits for frames to be sent
_SMALLEST_QUEUE = codec.LONGEST

_opening = Lock()  # the filters of warnings are those of the process

_Result = TypeVar("_Result")


class NiXNETcanBus(LibraryBus):
    """A CAN interface of National Instruments, whose name NI MAX shows.

    It needs the package ``nixnet``, and NI-XNET or another ``library`` (also ``dll``) for the package. A rate
    of None leaves that of the interface. ``timing`` replaces the rates: a ``BitTiming`` or ``BitTimingFd``
    for a clock of 40 MHz. ``fd`` opens the interface for CAN FD, without bit-rate switching if ``brs`` is
    False; ``fd_bitrate``, also ``data_bitrate``, is ``bitrate`` by default, and ``fd_non_iso`` selects the
    format before ISO 11898-1:2015. ``can_termination`` switches the terminating resistor on. Bus errors are
    error frames unless ``log_errors`` is False. ``queue_size`` is the size of the receive queue in bytes; an
    overflow is counted and marked by an error frame.

    A classic bus waits for frames in the library, a CAN FD bus polls every ``poll_interval`` seconds.
    ``send`` returns when the frame is queued; with a timeout above 0, when it has been sent. Closing waits a
    quarter of a second for the last frames.
    Timestamps are the interface's.

    Raises:
        UsageError: a setting is invalid.
        CanInterfaceNotImplementedError: the package or the library is missing.
        CanInitializationError: there is no such interface, it is in use, or it refuses a setting.
    """

    _can_protocol = CanProtocol.CAN_20
    _out: Any = None  # the sessions
    _in: Any = None

    def __init__(
        self,
        channel: str = "CAN1",
        can_filters: CanFilters | None = None,
        bitrate: int | None = 500_000,
        fd: bool = False,
        fd_bitrate: int | None = None,
        brs: bool | None = None,
        can_termination: bool = False,
        log_errors: bool = True,
        *,
        receive_own_messages: bool = False,
        timing: Any | None = None,
        poll_interval: float = 0.001,
        data_bitrate: int | None = None,
        listen_only: bool = False,
        fd_non_iso: bool = False,
        queue_size: int = 65_536,
        library: str | None = None,
        dll: str | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("nixnet", NiXNETcanBus, kwargs)
        self.channel = str(channel)
        self._name = f"nixnet:{channel}"
        fast = fd_bitrate if fd_bitrate is not None else data_bitrate
        self._rates = timings.Rates(bitrate, bitrate if fast is None else fast)
        self._has_fd = fd
        if timing is not None:
            self._rates, self._has_fd = timings.Rates.of(timing), timings.is_fd(timing)
        self._switches = self._has_fd and brs is not False
        _check(self._name, self.channel, poll_interval, queue_size)
        if self._has_fd:
            self._can_protocol = CanProtocol.CAN_FD_NON_ISO if fd_non_iso else CanProtocol.CAN_FD
        self._poll_interval = poll_interval
        self._only_listens = listen_only
        self._ahead: deque[bytes] = deque()  # read by _wait
        self._has_sent = False
        self._has_overflowed = False
        self._failure: CanOperationError | None = None  # of reading, until the frames before it are received
        self._package: Any = xnet.load(given(library, dll))
        self._xnet_error: Any = self._package.errors.XnetError
        settings = {
            "can_lstn_only": listen_only,
            "echo_tx": receive_own_messages,
            "bus_err_to_in_strm": log_errors,
        }
        with self._prepared():
            self._open(settings, can_termination, fd_non_iso, queue_size)
        self.channel_info = f"NI-XNET: {channel}"
        try:
            super().__init__(channel, can_filters, **kwargs)
        except BaseException:
            self.shutdown()
            raise

    # --- opening and closing --------------------------------------------------------------------------

    def _open(self, settings: dict[str, bool], terminates: bool, non_iso: bool, queue_size: int) -> None:
        """Create, configure and start the two sessions; a failure closes them again."""
        import warnings

        with _opening, warnings.catch_warnings(record=True) as notes:  # what the library warns about
            warnings.simplefilter("always")
            try:
                self._create()
                self._configure(settings, terminates, non_iso, queue_size)
                self._setup("nxStart", self._in.start)
                self._setup("nxStart", self._out.start)
            except BaseException:
                with suppress(CanOperationError):  # it would hide the first error
                    self._close_sessions()
                raise
        for note in notes:
            _warn("%s: %s", self._name, " ".join(str(note.message).split()))

    def _create(self) -> None:
        database = ":can_fd_brs:" if self._switches else ":can_fd:" if self._has_fd else ":memory:"
        session = self._package.session
        self._out = self._setup(
            "nxCreateSession", lambda: session.FrameOutStreamSession(self.channel, database_name=database)
        )
        self._in = self._setup(
            "nxCreateSession", lambda: session.FrameInStreamSession(self.channel, database_name=database)
        )

    def _configure(self, settings: dict[str, bool], terminates: bool, non_iso: bool, queue_size: int) -> None:
        """Set the properties of the interface by one session, while both are stopped."""
        constants = self._package.constants
        nominal, data = self._rates.words
        self._set(self._out, "auto_start", False)
        interface = self._out.intf
        if nominal is not None:
            self._set(interface, "baud_rate", nominal)
        if self._has_fd:
            if data is not None:
                self._set(interface, "can_fd_baud_rate", data)
            if non_iso:
                self._set(interface, "can_fd_iso_mode", constants.CanFdIsoMode.NON_ISO)
        self._set(interface, "can_term", constants.CanTerm.ON if terminates else constants.CanTerm.OFF)
        for name, value in settings.items():
            self._set(interface, name, value)
        try:
            self._set(self._in, "queue_size", queue_size)
        except CanInitializationError as error:  # some devices have a queue of fixed size
            _warn("%s", error)

    def _set(self, owner: Any, name: str, value: Any) -> None:
        self._setup(f"nxSetProperty {name}", lambda: setattr(owner, name, value))

    def _setup(self, function: str, call: Callable[[], _Result]) -> _Result:
        try:
            return call()
        except self._xnet_error as error:
            raise xnet.translated(CanInitializationError, self._name, function, error) from error
        except self._package.errors.Error as error:
            raise CanInitializationError(f"{self._name}: {function}: {error}") from error

    def _release(self) -> None:
        if self._has_sent and self._lost is None:
            with suppress(self._package.errors.Error):
                self._finish_sending()
        self._close_sessions()

    def _finish_sending(self) -> None:
        try:
            self._out.wait_for_transmit_complete(_LAST_FRAMES)
        except self._xnet_error:
            unsent = self._pending()
            if unsent:
                self.losses[UNSENT] += unsent
                _warn("%s: %s", self._name, counted(unsent, UNSENT))

    def _close_sessions(self) -> None:
        """Stop and clear the sessions, also those of an interface that is gone."""

        def closed(session: Any) -> Callable[[], None]:
            def close() -> None:
                for step in (session.flush, session.stop):  # clearing does both if they fail
                    with suppress(self._package.errors.Error):
                        step()
                try:
                    session.close()
                except self._xnet_error as error:
                    session._handle = None  # else its destructor warns
                    raise xnet.translated(CanOperationError, self._name, "nxClear", error) from error

            return close

        release_all(*(closed(session) for session in (self._in, self._out) if session is not None))

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        if self._has_overflowed:  # before what is queued now
            return self._marker()
        chunks = []
        with suppress(IndexError):  # another thread may take them as well
            while True:
                chunks.append(self._ahead.popleft())
        size = sum(map(len, chunks))
        while size < _DRAIN_BYTES and self._failure is None:
            chunk = self._read(_READ_BYTES, 0.0)
            chunks.append(chunk)
            size += len(chunk)
            if len(chunk) <= _READ_BYTES - codec.LONGEST:
                break
        if size:
            return codec.decode(b"".join(chunks), self.channel, self.losses)
        if self._has_overflowed:
            return self._marker()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return None

    def _marker(self) -> MessageBatch:
        self._has_overflowed = False
        return MessageBatch([rx_overflow(time.time_ns(), self.channel)])

    def _wait(self, seconds: float) -> None:
        if self._has_fd:  # a frame has no fixed size: reading waits until the buffer is full
            time.sleep(min(seconds, self._poll_interval))
            return
        frame = self._read(codec.UNIT, seconds)
        if frame:
            self._ahead.append(frame)

    def _read(self, size: int, timeout: float) -> bytes:
        """Return raw frames, at most ``size`` bytes; none if the time is over."""
        try:
            return bytes(self._in.frames.read_bytes(size, timeout))
        except self._xnet_error as error:
            code = error.error_code
            if code in xnet.INPUT_OVERFLOWS:
                self.losses[OVERFLOWS] += 1
                self._has_overflowed = True
            elif code != xnet.TIMED_OUT:
                failure = xnet.translated(CanOperationError, self._name, "nxReadFrame", error)
                failure.__cause__ = error
                if code in xnet.LOST:
                    self._lose(failure)
                else:
                    self._failure = failure
            return b""

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        if self._only_listens:
            raise CanOperationError(f"{self._name}: a listen-only bus does not send", sent=0)
        codec.check(batch, self._name, self._has_fd, self._switches)
        deadline = Deadline(timeout)
        for row, frame in enumerate(codec.encode(batch, self._has_fd)):
            self._write(frame, deadline, row)
        if timeout:
            self._complete(deadline, len(batch))

    def _write(self, frame: bytes, deadline: Deadline, row: int) -> None:
        while True:
            remaining = deadline.remaining()
            patience = _SEND_SLICE if remaining is None else min(_SEND_SLICE, remaining)
            try:
                with self._gate:
                    self._out.frames.write_bytes(frame, patience)
                    self._has_sent = True
                return
            except self._xnet_error as error:
                if error.error_code not in (xnet.TIMED_OUT, xnet.OUTPUT_OVERFLOW):
                    self._refuse(error, row)
                if deadline.passed:
                    text = f"{self._name}: nxWriteFrame: the transmit queue stayed full"
                    raise CanTimeoutError(text, error.error_code, sent=row) from error
                if error.error_code == xnet.OUTPUT_OVERFLOW:
                    deadline.pause()

    def _complete(self, deadline: Deadline, count: int) -> None:
        """Wait until all frames have been sent; ``count`` is the number of the last ones."""
        while True:
            try:
                with self._gate:
                    self._out.wait_for_transmit_complete(min(_SEND_SLICE, deadline.remaining() or 0.0))
                return
            except self._xnet_error as error:
                with self._gate:
                    sent = max(0, count - self._pending())
                if error.error_code != xnet.TIMED_OUT:
                    self._refuse(error, sent, "nxWait")
                if deadline.passed:
                    text = f"{self._name}: nxWait: no node acknowledges the frames"
                    hint = "is another node on the bus, and the bit rate right?"
                    raise CanTimeoutError(text, error.error_code, hint=hint, sent=sent) from error
            except self._package.errors.Error:  # an old version of the library, without this function
                return

    def _pending(self) -> int:
        """Return the number of queued frames; 0 if the interface does not tell."""
        with suppress(self._package.errors.Error):
            return int(self._out.num_pend)
        return 0

    def _refuse(self, error: Any, row: int, function: str = "nxWriteFrame") -> NoReturn:
        failure = xnet.translated(CanOperationError, self._name, function, error)
        failure.sent = row
        raise failure from error  # if the interface is gone, receiving finds that after the last frame

    def flush_tx_buffer(self) -> None:
        """Discard the frames that are queued for sending."""
        self._check_open()
        self._call("nxFlush", self._out.flush)

    # --- state ----------------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """ERROR while off the bus, PASSIVE while error passive, else ACTIVE."""
        self._check_open()
        try:
            state = self._call("nxReadState", lambda: self._in.can_comm.state.value)
        except ValueError:  # a value that the package does not know
            return BusState.ACTIVE
        return {codec.PASSIVE: BusState.PASSIVE, codec.BUS_OFF: BusState.ERROR}.get(state, BusState.ACTIVE)

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError(f"{self._name}: the state is set when the bus is opened, by listen_only")

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._rates.nominal, self._rates.data if self._has_fd else None

    def reset(self) -> None:
        """Restart the interface: this clears its queues and its error counters, and ends bus off."""
        self._check_open()
        self._ahead.clear()
        sessions = (self._out, self._in)
        for function, method in (("nxFlush", "flush"), ("nxStop", "stop"), ("nxStart", "start")):
            for session in sessions:
                self._call(function, getattr(session, method))

    def _call(self, function: str, call: Callable[[], _Result]) -> _Result:
        try:
            with self._gate:
                return call()
        except self._xnet_error as error:
            raise xnet.translated(CanOperationError, self._name, function, error) from error

    # --- detection ------------------------------------------------------------------------------------

    @staticmethod
    def _obstacle() -> str | None:
        return xnet.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the CAN interfaces of this computer, and what they have."""
        from cantools_cli.backends.nixnet.finder import configs

        return configs()


def _check(name: str, channel: str, poll_interval: float, queue_size: int) -> None:
    """Refuse impossible settings.

    Raises:
        UsageError: the channel is not a name, the interval is not above 0, or no frame fits into the queue.
    """
    if not channel or not channel.isascii() or "\0" in channel:
        text = f"nixnet: {quoted(channel)} is not the name of an interface"
        raise UsageError(text, hint="canx list -i nixnet shows the interfaces")
    if not poll_interval > 0:
        raise UsageError(f"{name}: poll_interval {poll_interval} is not above 0")
    if queue_size < _SMALLEST_QUEUE:
        raise UsageError(f"{name}: queue_size {queue_size} is not at least {_SMALLEST_QUEUE} bytes")


def _warn(text: str, *values: object) -> None:
    import logging

    logging.getLogger(_LOG).warning(text, *values)
