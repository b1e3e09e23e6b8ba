"""Interface ``gs_usb``: a CAN channel of a USB adapter with candleLight or related firmware."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cantools_cli.backends.gs_usb import timing as timings
from cantools_cli.backends.gs_usb.adapter import IDS, GsUsbAdapter
from cantools_cli.backends.gs_usb.channel import chosen, shown, wanted
from cantools_cli.backends.gs_usb.codec import Constants, Feature, Registers, encode
from cantools_cli.backends.gs_usb.port import ErrorCounters, GsUsbPort, PendingFrames
from cantools_cli.backends.transport import usb
from cantools_cli.backends.transport.port import PortBus
from cantools_cli.backends.transport.usb import UsbDevice
from cantools_cli.bit_timing.calculator import CONTROLLERS
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import BusState, CanProtocol, SendRows
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import CanInitializationError, CanOperationError, UsageError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch

_PASSIVE, _BUS_OFF = 2, 3  # of GET_STATE
#: settings that need a feature of the adapter, and their nouns in errors
_MODES = {
    "listen_only": (Feature.LISTEN_ONLY, "listen-only mode"),
    "loopback": (Feature.LOOPBACK, "loopback"),
    "triple_sampling": (Feature.TRIPLE_SAMPLING, "triple sampling"),
    "one_shot": (Feature.ONE_SHOT, "one-shot mode"),
    "fd": (Feature.FD, "CAN FD"),
    "bus_errors": (Feature.BUS_ERRORS, "reports of bus errors"),
}
#: limits of the data phase for adapters with CAN FD that report none; all of them have this controller
_DATA_LIMITS = CONTROLLERS["m_can"].data


@dataclass(frozen=True)
class Options:
    """The settings of a channel; ``modes`` are those of ``_MODES``."""

    bitrate: int = 500_000
    data_bitrate: int = 2_000_000
    sample_point: float | None = None
    dsample_point: float = timings.DATA_SAMPLE_POINT
    timing: BitTiming | BitTimingFd | None = None
    modes: Mapping[str, bool] = field(default_factory=dict)
    termination: bool | None = None
    receive_own_messages: bool = False
    identify: bool = False


class AdapterBus(PortBus):
    """A CAN channel of an adapter with the gs_usb protocol."""

    _port: GsUsbPort
    _adapter: GsUsbAdapter
    _bit_rates: tuple[int, int | None]

    def _open(self, device: UsbDevice, can_channel: int, channel: Any, name: str, options: Options) -> None:
        """Start ``can_channel`` of ``device``; frames have the channel ``channel``.

        Raises:
            CanInitializationError: the device cannot be opened, or refuses a setting.
            UsageError: the adapter lacks a feature, or cannot reach a bit rate.
        """
        self._options = options
        self._fd = options.modes.get("fd", False)
        self._can_protocol = CanProtocol.CAN_FD if self._fd else CanProtocol.CAN_20
        port = GsUsbPort(name, channel, can_channel, self.losses)
        port.keeps_echoes = options.receive_own_messages
        try:
            adapter = GsUsbAdapter.shared(device, can_channel, port, name)
        except BaseException:
            port.close()
            raise
        try:
            port.adapter = adapter
            constants = adapter.constants(can_channel)
            flags = _flags(constants, options, name)
            self._nominal, self._data = _registers(constants, options, name)
            self._bit_rates = _bit_rates(constants.clock, self._nominal, self._data)
            if options.termination is not None:
                _check_feature(constants, Feature.TERMINATION, "a terminating resistor", name)
                adapter.terminate(can_channel, options.termination)
            port.has_stamps = bool(flags & Feature.TIMESTAMPS)
            port.is_one_shot = bool(flags & Feature.ONE_SHOT)
            self._adapter, self._port, self._flags = adapter, port, flags
            adapter.start(can_channel, self._nominal, self._data, flags)
            if port.has_stamps:
                with suppress(CanOperationError):  # else the first frame sets the clock
                    port.clock.anchor(*adapter.counter(can_channel))
            if options.identify:
                self.identify(True)
        except BaseException:
            adapter.release(can_channel)
            port.close()
            raise

    # --- sending --------------------------------------------------------------------------------------

    def _encode(self, batch: MessageBatch) -> list[bytes]:
        if self._flags & Feature.LISTEN_ONLY:
            raise CanOperationError(f"{self._port.name}: a listen-only bus does not send", sent=0)
        pad_byte = self._adapter.needs_pad_byte
        records = []
        for message in batch:
            if message.is_fd and not self._fd:
                raise CanOperationError("cannot send FD message over bus with CAN FD disabled", sent=0)
            try:
                records.append(encode(message, self._port.can_channel, pad_byte=pad_byte))
            except ValueError as error:
                raise CanOperationError(f"{self._port.name}: {error}", sent=0) from error
        return records

    def prepared(self, batch: MessageBatch) -> SendRows:
        """Return a callable that sends rows without waiting for their echoes, so that they keep their times.

        Its call for the last row waits for the echoes of all.
        """
        self._check_open()
        self._check_carried(batch.xl is not None)
        records, sending, port = self._encode(batch), PendingFrames(), self._port

        def send(first: int, last: int, timeout: float | None) -> None:
            self._check_open()
            port.send_on(records[first:last], sending, timeout)
            if last == len(records):
                port.confirm(sending, timeout)

        return send

    def flush_tx_buffer(self) -> None:
        """Discard the frames that wait in the adapter, by a restart of the channel."""
        self._check_open()
        self._restart()

    def _restart(self) -> None:
        try:
            self._adapter.start(self._port.can_channel, self._nominal, self._data, self._flags)
        except CanInitializationError as error:  # the bus is open: an operation failed
            raise CanOperationError(str(error), hint=error.hint) from error
        self._port.forget_sent()

    # --- state ----------------------------------------------------------------------------------------

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._bit_rates

    @property
    def state(self) -> BusState:
        """The state of the controller; PASSIVE if it is error-passive or listens only, ERROR if bus-off.

        Setting ACTIVE restarts the controller, also after bus-off. Setting PASSIVE makes it listen only.

        Raises:
            CanOperationError: the adapter does not answer.
        """
        counters = self._counters()
        if counters.is_bus_off:
            return BusState.ERROR
        is_passive = counters.is_passive or self._flags & Feature.LISTEN_ONLY
        return BusState.PASSIVE if is_passive else BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        self._check_open()
        if new_state is BusState.ERROR:
            raise UsageError(f"{self._port.name}: the state cannot be set to {new_state.name}")
        flags = self._flags & ~Feature.LISTEN_ONLY
        if new_state is BusState.PASSIVE:
            constants = self._adapter.constants(self._port.can_channel)
            _check_feature(constants, *_MODES["listen_only"], self._port.name)
            flags |= Feature.LISTEN_ONLY
        self._flags = flags
        self._restart()

    def error_counters(self) -> tuple[int, int]:
        """Return the error counters of the controller, (received, sent).

        An adapter that does not report them on request has those of its last error frame.

        Raises:
            CanOperationError: the bus is closed, or the adapter does not answer.
        """
        counters = self._counters()
        return counters.rx_errors, counters.tx_errors

    def _counters(self) -> ErrorCounters:
        self._check_open()
        channel = self._port.can_channel
        if self._adapter.constants(channel).features & Feature.STATE:
            state = self._adapter.state(channel)
            return ErrorCounters(
                state.state == _BUS_OFF, state.state == _PASSIVE, state.rx_errors, state.tx_errors
            )
        self._port.wait_for(lambda: True, Deadline(0))  # decode what has arrived
        return self._port.counters

    def identify(self, on: bool = True) -> None:
        """Let the adapter blink, or stop that.

        Raises:
            UsageError: the adapter cannot blink.
            CanOperationError: the bus is closed, or the adapter is lost.
        """
        self._check_open()
        channel = self._port.can_channel
        _check_feature(
            self._adapter.constants(channel), Feature.IDENTIFY, "a request to blink", self._port.name
        )
        self._adapter.identify(channel, on)

    def _close(self) -> None:
        self._port.finish()
        self._port.close()  # before the device, which a thread that still sends would open again
        if self._options.identify:
            with suppress(CanOperationError):
                self._adapter.identify(self._port.can_channel, False)
        self._adapter.release(self._port.can_channel)


class GsUsbBus(AdapterBus):
    """A CAN channel of a candleLight, CANable, CANtact or other gs_usb adapter.

    ``channel`` selects the adapter and its CAN channel: ``0``, ``0:1``, ``BUS.ADDRESS``, ``serial=TEXT``, a
    serial number or the name of a product. With ``index``, or ``bus`` and ``address``, it is only a label,
    and ``can_channel`` counts the CAN channels of the adapter from 0.
    Bit rates are in bit/s, sample points in percent; ``timing`` replaces all of them. ``termination``
    switches the resistor of adapters that have one. ``receive_own_messages`` receives the echoes of sent
    frames, with the time at which they were on the bus. With ``identify`` the adapter blinks until the bus is
    closed.
    """

    def __init__(
        self,
        channel: Any = None,
        bitrate: int = 500_000,
        index: int | None = None,
        bus: int | None = None,
        address: int | None = None,
        can_filters: CanFilters | None = None,
        *,
        serial: str | None = None,
        can_channel: int | None = None,
        fd: bool = False,
        data_bitrate: int = 2_000_000,
        sample_point: float | None = None,
        dsample_point: float = timings.DATA_SAMPLE_POINT,
        timing: BitTiming | BitTimingFd | None = None,
        listen_only: bool = False,
        loopback: bool = False,
        one_shot: bool = False,
        triple_sampling: bool = False,
        bus_errors: bool = False,
        termination: bool | None = None,
        receive_own_messages: bool = False,
        identify: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("gs_usb", GsUsbBus, kwargs)
        choice = wanted(channel, index, bus, address, serial, can_channel)
        name = shown(channel, choice)
        device = chosen(usb.find(IDS.keys()), choice, name)
        modes = {
            "listen_only": listen_only,
            "loopback": loopback,
            "one_shot": one_shot,
            "triple_sampling": triple_sampling or getattr(timing, "nof_samples", 1) == 3,
            "fd": fd or isinstance(timing, BitTimingFd),
            "bus_errors": bus_errors,
        }
        options = Options(
            bitrate,
            data_bitrate,
            sample_point,
            dsample_point,
            timing,
            modes,
            termination,
            receive_own_messages,
            identify,
        )
        label = name.partition(":")[2] if channel is None else channel
        self._open(device, choice.can_channel, label, name, options)
        self.channel_info = f"{name} ({device.strings.product or device.place})"
        super().__init__(channel, can_filters, **kwargs)

    @staticmethod
    def _obstacle() -> str | None:
        return usb.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the channels of the adapters that no program or driver uses."""
        from cantools_cli.backends.gs_usb.finder import adapters

        return [
            {"interface": "gs_usb", "channel": channel}
            for adapter in adapters()
            if adapter.is_available
            for channel in adapter.channels
        ]


def _flags(constants: Constants, options: Options, name: str) -> int:
    """Return the flags of the mode."""
    flags = Feature(0)
    for key, (feature, noun) in _MODES.items():
        if options.modes.get(key):
            _check_feature(constants, feature, noun, name)
            flags |= feature
    return int(flags | constants.features & Feature.TIMESTAMPS)


def _check_feature(constants: Constants, feature: Feature, noun: str, name: str) -> None:
    if not constants.features & feature:
        raise UsageError(f"{name}: the adapter does not have {noun}")


def _registers(constants: Constants, options: Options, name: str) -> tuple[Registers, Registers | None]:
    """Return the nominal bit timing, and that of the data phase."""
    clock, timing = constants.clock, options.timing
    is_fd = options.modes.get("fd", False)
    limits = constants.data or _DATA_LIMITS
    try:
        if timing is not None:
            nominal = timings.given(timing, clock, constants.nominal)
        else:
            is_fast = is_fd and options.bitrate >= 1_000_000
            default = timings.DATA_SAMPLE_POINT if is_fast else timings.SAMPLE_POINT
            point = options.sample_point or default
            nominal = timings.calculated(clock, options.bitrate, constants.nominal, point)
        if not is_fd or limits is None:
            return nominal, None
        if isinstance(timing, BitTimingFd):
            return nominal, timings.given_data(timing, clock, limits)
        return nominal, timings.calculated(clock, options.data_bitrate, limits, options.dsample_point)
    except UsageError as error:
        raise CanInitializationError(f"{name}: {error}", hint=error.hint) from error


def _bit_rates(clock: int, nominal: Registers, data: Registers | None) -> tuple[int, int | None]:
    return nominal.bitrate(clock), None if data is None else data.bitrate(clock)
