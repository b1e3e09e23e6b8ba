"""Kvaser's own wrapper, the package ``canlib``, judges the constants, the layouts and the emulated library.

It runs in processes of its own: without its library, importing it ends the program.
"""

from __future__ import annotations

import ctypes
import json
import os
from importlib.util import find_spec
from threading import Thread
from typing import Any

import pytest

from cantools_cli.backends.kvaser import constants
from cantools_cli.backends.kvaser.library import LIBRARY
from cantools_cli.backends.kvaser.structures import BusParamsTq, BusStatistics
from cantools_cli.frame.message import Message
from tests.backends.kvaser import judging
from tests.backends.kvaser.conftest import Opened

pytestmark = pytest.mark.skipif(find_spec("canlib") is None, reason="the package canlib is not installed")

_PROLOGUE = """
import ctypes, json, os, sys, warnings
warnings.simplefilter("ignore")
"""


def names() -> list[str]:
    """Return the functions that the wrapper needs."""
    program = (
        _PROLOGUE
        + """
os.environ["READTHEDOCS"] = "True"  # loads no library
from canlib.canlib.dll import CanlibDll
print(json.dumps([*CanlibDll.function_prototypes]))
"""
    )
    found: list[str] = json.loads(judging.run(program))
    return found


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return judging.wrapper(tmp_path_factory.mktemp("canlib"), names())


def test_constants(library: dict[str, str]) -> None:
    program = (
        _PROLOGUE
        + """
from canlib.canlib import constants, enums
values = {name: int(value) for name, value in vars(constants).items() if isinstance(value, int)}
values |= {f"canERR_{one.name}": int(one) for one in enums.Error}
values |= {f"canCHANNEL_CAP_{one.name}": int(one) for one in enums.ChannelCap}
print(json.dumps(values))
"""
    )
    theirs = json.loads(judging.run(program, **library))
    ours = {name: value for name, value in vars(constants).items() if name in theirs}
    assert len(ours) > 140
    assert ours == {name: theirs[name] for name in ours}


def test_layouts_and_prototypes(library: dict[str, str]) -> None:
    program = (
        _PROLOGUE
        + """
from canlib.canlib.dll import CanlibDll
from canlib.canlib.structures import CanBusParamsTq, CanBusStatistics
kinds = CanBusStatistics, CanBusParamsTq
sizes = [ctypes.sizeof(one) for one in kinds]
offsets = [[getattr(one, field[0]).offset for field in one._fields_] for one in kinds]
fields = [[field[0] for field in one._fields_] for one in kinds]
prototypes = {
    name: [ctypes.sizeof(argument) for argument in prototype[0]]
    for name, prototype in CanlibDll.function_prototypes.items()
}
print(json.dumps([sizes, offsets, fields, prototypes]))
"""
    )
    sizes, offsets, fields, prototypes = json.loads(judging.run(program, **library))
    structures: list[Any] = [BusStatistics, BusParamsTq]
    assert [ctypes.sizeof(one) for one in structures] == sizes
    assert [[getattr(one, field[0]).offset for field in one._fields_] for one in structures] == offsets
    ours = [[field[0].removeprefix("m_") for field in one._fields_] for one in structures]
    assert ours == fields
    common = LIBRARY.functions.keys() & prototypes.keys()
    assert len(common) > 35
    assert {name: [ctypes.sizeof(one) for one in LIBRARY.functions[name][1:]] for name in common} == {
        name: prototypes[name] for name in common
    }


def test_the_emulated_library_suits_the_wrapper(opened: Opened, library: dict[str, str]) -> None:
    """The wrapper opens a channel, sends, receives, and reads statistics; canx is the other node."""
    program = (
        _PROLOGUE
        + """
from canlib import Frame, canlib
from canlib.canlib import BitrateFD, MessageFlag, Open
data = canlib.ChannelData(1)
with canlib.openChannel(1, Open.CAN_FD, BitrateFD.BITRATE_500K_80P, BitrateFD.BITRATE_2M_80P) as channel:
    channel.setBusOutputControl(canlib.Driver.NORMAL)
    channel.busOn()
    channel.write(Frame(id_=0x123, data=b"abc", flags=MessageFlag.STD))
    flags = MessageFlag.EXT | MessageFlag.FDF | MessageFlag.BRS
    channel.write(Frame(id_=0x1ABCDEF, data=bytes(64), flags=flags))
    channel.writeSync(1000)
    frames = [channel.read(timeout=20000) for _ in range(2)]
    statistics = channel.get_bus_statistics()
    counts = [statistics.stdData, statistics.extData]
    channel.flashLeds(canlib.LEDAction.ALL_LEDS_ON, 10)
    channel.busOff()
print(json.dumps([[frame.id, bytes(frame.data).hex(), int(frame.flags)] for frame in frames]))
print(json.dumps([data.card_serial_no, str(data.card_upc_no), counts, canlib.dllversion().major]))
"""
    )
    bus = opened(0, fd=True, data_bitrate=2_000_000)
    variables = library | {"CANX_STUB_WIRES": os.environ["CANX_STUB_WIRES"]}
    lines: list[str] = []
    thread = Thread(target=lambda: lines.extend(judging.run(program, **variables).splitlines()))
    thread.start()
    first, second = bus.recv(60), bus.recv(60)
    assert first is not None
    assert second is not None
    assert (first.arbitration_id, bytes(first.data), first.is_extended_id) == (0x123, b"abc", False)
    kinds = (second.is_fd, second.bitrate_switch, second.is_extended_id, len(second.data))
    assert kinds == (True, True, True, 64)
    bus.send(Message(arbitration_id=0x77, is_extended_id=False, data=b"\1\2"))
    bus.send(Message(arbitration_id=0x1777, data=bytes(12), is_fd=True))
    thread.join()
    frames, facts = map(json.loads, lines)
    extended = constants.canMSG_EXT | constants.canFDMSG_FDF
    assert frames == [[0x77, "0102", constants.canMSG_STD], [0x1777, "00" * 12, extended]]
    assert facts == [12345, "73-30130-01306-8", [1, 1], 5]
