"""Interface ``kvaser``: a channel of a Kvaser device, or a virtual one of its driver."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cantools_cli.backends.kvaser import codec, finder
from cantools_cli.backends.kvaser import constants as c
from cantools_cli.backends.kvaser.errors import (
    CANLIBError,
    CANLIBInitializationError,
    CANLIBOperationError,
)
from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus
from cantools_cli.bus.base import BusState, CanProtocol, SendRows
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import CanOperationError, CanTimeoutError, UsageError, quoted
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

if TYPE_CHECKING:
    from cantools_cli.backends.kvaser.cyclic import ObjectBuffers
    from cantools_cli.backends.kvaser.structures import BusStatistics
    from cantools_cli.bit_timing.classic import BitTiming
    from cantools_cli.bit_timing.fd import BitTimingFd
    from cantools_cli.periodic.tasks import CyclicSendTaskABC

__all__ = ["CANLIBError", "CANLIBInitializationError", "CANLIBOperationError", "KvaserBus"]

DRIVER_MODE_SILENT = False
DRIVER_MODE_NORMAL = True

_FLASH_MS = 30_000
_SYNC_SECONDS = 0.1  # of one wait in the library
_STD, _EXT = 0x7FF, 0x1FFFFFFF
_INVERTED = 0x20000000  # in the identifier of a filter that passes the others


class KvaserBus(LibraryBus):
    """A channel of a Kvaser device, through CANlib.

    ``channel`` counts the channels of this computer from 0; ``accept_virtual`` includes those of the driver.
    Bit rates are in bit/s. ``tseg1``, ``tseg2`` and ``sjw`` in quanta replace the driver's own timing,
    those ending with ``_dbr`` that of the data phase; ``no_samp`` is 1 or 3 samples per bit. ``timing``
    replaces all of them. ``driver_mode`` False and ``listen_only`` mean the same: the channel acknowledges
    nothing and sends nothing.

    With two handles, the default, one thread can send while another receives. Frames that programs on this
    computer send on the same channel, this bus included, are received with ``receive_own_messages``; with
    ``single_handle`` those of other programs always are. ``exclusive`` shares the channel with no other
    program; without access, as with ``no_init_access``, the bit rate must be the one in use.
    ``hw_filter`` lets the driver drop frames that no filter passes.
    ``library`` or ``dll`` is the file of CANlib.

    Raises:
        UsageError: the channel or a setting is invalid.
        CanInterfaceNotImplementedError: CANlib is not installed.
        CanInitializationError: there is no such channel, or it refuses a setting.
    """

    def __init__(
        self,
        channel: int,
        can_filters: CanFilters | None = None,
        timing: BitTiming | BitTimingFd | None = None,
        *,
        bitrate: int = 500_000,
        accept_virtual: bool = True,
        tseg1: int = 0,
        tseg2: int = 0,
        sjw: int = 0,
        no_samp: int = 0,
        driver_mode: bool = DRIVER_MODE_NORMAL,
        listen_only: bool = False,
        single_handle: bool = False,
        receive_own_messages: bool = False,
        fd: bool = False,
        fd_non_iso: bool = False,
        data_bitrate: int | None = None,
        tseg1_dbr: int = 0,
        tseg2_dbr: int = 0,
        sjw_dbr: int = 0,
        exclusive: bool = False,
        override_exclusive: bool = False,
        no_init_access: bool = False,
        hw_filter: bool = False,
        library: str | os.PathLike[str] | None = None,
        dll: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("kvaser", KvaserBus, kwargs)
        number = _number(channel)
        self.channel = number
        self.single_handle = single_handle
        self._name = f"kvaser:{number}"
        self._hears_own = receive_own_messages
        self._has_hw_filter = hw_filter
        self._is_fd = fd or fd_non_iso or hasattr(timing, "nom_bitrate")
        if self._is_fd:
            self._can_protocol = CanProtocol.CAN_FD_NON_ISO if fd_non_iso else CanProtocol.CAN_FD
        from cantools_cli.backends.kvaser.timing import Segments, bus_params

        params = bus_params(
            timing,
            fd=self._is_fd,
            bitrate=bitrate,
            data_bitrate=data_bitrate,
            nominal=Segments(tseg1, tseg2, sjw),
            data=Segments(tseg1_dbr, tseg2_dbr, sjw_dbr),
            samples=no_samp,
        )
        self._bit_rates = params.nominal.bitrate, None if params.data is None else params.data.bitrate
        flags = (
            (c.canOPEN_EXCLUSIVE if exclusive else 0)
            | (c.canOPEN_OVERRIDE_EXCLUSIVE if override_exclusive else 0)
            | (c.canOPEN_ACCEPT_VIRTUAL if accept_virtual else 0)
            | (c.canOPEN_NO_INIT_ACCESS if no_init_access else 0)
            | (c.canOPEN_CAN_FD_NONISO if fd_non_iso else c.canOPEN_CAN_FD if self._is_fd else 0)
        )
        from cantools_cli.backends.kvaser.channel import ChannelSettings, KvaserChannel
        from cantools_cli.backends.kvaser.library import Canlib

        is_silent = listen_only or not driver_mode
        settings = ChannelSettings(params, flags, is_silent, single_handle, receive_own_messages)
        self._object_buffers: ObjectBuffers | None = None
        canlib = Canlib(given(library, dll), self._name)
        with self._prepared():
            self._channel = KvaserChannel(canlib, number, settings, self.losses)
        try:
            self._descriptor = self._channel.descriptor()
            for warning in self._channel.warnings:
                _warn(warning)
            super().__init__(channel, can_filters, **kwargs)
        except BaseException:
            self.shutdown()
            raise
        self.channel_info = str(self._channel.info)

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        try:
            return self._channel.read()
        except CANLIBError as error:
            self._raise_unless_lost(error)
            return None

    def _raise_unless_lost(self, error: CANLIBError) -> None:
        """Close the bus after the last frame if the device is gone, else raise ``error``."""
        from cantools_cli.backends.kvaser.channel import LOST

        if error.error_code not in LOST or not isinstance(error, CanOperationError):
            raise error
        self._lose(error)

    def _wait(self, seconds: float) -> None:
        self._channel.wait(seconds)

    def _wait_for_frames(self, remaining: float | None) -> None:
        super()._wait_for_frames(remaining)
        self._channel.waited_at = time.monotonic()

    def _apply_filters(self, filters: CanFilters | None) -> None:
        """Let the driver drop what no filter passes, if that is wanted; the software filter always runs."""
        if not self._has_hw_filter:
            return
        standard, extended = covering(filters)
        with self._gate:
            for (code, mask), is_extended in ((standard, False), (extended, True)):
                status = self._channel.accept(code, mask, is_extended=is_extended)
                if status < 0:
                    text = self._channel.canlib.text(status)
                    _warn(f"{self._name}: canAccept: {text}; canx filters alone")
                    for kind in (False, True):  # a part of the filters may be set
                        self._channel.accept(0, 0, is_extended=kind)
                    return

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self._check(batch)
        self._write([*codec.encode(batch)], batch.payload, timeout, is_last=True)

    def prepared(self, batch: MessageBatch) -> SendRows:
        """Return a callable that hands rows to the driver without waiting until they are sent.

        Its call for the last row waits for all.
        """
        self._check_open()
        self._check_carried(batch.xl is not None)
        self._check(batch)
        frames, payload = [*codec.encode(batch)], batch.payload

        def send(first: int, last: int, timeout: float | None) -> None:
            self._check_open()
            self._write(frames[first:last], payload, timeout, is_last=last == len(frames))

        return send

    def _check(self, batch: MessageBatch) -> None:
        if self._channel.is_silent:
            raise CanOperationError(f"{self._name}: a listen-only bus does not send", sent=0)
        codec.check(batch, self._is_fd, self._name)

    def _write(
        self, frames: list[codec.Outgoing], payload: bytearray, timeout: float | None, *, is_last: bool
    ) -> None:
        """Queue ``frames``, waiting for room; with a timeout also until they are sent, after the last."""
        deadline, done = Deadline(timeout), 0
        while True:
            with self._gate:
                count, status = self._channel.write(frames[done:] if done else frames, payload)
            done += count
            if status >= 0:
                break
            if status != c.canERR_TXBUFOFL or not timeout:
                self._fail("canWrite", status, sent=done)
            if deadline.passed:
                raise CanTimeoutError(f"{self._name}: canWrite: no room to send in time", status, sent=done)
            deadline.pause()
        if timeout and is_last:
            self._sync(deadline, len(frames))

    def _sync(self, deadline: Deadline, count: int) -> None:
        """Wait until everything queued is sent."""
        while True:
            remaining = deadline.remaining() or 0.0
            with self._gate:
                status = self._channel.sync(round(1000 * min(remaining, _SYNC_SECONDS)))
            if status >= 0:
                return
            if status not in (c.canERR_TIMEOUT, c.canERR_INTERRUPTED):
                self._fail("canWriteSync", status, sent=None)
            if deadline.passed:
                break
        with self._gate:
            unsent = min(self._channel.unsent(), count)
        text = f"{self._name}: canWriteSync: {unsent} of {count} frames were not sent in time"
        raise CanTimeoutError(text, status, sent=count - unsent)

    def _fail(self, function: str, status: int, *, sent: int | None) -> None:
        """Raise the error of a function that sends."""
        hint = None
        if status == c.canERR_TXBUFOFL:
            hint = "nothing acknowledges the frames, or the channel is bus-off; a timeout waits for room"
        raise self._channel.canlib.error(function, status, hint=hint, sent=sent)

    def flush_tx_buffer(self) -> None:
        """Discard the frames queued for sending.

        Raises:
            CanOperationError: the bus is closed, or the driver refuses.
        """
        with self._gate:
            self._channel.flush()

    def _send_periodic_internal(
        self,
        msgs: Message | Sequence[Message],
        period: float,
        duration: float | None = None,
        autostart: bool = True,
        modifier_callback: Callable[[Message], None] | None = None,
    ) -> CyclicSendTaskABC:
        """Let the device send one fixed message, if it can; else a thread of this program sends."""
        if modifier_callback is None and not self._hears_own and not self._channel.is_silent:
            from cantools_cli.backends.kvaser.cyclic import ObjectBuffers

            self._object_buffers = self._object_buffers or ObjectBuffers(
                self._channel, self._gate, self._is_fd
            )
            task = self._object_buffers.task(msgs, period, duration, autostart)
            if task is not None:
                return task
        return super()._send_periodic_internal(msgs, period, duration, autostart, modifier_callback)

    # --- state ----------------------------------------------------------------------------------------

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._bit_rates

    @property
    def state(self) -> BusState:
        """The state of the controller; PASSIVE if it is error-passive or listens only, ERROR if bus-off.

        Setting ACTIVE restarts the controller, also after bus-off. Setting PASSIVE makes it listen only.

        Raises:
            CanOperationError: the bus is closed, or the device does not answer.
        """
        with self._gate:
            status = self._channel.status()
        if status & c.canSTAT_BUS_OFF:
            return BusState.ERROR
        is_passive = self._channel.is_silent or status & c.canSTAT_ERROR_PASSIVE
        return BusState.PASSIVE if is_passive else BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        if new_state is BusState.ERROR:
            raise UsageError(f"{self._name}: the state cannot be set to {new_state.name}")
        with self._gate:
            self._channel.restart(new_state is BusState.PASSIVE)

    def error_counters(self) -> tuple[int, int]:
        """Return the error counters of the controller, (received, sent).

        Raises:
            CanOperationError: the bus is closed, or the device does not report them.
        """
        import ctypes

        received, sent = ctypes.c_uint(0), ctypes.c_uint(0)
        counters = (ctypes.byref(sent), ctypes.byref(received), None)
        with self._gate:
            self._channel.on_sender("canReadErrorCounters", *counters)
        return received.value, sent.value

    def flash(self, flash: bool = True) -> None:
        """Let the LEDs of the device light up for half a minute, or stop that.

        Raises:
            CanOperationError: the bus is closed, or the device has no such LEDs.
        """
        action = c.kvLED_ACTION_ALL_LEDS_ON if flash else c.kvLED_ACTION_ALL_LEDS_OFF
        with self._gate:
            self._channel.on_sender("kvFlashLeds", action, _FLASH_MS)

    def get_stats(self) -> BusStatistics:
        """Return the statistics of the bus.

        Raises:
            CanOperationError: the bus is closed, or the device has no statistics.
        """
        with self._gate:
            return self._channel.statistics()

    def _release(self) -> None:
        if self._object_buffers is not None:
            self._object_buffers.close()
        self._channel.close()

    # --- detection ------------------------------------------------------------------------------------

    @staticmethod
    def _obstacle() -> str | None:
        return finder.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the channels of this computer, with a description of each."""
        return [
            {
                "interface": "kvaser",
                "channel": channel,
                "device_name": info.name,
                "serial": info.serial,
                "dongle_channel": info.number + 1,
                "supports_fd": info.has_fd,
                "is_virtual": info.is_virtual,
            }
            for channel, info in finder.found()
        ]


def covering(filters: CanFilters | None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (code, mask) for standard and for extended identifiers that pass at least what filters pass."""
    standard: list[tuple[int, int]] = []
    extended: list[tuple[int, int]] = []
    if any(one["can_id"] & _INVERTED for one in filters or ()):
        filters = None
    for one in filters or ({"can_id": 0, "can_mask": 0},):
        kind = one.get("extended")
        for wanted, rules, limit in ((False, standard, _STD), (True, extended, _EXT)):
            # bits that no such identifier has must be 0 in it, or the filter passes none
            fits = kind in (None, wanted) and not one["can_id"] & one["can_mask"] & ~limit & _EXT
            if fits:
                rules.append((one["can_id"] & limit, one["can_mask"] & limit))
    return _merged(standard, _STD), _merged(extended, _EXT)


def _merged(rules: list[tuple[int, int]], limit: int) -> tuple[int, int]:
    if not rules:
        return limit, limit  # one identifier passes: the driver cannot drop all
    code, mask = rules[0]
    for other_code, other_mask in rules[1:]:
        mask &= other_mask & ~(code ^ other_code)
    return code & mask, mask


def _number(channel: object) -> int:
    """Return the number of a channel.

    Raises:
        UsageError: it is not a number.
    """
    try:
        number = int(channel) if isinstance(channel, int | str) and not isinstance(channel, bool) else -1
    except ValueError:
        number = -1
    if number < 0:
        text = f"kvaser:{channel}: the channel {quoted(channel)} is not a number"
        raise UsageError(text, hint="such as kvaser:0; canx list -i kvaser shows the channels")
    return number


def _warn(text: str) -> None:
    import logging

    logging.getLogger("can").warning("%s", text)
