"""Messages that a python-can-remote server sends periodically for us."""

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
    """One message that the server sends; it knows the task by the identifier alone.

    ``tell`` sends a JSON object of a type and a payload to the server; ``delegated`` are the tasks that the
    server does now.
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
        """Whether it was started and not stopped; when ``duration`` is over, the server does not say."""
        return self._delegated.get(self.arbitration_id) is self

    def start(self) -> None:
        """Start sending, from now on for ``duration``.

        Raises:
            CanOperationError: the server sends another message with this identifier already.
        """
        if self._delegated.setdefault(self.arbitration_id, self) is not self:
            raise CanOperationError(f"the server sends another message 0x{self.arbitration_id:X} already")
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
        """Send the data of ``messages``, one message, from now on."""
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
