"""A program that exchanges frames by python-can's bus of a USB-CANmodule, which is for Windows.

It sends the frames of its first argument, then prints those that it receives up to one with identifier 7FF.
ctypes gets the sizes and the loader that it has on Windows.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

from tests.vendor.exchange import exchange


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
    import can  # noqa: F401  # before the system has another name

    windows()
    from can.interfaces.systec import UcanBus

    with UcanBus(1, device_number=1) as bus:
        exchange(bus)


if __name__ == "__main__":
    main()
