"""Values read from devices, as text and JSON.

::

    1286 AC Output voltage (xt1): 230 Vac
    {"timestamp":1764340000.123456,"device":"xt1","address":101,"kind":"parameter","number":1286, ...}
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cantools_cli.xcom import values
from cantools_cli.xcom.addresses import Device
from cantools_cli.xcom.client import StuCanPublicClient
from cantools_cli.xcom.codec import Part, encode_value
from cantools_cli.xcom.node import ShortReplyError, StuCanPublicError, Timeout
from cantools_cli.xcom.objects import XcomObject

PART_NAMES = {Part.FLASH: "flash", Part.MIN: "min", Part.MAX: "max", Part.RAM: "ram"}


@dataclass(frozen=True)
class Reading:
    """The result of reading an object: a value or an error."""

    timestamp: float  #: when the reply arrived, in seconds since the epoch
    device: Device
    object: XcomObject
    part: Part | None = None  #: part of the parameter; None for a user info
    value: float | None = None
    error: StuCanPublicError | Timeout | ShortReplyError | None = None

    @property
    def heading(self) -> str:
        """``1286 AC Output voltage (xt1) [min]``."""
        part = "" if self.part in (None, Part.FLASH) else f" [{PART_NAMES[self.part]}]"
        return f"{self.object.number} {self.object.name} ({self.device.name}){part}"

    @property
    def problem(self) -> str:
        """The error as text."""
        if isinstance(self.error, StuCanPublicError):
            return self.error.explanation
        return "no reply" if isinstance(self.error, Timeout) else str(self.error or "")

    def __str__(self) -> str:
        text = values.text(self.object, self.value) if self.value is not None else self.problem
        return f"{self.heading}: {text}"

    @property
    def number_text(self) -> str:
        """The number without its unit; empty if there is no value."""
        missing = self.value is None or values.is_missing(self.object, self.value)
        return "" if missing or self.value is None else values.format_number(self.value)

    def as_json(self) -> dict[str, Any]:
        """Return the reading as a JSON object; a value that is not a number is None."""
        known = self.value is not None
        return {
            "timestamp": round(self.timestamp, 6),
            "device": self.device.name,
            "address": self.device.address,
            "kind": self.object.kind,
            "number": self.object.number,
            "name": self.object.name,
            "part": None if self.part is None else PART_NAMES[self.part],
            "value": values.json_number(self.object, self.value) if self.value is not None else None,
            "unit": values.unit(self.object) or None,
            "label": values.label(self.object, self.value) if self.value is not None else None,
            "raw": encode_value(self.value).hex() if known and self.value is not None else None,
            "error": self._error(),
        }

    def _error(self) -> dict[str, Any] | None:
        if self.error is None:
            return None
        if isinstance(self.error, StuCanPublicError):
            return {"code": self.error.error_code, "name": self.error.identifier}
        return {"code": None, "name": "NO_REPLY" if isinstance(self.error, Timeout) else "SHORT_REPLY"}


def read(
    client: StuCanPublicClient,
    obj: XcomObject,
    device: Device,
    part: Part | None = None,
    timeout: float | None = 1.0,
    clock: Callable[[], float] = time.time,
) -> Reading:
    """Read an object; an error of the device or a timeout is part of the reading."""
    try:
        if obj.kind == "info":
            value = client.read_user_info(device.address, obj.number, timeout)
        else:
            part = Part.FLASH if part is None else part
            value = client.read_parameter(device.address, obj.number, part, timeout)
    except (StuCanPublicError, Timeout, ShortReplyError) as error:
        return Reading(clock(), device, obj, part, error=error)
    return Reading(clock(), device, obj, part, value)
