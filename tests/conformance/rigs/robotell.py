from __future__ import annotations

from typing import Any

from cantools_cli.frame.message import Message
from tests.conformance.serial_rig import SerialRig
from tests.emulators.robotell import Robotell, frame

_SILENT = "the adapter reports neither errors of the bus nor the state of its controller"


class RobotellRig(SerialRig):
    interface = "robotell"
    settings = {"bitrate": 500_000}
    wrong = (*SerialRig.wrong, {"bitrate": 2_000_000}, {"listen_only": True})
    without = {
        "FD": "the adapter has no CAN FD",
        "error frames": _SILENT,
        "state": _SILENT,
    }

    def new_device(self) -> Any:
        return Robotell()

    def packed(self, message: Message) -> bytes:
        remote = message.dlc if message.is_remote_frame else None
        data = b"" if message.is_remote_frame else bytes(message.data)
        return frame(message.arbitration_id, data, extended=message.is_extended_id, remote=remote)

    def unpacked(self, frame: Any) -> Message:
        identifier, extended, remote, length, data = frame
        return Message(
            arbitration_id=identifier,
            is_extended_id=extended,
            is_remote_frame=remote,
            dlc=length,
            data=data,
        )


RIG = RobotellRig()
