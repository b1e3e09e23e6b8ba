"""A program that exchanges frames by python-can's bus of port 0; its library is found by LD_LIBRARY_PATH.

It sends the frames of its first argument, then prints those that it receives up to one with identifier 7FF.
"""

from __future__ import annotations

from tests.vendor.exchange import exchange


def main() -> None:
    import can

    with can.Bus(0, interface="neousys") as bus:
        exchange(bus)


if __name__ == "__main__":
    main()
