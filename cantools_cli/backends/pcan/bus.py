"""The bus on a channel of PCAN-Basic."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from array import array
from contextlib import suppress
from typing import Any

from cantools_cli.backends.pcan import codec, constants
from cantools_cli.backends.pcan.channel import FULL, PcanChannel, is_gone
from cantools_cli.backends.pcan.constants import PCAN_ERROR_BUSOFF, PCAN_ERROR_OK
from cantools_cli.backends.pcan.errors import (
    PcanCanInitializationError,
    PcanCanOperationError,
    PcanError,
    log,
)
from cantools_cli.backends.pcan.filters import ranges
from cantools_cli.backends.pcan.library import LIBRARY, PcanLibrary, handle_of, name_of
from cantools_cli.backends.pcan.timing import Timing, of_settings
from cantools_cli.backends.transport.device_clock import DeviceClock
from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch

__all__ = ["PcanBus", "PcanCanInitializationError", "PcanCanOperationError", "PcanError"]

OVERRUNS = "overruns of the library (frames lost)"

_EPOCH_US = 10**15  # a clock that is past this counts from 1970
_WRAP_US = 1000 << 48
_TICK_NS = 1000
_FRESH_NS = 1_000_000_000  # after an empty queue: frames that are read then are not older
_POLL = 0.001  # seconds between two questions to a library without an event
_SLICE = 0.5  # seconds of one wait, after which a channel may have another descriptor
_SEND_SECONDS = 1.0  # for room in the queue until a send without a timeout fails
_FIRST_PAUSE, _MAX_PAUSE = 0.0005, 0.01
_RECOVERY = 0.1  # seconds between closing and opening


class PcanBus(LibraryBus):
    """A channel of an adapter of PEAK-System.

    ``channel`` is a name such as ``PCAN_USBBUS1``, in any case, or the number of a handle. ``device_id`` is
    the number stored in a device, which replaces ``channel``. ``state`` is ACTIVE or PASSIVE, as is
    ``listen_only``.

    A classic channel has ``bitrate``, or ``timing`` as ``BitTiming`` for a clock of 8 MHz. With ``fd`` the
    timing is a ``BitTimingFd``; or ``f_clock`` in Hz or ``f_clock_mhz`` with ``nom_brp``, ``nom_tseg1``,
    ``nom_tseg2``, ``nom_sjw``, ``data_brp``, ``data_tseg1``, ``data_tseg2`` and ``data_sjw``; or ``bitrate``
    and ``data_bitrate``, with ``sample_point`` and ``dsample_point`` in percent (default 80).

    ``receive_own_messages`` returns each sent frame. ``auto_reset`` recovers from bus-off, which takes half a
    second. ``hw_filter`` lets the library drop frames as well. ``library`` or ``dll`` is the file of the
    library. The fourth positional argument may also be the bit rate, as in python-can 4.1.

    Raises:
        CanInterfaceNotImplementedError: PCAN-Basic is not installed.
        UsageError: the channel, a bit rate or a timing is invalid, or no device has this number.
        CanInitializationError: the channel cannot be opened.
    """

    def __init__(
        self,
        channel: int | str = "PCAN_USBBUS1",
        device_id: int | None = None,
        state: Any = BusState.ACTIVE,
        timing: Any = None,
        bitrate: int = 500_000,
        receive_own_messages: bool = False,
        *,
        fd: bool = False,
        data_bitrate: int | None = None,
        sample_point: float | None = None,
        dsample_point: float | None = None,
        f_clock: int | None = None,
        f_clock_mhz: int | None = None,
        nom_brp: int | None = None,
        nom_tseg1: int | None = None,
        nom_tseg2: int | None = None,
        nom_sjw: int | None = None,
        data_brp: int | None = None,
        data_tseg1: int | None = None,
        data_tseg2: int | None = None,
        data_sjw: int | None = None,
        auto_reset: bool = False,
        listen_only: bool = False,
        hw_filter: bool = False,
        library: str | os.PathLike[str] | None = None,
        dll: str | os.PathLike[str] | None = None,
        can_filters: CanFilters | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("pcan", PcanBus, kwargs)
        self._state = BusState.PASSIVE if listen_only else _state(state)
        if isinstance(timing, int):
            timing, bitrate = None, timing
        segments = (nom_brp, nom_tseg1, nom_tseg2, nom_sjw, data_brp, data_tseg1, data_tseg2, data_sjw)
        bit_timing = of_settings(
            timing,
            bitrate,
            data_bitrate,
            fd=fd,
            points=(sample_point, dsample_point),
            clocks=(f_clock, f_clock_mhz),
            segments=dict(zip(constants.PCAN_FD_PARAMETER_LIST, segments, strict=True)),
        )
        pcan = PcanLibrary(given(library, dll))
        handle = handle_of(channel)
        if device_id is not None:
            handle = _with_number(pcan, device_id, handle)
        name = str(channel) if isinstance(channel, int) and device_id is None else name_of(handle)
        self._hw_filter = hw_filter
        self._auto_reset = auto_reset
        self._own_messages = receive_own_messages
        self._channel = PcanChannel(pcan, handle, f"pcan:{name}", bit_timing)
        with self._prepared():
            self._open(bit_timing)
        self.channel_info = name
        try:
            super().__init__(channel, can_filters, **kwargs)
        except BaseException:
            self.shutdown()
            raise

    def _open(self, timing: Timing) -> None:
        if timing.text is not None:
            self._can_protocol = CanProtocol.CAN_FD
        self._clock = DeviceClock(_WRAP_US, _TICK_NS)
        if sys.platform == "win32":
            from cantools_cli.backends.pcan.windows import milliseconds_since_start

            self._clock.anchor(1000 * milliseconds_since_start())
        self._counts_from_epoch: bool | None = None
        self._emptied_ns = time.monotonic_ns()
        self._turn = threading.RLock()  # for every call but that of the LED, which may take seconds
        self._led = threading.Condition()
        self._led_calls, self._led_is_blocked = 0, False
        self._channel.check_version()
        self._open_channel()

    @property
    def _recovers(self) -> bool:
        """Whether the bus has to end a bus-off, since the library does not."""
        return self._auto_reset and not self._channel.has_auto_reset

    def _open_channel(self) -> None:
        self._channel.open(
            listen_only=self._state is BusState.PASSIVE,
            echo=self._own_messages,
            auto_reset=self._auto_reset,
        )
        self._descriptor = self._channel.descriptor

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._channel.timing.bitrate, self._channel.timing.data_bitrate

    @property
    def fd(self) -> bool:
        """Whether the channel carries CAN FD frames; ``protocol`` replaces it."""
        return self._can_protocol is CanProtocol.CAN_FD

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        with self._turn:
            channel = self._channel
            if channel.failure is not None:
                failure, channel.failure = channel.failure, None
                raise failure
            messages, stamps = channel.read()
            if channel.is_off and self._recovers:
                with suppress(CanError):  # receiving raises it after these frames
                    self._recover()
            channel.is_off = False
            is_fd = channel.is_fd
            messages, stamps = codec.without_status(messages, stamps, is_fd=is_fd)
            messages, stamps = codec.without_malformed(messages, stamps, self.losses, is_fd=is_fd)
            batch = None
            if messages:
                times = self._times_ns(stamps)
                batch = codec.decode(messages, times, self.channel_info, is_fd=is_fd)
            else:
                self._emptied_ns = time.monotonic_ns()
            gap, channel.gap = channel.gap, None
            if gap is not None:
                self.losses[OVERRUNS] += 1
                batch = self._marked(batch, at_end=gap > 0)
            self._note_failure(has_frames=batch is not None)
            return batch

    def _marked(self, batch: MessageBatch | None, *, at_end: bool) -> MessageBatch:
        """Add the error frame that marks lost frames to the beginning or the end of ``batch``."""
        when = batch.timestamp_ns[-1 if at_end else 0] if batch else time.time_ns()
        mark = MessageBatch([error_frames.rx_overflow(when, self.channel_info)])
        if not batch:
            return mark
        first, second = (batch, mark) if at_end else (mark, batch)
        first.extend(second)
        return first

    def _note_failure(self, *, has_frames: bool) -> None:
        """Raise the error that ended reading, or leave it for the call after the last frame."""
        failure = self._channel.failure
        if failure is None:
            return
        if is_gone(failure.error_code):
            self._channel.failure = None
            self._lose(failure)
        elif not has_frames:
            self._channel.failure = None
            raise failure

    def _times_ns(self, stamps: bytearray) -> array[int]:
        """Return the times of frames since the epoch: Linux counts from it, others from the start."""
        is_fd = self._channel.is_fd
        if self._counts_from_epoch is None:
            [first] = codec.times(stamps[: codec.STAMP_SIZE], is_fd=is_fd)
            self._counts_from_epoch = first > _EPOCH_US
        if self._counts_from_epoch:
            return array("q", codec.times(stamps, is_fd=is_fd, per_microsecond=_TICK_NS))
        now = time.monotonic_ns()
        may_be_old = now - self._emptied_ns > _FRESH_NS
        return self._clock.times_ns(codec.times(stamps, is_fd=is_fd), now, may_be_old=may_be_old)

    def _wait_for_frames(self, remaining: float | None) -> None:
        super()._wait_for_frames(_SLICE if remaining is None else min(_SLICE, remaining))
        self._emptied_ns = time.monotonic_ns()  # the queue was empty until now

    def _wait(self, seconds: float) -> None:
        event = self._channel.event
        if event is not None:
            with suppress(OSError):  # another thread recovers, so the channel gets another event
                event.wait(math.ceil(1000 * seconds))
                return
        time.sleep(min(_POLL, seconds))

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        channel = self._channel
        if self._lost is not None:
            self._lost.sent = 0
            raise self._lost
        codec.check(batch, is_fd=channel.is_fd, name=channel.name)
        if self._state is BusState.PASSIVE:
            raise CanOperationError(f"{channel.name}: the bus only listens", hint="state=ACTIVE", sent=0)
        sent = 0
        try:
            for sent in range(len(batch)):
                self._write(codec.encode(batch, sent, is_fd=channel.is_fd), timeout, sent)
            sent = len(batch)
        finally:
            if self._own_messages and not channel.has_echo and sent:
                self._echo(batch.part(0, sent), self.channel_info)

    def _write(self, message: bytes, timeout: float | None, sent: int) -> None:
        """Hand over one message, waiting while the queue is full."""
        channel = self._channel
        deadline, pause = Deadline(_SEND_SECONDS if timeout is None else timeout), _FIRST_PAUSE
        while True:
            with self._gate, self._turn:
                status = channel.write(message)
                if status & PCAN_ERROR_BUSOFF and self._recovers:
                    self._recover_to_send(sent)
                    status = channel.write(message)
            if status == PCAN_ERROR_OK:
                return
            if not status & FULL or deadline.passed:
                break
            time.sleep(min(pause, deadline.remaining() or 0.0))
            pause = min(2 * pause, _MAX_PAUSE)
        function = "CAN_WriteFD" if channel.is_fd else "CAN_Write"
        failure = channel.operation_failure(function, status, sent)
        if timeout and status & FULL:
            raise CanTimeoutError(
                f"{channel.name}: {function}: no room in the transmit queue for {timeout:g} s",
                status,
                hint="is another node on the bus, with the same bit rate?",
                sent=sent,
            )
        raise failure  # if the device is gone, receiving finds that out after the queued frames

    def _recover_to_send(self, sent: int) -> None:
        try:
            self._recover()
        except CanInitializationError as error:
            failure = self._lost or error
            failure.sent = sent
            raise failure from error

    def flush_tx_buffer(self) -> None:
        """Discard the frames queued for sending; the library discards the received ones with them.

        Raises:
            CanOperationError: the bus is closed, or the library refuses.
        """
        self._check_open()
        self._checked("CAN_Reset", self._reset())

    # --- state ----------------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """The state: ERROR if the controller is bus-off, else what was set."""
        if not self.is_shutdown and self._lost is None and self.status() & PCAN_ERROR_BUSOFF:
            return BusState.ERROR
        return self._state

    @state.setter
    def state(self, new_state: BusState) -> None:
        state = _state(new_state)
        self._check_open()
        listen_only = int(state is BusState.PASSIVE)
        with self._gate, self._turn:
            channel = self._channel
            status = channel.library.set_number(channel.handle, constants.PCAN_LISTEN_ONLY, listen_only)
        self._checked("CAN_SetValue(LISTEN_ONLY)", status)
        self._state = state

    def status(self) -> int:
        """Return the status of the channel: a combination of ``PCAN_ERROR_`` values."""
        self._check_open()
        with self._gate, self._turn:
            return int(self._channel.library.functions.CAN_GetStatus(self._channel.handle))

    def status_is_ok(self) -> bool:
        """Return whether the status is ``PCAN_ERROR_OK``."""
        return self.status() == PCAN_ERROR_OK

    def status_string(self) -> str | None:
        """Return the name of the status, None for a combination of several."""
        return constants.PCAN_DICT_STATUS.get(self.status())

    def reset(self) -> bool:
        """Clear the queues of received and of unsent frames; return whether that worked.

        This does not end a bus-off: see ``recover``.
        """
        self._check_open()
        return self._reset() == PCAN_ERROR_OK

    def _reset(self) -> int:
        with self._gate, self._turn:
            return int(self._channel.library.functions.CAN_Reset(self._channel.handle))

    def recover(self) -> None:
        """Close the channel and open it again, which ends a bus-off; queued frames are lost.

        Raises:
            CanInitializationError: the channel cannot be opened again; the bus receives nothing any more.
        """
        self._check_open()
        with self._gate, self._turn:
            self._recover()

    def _recover(self) -> None:
        """Open the channel again, in the thread that has the turn."""
        with self._led:
            self._led_is_blocked = True
            self._led.wait_for(lambda: not self._led_calls)
            self._led_is_blocked = False
            self._led.notify_all()  # they go on after this
            self._watch("unregister")
            self._channel.close()
            time.sleep(_RECOVERY)
            try:
                self._open_channel()
            except CanError as error:
                text = str(error).removesuffix(f" [Error Code {error.error_code}]")
                self._lose(PcanCanOperationError(text, error.error_code, hint=error.hint))
                raise
            self._watch("register")
        self._apply_filters(self._filters)

    def _watch(self, change: str) -> None:
        """Tell the descriptor of the bus about that of the channel, unless another thread closes the bus."""
        if self._either is not None and self._descriptor is not None:
            with suppress(ValueError, OSError):
                getattr(self._either, change)(self._descriptor)

    def _checked(self, function: str, status: int) -> None:
        if status != PCAN_ERROR_OK:
            raise self._channel.operation_failure(function, status)

    def _apply_filters(self, filters: CanFilters | None) -> None:
        """Let the library drop what no filter passes, if ``hw_filter`` is set; it may pass more."""
        if not self._hw_filter:
            return
        wanted = ranges(filters)
        channel = self._channel
        functions, handle = channel.library.functions, channel.handle
        parameter = constants.PCAN_MESSAGE_FILTER
        with self._gate, self._turn:
            if wanted:
                failed = channel.library.set_number(handle, parameter, constants.PCAN_FILTER_CLOSE)
                for low, high, kind in wanted:
                    failed = failed or functions.CAN_FilterMessages(handle, low, high, kind)
                if failed == PCAN_ERROR_OK:
                    return
                log().debug("%s: the library refuses the filter: status %#x", channel.name, failed)
            channel.library.set_number(handle, parameter, constants.PCAN_FILTER_OPEN)

    # --- the device -----------------------------------------------------------------------------------

    def get_device_number(self) -> int | None:
        """Return the number stored in the device, None if it has none."""
        self._check_open()
        with self._gate, self._turn:
            channel = self._channel
            status, number = channel.library.number(channel.handle, constants.PCAN_DEVICE_ID)
        return number if status == PCAN_ERROR_OK else None

    def set_device_number(self, device_number: int) -> bool:
        """Store a number in the device, 0 to 255 in older ones; return whether that worked."""
        try:
            number = int(device_number)
        except (TypeError, ValueError):
            return False
        if self.is_shutdown or not 0 <= number <= 0xFFFFFFFF:
            return False
        with suppress(CanOperationError), self._gate, self._turn:
            channel = self._channel
            status = channel.library.set_number(channel.handle, constants.PCAN_DEVICE_ID, number)
            return status == PCAN_ERROR_OK
        return False

    def flash(self, flash: bool) -> None:
        """Let the LED of the device flash, or stop it.

        The call returns at once. On Linux switching on takes the library five seconds, in a thread; closing
        the bus waits for it.
        """
        self._check_open()
        if flash:
            threading.Thread(target=self._flash, args=(1,), name="flash", daemon=True).start()
        else:
            self._flash(0)

    def _flash(self, value: int) -> None:
        with suppress(CanOperationError), self._gate:  # the bus may have been closed
            channel = self._channel
            with self._led:
                self._led.wait_for(lambda: not self._led_is_blocked)
                self._led_calls += 1
            try:
                parameter = constants.PCAN_CHANNEL_IDENTIFYING
                status = channel.library.set_number(channel.handle, parameter, value)
            finally:
                with self._led:
                    self._led_calls -= 1
                    self._led.notify_all()
            if status != PCAN_ERROR_OK:
                log().warning("%s: the device cannot flash: status %#x", channel.name, status)

    def _release(self) -> None:
        self._channel.close()

    @staticmethod
    def _obstacle() -> str | None:
        return LIBRARY.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the free channels, those that PCAN-View shares among them."""
        from cantools_cli.backends.pcan.finder import configurations

        return configurations()


def _state(state: Any) -> BusState:
    """Return ACTIVE or PASSIVE, also from text such as ``can.bus.BusState.PASSIVE``.

    Raises:
        UsageError: ``state`` is neither.
    """
    if isinstance(state, str):
        state = BusState.__members__.get(state.rpartition(".")[2].strip().upper(), state)
    if state not in (BusState.ACTIVE, BusState.PASSIVE):
        text = getattr(state, "name", state)
        raise UsageError(f"pcan: state {quoted(str(text))} is neither ACTIVE nor PASSIVE")
    return BusState(state)


def _with_number(pcan: PcanLibrary, device_id: int, preferred: int) -> int:
    """Return the handle of a device with this stored number, ``preferred`` if it is one.

    Raises:
        UsageError: no device has it.
    """
    if pcan.number(preferred, constants.PCAN_DEVICE_ID) == (PCAN_ERROR_OK, device_id):
        return preferred
    found = pcan.look_up(device_id)
    if found is None:
        raise UsageError(f"pcan: no device has the number {device_id}", hint="canx list -i pcan shows them")
    return found
