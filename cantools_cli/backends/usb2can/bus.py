"""The bus of a USB2CAN adapter."""

from __future__ import annotations

import math
import threading
from contextlib import suppress
from ctypes import byref
from typing import Any, NamedTuple

from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus
from cantools_cli.backends.usb2can import canal, codec
from cantools_cli.backends.usb2can.canal import CanalError, CanalMsg, CanalStatistics, CanalStatus
from cantools_cli.backends.usb2can.clock import CheckedClock
from cantools_cli.backends.usb2can.connector import MAX_BITRATE, connector
from cantools_cli.backends.usb2can.finder import find_serial_devices
from cantools_cli.backends.usb2can.layer import DEFAULT_DLL, LIBRARY, Usb2CanAbstractionLayer, load
from cantools_cli.backends.usb2can.queue import EMPTY, ReceiveQueue
from cantools_cli.bus.base import BusState
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    CanTimeoutError,
    InvalidMessageError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame import bits, error_frames
from cantools_cli.frame.batch import MessageBatch

__all__ = ["Statistics", "Usb2canBus"]

FULL = "overflows of the library's queue (frames may be lost)"

_NO_ROOM = frozenset({CanalError.FIFO_FULL, CanalError.TRM_FULL, CanalError.TIMEOUT})
_SEND_SECONDS = 1.0  # without a timeout
_FULL_HINT = "frames leave it when another node acknowledges them"
#: results of a library whose adapter is gone
_GONE = frozenset({CanalError.COMMUNICATION, CanalError.NOT_OPEN})


class Statistics(NamedTuple):
    """What the adapter has counted since the bus was opened: frames, data bytes and events."""

    received_frames: int = 0
    sent_frames: int = 0
    received_bytes: int = 0
    sent_bytes: int = 0
    overruns: int = 0
    bus_warnings: int = 0
    bus_offs: int = 0


class Usb2canBus(LibraryBus):
    """A USB2CAN adapter of 8devices, by the vendor's CANAL library for Windows; on Linux use socketcan.

    ``channel`` is the serial number of the adapter, of which ``serial`` is an older name that has priority.
    Without either, the first connected adapter is used, and a warning lists all. ``dll`` or ``library`` is
    the file of the library. ``flags`` are passed to ``CanalOpen``; ``listen_only``, ``loopback`` and
    ``one_shot`` add theirs, and ``status_frames`` sets or clears that of the status records, which become
    error frames. ``bitrate`` is limited to 1 Mbit/s; ``timing`` overrides it.

    With ``receive_own_messages`` sent frames are received when the library has accepted them. ``timestamps``
    are those of the ``device``, or of the ``host`` on arrival. With ``raw_status`` the data of an error frame
    is the status record. Filters are applied by software. ``send`` without a timeout waits a second for room.

    Raises:
        UsageError: a setting is invalid; this is a ValueError as well.
        CanInterfaceNotImplementedError: the library is missing.
        CanInitializationError: no adapter is connected, or the library cannot open it.
    """

    def __init__(
        self,
        channel: str | None = None,
        dll: str = DEFAULT_DLL,
        flags: int = canal.OPEN_STATUS_FRAMES,
        *_: Any,
        bitrate: int = 500_000,
        serial: str | None = None,
        timing: Any | None = None,
        can_filters: CanFilters | None = None,
        library: str | None = None,
        listen_only: bool = False,
        loopback: bool = False,
        one_shot: bool = False,
        status_frames: bool | None = None,
        receive_own_messages: bool = False,
        timestamps: str = "device",
        raw_status: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("usb2can", Usb2canBus, kwargs)
        if _:  # as documented, they have no effect; later versions of python-can have the bit rate here
            _warn("usb2can: %s positional settings after flags are ignored; name them", len(_))
        if timestamps not in ("device", "host"):
            raise UsageError(f"usb2can: timestamps {quoted(timestamps)} is neither device nor host")
        self._flags = _open_flags(int(flags), listen_only, loopback, one_shot, status_frames)
        path = given(library, dll if dll != DEFAULT_DLL else None)
        self._functions = load(path)
        self.can = Usb2CanAbstractionLayer(path or DEFAULT_DLL)
        device = str(serial or channel or _first_device())  # digits alone may come as a number
        if timing is None and bitrate > MAX_BITRATE:
            _warn("usb2can: bit rate %s bit/s is limited to %s bit/s", bitrate, MAX_BITRATE)
        configuration, self._bit_rate = connector(device, bitrate, timing)
        self._device = device
        self._name = f"usb2can:{device}"
        self._echoes_own = receive_own_messages
        clock = CheckedClock(
            lambda text: _warn("%s: %s", self._name, text), from_device=timestamps == "device"
        )
        self._decoder = codec.Decoder(device, self.losses, clock.times_ns, raw_status=raw_status)
        self._drain_lock = threading.Lock()
        self._failed: CanOperationError | None = None  # a failure that came with frames
        self._statistics = Statistics()
        with self._prepared():
            self.handle = self.can.open(configuration, self._flags)
        try:
            self._queue = ReceiveQueue(self._functions, self.handle)
            self._verify()
            super().__init__(channel, can_filters)
        except BaseException:
            self.can.close(self.handle)
            self._wakeup.close()
            raise
        self.channel_info = f"USB2CAN device {device}"

    def _verify(self) -> None:
        """Ask for the status: ``CanalOpen`` succeeds even if the adapter refuses the configuration.

        Raises:
            CanInitializationError: the library answers with an error.
        """
        if self._functions.CanalGetStatus is not None:
            code = self.can.get_status(self.handle, byref(CanalStatus()))
            if code != CanalError.SUCCESS:
                raise CanInitializationError(
                    f"{self._name}: CanalGetStatus: {code.name}, {code.explanation}", code
                )

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._bit_rate, None

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        with self._drain_lock:  # of two threads that receive, one drains
            if self._failed is not None:
                error, self._failed = self._failed, None
                raise error
            try:
                data, code = self._queue.drain()
            except CanOperationError as error:
                raise CanOperationError(f"{self._name}: {error}") from error
            batch = self._decoder.decode(data)
            if len(batch) and self._queue.was_full:  # the library has dropped the newest frames
                self.losses[FULL] += 1
                batch.append(error_frames.rx_overflow(batch.timestamp_ns[-1], batch.channels[0]))
            if code and code not in EMPTY:
                self._fail("CanalReceive", CanalError(code), has_frames=bool(len(batch)))
            return batch

    def _wait(self, seconds: float) -> None:
        code = self._queue.wait(_milliseconds(seconds))
        if code and code not in EMPTY:
            self._fail("CanalBlockingReceive", CanalError(code), has_frames=False)

    def _fail(self, function: str, code: CanalError, *, has_frames: bool) -> None:
        """Raise the error of ``function`` after the last frame; end the bus if the adapter is gone."""
        error = self._error(function, code)
        if code in _GONE:
            self._lose(error)
        elif has_frames:
            self._failed = error
        else:
            raise error

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self._check_sendable(batch)
        deadline = Deadline(_SEND_SECONDS if timeout is None else timeout)
        for row in range(len(batch)):
            message = CanalMsg.from_buffer_copy(codec.encode(batch, row))
            try:
                with self._gate:
                    self._send_one(message, timeout, deadline)
            except CanError as error:
                error.sent = row
                if self._echoes_own and row:
                    self._echo(batch.part(0, row), self._device)
                raise
        if self._echoes_own:
            self._echo(batch, self._device)

    def _send_one(self, message: CanalMsg, timeout: float | None, deadline: Deadline) -> None:
        send, code = self._functions.CanalSend, 0
        if not timeout:
            code = send(self.handle, byref(message))
        while timeout or code in _NO_ROOM:
            if timeout == 0 or (code and deadline.passed):
                raise CanTimeoutError(f"{self._name}: the transmit queue is full", code, hint=_FULL_HINT)
            if self._gate.is_closed:
                raise CanOperationError("Cannot operate on a closed bus")
            wait = _milliseconds(min(self._slice, deadline.remaining() or 0.0))
            code = self._functions.CanalBlockingSend(self.handle, byref(message), wait)
            if code not in _NO_ROOM:
                break
        if code:
            error = self._error("sending", CanalError(code))
            if code in _GONE:
                with suppress(CanOperationError):  # a lost bus does not read the library's queue any more
                    rest = self._drain()
                    if rest:
                        self._echoes.append(rest)
                self._lose(error)
            raise error

    def _check_sendable(self, batch: MessageBatch) -> None:
        """Refuse what the library would send as another frame.

        Raises:
            InvalidMessageError: an error frame or a CAN FD frame.
            CanOperationError: the bus listens only, or the adapter is gone.
        """
        if self._lost is not None:
            error = self._error("sending", CanalError(self._lost.error_code or 0))
            error.sent = 0
            raise error
        for can_id, frame_flags in zip(batch.can_id, batch.flags, strict=True):
            if frame_flags & bits.FD or can_id & bits.CAN_ERR_FLAG:
                kind = "CAN FD frames" if frame_flags & bits.FD else "error frames"
                raise InvalidMessageError(f"{self._name}: the adapter cannot send {kind}", sent=0)
        if self._flags & (canal.OPEN_SILENT | canal.OPEN_LOOPBACK) == canal.OPEN_SILENT:
            raise CanOperationError(f"{self._name}: a listen-only bus does not send", sent=0)

    # --- state ----------------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """The state of the controller; PASSIVE if it is error-passive or listens only, ERROR if bus-off.

        Raises:
            CanOperationError: the bus is closed, or the adapter does not answer.
        """
        self._check_open()
        word = self._channel_status()
        tx_errors, rx_errors = word & 0xFF, word >> 8 & 0x7F
        last = self._decoder.status
        if word & canal.STATUS_BUS_OFF:
            return BusState.ERROR
        # the two bits mean warning and passive, but the sources disagree which is which
        is_passive = tx_errors >= 128 or all(word & bit for bit in canal.STATUS_WARNING_OR_PASSIVE)
        if not is_passive and last is not None:  # the counter of the status lacks its upper bit
            is_passive = last.code == codec.PASSIVE and rx_errors == last.rx_errors & 0x7F
        return BusState.PASSIVE if is_passive or self._flags & canal.OPEN_SILENT else BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError("a USB2CAN adapter has one mode until it is closed: listen_only or not")

    def _channel_status(self) -> int:
        """Return the status word of the library; without its function, one made of the last status record."""
        if self._functions.CanalGetStatus is None:
            last = self._decoder.status or codec.StatusRecord(codec.BACK_TO_NORMAL, 0, 0)
            bus_off = canal.STATUS_BUS_OFF if last.code == codec.BUS_OFF else 0
            return bus_off | last.tx_errors | (last.rx_errors & 0x7F) << 8
        status = CanalStatus()
        with self._gate:
            self._check("CanalGetStatus", self.can.get_status(self.handle, byref(status)))
        return int(status.channel_status)

    def statistics(self) -> Statistics:
        """Return the counters of the adapter since the bus was opened; the library itself clears them.

        Raises:
            CanOperationError: the bus is closed, or the library lacks the function.
        """
        self._check_open()
        counters = CanalStatistics()
        with self._gate:
            self._check("CanalGetStatistics", self.can.get_statistics(self.handle, byref(counters)))
        fresh = [getattr(counters, name) for name, *_ in CanalStatistics._fields_]
        self._statistics = Statistics(*map(sum, zip(self._statistics, fresh, strict=True)))
        return self._statistics

    def pending(self) -> int:
        """Return the number of frames in the receive queue of the library."""
        self._check_open()
        with self._gate:
            return len(self._queue)

    # --- closing and finding --------------------------------------------------------------------------

    def _release(self) -> None:
        code = self.can.close(self.handle)
        if self._lost is None:
            self._check("CanalClose", code)

    def _check(self, function: str, code: CanalError) -> None:
        if code != CanalError.SUCCESS:
            raise self._error(function, code)

    def _error(self, what: str, code: CanalError) -> CanOperationError:
        return CanOperationError(f"{self._name}: {what}: {code.name}, {code.explanation}", code)

    @staticmethod
    def _obstacle() -> str | None:
        return LIBRARY.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        return Usb2canBus.detect_available_configs()

    @staticmethod
    def detect_available_configs(serial_matcher: str | None = None) -> list[dict[str, Any]]:
        """Return the connected adapters whose serial number contains ``serial_matcher``.

        The list is empty if the library is missing.
        """
        try:
            load()
        except CanInterfaceNotImplementedError as error:
            import logging

            logging.getLogger("can.usb2can").debug("%s", error)
            return []
        serials = find_serial_devices(serial_matcher or "")
        return [{"interface": "usb2can", "channel": serial} for serial in serials]


def _open_flags(
    flags: int, listen_only: bool, loopback: bool, one_shot: bool, status_frames: bool | None
) -> int:
    chosen = {
        canal.OPEN_SILENT: listen_only,
        canal.OPEN_LOOPBACK: loopback,
        canal.OPEN_ONE_SHOT: one_shot,
        canal.OPEN_STATUS_FRAMES: bool(status_frames),
    }
    if status_frames is False:
        flags &= ~canal.OPEN_STATUS_FRAMES
    return flags | sum(bit for bit, is_set in chosen.items() if is_set and not flags & bit)


def _first_device() -> str:
    """Return the serial number of the first connected adapter.

    Raises:
        CanInitializationError: none is connected.
    """
    found = find_serial_devices()
    if not found:
        raise CanInitializationError(
            "usb2can: no adapter was found, and the channel names none",
            hint="the channel is its serial number, such as usb2can:ED000200; adapters of other makers may "
            "work with interface gs_usb",
        )
    if len(found) > 1:
        text = "usb2can: %s adapters are connected, %s is used; name one as the channel: %s"
        _warn(text, len(found), found[0], ", ".join(found))
    return found[0]


def _milliseconds(seconds: float) -> int:
    """Return ``seconds`` for a blocking function, rounded up: 0 would not wait."""
    return max(1, math.ceil(1000 * seconds))


def _warn(text: str, *values: object) -> None:
    import logging

    logging.getLogger("can").warning(text, *values)
