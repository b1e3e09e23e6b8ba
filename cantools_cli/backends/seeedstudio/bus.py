"""Seeed Studio's USB-CAN Analyzer, and adapters of other names with its firmware."""

from __future__ import annotations

from typing import Any, ClassVar

from cantools_cli.backends import ch340
from cantools_cli.backends.framing_bus import (
    ANSWER_SECONDS,
    TRIES,
    FramingBus,
    bitrate_of,
    gap_of,
    silence_hint,
)
from cantools_cli.backends.seeedstudio import codec
from cantools_cli.bus.base import BusState
from cantools_cli.bus.deadline import Deadline
from cantools_cli.bus.settings import refuse_unknown
from cantools_cli.errors import CanInitializationError, CanOperationError, UsageError, quoted
from cantools_cli.filtering.can_filter import CanFilters
from cantools_cli.frame import bits
from cantools_cli.frame.batch import MessageBatch

_SILENT = {"normal": "silent", "loopback": "loopback_and_silent"}
_PASSIVE = 128  # errors; a controller with that many is error passive
_RATES = "the baud rate of the adapter may differ: baudrate=1228800, baudrate=115200"


class SeeedBus(FramingBus):
    """A Seeed Studio USB-CAN Analyzer on a serial port.

    ``channel`` is a port or a URL of pyserial; ``baudrate`` is the fixed rate of the adapter's serial line.
    ``timeout`` has no effect: ``recv`` and ``send`` have timeouts of their own. ``frame_type`` is ``STD`` or
    ``EXT``, the kind of frames that the adapter is set to; ``operation_mode`` is ``normal``, ``loopback``,
    ``silent`` or ``loopback_and_silent``, and ``listen_only`` makes it silent; ``bitrate`` is a key of
    ``BITRATE``. A single entry of ``can_filters`` is also the filter of the adapter. ``probe=False`` opens an
    adapter that does not report its status. Frames are stamped on arrival. With ``receive_own_messages`` sent
    frames are received once they are written.

    Raises:
        UsageError: the channel is empty, or a setting has an unknown value.
        CanInitializationError: the port cannot be opened, or no adapter answers.
    """

    BITRATE: ClassVar[dict[int, int]] = codec.BITRATE
    FRAMETYPE: ClassVar[dict[str, int]] = codec.FRAMETYPE
    OPERATIONMODE: ClassVar[dict[str, int]] = codec.OPERATIONMODE

    _decoder: codec.SeeedstudioDecoder

    def __init__(
        self,
        channel: str,
        baudrate: int = 2000000,
        timeout: float = 0.1,
        frame_type: str = "STD",
        operation_mode: str = "normal",
        bitrate: int = 500000,
        can_filters: CanFilters | None = None,
        *,
        listen_only: bool = False,
        receive_own_messages: bool = False,
        probe: bool = True,
        timing: Any = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown("seeedstudio", SeeedBus, kwargs)
        place = str(channel or "").strip()
        if not place:
            raise UsageError("seeedstudio: no port given", hint="such as seeedstudio:/dev/ttyUSB0")
        self.bit_rate = _known(
            "bitrate", bitrate_of("seeedstudio", None if timing else bitrate, timing), codec.BITRATE
        )
        self.frame_type = _known("frame_type", frame_type.upper(), codec.FRAMETYPE)
        self.op_mode = _known("operation_mode", operation_mode.lower(), codec.OPERATIONMODE)
        if listen_only:
            self.op_mode = _SILENT.get(self.op_mode, self.op_mode)
        self._filter = _filter_of(can_filters)
        self._echoes_own = receive_own_messages
        self._decoder = codec.SeeedstudioDecoder(self.losses, place, int(gap_of(place) * 1e9))
        self._open(place, baudrate, f"seeedstudio:{place}")
        try:
            self.init_frame()
            if probe:
                self._probe()
            self._forgive_opening()
            self.channel_info = f"Serial interface: {place}"
            super().__init__(channel, can_filters, **kwargs)
        except CanOperationError as error:
            self._abandon()
            raise CanInitializationError(str(error), hint=error.hint) from error
        except BaseException:
            self._abandon()
            raise

    def _probe(self) -> None:
        """Wait for a status message, or for a frame: both come from such an adapter only.

        Raises:
            CanInitializationError: no answer arrives.
        """
        for _ in range(TRIES):
            self.status_frame()
            if self._port.wait_for(lambda: self._decoder.messages > 0, Deadline(ANSWER_SECONDS)):
                return
        raise CanInitializationError(
            f"{self._name}: the adapter does not answer",
            hint=f"{silence_hint(self, 'a USB-CAN Analyzer', _RATES)}; probe=false opens it all the same",
        )

    # --- commands -------------------------------------------------------------------------------------

    def init_frame(self, timeout: float | None = None) -> None:
        """Configure the adapter, as on opening; it does not answer."""
        setup = codec.setup(self.bit_rate, self.frame_type, self.op_mode, *self._filter)
        self._port.send([setup], ANSWER_SECONDS if timeout is None else timeout)

    def status_frame(self, timeout: float | None = None) -> None:
        """Request the error counters.

        If they have changed, an error frame of the class ``COUNTERS`` is received.
        """
        self._port.send([codec.status_request()], ANSWER_SECONDS if timeout is None else timeout)

    def error_counters(self, timeout: float | None = ANSWER_SECONDS) -> codec.StatusCounters | None:
        """Request and return the error counters of the controller, None after ``timeout`` seconds.

        Raises:
            CanOperationError: the connection is lost or closed.
        """
        self._check_open()
        self._decoder.counted = False
        self.status_frame(timeout)
        self._port.wait_for(lambda: self._decoder.counted, Deadline(timeout))
        return self._decoder.counters if self._decoder.counted else None

    def flush_buffer(self) -> None:
        """Discard the frames that were received and not read."""
        self._port.receive(0)

    @property
    def state(self) -> BusState:
        """PASSIVE if the last error counters mean that, else ACTIVE."""
        counters = self._decoder.counters
        return BusState.PASSIVE if counters and max(counters) >= _PASSIVE else BusState.ACTIVE

    @state.setter
    def state(self, new_state: BusState) -> None:
        raise NotImplementedError("the operation mode is set when the bus is opened")

    # --- filters and frames ---------------------------------------------------------------------------

    def _apply_filters(self, filters: CanFilters | None) -> None:
        wanted = _filter_of(filters)
        if wanted != self._filter:
            self._filter = wanted
            self.init_frame()

    def _encode(self, batch: MessageBatch) -> list[bytes]:
        if self.op_mode == "silent":
            raise CanOperationError(f"{self._name}: the bus was opened in the silent mode", sent=0)
        return codec.encode(batch)

    @property
    def bit_rates(self) -> tuple[int | None, int | None]:
        return self.bit_rate, None

    @staticmethod
    def _detect_available_configs() -> list[dict[str, Any]]:
        """Return the ports with the serial converter of these adapters, which other devices have as well."""
        return [{"channel": path} for path in ch340.channels()]


def _known(key: str, value: Any, table: dict[Any, int]) -> Any:
    if value not in table:
        raise UsageError(
            f"seeedstudio: {key} is {quoted(value)}", hint=f"one of {', '.join(map(str, table))}"
        )
    return value


def _filter_of(filters: CanFilters | None) -> tuple[int, int]:
    """Return the identifier and the mask of the adapter's only filter; 0, 0 passes everything."""
    if not filters or len(filters) != 1 or filters[0]["can_id"] & bits.CAN_ERR_FLAG:
        return 0, 0
    entry = filters[0]
    return entry["can_id"] & bits.CAN_EFF_MASK, entry["can_mask"] & bits.CAN_EFF_MASK
