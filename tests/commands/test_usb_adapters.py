"""Commands on emulated USB adapters, which this process lends to them."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulators import gs_usb as emulated
from tests.emulators.gs_usb import (
    CANTACT_PRO,
    CLASSIC,
    EFF,
    ERR,
    FD_80,
    HAS_BRS,
    IS_FD,
    OVERFLOWN,
    RTR,
    TWO_CHANNELS,
    Frame,
    GsUsbCore,
    connect,
)
from tests.emulators.usb import Core, EmulatedUsb
from tests.emulators.usb_remote import lent

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[bytes]"]


class Usb:
    """Connects devices to the computer of the commands."""

    def __init__(self, backend: EmulatedUsb, variables: dict[str, str]) -> None:
        self.backend = backend
        self.variables = variables

    def plug(self, *cores: Core) -> None:
        for core in cores:
            self.backend.plug(core)


@pytest.fixture
def usb(environment: dict[str, str]) -> Iterator[Usb]:
    backend = EmulatedUsb()
    with lent(backend) as variables:
        environment.update(variables)
        yield Usb(backend, variables)


@pytest.fixture
def run(usb: Usb, canx: Run) -> Run:
    return lambda *words, **settings: canx(*words, **usb.variables, **settings)


def until(condition: Callable[[], Any], process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        if process is not None and process.poll() is not None:
            assert process.stderr is not None
            pytest.fail(process.stderr.read().decode())
        time.sleep(0.002)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, error = process.communicate(timeout=30)
    return process.returncode, out.decode(), error.decode()


#: frames of a bus, the arguments of canx send, and the end of a line of canx dump -L
KINDS = [
    (Frame(0x123, 3, b"\1\2\3"), "123#010203"),
    (Frame(EFF | 0x1ABCDEF0, 8, bytes(range(8))), "1ABCDEF0#0001020304050607"),
    (Frame(RTR | 0x7FF, 4), "7FF#R4"),
    (Frame(0x7FF, 0), "7FF#"),
]
FD_KINDS = [
    (Frame(0x55, 9, bytes(12), IS_FD), f"055##0{'00' * 12}"),
    (Frame(EFF | 9, 15, bytes(range(64)), IS_FD | HAS_BRS), f"00000009##1{bytes(range(64)).hex().upper()}"),
]
ERROR = (Frame(ERR | 4, 8, b"\0\x08\0\0\0\0\x60\0"), "20000004#0008000000006000")


# --- canx list --------------------------------------------------------------------------------------------


def test_the_list_shows_addresses_to_paste(usb: Usb, run: Run) -> None:
    cores = GsUsbCore(TWO_CHANNELS, "AAAA1111"), GsUsbCore(FD_80, "")
    usb.plug(*cores)
    rows = [json.loads(line) for line in run("list", "-i", "gs_usb", "--json").stdout.splitlines()]
    assert [(row["bus"], row["state"]) for row in rows] == [
        ("gs_usb:AAAA1111", "ready"),
        ("gs_usb:AAAA1111:1", "ready"),
        ("gs_usb:1.2", "ready"),
    ]
    assert rows[0]["product"] == "candleLight USB to CAN adapter"
    assert rows[0]["serial"] == "AAAA1111"
    for number, row in enumerate(rows):
        assert run("send", row["bus"], f"{number}#".zfill(4)).returncode == 0
    assert [(channel, frame.can_id) for core in cores for channel, frame in core.sent] == [
        (0, 0),
        (1, 1),
        (0, 2),
    ]


def test_the_list_shows_adapters_that_cannot_be_opened(usb: Usb, run: Run) -> None:
    strange, busy, bound = (GsUsbCore(CLASSIC, serial) for serial in ("AAAA1111", "BBBB2222", "CCCC3333"))
    strange.is_readable = False
    busy.claimed_by = "another program"
    usb.plug(strange, busy, bound)
    lines = run("list", "-i", "gs_usb", "--json").stdout.splitlines()
    rows = {row["bus"]: row["state"] for row in map(json.loads, lines)}
    assert rows["gs_usb:1.1"].startswith("no permission to open the USB device 1.1; a udev rule gives it")
    assert rows["gs_usb:BBBB2222"] == "another program uses the USB device 1.2"
    assert rows["gs_usb:CCCC3333"] == "ready"
    assert busy.requests == []


def test_channels_of_cantact_are_numbered(usb: Usb, run: Run) -> None:
    usb.plug(GsUsbCore(CLASSIC, "AAAA1111"), GsUsbCore(CANTACT_PRO, "BBBB2222"))
    rows = run("list", "-i", "cantact").stdout.splitlines()
    assert [row.split("\t")[0] for row in rows] == ["cantact:ch:1", "cantact:ch:2"]
    assert run("send", "cantact:ch:2", "123#").returncode == 0


def test_the_interfaces_are_ready(run: Run) -> None:
    rows = dict(line.split("\t")[:2] for line in run("list", "interfaces").stdout.splitlines())
    assert rows["gs_usb"] == rows["cantact"] == "ready"


# --- frames both ways -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_fd", [False, True], ids=["classic", "fd"])
def test_dump_shows_all_kinds_of_frames(usb: Usb, start: Start, is_fd: bool) -> None:
    core = GsUsbCore(FD_80 if is_fd else CLASSIC, "AAAA1111")
    usb.plug(core)
    kinds = [*KINDS, ERROR, *(FD_KINDS if is_fd else ())]
    setting = ",fd=true" if is_fd else ""
    process = start("dump", "-L", f"gs_usb:AAAA1111{setting}", "-n", len(kinds))
    until(lambda: core.channels[0].is_started, process)
    for frame, _ in kinds:
        core.receive(0, frame)
    status, out, error = ended(process)
    assert (status, error) == (0, "")
    assert [line.split()[1:3] for line in out.splitlines()] == [["AAAA1111", text] for _, text in kinds]
    assert abs(float(out[1:18]) - time.time()) < 60


def test_send_sends_all_kinds_of_frames(usb: Usb, run: Run) -> None:
    core = GsUsbCore(FD_80)
    usb.plug(core)
    kinds = [*KINDS, *FD_KINDS]
    result = run("send", "gs_usb:0,fd=true", *(text for _, text in kinds))
    assert (result.returncode, result.stderr) == (0, "")
    assert [frame for _, frame in core.sent] == [frame for frame, _ in kinds]


def test_replay_sends_a_log(usb: Usb, run: Run, tmp_path: Path) -> None:
    core = GsUsbCore(CLASSIC)
    usb.plug(core)
    lines = [f"(1700000000.{number:06d}) can0 {number:03X}#{number:04X}\n" for number in range(500)]
    (tmp_path / "a.log").write_text("".join(lines))
    result = run("replay", "a.log", "gs_usb:0,bitrate=1M")
    assert (result.returncode, result.stderr) == (0, "")
    assert [frame.can_id for _, frame in core.sent] == [*range(500)]
    assert core.channels[0].timing == (1, 12, 2, 2, 3)


def test_a_bit_timing_in_the_address(usb: Usb, run: Run) -> None:
    core = GsUsbCore(CLASSIC)
    usb.plug(core)
    timing = "f_clock=8000000,brp=1,tseg1=11,tseg2=4,sjw=3,nof_samples=3"
    assert run("send", f"gs_usb:0,{timing}", "123#").returncode == 0
    assert core.channels[0].timing == (1, 10, 4, 3, 6)
    assert (emulated.MODE, 0, bytes.fromhex("0100000014000000")) in core.requests  # triple sampling


def test_bridge_joins_two_adapters(usb: Usb, start: Start) -> None:
    one, other = GsUsbCore(CLASSIC, "AAAA1111"), GsUsbCore(FD_80, "BBBB2222")
    usb.plug(one, other)
    process = start("bridge", "gs_usb:AAAA1111", "gs_usb:BBBB2222")
    until(lambda: one.channels[0].is_started and other.channels[0].is_started, process)
    for number, (frame, _) in enumerate(KINDS):
        one.receive(0, frame)
        other.receive(0, Frame(number, 0))
    until(lambda: len(one.sent) == len(other.sent) == len(KINDS), process)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == -signal.SIGINT
    assert [frame for _, frame in other.sent] == [frame for frame, _ in KINDS]
    assert [frame.can_id for _, frame in one.sent] == [*range(len(KINDS))]
    assert one.claimed_by is None
    assert not one.channels[0].is_started


def test_bridge_joins_two_channels_of_an_adapter(usb: Usb, start: Start) -> None:
    core = GsUsbCore(TWO_CHANNELS, "AAAA1111")
    usb.plug(core)
    process = start("bridge", "gs_usb:0", "gs_usb:0:1")
    until(lambda: all(channel.is_started for channel in core.channels), process)
    core.receive(0, Frame(1, 0))
    core.receive(1, Frame(2, 0))
    until(lambda: len(core.sent) == 2, process)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == -signal.SIGINT
    assert sorted((channel, frame.can_id) for channel, frame in core.sent) == [(0, 2), (1, 1)]


def test_frames_go_from_one_command_to_another(usb: Usb, start: Start, run: Run) -> None:
    one, other = GsUsbCore(CLASSIC, "AAAA1111"), GsUsbCore(FD_80, "BBBB2222")
    connect((one, 0), (other, 0))
    usb.plug(one, other)
    process = start("dump", "-L", "gs_usb:BBBB2222", "-n", 1)
    until(lambda: other.channels[0].is_started, process)
    assert run("send", "gs_usb:AAAA1111", "123#DEADBEEF").returncode == 0
    status, out, _ = ended(process)
    assert (status, out.split()[2]) == (0, "123#DEADBEEF")


# --- faults -----------------------------------------------------------------------------------------------


def test_unplugging_ends_dump_after_all_frames(usb: Usb, start: Start) -> None:
    core = GsUsbCore(CLASSIC, "AAAA1111")
    usb.plug(core)
    process = start("dump", "-L", "gs_usb:AAAA1111")
    until(lambda: core.channels[0].is_started, process)
    for number in range(300):
        core.receive(0, Frame(number, 0))
    until(lambda: not core.queue, process)
    core.unplug()
    status, out, error = ended(process)
    assert status == 3
    assert [line.split()[2] for line in out.splitlines()] == [f"{number:03X}#" for number in range(300)]
    assert error == "canx: gs_usb:AAAA1111: the device was unplugged\n"


def test_losses_are_reported_at_the_end(usb: Usb, start: Start) -> None:
    core = GsUsbCore(CLASSIC, "AAAA1111")
    usb.plug(core)
    process = start("dump", "-L", "gs_usb:0", "-n", 2)
    until(lambda: core.channels[0].is_started, process)
    core.receive_raw(b"\1\2\3")
    core.receive(0, Frame(0x123, 0, b"", OVERFLOWN))
    status, out, error = ended(process)
    assert [line.split()[2] for line in out.splitlines()] == ["20000004#0001000000000000", "123#"]
    assert status == 0
    assert error == (
        "canx: 0: 1 overrun reported by the adapter, 1 malformed transfer skipped, "
        "the first: a transfer of 3 bytes, at least 20: 010203\n"
    )


@pytest.mark.parametrize(
    ("trouble", "message", "hint"),
    [
        ({"is_readable": False}, "gs_usb:1.1: no permission to open the USB device 1.1", "udev rule"),
        ({"claimed_by": "another"}, "gs_usb:1.1: another program uses the USB device 1.1", "one program"),
        ({"refused": {0}}, "gs_usb:1.1: the device refuses the requests of gs_usb", "firmware"),
        ({"is_plugged": False}, "gs_usb:1.1: no adapter found", "plugged in"),
    ],
    ids=["no permission", "busy", "other firmware", "not there"],
)
def test_an_adapter_that_cannot_be_opened(
    usb: Usb, run: Run, trouble: dict[str, Any], message: str, hint: str
) -> None:
    core = GsUsbCore(CLASSIC, "AAAA1111")
    for name, value in trouble.items():
        setattr(core, name, value)
    usb.plug(core)
    result = run("dump", "gs_usb:1.1")
    assert result.returncode == 3
    first, second, *rest = result.stderr.splitlines()
    assert first == f"canx: {message}"
    assert second.startswith("hint: ")
    assert hint in second
    assert rest == []


def test_a_frame_that_no_node_acknowledges(usb: Usb, run: Run) -> None:
    core = GsUsbCore(CLASSIC, "AAAA1111")
    core.acknowledges = False
    usb.plug(core)
    result = run("send", "gs_usb:0", "123#")
    assert result.returncode == 3
    assert result.stderr == (
        "canx: gs_usb:0: 1 frame not acknowledged in time\n"
        "hint: is another node on the bus, with the same bit rate, and is the bus terminated?\n"
    )


def test_adapters_with_different_bit_rates(usb: Usb, start: Start, run: Run) -> None:
    one, other = GsUsbCore(CLASSIC, "AAAA1111"), GsUsbCore(FD_80, "BBBB2222")
    connect((one, 0), (other, 0))
    usb.plug(one, other)
    process = start("dump", "-L", "gs_usb:BBBB2222,bitrate=500k", "-n", 1)
    until(lambda: other.channels[0].is_started, process)
    result = run("send", "gs_usb:AAAA1111,bitrate=250k", "123#")
    assert result.returncode == 3
    assert "same bit rate" in result.stderr
    assert ended(process)[1].split()[2] == "20000088#0000040000000000"


def test_a_command_that_is_killed_frees_the_adapter(usb: Usb, start: Start, run: Run) -> None:
    core = GsUsbCore(CLASSIC, "AAAA1111")
    usb.plug(core)
    process = start("dump", "gs_usb:0")
    until(lambda: core.channels[0].is_started, process)
    process.kill()
    process.wait()
    until(lambda: core.claimed_by is None)
    assert run("send", "gs_usb:0", "123#").returncode == 0
