from __future__ import annotations

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node
from tests.conformance.vendor_rig import VendorRig
from tests.vendor.kit import KIND_OVERRUN, KIND_STATE


class NeousysRig(VendorRig):
    interface = "neousys"
    channel = 0
    wrong = (
        *({"channel": "can0"}, {"channel": -1}, {"bitrate": 0}, {"bitrate": 2_000_000}, {"rx_queue_size": 0}),
        *({"hw_filter": "maybe"}, {"device": "first"}, {"channel": 7}),
    )
    without = {"FD": "the controller has no CAN FD"}

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_STATE, code=0x40 | 6)

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_STATE, code=0x20)

    def lose(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_OVERRUN)
        self.stub.inject(0, arbitration_id=0x123)


RIG = NeousysRig()
