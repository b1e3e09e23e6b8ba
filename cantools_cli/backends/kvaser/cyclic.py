"""Periodic messages that the device sends by itself, from its object buffers."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress

from cantools_cli.backends.kvaser import codec
from cantools_cli.backends.kvaser import constants as c
from cantools_cli.backends.kvaser.channel import KvaserChannel
from cantools_cli.backends.kvaser.errors import CANLIBError
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.batch import sendable
from cantools_cli.frame.message import Message
from cantools_cli.periodic.schedule import frames_within
from cantools_cli.periodic.tasks import (
    LimitedDurationCyclicSendTaskABC,
    ModifiableCyclicTaskABC,
    RestartableCyclicTaskABC,
    checked_messages,
)

__all__ = ["CyclicSendTask", "ObjectBuffers"]

_MAX_US = 0xFFFFFFFF


class ObjectBuffers:
    """The object buffers of a channel; a device has few or none. ``gate`` is that of the bus."""

    def __init__(self, channel: KvaserChannel, gate: AbstractContextManager[None], is_fd: bool) -> None:
        self.channel = channel
        self.gate = gate
        self._is_fd = is_fd
        self._tasks: list[CyclicSendTask] = []

    def task(
        self,
        msgs: Message | Sequence[Message],
        period: float,
        duration: float | None = None,
        autostart: bool = True,
    ) -> CyclicSendTask | None:
        """Return a task that sends one message; None if the device cannot run it.

        Raises:
            ValueError: invalid messages, period or duration.
            CanOperationError: the channel cannot send such a frame.
        """
        messages = checked_messages(msgs)
        if len(messages) > 1 or not 1 <= round(period * 1_000_000) <= _MAX_US:
            return None
        codec.check(sendable(messages), self._is_fd, self.channel.canlib.place)
        for task in self._tasks:
            if task.is_over:
                task.free()
        self._tasks = [task for task in self._tasks if task.index is not None]
        task = CyclicSendTask(self, messages, period, duration)
        try:
            task.allocate()
            if autostart:
                task.start()
        except CANLIBError:
            task.free()
            return None
        return task

    def call(self, name: str, *arguments: object) -> int:
        """Call a function with the handle that sends, and return its result."""
        with self.gate:
            return self.channel.on_sender(name, *arguments)

    def keep(self, task: CyclicSendTask) -> None:
        """Free the buffer of ``task`` when the bus is closed."""
        self._tasks.append(task)

    def close(self) -> None:
        """Free all buffers; the gate is closed."""
        for task in self._tasks:
            if task.index is not None:
                self.channel.canlib.attempt("canObjBufDisable", self.channel.tx, task.index)
                self.channel.canlib.attempt("canObjBufFree", self.channel.tx, task.index)
                task.index = None


class CyclicSendTask(LimitedDurationCyclicSendTaskABC, ModifiableCyclicTaskABC, RestartableCyclicTaskABC):
    """Sends a message from an object buffer, for ``duration`` seconds or forever.

    Attributes:
        index: the number of the buffer; None while the task has none.
    """

    def __init__(
        self,
        buffers: ObjectBuffers,
        messages: Sequence[Message] | Message,
        period: float,
        duration: float | None = None,
    ) -> None:
        super().__init__(messages, period, duration)
        self._buffers = buffers
        self._is_running = False
        self.index: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether the duration has passed."""
        return self._is_running and self.end_time is not None and time.time() > self.end_time + self.period

    def allocate(self) -> None:
        """Take a buffer and write the message into it.

        Raises:
            CANLIBError: the device has no free object buffer, or lacks them.
        """
        self.index = self._buffers.call("canObjBufAllocate", c.canOBJBUF_TYPE_PERIODIC_TX)
        self._buffers.keep(self)
        self._write()
        self._buffers.call("canObjBufSetPeriod", self.index, max(1, round(self.period_ns / 1000)))

    def _write(self) -> None:
        batch = sendable(self.messages)
        [frame] = codec.encode(batch)
        data = ctypes.create_string_buffer(bytes(batch.payload), 64)
        self._buffers.call("canObjBufWrite", self.index, frame.identifier, data, frame.length, frame.flags)

    def start(self) -> None:
        """Start from the beginning; a running task is not affected.

        Raises:
            CanOperationError: the device has no buffer left.
        """
        if self._is_running and not self.is_over:
            return
        if self.index is None:
            self.allocate()
        count = 0 if self.duration_ns is None else frames_within(self.duration_ns, self.period_ns)
        self._buffers.call("canObjBufDisable", self.index)
        self._buffers.call("canObjBufSetMsgCount", self.index, count)
        self._buffers.call("canObjBufEnable", self.index)
        self._is_running = True
        self._started()

    def stop(self) -> None:
        """Stop the task and free its buffer.

        Raises:
            CanOperationError: the task is already stopped.
        """
        self._stopping()
        self.free()
        self._ended()

    def free(self) -> None:
        """Stop sending and give the buffer back; failures are ignored."""
        self._is_running = False
        index, self.index = self.index, None
        if index is not None:
            with suppress(CanOperationError):
                self._buffers.call("canObjBufDisable", index)
            with suppress(CanOperationError):
                self._buffers.call("canObjBufFree", index)

    def modify_data(self, messages: Sequence[Message] | Message) -> None:
        """Send ``messages`` from now on, without a change of the times.

        Raises:
            ValueError: the number of messages or their identifier differs.
            CanOperationError: the device refuses them.
        """
        super().modify_data(messages)
        if self.index is not None:
            self._write()
