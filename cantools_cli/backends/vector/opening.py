"""Opens the port of a bus: which channels it has, whose settings they have, and their clock."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from logging import getLogger
from typing import Any

from cantools_cli.backends.transport.library import Functions
from cantools_cli.backends.vector import channels as configured
from cantools_cli.backends.vector.channels import VectorChannelConfig
from cantools_cli.backends.vector.clock import DriverClock, PortClock
from cantools_cli.backends.vector.exceptions import VectorOperationError
from cantools_cli.backends.vector.library import opened_driver
from cantools_cli.backends.vector.port import XlPort
from cantools_cli.backends.vector.timing import WantedTiming, differences
from cantools_cli.errors import CanInitializationError, UsageError

#: sizes of the receive queue: in events, and in bytes for CAN FD
_CLASSIC_SIZES, _FD_SIZES = (16, 32768), (8192, 524288)
DEFAULT_SIZE = 16384  #: documented, for both


@dataclass(frozen=True)
class PortSettings:
    """What a bus asks for.

    Attributes:
        channels: their numbers: of the device with ``serial``, of the application ``app_name``, or indexes.
        place: the bus in errors.
        library: the file of the library, None for the installed one.
        indexes: those of the channels, None to look for them.
        timing: the bit timing, None to leave all settings of the channels as they are.
        queue_size: of received events, in the unit of the driver.
    """

    channels: tuple[int, ...]
    place: str
    library: str | None
    app_name: str
    serial: int | None
    indexes: tuple[int, ...] | None
    timing: WantedTiming | None
    queue_size: int
    is_fd: bool
    listen_only: bool
    receive_own_messages: bool


@dataclass
class OpenedPort:
    """A port that is set up, but not connected to the bus.

    Attributes:
        indexes: the index of each channel, in the order of the bus.
        masks: the bit of each channel in masks.
        bit_rates: the nominal and the data bit rate in bit/s, None if the driver does not report them.
    """

    port: XlPort
    indexes: tuple[int, ...]
    masks: tuple[int, ...]
    bit_rates: tuple[int | None, int | None]

    def clock(self) -> PortClock:
        """Return the clock of the port: the driver's for all devices, or that of each channel."""
        port = self.port
        if port.sync_time() is not None:
            return PortClock([DriverClock(port.sync_time)])

        def reader(mask: int) -> Callable[[], int | None]:
            return lambda: port.channel_time(mask)

        return PortClock([DriverClock(reader(mask)) for mask in self.masks])


def open_port(opened: ExitStack, settings: PortSettings) -> OpenedPort:
    """Open the driver and a port, and set its channels up; ``opened`` closes both.

    Raises:
        CanInterfaceNotImplementedError: the library is missing.
        CanInitializationError: there is no such channel, or the driver refuses a setting.
    """
    place, timing = settings.place, settings.timing
    xl = opened.enter_context(opened_driver(settings.library, place))
    configs = configured.read_channels(xl, place)
    indexes = _indexes(xl, configs, settings)
    known = {config.channel_index: config.channel_mask for config in configs}
    masks = tuple(known.get(index, 0) or 1 << index for index in indexes)
    mask = 0
    for channel_mask in masks:
        mask |= channel_mask
    port = XlPort(
        xl,
        settings.app_name,
        mask,
        claims=timing is not None,
        queue_size=settings.queue_size,
        is_fd=settings.is_fd,
        place=place,
    )
    opened.callback(port.close)
    if timing is not None:
        port.set_timing(timing)
        if not port.set_silent(settings.listen_only) and settings.listen_only:
            getLogger("can").warning("%s: another program owns the channel: it may acknowledge frames", place)
    configs = configured.read_channels(xl, place)
    rates = _checked_rates(configs, dict(zip(indexes, settings.channels, strict=True)), settings)
    port.set_receipts(settings.receive_own_messages)
    if os.name == "nt":
        try:
            port.request_event()
        except VectorOperationError as error:
            getLogger("can").warning("%s; the bus polls", error)
    return OpenedPort(port, indexes, masks, rates)


def _indexes(
    xl: Functions, configs: Sequence[VectorChannelConfig], settings: PortSettings
) -> tuple[int, ...]:
    """Return the index of each channel.

    Raises:
        UsageError: there are more or fewer given indexes than channels.
        CanInitializationError: there is no such channel.
    """
    place, numbers, given = settings.place, settings.channels, settings.indexes
    if given is not None:
        if len(given) != len(numbers):
            raise UsageError(f"{place}: channel_index has {len(given)} numbers for {len(numbers)} channels")
        return tuple(configured.index_by_number(configs, index, place) for index in given)
    if settings.serial is not None:
        return tuple(configured.index_by_serial(configs, settings.serial, one, place) for one in numbers)
    if settings.app_name:
        return tuple(configured.index_by_application(xl, settings.app_name, one, place) for one in numbers)
    return tuple(configured.index_by_number(configs, one, place) for one in numbers)


def _checked_rates(
    configs: Sequence[VectorChannelConfig], numbers: dict[int, int], settings: PortSettings
) -> tuple[int | None, int | None]:
    """Return the bit rates of the first channel; ``numbers`` maps indexes to the channels of the bus.

    Raises:
        CanInitializationError: a channel has not got the wanted settings.
    """
    of_index = {config.channel_index: config.bus_params for config in configs}
    timing = settings.timing
    for index, number in numbers.items():
        differing = differences(of_index.get(index), timing) if timing and timing.is_checked else []
        if differing:
            text = f"{settings.place}: channel {number} has {', '.join(differing)}"
            raise CanInitializationError(text, hint="another program owns the settings of the channel")
    first = of_index.get(next(iter(numbers)))
    if first is None:
        return None, None
    return first.can.bitrate or None, (first.canfd.data_bitrate or None) if settings.is_fd else None


def channel_numbers(channel: Any) -> tuple[int, ...]:
    """Return the numbers of the channels that ``channel`` means: one, several, or their text with commas.

    Raises:
        UsageError: there are none, or one is not a number.
        TypeError: ``channel`` is of another type.
    """
    if isinstance(channel, int):
        parts: Sequence[Any] = (channel,)
    elif isinstance(channel, str):
        parts = channel.split(",")
    elif isinstance(channel, Sequence):
        parts = channel
    else:
        raise TypeError(f"channel must be an int, a sequence of them or text, not {type(channel).__name__}")
    try:
        numbers = tuple(dict.fromkeys(int(part) for part in parts))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 0:
        text = f"vector:{channel}: a channel is a number from 0"
        raise UsageError(text, hint="such as vector:0 or vector:0,1")
    return numbers


def queue_size(size: int, is_fd: bool) -> int:
    """Return the size of the receive queue; for CAN FD the default means as much as possible.

    Raises:
        UsageError: the driver does not have a queue of this size.
    """
    low, high = _FD_SIZES if is_fd else _CLASSIC_SIZES
    if is_fd and size == DEFAULT_SIZE:
        return high
    if not low <= size <= high or size & (size - 1):
        unit = "bytes" if is_fd else "events"
        raise UsageError(f"vector: rx_queue_size {size} is not a power of two from {low} to {high} {unit}")
    return size
