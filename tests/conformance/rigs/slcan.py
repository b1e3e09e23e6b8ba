from __future__ import annotations

from typing import Any

from cantools_cli.bus.base import BusABC
from cantools_cli.frame.bits import dlc2len, len2dlc
from cantools_cli.frame.message import Message
from tests.conformance.rig import Node
from tests.conformance.serial_rig import SerialRig
from tests.emulators.slcan import Slcan

_FD_LETTERS = {"d": False, "b": True}


class SlcanRig(SerialRig):
    interface = "slcan"
    usb = {"vid": 0x16D0, "pid": 0x117E}
    settings = {"bitrate": 500_000, "status_interval": 0.02}
    fd = {"data_bitrate": 2_000_000}
    malformed = b"t12\r"
    wrong = (*SerialRig.wrong, {"bitrate": 123_456}, {"dialect": "unknown"})

    def new_device(self) -> Any:
        return Slcan("nakakiyo")

    def packed(self, message: Message) -> bytes:
        letter = "r" if message.is_remote_frame else "t"
        if message.is_fd:
            letter = "b" if message.bitrate_switch else "d"
        identifier = f"{letter}{message.arbitration_id:03X}"
        if message.is_extended_id:
            identifier = f"{letter.upper()}{message.arbitration_id:08X}"
        data = b"" if message.is_remote_frame else bytes(message.data)
        code = len2dlc(len(data)) if message.is_fd else message.dlc
        return self.device.line(f"{identifier}{code:X}{data.hex().upper()}".encode())

    def unpacked(self, frame: bytes) -> Message:
        text = frame.decode()
        letter, is_extended = text[0].lower(), text[0].isupper()
        head = 9 if is_extended else 4
        code = int(text[head], 16)
        is_fd = letter in _FD_LETTERS
        return Message(
            arbitration_id=int(text[1:head], 16),
            is_extended_id=is_extended,
            is_remote_frame=letter == "r",
            is_fd=is_fd,
            bitrate_switch=_FD_LETTERS.get(letter, False),
            dlc=dlc2len(code) if is_fd else code,
            data=bytes.fromhex(text[head + 1 :]),
        )

    def report_error(self, bus: BusABC, node: Node) -> None:
        self.device.flags = 0x20

    disturb = report_error


RIG = SlcanRig()
