"""A session of the socketcand server without a socket, and frames to talk about."""

from __future__ import annotations

from typing import Any

from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Message
from cantools_cli.serve.session import ClientSession


class Recorder:
    """A bus as a session sees it; keeps what the session asked for."""

    received_bytes, received_frames, sent_bytes, sent_frames = 1024, 60, 512, 30

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.jobs: list[list[Any]] = []
        self.failure: Exception | None = None

    def send(self, batch: MessageBatch, sender: object) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent += [text_of(message) for message in batch]

    def start_job(self, message: Message, period: float, sender: object) -> Any:
        if self.failure is not None:
            raise self.failure
        job = [text_of(message), period, "running"]
        self.jobs.append(job)
        return RecordedJob(job)


class RecordedJob:
    def __init__(self, job: list[Any]) -> None:
        self.job = job

    def change(self, message: Message) -> None:
        self.job[0] = text_of(message)

    def stop(self) -> None:
        self.job[2] = "stopped"


class Talk:
    """A conversation with a session, at a time that the test sets."""

    def __init__(self, *commands: str, **options: Any) -> None:
        self.bus = Recorder()
        self.session = ClientSession({"can0": self.bus}.get, **options)
        self.now = 100.0
        for command in ("open can0", *commands):
            self.say(command)

    def say(self, command: str) -> bytes:
        return self.session.receive_data(f"< {command} >".encode(), self.now)

    def hear(self, *messages: Message) -> bytes:
        return self.session.deliver(MessageBatch(messages), {}, self.now)[0]


def text_of(message: Message) -> str:
    number = f"{message.arbitration_id:08X}" if message.is_extended_id else f"{message.arbitration_id:03X}"
    return f"{number}#{'R' if message.is_remote_frame else message.data.hex().upper()}"


def frame(identifier: int, data: str = "", **fields: Any) -> Message:
    fields = {"is_extended_id": False, "timestamp": 1.0} | fields
    return Message(arbitration_id=identifier, data=bytes.fromhex(data), **fields)
