"""The bus of an IXXAT device: one CAN controller, through vcinpl or for CAN FD vcinpl2."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from ctypes import byref, c_uint32
from typing import Any

from cantools_cli.backends.ixxat import codec, constants
from cantools_cli.backends.ixxat.clock import TickClock
from cantools_cli.backends.ixxat.controller import Controller
from cantools_cli.backends.ixxat.exceptions import VCIBusOffError, VCIError, VCITimeout
from cantools_cli.backends.ixxat.finder import get_ixxat_hwids
from cantools_cli.backends.ixxat.library import Vci
from cantools_cli.backends.ixxat.options import Options, channel_number, fifo_size, is_passive, renamed
from cantools_cli.backends.ixxat.queue import ReceiveQueue
from cantools_cli.backends.ixxat.scheduler import FULL, CyclicSendTask, Scheduler
from cantools_cli.backends.ixxat.timing import Segments
from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus, release_all
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import CanError, CanOperationError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch, sendable
from cantools_cli.frame.message import Message
from cantools_cli.periodic.tasks import CyclicSendTaskABC, checked_messages

__all__ = ["CyclicSendTask", "IXXATBus", "get_ixxat_hwids"]

_BATCH_SECONDS = 1.0  # without progress until sending a batch without a timeout fails
_SLICE = 0.1  # seconds of one call that waits: how long closing may have to wait
_NO_ROOM = frozenset({constants.VCI_E_TXQUEUE_FULL, constants.VCI_E_TIMEOUT})


class IXXATBus(LibraryBus):
    """A CAN controller of an IXXAT device, for Windows.

    ``channel`` counts the CAN controllers of a device from 0. ``unique_hardware_id`` is the identifier of the
    device, such as HW123456, by default that of the first. ``fd`` selects vcinpl2, the library with CAN FD.
    The queues hold ``rx_fifo_size`` and ``tx_fifo_size`` messages, by default 16, and with CAN FD 1024 and
    128. Bit rates are in bit/s; ``timing`` replaces them. The segments of the nominal bit (``_abr``) and of
    the data bit (``_dbr``) are ratios, and are necessary only for bit rates without a preset; ``ssp_dbr`` is
    the offset of the secondary sample point.

    If another program owns the controller, the bus shares it: bit rate, filters and mode are those of the
    other program. ``receive_own_messages`` receives each frame again once it was sent. With ``hw_filter`` the
    controller drops frames that do not pass the filters. ``library`` or ``dll`` is the file of the library.

    Sending does not wait if there is no timeout: a full queue is an error. A batch waits while frames leave
    the queue.

    Raises:
        UsageError: a setting is invalid.
        VCIDeviceNotFoundError: there is no such device.
        CanInitializationError: the driver refuses a call; ``error_code`` is its result.
        CanInterfaceNotImplementedError: the library is missing.
    """

    def __init__(
        self,
        channel: int,
        can_filters: CanFilters | None = None,
        receive_own_messages: bool = False,
        unique_hardware_id: str | None = None,
        extended: bool = True,
        fd: bool = False,
        rx_fifo_size: int | None = None,
        tx_fifo_size: int | None = None,
        bitrate: int = 500_000,
        data_bitrate: int = 2_000_000,
        sjw_abr: int | None = None,
        tseg1_abr: int | None = None,
        tseg2_abr: int | None = None,
        sjw_dbr: int | None = None,
        tseg1_dbr: int | None = None,
        tseg2_dbr: int | None = None,
        ssp_dbr: int | None = None,
        *,
        timing: BitTiming | BitTimingFd | None = None,
        listen_only: bool = False,
        state: Any = BusState.ACTIVE,
        hw_filter: bool = False,
        library: str | os.PathLike[str] | None = None,
        dll: str | os.PathLike[str] | None = None,
        UniqueHardwareId: str | None = None,  # noqa: N803  # python-can's old name
        rxFifoSize: int | None = None,  # noqa: N803  # python-can's old name
        txFifoSize: int | None = None,  # noqa: N803  # python-can's old name
        **kwargs: Any,
    ) -> None:
        refuse_unknown("ixxat", IXXATBus, kwargs)
        hardware_id = renamed("UniqueHardwareId", UniqueHardwareId, unique_hardware_id)
        fd = fd or isinstance(timing, BitTimingFd)
        rx_size, tx_size = (1024, 128) if fd else (16, 16)
        self.channel = channel_number(channel)
        options = Options(
            fifo_size("rx_fifo_size", renamed("rxFifoSize", rxFifoSize, rx_fifo_size), rx_size),
            fifo_size("tx_fifo_size", renamed("txFifoSize", txFifoSize, tx_fifo_size), tx_size),
            extended,
            bitrate,
            data_bitrate,
            Segments(tseg1_abr, tseg2_abr, sjw_abr),
            Segments(tseg1_dbr, tseg2_dbr, sjw_dbr, ssp_dbr),
            timing,
        )
        options.check(fd)
        self._own = receive_own_messages
        self._can_protocol = CanProtocol.CAN_FD if fd else CanProtocol.CAN_20
        self._hw_filter = hw_filter
        self._hw_filters = can_filters or None if hw_filter else None
        if self._hw_filters:
            from cantools_cli.filtering.filters import FrameFilter

            FrameFilter.from_can_filters(self._hw_filters)  # raises if one is invalid
        self._bit_rates = options.bit_rates(fd)
        self._scheduler: Scheduler | None = None
        self._vci = Vci(fd, given(library, dll), f"ixxat:{self.channel}")
        self._controller = Controller(self._vci, self.channel, options)
        self._prepare()
        try:
            self._open(hardware_id, listen_only or is_passive(state))
            self._vci.is_opening = False
            super().__init__(channel, can_filters, **kwargs)
        except BaseException:
            self._close()
            raise
        self.channel_info = f"IXXAT {self._controller.description}, channel {self.channel}"

    def _open(self, hardware_id: str | None, listen_only: bool) -> None:
        controller = self._controller
        controller.open(hardware_id)
        clock = TickClock(*controller.ticks)
        self._queue = ReceiveQueue(self._vci, controller.channel, self.channel, clock, self.losses)
        if controller.is_owner:
            controller.configure(listen_only=listen_only, filters=self._hw_filters)
            self._queue.start(controller.start)
            self._queue.find_start()
        else:
            self._queue.is_shared = True
            _log("%s: another program owns the controller: its bit rate and mode are used", self._vci.name)

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._bit_rates if self._controller.is_owner else (None, None)

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        batch = self._queue.take()
        self._note_loss()
        return batch

    def _wait(self, seconds: float) -> None:
        self._queue.wait(seconds)
        self._note_loss()

    def _note_loss(self) -> None:
        if self._queue.failure is not None:
            self._lose(self._queue.failure)

    def _apply_filters(self, filters: CanFilters | None) -> None:
        if self._hw_filter and filters != self._hw_filters:
            self._hw_filters = filters
            if self._controller.is_owner:
                self._restart(self._controller.listen_only)

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self._check_sendable(batch)
        vci, size = self._vci, len(batch)
        data = codec.encode(batch, is_fd=vci.is_fd, own=self._own, fast=self._controller.is_fast)
        messages = (vci.types.message * size).from_buffer(data)
        patience = _BATCH_SECONDS if timeout is None and size > 1 else timeout
        deadline, done = Deadline(patience or 0.0), 0
        try:
            while (done := done + self._post(messages, done)) < size:
                while not self._post_waiting(messages, done, deadline):
                    if deadline.passed:
                        raise self._no_room(timeout)
                done += 1
                if timeout is None:
                    deadline = Deadline(patience or 0.0)
        except CanError as error:
            error.sent = done if error.sent is None else error.sent
            raise

    def _check_sendable(self, batch: MessageBatch) -> None:
        codec.check(batch, is_fd=self._vci.is_fd)
        if self._controller.listen_only:
            raise CanOperationError(f"{self._vci.name}: a listen-only bus does not send", sent=0)

    def _post(self, messages: Any, first: int) -> int:
        """Put messages from ``first`` on into the transmit queue without waiting; return their number."""
        functions, channel = self._vci.functions, self._controller.channel
        count = len(messages) - first
        with self._gate:
            if count > 1 and functions.canChannelPostMsgMult is not None:
                name, posted = "canChannelPostMsgMult", c_uint32()
                result = functions.canChannelPostMsgMult(
                    channel, byref(messages[first]), count, byref(posted)
                )
                done = posted.value
            else:
                name, done, result = "canChannelPostMessage", 0, constants.VCI_OK
                while done < count and result == constants.VCI_OK:
                    place = byref(messages[first + done])
                    result = functions.canChannelPostMessage(channel, place)
                    done += result == constants.VCI_OK
        if result not in _NO_ROOM:
            self._check_result(name, result, first + done)
        return done

    def _post_waiting(self, messages: Any, place: int, deadline: Deadline) -> bool:
        """Put one message into the transmit queue, waiting a little; return whether there was room."""
        seconds = min(_SLICE, deadline.remaining() or 0.0)
        if not seconds:
            return False
        message = byref(messages[place])
        with self._gate:
            name, milliseconds = "canChannelSendMessage", max(1, math.ceil(1000 * seconds))
            result = self._vci.functions.canChannelSendMessage(
                self._controller.channel, milliseconds, message
            )
        if result in _NO_ROOM:
            return False
        self._check_result(name, result, place)
        return True

    def _check_result(self, name: str, result: int, sent: int) -> None:
        if result != constants.VCI_OK:
            error = self._vci.failure(name, result)
            error.sent = sent
            raise error

    def _no_room(self, timeout: float | None) -> CanError:
        with self._gate:
            status = self._controller.line_status().dwStatus
        name = self._vci.name
        if status & constants.CAN_STATUS_BUSOFF:
            return VCIBusOffError(f"{name}: the controller is bus-off", hint="set state to ACTIVE")
        if timeout is None:
            error: CanError = VCIError(f"{name}: the transmit queue is full", hint="send with a timeout")
            error.error_code = constants.VCI_E_TXQUEUE_FULL
            return error
        return VCITimeout(f"{name}: the transmit queue had no room within {timeout:g} s")

    def flush_tx_buffer(self, timeout: float | None = None) -> None:
        """Wait until all frames of the transmit queue are sent, at most ``timeout`` seconds; None for ever.

        Raises:
            CanOperationError: the bus is closed, or the device is gone.
            VCITimeout: frames are left.
        """
        self._check_open()
        deadline = Deadline(timeout)
        while True:
            with self._gate:
                status = self._controller.channel_status()
                pending = status.sLineStatus.dwStatus & constants.CAN_STATUS_TXPEND
                if not status.bTxFifoLoad and not pending:
                    return
            if deadline.passed:
                raise VCITimeout(f"{self._vci.name}: unsent frames are left in the transmit queue")
            deadline.pause()

    # --- periodic sending -----------------------------------------------------------------------------

    def _send_periodic_internal(
        self,
        msgs: Message | Sequence[Message],
        period: float,
        duration: float | None = None,
        autostart: bool = True,
        modifier_callback: Callable[[Message], None] | None = None,
    ) -> CyclicSendTaskABC:
        """Return a task of the device's scheduler, or of a thread if the device cannot have it."""
        scheduler = None
        if modifier_callback is None and len(checked_messages(msgs)) == 1:
            self._check_sendable(sendable(checked_messages(msgs)))
            scheduler = self._opened_scheduler()
        if scheduler is not None:
            try:
                return CyclicSendTask(scheduler, msgs, period, duration, autostart=autostart)
            except VCIError as error:
                if error.error_code not in FULL:
                    raise
            except ValueError:  # of the device; the thread checks what it gets itself
                pass
        return super()._send_periodic_internal(msgs, period, duration, autostart, modifier_callback)

    def _opened_scheduler(self) -> Scheduler | None:
        """Return the scheduler of the device, None if it has none or another program uses it."""
        controller = self._controller
        with self._gate:
            if self._scheduler is None and controller.caps.dwFeatures & constants.CAN_FEATURE_SCHEDULER:
                try:
                    self._scheduler = Scheduler(
                        self._vci,
                        controller.device,
                        self.channel,
                        self._gate,
                        own=self._own,
                        fast=controller.is_fast,
                    )
                except VCIError as error:
                    if error.error_code not in (constants.VCI_E_ACCESSDENIED, constants.VCI_E_IN_USE):
                        raise
            return self._scheduler

    # --- state ----------------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """The state of the controller: ERROR if it is bus-off or not connected, PASSIVE if it listens only.

        Setting ACTIVE restarts the controller, also after bus-off. Setting PASSIVE makes it listen only.

        Raises:
            CanOperationError: the bus is closed, the device is gone, or another program owns the controller.
            UsageError: the controller cannot listen only.
        """
        self._check_open()
        with self._gate:
            status = self._controller.line_status()
        if status.dwStatus & (constants.CAN_STATUS_BUSOFF | constants.CAN_STATUS_BUSCERR):
            return BusState.ERROR
        is_silent = status.bOpMode & constants.CAN_OPMODE_LISTONLY
        return BusState.PASSIVE if is_silent else BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        self._check_open()
        self._restart(is_passive(new_state))

    def _restart(self, listen_only: bool) -> None:
        controller = self._controller
        with self._gate:
            if not controller.is_owner:
                raise VCIError(f"{self._vci.name}: another program owns the controller")
            controller.op_mode(listen_only)  # raises before the bus is interrupted
            controller.stop()
            controller.reset()
            controller.configure(listen_only=listen_only, filters=self._hw_filters)
            self._queue.start(controller.start)

    def bus_load(self) -> int:
        """Return the average load of the bus in percent; 0 if the controller does not measure it.

        Raises:
            CanOperationError: the bus is closed, or the device is gone.
        """
        self._check_open()
        with self._gate:
            load: int = self._controller.line_status().bBusLoad
        return load

    # --- end, and what is connected -------------------------------------------------------------------

    def _release(self) -> None:
        scheduler, self._scheduler = self._scheduler, None
        release_all(*(() if scheduler is None else (scheduler.close,)), self._controller.close)

    @staticmethod
    def _obstacle() -> str | None:
        from cantools_cli.backends.ixxat.finder import obstacle

        return obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the CAN controllers of all devices, also of those that are in use."""
        from cantools_cli.backends.ixxat.finder import controllers

        return [
            {
                "interface": "ixxat",
                "channel": found.number,
                "unique_hardware_id": found.hardware_id,
                "description": found.description,
                "supports_fd": found.supports_fd,
            }
            for found in controllers()
        ]


def _log(text: str, *values: object) -> None:
    import logging

    logging.getLogger("can").warning(text, *values)
