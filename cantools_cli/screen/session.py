"""A table fed by a thread while the screen displays it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from cantools_cli.errors import CanError, FormatError, UsageError
from cantools_cli.frame.batch import MessageBatch
from cantools_cli.frame.message import Channel
from cantools_cli.screen.player import Player
from cantools_cli.sniff.rates import Rates, Speed
from cantools_cli.sniff.table import HOLD_NS, Table
from cantools_cli.streams.replay import Rational

#: pause between two reads of the source: frames that arrive meanwhile form one batch
GATHER_SECONDS = 0.005
#: while seeking, the thread yields to the screen after this time, for this time
_BUSY_NS, _TURN_SECONDS = 20_000_000, 0.001
#: maximum timeout of a wait: a lock cannot wait for a frame that is due in 300 years
_LONG_SECONDS = 60.0


class ScreenSession:
    """Feeds a table from ``batches`` in a thread; hold ``lock`` to access the table.

    With ``is_paced``, each call of ``batches`` opens a log at its start. A ``Player`` plays it by ``clock``,
    and the time of the view is that of the log. ``measured`` determines its length first.
    """

    def __init__(
        self,
        batches: Callable[[], Iterator[MessageBatch]],
        *,
        is_paced: bool = False,
        speed: Rational | None = 1,
        measured: bool = False,
        stop: Callable[[], None] = lambda: None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.lock = threading.Lock()
        self.error: CanError | FormatError | UsageError | OSError | None = None
        self.notes: deque[str] = deque(maxlen=20)  #: messages to the user, latest last
        #: called with each batch, under the lock; used for recording
        self.on_batch: Callable[[MessageBatch], None] | None = None
        #: returns the number of frames lost by the source; None if unknown
        self.missed: Callable[[], int] | None = None
        self.player = Player(batches, self, speed, measured=measured) if is_paced else None
        # a change is marked for one second of real time at any speed
        factor = speed if is_paced and speed is not None else 1
        self.table = Table(HOLD_NS * factor.numerator // factor.denominator)
        self.speeds: dict[Channel, Speed] = {}
        self.rates = Rates(self.table)
        self._batches = batches
        self._clock = clock
        self._stop_source = stop
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._wishes: deque[Callable[[Player, int], None]] = deque()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="canx-sniff", daemon=True)

    @property
    def has_ended(self) -> bool:
        """Whether the source has ended; seeking back in a log resumes it."""
        return self._is_over or (self.player is not None and self.player.has_ended)

    def now_ns(self) -> int:
        """Return the time of the view: the time of the log, or monotonic time for a live source."""
        now = self._clock()
        return now if self.player is None else self.player.log_ns(now)

    def position_ns(self) -> int | None:
        """Return the position in the log; None for a live source."""
        return None if self.player is None else self.player.position_ns(self._clock())

    def start(self, speeds: dict[Channel, Speed] | None = None) -> None:
        self.speeds = speeds if speeds is not None else {}  # the caller may add entries later
        self.rates = Rates(self.table, self.speeds)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopped.set()
        self._wake.set()
        self._stop_source()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def clear(self) -> None:
        with self.lock:
            self.table.clear()
            self.rates.restart()

    def keep_rates(self) -> None:
        """Update the rates once per second; the caller holds the lock."""
        if self.player is None or self.player.played:  # a log has no time before its first frame
            self.rates.tick(self.now_ns())

    def ask(self, wish: Callable[[Player, int], None]) -> None:
        """Queue ``wish``, called by the thread with the player and the clock time."""
        self._wishes.append(wish)
        self._wake.set()

    # --- the thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if self.player is not None:
                self._play(self.player)
            else:
                for batch in self._batches():
                    with self.lock:
                        self.table.feed(batch, self.now_ns())
                        self._record(batch)
                    if self._stopped.wait(GATHER_SECONDS):
                        return
        except (CanError, FormatError, UsageError, OSError) as error:
            self.error = error
        finally:
            self._is_over = True

    def _play(self, player: Player) -> None:
        since = self._clock()
        while not self._stopped.is_set():
            self._wake.clear()
            with self.lock:
                while self._wishes:
                    self._wishes.popleft()(player, self._clock())
            if player.wants_more:
                try:
                    player.read()
                except (CanError, FormatError, UsageError, OSError) as error:
                    self.error = error
            with self.lock:
                left = player.advance(self._clock())
            if left != 0:
                self._wake.wait(None if left is None else min(max(GATHER_SECONDS, left / 1e9), _LONG_SECONDS))
            elif self._clock() - since > _BUSY_NS:
                self._stopped.wait(_TURN_SECONDS)
                since = self._clock()

    # --- audience of the player; called under the lock ------------------------------------------------

    def take(self, batch: MessageBatch, *, is_sought: bool) -> None:
        """Feed the table; frames passed on the way to a target are not recorded."""
        self.table.feed(batch)
        if not is_sought:
            self._record(batch)

    def tick(self, now_ns: int) -> None:
        """Update the rates while seeking."""
        self.rates.tick(now_ns)

    def restart(self) -> None:
        """Clear the table; ignored bits stay ignored."""
        self.table.restart()
        self.rates = Rates(self.table, self.speeds)
        self.error = None

    def _record(self, batch: MessageBatch) -> None:
        if self.on_batch is not None and len(batch):
            try:
                self.on_batch(batch)
            except OSError as error:
                self.on_batch = None
                self.notes.append(f"recording ended: {error.strerror or error}")
