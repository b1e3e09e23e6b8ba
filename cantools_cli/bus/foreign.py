"""An adapter for a bus of the real python-can, for plug-ins that subclass python-can's own ``BusABC``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cantools_cli import errors
from cantools_cli.bus.base import BusABC, BusState, CanProtocol
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message

BATCH_FRAMES = 1000  #: received at once

_ERRORS = (
    "CanTimeoutError",
    "CanInitializationError",
    "CanInterfaceNotImplementedError",
    "CanOperationError",
    "CanError",
)


def adapted(bus: Any) -> BusABC:
    """Return ``bus`` if it is a canx bus, else a canx bus that sends and receives through it."""
    return bus if isinstance(bus, BusABC) else ForeignBus(bus)


def open_foreign(open_bus: Callable[..., Any], *args: Any, **kwargs: Any) -> BusABC:
    """Return the bus that ``open_bus`` opens, as a canx bus.

    Raises:
        CanError: the canx error with the name of python-can's error.
    """
    with _translated():
        return adapted(open_bus(*args, **kwargs))


class ForeignBus(BusABC):
    """Sends and receives through ``bus``, and has its further attributes.

    Periodic sending is that of canx: a task of the other library would not know this bus.
    """

    def __init__(self, bus: Any) -> None:
        self._bus = bus
        super().__init__(None, getattr(bus, "filters", None))
        self.channel_info = str(bus.channel_info)

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        batch = MessageBatch()
        with _translated():
            message = self._bus.recv(timeout)
            while message is not None:
                self._take(message, batch)
                message = self._bus.recv(0) if len(batch) < BATCH_FRAMES else None
        return batch if len(batch) else None

    def _take(self, message: Any, batch: MessageBatch) -> None:
        try:
            batch.append(message)
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            self.losses.add_fault("malformed messages skipped", errors.FormatError(str(error)))

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        for message in batch:
            with _translated():
                self._bus.send(_their_message(message), timeout)

    def _apply_filters(self, filters: CanFilters | None) -> None:
        self._bus.set_filters(filters)

    def _fileno(self) -> int:
        descriptor = self._bus.fileno()
        if not isinstance(descriptor, int) or descriptor < 0:
            raise NotImplementedError("the bus has no descriptor")
        return descriptor

    def _close(self) -> None:
        with _translated():
            self._bus.shutdown()

    def flush_tx_buffer(self) -> None:
        self._bus.flush_tx_buffer()

    @property
    def state(self) -> BusState:
        return BusState[self._bus.state.name]

    @state.setter
    def state(self, new_state: BusState) -> None:
        self._bus.state = type(self._bus.state)[new_state.name]

    @property
    def protocol(self) -> CanProtocol:
        theirs = getattr(self._bus, "protocol", None)  # since python-can 4.2
        return CanProtocol.CAN_20 if theirs is None else CanProtocol[theirs.name]

    def __del__(self) -> None:
        """Leave the wrapped bus open: its owner may still use it, and it logs its own warning."""
        if self._readiness is not None:
            self._readiness.close()

    def __getattr__(self, name: str) -> Any:
        if name == "_bus":  # opening the bus failed
            raise AttributeError(name)
        return getattr(self._bus, name)


def _their_message(message: Message) -> Any:
    """Return ``message`` as a message of python-can, which some plug-ins require."""
    kind = getattr(sys.modules.get("can"), "Message", Message)
    if isinstance(message, kind):
        return message
    theirs = kind(
        timestamp=message.timestamp,
        arbitration_id=message.arbitration_id,
        is_extended_id=message.is_extended_id,
        is_remote_frame=message.is_remote_frame,
        is_error_frame=message.is_error_frame,
        channel=message.channel,
        dlc=message.dlc,
        is_fd=message.is_fd,
        is_rx=message.is_rx,
        bitrate_switch=message.bitrate_switch,
        error_state_indicator=message.error_state_indicator,
    )
    theirs.data = message.data
    return theirs


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the errors of python-can and of its drivers into those of canx."""
    try:
        yield
    except (errors.CanError, ValueError, TypeError, NotImplementedError) as error:
        if isinstance(error, errors.CanError) or not _name_of(error):
            raise
        raise _ours(error) from error
    except Exception as error:  # a plug-in may fail in any way
        raise _ours(error) from error


def _name_of(error: Exception) -> str | None:
    """Return the name of python-can's class of ``error``, or None for an error of another origin."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return next((name for name in _ERRORS if name in names), None)


def _ours(error: Exception) -> errors.CanError:
    name = _name_of(error)
    kind: type[errors.CanError] = getattr(errors, name) if name else errors.CanOperationError
    ours = kind(str(error) or type(error).__name__)
    ours.error_code = getattr(error, "error_code", None)
    return ours
