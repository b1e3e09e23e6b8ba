"""A simulated gateway with its devices: requests in, replies out, without bus or clock.

It answers as documented: values and limits from the object table, the documented error for every invalid
request, groups that can be written but not read, separate flash and RAM. ``simulation`` runs it on a bus.

Source: Studer Innotec, public Xcom-CAN client packages; serial protocol V1.6.32 for errors and devices.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.message import Message
from cantools_cli.units import duration
from cantools_cli.xcom import codec, objects
from cantools_cli.xcom.addresses import (
    FAMILIES,
    PHASES,
    Device,
    device_name,
    family_of,
    is_group,
    is_member,
    parse_device,
)
from cantools_cli.xcom.codec import ERROR_CODES, Identifier, MessageNotification, Part, Reply, Service
from cantools_cli.xcom.faults import Fault
from cantools_cli.xcom.objects import XcomObject
from cantools_cli.xcom.plant import FOLLOWED, START, Plant

DEFAULT_DEVICES = "xt1,xt2,vt1,vs1,bsp"
#: family -> the parameter that disables writes to flash if it is 0
_KEEPS_FROM_FLASH = {"xt": 1550, "vt": 10058, "vs": 14069}
#: commands that restart a device, so that RAM is loaded from flash
_RESTARTS = {1468, 10051, 14059, 5121}
_RESTORES = {1395, 1287, 10056, 14067, 6004}
_STARTED = 177  # the message of a device after a restart
_BATTERY_LOW = 0
_LOW_VOLTAGE = 1108


class Sending(NamedTuple):
    """A frame that the gateway sends with an additional ``delay`` in seconds."""

    message: Message
    delay: float = 0.0


class Refusal(Exception):  # noqa: N818  # a device's answer, not an error of the program
    """A request is answered with an error."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.code = ERROR_CODES[name]


class Unit:
    """A device: its parameters in flash and in RAM, and its measurements."""

    def __init__(self, device: Device) -> None:
        assert device.family is not None
        self.address = device.address
        self.family = device.family
        self.parameters = {obj.number: obj for obj in objects.of_family("parameter", self.family)}
        self.infos = {obj.number: obj for obj in objects.of_family("info", self.family)}
        self.flash = {number: obj.default or 0.0 for number, obj in self.parameters.items()}
        self.ram = dict(self.flash)
        self.wear: Counter[int] = Counter()  #: number of writes to flash per parameter
        self.measured: dict[int, float] = dict(START[self.family])
        if device.address == FAMILIES["xt"].group + 2 and self.family == "xt":
            self.measured |= {3000: 51.75, 3089: 2.0}

    @property
    def name(self) -> str:
        return device_name(self.address, self.family)

    def read_info(self, number: int) -> float:
        """Return the value of a user info."""
        if number not in self.infos:
            raise Refusal("OBJECT_ID_NOT_FOUND")
        if number in FOLLOWED and FOLLOWED[number] in self.ram:
            return self.ram[FOLLOWED[number]]
        return self.measured.get(number, 0.0)

    def read(self, number: int, part: int) -> float:
        """Return a value of a parameter; RAM reads as flash."""
        obj = self.parameter(number)
        if part == Part.MIN:
            return obj.minimum or 0.0
        if part == Part.MAX:
            return 1.0 if obj.is_signal else obj.maximum or 0.0
        if part not in (Part.FLASH, Part.RAM):
            raise Refusal("INVALID_SERVICE_ARGUMENT")
        return self.flash[number]

    def write(self, number: int, part: int, value: float) -> float:
        """Write a parameter; return the stored value."""
        obj = self.parameter(number)
        self.check(obj, part, value)
        if obj.is_signal:
            return value
        self.ram[number] = value
        keeper = _KEEPS_FROM_FLASH.get(self.family)
        if part == Part.FLASH and (number == keeper or self.flash.get(keeper or 0, 1.0) != 0.0):
            self.flash[number] = value
            self.wear[number] += 1
        return value

    def check(self, obj: XcomObject, part: int, value: float) -> None:
        """Check a write."""
        if part in (Part.MIN, Part.MAX):
            raise Refusal("PROPERTY_IS_READ_ONLY")
        if part not in (Part.FLASH, Part.RAM):
            raise Refusal("INVALID_SERVICE_ARGUMENT")
        if obj.format == "not_supported":
            raise Refusal("ACCESS_DENIED")
        if not math.isfinite(value):
            raise Refusal("INVALID_DATA")
        whole = value == int(value)
        if (obj.format == "bool" or obj.is_signal) and value not in (0.0, 1.0):
            raise Refusal("INVALID_DATA")
        if (obj.step == "one_bit" and value not in obj.options) or (obj.format == "int32" and not whole):
            raise Refusal("INVALID_DATA")
        if obj.is_signal:
            return
        if obj.minimum is not None and value < codec.rounded(obj.minimum):
            raise Refusal("DATA_TOO_SMALL")
        if obj.maximum is not None and value > codec.rounded(obj.maximum):
            raise Refusal("DATA_TOO_BIG")

    def restart(self, restore: bool = False) -> None:
        """Load RAM from flash; ``restore`` resets flash to the defaults first."""
        if restore:
            self.flash = {number: obj.default or 0.0 for number, obj in self.parameters.items()}
        self.ram = dict(self.flash)

    def parameter(self, number: int) -> XcomObject:
        """Return a parameter of the unit."""
        if number not in self.parameters:
            raise Refusal("OBJECT_ID_NOT_FOUND")
        return self.parameters[number]


def parse_units(text: str) -> list[Unit]:
    """Parse a list of devices such as ``xt1,xt2,vt1,bsp``."""
    units: dict[int, Unit] = {}
    for word in text.split(","):
        device = parse_device(word)
        if device.is_group or device.family is None:
            raise UsageError(f"{word.strip()} is not a single device", hint=DEFAULT_DEVICES)
        if device.address in units:
            raise UsageError(f"{word.strip()}: address {device.address} is already in use")
        units[device.address] = Unit(device)
    return list(units.values())


class Gateway:
    """Answers requests for its units.

    With ``exclusive``, malformed requests are answered with an error, as with switch 4 off. With ``only``,
    requests to other devices are ignored, so that two gateways can share a bus. A ``plant`` makes values
    change. ``flags`` are reserved bits set in replies.
    """

    def __init__(
        self,
        units: Iterable[Unit],
        *,
        exclusive: bool = False,
        only: bool = False,
        faults: Sequence[Fault] = (),
        plant: Plant | None = None,
        notify_to: int = 500,
        flags: int = 0,
    ) -> None:
        self.units = {unit.address: unit for unit in units}
        self.plant = plant
        self._exclusive = exclusive
        self._only = only
        self._faults = faults
        self._notify_to = notify_to
        self._flags = flags
        self._waiting: list[Sending] = []  # messages caused by a request
        self._was_low = False
        self.advance(0.0)

    def advance(self, seconds: float) -> list[Sending]:
        """Advance the plant by ``seconds``; return the messages this causes."""
        if self.plant is None:
            return []
        self.plant.advance(seconds)
        messages = []
        solar = sum(unit.family in ("vt", "vs") for unit in self.units.values()) or 1
        for unit in self.units.values():
            alike = sum(other.family == unit.family for other in self.units.values())
            share = 1 / (alike if unit.family in ("xt", "bsp", "bms") else solar)
            unit.measured |= self.plant.infos(unit.family, share, unit.ram)
        first = next((unit for unit in self.units.values() if unit.family == "xt"), None)
        is_low = first is not None and first.measured[3000] < first.ram[_LOW_VOLTAGE]
        if first is not None and is_low and not self._was_low:
            messages.append(self.notification(first.address, _BATTERY_LOW))
        self._was_low = is_low
        return messages

    def notification(self, source: int, message_id: int, value: int = 0) -> Sending:
        """Return a message of a device to all."""
        data = codec.encode_notification(MessageNotification(message_id, value))
        return Sending(codec.frame(self._notify_to, source, Service.MESSAGE, data))

    def answer(self, request: Message) -> list[Sending]:
        """Return the frames sent in response to a frame on the bus: usually one reply, or nothing."""
        if not self.is_request(request):
            return []
        identifier = codec.decode_identifier(request.arbitration_id)
        data = bytes(request.data)
        reply = self._reply(identifier, data)
        if reply is None:
            return []
        sent = self._framed(identifier, reply)
        waiting, self._waiting = self._waiting, []
        return [*sent, *waiting]

    def is_request(self, message: Message) -> bool:
        """Return whether a frame on the bus is a request to this gateway, well-formed or not."""
        if not codec.is_carrier(message):
            return False
        identifier = codec.decode_identifier(message.arbitration_id)
        # some buses return sent frames, and a reply must not be mistaken for a request
        is_ours = identifier.source in self.units
        return not identifier.flags and not is_ours and self._serves(identifier.destination)

    def _serves(self, address: int) -> bool:
        if address in self.units:
            return True
        if self._only:
            return any(is_member(unit, address) for unit in self.units)
        return family_of(address) not in (None, "rcc")

    def _reply(self, identifier: Identifier, data: bytes) -> Reply | None:
        """Return the reply to a request; None for no reply."""
        try:
            request = codec.decode_request(identifier.service, data)
        except ValueError:
            if not self._exclusive:
                return None
            return Reply(
                int.from_bytes(data[:2].ljust(2, b"\0"), "big"), error_code=ERROR_CODES["INVALID_FRAME"]
            )
        try:
            value = self._served(identifier, request)
        except Refusal as refusal:
            return Reply(request.object_id, error_code=refusal.code)
        return Reply(request.object_id, request.part, value)

    def _served(self, identifier: Identifier, request: Reply) -> float:
        address = identifier.destination
        if identifier.service == Service.WRITE_PARAMETER:
            return self._written(address, request)
        if is_group(address) and address not in PHASES.values():
            raise Refusal("MULTICAST_READ_NOT_SUPPORTED")
        unit = self._members(address)[0]
        if identifier.service == Service.READ_USER_INFO:
            return unit.read_info(request.object_id)
        assert request.part is not None
        return unit.read(request.object_id, request.part)

    def _written(self, address: int, request: Reply) -> float:
        assert request.part is not None
        assert request.value is not None
        members = self._members(address)
        for unit in members:  # all or none
            unit.check(unit.parameter(request.object_id), request.part, request.value)
        for unit in members:
            unit.write(request.object_id, request.part, request.value)
            if request.value == 1.0 and request.object_id in _RESTARTS | _RESTORES:
                unit.restart(restore=request.object_id in _RESTORES)
                self._waiting.append(self.notification(unit.address, _STARTED))
        return request.value

    def _members(self, address: int) -> list[Unit]:
        """Return the units at an address."""
        if address in PHASES.values():
            phase = 1 + address - PHASES["l1"]
            units = [unit for unit in self.units.values() if unit.measured.get(3089) == phase]
        elif is_group(address):
            units = [unit for number, unit in self.units.items() if is_member(number, address)]
        else:
            units = [self.units[address]] if address in self.units else []
        if not units:
            raise Refusal("DEVICE_NOT_FOUND")
        return units

    def _framed(self, request: Identifier, reply: Reply) -> list[Sending]:
        flags = self._flags | (codec.ERROR_FLAG if reply.error_code is not None else 0)
        data = codec.encode_reply(request.service & 3, reply)
        frame = codec.frame(request.source, request.destination, request.service, data, flags)
        for fault in self._faults:
            if fault.is_due(request.destination):
                return [Sending(message, delay) for delay, message in fault.apply(frame)]
        return [Sending(frame)]


def parse_notice(text: str) -> tuple[int, int, int, float | None]:
    """Parse ``DEVICE:MESSAGE[:VALUE][@PERIOD]``; return (address, message, value, period in seconds)."""
    what, mark, period = text.partition("@")
    parts = what.split(":")
    numbers = [int(part, 0) if part.isdigit() or part.startswith("0x") else -1 for part in parts[1:]]
    limits = (codec.LARGEST_ID, 0xFFFFFFFF)
    if len(parts) not in (2, 3) or any(not 0 <= n <= m for n, m in zip(numbers, limits, strict=False)):
        raise UsageError(f"{quoted(text)} is not a message to send", hint="DEVICE:MESSAGE[:VALUE][@PERIOD]")
    number, value = [*numbers, 0][:2]
    return parse_device(parts[0]).address, number, value, duration(period) if mark else None
