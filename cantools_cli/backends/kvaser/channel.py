"""An open channel: one handle that receives and one that sends, or one for both.

Under Windows a handle serves one thread at a time, so each has a lock. The bit rate and the mode belong to
the first handle of a channel, which has the access for it; the library ignores them on others unless it was
asked to report that.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import starmap
from threading import RLock
from typing import Any

from cantools_cli.backends.kvaser import codec
from cantools_cli.backends.kvaser import constants as c
from cantools_cli.backends.kvaser.errors import CANLIBError, CANLIBOperationError
from cantools_cli.backends.kvaser.library import Canlib, ChannelInfo
from cantools_cli.backends.kvaser.structures import BusStatistics, Received
from cantools_cli.backends.kvaser.timing import BusParams
from cantools_cli.backends.transport.device_clock import DeviceClock
from cantools_cli.bus.losses import Losses
from cantools_cli.errors import CanInitializationError
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch

_SLOTS = 256  # messages of one read
_FRESH = 1.0  # seconds after a wait in which frames are no older than that
_PAUSE = 0.001  # seconds after a wait in which another thread can get the handle
_SCALE_US = codec.TICK_NS // 1000
_OLD_SCALE_NS = 1_000_000  # without SET_TIMER_SCALE
_FLUSH_MS = 100  # for queued frames when a bus is closed
_MAX_UNMARKED = 4096  # own frames whose echo is expected
_NO_DATA = ctypes.create_string_buffer(64)  # of remote frames, in case the library copies them
#: results of canRead when the queue is empty
_NOTHING = frozenset({c.canERR_NOMSG, c.canERR_TIMEOUT, c.canERR_INTERRUPTED})
#: results when the device is gone
LOST = frozenset({c.canERR_HARDWARE, c.canERR_NOTFOUND, c.canERR_INVHANDLE, c.canERR_NOCARD})


@dataclass(frozen=True)
class ChannelSettings:
    """How to open a channel; ``hears_own`` receives its own frames."""

    params: BusParams
    flags: int
    is_silent: bool = False
    is_single: bool = False
    hears_own: bool = False


class KvaserChannel:
    """Opens a channel and goes on bus; ``losses`` counts overruns and malformed frames.

    Attributes:
        info: the device.
        waited_at: when a wait for frames ended, on the monotonic clock. If the times of frames that were read
            soon afterwards are old, another program that went on bus has started the timer again.
        settings: as given; ``is_silent`` changes with the mode.
        warnings: what a user should know about how the channel was opened.

    Raises:
        CanInitializationError: there is no such channel, or the library refuses a setting.
    """

    def __init__(self, canlib: Canlib, number: int, settings: ChannelSettings, losses: Losses) -> None:
        self.canlib = canlib
        self.number = number
        self.settings = settings
        self.is_silent = settings.is_silent
        self.waited_at = 0.0
        self.warnings: list[str] = []
        self.reading = RLock()
        self.writing = self.reading if settings.is_single else RLock()
        self._acknowledges = settings.is_single and settings.hears_own
        self._decoder = codec.Decoder(number, losses, keeps_acknowledged=self._acknowledges)
        self._unmarked: Counter[tuple[int, int, bytes]] | None = None
        self._failure: CANLIBError | None = None
        self.info = self._found()
        with ExitStack() as stack:
            self._open(stack)
            self._close = stack.pop_all()
        canlib.failure = CANLIBOperationError

    # --- opening --------------------------------------------------------------------------------------

    def _found(self) -> ChannelInfo:
        count = self.canlib.channels()
        if not 0 <= self.number < count:
            self.canlib.channels(fresh=True)
            count = self.canlib.channels()
        if not 0 <= self.number < count:
            known = "; ".join(f"{number}: {self.canlib.info(number).name}" for number in range(count))
            raise CanInitializationError(
                f"{self.canlib.place}: there is no channel {self.number}",
                hint=f"channels here: {known}" if known else "no Kvaser device is connected",
            )
        info = self.canlib.info(self.number)
        for flag, capability, noun in (
            (c.canOPEN_CAN_FD, c.canCHANNEL_CAP_CAN_FD, "CAN FD"),
            (c.canOPEN_CAN_FD_NONISO, c.canCHANNEL_CAP_CAN_FD_NONISO, "CAN FD in non-ISO mode"),
        ):
            if self.settings.flags & flag and not info.capabilities & capability:
                raise CanInitializationError(f"{self.canlib.place}: {info} does not have {noun}")
        return info

    def _open(self, stack: ExitStack) -> None:
        """Open the handles in the order that the library needs, and go on bus."""
        canlib, settings = self.canlib, self.settings
        self.rx = rx = canlib.call("canOpenChannel", self.number, settings.flags)
        stack.callback(canlib.attempt, "canClose", rx)
        canlib.control(rx, c.canIOCTL_SET_REPORT_ACCESS_ERRORS, 1, size=1)
        is_scaled = canlib.control(rx, c.canIOCTL_SET_TIMER_SCALE, _SCALE_US) >= 0
        self.tick_ns = codec.TICK_NS if is_scaled else _OLD_SCALE_NS
        self._set_params(settings.params)
        self._set_mode(self.is_silent)
        self._set_echo(settings.is_single or settings.hears_own)
        self.tx = rx
        if not settings.is_single:
            self.tx = self._second_handle()
            stack.callback(canlib.attempt, "canClose", self.tx)
        self._bus_on(stack)
        self._read = _without_checks(canlib.functions.canRead)
        self._records = (Received * _SLOTS)()
        self._slots = _slots(rx, self._records)
        self.anchor()

    def _second_handle(self) -> int:
        flags = self.settings.flags
        if flags & c.canOPEN_EXCLUSIVE:
            flags = flags & ~c.canOPEN_EXCLUSIVE | c.canOPEN_OVERRIDE_EXCLUSIVE
        handle = self.canlib.attempt("canOpenChannel", self.number, flags)
        if handle == c.canERR_NO_ACCESS and not flags & c.canOPEN_NO_INIT_ACCESS:
            flags |= c.canOPEN_NO_INIT_ACCESS
            handle = self.canlib.attempt("canOpenChannel", self.number, flags)
        if handle < 0:
            raise self.canlib.error("canOpenChannel", handle, (self.number, flags))
        return handle

    def _set_params(self, params: BusParams) -> None:
        """Set the nominal phase, then the data phase; without access compare them with those in use."""
        canlib, nominal, data = self.canlib, params.nominal, params.data
        status = canlib.attempt("canSetBusParams", self.rx, *nominal[:4], params.samples, 0)
        if status == c.canERR_NO_ACCESS:
            self._compare_params(params)
            return
        if status < 0:
            raise canlib.error("canSetBusParams", status, nominal)
        if data is not None:
            canlib.call("canSetBusParamsFd", self.rx, *data[:4])

    def _compare_params(self, params: BusParams) -> None:
        place, names = self.canlib.place, ["bitrate"]
        wanted, used = [params.nominal.bitrate], [self._rate("canGetBusParams", 5)]
        if params.data is not None:
            names.append("data_bitrate")
            wanted.append(params.data.bitrate)
            used.append(self._rate("canGetBusParamsFd", 3))
        text = f"{place}: another program set the bit rate to {' and '.join(map(str, used))} bit/s"
        if wanted != used:
            settings = ",".join(f"{name}={rate}" for name, rate in zip(names, used, strict=True))
            raise CanInitializationError(
                f"{text}, not {' and '.join(map(str, wanted))}", c.canERR_NO_ACCESS, hint=f"use {settings}"
            )
        self.warnings.append(text)

    def _rate(self, function: str, others: int) -> int:
        rate = ctypes.c_long(0)
        rest = [ctypes.byref(ctypes.c_uint(0)) for _ in range(others)]
        self.canlib.call(function, self.rx, ctypes.byref(rate), *rest)
        return rate.value

    def _set_mode(self, is_silent: bool) -> None:
        mode = c.canDRIVER_SILENT if is_silent else c.canDRIVER_NORMAL
        status = self.canlib.attempt("canSetBusOutputControl", self.rx, mode)
        if status == c.canERR_NO_ACCESS:
            used = ctypes.c_uint(0)
            self.canlib.attempt("canGetBusOutputControl", self.rx, ctypes.byref(used))
            if used.value == mode:
                return
        if status < 0:
            raise self.canlib.error("canSetBusOutputControl", status, (self.rx, mode))

    def _set_echo(self, hears_others: bool) -> None:
        """Hear the frames that other handles of this computer send, and mark them."""
        canlib = self.canlib
        if canlib.control(self.rx, c.canIOCTL_SET_LOCAL_TXECHO, hears_others, size=1) < 0 and hears_others:
            self.warnings.append(f"{canlib.place}: the driver does not return the frames of this computer")
        if canlib.control(self.rx, c.canIOCTL_SET_LOCAL_TXACK, hears_others) < 0 and hears_others:
            self._unmarked = Counter()
        if self._acknowledges:
            status = canlib.control(self.rx, c.canIOCTL_SET_TXACK, 1)
            if status < 0:
                raise canlib.error("canIoCtl", status)

    def _bus_on(self, stack: ExitStack | None = None) -> None:
        for handle in dict.fromkeys((self.rx, self.tx)):
            self.canlib.call("canBusOn", handle)
            if stack is not None:
                stack.callback(self.canlib.attempt, "canBusOff", handle)

    # --- receiving ------------------------------------------------------------------------------------

    def descriptor(self) -> int | None:
        """Return a descriptor that is ready to read while messages are queued; None where CANlib lacks it."""
        if sys.platform == "win32":
            return None
        number = ctypes.c_int(-1)
        if self.canlib.attempt("canGetRawHandle", self.rx, ctypes.byref(number)) < 0 or number.value < 0:
            return None
        return number.value

    def read(self) -> MessageBatch | None:
        """Return the queued frames, or None.

        Raises:
            CANLIBOperationError: a function failed; frames before that were returned by the last call.
        """
        with self.reading:
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
            count = status = 0
            for status in starmap(self._read, self._slots):
                if status < 0:
                    break
                count += 1
            if status < 0 and status not in _NOTHING:
                self._failure = self.canlib.error("canRead", status)
            if not count:
                failure, self._failure = self._failure, None
                if failure is not None:
                    raise failure
                return None
            records = memoryview(self._records).cast("B")[: count * codec.RECORD.size]
            batch, ticks = self._decoder.decode(records)
            are_fresh = time.monotonic() - self.waited_at < _FRESH
            batch.timestamp_ns = self._clock.times_ns(ticks, may_be_old=self._has_timer and not are_fresh)
        if self._unmarked:
            with self.writing:
                self._mark_own(batch)
        return batch

    def wait(self, seconds: float) -> None:
        """Wait in the library for a message."""
        with self.reading:
            status = self.canlib.functions.canReadSync(self.rx, max(1, round(1000 * seconds)))
        if status < 0:
            time.sleep(_PAUSE)

    def anchor(self) -> None:
        """Read the timer, which starts again when a channel goes on bus."""
        self._clock = DeviceClock(codec.TICKS, self.tick_ns)
        now, read_at = self._timer()
        self._has_timer = now is not None
        if now is not None:
            self._clock.anchor(now, read_at)

    def _timer(self) -> tuple[int | None, int]:
        """Return the count of the timer, None if the device has none, and the monotonic time in ns."""
        wide, narrow = ctypes.c_int64(0), ctypes.c_uint(0)
        begin = time.monotonic_ns()
        found: int | None = None
        if self.canlib.attempt("kvReadTimer64", self.rx, ctypes.byref(wide)) >= 0:
            found = wide.value % codec.TICKS
        elif self.canlib.attempt("kvReadTimer", self.rx, ctypes.byref(narrow)) >= 0:
            found = narrow.value
        return found, (begin + time.monotonic_ns()) // 2

    # --- sending --------------------------------------------------------------------------------------

    def write(self, frames: Sequence[codec.Outgoing], payload: bytearray) -> tuple[int, int]:
        """Queue ``frames`` for sending; return how many were, and the result for the next one."""
        held = (ctypes.c_char * len(payload)).from_buffer(payload)  # must not move meanwhile
        address, write, tx = ctypes.addressof(held), self.canlib.functions.canWrite, self.tx
        with self.writing:
            for row, frame in enumerate(frames):
                identifier, offset, length, flags = frame
                data = _NO_DATA if flags & c.canMSG_RTR else address + offset
                if self._unmarked is not None:
                    self._expect(frame, payload)
                status = write(tx, identifier, data, length, flags)
                if status == c.canERR_PARAM:  # some drivers refuse a valid frame now and then
                    status = write(tx, identifier, data, length, flags)
                if status < 0:
                    if self._unmarked is not None:
                        self._unmarked[_echo_of(frame, payload)] -= 1
                    return row, status
        return len(frames), c.canOK

    def sync(self, milliseconds: int) -> int:
        """Wait until the queue is sent; return the result."""
        with self.writing:
            return self.canlib.attempt("canWriteSync", self.tx, milliseconds)

    def unsent(self) -> int:
        """Return the number of frames in the transmit queue, 0 if unknown."""
        level = ctypes.c_uint(0)
        with self.writing:
            function = c.canIOCTL_GET_TX_BUFFER_LEVEL
            self.canlib.attempt("canIoCtl", self.tx, function, ctypes.byref(level), 4)
        return level.value

    def flush(self) -> None:
        """Discard the transmit queue."""
        with self.writing:
            self.canlib.call("canIoCtl", self.tx, c.canIOCTL_FLUSH_TX_BUFFER, None, 0)

    def _expect(self, frame: codec.Outgoing, payload: bytearray) -> None:
        """Note a frame whose echo has no mark, with a library before LOCAL_TXACK."""
        assert self._unmarked is not None
        if len(self._unmarked) >= _MAX_UNMARKED:  # their echoes were lost
            self._unmarked.clear()
        self._unmarked[_echo_of(frame, payload)] += 1

    def _mark_own(self, batch: MessageBatch) -> None:
        assert self._unmarked is not None
        for row, can_id in enumerate(batch.can_id):
            data = bytes(batch.payload[batch.offset[row] : batch.offset[row + 1]])
            size = batch.dlc_code[row] if can_id & bits.CAN_RTR_FLAG else len(data)
            if self._unmarked[can_id, size, data] > 0:
                self._unmarked[can_id, size, data] -= 1
                batch.flags[row] |= bits.TX

    # --- state ----------------------------------------------------------------------------------------

    def on_sender(self, name: str, *arguments: Any) -> int:
        """Call a function with the handle that sends, which no other thread may be using."""
        with self.writing:
            return self.canlib.call(name, self.tx, *arguments)

    def status(self) -> int:
        """Return the status bits of the controller."""
        flags = ctypes.c_ulong(0)
        with self.writing:
            self.canlib.attempt("canRequestChipStatus", self.tx)
            self.canlib.call("canReadStatus", self.tx, ctypes.byref(flags))
        return flags.value

    def restart(self, is_silent: bool) -> None:
        """Go off bus and on again, which also ends bus-off, with another mode."""
        with self.reading, self.writing:
            for handle in dict.fromkeys((self.rx, self.tx)):
                self.canlib.call("canBusOff", handle)
            try:
                self._set_mode(is_silent)
                self.is_silent = is_silent
            finally:
                self._bus_on()
                self.anchor()

    def statistics(self, seconds: float = 0.5, step: float = 0.01) -> BusStatistics:
        """Return the statistics of the bus; the device may need ``seconds`` for its answer."""
        result, size = BusStatistics(), ctypes.sizeof(BusStatistics)
        self.on_sender("canRequestBusStatistics")
        end = time.monotonic() + seconds
        while True:
            with self.writing:
                status = self.canlib.attempt("canGetBusStatistics", self.tx, ctypes.byref(result), size)
            if status >= 0:
                return result
            if time.monotonic() >= end:
                raise self.canlib.error("canGetBusStatistics", status)
            time.sleep(step)

    def accept(self, code: int, mask: int, *, is_extended: bool) -> int:
        """Let only identifiers pass that equal ``code`` in the bits of ``mask``; return the result."""
        set_code = c.canFILTER_SET_CODE_EXT if is_extended else c.canFILTER_SET_CODE_STD
        set_mask = c.canFILTER_SET_MASK_EXT if is_extended else c.canFILTER_SET_MASK_STD
        with self.reading:
            status = self.canlib.attempt("canAccept", self.rx, code, set_code)
            return status if status < 0 else self.canlib.attempt("canAccept", self.rx, mask, set_mask)

    def close(self) -> None:
        """Wait a moment for queued frames, go off bus and close the handles; failures are ignored."""
        self.canlib.attempt("canWriteSync", self.tx, _FLUSH_MS)
        self._close.close()


def _echo_of(frame: codec.Outgoing, payload: bytearray) -> tuple[int, int, bytes]:
    """Return the identifier word, the length and the data of the echo of a frame."""
    identifier, offset, length, flags = frame
    can_id = identifier | (bits.CAN_EFF_FLAG if flags & c.canMSG_EXT else 0)
    if flags & c.canMSG_RTR:
        return can_id | bits.CAN_RTR_FLAG, length, b""
    return can_id, length, bytes(payload[offset : offset + length])


def _without_checks(function: Any) -> Any:
    """Return ``function`` for arguments that already have their C types: half the cost of a call."""
    plain = type(function)(ctypes.cast(function, ctypes.c_void_p).value)
    plain.restype = function.restype
    return plain


def _slots(handle: int, records: Any) -> list[tuple[Any, ...]]:
    """Return the arguments of canRead for each record, with their C types."""
    size, number = ctypes.sizeof(Received), ctypes.c_int(handle)

    def field(name: str, kind: Any, row: int) -> Any:
        return ctypes.pointer(kind.from_buffer(records, row * size + getattr(Received, name).offset))

    return [
        (
            number,
            field("identifier", ctypes.c_long, row),
            ctypes.c_void_p(ctypes.addressof(records) + row * size + Received.data.offset),
            field("length", ctypes.c_uint, row),
            field("flags", ctypes.c_uint, row),
            field("time", ctypes.c_ulong, row),
        )
        for row in range(len(records))
    ]
