"""Interface ``cantact``: CANtact and CANtact Pro, whose driver numbers the channels of all adapters."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.gs_usb import timing as timings
from cantools_cli.backends.gs_usb.adapter import channels_of
from cantools_cli.backends.gs_usb.bus import AdapterBus, Options
from cantools_cli.backends.gs_usb.port import ErrorCounters, GsUsbPort
from cantools_cli.backends.transport import usb
from cantools_cli.backends.transport.usb import UsbDevice
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import BusABC, SendRows
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import CanError, CanInitializationError, UsageError, quoted
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch

#: the devices that its driver finds, as (vendor, product)
IDS = frozenset({(0x1D50, 0x606F)})
_PREFIX = "ch:"  # of the channels that detection returns


class CantactBus(AdapterBus):
    """A CAN channel of a CANtact or CANtact Pro adapter.

    ``channel`` counts the CAN channels of all adapters from 0, in the order of USB bus and address; ``ch:0``
    is the same. ``monitor`` listens only. ``bit_timing`` or ``timing`` replaces ``bitrate``; it is converted
    to the clock of the adapter. Frames are awaited without polling, so ``poll_interval`` has no effect.
    ``_testing`` opens no adapter: the bus discards what it sends, and receives nothing.
    Other parameters are those of ``GsUsbBus``.
    """

    def __init__(
        self,
        channel: Any,
        bitrate: int = 500_000,
        poll_interval: float = 0.01,
        monitor: bool = False,
        bit_timing: BitTiming | BitTimingFd | None = None,
        _testing: bool = False,
        *,
        can_filters: CanFilters | None = None,
        timing: BitTiming | BitTimingFd | None = None,
        fd: bool = False,
        data_bitrate: int = 2_000_000,
        sample_point: float | None = None,
        dsample_point: float = timings.DATA_SAMPLE_POINT,
        loopback: bool = False,
        one_shot: bool = False,
        receive_own_messages: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("cantact", CantactBus, kwargs)
        number = _number(channel)
        timing = timing or bit_timing
        modes = {
            "listen_only": monitor,
            "loopback": loopback,
            "one_shot": one_shot,
            "triple_sampling": getattr(timing, "nof_samples", 1) == 3,
            "fd": fd or isinstance(timing, BitTimingFd),
        }
        options = Options(
            bitrate,
            data_bitrate,
            sample_point,
            dsample_point,
            timing,
            modes,
            receive_own_messages=receive_own_messages,
        )
        name = f"cantact:{number}"
        self.channel = number
        self._is_testing = _testing
        if _testing:
            self._options, self._flags, self._bit_rates = options, 0, (bitrate, None)
            self._port = GsUsbPort(name, channel, 0, self.losses)
        else:
            device, can_channel = _chosen(usb.find(IDS), number, name)
            self._open(device, can_channel, channel, name, options)
        self.channel_info = f"CANtact: ch:{number}"
        super().__init__(channel, can_filters, **kwargs)

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        if not self._is_testing:
            super()._send(batch, timeout)

    def prepared(self, batch: MessageBatch) -> SendRows:
        return BusABC.prepared(self, batch) if self._is_testing else super().prepared(batch)

    def _restart(self) -> None:
        if not self._is_testing:
            super()._restart()

    def _counters(self) -> ErrorCounters:
        return ErrorCounters() if self._is_testing else super()._counters()

    def _close(self) -> None:
        if self._is_testing:
            self._port.close()
        else:
            super()._close()

    @staticmethod
    def _obstacle() -> str | None:
        return usb.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the channels of the adapters named CANtact; ``gs_usb`` returns those of all adapters."""
        try:
            devices = usb.find(IDS)
        except CanError:
            return []
        found = []
        first = 0
        for device in devices:
            count = channels_of(device)
            if "cantact" in device.strings.product.lower() and _is_free(device):
                found += [f"{_PREFIX}{first + channel}" for channel in range(count)]
            first += count
            device.close()
        return [{"interface": "cantact", "channel": channel} for channel in found]


def _is_free(device: UsbDevice) -> bool:
    """Return whether no program and no driver of the kernel has ``device``."""
    return not device.kernel_channels() and device.why_closed() is None


def _number(channel: object) -> int:
    """Return the number of ``0`` or ``ch:0``.

    Raises:
        UsageError: ``channel`` is neither.
    """
    text = str(channel).removeprefix(_PREFIX)
    if not text.isdecimal():
        raise UsageError(
            f"cantact:{quoted(channel)[1:-1]}: not the number of a channel", hint="such as cantact:0"
        )
    return int(text)


def _chosen(devices: list[UsbDevice], number: int, name: str) -> tuple[UsbDevice, int]:
    """Return the adapter that has the channel ``number`` of all, and its number there.

    Raises:
        CanInitializationError: there are fewer channels.
    """
    first = 0
    for device in devices:
        count = channels_of(device)
        device.close()
        if number < first + count:
            return device, number - first
        first += count
    if not devices:
        raise CanInitializationError(f"{name}: no adapter found", hint="is it plugged in?")
    raise CanInitializationError(
        f"{name}: no such channel", hint=f"channels here: cantact:0 to cantact:{first - 1}"
    )
