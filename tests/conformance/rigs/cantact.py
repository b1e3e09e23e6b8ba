from __future__ import annotations

from tests.conformance.rigs.gs_usb import GsUsbRig
from tests.emulators.gs_usb import CANTACT_PRO, GsUsbCore, connect
from tests.emulators.usb import Core


class CantactRig(GsUsbRig):
    interface = "cantact"
    node_settings = {"channel": 2}
    wrong = ({"channel": 7}, {"channel": "can0"}, {"bitrate": 0}, {"bitrate": 123_456_789})

    def new_cores(self) -> list[Core]:
        cores = [GsUsbCore(CANTACT_PRO, serial) for serial in ("A1", "B2")]
        connect((cores[0], 0), (cores[1], 0))
        return [*cores]


RIG = CantactRig()
