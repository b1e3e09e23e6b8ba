"""Emulated USB devices, and the bus that pyusb finds them on.

A device is a ``Core``: descriptors, requests and transfers, without any program interface. ``EmulatedUsb``
serves cores to pyusb as a backend; ``tests.emulators.usbip`` serves them to a Linux kernel.

Sources: Universal Serial Bus Specification 2.0, chapter 9; the docstrings of pyusb's ``IBackend``.
"""

from __future__ import annotations

import errno
import struct
import threading
import time
from array import array
from collections.abc import Callable, Iterable
from functools import partial
from types import SimpleNamespace
from typing import Any

import usb.backend
from usb.core import USBError, USBTimeoutError

DEVICE, CONFIGURATION, STRING, INTERFACE, ENDPOINT = 1, 2, 3, 4, 5
#: standard requests
GET_STATUS, CLEAR_FEATURE, SET_FEATURE, SET_ADDRESS, GET_DESCRIPTOR = 0, 1, 3, 5, 6
GET_CONFIGURATION, SET_CONFIGURATION, GET_INTERFACE, SET_INTERFACE = 8, 9, 10, 11

_DEVICE = struct.Struct("<BBHBBBBHHHBBBB")
_CONFIGURATION = struct.Struct("<BBHBBBBB")
_INTERFACE = struct.Struct("<BBBBBBBBB")
_ENDPOINT = struct.Struct("<BBBBHB")
_HEAD = "bLength bDescriptorType"
_DEVICE_FIELDS = (
    f"{_HEAD} bcdUSB bDeviceClass bDeviceSubClass bDeviceProtocol bMaxPacketSize0 idVendor idProduct "
    "bcdDevice iManufacturer iProduct iSerialNumber bNumConfigurations"
)
_CONFIGURATION_FIELDS = (
    f"{_HEAD} wTotalLength bNumInterfaces bConfigurationValue iConfiguration bmAttributes bMaxPower"
)
_INTERFACE_FIELDS = (
    f"{_HEAD} bInterfaceNumber bAlternateSetting bNumEndpoints bInterfaceClass bInterfaceSubClass "
    "bInterfaceProtocol iInterface"
)
_ENDPOINT_FIELDS = f"{_HEAD} bEndpointAddress bmAttributes wMaxPacketSize bInterval"
_ENGLISH = b"\x04\x03\x09\x04"

BULK = 2
FULL_SPEED, HIGH_SPEED = 2, 3  # as libusb and pyusb number them


class StalledError(Exception):
    """The device refuses a request or a transfer."""


class UnpluggedError(Exception):
    """The device was unplugged."""


class Core:
    """A USB device with one configuration and one vendor-specific interface with bulk endpoints.

    A subclass implements ``control``, ``bulk_out`` and ``bulk_in``, and calls ``notify`` when ``bulk_in`` has
    something new. None of them waits.

    Attributes:
        speed: ``FULL_SPEED`` or ``HIGH_SPEED``.
        is_kernel_bound: whether a driver of the kernel holds the interface.
        is_readable: whether the user may open the device; a stranger still finds it.
        claimed_by: the handle of the program that holds the interface.
        resets: the number of resets by the host.
    """

    def __init__(
        self,
        ids: tuple[int, int],
        strings: tuple[str, str, str],
        endpoints: Iterable[int],
        *,
        packet: int = 64,
        speed: int = FULL_SPEED,
    ) -> None:
        self.ids = ids
        self.strings = {index: text for index, text in enumerate(strings, 1) if text}
        self.endpoints = tuple(endpoints)
        self.packet = packet
        self.speed = speed
        self.configuration = 1
        self.is_plugged = True
        self.is_kernel_bound = False
        self.is_readable = True
        self.claimed_by: object = None
        self.resets = 0
        self.listeners: list[Callable[[], None]] = []
        manufacturer, product, serial = (index if index in self.strings else 0 for index in (1, 2, 3))
        self.device_descriptor = _DEVICE.pack(
            18, DEVICE, 0x0200, 0, 0, 0, 64, *ids, 0x0100, manufacturer, product, serial, 1
        )
        parts = [_INTERFACE.pack(9, INTERFACE, 0, 0, len(self.endpoints), 0xFF, 0xFF, 0xFF, 0)]
        parts += [_ENDPOINT.pack(7, ENDPOINT, number, BULK, packet, 0) for number in self.endpoints]
        rest = b"".join(parts)
        self.configuration_descriptor = (
            _CONFIGURATION.pack(9, CONFIGURATION, 9 + len(rest), 1, 1, 0, 0x80, 50) + rest
        )

    # --- what a device implements ----------------------------------------------------------------------

    def control(
        self, request_type: int, request: int, value: int, index: int, data: bytes, size: int
    ) -> bytes:
        """Answer a vendor's request: at most ``size`` bytes to the host, or b"" after taking ``data``."""
        raise StalledError

    def bulk_out(self, endpoint: int, data: bytes) -> None:
        """Take one transfer; BlockingIOError if the device cannot yet: the host tries again."""
        raise StalledError

    def bulk_in(self, endpoint: int, size: int) -> bytes | None:
        """Return the next transfer, None if there is none; OverflowError if it is larger than ``size``."""
        raise StalledError

    def reset(self) -> None:
        """Take a reset by the host."""
        self.resets += 1

    # --- what all devices share ------------------------------------------------------------------------

    def notify(self) -> None:
        for listener in self.listeners:
            listener()

    def unplug(self) -> None:
        self.is_plugged = False
        self.notify()

    def request(
        self, request_type: int, request: int, value: int, index: int, data: bytes, size: int
    ) -> bytes:
        """Answer any control request."""
        if not self.is_plugged:
            raise UnpluggedError
        if request_type & 0x60:
            return self.control(request_type, request, value, index, data, size)[:size]
        return self._standard(request_type, request, value)[:size]

    def _standard(self, request_type: int, request: int, value: int) -> bytes:
        if request == GET_DESCRIPTOR:
            return self._descriptor(value >> 8, value & 0xFF)
        if request == GET_STATUS:
            return b"\0\0"
        if request == GET_CONFIGURATION:
            return bytes((self.configuration,))
        if request == GET_INTERFACE:
            return b"\0"
        if request == SET_CONFIGURATION:
            self.configuration = value
        elif request not in (SET_INTERFACE, SET_ADDRESS, CLEAR_FEATURE, SET_FEATURE):
            raise StalledError
        return b""

    def _descriptor(self, kind: int, index: int) -> bytes:
        if kind == DEVICE:
            return self.device_descriptor
        if kind == CONFIGURATION and index == 0:
            return self.configuration_descriptor
        if kind == STRING and index == 0:
            return _ENGLISH
        if kind == STRING and index in self.strings:
            text = self.strings[index].encode("utf-16-le")
            return bytes((2 + len(text), STRING)) + text
        raise StalledError


class Handle:
    """A program's open device; several programs can open one, but only one claims its interface."""

    def __init__(self, core: Core) -> None:
        self.core = core


class EmulatedUsb(usb.backend.IBackend):  # type: ignore[misc]  # pyusb has no types
    """A USB bus with ``cores`` as pyusb's backend: their addresses are 1, 2 and so on, on bus 1."""

    def __init__(self, *cores: Core) -> None:
        super().__init__()
        self.cores = list(cores)
        self._changed = threading.Condition()
        self._changes = 0
        for core in cores:
            core.listeners.append(self._wake)

    def plug(self, core: Core) -> None:
        core.listeners.append(self._wake)
        self.cores.append(core)

    def _wake(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    # --- descriptors -----------------------------------------------------------------------------------

    def enumerate_devices(self) -> Iterable[Core]:
        return [core for core in self.cores if core.is_plugged]

    def get_parent(self, dev: Core) -> None:
        return None

    def get_device_descriptor(self, dev: Core) -> SimpleNamespace:
        found = _fields(_DEVICE, _DEVICE_FIELDS, dev.device_descriptor, 0)
        found.bus, found.address, found.speed = 1, self.cores.index(dev) + 1, dev.speed
        found.port_number, found.port_numbers = found.address, (found.address,)
        return found

    def get_configuration_descriptor(self, dev: Core, config: int) -> SimpleNamespace:
        if config:
            raise IndexError("one configuration")
        return _fields(_CONFIGURATION, _CONFIGURATION_FIELDS, dev.configuration_descriptor, 0)

    def get_interface_descriptor(self, dev: Core, intf: int, alt: int, config: int) -> SimpleNamespace:
        if intf or alt or config:
            raise IndexError("one interface")
        return _fields(_INTERFACE, _INTERFACE_FIELDS, dev.configuration_descriptor, 9)

    def get_endpoint_descriptor(
        self, dev: Core, ep: int, intf: int, alt: int, config: int
    ) -> SimpleNamespace:
        if ep >= len(dev.endpoints):
            raise IndexError("no such endpoint")
        return _fields(_ENDPOINT, _ENDPOINT_FIELDS, dev.configuration_descriptor, 18 + 7 * ep)

    # --- opening ---------------------------------------------------------------------------------------

    def open_device(self, dev: Core) -> Handle:
        if not dev.is_plugged:
            raise _error(errno.ENODEV)
        if not dev.is_readable:
            raise _error(errno.EACCES)
        return Handle(dev)

    def close_device(self, dev_handle: Handle) -> None:
        self.release_interface(dev_handle, 0)

    def set_configuration(self, dev_handle: Handle, config_value: int) -> None:
        core = self._used(dev_handle)
        if core.is_kernel_bound or core.claimed_by is not None:
            raise _error(errno.EBUSY)
        core.configuration = config_value

    def get_configuration(self, dev_handle: Handle) -> int:
        return self._used(dev_handle).configuration

    def set_interface_altsetting(self, dev_handle: Handle, intf: int, altsetting: int) -> None:
        self._used(dev_handle)

    def claim_interface(self, dev_handle: Handle, intf: int) -> None:
        core = self._used(dev_handle)
        if core.is_kernel_bound or core.claimed_by not in (None, dev_handle):
            raise _error(errno.EBUSY)
        core.claimed_by = dev_handle

    def release_interface(self, dev_handle: Handle, intf: int) -> None:
        if dev_handle.core.claimed_by is dev_handle:
            dev_handle.core.claimed_by = None

    def is_kernel_driver_active(self, dev_handle: Handle, intf: int) -> bool:
        return self._used(dev_handle).is_kernel_bound

    def detach_kernel_driver(self, dev_handle: Handle, intf: int) -> None:
        self._used(dev_handle).is_kernel_bound = False

    def attach_kernel_driver(self, dev_handle: Handle, intf: int) -> None:
        self._used(dev_handle).is_kernel_bound = True

    def clear_halt(self, dev_handle: Handle, ep: int) -> None:
        self._used(dev_handle)

    def reset_device(self, dev_handle: Handle) -> None:
        self._used(dev_handle).reset()

    def _used(self, handle: Handle) -> Core:
        if not handle.core.is_plugged:
            raise _error(errno.ENODEV)
        return handle.core

    # --- transfers -------------------------------------------------------------------------------------

    def ctrl_transfer(
        self,
        dev_handle: Handle,
        bmRequestType: int,  # noqa: N803 - pyusb's names
        bRequest: int,  # noqa: N803
        wValue: int,  # noqa: N803
        wIndex: int,  # noqa: N803
        data: array[int],
        timeout: int,
    ) -> Any:
        core = self._used(dev_handle)
        to_host = bool(bmRequestType & 0x80)
        sent = b"" if to_host else data.tobytes()
        size = len(data) * data.itemsize
        try:
            answer = core.request(bmRequestType, bRequest, wValue, wIndex, sent, size)
        except StalledError:
            raise _error(errno.EPIPE) from None
        except UnpluggedError:
            raise _error(errno.ENODEV) from None
        if not to_host:
            return size
        data[: len(answer)] = array("B", answer)
        return len(answer)

    def bulk_write(self, dev_handle: Handle, ep: int, intf: int, data: array[int], timeout: int) -> int:
        core = self._used(dev_handle)
        if core.claimed_by is not dev_handle:
            raise _error(errno.EBUSY)
        end = time.monotonic() + timeout / 1000 if timeout else None
        while True:
            seen = self._changes
            try:
                core.bulk_out(ep, data.tobytes())
                return len(data)
            except StalledError:
                raise _error(errno.EPIPE) from None
            except UnpluggedError:
                raise _error(errno.ENODEV) from None
            except BlockingIOError:
                self._await_change(seen, end)

    def _await_change(self, seen: int, end: float | None) -> None:
        """Wait until a device has changed since ``seen``; raise USBTimeoutError at ``end``."""
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            raise _error(errno.ETIMEDOUT)
        with self._changed:
            self._changed.wait_for(partial(self._has_changed, seen), left)

    def bulk_read(self, dev_handle: Handle, ep: int, intf: int, buff: array[int], timeout: int) -> int:
        core = self._used(dev_handle)
        if core.claimed_by is not dev_handle:
            raise _error(errno.EBUSY)
        end = time.monotonic() + timeout / 1000 if timeout else None
        while True:
            seen = self._changes
            try:
                data = core.bulk_in(ep, len(buff))
            except StalledError:
                raise _error(errno.EPIPE) from None
            except OverflowError:
                raise _error(errno.EOVERFLOW) from None
            if data is not None:
                buff[: len(data)] = array("B", data)
                return len(data)
            if not core.is_plugged:
                raise _error(errno.ENODEV)
            self._await_change(seen, end)

    def _has_changed(self, seen: int) -> bool:
        return self._changes != seen


def _fields(layout: struct.Struct, names: str, data: bytes, at: int) -> SimpleNamespace:
    """Return the fields of a descriptor, as pyusb's backends do."""
    fields: dict[str, Any] = dict(zip(names.split(), layout.unpack_from(data, at), strict=True))
    return SimpleNamespace(**fields, bRefresh=0, bSynchAddress=0, extra_descriptors=[])


_TEXTS = {
    errno.EPIPE: "Pipe error",
    errno.ENODEV: "No such device (it may have been disconnected)",
    errno.EBUSY: "Resource busy",
    errno.EACCES: "Access denied (insufficient permissions)",
    errno.EOVERFLOW: "Overflow",
    errno.ETIMEDOUT: "Operation timed out",
}
#: libusb's code for each
_CODES = {
    errno.EPIPE: -9,
    errno.ENODEV: -4,
    errno.EBUSY: -6,
    errno.EACCES: -3,
    errno.EOVERFLOW: -8,
    errno.ETIMEDOUT: -7,
}


def _error(number: int) -> USBError:
    """Return pyusb's error, as its backend for libusb 1.0 makes it."""
    kind = USBTimeoutError if number == errno.ETIMEDOUT else USBError
    return kind(_TEXTS[number], _CODES[number], number)
