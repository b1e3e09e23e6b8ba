"""The client of Studer's public protocol, with the names of the vendor's documentation.

In addition to the vendor's client it supports every interface of canx, several clients in one program, and
strict matching of replies to requests (see ``node``).

Source: Studer Innotec, documentation of the public Xcom-CAN client, xcomcan.client.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cantools_cli import plugins
from cantools_cli.bus.base import BusABC
from cantools_cli.errors import UsageError
from cantools_cli.xcom.addresses import NOTIFICATION_ADDRESS
from cantools_cli.xcom.codec import ADDRESS_MASK, ERROR_CODES, MessageNotification, Service
from cantools_cli.xcom.node import Node, Notified, Request, StuCanPublicError, Timeout

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["StuCanPublicClient", "StuCanPublicError", "Timeout"]

#: bit rates that the switches of a gateway can select
BITRATES = (10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 1_000_000)
_DESTINATION = ADDRESS_MASK << 19
_DOCUMENTED = "kvaser"  # the documented default interface
_BUSY_PAUSE = 1.0  # seconds to wait for a busy gateway


class StuCanPublicClient:
    """A client at ``source_address``, for use in a ``with`` statement.

    ``bustype`` is the interface. If it is kvaser, the default of the vendor's examples, an interface from the
    configuration (``CAN_INTERFACE``, files) takes precedence, as in the vendor's client except on Windows.
    ``channel`` and further keywords are passed to ``Bus``; an open ``bus`` is used instead, and stays open.
    ``debug`` logs all frames to the logger ``cantools_cli.xcom``.

    Attributes:
        source_address, can_bus_speed, bustype, debug: the arguments.
        retries: how often to repeat a read without a reply; writes are never repeated.
        node: the open node; available inside the ``with`` statement.

    Raises:
        UsageError: the source address is out of range.
    """

    def __init__(
        self,
        source_address: int,
        can_bus_speed: int = 125000,
        bustype: str | None = _DOCUMENTED,
        debug: bool = False,
        *,
        channel: Any = None,
        bus: BusABC | None = None,
        on_detail: Callable[[str], None] | None = None,
        **bus_settings: Any,
    ) -> None:
        if not 0 <= source_address <= ADDRESS_MASK:
            raise UsageError(f"source address {source_address} is not from 0 to {ADDRESS_MASK}")
        self.source_address = source_address
        self.can_bus_speed = can_bus_speed
        self.bustype = bustype
        self.debug = debug
        self.retries = 0
        self._given = bus
        self._settings = {"interface": bustype, "channel": channel, "bitrate": can_bus_speed, **bus_settings}
        self._on_detail = on_detail or (_logger() if debug else None)
        self._node: Node | None = None

    def __enter__(self) -> Self:
        bus = self._given
        if bus is None:
            bus = _open(self._settings)
            bus.set_filters(
                [
                    {"can_id": address << 19, "can_mask": _DESTINATION, "extended": True}
                    for address in (self.source_address, NOTIFICATION_ADDRESS)
                ]
            )
        self._node = Node(bus, self.source_address, on_detail=self._on_detail)
        return self

    def __exit__(self, *_: object) -> None:
        if self._node is not None:
            node, self._node = self._node, None
            node.close()
            if self._given is None:
                node.bus.shutdown()

    @property
    def node(self) -> Node:
        if self._node is None:
            raise UsageError("the client is not open", hint="with StuCanPublicClient(...) as client:")
        return self._node

    def read_user_info(self, destination_address: int, info_id: int, timeout: float | None = 1) -> float:
        """Return the value of a user info, part of the current state of a device.

        Raises:
            StuCanPublicError: the device answered with an error.
            Timeout: no reply within ``timeout`` seconds; None waits indefinitely.
            CanError: the bus failed.
        """
        return self._read(Request(destination_address, Service.READ_USER_INFO, info_id), timeout)

    def read_parameter(
        self, destination_address: int, parameter_id: int, part: int, timeout: float | None = 1
    ) -> float:
        """Return the value, minimum or maximum of a parameter. Reading RAM returns the value in flash.

        Raises:
            StuCanPublicError, Timeout, CanError: see ``read_user_info``.
        """
        request = Request(destination_address, Service.READ_PARAMETER, parameter_id, part)
        return self._read(request, timeout)

    def write_parameter(
        self, destination_address: int, parameter_id: int, part: int, value: float, timeout: float | None = 1
    ) -> int:
        """Write a parameter once and return its number from the reply.

        Flash is guaranteed for 1000 writes per parameter; ``PARAMETER_PART_RAM`` has no such limit.

        Raises:
            StuCanPublicError, Timeout, CanError: see ``read_user_info``; after a timeout it is unknown
                whether the value was written.
        """
        request = Request(destination_address, Service.WRITE_PARAMETER, parameter_id, part, value)
        return self.node.request(request, timeout).reply.object_id

    def messages(self) -> list[tuple[int, MessageNotification]]:
        """Return (source address, message) of all messages received since the client was opened."""
        return [(message.source, message.notification) for message in self.notified()]

    def notified(self, timeout: float | None = 0.0) -> list[Notified]:
        """Return all messages with their timestamps, after waiting up to ``timeout`` seconds for more."""
        self.node.receive_messages(timeout)
        return list(self.node.messages)

    def _read(self, request: Request, timeout: float | None) -> float:
        retries = max(0, self.retries)
        while True:
            try:
                answer = self.node.request(request, timeout)
            except Timeout:
                if not retries:
                    raise
            except StuCanPublicError as error:
                if not retries or error.error_code != ERROR_CODES["GATEWAY_BUSY"]:
                    raise
                time.sleep(_BUSY_PAUSE)
            else:
                assert answer.reply.value is not None
                return answer.reply.value
            retries -= 1


def _open(settings: dict[str, Any]) -> BusABC:
    """Open the bus; missing settings come from the configuration, then from the documented defaults."""
    from cantools_cli.bus.config import find_settings
    from cantools_cli.bus.interface import Bus

    if settings["interface"] == _DOCUMENTED:
        settings = {**settings, "interface": None}
    values = find_settings(None, settings).values
    if values["interface"] in (None, _DOCUMENTED):
        values["interface"] = _DOCUMENTED
        values["channel"] = 0 if values["channel"] is None else values["channel"]
    if plugins.interface(values["interface"]).has_system_bitrate:
        values.pop("bitrate", None)
    return Bus(**values, ignore_config=True)


def _logger() -> Callable[[str], None]:
    import logging

    logger = logging.getLogger("cantools_cli.xcom")
    logger.setLevel(logging.DEBUG)
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler())
    return logger.debug
