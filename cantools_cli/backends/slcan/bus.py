"""Buses on slcan adapters."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from cantools_cli.backends.slcan import codec, finder
from cantools_cli.backends.slcan.acceptance import EVERYTHING, registers
from cantools_cli.backends.slcan.dialects import (
    DIALECTS,
    Dialect,
    data_rate_command,
    preset_command,
    recognised,
    timing_commands,
)
from cantools_cli.backends.slcan.link import SlcanLink, flags_of
from cantools_cli.backends.slcan.stamps import StampClock
from cantools_cli.backends.transport.port import PortBus
from cantools_cli.backends.transport.serial import open_port, split_baudrate
from cantools_cli.bit_timing.classic import BitTiming
from cantools_cli.bit_timing.fd import BitTimingFd
from cantools_cli.bus.base import BusState, CanProtocol
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.losses import Losses
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame.batch import MessageBatch

_STATES = {"a": BusState.ACTIVE, "w": BusState.ACTIVE, "p": BusState.PASSIVE, "b": BusState.ERROR}
_STAMPS = {"off": b"Z0", "ms": b"Z1", "us": b"Z2"}
_RESTART = 0.9  # the part of sleep_after_open in which the adapter is asked; the rest is for the error
_LEAST_PATIENCE = 0.6  # seconds for an answer of an adapter that does not restart


class SlcanBus(PortBus):
    """An adapter on a serial port with the line protocol of LAWICEL, such as CANable.

    ``channel`` is the adapter's serial port or URL, with ``@BAUDRATE`` if wanted. ``sleep_after_open`` is how
    long the adapter may take to restart when its port is opened; the bus is open as soon as it answers.
    ``btr`` are the registers of a custom bit timing. ``dialect`` is a name of ``DIALECTS``, by default the
    adapter is asked. ``device_timestamps`` is ``off``, ``ms`` or ``us``; by default it stays as it is.
    ``status_interval`` is the time between two queries of the error flags, 0 for none. ``s7`` is the bit rate
    of preset S7. ``hw_filters`` sets the adapter's acceptance filter, which it keeps without power, until the
    bus is closed. ``force`` opens an adapter listen-only that may acknowledge frames.
    With ``receive_own_messages`` sent frames are received once the adapter has accepted them.
    ``on_note`` is called with warnings. ``timeout`` and ``tty_baudrate`` are for programs of python-can.

    Raises:
        UsageError: a setting is invalid, or the adapter does not support it; it is a ValueError as well.
        CanInitializationError: the port cannot be opened, or nothing or no slcan adapter answers.
    """

    _send_seconds = 10.0

    def __init__(
        self,
        channel: str,
        ttyBaudrate: int = 115200,  # noqa: N803  # python-can's name
        bitrate: int | None = None,
        btr: str | None = None,
        sleep_after_open: float = 2.0,
        rtscts: bool = False,
        listen_only: bool = False,
        timeout: float = 0.001,
        can_filters: CanFilters | None = None,
        *,
        tty_baudrate: int | None = None,
        fd: bool = False,
        data_bitrate: int | None = None,
        timing: Any = None,
        dialect: str = "auto",
        device_timestamps: str | None = None,
        ack_timeout: float = 0.3,
        status_interval: float = 1.0,
        s7: int | None = None,
        hw_filters: bool = False,
        receive_own_messages: bool = False,
        force: bool = False,
        on_note: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("slcan", SlcanBus, kwargs)
        if bitrate is not None and btr is not None:
            raise UsageError("bitrate and btr exclude each other")
        if timing is not None and btr is not None:
            raise UsageError("timing and btr exclude each other")
        if timing is not None and (bitrate is not None or data_bitrate is not None):
            raise UsageError("timing and a bit rate exclude each other")
        place, baudrate = split_baudrate("" if channel is None else str(channel))
        _check_words(dialect, device_timestamps)
        self._listen_only = listen_only
        self._echoes_own = receive_own_messages
        self._force = force
        self._uses_filter = hw_filters
        self._accepted: tuple[int, int] | None = EVERYTHING
        self._s7 = s7
        self._fd = fd or data_bitrate is not None or isinstance(timing, BitTimingFd)
        self._status_interval = status_interval
        self._status_at = 0.0  # when the flags were last asked for
        self._is_running = False  # whether the adapter's channel is open
        self._can_protocol = CanProtocol.CAN_FD if self._fd else CanProtocol.CAN_20
        self._name = f"slcan:{channel}"
        self._decoder = codec.SlcanDecoder(Losses(), StampClock(), str(channel))
        rate = baudrate or tty_baudrate or ttyBaudrate
        opening = partial(
            open_port, place, rate, name=self._name, channel=str(channel), losses=self.losses, rtscts=rtscts
        )
        self._note = on_note or logging.getLogger("can").warning
        self._link = SlcanLink(opening, self._decoder, self._name, ack_timeout, self._note)
        self._port = self._link.port
        try:
            self._dialect = self._recognise(dialect, sleep_after_open, ack_timeout)
            self._link.acknowledges = self._dialect.acknowledges
            self._configure(bitrate, btr, data_bitrate, timing)
            if hw_filters and not self._dialect.has_filter:
                raise UsageError(f"hw_filters: {self._dialect.name} adapters have no acceptance filter")
            if device_timestamps is not None:
                self._set_stamps(device_timestamps)
            self._port.receive(0)  # frames of the channel that was open before
            self._decoder.losses = self.losses
            self.open()
            self._begin_status(ack_timeout)
            self.channel_info = f"slcan {channel} ({self._dialect.name})"
            super().__init__(channel, can_filters, **kwargs)
        except (CanOperationError, CanTimeoutError) as error:
            self._abandon()
            raise CanInitializationError(str(error), hint=error.hint) from error
        except UsageError as error:
            self._abandon()
            raise UsageError(f"{self._name}: {error}", hint=error.hint) from error
        except BaseException:
            self._abandon()
            raise

    # --- opening --------------------------------------------------------------------------------------

    def _recognise(self, name: str, restart: float, ack_timeout: float) -> Dialect:
        """Close the adapter's channel and return its dialect; it may restart for ``restart`` seconds.

        Raises:
            CanInitializationError: nothing answers in that time, or it is no slcan adapter.
        """
        deadline = Deadline(max(_RESTART * restart, _LEAST_PATIENCE))
        if name != "auto":
            if DIALECTS[name].acknowledges:
                while self._link.query(b"V", ack_timeout, after=b"C") is None and not deadline.passed:
                    pass
            else:
                if name == "silent":  # no answer tells that it has restarted
                    time.sleep(restart)
                self._link.tell(b"C")
            return DIALECTS[name]
        refusals = 0
        while True:
            answer = self._link.query(b"V", min(ack_timeout, deadline.remaining() or ack_timeout), after=b"C")
            refusals += answer == codec.REFUSED
            if refusals > 1:  # an adapter without that command; once may be noise
                return DIALECTS["lawicel"]
            if answer is not None and (dialect := recognised(answer)) is not None:
                return dialect
            if deadline.passed:
                raise self._no_adapter(answer)

    def _no_adapter(self, answer: bytes | None) -> CanInitializationError:
        heard = self._link.heard if answer in (None, codec.REFUSED) else answer or b""
        if not heard.strip(b"\r\n\a \t"):
            return CanInitializationError(
                f"{self._name}: the adapter does not answer",
                hint="wrong port or baud rate? dialect=silent opens an adapter that never answers",
            )
        if sum(octet > 0x7E or octet < 7 for octet in heard) > len(heard) // 4:
            return CanInitializationError(
                f"{self._name}: the answer is not text: {heard[:16].hex(' ')}",
                hint="wrong baud rate? PORT@BAUDRATE sets another",
            )
        text = (heard.replace(b"\a", b"\n").split() or [heard])[0]
        return CanInitializationError(
            f"{self._name}: not an slcan adapter: it answers {quoted(text)}",
            hint="dialect=lawicel or dialect=silent opens it nevertheless",
        )

    def _configure(self, bitrate: int | None, btr: str | None, data_bitrate: int | None, timing: Any) -> None:
        """Set the bit timing of the closed channel.

        Raises:
            UsageError: the adapter does not support it.
            CanInitializationError: the adapter refuses it.
        """
        if self._fd and not self._dialect.data_rates and not self._dialect.may_have_fd:
            raise UsageError(f"fd: {self._dialect.name} adapters do not support CAN FD")
        self._rates = bitrate, data_bitrate
        if isinstance(timing, BitTimingFd):
            self._rates = timing.nom_bitrate, timing.data_bitrate
        elif isinstance(timing, BitTiming):
            self._rates = timing.bitrate, None
        if isinstance(timing, (BitTiming, BitTimingFd)):
            if self._dialect.name == "lawicel" and isinstance(timing, BitTimingFd):
                self._dialect = self._with_fd()
            for command in timing_commands(self._dialect, timing, self._s7):
                self._must(command, "timing")
            return
        if bitrate is not None:
            self._must(preset_command(self._dialect, bitrate, self._s7), "bitrate")
        if btr is not None:
            self._must(self._btr_command(btr), "btr")
        if data_bitrate is not None:
            self._must(data_rate_command(self._dialect, data_bitrate), "data_bitrate")

    def _btr_command(self, btr: str) -> bytes:
        """Return the command that sets the registers.

        Raises:
            UsageError: ``btr`` is not hexadecimal, or the firmware ignores the command.
        """
        if not self._dialect.timing:
            raise UsageError(
                f"btr: {self._dialect.name} adapters have no custom bit timing", hint="bitrate=500000"
            )
        return f"{self._dialect.custom}{_registers(btr)}".encode()

    def _with_fd(self) -> Dialect:
        """Return the dialect of an adapter with LAWICEL's version that may have CAN FD."""
        answer = self._link.query(b"v", 0.3)
        return DIALECTS["nakakiyo"] if answer and len(answer) > 5 else self._dialect

    def _must(self, command: bytes, setting: str) -> None:
        if not self._accepts(command):
            raise CanInitializationError(
                f"{self._name}: the adapter refuses {command.decode()}",
                hint=f"it may not support this {setting}",
            )

    def _accepts(self, command: bytes) -> bool:
        """Send a command; return False if it is refused. Silent adapters are not waited for again."""
        if not self._link.acknowledges:
            self._link.tell(command)
            return True
        accepted = self._link.command(command)
        if accepted is None and not self._link.heard:
            raise self._no_adapter(None)
        if accepted is None:
            self._link.acknowledges = False
            self._note(f"{self._name}: no answer to {command.decode()}; frames are not acknowledged")
        return accepted is not False

    def _set_stamps(self, unit: str) -> None:
        if not self._accepts(_STAMPS[unit]):
            self._note(f"{self._name}: the adapter does not support device_timestamps={unit}")

    def _begin_status(self, ack_timeout: float) -> None:
        """Ask for the status flags once, and regularly if they are answered."""
        if self._dialect.has_status and self._link.acknowledges and self._status_interval > 0:
            self._link.has_status = flags_of(self._link.query(b"F", ack_timeout)) is not None
            self._status_at = time.monotonic()

    # --- the adapter's channel ------------------------------------------------------------------------

    def open(self) -> None:
        """Open the adapter's channel, which the constructor and the setters of the bit rate do as well.

        Raises:
            CanInitializationError: the adapter refuses, or cannot stay silent.
        """
        commands: Sequence[bytes] = self._dialect.normal
        if self._listen_only:
            commands = self._dialect.listen
            if not commands and not self._force:
                raise CanInitializationError(
                    f"{self._name}: the firmware of {self._dialect.name} adapters acknowledges frames even if"
                    " told to be silent",
                    hint="force=true opens the bus nevertheless",
                )
            if not commands:
                self._note(f"{self._name}: not silent: the adapter acknowledges frames")
                commands = (b"M1", b"O")
            if not self._link.acknowledges:
                self._note(f"{self._name}: whether the adapter listens only is unknown: it does not answer")
        for command in commands:
            if not self._accepts(command) and command != b"M0":  # which early firmware lacks
                raise CanInitializationError(
                    f"{self._name}: the adapter refuses to open the bus ({command.decode()})",
                    hint="it may need a bit rate: bitrate=500000",
                )
        self._is_running = True

    def close(self) -> None:
        """Close the adapter's channel; the bus itself stays open."""
        self._is_running = False
        if self._link.acknowledges:
            self._link.command(b"C")
        else:
            self._link.tell(b"C")

    def set_bitrate(self, bitrate: int, data_bitrate: int | None = None) -> None:
        """Set the bit rate, and that of CAN FD data, by presets. The channel is closed meanwhile.

        Raises:
            UsageError: the adapter has no such preset; it is a ValueError as well.
            CanInitializationError: the adapter refuses it.
        """
        self._check_open()
        commands = [preset_command(self._dialect, bitrate, self._s7)]
        if data_bitrate:
            commands.append(data_rate_command(self._dialect, data_bitrate))
        self.close()
        for command in commands:
            self._must(command, "bitrate")
        self._rates = bitrate, data_bitrate
        self.open()

    def set_bitrate_reg(self, btr: str) -> None:
        """Set the registers of a custom bit timing. The channel is closed meanwhile.

        Raises:
            UsageError: ``btr`` is not hexadecimal.
            CanInitializationError: the adapter refuses it.
        """
        self._check_open()
        command = self._btr_command(btr)
        self.close()
        self._must(command, "btr")
        self._rates = None, None
        self.open()

    def get_version(self, timeout: float | None) -> tuple[int | None, int | None]:
        """Return the versions of hardware and firmware, (None, None) if they are not numbers in time."""
        self._check_open()
        answer = self._link.query(b"V", timeout) or b""
        digits = answer[1:5].decode("ascii", "replace")
        if answer[:1] != b"V" or len(digits) < 4 or not digits.isdecimal():
            return None, None
        return int(digits[:2]), int(digits[2:])

    def get_serial_number(self, timeout: float | None) -> str | None:
        """Return the serial number, None if it is not answered in time."""
        self._check_open()
        answer = self._link.query(b"N", timeout)
        if answer is None or answer == codec.REFUSED or answer[:1] != b"N":
            return None
        return answer[1:].decode("ascii", "replace")

    @property
    def state(self) -> BusState:
        """The state that the adapter last reported; ACTIVE if it reports none."""
        return _STATES[self._decoder.state]

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError("slcan adapters do not change their state on request")

    def _apply_filters(self, filters: CanFilters | None) -> None:
        wanted = registers(filters) if self._uses_filter else EVERYTHING
        if wanted != self._accepted:
            self.close()
            self._accepted = None  # a part of it, if a command fails
            for command in _filter_commands(wanted):
                self._must(command, "setting: hw_filters")
            self._accepted = wanted
            self.open()

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._rates

    # --- moving frames --------------------------------------------------------------------------------

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        if not self._link.has_status:
            return super()._receive(timeout)
        deadline = Deadline(timeout)
        while True:
            due = self._status_at + self._status_interval - time.monotonic()
            if due <= 0:
                self._status_at += self._status_interval - due
                self._link.poll_status()
                continue
            left = deadline.remaining()
            batch = super()._receive(due if left is None else min(left, due))
            if batch is not None or deadline.passed:
                return batch

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        if self._listen_only:
            raise CanOperationError(f"{self._name}: the bus was opened listen-only", sent=0)
        lines = codec.encode(batch, self._fd)
        # A lost bus stays open for the frames received before; _receive closes it after them.
        self._link.send(lines, self._send_seconds if timeout is None else timeout)

    def _close(self) -> None:
        if self._port.is_lost:
            self._decoder.finish()
        else:
            with suppress(CanError):  # the adapter is gone, or does not read any more
                if self._is_running:
                    self._link.tell(b"C")
                if self._accepted != EVERYTHING:
                    for command in _filter_commands(EVERYTHING):
                        self._link.tell(command)
        super()._close()

    def _abandon(self) -> None:
        """Close the adapter's channel and the port of a bus that cannot be opened."""
        self.is_shutdown = True
        self._close()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the connected adapters; their ports are not opened."""
        return [{"interface": "slcan", "channel": channel} for channel in finder.channels()]

    @staticmethod
    def _obstacle() -> str | None:
        return finder.obstacle()


def _filter_commands(accepted: tuple[int, int]) -> list[bytes]:
    """Return the commands that set the acceptance filter, as one filter and not two."""
    code, mask = accepted
    mode = b"W0" if accepted == EVERYTHING else b"W1"
    return [mode, b"M%08X" % code, b"m%08X" % mask]


def _check_words(dialect: str, device_timestamps: str | None) -> None:
    """Raise UsageError if a setting is not one of its words."""
    for name, value, words in (
        ("dialect", dialect, ("auto", *DIALECTS)),
        ("device_timestamps", device_timestamps, (None, *_STAMPS)),
    ):
        if value not in words:
            known = ", ".join(word for word in words if word)
            raise UsageError(f"{name}: {quoted(value)} is unknown", hint=f"one of {known}")


def _registers(btr: str) -> str:
    """Return the text of the registers, such as ``011C``.

    Raises:
        UsageError: it contains other characters than digits and commas.
    """
    text = str(btr).upper()
    if not text or set(text) - set("0123456789ABCDEF,"):
        raise UsageError(f"btr: {quoted(btr)} is not hexadecimal", hint="such as btr=011C")
    return text
