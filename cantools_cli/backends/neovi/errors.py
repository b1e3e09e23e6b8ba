"""The errors of Intrepid's API, with python-can's names."""

from __future__ import annotations

from typing import Any

from cantools_cli.errors import CanError, CanInitializationError, CanOperationError


class ICSApiError(CanError):
    """An error of the API.

    Attributes:
        error_code: its number.
        description_short, description_long: its texts.
        severity: one of ``ICS_SPY_ERR_CRITICAL``, ``_QUESTION``, ``_EXCLAMATION`` and ``_INFORMATION``.
        restart_needed: whether the API has to be restarted.
    """

    ICS_SPY_ERR_CRITICAL = 0x10
    ICS_SPY_ERR_QUESTION = 0x20
    ICS_SPY_ERR_EXCLAMATION = 0x30
    ICS_SPY_ERR_INFORMATION = 0x40

    error_code: int

    def __init__(
        self,
        error_code: int,
        description_short: str,
        description_long: str,
        severity: int,
        restart_needed: int,
        *,
        place: str = "",
        **more: Any,
    ) -> None:
        self.description_short = description_short
        self.description_long = description_long
        self.severity = severity
        self.restart_needed = restart_needed == 1
        sentences = (text.strip().rstrip(".") for text in (description_short, description_long))
        message = ". ".join(" ".join(text.split()) for text in sentences if text)
        super().__init__(f"{place}: {message}" if place else message, error_code, **more)

    @property
    def error_number(self) -> int:
        """An older name of ``error_code``."""
        return self.error_code

    @property
    def is_critical(self) -> bool:
        return self.severity == self.ICS_SPY_ERR_CRITICAL

    def __reduce__(self) -> tuple[Any, ...]:
        texts = self.description_short, self.description_long
        values = self.error_code, *texts, self.severity, int(self.restart_needed)
        return _restored, (type(self), values, self.args, dict(vars(self)))


def _restored(
    kind: type[ICSApiError], values: tuple[Any, ...], args: tuple[Any, ...], state: dict[str, Any]
) -> ICSApiError:
    error = kind(*values)
    error.args = args
    vars(error).update(state)
    return error


class ICSInitializationError(ICSApiError, CanInitializationError):
    """The API refused to open a device, or a setting."""


class ICSOperationError(ICSApiError, CanOperationError):
    """The API failed while a device was open."""
