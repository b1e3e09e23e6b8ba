"""Receivers of messages: what a writer, a printer or a program of your own has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

from cantools_cli.message import Message


class Listener(ABC):
    """Takes messages one at a time; calling it is the same as ``on_message_received``."""

    @abstractmethod
    def on_message_received(self, msg: Message) -> None:
        """Handle one message."""

    def __call__(self, msg: Message) -> None:
        self.on_message_received(msg)

    def on_error(self, exc: Exception) -> None:
        """Handle an error of the thread that receives.

        Raises:
            NotImplementedError: this listener does not handle errors.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Stop handling messages, and finish what is open."""
