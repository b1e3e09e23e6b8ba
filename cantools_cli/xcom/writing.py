"""Writing parameters without harm: what is checked before, and after.

Before anything is sent: the value lies between the minimum and the maximum that the device itself gives; a
write to flash has a journal that says how worn the parameter is. After it: flash is read back. RAM cannot
be: it reads as flash. A write that had no answer is never repeated.

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
from cantools_cli.xcom.node import StuCanPublicError, Timeout
from cantools_cli.xcom.objects import XcomObject
from cantools_cli.xcom.values import format_number, text


class WriteFailedError(CanOperationError):
    """A write was not taken, or flash holds something else afterwards."""


class RefusedError(CanOperationError):
    """A device answered with an error; the text says which, and to what."""


@contextmanager
def _explained(heading: str) -> Iterator[None]:
    """Say in words what a device refused."""
    try:
        yield
    except StuCanPublicError as error:
        raise RefusedError(f"{heading}: {error.explanation}") from error


@dataclass
class Plan:
    """A write that passed its checks.

    Attributes:
        present: the value in flash now, None where nobody could say.
        minimum, maximum: of all devices that are written; None where none was asked for.
        members: the devices of a group that answered; the device itself if it is one.
        wear: writes to flash so far, by the journal.
    """

    object: XcomObject
    device: Device
    part: Part
    value: float
    present: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    members: list[Device] = field(default_factory=list)
    wear: int = 0

    @property
    def is_unchanged(self) -> bool:
        """Whether flash holds the value already, as exactly as devices store it."""
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
    """What came of a write.

    Attributes:
        others: what further devices of a group answered, a line each.
        stored: what the device says that it took.
        verified: the value read back from flash; None where that was not possible.
    """

    stored: float | None
    verified: float | None = None
    others: list[str] = field(default_factory=list)


class Writer:
    """Plans and carries out writes of ``client``; ``bus`` is what the journal calls the bus.

    ``force`` passes limits, guarded parameters, what is unchanged, and a flash that is worn out.
    ``broadcast`` lets groups be written.
    """

    def __init__(
        self,
        client: StuCanPublicClient,
        journal: Journal,
        bus: str,
        *,
        timeout: float = 1.0,
        force: bool = False,
        broadcast: bool = False,
    ) -> None:
        self._client = client
        self._journal = journal
        self._bus = bus
        self._timeout = timeout
        self._force = force
        self._broadcast = broadcast

    def plan(self, one: XcomObject, device: Device, value: float, part: Part) -> Plan:
        """Check a write against the device; nothing is written yet.

        Raises:
            UsageError: it is not to be done, and the text says why.
            RefusedError, Timeout: the device could not be asked.
        """
        plan = Plan(one, device, part, value)
        if part not in (Part.FLASH, Part.RAM):
            raise UsageError("only ram and flash can be written")
        if device.is_group and not self._broadcast:
            raise UsageError(
                f"{device.name} is all devices of a kind: none is written unless that is asked for",
                hint="--broadcast, or one device, such as --device xt1",
            )
        if one.is_guarded and not self._force:
            raise UsageError(
                f"{plan.heading} switches, resets or reconfigures the device", hint="--force does it"
            )
        with _explained(plan.heading):
            self._ask(plan)
        if not self._force:
            self._check_range(plan)
        if part == Part.FLASH:
            plan.wear = max(self._journal.count(self._bus, name, one.number) for name in self._names(plan))
            if plan.wear >= journals.ENDURANCE and not self._force:
                raise UsageError(
                    f"{plan.heading}: {plan.wear} writes to flash are all that is guaranteed",
                    hint="write to RAM, or --force",
                )
        return plan

    def plan_if_changed(self, one: XcomObject, device: Device, value: float, part: Part) -> Plan | None:
        """Return the plan of a write, None where flash holds the value already; otherwise as ``plan``."""
        if not device.is_group and not one.is_signal:
            with _explained(f"{one.number} {one.name} ({device.name})"):
                present = self._read(device, one, Part.FLASH)
            if Plan(one, device, part, value, present).is_unchanged:
                return None
        return self.plan(one, device, value, part)

    def carry_out(self, plan: Plan) -> Outcome:
        """Write, once, and read flash back.

        Raises:
            WriteFailedError: flash holds something else afterwards.
            RefusedError: the device refused.
            CanTimeoutError: it did not answer, and nobody knows whether it took the value.
            OSError: the journal cannot be written; nothing was sent.
        """
        if plan.part == Part.FLASH:
            for name in self._names(plan):
                self._journal.record(self._bus, name, plan.object.number, plan.value)
        with _explained(plan.heading):
            outcome = self._write(plan)
            if plan.part == Part.FLASH and not plan.object.is_signal:
                outcome.verified = self._verified(plan)
        return outcome

    def _names(self, plan: Plan) -> list[str]:
        return [member.name for member in plan.members] or [plan.device.name]

    def _read(self, device: Device, one: XcomObject, part: Part) -> float:
        return self._client.read_parameter(device.address, one.number, part, self._timeout)

    def _ask(self, plan: Plan) -> None:
        """Read limits and the present value of the device, or of all devices of the group."""
        one = plan.object
        if one.is_signal or (self._force and plan.part == Part.RAM):
            plan.members = [] if plan.device.is_group else [plan.device]
            return
        if plan.device.is_group:
            self._ask_members(plan)
            return
        plan.members = [plan.device]
        plan.minimum = self._read(plan.device, one, Part.MIN)
        plan.maximum = self._read(plan.device, one, Part.MAX)
        plan.present = self._read(plan.device, one, Part.FLASH)

    def _ask_members(self, plan: Plan) -> None:
        """Ask the devices of a group in their order: they are numbered without gaps."""
        one, present = plan.object, set()
        family = plan.device.family or "xt"
        group = FAMILIES[family].group
        for address in range(group + 1, group + 1 + FAMILIES[family].units):
            device = Device(address, family)
            try:
                low, high = self._read(device, one, Part.MIN), self._read(device, one, Part.MAX)
            except Timeout:
                break
            except StuCanPublicError as error:
                if error.error_code != ERROR_CODES["DEVICE_NOT_FOUND"]:
                    raise
                break
            plan.minimum = low if plan.minimum is None else max(plan.minimum, low)
            plan.maximum = high if plan.maximum is None else min(plan.maximum, high)
            present.add(self._read(device, one, Part.FLASH))
            plan.members.append(device)
        if not plan.members:
            raise CanTimeoutError(f"{plan.heading}: no device of the group answers")
        plan.present = present.pop() if len(present) == 1 else None

    def _check_range(self, plan: Plan) -> None:
        if plan.minimum is None or plan.maximum is None:
            return
        if not plan.minimum <= plan.value <= plan.maximum:
            raise UsageError(
                f"{plan.heading}: {format_number(plan.value)} is not from {format_number(plan.minimum)} "
                f"to {text(plan.object, plan.maximum)}, which the device allows",
                hint="--force sends it all the same",
            )

    def _write(self, plan: Plan) -> Outcome:
        arguments = (plan.device.address, Service.WRITE_PARAMETER, plan.object.number, plan.part, plan.value)
        try:
            if not plan.device.is_group:
                return Outcome(self._client.node.request(*arguments, self._timeout).reply.value)
            first, *rest = self._client.node.request_all(*arguments, self._timeout)
        except Timeout as error:
            raise CanTimeoutError(
                f"{plan.heading}: no reply, so that nobody knows whether it was written",
                hint="read it, or what it acts upon, before you write again",
            ) from error
        lines = []
        for answer in (first, *rest):
            code = answer.reply.error_code
            said = "taken" if code is None else ERRORS.get(code, (f"error 0x{code:02X}", ""))[0]
            lines.append(f"{Device(answer.source, plan.device.family).name}: {said}")
        failed = first.reply.error_code
        if failed is not None:
            raise StuCanPublicError(plan.object.number, failed, source=first.source)
        if any(answer.reply.error_code is not None for answer in rest):
            raise WriteFailedError(f"{plan.heading}: {'; '.join(lines)}")
        return Outcome(first.reply.value, others=lines[1:])

    def _verified(self, plan: Plan) -> float | None:
        found = None
        for device in plan.members:
            found = self._read(device, plan.object, Part.FLASH)
            if not _is_near(plan.object, found, plan.value, 1.0):
                raise WriteFailedError(
                    f"{plan.object.number} {plan.object.name} ({device.name}): flash holds "
                    f"{text(plan.object, found)} after {format_number(plan.value)} was written",
                    hint="parameter 1550 (10058, 14069) at 0 keeps writes from flash",
                )
        return found


def _is_near(one: XcomObject, found: float, value: float, steps: float) -> bool:
    """Tell whether two values are the same to a device, which stores some of them in 16 bits."""
    return abs(found - value) <= rounded(one.editing_step * steps) or rounded(found) == rounded(value)
