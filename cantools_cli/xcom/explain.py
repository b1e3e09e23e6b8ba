"""Xcom-CAN frames as text, recognised among the other traffic of a bus.

::

    request 0->xt1 read parameter 1286 AC Output voltage [flash]
    reply xt1->0 read parameter 1286 AC Output voltage [flash]: 230 Vac
    error xt1->0 write parameter 1286 AC Output voltage: DATA_TOO_BIG (0x28)
    message xt1->all Warning (016): Fan error detected

Other protocols use 29-bit identifiers as well. A frame is recognised if it has a known service, the length of
that service, no reserved bits, and a device at exactly one end; if that is the source, it is a reply.

Source: see ``codec``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cantools_cli.frame.message import Message
from cantools_cli.xcom import codec, objects, values
from cantools_cli.xcom.addresses import NOTIFICATION_ADDRESS, device_name, family_of
from cantools_cli.xcom.codec import Identifier, Part, Reply, Service
from cantools_cli.xcom.objects import XcomObject
from cantools_cli.xcom.readings import PART_NAMES

_VERBS = {
    Service.READ_USER_INFO: "read info",
    Service.READ_PARAMETER: "read parameter",
    Service.WRITE_PARAMETER: "write parameter",
}


@dataclass(frozen=True)
class Explained:
    """A decoded frame."""

    what: str  #: request, reply, error or message
    identifier: Identifier
    object: XcomObject | None  #: None for messages and unknown objects
    content: Reply  #: object, part, value and error code; ``object_id`` is the number of a message

    def __str__(self) -> str:
        if self.what == "message":
            value = f", value {self.content.value:.0f}" if self.content.value else ""
            return f"message {self._ends()} {objects.message_text(self.content.object_id)}{value}"
        name = f" {self.object.name}" if self.object and self.object.name else ""
        head = f"{self.what} {self._ends()} {_VERBS[Service(self.identifier.service)]}"
        head += f" {self.content.object_id}{name}"
        if self.what == "error":
            code = self.content.error_code or 0
            return f"{head}: {codec.error_name(code)} (0x{code:02X})"
        if self.content.part is not None:
            head += f" [{_part_name(self.content.part)}]"
        if self.content.value is not None:
            head += f": {values.text(self.object, self.content.value)}"
        return head

    def _ends(self) -> str:
        destination = self.identifier.destination
        to = "all" if destination == NOTIFICATION_ADDRESS else device_name(destination)
        return f"{device_name(self.identifier.source)}->{to}"

    def as_json(self) -> dict[str, Any]:
        """Return the frame as a JSON object."""
        content, identifier = self.content, self.identifier
        device = identifier.destination if self.what == "request" else identifier.source
        result: dict[str, Any] = {
            "what": self.what,
            "source": identifier.source,
            "destination": identifier.destination,
            "device": device_name(device),
            "service": identifier.service,
            "number": content.object_id,
            "name": None if self.object is None else self.object.name,
        }
        if content.part is not None:
            result["part"] = _part_name(content.part)
        if self.what == "message":
            result |= {"name": objects.message_text(content.object_id), "value": int(content.value or 0)}
        elif content.value is not None:
            result |= {
                "value": values.json_number(self.object, content.value),
                "unit": values.unit(self.object) or None,
                "label": values.label(self.object, content.value),
                "raw": codec.encode_value(content.value).hex(),
            }
        if content.error_code is not None:
            result["error"] = {"code": content.error_code, "name": codec.error_name(content.error_code)}
        return result


def _part_name(part: int) -> str:
    return PART_NAMES[Part(part)] if part in PART_NAMES else f"part {part}"


def explain(message: Message, *, lenient: bool = False) -> Explained | None:
    """Decode a frame; return None if it is not Xcom-CAN.

    ``lenient`` accepts frames with reserved bits and replies with extra bytes.
    """
    if not codec.is_carrier(message):
        return None
    identifier = codec.decode_identifier(message.arbitration_id)
    if identifier.flags & ~codec.ERROR_FLAG and not lenient:
        return None
    data = bytes(message.data)
    from_device = family_of(identifier.source) is not None
    if identifier.service == Service.MESSAGE:
        if not from_device or identifier.is_error or len(data) != 6:
            return None
        to_all = identifier.destination == NOTIFICATION_ADDRESS
        if not to_all and family_of(identifier.destination) is not None:
            return None
        notification = codec.decode_notification(data)
        return Explained(
            "message", identifier, None, Reply(notification.message_id, value=float(notification.value))
        )
    if identifier.service not in _VERBS or from_device == (family_of(identifier.destination) is not None):
        return None
    try:
        return _transaction(identifier, data, is_reply=from_device, lenient=lenient)
    except ValueError:
        return None


def _transaction(identifier: Identifier, data: bytes, *, is_reply: bool, lenient: bool) -> Explained | None:
    """Decode a request or a reply."""
    if not is_reply:
        if identifier.is_error:
            return None
        content = codec.decode_request(identifier.service, data)
        what, device = "request", identifier.destination
    else:
        content = codec.decode_reply(identifier.service, data, identifier.is_error)
        needed = (
            codec.ERROR_LENGTH if identifier.is_error else codec.REPLY_LENGTHS[Service(identifier.service)]
        )
        if len(data) != needed and not lenient:
            return None
        what, device = "error" if identifier.is_error else "reply", identifier.source
    kind = "info" if identifier.service == Service.READ_USER_INFO else "parameter"
    family = family_of(device)
    obj = objects.lookup(kind, content.object_id, family)
    if obj is None and family == "bsp":
        obj = objects.lookup(kind, content.object_id, "bms")
    return Explained(what, identifier, obj, content)
