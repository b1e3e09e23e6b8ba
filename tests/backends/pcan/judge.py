"""python-can's PcanBus on an emulated library, as a program: ``python judge.py LIBRARY SETTINGS``.

Each line of standard input is Python: what it prints is the answer. ``bus`` is the open bus.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import can  # type: ignore[import-not-found,unused-ignore]  # an optional requirement of the tests
from can.interfaces.pcan import basic, pcan  # type: ignore[import-not-found,unused-ignore]


def facts(message: Any) -> list[Any] | None:
    if message is None:
        return None
    kinds = [message.is_extended_id, message.is_remote_frame, message.is_error_frame]
    fd = [message.is_fd, message.bitrate_switch, message.error_state_indicator]
    data = "" if message.is_remote_frame else bytes(message.data).hex()
    return [message.arbitration_id, kinds, fd, message.is_rx, message.dlc, data, message.timestamp]


def message(words: list[Any]) -> Any:
    identifier, (extended, remote, error), (fd, brs, esi), _, dlc, data, _ = words
    return can.Message(
        arbitration_id=identifier,
        is_extended_id=extended,
        is_remote_frame=remote,
        is_error_frame=error,
        is_fd=fd,
        bitrate_switch=brs,
        error_state_indicator=esi,
        dlc=dlc,
        data=None if remote else bytes.fromhex(data),
    )


def main() -> None:
    library, settings = sys.argv[1:]
    basic.find_library = lambda _: library  # it looks for libpcanbasic.so in the folders of the system only
    names: dict[str, Any] = {"can": can, "pcan": pcan, "facts": facts, "message": message}
    with pcan.PcanBus(**json.loads(settings)) as names["bus"]:
        print("null", flush=True)
        for line in sys.stdin:
            try:
                answer = eval(line, names)
            except Exception as error:  # its class is the answer
                answer = type(error).__name__
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
