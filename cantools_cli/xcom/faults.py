"""Injected faults of a simulated gateway: ``KIND[=VALUE][@DEVICE][/N]``, in every Nth reply or in all.

::

    silence             no reply                 short           only two bytes of the reply
    late=1.5            1.5 s late               wrong-source    reply from another device: =vt1
    duplicate           reply sent twice         wrong-object    number of another object: =3021
    busy                error GATEWAY_BUSY       error=0x28      any other error
    standard            reply in an 11-bit frame
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cantools_cli.errors import UsageError, quoted
from cantools_cli.frame.message import Message
from cantools_cli.units import duration
from cantools_cli.xcom import codec
from cantools_cli.xcom.addresses import is_member, parse_device

#: kind -> default value
KINDS = {
    "silence": "",
    "late": "1.5",
    "short": "",
    "wrong-source": "vt1",
    "wrong-object": "3021",
    "duplicate": "",
    "busy": "",
    "error": "0x22",
    "standard": "",
}
_TEXT = re.compile(
    r"(?P<kind>[a-z-]+)(?:=(?P<value>[^@/]*))?(?:@(?P<device>[^/]*))?(?:/(?P<every>[0-9]{1,6}))?"
)


@dataclass
class Fault:
    """A fault in every ``every``-th reply of ``address``; None is all devices."""

    kind: str
    address: int | None = None
    every: int = 1
    delay: float = 0.0  #: seconds, for ``late``
    number: int = 0  #: an address, object or error code, if the kind needs one
    _seen: int = field(default=0, repr=False)

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Parse a fault."""
        match = _TEXT.fullmatch(text.strip())
        if match is None or match["kind"] not in KINDS or match["every"] == "0":
            raise UsageError(
                f"{quoted(text)} is not a fault", hint=f"KIND[=VALUE][@DEVICE][/N]; KIND: {', '.join(KINDS)}"
            )
        kind, value = match["kind"], match["value"] or KINDS[match["kind"]]
        fault = cls(kind, every=int(match["every"] or 1))
        if match["device"]:
            fault.address = parse_device(match["device"]).address
        if kind == "late":
            fault.delay = duration(value)
        elif kind == "wrong-source":
            fault.number = parse_device(value).address
        elif kind in ("wrong-object", "error"):
            fault.number = _number(value, codec.LARGEST_ID if kind == "wrong-object" else 0xFFFFFFFF)
        return fault

    def is_due(self, address: int) -> bool:
        """Count a reply of ``address``; return whether it is affected."""
        if self.address not in (None, address) and not is_member(address, self.address or 0):
            return False
        self._seen += 1
        return self._seen % self.every == 0

    def apply(self, reply: Message) -> list[tuple[float, Message]]:
        """Return the frames to send instead of ``reply``, each with its delay in seconds."""
        if self.kind == "silence":
            return []
        if self.kind == "duplicate":
            return [(0.0, reply), (0.0, reply)]
        return [(self.delay, self._changed(reply))]

    def _changed(self, reply: Message) -> Message:
        identifier = codec.decode_identifier(reply.arbitration_id)
        data = bytes(reply.data)
        if self.kind == "short":
            data = data[:2]
        elif self.kind == "wrong-source":
            identifier = identifier._replace(source=self.number)
        elif self.kind == "wrong-object":
            data = self.number.to_bytes(2, "big") + data[2:]
        elif self.kind in ("busy", "error"):
            code = codec.ERROR_CODES["GATEWAY_BUSY"] if self.kind == "busy" else self.number
            data = codec.encode_reply(
                identifier.service, codec.Reply(int.from_bytes(data[:2], "big"), error_code=code)
            )
            identifier = identifier._replace(flags=codec.ERROR_FLAG)
        elif self.kind == "standard":
            return Message(arbitration_id=reply.arbitration_id & 0x7FF, is_extended_id=False, data=data)
        destination, source, service, flags = identifier
        return codec.frame(destination, source, service, data, flags)


def _number(text: str, limit: int) -> int:
    try:
        number = int(text, 0)
    except ValueError:
        number = -1
    if not 0 <= number <= limit:
        raise UsageError(f"{quoted(text)} is not a number from 0 to {limit}")
    return number
