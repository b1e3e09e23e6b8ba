"""A program that exchanges frames by python-can's bus of port 0; its library is found by LD_LIBRARY_PATH.

It sends the frames of its first argument, then prints those that it receives up to one with identifier 7FF.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    import can

    with can.Bus(0, interface="neousys") as bus:
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
