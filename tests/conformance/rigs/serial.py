from __future__ import annotations

from typing import Any

from cantools_cli.frame.message import Message
from tests.conformance.serial_rig import SerialRig
from tests.emulators.serial_can import SerialCan, frame

_EXTENDED, _REMOTE, _ERROR = 0x80000000, 0x40000000, 0x20000000


class SerialCanRig(SerialRig):
    interface = "serial"
    carries_errors = True
    wrong = ({"channel": ""}, {"baudrate": "fast"}, {"id_flags": "maybe"}, {"timestamps": "none"})
    without = {
        "FD": "the frames on the serial line have no CAN FD",
        "state": "there is no CAN controller, only a serial line",
    }

    def new_device(self) -> Any:
        return SerialCan()

    def packed(self, message: Message) -> bytes:
        word = message.arbitration_id
        word |= _EXTENDED if message.is_extended_id and not message.is_error_frame else 0
        word |= (_REMOTE if message.is_remote_frame else 0) | (_ERROR if message.is_error_frame else 0)
        data = b"" if message.is_remote_frame else bytes(message.data)
        return frame(word, data, 1, message.dlc)

    def unpacked(self, frame: Any) -> Message:
        _, word, size, data = frame
        return Message(
            arbitration_id=word & 0x1FFFFFFF,
            is_extended_id=bool(word & _EXTENDED),
            is_remote_frame=bool(word & _REMOTE),
            is_error_frame=bool(word & _ERROR),
            dlc=size,
            data=data,
        )


RIG = SerialCanRig()
