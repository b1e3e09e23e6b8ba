"""An open adapter, which the buses on its channels share, and its requests.

Only one program can claim an adapter, so the buses of one process share it. The first bus opens it, the last
one closes it. A channel is reset before it starts, since an adapter that another program left may send the
frames it kept. It gets no USB reset: with some firmware no frame would arrive until it is plugged in again.
"""

from __future__ import annotations

import errno
import threading
import time
from contextlib import suppress

from cantools_cli.backends.gs_usb.codec import (
    CLASSIC_SIZE,
    CONFIG_SIZE,
    CONST_EXT_SIZE,
    CONST_SIZE,
    FD_SIZE,
    LITTLE_ENDIAN,
    STAMP_SIZE,
    STATE_SIZE,
    Config,
    Constants,
    ControlRequest,
    Feature,
    Registers,
    State,
    mode,
    number,
    parse_config,
    parse_constants,
    parse_number,
    parse_state,
)
from cantools_cli.backends.transport.usb import BulkEndpoint, UsbDevice, UsbReader, lost
from cantools_cli.backends.transport.usb_port import UsbPort
from cantools_cli.errors import CanInitializationError, CanOperationError, FormatError, reason_of

#: the devices with this protocol, as (vendor, product)
IDS = {
    (0x1D50, 0x606F): "gs_usb, candleLight, CANable, CANtact",
    (0x1209, 0x2323): "candleLight",
    (0x1CD2, 0x606F): "CES CANext FD",
    (0x16D0, 0x10B8): "ABE CAN Debugger",
    (0x16D0, 0x0F30): "Xylanta SAINT3",
    (0x1209, 0xCA01): "CANnectivity",
}

_CANTACT_PRO = ("LinkLayer Labs", "CANtact Pro")
_CHANNEL_PLACE = 9  # of the channel in a transfer
_open: dict[tuple[int, int], GsUsbAdapter] = {}
_opening = threading.Lock()


class GsUsbAdapter:
    """An adapter that is open in this process. ``name`` is that of the bus which opened it."""

    def __init__(self, device: UsbDevice, name: str) -> None:
        self._device = device
        self._name = name
        self._users: dict[int, UsbPort] = {}
        self._constants: dict[int, Constants] = {}
        self._is_gone = False
        self._writing = threading.Lock()  # the device is not closed during a write
        device.open(name)
        try:
            self._in, self._out = self._endpoints()
            self.config = self._hello()
            size = FD_SIZE if self.constants(0).features & Feature.FD else CLASSIC_SIZE
            size = self._in.size_for(size + STAMP_SIZE)
            for channel in range(self.config.channels):
                self._request(ControlRequest.MODE, channel, mode(False))
            device.drain(self._in.address, size)
        except OSError as error:
            device.close()
            raise _not_a_gs_usb(name, error) from error
        except BaseException:
            device.close()
            raise
        self._reader = UsbReader(
            device,
            self._in.address,
            size,
            name=name,
            deliver=self._deliver,
            overflow=self._overflow,
            fail=self._fail,
        )
        self._reader.start()

    @classmethod
    def shared(cls, device: UsbDevice, channel: int, port: UsbPort, name: str) -> GsUsbAdapter:
        """Return the open adapter of ``device``, with ``port`` as the user of its ``channel``.

        Raises:
            CanInitializationError: it cannot be opened, lacks the channel, or another bus of this process
                has the channel.
        """
        key = (device.bus, device.address)
        with _opening:
            adapter = _open.get(key)
            if adapter is not None and adapter._is_gone:
                adapter = None  # another device has its place
            if adapter is None:
                adapter = cls(device, name)
            try:
                adapter._take(channel, port, name)
            except BaseException:
                adapter._close_if_unused(key)
                raise
            _open[key] = adapter
            return adapter

    def _take(self, channel: int, port: UsbPort, name: str) -> None:
        if channel >= self.config.channels:
            last = self.config.channels - 1
            raise CanInitializationError(
                f"{name}: the adapter has no channel {channel}",
                hint=f"channels 0 to {last}" if last else "it has channel 0 only",
            )
        if channel in self._users:
            raise CanInitializationError(f"{name}: another bus of this program has channel {channel} open")
        self._users[channel] = port

    def release(self, channel: int) -> None:
        """Stop ``channel``; the adapter is closed after its last channel."""
        with _opening:
            with suppress(OSError, ValueError):
                self._request(ControlRequest.MODE, channel, mode(False))
            self._users.pop(channel, None)
            self._close_if_unused((self._device.bus, self._device.address))

    def _close_if_unused(self, key: tuple[int, int]) -> None:
        if not self._users:
            if _open.get(key) is self:
                del _open[key]
            self._reader.stop()
            with suppress(OSError, ValueError):
                self._device.drain(self._in.address, self._in.size_for(FD_SIZE + STAMP_SIZE), limit=16)
            with self._writing:
                self._device.close()

    # --- the thread that reads ------------------------------------------------------------------------

    def _deliver(self, time_ns: int, transfer: bytes) -> None:
        """Give a transfer to the bus of its channel; a damaged one goes to all."""
        if len(transfer) > _CHANNEL_PLACE:
            port = self._users.get(transfer[_CHANNEL_PLACE])
            if port is not None:
                port.deliver(time_ns, transfer)
                return
            if transfer[_CHANNEL_PLACE] < self.config.channels:
                return  # of a channel that no bus has open
        for port in [*self._users.values()]:
            port.deliver(time_ns, transfer)

    def _overflow(self) -> None:
        for port in [*self._users.values()]:
            port.overflow()

    def _fail(self, error: CanOperationError) -> None:
        self._is_gone = True
        for port in [*self._users.values()]:
            port.fail(CanOperationError(f"{port.name}{str(error).removeprefix(self._name)}"))

    # --- requests -------------------------------------------------------------------------------------

    def _hello(self) -> Config:
        self._device.control_out(ControlRequest.HOST_FORMAT, 1, LITTLE_ENDIAN)
        try:
            return parse_config(self._device.control_in(ControlRequest.DEVICE_CONFIG, 1, CONFIG_SIZE))
        except FormatError as error:
            raise _not_a_gs_usb(self._name, error) from error

    def constants(self, channel: int) -> Constants:
        """Return the features and the limits of the bit timing of ``channel``."""
        if channel not in self._constants:
            try:
                found = parse_constants(self._device.control_in(ControlRequest.BT_CONST, channel, CONST_SIZE))
                if found.features & Feature.BT_CONST_EXT:
                    reply = self._device.control_in(ControlRequest.BT_CONST_EXT, channel, CONST_EXT_SIZE)
                    found = parse_constants(reply)
            except (OSError, FormatError) as error:
                raise _not_a_gs_usb(self._name, error) from error
            self._constants[channel] = found
        return self._constants[channel]

    @property
    def needs_pad_byte(self) -> bool:
        """Whether sent frames have one more byte."""
        return bool(self.constants(0).features & Feature.PAD_BYTE) or self._is_old_cantact

    @property
    def _is_old_cantact(self) -> bool:
        strings = self._device.strings
        return (strings.manufacturer, strings.product) == _CANTACT_PRO and self.config.software <= 2

    def start(self, channel: int, nominal: Registers, data: Registers | None, flags: int) -> None:
        """Set the bit timing of ``channel``, and start it in the mode ``flags``.

        Raises:
            CanInitializationError: the adapter refuses the timing or the mode.
        """
        name = self._name_of(channel)
        refused = f"the bit timing {'/'.join(map(str, nominal))}"
        try:
            self._request(ControlRequest.MODE, channel, mode(False))
            self._request(ControlRequest.BITTIMING, channel, nominal.packed())
            if data is not None:
                refused = f"the bit timing of the data phase {'/'.join(map(str, data))}"
                old = self._is_old_cantact
                request = ControlRequest.DATA_BITTIMING_OF_CANTACT if old else ControlRequest.DATA_BITTIMING
                self._request(request, channel, data.packed())
            refused = f"the mode {Feature(flags)!r}"
            self._request(ControlRequest.MODE, channel, mode(True, flags))
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise CanInitializationError(f"{name}: the adapter refuses {refused}") from error
            raise CanInitializationError(str(lost(error, name))) from error

    def stop(self, channel: int) -> None:
        """Stop ``channel``, which discards the frames that it has not sent."""
        self._do(ControlRequest.MODE, channel, mode(False))

    def terminate(self, channel: int, on: bool) -> None:
        """Switch the terminating resistor."""
        self._do(ControlRequest.SET_TERMINATION, channel, number(on))

    def identify(self, channel: int, on: bool) -> None:
        """Let the adapter blink."""
        self._do(ControlRequest.IDENTIFY, channel, number(on))

    def _do(self, request: ControlRequest, channel: int, data: bytes) -> None:
        try:
            self._request(request, channel, data)
        except OSError as error:
            name = self._name_of(channel)
            if error.errno == errno.EPIPE:
                raise CanOperationError(f"{name}: the adapter refuses {request.name}") from error
            raise lost(error, name) from error

    def state(self, channel: int) -> State:
        """Return the state and the error counters of the controller.

        Raises:
            CanOperationError: the adapter does not answer.
        """
        return parse_state(self._asked(ControlRequest.GET_STATE, channel, STATE_SIZE))

    def counter(self, channel: int) -> tuple[int, int]:
        """Return the adapter's counter in us, and the time of the monotonic clock in ns.

        Raises:
            CanOperationError: the adapter does not answer.
        """
        before = time.monotonic_ns()
        count = parse_number(self._asked(ControlRequest.TIMESTAMP, channel, 4))
        return count, (before + time.monotonic_ns()) // 2

    def _asked(self, request: ControlRequest, channel: int, size: int) -> bytes:
        name = self._name_of(channel)
        try:
            reply = self._device.control_in(request, channel, size)
        except OSError as error:
            raise lost(error, name) from error
        if len(reply) < size:
            raise CanOperationError(f"{name}: {len(reply)} bytes in reply to {request.name}, not {size}")
        return reply

    def _name_of(self, channel: int) -> str:
        port = self._users.get(channel)
        return self._name if port is None else port.name

    def _request(self, request: ControlRequest, channel: int, data: bytes) -> None:
        self._device.control_out(request, channel, data)

    def _endpoints(self) -> tuple[BulkEndpoint, BulkEndpoint]:
        ins = [endpoint for endpoint in self._device.endpoints if endpoint.address & 0x80]
        outs = [endpoint for endpoint in self._device.endpoints if not endpoint.address & 0x80]
        if not ins or not outs:
            raise CanInitializationError(
                f"{self._name}: the device has no bulk endpoints", hint="it may have other firmware"
            )
        return ins[0], outs[0]

    # --- frames ---------------------------------------------------------------------------------------

    def write(self, channel: int, transfer: bytes, timeout_ms: int) -> int:
        """Write one frame or the rest of one; return the number of bytes that the adapter took in time.

        Raises:
            CanOperationError: the adapter refuses the frame, or is lost.
        """
        try:
            with self._writing:
                return self._device.write(self._out.address, transfer, timeout_ms)
        except OSError as error:
            name = self._name_of(channel)
            if error.errno == errno.EPIPE:
                with suppress(OSError, ValueError):
                    self._device.clear_halt(self._out.address)
                raise CanOperationError(f"{name}: the adapter refuses a frame") from error
            raise lost(error, name) from error


def channels_of(device: UsbDevice) -> int:
    """Return the number of channels of a device that is not open; 1 if it does not tell."""
    with suppress(OSError, ValueError):
        return parse_config(device.control_in(ControlRequest.DEVICE_CONFIG, 1, CONFIG_SIZE)).channels
    return 1


def _not_a_gs_usb(name: str, error: Exception) -> CanInitializationError:
    number = getattr(error, "errno", None)
    if number == errno.EPIPE:
        reason = "the device refuses the requests of gs_usb"
    elif number == errno.ETIMEDOUT:
        reason = "the device does not answer"
    else:
        reason = reason_of(error)
    return CanInitializationError(
        f"{name}: {reason}", hint="unplug it and plug it in again; it may have other firmware, such as slcan"
    )
