"""Decoders of protocols whose frames have to be found in a stream of bytes."""

from __future__ import annotations

from cantools_cli.bus.losses import Losses
from cantools_cli.errors import FormatError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel

SKIPPED_BYTES = "malformed bytes skipped"
SKIPPED_PACKETS = "malformed packets skipped"

_SAMPLE = 20  # bytes quoted in an error


class FramingDecoder:
    """Turns a byte stream into batches; keeps an unfinished frame for the next ``feed``.

    Bytes that belong to no frame are skipped and counted in ``losses``. With ``gap_ns``, a call without data
    that many nanoseconds after the last data gives an unfinished frame up, and the search goes on after its
    first byte: its other bytes may be a frame that follows a byte of noise. Data that is read late, such as
    after the program was stopped, completes a frame at any time.
    """

    def __init__(self, losses: Losses, channel: Channel = None, gap_ns: int | None = None) -> None:
        self._losses = losses
        self._channels = (channel,)
        self._gap_ns = gap_ns
        self._rest = b""
        self._last_ns = 0  # when the last data arrived

    @property
    def is_waiting(self) -> bool:
        """Whether the last frame is unfinished."""
        return bool(self._rest)

    def feed(self, data: bytes, timestamp_ns: int) -> MessageBatch:
        """Return the frames that ``data`` completes.

        Without data, return those that a silence reveals.
        """
        batch = MessageBatch(channels=self._channels)
        if data:
            text = self._rest + data
            self._last_ns = timestamp_ns
            self._rest = text[self._parse(text, batch, timestamp_ns, ends=False) :]
        elif self._rest and self._gap_ns is not None and timestamp_ns - self._last_ns >= self._gap_ns:
            return self.end(timestamp_ns)
        return batch

    def end(self, timestamp_ns: int) -> MessageBatch:
        """Return the frames that the end of the stream reveals."""
        batch = MessageBatch(channels=self._channels)
        self._parse(self._rest, batch, timestamp_ns, ends=True)
        self._rest = b""
        return batch

    def _parse(self, text: bytes, batch: MessageBatch, timestamp_ns: int, *, ends: bool) -> int:
        """Add the frames of ``text`` to ``batch``; return the start of an unfinished frame, or the end.

        If ``text`` ends, no frame is unfinished.
        """
        raise NotImplementedError

    def _skip(self, text: bytes, begin: int, end: int) -> None:
        """Count ``text[begin:end]``, which belongs to no frame."""
        if end > begin:
            self._losses[SKIPPED_BYTES] += end - begin
            self._keep_fault(f"not a frame: {_sample(text, begin, end)}")

    def _reject(self, text: bytes, begin: int, end: int, reason: str) -> None:
        """Count the packet ``text[begin:end]``."""
        self._losses[SKIPPED_PACKETS] += 1
        self._keep_fault(f"{reason}: {_sample(text, begin, end)}")

    def _keep_fault(self, reason: str) -> None:
        if self._losses.first_fault is None:
            self._losses.first_fault = FormatError(reason)


class CandidateDecoder(FramingDecoder):
    """A decoder for frames that begin with the byte ``START`` and end at a place that their first bytes give.

    A candidate that is not a frame costs its first byte only.
    """

    START: int

    def end(self, timestamp_ns: int) -> MessageBatch:
        """Return the frames that the end of the stream reveals."""
        batch = MessageBatch(channels=self._channels)
        self._parse(self._rest, batch, timestamp_ns, ends=True)
        self._rest = b""
        return batch

    def _parse(self, text: bytes, batch: MessageBatch, timestamp_ns: int, *, ends: bool) -> int:
        start, find, size = self.START, text.find, len(text)
        at = skipped = 0  # text[skipped:at] belongs to no frame
        while (at := find(start, at)) >= 0:
            end = self._end(text, at, size)
            if end > size and not ends:
                break
            if 0 < end <= size and self._add(text, at, end, batch, timestamp_ns):
                if skipped < at:
                    self._skip(text, skipped, at)
                skipped = at = end
            else:
                at += 1
        else:
            at = size
        self._skip(text, skipped, at)
        return at

    def _end(self, text: bytes, at: int, size: int) -> int:
        """Return the end of the candidate at ``at``; 0 if it is not a frame, over ``size`` if unfinished."""
        raise NotImplementedError

    def _add(self, text: bytes, at: int, end: int, batch: MessageBatch, timestamp_ns: int) -> bool:
        """Handle the complete candidate ``text[at:end]``; return whether it is a frame or another message."""
        raise NotImplementedError


def _sample(text: bytes, begin: int, end: int) -> str:
    sample = text[begin : min(end, begin + _SAMPLE)].hex(" ").upper()
    return f"{sample} ..." if end - begin > _SAMPLE else sample
