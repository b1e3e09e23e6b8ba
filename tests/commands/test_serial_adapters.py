"""Commands with emulated adapters of the interfaces serial, robotell and seeedstudio."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.emulators import robotell, seeedstudio, serial_can
from tests.emulators.line import Line, Mute, plugged

pytest.importorskip("pty", reason="needs pseudo-terminals")

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[bytes]]
PATIENCE = 30

#: an interface: its device, and the bytes of standard 123, extended 12ABCDEF and remote 7FF as it sends them
FROM_BUS: dict[str, tuple[Callable[[], Any], list[bytes]]] = {
    "serial": (
        serial_can.SerialCan,
        [
            serial_can.frame(0x123, b"\xde\xad", 1),
            serial_can.frame(0x92ABCDEF, b"", 2),
            serial_can.frame(0x400007FF, b"", 3, length=4),
        ],
    ),
    "robotell": (
        robotell.Robotell,
        [
            robotell.frame(0x123, b"\xde\xad"),
            robotell.frame(0x12ABCDEF, extended=True),
            robotell.frame(0x7FF, remote=4),
        ],
    ),
    "seeedstudio": (
        seeedstudio.Seeed,
        [
            seeedstudio.frame(0x123, b"\xde\xad"),
            seeedstudio.frame(0x12ABCDEF, extended=True),
            seeedstudio.frame(0x7FF, remote=4),
        ],
    ),
}
TEXTS = ["123#DEAD", "12ABCDEF#", "7FF#R4"]
INTERFACES = [*FROM_BUS]


def sent_to(device: Any) -> list[tuple[int, bool, bool, int, bytes]]:
    """Return (identifier, extended, remote, length, data) of the frames that a device got."""
    if not isinstance(device, serial_can.SerialCan):
        return list(device.frames)
    return [
        (word & 0x1FFFFFFF, bool(word & 0x80000000), bool(word & 0x40000000), size, data)
        for _, word, size, data in device.frames
    ]


@pytest.fixture
def plug() -> Iterator[Callable[..., Line]]:
    """Return a function that plugs the device of an interface in."""
    with ExitStack() as lines:
        yield lambda interface, kind="pty": lines.enter_context(plugged(FROM_BUS[interface][0](), kind))


def frames_of(text: str) -> list[str]:
    """Return what log lines say besides the time and the channel."""
    return [line.split()[2] for line in text.splitlines()]


@pytest.mark.parametrize("kind", ["pty", "tcp"])
@pytest.mark.parametrize("interface", INTERFACES)
def test_dump_prints_the_frames_of_an_adapter(
    interface: str, kind: str, plug: Callable[..., Line], canx: Run
) -> None:
    line = plug(interface, kind)
    line.repeat(b"".join(FROM_BUS[interface][1]))
    result = canx("dump", f"{interface}:{line.channel}", "-n", "3")
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(frames_of(result.stdout)) == sorted(TEXTS)
    assert {line.split()[1] for line in result.stdout.splitlines()} == {line.channel}


@pytest.mark.parametrize("interface", INTERFACES)
def test_send_and_replay_reach_the_bus(
    interface: str, plug: Callable[..., Line], canx: Run, tmp_path: Path
) -> None:
    line = plug(interface)
    address = f"{interface}:{line.channel}"
    assert canx("send", address, "123#DEAD", "12ABCDEF#", "7FF#R4").returncode == 0
    expected = [
        (0x123, False, False, 2, b"\xde\xad"),
        (0x12ABCDEF, True, False, 0, b""),
        (0x7FF, False, True, 4, b""),
    ]
    (tmp_path / "many.log").write_text(
        "".join(f"({number / 1e6:.6f}) can0 {number:03X}#{number:04X}\n" for number in range(0x400))
    )
    result = canx("replay", "many.log", address, "--speed", "1000")
    assert (result.returncode, result.stdout) == (0, "")
    expected += [(number, False, False, 2, number.to_bytes(2, "big")) for number in range(0x400)]
    wait_until(line, lambda: len(sent_to(line.device)) >= len(expected))
    assert sent_to(line.device) == expected
    assert line.device.faults == 0


def wait_until(line: Line, condition: Callable[[], bool]) -> None:
    with line._changed:
        assert line._changed.wait_for(condition, PATIENCE)


def test_error_frames_go_over_a_serial_line_both_ways(plug: Callable[..., Line], canx: Run) -> None:
    line = plug("serial")
    line.repeat(serial_can.frame(0x20000004, b"\0\1" + bytes(6), 1))
    result = canx("dump", f"serial:{line.channel}", "-n", "1")
    assert frames_of(result.stdout) == ["20000004#0001000000000000"]
    assert canx("send", "--error-frames", f"serial:{line.channel}", stdin=result.stdout).returncode == 0
    wait_until(line, lambda: len(line.device.frames) == 1)
    assert line.device.frames[0][1:] == (0x20000004, 8, b"\0\1" + bytes(6))


@pytest.mark.parametrize("interface", ["robotell", "seeedstudio"])
@pytest.mark.parametrize("frame", ["20000004#0001000000000000", "123##100"])
def test_a_frame_that_an_adapter_cannot_carry_is_refused(
    interface: str, frame: str, plug: Callable[..., Line], canx: Run
) -> None:
    line = plug(interface)
    result = canx("send", "--error-frames", f"{interface}:{line.channel}", frame)
    assert result.returncode == 3
    assert f"{interface} carries neither CAN FD nor error frames" in result.stderr
    assert sent_to(line.device) == []


@pytest.mark.parametrize(
    ("one", "two"), [("robotell", "seeedstudio"), ("serial", "robotell"), ("seeedstudio", "serial")]
)
def test_bridge_joins_two_adapters(one: str, two: str, plug: Callable[..., Line], start: Start) -> None:
    lines = {name: plug(name) for name in (one, two)}
    bridge = start("bridge", *(f"{name}:{line.channel}" for name, line in lines.items()))
    for name, other in ((one, two), (two, one)):
        lines[name].repeat(FROM_BUS[name][1][0])
        wait_until(lines[other], lambda other=other: sent_to(lines[other].device) != [])  # type: ignore[misc]
        lines[name]._repeated = None
    bridge.send_signal(signal.SIGINT)
    assert bridge.wait(PATIENCE) == -signal.SIGINT
    for line in lines.values():
        assert set(sent_to(line.device)) == {(0x123, False, False, 2, b"\xde\xad")}


@pytest.mark.parametrize("kind", ["pty", "tcp"])
@pytest.mark.parametrize("interface", INTERFACES)
def test_an_unplugged_adapter_is_status_3_after_the_last_frame(
    interface: str, kind: str, plug: Callable[..., Line], start: Start
) -> None:
    line = plug(interface, kind)
    line.repeat(FROM_BUS[interface][1][0])
    dump = start("dump", f"{interface}:{line.channel}")
    assert dump.stdout is not None
    assert dump.stdout.readline().endswith(b" 123#DEAD\n")
    line._repeated = None
    line.unplug()
    rest, error = dump.communicate(timeout=PATIENCE)
    assert dump.returncode == 3
    assert set(frames_of(rest.decode())) <= {"123#DEAD"}
    assert re.match(rf"canx: {interface}:.*(unplugged|closed the connection)\n", error.decode())
    assert "Traceback" not in error.decode()


@pytest.mark.parametrize("interface", INTERFACES)
def test_malformed_bytes_are_reported(interface: str, plug: Callable[..., Line], canx: Run) -> None:
    line = plug(interface)
    line.repeat(b"\xff" + FROM_BUS[interface][1][0])
    result = canx("dump", f"{interface}:{line.channel}", "-n", "5", "--strict")
    assert result.returncode == 2
    assert frames_of(result.stdout) == ["123#DEAD"] * 5
    assert re.search(r"\d+ malformed bytes? skipped", result.stderr)


def test_filters_of_a_command_are_set_in_the_adapter(plug: Callable[..., Line], start: Start) -> None:
    line = plug("robotell")
    dump = start("dump", f"robotell:{line.channel},bitrate=250k", "-f", "123", "-n", "2")
    wait_until(line, lambda: line.device.filters() == {1: (0x123, 0x7FF, False)})
    line.inject(line.device.from_bus(0x124) + line.device.from_bus(0x123, b"\1") * 2)
    output, _ = dump.communicate(timeout=PATIENCE)
    assert frames_of(output.decode()) == ["123#01"] * 2
    wait_until(line, lambda: line.device.filters() == {})
    assert line.device.bitrate == 250000


def test_filters_left_in_the_adapter_are_noted(plug: Callable[..., Line], canx: Run) -> None:
    line = plug("robotell")
    line.device.settings[0x01FFFEE0] = bytes.fromhex("23010080FF070000")
    line.repeat(line.device.from_bus(0x123))
    result = canx("dump", f"robotell:{line.channel}", "-n", "1")
    assert (
        f"robotell:{line.channel}: frames may be missing: an earlier program left filters 1 enabled"
        in result.stderr
    )


@pytest.mark.parametrize(
    ("address", "text", "hint"),
    [
        (
            "robotell:{mute}",
            "the adapter does not answer",
            "is this a Robotell adapter, and does it have power?",
        ),
        (
            "seeedstudio:{mute}",
            "the adapter does not answer",
            "is this a USB-CAN Analyzer, and does it have power?",
        ),
        ("serial:{busy}", "another program has the port open", "fuser -v"),
        ("robotell:{busy}@9600", "another program has the port open", "fuser -v"),
        ("serial:/dev/no-such-port", 'no such port: "/dev/no-such-port"', "serial port"),
        ("seeedstudio:/dev/null", "not a serial port", "serial port"),
    ],
)
def test_a_port_that_does_not_open_is_one_line_and_a_hint(
    address: str, text: str, hint: str, canx: Run
) -> None:
    from cantools_cli.backends.serial_can.bus import SerialBus

    with plugged(Mute()) as mute, plugged(Mute()) as busy, SerialBus(busy.channel):
        name = address.format(mute=mute.channel, busy=busy.channel)
        result = canx("dump", name)
    assert (result.returncode, result.stdout) == (3, "")
    first, second = result.stderr.splitlines()
    assert first.startswith(f"canx: {name}: ")
    assert text in first
    assert second.startswith("hint: ")
    assert hint in second


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_port_without_permission_names_its_group(canx: Run) -> None:
    with plugged(Mute()) as line:
        os.chmod(line.channel, 0)
        result = canx("dump", f"serial:{line.channel}")
    assert result.returncode == 3
    assert "no permission" in result.stderr


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("robotell:/dev/null,bitrate=2M", "the bit rate 2000000 is not from 1 to 1000000"),
        ("seeedstudio:/dev/null,bitrate=300k", 'bitrate is "300000"'),
        ("serial:/dev/null,id_flags=no", 'id_flags is "no"'),
        ("serial:", "no channel given"),
        ("serial:/dev/null,ttybaudrate=1", 'interface "serial" has no setting "ttybaudrate"'),
    ],
)
def test_a_wrong_setting_is_status_2(address: str, text: str, canx: Run) -> None:
    result = canx("dump", address)
    assert result.returncode == 2
    assert text in result.stderr


def test_the_manual_s_spelling_opens_the_same_adapter(plug: Callable[..., Line], canx: Run) -> None:
    line = plug("seeedstudio")
    line.repeat(FROM_BUS["seeedstudio"][1][0])
    assert canx("dump", f"seedstudio:{line.channel}", "-n", "1").returncode == 0
    assert canx("dump", "-i", "seedstudio", line.channel, "-n", "1").returncode == 0


PORTS = """
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

port = ListPortInfo("/dev/ttyUSB0")
port.vid, port.pid, port.product = 0x1A86, 0x7523, "USB Serial"
list_ports.comports = lambda include_links=False: [port]
"""


def test_list_shows_the_address_of_each_port(tmp_path: Path, canx: Run) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(PORTS)
    rows = [line.split("\t") for line in canx("list", PYTHONPATH=str(site)).stdout.splitlines()]
    assert {row[0] for row in rows if row[1] in INTERFACES} == {f"{name}:/dev/ttyUSB0" for name in INTERFACES}
    assert all("USB Serial" in row for row in rows if row[1] in INTERFACES)
    names = [line.split("\t")[0] for line in canx("list", "interfaces").stdout.splitlines()]
    assert {*INTERFACES} <= {*names}


def test_baud_rates_have_units_as_bit_rates(plug: Callable[..., Line], canx: Run) -> None:
    line = plug("serial")
    line.repeat(FROM_BUS["serial"][1][0])
    result = canx("dump", f"serial:{line.channel},baudrate=1M", "-n", "1")
    assert (result.returncode, result.stderr) == (0, "")
