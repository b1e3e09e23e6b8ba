"""USB adapters through pyusb: finding, opening and claiming them, and a bus's queue of their transfers.

pyusb is imported on first use. Its transfers are synchronous: a thread reads one after the other, because
results of several threads would arrive in any order. libusb reads a timeout of 0 as for ever, so none is 0.

``backend`` of this module is a backend of pyusb to use instead of the first that pyusb finds.

Sources: pyusb's docstrings; observed errors of libusb 1.0 on Linux.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from array import array
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cached_property
from glob import glob
from typing import Any, NamedTuple

from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    reason_of,
)

backend: Any = None

TIMEOUT_MS = 1000  #: of a control request and of a write
_READ_MS = 100  # between two checks whether to stop reading
_MAX_STALLS = 16  # in a row
_BULK = 2
_SERIAL_CLASSES = (0x02, 0x0A)  # communications, and its data
_SYSFS = "/sys/bus/usb/devices"

_GONE = (errno.ENODEV, errno.EIO, errno.ENOENT, errno.ESHUTDOWN, errno.EPROTO)
_VENDOR_OUT, _VENDOR_IN = 0x41, 0xC1  # vendor requests to an interface


class Strings(NamedTuple):
    """The texts of a device, empty if it has none or the user may not open it."""

    manufacturer: str = ""
    product: str = ""
    serial: str = ""


class BulkEndpoint(NamedTuple):
    """A bulk endpoint: its address, with bit 7 for those to the host, and its packet size."""

    address: int
    packet: int

    def size_for(self, length: int) -> int:
        """Return the smallest multiple of the packet size that holds ``length`` bytes."""
        return -(-length // self.packet) * self.packet


def find(ids: Collection[tuple[int, int]]) -> list[UsbDevice]:
    """Return the connected devices with the given (vendor, product), in the order of bus and address.

    Raises:
        CanInterfaceNotImplementedError: no library for USB is installed.
    """
    import usb.core  # type: ignore[import-untyped]  # pyusb has no type hints

    try:
        found = [
            UsbDevice(device)
            for device in usb.core.find(
                find_all=True,
                backend=backend,
                custom_match=lambda device: (device.idVendor, device.idProduct) in ids,
            )
        ]
    except usb.core.NoBackendError as error:
        raise no_library() from error
    except usb.core.USBError as error:
        raise CanInitializationError(f"cannot search for USB devices: {reason_of(error)}") from error
    return sorted(found, key=lambda device: (device.bus, device.address))


def no_library() -> CanInterfaceNotImplementedError:
    """Return the error of a computer without a library for USB."""
    return CanInterfaceNotImplementedError(
        "USB adapters need libusb, which is not installed",
        hint="such as apt install libusb-1.0-0, or brew install libusb",
    )


def obstacle() -> str | None:
    """Return why this computer cannot use USB devices, or None."""
    try:
        find(())
    except CanError as error:
        return str(error)
    return None


class UsbDevice:
    """A connected USB device, open after ``open``.

    Errors of requests and transfers are OSError with these numbers: EPIPE, the device refuses it; ETIMEDOUT;
    EOVERFLOW, more data arrived than requested; others, the device is lost.

    Attributes:
        ids: (vendor, product).
        bus, address: the place of the device until it is unplugged.
        endpoints: the bulk endpoints of the interface, once it is open.
    """

    def __init__(self, device: Any) -> None:
        self._device = device
        self.ids: tuple[int, int] = (device.idVendor, device.idProduct)
        self.bus: int = device.bus
        self.address: int = device.address
        self.interface = 0
        self.endpoints: list[BulkEndpoint] = []
        self._was_detached = False
        self._handle: Any = None  # of libusb, while the device is open

    @property
    def place(self) -> str:
        return f"{self.bus}.{self.address}"

    @cached_property
    def strings(self) -> Strings:
        """The texts of the device; reading them opens it and disturbs no other program."""
        texts = []
        for name in Strings._fields:
            text = None
            with suppress(OSError, ValueError):  # without rights it is "The device has no langid"
                text = getattr(self._device, "serial_number" if name == "serial" else name)
            texts.append((text or "").strip("\0 "))
        return Strings(*texts)

    def why_closed(self) -> CanInitializationError | None:
        """Return the error that ``open`` would raise, without taking the device from a program or driver."""
        try:
            self._device.get_active_configuration()
            if not self._has_driver():
                self._claim()
        except (OSError, ValueError) as error:
            if getattr(error, "errno", 0) is None:  # without a configuration, which ``open`` sets
                return None
            return self._not_opened(error, self.place)
        finally:
            self.close()
        return None

    def kernel_channels(self) -> list[str]:
        """Return the kernel's CAN interfaces on this device, such as can0."""
        found: list[str] = []
        for folder in glob(f"{_SYSFS}/*/busnum"):
            folder = os.path.dirname(folder)
            with suppress(OSError, ValueError):
                if (_number(f"{folder}/busnum"), _number(f"{folder}/devnum")) == (self.bus, self.address):
                    found += (os.path.basename(path) for path in glob(f"{folder}/*:*/net/*"))
        return sorted(found)

    # --- opening and closing --------------------------------------------------------------------------

    def open(self, name: str) -> None:
        """Take the device from the kernel's driver, and claim its interface; ``name`` is that of errors.

        Raises:
            CanInitializationError: the user may not, another program uses the device, a CAN interface of the
                kernel on it is up, or it was unplugged.
        """
        try:
            self._configure(name)
            self._detach_driver(name)
            self._claim()
            self._handle = self._device._ctx.handle
        except (OSError, ValueError) as error:
            self.close()
            raise self._not_opened(error, name) from error
        except BaseException:
            self.close()
            raise

    def _configure(self, name: str) -> None:
        try:
            configuration = self._device.get_active_configuration()
        except OSError as error:
            if error.errno is not None:
                raise
            self._device.set_configuration()  # it had none
            configuration = self._device.get_active_configuration()
        interface = configuration[(self.interface, 0)]
        if interface.bInterfaceClass in _SERIAL_CLASSES:  # the kernel's driver keeps it
            raise CanInitializationError(
                f"{name}: the USB device {self.place} is a serial port",
                hint="with slcan firmware its bus is slcan:/dev/ttyACM0",
            )
        self.endpoints = [
            BulkEndpoint(endpoint.bEndpointAddress, endpoint.wMaxPacketSize & 0x7FF or 64)
            for endpoint in interface
            if endpoint.bmAttributes & 3 == _BULK
        ]

    def _has_driver(self) -> bool:
        try:
            return bool(self._device.is_kernel_driver_active(self.interface))
        except NotImplementedError:  # on Windows
            return False

    def _detach_driver(self, name: str) -> None:
        if not self._has_driver():
            return
        active = [channel for channel in self.kernel_channels() if _is_up(channel)]
        if active:
            raise CanInitializationError(
                f"{name}: the kernel uses the device as {' and '.join(active)}",
                hint=f"socketcan:{active[0]}, or first: ip link set {active[0]} down",
            )
        self._device.detach_kernel_driver(self.interface)
        self._was_detached = True

    def _claim(self) -> None:
        import usb.util  # type: ignore[import-untyped]  # pyusb has no type hints

        usb.util.claim_interface(self._device, self.interface)

    def close(self) -> None:
        """Release the device, and return it to the driver of the kernel that had it."""
        import usb.util

        self._handle = None
        with suppress(OSError, ValueError):
            usb.util.release_interface(self._device, self.interface)
        if self._was_detached:
            self._was_detached = False
            with suppress(OSError, ValueError, NotImplementedError):
                self._device.attach_kernel_driver(self.interface)
        with suppress(OSError, ValueError):
            usb.util.dispose_resources(self._device)

    def _not_opened(self, error: Exception, name: str) -> CanInitializationError:
        number = getattr(error, "errno", None)
        vendor, product = self.ids
        if number in (errno.EACCES, errno.EPERM):
            rule = f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor:04x}", ATTR{{idProduct}}=="{product:04x}"'
            return CanInitializationError(
                f"{name}: no permission to open the USB device {self.place}",
                hint=f'a udev rule gives it: {rule}, TAG+="uaccess"; see man canx-adapters',
            )
        if number == errno.EBUSY:
            return CanInitializationError(
                f"{name}: another program uses the USB device {self.place}",
                hint="a device with several channels is open in one program at a time",
            )
        if number in _GONE:
            return CanInitializationError(f"{name}: the USB device {self.place} was unplugged")
        return CanInitializationError(f"{name}: cannot open USB device {self.place}: {reason_of(error)}")

    # --- requests and transfers -----------------------------------------------------------------------

    def control_in(
        self, request: int, value: int, length: int, *, index: int = 0, request_type: int = _VENDOR_IN
    ) -> bytes:
        """Return the answer to a control request, at most ``length`` bytes."""
        return bytes(self._device.ctrl_transfer(request_type, request, value, index, length, TIMEOUT_MS))

    def control_out(
        self, request: int, value: int, data: bytes, *, index: int = 0, request_type: int = _VENDOR_OUT
    ) -> None:
        """Send a control request with ``data``."""
        self._device.ctrl_transfer(request_type, request, value, index, data, TIMEOUT_MS)

    def read(self, endpoint: int, buffer: array[int], timeout_ms: int) -> bytes | None:
        """Return the next transfer of ``endpoint``, None if none arrives; ``buffer`` limits its size.

        The device must be open, and must not be closed during the call. pyusb's own ``read`` searches for the
        endpoint under four locks, which takes twice the time of all else per frame.
        """
        try:
            read, handle = self._device.backend.bulk_read, self._handle
            if handle is None:
                raise OSError(errno.ENODEV, "the device is not open")
            size = read(handle, endpoint, self.interface, buffer, max(1, timeout_ms))
        except OSError as error:
            if error.errno == errno.ETIMEDOUT:
                return None
            raise
        return memoryview(buffer)[:size].tobytes()

    def write(self, endpoint: int, data: bytes, timeout_ms: int = TIMEOUT_MS) -> int:
        """Write one transfer, and return the number of bytes that the device accepted in time."""
        if self._handle is None:  # pyusb would open and claim the device again
            raise OSError(errno.ENODEV, "the device is not open")
        try:
            return int(self._device.write(endpoint, data, max(1, timeout_ms)))
        except OSError as error:
            if error.errno == errno.ETIMEDOUT:
                return 0
            raise

    def drain(self, endpoint: int, size: int, limit: int = 1000) -> None:
        """Discard the queued transfers of ``endpoint``, up to ``limit``."""
        buffer = array("B", bytes(size))
        for _ in range(limit):
            try:
                if self.read(endpoint, buffer, 5) is None:
                    return
            except OSError as error:
                if error.errno != errno.EOVERFLOW:
                    raise

    def clear_halt(self, endpoint: int) -> None:
        self._device.clear_halt(endpoint)


def lost(error: OSError, name: str) -> CanOperationError:
    """Return the error for a failed request or transfer of an open device."""
    if error.errno in _GONE:
        return CanOperationError(f"{name}: the device was unplugged")
    return CanOperationError(f"{name}: the device failed: {reason_of(error)}")


class UsbReader:
    """A thread that reads an endpoint, and hands over each transfer with the time of its arrival.

    ``deliver(time_ns, data)`` gets each transfer and its time on the monotonic clock. ``overflow()`` is
    called for a transfer that is lost because it exceeds ``size``, ``fail(error)`` when the device is lost,
    which ends the thread.
    """

    def __init__(
        self,
        device: UsbDevice,
        endpoint: int,
        size: int,
        *,
        name: str,
        deliver: Callable[[int, bytes], None],
        overflow: Callable[[], None],
        fail: Callable[[CanOperationError], None],
    ) -> None:
        self._device = device
        self._endpoint = endpoint
        self._size = size
        self._name = name
        self._deliver = deliver
        self._overflow = overflow
        self._fail = fail
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"read {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread; this takes up to 0.1 s."""
        self._stopping = True
        if self._thread is not threading.current_thread() and self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        read, deliver = self._device.read, self._deliver
        buffer = array("B", bytes(self._size))
        stalls = 0
        while not self._stopping:
            try:
                data = read(self._endpoint, buffer, _READ_MS)
                if data:
                    deliver(time.monotonic_ns(), data)
                stalls = 0
            except (OSError, ValueError) as error:
                if self._stopping:
                    return
                stalls += 1
                if not self._recovers(error, stalls):
                    self._fail(lost(OSError(getattr(error, "errno", None), reason_of(error)), self._name))
                    return

    def _recovers(self, error: Exception, stalls: int) -> bool:
        number = getattr(error, "errno", None)
        if number not in (errno.EOVERFLOW, errno.EPIPE) or stalls > _MAX_STALLS:
            return False
        if number == errno.EOVERFLOW:
            self._overflow()
        else:
            with suppress(OSError, ValueError):
                self._device.clear_halt(self._endpoint)
        return True


def _number(path: str) -> int:
    with open(path, encoding="ascii") as file:
        return int(file.read())


def _is_up(channel: str) -> bool:
    """Return whether an interface of the kernel is up."""
    if sys.platform != "linux":
        return False
    try:
        with open(f"/sys/class/net/{channel}/flags", encoding="ascii") as file:
            return bool(int(file.read(), 16) & 1)
    except (OSError, ValueError):
        return False
