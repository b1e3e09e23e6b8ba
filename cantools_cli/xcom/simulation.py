"""Runs a simulated gateway on a bus: delays of replies, and the pace of the simulated day."""

from __future__ import annotations

import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from cantools_cli.bus.base import BusABC
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.xcom.simulator import Gateway, Sending

#: seconds between two steps of the plant
_PLANT_EVERY = 1.0


class Simulation:
    """Answers on ``bus`` for ``gateway``, one request at a time, ``latency`` seconds after each.

    ``speed`` is the number of simulated seconds per second. ``notices`` are (address, message, value,
    period), sent at the start and once per period. ``on_frame`` is called for every request and every frame
    sent.
    """

    def __init__(
        self,
        bus: BusABC,
        gateway: Gateway,
        *,
        latency: float = 0.0,
        speed: float = 1.0,
        notices: list[tuple[int, int, int, float | None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_frame: Callable[[str, Any], None] | None = None,
    ) -> None:
        self.bus = bus
        self.gateway = gateway
        self._latency = latency
        self._speed = speed
        self._clock = clock
        self._on_frame = on_frame
        self._queue: list[tuple[float, int, Sending]] = []
        self._number = 0
        self._ready = self._moved = clock()  # when the gateway is free again; last step of the plant
        self._notices = [(self._ready, notice) for notice in notices or ()]

    def handle(self, batch: MessageBatch) -> None:
        """Answer the requests among the frames of ``batch``."""
        now = self._clock()
        for message in batch:
            if self._on_frame is not None and self.gateway.is_request(message):
                self._on_frame("request", message)
            sendings = self.gateway.answer(message)
            if sendings:
                self._ready = max(self._ready, now) + self._latency
            for sending in sendings:
                self._put(self._ready + sending.delay, sending)
        self.send_due()

    def send_due(self) -> float | None:
        """Send frames that are due; return the seconds until the next ones, None if there are none."""
        now = self._clock()
        if now - self._moved >= _PLANT_EVERY and self.gateway.plant is not None:
            seconds, self._moved = (now - self._moved) * self._speed, now
            for sending in self.gateway.advance(seconds):
                self._put(now, sending)
        for index, (due, (address, number, value, period)) in enumerate(self._notices):
            if due <= now:
                self._put(now, self.gateway.notification(address, number, value))
                again = float("inf") if period is None else due + period
                self._notices[index] = (max(again, now), (address, number, value, period))
        while self._queue and self._queue[0][0] <= now:
            _, _, sending = heappop(self._queue)
            self.bus.send(sending.message, 1.0)
            if self._on_frame is not None:
                self._on_frame("sent", sending.message)
        dues = [due for due, *_ in self._queue[:1]] + [due for due, _ in self._notices if due < float("inf")]
        if self.gateway.plant is not None:
            dues.append(self._moved + _PLANT_EVERY)
        return max(0.0, min(dues) - now) if dues else None

    def _put(self, due: float, sending: Sending) -> None:
        self._number += 1
        heappush(self._queue, (due, self._number, sending))
