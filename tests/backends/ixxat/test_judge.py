"""python-can's own class on the same emulated libraries, in a process of its own.

python-can loads the libraries on Windows and Cygwin only, so the process claims to be the latter while the
module is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from ctypes import sizeof
from typing import Any

import pytest

from cantools_cli.backends.ixxat import structures
from cantools_cli.backends.ixxat.bus import IXXATBus
from cantools_cli.frame.message import Message
from tests.backends.ixxat.conftest import Opening
from tests.vendor.kit import Stub, compiled, is_sanitized

pytestmark = pytest.mark.long

PROGRAM = """
import ctypes, json, sys
import can, can.ctypesutil
fd = sys.argv[1] == "True"
sys.modules.pop("can.ctypesutil")
sys.platform = "cygwin"
from can.interfaces.ixxat import canlib
sys.platform = "linux"
settings = dict(fd=True) if fd else {}
bus = canlib.IXXATBus(0, rx_fifo_size=1024, tx_fifo_size=128, **settings)
print(json.dumps("open"), flush=True)
for line in sys.stdin:
    message = bus.recv(10)
    kind = message.is_extended_id, message.is_remote_frame, message.is_fd, message.bitrate_switch
    print(json.dumps([message.arbitration_id, *kind, message.dlc, message.data.hex()]), flush=True)
    bus.send(message)
bus.shutdown()
print(json.dumps("closed"), flush=True)
"""


@pytest.fixture
def theirs(stub: Stub, fd: bool) -> Iterator[Any]:
    """python-can's bus on channel 0, in a process that sends back what it receives."""
    pytest.importorskip("can")
    if is_sanitized():
        pytest.skip("python-can would need the libraries of the sanitizers")
    name = "vcinpl2.dll" if fd else "vcinpl.dll"
    path = compiled("ixxat", f"FD={int(fd)}", "PLAIN_FORMAT=1", file_name=name)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(path.parent)}
    command = [sys.executable, "-c", PROGRAM, str(fd)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert json.loads(process.stdout.readline()) == "open"
        yield process
        process.stdin.close()
        assert json.loads(process.stdout.readline()) == "closed"
    assert process.returncode == 0


def facts(message: Message | None) -> list[Any]:
    assert message is not None
    kind = message.is_extended_id, message.is_remote_frame, message.is_fd, message.bitrate_switch
    return [message.arbitration_id, *kind, message.dlc, bytes(message.data).hex()]


def test_both_understand_each_other(theirs: Any, opened: Opening, fd: bool) -> None:
    bus = opened(1)
    frames = [
        Message(arbitration_id=size, is_extended_id=False, data=bytes(range(size))) for size in range(9)
    ]
    frames += [
        Message(arbitration_id=0x1FFFFFFF, data=b"\xaa\x55"),
        Message(arbitration_id=0x7FF, is_extended_id=False, is_remote_frame=True, dlc=3),
    ]
    if fd:
        frames += [
            Message(arbitration_id=size, is_fd=True, bitrate_switch=fast, data=bytes(range(size)))
            for size in (0, 8, 12, 16, 20, 24, 32, 48, 64)
            for fast in (False, True)
        ]
    for frame in frames:
        bus.send(frame)
        theirs.stdin.write("\n")
        theirs.stdin.flush()
        assert json.loads(theirs.stdout.readline()) == facts(frame)
        assert facts(bus.recv(30)) == facts(frame)


def test_both_find_the_same_devices(stub: Stub, fd: bool) -> None:
    pytest.importorskip("can")
    if fd or is_sanitized():
        pytest.skip("python-can looks for devices with vcinpl only")
    program = (
        PROGRAM.partition("settings = ")[0] + "print(json.dumps(canlib.IXXATBus._detect_available_configs()))"
    )
    path = compiled("ixxat", "FD=0", "PLAIN_FORMAT=1", file_name="vcinpl.dll")
    environment = {**os.environ, "LD_LIBRARY_PATH": str(path.parent)}
    command = [sys.executable, "-c", program, "False"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    keys = ("interface", "channel", "unique_hardware_id")
    ours = [{key: config[key] for key in keys} for config in IXXATBus._detect_available_configs()]
    assert json.loads(done.stdout) == ours


def test_both_have_the_same_structures() -> None:
    """All but two, in which python-can deviates from the vendor's headers."""
    pytest.importorskip("can")
    program = (
        PROGRAM.partition("settings = ")[0]
        + """
from can.interfaces.ixxat import structures
kinds = {name: kind for name, kind in vars(structures).items() if hasattr(kind, "_fields_")}
for name, kind in kinds.items():
    kinds[name] = [ctypes.sizeof(kind), *(field[0] for field in kind._fields_)]
print(json.dumps(kinds))
"""
    )
    path = [
        compiled("ixxat", f"FD={fd}", "PLAIN_FORMAT=1", file_name=f"vcinpl{'2' * fd}.dll") for fd in (0, 1)
    ]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(str(one.parent) for one in path)}
    command = [sys.executable, "-c", program, "False"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    theirs = json.loads(done.stdout)
    ours = {
        name: [sizeof(getattr(structures, name)), *(field[0] for field in getattr(structures, name)._fields_)]
        for name in theirs
    }
    different = {name for name in theirs if ours[name] != theirs[name]}
    assert different == {"CANLINESTATUS2", "CANCHANSTATUS"}
    assert (theirs["CANLINESTATUS2"][0], theirs["CANCHANSTATUS"][0]) == (12, 20)
