"""Periodic messages sent by the broadcast manager of the Linux kernel (CAN_BCM).

The program starts, changes and stops a transmission; the kernel's timers send it. Each interval starts when
the last frame was sent, so that delays of some microseconds add up. A bus receives these frames even without
``receive_own_messages``, since the kernel sends them from another socket.

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

# Linux's numbers, which the socket module has on Linux only (linux/can.h)
_AF_CAN = 29
_CAN_BCM = 2
_MAX_LENGTH = codec.HEAD_SIZE + codec.FRAMES_LIMIT * 72
#: errors of a kernel without a broadcast manager or without CAN
_ABSENT = (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EPERM, errno.ESOCKTNOSUPPORT)

#: each task of the process has its own handle, on any socket
_handles = counted(1)
#: held from a request to its answer
_asking = Lock()


class BroadcastManager:
    """The transmissions of one bus: a socket per channel, opened by the first task on it."""

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
        """Return a task that sends ``messages`` on ``channel``, or on their own channel if it is empty.

        Return None if the kernel cannot run the task: it has no broadcast manager, or the messages are more
        than 256, both classic and CAN FD, or CAN XL.

        Raises:
            ValueError: invalid messages, period or duration.
            CanOperationError: the channel does not exist, or does not accept the task.
        """
        checked = checked_messages(messages)
        if len(checked) > codec.FRAMES_LIMIT or len({message.is_fd for message in checked}) > 1:
            return None
        if any(isinstance(message, XlMessage) for message in checked):
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
        CanInterfaceNotImplementedError: the kernel has no broadcast manager.
        CanOperationError: the channel does not exist.
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
    """A transmission in the kernel, the base of both kinds of task.

    The intervals are in microseconds: ``_count`` frames at the first, then the second forever, or the end.
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
            raise UsageError(
                f"{len(messages)} messages, but the kernel sends at most {codec.FRAMES_LIMIT} in turn"
            )
        if MessageBatch(messages).xl is not None:  # the batch checks the messages
            raise UsageError("cyclic tasks of the kernel do not send CAN XL frames")
        return [encode(message) for message in messages]

    def start(self) -> None:
        """Start immediately with the first message.

        Raises:
            ValueError: the task is running.
            CanOperationError: the kernel refuses the task.
        """
        with _asking:
            status = self._status()
            if status is not None and status.is_sending:
                raise ValueError(f"the periodic task {self.task_id} is already running")
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
        """Replace the messages without changing the schedule."""
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
            with suppress(OSError):  # the interface and its transmissions are gone
                self.bcm_socket.send(codec.encode_delete(self.task_id, is_fd=self._is_fd))
        self._ended()

    def _status(self) -> codec.BcmHead | None:
        """Return the kernel's status of this transmission; None if it has ended.

        Earlier notifications of expired transmissions are read first, since they would fill the socket.
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
    """Sends ``messages`` in turn, for ``duration`` seconds or forever, through a ``bcm_socket``.

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
    """Sends ``count`` messages at ``initial_period``, then forever at ``subsequent_period``, in seconds.

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
        raise UsageError(f"the period of {period} s exceeds the limit of the kernel's timers, 400 days")
    return interval_us


def _drain(bcm_socket: Any) -> list[codec.BcmHead]:
    """Read all messages queued in the socket, and return their heads."""
    heads = []
    with suppress(OSError):  # no more messages, or the interface is down, which sending reports
        while True:
            message = bcm_socket.recv(_MAX_LENGTH, socket.MSG_DONTWAIT)
            if len(message) < codec.HEAD_SIZE:
                break
            heads.append(codec.decode_head(message))
    return heads


def _channel_of(messages: Sequence[Message]) -> str:
    channel: Channel = messages[0].channel
    if not isinstance(channel, str) or not channel:
        raise UsageError("on a bus of all interfaces the messages need a channel")
    return channel


def _failed(where: str, what: str, error: OSError, hint: str | None = None) -> CanOperationError:
    return CanOperationError(f"{where}: {what}: {os.strerror(error.errno or 0)}", error.errno, hint=hint)
