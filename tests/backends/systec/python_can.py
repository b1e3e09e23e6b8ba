"""A program that exchanges frames by python-can's bus of a USB-CANmodule, which is for Windows.

It sends the frames of its first argument, then prints those that it receives up to one with identifier 7FF.
ctypes gets the sizes and the loader that it has on Windows.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any


def windows() -> None:
    """Import python-can's wrapper as on Windows."""
    namespace: Any = ctypes
    library = ctypes.CDLL(os.environ["CANX_SYSTEC_LIBRARY"])
    namespace.WinDLL = lambda _: library
    namespace.WINFUNCTYPE = ctypes.CFUNCTYPE
    namespace.c_ulong, namespace.c_long = ctypes.c_uint32, ctypes.c_int32
    name, os.name = os.name, "nt"
    try:
        import can.interfaces.systec.ucan  # noqa: F401  # loads the library
    finally:
        os.name = name


def main() -> None:
    import can

    windows()
    from can.interfaces.systec import UcanBus

    with UcanBus(1, device_number=1) as bus:
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
