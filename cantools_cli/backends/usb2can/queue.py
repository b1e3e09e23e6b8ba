"""The receive queue of the CANAL library, read many messages at a time."""

from __future__ import annotations

from collections import deque
from ctypes import byref, c_char, sizeof

from cantools_cli.backends.transport.library import Functions
from cantools_cli.backends.usb2can import codec
from cantools_cli.backends.usb2can.canal import CanalError, CanalMsg
from cantools_cli.errors import CanOperationError

LENGTH = 1024  #: messages that the library keeps

#: results of an empty queue
EMPTY = frozenset({CanalError.FIFO_EMPTY, CanalError.RCV_EMPTY, CanalError.TIMEOUT})

_SIZE = sizeof(CanalMsg)


class ReceiveQueue:
    """Reads the messages of one handle. One thread drains; any may wait.

    Attributes:
        was_full: whether the queue was full before it was drained, so that frames may be lost.
    """

    def __init__(self, functions: Functions, handle: int) -> None:
        self.was_full = False
        self._functions = functions
        self._handle = handle
        self._early: deque[bytes] = deque()  # messages that a wait has returned
        self._messages = (CanalMsg * LENGTH)()
        self._rows = [byref(message) for message in self._messages]
        self._bytes = memoryview((c_char * (_SIZE * LENGTH)).from_buffer(self._messages)).cast("B")
        self._blank = codec.BLANK * LENGTH
        self._bytes[:] = self._blank

    def __len__(self) -> int:
        """Return the number of queued messages, without those in the library if it cannot tell."""
        available = self._functions.CanalDataAvailable
        return len(self._early) + (0 if available is None else int(available(self._handle)))

    def drain(self) -> tuple[bytes, int]:
        """Return all queued messages as bytes, and the result of the last call of the library.

        Raises:
            CanOperationError: the library reported a message that it did not fill.
        """
        self.was_full = len(self) >= LENGTH
        data = b"".join([self._early.popleft() for _ in range(len(self._early))])
        receive, handle = self._functions.CanalReceive, self._handle
        code = end = 0
        for row in self._rows:
            code = receive(handle, row)
            if code:
                break
            end += _SIZE
        if end:
            data += self._bytes[:end]
            self._bytes[:end] = self._blank[:end]
        if codec.UNTOUCHED in data[codec.SIZE_AT :: _SIZE]:
            raise CanOperationError("CanalReceive: the library reports a message, but does not fill it")
        return data, code

    def wait(self, milliseconds: int) -> int:
        """Wait for a message, and keep it for ``drain``; return the result of the library."""
        message = CanalMsg.from_buffer_copy(codec.BLANK)
        code = int(self._functions.CanalBlockingReceive(self._handle, byref(message), milliseconds))
        if not code:
            self._early.append(bytes(message))
        return code
