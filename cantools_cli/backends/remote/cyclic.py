"""Periodic messages that a python-can-remote server sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cantools_cli.backends.remote import codec
from cantools_cli.errors import CanOperationError
from cantools_cli.frame.message import Message
from cantools_cli.periodic.tasks import (
    LimitedDurationCyclicSendTaskABC,
    ModifiableCyclicTaskABC,
    RestartableCyclicTaskABC,
)


class RemoteCyclicTask(LimitedDurationCyclicSendTaskABC, ModifiableCyclicTaskABC, RestartableCyclicTaskABC):
    """One periodic message of the server, which identifies the task by the CAN identifier alone.

    ``tell(type, payload)`` sends a JSON object to the server; ``delegated`` are the tasks that it runs.
    """

    def __init__(
        self,
        tell: Callable[[str, object], None],
        delegated: dict[int, RemoteCyclicTask],
        message: Message,
        period: float,
        duration: float | None = None,
    ) -> None:
        super().__init__(message, period, duration)
        self._tell = tell
        self._delegated = delegated

    @property
    def is_running(self) -> bool:
        """Whether the task was started and not stopped; the end of ``duration`` is not reported."""
        return self._delegated.get(self.arbitration_id) is self

    def start(self) -> None:
        """Start sending, for ``duration`` from now.

        Raises:
            CanOperationError: the server already sends another message with this identifier.
        """
        if self._delegated.setdefault(self.arbitration_id, self) is not self:
            raise CanOperationError(f"the server already sends another message 0x{self.arbitration_id:X}")
        self._tell_start(self.messages[0])
        self._started()

    def stop(self) -> None:
        """Stop sending.

        Raises:
            CanOperationError: the task is already stopped.
        """
        self._stopping()
        if self.is_running:
            del self._delegated[self.arbitration_id]
            self._ended()
            self._tell("periodic_stop", self.arbitration_id)

    def modify_data(self, messages: Sequence[Message] | Message) -> None:
        """Replace the data of the message by that of the one message in ``messages``."""
        new = self._checked_again(messages)
        if self.is_running:
            self._tell_start(new[0])
        self.messages = new

    def _tell_start(self, message: Message) -> None:
        payload = {
            "period": self.period,
            "duration": self.duration or None,
            "msg": codec.message_payload(message),
        }
        self._tell("periodic_start", payload)
