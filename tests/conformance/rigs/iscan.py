from __future__ import annotations

from cantools_cli.bus.base import BusABC
from tests.conformance.rig import Node
from tests.conformance.vendor_rig import VendorRig
from tests.vendor.kit import KIND_OVERRUN, KIND_STATE


class IscanRig(VendorRig):
    interface = "iscan"
    channel = 0
    wrong = (
        *({"channel": "can0"}, {"channel": 300}, {"bitrate": 5_000}, {"bitrate": 123_456}),
        *({"poll_interval": 0}, {"btr0btr1": 0x10000}, {"channel": 7}),
    )
    without = {
        "FD": "the controller has no CAN FD",
        "fileno": "the library has no descriptor to wait for",
    }

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_STATE, code=16)

    def disturb(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_STATE, code=18)

    def lose(self, bus: BusABC, node: Node) -> None:
        self.stub.inject(0, kind=KIND_OVERRUN)


RIG = IscanRig()
