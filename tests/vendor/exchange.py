"""What a child program does with python-can's bus: it sends and receives as a test tells it."""

from __future__ import annotations

import json
import sys
from typing import Any

LAST = 0x7FF  #: the identifier of the last frame that the child receives


def exchange(bus: Any) -> None:
    """Send the frames of the first argument, then print those that ``bus`` receives, up to ``LAST``."""
    import can

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
        if message.arbitration_id == LAST:
            break
