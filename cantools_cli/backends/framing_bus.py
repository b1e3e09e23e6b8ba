"""Buses on serial lines whose frames have to be found in a stream of bytes."""

from __future__ import annotations

import time
from typing import Any

from cantools_cli.backends.framing import FramingDecoder
from cantools_cli.backends.transport.port import PortBus
from cantools_cli.backends.transport.serial import open_port
from cantools_cli.backends.transport.stream import StreamPort
from cantools_cli.bus.deadline import Deadline
from cantools_cli.errors import CanOperationError, UsageError, quoted
from cantools_cli.frame.batch import MessageBatch

#: seconds of silence after which an unfinished frame is given up, on a local line and through a network
LOCAL_GAP, REMOTE_GAP = 0.25, 2.0
ANSWER_SECONDS = 0.7  #: that a device has for an answer when it is opened
TRIES = 2  #: requests without an answer until opening fails

_SEND_SECONDS = 10.0  # that sending may take in addition to the time on the line
_LINE_BITS = 10  # of a byte on the line


def gap_of(place: str) -> float:
    """Return the gap of the line ``place``: networks repeat lost packets, and gaps grow by that."""
    return REMOTE_GAP if "://" in place else LOCAL_GAP


def bitrate_of(name: str, bitrate: int | None, timing: Any) -> int | None:
    """Return ``bitrate``, or that of ``timing`` for an adapter that chooses its own segments.

    Raises:
        UsageError: the two differ, or the timing is that of CAN FD or does not give the rate.
    """
    if timing is None:
        return bitrate
    try:
        rate = getattr(timing, "bitrate", None)
    except ValueError as error:
        raise UsageError(f"{name}: bit timing: {error}", hint="such as f_clock=8000000") from error
    if not isinstance(rate, int):
        raise UsageError(f"{name}: the adapter has bit rates and no other timing", hint="bitrate=500000")
    if bitrate is not None and bitrate != rate:
        raise UsageError(f"{name}: bitrate is {bitrate}, but the bit timing is for {rate}")
    return rate


class FramingBus(PortBus):
    """A bus on a serial line.

    ``__init__`` of a subclass sets ``_decoder`` and calls ``_open``, then ``super().__init__``.
    """

    _port: StreamPort
    _decoder: FramingDecoder
    _bytes_per_second: float = 11520.0
    _gap: float = LOCAL_GAP
    _failure: CanOperationError | None = None  # to be raised after the last frames

    def _open(self, place: str, baudrate: int, name: str, rtscts: bool = False) -> None:
        """Open the line, with ``_decode`` on it.

        Raises:
            UsageError, CanInitializationError: as ``open_port``.
        """
        self._name = name
        self._gap = gap_of(place)
        self._bytes_per_second = baudrate / _LINE_BITS
        channel = name.partition(":")[2]
        self._port = open_port(
            place, baudrate, self._decode, name=name, channel=channel, losses=self.losses, rtscts=rtscts
        )

    def _decode(self, data: bytes, time_ns: int) -> MessageBatch:
        """Return the frames that ``data`` completes."""
        return self._decoder.feed(data, time_ns)

    def _decode_rest(self, time_ns: int) -> MessageBatch:
        """Return the frames that the end of the stream reveals."""
        return self._decoder.end(time_ns)

    def _abandon(self) -> None:
        """Close the line of a bus that cannot be opened."""
        self.is_shutdown = True
        self._port.close()

    def _forgive_opening(self) -> None:
        """Forget the losses while the bus was opened, such as the second half of a frame."""
        self.losses.clear()
        self.losses.first_fault = None

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        if self._failure is not None:
            self.shutdown()
            raise self._failure
        try:
            return self._receive_settled(Deadline(timeout))
        except CanOperationError as error:
            rest = self._decode_rest(time.time_ns()) if self._port.is_lost else None
            if rest:
                self._failure = error
                return rest
            self._close_if_lost()
            raise

    def _receive_settled(self, deadline: Deadline) -> MessageBatch | None:
        """Return the frames that arrived; give up an unfinished one after a silence."""
        while True:
            left = deadline.remaining()
            if not self._decoder.is_waiting:
                batch = self._port.receive(left, lambda: self._decoder.is_waiting)
            else:
                batch = self._port.receive(self._gap if left is None else min(left, self._gap))
                if batch is None:
                    self._port.settle()
                    batch = self._port.receive(0)
            if batch is not None or deadline.passed:
                return batch

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        records = list(self._encode(batch))
        if timeout is None:
            timeout = _SEND_SECONDS + 2 * sum(map(len, records)) / self._bytes_per_second
        self._port.send(records, timeout)  # a lost bus stays open: received frames may be queued


def silence_hint(bus: FramingBus, kind: str, rates: str) -> str:
    """Return the hint for a device that does not answer when it is opened."""
    fault = bus.first_fault
    if fault is not None:
        return f"the line carries something else ({quoted(fault)}): {rates}"
    return f"is this {kind}, and does it have power? {rates}"
