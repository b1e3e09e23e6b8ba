"""Interface ``neovi``: networks of a neoVI or ValueCAN device, through Intrepid's module ``ics``."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import cycle
from typing import TYPE_CHECKING, Any

from cantools_cli.backends.neovi import codec, devices
from cantools_cli.backends.neovi.errors import ICSApiError, ICSInitializationError, ICSOperationError
from cantools_cli.backends.neovi.pump import Pump
from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    InvalidMessageError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch, sendable
from cantools_cli.frame.message import Channel, Message

if TYPE_CHECKING:
    from cantools_cli.backends.transport.device_clock import DeviceClock

_GONE = "the device is gone"
FAILED = "transmissions reported as failed"

_LOG = "can.ics_neovi"
_WINDOW = 100  # frames that wait for their echoes at the same time
_FAR_NS = 60 * 1_000_000_000  # no clock of a device is that wrong, unless it was never set
_PAUSE_NS = 1_000_000_000  # without reading
_SYSTEM_MODULUS, _SYSTEM_TICK_NS = 1 << 32, 1_000_000

_Receipt = tuple[int, int]  # identifier and description
_Pending = dict[_Receipt, int]  # the row of each frame


class NeoViBus(LibraryBus):
    """Networks of a neoVI or ValueCAN device of Intrepid Control Systems.

    It needs the package ``python-ics``, and uses the library that the package finds, or ``library``, also
    named ``dll`` and ``override_library_name``. ``channel`` is a network, several, or their text with commas:
    a number, or a name such as HSCAN. ``serial`` is the serial number as printed on the device, and
    ``type_filter`` the type of the device; the first one that is found is opened by default.

    Without ``bitrate`` the device keeps its own bit rates. With ``fd`` the networks carry CAN FD frames, and
    ``data_bitrate`` is ``bitrate`` by default. ``use_system_timestamp`` selects the clock of the computer
    instead of that of the device. Own messages are received unless ``receive_own_messages`` is False.

    The channel of a message selects the network if several are open. ``send`` hands a frame over, by default
    without waiting; with a timeout, also of None, it waits until the device has sent the frame.

    Raises:
        UsageError: a setting is invalid.
        CanInterfaceNotImplementedError: the package is not installed; it is an ImportError as well.
        CanInitializationError: there is no such device, or it is in use.
        ICSInitializationError: the device refuses a bit rate.
    """

    _can_protocol = CanProtocol.CAN_20

    def __init__(
        self,
        channel: Any,
        can_filters: CanFilters | None = None,
        *,
        receive_own_messages: bool = True,
        use_system_timestamp: bool = False,
        serial: str | None = None,
        bitrate: int | None = None,
        fd: bool = False,
        data_bitrate: int | None = None,
        override_library_name: str | None = None,
        type_filter: int | None = None,
        listen_only: bool = False,
        timing: Any | None = None,
        library: str | None = None,
        dll: str | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("neovi", NeoViBus, kwargs)
        _check(listen_only, timing)
        self._ics = devices.load(given(library, dll) or override_library_name)
        self.channels = devices.networks(self._ics, channel)
        self._places = {network: place for place, network in enumerate(self.channels)}
        self._name = f"neovi:{','.join(map(str, self.channels))}"
        self._has_fd = fd
        if fd:
            self._can_protocol = CanProtocol.CAN_FD
        self._rates = bitrate, data_bitrate if data_bitrate is not None else bitrate
        self._receives_own = receive_own_messages
        self._system_clock = _system_clock() if use_system_timestamp else None
        self._shift_ns: int | None = None  # from the clock of the device to that of the computer
        self._has_paused = False  # so that messages may have waited
        self._state = BusState.ACTIVE
        self._receipts: dict[_Receipt, _Pending] = {}  # of frames that wait for their echoes
        self._descriptions = cycle(range(1, 0x8000))
        self._pump = Pump(self._read)
        with self._prepared():
            self._open(type_filter, serial)
        self.channel_info = f"{self.dev.Name} {devices.serial_of(self.dev)} CH:{[*self.channels]}"
        try:
            super().__init__(channel, can_filters, **kwargs)
        except BaseException:
            self.shutdown()
            raise

    # --- opening and closing --------------------------------------------------------------------------

    def _open(self, type_filter: int | None, serial: str | None) -> None:
        self.dev = devices.found(self._ics, type_filter, serial)
        devices.open_device(self._ics, self.dev, self._name)
        self._opened_ns, self._read_ns = time.time_ns(), time.monotonic_ns()
        try:
            nominal, data = self._rates
            for network in self.channels:
                if nominal is not None:
                    self._ics.set_bit_rate(self.dev, nominal, network)
                if self._has_fd and data is not None:
                    self._ics.set_fd_bit_rate(self.dev, data, network)
        except self._ics.RuntimeError as error:
            failure = self._failure(ICSInitializationError, CanInitializationError, error)
            self._shut(is_working=False)
            raise failure from error
        except BaseException:
            self._shut(is_working=False)
            raise

    def _release(self) -> None:
        self._shut(is_working=not self._is_gone())

    def _shut(self, *, is_working: bool) -> None:
        try:
            self._ics.close_device(self.dev)
        except self._ics.RuntimeError as error:
            if is_working:
                raise CanOperationError(f"{self._name}: {devices.text_of(error)}") from error
        finally:
            with suppress(AttributeError):  # else the destructor of the device closes it again, and complains
                self.dev._auto_handle_close = False

    def _failure(self, kind: type[ICSApiError], otherwise: type[CanError], error: Exception) -> CanError:
        """Return the last error of the API, or an ``otherwise`` with the text of ``error``."""
        try:
            return kind(*self._ics.get_last_api_error(self.dev), place=self._name)
        except self._ics.RuntimeError:  # the API does not know
            return otherwise(f"{self._name}: {devices.text_of(error)}")

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        self._pump.wait(0.0, self._pump.has_frames)
        return self._pump.take()

    def _wait(self, seconds: float) -> None:
        self._pump.wait(seconds, self._pump.has_frames)

    def _read(self, seconds: float) -> MessageBatch | None:
        """Return the frames of the open networks, None for none; echoes confirm that frames were sent."""
        self._has_paused = time.monotonic_ns() - self._read_ns > _PAUSE_NS
        timeout = math.ceil(seconds * 1000) / 1000  # the module cuts off fractions of milliseconds
        try:
            messages, errors = self._ics.get_messages(self.dev, False, timeout)
        except self._ics.RuntimeError as error:
            self._refuse(error)
            return None
        self._read_ns = time.monotonic_ns()
        if errors:
            self._log_errors()
        last, kept, places = None, [], []
        for message in messages:
            place = self._places.get(message.NetworkID | message.NetworkID2 << 8)
            if place is not None:
                last = message
                if not message.StatusBitField & codec.TX_MSG or self._is_kept(message):
                    kept.append(message)
                    places.append(place)
        if last is not None:
            self._note_state(last)
        if not kept:
            return None
        return codec.decode(kept, self._times_ns(kept), places, self.channels, self.losses)

    def _is_kept(self, message: Any) -> bool:
        """Return whether ``message``, sent by this device, is received; it confirms that it was sent."""
        if message.StatusBitField2 & codec.ERROR_FRAME:
            return True
        if message.StatusBitField & codec.GLOBAL_ERR:
            self.losses[FAILED] += 1
            return False
        receipt = message.ArbIDOrHeader, message.DescriptionID
        pending = self._receipts.pop(receipt, None)
        if pending is not None:
            pending.pop(receipt, None)
        return self._receives_own

    def _note_state(self, message: Any) -> None:
        is_fd = message.Protocol == codec.PROTOCOL_CANFD
        is_off, is_passive, _ = codec.states(message.StatusBitField, message.StatusBitField3, is_fd)
        self._state = BusState.ERROR if is_off else BusState.PASSIVE if is_passive else BusState.ACTIVE

    def _times_ns(self, messages: Sequence[Any]) -> Iterable[int]:
        if self._system_clock is not None:
            counts = [message.TimeSystem for message in messages]
            return self._system_clock.times_ns(counts, may_be_old=self._has_paused)
        stamp = self._ics.get_timestamp_for_msg
        times = [round(stamp(self.dev, message) * 1e9) + codec.EPOCH_NS for message in messages]
        if self._shift_ns is None:
            self._shift_ns = self._shift(times[-1])
        return [time_ns + self._shift_ns for time_ns in times] if self._shift_ns else times

    def _shift(self, time_ns: int) -> int:
        """Return what to add to times of the device: 0 unless its clock was never set.

        ``time_ns`` is the time of the first frame, which cannot be earlier than opening.
        """
        now = time.time_ns()
        if self._opened_ns - _FAR_NS < time_ns < now + _FAR_NS:
            return 0
        _warn("%s: the clock of the device is not set; times begin now", self._name)
        return now - time_ns

    def _log_errors(self) -> None:
        try:
            errors = Counter(self._ics.get_error_messages(self.dev))
        except self._ics.RuntimeError as error:
            _warn("%s: %s", self._name, devices.text_of(error))
            return
        for values, count in errors.items():
            repeated = f" ({count} times)" if count > 1 else ""
            _warn("%s%s", ICSApiError(*values, place=self._name), repeated)

    def _refuse(self, error: Exception) -> None:
        """Raise the error of the API; if the device is gone, receiving raises one after the last frame."""
        if not self._is_gone():
            raise self._failure(ICSOperationError, CanOperationError, error) from error
        self._lose(CanOperationError(f"{self._name}: {_GONE}"))

    def _fetched(self) -> MessageBatch | None:
        batch = super()._fetched()
        if batch is None and self._lost is not None:
            return self._pump.take()  # what a sender has read
        return batch

    def _is_gone(self) -> bool:
        try:
            return not self._ics.validate_hobject(self.dev)
        except self._ics.RuntimeError:
            return True

    # --- sending --------------------------------------------------------------------------------------

    def send(self, msg: Message, timeout: float | None = 0) -> None:
        """Send one message; with a timeout, wait until the device has sent it.

        Raises:
            CanOperationError: the bus is closed, or the device refused the message.
            CanTimeoutError: the device has not sent the message in time.
            InvalidMessageError: ``msg`` is not a CAN frame, or needs a channel; it is a ValueError as well.
        """
        self.send_batch(sendable([msg]), timeout)

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        codec.check(batch, self._name, self._has_fd)
        networks = {index: self._network_of(batch.channels[index]) for index in {*batch.channel}}
        with self._gate:
            if self._is_gone():  # which receiving finds after the last frame
                raise CanOperationError(f"{self._name}: {_GONE}", sent=0)
        deadline = Deadline(timeout)
        for first in range(0, len(batch), _WINDOW):
            pending: _Pending | None = {} if timeout != 0 else None
            try:
                for row in range(first, min(first + _WINDOW, len(batch))):
                    self._transmit(batch, row, networks[batch.channel[row]], pending)
                if pending:
                    self._confirm(pending, deadline)
            finally:
                for receipt in [*(pending or ())]:
                    self._receipts.pop(receipt, None)

    def _network_of(self, channel: Channel) -> int:
        """Return the network for frames of ``channel``.

        Raises:
            InvalidMessageError: several networks are open, and the channel names another.
        """
        if len(self.channels) == 1:
            return self.channels[0]
        if channel is not None:
            with suppress(UsageError):
                network = devices.network(self._ics, channel)
                if network in self.channels:
                    return network
        text = "a message needs a channel if several are open"
        if channel is not None:
            text = f"channel {quoted(str(channel))} of a message is not open"
        hint = f"one of {', '.join(map(str, self.channels))}"
        raise InvalidMessageError(f"{self._name}: {text}", hint=hint, sent=0)

    def _transmit(self, batch: MessageBatch, row: int, network: int, pending: _Pending | None) -> None:
        """Hand a frame over; its echo is awaited if there is ``pending``."""
        description = 0 if pending is None else next(self._descriptions)
        message = codec.fill(self._ics.SpyMessage(), batch, row, network, description)
        if pending is not None:
            receipt = message.ArbIDOrHeader, description
            pending[receipt] = row
            self._receipts[receipt] = pending
        try:
            with self._gate:
                self._ics.transmit_messages(self.dev, message)
        except self._ics.RuntimeError as error:
            with self._gate:
                if self._is_gone():
                    raise CanOperationError(f"{self._name}: {_GONE}", sent=row) from error
                failure = self._failure(ICSOperationError, CanOperationError, error)
            failure.sent = row
            raise failure from error

    def _confirm(self, pending: _Pending, deadline: Deadline) -> None:
        """Wait for the echoes; this thread reads if no other does."""
        while (sent := min(pending.values(), default=None)) is not None:  # another thread may empty it
            if self._lost is not None:
                raise CanOperationError(f"{self._name}: {_GONE}", sent=sent)
            remaining = deadline.remaining()
            if remaining == 0:
                text = f"{self._name}: the device has not sent the frame in time"
                raise CanTimeoutError(text, hint="is another node on the bus?", sent=sent)
            with self._gate:
                self._pump.wait(
                    self._slice if remaining is None else min(self._slice, remaining), lambda: not pending
                )

    # --- state and detection --------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """The state in the last message of the device: ERROR if it is off the bus."""
        return self._state

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError(f"{self._name}: the state is a setting of the device")

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._rates[0], self._rates[1] if self._has_fd else None

    @staticmethod
    def channel_to_netid(channel_name_or_id: int | str) -> int:
        """Return the number of a network."""
        return devices.network(devices.load(), channel_name_or_id)

    @staticmethod
    def get_serial_number(device: Any) -> str:
        """Return the serial number as it is printed on ``device``."""
        return devices.serial_of(device)

    @staticmethod
    def _obstacle() -> str | None:
        return devices.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the first network of each connected device."""
        from cantools_cli.backends.neovi.finder import configs

        return configs()


def _system_clock() -> DeviceClock:
    from cantools_cli.backends.transport.device_clock import DeviceClock

    return DeviceClock(_SYSTEM_MODULUS, _SYSTEM_TICK_NS)


def _check(listen_only: bool, timing: Any | None) -> None:
    """Refuse settings that the module lacks.

    Raises:
        UsageError: one of them is given.
    """
    if listen_only:
        text = "neovi: listening only is a setting of the device, which its module cannot change"
        raise UsageError(text, hint="set it with neoVI Explorer")
    if timing is not None:
        raise UsageError("neovi: the module has no bit timing", hint="such as bitrate=500k")


def _warn(text: str, *values: object) -> None:
    import logging

    logging.getLogger(_LOG).warning(text, *values)
