"""The receive queue of a message channel: takes its messages and turns them into batches."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from ctypes import byref, c_uint32, c_void_p, sizeof
from threading import Lock
from typing import Any

from cantools_cli.backends.ixxat import codec, constants, events
from cantools_cli.backends.ixxat.clock import TickClock
from cantools_cli.backends.ixxat.library import Vci
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanOperationError
from cantools_cli.frame import error_frames
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

OVERRUNS = "overruns of the receive queue (frames may be lost)"

_CAPACITY = 1024  # messages of one call
_START_SECONDS = 0.1  # for the message of the start
_NAP = 0.001  # after a read that did not wait


class ReceiveQueue:
    """The messages of an open channel; errors and states become error frames.

    ``channel`` is that of the frames. Any thread may call it.

    Attributes:
        failure: the error of a device that is gone, or None.
        is_shared: whether another program owns the controller.
    """

    def __init__(self, vci: Vci, handle: c_void_p, channel: int, clock: TickClock, losses: Losses) -> None:
        self._vci = vci
        self._handle = handle
        self._channel = channel
        self._clock = clock
        self._losses = losses
        self._lock = Lock()  # for what follows
        self._size = sizeof(vci.types.message)
        self._bytes = bytearray(self._size * _CAPACITY)
        self._room: Any = (vci.types.message * _CAPACITY).from_buffer(self._bytes)
        self._done = c_uint32()
        self._kept = bytearray()  # messages that were read, but not decoded yet
        self._arrived_ns: int | None = None  # when the first of them arrived, if during a wait
        self._status = 0
        self._starts: list[int] = []  # of this bus, whose messages are still in the queue
        self.failure: CanOperationError | None = None
        self.is_shared = False

    def take(self) -> MessageBatch | None:
        """Return the queued frames without waiting, None for none.

        Raises:
            VCIError: the driver reports a failure, but the device is still there.
        """
        with self._lock:
            while True:
                self._read()
                data, self._kept = self._kept, bytearray()
                arrived_ns, self._arrived_ns = self._arrived_ns, None
                if not data:
                    return None
                batch = self._decoded(data, arrived_ns)
                if len(batch):
                    return batch

    def wait(self, seconds: float) -> None:
        """Wait for a message for at most ``seconds``, rounded up to a millisecond.

        Raises:
            VCIError: the driver reports a failure, but the device is still there.
        """
        message = self._vci.types.message()
        before = time.monotonic()
        milliseconds = max(1, math.ceil(1000 * seconds))
        result = self._vci.functions.canChannelReadMessage(self._handle, milliseconds, byref(message))
        now = time.monotonic_ns()
        if result == constants.VCI_OK:
            with self._lock:
                if not self._kept:
                    self._arrived_ns = now
                self._kept += bytes(message)
            return
        self._check("canChannelReadMessage", result)
        if result in constants.NOTHING and time.monotonic() - before < min(seconds, _NAP):
            time.sleep(_NAP)  # the driver did not wait

    def start(self, start: Callable[[], int]) -> None:
        """Start the controller by ``start``, which returns when it did on the monotonic clock."""
        with self._lock:  # the message of the start is decoded afterwards
            self._starts.append(start())

    def find_start(self) -> None:
        """Read and keep messages until that of the start, for at most a tenth of a second."""
        end = time.monotonic() + _START_SECONDS
        message = self._vci.types.message()
        while (remaining := end - time.monotonic()) > 0:
            read = self._vci.functions.canChannelReadMessage
            result = read(self._handle, math.ceil(1000 * remaining), byref(message))
            if result in constants.NOTHING:
                continue
            self._vci.check("canChannelReadMessage", result)
            self._kept += bytes(message)
            if _is_start(message):
                return

    # --- reading --------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Append the messages in the queue of the driver to those that are kept."""
        if self.failure is not None:
            return
        functions = self._vci.functions
        if functions.canChannelPeekMsgMult is not None:
            self._done.value = 0
            name = "canChannelPeekMsgMult"
            result = functions.canChannelPeekMsgMult(self._handle, self._room, _CAPACITY, byref(self._done))
            count = min(self._done.value, _CAPACITY)
        else:
            name, count = "canChannelPeekMessage", 0
            peek, result = functions.canChannelPeekMessage, constants.VCI_OK
            while count < _CAPACITY:
                result = peek(self._handle, byref(self._room[count]))
                if result != constants.VCI_OK:
                    break
                count += 1
        self._kept += memoryview(self._bytes)[: count * self._size]
        if result != constants.VCI_OK:
            self._check(name, result)

    def _check(self, name: str, result: int) -> None:
        if result in constants.GONE:
            error = self._vci.failure(name, result, hint="is the device unplugged?")
            if not isinstance(error, CanOperationError):  # while the bus is opened
                raise error
            self.failure = self.failure or error
        elif result not in constants.NOTHING:
            raise self._vci.failure(name, result)

    # --- decoding -------------------------------------------------------------------------------------

    def _decoded(self, data: bytearray, arrived_ns: int | None) -> MessageBatch:
        messages = codec.parse(data, is_fd=self._vci.is_fd)
        whole = MessageBatch(channels=(self._channel,))
        for is_frame, run in codec.runs(messages):
            if is_frame:
                if codec.Received(*run[0]).is_overrun:
                    self._overrun(whole, run[0][0])
                part = self._frames(run, arrived_ns)
                if not len(whole):
                    whole = part  # the usual case: there is nothing else
                else:
                    whole.extend(part)
            else:
                self._event(whole, codec.Received(*run[0]), arrived_ns)
            arrived_ns = None  # of the first message only
        return whole

    def _frames(self, run: codec.Messages, arrived_ns: int | None) -> MessageBatch:
        return codec.frames(run, self._channel, lambda counts: self._clock.times_ns(counts, arrived_ns))

    def _event(self, batch: MessageBatch, message: codec.Received, arrived_ns: int | None) -> None:
        """Handle a message that is not a frame; append its error frame to ``batch``, if it has one."""
        first, second = message.data[0], message.data[1]
        if message.kind == constants.CAN_MSGTYPE_INFO:
            if first == constants.CAN_INFO_START:
                start_ns = self._starts.pop(0) if self._starts else arrived_ns
                self._clock.anchor(message.ticks, start_ns or time.monotonic_ns())
                self._status = 0
            elif first == constants.CAN_INFO_STOP and self.is_shared:
                _log("%s: the program that owns the controller has stopped it", self._vci.name)
            elif first == constants.CAN_INFO_RESET:
                self._status = 0
        elif message.kind == constants.CAN_MSGTYPE_ERROR:
            if message.is_overrun:
                self._overrun(batch, message.ticks)
            self._append(batch, events.error_frame(first, is_fd=self._vci.is_fd), message.ticks)
            self._change(batch, second, message.ticks)
        elif message.kind == constants.CAN_MSGTYPE_STATUS:
            self._change(batch, first, message.ticks)
        elif message.kind == constants.CAN_MSGTYPE_TIMEOVR:
            self._clock.overran(max(1, message.identifier))

    def _change(self, batch: MessageBatch, status: int, count: int) -> None:
        before, self._status = self._status, status
        frame = events.state_frame(before, status)
        if frame is not None:
            self._append(batch, frame, count)
        if status & ~before & constants.CAN_STATUS_OVRRUN:
            self._overrun(batch, count)

    def _overrun(self, batch: MessageBatch, count: int) -> None:
        self._losses[OVERRUNS] += 1
        self._append(batch, error_frames.rx_overflow(0, self._channel), count)

    def _append(self, batch: MessageBatch, frame: Message, count: int) -> None:
        frame.channel = self._channel
        [frame.timestamp_ns] = self._clock.times_ns((count or self._clock.last,))  # some have no time
        batch.append(frame)


def _log(text: str, *values: object) -> None:
    import logging

    logging.getLogger("can").warning(text, *values)


def _is_start(message: Any) -> bool:
    kind: int = message.uMsgInfo.Bytes.bType
    return kind == constants.CAN_MSGTYPE_INFO and message.abData[0] == constants.CAN_INFO_START
