"""Runs python-can's bus of Vector's adapters, which is for Windows, on the emulated library.

ctypes gets the sizes that it has on Windows, where a long has four bytes. The first argument is what to do:

    exchange CHANNEL SETTINGS FRAMES    open a bus, send the frames, print those received up to identifier 7FF
    facts                               print enumerations, layouts, channels and the default application
"""

from __future__ import annotations

import ctypes
import ctypes.util
import inspect
import json
import os
import sys
from enum import IntEnum, IntFlag
from types import SimpleNamespace
from typing import Any


def windows() -> None:
    namespace: Any = ctypes
    namespace.c_long, namespace.c_ulong = ctypes.c_int32, ctypes.c_uint32
    namespace.windll = SimpleNamespace(LoadLibrary=ctypes.CDLL)
    ctypes.util.find_library = lambda name: os.environ["CANX_VECTOR_LIBRARY"]
    from can.interfaces.vector import canlib

    canlib_namespace: Any = canlib
    canlib_namespace.os = SimpleNamespace(name="nt")


def exchange(channel: str, settings: str, frames: str) -> None:
    import can
    from can.interfaces.vector import VectorBus

    with VectorBus(int(channel), **json.loads(settings)) as bus:
        print("open", flush=True)
        for row in json.loads(frames):
            bus.send(can.Message(**{**row, "data": bytes.fromhex(row["data"])}))
        while True:
            message = bus.recv(30)
            assert message is not None
            print(json.dumps(row_of(message)), flush=True)
            if message.arbitration_id == 0x7FF:
                break


def row_of(message: Any) -> dict[str, Any]:
    """Return a frame as keywords of a message."""
    names = ("is_extended_id", "is_remote_frame", "is_fd", "bitrate_switch", "is_rx", "channel", "dlc")
    data = b"" if message.is_remote_frame else bytes(message.data)
    row = {name: getattr(message, name) for name in names}
    return {"arbitration_id": message.arbitration_id, **row, "data": data.hex()}


def layout(structure: Any) -> dict[str, int]:
    fields = {name: getattr(structure, name).offset for name, *_ in structure._fields_ if name[0] != "_"}
    return {"size": ctypes.sizeof(structure), **fields}


def facts() -> None:
    from can.interfaces.vector import VectorBus, get_channel_configs, xlclass, xldefine, xldriver

    enumerations = {
        name: {member: int(value) for member, value in kind.__members__.items()}
        for name, kind in vars(xldefine).items()
        if inspect.isclass(kind) and issubclass(kind, IntEnum | IntFlag) and kind not in (IntEnum, IntFlag)
    }
    structures = {
        name: layout(kind)
        for name, kind in vars(xlclass).items()
        if inspect.isclass(kind) and issubclass(kind, ctypes.Structure)
    }
    configs = [repr(config) for config in get_channel_configs()]
    xldriver.xlOpenDriver()  # python-can leaves it to the program
    application = VectorBus.get_application_config("CANalyzer", 1)
    xldriver.xlCloseDriver()
    parameters = [*inspect.signature(VectorBus).parameters]
    print(json.dumps([enumerations, structures, configs, repr(application), parameters]))


if __name__ == "__main__":
    windows()
    {"exchange": exchange, "facts": facts}[sys.argv[1]](*sys.argv[2:])
