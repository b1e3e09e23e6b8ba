"""Connects a bus to the virtual bus between the processes of a user; ``line`` describes the medium."""

from __future__ import annotations

import os
from weakref import WeakSet

from cantools_cli.backends.virtual.inbox import Inbox
from cantools_cli.backends.virtual.line import HostLine, net_name, require_support
from cantools_cli.backends.virtual.sender import LineSender
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanError, CanInitializationError, CanOperationError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel


class HostPort:
    """Connects a bus to a line: a sender, and an inbox unless the bus only sends."""

    def __init__(
        self,
        channel: Channel,
        net: str | None,
        *,
        echo: bool,
        queue_frames: int,
        preserve_timestamps: bool,
        receive: bool,
        losses: Losses,
    ) -> None:
        require_support()
        net, name = net_name(net), str(channel)
        self._inbox: Inbox | None = None
        try:
            if receive:
                self._inbox = Inbox(HostLine(net, name), channel, queue_frames, losses)
            own = self._inbox.number if self._inbox else 0
            self._sender = LineSender(HostLine(net, name), own, echo, preserve_timestamps)
            _open_ports.add(self)
        except BaseException as error:
            if self._inbox is not None:
                self._inbox.close()
            if isinstance(error, OSError) and not isinstance(error, CanError):
                raise CanInitializationError(f"virtual:{name}: cannot open: {error.strerror}") from error
            raise

    def send(self, batch: MessageBatch, timeout: float | None) -> None:
        try:
            self._sender.send(batch, timeout)
        except CanError:
            raise
        except OSError as error:
            raise CanOperationError(f"cannot send: {error.strerror}") from error

    def receive(self, timeout: float | None) -> MessageBatch | None:
        return self._receiving().receive(timeout)

    def waiting(self) -> int:
        return self._inbox.waiting() if self._inbox else 0

    def note_taken(self, more: bool) -> None:
        self._receiving().note_taken(more)

    def fileno(self) -> int:
        return self._receiving().fileno()

    def _receiving(self) -> Inbox:
        if self._inbox is None:
            raise CanOperationError("the bus was opened with receive=False")
        return self._inbox

    def abandon(self) -> None:
        """Close all descriptors of a forked process, without changing shared state."""
        self._sender.abandon()
        if self._inbox is not None:
            self._inbox.forget_threads()
            self._inbox.abandon()

    def close(self) -> None:
        self._sender.close()
        if self._inbox is not None:
            self._inbox.close()


def _forget() -> None:
    """Close the buses in a forked process: they belong to the process that opened them."""
    for port in list(_open_ports):
        port.abandon()


_open_ports: WeakSet[HostPort] = WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
