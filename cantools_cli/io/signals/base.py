"""``SignalWriter``: decodes the frames that it is given, many at a time, and writes the values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter

from cantools_cli.decoding.columns import Decoder
from cantools_cli.decoding.model import MessageSpec
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.kernels import columns as kernel

#: frames decoded at a time, if their signals are few
MAX_FRAMES, MIN_FRAMES = 1 << 16, 1 << 9
#: values decoded at a time
_VALUES = 1 << 20


class SignalWriter(ABC):
    """Gathers frames; a subclass writes their values in ``_put``.

    Attributes:
        frames: those given so far.
        skipped: those that are never decoded, by kind.
        values: written so far.
        losses: what the format could not store, by kind.
    """

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.frames = self.values = 0
        self.skipped: Counter[str] = Counter()
        self.losses: Counter[str] = Counter()
        self._held = MessageBatch()
        self._limit = self._frames_at_once()

    @property
    def most_signals(self) -> int:
        """The number of signals of the message that has most, at least 1."""
        return max((len(message.signals) for message in self.messages()), default=0) or 1

    def messages(self) -> list[MessageSpec]:
        """Return the messages of all databases, each followed by those that it contains."""
        found = [[message, *message.contained.values()] for _, message in self.decoder.messages]
        return [*{id(message): message for group in found for message in group}.values()]

    @property
    def source(self) -> str:
        """The names of the databases."""
        return ", ".join(dict.fromkeys(scope.database.source for scope in self.decoder.databases.scopes))

    def write(self, batch: MessageBatch) -> None:
        """Decode and write ``batch``, now or later."""
        self._held.extend(batch)
        if len(self._held) >= self._limit:
            self._write_held()

    def close(self) -> None:
        """Write everything, and complete the files.

        Raises:
            OSError: the disk is full.
        """
        self._write_held()
        self._finish()

    @abstractmethod
    def abort(self) -> None:
        """Close the files as they are, after an error."""

    @abstractmethod
    def _put(self, batch: MessageBatch) -> None:
        """Decode and write ``batch``."""

    @abstractmethod
    def _finish(self) -> None:
        """Complete and close the files."""

    def _frames_at_once(self) -> int:
        return max(MIN_FRAMES, min(MAX_FRAMES, _VALUES // self.most_signals))

    def _write_held(self) -> None:
        batch, self._held = self._held, MessageBatch()
        step = self._limit
        for begin in range(0, len(batch), step):
            part = batch if len(batch) <= 2 * step and not begin else batch.part(begin, begin + step)
            self._count(part)
            self._put(part)
            if part is batch:
                return

    def _count(self, batch: MessageBatch) -> None:
        self.frames += len(batch)
        kinds = {
            "remote frames": kernel.count_words(batch.can_id, bits.CAN_RTR_FLAG),
            "error frames": kernel.count_words(batch.can_id, bits.CAN_ERR_FLAG),
            "CAN XL frames": kernel.count_bits(batch.flags, bits.XL),
        }
        self.skipped.update({kind: count for kind, count in kinds.items() if count})
