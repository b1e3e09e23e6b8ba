"""The subscriptions of a client in broadcast manager mode, and their rate limits.

Source: the Linux kernel's ``Documentation/networking/can.rst``, "Broadcast Manager receive filter";
socketcand passes the commands to its RX_SETUP.
"""

from __future__ import annotations

from collections.abc import Sequence

from cantools_cli.backends.socketcand.codec import format_spaced
from cantools_cli.errors import FormatError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch

#: maximum number of subscriptions per client
MAX_SUBSCRIPTIONS = 4096
_EIGHT = 8


class Subscription:
    """One identifier, whose latest frame is reported at most every ``interval`` seconds.

    ``masks`` are 8 bytes each: a frame is reported only if bits of a mask change. With more than one mask,
    the first selects the bits that distinguish multiplexed frames, and each of the others starts with their
    value.
    """

    def __init__(self, interval: float = 0.0, masks: Sequence[int] = ()) -> None:
        self._interval = interval
        self._selector = masks[0] if len(masks) > 1 else 0
        self._masks = masks[1:] if len(masks) > 1 else masks
        self._last: list[int | None] = [None] * len(self._masks)
        self._open_at = 0.0
        self._pending: bytes | None = None

    @property
    def due(self) -> float | None:
        """When the frame that is held back is due, or None."""
        return None if self._pending is None else self._open_at

    def is_news(self, data: bytes | bytearray) -> bool:
        """Return whether ``data`` differs from the last frame in the bits of the masks."""
        if not self._masks:
            return True
        value = int.from_bytes(data[:_EIGHT].ljust(_EIGHT, b"\0"), "big")
        for index, mask in enumerate(self._masks):
            if (value ^ mask) & self._selector:
                continue
            changed = self._last[index] != value & mask
            self._last[index] = value & mask
            return changed
        return False

    def report(self, text: bytes, now: float) -> bytes | None:
        """Return ``text`` if it may be reported now; else hold it back in place of an earlier one."""
        if now >= self._open_at:
            self._open_at, self._pending = now + self._interval, None
            return text
        self._pending = text
        return None

    def tick(self, now: float) -> bytes | None:
        """Return the text that is held back if it is due, else None."""
        if self._pending is None or now < self._open_at:
            return None
        return self.report(self._pending, now)


class Subscriptions:
    """All subscriptions of a client, by identifier word.

    A word with the error flag subscribes to all error frames that have one of its classes.
    """

    def __init__(self) -> None:
        self.left_out = 0  #: number of subscribed frames that the client's protocol cannot carry
        self._by_id: dict[int, Subscription] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, can_id: int, subscription: Subscription) -> None:
        """Add a subscription, in place of an earlier one to the same identifier."""
        if can_id not in self._by_id and len(self._by_id) >= MAX_SUBSCRIPTIONS:
            raise FormatError(f"more than {MAX_SUBSCRIPTIONS} subscriptions")
        self._by_id[can_id] = subscription

    def remove(self, can_id: int) -> None:
        """Remove a subscription."""
        if self._by_id.pop(can_id, None) is None:
            raise FormatError(f"no subscription to {can_id:X}")

    def clear(self) -> None:
        self._by_id.clear()

    def select(self, batch: MessageBatch, now: float, *, extended: bool) -> tuple[bytes, int]:
        """Return the text of the frames of ``batch`` that are due now, and their number."""
        texts: list[bytes] = []
        for row, word in enumerate(batch.can_id) if self._by_id else ():
            subscription = self._of(word)
            if subscription is None:
                continue
            if not subscription.is_news(batch.payload[batch.offset[row] : batch.offset[row + 1]]):
                continue
            text = format_spaced(batch, row, extended=extended)
            if text is None:
                self.left_out += 1
                continue
            text = subscription.report(text, now)
            if text is not None:
                texts.append(text)
        return b"".join(texts), len(texts)

    def _of(self, word: int) -> Subscription | None:
        if not word & bits.CAN_ERR_FLAG:
            return self._by_id.get(word & ~bits.CAN_RTR_FLAG)
        for wanted, subscription in self._by_id.items():
            if wanted & bits.CAN_ERR_FLAG and wanted & word & bits.CAN_EFF_MASK:
                return subscription
        return None

    def due(self) -> float | None:
        """Return the time of the next ``tick``, or None."""
        times = [subscription.due for subscription in self._by_id.values()]
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: float) -> tuple[bytes, int]:
        """Return the text of the held-back frames that are due, and their number."""
        texts = [
            text for subscription in self._by_id.values() if (text := subscription.tick(now)) is not None
        ]
        return b"".join(texts), len(texts)
