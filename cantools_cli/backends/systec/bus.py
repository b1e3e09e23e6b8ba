"""The bus of a channel of a USB-CANmodule."""

from __future__ import annotations

import math
import threading
from contextlib import suppress
from ctypes import byref, c_uint32
from typing import Any, NamedTuple

from cantools_cli.backends.systec import acceptance, codec
from cantools_cli.backends.systec.constants import (
    ACR_ALL,
    AMR_ALL,
    ANY_MODULE,
    BIT_RATES,
    DEFAULT_BUFFER_ENTRIES,
    CanStatus,
    Mode,
    OutputControl,
    ResetFlags,
    ReturnCode,
    product_of,
)
from cantools_cli.backends.systec.exceptions import explanation
from cantools_cli.backends.systec.library import LIBRARY
from cantools_cli.backends.systec.module import Module, closed, named, opened
from cantools_cli.backends.systec.parameters import is_passive, ranged, registers
from cantools_cli.backends.systec.reader import PART, UNSENT, ChannelReader
from cantools_cli.backends.systec.structures import CanMsg, InitCanParam, MsgCountInfo, MsgCountInfo2
from cantools_cli.backends.transport.library import given
from cantools_cli.backends.transport.library_bus import LibraryBus
from cantools_cli.bus.base import BusState
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import (
    CanError,
    CanInitializationError,
    CanOperationError,
    CanTimeoutError,
    InvalidMessageError,
)
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch

__all__ = ["Counters", "UcanBus"]

_SEND_SECONDS = 1.0  # without a timeout
_NO_ROOM = frozenset({ReturnCode.ERR_DLL_TXFULL, ReturnCode.ERR_BUSY, ReturnCode.WARN_TXLIMIT})


class Counters(NamedTuple):
    """Frames that the module has counted."""

    sent: int
    received: int


class UcanBus(LibraryBus):
    """A channel of a USB-CANmodule of SYS TEC, by the vendor's library for Windows; on Linux use socketcan.

    ``channel`` is 0 or 1. ``device_number`` names the module, 255 the first one that is found; ``serial``,
    its serial number, overrides it. ``bitrate`` is one of a table; the registers ``btr0btr1`` (BTR0 is the
    upper byte) or a ``timing`` for a clock of 8 MHz override it. ``state`` may be ``BusState.PASSIVE``, which
    is the same as ``listen_only``. The library keeps ``rx_buffer_entries`` and ``tx_buffer_entries`` frames.

    With ``receive_own_messages`` the module returns what it has sent. ``tx_timeout`` is the transmit timeout
    of the module in seconds, see ``send``. With ``high_res_timer`` timestamps have 100 microseconds instead
    of a millisecond. ``library`` or ``dll`` is the file of the library. One filter of one kind of identifiers
    runs in the module as well.

    Raises:
        UsageError: a setting is invalid; this is a ValueError as well.
        CanInterfaceNotImplementedError: the library is missing.
        CanInitializationError: the module or the channel cannot be opened.
    """

    BITRATES = BIT_RATES

    def __init__(
        self,
        channel: int,
        can_filters: CanFilters | None = None,
        *,
        bitrate: int = 500_000,
        device_number: int = ANY_MODULE,
        state: Any = BusState.ACTIVE,
        receive_own_messages: bool = False,
        rx_buffer_entries: int = DEFAULT_BUFFER_ENTRIES,
        tx_buffer_entries: int = DEFAULT_BUFFER_ENTRIES,
        serial: int | None = None,
        btr0btr1: int | None = None,
        timing: Any | None = None,
        listen_only: bool = False,
        high_res_timer: bool = False,
        tx_timeout: float | None = None,
        library: str | None = None,
        dll: str | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("systec", UcanBus, kwargs)
        self.channel = ranged("channel", channel, 0, 1)
        number = ranged("device_number", device_number, 0, 255)
        serial = None if serial is None else ranged("serial", serial, 0, 0xFFFF_FFFF)
        self._name = f"systec:{self.channel}"
        word, self._bit_rate, rate_text = registers(bitrate, btr0btr1, timing)
        self._is_listening = is_passive(state) or listen_only
        self._parameters = InitCanParam(
            m_bMode=(Mode.MODE_TX_ECHO if receive_own_messages else 0)
            | (Mode.MODE_HIGH_RES_TIMER if high_res_timer else 0),
            m_bBTR0=word >> 8,
            m_bBTR1=word & 0xFF,
            m_bOCR=OutputControl.OCR_DEFAULT,
            m_dwAMR=AMR_ALL,
            m_dwACR=ACR_ALL,
            m_wNrOfRxBufferEntries=ranged("rx_buffer_entries", rx_buffer_entries, 1, 0xFFFF),
            m_wNrOfTxBufferEntries=ranged("tx_buffer_entries", tx_buffer_entries, 1, 0xFFFF),
        )
        self._set_mode()
        functions = LIBRARY.load(given(library, dll))
        self._drain_lock = threading.Lock()
        self._tx_timeout: int | None = None
        self._prepare()
        try:
            self._module = opened(functions, number, serial, self.channel, self._start)
            self._events = self._module.channels[self.channel]
            self._reader = ChannelReader(
                self._call, functions, self._events, self.channel, self.losses, is_fine=high_res_timer
            )
            self._finish_opening(can_filters, tx_timeout)
        except BaseException as error:
            self._wakeup.close()
            if isinstance(error, CanError):
                raise named(error, self._name, CanInitializationError) from error.__cause__
            raise
        product, serial = product_of(self._module.product), self._module.serial
        self.channel_info = f"{product}, S/N {serial}, CH {self.channel}, BTR {rate_text}"

    def _start(self, module: Module) -> None:
        module.init_can(self.channel, self._parameters)
        module.identify()

    def _finish_opening(self, can_filters: CanFilters | None, tx_timeout: float | None) -> None:
        try:
            super().__init__(self.channel, can_filters)
            if tx_timeout is not None:
                self._set_tx_timeout(tx_timeout)
            self._reader.anchor()
        except BaseException:
            with suppress(CanError):  # the first failure is the one to report
                closed(self._module, self.channel)
            raise

    def _set_mode(self) -> None:
        mode = self._parameters.m_bMode & ~Mode.MODE_LISTEN_ONLY
        self._parameters.m_bMode = mode | (Mode.MODE_LISTEN_ONLY if self._is_listening else 0)

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self._bit_rate, None

    def _call(self, name: str, *arguments: Any) -> int:
        """Call a function for this channel; return its warning or 0.

        Raises:
            CanOperationError: the bus is closed, the module is lost, or the function failed.
        """
        with self._gate:
            try:
                return self._module.call(name, *arguments)
            except CanOperationError as error:
                if error.error_code == ReturnCode.ERR_DISCONECT:
                    self._module.lose()
                raise named(error, self._name, CanOperationError) from error.__cause__

    # --- receiving ------------------------------------------------------------------------------------

    def _drain(self) -> MessageBatch | None:
        with self._drain_lock:  # of two threads that receive, one drains
            if self._module.is_lost:  # no function may be called for the module any more
                text = f"{self._name}: {explanation(ReturnCode.ERR_DISCONECT)}"
                self._lose(CanOperationError(text, int(ReturnCode.ERR_DISCONECT)))
                return None
            try:
                return self._reader.drain()
            except CanOperationError as error:
                if not self._module.is_lost:
                    raise
                self._lose(error)
                return None

    def _wait(self, seconds: float) -> None:
        self._events.arrived.wait(seconds)

    # --- sending --------------------------------------------------------------------------------------

    def _send(self, batch: MessageBatch, timeout: float | None) -> None:
        """Send frames; a timeout is that of the module as well.

        A frame that the module cannot send within its transmit timeout is deleted, and so are all others of
        the channel until one can be sent. 0 switches that off.
        """
        self._check_sendable(batch)
        deadline = Deadline(_SEND_SECONDS if timeout is None else timeout)
        done = 0
        try:
            if timeout is not None:
                self._set_tx_timeout(timeout)
            while done < len(batch):
                wanted = min(len(batch) - done, PART)
                accepted, code = self._write(batch, done, done + wanted)
                done += accepted
                if accepted < wanted:
                    if timeout == 0 or deadline.passed:
                        text = f"{self._name}: UcanWriteCanMsgEx: {explanation(code)}"
                        raise CanTimeoutError(text, code, hint="does another node acknowledge frames?")
                    deadline.pause()
        except CanError as error:
            error.sent = done
            raise

    def _write(self, batch: MessageBatch, first: int, last: int) -> tuple[int, int]:
        """Return the number of frames that the library has accepted, and its result."""
        messages = (CanMsg * (last - first)).from_buffer_copy(codec.encode(batch, first, last))
        count = c_uint32(last - first)
        try:
            code = self._call("UcanWriteCanMsgEx", self.channel, messages, byref(count))
        except CanOperationError as error:
            if error.error_code not in _NO_ROOM:
                raise
            return 0, error.error_code
        if code == ReturnCode.WARN_FW_TXMSGLOST:
            self.losses[UNSENT] += 1
        if code == ReturnCode.WARN_TXLIMIT:
            return min(count.value, last - first), code
        return last - first, code

    def _set_tx_timeout(self, seconds: float) -> None:
        milliseconds = min(math.ceil(1000 * seconds), 0xFFFF_FFFF)
        if milliseconds != self._tx_timeout:
            self._call("UcanSetTxTimeout", self.channel, milliseconds)
            self._tx_timeout = milliseconds

    def _check_sendable(self, batch: MessageBatch) -> None:
        """Refuse what the module cannot send.

        Raises:
            InvalidMessageError: an error frame or a CAN FD frame.
            CanOperationError: the bus listens only.
        """
        for can_id, flags in zip(batch.can_id, batch.flags, strict=True):
            if flags & bits.FD or can_id & bits.CAN_ERR_FLAG:
                kind = "CAN FD frames" if flags & bits.FD else "error frames"
                raise InvalidMessageError(f"{self._name}: the module cannot send {kind}", sent=0)
        if self._is_listening:
            raise CanOperationError(f"{self._name}: a listen-only bus does not send", sent=0)

    def flush_tx_buffer(self) -> None:
        """Discard the frames in the transmit buffers of the library and the module.

        Raises:
            CanOperationError: the bus is closed, or the library failed.
        """
        self._check_open()
        self._call("UcanResetCanEx", self.channel, int(ResetFlags.RESET_ONLY_TX_BUFF))

    # --- filters --------------------------------------------------------------------------------------

    def _apply_filters(self, filters: CanFilters | None) -> None:
        self._acceptance = acceptance.acceptance(filters)
        self._call("UcanSetAcceptanceEx", self.channel, *self._acceptance)

    @staticmethod
    def create_filter(
        extended: bool, from_id: int, to_id: int, rtr_only: bool, rtr_too: bool
    ) -> list[acceptance.AcceptanceFilter]:
        """Return the filter of the module for a range of identifiers, in a list.

        ``rtr_only`` passes remote frames only, ``rtr_too`` remote frames as well as data frames. The filter
        passes more identifiers if the differing bits of both ends are not a whole block.
        """
        return acceptance.create_filter(extended, from_id, to_id, rtr_only, rtr_too)

    # --- state ----------------------------------------------------------------------------------------

    @property
    def state(self) -> BusState:
        """The state of the controller; PASSIVE if it is error-passive or listens only, ERROR if bus-off.

        Setting ACTIVE or PASSIVE starts the channel again in this mode; ACTIVE also ends a bus-off.

        Raises:
            CanOperationError: the bus is closed, or the library failed.
        """
        self._check_open()
        status = self._reader.can_status()
        if status & CanStatus.CANERR_BUSOFF:
            return BusState.ERROR
        is_passive = self._is_listening or status & CanStatus.CANERR_BUSHEAVY
        return BusState.PASSIVE if is_passive else BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        self._check_open()
        is_listening = is_passive(new_state)
        if is_listening != self._is_listening:
            with self._drain_lock, self._module.lock, self._gate:
                self._restart(is_listening)
        elif self._reader.can_status() & CanStatus.CANERR_BUSOFF:
            self._call("UcanResetCanEx", self.channel, int(ResetFlags.RESET_ALL))

    def _restart(self, is_listening: bool) -> None:
        """Start the channel in another mode."""
        try:
            self._module.deinit_can(self.channel)
            self._is_listening = is_listening
            self._set_mode()
            self._module.init_can(self.channel, self._parameters)
        except CanOperationError as error:
            raise named(error, self._name, CanOperationError) from error.__cause__
        self._tx_timeout = None
        self._call("UcanSetAcceptanceEx", self.channel, *self._acceptance)

    def error_counters(self) -> tuple[int, int]:
        """Return the error counters of the controller, (received, sent).

        Raises:
            CanOperationError: the bus is closed, or the library failed or lacks the function.
        """
        self._check_open()
        return self._reader.error_counters()

    def counters(self) -> Counters:
        """Return the numbers of sent and received frames.

        Raises:
            CanOperationError: the bus is closed, or the library failed or lacks the function.
        """
        self._check_open()
        if self._module.functions.UcanGetMsgCountInfoEx2 is not None:
            info = MsgCountInfo2()
            self._call("UcanGetMsgCountInfoEx2", self.channel, byref(info))
            return Counters(info.m_dwSentMsgCount, info.m_dwRecvdMsgCount)
        short = MsgCountInfo()
        self._call("UcanGetMsgCountInfoEx", self.channel, byref(short))
        return Counters(short.m_wSentMsgCount, short.m_wRecvdMsgCount)

    # --- closing and finding --------------------------------------------------------------------------

    def _release(self) -> None:
        try:
            closed(self._module, self.channel)
        except CanOperationError as error:
            raise named(error, self._name, CanOperationError) from error.__cause__

    @staticmethod
    def _obstacle() -> str | None:
        return LIBRARY.obstacle()

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the channels of the modules that no program uses; empty without the library."""
        from cantools_cli.backends.systec.finder import modules

        return [
            {
                "interface": "systec",
                "channel": channel,
                "device_number": module.number,
                "serial": module.serial,
            }
            for module in modules()
            for channel in range(module.channels)
        ]
