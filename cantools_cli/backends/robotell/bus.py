"""Robotell's USB-CAN adapters, whose firmware is also called EmbeddedDebug or EmbeddedConfig."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from cantools_cli.backends import ch340
from cantools_cli.backends.framing_bus import (
    ANSWER_SECONDS,
    TRIES,
    FramingBus,
    bitrate_of,
    silence_hint,
)
from cantools_cli.backends.robotell import codec
from cantools_cli.backends.robotell.filters import Slot, slots_of
from cantools_cli.backends.transport.serial import split_baudrate
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import CanError, CanInitializationError, CanOperationError, UsageError
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch

MAX_BITRATE = 1_000_000
_SERIAL_NUMBER = {setting: codec.read(setting) for setting in codec.SERIAL_NUMBER_SETTINGS}
_RATES = "the rate of its serial line may differ: PORT@115200, PORT@460800, PORT@9600"


class RobotellBus(FramingBus):
    """A Robotell USB-CAN adapter on a serial port.

    ``channel`` is a port or a URL of pyserial, and may end in ``@BAUDRATE``, which overrides ``ttyBaudrate``.
    The adapter keeps its settings: ``bitrate`` in bit/s, up to 1000000, is the last one by default. Up to 14
    ``can_filters`` are filters of the adapter, unless ``hw_filters`` is false; ``on_note`` is called with a
    warning if an earlier program left filters enabled. Frames are stamped on arrival. With
    ``receive_own_messages`` sent frames are received once they are written.

    Raises:
        UsageError: the channel is empty, the bit rate is too high, or ``listen_only`` is set.
        CanInitializationError: the port cannot be opened, or no adapter answers.
    """

    _decoder: codec.RobotellDecoder

    def __init__(
        self,
        channel: str,
        ttyBaudrate: int = 115200,  # noqa: N803  # the documented name
        bitrate: int | None = None,
        rtscts: bool = False,
        can_filters: CanFilters | None = None,
        *,
        hw_filters: bool = True,
        receive_own_messages: bool = False,
        listen_only: bool = False,
        timing: Any = None,
        on_note: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("robotell", RobotellBus, kwargs)
        if listen_only:
            raise UsageError(
                "robotell: the adapter acknowledges the frames of the bus and cannot listen only"
            )
        place, baudrate = split_baudrate(str(channel or ""))
        bitrate = bitrate_of("robotell", bitrate, timing)
        if bitrate is not None:
            _check_bitrate(bitrate)
        self._bitrate = bitrate
        self._echoes_own = receive_own_messages
        self._uses_filters = hw_filters
        self._slots: set[int] = set()  # filters of the adapter that this bus has enabled
        self._chosen: set[int] = set()  # those of set_hw_filter, which stay when the bus is closed
        self._left: set[int] = set()  # and those that another program has
        self.on_note = on_note
        self._settings_lock = threading.Lock()
        self._is_loop = place.lower().startswith("loop://")  # which returns requests as they are
        self._decoder = codec.RobotellDecoder(self.losses, str(channel))
        self._open(place, baudrate or ttyBaudrate, f"robotell:{channel}", rtscts)
        try:
            self._initialise()
            if bitrate is not None:
                self._set(codec.BITRATE, codec.word(bitrate), f"the bit rate {bitrate}")
            self.channel_info = f"Robotell USB-CAN s/n {self._identify()} on {place}"
            self._forgive_opening()
            super().__init__(channel, can_filters, **kwargs)
        except CanError as error:
            self._abandon()
            if isinstance(error, CanInitializationError):
                raise
            raise CanInitializationError(str(error), hint=error.hint) from error
        except BaseException:
            self._abandon()
            raise

    # --- opening and closing --------------------------------------------------------------------------

    def _initialise(self) -> None:
        if not self._write({codec.INITIALISE: codec.write(codec.INITIALISE, b"", 8)}):
            raise CanInitializationError(
                f"{self._name}: the adapter does not answer",
                hint=silence_hint(self, "a Robotell adapter", _RATES),
            )

    def _identify(self) -> str | None:
        """Return the serial number; find the filters that are enabled: the adapter keeps them."""
        requests = {setting: codec.read(setting) for setting in (*codec.FILTER_SETTINGS, *_SERIAL_NUMBER)}
        answers = self._request(requests, ANSWER_SECONDS, of=_SERIAL_NUMBER, are_reads=True)
        for number, setting in enumerate(codec.FILTER_SETTINGS, 1):
            word = int.from_bytes(answers.get(setting, b"")[:4], "little")
            if word & codec.FILTER_ENABLED and not self._is_loop:
                self._left.add(number)
        return _serial_number(answers)

    def _close(self) -> None:
        if self._slots and not self._port.is_lost:
            with suppress(CanError):
                self._port.send([_filter_packet(number) for number in self._slots], ANSWER_SECONDS)
        super()._close()

    # --- settings -------------------------------------------------------------------------------------

    def _request(
        self,
        requests: dict[int, bytes],
        timeout: float | None,
        *,
        of: Collection[int] | None = None,
        are_reads: bool = False,
    ) -> dict[int, bytes]:
        """Send packets to settings; return their answers, up to those ``of`` some settings, by default all.

        After ``timeout`` seconds, return the answers that arrived.

        Raises:
            CanOperationError: the connection is lost or closed.
        """
        expected = requests if of is None else of
        answers: dict[int, bytes] = {}

        def is_complete() -> bool:
            while self._decoder.answers:
                answer = self._decoder.answers.popleft()
                is_expected = answer.is_confirmation is not are_reads or self._is_loop
                if is_expected and answer.setting in requests:
                    answers[answer.setting] = answer.value
            return all(setting in answers for setting in expected)

        with self._settings_lock:
            self._decoder.answers.clear()
            room = ANSWER_SECONDS if timeout is None else max(timeout, ANSWER_SECONDS)
            self._port.send(requests.values(), room)
            self._port.wait_for(is_complete, Deadline(timeout))
        return answers

    def _write(self, requests: dict[int, bytes]) -> bool:
        """Write settings; return whether the adapter confirms all of them, if need be at the second try."""
        return any(len(self._request(requests, ANSWER_SECONDS)) == len(requests) for _ in range(TRIES))

    def _set(self, setting: int, value: bytes, what: str) -> None:
        """Write a setting and wait for the confirmation.

        Raises:
            CanOperationError: it does not arrive.
        """
        self._check_open()
        if not self._write({setting: codec.write(setting, value)}):
            raise CanOperationError(f"{self._name}: the adapter does not confirm {what}")

    def get_serial_number(self, timeout: float | None) -> str | None:
        """Return the serial number of the adapter, such as ``53FF-6A06-4972-4855-4060-1787``.

        None if it does not answer within ``timeout`` seconds; None as ``timeout`` waits for ever.
        """
        self._check_open()
        return _serial_number(self._request(_SERIAL_NUMBER, timeout, are_reads=True))

    def set_bitrate(self, bitrate: int) -> None:
        """Set the bit rate, which the adapter keeps.

        Raises:
            ValueError: it is not from 1 to 1000000 bit/s.
            CanOperationError: the adapter does not confirm it.
        """
        _check_bitrate(bitrate)
        self._set(codec.BITRATE, codec.word(bitrate), f"the bit rate {bitrate}")
        self._bitrate = bitrate

    def set_auto_retransmit(self, retrans_flag: bool) -> None:
        """Set whether the adapter repeats frames that are not acknowledged on the bus.

        Raises:
            CanOperationError: the adapter does not confirm it.
        """
        self._set(codec.RETRANSMIT, bytes((bool(retrans_flag),)), "automatic retransmission")

    def set_auto_bus_management(self, auto_man: bool) -> None:
        """Set whether the adapter recovers from bus-off by itself.

        Raises:
            CanOperationError: the adapter does not confirm it.
        """
        self._set(codec.BUS_MANAGEMENT, bytes((bool(auto_man),)), "automatic bus management")

    def set_serial_rate(self, serial_bps: int) -> None:
        """Set the rate of the adapter's serial line, which it keeps; open the bus again with that rate.

        Raises:
            ValueError: the rate is not from 1 to 2**32 - 1.
            CanOperationError: the adapter does not confirm it.
        """
        if not 0 < serial_bps < 1 << 32:
            raise UsageError(f"{self._name}: {serial_bps} is not a baud rate", hint="such as 115200")
        self._set(codec.SERIAL_RATE, codec.word(serial_bps), f"the baud rate {serial_bps}")

    # --- filters --------------------------------------------------------------------------------------

    def set_hw_filter(
        self, filterid: int, enabled: bool, msgid_value: int, msgid_mask: int, extended_msg: bool
    ) -> None:
        """Set filter ``filterid`` of the adapter, which keeps it.

        Once a filter is enabled, the adapter passes only frames that match an enabled one: ``extended_msg``
        is their kind, and their identifier equals ``msgid_value`` in the bits of ``msgid_mask``.
        ``set_filters`` replaces all of them.

        Raises:
            ValueError: ``filterid`` is not from 1 to 14, or the identifier has more than 29 bits.
            CanOperationError: the adapter does not confirm it.
        """
        if not 1 <= filterid <= codec.FILTERS:
            raise UsageError(f"{self._name}: filter {filterid} is not from 1 to {codec.FILTERS}")
        if not (0 <= msgid_value <= bits.CAN_EFF_MASK and 0 <= msgid_mask < 1 << 32):
            raise UsageError(f"{self._name}: filter {filterid}: an identifier has at most 29 bits")
        value = codec.filter_value(msgid_value, msgid_mask, bool(extended_msg), bool(enabled))
        self._set(codec.FILTER + filterid - 1, value, f"filter {filterid}")
        self._left.discard(filterid)
        if enabled:
            self._chosen.add(filterid)

    def _apply_filters(self, filters: CanFilters | None) -> None:
        slots = slots_of(filters) if self._uses_filters and filters else []
        if not slots and not self._slots and not (self._uses_filters and self._chosen):
            return
        values = dict(enumerate(slots, 1))
        requests = {
            codec.FILTER + number - 1: _filter_packet(number, values.get(number))
            for number in range(1, codec.FILTERS + 1)
        }
        self._slots = set(values)
        if not self._write(requests):
            raise CanOperationError(
                f"{self._name}: the adapter does not confirm its filters",
                hint="hw_filters=false does without",
            )
        self._left.clear()
        self._chosen.clear()

    # --- receiving and sending ------------------------------------------------------------------------

    def _receive(self, timeout: float | None) -> MessageBatch | None:
        if self._left:
            self._warn_of_filters()
        return super()._receive(timeout)

    def _warn_of_filters(self) -> None:
        numbers = ", ".join(map(str, sorted(self._left)))
        self._left.clear()
        note = self.on_note or logging.getLogger("can").warning
        note(f"{self._name}: frames may be missing: an earlier program left filters {numbers} enabled")

    def _encode(self, batch: MessageBatch) -> list[bytes]:
        return codec.encode(batch)

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._bitrate, None

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the ports with the serial converter of these adapters, which other devices have as well."""
        return [{"channel": path} for path in ch340.channels()]


def _check_bitrate(bitrate: int) -> None:
    if not 0 < bitrate <= MAX_BITRATE:
        raise UsageError(
            f"robotell: the bit rate {bitrate} is not from 1 to {MAX_BITRATE}", hint="such as bitrate=500000"
        )


def _serial_number(answers: dict[int, bytes]) -> str | None:
    if not all(setting in answers for setting in _SERIAL_NUMBER):
        return None
    number = (answers[codec.SERIAL_NUMBER] + answers[codec.SERIAL_NUMBER + 1][:4]).hex().upper()
    return "-".join(number[at : at + 4] for at in range(0, len(number), 4))


def _filter_packet(number: int, slot: Slot | None = None) -> bytes:
    value = codec.filter_value(*slot, True) if slot else codec.filter_value(0, 0, False, False)
    return codec.write(codec.FILTER + number - 1, value)
