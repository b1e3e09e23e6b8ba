"""Safe writing of parameters: checks before and after a write.

Before a write, the value is compared with the minimum and maximum read from the device, and the journal is
consulted for the wear of flash. After a write, flash is read back; RAM cannot be, since it reads as flash. A
write without a reply is never repeated.

Source: Studer Innotec, documentation of the public Xcom-CAN client; serial protocol V1.6.32, unsaved values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cantools_cli.errors import CanOperationError, CanTimeoutError, UsageError
from cantools_cli.xcom import journal as journals
from cantools_cli.xcom.addresses import FAMILIES, Device
from cantools_cli.xcom.client import StuCanPublicClient
from cantools_cli.xcom.codec import ERROR_CODES, ERRORS, Part, Service, rounded
from cantools_cli.xcom.journal import Journal
from cantools_cli.xcom.node import Request, StuCanPublicError, Timeout
from cantools_cli.xcom.objects import XcomObject
from cantools_cli.xcom.values import format_number, text


class WriteFailedError(CanOperationError):
    """A write was not accepted, or flash holds another value afterwards."""


class RefusedError(CanOperationError):
    """A device answered with an error, which the message explains."""


@contextmanager
def _explained(heading: str) -> Iterator[None]:
    """Convert an error reply to a message that names the object."""
    try:
        yield
    except StuCanPublicError as error:
        raise RefusedError(f"{heading}: {error.explanation}") from error


@dataclass
class Plan:
    """A write that passed its checks."""

    object: XcomObject
    device: Device
    part: Part
    value: float
    present: float | None = None  #: the current value in flash; None if unknown or different among devices
    #: limits common to all devices; None if they were not read
    minimum: float | None = None
    maximum: float | None = None
    #: the devices to write: those of a group that answered, or the single device
    members: list[Device] = field(default_factory=list)
    wear: int = 0  #: writes to flash so far, according to the journal

    @property
    def is_unchanged(self) -> bool:
        """Whether flash already holds the value, within the precision of the device."""
        return (
            self.present is not None
            and not self.object.is_signal
            and _is_near(self.object, self.present, self.value, 0.5)
        )

    @property
    def heading(self) -> str:
        return f"{self.object.number} {self.object.name} ({self.device.name})"


@dataclass
class Outcome:
    """The result of a write."""

    stored: float | None
    verified: float | None = None  #: the value read back from flash; None if that is impossible
    others: list[str] = field(default_factory=list)  #: answers of further devices of a group, one line each


@dataclass(eq=False)
class Writer:
    """Plans and carries out writes of ``client``; ``bus`` is the name of the bus in the journal.

    ``force`` skips the checks of limits, guarded parameters and worn flash. ``broadcast`` allows writes to
    groups.
    """

    client: StuCanPublicClient
    journal: Journal
    bus: str
    timeout: float = 1.0
    force: bool = False
    broadcast: bool = False

    def plan(self, obj: XcomObject, device: Device, value: float, part: Part) -> Plan:
        """Check a write without writing anything."""
        plan = Plan(obj, device, part, value)
        if part not in (Part.FLASH, Part.RAM):
            raise UsageError("only ram and flash can be written")
        if device.is_group and not self.broadcast:
            raise UsageError(
                f"{device.name} is a group of devices: writing it needs --broadcast",
                hint="or choose one device, such as --device xt1",
            )
        if obj.is_guarded and not self.force:
            raise UsageError(
                f"{plan.heading} switches, resets or reconfigures the device", hint="--force writes it"
            )
        with _explained(plan.heading):
            self._ask(plan)
        if not self.force:
            self._check_range(plan)
        if part == Part.FLASH:
            plan.wear = max(self.journal.count(self.bus, name, obj.number) for name in self._names(plan))
            if plan.wear >= journals.ENDURANCE and not self.force:
                raise UsageError(
                    f"{plan.heading}: all {plan.wear} guaranteed writes to flash are used",
                    hint="write to RAM, or use --force",
                )
        return plan

    def plan_if_changed(self, obj: XcomObject, device: Device, value: float, part: Part) -> Plan | None:
        """Return the plan of a write, or None if flash already holds the value; like ``plan``."""
        if not device.is_group and not obj.is_signal:
            with _explained(f"{obj.number} {obj.name} ({device.name})"):
                present = self._read(device, obj, Part.FLASH)
            if Plan(obj, device, part, value, present).is_unchanged:
                return None
        return self.plan(obj, device, value, part)

    def carry_out(self, plan: Plan) -> Outcome:
        """Write once and read flash back.

        Raises:
            WriteFailedError: flash holds another value afterwards.
            RefusedError: the device answered with an error.
            CanTimeoutError: no reply; it is unknown whether the value was written.
            OSError: the journal cannot be written; nothing was sent.
        """
        if plan.part == Part.FLASH:
            for name in self._names(plan):
                self.journal.record(self.bus, name, plan.object.number, plan.value)
        with _explained(plan.heading):
            outcome = self._write(plan)
            if plan.part == Part.FLASH and not plan.object.is_signal:
                outcome.verified = self._verified(plan)
        return outcome

    def _names(self, plan: Plan) -> list[str]:
        return [member.name for member in plan.members] or [plan.device.name]

    def _read(self, device: Device, obj: XcomObject, part: Part) -> float:
        return self.client.read_parameter(device.address, obj.number, part, self.timeout)

    def _ask(self, plan: Plan) -> None:
        """Read limits and the current value of the device, or of all devices of the group."""
        obj = plan.object
        if obj.is_signal or (self.force and plan.part == Part.RAM):
            plan.members = [] if plan.device.is_group else [plan.device]
            return
        if plan.device.is_group:
            self._ask_members(plan)
            return
        plan.members = [plan.device]
        plan.minimum = self._read(plan.device, obj, Part.MIN)
        plan.maximum = self._read(plan.device, obj, Part.MAX)
        plan.present = self._read(plan.device, obj, Part.FLASH)

    def _ask_members(self, plan: Plan) -> None:
        """Read from the devices of a group in order; they are numbered without gaps."""
        obj, present = plan.object, set()
        family = plan.device.family or "xt"
        group = FAMILIES[family].group
        for address in range(group + 1, group + 1 + FAMILIES[family].units):
            device = Device(address, family)
            try:
                low, high = self._read(device, obj, Part.MIN), self._read(device, obj, Part.MAX)
            except Timeout:
                break
            except StuCanPublicError as error:
                if error.error_code != ERROR_CODES["DEVICE_NOT_FOUND"]:
                    raise
                break
            plan.minimum = low if plan.minimum is None else max(plan.minimum, low)
            plan.maximum = high if plan.maximum is None else min(plan.maximum, high)
            present.add(self._read(device, obj, Part.FLASH))
            plan.members.append(device)
        if not plan.members:
            raise CanTimeoutError(f"{plan.heading}: no device of the group answered")
        plan.present = present.pop() if len(present) == 1 else None

    def _check_range(self, plan: Plan) -> None:
        if plan.minimum is None or plan.maximum is None:
            return
        if not plan.minimum <= plan.value <= plan.maximum:
            raise UsageError(
                f"{plan.heading}: {format_number(plan.value)} is outside of the device's limits, "
                f"{format_number(plan.minimum)} to {text(plan.object, plan.maximum)}",
                hint="--force writes it anyway",
            )

    def _write(self, plan: Plan) -> Outcome:
        address, number = plan.device.address, plan.object.number
        request = Request(address, Service.WRITE_PARAMETER, number, plan.part, plan.value)
        try:
            if not plan.device.is_group:
                return Outcome(self.client.node.request(request, self.timeout).reply.value)
            first, *rest = self.client.node.request_all(request, self.timeout)
        except Timeout as error:
            raise CanTimeoutError(
                f"{plan.heading}: no reply, so it is unknown whether the value was written",
                hint="read the value, or its effect, before writing again",
            ) from error
        lines = []
        for answer in (first, *rest):
            code = answer.reply.error_code
            result = "accepted" if code is None else ERRORS.get(code, (f"error 0x{code:02X}", ""))[0]
            lines.append(f"{Device(answer.source, plan.device.family).name}: {result}")
        failed = first.reply.error_code
        if failed is not None:
            raise StuCanPublicError(plan.object.number, failed, source=first.source)
        if any(answer.reply.error_code is not None for answer in rest):
            raise WriteFailedError(f"{plan.heading}: {'; '.join(lines)}")
        return Outcome(first.reply.value, others=lines[1:])

    def _verified(self, plan: Plan) -> float | None:
        stored = None
        for device in plan.members:
            stored = self._read(device, plan.object, Part.FLASH)
            if not _is_near(plan.object, stored, plan.value, 1.0):
                raise WriteFailedError(
                    f"{plan.object.number} {plan.object.name} ({device.name}): flash holds "
                    f"{text(plan.object, stored)} after {format_number(plan.value)} was written",
                    hint="parameter 1550 (10058, 14069) at 0 disables writes to flash",
                )
        return stored


def _is_near(obj: XcomObject, stored: float, value: float, steps: float) -> bool:
    """Return whether two values are equal for a device, which stores some of them in 16 bits."""
    return abs(stored - value) <= rounded(obj.editing_step * steps) or rounded(stored) == rounded(value)
