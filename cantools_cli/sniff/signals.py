"""The signals of a database in the column ``values`` of the table."""

from __future__ import annotations

from cantools_cli.decoding.columns import Decoder as BatchDecoder
from cantools_cli.decoding.databases import Databases
from cantools_cli.decoding.text import SignalText
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.bits import dlc2len, len2dlc
from cantools_cli.frame.message import Channel, Message
from cantools_cli.sniff.decoding import Decoder, Value


class SignalDecoder:
    """Decodes by databases; ``others`` decodes first, as its rules were given one by one."""

    def __init__(self, databases: Databases, others: Decoder | None = None) -> None:
        self._text = SignalText(BatchDecoder(databases))
        self._others = others

    def __call__(
        self, arbitration_id: int, is_extended_id: bool, data: bytes, channel: Channel = None
    ) -> list[Value] | None:
        """Return the message with its signals as one text; None for an unknown frame."""
        if self._others is not None:
            values = self._others(arbitration_id, is_extended_id, data, channel)
            if values is not None:
                return values
        size = dlc2len(len2dlc(len(data)))
        message = Message(
            arbitration_id=arbitration_id,
            is_extended_id=is_extended_id,
            is_fd=len(data) > 8,
            data=data.ljust(size, b"\0"),
            channel=channel,
        )
        (text,) = self._text.rows(MessageBatch([message]))
        return None if text in ("", "unknown") else [text]
