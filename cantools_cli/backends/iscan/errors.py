"""The return codes of iscandrv, and their exceptions.

Source: Thorsis ``iscandrv.h``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from cantools_cli.errors import CanError, CanInitializationError, CanOperationError

DONE = 0
NO_ACCESS = 1
TRANSMITTING = 7
NOTHING_RECEIVED = 8
BUFFER_OVERRUN = 11
NOT_INITIALISED = 12
REMOVED = 13
BUS_ERROR = 16
BUS_OFF = 17
ERROR_PASSIVE = 18
DATA_OVERRUN = 19
ERROR_WARNING = 20
BUS_RESET = 22
BUS_CRITICAL = 32

#: codes of a card that is gone
GONE = frozenset({NO_ACCESS, NOT_INITIALISED, REMOVED})


class IscanError(CanError):
    """A function of the library failed.

    Attributes:
        function: the function, or its name.
        error_code: what it returned, a key of ``ERROR_CODES``.
        arguments: what it was called with.
    """

    ERROR_CODES: ClassVar[dict[int, str]] = {
        0: "done",
        1: "no access to the device",
        2: "no device with this number",
        3: "the driver failed",
        4: "bad parameter",
        5: "only possible online",
        6: "the device did not answer in time",
        7: "the device is transmitting",
        8: "nothing received",
        9: "the thread is not running",
        10: "the thread is running already",
        11: "buffer overrun",
        12: "the device is not initialised",
        13: "the device was removed",
        15: "another process uses the device",
        16: "bus error",
        17: "off the bus",
        18: "error passive",
        19: "data overrun",
        20: "error warning",
        22: "bus reset",
        24: "the frame is extended",
        30: "sending failed",
        31: "no node acknowledged the frame",
        32: "bus critical",
        35: "the thread of the callback is blocked",
        40: "the driver needs a licence number",
        41: "access denied",
    }

    def __init__(self, function: Any, error_code: int, arguments: Any, *, hint: str | None = None) -> None:
        self.function = function
        self.arguments = arguments
        place = f"iscan:{arguments[0]}: " if arguments else ""
        text = self.ERROR_CODES.get(error_code, "unknown code")
        super().__init__(f"{place}{self._name()}: {text}", error_code, hint=hint)

    def _name(self) -> str:
        return str(getattr(self.function, "__name__", self.function))

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (self._name(), self.error_code, self.arguments)
        return type(self), arguments, {"hint": self.hint, "sent": self.sent}


class IscanInitializationError(IscanError, CanInitializationError):
    """A card cannot be opened."""


class IscanOperationError(IscanError, CanOperationError):
    """A card failed while in use."""
