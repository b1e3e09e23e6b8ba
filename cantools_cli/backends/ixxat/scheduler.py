"""Periodic messages sent by the scheduler of a device, from its cyclic transmit list.

The list has 16 entries, shared by all tasks of a bus. The device cannot change an entry: ``modify_data``
replaces it, and so starts a new interval.

Sources: HMS Networks, VCI C-API Programmers Manual 1.5, "Cyclic transmitting list"; the python-can manual,
"IXXAT".
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref, c_uint32, c_void_p
from typing import Any

from cantools_cli.backends.ixxat import codec, constants
from cantools_cli.backends.ixxat.exceptions import VCIError
from cantools_cli.backends.ixxat.library import Vci
from cantools_cli.backends.transport.library_bus import Gate
from cantools_cli.frame.batch import sendable
from cantools_cli.frame.message import Message
from cantools_cli.periodic.schedule import frames_within
from cantools_cli.periodic.tasks import (
    LimitedDurationCyclicSendTaskABC,
    ModifiableCyclicTaskABC,
    RestartableCyclicTaskABC,
)

_MAX_COUNT = 0xFFFF
#: results of adding to a list that is full
FULL = frozenset({constants.VCI_E_INVALID_INDEX, constants.VCI_E_OUTOFMEMORY})


class Scheduler:
    """The cyclic transmit list of a controller; ``own`` and ``fast`` are as for ``codec.encode``.

    Attributes:
        clock, divisor: of its ticks, in Hz.
        max_ticks: the longest period.
    """

    def __init__(self, vci: Vci, device: c_void_p, number: int, gate: Gate, *, own: bool, fast: bool) -> None:
        self._vci = vci
        self._gate = gate
        self._own, self._fast = own, fast
        self.handle = vci.opened("canSchedulerOpen", device, number)
        try:
            caps = vci.types.capabilities()
            vci.call("canSchedulerGetCaps", self.handle, byref(caps))
            clock = caps.dwCmsClkFreq if vci.is_fd else caps.dwClockFreq
            self.clock, self.divisor = clock, caps.dwCmsDivisor or 1
            self.max_ticks = min(caps.dwCmsMaxTicks, 0xFFFF)
            vci.call("canSchedulerReset", self.handle)  # an earlier program may have left entries
            vci.call("canSchedulerActivate", self.handle, constants.TRUE)
        except BaseException:
            vci.functions.canSchedulerClose(self.handle)
            raise

    def cycle(self, period_ns: int) -> int | None:
        """Return the ticks of a period, None if the device cannot have it."""
        ticks = round(period_ns * self.clock / (self.divisor * 1_000_000_000))
        return ticks if 1 <= ticks <= self.max_ticks else None

    def add(self, message: Message, cycle: int) -> int:
        """Append an entry and return its index.

        Raises:
            VCIError: the driver refuses it, or the list is full.
        """
        batch = sendable([message])
        codec.check(batch, is_fd=self._vci.is_fd)
        data = codec.encode_cyclic(batch, cycle, is_fd=self._vci.is_fd, own=self._own, fast=self._fast)
        entry: Any = self._vci.types.cyclic_message.from_buffer_copy(data)
        index = c_uint32()
        with self._gate:
            self._vci.call("canSchedulerAddMessage", self.handle, byref(entry), byref(index))
        return index.value

    def start(self, index: int, count: int) -> None:
        """Send an entry ``count`` times, 0 for ever.

        Raises:
            VCIError: the driver refuses it.
        """
        with self._gate:
            self._vci.call("canSchedulerStartMessage", self.handle, index, count)

    def stop(self, index: int) -> None:
        with self._gate:
            self._vci.call("canSchedulerStopMessage", self.handle, index)

    def remove(self, index: int) -> None:
        with self._gate:
            self._vci.call("canSchedulerRemMessage", self.handle, index)

    def close(self) -> None:
        """Stop all entries and close the scheduler, whatever fails: the device may be gone."""
        functions = self._vci.functions
        functions.canSchedulerActivate(self.handle, constants.FALSE)
        functions.canSchedulerClose(self.handle)


class CyclicSendTask(LimitedDurationCyclicSendTaskABC, ModifiableCyclicTaskABC, RestartableCyclicTaskABC):
    """Sends one message from the list of ``scheduler``, for ``duration`` seconds or for ever.

    ``resolution`` has no effect: the scheduler knows the frequency of its ticks.

    Raises:
        ValueError: there are several messages, or the device cannot have the period or the duration.
        VCIError: the driver refuses the message, or the list is full.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        msgs: Message | Sequence[Message],
        period: float,
        duration: float | None = None,
        resolution: float | None = None,
        autostart: bool = True,
    ) -> None:
        super().__init__(msgs, period, duration)
        if len(self.messages) != 1:
            raise ValueError("the scheduler of an IXXAT device sends one message per task")
        self._scheduler = scheduler
        cycle = scheduler.cycle(self.period_ns)
        if cycle is None:
            raise ValueError(f"the scheduler of the device cannot have a period of {period} s")
        self._cycle = cycle
        self._index: int | None = None
        self._is_running = False
        self._count()
        if autostart:
            self.start()

    def _count(self) -> int:
        if self.duration_ns is None:
            return 0
        count = frames_within(self.duration_ns, self.period_ns)
        if count > _MAX_COUNT:
            raise ValueError(f"the scheduler of the device sends at most {_MAX_COUNT} messages, not {count}")
        return count

    def start(self) -> None:
        """Start sending; a message that was stopped is added to the list again."""
        count = self._count()
        if self._index is None:
            self._index = self._scheduler.add(self.messages[0], self._cycle)
        elif self._is_running:
            self._scheduler.stop(self._index)
        self._scheduler.start(self._index, count)
        self._is_running = True
        self._started()

    def pause(self) -> None:
        """Stop sending, and keep the message in the list."""
        if self._index is not None:
            self._is_running = False
            self._scheduler.stop(self._index)

    def modify_data(self, messages: Sequence[Message] | Message) -> None:
        """Replace the message; a running task starts again with it.

        Raises:
            ValueError: the number of messages or their identifier differs.
            VCIError: the driver refuses the message.
        """
        self.messages = self._checked_again(messages)
        if self._index is not None:
            was_running = self._is_running
            self._remove()
            if was_running:
                self.start()

    def stop(self) -> None:
        """Stop sending, and remove the message from the list.

        Raises:
            CanOperationError: the task is already stopped.
        """
        self._stopping()
        self._remove()
        self._ended()

    def _remove(self) -> None:
        index, self._index, self._is_running = self._index, None, False
        if index is not None:
            try:
                self._scheduler.remove(index)  # which stops it
            except VCIError as error:
                if error.error_code not in constants.GONE:
                    raise
