"""The bus of an isCAN card."""

from __future__ import annotations

import time
from ctypes import addressof, byref, create_string_buffer, string_at
from threading import Lock
from typing import Any, ClassVar

from cantools_cli.backends.iscan import codec, errors
from cantools_cli.backends.iscan.errors import IscanError, IscanInitializationError, IscanOperationError
from cantools_cli.backends.iscan.library import (
    ALL_IDENTIFIERS,
    BAUD_CODES,
    CONFIGURED,
    LIBRARY,
    MAX_DEVICES,
    NEXT,
    DeviceInfo,
    MessageExStruct,
)
from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus
from cantools_cli.bus.base import BusState
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanError,
    CanInterfaceNotImplementedError,
    CanOperationError,
    CanTimeoutError,
    InvalidMessageError,
    UsageError,
    quoted,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch

__all__ = ["IscanBus", "IscanError", "IscanInitializationError", "IscanOperationError", "MessageExStruct"]

OVERRUNS = "overruns reported by the adapter"

_MAX_BATCH = 4096  # frames
_SEND_SECONDS = 1.0  # without a timeout
_HINT = "the channel is the number that the vendor's tool gave the device, such as iscan:0"
_OVERRUN_CODES = frozenset({errors.BUFFER_OVERRUN, errors.DATA_OVERRUN})
#: status codes of the bus: the state of the controller
_STATES = {
    errors.BUS_ERROR: BusState.ACTIVE,
    errors.BUS_OFF: BusState.ERROR,
    errors.ERROR_PASSIVE: BusState.PASSIVE,
    errors.ERROR_WARNING: BusState.ACTIVE,
    errors.BUS_RESET: BusState.ACTIVE,
    errors.BUS_CRITICAL: BusState.PASSIVE,
}


class IscanBus(LibraryBus):
    """An isCAN card of Thorsis, by the vendor's library for Windows.

    ``channel`` is the number of the device, from 0 to 15. ``bitrate`` is a key of ``BAUDRATES``;
    ``btr0btr1`` overrides it by the two bus timing registers, as in 0x001C, if the library can set them.
    The library has no event for frames and is asked every ``poll_interval`` seconds; ``library`` or ``dll``
    is its file. With ``receive_own_messages`` sent frames are received when the library has accepted them.

    Frames are stamped when they are fetched. Filters are applied by software. ``send`` without a timeout
    waits a second while the device transmits.

    Raises:
        UsageError: a setting is invalid.
        CanInterfaceNotImplementedError: the library is missing.
        IscanInitializationError: the device cannot be opened.
    """

    BAUDRATES: ClassVar[dict[int, int]] = BAUD_CODES

    def __init__(
        self,
        channel: str | int,
        bitrate: int = 500_000,
        poll_interval: float = 0.01,
        can_filters: CanFilters | None = None,
        *,
        btr0btr1: int | None = None,
        receive_own_messages: bool = False,
        library: str | None = None,
        dll: str | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("iscan", IscanBus, kwargs)
        self.channel = _device_number(channel)
        self.poll_interval = _checked_interval(poll_interval)
        self._name = f"iscan:{self.channel}"
        self._registers = _checked_registers(btr0btr1)
        if self._registers is None and bitrate not in BAUD_CODES:
            rates = ", ".join(f"{rate // 1000}k" for rate in BAUD_CODES)
            text = f"{self._name}: bit rate {bitrate} is not in the table of the library"
            raise UsageError(text, hint=f"{rates}; or btr0btr1")
        self._bit_rate = bitrate if self._registers is None else None
        self._functions = LIBRARY.load(given(library, dll))
        if self._registers is not None and self._functions.isCAN_SetBaudRegister is None:
            raise UsageError(
                f"{self._name}: this library cannot set btr0btr1", hint="bitrate= selects a rate"
            )
        self._echoes_own = receive_own_messages
        self._slice = max(self._slice, self.poll_interval)
        self._fetching = Lock()  # of two threads that receive, one fetches
        self._buffer = create_string_buffer(codec.SIZE * _MAX_BATCH)
        self._status: int | None = None  # the last code about the bus
        self._failed: CanOperationError | None = None  # a failure that came with frames
        self._prepare()
        try:
            self._open(BAUD_CODES.get(bitrate, BAUD_CODES[500_000]))
            try:
                super().__init__(channel, can_filters, **kwargs)
            except BaseException:
                self._functions.isCAN_CloseDevice(self.channel)
                raise
        except BaseException:
            self._wakeup.close()
            raise
        self.channel_info = f"IS-CAN: {self.channel}"

    def _open(self, code: int) -> None:
        functions = self._functions
        self._begin(functions.isCAN_DeviceInitEx, self.channel, code)
        try:
            if self._registers is not None:
                self._begin(functions.isCAN_SetBaudRegister, self.channel, *divmod(self._registers, 0x100))
            if functions.isCAN_SetMessageExID is not None:
                self._begin(functions.isCAN_SetMessageExID, self.channel, ALL_IDENTIFIERS)
        except BaseException:
            functions.isCAN_CloseDevice(self.channel)
            raise

    def _begin(self, function: Any, *arguments: int) -> None:
        code = function(*arguments)
        if code:
            raise IscanInitializationError(function, code, arguments, hint=_HINT)

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._bit_rate, None

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        with self._fetching:
            if self._failed is not None:
                failed, self._failed = self._failed, None
                raise failed
            times: list[int] = []
            code = self._fetch(times)
            text = string_at(self._buffer, codec.SIZE * len(times))
            batch = codec.decode(text, times, self.channel, self.losses)
            if times:
                self._status = None  # a controller that receives is not off the bus
            if code in _OVERRUN_CODES:
                self.losses[OVERRUNS] += 1
                codec.append_error(batch, code, time.time_ns())
            elif code in _STATES:
                if code != self._status:  # it may be returned until it is over
                    codec.append_error(batch, code, time.time_ns())
                self._status = code
            elif code not in (errors.DONE, errors.NOTHING_RECEIVED):
                self._fail(code, has_frames=bool(times))
            return batch

    def _fetch(self, times: list[int]) -> int:
        """Fill the buffer with messages and ``times`` with their arrival; return the code that ended it."""
        receive, channel, now = self._functions.isCAN_ReceiveMessageEx, self.channel, time.time_ns
        address = addressof(self._buffer)
        for place in range(address, address + codec.SIZE * _MAX_BATCH, codec.SIZE):
            code = receive(channel, place)
            if code:
                return int(code)
            times.append(now())
        return errors.DONE

    def _fail(self, code: int, *, has_frames: bool) -> None:
        """Raise the error of ``code`` after the last frame; end the bus if the card is gone."""
        error = IscanOperationError("isCAN_ReceiveMessageEx", code, (self.channel,))
        if code in errors.GONE:
            self._lose(error)
        elif has_frames:
            self._failed = error
        else:
            raise error

    def _wait(self, seconds: float) -> None:
        self._wakeup.wait(min(seconds, self.poll_interval))  # closing and echoes end it

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
            if flags & bits.FD or can_id & bits.CAN_ERR_FLAG:
                kind = "CAN FD frames" if flags & bits.FD else "error frames"
                raise InvalidMessageError(f"{self._name}: the card cannot send {kind}", sent=0)
        deadline = Deadline(_SEND_SECONDS if timeout is None else timeout)
        sent = 0
        try:
            for row in range(len(batch)):
                self._send_one(MessageExStruct.from_buffer_copy(codec.encode(batch, row)), deadline)
                sent += 1
        except CanError as error:
            error.sent = sent
            raise
        finally:
            if self._echoes_own and sent:
                self._echo(batch.part(0, sent), self.channel)

    def _send_one(self, message: MessageExStruct, deadline: Deadline) -> None:
        while True:
            if self._lost is not None:
                raise self._lost
            with self._gate:
                code = self._functions.isCAN_TransmitMessageEx(self.channel, byref(message))
            if code == errors.DONE:
                return
            if code != errors.TRANSMITTING:
                error = IscanOperationError("isCAN_TransmitMessageEx", code, (self.channel,))
                if code in errors.GONE:
                    self._lose(error)
                raise error
            if deadline.passed:
                text = f"{self._name}: isCAN_TransmitMessageEx: {IscanError.ERROR_CODES[code]}"
                raise CanTimeoutError(text, code, hint="a frame leaves when another node acknowledges it")
            deadline.pause()

    # --- state and end --------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """ERROR if the controller is off the bus, PASSIVE if it is error passive, by the last report."""
        return BusState.ACTIVE if self._status is None else _STATES[self._status]

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError("an isCAN card has one mode")

    def _release(self) -> None:
        code = self._functions.isCAN_CloseDevice(self.channel)
        if code and self._lost is None:
            raise IscanOperationError("isCAN_CloseDevice", code, (self.channel,))

    @staticmethod
    def _obstacle() -> str | None:
        return LIBRARY.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the configured devices that are attached; none if the library cannot tell."""
        try:
            attached = LIBRARY.load().isCAN_AttachedDevices
        except CanInterfaceNotImplementedError:
            return []
        found: dict[int, None] = {}
        info = DeviceInfo()
        for number in range(MAX_DEVICES if attached is not None else 0):
            if attached(CONFIGURED | (NEXT if number else 0), byref(info)):
                break
            if info.attached and info.device_id < MAX_DEVICES:
                found[info.device_id] = None
        return [{"interface": "iscan", "channel": number} for number in found]


def _device_number(channel: str | int) -> int:
    try:
        number = int(channel)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number < MAX_DEVICES:
        text = f"iscan: {quoted(channel)} is not the number of a device, 0 to {MAX_DEVICES - 1}"
        raise UsageError(text, hint="such as iscan:0")
    return number


def _checked_interval(seconds: float) -> float:
    if not 0 < seconds <= 60:
        raise UsageError(f"iscan: poll_interval {seconds:g} is not above 0 s and at most 60 s")
    return seconds


def _checked_registers(registers: int | None) -> int | None:
    if registers is not None and not 0 <= registers <= 0xFFFF:
        raise UsageError(f"iscan: btr0btr1 {registers:#x} does not have 16 bits", hint="such as 0x001C")
    return registers
