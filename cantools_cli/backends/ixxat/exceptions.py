"""The errors of VCI calls, with python-can's names; ``error_code`` is the result of the call."""

from __future__ import annotations

from cantools_cli.errors import CanInitializationError, CanOperationError, CanTimeoutError


class VCIError(CanOperationError):
    """A call failed."""


class VCITimeout(CanTimeoutError):  # noqa: N818  # python-can's name
    """A call took too long, or the transmit queue had no room in time."""


class VCIRxQueueEmptyError(VCIError):
    """The receive queue is empty."""


class VCIBusOffError(VCIError):
    """The controller is bus-off, so that it sends nothing."""


class VCIDeviceNotFoundError(CanInitializationError):
    """No device, or none with the given hardware identifier, is connected."""
