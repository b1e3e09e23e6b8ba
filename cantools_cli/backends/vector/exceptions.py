"""The errors of the XL Driver Library: documented classes with the status of a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cantools_cli.backends.vector.xldefine import XL_Status
from cantools_cli.errors import CanError, CanInitializationError, CanOperationError

if TYPE_CHECKING:
    from typing_extensions import Self

#: hints by status
HINTS: dict[int, str] = {
    XL_Status.XL_ERR_HW_NOT_PRESENT: "the device is unplugged, or its channel has another number",
    XL_Status.XL_ERR_INIT_ACCESS_MISSING: "another program owns the settings of the channel",
    XL_Status.XL_ERR_WRONG_VERSION: "the driver is too old for CAN FD",
    XL_Status.XL_ERR_CANNOT_OPEN_DRIVER: "install the driver of the device from vector.com",
}


class VectorError(CanError):
    """A function of the XL Driver Library failed; ``error_code`` is its status.

    ``place`` is the bus, before the text of the error.
    """

    def __init__(
        self,
        error_code: int | None,
        error_string: str,
        function: str,
        *,
        place: str = "",
        hint: str | None = None,
        sent: int | None = None,
    ) -> None:
        text = f"{function} failed ({error_string})"
        if hint is None and error_code is not None:
            hint = HINTS.get(error_code)
        super().__init__(f"{place}: {text}" if place else text, error_code, hint=hint, sent=sent)
        self._args = error_code, error_string, function
        self._place = place

    @classmethod
    def from_generic(cls, error: VectorError) -> Self:
        """Return ``error`` as an error of this class."""
        return cls(*error._args, place=error._place, hint=error.hint, sent=error.sent)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self._args, self._place, self.hint, self.sent)


def _restored(
    kind: type[VectorError],
    args: tuple[int | None, str, str],
    place: str,
    hint: str | None,
    sent: int | None,
) -> VectorError:
    return kind(*args, place=place, hint=hint, sent=sent)


class VectorInitializationError(VectorError, CanInitializationError):
    """A bus cannot be opened, or an application is not configured."""


class VectorOperationError(VectorError, CanOperationError):
    """An open bus failed."""
