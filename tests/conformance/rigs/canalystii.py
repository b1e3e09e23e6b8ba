from __future__ import annotations

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node
from tests.conformance.usb_rig import UsbRig
from tests.emulators.canalystii import CanalystII, joined
from tests.emulators.usb import Core

_SILENT = "the adapter reports neither errors of the bus nor the state of its controller"


class CanalystRig(UsbRig):
    interface = "canalystii"
    channel = 0
    settings = {"bitrate": 500_000}
    node_settings = {"device": 1}
    wrong = (
        *({"channel": 2}, {"channel": "a"}, {"bitrate": 123_456}, {"bitrate": None}, {"listen_only": True}),
        *({"rx_queue_size": 0}, {"device": 7}),
    )
    without = {"FD": "the adapter has no CAN FD", "error frames": _SILENT, "state": _SILENT}

    def new_cores(self) -> list[Core]:
        devices = [CanalystII(serial) for serial in ("A1", "B2")]
        joined(*(device.channels[0] for device in devices))
        return [*devices]

    def lose(self, bus: BusABC, node: Node) -> None:
        self.cores[0].garbage.append(b"\x09" + bytes(63))
        self.cores[0].notify()


RIG = CanalystRig()
