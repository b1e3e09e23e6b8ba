"""A program that runs python-can's bus of NI-CAN, which is for Windows, on the emulated library.

Its first argument is a list of steps: ``["open", settings]``, ``["send", frame]``, ``["recv", number]``,
``["reset"]`` and ``["calls"]``, those of NI-CAN. It prints the result of each step, or its exception, as a
line of JSON. ctypes gets the sizes that it has on Windows, and the driver accepts frames to send of 16 bytes,
as the real one does.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock


def facts(message: Any) -> list[Any]:
    kinds = message.is_extended_id, message.is_remote_frame, message.is_error_frame
    return [message.arbitration_id, *kinds, message.dlc, bytes(message.data).hex(), message.timestamp]


def run(step: list[Any], buses: list[Any], bus_class: Any) -> Any:
    import can

    name, *values = step
    if name == "open":
        buses.append(bus_class("CAN1", **values[0]))
    elif name == "send":
        data = bytes.fromhex(values[0].pop("data", ""))
        buses[0].send(can.Message(**values[0], data=data))
    elif name == "recv":
        return [
            message and facts(message) for message in (buses[0].recv(values[1]) for _ in range(values[0]))
        ]
    elif name == "reset":
        buses[0].reset()
    elif name == "calls":
        text = ctypes.create_string_buffer(1 << 16)
        ctypes.windll.LoadLibrary("nican").stub_log(text, len(text))  # type: ignore[attr-defined]  # as on Windows
        return text.value.decode().splitlines()
    return None


def main() -> None:
    import can  # before the platform changes

    namespace: Any = ctypes
    library = ctypes.CDLL(os.environ["CANX_NICAN_LIBRARY"])
    library.stub_set(b"padded", ctypes.c_int64(2))
    namespace.windll = SimpleNamespace(LoadLibrary=lambda name: library)
    namespace.c_ulong, namespace.c_long = ctypes.c_uint32, ctypes.c_int32
    with mock.patch.object(sys, "platform", "win32"):
        from can.interfaces.nican import NicanBus

    assert can
    buses: list[Any] = []
    for step in json.loads(sys.argv[1]):
        try:
            print(json.dumps(run(step, buses, NicanBus)), flush=True)
        except Exception as error:  # python-can's bus may raise any
            print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)
    for bus in buses:
        bus.shutdown()


if __name__ == "__main__":
    main()
