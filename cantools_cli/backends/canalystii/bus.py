"""The bus of a CANalyst-II: one or both of its channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from cantools_cli.backends.canalystii import codec
from cantools_cli.backends.canalystii.adapter import CHANNELS, IDS, CanalystAdapter
from cantools_cli.backends.transport import usb
from cantools_cli.backends.transport.stream import QUEUE_FRAMES
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bus.base import BusABC
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanOperationError,
    InvalidMessageError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

#: of the controllers, in Hz
F_CLOCK = 8_000_000
_EXAMPLE = "canalystii:0,bitrate=500k"


class CANalystIIBus(BusABC):
    """A CANalyst-II USB adapter with two channels.

    ``channel`` is a number, several, or their text with commas: 0 and 1 by default. ``device`` counts the
    adapters of this computer from 0. Either ``bitrate`` or a timing is necessary: ``timing``, which
    python-can 4.1 calls ``bit_timing``, for a clock of 8 MHz, or its registers ``btr0`` and ``btr1``. At most
    ``rx_queue_size`` received frames are kept; the oldest are dropped, counted and marked by an error frame.
    ``receive_own_messages`` requests an echo of each frame, which the adapter returns even if no node
    acknowledged it.

    The channel of a message selects the port if both are open. Timestamps are the adapter's. ``send`` waits
    until the adapter has no unsent frames; its timeout, by default a second, counts from the last frame that
    the adapter has sent. With a timeout of 0 it only hands them over. The adapter does not report whether a
    frame was acknowledged.

    Raises:
        UsageError: a channel, the bit rate or the timing is invalid.
        CanInitializationError: there is no such adapter, it is in use, or it does not answer.
    """

    def __init__(
        self,
        channel: int | Sequence[int] | str = CHANNELS,
        device: int = 0,
        bitrate: int | None = None,
        bit_timing: Any | None = None,
        can_filters: CanFilters | None = None,
        rx_queue_size: int | None = None,
        *,
        timing: Any | None = None,
        btr0: int | None = None,
        btr1: int | None = None,
        listen_only: bool = False,
        receive_own_messages: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("canalystii", CANalystIIBus, kwargs)
        if listen_only:
            raise UsageError(
                "canalystii: the adapter cannot listen only", hint="it always acknowledges frames"
            )
        if rx_queue_size is not None and rx_queue_size < 1:
            raise UsageError(f"canalystii: rx_queue_size {rx_queue_size} is not above 0")
        self.channels = _channels(channel)
        self._echo = receive_own_messages
        registers = _registers(bitrate, bit_timing if timing is None else timing, btr0, btr1)
        name = f"canalystii:{','.join(map(str, self.channels))}"
        self._bit_rate = _bit_rate(bitrate, registers)
        self._port = CanalystAdapter(
            _found(device, name), self.channels, name, self.losses, rx_queue_size or QUEUE_FRAMES
        )
        self._port.start(registers)
        self.channel_info = f"CANalyst-II: device {device}, channels {', '.join(map(str, self.channels))}"
        super().__init__(channel, can_filters, **kwargs)

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._bit_rate, None

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        try:
            return self._port.receive(timeout)
        except CanOperationError:
            if self._port.is_lost:
                self.shutdown()
            raise

    def _fileno(self) -> int:
        return self._port.fileno()

    def _close(self) -> None:
        self._port.close()

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        codec.check(batch)
        done = 0
        try:
            for port, rows in self._by_port(batch):
                self._port.send(batch, rows, port, timeout, self._echo)
                done += len(rows)
        except CanError as error:
            error.sent = None if error.sent is None else done + error.sent
            raise  # a lost bus is open until everything received has been fetched

    def _by_port(self, batch: MessageBatch) -> Iterator[tuple[int, Sequence[int]]]:
        """Yield the port and the rows of each run of frames for one port, after checking all channels."""
        if len(self.channels) == 1:
            yield self.channels[0], range(len(batch))
            return
        ports = {index: self._port_of(batch.channels[index]) for index in {*batch.channel}}
        for port, rows in groupby(range(len(batch)), key=lambda row: ports[batch.channel[row]]):
            yield port, [*rows]

    def _port_of(self, channel: Channel) -> int:
        for port in self.channels:
            if channel in (port, str(port)):
                return port
        text = f"channel {quoted(str(channel))} of a message is neither 0 nor 1"
        if channel is None:
            text = "a message needs a channel, 0 or 1, if both are open"
        raise InvalidMessageError(f"{self._port.name}: {text}", hint=f"or open one: {_EXAMPLE}", sent=0)

    def flush_tx_buffer(self, channel: int | None = None) -> None:
        """Wait until the adapter has sent all frames of ``channel``, None for all: it cannot discard them.

        Raises:
            CanOperationError: the channel is not open, or the adapter is lost.
            CanTimeoutError: the number of unsent frames did not fall for a second.
        """
        self._check_open()
        for port in self.channels if channel is None else self._open_port(channel):
            self._port.flush(port)

    def get_can_status(self, channel: int | None = None) -> dict[str, int]:
        """Return the registers of a controller, by default of the first open channel, for diagnostics.

        The names, among them ``rx_error_counter`` and ``tx_error_counter``, are guesses from observed values.

        Raises:
            CanOperationError: the channel is not open, or the adapter is lost.
        """
        self._check_open()
        return self._port.can_status(self._open_port(self.channels[0] if channel is None else channel)[0])

    def _open_port(self, channel: int) -> tuple[int]:
        if channel not in self.channels:
            raise CanOperationError(f"{self._port.name}: channel {channel} is not open")
        return (channel,)

    @staticmethod
    def _obstacle() -> str | None:
        return usb.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return both channels of every adapter that can be opened; the bit rate cannot be detected."""
        from cantools_cli.backends.canalystii.finder import adapters

        configs: list[dict[str, Any]] = []
        for number, (_, trouble) in enumerate(adapters()):
            if trouble is None:
                place = {"device": number} if number else {}
                configs += ({"interface": "canalystii", "channel": channel, **place} for channel in CHANNELS)
        return configs


def _channels(channel: int | Sequence[int] | str) -> tuple[int, ...]:
    """Return the ports to open.

    Raises:
        UsageError: they are none, or others than 0 and 1.
    """
    try:
        parts = channel.split(",") if isinstance(channel, str) else channel
        found = (parts,) if isinstance(parts, int) else tuple(dict.fromkeys(int(part) for part in parts))
    except (ValueError, TypeError):
        found = ()
    if not found or not {*found} <= {*CHANNELS}:
        text = f"canalystii:{channel}: the channels of an adapter are 0 and 1"
        raise UsageError(text, hint=f"such as {_EXAMPLE}")
    return found


def _registers(bitrate: int | None, timing: Any, btr0: int | None, btr1: int | None) -> tuple[int, int]:
    """Return bus timing registers 0 and 1.

    Raises:
        UsageError: nothing tells them, the bit rate is not in the table, or the timing does not fit.
    """
    if timing is not None:
        return _of_timing(timing)
    if btr0 is not None and btr1 is not None:
        if not (0 <= btr0 <= 0xFF and 0 <= btr1 <= 0xFF):
            raise UsageError(f"canalystii: btr0 {btr0:#x} or btr1 {btr1:#x} is not a byte")
        return btr0, btr1
    if bitrate is None:
        raise UsageError("canalystii: neither bitrate nor a timing is given", hint=f"such as {_EXAMPLE}")
    if bitrate not in codec.BIT_RATES:
        rates = ", ".join(f"{rate / 1000:g}k" for rate in codec.BIT_RATES)
        text = f"canalystii: bit rate {bitrate} is not in the table of the adapter"
        raise UsageError(text, hint=f"{rates}; or btr0 and btr1 for {F_CLOCK // 1_000_000} MHz")
    return codec.BIT_RATES[bitrate]


def _of_timing(timing: Any) -> tuple[int, int]:
    if not hasattr(timing, "btr0"):
        raise UsageError("canalystii: the adapter has no CAN FD", hint="use BitTiming instead of BitTimingFd")
    clock = dict(timing).get("f_clock")
    if clock not in (None, F_CLOCK):
        try:
            timing = timing.recreate_with_f_clock(F_CLOCK)
        except ValueError as error:
            raise UsageError(f"canalystii: the timing does not fit the clock of 8 MHz: {error}") from error
    return timing.btr0, timing.btr1


def _bit_rate(bitrate: int | None, registers: tuple[int, int]) -> int | None:
    """Return the bit rate of the registers; the nominal one if the table has them."""
    if bitrate is not None and codec.BIT_RATES.get(bitrate) == registers:
        return bitrate
    try:
        return BitTiming.from_registers(F_CLOCK, *registers).bitrate
    except ValueError:
        return None


def _found(number: int, name: str) -> usb.UsbDevice:
    """Return the adapter with this number.

    Raises:
        CanInitializationError: there are fewer.
    """
    devices = usb.find(IDS)
    if 0 <= number < len(devices):
        return devices[number]
    if not devices:
        raise CanInitializationError(
            f"{name}: no CANalyst-II is connected",
            hint="its USB id is 04d8:0053; lsusb lists what is connected",
        )
    text = f"{name}: no adapter number {number}, {len(devices)} connected"
    raise CanInitializationError(text, hint="device=0 is the first")
