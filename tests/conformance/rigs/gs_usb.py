from __future__ import annotations

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node
from tests.conformance.usb_rig import UsbRig
from tests.emulators.gs_usb import FD_80, OVERFLOWN, PASSIVE, Frame, GsUsbCore, connect
from tests.emulators.usb import Core


class GsUsbRig(UsbRig):
    interface = "gs_usb"
    channel = 0
    node_settings = {"channel": None, "index": 1}
    detected = {}
    wrong = ({"channel": "x:y:z"}, {"bitrate": 0}, {"bitrate": 123_456_789}, {"index": 7})

    def new_cores(self) -> list[Core]:
        cores = [GsUsbCore(FD_80, serial) for serial in ("A1", "B2")]
        connect((cores[0], 0), (cores[1], 0))
        return [*cores]

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.cores[0].change_state(0, PASSIVE, 0, 130)

    disturb = report_error

    def lose(self, bus: BusABC, node: Node) -> None:
        self.cores[0].receive(0, Frame(0x1, 1, b"\1", OVERFLOWN))


RIG = GsUsbRig()
