"""python-can's frames on a serial line, where a computer or a microcontroller sends and receives them.

There is no bit rate, no acknowledgement and nothing to open or to close but the line.
"""

from __future__ import annotations

import time
from array import array
from enum import Enum
from typing import Any

from cantools_cli.backends.framing_bus import FramingBus, gap_of
from cantools_cli.backends.serial_can import codec, finder
from cantools_cli.backends.transport.device_clock import DeviceClock
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import UsageError, quoted
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch

_MILLISECOND = 1_000_000


class Timestamps(Enum):
    """The meaning of the time of a frame on the wire.

    ``DEVICE``: milliseconds of a clock that starts anywhere; received times are mapped to the epoch, sent
    ones count from the opening of the bus. ``HOST``: none; received frames are stamped on arrival.
    ``FRAME``: the timestamp of the frame itself, modulo 2**32 milliseconds.
    """

    DEVICE = "device"
    HOST = "host"
    FRAME = "frame"


class SerialBus(FramingBus):
    """Frames in python-can's format on a serial port.

    ``channel`` is a port or a URL of pyserial; ``baudrate`` and ``rtscts`` set the line up. ``timeout`` has
    no effect: ``recv`` and ``send`` have timeouts of their own. ``id_flags`` is ``auto``, ``on`` or ``off``:
    see ``codec.IdFlags``; ``timestamps`` is ``device``, ``host`` or ``frame``: see ``Timestamps``. With
    ``receive_own_messages`` sent frames are received once they are written.

    Raises:
        UsageError: the channel is empty, or a setting has an unknown value.
        CanInitializationError: the port cannot be opened.
    """

    def __init__(
        self,
        channel: str,
        baudrate: int = 115200,
        timeout: float = 0.1,
        rtscts: bool = False,
        can_filters: CanFilters | None = None,
        *,
        id_flags: str = "auto",
        timestamps: str = "device",
        receive_own_messages: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("serial", SerialBus, kwargs)
        place = str(channel or "").strip()
        if not place:
            raise UsageError(
                "serial: no port given", hint="such as serial:/dev/ttyUSB0; canx list shows the ports"
            )
        name = f"serial:{place}"
        self._id_flags = _choice(codec.IdFlags, "id_flags", id_flags)
        self._timestamps = _choice(Timestamps, "timestamps", timestamps)
        self._clock = DeviceClock(codec.MODULUS, _MILLISECOND)
        self._opened = time.monotonic_ns()
        self._echoes_own = receive_own_messages
        self._decoder = codec.SerialCanDecoder(self.losses, place, self._id_flags, int(gap_of(place) * 1e9))
        self._open(place, baudrate, name, rtscts)
        self.channel_info = f"Serial interface: {place}"
        super().__init__(channel, can_filters, **kwargs)

    def _decode(self, data: bytes, time_ns: int) -> MessageBatch:
        return self._timed(super()._decode(data, time_ns), time_ns)

    def _decode_rest(self, time_ns: int) -> MessageBatch:
        return self._timed(super()._decode_rest(time_ns), time_ns)

    def _timed(self, batch: MessageBatch, time_ns: int) -> MessageBatch:
        """Replace the times on the wire by those of the frames."""
        counts = batch.timestamp_ns
        if self._timestamps is Timestamps.FRAME:
            batch.timestamp_ns = array("q", [count * _MILLISECOND for count in counts])
        elif self._timestamps is Timestamps.HOST or not any(counts):
            batch.timestamp_ns = array("q", [time_ns]) * len(counts)
        else:  # a sender without a clock writes 0
            times = iter(self._clock.times_ns([count for count in counts if count]))
            batch.timestamp_ns = array("q", [next(times) if count else time_ns for count in counts])
        return batch

    def _encode(self, batch: MessageBatch) -> list[bytes]:
        if self._timestamps is Timestamps.FRAME:
            times = [time_ns // _MILLISECOND % codec.MODULUS for time_ns in batch.timestamp_ns]
        else:
            elapsed = (time.monotonic_ns() - self._opened) // _MILLISECOND % codec.MODULUS
            times = [elapsed] * len(batch)
        return codec.encode(batch, times, self._id_flags)

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return all serial ports."""
        return [{"channel": path} for path in finder.channels()]


def _choice(kind: Any, key: str, value: object) -> Any:
    """Return the member of the enumeration ``kind`` with ``value``.

    Raises:
        UsageError: ``kind`` has no such member.
    """
    try:
        return kind(str(value).lower())
    except ValueError:
        known = ", ".join(member.value for member in kind)
        raise UsageError(f"serial: {key} is {quoted(value)}", hint=f"one of {known}") from None
