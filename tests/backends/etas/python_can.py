"""A program that runs python-can's bus of an ETAS controller, which is for Windows, on the emulated BOA.

Its first argument is a list of steps: ``["open", settings]``, ``["send", frame]``, ``["recv", number]``,
``["filters", filters]``, ``["state"]``, ``["detect"]`` and ``["calls"]``, those of BOA. It prints the result
of each step, or its exception, as a line of JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from types import SimpleNamespace
from typing import Any


def facts(message: Any) -> list[Any]:
    kinds = message.is_extended_id, message.is_remote_frame, message.is_error_frame, message.is_fd
    flags = message.bitrate_switch, message.error_state_indicator, message.is_rx
    return [message.arbitration_id, *kinds, *flags, message.dlc, bytes(message.data).hex()]


def run(step: list[Any], buses: list[Any]) -> Any:
    import can
    from can.interfaces.etas import EtasBus

    name, *values = step
    if name == "open":
        buses.append(EtasBus(sys.argv[2], **values[0]))
    elif name == "send":
        data = bytes.fromhex(values[0].pop("data", ""))
        buses[0].send(can.Message(**values[0], data=data))
    elif name == "recv":
        found = [buses[0].recv(30) for _ in range(values[0])]
        return [message and facts(message) for message in found]
    elif name == "filters":
        buses[0].set_filters(values[0])
    elif name == "calls":
        text = ctypes.create_string_buffer(1 << 16)
        ctypes.CDLL(os.environ["CANX_ETAS_LIBRARY"]).stub_log(text, len(text))
        return text.value.decode().splitlines()
    elif name == "state":
        return str(buses[0].state)
    elif name == "detect":
        return [config["channel"] for config in EtasBus._detect_available_configs()]
    return None


def main() -> None:
    namespace: Any = ctypes
    namespace.windll = SimpleNamespace(LoadLibrary=lambda name: ctypes.CDLL(os.environ["CANX_ETAS_LIBRARY"]))
    buses: list[Any] = []
    for step in json.loads(sys.argv[1]):
        try:
            print(json.dumps(run(step, buses)), flush=True)
        except Exception as error:  # python-can's bus may raise any
            print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)
    for bus in buses:
        bus.shutdown()


if __name__ == "__main__":
    main()
