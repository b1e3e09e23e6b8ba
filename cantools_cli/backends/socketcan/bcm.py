"""Messages that the Linux kernel sends periodically, by its broadcast manager (CAN_BCM).

The program only starts, changes and stops a transmission; the times are those of the kernel's timers. It
counts each interval from when it sent the last frame, so that its delays add up: some microseconds each. A
bus receives what is sent this way also without ``receive_own_messages``: to the kernel another socket did it.

Sources: Linux ``linux/can/bcm.h``; Documentation/networking/can.rst; the python-can manual, "SocketCAN".
"""

from __future__ import annotations

import errno
import os
import socket
import weakref
from collections.abc import Sequence
from contextlib import suppress
from itertools import count as counted
from threading import Lock
from typing import Any

from cantools_cli.backends.socketcan import bcm_codec as codec
from cantools_cli.backends.socketcan.records import encode
from cantools_cli.errors import CanInterfaceNotImplementedError, CanOperationError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel, Message
from cantools_cli.frame.xl import XlMessage
from cantools_cli.periodic.schedule import frames_within, nanoseconds
from cantools_cli.periodic.tasks import (
    LimitedDurationCyclicSendTaskABC,
    ModifiableCyclicTaskABC,
    MultiRateCyclicSendTaskABC,
    RestartableCyclicTaskABC,
    checked_messages,
    stop_quietly,
)

# Linux's numbers, which the socket module has only there (linux/can.h).
_AF_CAN = 29
_CAN_BCM = 2
_MAX_LENGTH = codec.HEAD_SIZE + codec.FRAMES_LIMIT * 72
#: errors of a kernel that has no broadcast manager, or no CAN
_ABSENT = (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EPERM, errno.ESOCKTNOSUPPORT)

#: a handle belongs to one task of this process, whichever socket it uses
_handles = counted(1)
#: one at a time asks a socket and takes the answer
_asking = Lock()


class BroadcastManager:
    """The transmissions of one bus: a socket for each channel, which is opened by the first task on it."""

    def __init__(self) -> None:
        self._sockets: dict[str, Any] = {}
        self._tasks: weakref.WeakSet[_Transmission] = weakref.WeakSet()

    def task(
        self,
        channel: str,
        messages: Sequence[Message] | Message,
        period: float,
        duration: float | None = None,
        autostart: bool = True,
    ) -> CyclicSendTask | None:
        """Return a task that sends ``messages`` on ``channel``, or on their own where that is empty.

        None where this kernel cannot do it: it has no broadcast manager, or there are over 256 messages,
        or messages of both kinds, CAN FD and classic, or of CAN XL.

        Raises:
            ValueError: the messages, the period or the duration make no sense.
            CanOperationError: there is no such channel, or it does not take the task.
        """
        checked = checked_messages(messages)
        if len(checked) > codec.FRAMES_LIMIT or len({one.is_fd for one in checked}) > 1:
            return None
        if any(isinstance(one, XlMessage) for one in checked):
            return None
        bcm_socket = self._socket(channel or _channel_of(checked))
        if bcm_socket is None:
            return None
        task = CyclicSendTask(bcm_socket, next(_handles), messages, period, duration, autostart)
        self._tasks.add(task)
        return task

    def _socket(self, channel: str) -> Any:
        if channel not in self._sockets:
            try:
                self._sockets[channel] = open_socket(channel)
            except CanInterfaceNotImplementedError:
                return None
        return self._sockets[channel]

    def close(self) -> None:
        """Stop all tasks, and close the sockets."""
        for task in list(self._tasks):
            stop_quietly(task)
        for bcm_socket in self._sockets.values():
            bcm_socket.close()
        self._sockets.clear()


def open_socket(channel: str) -> socket.socket:
    """Return a socket of the broadcast manager for transmissions on ``channel``.

    Raises:
        CanInterfaceNotImplementedError: this kernel has none.
        CanOperationError: there is no such channel.
    """
    try:
        bcm_socket = socket.socket(_AF_CAN, socket.SOCK_DGRAM, _CAN_BCM)
    except OSError as error:
        if error.errno not in _ABSENT:
            raise _failed(channel, "cannot open", error) from error
        raise CanInterfaceNotImplementedError(
            f"{channel}: this kernel has no CAN broadcast manager", error.errno, hint="modprobe can-bcm"
        ) from error
    try:
        bcm_socket.setblocking(False)
        bcm_socket.connect((channel,))
    except OSError as error:
        bcm_socket.close()
        raise _failed(channel, "cannot open", error) from error
    return bcm_socket


class _Transmission(ModifiableCyclicTaskABC, RestartableCyclicTaskABC):
    """A transmission in the kernel: what both kinds of task have in common.

    The intervals are in microseconds: ``_count`` frames at the first, then the second for ever, or the end.
    """

    _count: int
    _interval1_us: int
    _interval2_us: int

    def _set_up(self, bcm_socket: Any, task_id: int) -> None:
        self.bcm_socket = bcm_socket
        self.task_id = task_id
        self._is_fd = self.messages[0].is_fd
        self._is_set_up = False
        self._frames = self._encoded(self.messages)

    def _encoded(self, messages: Sequence[Message]) -> list[bytes]:
        if any(message.is_fd != self._is_fd for message in messages):
            raise UsageError("classic and CAN FD messages cannot be sent by one task")
        if len(messages) > codec.FRAMES_LIMIT:
            raise UsageError(f"{len(messages)} messages, but the kernel sends {codec.FRAMES_LIMIT} in turn")
        if MessageBatch(messages).xl is not None:  # making the batch refuses what is no frame
            raise UsageError("the kernel's cyclic tasks send no CAN XL frames")
        return [encode(message) for message in messages]

    def start(self) -> None:
        """Start from the first message, at once.

        Raises:
            ValueError: the task is running.
            CanOperationError: the kernel does not take it.
        """
        with _asking:
            status = self._status()
            if status is not None and status.is_sending:
                raise ValueError(f"the periodic task {self.task_id} is running already")
            self._send(
                codec.encode_start(
                    self.task_id,
                    self._frames,
                    is_fd=self._is_fd,
                    count=self._count,
                    interval1_us=self._interval1_us,
                    interval2_us=self._interval2_us,
                )
            )
        self._is_set_up = True
        self._started()

    def modify_data(self, messages: Sequence[Message] | Message) -> None:
        """Send ``messages`` from now on, at the same times; otherwise as documented."""
        new = self._checked_again(messages)
        frames = self._encoded(new)
        if self._is_set_up:
            self._send(codec.encode_update(self.task_id, frames, is_fd=self._is_fd))
        self.messages, self._frames = new, frames

    def stop(self) -> None:
        """Stop the transmission.

        Raises:
            CanOperationError: the task is already stopped.
        """
        self._stopping()
        if self._is_set_up:
            self._is_set_up = False
            with suppress(OSError):  # the interface is gone, and the transmission with it
                self.bcm_socket.send(codec.encode_delete(self.task_id, is_fd=self._is_fd))
        self._ended()

    def _status(self) -> codec.Head | None:
        """Return what the kernel says of this transmission; None where it knows none.

        Takes all that the kernel told before: expired transmissions, which would fill the socket.
        """
        _drain(self.bcm_socket)
        try:
            self.bcm_socket.send(codec.encode_read(self.task_id, is_fd=self._is_fd))
        except OSError as error:
            if error.errno == errno.EINVAL:
                return None
            raise _failed(f"periodic task {self.task_id}", "cannot start", error) from error
        for head in _drain(self.bcm_socket):
            if head.operation == codec.TX_STATUS and head.handle == self.task_id:
                return head
        return None

    def _send(self, message: bytes) -> None:
        try:
            self.bcm_socket.send(message)
        except OSError as error:
            what = f"0x{self.arbitration_id:x} is not sent periodically"
            hint = "CAN FD needs an interface with an MTU of 72" if error.errno == errno.EMSGSIZE else None
            raise _failed(f"periodic task {self.task_id}", what, error, hint) from error


class CyclicSendTask(LimitedDurationCyclicSendTaskABC, _Transmission):
    """Sends ``messages`` in turn, for ``duration`` seconds or for ever, through a ``bcm_socket``.

    ``task_id`` names the task within the socket.
    """

    def __init__(
        self,
        bcm_socket: Any,
        task_id: int,
        messages: Sequence[Message] | Message,
        period: float,
        duration: float | None = None,
        autostart: bool = True,
    ) -> None:
        super().__init__(messages, period, duration)
        self._period_us = _microseconds(period)
        self._set_up(bcm_socket, task_id)
        if autostart:
            self.start()

    def start(self) -> None:
        if self.duration_ns is None:
            self._count, self._interval1_us, self._interval2_us = 0, 0, self._period_us
        else:
            self._count = min(frames_within(self.duration_ns, self.period_ns), 0xFFFFFFFF)
            self._interval1_us, self._interval2_us = self._period_us, 0
        super().start()


class MultiRateCyclicSendTask(MultiRateCyclicSendTaskABC, _Transmission):
    """Sends ``count`` messages at ``initial_period``, then for ever at ``subsequent_period``, in seconds.

    ``channel`` is a socket of ``open_socket``.
    """

    def __init__(
        self,
        channel: Any,
        task_id: int,
        messages: Sequence[Message] | Message,
        count: int,
        initial_period: float,
        subsequent_period: float,
    ) -> None:
        super().__init__(channel, messages, count, initial_period, subsequent_period)
        if count < 0:
            raise UsageError(f"{count} messages at the initial period")
        self._count = count
        self._interval1_us = _microseconds(initial_period)
        self._interval2_us = _microseconds(subsequent_period)
        self._set_up(channel, task_id)
        self.start()


def _microseconds(period: float) -> int:
    interval_us = max(1, round(nanoseconds(period) / 1_000))
    if interval_us > codec.INTERVAL_LIMIT_US:
        raise UsageError(f"the period is {period} s, and the kernel's timers go up to 400 days")
    return interval_us


def _drain(bcm_socket: Any) -> list[codec.Head]:
    """Return the heads of all messages that wait in the socket, and take them."""
    heads = []
    with suppress(OSError):  # nothing more; or that the interface went down, which sending will tell
        while True:
            message = bcm_socket.recv(_MAX_LENGTH, socket.MSG_DONTWAIT)
            if len(message) < codec.HEAD_SIZE:
                break
            heads.append(codec.decode_head(message))
    return heads


def _channel_of(messages: Sequence[Message]) -> str:
    channel: Channel = messages[0].channel
    if not isinstance(channel, str) or not channel:
        raise UsageError("on a bus of all interfaces the messages have to name their channel")
    return channel


def _failed(where: str, what: str, error: OSError, hint: str | None = None) -> CanOperationError:
    return CanOperationError(f"{where}: {what}: {os.strerror(error.errno or 0)}", error.errno, hint=hint)
