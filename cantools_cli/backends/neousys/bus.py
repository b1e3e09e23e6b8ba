"""The bus of a CAN port of a Neousys computer."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from ctypes import byref
from threading import Lock
from typing import Any

from cantools_cli.backends.neousys import codec, wdt_dio
from cantools_cli.backends.neousys.inbox import Inbox
from cantools_cli.backends.neousys.library import LIBRARY
from cantools_cli.backends.neousys.wdt_dio import (
    NeousysCanBitClk,
    NeousysCanMsg,
    NeousysCanSetup,
    ReceivedCallback,
    StatusCallback,
)
from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus, release_all
from cantools_cli.bus.base import BusState
from cantools_cli.bus.losses import MISSED_FRAMES
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    InvalidMessageError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.error_frames import rx_overflow

__all__ = ["NeousysBus", "NeousysCanBitClk", "NeousysCanMsg", "NeousysCanSetup"]

MAX_BITRATE = 1_000_000
#: config, identifier and mask of a setup that passes all frames
_ALL = (wdt_dio.USE_ID_FILTER, 0, 0)


class NeousysBus(LibraryBus):
    """A CAN port of a Neousys computer, such as the POC-551VTC.

    ``channel`` is the number of the port, ``device`` only a part of the description. ``library`` or ``dll``
    is the file of the vendor's library. At most ``rx_queue_size`` received frames are kept; later ones are
    dropped, counted and marked by an error frame. With ``receive_own_messages`` sent frames are received when
    the library has accepted them. ``hw_filter`` lets the controller drop frames if there is one filter with
    ``extended``; changing it stops the port for a moment.

    Frames are stamped on arrival. ``send`` does not wait, and does not report an acknowledgement.

    Raises:
        UsageError: a setting is invalid.
        CanInterfaceNotImplementedError: the library is missing.
        CanInitializationError: the library refuses a step of opening.
    """

    _is_started = True  # unless changing a filter failed

    def __init__(
        self,
        channel: int,
        device: int = 0,
        bitrate: int = 500_000,
        can_filters: CanFilters | None = None,
        *,
        rx_queue_size: int = 65_536,
        receive_own_messages: bool = False,
        hw_filter: bool = False,
        library: str | None = None,
        dll: str | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("neousys", NeousysBus, kwargs)
        self.channel = _port_number(channel)
        self.device = device
        if not 0 < bitrate <= MAX_BITRATE:
            raise UsageError(f"neousys: bit rate {bitrate} is not from 1 to {MAX_BITRATE} bit/s")
        if rx_queue_size < 1:
            raise UsageError(f"neousys: rx_queue_size {rx_queue_size} is not above 0")
        self._name = f"neousys:{self.channel}"
        self._bit_rate = bitrate
        self._echoes_own = receive_own_messages
        self._filters_in_hardware = hw_filter
        self._acceptance = self._acceptance_of(can_filters)
        self._functions = LIBRARY.load(given(library, dll))
        self._decoder = codec.Decoder(self.channel, self.losses)
        self._inbox = Inbox(rx_queue_size)
        self._descriptor = self._inbox.arrived.fileno()
        self._running = Lock()  # held while a frame is sent and while the port is stopped for a filter
        self._prepare()
        with ExitStack() as undo:
            undo.callback(self._wakeup.close)
            undo.callback(self._inbox.retire)
            self._open(undo)
            super().__init__(channel, can_filters, **kwargs)
            undo.pop_all()
        self.channel_info = f"Neousys Can: device {self.device}, channel {self.channel}"

    def _open(self, undo: ExitStack) -> None:
        """Register the callbacks, set the port up and start it; ``undo`` gets the opposite steps.

        Raises:
            CanInitializationError: a step fails.
        """
        steps: tuple[tuple[str, tuple[object, ...], Callable[[], object] | None], ...] = (
            ("CAN_RegisterReceived", (self._inbox.on_received,), self._forget_received),
            ("CAN_RegisterStatus", (self._inbox.on_status,), self._forget_status),
            ("CAN_Setup", self._setup(self._acceptance), None),
            ("CAN_Start", (), self._stop),
        )
        for function, arguments, opposite in steps:
            if not getattr(self._functions, function)(self.channel, *arguments):
                raise CanInitializationError(
                    f"{self._name}: {function}: the library reports a failure",
                    hint=f"does the computer have CAN port {self.channel}, and does no other program use it?",
                )
            if opposite is not None:
                undo.callback(_quietly, opposite)

    def _setup(self, acceptance: tuple[int, int, int]) -> tuple[object, int]:
        setup = NeousysCanSetup(self._bit_rate, *acceptance)
        return byref(setup), wdt_dio.SETUP_SIZE

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._bit_rate, None

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        arrivals, missed = self._inbox.take()
        if not arrivals and not missed:
            return None
        batch = self._decoder.decode(arrivals)
        if missed:
            self.losses[MISSED_FRAMES] += missed
            last = batch.timestamp_ns[-1] if len(batch) else time.time_ns()
            batch.append(rx_overflow(last, self.channel))
        return batch

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
            if flags & bits.FD or can_id & bits.CAN_ERR_FLAG:
                kind = "CAN FD frames" if flags & bits.FD else "error frames"
                raise InvalidMessageError(f"{self._name}: the port cannot send {kind}", sent=0)
        send, sent = self._functions.CAN_Send, 0
        try:
            for row in range(len(batch)):
                message = NeousysCanMsg.from_buffer_copy(codec.encode(batch, row))
                with self._gate, self._running:
                    if not send(self.channel, byref(message), codec.SIZE):
                        raise CanOperationError(
                            f"{self._name}: CAN_Send: the library refuses the frame", sent=row
                        )
                sent += 1
        finally:
            if self._echoes_own and sent:
                self._echo(batch.part(0, sent), self.channel)

    # --- filters --------------------------------------------------------------------------------------

    def _acceptance_of(self, filters: CanFilters | None) -> tuple[int, int, int]:
        """Return config, identifier and mask of the setup for ``filters``; they may pass more frames."""
        if not self._filters_in_hardware or filters is None or len(filters) != 1:
            return _ALL
        [only] = filters
        extended = only.get("extended")
        if extended is None or only["can_id"] & ~bits.CAN_EFF_MASK:  # of both kinds, or inverted
            return _ALL
        config = wdt_dio.USE_EXT_FILTER if extended else wdt_dio.USE_ID_FILTER
        limit = bits.CAN_EFF_MASK if extended else bits.CAN_SFF_MASK
        return config, only["can_id"] & limit, only["can_mask"] & limit

    def _apply_filters(self, filters: CanFilters | None) -> None:
        acceptance = self._acceptance_of(filters)
        if acceptance == self._acceptance and self._is_started:
            return
        with self._gate, self._running:
            if self._is_started:
                self._change("CAN_Stop")
                self._is_started = False
            self._change("CAN_Setup", *self._setup(acceptance))
            self._change("CAN_Start")
            self._acceptance, self._is_started = acceptance, True

    def _change(self, function: str, *arguments: object) -> None:
        if not getattr(self._functions, function)(self.channel, *arguments):
            text = f"{self._name}: {function}: the library reports a failure while a filter is changed"
            raise CanOperationError(text, hint="set the filters again: until then the port may be stopped")

    # --- state and end --------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """ERROR if the controller is off the bus, PASSIVE if it is error passive, else ACTIVE."""
        if self._inbox.status & wdt_dio.STATUS_BUS_OFF:
            return BusState.ERROR
        return BusState.PASSIVE if self._inbox.status & wdt_dio.STATUS_PASSIVE else BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError("a Neousys port has one mode")

    def _release(self) -> None:
        release_all(self._stop, self._forget_status, self._forget_received, self._inbox.retire)

    def _stop(self) -> None:
        if self._is_started:
            self._checked("CAN_Stop", self._functions.CAN_Stop(self.channel))

    def _forget_status(self) -> None:
        done = self._functions.CAN_RegisterStatus(self.channel, StatusCallback())
        self._checked("CAN_RegisterStatus", done)

    def _forget_received(self) -> None:
        done = self._functions.CAN_RegisterReceived(self.channel, ReceivedCallback())
        self._checked("CAN_RegisterReceived", done)

    def _checked(self, function: str, done: int) -> None:
        if not done:
            raise CanOperationError(f"{self._name}: {function}: the library reports a failure")

    @staticmethod
    def _obstacle() -> str | None:
        return LIBRARY.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return port 0 if the library is installed; it cannot tell which ports there are."""
        try:
            LIBRARY.load()
        except CanInterfaceNotImplementedError:
            return []
        return [{"interface": "neousys", "channel": 0}]


def _quietly(step: Callable[[], object]) -> None:
    """Undo a step after another one failed, whose error is raised."""
    with suppress(CanOperationError):
        step()


def _port_number(channel: object) -> int:
    try:
        number = int(channel)  # type: ignore[call-overload]  # any object may be given as a channel
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number <= 0xFFFFFFFF:
        raise UsageError(f"neousys: {quoted(channel)} is not the number of a port", hint="such as neousys:0")
    return int(number)
