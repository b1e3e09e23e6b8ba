"""The bus of a CAN controller of ETAS."""

from __future__ import annotations

import os
import threading
import time
from array import array
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from cantools_cli.backends.etas import codec
from cantools_cli.backends.etas import library as library_module
from cantools_cli.backends.etas.clock import TimerClock
from cantools_cli.backends.etas.constants import ControllerState, Result
from cantools_cli.backends.etas.controller import ELEMENTS, BoaController, Elements
from cantools_cli.backends.etas.settings import (
    ControllerSettings,
    apply_timing,
    check_ranges,
    percent,
)
from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanError,
    CanOperationError,
    CanTimeoutError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame.batch import MessageBatch

_MAX_FRAMES = 4096  # of one batch


class EtasBus(LibraryBus):
    """A CAN controller of ETAS through BOA, the Basic Open API.

    ``channel`` is the URI of a controller, such as ``ETAS://ETH/ES910:abcd/CAN:1``. Bit rates are in bit/s,
    sample points in percent, ``btl_cycles`` are time quanta per bit. ``timing`` replaces them. CAN FD is on
    by default. Own messages are received when the controller has sent them. Timestamps are the controller's;
    ``timestamps="host"`` selects the time of arrival. Without ``error_frames`` the driver is not asked for
    error frames and for changes of the controller's state.

    Libraries older than version 1.3 of the API have no CAN FD; with those older than 1.4 only identifiers
    are filtered by the driver. ``library`` or ``dll`` names the file of both libraries, ``csi_library`` and
    ``oci_library`` those of each.

    Raises:
        UsageError: a setting is out of range; it is a ValueError.
        CanInterfaceNotImplementedError: BOA is not installed.
        CanInitializationError: there is no such controller, or BOA refused a step.
    """

    def __init__(
        self,
        channel: str,
        can_filters: CanFilters | None = None,
        receive_own_messages: bool = False,
        bitrate: int = 1_000_000,
        fd: bool = True,
        data_bitrate: int = 2_000_000,
        *,
        timing: Any | None = None,
        sample_point: float = 80,
        data_sample_point: float = 80,
        btl_cycles: int = 10,
        data_btl_cycles: int = 10,
        sjw: int = 1,
        data_sjw: int = 1,
        fd_non_iso: bool = False,
        listen_only: bool = False,
        error_frames: bool = True,
        timestamps: str = "device",
        library: str | os.PathLike[str] | None = None,
        dll: str | os.PathLike[str] | None = None,
        csi_library: str | os.PathLike[str] | None = None,
        oci_library: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("etas", EtasBus, kwargs)
        if timestamps not in ("device", "host"):
            raise UsageError(f"etas: timestamps {quoted(timestamps)} is neither device nor host")
        settings = ControllerSettings(
            bitrate=bitrate,
            sample_point=percent("sample_point", sample_point),
            btl_cycles=btl_cycles,
            sjw=sjw,
            samples=3,
            fd=fd,
            data_bitrate=data_bitrate,
            data_sample_point=percent("data_sample_point", data_sample_point),
            data_btl_cycles=data_btl_cycles,
            data_sjw=data_sjw,
            fd_non_iso=fd_non_iso,
            listen_only=listen_only,
            receive_own_messages=receive_own_messages,
            error_frames=error_frames,
        )
        if timing is not None:
            apply_timing(settings, timing)
        check_ranges(settings)
        self.channel = channel
        name = f"etas:{channel}"
        both = given(library, dll)
        csi = library_module.load_csi(given(csi_library, both))
        oci = library_module.load_oci(given(oci_library, both))
        with self._prepared():
            self._controller = controller = BoaController(channel, settings, csi, oci, name)
        try:
            self._has_fd, self._listen_only = controller.has_fd, listen_only
            if self._has_fd:
                self._can_protocol = CanProtocol.CAN_FD_NON_ISO if fd_non_iso else CanProtocol.CAN_FD
            self._elements = Elements(ELEMENTS, has_pointers=controller.has_pointers)
            self._read_lock = threading.Lock()  # for the elements, and for those read but not decoded yet
            self._undecoded: deque[bytes] = deque()
            self._failure: CanOperationError | None = None
            times_ns = TimerClock(controller.frequency, controller.timer, name).times_ns
            if timestamps == "host":
                times_ns = _arrival_ns
            self._decoder = codec.Decoder(channel, self.losses, times_ns, receive_own_messages)
            super().__init__(channel, can_filters, **kwargs)
        except BaseException:
            self.is_shutdown = True
            with suppress(CanError):
                self._close()
            raise
        controller.opened()
        self.channel_info = channel

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._controller.rates

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        if not self._read_lock.acquire(blocking=False):
            return None  # another thread waits, and receives what comes
        try:
            return self._decoded(self._read_queued())
        finally:
            self._read_lock.release()

    def _read_queued(self) -> list[bytes]:
        """Return what is queued; a failure is raised when nothing is left."""
        pieces = [*self._undecoded]
        self._undecoded.clear()
        frames = sum(map(len, pieces)) // self._elements.size
        while frames < _MAX_FRAMES and self._failure is None:
            self._read(0)
            if self._elements.count.value:
                pieces.append(self._elements.taken())
            frames += self._elements.count.value
            if self._elements.count.value < self._elements.number:
                break
        if not pieces and self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return pieces

    def _read(self, seconds: float) -> None:
        """Read elements; keep the error of a failure, or lose the bus, until the queue is empty."""
        try:
            self._controller.read(self._elements, seconds)
        except CanOperationError as error:
            if error.error_code == Result.DISCONNECTED:
                self._lose(error)
            else:
                self._failure = error

    def _decoded(self, pieces: list[bytes]) -> MessageBatch | None:
        if not pieces:
            return None
        batch = self._decoder.feed(b"".join(pieces), self._elements.size)
        errors, self._decoder.internal_errors = self._decoder.internal_errors, []
        for code in errors:
            error = self._controller.error("internal error of the driver", code)
            if code == Result.DISCONNECTED:
                self._lose(error)
            else:
                self._failure = self._failure or error
        return batch

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        if not self._read_lock.acquire(timeout=seconds):
            return
        try:
            remaining = end - time.monotonic()
            if remaining > 0 and self._failure is None:
                self._read(remaining)
                if self._elements.count.value:
                    self._undecoded.append(self._elements.taken())
        finally:
            self._read_lock.release()

    def _apply_filters(self, filters: CanFilters | None) -> None:
        with self._gate:  # as plain dictionaries: without inverted ones, and without flags in the identifier
            self._controller.set_filters(FrameFilter.from_can_filters(filters).can_filters())

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        if self._listen_only:
            raise CanOperationError(f"etas:{self.channel}: the bus listens only", sent=0)
        codec.check(batch, self._has_fd)
        deadline = Deadline(timeout)
        element = Elements(1, has_pointers=self._controller.has_pointers)
        for row in range(len(batch)):
            element.put(codec.encode(batch, row, element.size))
            try:
                self._write(element, deadline)
            except CanError as error:
                error.sent = row
                raise

    def _write(self, element: Elements, deadline: Deadline) -> None:
        while True:
            remaining = deadline.remaining()
            seconds = self._slice if remaining is None else min(self._slice, remaining)
            with self._gate:
                if self._controller.write(element, seconds):
                    return
            if deadline.passed:
                raise CanTimeoutError(
                    f"etas:{self.channel}: the transmit queue is full",
                    hint="does another node acknowledge the frames? check bit rate, wiring and termination",
                )
            deadline.pause()  # for drivers that do not wait

    def flush_tx_buffer(self) -> None:
        """Discard the frames that wait in the driver for sending."""
        self._check_open()
        with self._gate:
            self._controller.flush()

    # --- state and end --------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """The state of the controller; at its warning level it is still active.

        Raises:
            NotImplementedError: it is set: BOA cannot change the mode of an open controller.
            CanOperationError: the bus is closed, or failed.
        """
        self._check_open()
        with self._gate:
            state = self._controller.state()
        if state & ControllerState.BUS_OFF:
            return BusState.ERROR
        return BusState.PASSIVE if state & ControllerState.PASSIVE else BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError("BOA cannot change the mode of an open controller; use listen_only")

    def _release(self) -> None:
        self._controller.close()

    @staticmethod
    def _obstacle() -> str | None:
        return library_module.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the controllers in the protocol tree of BOA."""
        from cantools_cli.backends.etas.finder import channels

        return [{"interface": "etas", "channel": uri} for uri in channels()]


def _arrival_ns(ticks: Sequence[int]) -> array[int]:
    """Return the time now for each frame."""
    return array("q", [time.time_ns()]) * len(ticks)
