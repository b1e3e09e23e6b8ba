"""The bus of Vector's adapters: one or more channels of one port of the driver.

Source: Vector, XL Driver Library manual; the names and defaults of the settings are python-can's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus
from cantools_cli.backends.vector import channels as configured
from cantools_cli.backends.vector import codec, opening
from cantools_cli.backends.vector.channels import VectorChannelConfig
from cantools_cli.backends.vector.exceptions import VectorError, VectorOperationError
from cantools_cli.backends.vector.timing import DEFAULT_SEGMENTS, PhaseSegments, wanted
from cantools_cli.backends.vector.xldefine import XL_BusStatus, XL_BusTypes, XL_HardwareType, XL_Status
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import CanOperationError, CanTimeoutError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch

if TYPE_CHECKING:
    from cantools_cli.backends.vector.filters import Acceptance
    from cantools_cli.backends.vector.opening import OpenedPort
    from cantools_cli.backends.vector.xlclass import XLcanRxEvent, XLevent

_FRESH_SECONDS = 1.0  # after which a frame may have waited in the queue
_STATE_SECONDS = 0.05  # for the reply to a request for the state
#: the statuses of a device that is gone
_LOST = frozenset(
    {
        *(XL_Status.XL_ERR_INVALID_PORT, XL_Status.XL_ERR_HW_NOT_READY, XL_Status.XL_ERR_HW_NOT_PRESENT),
        *(XL_Status.XL_ERR_INVALID_HANDLE, XL_Status.XL_ERR_CANNOT_OPEN_DRIVER),
        *(XL_Status.XL_ERR_CONNECTION_BROKEN, XL_Status.XL_ERR_CONNECTION_CLOSED),
    }
)


class VectorBus(LibraryBus):
    """One or more channels of Vector's adapters, by the XL Driver Library; on Windows.

    ``channel`` is a number, several, or their text with commas. It counts the channels of ``app_name``, an
    application in Vector Hardware Configuration; with ``serial`` those of the device with that serial number;
    with neither, all channels of the computer. ``channel_index`` is that last number of each channel, for
    devices with equal serial numbers.

    ``bitrate`` in bit/s, ``fd``, a timing or ``listen_only`` claims the settings of the channels; without
    them the channels keep theirs. CAN FD uses 500 kbit/s unless ``bitrate`` is given, and ``data_bitrate`` is
    ``bitrate`` by default; the segments of both phases count quanta of 80 MHz. If another program owns the
    settings, they must equal those of the bus. ``timing`` is a BitTiming for 16 or 8 MHz, or a BitTimingFd
    for 80 MHz, and replaces them all.

    ``rx_queue_size`` is a power of two: events for classic CAN, bytes for CAN FD, an event of which has 128;
    its default means 524288 bytes there. ``poll_interval`` is the time in seconds between two looks into
    that queue on systems without the events of Windows. With ``hw_filter`` the device drops frames that no
    filter passes. ``library``, or ``dll``, is the file of the library.

    Raises:
        CanInterfaceNotImplementedError: the library is not installed.
        CanInitializationError: there is no such channel, or the driver refuses a setting; mostly a
            VectorInitializationError.
        UsageError: a setting is invalid.
        TypeError: ``channel`` is neither a number nor several.
    """

    def __init__(
        self,
        channel: int | Sequence[int] | str,
        can_filters: CanFilters | None = None,
        poll_interval: float = 0.01,
        receive_own_messages: bool = False,
        bitrate: int | None = None,
        rx_queue_size: int = 16384,
        app_name: str | None = "CANalyzer",
        serial: int | None = None,
        fd: bool = False,
        data_bitrate: int | None = None,
        sjw_abr: int = DEFAULT_SEGMENTS.sjw,
        tseg1_abr: int = DEFAULT_SEGMENTS.tseg1,
        tseg2_abr: int = DEFAULT_SEGMENTS.tseg2,
        sjw_dbr: int = DEFAULT_SEGMENTS.sjw,
        tseg1_dbr: int = DEFAULT_SEGMENTS.tseg1,
        tseg2_dbr: int = DEFAULT_SEGMENTS.tseg2,
        *,
        timing: Any | None = None,
        listen_only: bool = False,
        channel_index: int | Sequence[int] | str | None = None,
        hw_filter: bool = False,
        library: str | None = None,
        dll: str | None = None,
        sjwAbr: int | None = None,  # noqa: N803  # the old name
        tseg1Abr: int | None = None,  # noqa: N803  # the old name
        tseg2Abr: int | None = None,  # noqa: N803  # the old name
        sjwDbr: int | None = None,  # noqa: N803  # the old name
        tseg1Dbr: int | None = None,  # noqa: N803  # the old name
        tseg2Dbr: int | None = None,  # noqa: N803  # the old name
        **kwargs: Any,
    ) -> None:
        refuse_unknown("vector", VectorBus, kwargs)
        self.channels = opening.channel_numbers(channel)
        self._place = f"vector:{','.join(map(str, self.channels))}"
        is_fd = fd if timing is None else hasattr(timing, "nom_bitrate")
        aim = wanted(
            timing,
            fd=fd,
            bitrate=bitrate,
            data_bitrate=data_bitrate,
            nominal=PhaseSegments(tseg1Abr or tseg1_abr, tseg2Abr or tseg2_abr, sjwAbr or sjw_abr),
            data=PhaseSegments(tseg1Dbr or tseg1_dbr, tseg2Dbr or tseg2_dbr, sjwDbr or sjw_dbr),
        )
        indexes = None if channel_index is None else opening.channel_numbers(channel_index)
        claims = bool(bitrate or is_fd or timing is not None or listen_only)
        settings = opening.PortSettings(
            *(self.channels, self._place, given(library, dll), app_name or "", serial, indexes),
            timing=aim if claims else None,
            queue_size=opening.queue_size(rx_queue_size, is_fd),
            is_fd=is_fd,
            listen_only=listen_only,
            receive_own_messages=receive_own_messages,
        )
        self.poll_interval = poll_interval
        self._can_protocol = CanProtocol.CAN_FD if is_fd else CanProtocol.CAN_20
        self._listen_only, self._uses_filter = listen_only, hw_filter
        self._accepted: tuple[Acceptance, ...] = ()
        self._reading, self._sending = threading.RLock(), threading.Lock()  # a hook may read the state
        self._chip_states: dict[int, tuple[int, int, int]] = {}  # by index, the latest event
        self._is_requesting = False  # the state
        self._empty_at = 0.0  # when the queue was last found empty
        self._prepare()
        with ExitStack() as opened:
            opened.callback(self._wakeup.close)
            self._keep(opening.open_port(opened, settings))
            self.set_filters(can_filters)  # some devices take none later
            self._port.activate()
            opened.callback(self._port.deactivate)
            self._clock = self._found.clock()
            super().__init__(channel, can_filters, **kwargs)
            self._opened = opened.pop_all()
        if serial is not None:
            owner = f"Vector device {serial}"
        else:
            owner = f"Application {app_name}" if app_name else "Vector"
        self.channel_info = f"{owner}: {', '.join(f'CAN {number + 1}' for number in self.channels)}"

    def _keep(self, found: OpenedPort) -> None:
        self._found, self._port = found, found.port
        self.mask, self.permission_mask = found.port.mask, found.port.permission
        self.xldriver, self.port_handle = found.port.xl, found.port.handle  # for subclasses
        self.channel_masks = dict(zip(self.channels, found.masks, strict=True))
        self.index_to_channel = dict(zip(found.indexes, self.channels, strict=True))
        self._slots = {index: slot for slot, index in enumerate(found.indexes)}

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._found.bit_rates

    @property
    def fd(self) -> bool:
        """Whether the bus has CAN FD; ``protocol`` replaces it."""
        return self._can_protocol is CanProtocol.CAN_FD

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        with self._reading:  # the state may have been read meanwhile, and with it earlier frames
            if self._echoes:
                with suppress(IndexError):  # another thread has taken it
                    return self._echoes.popleft()
            return self._read()

    def _read(self) -> MessageBatch | None:
        """Read the queued events; the caller holds the lock of reading."""
        try:
            events = self._port.read()
        except VectorOperationError as error:
            if error.error_code not in _LOST:
                raise
            self._lose(error)
            return None
        if not events:
            self._empty_at = time.monotonic()
            return None
        are_fresh = time.monotonic() - self._empty_at < _FRESH_SECONDS
        decode = codec.decode_fd if self.fd else codec.decode_classic
        decoded = decode(events, self._slots, (*self.channels, None), self.losses)
        batch = decoded.batch
        if len(batch):
            batch.timestamp_ns = self._clock.times_ns(batch.timestamp_ns, batch.channel, are_fresh=are_fresh)
        try:
            for number in decoded.others:
                self._handle(events, number)
        except BaseException:  # of the program's hook
            self._receive_later(batch)
            raise
        return batch

    def _receive_later(self, batch: MessageBatch | None) -> None:
        if batch is not None and len(batch):
            self._echoes.append(batch)
            self._wakeup.set()

    def _handle(self, events: bytes, number: int) -> None:
        """Note the state of a controller, and pass an event that is not a frame to the hook."""
        from cantools_cli.backends.vector.xlclass import XLcanRxEvent, XLevent

        size = codec.FD_RX_SIZE if self.fd else codec.CLASSIC_SIZE
        event = events[number * size : (number + 1) * size]
        tag, index = codec.tag_of(event, self.fd)
        if tag == (codec.FD_CHIP_STATE if self.fd else codec.CHIP_STATE):
            self._chip_states[index] = codec.chip_state(event, self.fd)
        if self.fd:
            self.handle_canfd_event(XLcanRxEvent.from_buffer_copy(event))
        else:
            self.handle_can_event(XLevent.from_buffer_copy(event))

    def handle_can_event(self, event: XLevent) -> None:
        """Handle an event of classic CAN that is not a frame; for subclasses, called while receiving."""

    def handle_canfd_event(self, event: XLcanRxEvent) -> None:
        """Handle an event of CAN FD that is not a frame; for subclasses, called while receiving."""

    def _wait(self, seconds: float) -> None:
        from cantools_cli.backends.vector.port import wait_for_event

        wait_for_event(self._port.event, seconds, self.poll_interval)

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        if self._listen_only:
            raise CanOperationError(f"{self._place}: a listen-only bus does not send", sent=0)
        codec.check(batch, self.fd)
        deadline = Deadline(timeout)
        for mask, rows in self._by_mask(batch):
            self._send_rows_to(mask, batch, rows, timeout, deadline)

    def _by_mask(self, batch: MessageBatch) -> Iterator[tuple[int, range]]:
        """Yield the channels and the rows of each run of frames for the same ones."""
        masks: dict[Any, int] = {}
        for number, mask in self.channel_masks.items():
            masks[number] = masks[str(number)] = mask
        by_place = [masks.get(channel, self.mask) for channel in batch.channels]
        for mask, rows in groupby(range(len(batch)), key=lambda row: by_place[batch.channel[row]]):
            run = [*rows]
            yield mask, range(run[0], run[-1] + 1)

    def _send_rows_to(
        self, mask: int, batch: MessageBatch, rows: range, timeout: float | None, deadline: Deadline
    ) -> None:
        from cantools_cli.backends.vector.port import SEND_EVENTS

        done, last = rows.start, rows.stop
        while done < last:
            events = codec.encode(batch, range(done, min(last, done + SEND_EVENTS)), self.fd)
            try:
                with self._gate, self._sending:  # not while it waits for room
                    accepted = self._port.transmit(mask, events)
            except CanOperationError as error:
                error.sent = done
                raise
            done += accepted
            if accepted or done == last:
                continue
            if not timeout or timeout < 0:
                raise self._port.full_error(done)
            if deadline.passed:
                text = f"{self._place}: the transmit queue of the driver is full"
                raise CanTimeoutError(text, int(XL_Status.XL_ERR_QUEUE_IS_FULL), sent=done)
            deadline.pause()

    def flush_tx_buffer(self, *, force: bool = False) -> None:
        """Discard the frames that the driver has not sent yet; only older devices do.

        ``force`` sends a frame of high priority instead, which makes current devices discard them: it has the
        identifier 0 and no data, and may wake nodes up.

        Raises:
            CanOperationError: the bus is closed, or the driver refuses it.
        """
        self._check_open()
        with self._gate:
            if force:
                self._port.transmit(self.mask, codec.flush_event(self.fd))
            else:
                self._port.operate("xlCanFlushTransmitQueue", self.mask)

    # --- filters, state, other functions --------------------------------------------------------------

    def _apply_filters(self, filters: CanFilters | None) -> None:
        if not self._uses_filter or self.is_shutdown:
            return
        from cantools_cli.backends.vector.filters import EVERYTHING, acceptance

        found = acceptance(filters)
        if found == self._accepted:
            return
        with self._gate:
            try:
                self._port.accept(found)
                self._accepted = found
            except VectorError as error:  # the filters of the computer suffice
                _warn("%s; the computer filters instead", error)
                self._accepted = ()
                with suppress(VectorError):
                    self._port.accept(EVERYTHING)

    @property
    def state(self) -> BusState:
        """ERROR if a controller is off the bus, PASSIVE if the bus only listens, else ACTIVE."""
        statuses = {state[0] for state in self._request_states().values()}
        if any(status & XL_BusStatus.XL_CHIPSTAT_BUSOFF for status in statuses):
            return BusState.ERROR
        return BusState.PASSIVE if self._listen_only else BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError("Property is not implemented.")

    def _request_states(self) -> dict[int, tuple[int, int, int]]:
        """Return the states of the controllers; frames that arrive meanwhile are kept."""
        self._check_open()
        with self._gate, self._reading:
            if not self._is_requesting:  # as it is if a hook reads the state
                self._is_requesting = True
                try:
                    self._await_states()
                finally:
                    self._is_requesting = False
            return self._chip_states

    def _await_states(self) -> None:
        known, self._chip_states = self._chip_states, {}
        self._port.operate("xlCanRequestChipState", self.mask)
        deadline = Deadline(_STATE_SECONDS)
        while not self._slots.keys() <= self._chip_states.keys() and self._lost is None:
            batch = self._read()
            self._receive_later(batch)
            if deadline.passed:
                break
            if batch is None:
                deadline.pause()
        self._chip_states = {**known, **self._chip_states}

    def reset(self) -> None:
        """Take the channels off the bus and connect them again, which also ends the state bus off.

        Raises:
            CanOperationError: the bus is closed, or the driver refuses it.
        """
        self._check_open()
        with self._gate, self._reading:
            self._port.operate("xlDeactivateChannel", self.mask)
            self._port.operate("xlActivateChannel", self.mask, int(XL_BusTypes.XL_BUS_TYPE_CAN), 0)
            self._clock.restart()
            self._chip_states = {}

    def set_timer_rate(self, timer_rate_ms: int) -> None:
        """Let the driver queue a timer event every ``timer_rate_ms`` milliseconds, 0 for none.

        Raises:
            CanOperationError: the bus is closed, or the driver refuses it.
        """
        self._check_open()
        with self._gate:
            self._port.operate("xlSetTimerRate", 100 * timer_rate_ms)

    def _release(self) -> None:
        with suppress(VectorError):  # a device that is gone
            self._opened.close()

    # --- static functions -----------------------------------------------------------------------------

    @staticmethod
    def popup_vector_hw_configuration(wait_for_finish: int = 0) -> None:
        """Open the window of Vector Hardware Configuration, and wait ``wait_for_finish`` ms for the user.

        Raises:
            VectorInitializationError: the driver refuses it.
        """
        configured.popup_hardware_configuration(wait_for_finish)

    @staticmethod
    def get_application_config(app_name: str, app_channel: int) -> tuple[XL_HardwareType | int, int, int]:
        """Return the type, the number and the channel of the device that an application's channel means.

        Raises:
            VectorInitializationError: the application or its channel is not configured.
        """
        return configured.get_application_config(app_name, app_channel)

    @staticmethod
    def set_application_config(
        app_name: str,
        app_channel: int,
        hw_type: XL_HardwareType | int,
        hw_index: int,
        hw_channel: int,
        **kwargs: Any,
    ) -> None:
        """Assign a channel of a device to an application, which is created if it does not exist.

        A detected configuration can be given as ``**config``: its other keys have no effect.

        Raises:
            VectorInitializationError: the driver refuses it.
        """
        configured.set_application_config(app_name, app_channel, hw_type, hw_index, hw_channel)

    @staticmethod
    def _obstacle() -> str | None:
        from cantools_cli.backends.vector.library import XL_DRIVER

        return XL_DRIVER.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return all CAN channels, as settings of a bus and arguments of ``set_application_config``."""
        return [_detected(config) for config in configured.get_channel_configs() if config.has_can]


def _detected(config: VectorChannelConfig) -> dict[str, Any]:
    return {
        "interface": "vector",
        "channel": config.hw_channel,
        "serial": config.serial_number,
        "channel_index": config.channel_index,
        "hw_type": config.hw_type,
        "hw_index": config.hw_index,
        "hw_channel": config.hw_channel,
        "supports_fd": config.has_fd,
        "vector_channel_config": config,
    }


def _warn(text: str, *values: object) -> None:
    import logging

    logging.getLogger("can").warning(text, *values)
