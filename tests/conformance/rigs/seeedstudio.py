from __future__ import annotations

from typing import Any

from cantools_cli.backends.seeedstudio.bus import SeeedBus
from cantools_cli.bus.base import BusABC
from cantools_cli.frame.message import Message
from tests.conformance.rig import Node
from tests.conformance.rigs.robotell import RobotellRig
from tests.conformance.serial_rig import SerialRig
from tests.emulators.seeedstudio import Seeed, frame


class SeeedRig(SerialRig):
    interface = "seeedstudio"
    extended = {"frame_type": "EXT"}
    wrong = (*SerialRig.wrong, {"bitrate": 123_456}, {"frame_type": "BOTH"}, {"operation_mode": "loud"})
    without = {
        "FD": "the adapter has no CAN FD",
    }

    def new_device(self) -> Any:
        return Seeed()

    def packed(self, message: Message) -> bytes:
        remote = message.dlc if message.is_remote_frame else None
        data = b"" if message.is_remote_frame else bytes(message.data)
        return frame(message.arbitration_id, data, extended=message.is_extended_id, remote=remote)

    unpacked = RobotellRig.unpacked  # type: ignore[assignment]  # the emulators keep frames alike

    def report_error(self, bus: BusABC, node: Node) -> None:
        assert isinstance(bus, SeeedBus)
        self.device.counters = (0, 128)
        bus.status_frame()

    disturb = report_error


RIG = SeeedRig()
