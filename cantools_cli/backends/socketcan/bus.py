"""The CAN interfaces of the Linux kernel, such as ``can0`` and ``vcan0``.

The kernel applies the filters that it supports, and timestamps the frames.

Sources: Linux ``Documentation/networking/can.rst``; ``linux/can/raw.h``.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from cantools_cli.backends.socketcan import finder, raw
from cantools_cli.backends.socketcan import link as links
from cantools_cli.backends.socketcan import records as codec
from cantools_cli.backends.socketcan.raw_port import FEW, RawPort
from cantools_cli.bus.base import BusABC, BusState, CanProtocol, SendRows
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import Losses
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.filtering.filters import FrameFilter
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

if TYPE_CHECKING:
    from cantools_cli.backends.socketcan.bcm import BroadcastManager
    from cantools_cli.periodic.tasks import CyclicSendTaskABC

#: size of the receive buffer in bytes: 40,000 frames, five seconds of a full bus at 1 Mbit/s
RECEIVE_BUFFER = 16 << 20
#: seconds that a send without a timeout waits for room
SEND_TIMEOUT = 10.0

_FIRST_PAUSE, _MAX_PAUSE = 0.001, 0.02  # seconds between attempts if poll does not report room
_LOOK_AGAIN = 0.5  # seconds between checks whether an interface is back
_CLASSIC_FLAGS = bytes(flags for flags in range(256) if not flags & bits.FD)


class SocketcanBus(BusABC):
    """A CAN interface of the kernel, or all of them.

    ``channel`` is the name of the interface; "" or "any" receives from all, and sends to the channel of each
    message. Without ``local_loopback`` neither other programs on this computer nor the bus itself receive the
    sent frames. Without ``fd`` CAN FD frames are not received, and sending one is an error; the same applies
    to CAN XL frames without ``xl``, which includes ``fd`` and needs Linux 6.2.

    Timestamps are those of the kernel; with ``hardware_timestamps`` those of the adapter if it has a clock,
    in nanoseconds of that clock. ``rcvbuf`` is the size of the receive buffer in bytes, which the system may
    limit. The administrator sets the bit rate: ``bitrate`` and ``data_bitrate`` are only compared with it,
    and ``listen_only`` requires that mode of the interface. ``receive=False`` opens a bus that only sends, so
    that no frames pile up in it.

    If the interface goes down, receiving and sending raise an error. With ``down="wait"`` both wait until it
    is back, even if the adapter was unplugged, and report this to ``on_note`` (default: a warning of the
    logger ``can``).

    Raises:
        CanInterfaceNotImplementedError: this is not Linux.
        CanInitializationError: the kernel has no SocketCAN or no such interface, or the interface is in
            another
            mode.
    """

    def __init__(
        self,
        channel: str | None = "",
        receive_own_messages: bool = False,
        local_loopback: bool = True,
        fd: bool = False,
        can_filters: CanFilters | None = None,
        ignore_rx_error_frames: bool = False,
        *,
        xl: bool = False,
        hardware_timestamps: bool = False,
        rcvbuf: int | None = None,
        bitrate: int | None = None,
        data_bitrate: int | None = None,
        listen_only: bool = False,
        receive: bool = True,
        down: str = "error",
        on_note: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("socketcan", SocketcanBus, kwargs)
        if down not in ("error", "wait"):
            raise UsageError(f"unknown down={quoted(down)} of a socketcan bus", hint="error or wait")
        self.channel = "" if channel in (None, "any") else str(channel)
        self.on_note = on_note
        self._fd = fd = fd or xl
        self.carries_xl = xl
        self._passes_vcids = True
        self._receives = receive
        self._loops_back = local_loopback
        self._broadcast_manager: BroadcastManager | None = None
        self._listen_only = listen_only
        self._waits_when_down = down == "wait"
        self._absent = ""  # "down" or "gone" while the interface is
        self._ignores_errors = ignore_rx_error_frames
        self._kernel_filter = codec.kernel_filter(None)
        fd_protocol = CanProtocol.CAN_XL if xl else CanProtocol.CAN_FD
        self._can_protocol = fd_protocol if fd else CanProtocol.CAN_20
        self._check_link(bitrate, data_bitrate)
        self.socket = raw.open_socket(self.channel)
        try:
            self._set_up(receive_own_messages, local_loopback, hardware_timestamps, rcvbuf)
            raw.bind(self.socket, self.channel)
        except BaseException:
            self.socket.close()
            raise
        self._port = RawPort(self.socket, self.channel or None, xl=xl)
        self.channel_info = f"socketcan channel '{self.channel or 'any'}'"
        try:
            super().__init__(channel, can_filters, **kwargs)
        except BaseException:
            self.shutdown()
            raise

    # --- opening --------------------------------------------------------------------------------------

    def _set_up(self, own: bool, loopback: bool, hardware: bool, rcvbuf: int | None) -> None:
        self._option(codec.RAW_LOOPBACK, int(loopback), "local_loopback")
        self._option(codec.RAW_RECV_OWN_MSGS, int(own), "receive_own_messages")
        if self._fd:
            self._option(codec.RAW_FD_FRAMES, 1, "fd")
        if self.carries_xl:
            self._option(codec.RAW_XL_FRAMES, 1, "xl")
            self._passes_vcids = raw.pass_vcids(self.socket)
        if hardware:
            stamps = (codec.SO_TIMESTAMPING, codec.TIMESTAMPING_FLAGS)
        else:
            stamps = (codec.SO_TIMESTAMPNS, 1)
        for option, value in (stamps, (codec.SO_RXQ_OVFL, 1)):
            self._option(option, value, "timestamps and counts of dropped frames", codec.SOL_SOCKET)
        size = RECEIVE_BUFFER if rcvbuf is None else rcvbuf
        try:  # only root may exceed net.core.rmem_max
            self.socket.setsockopt(codec.SOL_SOCKET, codec.SO_RCVBUFFORCE, size)
        except OSError:
            self._option(socket.SO_RCVBUF, size, "rcvbuf", codec.SOL_SOCKET)
        actual = (
            self.socket.getsockopt(codec.SOL_SOCKET, socket.SO_RCVBUF) // 2
        )  # the kernel doubles the size
        if rcvbuf is not None and actual < rcvbuf:
            self._note(f"{self._name}: rcvbuf is {actual}, not {rcvbuf}: net.core.rmem_max limits it")
        self._set_kernel_filter()

    def _option(self, option: int, value: int, what: str, level: int = codec.SOL_CAN_RAW) -> None:
        """Set an option of the socket; as documented, an option that the kernel lacks is not an error."""
        try:
            self.socket.setsockopt(level, option, value)
        except OSError as error:
            self._note(f"{self._name}: the kernel refuses {what}: {error.strerror}")

    def _check_link(self, bitrate: int | None, data_bitrate: int | None) -> None:
        """Compare the requested settings with those of the interface.

        Raises:
            CanInitializationError: listen-only mode is requested and not set.
        """
        wanted = {"bit rate": bitrate, "data bit rate": data_bitrate}
        if not self.channel or not (self._listen_only or any(wanted.values())):
            return
        link = links.link(self.channel)
        if link is None:
            return  # opening raises the error
        if self._listen_only and "LISTEN-ONLY" not in link.modes:
            raise CanInitializationError(
                f"{self._name}: the interface is not in listen-only mode",
                hint=f"ip link set {link.name} type can listen-only on, as root, while it is down"
                if link.kind != "vcan"
                else "an interface without a controller has no such mode",
            )
        for (what, asked), actual in zip(wanted.items(), (link.bitrate, link.data_bitrate), strict=True):
            if asked and actual and asked != actual:
                self._note(f"{self._name}: the {what} is {actual}, not {asked}: ip link sets it")

    # --- receiving and sending ------------------------------------------------------------------------

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        deadline = Deadline(timeout)
        while True:
            try:
                batch = self._port.receive()
            except OSError as error:
                self._failed(error, "receiving")
                batch = None
            if batch is not None:
                if self._absent:
                    self._is_back()
                return batch
            if deadline.passed:
                return None
            self._wait(select.POLLIN, deadline)

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        self._check_sendable(batch)
        deadline = Deadline(SEND_TIMEOUT if timeout is None else timeout)
        row, pause = 0, _FIRST_PAUSE
        while row < len(batch):
            try:
                row += self._port.send(batch, row)
                pause = _FIRST_PAUSE
                continue
            except BlockingIOError:
                event: int | None = select.POLLOUT
            except OSError as error:
                event = None
                # The queue of the device is full, which poll does not report.
                if error.errno != errno.ENOBUFS:
                    self._failed(error, "sending", batch, row)
            if deadline.passed:
                raise self._no_room(row, len(batch))
            remaining = deadline.remaining()
            self._port.wait(event, remaining if event else min(pause, remaining or 0.0))
            pause = min(2 * pause, _MAX_PAUSE)
            if self._absent:
                self._look_again()

    def prepared(self, batch: MessageBatch) -> SendRows:
        send_few = None
        with suppress(CanOperationError):  # which sending the frame raises again
            self._check_sendable(batch)
            send_few = self._port.prepared(batch)
        if send_few is None:
            return super().prepared(batch)
        return partial(self._send_prepared, batch, send_few)

    def _send_prepared(
        self,
        batch: MessageBatch,
        send_few: Callable[[int, int], int],
        first: int,
        last: int,
        timeout: float | None,
    ) -> None:
        sent = send_few(first, last) if last - first <= FEW else 0
        if sent < last - first:
            try:
                self._send_rows(batch, first + sent, last, timeout)
            except (CanOperationError, CanTimeoutError) as error:
                error.sent = sent + (error.sent or 0)
                raise

    def _send_periodic_internal(
        self,
        msgs: Message | Sequence[Message],
        period: float,
        duration: float | None = None,
        autostart: bool = True,
        modifier_callback: Callable[[Message], None] | None = None,
    ) -> CyclicSendTaskABC:
        """Use a task of the kernel if possible: it has no callback, and its frames always loop back."""
        from cantools_cli.backends.socketcan.bcm import BroadcastManager
        from cantools_cli.periodic.tasks import checked_messages

        self._check_sendable(MessageBatch(checked_messages(msgs)))
        task = None
        if modifier_callback is None and self._loops_back:
            self._broadcast_manager = self._broadcast_manager or BroadcastManager()
            task = self._broadcast_manager.task(self.channel, msgs, period, duration, autostart)
        if task is not None:
            return task
        return super()._send_periodic_internal(msgs, period, duration, autostart, modifier_callback)

    def _check_sendable(self, batch: MessageBatch) -> None:
        if self._listen_only:
            raise CanOperationError(f"{self._name}: the bus was opened with listen_only")
        if not self._fd and batch.flags.translate(None, _CLASSIC_FLAGS):
            raise CanOperationError(
                f"{self._name}: a CAN FD frame, but the bus was opened without CAN FD", hint="fd=true"
            )
        if batch.xl is not None and not self._passes_vcids and any(batch.xl.vcid):
            raise CanOperationError(
                f"{self._name}: a CAN XL frame with a VCID, which this kernel would clear",
                hint="frames with VCID 0 are sent",
            )
        if not self.channel:
            for name in {batch.channels[index] for index in batch.channel}:
                if not isinstance(name, str) or not name or name == "any":
                    raise CanOperationError(
                        f"a frame for channel {quoted(name)}, on a bus of all CAN interfaces",
                        hint="the channel of a message has to be the name of a CAN interface",
                    )

    def _no_room(self, row: int, rows: int) -> CanTimeoutError:
        if self._absent:
            return CanTimeoutError(
                f"{self._name}: the interface is {self._absent}; {row} of {rows} frames sent", sent=row
            )
        return CanTimeoutError(
            f"{self._name}: no room to send in time; {row} of {rows} frames sent",
            hint=f"does another node acknowledge? ip link set {self.channel or 'can0'} txqueuelen 1000 "
            "makes room for bursts",
            sent=row,
        )

    def _wait(self, event: int, deadline: Deadline) -> None:
        remaining = deadline.remaining()
        if self._absent:
            self._port.wait(event, _LOOK_AGAIN if remaining is None else min(_LOOK_AGAIN, remaining))
            self._look_again()
        else:
            self._port.wait(event, remaining)

    # --- interfaces that go ---------------------------------------------------------------------------

    def _failed(self, error: OSError, doing: str, batch: MessageBatch | None = None, row: int = 0) -> None:
        """Return if the bus waits until ``error`` has ended, else raise it as an error of canx."""
        name = self.channel
        sent = None if batch is None else row
        if batch is not None and not name:
            name = str(batch.channels[batch.channel[row]])
        is_gone = error.errno in raw.GONE
        if self.channel and (is_gone or error.errno == errno.ENETDOWN):
            if self._waits_when_down:
                self._is_absent("gone" if is_gone else "down")
                return
            if is_gone:  # the socket is unusable from now on
                self.shutdown()
                raise CanOperationError(f"{name}: the interface is gone", sent=sent) from error
        flags = 0 if batch is None else batch.flags[row]
        reason, hint = raw.explain(error, doing, name, flags)
        raise CanOperationError(f"{name or self._name}: {reason}", hint=hint, sent=sent) from error

    def _is_absent(self, how: str) -> None:
        if self._absent != how:
            self._absent = how
            self._note(f"{self._name}: the interface is {how}; waiting for it")

    def _look_again(self) -> None:
        """Check whether the interface is back; an unplugged one has to be bound again."""
        if not links.is_up(self.channel):
            return
        if self._absent == "gone":
            try:
                self.socket.bind((self.channel,))
                self._set_kernel_filter()
            except (OSError, CanOperationError):
                return
        self._is_back()

    def _is_back(self) -> None:
        self._absent = ""
        self._note(f"{self._name}: the interface is up again")

    def _note(self, text: str) -> None:
        if self.on_note is not None:
            self.on_note(text)
        else:
            import logging

            logging.getLogger("can").warning(text)

    @property
    def _name(self) -> str:
        return f"socketcan:{self.channel or 'any'}"

    # --- filters --------------------------------------------------------------------------------------

    def push_filter(self, chosen: FrameFilter) -> None:
        entries = codec.kernel_filter(chosen)
        self._kernel_filter = codec.filter_of_xl(entries) if self.carries_xl else entries
        self._set_kernel_filter()

    def _apply_filters(self, filters: CanFilters | None) -> None:
        self.push_filter(FrameFilter.from_can_filters(filters))

    def _set_kernel_filter(self) -> None:
        chosen = self._kernel_filter
        wants_errors = self._receives and not self._ignores_errors
        entries = chosen.packed() if self._receives else b""
        error_mask = chosen.error_mask if wants_errors else 0
        try:
            raw.set_filter(self.socket, entries, chosen.join, error_mask)
        except OSError as error:
            raise CanOperationError(f"{self._name}: the kernel refuses filters: {error.strerror}") from error

    # --- state and end --------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """The state of the controller; ACTIVE if the interface has none. Each access queries the system."""
        link = links.link(self.channel) if self.channel else None
        return BusState.ACTIVE if link is None else link.state

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError("the state of a kernel interface is set with ip link")

    @property
    def error_counters(self) -> tuple[int, int] | None:
        """The error counters of the controller, transmit and receive; None if they are unknown."""
        link = links.link(self.channel) if self.channel else None
        if link is None or link.tx_errors is None or link.rx_errors is None:
            return None
        return link.tx_errors, link.rx_errors

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        link = links.link(self.channel) if self.channel else None
        return (None, None) if link is None else (link.bitrate, link.data_bitrate)

    @staticmethod
    def _obstacle() -> str | None:
        return finder.obstacle()

    @property
    def losses(self) -> Losses:
        """Counts of frames that the kernel dropped and of its malformed records."""
        self._port.count_dropped()
        return self._port.losses

    def _fileno(self) -> int:
        return self.socket.fileno()

    def fileno(self) -> int:
        return -1 if self.is_shutdown else super().fileno()

    def _close(self) -> None:
        if self._broadcast_manager is not None:
            self._broadcast_manager.close()
        self._port.close()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the interfaces that are up."""
        return [
            {"interface": "socketcan", "channel": link.name, **({"fd": True} if link.is_fd else {})}
            for link in links.links()
            if link.is_up
        ]
