"""A program that exchanges frames by python-can's bus of a USB2CAN adapter, which is for Windows.

It sends the frames of its first argument, then prints those that it receives up to one with identifier 7FF.
ctypes gets the sizes that it has on Windows, and what finds adapters there is empty.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from types import ModuleType, SimpleNamespace
from typing import Any


def windows() -> None:
    namespace: Any = ctypes
    namespace.windll = SimpleNamespace(LoadLibrary=ctypes.CDLL)
    namespace.c_ulong, namespace.c_long = ctypes.c_uint32, ctypes.c_int32
    for name in ("pythoncom", "win32com", "win32com.client"):
        sys.modules[name] = ModuleType(name)


def main() -> None:
    windows()
    import can
    from can.interfaces.usb2can import Usb2canBus

    with Usb2canBus("ED000201", dll=os.environ["CANX_USB2CAN_LIBRARY"]) as bus:
        print("open", flush=True)
        for identifier, extended, remote, dlc, data in json.loads(sys.argv[1]):
            bus.send(
                can.Message(
                    arbitration_id=identifier,
                    is_extended_id=extended,
                    is_remote_frame=remote,
                    dlc=dlc,
                    data=bytes.fromhex(data),
                )
            )
        while True:
            message = bus.recv(30)
            assert message is not None
            kinds = message.is_extended_id, message.is_remote_frame
            data = b"" if message.is_remote_frame else bytes(message.data)
            print(json.dumps([message.arbitration_id, *kinds, message.dlc, data.hex()]), flush=True)
            if message.arbitration_id == 0x7FF:
                break


if __name__ == "__main__":
    main()
