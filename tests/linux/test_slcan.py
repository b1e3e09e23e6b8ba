"""The kernel's own driver of slcan, its line discipline, judges the emulated adapter and canx's bus."""

from __future__ import annotations

import fcntl
import os
import subprocess
import termios
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cantools_cli.backends.slcan.bus import SlcanBus
from cantools_cli.backends.slcan.codec import SlcanDecoder
from cantools_cli.backends.socketcan.bus import SocketcanBus
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanInitializationError, CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from tests.emulators.line import Line, plugged
from tests.emulators.slcan import Slcan

N_SLCAN = 17
PATIENCE = 60
FRAMES = [
    (b"t12330102AB", Message(arbitration_id=0x123, is_extended_id=False, data=b"\x01\x02\xab")),
    (b"T12ABCDEF2DEAD", Message(arbitration_id=0x12ABCDEF, data=b"\xde\xad")),
    (b"t0070", Message(arbitration_id=7, is_extended_id=False)),
    (b"r7FF4", Message(arbitration_id=0x7FF, is_extended_id=False, is_remote_frame=True, dlc=4)),
    (b"R1FFFFFFF0", Message(arbitration_id=0x1FFFFFFF, is_remote_frame=True, dlc=0)),
]
REPORTS = [
    b"e1o",
    b"e1b",
    b"e1B",
    b"e1c",
    b"e1f",
    b"e1s",
    b"e1a",
    b"sw098033",
    b"sp128127",
    b"sa010010",
    b"sb256256",
]


def ip(*words: str) -> None:
    subprocess.run(["ip", "link", "set", *words], check=True, timeout=PATIENCE)


@contextmanager
def attached(line: Line, *settings: str) -> Iterator[str]:
    """Give the line to the kernel's driver; yield the name of the interface, which is up."""
    network = Path("/sys/class/net")
    before = set(os.listdir(network))
    terminal = os.open(line.channel, os.O_RDWR | os.O_NOCTTY)
    try:
        fcntl.ioctl(terminal, termios.TIOCSETD, array("i", [N_SLCAN]))
        (name,) = set(os.listdir(network)) - before
        ip(name, "type", "can", "bitrate", "500000", *settings)
        ip(name, "up")
        yield name
        if (network / name).exists():  # the line is still plugged in
            ip(name, "down")
    finally:
        with suppress(OSError):
            fcntl.ioctl(terminal, termios.TIOCSETD, array("i", [0]))
        os.close(terminal)


def next_message(bus: SocketcanBus | SlcanBus) -> Message:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        message = bus.recv(1)
        if message is not None and message.is_rx:
            return message
    raise AssertionError("no frame")


def test_the_kernel_works_with_the_emulator() -> None:
    device = Slcan()
    with plugged(device) as line:
        with attached(line) as name, SocketcanBus(name) as bus:
            line.wait_for(b"C\rS6\rO\r")
            for text, message in FRAMES:
                bus.send(message)
                line.wait_for(text + b"\r")
            assert device.frames == [text for text, _ in FRAMES]
            line.inject(b"".join(device.line(text) for text, _ in FRAMES))
            for _, message in FRAMES:
                assert next_message(bus).equals(message, timestamp_delta=None, check_channel=False)
            with pytest.raises(CanInitializationError, match="line discipline 17"):
                SlcanBus(line.channel)
        line.wait_for(b"O\r" + b"".join(text + b"\r" for text, _ in FRAMES) + b"C\r")


def test_the_kernel_listens_as_canx_does() -> None:
    device = Slcan()
    with plugged(device) as line:
        with attached(line, "listen-only", "on"):
            line.wait_for(b"C\rS6\rL\r")
            assert device.listens
        with SlcanBus(line.channel, bitrate=500_000, listen_only=True):
            line.wait_for(b"S6\rL\r")


def test_the_kernel_makes_the_same_of_reports() -> None:
    decoder, different = SlcanDecoder(Losses(), lambda digits, counts, time_ns: [*counts]), {}
    with plugged(Slcan()) as line, attached(line) as name, SocketcanBus(name) as bus:
        for text in REPORTS:
            line.inject(text + b"\r")
            (ours,) = decoder.feed(text + b"\r", 0)
            theirs = next_message(bus)
            if (theirs.arbitration_id, theirs.data) != (ours.arbitration_id, ours.data):
                different[text] = f"{theirs.arbitration_id:X} {theirs.data.hex()}"
    assert different == {b"e1c": "88 0000010800000000"}  # the kernel adds a bit error to a CRC error


def test_kernel_and_canx_exchange_frames_over_an_emulated_bus() -> None:
    near, far = Slcan(), Slcan("canable2")
    with plugged(near) as near_line, plugged(far, "tcp") as far_line:

        def to_far(frame: bytes) -> list[bytes]:
            far_line.inject(far.line(frame))
            return []

        def to_near(frame: bytes) -> list[bytes]:
            near_line.inject(near.line(frame))
            return []

        near.peer, far.peer = to_far, to_near
        with (
            SlcanBus(far_line.channel, bitrate=500_000) as ours,
            attached(near_line) as name,
            SocketcanBus(name) as kernel,
        ):
            near_line.wait_for(b"O\r")
            for _, message in FRAMES:
                kernel.send(message)
                assert next_message(ours).equals(message, timestamp_delta=None, check_channel=False)
                ours.send(message)
                assert next_message(kernel).equals(message, timestamp_delta=None, check_channel=False)
            assert ours.losses == {}


@pytest.mark.parametrize("profile", ["lawicel", "weact", "nakakiyo"])
def test_frames_in_bulk_keep_their_order(profile: str) -> None:
    near, far = Slcan(profile), Slcan(profile)
    messages = [
        Message(arbitration_id=number, is_extended_id=False, data=number.to_bytes(2, "big"))
        for number in range(50)
    ]
    with plugged(near) as near_line, plugged(far) as far_line:
        near.peer = lambda frame: far_line.inject(far.line(frame)) or []
        far.peer = lambda frame: near_line.inject(near.line(frame)) or []
        with (
            attached(near_line) as name,
            SocketcanBus(name) as kernel,
            SlcanBus(far_line.channel, bitrate=500_000) as ours,
        ):
            ours.send_batch(MessageBatch(messages))
            assert [next_message(kernel).arbitration_id for _ in messages] == [*range(50)]
            for message in messages:
                kernel.send(message, timeout=PATIENCE)
            assert [next_message(ours).arbitration_id for _ in messages] == [*range(50)]
            assert not ours.losses
            assert not kernel.losses


def test_unplugging_ends_both_after_what_arrived() -> None:
    near, far = Slcan(), Slcan()
    with (
        plugged(near) as near_line,
        plugged(far) as far_line,
        attached(near_line) as name,
        SocketcanBus(name) as kernel,
        SlcanBus(far_line.channel, bitrate=500_000) as ours,
    ):
        for line, bus in ((near_line, kernel), (far_line, ours)):
            line.inject(b"t1230\r")
            assert next_message(bus).arbitration_id == 0x123
            line.unplug()
            with pytest.raises(CanOperationError):
                bus.recv(PATIENCE)
