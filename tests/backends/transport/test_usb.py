"""Finding and opening USB devices, and the queue of their transfers."""

from __future__ import annotations

import errno
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from usb.core import USBError

from cantools_cli.backends.transport import usb
from cantools_cli.backends.transport.usb import UsbDevice, UsbReader
from cantools_cli.backends.transport.usb_port import Transfer, UsbPort
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import MISSED_FRAMES, Losses
from cantools_cli.errors import CanInitializationError, CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.emulators.usb import Core, EmulatedUsb, StalledError

IDS = {(0x1234, 0x5678)}
LONG = 30.0


class Pipe(Core):
    """A device whose endpoint 1 returns the transfers of ``queue``, and takes any to ``taken``."""

    def __init__(self, serial: str = "S1", ids: tuple[int, int] = (0x1234, 0x5678)) -> None:
        super().__init__(ids, ("Maker", "Product", serial), (0x81, 0x01))
        self.queue: list[bytes | Exception] = []
        self.taken: list[bytes] = []

    def bulk_in(self, endpoint: int, size: int) -> bytes | None:
        if not self.queue:
            return None
        found = self.queue.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def bulk_out(self, endpoint: int, data: bytes) -> None:
        self.taken.append(data)

    def say(self, *transfers: bytes | Exception) -> None:
        self.queue += transfers
        self.notify()


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[UsbDevice]]:
    """Return a function that connects devices, and returns those found."""

    def plug(*cores: Core) -> list[UsbDevice]:
        monkeypatch.setattr(usb, "backend", EmulatedUsb(*cores))
        return usb.find(IDS)

    return plug


Plug = Callable[..., "list[UsbDevice]"]


def test_devices_are_found_by_their_ids(plug: Plug) -> None:
    found = plug(Pipe("S1"), Pipe("S2", ids=(1, 2)), Pipe("S3"))
    assert [(device.place, device.strings) for device in found] == [
        ("1.1", ("Maker", "Product", "S1")),
        ("1.3", ("Maker", "Product", "S3")),
    ]


def test_a_device_is_claimed_until_it_is_closed(plug: Plug) -> None:
    core = Pipe()
    [device] = plug(core)
    device.open("x")
    assert core.claimed_by is not None
    assert [(endpoint.address, endpoint.packet) for endpoint in device.endpoints] == [(0x81, 64), (0x01, 64)]
    device.close()
    assert core.claimed_by is None


@pytest.mark.parametrize(
    ("name", "value", "text", "hint"),
    [
        ("is_readable", False, "x: no permission to open the USB device 1.1", 'ATTR{idVendor}=="1234"'),
        ("claimed_by", "another", "x: another program uses the USB device 1.1", "one program"),
        ("is_plugged", False, "x: the USB device 1.1 was unplugged", ""),
    ],
)
def test_a_device_that_cannot_be_opened(plug: Plug, name: str, value: object, text: str, hint: str) -> None:
    core = Pipe()
    [device] = plug(core)
    setattr(core, name, value)
    for attempt in (device.open, device.open):
        with pytest.raises(CanInitializationError, match=text) as caught:
            attempt("x")
        assert hint in (caught.value.hint or "")
    assert str(device.why_closed()).removeprefix("1.1") == text.removeprefix("x")


def test_a_device_without_rights_has_no_texts(plug: Plug) -> None:
    core = Pipe()
    core.is_readable = False
    [device] = plug(core)
    assert device.strings == ("", "", "")


def test_asking_leaves_the_device_alone(plug: Plug) -> None:
    core = Pipe()
    core.is_kernel_bound = True
    [device] = plug(core)
    assert device.why_closed() is None
    assert core.is_kernel_bound
    assert core.claimed_by is None


def test_the_driver_of_the_kernel_gets_the_device_back(plug: Plug) -> None:
    core = Pipe()
    core.is_kernel_bound = True
    [device] = plug(core)
    device.open("x")
    assert not core.is_kernel_bound
    device.close()
    assert core.is_kernel_bound


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel have can7 on the device 1.1."""
    folder = tmp_path / "1-1"
    (folder / "1-1:1.0" / "net" / "can7").mkdir(parents=True)
    (folder / "busnum").write_text("1\n")
    (folder / "devnum").write_text("1\n")
    monkeypatch.setattr(usb, "_SYSFS", str(tmp_path))


@pytest.mark.usefixtures("sysfs")
def test_an_interface_of_the_kernel_that_is_up_is_left_alone(
    plug: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usb, "_is_up", lambda channel: channel == "can7")
    core = Pipe()
    core.is_kernel_bound = True
    [device] = plug(core)
    assert device.kernel_channels() == ["can7"]
    with pytest.raises(CanInitializationError, match="x: the kernel uses the device as can7") as caught:
        device.open("x")
    assert caught.value.hint == "socketcan:can7, or first: ip link set can7 down"
    assert core.is_kernel_bound


@pytest.mark.usefixtures("sysfs")
def test_an_interface_of_the_kernel_that_is_down_is_taken(plug: Plug) -> None:
    core = Pipe()
    core.is_kernel_bound = True
    [device] = plug(core)
    device.open("x")
    assert not core.is_kernel_bound


def test_a_serial_port_stays_with_its_driver(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    core = Pipe()
    core.is_kernel_bound = True
    [device] = plug(core)
    descriptor = usb.backend.get_interface_descriptor

    def of_a_serial_port(*place: object) -> object:
        found = descriptor(*place)
        found.bInterfaceClass = 0x02
        return found

    monkeypatch.setattr(usb.backend, "get_interface_descriptor", of_a_serial_port)
    with pytest.raises(CanInitializationError, match="is a serial port") as caught:
        device.open("x")
    assert "slcan" in (caught.value.hint or "")
    assert core.is_kernel_bound


def test_transfers(plug: Plug) -> None:
    core = Pipe()
    [device] = plug(core)
    device.open("x")
    buffer = array("B", bytes(64))
    core.say(b"one", b"two")
    assert device.read(0x81, buffer, 1) == b"one"
    assert device.read(0x81, buffer, 1) == b"two"
    assert device.read(0x81, buffer, 1) is None
    assert device.write(0x01, b"three") == 5
    assert core.taken == [b"three"]
    core.say(*(b"old",) * 50, OverflowError())
    device.drain(0x81, 64)
    assert core.queue == []
    with pytest.raises(OSError, match="Pipe error") as caught:
        device.control_in(9, 0, 4)
    assert caught.value.errno == errno.EPIPE


@pytest.mark.parametrize(
    ("number", "text"),
    [(errno.ENODEV, "x: the device was unplugged"), (errno.EINVAL, "x: the device failed: Invalid argument")],
)
def test_the_error_of_a_lost_device(number: int, text: str) -> None:
    assert str(usb.lost(USBError("Invalid argument", None, number), "x")) == text


# --- the thread that reads, and the queue -----------------------------------------------------------------


def decoded(transfers: Sequence[Transfer]) -> MessageBatch:
    """Return one frame per transfer, with its first byte as the identifier; an empty one has none."""
    return MessageBatch([Message(arbitration_id=data[0]) for _, data in transfers if data[0] != 0xFF])


@pytest.fixture
def read(plug: Plug) -> Callable[..., tuple[Pipe, UsbPort, UsbReader]]:
    def read(losses: Losses | None = None) -> tuple[Pipe, UsbPort, UsbReader]:
        core = Pipe()
        [device] = plug(core)
        device.open("x")
        port = UsbPort(decoded, "x", "x", losses)
        reader = UsbReader(
            device, 0x81, 64, name="x", deliver=port.deliver, overflow=port.overflow, fail=port.fail
        )
        reader.start()
        return core, port, reader

    return read


Read = Callable[..., "tuple[Pipe, UsbPort, UsbReader]"]


def received(port: UsbPort, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        batch = port.receive(LONG)
        assert batch is not None
        found += (message.arbitration_id for message in batch)
    return found


def test_transfers_are_decoded_in_order(read: Read) -> None:
    core, port, reader = read()
    core.say(*(bytes((number,)) for number in range(100)))
    assert received(port, 100) == [*range(100)]
    assert port.receive(0) is None
    reader.stop()
    port.close()


def test_a_stalled_endpoint_is_cleared(read: Read) -> None:
    core, port, reader = read()
    core.say(StalledError(), b"\1", StalledError(), b"\2")
    assert received(port, 2) == [1, 2]
    reader.stop()


def test_an_endpoint_that_stays_stalled_is_lost(read: Read) -> None:
    core, port, reader = read()
    core.say(b"\1", *(StalledError(),) * 100)
    assert received(port, 1) == [1]
    with pytest.raises(CanOperationError, match="x: the device failed: Pipe error"):
        port.receive(LONG)
    reader.stop()
    assert port.is_lost


def test_an_oversized_transfer_is_reported(read: Read) -> None:
    losses = Losses()
    core, port, reader = read(losses)
    core.say(OverflowError(), b"\1")
    batch = MessageBatch()
    while len(batch) < 2:
        batch.extend(port.receive(LONG) or MessageBatch())
    assert sorted(message.is_error_frame for message in batch) == [False, True]
    assert losses == {MISSED_FRAMES: 1}
    reader.stop()


def test_a_queue_that_is_full_loses_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cantools_cli.backends.transport.usb_port.QUEUE_FRAMES", 3)
    losses = Losses()
    port = UsbPort(decoded, "x", "x", losses)
    for number in range(5):
        port.deliver(0, bytes((number,)))
    batch = port.receive(0)
    assert batch is not None
    assert [message.arbitration_id for message in batch if not message.is_error_frame] == [0, 1, 2]
    assert [message.is_error_frame for message in batch].count(True) == 1
    assert losses == {MISSED_FRAMES: 2}


def test_a_thread_that_waits_decodes_for_others() -> None:
    """A sender that waits for its echo leaves the frames for the receiver, whose descriptor is ready."""
    import select

    port = UsbPort(decoded, "x")
    poll = select.poll()
    poll.register(port.fileno(), select.POLLIN)
    port.deliver(0, b"\1")
    assert port.wait_for(lambda: len(port._received) == 1, Deadline(LONG))
    assert poll.poll(0)
    assert received(port, 1) == [1]
    assert not poll.poll(0)


def test_a_waiting_thread_sees_what_another_decoded() -> None:
    port = UsbPort(decoded, "x")
    heard: list[bool] = []
    fetched = threading.Event()
    thread = threading.Thread(target=lambda: heard.append(port.wait_for(fetched.is_set, Deadline(LONG))))
    thread.start()

    def decode(transfers: Sequence[Transfer]) -> MessageBatch:
        fetched.set()  # as an echo of the other thread's frame would
        return decoded(transfers)

    port._decode = decode
    port.deliver(time.monotonic_ns(), b"\1")
    assert received(port, 1) == [1]
    thread.join()
    assert heard == [True]


def test_closing_ends_all_waits() -> None:
    port = UsbPort(decoded, "x")
    failures: list[str] = []

    def wait() -> None:
        try:
            port.receive(None)
        except CanOperationError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    port.close()
    for thread in threads:
        thread.join()
    assert failures == ["Cannot operate on a closed bus"] * 3
