"""The errors of CANlib's functions, under their documented names."""

from __future__ import annotations

from typing import Any

from cantools_cli.backends.kvaser.constants import TEXTS
from cantools_cli.errors import CanError, CanInitializationError, CanOperationError

__all__ = ["CANLIBError", "CANLIBInitializationError", "CANLIBOperationError"]


class CANLIBError(CanError):
    """A function of CANlib failed with ``error_code``.

    ``function`` is the function or its name. ``place`` is the bus, ``text`` the library's description of the
    error, by default canx's own.

    Attributes:
        function: the name of the function.
        arguments: the arguments of the call.
    """

    def __init__(
        self,
        function: Any,
        error_code: int,
        arguments: Any = (),
        *,
        place: str = "",
        text: str = "",
        hint: str | None = None,
        sent: int | None = None,
    ) -> None:
        self.function = (
            function if isinstance(function, str) else getattr(function, "__name__", str(function))
        )
        self.arguments = arguments
        text = text or text_of(error_code)
        where = f"{place}: {self.function}: {text}" if place else f"Function {self.function} failed - {text}"
        super().__init__(where, error_code, hint=hint, sent=sent)
        self._rest = (place, text)

    def __reduce__(self) -> Any:
        return _restored, (type(self), self.function, self.error_code, self._rest, self.hint, self.sent)


class CANLIBInitializationError(CANLIBError, CanInitializationError):
    """A function of CANlib failed while a bus was opened."""


class CANLIBOperationError(CANLIBError, CanOperationError):
    """A function of CANlib failed on an open bus."""


def text_of(error_code: int) -> str:
    """Return canx's description of a status of CANlib."""
    return TEXTS.get(error_code, "unknown error")


def _restored(
    kind: type[CANLIBError],
    function: str,
    error_code: int,
    rest: tuple[str, str],
    hint: str | None,
    sent: int | None,
) -> CANLIBError:
    place, text = rest
    return kind(function, error_code, place=place, text=text, hint=hint, sent=sent)
