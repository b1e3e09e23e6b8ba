"""A program that exchanges frames by python-can's bus of device 1, which is for Windows.

It sends the frames of its first argument, then prints those that it receives up to one with identifier 7FF.
ctypes gets the sizes that it has on Windows; the library is found by LD_LIBRARY_PATH.
"""

from __future__ import annotations

import ctypes
from typing import Any

from tests.vendor.exchange import exchange


def main() -> None:
    windows: Any = ctypes
    windows.c_ulong = ctypes.c_uint32
    import can

    with can.Bus(1, interface="iscan") as bus:
        exchange(bus)


if __name__ == "__main__":
    main()
