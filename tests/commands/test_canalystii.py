"""Commands with emulated CANalyst-II adapters."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cantools_cli.backends.canalystii.codec import MESSAGE_STATUS
from tests.emulators.canalystii import CanalystII, Channel, Frame
from tests.emulators.gs_usb import Frame as GsUsbFrame
from tests.emulators.gs_usb import GsUsbCore
from tests.emulators.usb import EmulatedUsb
from tests.emulators.usb_remote import lent

BUS = "canalystii:0,bitrate=500k"


@pytest.fixture
def device() -> CanalystII:
    return CanalystII("A1")


@pytest.fixture
def other() -> CanalystII:
    return CanalystII("A2")


@pytest.fixture
def neighbour() -> GsUsbCore:
    return GsUsbCore()


@pytest.fixture
def borrowed(device: CanalystII, other: CanalystII, neighbour: GsUsbCore) -> Iterator[dict[str, str]]:
    with lent(EmulatedUsb(device, other, neighbour)) as environment:
        yield environment


@pytest.fixture
def environment(environment: dict[str, str], borrowed: dict[str, str]) -> dict[str, str]:
    return environment | borrowed


@pytest.fixture
def run(
    canx: Callable[..., subprocess.CompletedProcess[str]], borrowed: dict[str, str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return canx(*arguments, stdin=stdin, **borrowed)

    return run


def until(condition: Callable[[], object], process: Any = None) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert process is None or process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)


def is_open(channel: Channel) -> bool:
    """Return whether frames are fetched: those that wait when a channel starts are old, and dropped."""
    return channel.is_running and channel.commands.count(MESSAGE_STATUS) > 2


def frames_of(text: str) -> list[str]:
    """Return what a log holds beside its times."""
    return [line.split(None, 1)[1] for line in text.splitlines()]


def test_dump_shows_both_channels_and_ends_when_the_adapter_is_unplugged(device, start):
    dump = start("dump", "canalystii:0,1,bitrate=500k")
    until(lambda: is_open(device.channels[1]), dump)
    device.receive(0, Frame(0x123, b"\1\2\3"), Frame(0x12ABCDEF, bytes(8), extended=True))
    lines = [dump.stdout.readline().decode() for _ in range(2)]
    device.receive(1, Frame(0x7FF, remote=True, size=4))
    lines.append(dump.stdout.readline().decode())
    assert frames_of("".join(lines)) == ["can0 123#010203", "can0 12ABCDEF#0000000000000000", "can1 7FF#R4"]
    assert abs(float(lines[0].split()[0].strip("()")) - time.time()) < 60
    device.unplug()
    assert dump.wait(30) == 3
    assert dump.stderr.read().decode() == "canx: canalystii:0,1: the device was unplugged\n"


def test_malformed_bytes_and_overflows_are_reported(device, start):
    dump = start("dump", BUS, "-n", 2)
    until(lambda: is_open(device.channels[0]), dump)
    device.garbage.append(b"\x7f" * 64)
    device.receive(0, Frame(1, size=9), Frame(2), Frame(3))
    output, errors = dump.communicate(timeout=60)
    assert frames_of(output.decode()) == ["0 002#", "0 003#"]
    assert "1 malformed buffer skipped" in errors.decode()
    assert "1 malformed frame skipped" in errors.decode()
    assert "a buffer of 127 frames, at most 3" in errors.decode()


def test_send(device, run):
    result = run("send", "canalystii:1,bitrate=500k", "123#0102", "12ABCDEF#", "7FF#R4")
    assert (result.returncode, result.stderr) == (0, "")
    assert device.channels[1].sent == [
        Frame(0x123, b"\1\2", size=2),
        Frame(0x12ABCDEF, extended=True, size=0),
        Frame(0x7FF, remote=True, size=4),
    ]
    assert not device.channels[1].is_running
    assert not device.channels[0].commands


def test_send_fails_if_no_node_acknowledges(device, run):
    device.channels[0].is_alone = True
    result = run("send", BUS, "123#01")
    assert result.returncode == 3
    assert result.stderr.splitlines() == [
        "canx: canalystii:0: the adapter has not sent 1 frame in time",
        "hint: does another node acknowledge them? check bit rate, wiring and termination",
    ]


@pytest.mark.parametrize(
    ("frame", "kind"),
    [(["123##0AABB"], "CAN FD frames"), (["--error-frames", "20000004#0000000000000000"], "error frames")],
)
def test_send_refuses_what_the_adapter_cannot_send(device, run, frame, kind):
    result = run("send", BUS, *frame)
    assert result.returncode == 3
    assert kind in result.stderr
    assert not device.channels[0].sent


def test_replay(device, run, tmp_path):
    lines = [f"({number / 1000:.6f}) can0 {number:03X}#{number:04X}" for number in range(300)]
    (tmp_path / "a.log").write_text("\n".join(lines) + "\n")
    result = run("replay", "a.log", BUS, "--speed", "100")
    assert (result.returncode, result.stderr) == (0, "")
    assert [frame.identifier for frame in device.channels[0].sent] == [*range(300)]


def test_bridge_between_two_adapters(device, other, start):
    bridge = start("bridge", BUS, "canalystii:1,device=1,bitrate=250k")
    until(lambda: is_open(device.channels[0]) and is_open(other.channels[1]), bridge)
    assert (device.channels[0].registers, other.channels[1].registers) == ((0, 0x1C), (1, 0x1C))
    device.receive(0, Frame(0x123, b"\1"), Frame(0x12ABCDEF, extended=True, remote=True, size=3))
    other.receive(1, Frame(0x7FF))
    until(lambda: len(other.channels[1].sent) == 2 and device.channels[0].sent, bridge)
    assert other.channels[1].sent == [
        Frame(0x123, b"\1", size=1),
        Frame(0x12ABCDEF, extended=True, remote=True, size=3),
    ]
    assert device.channels[0].sent == [Frame(0x7FF, size=0)]
    bridge.terminate()
    assert bridge.wait(30) == -signal.SIGTERM


def test_bridge_with_another_kind_of_adapter(device, neighbour, start):
    bridge = start("bridge", BUS, "gs_usb:0")
    until(lambda: is_open(device.channels[0]) and neighbour.channels[0].is_started, bridge)
    device.receive(0, Frame(0x123, b"\1"))
    neighbour.receive(0, GsUsbFrame(0x7FF, 2, b"\7\7"))
    until(lambda: neighbour.sent and device.channels[0].sent, bridge)
    assert neighbour.sent == [(0, GsUsbFrame(0x123, 1, b"\1"))]
    assert device.channels[0].sent == [Frame(0x7FF, b"\7\7", size=2)]
    neighbour.unplug()
    assert bridge.wait(30) == 3


def test_an_adapter_in_use(device, start, run):
    dump = start("dump", "canalystii:1,bitrate=500k", "-n", "1")
    until(lambda: is_open(device.channels[1]), dump)
    busy = run("send", BUS, "123#")
    assert busy.returncode == 3
    assert "canalystii:0: another program uses the USB device 1.1" in busy.stderr
    device.receive(1, Frame(1))
    assert dump.wait(30) == 0


def listed(result: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {row["bus"]: row["state"] for row in map(json.loads, result.stdout.splitlines()) if "state" in row}


def test_list_shows_every_channel(device, other, run, start):
    shown = listed(run("list", "-i", "canalystii", "--json"))
    assert shown == dict.fromkeys(
        ("canalystii:0", "canalystii:1", "canalystii:0,device=1", "canalystii:1,device=1"), "ready"
    )
    assert listed(run("list", "--json")).items() > shown.items()
    assert not device.channels[0].commands
    result = run("send", "canalystii:1,device=1,bitrate=500k", "001#")
    assert (result.returncode, other.channels[1].sent) == (0, [Frame(1, size=0)])
    device.is_readable = False
    dump = start("dump", "canalystii:1,device=1,bitrate=500k", "-n", "1")
    until(lambda: is_open(other.channels[1]), dump)
    shown = listed(run("list", "-i", "canalystii", "--json"))
    assert "no permission to open the USB device 1.1; a udev rule gives it" in shown["canalystii:0"]
    assert shown["canalystii:1,device=1"] == "another program uses the USB device 1.2"
    other.receive(1, Frame(1))  # looking did not disturb the other program
    assert dump.wait(30) == 0


@pytest.mark.parametrize(
    ("bus", "status", "text", "hint"),
    [
        (
            "canalystii:0",
            2,
            "canalystii: neither bitrate nor a timing is given",
            "such as canalystii:0,bitrate=500k",
        ),
        ("canalystii:2,bitrate=500k", 2, "the channels of an adapter are 0 and 1", "such as canalystii:0"),
        ("canalystii:0,bitrate=123k", 2, "bit rate 123000 is not in the table", "btr0 and btr1"),
        (
            "canalystii:0,device=7,bitrate=500k",
            3,
            "no adapter number 7, 2 connected",
            "device=0 is the first",
        ),
        ("canalystii:0,bitrate=500k,listen_only=true", 2, "the adapter cannot listen only", "acknowledges"),
    ],
)
def test_mistakes_get_one_line_and_a_hint(run, bus, status, text, hint):
    result = run("dump", bus, "-n", "1")
    first, second = result.stderr.splitlines()
    assert result.returncode == status
    assert text in first
    assert second.startswith("hint: ")
    assert hint in second


def test_an_adapter_without_permission(device, run):
    device.is_readable = False
    result = run("dump", BUS, "-n", "1")
    assert result.returncode == 3
    assert "no permission to open the USB device 1.1" in result.stderr
    assert 'ATTR{idVendor}=="04d8"' in result.stderr


def test_an_adapter_that_does_not_answer(device, run):
    device.is_dumb = True
    result = run("dump", BUS, "-n", "1")
    assert result.returncode == 3
    assert result.stderr.splitlines() == [
        "canx: canalystii:0: the adapter does not answer",
        "hint: unplug the adapter and plug it in again",
    ]
