"""A program that exchanges frames by python-can's bus of a USB2CAN adapter, which is for Windows.

It sends the frames of its first argument, then prints those that it receives up to one with identifier 7FF.
ctypes gets the sizes that it has on Windows, and what finds adapters there is empty.
"""

from __future__ import annotations

import ctypes
import os
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.vendor.exchange import exchange


def windows() -> None:
    namespace: Any = ctypes
    namespace.windll = SimpleNamespace(LoadLibrary=ctypes.CDLL)
    namespace.c_ulong, namespace.c_long = ctypes.c_uint32, ctypes.c_int32
    for name in ("pythoncom", "win32com", "win32com.client"):
        sys.modules[name] = ModuleType(name)


def main() -> None:
    windows()
    from can.interfaces.usb2can import Usb2canBus

    with Usb2canBus("ED000201", dll=os.environ["CANX_USB2CAN_LIBRARY"]) as bus:
        exchange(bus)


if __name__ == "__main__":
    main()
